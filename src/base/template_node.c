/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of a template as text again, spaced as Go spaces them: what stands between < and > in an execution error.
 */
#include "base/template_private.h"

static void add(struct cl_buf *buf, struct tpl_string string)
{
    cl_buf_add(buf, string.text, string.size);
}

/* Operands of a command, commands of a pipeline, … */
static void add_all(struct cl_buf *buf, const struct tpl_node *node, const char *between)
{
    for (const struct tpl_node *at = node; at != NULL; at = at->next) {
        bool is_pipe = at->type == TPL_NODE_PIPE;
        if (at != node)
            cl_buf_str(buf, between);
        if (is_pipe)
            cl_buf_char(buf, '(');
        tpl_node_text(buf, at);
        if (is_pipe)
            cl_buf_char(buf, ')');
    }
}

static void add_names(struct cl_buf *buf, const struct tpl_node *node, const char *before_each)
{
    for (size_t i = 0; i < node->name_count; i++) {
        if (i > 0 || node->type != TPL_NODE_VARIABLE)
            cl_buf_str(buf, before_each);
        add(buf, node->names[i]);
    }
}

static void add_pipe(struct cl_buf *buf, const struct tpl_node *pipe)
{
    for (size_t i = 0; i < pipe->name_count; i++) {
        cl_buf_str(buf, i > 0 ? ", " : "");
        add(buf, pipe->names[i]);
    }
    if (pipe->name_count > 0)
        cl_buf_str(buf, pipe->is_assign ? " = " : " := ");
    add_all(buf, pipe->first, " | ");
}

static void add_control(struct cl_buf *buf, const struct tpl_node *node, const char *word)
{
    cl_buf_printf(buf, "{{%s ", word);
    add_pipe(buf, node->pipe);
    cl_buf_str(buf, "}}");
    tpl_node_text(buf, node->first);
    if (node->otherwise != NULL) {
        cl_buf_str(buf, "{{else}}");
        tpl_node_text(buf, node->otherwise);
    }
    cl_buf_str(buf, "{{end}}");
}

static void add_template(struct cl_buf *buf, const struct tpl_node *node)
{
    cl_buf_str(buf, "{{template ");
    tpl_quote(buf, node->text, false);
    if (node->pipe != NULL) {
        cl_buf_char(buf, ' ');
        add_pipe(buf, node->pipe);
    }
    cl_buf_str(buf, "}}");
}

void tpl_node_text(struct cl_buf *buf, const struct tpl_node *node)
{
    switch (node->type) {
    case TPL_NODE_LIST:
        add_all(buf, node->first, "");
        break;
    case TPL_NODE_ACTION:
        cl_buf_str(buf, "{{");
        add_pipe(buf, node->pipe);
        cl_buf_str(buf, "}}");
        break;
    case TPL_NODE_IF:
        add_control(buf, node, "if");
        break;
    case TPL_NODE_RANGE:
        add_control(buf, node, "range");
        break;
    case TPL_NODE_WITH:
        add_control(buf, node, "with");
        break;
    case TPL_NODE_BREAK:
        cl_buf_str(buf, "{{break}}");
        break;
    case TPL_NODE_CONTINUE:
        cl_buf_str(buf, "{{continue}}");
        break;
    case TPL_NODE_END:
        cl_buf_str(buf, "{{end}}");
        break;
    case TPL_NODE_ELSE:
        cl_buf_str(buf, "{{else}}");
        break;
    case TPL_NODE_TEMPLATE:
        add_template(buf, node);
        break;
    case TPL_NODE_PIPE:
        add_pipe(buf, node);
        break;
    case TPL_NODE_COMMAND:
        add_all(buf, node->first, " ");
        break;
    case TPL_NODE_FIELD:
    case TPL_NODE_VARIABLE:
        add_names(buf, node, ".");
        break;
    case TPL_NODE_CHAIN:
        add_all(buf, node->first, "");
        add_names(buf, node, ".");
        break;
    case TPL_NODE_DOT:
        cl_buf_char(buf, '.');
        break;
    case TPL_NODE_NIL:
        cl_buf_str(buf, "nil");
        break;
    case TPL_NODE_BOOL:
        cl_buf_str(buf, node->value.boolean ? "true" : "false");
        break;
    case TPL_NODE_TEXT:
    case TPL_NODE_IDENTIFIER:
    case TPL_NODE_NUMBER:
    case TPL_NODE_STRING:
        add(buf, node->text);
        break;
    }
}
