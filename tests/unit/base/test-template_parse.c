/* SPDX-License-Identifier: Apache-2.0 */
/* Templates: the grammar, and how its violations are reported. */
#include "template_samples.h"

TEST(trimming)
{
    static const struct template_sample samples[] = {
        { "a  {{- .Name -}}  b", "a/webb" },
        { "a {{/* x */}} b", "a  b" },
        { "a {{- /* x */ -}} b", "ab" },
        { "{{- 3 -}}", "3" },
        { "{{-3}}", "-3" },
        { "a\n{{- \"x\" }}\nb", "ax\nb" },
    };
    check_samples(samples, CL_COUNT(samples));
}

TEST(constants)
{
    static const struct template_sample samples[] = {
        { "{{\"\\x41\\u00e9\\101\\n\"}}", "AéA\n" },
        { "{{`raw\\n`}}", "raw\\n" },
        { "{{'a'}}", "97" },
        { "{{0x1F}} {{0b11}} {{0o17}} {{017}} {{1_000}} {{1e3}} {{.5}} {{+5}}",
          "31 3 15 15 1000 1000 0.5 5" },
        { "{{true}} {{false}}", "true false" },
    };
    check_samples(samples, CL_COUNT(samples));
}

TEST(broken_templates)
{
    static const struct template_sample samples[] = {
        { "{{.Name", ":1: unclosed action" },
        { "{{", ":1: unclosed action" },
        { "{{end}}", ":1: unexpected {{end}}" },
        { "{{if .Name}}x", ":1: unexpected EOF" },
        { "{{if}}x{{end}}", ":1: missing value for if" },
        { "{{nope .Name}}", ":1: function \"nope\" not defined" },
        { "{{$x}}", ":1: undefined variable \"$x\"" },
        { "{{.Name | 3}}", ":1: non executable command in pipeline stage 2" },
        { "{{\"a}}", ":1: unterminated quoted string" },
        { "{{'ab'}}", ":1: malformed character constant: 'ab'" },
        { "{{1a}}", ":1: bad number syntax: \"1a\"" },
        { "{{99999999999999999999}}", ":1: integer overflow: \"99999999999999999999\"" },
        { "{{\"a\\z\"}}", ":1: invalid syntax" },
        { "{{(1}}", ":1: unclosed left paren" },
        { "{{1)}}", ":1: unexpected right paren" },
        { "{{.Name$}}", ":1: bad character U+0024 '$'" },
        { "{{break}}", ":1: {{break}} outside {{range}}" },
        { "{{range $a, $b, $c := .Args}}{{end}}", ":1: too many declarations in range" },
        { "{{$a, $b := .Args}}", ":1: too many declarations in command" },
        { "{{/* x }}", ":1: unclosed comment" },
        { "{{define \"x\"}}a{{end}}{{define \"x\"}}b{{end}}",
          ":1: template: multiple definition of template \"x\"" },
        { "\n{{if .Name\n", ":3: unclosed action started at :2" },
        { "{{1.x}}", ":1: bad number syntax: \"1.x\"" },
        { "{{..}}", ":1: unexpected <.> in operand" },
    };
    check_failing(samples, CL_COUNT(samples));
}

static void check_refused(const char *text, int code, const char *message)
{
    struct cl_template *template_ = NULL;
    struct cl_error err = { 0 };
    CHECK_INT(cl_template_parse(text, &template_, &err), code);
    CHECK(template_ == NULL);
    CHECK_CONTAINS(err.text, message);
}

TEST(limits_of_the_text)
{
    static char text[65540];
    memset(text, 'x', 65537);
    check_refused(text, -EFBIG, "longer than 65536 bytes");
    size_t used = (size_t)snprintf(text, sizeof text, "{{");
    memset(text + used, '(', 70);
    memcpy(text + used + 70, "1", 2);
    memset(text + used + 71, ')', 70);
    memcpy(text + used + 141, "}}", 3);
    check_refused(text, -EINVAL, "nested more than 64 levels deep");
    used = 0;
    for (int i = 0; i < 70; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "{{if 1}}");
    check_refused(text, -EINVAL, "nested more than 64 levels deep");
}

TEST(an_empty_template_prints_nothing)
{
    static const struct template_sample samples[] = { { "", "" }, { "text", "text" } };
    check_samples(samples, CL_COUNT(samples));
}

TEST_MAIN
