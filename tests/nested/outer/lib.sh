# What a case can use. A case is a shell script in cases/; it passes by
# reaching its end. $CASE_DIR is an empty directory in memory, /disk/case one
# on a real ext4 file system.

CASE_DIR=/tmp/case
KERNELS=/nested/kernels
INITRDS=/nested/initrds
out=$CASE_DIR/out # the guest's console: coffer's stdout
err=$CASE_DIR/err # coffer's own messages
status=
coffer_pid=

fail() {
	echo "FAIL: $*"
	exit 1
}

# The case cannot run here; says why. Never a way to pass.
skip() {
	echo "SKIP: $*"
	exit 77
}

# A coffer with AddressSanitizer inside is about five times slower here: what
# is about volume (bytes, rounds) then takes a part of it, and a release all.
is_sanitized() {
	grep -q __asan_init "$(command -v coffer)"
}

# progress TEXT...: to whoever waits for a long case, at once.
progress() {
	echo "progress: $*" >/dev/console
}

# ask WORD...: the harness outside, which has what this machine lacks
# (outside.py). Prints its answer, one line; the first word is ok or tells why
# not.
ask() {
	echo "$*" >/run/ask
	cat /run/answer
}

# On failure the log holds everything that was said.
show_output() {
	for f in "$out" "$err" "$CASE_DIR"/*.log; do
		[ -s "$f" ] && echo "--- ${f##*/}" && tail -c 60000 "$f"
	done
}

at_exit() {
	code=$?
	if [ -n "$coffer_pid" ]; then
		kill -9 "$coffer_pid" 2>/dev/null
		wait "$coffer_pid" 2>/dev/null
	fi
	kill -9 $(jobs -p) 2>/dev/null
	[ $code = 0 ] || [ $code = 77 ] || show_output
	exit $code
}
trap at_exit EXIT
trap 'fail "out of time"' TERM

# Kill the machine this runs on as a power cut does. Afterwards the case begins
# again on the same disk, with $resumed set.
resumed=${NESTED_RESUMED-}
power_cut() {
	echo cut >/run/power
	sleep 60
	fail "the power is still on"
}

# The guests of most cases skip what costs seconds and is not under test.
append="quiet cryptomgr.notests mitigations=off init_on_alloc=0"

# start_guest KERNEL [OPTION...]: one of the kernels (cloud, generic, vmlinux)
# with its initrd and the command line "console=ttyS0 $append $test". With
# "devices" it is cloud, and its initrd has the programs of tools.py.
start_guest() {
	kernel=$1
	shift
	case $kernel in
	vmlinux) initrd=$INITRDS/generic ;;
	devices) kernel=cloud initrd=$INITRDS/devices ;;
	*) initrd=$INITRDS/$kernel ;;
	esac
	start_coffer run -k "$KERNELS/$kernel" -i "$initrd" \
		-a "console=ttyS0 $append ${test-}" "$@"
}

# Start coffer in the background: its output goes to $out and $err. $wrap may
# be a command in front of it.
start_coffer() {
	: >"$out" >"$err" # at once, not when the other process gets to it
	host-tool exec ${wrap-} coffer "$@" >"$out" 2>"$err" </dev/null &
	coffer_pid=$!
}

# Wait for its end: sets $status.
wait_coffer() {
	wait "$coffer_pid"
	status=$?
	coffer_pid=
}

run_coffer() {
	start_coffer "$@"
	wait_coffer
}

# As start_guest, to its end. No guest of a case is meant to take that long.
run_guest() {
	start_guest "$@" --timeout 100
	wait_coffer
}

expect_status() {
	[ "$status" = "$1" ] || fail "coffer ended with $status, not $1"
}

# expect_line REGEX [FILE]: some line of the output matches.
expect_line() {
	grep -qE -- "$1" "${2-$out}" || fail "no line matches '$1'"
}

refuse_line() {
	if grep -E -- "$1" "${2-$out}"; then
		fail "a line matches '$1'"
	fi
}

# expect_fact NAME VALUE: what the inner init reported.
expect_fact() {
	fact_is=$(fact "$1")
	[ "$fact_is" = "$2" ] || fail "guest reports $1 = '$fact_is', not '$2'"
}

fact() {
	sed -n "s/\r*$//; s/^fact $1 //p" "$out" | tail -n 1
}

# wait_for SECONDS REGEX [FILE [COUNT]]: until so many lines match.
wait_for() {
	w_end=$(($(date +%s) + $1))
	until [ "$(grep -cE -- "$2" "${3-$out}" 2>/dev/null)" -ge "${4-1}" ]; do
		[ "$(date +%s)" -le $w_end ] ||
			fail "no line matches '$2' after $1 s"
		if [ -n "$coffer_pid" ] && ! [ -d "/proc/$coffer_pid" ]; then
			fail "coffer ended before a line matched '$2'"
		fi
		usleep 50000
	done
}

wait_for_path() { # SECONDS PATH
	w_end=$(($(date +%s) + $1))
	until [ -e "$2" ]; do
		[ "$(date +%s)" -le $w_end ] || fail "no $2 after $1 s"
		usleep 50000
	done
}

# expect_json KEY VALUE FILE: for the flat JSON of a status file.
expect_json() {
	tr -d ' \n' <"$3" | grep -qE "\"$1\":\"?$2\"?[,}]" ||
		fail "$1 is not $2 in: $(cat "$3")"
}

# Nothing ACPI, and nothing else, went wrong in the guest's kernel.
expect_clean_log() {
	refuse_line '^problem: '
}
