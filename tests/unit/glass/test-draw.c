/* SPDX-License-Identifier: Apache-2.0 */
/* The picture at different sizes, in UTF-8 and ASCII, and with hostile names. */
#include "glass/draw.h"

#include "support.h"

struct picture {
    struct fake fake;
    struct glass_state state;
    struct glass_screen screen;
    struct glass_focus focus;
};

static void begin(struct picture *picture, unsigned width, unsigned height, bool is_utf8)
{
    memset(picture, 0, sizeof *picture);
    fake_machine(&picture->fake);
    picture->screen.is_utf8 = is_utf8;
    CHECK_INT(glass_screen_resize(&picture->screen, width, height), 0);
    glass_state_resize(&picture->state, width, height, 5);
    CHECK_INT(glass_state_rows(&picture->state, &picture->fake.world), 0);
}

/* Owned. */
static char *draw(struct picture *picture)
{
    const struct glass_scene scene = { .state = &picture->state,
                                       .world = &picture->fake.world,
                                       .focus = &picture->focus,
                                       .host_name = "host",
                                       .following = "live" };
    glass_draw(&picture->screen, &scene);
    return screen_text(&picture->screen);
}

static void end(struct picture *picture)
{
    glass_state_done(&picture->state);
    glass_screen_done(&picture->screen);
}

TEST(eighty_columns)
{
    struct picture picture;
    begin(&picture, 80, 14, true);
    (void)glass_state_select(&picture.state, 51);
    for (int type = 0; type < K_NS_COUNT; type++)
        picture.focus.inodes[type] =
            type == K_NS_USER || type == K_NS_NET ? 100 + (uint64_t)type : 7;
    cl_auto_free char *text = draw(&picture);
    CHECK_STR(text,
              " cloche host · 8 processes · 2 containers                         by pid · live\n"
              "  PID USER     ON THE HOST                 │ CONTAINER   PID USER    INSIDE\n"
              "    1 root     /sbin/init                  │\n"
              "   40 root     ├─sshd: /usr/sbin/sshd -D   │\n"
              "   41 root     │ └─-bash                   │\n"
              "   50 root     ├─cloche-monitor 3          │\n"
              "   51 root     │ └─nginx: master process   ┃ web           1 root    nginx: mas…\n"
              "   52 root     │   └─nginx: worker process ┃               2 root    nginx: wor…\n"
              "   60 root     └─containerd-shim           │\n"
              "   61 root       └─postgres -D /data       ┃ db            1 root    postgres -…\n"
              "\n"
              " 51 web (cloche) · pid 1 inside · nginx: master process\n"
              " own time uts ipc cgroup mnt pid   the host's net user\n"
              " Enter view  / filter  t tree  c containers  f freeze  s sort  ? help  q quit\n");
    end(&picture);
}

TEST(eighty_columns_in_ascii)
{
    struct picture picture;
    begin(&picture, 80, 14, false);
    cl_auto_free char *text = draw(&picture);
    CHECK_CONTAINS(
        text, "   52 root     |   `-nginx: worker process |               2 root    nginx: wor~\n");
    CHECK_CONTAINS(text, "   60 root     `-containerd-shim           :\n");
    for (const char *byte = text; *byte != '\0'; byte++)
        CHECK((unsigned char)*byte < 0x80);
    end(&picture);
}

TEST(wider_screens_show_more)
{
    struct picture picture;
    begin(&picture, 120, 20, true);
    cl_auto_free char *text = draw(&picture);
    CHECK_CONTAINS(text, "│ CONTAINER          PID USER       INSIDE\n");
    CHECK_CONTAINS(text, "┃ web                  1 root       nginx: master proce…\n");
    end(&picture);
    begin(&picture, 200, 20, true);
    cl_auto_free char *wide = draw(&picture);
    CHECK_CONTAINS(wide, "USER         NAME             INSIDE\n");
    CHECK_CONTAINS(wide, "root         nginx: master p  nginx: master process\n");
    end(&picture);
}

TEST(narrow_and_tiny_screens)
{
    struct picture picture;
    begin(&picture, 40, 10, true);
    cl_auto_free char *text = draw(&picture);
    CHECK_CONTAINS(text, "   51 │ └─nginx: ma… ┃ web           1\n");
    end(&picture);
    begin(&picture, 39, 24, true);
    cl_auto_free char *thin = draw(&picture);
    CHECK_CONTAINS(thin, "39x24 is too small\nneeds 40x10\n");
    end(&picture);
    begin(&picture, 80, 9, true);
    cl_auto_free char *low = draw(&picture);
    CHECK_CONTAINS(low, "80x9 is too small\n");
    end(&picture);
    for (unsigned width = 1; width < 130; width += 3) /* no cell outside, at any size */
        for (unsigned height = 1; height < 30; height += 4) {
            begin(&picture, width, height, true);
            cl_auto_free char *any = draw(&picture);
            CHECK(any != NULL);
            end(&picture);
        }
}

