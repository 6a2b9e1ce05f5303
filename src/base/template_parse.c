/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokens → tree, by recursive descent; one function per rule of the grammar of text/template/parse. The parser holds its first
 * failure and every rule gives up as soon as there is one, so rules return NULL without explaining themselves.
 */
#include <errno.h>
#include <stdio.h>

#include "base/template_private.h"

struct parser {
    struct cl_template *template_;
    const struct tpl_token *tokens;
    size_t next; /* token to be read */
    size_t
        fetched; /* tokens looked at so far: errors name the line of the last of them, as Go's do */
    size_t action_at;
    bool has_action;
    struct tpl_string variables[256];
    size_t variable_count;
    unsigned range_depth, depth;
    int failure; /* 0 or negative; err is filled */
    struct cl_error *err;
};

static size_t line_of(const struct parser *parser, size_t at)
{
    size_t line = 1;
    for (size_t i = 0; i < at; i++)
        line += parser->template_->text.text[i] == '\n';
    return line;
}

/* Returns NULL, for its callers to return. */
__attribute__((format(printf, 2, 3))) static void *fail(struct parser *parser, const char *fmt, ...)
{
    char message[300];
    if (parser->failure != 0)
        return NULL;
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    size_t at = parser->fetched == 0 ? 0 : parser->tokens[parser->fetched - 1].at;
    parser->failure =
        cl_fail_kind(parser->err, CL_KIND_INVALID, EINVAL,
                     "template parsing error: template: :%zu: %s", line_of(parser, at), message);
    return NULL;
}

static void *get(struct parser *parser, size_t size)
{
    void *memory = tpl_arena_get(&parser->template_->arena, size);
    if (memory == NULL && parser->failure == 0)
        parser->failure = cl_fail(parser->err, ENOMEM, "parse template");
    return memory;
}

static struct tpl_node *new_node(struct parser *parser, enum tpl_node_type type, size_t at)
{
    struct tpl_node *node = get(parser, sizeof *node);
    if (node == NULL)
        return NULL;
    node->type = type;
    node->at = at;
    return node;
}

/* The array doubles whenever the count is a power of two. */
static bool add_name(struct parser *parser, struct tpl_node *node, struct tpl_string name)
{
    size_t count = node->name_count;
    if ((count & (count - 1)) == 0) {
        struct tpl_string *names = get(parser, (count == 0 ? 1 : count * 2) * sizeof *names);
        if (names == NULL)
            return false;
        if (count > 0)
            memcpy(names, node->names, count * sizeof *names);
        node->names = names;
    }
    node->names[node->name_count++] = name;
    return true;
}

/* Tokens. EOF and ERROR repeat for ever. */

static const struct tpl_token *peek(struct parser *parser)
{
    if (parser->fetched <= parser->next)
        parser->fetched = parser->next + 1;
    return &parser->tokens[parser->next];
}

static const struct tpl_token *next(struct parser *parser)
{
    const struct tpl_token *token = peek(parser);
    if (token->type != TPL_TOKEN_EOF && token->type != TPL_TOKEN_ERROR)
        parser->next++;
    return token;
}

static const struct tpl_token *peek_solid(struct parser *parser)
{
    while (peek(parser)->type == TPL_TOKEN_SPACE)
        parser->next++;
    return peek(parser);
}

static const struct tpl_token *next_solid(struct parser *parser)
{
    (void)peek_solid(parser);
    return next(parser);
}

/* A token as Go's errors show it. */
static void describe(const struct tpl_token *token, struct cl_buf *buf)
{
    struct tpl_string text = token->text;
    if (token->type == TPL_TOKEN_EOF) {
        cl_buf_str(buf, "EOF");
    } else if (token->type == TPL_TOKEN_ERROR) {
        cl_buf_add(buf, text.text, text.size);
    } else if (token->type > TPL_TOKEN_KEYWORD) {
        cl_buf_printf(buf, "<%.*s>", (int)text.size, text.text);
    } else if (token->type == TPL_TOKEN_KEYWORD) {
        cl_buf_str(buf, "<.>");
    } else if (text.size > 10) {
        text.size = 10;
        tpl_quote(buf, text, false);
        cl_buf_str(buf, "...");
    } else {
        tpl_quote(buf, text, false);
    }
}

