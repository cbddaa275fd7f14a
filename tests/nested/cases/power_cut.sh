# A power cut of the host loses nothing that a guest has synced: with io_uring,
# and with threads. That this can be seen at all is shown by a third guest, on
# a host whose fsync(2) does nothing.
# limit: 400
. /nested/devices.sh
modules=$disk_modules
cd /disk/case || exit 1

# writer NAME [COMMAND...]: a guest that has written everything, and waits.
writer() {
	image=$1
	shift
	wrap=$*
	out=$CASE_DIR/$image.log err=$CASE_DIR/$image.err.log
	start_devices power_write.sh -m 256M -d "$image" -v
	wait_for 100 '^synced 20'
	refuse_line '^problem: '
	step "$image is written"
}

if [ -z "$resumed" ]; then
	# Whatever reaches the disk, some sync has sent it there.
	echo 0 >/proc/sys/vm/dirty_writeback_centisecs
	echo 90 >/proc/sys/vm/dirty_ratio
	echo 80 >/proc/sys/vm/dirty_background_ratio
	for image in uring threads nosync; do
		dd if=/dev/zero of=$image bs=1M count=16 2>/dev/null
	done
	sync
	writer uring
	writer threads host-tool without io_uring
	expect_line 'using threads' "$CASE_DIR/threads.err.log"
	refuse_line 'using threads' "$CASE_DIR/uring.err.log"
	writer nosync host-tool without sync
	power_cut
fi

run_devices power_check.sh -d uring -d threads -d nosync
expect_fact records.0 20
expect_fact sound.0 1
expect_fact records.1 20
expect_fact sound.1 1
[ "$(fact records.2)" -lt 20 ] ||
	fail "this test does not see whether a flush reaches the disk"
