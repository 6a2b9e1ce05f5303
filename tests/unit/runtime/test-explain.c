/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every step of a start has its sentence, in both languages, and its name goes into a trace whole.
 */
#include "runtime/child.h"
#include "test.h"
#include "wire/trace.h"

static void check_steps(const struct child_step *steps, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct runtime_step *step = runtime_step_find(steps[i].name);
        if (step == NULL) {
            TEST_SAY("the step \"%s\" has no sentence in src/runtime/explain.c", steps[i].name);
            continue;
        }
        CHECK(strlen(step->name) < sizeof((struct wire_trace){ 0 }.name));
        CHECK(step->calls[0] != '\0');
        CHECK(step->english[0] != '\0' && step->english[strlen(step->english) - 1] == '.');
        CHECK(strlen(step->chinese) > 3 &&
              strcmp(step->chinese + strlen(step->chinese) - 3, "。") == 0);
    }
}

TEST(each_step_of_init_has_a_sentence_in_both_languages)
{
    check_steps(init_steps, init_step_count);
}

TEST(each_step_of_exec_has_one)
{
    check_steps(exec_steps, exec_step_count);
}

TEST(the_steps_of_the_parent_have_one)
{
    static const char *const names[] = { "open root file system",
                                         "open bind sources",
                                         "make control group",
                                         "make namespaces",
                                         "open joined namespaces",
                                         "open output of hooks",
                                         "connect to the seccomp agent",
                                         "make resctrl group",
                                         "set up from outside",
                                         "tell the seccomp agent",
                                         "make process",
                                         "start the program" };
    for (size_t i = 0; i < CL_COUNT(names); i++)
        CHECK(runtime_step_find(names[i]) != NULL);
    CHECK(runtime_step_find("no such step") == NULL);
}

TEST(no_sentence_is_there_twice)
{
    for (size_t i = 0; i < runtime_step_count; i++)
        CHECK(runtime_step_find(runtime_steps[i].name) == &runtime_steps[i]);
}

TEST_MAIN