static void *unexpected(struct parser *parser, const struct tpl_token *token, const char *context)
{
    cl_auto_buf text = CL_BUF_INIT(300);
    describe(token, &text);
    const char *shown = text.data == NULL ? "" : text.data;
    if (token->type != TPL_TOKEN_ERROR)
        return fail(parser, "unexpected %s in %s", shown, context);
    size_t begun = line_of(parser, parser->action_at);
    if (!parser->has_action || begun == line_of(parser, token->at))
        return fail(parser, "%s", shown);
    const char *link = cl_ends_with(shown, " action") ? "" : " in action";
    return fail(parser, "%s%s started at :%zu", shown, link, begun);
}

static bool expect(struct parser *parser, enum tpl_token_type type, const char *context)
{
    const struct tpl_token *token = next_solid(parser);
    if (token->type != type)
        (void)unexpected(parser, token, context);
    return token->type == type;
}

/* Constants: template_constant.c knows their syntax. */

static bool unquote(struct parser *parser, const struct tpl_token *token, struct tpl_string *ret)
{
    char *text = get(parser, token->text.size);
    if (text == NULL)
        return false;
    size_t size = 0;
    if (!tpl_unquote(token, text, &size)) {
        (void)fail(parser, "invalid syntax");
        return false;
    }
    *ret = (struct tpl_string){ .text = text, .size = size };
    return true;
}

static struct tpl_node *string_node(struct parser *parser, const struct tpl_token *token)
{
    struct tpl_node *node = new_node(parser, TPL_NODE_STRING, token->at);
    struct tpl_string string;
    if (node == NULL || !unquote(parser, token, &string))
        return NULL;
    node->text = token->text;
    node->value = tpl_from_string(string);
    return node;
}

static struct tpl_node *number_node(struct parser *parser, const struct tpl_token *token)
{
    struct tpl_node *node = new_node(parser, TPL_NODE_NUMBER, token->at);
    if (node == NULL)
        return NULL;
    node->text = token->text;
    if (token->type == TPL_TOKEN_CHAR_CONSTANT) {
        if (!tpl_char_value(token, &node->whole))
            return fail(parser, "malformed character constant: %.*s", (int)token->text.size,
                        token->text.text);
        node->value = tpl_from_int(node->whole);
        node->is_whole = true;
        return node;
    }
    const char *fault = tpl_number_value(token, node);
    if (fault != NULL) {
        cl_auto_buf quoted = CL_BUF_INIT(250);
        tpl_quote(&quoted, token->text, false);
        return fail(parser, "%s: %s", fault, quoted.data == NULL ? "" : quoted.data);
    }
    return node;
}

/* Pipelines. */

static struct tpl_node *pipeline(struct parser *parser, const char *context,
                                 enum tpl_token_type end);

static bool is_known(const struct parser *parser, struct tpl_string name)
{
    if (name.size == 1)
        return true; /* $, the data the template was called with */
    for (size_t i = 0; i < parser->variable_count; i++) {
        struct tpl_string known = parser->variables[i];
        if (known.size == name.size && memcmp(known.text, name.text, name.size) == 0)
            return true;
    }
    return false;
}

static struct tpl_node *named_node(struct parser *parser, enum tpl_node_type type,
                                   const struct tpl_token *token, size_t skip)
{
    struct tpl_node *node = new_node(parser, type, token->at);
    struct tpl_string name = { .text = token->text.text + skip, .size = token->text.size - skip };
    return node != NULL && add_name(parser, node, name) ? node : NULL;
}

static struct tpl_node *variable_node(struct parser *parser, const struct tpl_token *token)
{
    if (!is_known(parser, token->text))
        return fail(parser, "undefined variable \"%.*s\"", (int)token->text.size, token->text.text);
    return named_node(parser, TPL_NODE_VARIABLE, token, 0);
}

static struct tpl_node *identifier_node(struct parser *parser, const struct tpl_token *token)
{
    if (tpl_find_function(token->text) == NULL)
        return fail(parser, "function \"%.*s\" not defined", (int)token->text.size,
                    token->text.text);
    struct tpl_node *node = new_node(parser, TPL_NODE_IDENTIFIER, token->at);
    if (node != NULL)
        node->text = token->text;
    return node;
}

