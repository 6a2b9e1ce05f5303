#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# The session that Cloche is for: a shell in a container, seen from inside and, at the same moment, from outside.

load helper

# Everything that the second terminal shows while `session` has ash as its first process and `sleep 2000` beside it.
second_terminal() {
    local pid sleep_pid line link header row
    header=$(cloche ps | sed -n 1p)
    row=$(cloche ps | sed -n 2p)
    [[ $header =~ ^'CONTAINER ID   IMAGE     COMMAND   CREATED '\ +STATUS\ +PORTS\ +NAMES$ ]] || { echo "header: $header"; return 1; }
    [[ $row =~ ^[0-9a-f]{12}\ \ \ alpine\ \ \ \ \"ash\"\ +.*\ ago\ +Up\ .+\ session$ ]] || { echo "row: $row"; return 1; }

    line=$(cloche container inspect --format='{{ json .State }}' session)
    local stamp='20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]+Z'
    [[ $line =~ ^\{\"Status\":\"running\",\"Running\":true,\"Paused\":false,\"Restarting\":false,\"OOMKilled\":false,\"Dead\":false,\"Pid\":([0-9]+),\"ExitCode\":0,\"Error\":\"\",\"StartedAt\":\"$stamp\",\"FinishedAt\":\"0001-01-01T00:00:00Z\"\}$ ]] ||
        { echo "state: $line"; return 1; }
    pid=${BASH_REMATCH[1]}

    line=$(ps -eaf | awk -v pid="$pid" '$2 == pid')
    [[ $line == *" ash" ]] || { echo "the host's ps for $pid: $line"; return 1; }
    line=$(ps -eaf | awk -v pid="$pid" '$3 == pid')
    [[ $line == *" sleep 2000" ]] || { echo "the host's ps for the children of $pid: $line"; return 1; }
    sleep_pid=$(awk '{ print $2 }' <<<"$line")

    for link in cgroup ipc mnt net pid pid_for_children time time_for_children user uts; do
        [ "$(readlink "/proc/$pid/ns/$link")" = "$(readlink "/proc/$sleep_pid/ns/$link")" ] ||
            { echo "ash and sleep differ in $link"; return 1; }
    done
    for link in cgroup ipc mnt net pid time uts; do
        [ "$(readlink "/proc/$pid/ns/$link")" != "$(readlink "/proc/self/ns/$link")" ] ||
            { echo "the container shares $link with the host"; return 1; }
    done
    [ "$(readlink "/proc/$pid/ns/user")" = "$(readlink /proc/self/ns/user)" ] || { echo "user is not shared"; return 1; }
}

# The host's PIDs of the container's processes with this command line.
processes_of() {
    cloche top session | awk -v command="$1" 'NR > 1 { line = $0; sub(/^[^ ]+ +[0-9]+ +[0-9]+ +[0-9]+ +/, "", line); if (line == command) print $2 }'
}

wait_process() {
    local tries
    for ((tries = 0; tries < 1200; tries++)); do
        [ -z "$(processes_of "$1")" ] || return 0
        sleep 0.05
    done
    cloche top session
    return 1
}

@test "a shell in Alpine: three processes inside, ordinary processes outside" {
    export -f second_terminal
    run_pty "cloche run -it --name session alpine ash" <<'SCRIPT'
expect / # 
line sleep 2000 &
expect / # 
line ps -eaf
match COMMAND\r\n +1 root +\S+ ash\r\n +\d+ root +\S+ sleep 2000\r\n +\d+ root +\S+ ps -eaf\r\n
expect / # 
line hostname
match \r\n[0-9a-f]{12}\r\n
expect / # 
host test "$(cloche exec session hostname)" = "$(cloche ps -q)"
line tty; test -w /dev/console && echo cons""ole
match \r\n/dev/pts/0\r\nconsole\r\n
host second_terminal
line exit 7
SCRIPT
    expect_status 7
    run cloche ps -a --format '{{.Names}} {{.Status}}'
    expect_match '^session Exited \(7\) .* ago$'
}

@test "job control: background, jobs, Ctrl-C, Ctrl-Z, fg" {
    export -f processes_of wait_process
    run_pty "cloche run -it --name session alpine ash" <<'SCRIPT'
expect / # 
line sleep 2000 &
expect / # 
line jobs
match \[1\]\+ +Running +sleep 2000
expect / # 
line sleep 3000
host wait_process 'sleep 3000'
key C-c
expect / # 
line echo "code $?"
expect code 130
expect / # 
line cat
host wait_process cat
key C-z
match \[2\]\+ +Stopped +cat
expect / # 
line fg
expect cat
line through the glass
match through the glass\r\nthrough the glass\r\n
key C-d
expect / # 
line kill %1; wait %1; echo "code $?"
expect code 143
expect / # 
key C-d
SCRIPT
    expect_status 0
}

@test "the window: its size from the start, and after each change" {
    run_pty "cloche run -it --rm --name session alpine ash" <<'SCRIPT'
expect / # 
line stty size
match \r\n24 80\r\n
expect / # 
resize 40 100
line until [ "$(stty size)" = "40 100" ]; do :; done; echo res""ized
expect resized
line exit
SCRIPT
    expect_status 0
    expect_no_containers
}

@test "a second shell by exec sees the same processes and has a terminal of its own" {
    cloche run -dit --name session alpine ash
    run_pty "cloche exec -it session ash" <<'SCRIPT'
expect / # 
line tty
match \r\n/dev/pts/1\r\n
expect / # 
line ps -o pid,args | grep -v ps
match \r\n +1 ash\r\n
match \d+ ash\r\n
expect / # 
resize 33 99
line until [ "$(stty size)" = "33 99" ]; do :; done; echo res""ized
expect resized
line exit 4
SCRIPT
    expect_status 4
    is_status session running
}

@test "the user's own terminal settings are back after the session" {
    run_pty "bash -c 'stty -a >before; cloche run -it --rm alpine true; stty -a >after; cmp before after && echo the same as \"\"before'" <<SCRIPT
expect the same as before
SCRIPT
    expect_status 0
}

setup() {
    world_setup
    cd "$BATS_TEST_TMPDIR" || return 1
}