TEST(hostile_names_keep_the_columns)
{
    struct picture picture;
    char long_command[4097];
    memset(long_command, 'A', 4096);
    long_command[4096] = '\0';
    begin(&picture, 80, 14, true);
    picture.fake.processes[5].command = long_command;
    picture.fake.processes[6].command = (char *)(uintptr_t) "\033]0;owned\007\n\033[31m";
    picture.fake.processes[8].command = (char *)(uintptr_t) "容器甲容器甲容器甲e\u0301容器甲";
    (void)CL_PRINT(picture.fake.groups[0].container.name, "\033[2Jx");
    (void)CL_PRINT(picture.fake.processes[8].inside_user, "使用者名稱");
    cl_auto_free char *text = draw(&picture);
    CHECK(strchr(text, '\033') == NULL && strchr(text, '\007') == NULL);
    CHECK_CONTAINS(text, "\\x1b]0;owned");
    CHECK_CONTAINS(text, "┃ \\x1b[2Jx      1 root    AAAAAAAAAA…\n");
    unsigned wall = picture.state.layout.wall;
    for (unsigned y = 2; y < 10; y++) {
        const struct glass_cell *cell = &picture.screen.cells[y * 80 + wall];
        CHECK(cell->points[0] == 0x2502 || cell->points[0] == 0x2503);
        CHECK_INT(cell[1].points[0], ' ');
    }
    end(&picture);
}

TEST(commands_are_shifted)
{
    struct picture picture;
    begin(&picture, 80, 14, true);
    picture.state.left = 7;
    cl_auto_free char *text = draw(&picture);
    CHECK_CONTAINS(text, "└─master process");
    end(&picture);
}

TEST(hidden_processes_say_what_is_missing)
{
    struct picture picture;
    begin(&picture, 80, 14, true);
    picture.fake.processes[0].is_hidden = true;
    picture.fake.world.hidden_count = 1;
    picture.focus.is_hidden = true;
    cl_auto_free char *text = draw(&picture);
    CHECK_CONTAINS(text, "/sbin/init                  │ hidden\n");
    CHECK_CONTAINS(text, "namespaces hidden: needs CAP_SYS_PTRACE");
    CHECK_CONTAINS(text, "1 hidden");
    end(&picture);
}

TEST(the_filter_is_shown_with_its_matches)
{
    struct picture picture;
    begin(&picture, 80, 14, true);
    (void)CL_PRINT(picture.state.choice.filter, "worker");
    CHECK_INT(glass_state_rows(&picture.state, &picture.fake.world), 0);
    cl_auto_free char *text = draw(&picture);
    CHECK_CONTAINS(text, " /worker  1 match   n N next   Esc clear\n");
    CHECK_INT(picture.screen.cells[2 * 80 + 15].style.attributes & GLASS_DIM, GLASS_DIM);
    (void)CL_PRINT(picture.state.choice.filter, "no such");
    CHECK_INT(glass_state_rows(&picture.state, &picture.fake.world), 0);
    cl_auto_free char *none = draw(&picture);
    CHECK_CONTAINS(none, "no process matches");
    end(&picture);
}

TEST(containers_have_different_hues)
{
    struct picture picture;
    begin(&picture, 80, 14, true);
    cl_auto_free char *text = draw(&picture);
    unsigned x = picture.state.layout.container.x;
    uint8_t web = picture.screen.cells[6 * 80 + x].style.hue;
    uint8_t db = picture.screen.cells[9 * 80 + x].style.hue;
    CHECK(web >= GLASS_HUE_FIRST && db >= GLASS_HUE_FIRST && web != db);
    CHECK_INT(picture.screen.cells[2 * 80].style.attributes & GLASS_REVERSE, GLASS_REVERSE);
    end(&picture);
}

TEST(numbers_of_namespaces_keep_their_last_digits)
{
    struct picture picture;
    begin(&picture, 80, 14, true);
    picture.fake.groups[1].container.engine[0] = '\0';
    (void)CL_PRINT(picture.fake.groups[1].container.name, "ns:4026532182");
    cl_auto_free char *text = draw(&picture);
    CHECK_CONTAINS(text, "┃ ns…532182     1 root");
    end(&picture);
}

TEST_MAIN
