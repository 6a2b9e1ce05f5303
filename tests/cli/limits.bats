#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Limits: what the kernel was told, and that it holds. Each file is read below the container's own group, on cgroup v1 and v2.

load helper

# limit_of CONTAINER V1-CONTROLLER V1-FILE V2-FILE
limit_of() {
    local id parent
    id=$(cloche inspect --format '{{.Id}}' "$1")
    while read -r parent; do
        for file in "$parent/$id/$3" "$parent/$id/$4"; do
            if [ -e "$file" ]; then cat "$file"; return; fi
        done
    done < <(world_cgroups)
    echo "no file $3 or $4 for $1"
    return 1
}

is_v2() {
    [ -e /sys/fs/cgroup/cgroup.controllers ]
}

@test "-m: the limit is set; a program that exceeds it is killed and its container says so" {
    cloche run -d --name box -m 24m alpine sleep 1000
    [ "$(limit_of box memory memory.limit_in_bytes memory.max)" -eq $((24 * 1024 * 1024)) ]
    run cloche run --name oom -m 16m alpine tail /dev/zero
    expect_status 137
    run cloche inspect --format '{{.State.OOMKilled}} {{.State.ExitCode}} {{.State.Status}}' oom
    expect_output 'true 137 exited'
    is_status box running
}

@test "an out-of-memory kill of another process than the first is recorded, too" {
    run cloche run --name oom -m 16m alpine sh -c 'tail /dev/zero; echo survived'
    expect_status 0
    expect_text survived
    run cloche inspect --format '{{.State.OOMKilled}}' oom
    expect_output true
}

@test "killed without a limit being reached is no out-of-memory kill" {
    cloche run -d --name box -m 64m alpine sleep 1000
    cloche kill box
    wait_exited box
    run cloche inspect --format '{{.State.OOMKilled}}' box
    expect_output false
}

@test "--cpus: quota and period" {
    cloche run -d --name box --cpus 0.5 alpine sleep 1000
    if is_v2; then
        [ "$(limit_of box cpu - cpu.max)" = "50000 100000" ]
    else
        [ "$(limit_of box cpu cpu.cfs_quota_us -)" = 50000 ]
        [ "$(limit_of box cpu cpu.cfs_period_us -)" = 100000 ]
    fi
    run cloche run --rm --cpus 0.5 --cpu-quota 1000 alpine true
    expect_status 125
    expect_one_line_error --cpus --cpu-quota
}

@test "--cpus above what the machine has is refused" {
    run cloche run --rm --cpus 100000 alpine true
    expect_status 125
    expect_one_line_error --cpus
}

@test "--cpu-shares" {
    cloche run -d --name box --cpu-shares 512 alpine sleep 1000
    if is_v2; then
        [ "$(limit_of box cpu - cpu.weight)" -gt 1 ]
    else
        [ "$(limit_of box cpu cpu.shares -)" = 512 ]
    fi
}

@test "--cpuset-cpus" {
    awk '$1 == "cpuset" && $4 == 1 { found = 1 } END { exit !found }' /proc/cgroups || skip "this kernel has no cpuset controller"
    cloche run -d --name box --cpuset-cpus 0 alpine sleep 1000
    [ "$(limit_of box cpuset cpuset.cpus cpuset.cpus)" = 0 ]
    run cloche exec box sh -c 'grep Cpus_allowed_list /proc/self/status'
    expect_output $'Cpus_allowed_list:\t0'
}

@test "--pids-limit stops a fork bomb, and nothing else" {
    cloche run -d --name other alpine sleep 1000
    run cloche run --rm --pids-limit 10 alpine sh -c 'i=0; while [ $i -lt 30 ]; do sleep 1000 >/dev/null 2>&1 & i=$((i+1)); done; echo all of them'
    [ "$status" -ne 0 ]
    expect_text "can't fork"
    refute_text 'all of them'
    cloche exec other true
    cloche run -d --name box --pids-limit 10 alpine sleep 1000
    [ "$(limit_of box pids pids.max pids.max)" = 10 ]
}

@test "exec joins the limits of its container" {
    cloche run -d --name box --pids-limit 6 -m 16m alpine sleep 1000
    run cloche exec box sh -c 'i=0; while [ $i -lt 30 ]; do sleep 1000 >/dev/null 2>&1 & i=$((i+1)); done'
    expect_text "can't fork"
    cloche rm -f box
    cloche run -d --name box -m 16m alpine sleep 1000
    run cloche exec box tail /dev/zero
    expect_status 137
}

@test "every limit is checked before anything is made" {
    local case
    for case in "-m 1m" "-m nonsense" "--memory-swap 10m" "-m 64m --memory-swap 32m" "--cpus 0.001" "--cpus nonsense" "--pids-limit x" \
        "--oom-score-adj 2000" "--cpuset-cpus 4096"; do
        # shellcheck disable=SC2086 # flags and values
        run cloche run --name never $case alpine true
        expect_status 125
        expect_one_line_error
    done
    [ -z "$(world_cgroups | while read -r parent; do find "$parent" -mindepth 1 -type d; done)" ]
}

@test "the container's own group is all it sees, read-only" {
    run cloche run --rm alpine cat /proc/self/cgroup
    while IFS=: read -r _ _ path; do
        [ "$path" = / ]
    done <<<"$output"
    # shellcheck disable=SC2016 # the inner shell's
    run cloche run --rm alpine sh -c 'for d in /sys/fs/cgroup /sys/fs/cgroup/*/; do mkdir "$d/x" 2>/dev/null && echo "made $d/x"; done; echo checked'
    expect_output checked
}

@test "--cgroup-parent" {
    cloche run -d --name box --cgroup-parent "/$CLOCHE_CGROUP_PARENT/of-my-own" alpine sleep 1000
    run grep -c "/$CLOCHE_CGROUP_PARENT/of-my-own/$(cloche inspect --format '{{.Id}}' box)\$" "/proc/$(container_pid box)/cgroup"
    expect_status 0
    cloche rm -f box
    world_cgroups | while read -r parent; do rmdir "$parent/of-my-own" 2>/dev/null || true; done
    run cloche run --rm --cgroup-parent ../../escape alpine true
    expect_status 125
    expect_one_line_error ../../escape
}
