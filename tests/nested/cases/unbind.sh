# Drivers come and go while their devices are at work. The window one has the
# emulated C-bit, and so bounce buffers, too.
# each: plain
# each: window
# release: window
# limit: 420
. /nested/devices.sh
cd /disk/case || exit 1
truncate -s 8M a
truncate -s 4M b
host-tool tap tap0 0 1 || fail "no tap"
ip addr add 198.51.100.1/24 dev tap0
ip link set tap0 up
stream-tool serve tcp:0.0.0.0:1234 &
stream-tool serve "unix:$CASE_DIR/vsock_1234" 2>/dev/null &

times=3 # each of the three ways of inner/run/unbind.sh once
test="coffer.times=$times"
run_devices unbind.sh -c 2 -d a,queues=2 -d b,direct -n tap=tap0 --rng \
	--vsock "cid=3,path=$CASE_DIR/vsock"
same_bytes 0 a
same_bytes 1 b
for device in scsi0 net0 vsock0 rng0; do
	expect_counter $device resets -gt $times
	expect_counter $device broken -eq 0
	expect_counter $device bad_chains -eq 0
done
ip link delete tap0
# They were at work.
expect_counter scsi0 requests -gt 100
expect_counter net0 tx_frames -gt 100
expect_counter vsock0 opened -gt 20
expect_counter rng0 requests -gt 20
