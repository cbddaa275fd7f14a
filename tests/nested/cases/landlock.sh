# Landlock alone: without namespaces and without lists of calls a monitor that
# was taken over still opens no path, as root and as anybody.
# each: root 0
# each: user 1000
# release:
. /nested/attack.sh
prepare_attacks "$1"
mount -t securityfs none /sys/kernel/security 2>/dev/null
grep -q landlock /sys/kernel/security/lsm ||
	fail "this kernel has no Landlock: $(cat /sys/kernel/security/lsm)"
# The attempts are such as would work: the user may do this.
$wrap cat /etc/passwd >/dev/null || fail "a user cannot read /etc/passwd"
$wrap sh -c ': >/tmp/x' || fail "a user cannot write to /tmp"
rm -f /tmp/x

bad=0
refused() { # KIND NAME
	was=$(attempt "$(number_of "$2")" "$1" --jail off --seccomp off -v)
	grep -q 'jail: Landlock, ABI' "$CASE_DIR/attack.log" || fail "no Landlock"
	[ "$was" = EACCES ] && return
	echo "$2: $was, not EACCES"
	bad=$((bad + 1))
}
for kind in 0 1 2; do
	refused $kind "open of a file"
	refused $kind "openat of a file"
	refused $kind "openat of /proc/self/mem"
	refused $kind "openat2"
	refused $kind "creat"
	refused $kind "execve of a shell"
	refused $kind "execveat of a shell"
done
[ -e /tmp/x ] && fail "a file was made"
[ $bad = 0 ] || fail "attacks"

# What --jail off leaves, also of root: no capability, and no way to new ones.
start_coffer run -k /nested/payloads/idle.elf -m 16M --jail off
wait_for 20 '^idle'
monitor=$(pidof coffer-monitor)
for set in CapInh CapPrm CapEff CapAmb; do
	grep -qE "^$set:[[:space:]]*0000000000000000$" "/proc/$monitor/status" ||
		fail "the monitor has capabilities: $(grep Cap "/proc/$monitor/status")"
done
[ "$1" != 0 ] || grep -qE "^CapBnd:[[:space:]]*0000000000000000$" \
	"/proc/$monitor/status" || fail "it may get capabilities"
grep -qE '^NoNewPrivs:[[:space:]]*1$' "/proc/$monitor/status" || fail "new privileges"
