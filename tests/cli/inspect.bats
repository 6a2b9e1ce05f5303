#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# cloche inspect: Docker's document and Go's templates over it.

load helper

setup() {
    world_setup
    need_program python3
}

@test "the document has Docker's fields, in Docker's order" {
    cloche run -d --name box alpine sleep 1000
    run python3 -c "
import json, sys
document = json.load(sys.stdin)[0]
for section in 'document', 'State', 'GraphDriver':
    print(' '.join((document if section == 'document' else document[section]).keys()))
wanted = {'Config': '''Hostname Domainname User AttachStdin AttachStdout AttachStderr Tty OpenStdin StdinOnce Env Cmd Image WorkingDir Entrypoint Labels''',
    'HostConfig': '''Binds LogConfig NetworkMode PortBindings RestartPolicy AutoRemove CapAdd CapDrop CgroupnsMode Dns DnsOptions DnsSearch ExtraHosts GroupAdd IpcMode
        OomScoreAdj PidMode Privileged ReadonlyRootfs SecurityOpt UTSMode ShmSize CpuShares Memory NanoCpus CgroupParent CpuPeriod CpuQuota CpusetCpus CpusetMems
        Devices MemoryReservation MemorySwap OomKillDisable PidsLimit Ulimits MaskedPaths ReadonlyPaths'''}
for section in wanted:
    print(section, 'lacks', [key for key in wanted[section].split() if key not in document[section]])
" < <(cloche inspect box)
    expect_status 0
    expect_output "Id Created Path Args State Image ResolvConfPath HostnamePath HostsPath LogPath Name RestartCount Driver Platform MountLabel ProcessLabel AppArmorProfile ExecIDs HostConfig GraphDriver Mounts Config NetworkSettings
Status Running Paused Restarting OOMKilled Dead Pid ExitCode Error StartedAt FinishedAt
Data Name
Config lacks []
HostConfig lacks []"
}

@test "what the options said is what inspect says" {
    mkdir "$BATS_TEST_TMPDIR/dir"
    cloche run -d --name box -e A=1 -w /srv -u nobody -h glass -l k=v --cap-add NET_RAW --cap-drop CHOWN --read-only -m 64m --cpus 1.5 --pids-limit 33 \
        --network none -v "$BATS_TEST_TMPDIR/dir:/data:ro" --tmpfs /scratch:size=1m --ulimit nofile=100:200 --shm-size 4m --add-host a:192.0.2.1 --dns 192.0.2.2 \
        --security-opt no-new-privileges --entrypoint sleep alpine 1000
    field() { cloche inspect --format "$1" box; }
    [ "$(field '{{.Path}} {{json .Args}}')" = 'sleep ["1000"]' ]
    [ "$(field '{{json .Config.Entrypoint}} {{json .Config.Cmd}}')" = '["sleep"] ["1000"]' ]
    [ "$(field '{{index .Config.Env 0}} {{.Config.WorkingDir}} {{.Config.User}} {{.Config.Hostname}} {{.Config.Labels.k}}')" = 'A=1 /srv nobody glass v' ]
    [ "$(field '{{json .HostConfig.CapAdd}} {{json .HostConfig.CapDrop}} {{.HostConfig.ReadonlyRootfs}}')" = '["NET_RAW"] ["CHOWN"] true' ]
    [ "$(field '{{.HostConfig.Memory}} {{.HostConfig.NanoCpus}} {{.HostConfig.PidsLimit}} {{.HostConfig.ShmSize}}')" = '67108864 1500000000 33 4194304' ]
    [ "$(field '{{.HostConfig.NetworkMode}} {{json .HostConfig.SecurityOpt}} {{json .HostConfig.ExtraHosts}} {{json .HostConfig.Dns}}')" = 'none ["no-new-privileges"] ["a:192.0.2.1"] ["192.0.2.2"]' ]
    [ "$(field '{{json .HostConfig.Ulimits}}')" = '[{"Name":"nofile","Hard":200,"Soft":100}]' ]
    [ "$(field '{{json .HostConfig.Tmpfs}}')" = '{"/scratch":"size=1m"}' ]
    [ "$(field '{{(index .Mounts 0).Type}} {{(index .Mounts 0).Source}} {{(index .Mounts 0).Destination}} {{(index .Mounts 0).RW}}')" = "bind $BATS_TEST_TMPDIR/dir /data false" ]
    [ "$(field '{{.Name}} {{.Config.Image}}')" = '/box alpine' ]
    [ "$(field '{{.Image}}')" = "$(cloche images -q --no-trunc alpine)" ]
}

