#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche glass in a real terminal: tmux plays the person and its screen is compared. Other processes of the machine come and go, so what is
# compared are the containers of this world (by a filter), with host PIDs and counts made equal and runs of blanks made one.

bats_require_minimum_version 1.5.0
load helper

tmux_here() {
    tmux -L "$TMUX_SOCKET" "$@"
}

setup() {
    world_setup
    need_program tmux
    WINDOWS=0
    TMUX_SOCKET=
    TAG=gl$BATS_TEST_NUMBER
    printf '%s\n' 'set -g status off' 'set -g default-terminal "screen-256color"' 'set -s escape-time 0' >"$WORLD/tmux.conf"
}

teardown() {
    end_window
    world_teardown
}

end_window() {
    [ -n "${TMUX_SOCKET:-}" ] || return 0
    tmux_here kill-server 2>/dev/null || true
    rm -f "${TMUX_TMPDIR:-/tmp}/tmux-$(id -u)/$TMUX_SOCKET"
    TMUX_SOCKET=
}

# window WIDTHxHEIGHT COMMAND...: a window in which the command runs, its end is then shown. Each has a server of its own, as one that ends takes its time.
window() {
    local size=$1
    shift
    end_window
    TMUX_SOCKET=cloche-glass-$$-$BATS_TEST_NUMBER-$((WINDOWS += 1))
    env LC_ALL=C.UTF-8 tmux -u -L "$TMUX_SOCKET" -f "$WORLD/tmux.conf" new-session -d -s glass -x "${size%x*}" -y "${size#*x}" "ulimit -c 0; $*; echo \"ended with \$?\"; exec sleep 1000"
}

# glass WIDTHxHEIGHT ARGUMENT...: only the containers of this test, unless the arguments say otherwise.
glass() {
    local size=$1
    shift
    window "$size" "${GLASS_ENV:-LC_ALL=C.UTF-8} cloche glass --interval 200ms $*"
    wait_screen ' by [a-z]+ . |is too small'
}

glass_here() {
    local size=$1
    shift
    glass "$size" -c --filter "$TAG" "$@"
}

type_keys() {
    tmux_here send-keys -t glass "$@"
}

screen() {
    tmux_here capture-pane -p -t glass
}

is_screen() {
    screen | grep -qE -- "$1"
}

wait_screen() {
    wait_until is_screen "$1" || { screen >&2; return 1; }
}

wait_no_screen() {
    wait_until is_no_screen "$1" || { screen >&2; return 1; }
}

is_no_screen() {
    ! is_screen "$1"
}

# What does not depend on this machine.
normal_screen() {
    screen | sed -E -e '1s/^ cloche .* by (.*) . (live|every 200 ms)$/ cloche HOST by \1/' -e 's/^ *[0-9]+ (root|4242)/PID \1/' -e 's/^ [0-9]+ / PID /' -e 's/ +/ /g' -e 's/ $//'
}

expect_screen() {
    local wanted
    wanted=$(cat)
    wait_until is_normal_screen "$wanted" || { diff <(echo "$wanted") <(normal_screen) >&2; return 1; }
}

is_normal_screen() {
    [ "$(normal_screen)" = "$1" ]
}

# The line that the cursor is on: the reverse one below the headings.
cursor_line() {
    tmux_here capture-pane -e -p -t glass | sed -n '3,$p' | grep -E $'\033\\[([0-9]+;)*7(;[0-9]+)*m' | sed -E 's/\x1b\[[0-9;]*m//g'
}

is_cursor_on() {
    cursor_line | grep -qE -- "$1"
}

