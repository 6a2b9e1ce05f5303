/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The view as one HTML page: no script, no font, no image from anywhere, and a policy in the page that forbids all of that. It is read by people in
 * dark and light, and on paper.
 *
 * Every text from outside goes through `text`: control characters and overrides of the reading direction become visible first, then <, >, & and quotes
 * are written as entities. What is not such a text is a constant of this file.
 */
#include <errno.h>

#include "lens/view.h"

#define PAGE_MAX (16U << 20)

static const char style[] =
    ":root{color-scheme:light dark;--paper:#f6f5f1;--card:#fff;--ink:#1d2433;--soft:#616b80;"
    "--line:#e3e1d9;--own:#0f766e;--own-bg:#d9f2ec;--shared:#b45309;--shared-bg:#fdecd0;"
    "--with:#6d28d9;--with-bg:#ece4fd;--same:#616b80;--same-bg:#ecedf0;--glass:#5b8def}"
    "@media (prefers-color-scheme:dark){:root{--paper:#10141c;--card:#181e29;--ink:#e5e9f2;"
    "--soft:#98a3ba;--line:#29313f;--own:#5eead4;--own-bg:#12393a;--shared:#fbbf5c;"
    "--shared-bg:#42300f;--with:#c4b5fd;--with-bg:#33265a;--same:#98a3ba;--same-bg:#242b38;"
    "--glass:#7ea8ff}}"
    "*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);"
    "font:15px/1.5 system-ui,-apple-system,'Segoe UI','Noto Sans',sans-serif}"
    "main{max-width:76rem;margin:0 auto;padding:2.2rem 1.4rem 4rem}"
    "header{display:flex;gap:1.1rem;align-items:center;margin-bottom:1.6rem}"
    "header svg{flex:none;width:4.2rem;height:4.2rem;color:var(--glass)}"
    "h1{margin:0;font-size:1.75rem;line-height:1.2;letter-spacing:-.01em;overflow-wrap:anywhere}"
    "header p{margin:.2rem 0 0;color:var(--soft);overflow-wrap:anywhere}"
    "h2{font-size:.8rem;letter-spacing:.09em;text-transform:uppercase;color:var(--soft);"
    "margin:0;padding:.8rem 1.1rem .55rem}"
    ".strip{display:grid;grid-template-columns:repeat(8,1fr);gap:.6rem;margin:0 0 1.5rem;padding:0;"
    "list-style:none}.strip li{border-radius:.7rem;padding:.6rem .7rem;background:var(--same-bg);"
    "color:var(--same);min-width:0}.strip b{display:block;font-size:1.02rem}"
    ".strip span{font-size:.78rem;overflow-wrap:anywhere}"
    ".own{--c:var(--own);--b:var(--own-bg)}.shared{--c:var(--shared);--b:var(--shared-bg)}"
    ".with{--c:var(--with);--b:var(--with-bg)}.same{--c:var(--same);--b:var(--same-bg)}"
    ".strip li.own,.strip li.shared,.strip li.with{background:var(--b);color:var(--c)}"
    "section{background:var(--card);border:1px solid var(--line);border-radius:.9rem;"
    "margin:0 0 1.1rem;overflow:hidden}table{width:100%;border-collapse:collapse;"
    "table-layout:fixed}th,td{text-align:left;vertical-align:top;padding:.42rem 1.1rem;"
    "border-top:1px solid var(--line);overflow-wrap:anywhere}thead th{font-size:.78rem;"
    "font-weight:500;color:var(--soft);border-top:0;padding-top:0}"
    "tbody th{font-weight:500;color:var(--soft)}td{font-family:ui-monospace,'SF Mono',"
    "'DejaVu Sans Mono',monospace;font-size:.86rem}tr.more>*{border-top-color:transparent}"
    "tr.more>*{padding-top:0}col.name{width:11.5rem}col.word{width:11rem}"
    "td.word{font-family:inherit}.tag{display:inline-block;padding:.05rem .55rem;"
    "border-radius:9rem;font-size:.78rem;background:var(--b);color:var(--c)}"
    ".hidden{color:var(--soft);font-style:italic}"
    ".close{padding:0 1.1rem 1rem}.close dl{margin:0;display:grid;"
    "grid-template-columns:5.5rem 1fr;gap:.45rem .8rem}.close dt{font-weight:600;"
    "color:var(--shared)}.close dd{margin:0}.close p{margin:.2rem 0}code{font:.86em "
    "ui-monospace,'DejaVu Sans Mono',monospace;background:var(--same-bg);padding:.08em .4em;"
    "border-radius:.3em}footer{color:var(--soft);font-size:.82rem}"
    "@media (max-width:52rem){.strip{grid-template-columns:repeat(4,1fr)}col.name{width:7rem}"
    "col.word{width:6.5rem}th,td{padding-left:.7rem;padding-right:.5rem}}"
    "@media print{:root{--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--line:#bbb;--own:#064e45;"
    "--own-bg:#fff;--shared:#7a3803;--shared-bg:#fff;--with:#4c1d95;--with-bg:#fff;--same:#444;"
    "--same-bg:#fff}body{font-size:10pt}main{padding:0;max-width:none}section{break-inside:auto}"
    "tr,.strip li{break-inside:avoid}.strip li,.tag{border:1px solid currentColor}}";

