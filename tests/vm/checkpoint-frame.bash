# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The frame of the bats files about checkpoint and restore with the real criu: what they need, and a container "box" that counts. Loaded after the runtime's frame.
#
# criu_setup_file and criu_setup are setup_file and setup, unless the file has its own. need_criu, skips with the reason; start_counter; count, where it is; counts_beyond N; checkpoint [OPTION…] into $IMAGES; restore [OPTION…]; pid_of [ID];
# nothing_is_left; in_user_ns; in_parent IMAGES PID, how many pages of a process are with the parent of the images, and how many are not.
# shellcheck disable=SC2016,SC2119,SC2120,SC2030,SC2031,SC2034,SC2154 # dollars of the container's shell; read by the frame; status, output: set by run

criu_setup_file() {
    runtime_setup_file
    export CRIU_MISSING=
    if [ "$(id -u)" != 0 ] || ! command -v criu >/dev/null; then
        CRIU_MISSING="needs root and the program criu (./dev vm checkpoint has both)"
    elif ! criu check >"$WORLD/criu-check" 2>&1; then
        CRIU_MISSING="criu says no: $(grep -m 1 Error "$WORLD/criu-check" || tail -n 1 "$WORLD/criu-check")"
    fi
    for applet in touch stat ip; do ln -sf busybox "$BUNDLE/rootfs/bin/$applet"; done
}

need_criu() {
    [ -z "$CRIU_MISSING" ] || skip "$CRIU_MISSING"
}

criu_setup() {
    need_criu
    runtime_setup
    IMAGES=$WORLD/images
    ! mountpoint -q "$WORLD/data/below" || umount -l "$WORLD/data/below" # of a test that failed
    export OUT=$WORLD/out
    rm -rf "$IMAGES" "$WORLD"/images-* "$OUT" "$WORLD/data"
    mkdir "$WORLD/data"
    chown -R 0:0 "$BUNDLE/rootfs"
    change --arg data "$WORLD/data" '.hostname = "counter" | .mounts += [{ destination: "/data", type: "bind", source: $data, options: ["rbind", "rw"] }]'
    # Counts; its pid and parent are in there, too, as it sees them.
    script 'i=0; while :; do i=$((i + 1)); echo "$i $$ $PPID" >/data/.n; mv /data/.n /data/n; sleep 0.05; done'
    ln -sf busybox "$BUNDLE/rootfs/bin/mv"
}

count() {
    wait_until test -s "$WORLD/data/n"
    cut -d' ' -f1 "$WORLD/data/n"
}

# counts_beyond N: it has counted on from N, so it was not started anew.
counts_beyond() {
    [ "$(count)" -gt "$1" ]
}

start_counter() {
    rt run -d -b "$BUNDLE" box </dev/null >"$OUT" 2>&1 || { cat "$OUT" >&2; return 1; }
    wait_until test -s "$WORLD/data/n"
    wait_until counts_beyond 5
}

# checkpoint [OPTION…]: with the words of a failure.
checkpoint() {
    rt checkpoint --image-path "$IMAGES" "$@" box
}

restore() {
    rt restore -d --image-path "$IMAGES" -b "$BUNDLE" "$@" box </dev/null >>"$OUT" 2>&1 || { cat "$OUT" >&2; return 1; }
}

pid_of() {
    rt state "${1:-box}" | jq .pid
}

mounts_of() {
    awk '{ print $5, $6 }' "/proc/$(pid_of)/mountinfo" | sort
}

devices_of() {
    find "/proc/$(pid_of)/root/dev" -mindepth 1 -maxdepth 1 -exec stat -c '%n %A %t:%T' {} + | sed 's,.*/dev/,,' | sort
}

# in_user_ns: the container's root is 100000, to whom the data belong. Nobody but root may go where all of it lies, and so it stays.
in_user_ns() {
    change '.linux.namespaces += [{ type: "user" }] | .linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 65536 }] | .linux.gidMappings = .linux.uidMappings'
    chown -R 100000:100000 "$WORLD/data" "$BUNDLE/rootfs"
    chmod 700 "$WORLD"
    touch "$OUT"
    chmod 666 "$OUT" # criu opens it again as that root
}

# pagemap-PID.img: a head, then messages with their sizes, each a run of pages: 2 or 5 is their number, 3 or bit 0 of 4 says that the parent has them.
in_parent() {
    python3 - "$1/pagemap-$2.img" <<'END'
import struct, sys
data, at, pages = open(sys.argv[1], "rb").read(), 8, {True: 0, False: 0}
def varint():
    global at
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value
while at < len(data):
    end = at + 4 + struct.unpack_from("<I", data, at)[0]
    at, run = at + 4, {}
    while at < end:
        key = varint()
        run[key >> 3] = varint()
    pages[bool(run.get(3, 0) or run.get(4, 0) & 1)] += run.get(5, run.get(2, 0))
print(pages[True], pages[False])
END
}

nothing_is_left() {
    [ -z "$(rt list -q)" ]
    [ ! -e "$(group_dir memory)" ]
    [ "$(grep -cF "$WORLD/oci" /proc/self/mountinfo)" = 0 ]
    [ -z "$(ls -A "$WORLD/oci" 2>/dev/null)" ]
}

setup_file() { criu_setup_file; }
setup() { criu_setup; }
