/* SPDX-License-Identifier: Apache-2.0 */
/* Memory: copies, overflow, and that the fault hook fails exactly the Nth allocation. */
#include "base/mem.h"

#include <sys/wait.h>
#include <unistd.h>

#include "test.h"

TEST(copies)
{
    cl_auto_free char *all = cl_strdup("abc"), *part = cl_strndup("abc", 2);
    cl_auto_free char *longer = cl_strndup("abc", 10), *made = cl_format("%s-%d", "x", 7);
    CHECK_STR(all, "abc");
    CHECK_STR(part, "ab");
    CHECK_STR(longer, "abc");
    CHECK_STR(made, "x-7");
    CHECK(cl_strdup(NULL) == NULL);
    CHECK(cl_strndup(NULL, 3) == NULL);
}

TEST(nothing_is_still_a_pointer)
{
    cl_auto_free void *a = cl_malloc(0), *b = cl_calloc(0, 8), *c = cl_realloc(NULL, 0);
    CHECK(a != NULL && b != NULL && c != NULL);
}

TEST(sizes_do_not_wrap)
{
    size_t result = 5;
    volatile size_t half = SIZE_MAX / 2; /* the compiler must not see that calloc can't work */
    CHECK(!cl_mul_size(SIZE_MAX, 2, &result));
    CHECK(!cl_add_size(SIZE_MAX, 1, &result));
    CHECK(result == 5);
    CHECK(cl_mul_size(6, 7, &result) && result == 42);
    CHECK(cl_add_size(SIZE_MAX, 0, &result) && result == SIZE_MAX);
    CHECK(cl_calloc(half, 3) == NULL);
}

TEST(take_leaves_null_behind)
{
    char *text = cl_strdup("x"), *taken = cl_take(text);
    CHECK(text == NULL);
    CHECK_STR(taken, "x");
    free(taken);
}

/* In a program of its own, because the variable is read once: which of five allocations fail, as a string. */
static int report_faults(void)
{
    char seen[6] = "";
    for (int i = 0; i < 5; i++) {
        void *memory = cl_malloc(1);
        seen[i] = memory == NULL ? 'F' : '.';
        free(memory);
    }
    puts(seen);
    return 0;
}

static void check_faults(const char *value, const char *expected)
{
    int ends[2];
    char line[32] = "";
    REQUIRE(pipe(ends) == 0);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(ends[1], STDOUT_FILENO);
        setenv("CLOCHE_TEST_FAIL_ALLOC", value, 1);
        execl("/proc/self/exe", "test", "report-faults", (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    FILE *in = fdopen(ends[0], "r");
    if (in != NULL && fgets(line, sizeof line, in) != NULL)
        line[strcspn(line, "\n")] = '\0';
    if (in != NULL)
        fclose(in);
    waitpid(pid, NULL, 0);
    CHECK_STR(line, expected);
}

TEST(the_nth_allocation_fails_once)
{
    check_faults("1", "F....");
    check_faults("4", "...F.");
    check_faults("6", ".....");
    check_faults("0", ".....");
    check_faults("two", ".....");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "report-faults") == 0)
        return report_faults();
    return test_run_all();
}
