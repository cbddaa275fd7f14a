# A network over a tap with offloads, without root; net_user.sh is about passt.
# each: plain 2097152
# each: swiotlb 2097152
# each: cbit 2097152
# release: plain cbit
# limit: 420
. /nested/devices.sh
modules=$net_modules
nobody=65534
wrap="host-tool as $nobody"
chmod 666 /dev/kvm /dev/net/tun
chown $nobody $CASE_DIR
host-tool tap tap0 $nobody 2 || fail "no tap"
ip addr add 198.51.100.1/24 dev tap0
ip link set tap0 up

stream-tool serve tcp:0.0.0.0:1234 &
test="coffer.size=$1"
start_devices net.sh -c 2 -n tap=tap0,mac=52:54:00:00:00:01,queues=2,mtu=1400
wait_for 300 'ready for the host'
# mark DIRECTION, then expect_long DIRECTION: the tap's frames since then, "tx"
# being its own, were longer than the MTU, as with offloads. Only the streams of
# that direction may run meanwhile: the others' acknowledgements are short.
of_tap() {
	cat "/sys/class/net/tap0/statistics/$1"
}
mark() {
	frames=$(of_tap "$1_packets") bytes=$(of_tap "$1_bytes")
}
expect_long() {
	frames=$(($(of_tap "$1_packets") - frames))
	bytes=$(($(of_tap "$1_bytes") - bytes))
	echo "tap, $1: $bytes bytes in $frames frames"
	[ $bytes -gt $((4 * $2)) ] && [ $bytes -gt $((1500 * frames)) ] ||
		fail "tap, $1: short frames only"
}
step "push to the tap"
mark tx
stream-tool push tcp:198.51.100.2:1000 4 "$1" || fail "to the guest, by tap"
expect_long tx "$1"
step "get from the tap"
mark rx
stream-tool get tcp:198.51.100.2:1000 4 "$1" || fail "from the guest, by tap"
expect_long rx "$1"
stream-tool refused tcp:198.51.100.2:1001 || fail "nobody's port"
stream-tool serve tcp:0.0.0.0:1299 &
wait_devices
step end

expect_fact carrier 1
expect_fact mtu 1400
expect_fact queues 4
# CSUM, GUEST_CSUM, MTU, MAC, GUEST_TSO4, HOST_TSO4, MRG_RXBUF, STATUS,
# CTRL_VQ, MQ (virtio 1.2, 5.1.3 "Feature bits")
for bit in 0 1 3 5 7 11 15 16 17 22; do
	[ "$(fact features | cut -c $((bit + 1)))" = 1 ] ||
		fail "the card has no feature bit $bit"
done
for dir in tx rx; do
	expect_counter net0 ${dir}_bytes -gt $((8 * $1))
done
for what in bad_headers bad_chains bad_commands tx_refused; do
	expect_counter net0 $what -eq 0
done
expect_counter net0 commands -gt 0
ip link delete tap0
