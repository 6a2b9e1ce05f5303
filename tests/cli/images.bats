#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# images, import, load, tag, rmi, and the embedded image.

load helper

# A tar of one small root file system, for tests that need no Alpine: `make_rootfs_tar FILE TEXT`.
make_rootfs_tar() {
    mkdir -p "$BATS_TEST_TMPDIR/tree/bin"
    cp "$(command -v busybox)" "$BATS_TEST_TMPDIR/tree/bin/busybox"
    ln -sf busybox "$BATS_TEST_TMPDIR/tree/bin/cat"
    echo "$2" >"$BATS_TEST_TMPDIR/tree/text"
    tar -C "$BATS_TEST_TMPDIR/tree" -cf "$1" .
}

@test "images: the table, -q, --no-trunc, --digests, a name, formats" {
    run cloche images
    expect_match $'^REPOSITORY   TAG       IMAGE ID       CREATED +SIZE\nalpine       latest    [0-9a-f]{12}   .* ago +[0-9.]+[kM]B$'
    run cloche images -q
    expect_match '^[0-9a-f]{12}$'
    run cloche images -q --no-trunc
    expect_match '^sha256:[0-9a-f]{64}$'
    run cloche images --digests
    expect_match '^REPOSITORY   TAG       DIGEST +IMAGE ID'
    expect_match 'sha256:[0-9a-f]{64}'
    run cloche images alpine
    expect_match $'\nalpine '
    run cloche images other
    expect_output 'REPOSITORY   TAG       IMAGE ID   CREATED   SIZE'
    run cloche images --format '{{.Repository}}:{{.Tag}} {{.ID}}'
    expect_match '^alpine:latest [0-9a-f]{12}$'
    run cloche images --format json
    expect_match '"Repository":"alpine"'
    run cloche image ls -q
    expect_match '^[0-9a-f]{12}$'
}

@test "import: plain, gzip, xz, zstd and bzip2, from a file and from standard input; the same content" {
    local tool layer=
    mkdir "$BATS_TEST_TMPDIR/tree"
    seq 1 5000 >"$BATS_TEST_TMPDIR/tree/text"
    tar -C "$BATS_TEST_TMPDIR/tree" -cf "$BATS_TEST_TMPDIR/r.tar" .
    for tool in cat gzip xz zstd bzip2; do
        command -v "$tool" >/dev/null || continue
        "$tool" <"$BATS_TEST_TMPDIR/r.tar" >"$BATS_TEST_TMPDIR/r.$tool"
        run cloche import "$BATS_TEST_TMPDIR/r.$tool" "from-$tool"
        expect_status 0
        expect_match '^sha256:[0-9a-f]{64}$'
        run cloche inspect --format '{{index .RootFS.Layers 0}}' "from-$tool"
        expect_output "${layer:-sha256:$(sha256sum <"$BATS_TEST_TMPDIR/r.tar" | cut -d ' ' -f 1)}"
        layer=$output
    done
    find "$CLOCHE_ROOT/layers" -path '*/text' -exec cmp "$BATS_TEST_TMPDIR/tree/text" {} +
    run cloche import - piped:v1 <"$BATS_TEST_TMPDIR/r.tar"
    expect_status 0
    run cloche images --format '{{.Repository}}:{{.Tag}}' piped
    expect_output piped:v1
    for tool in cat gzip xz zstd bzip2; do cloche rmi -f "from-$tool" >/dev/null; done
    cloche rmi piped:v1
}

@test "import: without a name; with --message; with --change; with a bad change or name" {
    make_rootfs_tar "$BATS_TEST_TMPDIR/r.tar" one
    run cloche import -m 'a message' -c 'ENV A=1 B="two words"' -c 'EXPOSE 80/tcp' -c 'VOLUME /data' -c 'STOPSIGNAL SIGINT' -c 'LABEL k=v' \
        -c 'CMD ["/bin/cat", "/text"]' -c 'WORKDIR /' "$BATS_TEST_TMPDIR/r.tar"
    expect_status 0
    local id=$output
    run cloche images --format '{{.Repository}} {{.Tag}} {{.ID}}'
    expect_line "<none> <none> ${id:7:12}"
    run cloche inspect --format '{{.Comment}} {{json .Config.Env}} {{json .Config.ExposedPorts}} {{json .Config.Volumes}} {{.Config.StopSignal}} {{json .Config.Labels}} {{json .Config.Cmd}}' "$id"
    expect_output 'a message ["A=1","B=two words"] {"80/tcp":{}} {"/data":{}} SIGINT {"k":"v"} ["/bin/cat","/text"]'
    run cloche run --rm "$id"
    expect_output one
    cloche rmi "${id:7:12}"
    run cloche import -c 'RUN make' "$BATS_TEST_TMPDIR/r.tar" x
    expect_status 1
    expect_one_line_error RUN
    run cloche import "$BATS_TEST_TMPDIR/r.tar" 'UPPER case'
    [ "$status" -ne 0 ]
    expect_one_line_error 'UPPER case'
    run cloche images -q
    [ "$(wc -l <<<"$output")" -eq 1 ]
}

