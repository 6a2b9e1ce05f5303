/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tour's texts: every language has every stage, and no line is wider than a terminal.
 */
#include "cli/tour.h"

#include "test.h"

/* An ideograph takes two cells; of what else has three bytes in UTF-8 (dashes, dots) this counts too much, which does not matter. */
static size_t cells(const char *line, size_t length)
{
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)line[i];
        count += byte < 0x80 ? 1 : byte >= 0xe0 ? 2 : byte >= 0xc0 ? 1 : 0;
    }
    return count;
}

static void check_text(const char *text, const char *language, int stage)
{
    if (text == NULL || text[0] == '\0') {
        TEST_SAY("%s lacks a text of stage %d", language, stage);
        return;
    }
    for (const char *line = text; *line != '\0';) {
        size_t length = strcspn(line, "\n");
        if (cells(line, length) > 82 || length == 0)
            TEST_SAY("%s, stage %d: a line of %zu cells: %.*s", language, stage,
                     cells(line, length), (int)length, line);
        line += length + (line[length] == '\n');
    }
}

TEST(every_language_has_every_stage)
{
    CHECK_INT(tour_language_count, 2);
    for (size_t i = 0; i < tour_language_count; i++) {
        const struct tour_language *language = &tour_languages[i];
        const char *const texts[] = { language->name,    language->welcome, language->prompt,
                                      language->checked, language->more[0], language->more[1],
                                      language->another, language->left,    language->farewell };
        for (size_t j = 0; j < CL_COUNT(texts); j++)
            check_text(texts[j], language->name, -1);
        for (int stage = 0; stage < TOUR_STAGES; stage++) {
            check_text(language->stages[stage].title, language->name, stage);
            check_text(language->stages[stage].before, language->name, stage);
            check_text(language->stages[stage].after, language->name, stage);
        }
    }
}

TEST(languages_are_found_by_what_people_and_locales_call_them)
{
    static const struct {
        const char *name, *found;
    } cases[] = {
        { "en", "en" },
        { "EN", "en" },
        { "en_GB.UTF-8", "en" },
        { "zh-TW", "zh-TW" },
        { "zh_TW", "zh-TW" },
        { "zh_TW.UTF-8", "zh-TW" },
        { "zh_HK.UTF-8", "zh-TW" },
        { "zh-tw@x", "zh-TW" },
        { "C.UTF-8", NULL },
        { "de_DE.UTF-8", NULL },
        { "", NULL },
        { "zh_TW_and_much_more_than_that", NULL },
    };
    for (size_t i = 0; i < CL_COUNT(cases); i++) {
        const struct tour_language *found = tour_language_find(cases[i].name);
        CHECK(cases[i].found == NULL ? found == NULL
                                     : found != NULL && strcmp(found->name, cases[i].found) == 0);
    }
}

TEST_MAIN