/* One simple operand, or NULL (without failure) when the next token begins none. */
static struct tpl_node *term(struct parser *parser)
{
    const struct tpl_token *token = peek_solid(parser);
    struct tpl_node *node = NULL;
    switch (token->type) {
    case TPL_TOKEN_IDENTIFIER:
        (void)next(parser);
        return identifier_node(parser, token);
    case TPL_TOKEN_DOT:
        (void)next(parser);
        return new_node(parser, TPL_NODE_DOT, token->at);
    case TPL_TOKEN_NIL:
        (void)next(parser);
        return new_node(parser, TPL_NODE_NIL, token->at);
    case TPL_TOKEN_VARIABLE:
        (void)next(parser);
        return variable_node(parser, token);
    case TPL_TOKEN_FIELD:
        (void)next(parser);
        return named_node(parser, TPL_NODE_FIELD, token, 1);
    case TPL_TOKEN_BOOL:
        (void)next(parser);
        node = new_node(parser, TPL_NODE_BOOL, token->at);
        if (node != NULL)
            node->value = tpl_from_bool(token->text.text[0] == 't');
        return node;
    case TPL_TOKEN_CHAR_CONSTANT:
    case TPL_TOKEN_NUMBER:
        (void)next(parser);
        return number_node(parser, token);
    case TPL_TOKEN_STRING:
    case TPL_TOKEN_RAW_STRING:
        (void)next(parser);
        return string_node(parser, token);
    case TPL_TOKEN_OPEN:
        (void)next(parser);
        return pipeline(parser, "parenthesized pipeline", TPL_TOKEN_CLOSE);
    default:
        return NULL;
    }
}

static bool has_no_fields(enum tpl_node_type type)
{
    return type == TPL_NODE_BOOL || type == TPL_NODE_STRING || type == TPL_NODE_NUMBER ||
           type == TPL_NODE_NIL || type == TPL_NODE_DOT;
}

/* A term with the fields that follow it. */
static struct tpl_node *operand(struct parser *parser)
{
    struct tpl_node *node = term(parser);
    if (node == NULL || peek(parser)->type != TPL_TOKEN_FIELD)
        return node;
    if (has_no_fields(node->type)) {
        cl_auto_buf text = CL_BUF_INIT(300);
        cl_auto_buf quoted = CL_BUF_INIT(300);
        while (peek(parser)->type == TPL_TOKEN_FIELD)
            (void)next(parser);
        tpl_node_text(&text, node);
        tpl_quote(&quoted, (struct tpl_string){ .text = text.data, .size = text.size }, false);
        return fail(parser, "unexpected . after term %s", quoted.data == NULL ? "" : quoted.data);
    }
    if (node->type != TPL_NODE_FIELD && node->type != TPL_NODE_VARIABLE) {
        struct tpl_node *chain = new_node(parser, TPL_NODE_CHAIN, 0);
        if (chain == NULL)
            return NULL;
        chain->first = node;
        node = chain;
    }
    node->at = peek(parser)->at; /* Go counts columns from the last term's second part */
    while (peek(parser)->type == TPL_TOKEN_FIELD) {
        struct tpl_string name = next(parser)->text;
        name.text++;
        name.size--;
        if (!add_name(parser, node, name))
            return NULL;
    }
    return node;
}

/* Operands up to "|" (taken) or the end of the pipeline (left). */
static struct tpl_node *command(struct parser *parser)
{
    struct tpl_node *node = new_node(parser, TPL_NODE_COMMAND, peek_solid(parser)->at);
    struct tpl_node **tail = node == NULL ? NULL : &node->first;
    while (node != NULL) {
        (void)peek_solid(parser);
        struct tpl_node *argument = operand(parser);
        if (parser->failure != 0)
            return NULL;
        if (argument != NULL) {
            *tail = argument;
            tail = &argument->next;
        }
        const struct tpl_token *token = peek(parser);
        if (token->type == TPL_TOKEN_RIGHT || token->type == TPL_TOKEN_CLOSE)
            break;
        (void)next(parser);
        if (token->type == TPL_TOKEN_PIPE)
            break;
        if (token->type != TPL_TOKEN_SPACE)
            return unexpected(parser, token, "operand");
    }
    if (node != NULL && node->first == NULL)
        return fail(parser, "empty command");
    return node;
}

