/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: Go's functions and Docker's. */
#include "template_samples.h"

TEST(functions)
{
    static const struct template_sample samples[] = {
        { "{{len .Args}} {{len .Labels}} {{len .Name}}", "3 2 4" },
        { "{{index .Args 1}} {{index .Labels \"com.example/a b\"}} {{index .Labels \"no\"}}",
          "b 1 <no value>" },
        { "{{index .Mounts 1 \"Source\"}}", "/y" },
        { "{{slice .Args 1}} {{slice .Args 1 2}} {{slice .Name 1 3}}", "[b c] [b] we" },
        { "{{eq .State.Pid 7}} {{eq .Name \"/db\" \"/web\"}} {{ne 1 2}} {{lt 1 2}} {{le 2 2}} {{gt "
          "\"b\" \"a\"}} {{ge 1.5 2.5}}",
          "true true true true true true false" },
        { "{{eq .Nope nil}} {{eq .Nope \"x\"}} {{eq .State.Health nil}}", "true false true" },
        { "{{and .Args .Nope .Name}} {{and 1 2}} {{or .None 0 \"z\"}} {{not .None}}",
          "<no value> 2 z true" },
        { "{{.Name | printf \"%s-%s\" \"x\"}}", "x-/web" },
        { "{{print 1 2 \"a\" \"b\" 3}} {{println \"a\" 1}}", "1 2ab3 a 1\n" },
        { "{{html .Html}} {{js \"it's <x>\"}} {{urlquery \"a b/é\"}}",
          "&lt;a&amp;b&gt; it\\'s \\u003Cx\\u003E a+b%2F%C3%A9" },
        { "{{json .State}} {{json .Html}} {{json .Nope}}",
          "{\"Health\":null,\"Paused\":false,\"Pid\":7,\"Status\":\"running\"} \"<a&b>\" null" },
        { "{{prettyjson .State}}", "{\n    \"Health\": null,\n    \"Paused\": false,\n    \"Pid\": "
                                   "7,\n    \"Status\": \"running\"\n}" },
        { "{{join (split \"a,b,c\" \",\") \"-\"}} {{split \"ab\" \"\"}}", "a-b-c [a b]" },
        { "{{title \"hello wörld\"}} {{upper \"abc é\"}} {{lower \"ABC É\"}}",
          "Hello Wörld ABC É abc é" },
        { "{{pad \"x\" 2 3}}|{{pad \"\" 2 3}}|{{truncate \"hello\" 3}}{{truncate \"hi\" 3}}",
          "  x   ||helhi" },
    };
    check_samples(samples, CL_COUNT(samples));
}

TEST(failing_functions)
{
    static const struct template_sample samples[] = {
        { "{{index .Args 5}}",
          ":1:2: executing \"\" at <index .Args 5>: error calling index: index out of range: 5" },
        { "{{index .Args 3}}", ":1:2: executing \"\" at <index .Args 3>: error calling index: "
                               "reflect: slice index out of range" },
        { "{{index .Args \"a\"}}", ":1:2: executing \"\" at <index .Args \"a\">: error calling "
                                   "index: cannot index slice/array with type string" },
        { "{{index .Nope 1}}",
          ":1:2: executing \"\" at <index .Nope 1>: error calling index: index of untyped nil" },
        { "{{len 3}}", ":1:2: executing \"\" at <len 3>: error calling len: len of type int" },
        { "{{lower .State.Pid}}",
          ":1:14: executing \"\" at <.State.Pid>: wrong type for value; expected string; got int" },
        { "{{lower .Nope}}", ":1:8: executing \"\" at <.Nope>: invalid value; expected string" },
        { "{{lower}}",
          ":1:2: executing \"\" at <lower>: wrong number of args for lower: want 1 got 0" },
        { "{{lower \"a\" \"b\"}}",
          ":1:2: executing \"\" at <lower>: wrong number of args for lower: want 1 got 2" },
        { "{{eq 1 \"a\"}}", ":1:2: executing \"\" at <eq 1 \"a\">: error calling eq: incompatible "
                            "types for comparison" },
        { "{{eq .Args .Args}}", ":1:2: executing \"\" at <eq .Args .Args>: error calling eq: "
                                "non-comparable type [a b c]: []interface {}" },
        { "{{lt .Args 1}}",
          ":1:2: executing \"\" at <lt .Args 1>: error calling lt: invalid type for comparison" },
        { "{{truncate \"a\" \"b\"}}",
          ":1:15: executing \"\" at <\"b\">: expected integer; found \"b\"" },
        { "{{slice .Args 2 1}}", ":1:2: executing \"\" at <slice .Args 2 1>: error calling slice: "
                                 "invalid slice index: 2 > 1" },
        { "{{slice .State}}", ":1:2: executing \"\" at <slice .State>: error calling slice: can't "
                              "slice item of type map[string]interface {}" },
        { "{{printf 3}}", ":1:9: executing \"\" at <3>: expected string; found 3" },
    };
    check_failing(samples, CL_COUNT(samples));
}

TEST_MAIN
