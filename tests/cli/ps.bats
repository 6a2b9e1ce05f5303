#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche ps: the table, filters, formats.

load helper

@test "without containers there is the heading alone" {
    run cloche ps
    expect_status 0
    expect_output 'CONTAINER ID   IMAGE     COMMAND   CREATED   STATUS    PORTS     NAMES'
}

@test "the table: columns, widths, only what runs, newest first; -a shows all" {
    cloche run --name ended alpine sh -c 'exit 3' || true
    cloche create --name fresh alpine:latest true
    cloche run -d --name sleeper alpine sleep 1000
    run cloche ps
    expect_match $'^CONTAINER ID   IMAGE     COMMAND        CREATED +STATUS +PORTS     NAMES\n[0-9a-f]{12}   alpine    "sleep 1000"   .*ago +Up [^ ].* +sleeper$'
    run cloche ps -a
    expect_match $'sleeper\n[^\n]*fresh\n[^\n]*ended$'
    expect_match $'\n[0-9a-f]{12}   alpine:latest   "true" +[^\n]* ago +Created +fresh\n'
    expect_match $'\n[0-9a-f]{12}   alpine          "sh -c \'exit 3\'" +[^\n]* ago +Exited \\(3\\) [^\n]* ago +ended$'
}

@test "long commands are cut at 20 characters with an ellipsis, --no-trunc shows all" {
    cloche create --name box alpine sh -c 'echo this is a rather long command'
    run cloche ps -a --format '{{.Command}}'
    expect_output '"sh -c '\''echo this is…"'
    run cloche ps -a --no-trunc
    expect_match '[0-9a-f]{64}'
    expect_text '"sh -c '\''echo this is a rather long command'\''"'
}

@test "-q, -l, -n" {
    local first second third
    first=$(cloche create alpine true)
    second=$(cloche create alpine true)
    third=$(cloche create alpine true)
    run cloche ps -aq
    expect_output "${third:0:12}"$'\n'"${second:0:12}"$'\n'"${first:0:12}"
    run cloche ps -q
    expect_output ''
    run cloche ps -lq
    expect_output "${third:0:12}"
    run cloche ps -q -n 2
    expect_output "${third:0:12}"$'\n'"${second:0:12}"
    run cloche ps -aq -n 1 --filter "id=$first" # counted after filtering
    expect_output "${first:0:12}"
    run cloche ps -aq --no-trunc
    expect_line "$first"
}

@test "filters: id, name, status, label, ancestor, exited, several at once; unknown ones are refused" {
    local id
    id=$(cloche create --name alpha -l tier=web -l both alpine true)
    cloche run --name beta -l tier=db -l both alpine sh -c 'exit 4' || true
    cloche run -d --name gamma alpine sleep 1000
    names() { cloche ps -a --format '{{.Names}}' "$@" | sort | tr '\n' ' '; }
    [ "$(names -f "id=${id:0:8}")" = 'alpha ' ]
    [ "$(names -f name=amm)" = 'gamma ' ]
    [ "$(names -f name=a)" = 'alpha beta gamma ' ]
    [ "$(names -f name='^a')" = 'alpha ' ]
    [ "$(names -f name='a$' -f name='^g')" = 'alpha beta gamma ' ]
    [ "$(names -f status=created)" = 'alpha ' ]
    [ "$(names -f status=exited -f status=running)" = 'beta gamma ' ]
    [ "$(names -f label=both)" = 'alpha beta ' ]
    [ "$(names -f label=tier=db)" = 'beta ' ]
    [ "$(names -f label=both -f label=tier=web)" = 'alpha ' ]
    [ "$(names -f ancestor=alpine)" = 'alpha beta gamma ' ]
    [ "$(names -f ancestor=alpine:latest -f status=running)" = 'gamma ' ]
    [ "$(names -f ancestor=other)" = '' ]
    [ "$(names -f exited=4)" = 'beta ' ]
    [ "$(names -f exited=0)" = '' ]
    run cloche ps -f colour=blue
    [ "$status" -ne 0 ]
    expect_one_line_error colour status
    run cloche ps -f nonsense
    [ "$status" -ne 0 ]
    expect_one_line_error nonsense
    run cloche ps -f status=nonsense
    [ "$status" -ne 0 ]
    expect_one_line_error nonsense running
}

@test "--format: a template, table with a template, json" {
    cloche create --name box -l a=1 alpine true
    run cloche ps -a --format '{{.Names}} {{.Image}} {{.State}} {{.Labels}}'
    expect_output 'box alpine created a=1'
    run cloche ps -a --format 'table {{.Names}}\t{{.State}}'
    expect_output $'NAMES     STATE\nbox       created'
    run cloche ps -a --format json
    expect_match '^\{"Command":"\\"true\\"","CreatedAt":"20[^"]*","ID":"[0-9a-f]{12}","Image":"alpine","Labels":"a=1","LocalVolumes":"0","Mounts":"","Names":"box","Networks":"[a-z]*","Ports":"","RunningFor":"[^"]* ago","Size":"[^"]*","State":"created","Status":"Created"\}$'
    run cloche ps -a --format '{{json .}}'
    expect_match '"Names":"box"'
    run cloche ps -a --format '{{.Names'
    [ "$status" -ne 0 ]
    expect_one_line_error template
}

@test "names that could steer a terminal can't come into being" {
    run cloche create --name $'x\e[31m' alpine true
    [ "$status" -ne 0 ]
    cloche create --name box alpine $'true\e]0;title\a'
    run cloche ps -a
    refute_text $'\e'
    refute_text $'\a'
}

@test "container ls, container list and container ps are the same" {
    cloche create --name box alpine true
    run cloche container ls -a --format '{{.Names}}'
    expect_output box
    run cloche container list -a --format '{{.Names}}'
    expect_output box
    run cloche container ps -aq
    expect_match '^[0-9a-f]{12}$'
}
