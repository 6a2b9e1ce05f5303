#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What people get wrong, and what strangers send on purpose: one line that says what, why and what to do; a code that is not 0; nothing left behind.

bats_require_minimum_version 1.5.0
load helper

# Names of the world that must be the same before and after: containers, images, layers, blobs, stages.
inventory() {
    (cd "$CLOCHE_ROOT" && find . -mindepth 1 -not -name 'catalog*' -not -path './layers/*/*' | sort)
    cloche ps -aq
    cloche images -q
}

setup() {
    world_setup
    inventory >"$BATS_TEST_TMPDIR/before"
}

teardown() {
    if [ -e "$BATS_TEST_TMPDIR/before" ] && ! inventory | diff "$BATS_TEST_TMPDIR/before" - >"$BATS_TEST_TMPDIR/diff"; then
        printf 'left behind (<: gone, >: new):\n%s\n' "$(cat "$BATS_TEST_TMPDIR/diff")" >&2
        world_teardown
        return 1
    fi
    world_teardown
}

# tar_with PYTHON: builds bad.tar from `entry(name, type, **fields)` calls.
tar_with() {
    need_program python3
    python3 - "$BATS_TEST_TMPDIR/bad.tar" "$1" <<'END'
import io, sys, tarfile
archive = tarfile.open(sys.argv[1], "w", format=tarfile.PAX_FORMAT)
def entry(name, kind="file", data=b"evil", **fields):
    info = tarfile.TarInfo(name)
    info.type = {"file": tarfile.REGTYPE, "dir": tarfile.DIRTYPE, "symlink": tarfile.SYMTYPE, "hardlink": tarfile.LNKTYPE, "char": tarfile.CHRTYPE,
                 "block": tarfile.BLKTYPE, "fifo": tarfile.FIFOTYPE}[kind]
    for key, value in fields.items():
        setattr(info, key, value)
    if kind == "file":
        info.size = len(data)
    archive.addfile(info, io.BytesIO(data) if kind == "file" else None)
exec(sys.argv[2])
archive.close()
END
}

refuses_tar() {
    run timeout 60 cloche import "$BATS_TEST_TMPDIR/bad.tar" evil
    expect_status 1
    expect_one_line_error "import $BATS_TEST_TMPDIR/bad.tar" "$@"
}

@test "no such image: says how to get one" {
    run cloche run --rm nginx
    expect_status 125
    expect_one_line_error "no such image: nginx" import
    run cloche run --rm 'Bad Name!'
    expect_status 125
    expect_one_line_error 'Bad Name!'
    run cloche create nginx
    expect_status 1
    expect_one_line_error nginx
}

@test "no such command, not executable: named" {
    run -127 cloche run --rm alpine no-such-command
    expect_status 127
    expect_one_line_error no-such-command PATH
    run cloche run --rm alpine /etc/hostname
    expect_status 126
    expect_one_line_error /etc/hostname
}

@test "an image without a command, and none given" {
    tar_with 'entry("file")'
    cloche import "$BATS_TEST_TMPDIR/bad.tar" bare
    run cloche run --rm bare
    expect_status 125
    expect_one_line_error command
    cloche rmi bare
}

@test "a name in use: says by whom and what to do" {
    local id
    id=$(cloche create --name box alpine true)
    run cloche run --name box alpine true
    expect_status 125
    expect_one_line_error '"box"' "already in use" "${id:0:12}" --name
    run cloche create --name box alpine true
    expect_status 1
    expect_one_line_error "already in use"
    cloche rm box
}

@test "an ambiguous id prefix: asks for more digits" {
    local ids prefix
    # Among seventeen random ids two begin with the same digit.
    for _ in $(seq 17); do cloche create alpine true >/dev/null; done
    prefix=$(cloche ps -aq | cut -c 1 | sort | uniq -d | head -n 1)
    run cloche inspect --type container "$prefix"
    expect_status 1
    expect_text "id prefix $prefix is ambiguous"
    expect_text "more digits"
    run cloche rm "$prefix"
    expect_status 1
    expect_one_line_error ambiguous
    ids=$(cloche ps -aq)
    # shellcheck disable=SC2086 # one word per id
    cloche rm $ids >/dev/null
}

