# Sockets between guest and host, over the unix sockets of the host and over
# its own vsock. The swiotlb one is started by nobody. BYTES of each of 64
# streams, and how many CONNECTIONS one after the other, each way: plain has
# most of both; behind vhost is the kernel.
# each: plain 8388608 2000
# each: swiotlb 1048576 500
# each: cbit 1048576 300
# each: vhost 1048576 200
# release: plain swiotlb vhost
# limit: 420
. /nested/devices.sh
modules=$vsock_modules
size=$1 churn=$2
is_sanitized && size=$((size > 1048576 ? 1048576 : size))
s=$CASE_DIR/vsock
if [ "$way" = swiotlb ]; then
	nobody=65534
	wrap="host-tool as $nobody"
	chown $nobody "$CASE_DIR"
	chmod 666 /dev/kvm
fi
ulimit -n 8192
case $way in
vhost)
	option=cid=42,vhost guest=vsock:42
	serve() { stream-tool serve "vsock:4294967295:$1" & }
	;;
*)
	option=cid=42,path=$s guest=via:$s
	serve() { ${wrap-} stream-tool serve "unix:${s}_$1" & }
	;;
esac

test="coffer.size=$size coffer.churn=$churn"
serve 1234
start_devices vsock.sh -c 2 --vsock "$option"
wait_for 300 'guest to host is done'
step push
stream-tool push $guest:1000 64 "$size" || fail "64 streams to the guest"
step get
stream-tool get $guest:1000 8 1000003 || fail "8 streams from the guest"
step stall
stream-tool stall $guest:1000 3000000 || fail "stalled streams"
step refused
stream-tool refused $guest:1001 || fail "nobody's port"
step churn
stream-tool churn $guest:1000 $churn || fail "$churn connections"
serve 1299
wait_devices
if [ "$way" != vhost ]; then
	expect_counter vsock0 opened -ge $((2 * churn))
	expect_counter vsock0 violations -eq 0
	expect_counter vsock0 bad_packets -eq 0
	expect_counter vsock0 bad_chains -eq 0
	[ -e "$s" ] && fail "the socket is left behind"
fi
true
