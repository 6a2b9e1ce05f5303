/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log: which output becomes which records, rotation, a full disk.
 */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "monitor/log.h"

#include "test.h"

struct fixture {
    char path[64];
    int dir;
    struct monitor_log *log;
};

static bool begin(struct fixture *fixture, uint64_t max, uint32_t files)
{
    snprintf(fixture->path, sizeof fixture->path, "/tmp/cloche-log-XXXXXX");
    if (mkdtemp(fixture->path) == NULL)
        return false;
    fixture->dir = open(fixture->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    fixture->log = aligned_alloc(MONITOR_ALIGN, sizeof *fixture->log);
    if (fixture->log == NULL)
        return false;
    memset(fixture->log, 0, sizeof *fixture->log);
    int fd = openat(fixture->dir, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    monitor_log_init(fixture->log, fixture->dir, fd, max, files);
    return fixture->dir >= 0 && fd >= 0;
}

static void end(struct fixture *fixture)
{
    (void)cl_close(fixture->log->fd);
    (void)cl_close(fixture->dir);
    free(fixture->log);
    CHECK_INT(cl_remove_tree(AT_FDCWD, fixture->path, NULL), 0);
}

static void add(struct fixture *fixture, enum monitor_stream stream, const char *text)
{
    monitor_log_add(fixture->log, stream, text, strlen(text));
}

static char *read_log(struct fixture *fixture, const char *name)
{
    char *text = NULL;
    struct cl_error err;
    if (cl_read_file(fixture->dir, name, 64 << 20, &text, NULL, &err) < 0)
        return NULL;
    return text;
}

/* Cuts the next record off *at; false at the end. The results are the raw JSON strings without quotes. */
static bool next_record(char **at, char **log, char **stream)
{
    static const char head[] = "{\"log\":\"", middle[] = "\",\"stream\":\"",
                      time[] = "\",\"time\":\"";
    char *line = *at, *newline = strchr(line, '\n'), *has_middle = strstr(line, middle),
         *has_time = strstr(line, time);
    if (*line == '\0')
        return false;
    if (strncmp(line, head, strlen(head)) != 0 || has_middle == NULL || has_time < has_middle ||
        newline < has_time || strncmp(newline - 3, "Z\"}", 3) != 0) {
        TEST_SAY("not a record: %.200s", line);
        return false;
    }
    *newline = *has_middle = *has_time = '\0';
    *log = line + strlen(head);
    *stream = has_middle + strlen(middle);
    *at = newline + 1;
    return true;
}

static void check_records(struct fixture *fixture, const char *const (*expected)[2], size_t count)
{
    cl_auto_free char *text = read_log(fixture, "log");
    REQUIRE(text != NULL);
    char *at = text, *log, *stream;
    for (size_t i = 0; i < count; i++) {
        REQUIRE(next_record(&at, &log, &stream));
        CHECK_STR(log, expected[i][0]);
        CHECK_STR(stream, expected[i][1]);
    }
    CHECK_STR(at, "");
}

TEST(lines_become_records)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 0, 1));
    add(&fixture, MONITOR_STDOUT, "one\ntwo\n\nthr");
    add(&fixture, MONITOR_STDERR, "err");
    add(&fixture, MONITOR_STDOUT, "ee\n");
    add(&fixture, MONITOR_STDERR, "or\nlast");
    monitor_log_end(fixture.log);
    static const char *const expected[][2] = {
        { "one\\n", "stdout" },   { "two\\n", "stdout" },   { "\\n", "stdout" },
        { "three\\n", "stdout" }, { "error\\n", "stderr" }, { "last", "stderr" },
    };
    check_records(&fixture, expected, CL_COUNT(expected));
    end(&fixture);
}

TEST(the_exact_bytes_of_a_record)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 0, 1));
    add(&fixture, MONITOR_STDERR, "a\"b\033\xff\n");
    monitor_log_end(fixture.log);
    cl_auto_free char *text = read_log(&fixture, "log");
    REQUIRE(text != NULL);
    static const char head[] =
        "{\"log\":\"a\\\"b\\u001b\\ufffd\\n\",\"stream\":\"stderr\",\"time\":\"";
    CHECK(strncmp(text, head, strlen(head)) == 0);
    char *time = text + strlen(head), *quote = strchr(time, '"');
    REQUIRE(quote != NULL);
    CHECK_STR(quote, "\"}\n");
    *quote = '\0';
    int64_t ns = 0;
    CHECK_INT(cl_parse_time(time, &ns), 0);
    CHECK(ns > 1700000000000000000);
    end(&fixture);
}