static bool push_variable(struct parser *parser, struct tpl_node *pipe, struct tpl_string name)
{
    if (parser->variable_count == CL_COUNT(parser->variables)) {
        (void)fail(parser, "more than %zu variables", CL_COUNT(parser->variables));
        return false;
    }
    parser->variables[parser->variable_count++] = name;
    return add_name(parser, pipe, name);
}

/* "$x :=", "$x =", and for ranges "$i, $e :=". What only looks like one is left to be read as operands. */
static bool declarations(struct parser *parser, struct tpl_node *pipe, const char *context)
{
    while (peek_solid(parser)->type == TPL_TOKEN_VARIABLE) {
        size_t start = parser->next;
        const struct tpl_token *variable = next(parser), *after = peek_solid(parser);
        if (after->type == TPL_TOKEN_ASSIGN || after->type == TPL_TOKEN_DECLARE) {
            pipe->is_assign = after->type == TPL_TOKEN_ASSIGN;
            (void)next(parser);
            return push_variable(parser, pipe, variable->text);
        }
        if (after->type != TPL_TOKEN_CHAR || after->text.text[0] != ',') {
            parser->next = start;
            return true;
        }
        (void)next(parser);
        if (!push_variable(parser, pipe, variable->text))
            return false;
        if (!cl_streq(context, "range") || pipe->name_count >= 2) {
            (void)fail(parser, "too many declarations in %s", context);
            return false;
        }
        enum tpl_token_type type = peek_solid(parser)->type;
        if (type != TPL_TOKEN_VARIABLE && type != TPL_TOKEN_RIGHT && type != TPL_TOKEN_CLOSE) {
            (void)fail(parser, "range can only initialize variables");
            return false;
        }
    }
    return true;
}

/* A constant can't take what is piped into it. */
static bool check_pipeline(struct parser *parser, const struct tpl_node *pipe, const char *context)
{
    if (pipe->first == NULL) {
        (void)fail(parser, "missing value for %s", context);
        return false;
    }
    int stage = 2;
    for (const struct tpl_node *at = pipe->first->next; at != NULL; at = at->next, stage++) {
        if (has_no_fields(at->first->type)) {
            (void)fail(parser, "non executable command in pipeline stage %d", stage);
            return false;
        }
    }
    return true;
}

static bool enter(struct parser *parser)
{
    if (++parser->depth <= TPL_NEST_MAX)
        return true;
    (void)fail(parser, "nested more than %d levels deep", TPL_NEST_MAX);
    return false;
}

static struct tpl_node *commands(struct parser *parser, struct tpl_node *pipe, const char *context,
                                 enum tpl_token_type end)
{
    struct tpl_node **tail = &pipe->first;
    for (;;) {
        const struct tpl_token *token = peek_solid(parser);
        if (token->type == end) {
            (void)next(parser);
            return check_pipeline(parser, pipe, context) ? pipe : NULL;
        }
        bool is_operand = token->type == TPL_TOKEN_IDENTIFIER || token->type == TPL_TOKEN_FIELD ||
                          token->type == TPL_TOKEN_VARIABLE || token->type == TPL_TOKEN_BOOL ||
                          token->type == TPL_TOKEN_CHAR_CONSTANT ||
                          token->type == TPL_TOKEN_NUMBER || token->type == TPL_TOKEN_STRING ||
                          token->type == TPL_TOKEN_RAW_STRING || token->type == TPL_TOKEN_OPEN ||
                          token->type == TPL_TOKEN_DOT || token->type == TPL_TOKEN_NIL;
        if (!is_operand)
            return unexpected(parser, next(parser), context);
        *tail = command(parser);
        if (*tail == NULL)
            return NULL;
        tail = &(*tail)->next;
    }
}

static struct tpl_node *pipeline(struct parser *parser, const char *context,
                                 enum tpl_token_type end)
{
    struct tpl_node *pipe = new_node(parser, TPL_NODE_PIPE, peek_solid(parser)->at);
    if (pipe == NULL || !enter(parser) || !declarations(parser, pipe, context))
        return NULL;
    pipe = commands(parser, pipe, context, end);
    parser->depth--;
    return pipe;
}

/* Nodes. */

static struct tpl_node *text_or_action(struct parser *parser);

static bool is_stop(const struct tpl_node *node)
{
    return node->type == TPL_NODE_END || node->type == TPL_NODE_ELSE;
}

