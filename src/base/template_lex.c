/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Template text → tokens. Between actions everything is one TEXT token; inside, blanks are tokens too, because ".A .B" (two
 * operands) differs from ".A.B" (one). An ERROR token ends the list; the parser reports it when it gets there, so errors
 * of grammar further left come first.
 */
#include <errno.h>
#include <stdio.h>

#include "base/template_private.h"
#include "base/text.h"

struct lexer {
    struct tpl_arena *arena;
    const char *text;
    size_t size, at;
    struct tpl_token *tokens;
    size_t count, room;
    unsigned open; /* parentheses */
    bool has_failed;
};

static const struct {
    const char *word;
    enum tpl_token_type type;
} words[] = {
    { "nil", TPL_TOKEN_NIL },       { "true", TPL_TOKEN_BOOL },
    { "false", TPL_TOKEN_BOOL },    { "block", TPL_TOKEN_BLOCK },
    { "break", TPL_TOKEN_BREAK },   { "continue", TPL_TOKEN_CONTINUE },
    { "define", TPL_TOKEN_DEFINE }, { "else", TPL_TOKEN_ELSE },
    { "end", TPL_TOKEN_END },       { "if", TPL_TOKEN_IF },
    { "range", TPL_TOKEN_RANGE },   { "template", TPL_TOKEN_TEMPLATE },
    { "with", TPL_TOKEN_WITH },
};

static void emit(struct lexer *lexer, enum tpl_token_type type, size_t start, size_t end)
{
    if (lexer->count == lexer->room) {
        size_t room = lexer->room == 0 ? 64 : lexer->room * 2;
        struct tpl_token *tokens = tpl_arena_get(lexer->arena, room * sizeof *tokens);
        if (tokens == NULL) {
            lexer->has_failed = true;
            return;
        }
        if (lexer->count > 0)
            memcpy(tokens, lexer->tokens, lexer->count * sizeof *tokens);
        lexer->tokens = tokens;
        lexer->room = room;
    }
    lexer->tokens[lexer->count++] = (struct tpl_token){
        .type = type, .at = start, .text = { .text = lexer->text + start, .size = end - start }
    };
}

/* Returns false, for its callers to return. */
__attribute__((format(printf, 3, 4))) static bool fail(struct lexer *lexer, size_t at,
                                                       const char *fmt, ...)
{
    char *message = tpl_arena_get(lexer->arena, 200);
    if (message == NULL) {
        lexer->has_failed = true;
        return false;
    }
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, 200, fmt, args);
    va_end(args);
    emit(lexer, TPL_TOKEN_ERROR, at, at);
    if (!lexer->has_failed)
        lexer->tokens[lexer->count - 1].text =
            (struct tpl_string){ .text = message, .size = strlen(message) };
    return false;
}

static char byte_at(const struct lexer *lexer, size_t at)
{
    return at < lexer->size ? lexer->text[at] : '\0';
}

static bool has(const struct lexer *lexer, size_t at, const char *text)
{
    size_t length = strlen(text);
    return at <= lexer->size && lexer->size - at >= length &&
           memcmp(lexer->text + at, text, length) == 0;
}

static bool is_blank(char character)
{
    return character == ' ' || character == '\t' || character == '\r' || character == '\n';
}

static bool is_digit(char character)
{
    return character >= '0' && character <= '9';
}

/* Letters of any script count: which code points those are is left to whoever wrote the key. */
static bool is_word(char character)
{
    return character == '_' || is_digit(character) || (character >= 'a' && character <= 'z') ||
           (character >= 'A' && character <= 'Z') || (unsigned char)character >= 0x80;
}

/* Go's %#U of the code point at `at`. */
static void name_point(const struct lexer *lexer, size_t at, char name[static 32])
{
    uint32_t point = 0xfffd;
    char shown[5] = "";
    if (at < lexer->size)
        (void)cl_utf8_decode(lexer->text + at, lexer->size - at, &point);
    (void)cl_utf8_encode(point, shown);
    if (tpl_is_printable(point))
        snprintf(name, 32, "U+%04X '%s'", (unsigned)point, shown);
    else
        snprintf(name, 32, "U+%04X", (unsigned)point);
}

static bool fail_point(struct lexer *lexer, size_t start, size_t at, const char *what)
{
    char name[32];
    name_point(lexer, at, name);
    return fail(lexer, start, "%s %s", what, name);
}

/* The length of "}}" or of a trimming " -}}" here, or 0. */
static size_t right_delimiter(const struct lexer *lexer, size_t at)
{
    if (is_blank(byte_at(lexer, at)) && has(lexer, at + 1, "-}}"))
        return 4;
    return has(lexer, at, "}}") ? 2 : 0;
}

static void skip_blanks(struct lexer *lexer)
{
    while (lexer->at < lexer->size && is_blank(lexer->text[lexer->at]))
        lexer->at++;
}