TEST(a_long_line_is_split_at_16k)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 0, 1));
    static char line[40001];
    memset(line, 'x', 40000);
    for (size_t at = 0; at < 40000; at += 1000) /* as it may come from a pipe */
        monitor_log_add(fixture.log, MONITOR_STDOUT, line, 1000);
    add(&fixture, MONITOR_STDOUT, "end\n");
    monitor_log_end(fixture.log);
    cl_auto_free char *text = read_log(&fixture, "log");
    REQUIRE(text != NULL);
    static const size_t lengths[] = { 16384, 16384, 40000 - 2 * 16384 + 5 };
    char *at = text, *log, *stream;
    for (size_t i = 0; i < 3; i++) {
        REQUIRE(next_record(&at, &log, &stream));
        CHECK_INT(strlen(log), lengths[i]);
    }
    CHECK(cl_ends_with(log, "xend\\n"));
    CHECK_STR(at, "");
    end(&fixture);
}

TEST(a_line_that_fills_the_buffer_exactly)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 0, 1));
    static char line[16385];
    memset(line, 'x', 16384);
    line[16383] = '\n';
    monitor_log_add(fixture.log, MONITOR_STDOUT, line, 100);
    monitor_log_add(fixture.log, MONITOR_STDOUT, line + 100, 16284);
    line[16383] = 'x';
    monitor_log_add(fixture.log, MONITOR_STDOUT, line, 16384);
    add(&fixture, MONITOR_STDOUT, "\n");
    monitor_log_end(fixture.log);
    cl_auto_free char *text = read_log(&fixture, "log");
    REQUIRE(text != NULL);
    static const size_t lengths[] = { 16385, 16384, 2 }; /* the newline is two letters */
    char *at = text, *log, *stream;
    for (size_t i = 0; i < 3; i++) {
        REQUIRE(next_record(&at, &log, &stream));
        CHECK_INT(strlen(log), lengths[i]);
    }
    CHECK_STR(at, "");
    end(&fixture);
}

TEST(a_split_does_not_cut_characters)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 0, 1));
    for (int i = 0; i < 6000; i++) /* 18000 bytes; 16384 is not a multiple of 3 */
        add(&fixture, MONITOR_STDOUT, "\xe4\xb8\xad");
    monitor_log_end(fixture.log);
    cl_auto_free char *text = read_log(&fixture, "log");
    REQUIRE(text != NULL);
    CHECK(strstr(text, "ufffd") == NULL);
    char *at = text, *log, *stream;
    REQUIRE(next_record(&at, &log, &stream));
    CHECK_INT(strlen(log), 16383);
    REQUIRE(next_record(&at, &log, &stream));
    CHECK_INT(strlen(log), 18000 - 16383);
    end(&fixture);
}

TEST(binary_output_that_grows_sixfold)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 0, 1));
    static char zeros[50000];
    monitor_log_add(fixture.log, MONITOR_STDOUT, zeros, sizeof zeros);
    monitor_log_end(fixture.log);
    cl_auto_free char *text = read_log(&fixture, "log");
    REQUIRE(text != NULL);
    size_t count = 0;
    for (char *at = text; (at = strstr(at, "\\u0000")) != NULL; at += 6)
        count++;
    CHECK_INT(count, 50000);
    end(&fixture);
}

static uint64_t size_of(struct fixture *fixture, const char *name)
{
    struct stat status;
    return fstatat(fixture->dir, name, &status, 0) == 0 ? (uint64_t)status.st_size : 0;
}

TEST(rotation_keeps_so_many_files_in_order)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 1000, 3));
    for (int i = 0; i < 100; i++) {
        char line[32];
        snprintf(line, sizeof line, "line %d\n", i);
        add(&fixture, MONITOR_STDOUT, line);
    }
    monitor_log_end(fixture.log);
    CHECK(faccessat(fixture.dir, "log.3", F_OK, 0) < 0);
    static const char *const names[] = { "log.2", "log.1", "log" };
    int next = -1;
    for (size_t i = 0; i < 3; i++) {
        cl_auto_free char *text = read_log(&fixture, names[i]);
        REQUIRE(text != NULL);
        CHECK(size_of(&fixture, names[i]) < 1100);
        char *at = text, *log, *stream, expected[32];
        while (next_record(&at, &log, &stream)) {
            if (next < 0)
                (void)sscanf(log, "line %d", &next); /* stays -1 when it is none */
            snprintf(expected, sizeof expected, "line %d\\n", next++);
            CHECK_STR(log, expected);
        }
    }
    CHECK_INT(next, 100);
    struct stat status;
    REQUIRE(fstatat(fixture.dir, "log", &status, 0) == 0);
    CHECK_INT(status.st_mode & 0777, 0600);
    end(&fixture);
}

