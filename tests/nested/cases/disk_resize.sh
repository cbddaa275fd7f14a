# An image is made longer while its guest runs, which is told and goes on.
# limit: 200
. /nested/devices.sh
modules=$disk_modules
cd /disk/case || exit 1
api=$CASE_DIR/api
truncate -s 8M a b
start_devices disk_resize.sh -d a -d b,lun=5 --api "$api"
wait_for 100 '^fact before 8388608'
truncate -s 24M b
[ "$(coffer ctl "$api" resize 5)" = "LUN 5 has 25165824 bytes" ] || fail "resize"
wait_for 100 '^fact after 25165824'
coffer ctl "$api" resize 6 2>refused.log && fail "there is no LUN 6"
grep -q 'no disk at LUN 6' refused.log || fail "$(cat refused.log)"
wait_devices
expect_fact after.0 8388608
expect_counter scsi0 events -eq 1
same_bytes 5 b
