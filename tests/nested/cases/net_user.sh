# A network over passt, without root: streams from both sides, and a forwarded
# port.
# each: plain 1048576
# each: swiotlb 1048576
# each: cbit 1048576
# release: swiotlb cbit
# limit: 420
. /nested/devices.sh
modules=$net_modules
nobody=65534
wrap="host-tool as $nobody"
chmod 666 /dev/kvm
chown $nobody $CASE_DIR

# Its own addresses are enough for the host: passt makes it the gateway.
stream-tool serve tcp:0.0.0.0:1234 &
test="coffer.size=$1"
start_devices net_user.sh -c 2 -n user,mac=52:54:00:00:00:02 \
	-p 127.0.0.1:8080:1000
wait_for 300 'ready for the host'
step "forwarded port: push"
stream-tool push tcp:127.0.0.1:8080 1 "$1" || fail "forwarded port"
step "forwarded port: get"
stream-tool get tcp:127.0.0.1:8080 1 "$1" || fail "forwarded port"
stream-tool serve tcp:0.0.0.0:1299 &
wait_devices
step end

for what in bad_headers bad_chains bad_commands tx_refused rx_dropped; do
	expect_counter net0 $what -eq 0
done
expect_counter net0 rx_bytes -gt $((2 * $1))
expect_counter net0 tx_bytes -gt $((2 * $1))
ps | grep '[p]asst' && fail "passt is left behind"
true