# mouse LINE PRESS...: line counted from 0; the bytes of buttons (20: the left one, 61: wheel down), as the terminal reports them, all at once.
mouse() {
    local line bytes=()
    line=$(printf '%x' $((33 + $1)))
    shift
    while [ $# -gt 0 ]; do
        bytes+=(1b 5b 4d "$1" 26 "$line")
        [ "$1" != 20 ] || bytes+=(1b 5b 4d 23 26 "$line") # the release
        shift
    done
    tmux_here send-keys -t glass -H "${bytes[@]}"
}

glass_pid() {
    tmux_here display -p -t glass '#{pane_pid}' | xargs -I{} pgrep -P {} -x cloche
}

start_two() {
    cloche run -d --name "${TAG}web" alpine sh -c 'sleep 2001 & exec sleep 1001' >/dev/null
    cloche run -d --name "${TAG}db" --user 4242:4242 alpine sleep 1002 >/dev/null
}

@test "the containers on both sides, and what the one under the cursor shares" {
    start_two
    glass_here 80x14
    expect_screen <<END
 cloche HOST by pid
 PID USER ON THE HOST │ CONTAINER PID USER INSIDE
PID root sleep 1001 ┃ ${TAG}web 1 root sleep 1001
PID root └─sleep 2001 ┃ 2 root sleep 2001
PID 4242 sleep 1002 ┃ ${TAG}db 1 4242 sleep 1002






 PID ${TAG}web (cloche) · pid 1 inside · sleep 1001
 own time uts ipc net cgroup mnt pid the host's user
 /$TAG 3 matches n N next Esc clear
END
}

@test "a filter narrows while one types, n goes on, Esc brings all back" {
    start_two
    glass 80x24
    wait_no_screen 'matches'
    type_keys /
    type_keys -l "${TAG}d"
    wait_screen " /${TAG}d +1 match +Enter keep"
    wait_until is_cursor_on "sleep 1002 +┃ ${TAG}db"
    type_keys BSpace
    wait_screen " /${TAG} +3 matches"
    type_keys Enter
    wait_screen ' /'"$TAG"' +3 matches +n N next'
    wait_until is_cursor_on 'sleep 1002'
    type_keys n
    wait_until is_cursor_on 'sleep 1001'
    type_keys N
    wait_until is_cursor_on 'sleep 1002'
    type_keys Escape
    wait_screen 'q quit'
    wait_until is_cursor_on 'sleep 1002'
}

@test "Enter drills into the view of the process, q comes back" {
    start_two
    glass_here 80x24
    type_keys Enter
    wait_screen "^ cloche view [0-9]+ +${TAG}web +sleep"
    wait_screen '^ +HOST +\| INSIDE'
    wait_screen '^pid +[0-9]+ +\| 1( |\$)'
    wait_screen 'q back'
    type_keys q
    wait_screen "${TAG}web"
    wait_screen 'n N next'
    type_keys '?'
    wait_screen 'freeze, or follow'
    type_keys q
    wait_screen 'n N next'
}

@test "a container that starts meanwhile appears, and goes when it ends" {
    glass_here 80x14
    wait_screen 'no process matches'
    cloche run -d --name "${TAG}new" alpine sleep 1003 >/dev/null
    wait_screen "sleep 1003 +┃ ${TAG}new +1 root +sleep 1003"
    cloche rm -f "${TAG}new" >/dev/null
    wait_screen 'no process matches'
}

@test "where nobody tells what happens, it is found at the interval" {
    glass_here 80x14 --poll
    wait_screen 'by pid . every 200 ms'
    wait_screen 'no process matches'
    cloche run -d --name "${TAG}new" alpine sleep 1003 >/dev/null
    wait_screen "sleep 1003 +┃ ${TAG}new +1 root +sleep 1003"
    cloche rm -f "${TAG}new" >/dev/null
    wait_screen 'no process matches'
}

@test "frozen means frozen, until one follows again" {
    glass_here 80x14
    type_keys f
    wait_screen 'by pid . frozen'
    cloche run -d --name "${TAG}new" alpine sleep 1003 >/dev/null
    type_keys j
    is_no_screen 'sleep 1003'
    type_keys f
    wait_screen 'sleep 1003'
}

@test "the cursor stays with its process while others come and go" {
    start_two
    glass_here 80x14 -l
    type_keys G
    wait_until is_cursor_on 'sleep 1002'
    cloche rm -f "${TAG}web" >/dev/null
    wait_no_screen 'sleep 1001'
    wait_until is_cursor_on 'sleep 1002'
}

@test "tree or list, sorted by name" {
    start_two
    glass_here 80x14
    wait_screen '└─sleep 2001'
    type_keys t
    wait_no_screen '└─sleep 2001'
    type_keys s
    wait_screen 'by name'
    type_keys s s
    wait_screen 'by container'
    wait_until first_row_is "${TAG}db"
}

first_row_is() {
    screen | sed -n 3p | grep -q "┃ $1"
}

# drills REGEX: by a double click on the line 4. Two clicks are one only where they are seen soon enough after each other.
drills() {
    local tries
    mouse 4 20 20
    for ((tries = 0; tries < 20; tries++)); do
        ! is_screen "$1" || return 0
        sleep 0.1
    done
    return 1
}

@test "the mouse selects, drills and scrolls" {
    start_two
    glass_here 80x14
    mouse 3 20
    wait_until is_cursor_on 'sleep 2001'
    wait_until drills "^ cloche view [0-9]+ +${TAG}db" || { screen >&2; return 1; }
    wait_screen '^pid '
    mouse 3 61
    wait_no_screen '^ +HOST +\| INSIDE'
}

@test "the window may change its size, and be too small" {
    start_two
    glass_here 80x24
    tmux_here resize-window -t glass -x 120 -y 30
    wait_screen "^ *PID USER       ON THE HOST"
    tmux_here resize-window -t glass -x 39 -y 24
    wait_screen '39x24 is too small'
    tmux_here resize-window -t glass -x 40 -y 10
    wait_screen "┃ ${TAG}web +1"
    tmux_here resize-window -t glass -x 200 -y 50
    wait_screen 'INSIDE$'
    wait_screen ' NAME +INSIDE'
}

@test "ASCII where the locale is no UTF-8 one, or when asked for" {
    start_two
    GLASS_ENV=LC_ALL=C glass_here 80x14
    wait_screen "\`-sleep 2001 +\| +2 root"
    [ "$(screen | LC_ALL=C grep -c '[^ -~]')" = 0 ]
    glass_here 80x14 --ascii
    wait_screen "\`-sleep 2001 +\| +2 root"
}

colours() {
    tmux_here capture-pane -e -p -t glass | grep -oE $'\033\\[[0-9;]*m' | grep -oE '(3[1-7]|38;5;[0-9]+)m?' | sort -u | tr -d 'm'
}

@test "eight colours, 256, or none" {
    start_two
    GLASS_ENV="LC_ALL=C.UTF-8 TERM=xterm-color" glass_here 80x14
    wait_screen "${TAG}web"
    wait_until eval '[ "$(colours | grep -cE "^3[1-7]$")" -ge 2 ]'
    [ "$(colours | grep -c '38;5')" = 0 ]
    glass_here 80x14
    wait_until eval '[ "$(colours | grep -c "38;5")" -ge 2 ]'
    GLASS_ENV="LC_ALL=C.UTF-8 NO_COLOR=1" glass_here 80x14
    wait_until is_cursor_on 'sleep 1001'
    [ -z "$(colours)" ]
    GLASS_ENV="LC_ALL=C.UTF-8 TERM=vt100" glass_here 80x14
    wait_until is_cursor_on 'sleep 1001'
    [ -z "$(colours)" ]
}

# alternate screen, mouse reports, cursor shown
terminal_modes() {
    tmux_here display -p -t glass '#{alternate_on} #{mouse_any_flag} #{cursor_flag}'
}

has_modes() {
    [ "$(terminal_modes)" = "$1" ]
}

@test "the terminal is as it was after every way out" {
    local signal
    for signal in q TERM INT HUP QUIT SEGV ABRT; do
        glass 80x14
        wait_until has_modes "1 1 0"
        if [ "$signal" = q ]; then
            type_keys q
            wait_screen 'ended with 0'
        else
            kill -s "$signal" "$(glass_pid)"
            wait_screen "ended with $((128 + $(kill -l "$signal")))"
        fi
        wait_until has_modes "0 0 1"
    done
}

@test "it can be suspended and comes back" {
    start_two
    window 80x14 "env PS1='prompt ' bash --norc -i"
    type_keys "cloche glass -c --filter $TAG" Enter
    wait_screen "┃ ${TAG}web"
    type_keys C-z
    wait_screen 'Stopped'
    wait_until has_modes "0 0 1"
    type_keys fg Enter
    wait_screen "┃ ${TAG}web"
    wait_until has_modes "1 1 0"
    type_keys G
    wait_until is_cursor_on 'sleep 1002'
    type_keys q
    wait_screen 'Stopped'
}

@test "hostile names change no line and no colour" {
    local name
    name=$TAG$(printf 'evil\033[2J\033]0;x\007\nnext 容器')
    bash -c 'exec -a "$1" sleep 1004' sh "$name" 3>&- &
    glass 120x24 -l --filter "${TAG}evil"
    wait_screen "${TAG}evil.x1b\[2J.x1b\]0;x.x07.x0anext 容器"
    wait_screen '^ cloche '
    kill "$!"
    wait "$!" || true
    wait_no_screen "${TAG}evil.x1b\[2J.x1b\]0"
}

@test "what has to be read and may not is shown as hidden" {
    need_program setpriv
    setpriv --reuid 65534 --regid 65534 --clear-groups test -x "$CLOCHE_BUILD/cloche" || skip "other users can't reach $CLOCHE_BUILD"
    setpriv --reuid 65534 --regid 65534 --clear-groups sleep 1005 3>&- &
    window 100x24 "LC_ALL=C.UTF-8 setpriv --reuid 65534 --regid 65534 --clear-groups cloche glass -i 200ms $!"
    wait_screen 'sleep 1005'
    wait_screen ' hidden'
    wait_until is_cursor_on 'sleep 1005'
    wait_screen "shares all its namespaces with the host|the host's"
    type_keys g
    wait_screen 'namespaces hidden: needs CAP_SYS_PTRACE'
    kill "$!"
    wait "$!" || true
}

@test "without a terminal, or with an unknown one, it says what to do" {
    run cloche glass </dev/null
    expect_one_line_error "needs a terminal" "cloche lsns"
    [ "$status" -eq 125 ]
    window 80x24 "TERM=cloche-no-such-terminal cloche glass"
    wait_screen 'is unknown: set TERM'
    window 80x24 "TERM=dumb cloche glass"
    wait_screen "can't move its cursor"
    run cloche glass --interval 1ms
    expect_one_line_error "between 100ms and 1h"
    run cloche glass no-such-container
    expect_one_line_error "no-such-container"
}
