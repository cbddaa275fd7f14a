# The monitor while its guest works on disks: locked up alike, whether root
# started it or somebody who may open /dev/kvm and nothing else.
# each: root 0
# each: user 1000
# release: user
# limit: 300
. /nested/devices.sh
cd /disk/case || exit 1
truncate -s 48M fs
dd if=/dev/urandom of=ro bs=1M count=2 2>/dev/null
truncate -s 5M direct
truncate -s 3M far
if [ "$1" != 0 ]; then
	chown "$1:$1" fs ro direct far . "$CASE_DIR"
	chown "0:$1" /dev/kvm
	chmod 660 /dev/kvm
	wrap="host-tool as $1"
fi

# status_of NAME: a line of the monitor's /proc/PID/status.
status_of() {
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$monitor/status" | tr '\t' ' '
}

expect_of() { # NAME VALUE
	[ "$(status_of "$1")" = "$2" ] ||
		fail "the monitor's $1 is '$(status_of "$1")', not '$2'"
}

start_devices disk.sh -c 2 -d fs,queues=2 -d ro,ro,lun=3 \
	-d direct,direct,serial=coffer-7,lun=7 -d far,lun=100
wait_for 100 '^fact luns'
monitor=$(pidof coffer-monitor)
for set in CapInh CapPrm CapEff CapBnd CapAmb; do
	expect_of "$set" 0000000000000000
done
expect_of NoNewPrivs 1
expect_of Seccomp 2
expect_of NSpid "$monitor 1"
for task in /proc/"$monitor"/task/*; do
	[ "$(sed -n 's/^Seccomp:[[:space:]]*//p' "$task/status")" = 2 ] ||
		fail "no filter: $(cat "$task/comm")"
done
for ns in mnt net ipc pid uts cgroup; do
	[ "$(readlink "/proc/$monitor/ns/$ns")" != "$(readlink "/proc/self/ns/$ns")" ] ||
		fail "the monitor is in the host's $ns namespace"
done
[ -z "$(ls -A "/proc/$monitor/root/")" ] || fail "its root has files"
[ "$(wc -l <"/proc/$monitor/mountinfo")" = 1 ] || fail "it has more mounts"
[ "$(tr -d '\0' <"/proc/$monitor/environ" | wc -c)" = 0 ] ||
	fail "it has an environment"
uid=$(status_of Uid)
uid=${uid%% *}
case $1 in
0)
	[ "$uid" -ge 1891631104 ] && [ "$uid" -le 1891647487 ] ||
		fail "it is user $uid"
	;;
*)
	[ "$uid" = "$1" ] || fail "it is user $uid"
	[ "$(readlink "/proc/$monitor/ns/user")" != "$(readlink /proc/self/ns/user)" ] ||
		fail "it is in the host's user namespace"
	;;
esac
wait_devices
same_bytes 0 fs
same_bytes 3 ro
same_bytes 7 direct
same_bytes 100 far
expect_counter scsi0.lun0 errors -eq 0
[ -d "/proc/$monitor" ] && fail "the monitor is still there"
true
