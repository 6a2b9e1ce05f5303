/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tree + data → output.
 *
 * Evaluation keeps Go's habits that people notice: a missing key is no error but prints <no value>, and fields of it too; `and`
 * and `or` stop early; maps are walked in key order; a variable lives until its {{end}}; errors name the innermost thing that
 * was being evaluated. Every node costs a step, so that no template runs for long.
 */
#include <errno.h>
#include <stdio.h>

#include "base/template_private.h"

enum flow { FLOW_ON, FLOW_BREAK, FLOW_CONTINUE }; /* what a walk returns; negative: failed */

static int eval_pipeline(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *pipe,
                         struct tpl_value *ret);
static int eval_argument(struct tpl_run *run, struct tpl_value dot, enum tpl_parameter type,
                         const struct tpl_node *node, struct tpl_value *ret);
static int walk(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *node);

int tpl_step(struct tpl_run *run, size_t n)
{
    if (n > TPL_STEPS_MAX || run->steps + n > TPL_STEPS_MAX)
        return cl_fail_kind(run->err, CL_KIND_INVALID, EFBIG,
                            "template parsing error: template: stopped after %d steps",
                            TPL_STEPS_MAX);
    run->steps += (unsigned)n;
    return 0;
}

int tpl_fail_room(struct tpl_run *run, int code)
{
    if (code == -EFBIG)
        return cl_fail_kind(run->err, CL_KIND_INVALID, EFBIG,
                            "template parsing error: template: the result is too large");
    if (run->arena.is_full)
        return cl_fail_kind(run->err, CL_KIND_INVALID, EFBIG,
                            "template parsing error: template: intermediate results are too large");
    return cl_fail(run->err, code, "run template");
}

/* Line, and column counted from 0, of the node in the template's text. */
static void locate(const struct tpl_run *run, size_t *ret_line, size_t *ret_column)
{
    struct tpl_string text = run->template_->text;
    size_t line = 1, start = 0;
    for (size_t i = 0; i < run->node->at && i < text.size; i++) {
        if (text.text[i] == '\n') {
            line++;
            start = i + 1;
        }
    }
    *ret_line = line;
    *ret_column = run->node->at - start;
}

int tpl_fail(struct tpl_run *run, const char *fmt, ...)
{
    char message[300];
    size_t line, column;
    cl_auto_buf context = CL_BUF_INIT(TPL_TEXT_MAX * 2);
    cl_auto_buf name = CL_BUF_INIT(TPL_TEXT_MAX * 8);
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    locate(run, &line, &column);
    tpl_node_text(&context, run->node);
    tpl_quote(&name, run->tree->name, false);
    return cl_fail_kind(
        run->err, CL_KIND_INVALID, EINVAL,
        "template parsing error: template: :%zu:%zu: executing %.60s at <%.150s>: %s", line, column,
        name.data == NULL ? "\"\"" : name.data, context.data == NULL ? "" : context.data, message);
}

/* Variables. */

static int push_variable(struct tpl_run *run, struct tpl_string name, struct tpl_value value)
{
    if (run->variable_count == run->variable_room) {
        size_t room = run->variable_room == 0 ? 16 : run->variable_room * 2;
        struct tpl_variable *variables = cl_realloc(run->variables, room * sizeof *variables);
        if (variables == NULL)
            return tpl_fail_room(run, -ENOMEM);
        run->variables = variables;
        run->variable_room = room;
    }
    run->variables[run->variable_count++] = (struct tpl_variable){ .name = name, .value = value };
    return 0;
}

/* The innermost of that name, or NULL. */
static struct tpl_variable *find_variable(struct tpl_run *run, struct tpl_string name)
{
    for (size_t i = run->variable_count; i > 0; i--) {
        struct tpl_variable *variable = &run->variables[i - 1];
        if (variable->name.size == name.size &&
            memcmp(variable->name.text, name.text, name.size) == 0)
            return variable;
    }
    return NULL;
}

static int fail_undefined(struct tpl_run *run, struct tpl_string name)
{
    return tpl_fail(run, "undefined variable: %.*s", (int)name.size, name.text);
}