static const char dome[] =
    "<svg viewBox=\"0 0 64 64\" fill=\"none\" stroke=\"currentColor\" stroke-width=\"2.6\" "
    "stroke-linecap=\"round\" aria-hidden=\"true\"><path d=\"M10 50C10 29 18 17 32 17s22 12 22 "
    "33\" "
    "fill=\"currentColor\" fill-opacity=\".13\"/><path d=\"M5 50.5h54\"/><circle cx=\"32\" "
    "cy=\"12\" "
    "r=\"4.2\"/><path d=\"M18 43c.5-9 3.500-14 8-17\" opacity=\".55\"/></svg>";

/* Hostile text; "hidden (needs …)" is ours and looks so. */
static void text(struct cl_buf *page, const char *raw)
{
    cl_auto_free char *visible = cl_escape_terminal(raw == NULL ? "" : raw);
    if (visible == NULL)
        page->failed = -ENOMEM;
    for (const char *at = visible; at != NULL && *at != '\0'; at++) {
        const char *entity = *at == '<'    ? "&lt;"
                             : *at == '>'  ? "&gt;"
                             : *at == '&'  ? "&amp;"
                             : *at == '"'  ? "&quot;"
                             : *at == '\'' ? "&#39;"
                                           : NULL;
        if (entity != NULL)
            cl_buf_str(page, entity);
        else
            cl_buf_char(page, *at);
    }
}

static const char *class_of(enum view_verdict verdict)
{
    static const char *const classes[VIEW_VERDICTS] = { [VIEW_NONE] = "",
                                                        [VIEW_OWN] = "own",
                                                        [VIEW_SHARED] = "shared",
                                                        [VIEW_SHARED_WITH] = "with",
                                                        [VIEW_SAME] = "same" };
    return classes[verdict];
}

static void verdict(struct cl_buf *page, enum view_verdict verdict, const char *with)
{
    static const char *const words[VIEW_VERDICTS] = { [VIEW_NONE] = "",
                                                      [VIEW_OWN] = "own",
                                                      [VIEW_SHARED] = "shared with host",
                                                      [VIEW_SHARED_WITH] = "shared with ",
                                                      [VIEW_SAME] = "as on the host" };
    cl_buf_str(page, words[verdict]);
    if (verdict == VIEW_SHARED_WITH)
        text(page, with == NULL ? "another container" : with);
}

/* ---- the page's parts ---- */

static void head(struct cl_buf *page, const struct view *view, const char *title)
{
    char now[40];
    cl_format_time(cl_now_ns() / 1000000000 * 1000000000, now);
    cl_buf_str(page,
               "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
               "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
               "style-src 'unsafe-inline'\">\n"
               "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>");
    text(page, title);
    cl_buf_str(page, " \u2013 cloche view</title>\n<style>");
    cl_buf_str(page, style);
    cl_buf_str(page, "</style>\n</head>\n<body>\n<main>\n<header>");
    cl_buf_str(page, dome);
    cl_buf_str(page, "<div><h1>");
    text(page, title);
    cl_buf_printf(page, "</h1><p>PID %d on the host", (int)view->target.pid);
    if (view->target.is_container) {
        cl_buf_str(page, ", a container of ");
        text(page, view->target.container.engine);
    }
    cl_buf_printf(page, "; seen at %s</p></div></header>\n", now);
}

