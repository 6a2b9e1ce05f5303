/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: fmt's verbs, and what it says when they do not fit. */
#include "template_samples.h"

TEST(printf)
{
    static const struct template_sample samples[] = {
        { "{{printf \"%s|%d|%v|%q|%t\" .Name .State.Pid .Args .Name true}}",
          "/web|7|[a b c]|\"/web\"|true" },
        { "{{printf \"%5d|%-5d|%05d|%+d|%x|%X|%o|%b|%c|%U\" 42 42 42 42 42 42 42 42 65 233}}",
          "   42|42   |00042|+42|2a|2A|52|101010|A|U+00E9" },
        { "{{printf \"%10s|%-10s|%.2s|%q|%x\" \"abc\" \"abc\" \"abc\" \"a\\\"b\" \"hi\"}}",
          "       abc|abc       |ab|\"a\\\"b\"|6869" },
        { "{{printf \"%f|%.2f|%e|%g|%8.3f|%v\" 2.5 2.5 2.5 2.5 2.5 1e21}}",
          "2.500000|2.50|2.500000e+00|2.5|   2.500|1e+21" },
        { "{{printf \"%d\" \"x\"}} {{printf \"%s\" 5}} {{printf \"%d\"}} {{printf \"%!\"}} "
          "{{printf \"x\" 1}}",
          "%!d(string=x) %!s(int=5) %!d(MISSING) %!!(MISSING) x%!(EXTRA int=1)" },
        { "{{printf \"%[2]s %[1]s\" \"a\" \"b\"}} {{printf \"%*d\" 5 3}} {{printf \"%%\"}}",
          "b a     3 %" },
        { "{{printf \"%s\" .Args}} {{printf \"%d\" .Args}} {{printf \"%v\" .State}} {{printf "
          "\"%q\" .Args}}",
          "[a b c] [%!d(string=a) %!d(string=b) %!d(string=c)] map[Health:<nil> Paused:false Pid:7 "
          "Status:running] [\"a\" \"b\" \"c\"]" },
        { "{{printf \"%T %T %T %T\" 1 \"a\" .Args .State}} {{printf \"%#v\" .State}}",
          "int string []interface {} map[string]interface {} map[string]interface "
          "{}{\"Health\":interface {}(nil), \"Paused\":false, \"Pid\":7, \"Status\":\"running\"}" },
        { "{{printf \"%s|%v\" .Nope nil}}", "%!s(<nil>)|<nil>" },
    };
    check_samples(samples, CL_COUNT(samples));
}

TEST_MAIN