static int set_variable(struct tpl_run *run, struct tpl_string name, struct tpl_value value)
{
    struct tpl_variable *variable = find_variable(run, name);
    if (variable == NULL)
        return fail_undefined(run, name);
    variable->value = value;
    return 0;
}

/* Fields. */

/* One field of a value. The name is NUL-terminated in the arena, for cl_json_get. */
static int eval_field(struct tpl_run *run, struct tpl_string name, bool has_arguments,
                      struct tpl_value *value)
{
    int size = (int)name.size;
    if (value->kind == TPL_NONE) {
        if (run->template_->needs_keys)
            return tpl_fail(run, "nil data; no entry for key \"%.*s\"", size, name.text);
        return 0;
    }
    if (value->kind == TPL_NIL)
        return tpl_fail(run, "nil pointer evaluating interface {}.%.*s", size, name.text);
    if (value->kind != TPL_MAP)
        return tpl_fail(run, "can't evaluate field %.*s in type %s", size, name.text,
                        value->is_boxed ? "interface {}" : tpl_type_name(*value));
    if (has_arguments)
        return tpl_fail(run, "%.*s is not a method but has arguments", size, name.text);
    cl_auto_free char *key = cl_strndup(name.text, name.size);
    if (key == NULL)
        return tpl_fail_room(run, -ENOMEM);
    if (cl_json_has(value->json, key))
        *value = tpl_inside(cl_json_get(value->json, key));
    else if (run->template_->needs_keys)
        return tpl_fail(run, "map has no entry for key \"%s\"", key);
    else
        *value = (struct tpl_value){ .kind = TPL_NONE };
    return 0;
}

/* names[from…] of a node, starting at *value. */
static int eval_chain(struct tpl_run *run, const struct tpl_node *node, size_t from,
                      bool has_arguments, struct tpl_value *value)
{
    int r = tpl_step(run, node->name_count);
    for (size_t i = from; r >= 0 && i < node->name_count; i++)
        r = eval_field(run, node->names[i], has_arguments && i + 1 == node->name_count, value);
    return r;
}

static int fail_not_a_function(struct tpl_run *run, const struct tpl_node *node)
{
    cl_auto_buf text = CL_BUF_INIT(TPL_TEXT_MAX * 2);
    tpl_node_text(&text, node);
    return tpl_fail(run, "can't give argument to non-function %.100s",
                    text.data == NULL ? "" : text.data);
}

static int eval_variable(struct tpl_run *run, const struct tpl_node *node, bool has_arguments,
                         struct tpl_value *ret)
{
    run->node = node;
    const struct tpl_variable *variable = find_variable(run, node->names[0]);
    if (variable == NULL)
        return fail_undefined(run, node->names[0]);
    *ret = variable->value;
    if (node->name_count == 1)
        return has_arguments ? fail_not_a_function(run, node) : 0;
    return eval_chain(run, node, 1, has_arguments, ret);
}

static int eval_chain_node(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *node,
                           bool has_arguments, struct tpl_value *ret)
{
    run->node = node;
    int r = eval_argument(run, dot, TPL_ANY, node->first, ret);
    return r < 0 ? r : eval_chain(run, node, 0, has_arguments, ret);
}

static int eval_constant(struct tpl_run *run, const struct tpl_node *node, struct tpl_value *ret)
{
    run->node = node;
    if (node->type == TPL_NODE_NUMBER && node->value.kind == TPL_NONE)
        return tpl_fail(run, "%.*s overflows int", (int)node->text.size, node->text.text);
    *ret = node->value;
    return 0;
}

/* Functions. */

static const char *parameter_name(enum tpl_parameter type)
{
    return type == TPL_TEXT ? "string" : type == TPL_NUMBER ? "int" : "[]string";
}