/* At the slash and star. Comments leave no token. */
static bool lex_comment(struct lexer *lexer)
{
    size_t start = lexer->at;
    const char *end = memmem(lexer->text + start + 2, lexer->size - start - 2, "*/", 2);
    if (end == NULL)
        return fail(lexer, start, "unclosed comment");
    lexer->at = (size_t)(end - lexer->text) + 2;
    size_t delimiter = right_delimiter(lexer, lexer->at);
    if (delimiter == 0)
        return fail(lexer, start, "comment ends before closing delimiter");
    lexer->at += delimiter;
    if (delimiter > 2)
        skip_blanks(lexer);
    return true;
}

/* A character or string constant: to the closing quote on the same line, over escapes. */
static bool lex_quote(struct lexer *lexer, enum tpl_token_type type, const char *failure)
{
    size_t start = lexer->at++;
    for (;; lexer->at++) {
        char character = byte_at(lexer, lexer->at);
        if (character == '\\')
            character = byte_at(lexer, ++lexer->at);
        else if (character == lexer->text[start])
            break;
        if (lexer->at >= lexer->size || character == '\n')
            return fail(lexer, start, "%s", failure);
    }
    lexer->at++;
    emit(lexer, type, start, lexer->at);
    return true;
}

static bool lex_raw_quote(struct lexer *lexer)
{
    size_t start = lexer->at;
    const char *end = memchr(lexer->text + start + 1, '`', lexer->size - start - 1);
    if (end == NULL)
        return fail(lexer, start, "unterminated raw quoted string");
    lexer->at = (size_t)(end - lexer->text) + 1;
    emit(lexer, TPL_TOKEN_RAW_STRING, start, lexer->at);
    return true;
}

/* What may follow a word: otherwise "3.x" or "a$b" would quietly be two operands. */
static bool is_terminated(const struct lexer *lexer)
{
    char next = byte_at(lexer, lexer->at);
    return lexer->at >= lexer->size || is_blank(next) || strchr(".,|:)(", next) != NULL ||
           right_delimiter(lexer, lexer->at) > 0;
}

/* ".name", "$name", "name"; a lone "." or "$" too. */
static bool lex_word(struct lexer *lexer)
{
    size_t start = lexer->at;
    char first = lexer->text[start];
    if (first == '.' || first == '$') {
        lexer->at++;
        if (is_terminated(lexer)) {
            emit(lexer, first == '.' ? TPL_TOKEN_DOT : TPL_TOKEN_VARIABLE, start, lexer->at);
            return true;
        }
    }
    while (lexer->at < lexer->size && is_word(lexer->text[lexer->at]))
        lexer->at++;
    if (!is_terminated(lexer))
        return fail_point(lexer, start, lexer->at, "bad character");
    enum tpl_token_type type = first == '.'   ? TPL_TOKEN_FIELD
                               : first == '$' ? TPL_TOKEN_VARIABLE
                                              : TPL_TOKEN_IDENTIFIER;
    struct tpl_string word = { .text = lexer->text + start, .size = lexer->at - start };
    for (size_t i = 0; type == TPL_TOKEN_IDENTIFIER && i < CL_COUNT(words); i++) {
        if (tpl_is(word, words[i].word))
            type = words[i].type;
    }
    emit(lexer, type, start, lexer->at);
    return true;
}

static void skip_any(struct lexer *lexer, const char *characters)
{
    while (lexer->at < lexer->size && lexer->text[lexer->at] != '\0' &&
           strchr(characters, lexer->text[lexer->at]) != NULL)
        lexer->at++;
}

/* Takes what looks like a number; the parser finds its value, and more faults. */
static bool lex_number(struct lexer *lexer)
{
    size_t start = lexer->at;
    const char *digits = "0123456789_", *exponent = "eE";
    if (byte_at(lexer, lexer->at) == '+' || byte_at(lexer, lexer->at) == '-')
        lexer->at++;
    if (byte_at(lexer, lexer->at) == '0') {
        char base = (char)(byte_at(lexer, lexer->at + 1) | 0x20);
        if (base == 'x') {
            digits = "0123456789abcdefABCDEF_";
            exponent = "pP";
        } else if (base == 'o') {
            digits = "01234567_";
        } else if (base == 'b') {
            digits = "01_";
        }
        lexer->at += base == 'x' || base == 'o' || base == 'b' ? 2 : 0;
    }
    skip_any(lexer, digits);
    if (byte_at(lexer, lexer->at) == '.') {
        lexer->at++;
        skip_any(lexer, digits);
    }
    char mark = byte_at(lexer, lexer->at);
    if (mark != '\0' && strchr(exponent, mark) != NULL) {
        lexer->at++;
        if (byte_at(lexer, lexer->at) == '+' || byte_at(lexer, lexer->at) == '-')
            lexer->at++;
        skip_any(lexer, "0123456789_");
    }
    if (lexer->at < lexer->size && is_word(lexer->text[lexer->at])) {
        cl_auto_buf quoted = CL_BUF_INIT(1000);
        uint32_t point;
        size_t more = cl_utf8_decode(lexer->text + lexer->at, lexer->size - lexer->at, &point);
        size_t size = lexer->at - start + (more == 0 ? 1 : more);
        tpl_quote(&quoted, (struct tpl_string){ .text = lexer->text + start, .size = size }, false);
        return fail(lexer, start, "bad number syntax: %s", quoted.data == NULL ? "" : quoted.data);
    }
    emit(lexer, TPL_TOKEN_NUMBER, start, lexer->at);
    return true;
}

