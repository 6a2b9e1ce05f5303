#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What the documents show has to work: every line of the `sh` blocks of README.md and README.zh-TW.md, and every `$ ` line of the EXAMPLES of every man page,
# runs in a clean world and ends with exit status 0.

# shellcheck disable=SC2034 # read by helper.bash
WORLD_ALPINE=no
load helper

# Each line of standard input is a command; a page's lines run in order, in one world.
run_lines() {
    local line count=0 code
    cd "$BATS_TEST_TMPDIR" || return 1
    cp "$CLOCHE_BUILD/images/cloche-busybox.tar" image.tar
    while read -r line; do
        [ -n "$line" ] || continue
        count=$((count + 1))
        code=0
        timeout 60 bash -c "$line" >"$BATS_TEST_TMPDIR/out" 2>&1 </dev/null || code=$?
        if [ "$code" -ne 0 ]; then
            printf 'exit status %d: %s\n%s\n' "$code" "$line" "$(cat "$BATS_TEST_TMPDIR/out")" >&2
            return 1
        fi
    done
    [ "$count" -gt 0 ] || { echo "there was nothing to run" >&2; return 1; }
}

sh_blocks() {
    sed -n '/^```sh$/,/^```$/{/^```/!p}' "$1"
}

# The `$ ` lines of a page, read as man(1) would show them.
page_examples() {
    cloche man "$1" | sed -n '/^\.SH EXAMPLES/,/^\.SH SEE/s/^\$ //p' | sed -e 's/\\-/-/g' -e 's/\\e/\\/g' -e 's/\\&//g'
}

@test "README.md" {
    sh_blocks "$CHECKOUT/README.md" | run_lines
}

@test "README.zh-TW.md shows the same commands" {
    [ "$(sh_blocks "$CHECKOUT/README.zh-TW.md")" = "$(sh_blocks "$CHECKOUT/README.md")" ]
    # The sessions too: what is typed after a prompt is the same in both languages.
    commands() { sed -n '/^```console$/,/^```$/s|^\(/ \)\{0,1\}# ||p' "$1" | sed 's/ *#.*//'; }
    [ "$(commands "$CHECKOUT/README.zh-TW.md")" = "$(commands "$CHECKOUT/README.md")" ]
}

@test "man pages" {
    local page pages=0
    for page in $(cloche man); do
        [ -n "$(page_examples "$page")" ] || continue
        page_examples "$page" | run_lines || { echo "in $page" >&2; return 1; }
        world_remove_containers
        pages=$((pages + 1))
    done
    [ "$pages" -ge 3 ]
}

@test "every command that people type daily has an example in its page" {
    local verb
    for verb in run create start exec ps logs attach stop kill rm inspect images import load tag rmi lsns view pid; do
        [ -n "$(page_examples "cloche-$verb")" ] || { echo "cloche-$verb has no example" >&2; return 1; }
    done
}