static struct tpl_node *new_list(struct parser *parser, struct tpl_node *first)
{
    struct tpl_node *list = new_node(parser, TPL_NODE_LIST, peek(parser)->at);
    if (list != NULL)
        list->first = first;
    return list;
}

/* Nodes up to {{end}} or {{else}}, which comes back in *ret_stop. */
static struct tpl_node *item_list(struct parser *parser, struct tpl_node **ret_stop)
{
    struct tpl_node *list = new_list(parser, NULL);
    struct tpl_node **tail = list == NULL ? NULL : &list->first;
    while (list != NULL && peek_solid(parser)->type != TPL_TOKEN_EOF) {
        struct tpl_node *node = text_or_action(parser);
        if (node == NULL)
            return NULL;
        if (is_stop(node)) {
            *ret_stop = node;
            return list;
        }
        *tail = node;
        tail = &node->next;
    }
    return fail(parser, "unexpected EOF");
}

static struct tpl_node *control(struct parser *parser, enum tpl_node_type type);

/* After {{else}}: "else if" and "else with" hang a whole control of their own there, which takes the one {{end}}. */
static bool parse_else(struct parser *parser, struct tpl_node *node)
{
    enum tpl_token_type chained = node->type == TPL_NODE_IF     ? TPL_TOKEN_IF
                                  : node->type == TPL_NODE_WITH ? TPL_TOKEN_WITH
                                                                : TPL_TOKEN_EOF;
    if (peek(parser)->type == chained && chained != TPL_TOKEN_EOF) {
        (void)next(parser);
        struct tpl_node *inner = control(parser, node->type);
        node->otherwise = inner == NULL ? NULL : new_list(parser, inner);
        return node->otherwise != NULL;
    }
    struct tpl_node *stop = NULL;
    node->otherwise = item_list(parser, &stop);
    if (node->otherwise != NULL && stop->type != TPL_NODE_END)
        (void)fail(parser, "expected end; found {{else}}");
    return parser->failure == 0;
}

/* {{if}}, {{range}} and {{with}}, after the keyword. */
static struct tpl_node *control(struct parser *parser, enum tpl_node_type type)
{
    const char *context = type == TPL_NODE_IF ? "if" : type == TPL_NODE_RANGE ? "range" : "with";
    size_t variables = parser->variable_count;
    struct tpl_node *node = new_node(parser, type, peek_solid(parser)->at), *stop = NULL;
    if (node == NULL || !enter(parser))
        return NULL;
    node->pipe = pipeline(parser, context, TPL_TOKEN_RIGHT);
    if (node->pipe == NULL)
        return NULL;
    parser->range_depth += type == TPL_NODE_RANGE;
    node->first = item_list(parser, &stop);
    parser->range_depth -= type == TPL_NODE_RANGE;
    if (node->first == NULL)
        return NULL;
    if (stop->type == TPL_NODE_ELSE && !parse_else(parser, node))
        return NULL;
    parser->variable_count = variables;
    parser->depth--;
    return node;
}

static struct tpl_node *jump(struct parser *parser, const struct tpl_token *token,
                             enum tpl_node_type type)
{
    const char *shown = type == TPL_NODE_BREAK ? "{{break}}" : "{{continue}}";
    if (!expect(parser, TPL_TOKEN_RIGHT, shown))
        return NULL;
    if (parser->range_depth == 0)
        return fail(parser, "%s outside {{range}}", shown);
    return new_node(parser, type, token->at);
}

static bool template_name(struct parser *parser, const char *context, struct tpl_string *ret)
{
    const struct tpl_token *token = next_solid(parser);
    if (token->type == TPL_TOKEN_STRING || token->type == TPL_TOKEN_RAW_STRING)
        return unquote(parser, token, ret);
    (void)unexpected(parser, token, context);
    return false;
}

static struct tpl_node *template_call(struct parser *parser, const struct tpl_token *token)
{
    struct tpl_node *node = new_node(parser, TPL_NODE_TEMPLATE, token->at);
    if (node == NULL)
        return NULL;
    node->at = peek_solid(parser)->at;
    if (!template_name(parser, "template clause", &node->text))
        return NULL;
    if (peek_solid(parser)->type == TPL_TOKEN_RIGHT) {
        (void)next(parser);
        return node;
    }
    node->pipe = pipeline(parser, "template clause", TPL_TOKEN_RIGHT);
    return node->pipe == NULL ? NULL : node;
}