static bool lex_blanks(struct lexer *lexer)
{
    size_t start = lexer->at;
    /* The blank of a trimming delimiter belongs to that. */
    while (is_blank(byte_at(lexer, lexer->at)) && right_delimiter(lexer, lexer->at) == 0)
        lexer->at++;
    emit(lexer, TPL_TOKEN_SPACE, start, lexer->at);
    return true;
}

static bool lex_mark(struct lexer *lexer, enum tpl_token_type type, size_t length)
{
    emit(lexer, type, lexer->at, lexer->at + length);
    lexer->at += length;
    return true;
}

static bool lex_parenthesis(struct lexer *lexer, char which)
{
    if (which == '(') {
        lexer->open++;
        return lex_mark(lexer, TPL_TOKEN_OPEN, 1);
    }
    if (lexer->open == 0)
        return fail(lexer, lexer->at, "unexpected right paren");
    lexer->open--;
    return lex_mark(lexer, TPL_TOKEN_CLOSE, 1);
}

/* One token of the inside of an action. */
static bool lex_inside(struct lexer *lexer)
{
    size_t at = lexer->at;
    if (at >= lexer->size)
        return fail(lexer, at, "unclosed action");
    char here = lexer->text[at];
    if (is_blank(here))
        return lex_blanks(lexer);
    switch (here) {
    case '=':
        return lex_mark(lexer, TPL_TOKEN_ASSIGN, 1);
    case ':':
        if (byte_at(lexer, at + 1) != '=')
            return fail(lexer, at, "expected :=");
        return lex_mark(lexer, TPL_TOKEN_DECLARE, 2);
    case '|':
        return lex_mark(lexer, TPL_TOKEN_PIPE, 1);
    case '"':
        return lex_quote(lexer, TPL_TOKEN_STRING, "unterminated quoted string");
    case '\'':
        return lex_quote(lexer, TPL_TOKEN_CHAR_CONSTANT, "unterminated character constant");
    case '`':
        return lex_raw_quote(lexer);
    case '(':
    case ')':
        return lex_parenthesis(lexer, here);
    default:
        break;
    }
    bool is_fraction = here == '.' && is_digit(byte_at(lexer, at + 1));
    if (here == '+' || here == '-' || is_digit(here) || is_fraction)
        return lex_number(lexer);
    if (here == '.' || here == '$' || is_word(here))
        return lex_word(lexer);
    if (here > ' ' && here < 0x7f)
        return lex_mark(lexer, TPL_TOKEN_CHAR, 1);
    return fail_point(lexer, at, at, "unrecognized character in action:");
}

/* From after "{{" to after "}}". */
static bool lex_action(struct lexer *lexer)
{
    lexer->open = 0;
    for (;;) {
        size_t delimiter = right_delimiter(lexer, lexer->at);
        if (delimiter == 0) {
            if (!lex_inside(lexer))
                return false;
            continue;
        }
        if (lexer->open > 0)
            return fail(lexer, lexer->at, "unclosed left paren");
        size_t start = lexer->at + delimiter - 2;
        lexer->at += delimiter;
        emit(lexer, TPL_TOKEN_RIGHT, start, lexer->at);
        if (delimiter > 2)
            skip_blanks(lexer);
        return true;
    }
}

/* Text up to the next action, and that action. False at the end or after an error. */
static bool lex_part(struct lexer *lexer)
{
    size_t start = lexer->at;
    const char *found = memmem(lexer->text + start, lexer->size - start, "{{", 2);
    size_t left = found == NULL ? lexer->size : (size_t)(found - lexer->text), end = left;
    bool is_trimming = has(lexer, left, "{{-") && is_blank(byte_at(lexer, left + 3));
    while (is_trimming && end > start && is_blank(lexer->text[end - 1]))
        end--;
    if (end > start)
        emit(lexer, TPL_TOKEN_TEXT, start, end);
    lexer->at = left;
    if (found == NULL) {
        emit(lexer, TPL_TOKEN_EOF, left, left);
        return false;
    }
    lexer->at += is_trimming ? 4 : 2;
    if (has(lexer, lexer->at, "/*"))
        return lex_comment(lexer);
    emit(lexer, TPL_TOKEN_LEFT, left, left + 2);
    return lex_action(lexer);
}

int tpl_lex(struct tpl_arena *arena, struct tpl_string text, struct tpl_token **ret)
{
    struct lexer lexer = { .arena = arena, .text = text.text, .size = text.size };
    while (!lexer.has_failed && lex_part(&lexer))
        continue;
    if (lexer.has_failed)
        return -ENOMEM;
    *ret = lexer.tokens;
    return 0;
}