@test "an unknown flag: suggests the nearest; an unknown command too" {
    run cloche run --nmae x alpine true
    expect_status 125
    expect_one_line_error "unknown flag: --nmae" "--name" "cloche run --help"
    run cloche ps --quite
    expect_status 125
    expect_one_line_error --quite --quiet
    run cloche run -Z alpine true
    expect_status 125
    expect_one_line_error "'Z'"
    run cloche rnu alpine
    expect_status 125
    expect_one_line_error rnu run
    run cloche container rnu
    expect_status 125
    expect_one_line_error "container rnu" "container run"
    run cloche image
    expect_status 125
    expect_one_line_error "cloche image" "cloche help"
    run cloche run --name
    expect_status 125
    expect_one_line_error "needs an argument" --name
    run cloche stop
    expect_status 125
    expect_one_line_error "at least 1 argument"
    run cloche rename one
    expect_status 125
    expect_one_line_error "exactly 2 arguments"
    run cloche ps extra
    expect_status 125
    expect_one_line_error "at most 0 arguments"
    run cloche --no-such-flag ps
    expect_status 125
    expect_one_line_error --no-such-flag
}

@test "values that can't be: each names flag, value and what was expected" {
    run cloche run -m lots alpine true
    expect_status 125
    expect_one_line_error '"lots"' --memory 512m
    run cloche run --cpus many alpine true
    expect_one_line_error '"many"' --cpus 1.5
    run cloche run --rm=perhaps alpine true
    expect_one_line_error '"perhaps"' --rm
    run cloche run --pids-limit ten alpine true
    expect_one_line_error '"ten"' --pids-limit
    run cloche stop -t soon x
    expect_one_line_error '"soon"' --timeout
}

@test "hostile text in arguments does not reach the terminal as it is" {
    run cloche run $'\e[31mred\a' true
    expect_status 125
    refute_text $'\e'
    refute_text $'\a'
    run cloche $'ps\e[2J'
    refute_text $'\e'
}

@test "no such file, a directory, an empty file, no tar at all" {
    run cloche import /no/such/file.tar x
    expect_status 1
    expect_one_line_error /no/such/file.tar "No such file"
    run cloche import /tmp x
    expect_status 1
    expect_one_line_error /tmp directory
    : >"$BATS_TEST_TMPDIR/bad.tar"
    refuses_tar empty
    head -c 100000 /dev/urandom >"$BATS_TEST_TMPDIR/bad.tar"
    refuses_tar tar
    echo 'just some text' >"$BATS_TEST_TMPDIR/bad.tar"
    refuses_tar tar
    run cloche import https://example.invalid/x.tar x
    expect_status 1
    expect_one_line_error URL
}

@test "a corrupt archive: cut short, a broken checksum, broken compression, compressed twice" {
    head -c 100000 "$ALPINE_TAR" >"$BATS_TEST_TMPDIR/bad.tar"
    refuses_tar corrupt
    gzip -dc "$ALPINE_TAR" | head -c 1000000 >"$BATS_TEST_TMPDIR/bad.tar"
    refuses_tar corrupt
    gzip -dc "$ALPINE_TAR" >"$BATS_TEST_TMPDIR/bad.tar"
    printf XXXXXXXX | dd of="$BATS_TEST_TMPDIR/bad.tar" bs=1 seek=148 conv=notrunc status=none
    refuses_tar
    { head -c 200000 "$ALPINE_TAR"; head -c 1000 /dev/zero; tail -c +201001 "$ALPINE_TAR"; } >"$BATS_TEST_TMPDIR/bad.tar"
    refuses_tar corrupt
    gzip -c "$ALPINE_TAR" >"$BATS_TEST_TMPDIR/bad.tar"
    refuses_tar "more than once"
}

@test "CVE-2021-20291: an archive whose decompression fails halfway ends, and so does the next command" {
    need_program python3
    python3 -c 'import lzma, sys; sys.stdout.buffer.write(lzma.compress(bytes(range(256)) * 40000)[:-40] + b"x" * 40)' >"$BATS_TEST_TMPDIR/bad.tar"
    for _ in 1 2; do
        run timeout 60 cloche import "$BATS_TEST_TMPDIR/bad.tar" bad
        [ "$status" -ne 124 ]
        expect_one_line_error
    done
    run timeout 60 cloche images
    expect_status 0
}

@test "CVE-2023-25153: load: a document of an image that is too long is refused, not read" {
    mkdir "$BATS_TEST_TMPDIR/l"
    cd "$BATS_TEST_TMPDIR/l"
    echo '{"imageLayoutVersion":"1.0.0"}' >oci-layout
    { echo '{"schemaVersion":2,"manifests":[],"annotations":{"x":"'; head -c 100000000 /dev/zero | tr '\0' y; echo '"}}'; } >index.json
    tar -cf ../bad.tar .
    run cloche load -i ../bad.tar
    expect_status 1
    expect_one_line_error index.json
    rm oci-layout
    mv index.json manifest.json
    tar -cf ../bad.tar .
    run cloche load -i ../bad.tar
    expect_status 1
    expect_one_line_error manifest.json
}