/* Fit a value to a parameter. */
static int fit(struct tpl_run *run, enum tpl_parameter type, struct tpl_value *value)
{
    enum tpl_kind wanted = type == TPL_TEXT ? TPL_STRING : type == TPL_NUMBER ? TPL_INT : TPL_LIST;
    if (type == TPL_VALUE || type == TPL_ANY)
        return 0;
    if (value->kind == TPL_NONE && type == TPL_TEXTS)
        return 0; /* a nil slice */
    if (value->kind == TPL_NONE)
        return tpl_fail(run, "invalid value; expected %s", parameter_name(type));
    if (value->kind != wanted)
        return tpl_fail(run, "wrong type for value; expected %s; got %s", parameter_name(type),
                        tpl_type_name(*value));
    value->is_boxed = false;
    return 0;
}

static int fit_constant(struct tpl_run *run, enum tpl_parameter type, const struct tpl_node *node,
                        struct tpl_value *ret)
{
    cl_auto_buf text = CL_BUF_INIT(TPL_TEXT_MAX * 2);
    tpl_node_text(&text, node);
    const char *shown = text.data == NULL ? "" : text.data;
    if (type == TPL_TEXT) {
        if (node->type != TPL_NODE_STRING)
            return tpl_fail(run, "expected string; found %.100s", shown);
        *ret = node->value;
        return 0;
    }
    if (type == TPL_NUMBER) {
        if (!node->is_whole)
            return tpl_fail(run, "expected integer; found %.100s", shown);
        *ret = tpl_from_int(node->whole);
        return 0;
    }
    return tpl_fail(run, "can't handle %.100s for arg of type %s", shown, parameter_name(type));
}

static int eval_function(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *command,
                         const struct tpl_node *arguments, const struct tpl_value *final,
                         struct tpl_value *ret);

static int eval_argument(struct tpl_run *run, struct tpl_value dot, enum tpl_parameter type,
                         const struct tpl_node *node, struct tpl_value *ret)
{
    int r = tpl_step(run, 1);
    if (r < 0)
        return r;
    run->node = node;
    *ret = dot;
    switch (node->type) {
    case TPL_NODE_DOT:
        break;
    case TPL_NODE_NIL:
        *ret = (struct tpl_value){ .kind = TPL_NONE };
        if (type == TPL_TEXT || type == TPL_NUMBER)
            return tpl_fail(run, "cannot assign nil to %s", parameter_name(type));
        break;
    case TPL_NODE_FIELD:
        r = eval_chain(run, node, 0, false, ret);
        break;
    case TPL_NODE_VARIABLE:
        r = eval_variable(run, node, false, ret);
        break;
    case TPL_NODE_PIPE:
        r = eval_pipeline(run, dot, node, ret);
        break;
    case TPL_NODE_IDENTIFIER:
        r = eval_function(run, dot, node, NULL, NULL, ret);
        break;
    case TPL_NODE_CHAIN:
        r = eval_chain_node(run, dot, node, false, ret);
        break;
    default:
        if (type == TPL_ANY || type == TPL_VALUE)
            return eval_constant(run, node, ret);
        return fit_constant(run, type, node, ret);
    }
    return r < 0 ? r : fit(run, type, ret);
}

static enum tpl_parameter parameter_at(const struct tpl_function *function, size_t index)
{
    return function->parameters[index < function->count ? index : function->count];
}

static int check_count(struct tpl_run *run, const struct tpl_function *function, size_t given,
                       bool has_final)
{
    size_t all = given + has_final;
    if (function->is_variadic && all < function->count)
        return tpl_fail(run, "wrong number of args for %s: want at least %u got %zu",
                        function->name, function->count, given);
    if (!function->is_variadic && all != function->count)
        return tpl_fail(run, "wrong number of args for %s: want %u got %zu", function->name,
                        function->count, all);
    return 0;
}

/* "and" and "or": the first argument that settles it, the later ones unevaluated; or the last. */
static int eval_logic(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *arguments,
                      const struct tpl_value *final, bool stops_at, struct tpl_value *ret)
{
    for (const struct tpl_node *node = arguments; node != NULL; node = node->next) {
        int r = eval_argument(run, dot, TPL_VALUE, node, ret);
        if (r < 0 || tpl_is_true(*ret) == stops_at)
            return r;
    }
    if (final != NULL)
        *ret = *final;
    return 0;
}

