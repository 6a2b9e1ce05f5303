/* SPDX-License-Identifier: Apache-2.0 */
/*
 * import --change: Dockerfile instructions into an image's config.
 */
#include "support.h"

#include "transfer/changes.h"
#include "transfer/words.h"

static struct cl_error err;

/* The run-time config after these instructions (ended by NULL) as JSON; NULL when one is refused. */
static char *after(const char *first, ...)
{
    static struct oci_image_config *config;
    CL_AUTO(cl_json_unref) struct cl_json *json = NULL;
    va_list lines;
    int result = 0;
    oci_image_config_free(config);
    config = cl_calloc(1, sizeof *config);
    config->platform.os = cl_strdup("linux");
    config->platform.architecture = cl_strdup("amd64");
    va_start(lines, first);
    for (const char *line = first; result >= 0 && line != NULL; line = va_arg(lines, const char *))
        result = changes_apply(&config->config, line, &err);
    va_end(lines);
    if (result < 0 || oci_image_config_encode(config, &json) < 0)
        return NULL;
    return cl_json_text(cl_json_get(json, "config"), CL_JSON_COMPACT);
}

#define CHECK_AFTER(expected, ...)                                                                 \
    do {                                                                                           \
        cl_auto_free char *text_ = after(__VA_ARGS__, NULL);                                       \
        CHECK_STR(text_, expected);                                                                \
    } while (0)
#define CHECK_REFUSED(part, line)                                                                  \
    do {                                                                                           \
        cl_auto_free char *text_ = after(line, NULL);                                              \
        CHECK(text_ == NULL);                                                                      \
        CHECK_CONTAINS(err.text, part);                                                            \
        CHECK_INT(err.kind, CL_KIND_INVALID);                                                      \
    } while (0)

TEST(commands)
{
    CHECK_AFTER("{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo  hi $X\"]}", "CMD echo  hi $X");
    CHECK_AFTER("{\"Cmd\":[\"top\",\"-b\"]}", "cmd [\"top\", \"-b\"]");
    CHECK_AFTER("{\"Entrypoint\":[\"/init\"]}", "CMD x", "ENTRYPOINT [\"/init\"]", "CMD []");
    CHECK_AFTER("{\"Cmd\":[\"/bin/sh\",\"-c\",\"[ -f x ]\"]}", "CMD [ -f x ]");
    CHECK_AFTER("{\"Cmd\":[\"b\"]}", "CMD [\"a\"]", "  CMD\t[\"b\"]  ");
}

TEST(environment)
{
    CHECK_AFTER("{\"Env\":[\"A=1\",\"B=two words\",\"C=x y\"]}", "ENV A=1 B='two words' C=x\\ y");
    CHECK_AFTER("{\"Env\":[\"A=the rest of it\"]}", "ENV A the rest of it");
    CHECK_AFTER("{\"Env\":[\"A=1\",\"B=1/1-d-\"]}", "ENV A=1", "ENV B=$A/${A}-${N:-d}-${N:+e}$N");
    CHECK_AFTER("{\"Env\":[\"A=$A\",\"B=$A\"]}", "ENV A='$A' B=\\$A");
    CHECK_AFTER("{\"Env\":[\"A=2\"]}", "ENV A=1", "ENV A=2");
    CHECK_AFTER("{\"Env\":[\"A=\"]}", "ENV A=");
    CHECK_REFUSED("must have a name and a value", "ENV A");
    CHECK_REFUSED("NAME=VALUE in each place", "ENV A=1 B");
    CHECK_REFUSED("a double quote has no end", "ENV A=\"x");
    CHECK_REFUSED("can't be understood", "ENV A=${x");
    CHECK_REFUSED("a name is empty", "ENV =x");
}

TEST(the_others)
{
    CHECK_AFTER("{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{},\"8000/tcp\":{},\"8001/tcp\":{}}}",
                "EXPOSE 80 53/udp 8000-8001 80/tcp");
    CHECK_AFTER("{\"Labels\":{\"a.b\":\"c d\",\"e\":\"f\"}}", "LABEL a.b=\"c d\" e=f");
    CHECK_AFTER("{\"StopSignal\":\"SIGINT\"}", "STOPSIGNAL SIGINT");
    CHECK_AFTER("{\"User\":\"1000:100\"}", "USER 1000:100");
    CHECK_AFTER("{\"Volumes\":{\"/a\":{},\"/b c\":{}}}", "VOLUME /a \"/b c\" /a");
    CHECK_AFTER("{\"Volumes\":{\"/a\":{}}}", "VOLUME [\"/a\"]");
    CHECK_AFTER("{\"WorkingDir\":\"/a/c\"}", "WORKDIR /a//b/../c/.");
    CHECK_AFTER("{\"WorkingDir\":\"/a/b\"}", "WORKDIR /a", "WORKDIR b");
    CHECK_AFTER("{\"WorkingDir\":\"/\"}", "WORKDIR ../..");
    CHECK_REFUSED("no signal", "STOPSIGNAL NONSENSE");
    CHECK_REFUSED("expected PORT", "EXPOSE 0");
    CHECK_REFUSED("expected PORT", "EXPOSE 99999");
    CHECK_REFUSED("expected PORT", "EXPOSE 9-8");
    CHECK_REFUSED("expected PORT", "EXPOSE 80/icmp");
}

TEST(what_is_no_instruction)
{
    CHECK_REFUSED("change \"RUN rm -rf /\": the instruction must be CMD", "RUN rm -rf /");
    CHECK_REFUSED("the instruction must be", "");
    CHECK_REFUSED("nothing behind the instruction", "USER");
    CHECK_REFUSED("nothing behind the instruction", "CMD   ");
}

TEST(nested_words_end)
{
    cl_auto_buf deep = CL_BUF_INIT(1u << 16);
    char *out = NULL;
    const char *why = NULL;
    for (int i = 0; i < 1000; i++)
        cl_buf_str(&deep, "${A:-");
    CHECK_INT(words_expand(deep.data, NULL, &out, &why), -EINVAL);
    CHECK_CONTAINS(why, "nested too deeply");
}

TEST_MAIN