@test "the same import twice is one image with two names; layers are shared" {
    make_rootfs_tar "$BATS_TEST_TMPDIR/r.tar" twice
    cloche import "$BATS_TEST_TMPDIR/r.tar" first
    cloche import "$BATS_TEST_TMPDIR/r.tar" second
    [ "$(cloche inspect --format '{{json .RootFS.Layers}}' first)" = "$(cloche inspect --format '{{json .RootFS.Layers}}' second)" ]
    [ "$(find "$CLOCHE_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" -eq 2 ] # alpine's, and this one
    cloche rmi first
    run cloche run --rm second cat /text
    expect_output twice
    cloche rmi second
    [ "$(find "$CLOCHE_ROOT/layers" -mindepth 1 -maxdepth 1 | wc -l)" -eq 1 ]
}

@test "import keeps owners, modes, links, times and awkward names" {
    mkdir "$BATS_TEST_TMPDIR/t"
    cd "$BATS_TEST_TMPDIR/t"
    mkdir bin
    cp "$(command -v busybox)" bin/busybox
    ln -s busybox bin/stat
    ln -s busybox bin/cat
    echo text >file
    chown 12:34 file
    chmod 4751 file
    touch -d '2001-02-03 04:05:06Z' file
    ln file hard
    ln -s /etc/passwd link
    touch "$(printf 'new\nline')" "$(printf '\377')" -- '-dash' 'sp ace'
    touch "$(printf 'long%.0s' $(seq 50))"
    tar -cf ../t.tar .
    cloche import ../t.tar kept
    run cloche run --rm kept stat -c '%u:%g %a %Y %h' /file
    expect_output '12:34 4751 981173106 2'
    run cloche run --rm kept cat /hard
    expect_output text
    run cloche run --rm kept stat -c %N /link
    expect_text /etc/passwd
    [ "$(find "$CLOCHE_ROOT/layers" -name 'long*' | wc -l)" -eq 1 ]
    [ "$(find "$CLOCHE_ROOT/layers" -name $'new\nline' | wc -l)" -eq 2 ] # a name with a newline is two lines
    cloche rmi kept
}

@test "tag: a second name for the same image; every spelling finds it" {
    cloche tag alpine mine:v1
    [ "$(cloche inspect --format '{{.Id}}' mine:v1)" = "$(cloche inspect --format '{{.Id}}' alpine)" ]
    local name
    for name in alpine alpine:latest docker.io/library/alpine library/alpine docker.io/alpine:latest; do
        run cloche inspect --format '{{index .RepoTags 0}}' "$name"
        expect_output alpine:latest
    done
    run cloche tag no-such-image x
    expect_status 1
    expect_one_line_error no-such-image
    run cloche tag alpine 'BAD NAME'
    [ "$status" -ne 0 ]
    expect_one_line_error 'BAD NAME'
    run cloche rmi mine:v1
    expect_output 'Untagged: mine:v1'
    run cloche tag alpine localhost:5000/deep/path/name:tag
    expect_status 0
    cloche rmi localhost:5000/deep/path/name:tag
    run cloche images -q
    expect_match '^[0-9a-f]{12}$'
}

@test "rmi: untagged and deleted, by name and by id; refused while in use" {
    local id layer
    make_rootfs_tar "$BATS_TEST_TMPDIR/r.tar" gone
    id=$(cloche import "$BATS_TEST_TMPDIR/r.tar" gone:now)
    layer=$(cloche inspect --format '{{index .RootFS.Layers 0}}' gone:now)
    cloche create --name user gone:now cat /text
    run cloche rmi gone:now
    expect_status 1
    expect_one_line_error gone:now "used by container" "$(cloche ps -aq)"
    cloche start -a user
    cloche rm user
    run cloche rmi gone:now
    expect_status 0
    expect_output "Untagged: gone:now"$'\n'"Deleted: $id"$'\n'"Deleted: $layer"
    cloche import "$BATS_TEST_TMPDIR/r.tar" gone:now
    cloche tag gone:now gone:too
    run cloche rmi "$(cloche images -q gone:now)"
    expect_status 1
    expect_one_line_error "several names" -f
    run cloche rmi -f "$(cloche images -q gone:now)"
    expect_line 'Untagged: gone:now'
    expect_line 'Untagged: gone:too'
    run cloche rmi gone:now
    expect_status 1
    expect_one_line_error "no such image: gone:now"
    [ "$(find "$CLOCHE_ROOT/blobs/sha256" -type f | wc -l)" -eq "$(blobs_of alpine)" ]
}

# How many blobs an image of one layer has: config, manifest, layer.
blobs_of() {
    cloche image inspect "$1" >/dev/null && echo 3
}

@test "load: a docker-archive and an OCI layout, two layers with whiteouts" {
    make_archives
    local kind
    for kind in docker oci; do
        run cloche load -i "$BATS_TEST_TMPDIR/$kind.tar"
        expect_status 0
        expect_output "Loaded image: two/layers:$kind"
        run cloche run --rm "two/layers:$kind"
        expect_output $'kept changed added\nwhole: new'
        run cloche inspect --format '{{len .RootFS.Layers}} {{json .Config.Cmd}}' "two/layers:$kind"
        expect_match '^2 '
        cloche rmi "two/layers:$kind"
    done
    run cloche load -q <"$BATS_TEST_TMPDIR/docker.tar"
    expect_status 0
    expect_output ''
    cloche rmi two/layers:docker
    run cloche load -i "$ALPINE_TAR"
    expect_status 1
    expect_one_line_error "$ALPINE_TAR"
    run cloche load -i /no/such/file
    expect_status 1
    expect_one_line_error /no/such/file "No such file"
}

# Two layers, as docker save and as an OCI layout. The second one deletes `gone`, changes `changed`, adds `added`, and empties `whole` before it fills it anew.
make_archives() {
    need_program python3
    python3 - "$BATS_TEST_TMPDIR" "$(command -v busybox)" <<'END'
import hashlib, io, json, sys, tarfile
out, busybox = sys.argv[1:]

def tar(entries):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as archive:
        for name, content in entries:
            info = tarfile.TarInfo(name)
            if content is None:
                info.type, info.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(info)
            else:
                info.size, info.mode = len(content), 0o755
                archive.addfile(info, io.BytesIO(content))
    return data.getvalue()

digest = lambda data: hashlib.sha256(data).hexdigest()
layers = [
    tar([("bin", None), ("bin/busybox", open(busybox, "rb").read()), ("d", None), ("d/gone", b"x"), ("d/kept", b"kept"), ("d/changed", b"old"),
         ("whole", None), ("whole/old", b"x")]),
    tar([("d", None), ("d/.wh.gone", b""), ("d/changed", b"changed"), ("d/added", b"added"), ("whole", None), ("whole/.wh..wh..opq", b""), ("whole/new", b"x")]),
]
script = 'cd /d; test ! -e gone && echo $(/bin/busybox cat kept; echo; /bin/busybox cat changed; echo; /bin/busybox cat added); echo "whole: $(/bin/busybox ls /whole)"'
config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/busybox", "sh", "-c", script]},
                     "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(layer) for layer in layers]}, "history": []}).encode()
files = [("%s/layer.tar" % digest(layer), layer) for layer in layers]
files += [(digest(config) + ".json", config)]
files += [("manifest.json", json.dumps([{"Config": digest(config) + ".json", "RepoTags": ["two/layers:docker"],
                                         "Layers": [name for name, _ in files[:2]]}]).encode())]
open(out + "/docker.tar", "wb").write(tar([(name.split("/")[0], None) for name, _ in files[:2]] + files))
manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
                       "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + digest(config), "size": len(config)},
                       "layers": [{"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": "sha256:" + digest(layer), "size": len(layer)} for layer in layers]}).encode()
index = json.dumps({"schemaVersion": 2, "manifests": [{"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + digest(manifest),
                    "size": len(manifest), "annotations": {"org.opencontainers.image.ref.name": "two/layers:oci", "io.containerd.image.name": "two/layers:oci"}}]}).encode()
blobs = [("blobs/sha256/" + digest(blob), blob) for blob in layers + [config, manifest]]
open(out + "/oci.tar", "wb").write(tar([("blobs", None), ("blobs/sha256", None)] + blobs + [("index.json", index), ("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')]))
END
}

@test "the embedded image: there on first use, listed from then on, back after its removal" {
    run cloche run --rm cloche/busybox:latest sh -c 'echo from the dome'
    expect_output 'from the dome'
    run cloche images --format '{{.Repository}}:{{.Tag}}' cloche/busybox
    expect_output cloche/busybox:latest
    cloche rmi cloche/busybox
    run cloche run --rm cloche/busybox true
    expect_status 0
    run cloche run --rm cloche/busybox:other true
    expect_status 125
    expect_one_line_error cloche/busybox:other
    cloche rmi cloche/busybox
}