static int call_function(struct tpl_run *run, const struct tpl_function *function,
                         const struct tpl_node *command, struct tpl_value *values, size_t count,
                         struct tpl_value *ret)
{
    run->complaint[0] = '\0';
    int r = function->call(run, values, count, ret);
    if (r < 0 && run->complaint[0] != '\0') {
        run->node = command;
        r = tpl_fail(run, "error calling %s: %s", function->name, run->complaint);
    }
    return r;
}

/* command: for messages, the whole command; its first argument, or itself, is the function's name. */
static int eval_function(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *command,
                         const struct tpl_node *arguments, const struct tpl_value *final,
                         struct tpl_value *ret)
{
    const struct tpl_node *name = command->type == TPL_NODE_COMMAND ? command->first : command;
    const struct tpl_function *function = tpl_find_function(name->text);
    run->node = name;
    if (function == NULL)
        return tpl_fail(run, "\"%.*s\" is not a defined function", (int)name->text.size,
                        name->text.text);
    size_t given = 0, count = 0;
    for (const struct tpl_node *node = arguments; node != NULL; node = node->next)
        given++;
    int r = check_count(run, function, given, final != NULL);
    if (r < 0)
        return r;
    if (function->call == NULL)
        return eval_logic(run, dot, arguments, final, cl_streq(function->name, "or"), ret);
    struct tpl_value *values = tpl_arena_get(&run->arena, (given + 1) * sizeof *values);
    if (values == NULL)
        return tpl_fail_room(run, -ENOMEM);
    for (const struct tpl_node *node = arguments; node != NULL; node = node->next, count++) {
        r = eval_argument(run, dot, parameter_at(function, count), node, &values[count]);
        if (r < 0)
            return r;
    }
    if (final != NULL) {
        values[count] = *final;
        r = fit(run, parameter_at(function, count), &values[count]);
        count++;
    }
    return r < 0 ? r : call_function(run, function, command, values, count, ret);
}

/* Pipelines. */

static int eval_command(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *command,
                        const struct tpl_value *final, struct tpl_value *ret)
{
    const struct tpl_node *first = command->first;
    bool has_arguments = first->next != NULL || final != NULL;
    *ret = dot;
    switch (first->type) {
    case TPL_NODE_FIELD:
        run->node = first;
        return eval_chain(run, first, 0, has_arguments, ret);
    case TPL_NODE_CHAIN:
        return eval_chain_node(run, dot, first, has_arguments, ret);
    case TPL_NODE_IDENTIFIER:
        return eval_function(run, dot, command, first->next, final, ret);
    case TPL_NODE_VARIABLE:
        return eval_variable(run, first, has_arguments, ret);
    case TPL_NODE_PIPE:
        return has_arguments ? fail_not_a_function(run, first)
                             : eval_pipeline(run, dot, first, ret);
    default:
        break;
    }
    run->node = first;
    if (has_arguments)
        return fail_not_a_function(run, first);
    if (first->type == TPL_NODE_NIL)
        return tpl_fail(run, "nil is not a command");
    return first->type == TPL_NODE_DOT ? 0 : eval_constant(run, first, ret);
}

static int bind_variables(struct tpl_run *run, const struct tpl_node *pipe, struct tpl_value value)
{
    for (size_t i = 0; i < pipe->name_count; i++) {
        int r = pipe->is_assign ? set_variable(run, pipe->names[i], value)
                                : push_variable(run, pipe->names[i], value);
        if (r < 0)
            return r;
    }
    return 0;
}

static int eval_pipeline(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *pipe,
                         struct tpl_value *ret)
{
    struct tpl_value value = { .kind = TPL_NONE };
    bool is_first = true;
    *ret = value;
    if (pipe == NULL)
        return 0;
    run->node = pipe;
    for (const struct tpl_node *command = pipe->first; command != NULL; command = command->next) {
        struct tpl_value final = value;
        int r = tpl_step(run, 1);
        if (r >= 0)
            r = eval_command(run, dot, command, is_first ? NULL : &final, &value);
        if (r < 0)
            return r;
        value = tpl_unboxed(value);
        is_first = false;
    }
    *ret = value;
    return bind_variables(run, pipe, value);
}