@test "the state before, while and after it runs" {
    cloche create --name box alpine sh -c 'exit 7'
    run cloche inspect --format '{{.State.Status}} {{.State.Running}} {{.State.Pid}} {{.State.ExitCode}} {{.State.StartedAt}} {{.State.FinishedAt}}' box
    expect_output 'created false 0 0 0001-01-01T00:00:00Z 0001-01-01T00:00:00Z'
    cloche start box
    wait_exited box
    run cloche inspect --format '{{.State.Status}} {{.State.Running}} {{.State.Pid}} {{.State.ExitCode}}' box
    expect_output 'exited false 0 7'
    run cloche inspect --format '{{le .Created .State.StartedAt}} {{le .State.StartedAt .State.FinishedAt}}' box
    expect_output 'true true'
}

@test "Go's templates: fields, index, range, if, with, len, join, printf, json, eq, variables, trimming" {
    cloche create --name box -e A=1 -e B=2 -l k=v alpine sh -c 'x y'
    template() {
        run cloche inspect --format "$1" box
        expect_status 0
        expect_output "$2"
    }
    template '{{.Name}}' /box
    template '{{index .Config.Cmd 0}}' sh
    template '{{index .Config.Labels "k"}}' v
    template '{{range .Config.Cmd}}<{{.}}>{{end}}' '<sh><-c><x y>'
    template '{{range $i, $e := .Config.Cmd}}{{if $i}},{{end}}{{$i}}={{$e}}{{end}}' '0=sh,1=-c,2=x y'
    template '{{range $k, $v := .Config.Labels}}{{$k}}:{{$v}}{{end}}' k:v
    template '{{if .State.Running}}yes{{else}}no{{end}}' no
    template '{{with .State}}{{.Status}}{{end}}' created
    template '{{len .Config.Cmd}}' 3
    template '{{join .Config.Cmd "|"}}' 'sh|-c|x y'
    template '{{printf "%s-%05d-%q" .Name .State.ExitCode .Config.Image}}' '/box-00000-"alpine"'
    template '{{json .Config.Cmd}}' '["sh","-c","x y"]'
    template '{{.Config.Cmd}}' '[sh -c x y]'
    template '{{.Config.Labels}}' 'map[k:v]'
    template '{{eq .State.Status "created"}} {{ne 1 2}} {{and true .State.Running}} {{or false "x"}} {{not true}}' 'true true false x false'
    template '{{upper .Name}} {{lower "ABC"}} {{title "word"}} {{truncate .Id 4 | len}}' '/BOX abc Word 4'
    template '{{range (split "a,b" ",")}}[{{.}}]{{end}}' '[a][b]'
    template 'a {{- " b " -}} c' 'a b c'
    template '{{/* nothing */}}x' x
    template '{{.State.OOMKilled}}' false
}

@test "templates that can't be: what and where" {
    cloche create --name box alpine true
    local text
    for text in '{{.Name' '{{end}}' '{{nosuch .Name}}' '{{range .Config.Cmd}}' '{{index .Config.Cmd 99}}' '{{.Name.Sub}}'; do
        run cloche inspect --format "$text" box
        [ "$status" -ne 0 ] || { echo "accepted: $text gave $output" >&2; return 1; }
        expect_one_line_error
    done
}

@test "several objects, containers and images; what is missing is said after what was found" {
    cloche create --name box alpine true
    run cloche inspect --format '{{.Id}}' box alpine
    expect_status 0
    [ "$(wc -l <<<"$output")" -eq 2 ]
    run cloche inspect --type image box
    expect_status 1
    expect_text 'no such image: box'
    run cloche inspect --type container alpine
    expect_status 1
    expect_text 'no such container: alpine'
    run cloche inspect --format '{{.Name}}' box nobody
    expect_status 1
    expect_line /box
    expect_line 'cloche: no such object: nobody'
    run cloche inspect --type volume box
    expect_status 125
    expect_one_line_error volume container image
    run cloche inspect nobody
    expect_status 1
    expect_line '[]'
}

@test "image inspect" {
    run cloche image inspect --format '{{.Architecture}} {{.Os}} {{index .RepoTags 0}} {{.RootFS.Type}} {{len .RootFS.Layers}}' alpine
    expect_output 'amd64 linux alpine:latest layers 1'
    run cloche inspect --format '{{.Id}} {{.Size}}' alpine
    expect_match '^sha256:[0-9a-f]{64} [0-9]{6,}$'
    cloche image inspect alpine | python3 -m json.tool >/dev/null
}

@test "text of strangers stays text: labels, arguments and variables with control characters and quotes" {
    cloche create --name box -l evil=$'a\e[31m"\\' -e X=$'\x01\xff' alpine $'x\ny'
    cloche inspect box | python3 -c 'import json, sys; d = json.loads(sys.stdin.buffer.read().decode("utf-8", "strict"))[0]; assert d["Config"]["Labels"]["evil"] == "a\x1b[31m\"\\", d; assert d["Path"] == "x\ny"'
    run cloche inspect box
    refute_text $'\e'
}
