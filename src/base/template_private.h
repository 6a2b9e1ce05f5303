/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside room base only: what the files of the template engine share.
 *
 *   template_arena.c      memory that lives as long as a parsed template, or as one run
 *   template_lex.c        text → tokens
 *   template_constant.c   strings, characters and numbers
 *   template_parse.c      tokens → tree
 *   template_node.c       tree → text again, for error messages
 *   template_run.c        tree + data → output
 *   template_value.c      values: types, truth, fmt's %v
 *   template_printf.c     fmt's verbs
 *   template_functions.c  the functions
 *
 * The rules are those of Go's text/template and fmt as of Go 1.23 (pkg.go.dev/text/template, pkg.go.dev/fmt), down to the
 * wording of errors, because scripts and people search for those.
 */
#pragma once

#include "base/json.h"

#include "base/template.h"

enum {
    TPL_TEXT_MAX = 64 << 10,
    TPL_NEST_MAX = 64,
    TPL_DEPTH_MAX = 256, /* of one run: nested actions of nested templates */
    TPL_STEPS_MAX = 1000000,
    TPL_SCRATCH_MAX = 16 << 20, /* bytes that one run may make besides its output */
};

/* Memory freed all at once. */
struct tpl_arena {
    struct tpl_chunk *chunks;
    size_t left; /* bytes free in the newest chunk */
    size_t total, max;
    bool is_full; /* a request was refused because of max */
};
/* Zeroed and aligned for any type; NULL when memory or the arena's maximum is used up. */
void *tpl_arena_get(struct tpl_arena *arena, size_t size);
void tpl_arena_done(struct tpl_arena *arena);

struct tpl_string {
    const char *text; /* not NUL-terminated */
    size_t size;
};
bool tpl_is(struct tpl_string string, const char *text);

enum tpl_kind {
    TPL_NONE, /* no value: a missing key; also nil, once a pipeline has unpacked it */
    TPL_NIL,  /* JSON null inside an object or array */
    TPL_BOOL,
    TPL_INT,
    TPL_UINT, /* bytes of strings, and what is beyond TPL_INT */
    TPL_DOUBLE,
    TPL_STRING,
    TPL_LIST,
    TPL_MAP
};

/* Borrows from the data, the template or the run's arena. */
struct tpl_value {
    enum tpl_kind kind;
    bool
        is_boxed; /* came from inside an object or array: Go says "interface {}" of its type until a pipeline unpacks it */
    union {
        bool boolean;
        int64_t integer;
        uint64_t natural;
        double real;
        struct tpl_string string;
        const struct cl_json *json;
    };
};

enum tpl_token_type {
    TPL_TOKEN_ERROR, /* text is the message */
    TPL_TOKEN_EOF,
    TPL_TOKEN_TEXT,
    TPL_TOKEN_LEFT,  /* {{ */
    TPL_TOKEN_RIGHT, /* }} */
    TPL_TOKEN_SPACE,
    TPL_TOKEN_IDENTIFIER,
    TPL_TOKEN_FIELD,    /* .name */
    TPL_TOKEN_VARIABLE, /* $name */
    TPL_TOKEN_BOOL,
    TPL_TOKEN_CHAR_CONSTANT,
    TPL_TOKEN_NUMBER,
    TPL_TOKEN_STRING,
    TPL_TOKEN_RAW_STRING,
    TPL_TOKEN_CHAR, /* a comma, or what has no meaning */
    TPL_TOKEN_PIPE,
    TPL_TOKEN_DECLARE,
    TPL_TOKEN_ASSIGN,
    TPL_TOKEN_OPEN,
    TPL_TOKEN_CLOSE,
    TPL_TOKEN_KEYWORD, /* this and all that follow are keywords */
    TPL_TOKEN_DOT = TPL_TOKEN_KEYWORD,
    TPL_TOKEN_NIL,
    TPL_TOKEN_BLOCK,
    TPL_TOKEN_BREAK,
    TPL_TOKEN_CONTINUE,
    TPL_TOKEN_DEFINE,
    TPL_TOKEN_ELSE,
    TPL_TOKEN_END,
    TPL_TOKEN_IF,
    TPL_TOKEN_RANGE,
    TPL_TOKEN_TEMPLATE,
    TPL_TOKEN_WITH
};

struct tpl_token {
    enum tpl_token_type type;
    size_t at; /* offset in the template's text */
    struct tpl_string text;
};

/* All tokens, the last of type EOF or ERROR. 0 or -ENOMEM. Tokens borrow text. */
int tpl_lex(struct tpl_arena *arena, struct tpl_string text, struct tpl_token **ret);

enum tpl_node_type {
    TPL_NODE_LIST,   /* first: nodes */
    TPL_NODE_TEXT,   /* text */
    TPL_NODE_ACTION, /* pipe */
    TPL_NODE_IF,     /* pipe, first: list, otherwise: list or NULL; RANGE and WITH alike */
    TPL_NODE_RANGE,
    TPL_NODE_WITH,
    TPL_NODE_BREAK,
    TPL_NODE_CONTINUE,
    TPL_NODE_TEMPLATE, /* text: name, pipe or NULL */
    TPL_NODE_END,      /* {{end}} and {{else}}: only while parsing */
    TPL_NODE_ELSE,
    TPL_NODE_PIPE,       /* names: variables, is_assign, first: commands */
    TPL_NODE_COMMAND,    /* first: operands */
    TPL_NODE_IDENTIFIER, /* text */
    TPL_NODE_FIELD,      /* names */
    TPL_NODE_VARIABLE,   /* names: the variable with its $, then fields */
    TPL_NODE_CHAIN,      /* first: operand, names: fields */
    TPL_NODE_DOT,
    TPL_NODE_NIL,
    TPL_NODE_BOOL,   /* value */
    TPL_NODE_NUMBER, /* text, value, whole */
    TPL_NODE_STRING, /* text: as written with its quotes, value */
};