/* Nodes. */

static int walk_list(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *list)
{
    int r = FLOW_ON;
    for (const struct tpl_node *node = list->first; r == FLOW_ON && node != NULL; node = node->next)
        r = walk(run, dot, node);
    return r;
}

static int walk_branch(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *node)
{
    struct tpl_value value;
    size_t mark = run->variable_count;
    int r = eval_pipeline(run, dot, node->pipe, &value);
    if (r < 0)
        return r;
    if (tpl_is_true(value))
        r = walk_list(run, node->type == TPL_NODE_WITH ? value : dot, node->first);
    else if (node->otherwise != NULL)
        r = walk_list(run, dot, node->otherwise);
    run->variable_count = mark;
    return r;
}

/* One round of a range. mark: the variables before the body's own. */
static int walk_round(struct tpl_run *run, const struct tpl_node *node, size_t mark,
                      struct tpl_value index, struct tpl_value element)
{
    const struct tpl_node *pipe = node->pipe;
    int r = tpl_step(run, 1);
    if (r < 0)
        return r;
    if (pipe->is_assign) {
        for (size_t i = 0; r >= 0 && i < pipe->name_count; i++)
            r = set_variable(run, pipe->names[i], i + 1 == pipe->name_count ? element : index);
    } else {
        if (pipe->name_count > 0)
            run->variables[mark - 1].value = element;
        if (pipe->name_count > 1)
            run->variables[mark - 2].value = index;
    }
    if (r >= 0)
        r = walk_list(run, element, node->first);
    run->variable_count = mark;
    return r == FLOW_CONTINUE ? FLOW_ON : r;
}

static int walk_rounds(struct tpl_run *run, const struct tpl_node *node, struct tpl_value value,
                       size_t count)
{
    size_t mark = run->variable_count;
    const char **keys = NULL;
    int r = value.kind == TPL_MAP ? tpl_sorted_keys(run, value.json, &keys) : FLOW_ON;
    for (size_t i = 0; r == FLOW_ON && i < count; i++) {
        struct tpl_value index = tpl_from_int((int64_t)i), element = index;
        if (value.kind == TPL_MAP) {
            index =
                tpl_from_string((struct tpl_string){ .text = keys[i], .size = strlen(keys[i]) });
            element = tpl_inside(cl_json_get(value.json, keys[i]));
        } else if (value.kind == TPL_LIST) {
            element = tpl_inside(cl_json_at(value.json, i));
        }
        r = walk_round(run, node, mark, index, element);
    }
    return r == FLOW_BREAK ? FLOW_ON : r;
}

static int fail_range(struct tpl_run *run, struct tpl_value value)
{
    cl_auto_buf text = CL_BUF_INIT(TPL_TEXT_MAX * 2);
    int r = tpl_print(run, &text, value);
    if (r < 0)
        return r;
    return tpl_fail(run, "range can't iterate over %.100s", text.data == NULL ? "" : text.data);
}

static int walk_range(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *node)
{
    struct tpl_value value;
    size_t mark = run->variable_count, count = 0;
    run->node = node;
    int r = eval_pipeline(run, dot, node->pipe, &value);
    if (r < 0)
        return r;
    if (value.kind == TPL_LIST || value.kind == TPL_MAP)
        count = cl_json_count(value.json);
    else if (value.kind == TPL_INT && node->pipe->name_count > 1)
        return tpl_fail(run, "can't use %lld to iterate over more than one variable",
                        (long long)value.integer);
    else if (value.kind == TPL_INT)
        count = value.integer > 0 ? (size_t)value.integer : 0;
    else if (value.kind != TPL_NONE)
        return fail_range(run, value);
    if (count > 0)
        r = walk_rounds(run, node, value, count);
    else if (node->otherwise != NULL)
        r = walk_list(run, dot, node->otherwise);
    run->variable_count = mark;
    return r;
}

static const struct tpl_tree *find_tree(const struct tpl_run *run, struct tpl_string name)
{
    const struct tpl_tree *tree = run->template_->trees;
    while (tree != NULL &&
           (tree->name.size != name.size || memcmp(tree->name.text, name.text, name.size) != 0))
        tree = tree->next;
    return tree;
}

