/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room cli: what people type. One file per verb (run.c, ps.c, …), each ending in a `const struct cli_verb`; verbs.c lists them. From the option
 * tables come the parser, `--help`, shell completion and the man pages, so that they can't disagree.
 *
 * A verb prints to stdout, returns the exit code of the command, or a negative errno with err set: then main prints "cloche: TEXT" to standard error, once, and
 * exits with 125 (run; or a command line that can't be understood), 126, 127 or 1.
 */
#pragma once

#include "base/base.h"
#include "engine/engine.h"

enum cli_type {
    CLI_FLAG,   /* bool; --x, --x=true, --x=false, -x, clustered -itd */
    CLI_STRING, /* const char *; borrowed from argv */
    CLI_LIST, /* const char **: NULL-terminated, in order given; the vector is owned by the parser, the texts by argv */
    CLI_INT,  /* int64_t */
    CLI_BYTES,    /* int64_t; "512m" */
    CLI_NANO,     /* int64_t; "1.5" → 1500000000 */
    CLI_DURATION, /* int64_t nanoseconds; "10s"; plain numbers are seconds */
    CLI_COUNT,    /* int; each -v adds 1 */
    CLI_OPTIONAL, /* const char *; --tree or --tree=process; "" without a value */
    CLI_REFUSED, /* known to Docker's users, not to us: an error that says why (`help` holds the reason); takes_value tells how to skip it */
};

struct cli_option {
    const char *name; /* long name without dashes, or NULL */
    char letter;      /* or 0 */
    enum cli_type type;
    const char *argument; /* placeholder in help, as Docker's: "string", "list", "bytes" */
    const char *help;
    size_t offset;    /* of the member in the verb's own options struct */
    bool takes_value; /* CLI_REFUSED only */
    int64_t initial;  /* for numbers and flags: the value when not given */
};

struct cli {
    struct engine_options engine_options;
    struct engine *engine;       /* opened by cli_engine() on first use */
    const char *program;         /* argv[0] */
    bool is_idle;                /* as the verb that runs */
    const struct cli_verb *verb; /* once its options are understood */
    int terminal_rows, terminal_columns;
};

struct cli_verb {
    const char
        *name; /* "run", or "container inspect" for a two-word verb; aliases share the functions */
    const char *synopsis; /* "[OPTIONS] IMAGE [COMMAND] [ARG...]" */
    const char *summary; /* one line, as Docker's: "Create and run a new container from an image" */
    const char
        *description; /* more for the man page, paragraphs separated by blank lines, or NULL */
    const char
        *examples; /* man page EXAMPLES: lines "$ command" and text; tests run them; or NULL */
    const struct cli_option *options;
    size_t option_count;
    size_t options_size; /* sizeof the options struct that `run` receives, zeroed and filled */
    int min_arguments, max_arguments; /* max -1: any */
    bool options_end_at_argument;     /* run, exec: the first operand ends the options */
    bool is_idle;                     /* nobody waits for its end: it folds the catalog's log in */
    bool is_hidden;                   /* reap, completion helpers */
    int (*run)(struct cli *cli, void *options, char **arguments,
               struct cl_error *err); /* arguments: NULL-terminated operands */
};

extern const struct cli_verb *const cli_verbs[];
extern const size_t cli_verb_count;

/* Opens the engine on first use (with the recovery that `recover` asks for). */
int cli_engine(struct cli *cli, bool recover, struct engine **ret, struct cl_error *err);

/* Parse argv for a verb: fills options (of options_size bytes) and *ret_arguments (points into argv). Unknown flag: USAGE with "did you mean --x?". */
int cli_parse(const struct cli_verb *verb, int argc, char **argv, void *options,
              char ***ret_arguments, struct cl_error *err);
bool cli_has_letter(const struct cli_verb *verb, char letter);
void cli_options_done(const struct cli_verb *verb, void *options);
/* Find the verb that argv begins with ("container inspect" takes two words); *ret_used words. NULL: unknown. */
const struct cli_verb *cli_find_verb(int argc, char **argv, int *ret_used);
void cli_print_help(const struct cli_verb *verb, FILE *out); /* verb NULL: the whole command */
int cli_print_man(const char *page, FILE *out,
                  struct cl_error *err); /* "cloche", "cloche-run", …: roff made from the tables */
int cli_print_completion(const char *shell, FILE *out, struct cl_error *err);
int cli_main(int argc, char **argv);

/* --format: "" or NULL → false; "table …", "json", or a Go template, run over each row. */
struct cli_format;
int cli_format_new(const char *text, const char *default_table, struct cli_format **ret,
                   struct cl_error *err);
int cli_format_row(struct cli_format *format, struct cl_json *take_row, struct cl_error *err);
int cli_format_finish(struct cli_format *format, FILE *out, struct cl_error *err);
void cli_format_free(struct cli_format *format);

/*
 * Be the client of a container: relays our standard streams over the attach protocol until EXIT, end of file or the detach keys. With a terminal: raw mode (restored on
 * every way out), SIGWINCH → RESIZE. sig_proxy: our signals go to the container. Returns the container's exit code, or -errno; *ret_detached when the keys were typed.
 */
struct cli_stream {
    int client; /* attach protocol socket; taken */
    struct engine *engine;
    const char *id; /* of the container, for signals */
    bool terminal, want_stdin, sig_proxy;
    const char *detach_keys; /* "ctrl-p,ctrl-q" */
};
/* Before the start of what will be relayed: bad detach keys are an error now, and the signals that are to be passed on wait from now on, so that none
   falls between the start and the relay. detach_keys may be NULL. */
int cli_stream_hold(const char *detach_keys, bool sig_proxy, struct cl_error *err);
int cli_stream_run(const struct cli_stream *stream, bool *ret_detached, struct cl_error *err);
/* The same for an exec'ed process of our own (pty master or inherited streams). */
int cli_stream_process(struct runtime_process *process, bool terminal, bool want_stdin,
                       const char *detach_keys, struct cl_error *err);