static bool is_empty(const struct tpl_node *list)
{
    for (const struct tpl_node *node = list->first; node != NULL; node = node->next) {
        if (node->type != TPL_NODE_TEXT)
            return false;
        for (size_t i = 0; i < node->text.size; i++) {
            if (strchr(" \t\r\n", node->text.text[i]) == NULL || node->text.text[i] == '\0')
                return false;
        }
    }
    return true;
}

/* The first definition counts, unless it is blank. */
static bool add_tree(struct parser *parser, struct tpl_string name, struct tpl_node *root)
{
    struct tpl_tree **at = &parser->template_->trees;
    for (; *at != NULL; at = &(*at)->next) {
        if ((*at)->name.size != name.size || memcmp((*at)->name.text, name.text, name.size) != 0)
            continue;
        if (!is_empty((*at)->root) && !is_empty(root)) {
            (void)fail(parser, "template: multiple definition of template \"%.*s\"", (int)name.size,
                       name.text);
            return false;
        }
        if (is_empty((*at)->root))
            (*at)->root = root;
        return true;
    }
    struct tpl_tree *tree = get(parser, sizeof *tree);
    if (tree == NULL)
        return false;
    tree->name = name;
    tree->root = root;
    *at = tree;
    return true;
}

/* The body of a {{define}} or {{block}}: variables and ranges outside of it are not seen inside. */
static bool definition(struct parser *parser, struct tpl_string name, const char *context)
{
    size_t variables = parser->variable_count;
    unsigned ranges = parser->range_depth;
    struct tpl_string saved[CL_COUNT(parser->variables)];
    struct tpl_node *stop = NULL;
    memcpy(saved, parser->variables, sizeof saved);
    parser->variable_count = 0;
    parser->range_depth = 0;
    if (!enter(parser))
        return false;
    struct tpl_node *root = item_list(parser, &stop);
    if (root == NULL || stop == NULL)
        return false;
    if (stop->type != TPL_NODE_END) {
        (void)fail(parser, "unexpected {{else}} in %s", context);
        return false;
    }
    memcpy(parser->variables, saved, sizeof saved);
    parser->variable_count = variables;
    parser->range_depth = ranges;
    parser->depth--;
    return add_tree(parser, name, root);
}

static struct tpl_node *block(struct parser *parser, const struct tpl_token *token)
{
    struct tpl_node *node = new_node(parser, TPL_NODE_TEMPLATE, token->at);
    if (node == NULL)
        return NULL;
    node->at = peek_solid(parser)->at;
    if (!template_name(parser, "block clause", &node->text))
        return NULL;
    node->pipe = pipeline(parser, "block clause", TPL_TOKEN_RIGHT);
    if (node->pipe == NULL || !definition(parser, node->text, "block clause"))
        return NULL;
    return node;
}

static struct tpl_node *else_node(struct parser *parser, const struct tpl_token *token)
{
    enum tpl_token_type type = peek_solid(parser)->type;
    bool is_chained = type == TPL_TOKEN_IF || type == TPL_TOKEN_WITH;
    if (!is_chained && !expect(parser, TPL_TOKEN_RIGHT, "else"))
        return NULL;
    return new_node(parser, TPL_NODE_ELSE, token->at);
}

/* After "{{". */
static struct tpl_node *action(struct parser *parser)
{
    const struct tpl_token *token = peek_solid(parser);
    enum tpl_token_type type = token->type;
    if (type > TPL_TOKEN_NIL && type != TPL_TOKEN_DEFINE)
        (void)next(parser);
    switch (type) {
    case TPL_TOKEN_BLOCK:
        return block(parser, token);
    case TPL_TOKEN_BREAK:
        return jump(parser, token, TPL_NODE_BREAK);
    case TPL_TOKEN_CONTINUE:
        return jump(parser, token, TPL_NODE_CONTINUE);
    case TPL_TOKEN_ELSE:
        return else_node(parser, token);
    case TPL_TOKEN_END:
        return expect(parser, TPL_TOKEN_RIGHT, "end") ? new_node(parser, TPL_NODE_END, token->at)
                                                      : NULL;
    case TPL_TOKEN_IF:
        return control(parser, TPL_NODE_IF);
    case TPL_TOKEN_RANGE:
        return control(parser, TPL_NODE_RANGE);
    case TPL_TOKEN_TEMPLATE:
        return template_call(parser, token);
    case TPL_TOKEN_WITH:
        return control(parser, TPL_NODE_WITH);
    default:
        break;
    }
    struct tpl_node *node = new_node(parser, TPL_NODE_ACTION, token->at);
    if (node == NULL)
        return NULL;
    node->pipe = pipeline(parser, "command", TPL_TOKEN_RIGHT);
    return node->pipe == NULL ? NULL : node;
}

