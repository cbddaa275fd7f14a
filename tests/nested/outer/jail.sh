# For cases that look at the monitor's jail, from outside.

# status_of NAME: a line of the monitor's /proc/PID/status.
status_of() {
	sed -n "s/^$1:[[:space:]]*//p" "/proc/$monitor/status" | tr '\t' ' '
}

expect_of() { # NAME VALUE
	[ "$(status_of "$1")" = "$2" ] ||
		fail "the monitor's $1 is '$(status_of "$1")', not '$2'"
}

# expect_jailed UID: the monitor that runs, which this user has started.
expect_jailed() {
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
}
