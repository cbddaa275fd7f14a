# What the scripts here share. A "problem:" line fails the case. Programs in
# /tools that busybox has too are called by path: its shell prefers its own.
PATH=/tools:$PATH
problem() {
	echo "problem: $*"
}

# try COMMAND...: it must succeed; what it says is shown when it does not.
try() {
	"$@" >/tmp/said 2>&1 && return
	problem "status $? of: $*"
	sed 's/^/said: /' /tmp/said
}

# step WHAT: where the time goes, and where it stops.
step() {
	echo "at $(cut -d ' ' -f 1 /proc/uptime): $*"
}

# must_fail COMMAND...
must_fail() {
	if "$@" >/tmp/said 2>&1; then
		problem "succeeded: $*"
	fi
}

# until_true SECONDS COMMAND...
until_true() {
	u_end=$(($(date +%s) + $1))
	shift
	until "$@" 2>/dev/null; do
		if [ "$(date +%s)" -gt $u_end ]; then
			problem "never true: $*"
			return 1
		fi
		usleep 20000
	done
}

# host_is_done ADDR: the host's turn now; it listens there when it is done.
host_is_done() {
	while stream-tool refused "$1" 2>/dev/null; do
		usleep 100000
	done
}

done_well() {
	dmesg | grep -E 'BUG|WARNING: CPU|Oops|Call Trace|hung task' |
		sed 's/^/problem: /'
	# Buffers that wait in the devices' queues, at the least.
	[ "$(cat /sys/kernel/debug/swiotlb/io_tlb_used 2>/dev/null)" -gt 0 ] \
		2>/dev/null &&
		echo "fact bounced 1"
	echo "fact done 1"
}

sha() {
	sha256sum "$@" | cut -d ' ' -f 1
}

mkdir -p /sys/kernel/debug
mount -t debugfs debugfs /sys/kernel/debug