struct tpl_node {
    enum tpl_node_type type;
    size_t at; /* offset in the template's text */
    struct tpl_node *next;
    struct tpl_node *first, *otherwise, *pipe;
    struct tpl_string text;
    struct tpl_string *names;
    size_t name_count;
    struct tpl_value value;
    bool is_assign;
    bool is_whole; /* a number that an integer parameter takes, as `whole` */
    int64_t whole;
};

/* One {{define}}, or the whole template (the first, named ""). */
struct tpl_tree {
    struct tpl_tree *next;
    struct tpl_string name;
    struct tpl_node *root;
};

struct cl_template {
    struct tpl_arena arena;
    struct tpl_string text;
    struct tpl_tree *trees;
    bool needs_keys;
};

/* A quoted string without its quotes and escapes, into `out` of at least the token's size. False: invalid syntax. */
bool tpl_unquote(const struct tpl_token *token, char *out, size_t *ret_size);
/* 'c' as a code point. */
bool tpl_char_value(const struct tpl_token *token, int64_t *ret);
/* What number the token is: fills value, and whole when an integer parameter would take it. NULL, or what is wrong. */
const char *tpl_number_value(const struct tpl_token *token, struct tpl_node *node);

/* The node as Go prints it. */
void tpl_node_text(struct cl_buf *buf, const struct tpl_node *node);

struct tpl_variable {
    struct tpl_string name;
    struct tpl_value value;
};

struct tpl_run {
    const struct cl_template *template_;
    const struct tpl_tree *tree; /* the one being executed */
    const struct tpl_node *node; /* for error messages: where we are */
    struct tpl_variable *variables;
    size_t variable_count, variable_room;
    unsigned depth;
    unsigned steps;
    struct tpl_arena arena;
    struct cl_json **owned; /* arrays made by functions */
    size_t owned_count;
    struct cl_buf *out;
    struct cl_error *err;
    char complaint[256]; /* of a function that failed */
};

/* Count n steps; -EFBIG and err filled past TPL_STEPS_MAX. */
int tpl_step(struct tpl_run *run, size_t n);
/* Execution error at the current node. Returns -EINVAL. */
int tpl_fail(struct tpl_run *run, const char *fmt, ...) CL_PRINTF(2, 3);
/* A failed allocation, or output or scratch space used up. Returns negative. */
int tpl_fail_room(struct tpl_run *run, int code);

/* Values. */
struct tpl_value tpl_from_json(const struct cl_json *json); /* null becomes TPL_NONE */
struct tpl_value tpl_inside(const struct cl_json *json);    /* boxed; null becomes TPL_NIL */
struct tpl_value tpl_from_int(int64_t value);
struct tpl_value tpl_from_bool(bool value);
struct tpl_value tpl_from_string(struct tpl_string string);
struct tpl_value tpl_unboxed(struct tpl_value value); /* Go's indirectInterface */
bool tpl_is_true(struct tpl_value value);
const char *tpl_type_name(struct tpl_value value); /* of what is in the box */
/* Keys of a map in byte order, in the run's arena. 0 or negative with err filled. */
int tpl_sorted_keys(struct tpl_run *run, const struct cl_json *map, const char ***ret);
/* As {{value}} prints it. */
int tpl_print(struct tpl_run *run, struct cl_buf *buf, struct tpl_value value);

/* fmt.Sprint, fmt.Sprintln, fmt.Sprintf. 0 or negative with err filled. */
int tpl_sprint(struct tpl_run *run, struct cl_buf *buf, const struct tpl_value *values,
               size_t count);
int tpl_sprintln(struct tpl_run *run, struct cl_buf *buf, const struct tpl_value *values,
                 size_t count);
int tpl_sprintf(struct tpl_run *run, struct cl_buf *buf, struct tpl_string format,
                const struct tpl_value *values, size_t count);
/* One value by one verb without flags. */
int tpl_format(struct tpl_run *run, struct cl_buf *buf, struct tpl_value value, char verb);
/* Go's strconv.Quote. */
void tpl_quote(struct cl_buf *buf, struct tpl_string string, bool is_ascii);
bool tpl_is_printable(uint32_t point);

/* Functions. */
enum tpl_parameter {
    TPL_ANY,    /* interface {} */
    TPL_VALUE,  /* as it is, box included */
    TPL_TEXT,   /* string */
    TPL_NUMBER, /* int */
    TPL_TEXTS,  /* []string */
};

struct tpl_function {
    const char *name;
    enum tpl_parameter parameters[3];
    unsigned count;   /* fixed ones */
    bool is_variadic; /* parameters[count] is the type of the rest */
    /* 0, or negative with either run->complaint or run->err filled. NULL for "and" and "or", which run.c evaluates. */
    int (*call)(struct tpl_run *run, const struct tpl_value *values, size_t count,
                struct tpl_value *ret);
};
const struct tpl_function *tpl_find_function(struct tpl_string name);