static struct tpl_node *text_or_action(struct parser *parser)
{
    const struct tpl_token *token = next_solid(parser);
    if (token->type == TPL_TOKEN_TEXT) {
        struct tpl_node *node = new_node(parser, TPL_NODE_TEXT, token->at);
        if (node != NULL)
            node->text = token->text;
        return node;
    }
    if (token->type != TPL_TOKEN_LEFT)
        return unexpected(parser, token, "input");
    parser->has_action = true;
    parser->action_at = token->at;
    struct tpl_node *node = action(parser);
    parser->has_action = false;
    return node;
}

/* At the top: definitions, and nodes of the template itself. */
static bool parse_top(struct parser *parser)
{
    struct tpl_node *root = new_list(parser, NULL);
    struct tpl_node **tail = root == NULL ? NULL : &root->first;
    while (root != NULL && peek(parser)->type != TPL_TOKEN_EOF) {
        size_t start = parser->next;
        bool is_action = next(parser)->type == TPL_TOKEN_LEFT;
        if (is_action && peek_solid(parser)->type == TPL_TOKEN_DEFINE) {
            struct tpl_string name;
            (void)next(parser);
            if (!template_name(parser, "define clause", &name) ||
                !expect(parser, TPL_TOKEN_RIGHT, "define clause") ||
                !definition(parser, name, "define clause"))
                return false;
            continue;
        }
        parser->next = start;
        struct tpl_node *node = text_or_action(parser);
        if (node == NULL)
            return false;
        if (is_stop(node)) {
            (void)fail(parser, "unexpected %s",
                       node->type == TPL_NODE_END ? "{{end}}" : "{{else}}");
            return false;
        }
        *tail = node;
        tail = &node->next;
    }
    return root != NULL && add_tree(parser, (struct tpl_string){ .text = "", .size = 0 }, root);
}

static int parse_text(struct cl_template *template_, const char *text, struct cl_error *err)
{
    size_t size = strlen(text);
    char *copy = tpl_arena_get(&template_->arena, size + 1);
    if (copy == NULL)
        return cl_fail(err, ENOMEM, "parse template");
    memcpy(copy, text, size);
    template_->text = (struct tpl_string){ .text = copy, .size = size };
    struct tpl_token *tokens = NULL;
    if (tpl_lex(&template_->arena, template_->text, &tokens) < 0)
        return cl_fail(err, ENOMEM, "parse template");
    struct parser parser = { .template_ = template_, .tokens = tokens, .err = err };
    return parse_top(&parser) ? 0 : parser.failure;
}

int cl_template_parse(const char *text, struct cl_template **ret, struct cl_error *err)
{
    if (strlen(text) > TPL_TEXT_MAX)
        return cl_fail_kind(err, CL_KIND_INVALID, EFBIG,
                            "template parsing error: the template is longer than %d bytes",
                            TPL_TEXT_MAX);
    CL_AUTO(cl_template_free) struct cl_template *template_ = cl_calloc(1, sizeof *template_);
    if (template_ == NULL)
        return cl_fail(err, ENOMEM, "parse template");
    template_->arena.max = (size_t)TPL_TEXT_MAX * 1024; /* far beyond what the text allows */
    int r = parse_text(template_, text, err);
    if (r < 0)
        return r;
    *ret = cl_take(template_);
    return 0;
}

void cl_template_need_keys(struct cl_template *template_)
{
    template_->needs_keys = true;
}

void cl_template_free(struct cl_template *template_)
{
    if (template_ == NULL)
        return;
    tpl_arena_done(&template_->arena);
    free(template_);
}
