#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Exit codes as Docker's: the program's own; 125 when cloche itself failed, 126 when the program can't be executed, 127 when there is none,
# 128 + n after signal n. In the foreground, detached, by wait, start -a, exec and in the container's record.

bats_require_minimum_version 1.5.0
load helper

@test "the program's own code" {
    local code
    for code in 0 1 7 124 125 126 127 255; do
        run "-$code" cloche run --rm alpine sh -c "exit $code"
        expect_output ''
    done
}

@test "125: cloche itself failed" {
    run cloche run --no-such-flag alpine true
    expect_status 125
    run cloche run no-such-image true
    expect_status 125
    run cloche run --memory 1k alpine true
    expect_status 125
    run cloche run
    expect_status 125
    expect_no_containers
}

@test "126: a file that can't be executed" {
    run cloche run --rm alpine /etc/passwd
    expect_status 126
    expect_one_line_error /etc/passwd "ermission denied"
    run cloche run --rm alpine /etc
    expect_status 126
    expect_one_line_error /etc
    run -127 cloche run --rm alpine sh -c 'printf "#!/no/such/shell\n" >/x; chmod +x /x; exec /x'
    # the shell's own answer
    expect_no_containers
}

@test "127: no such program, by path, by PATH, and behind a missing interpreter" {
    run -127 cloche run --rm alpine no-such-program
    expect_status 127
    expect_one_line_error no-such-program PATH
    run -127 cloche run --rm alpine /no/such/program
    expect_status 127
    expect_one_line_error /no/such/program
    expect_no_containers
}

@test "128 + n: killed by a signal" {
    local code=0
    cloche run --name victim alpine sh -c 'echo ready; sleep 1000' >"$BATS_TEST_TMPDIR/out" &
    local client=$!
    wait_until grep -q ready "$BATS_TEST_TMPDIR/out"
    cloche kill victim
    wait "$client" || code=$?
    [ "$code" -eq 137 ]
    run cloche run --rm --pid host alpine sh -c 'kill -TERM $$'
    expect_status 143
    run cloche run --rm --pid host alpine sh -c 'kill -ABRT $$'
    expect_status 134
}

@test "detached: a failed start is reported at once, with the same codes" {
    run -127 cloche run -d --name gone alpine no-such-program
    expect_status 127
    expect_one_line_error no-such-program
    run cloche inspect --format '{{.State.Status}} {{.State.ExitCode}}' gone
    expect_output 'created 127'
    run cloche inspect --format '{{.State.Error}}' gone
    expect_text no-such-program
    run cloche run -d --rm alpine /etc/passwd
    expect_status 126
    cloche rm gone
    expect_no_containers
}

@test "detached: wait prints the code and succeeds" {
    cloche run -d --name five alpine sh -c 'exit 5'
    run cloche wait five
    expect_status 0
    expect_output 5
    run cloche wait five # at rest already
    expect_output 5
    cloche run -d --name killed alpine sleep 1000
    cloche kill killed
    run cloche wait killed
    expect_output 137
    run cloche wait five killed
    expect_output $'5\n137'
    run cloche inspect --format '{{.State.ExitCode}}' five killed
    expect_output $'5\n137'
}

@test "start -a has the program's code; start alone only its own" {
    cloche create --name six alpine sh -c 'exit 6'
    run cloche start -a six
    expect_status 6
    run cloche start six
    expect_status 0
    expect_output six
}

@test "exec: the command's own code, 126, 127, 128 + n, and 1 when there is no such container" {
    cloche run -d --name box alpine sleep 1000
    run cloche exec box sh -c 'exit 9'
    expect_status 9
    run cloche exec box /etc/passwd
    expect_status 126
    expect_one_line_error /etc/passwd
    run -127 cloche exec box no-such-program
    expect_status 127
    expect_one_line_error no-such-program
    run cloche exec box sh -c 'kill -KILL $$'
    expect_status 137
    run cloche exec nobody true
    expect_status 1
    expect_one_line_error "no such container: nobody"
    is_status box running
}

@test "commands other than run: 1 for what went wrong, 125 for what can't be understood" {
    local verb
    for verb in start stop restart kill rm pause unpause logs attach wait top inspect "container inspect"; do
        # shellcheck disable=SC2086 # two words in one case
        run cloche $verb nobody
        expect_status 1
        # shellcheck disable=SC2086
        run cloche $verb --no-such-flag nobody
        expect_status 125
    done
    run cloche rename nobody somebody
    expect_status 1
    run cloche rmi no-such-image
    expect_status 1
    run cloche no-such-command
    expect_status 125
}

@test "rm -f and rmi -f of what does not exist are fine" {
    run cloche rm -f nobody
    expect_status 0
    run cloche rmi -f no-such-image
    expect_status 0
}
