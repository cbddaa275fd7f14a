# Sockets that coffer refuses, and names that are left over.
# release:
. /nested/devices.sh
cd $CASE_DIR || exit 1
for cid in 0 1 2 4294967295; do
	refused 64 'cid' --vsock "cid=$cid,path=s"
done
refused 64 'exactly one' --vsock cid=3
refused 64 'exactly one' --vsock cid=3,path=s,vhost
refused 64 'path is 100 bytes' --vsock "cid=3,path=$(printf '%0100d' 0)"
refused 66 'no/such/s: No such file' --vsock cid=3,path=no/such/s
refused 64 'plain guests' --vsock cid=3,vhost --sev emulate-cbit
: >file
refused 66 'file' --vsock cid=3,path=file
[ -f file ] || fail "somebody's file is gone"

stream-tool serve "unix:$CASE_DIR/used" >served.log &
server=$!
wait_for 10 serving served.log
refused 66 'used' --vsock cid=3,path=used
kill -9 $server
wait $server
# Now nobody listens there: it is replaced.
test=
run_guest cloud --vsock cid=3,path=used
expect_status 0
[ -e used ] && fail "the socket is left behind"

# Two VMs with the same number, in the kernel's vsock.
test=coffer.test=idle
start_guest cloud --vsock cid=3,vhost
wait_for 60 '^fact end'
first=$coffer_pid
out=$CASE_DIR/out2 err=$CASE_DIR/err2
refused 64 'cid' --vsock cid=3,vhost
kill -9 "$first"
wait "$first"
true
