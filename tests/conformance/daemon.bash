# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For tests of engines that keep a daemon: it lives in a network and a mount namespace of the test's own, with loopback up, and ends by its pid.
# To be loaded after ../cli/helper.

# daemon_start PIDFILE COMMAND...: in the background; its output goes to $WORLD/daemon.log. The namespaces end with it.
daemon_start() {
    local pidfile=$1
    shift
    local fd
    # shellcheck disable=SC2016 # expanded in there
    (
        # What a daemon starts may live on; bats waits for whoever holds its pipes.
        for fd in /proc/self/fd/*; do
            fd=${fd##*/}
            [ "$fd" -le 2 ] || eval "exec $fd>&-"
        done
        exec unshare --net --mount --propagation private sh -c 'ip link set lo up; echo $$ >"$0"; exec "$@"' "$pidfile" "$@" \
            >>"$WORLD/daemon.log" 2>&1 </dev/null
    ) &
}

# daemon_stop PIDFILE: and wait for its end; shims and what else it started in its namespaces end by themselves or are in the world's cgroup.
daemon_stop() {
    local pid
    [ -s "$1" ] || return 0
    pid=$(cat "$1")
    kill -TERM "$pid" 2>/dev/null || return 0
    wait_until daemon_is_gone "$pid" || kill -KILL "$pid"
    rm -f "$1"
}

daemon_is_gone() {
    ! kill -0 "$1" 2>/dev/null
}

# need_daemon: skips with what the daemon said when it did not come up.
need_daemon() {
    [ "$(id -u)" = 0 ] || skip "needs root (this is uid $(id -u))"
    [ -z "$ALPINE_MISSING" ] || skip "$ALPINE_MISSING"
    [ -e "$WORLD/daemon.up" ] || skip "the daemon does not run here: $(tail -n 1 "$WORLD/daemon.log" 2>/dev/null || echo 'it was not started')"
}
