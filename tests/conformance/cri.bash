# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# For tests of containerd's CRI plugin: its configuration, pods' network, images. To be loaded after ../cli/helper.
# shellcheck disable=SC2154 # WORLD, CLOCHE_BUILD, ALPINE_TAR: the frame's

CNI_PLUGINS=/usr/lib/cni # Debian's containernetworking-plugins

# cri_configuration STATE SOCKET [RUNTIME]: $WORLD/containerd.toml, with its state in the directory STATE. Lower scores and raised limits take CAP_SYS_RESOURCE, which a machine for tests need
# not give. Two handlers, as RuntimeClasses name them: the second has another directory of states.
cri_configuration() {
    local handler handlers=
    for handler in cloche second; do
        handlers+="
[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.$handler]
runtime_type = 'io.containerd.runc.v2'
[plugins.'io.containerd.grpc.v1.cri'.containerd.runtimes.$handler.options]
BinaryName = '${3:-$CLOCHE_BUILD/cloche-runtime}'
Root = '$WORLD/oci-$handler'
"
    done
    cat >"$WORLD/containerd.toml" <<TOML
version = 2
root = '$WORLD/containerd'
state = '$1'
[grpc]
address = '$2'
[plugins.'io.containerd.nri.v1.nri']
disable = true
[plugins.'io.containerd.grpc.v1.cri']
sandbox_image = 'localhost/pause:test'
stream_server_address = '127.0.0.1'
stream_server_port = '0'
restrict_oom_score_adj = true
netns_mounts_under_state_dir = true
[plugins.'io.containerd.grpc.v1.cri'.cni]
bin_dir = '$CNI_PLUGINS'
conf_dir = '$WORLD/cni'
[plugins.'io.containerd.grpc.v1.cri'.containerd]
default_runtime_name = 'cloche'
$handlers
TOML
    mkdir "$WORLD/cni" "$WORLD/logs"
    cat >"$WORLD/cni/10-pods.conflist" <<JSON
{ "cniVersion": "0.4.0", "name": "pods", "plugins": [ { "type": "bridge", "bridge": "pods0", "isGateway": true,
  "ipam": { "type": "host-local", "dataDir": "$WORLD/cni-leases", "ranges": [[{ "subnet": "10.89.0.0/24" }]], "routes": [{ "dst": "0.0.0.0/0" }] } } ] }
JSON
}

# make_image NAME TAR COMMAND: localhost/NAME:test, Alpine with that command, as an archive of Docker's.
make_image() {
    local work=$WORLD/image-$1
    mkdir "$work"
    gzip -dc "$ALPINE_TAR" >"$work/layer.tar"
    jq -n --argjson command "$3" --arg digest "sha256:$(sha256sum <"$work/layer.tar" | cut -d' ' -f1)" \
        '{ architecture: "amd64", os: "linux", config: { Cmd: $command, Env: ["PATH=/usr/bin:/bin:/usr/sbin:/sbin"] }, rootfs: { type: "layers", diff_ids: [$digest] } }' >"$work/config.json"
    jq -n --arg tag "localhost/$1:test" '[{ Config: "config.json", RepoTags: [$tag], Layers: ["layer.tar"] }]' >"$work/manifest.json"
    tar -C "$work" -cf "$2" manifest.json config.json layer.tar
    rm -r "$work"
}