/* A template called from within sees none of its caller's variables, only its own $. */
static int run_tree(struct tpl_run *run, const struct tpl_tree *tree, struct tpl_value dot)
{
    struct tpl_variable *variables = run->variables;
    size_t count = run->variable_count, room = run->variable_room;
    const struct tpl_tree *caller = run->tree;
    run->variables = NULL;
    run->variable_count = run->variable_room = 0;
    run->tree = tree;
    int r = push_variable(run, (struct tpl_string){ .text = "$", .size = 1 }, dot);
    if (r >= 0)
        r = walk_list(run, dot, tree->root);
    free(run->variables);
    run->variables = variables;
    run->variable_count = count;
    run->variable_room = room;
    run->tree = caller;
    return r;
}

static int walk_template(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *node)
{
    const struct tpl_tree *tree = find_tree(run, node->text);
    if (tree == NULL)
        return tpl_fail(run, "template \"%.*s\" not defined", (int)node->text.size,
                        node->text.text);
    struct tpl_value value;
    int r = eval_pipeline(run, dot, node->pipe, &value);
    return r < 0 ? r : run_tree(run, tree, value);
}

static int walk_action(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *node)
{
    struct tpl_value value;
    int r = eval_pipeline(run, dot, node->pipe, &value);
    if (r < 0 || node->pipe->name_count > 0)
        return r;
    r = tpl_print(run, run->out, value);
    if (r >= 0 && run->out->failed != 0)
        r = tpl_fail_room(run, run->out->failed);
    return r;
}

static int walk_node(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *node)
{
    run->node = node;
    switch (node->type) {
    case TPL_NODE_TEXT:
        cl_buf_add(run->out, node->text.text, node->text.size);
        return run->out->failed != 0 ? tpl_fail_room(run, run->out->failed) : FLOW_ON;
    case TPL_NODE_ACTION:
        return walk_action(run, dot, node);
    case TPL_NODE_IF:
    case TPL_NODE_WITH:
        return walk_branch(run, dot, node);
    case TPL_NODE_RANGE:
        return walk_range(run, dot, node);
    case TPL_NODE_BREAK:
        return FLOW_BREAK;
    case TPL_NODE_CONTINUE:
        return FLOW_CONTINUE;
    case TPL_NODE_TEMPLATE:
        return walk_template(run, dot, node);
    default:
        return walk_list(run, dot, node);
    }
}

static int walk(struct tpl_run *run, struct tpl_value dot, const struct tpl_node *node)
{
    int r = tpl_step(run, 1);
    if (r < 0)
        return r;
    if (run->depth == TPL_DEPTH_MAX)
        return tpl_fail(run, "exceeded maximum template depth (%d)", TPL_DEPTH_MAX);
    run->depth++;
    r = walk_node(run, dot, node);
    run->depth--;
    return r;
}

int cl_template_run(const struct cl_template *template_, const struct cl_json *data,
                    struct cl_buf *out, struct cl_error *err)
{
    if (out->failed != 0)
        return cl_fail(err, out->failed, "run template");
    struct tpl_run run = {
        .template_ = template_, .arena = { .max = TPL_SCRATCH_MAX }, .out = out, .err = err
    };
    size_t size = out->size;
    const struct tpl_tree *main_tree =
        find_tree(&run, (struct tpl_string){ .text = "", .size = 0 });
    if (main_tree == NULL) /* parsing adds it, even for an empty text */
        return cl_fail(err, EINVAL, "run template");
    run.node = main_tree->root;
    run.tree = main_tree;
    int r = run_tree(&run, main_tree, tpl_from_json(data));
    for (size_t i = 0; i < run.owned_count; i++)
        cl_json_unref(run.owned[i]);
    free(run.owned);
    tpl_arena_done(&run.arena);
    if (r >= 0)
        return 0;
    out->size = size; /* as it was: neither a part of the output nor the sticky failure stays */
    out->failed = 0;
    if (out->data != NULL)
        out->data[size] = '\0';
    return r;
}