TEST(with_one_file_rotation_starts_it_anew)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 500, 1));
    for (int i = 0; i < 100; i++)
        add(&fixture, MONITOR_STDOUT, "something or other\n");
    monitor_log_end(fixture.log);
    CHECK(size_of(&fixture, "log") < 700);
    CHECK(size_of(&fixture, "log") > 0);
    CHECK(faccessat(fixture.dir, "log.1", F_OK, 0) < 0);
    end(&fixture);
}

TEST(a_log_that_is_there_goes_on)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 300, 2));
    add(&fixture, MONITOR_STDOUT, "first\n");
    monitor_log_end(fixture.log);
    uint64_t first = size_of(&fixture, "log");
    memset(fixture.log, 0, sizeof *fixture.log);
    int fd = openat(fixture.dir, "log", O_WRONLY | O_APPEND | O_CLOEXEC);
    monitor_log_init(fixture.log, fixture.dir, fd, first, 2);
    add(&fixture, MONITOR_STDOUT, "second\n"); /* the old size counts: this rotates */
    monitor_log_end(fixture.log);
    CHECK_INT(size_of(&fixture, "log.1"), first);
    static const char *const expected[][2] = { { "second\\n", "stdout" } };
    check_records(&fixture, expected, 1);
    end(&fixture);
}

/* In a child, because the limit can't be raised again: writing past it fails like a full disk, in the middle of a record. */
static int log_into_full_disk(struct fixture *fixture)
{
    struct rlimit limit = { 5000, 5000 };
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    static char line[3001];
    memset(line, 'a', 3000);
    line[2999] = '\n';
    add(fixture, MONITOR_STDOUT, line);
    add(fixture, MONITOR_STDOUT, line); /* does not fit */
    add(fixture, MONITOR_STDOUT, "short ones still fit\n");
    monitor_log_end(fixture->log);
    return 0;
}

TEST(a_full_disk_loses_whole_records_only)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 0, 1));
    pid_t child = fork();
    if (child == 0)
        _exit(log_into_full_disk(&fixture));
    int status = 0;
    CHECK_INT(waitpid(child, &status, 0), child);
    CHECK_INT(status, 0);
    cl_auto_free char *text = read_log(&fixture, "log");
    REQUIRE(text != NULL);
    char *at = text, *log, *stream;
    REQUIRE(next_record(&at, &log, &stream));
    CHECK_INT(strlen(log), 3001);
    REQUIRE(next_record(&at, &log, &stream));
    CHECK_STR(log, "short ones still fit\\n");
    CHECK_STR(at, "");
    end(&fixture);
}

TEST(no_log_is_no_trouble)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 0, 1));
    (void)cl_close(fixture.log->fd);
    memset(fixture.log, 0, sizeof *fixture.log);
    monitor_log_init(fixture.log, fixture.dir, -1, 10, 3);
    add(&fixture, MONITOR_STDOUT, "a\nb");
    monitor_log_trim(fixture.log, 4096);
    monitor_log_end(fixture.log);
    CHECK_INT(size_of(&fixture, "log"), 0);
    end(&fixture);
}

TEST(trim_keeps_what_waits)
{
    struct fixture fixture;
    REQUIRE(begin(&fixture, 0, 1));
    static char part[5001];
    memset(part, 'q', 5000);
    monitor_log_add(fixture.log, MONITOR_STDOUT, part, 5000);
    add(&fixture, MONITOR_STDERR, "$ ");
    monitor_log_trim(fixture.log, 4096);
    add(&fixture, MONITOR_STDOUT, "!\n");
    add(&fixture, MONITOR_STDERR, "ls\n");
    monitor_log_end(fixture.log);
    cl_auto_free char *text = read_log(&fixture, "log");
    REQUIRE(text != NULL);
    char *at = text, *log, *stream;
    REQUIRE(next_record(&at, &log, &stream));
    CHECK_INT(strspn(log, "q"), 5000);
    CHECK_STR(log + 5000, "!\\n");
    REQUIRE(next_record(&at, &log, &stream));
    CHECK_STR(log, "$ ls\\n");
    end(&fixture);
}

TEST_MAIN