/* The eight namespaces at a glance. */
static void strip(struct cl_buf *page, const struct view *view)
{
    cl_buf_str(page, "<ul class=\"strip\">\n");
    for (int type = 0; type < K_NS_COUNT; type++) {
        enum view_verdict judged = view->verdicts[type];
        cl_buf_printf(page, "<li class=\"%s\"><b>%s</b><span>", class_of(judged),
                      k_ns_table[type].name);
        if (judged == VIEW_NONE)
            cl_buf_str(page, "hidden");
        verdict(page, judged, view->with[type]);
        cl_buf_str(page, "</span></li>\n");
    }
    cl_buf_str(page, "</ul>\n");
}

static void cell(struct cl_buf *page, const char *raw)
{
    bool is_ours = raw != NULL && cl_starts_with(raw, "hidden (needs ");
    cl_buf_str(page, is_ours ? "<td class=\"hidden\">" : "<td>");
    text(page, raw);
    cl_buf_str(page, "</td>");
}

static void row(struct cl_buf *page, const struct view *view, size_t index)
{
    const struct view_row *row = &view->rows[index];
    bool is_continued = view_is_continued(view, index);
    cl_buf_str(page, is_continued ? "<tr class=\"more\"><th>" : "<tr><th scope=\"row\">");
    cl_buf_str(page, is_continued ? "" : row->name);
    cl_buf_str(page, "</th>");
    cell(page, row->host);
    cell(page, row->inside);
    cl_buf_str(page, "<td class=\"word\">");
    if (row->verdict != VIEW_NONE) {
        cl_buf_printf(page, "<span class=\"tag %s\">", class_of(row->verdict));
        verdict(page, row->verdict, row->with);
        cl_buf_str(page, "</span>");
    }
    cl_buf_str(page, "</td></tr>\n");
}

static void section(struct cl_buf *page, const struct view *view,
                    const struct view_section *section)
{
    bool is_begun = false;
    for (size_t i = 0; i < view->count; i++) {
        if (strcmp(view->rows[i].section, section->rows) != 0)
            continue;
        if (!is_begun)
            cl_buf_printf(page,
                          "<section><h2>%s</h2><table><colgroup><col class=\"name\"><col><col>"
                          "<col class=\"word\"></colgroup><thead><tr><th></th><th>Host</th>"
                          "<th>Inside</th><th></th></tr></thead><tbody>\n",
                          section->heading);
        is_begun = true;
        row(page, view, i);
    }
    if (is_begun)
        cl_buf_str(page, "</tbody></table></section>\n");
}

static void sharing(struct cl_buf *page, const struct view *view)
{
    unsigned shared = 0, hidden = 0;
    cl_buf_str(page, "<section><h2>Shared with the host</h2><div class=\"close\"><dl>");
    for (int type = 0; type < K_NS_COUNT; type++) {
        hidden += view->verdicts[type] == VIEW_NONE;
        if (view->verdicts[type] != VIEW_SHARED)
            continue;
        shared++;
        cl_buf_printf(page, "<dt>%s</dt><dd>%s", k_ns_table[type].name, view_sharing[type].meaning);
        if (view_sharing[type].flag != NULL)
            cl_buf_printf(page, " \u2013 private by <code>%s</code>", view_sharing[type].flag);
        cl_buf_str(page, "</dd>");
    }
    cl_buf_str(page, "</dl>");
    if (hidden > 0)
        cl_buf_printf(page, "<p>Hidden: whether it shares %u more (needs CAP_SYS_PTRACE).</p>",
                      hidden);
    else if (shared == 0)
        cl_buf_str(page, "<p>No namespace. The kernel is one for all.</p>");
    cl_buf_str(page, "</div></section>\n");
}

int view_print_html(const struct view *view, FILE *out)
{
    cl_auto_buf page = CL_BUF_INIT(PAGE_MAX);
    cl_auto_free char *title = view_title(view);
    if (title == NULL)
        return -ENOMEM;
    head(&page, view, title);
    strip(&page, view);
    for (size_t i = 0; i < view_section_count; i++)
        section(&page, view, &view_sections[i]);
    sharing(&page, view);
    cl_buf_str(&page, "<footer>Made by cloche view, which only looks.</footer>\n</main>\n</body>\n"
                      "</html>");
    if (page.failed < 0)
        return page.failed;
    return cl_print_text(out, page.data);
}
