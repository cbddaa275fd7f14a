# Disks that coffer refuses: files that are none, and files that are in use.
# release:
. /nested/devices.sh
cd /disk/case || exit 1
: >empty
head -c 1000 /dev/zero >odd
truncate -s 1M a b
mkdir dir
mkfifo fifo

refused 66 'nothing: No such file' -d nothing
refused 66 'dir is a directory' -d dir
refused 66 "'empty' is 0 bytes" -d empty
refused 66 "'odd' is 1000 bytes.* multiple of 512" -d odd
refused 66 'neither a file nor a block device' -d fifo
refused 66 'neither a file nor a block device' -d /dev/null
# the root file system is read-only
refused 66 "initrds/cloud: .*',ro'" -d $INITRDS/cloud
# a file system without O_DIRECT
truncate -s 1M $CASE_DIR/a
refused 66 "'direct'" -d "$CASE_DIR/a,direct"
refused 64 'twice' -d a -d a
refused 64 'twice' -d a,ro -d a
refused 64 'lun 3' -d a,lun=3 -d b,lun=3
refused 64 'lun' -d a,lun=256
refused 64 'queues' -d a,queues=0
refused 64 'serial' -d "a,serial=$(printf '%037d' 0)"

# Another VM has it: for writing nobody else may, for reading others may.
test=coffer.test=idle
start_guest devices -d a -d b,ro
wait_for 60 '^fact end'
first=$coffer_pid
out=$CASE_DIR/out2 err=$CASE_DIR/err2
refused 66 "'a' is .*use" -d a
refused 66 "'a' is .*use" -d a,ro
refused 66 "'b' is .*use" -d b
test=
run_guest devices -d b,ro
expect_status 0
kill -9 "$first"
wait "$first"
run_guest devices -d a
expect_status 0
