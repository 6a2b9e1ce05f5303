/* SPDX-License-Identifier: Apache-2.0 */
/* Templates at work: fields, control, variables, nested templates, and where they stop. */
#include "template_samples.h"

TEST(fields)
{
    static const struct template_sample samples[] = {
        { "{{.Name}}", "/web" },
        { "{{.State.Pid}}", "7" },
        { "{{.State.Paused}}", "false" },
        { "{{.Nope}}", "<no value>" },
        { "{{.Nope.Deeper}}", "<no value>" },
        { "{{.State.Health}}", "<no value>" },
        { "{{.Ratio}} {{.Large}}", "2.5 1.234567e+06" },
        { "{{.State}}", "map[Health:<nil> Paused:false Pid:7 Status:running]" },
        { "{{.Args}}", "[a b c]" },
        { "{{.Mounts}}", "[map[RW:true Source:/x] map[RW:false Source:/y]]" },
        { "{{$.Name}}", "/web" },
        { "{{(index .Mounts 0).Source}}", "/x" },
        { "{{(.State).Pid}}", "7" },
    };
    check_samples(samples, CL_COUNT(samples));
}

TEST(control)
{
    static const struct template_sample samples[] = {
        { "{{if .State.Pid}}y{{else}}n{{end}}", "y" },
        { "{{if .None}}y{{else}}n{{end}}", "n" },
        { "{{if .Nope}}1{{else if .State.Paused}}2{{else if .Args}}3{{else}}4{{end}}", "3" },
        { "{{with .State}}{{.Pid}}{{end}}{{with .Nope}}x{{else}}none{{end}}", "7none" },
        { "{{range .Args}}{{.}},{{end}}", "a,b,c," },
        { "{{range $i, $e := .Args}}{{if $i}}, {{end}}{{$e}}{{end}}", "a, b, c" },
        { "{{range $k, $v := .Labels}}{{$k}}={{$v}};{{end}}", "com.example/a b=1;z=2;" },
        { "{{range .None}}x{{else}}empty{{end}}", "empty" },
        { "{{range .Nope}}x{{else}}empty{{end}}", "empty" },
        { "{{range .Args}}{{if eq . \"a\"}}{{continue}}{{end}}{{.}}{{if eq . "
          "\"b\"}}{{break}}{{end}}{{end}}",
          "b" },
        { "{{range .Mounts}}{{.Source}}{{$.Name}}{{end}}", "/x/web/y/web" },
        { "{{define \"x\"}}<{{.}}>{{end}}{{template \"x\" .Name}}{{template \"x\"}}",
          "</web><<no value>>" },
        { "{{block \"b\" .State}}{{.Pid}}{{end}}", "7" },
    };
    check_samples(samples, CL_COUNT(samples));
}

TEST(variables)
{
    static const struct template_sample samples[] = {
        { "{{$x := .Name}}{{$x}}{{$x = 3}}{{$x}}", "/web3" },
        { "{{$x := 1}}{{range .Args}}{{$x = .}}{{end}}{{$x}}", "c" },
        { "{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{end}}{{$x}}", "21" },
        { "{{with $s := .State}}{{$s.Pid}}{{end}}", "7" },
    };
    check_samples(samples, CL_COUNT(samples));
}

TEST(failing_templates)
{
    static const struct template_sample samples[] = {
        { "{{.Name.X}}",
          ":1:7: executing \"\" at <.Name.X>: can't evaluate field X in type interface {}" },
        { "{{1 | .Name}}",
          ":1:6: executing \"\" at <.Name>: Name is not a method but has arguments" },
        { "{{range .Name}}{{end}}",
          ":1:8: executing \"\" at <.Name>: range can't iterate over /web" },
        { "{{template \"none\"}}",
          ":1:11: executing \"\" at <{{template \"none\"}}>: template \"none\" not defined" },
        { "{{nil}}", ":1:2: executing \"\" at <nil>: nil is not a command" },
        { "a\nb {{.Name.X}}",
          ":2:9: executing \"\" at <.Name.X>: can't evaluate field X in type interface {}" },
        { "{{range .Args}}{{.x}}{{end}}",
          ":1:17: executing \"\" at <.x>: can't evaluate field x in type interface {}" },
        { "{{.State.Health.X}}",
          ":1:8: executing \"\" at <.State.Health.X>: nil pointer evaluating interface {}.X" },
        { "{{define \"d\"}}{{.Name.X}}{{end}}{{template \"d\" .}}",
          ":1:21: executing \"d\" at <.Name.X>: can't evaluate field X in type interface {}" },
    };
    check_failing(samples, CL_COUNT(samples));
}

TEST(newer_go)
{
    static const struct template_sample samples[] = {
        { "{{range 3}}{{.}}{{end}}", "012" },
        { "{{range $i := 2}}{{$i}}{{end}}{{range 0}}x{{else}}none{{end}}", "01none" },
        { "{{with .Nope}}a{{else with .State}}{{.Pid}}{{else}}c{{end}}", "7" },
    };
    check_samples(samples, CL_COUNT(samples));
}

TEST(missing_keys_can_be_errors)
{
    cl_auto_buf out = CL_BUF_INIT(1000);
    struct cl_error err = { 0 };
    CHECK_INT(template_try("{{.State.Nope}}", true, &out, &err), -EINVAL);
    CHECK_STR(err.text, "template parsing error: template: :1:8: executing \"\" at <.State.Nope>: "
                        "map has no entry for key \"Nope\"");
    CHECK_INT(template_try("{{.State.Pid}}{{.State.Health}}", true, &out, &err), 0);
    CHECK_STR(out.data, "7<no value>");
}

static void check_stopped(const char *text, int code, const char *message)
{
    cl_auto_buf out = CL_BUF_INIT(1 << 20);
    struct cl_error err = { 0 };
    CHECK_INT(template_try(text, false, &out, &err), code);
    CHECK_CONTAINS(err.text, message);
    CHECK_INT(out.size, 0);
    CHECK_INT(out.failed, 0);
}

TEST(runs_are_bounded)
{
    check_stopped("{{range 1000000000}}{{end}}", -EFBIG, "stopped after 1000000 steps");
    check_stopped("{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}", -EINVAL,
                  "exceeded maximum template depth");
    check_stopped("{{range 400000}}abc{{end}}", -EFBIG, "the result is too large");
    check_stopped("{{$x := \"abc\"}}{{range 100}}{{$x = print $x $x}}{{end}}", -EFBIG, "too large");
    check_stopped(
        "{{len (printf \"%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d"
        "%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d%999999d\" 1 2 3 4 "
        "5 6 7 8 9 1 2 3 4 5 6 7 8)}}",
        -EFBIG, "too large");
}

TEST(data_of_any_type)
{
    CL_AUTO(cl_template_free) struct cl_template *template_ = NULL;
    CL_AUTO(cl_json_unref) struct cl_json *text = cl_json_from_string("x");
    cl_auto_buf out = CL_BUF_INIT(1000);
    struct cl_error err = { 0 };
    REQUIRE(cl_template_parse("{{.}};", &template_, &err) == 0);
    CHECK_INT(cl_template_run(template_, text, &out, &err), 0);
    CHECK_INT(cl_template_run(template_, NULL, &out, &err), 0);
    CHECK_INT(cl_template_run(template_, cl_json_null(), &out, &err), 0);
    CHECK_STR(out.data, "x;<no value>;<no value>;");
    CHECK_INT(cl_template_run(template_, text, &out, NULL), 0);
}

TEST_MAIN
