# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
#
# What a program in a container can see, one fact a line; run by the container's own busybox for differential.py, which makes the lines comparable.
echo "args $# $1"
umask 
umask 0
pwd
id
grep -E '^(Uid|Gid|Groups|Cap|NoNewPrivs|Seccomp:)' /proc/self/status
cat /proc/self/limits
sed 's/^/MOUNT /' /proc/self/mountinfo
hostname; uname -m; cat /proc/sys/kernel/domainname
sed 's/^/CGROUP /' /proc/self/cgroup
env | grep -v -e '^_=' -e '^SHLVL=' -e '^OLDPWD=' | sort
echo "adj $(cat /proc/self/oom_score_adj)"
for ns in mnt pid ipc uts net cgroup user time; do echo "NS $ns $(readlink /proc/self/ns/$ns)"; done
find /dev -not -type d -not -path '/dev/pts/*' | sort | while read -r path; do
    [ -h "$path" ] && echo "$path -> $(readlink "$path")" || stat -c '%n %f %u:%g %t,%T' "$path"
done
for path in /secret /secret-dir /proc/kcore /proc/keys /proc/timer_list /proc/scsi /proc/sys /proc/sysrq-trigger /proc/fs /proc/irq /tmp /dev /dev/shm /data /mnt /mnt/in /mnt/bound \
    /mnt/bound/sub /mnt/bound/file /up /up/file /up/link /etc /etc/one /etc/dev/null /new-file /tmp/pipe /made/deep/here /made/by/bind /data/sub; do
    stat -c '%n %f %u:%g' "$path" 2>&1
done
cat /secret 2>&1; ls /secret-dir 2>&1
for name in net/ipv4/ip_forward net/core/somaxconn net/ipv4/ping_group_range kernel/msgmax kernel/shm_rmid_forced fs/mqueue/msg_max kernel/sem; do
    echo "$name $(cat /proc/sys/$name 2>&1)"
done
cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups
cat /up/file /etc/one 2>&1; ls /up /etc /mnt /sys/firmware 2>&1
touch /etc/touched 2>&1; touch /etc/one 2>&1; touch /tmp/touched 2>&1; touch /mnt/bound/touched 2>&1; touch /mnt/in/touched 2>&1
chown 5 /tmp/touched 2>&1; ln -s x /tmp/symbolic 2>&1; ln /tmp/touched /tmp/hard 2>&1
touch /touched 2>&1; touch /bin/touched 2>&1; touch /mnt/touched 2>&1; touch /data/touched 2>&1
mkdir /tmp/dir 2>&1; chmod 700 /tmp 2>&1; mknod /tmp/node c 1 3 2>&1; mknod /tmp/fifo p 2>&1
(echo >/tmp/node) 2>&1; (: </dev/extra) 2>&1; (: </dev/sub/dir/zero) 2>&1; (: </dev/disk) 2>&1
trap '' USR1 USR2 TERM; kill -USR1 $$ 2>&1; kill -USR2 $$ 2>&1; kill -TERM $$ 2>&1
(umask 5) 2>&1; sync; echo "sync $?"
echo 1 2>&1 >/proc/sys/kernel/hostname; hostname
ls -l /proc/self/fd | grep -c -- '->'
cat /tmp/hook 2>&1
for file in memory/memory.limit_in_bytes memory/memory.soft_limit_in_bytes memory/memory.swappiness cpu/cpu.shares cpu/cpu.cfs_quota_us cpu/cpu.cfs_period_us \
    cpuset/cpuset.cpus cpuset/cpuset.mems pids/pids.max devices/devices.list; do
    [ ! -e /cg ] || echo "$file $(cat /cg/"${file%/*}/$GROUP/${file#*/}" 2>&1 | sort)"
done
