# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What a program in a container can see, one fact a line; run by the container's own busybox for differential.py, which makes the lines comparable. With as few processes as it
# goes: it runs for each configuration twice.
exec 2>&1 # one stream: runc hands the two on by pipes of its own
echo "args $# $1"
umask 
umask 0
pwd
id
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp|SigBlk|Umask|Speculation_Store_Bypass|Cpus_allowed_list|Mems_allowed_list|THP_enabled)' /proc/self/status
cat /proc/self/limits
sed 's/^/MOUNT /' /proc/self/mountinfo
hostname; uname -m; cat /proc/sys/kernel/domainname
sed 's/^/CGROUP /' /proc/self/cgroup
env | grep -v -e '^_=' -e '^SHLVL=' -e '^OLDPWD=' | sort
cat /proc/self/oom_score_adj
ls -l /proc/self/ns | sed -n 's/.* \([a-z_]*\) -> /NS \1 /p'
find /dev -type l -not -path '/dev/pts/*' | sort | while read -r path; do echo "$path -> $(readlink "$path")"; done
find /dev -not -type d -not -type l -not -path '/dev/pts/*' | sort | xargs stat -c '%n %f %u:%g %t,%T'
stat -c '%n %f %u:%g' /secret /secret-dir /proc/kcore /proc/keys /proc/timer_list /proc/scsi /proc/sys /proc/sysrq-trigger /proc/fs /proc/irq /tmp /dev /dev/shm /data /mnt /mnt/in \
    /mnt/bound /mnt/bound/sub /mnt/bound/file /up /up/file /up/link /etc /etc/one /etc/dev/null /new-file /tmp/pipe /made/deep/here /made/by/bind /data/sub
cat /secret; ls /secret-dir
for name in net/ipv4/ip_forward net/core/somaxconn net/ipv4/ping_group_range kernel/msgmax kernel/shm_rmid_forced fs/mqueue/msg_max kernel/sem; do
    value=; read -r value </proc/sys/$name; echo "$name $value"
done
cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
cat /up/file /etc/one; ls /up /etc /mnt /sys/firmware
touch /etc/touched /etc/one /tmp/touched /mnt/bound/touched /mnt/in/touched /touched /bin/touched /mnt/touched /data/touched
chown 5 /tmp/touched; ln -s x /tmp/symbolic; ln /tmp/touched /tmp/hard
mkdir /tmp/dir; chmod 700 /tmp; mknod /tmp/node c 1 3; mknod /tmp/fifo p
(echo >/tmp/node); (: </dev/extra); (: </dev/sub/dir/zero); (: </dev/disk)
trap '' USR1 USR2 TERM; kill -USR1 $$; kill -USR2 $$; kill -TERM $$
(umask 5); sync; echo "sync $?"
read -r stat </proc/$$/stat
# shellcheck disable=SC2086 # its words
set -- $stat
[ "$1" = "$5" ] && echo "leads its group"; [ "$1" = "$6" ] && echo "leads its session"; [ "$7" = 0 ] && echo "no terminal"
shift 17; echo "nice $2"; shift 22; echo "realtime $1 policy $2"; ionice -p $$
cat /proc/self/timens_offsets /proc/self/timerslack_ns /proc/self/personality
grep -o -m 1 -E ' (bind|interleave|prefer|local|default)[^ ]*' /proc/self/numa_maps
find /fs /below /link/below /mapped -maxdepth 2 -not -path '/fs/*/*/*' 2>/dev/null | sort | xargs stat -c '%n %f %u:%g'
touch /fs/overlay/touched /below/touched /below/sub/touched /mnt/sub/dir/touched /mapped/touched
[ ! -t 0 ] || { tty; stty -a | while read -r line; do printf "%s " "$line"; done; echo; }
echo 1 >/proc/sys/kernel/hostname; hostname
ls -l /proc/self/fd | grep -c -- '->'
cat /tmp/hook
for file in /proc/meminfo /dev/bound /dev/tree/file; do
    read -r line <$file; case $line in MemTotal*) line=real ;; esac; echo "$file $line"
done
ls /dev/shm /dev/tree
[ ! -e /cg ] || for file in memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes memory/memory.swappiness memory/memory.memsw.limit_in_bytes \
    memory/memory.kmem.tcp.limit_in_bytes memory/memory.oom_control cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us cpu/cpu.cfs_burst_us cpu/cpu.idle cpuset/cpuset.cpus \
    cpuset/cpuset.mems pids/pids.max blkio/blkio.throttle.read_bps_device blkio/blkio.throttle.write_bps_device blkio/blkio.throttle.read_iops_device \
    blkio/blkio.throttle.write_iops_device; do
    while read -r line; do echo "$file $line"; done </cg/"${file%/*}/$GROUP/${file#*/}"
done
[ ! -e /cg ] || sort /cg/devices/$GROUP/devices.list