@test "an archive that climbs out by .. is refused" {
    local name
    for name in ../escaped a/../../escaped /../escaped a/b/../../../../escaped; do
        tar_with "entry('$name')"
        refuses_tar escaped "climbs out"
    done
    [ -z "$(find "$CLOCHE_ROOT" "$WORLD" -name escaped)" ]
}

@test "an archive with absolute names stays inside" {
    local victim=$BATS_TEST_TMPDIR/victim
    tar_with "entry('$victim')"
    run cloche import "$BATS_TEST_TMPDIR/bad.tar" evil
    [ ! -e "$victim" ]
    if [ "$status" -eq 0 ]; then
        [ -n "$(find "$CLOCHE_ROOT/layers" -path "*$victim")" ]
        cloche rmi evil
    else
        expect_one_line_error "$victim"
    fi
}

@test "a symbolic link and then a file through it: the file lands inside (CVE-2021-32760, CVE-2025-47290)" {
    mkdir "$BATS_TEST_TMPDIR/outside"
    local target
    for target in "$BATS_TEST_TMPDIR/outside" ../../../../../../../../../../../../../../../..$BATS_TEST_TMPDIR/outside; do
        tar_with "entry('link', 'symlink', linkname='$target'); entry('link/escaped'); entry('link', 'dir', mode=0o777); entry('chain', 'symlink', linkname='link'); entry('chain/escaped2')"
        run cloche import "$BATS_TEST_TMPDIR/bad.tar" evil
        [ -z "$(ls -A "$BATS_TEST_TMPDIR/outside")" ]
        if [ "$status" -eq 0 ]; then cloche rmi evil; else expect_one_line_error; fi
        tar_with "entry('link', 'symlink', linkname='$target/escaped'); entry('link')"
        run cloche import "$BATS_TEST_TMPDIR/bad.tar" evil
        [ -z "$(ls -A "$BATS_TEST_TMPDIR/outside")" ]
        if [ "$status" -eq 0 ]; then cloche rmi evil; else expect_one_line_error; fi
    done
}

@test "hard links to what is outside are refused" {
    echo secret >"$BATS_TEST_TMPDIR/secret"
    tar_with "entry('stolen', 'hardlink', linkname='$BATS_TEST_TMPDIR/secret')"
    refuses_tar stolen
    tar_with "entry('stolen', 'hardlink', linkname='../../../../../../../../../../../../..$BATS_TEST_TMPDIR/secret')"
    refuses_tar stolen "climbs out"
    tar_with "entry('way', 'symlink', linkname='$BATS_TEST_TMPDIR'); entry('stolen', 'hardlink', linkname='way/secret')"
    refuses_tar stolen
    [ "$(stat -c %h "$BATS_TEST_TMPDIR/secret")" = 1 ]
}

@test "device nodes of an archive open nothing, neither on the host nor in a container" {
    tar_with "entry('dev', 'dir', mode=0o755); entry('kmem', 'char', devmajor=1, devminor=2, mode=0o666); entry('disk', 'block', devmajor=8, devminor=0, mode=0o666); \
entry('bin', 'dir', mode=0o755); entry('bin/busybox', data=open('$(command -v busybox)', 'rb').read(), mode=0o755)"
    run cloche import "$BATS_TEST_TMPDIR/bad.tar" evil
    if [ "$status" -ne 0 ]; then
        expect_one_line_error kmem
        return
    fi
    run cloche run --rm evil /bin/busybox sh -c 'for n in /kmem /disk; do /bin/busybox dd if=$n of=/dev/null bs=1 count=1 && echo "opened $n"; done 2>&1'
    refute_text opened
    expect_text 'Operation not permitted'
    cloche rmi evil
}

@test "whiteouts of nothing and of what is outside, names too long, owners out of range" {
    tar_with "entry('.wh...')"
    refuses_tar
    tar_with "entry('.wh..')"
    refuses_tar
    tar_with "entry('/'.join(['x' * 200] * 30))"
    refuses_tar 4095
    tar_with "entry('x' * 300)"
    refuses_tar
    tar_with "entry('x', uid=2**32)"
    refuses_tar "out of range"
    tar_with "entry('x', uid=-5, pax_headers={'uid': '-5'})"
    run cloche import "$BATS_TEST_TMPDIR/bad.tar" evil
    [ "$status" -ne 0 ] || cloche rmi evil
}

