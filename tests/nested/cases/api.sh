# A guest writes to its disk and reads it back while clients of every kind, most
# of them bad, ask its control socket some hundred times, and pause and resume it:
# its data are whole, its kernel saw nothing, the supervisor has not grown.
# each: plain 1000
# each: cbit 300
# release:
# limit: 400
. /nested/devices.sh
modules=$disk_modules
cd /disk/case || exit 1
api=$CASE_DIR/api
truncate -s 8M disk
truncate -s 1M control

# AddressSanitizer keeps what was freed, and needs some more for itself.
most=1024
if is_sanitized; then
	most=8192
	export ASAN_OPTIONS="quarantine_size_mb=1:$ASAN_OPTIONS"
fi

own_memory() { # of the supervisor, in KiB
	sed -n 's/^RssAnon:[^0-9]*\([0-9]*\) kB/\1/p' "/proc/$coffer_pid/status"
}

open_files() {
	ls "/proc/$coffer_pid/fd" | wc -l
}

# storm N SEED: and then the guest runs, and no client is left.
storm() {
	api-storm "$api" "$1" "$2" >"$CASE_DIR/storm.log" 2>&1 ||
		fail "the control socket answered wrongly"
	step "$(tail -n 1 "$CASE_DIR/storm.log")"
	[ "$(coffer ctl "$api" resume)" = running ] || fail "resume"
	sleep 1
}

start_devices busy.sh -c 2 --api "$api" -d disk -d control
wait_for 100 '^fact busy 1'
storm 200 1 # what is allocated once
before=$(own_memory) files=$(open_files)
storm "$1" 2
after=$(own_memory)
step "the supervisor's own memory: $before KiB before, $after KiB after"
[ $((after - before)) -le $most ] || fail "it has grown by more than $most KiB"
[ "$(open_files)" -le "$files" ] ||
	fail "$(open_files) descriptors are open, $files were before"

# A pause that the guest's watchdogs would notice, were they not told.
[ "$(coffer ctl "$api" pause)" = paused ] || fail "pause"
sleep 5
coffer ctl "$api" status | grep -q '^state *paused' || fail "not paused"
[ "$(coffer ctl "$api" resume)" = running ] || fail "resume"
sleep 1

echo stop | dd of=control conv=notrunc 2>/dev/null
wait_devices
refuse_line 'soft lockup|rcu.*(stall|detected)|clocksource.*unstable'
[ "$(fact rounds)" -gt 3 ] || fail "only $(fact rounds) rounds"
same_bytes 0 disk
expect_counter scsi0.lun0 errors -eq 0
expect_counter scsi0 bad_chains -eq 0
[ ! -e "$api" ] || fail "the socket is still there"
