/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slaves of the host's mounts in a table of mounts as CRIU writes it: each from outside gets a master's number of its own, the rest is as it was.
 */
#include "runtime/criu.h"
#include "test.h"

#include <errno.h>

static struct cl_buf image, out;

static void begin(void)
{
    cl_buf_done(&image);
    cl_buf_done(&out);
    image = (struct cl_buf)CL_BUF_INIT(4096);
    out = (struct cl_buf)CL_BUF_INIT(4096);
    cl_buf_add(&image, "magic!!!", 8);
}

static void add(const char *root, unsigned shared, unsigned master, const char *external)
{
    cl_auto_buf message = CL_BUF_INIT(512);
    criu_put_number(&message, 3, 7);
    criu_put_text(&message, 6, root);
    if (shared != 0)
        criu_put_number(&message, 10, shared);
    if (master != 0)
        criu_put_number(&message, 11, master);
    criu_put_number(&message, 15, 0); /* something behind it */
    if (external != NULL)
        criu_put_text(&message, 18, external);
    uint32_t size = (uint32_t)message.size;
    cl_buf_add(&image, &size, sizeof size);
    cl_buf_add(&image, message.data, message.size);
}

/* "ROOT master" of each mount, joined by commas. */
static const char *masters(const struct cl_buf *from)
{
    static char text[512];
    struct criu_reader all = { (const uint8_t *)from->data + 8,
                               (const uint8_t *)from->data + from->size };
    text[0] = '\0';
    while (all.at < all.end) {
        struct criu_member member;
        char root[64] = "";
        uint64_t master = 0;
        uint32_t size;
        memcpy(&size, all.at, sizeof size);
        struct criu_reader entry = { all.at + 4, all.at + 4 + size };
        all.at += 4 + size;
        while (entry.at < entry.end && criu_take_member(&entry, &member)) {
            if (member.field == 6)
                snprintf(root, sizeof root, "%.*s", (int)(member.bytes.end - member.bytes.at),
                         (const char *)member.bytes.at);
            if (member.field == 11)
                master = member.number;
        }
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s %llu", used > 0 ? "," : "", root,
                 (unsigned long long)master);
    }
    return text;
}

TEST(each_from_outside_gets_its_own)
{
    begin();
    add("/", 0, 0, NULL);
    add("/a", 0, 2, "/data");
    add("/a/b", 0, 2, "/mapped");
    add("/c", 0, 300, "/other");
    REQUIRE(criu_split_masters(image.data, image.size, &out) == 1);
    CHECK_STR(masters(&out), "/ 0,/a 301,/a/b 302,/c 303");
    CHECK(memcmp(out.data, "magic!!!", 8) == 0);
}

TEST(what_the_container_has_bound_stays_with_its_origin)
{
    begin();
    add("/a", 0, 2, "/data");
    add("/a/b", 0, 2, "/mapped");
    add("/a/b/c", 0, 2, NULL);
    add("/ab", 0, 2, NULL);
    REQUIRE(criu_split_masters(image.data, image.size, &out) == 1);
    CHECK_STR(masters(&out), "/a 3,/a/b 4,/a/b/c 4,/ab 2");
}

TEST(masters_of_its_own_and_peers_are_left_alone)
{
    begin();
    add("/", 5, 0, NULL);
    add("/a", 0, 5, "/data");
    add("/b", 6, 2, "/peer");
    CHECK_INT(criu_split_masters(image.data, image.size, &out), 0);
    CHECK_INT((int)out.size, 0);
    begin();
    CHECK_INT(criu_split_masters(image.data, image.size, &out), 0);
}

TEST(what_is_cut_off_is_refused)
{
    begin();
    add("/a", 0, 2, "/data");
    for (size_t size = 0; size < image.size; size++)
        if (size != 8)
            CHECK_INT(criu_split_masters(image.data, size, &out), -EBADMSG);
    CHECK_INT((int)out.size, 0);
    cl_buf_done(&image);
    cl_buf_done(&out);
}

TEST_MAIN