@test "load: a manifest that names what is not there, digests that do not fit, paths as digests (CVE-2024-3727)" {
    mkdir -p "$BATS_TEST_TMPDIR/l/blobs/sha256"
    cd "$BATS_TEST_TMPDIR/l"
    echo '{"imageLayoutVersion":"1.0.0"}' >oci-layout
    echo '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:../../../../etc/passwd","size":10}]}' >index.json
    tar -cf ../bad.tar .
    run cloche load -i ../bad.tar
    expect_status 1
    expect_one_line_error digest
    echo '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:'"$(printf 0%.0s $(seq 64))"'","size":10}]}' >index.json
    tar -cf ../bad.tar .
    run cloche load -i ../bad.tar
    expect_status 1
    expect_one_line_error "$(printf 0%.0s $(seq 64))"
    echo 'not what its name says' >"blobs/sha256/$(printf 0%.0s $(seq 64))"
    tar -cf ../bad.tar .
    run cloche load -i ../bad.tar
    expect_status 1
    expect_one_line_error
    echo '[{"Config":"/etc/passwd","RepoTags":["x:y"],"Layers":["../../x"]}]' >manifest.json
    rm -r index.json oci-layout blobs
    tar -cf ../bad.tar .
    run cloche load -i ../bad.tar
    expect_status 1
    expect_one_line_error
}

@test "a state directory that can't be written: read-only, not ours, no directory" {
    need_program unshare
    # shellcheck disable=SC2016 # the inner shell's
    run unshare -m --propagation private sh -c 'mkdir "$1/ro" && mount -t tmpfs -o ro t "$1/ro" && cloche --state "$1/ro/state" run --rm alpine true' sh "$BATS_TEST_TMPDIR"
    expect_status 125
    expect_one_line_error "$BATS_TEST_TMPDIR/ro" ead-only --state
    # shellcheck disable=SC2016
    run unshare -m --propagation private sh -c 'mount -t tmpfs -o ro t "$1/ro" && cloche --root "$1/ro/root" ps' sh "$BATS_TEST_TMPDIR"
    expect_status 1
    expect_one_line_error "$BATS_TEST_TMPDIR/ro" ead-only --root
    : >"$BATS_TEST_TMPDIR/file"
    run cloche --root "$BATS_TEST_TMPDIR/file" ps
    expect_status 1
    expect_one_line_error "$BATS_TEST_TMPDIR/file"
    run cloche --root relative ps
    [ "$status" -ne 0 ]
    expect_one_line_error relative absolute
}

@test "a full disk: said so, and nothing half done stays" {
    need_program unshare
    # The world's own root on a file system with room for the image and little more.
    # shellcheck disable=SC2016 # the inner shell's
    run unshare -m --propagation private bash -c '
        mkdir "$1/small" && mount -t tmpfs -o size=20m t "$1/small" && export CLOCHE_ROOT=$1/small/root &&
        cloche import "$2" alpine >/dev/null &&
        { head -c 30000000 /dev/zero >"$1/small/fill"; cloche run --rm alpine true; echo "code $?"; ls -A "$CLOCHE_ROOT/containers"; cloche ps -aq
          cloche import "$2" again; echo "code $?"; ls -A "$CLOCHE_ROOT/stage"; rm "$1/small/fill"; cloche run --rm alpine echo works again; } 2>&1 |
            grep -v "^head:"' bash "$BATS_TEST_TMPDIR" "$ALPINE_TAR"
    expect_match $'cloche: [^\n]*[Nn]o space left[^\n]*\ncode 125\ncloche: [^\n]*[Nn]o space left[^\n]*\ncode 1\nworks again$'
}

@test "no room for a container's output: the container ends, the error is said" {
    run bash -c 'cloche run --rm alpine echo hello >/dev/full'
    [ "$status" -ne 0 ]
    expect_one_line_error "o space left"
    run bash -c 'cloche ps >/dev/full'
    expect_status 1
    expect_one_line_error "standard output" "o space left"
}

@test "no root: says what is needed" {
    need_program setpriv
    cp "$CLOCHE_BUILD/cloche" "$WORLD/cloche" # the way to the build may be closed to others
    run setpriv --reuid 65534 --regid 65534 --clear-groups env CLOCHE_ROOT=/tmp/not-ours-$$ CLOCHE_STATE=/tmp/not-ours-$$-state "$WORLD/cloche" run --rm cloche/busybox true
    expect_status 125
    expect_one_line_error root
    [ ! -e "/tmp/not-ours-$$" ]
    run setpriv --reuid 65534 --regid 65534 --clear-groups "$WORLD/cloche" ps
    rm "$WORLD/cloche"
    expect_status 1
    expect_one_line_error "$CLOCHE_ROOT" root
}

@test "a damaged catalog: says which file and what to do" {
    mkdir -m 700 "$BATS_TEST_TMPDIR/root"
    head -c 10000 /dev/urandom >"$BATS_TEST_TMPDIR/root/catalog.db"
    run cloche --root "$BATS_TEST_TMPDIR/root" ps
    expect_status 1
    expect_one_line_error "$BATS_TEST_TMPDIR/root/catalog.db"
}
