# A card that leads to passt. coffer.size: bytes of each stream; coffer.streams:
# how many at once, 1 if it is not given.
. /tests/lib.sh
size=$(sed 's/.*coffer.size=//; s/ .*//' /proc/cmdline)
streams=$(sed -n 's/.*coffer.streams=\([0-9]*\).*/\1/p' /proc/cmdline)
streams=${streams:-1}
ulimit -n 4096

stream-tool serve tcp:0.0.0.0:1000 &
ip link set eth0 up
try udhcpc -q -n -t 20 -T 1 -i eth0 -s /tests/dhcp.sh
gateway=$(ip route | sed -n 's/^default via \([^ ]*\).*/\1/p')
# One at a time: what does not fit into its socket, passt drops, and several
# bursts at once do not fit; after a few rounds of that it resets a connection.
# QEMU as its peer is no better off: docs/performance.md.
step "push to $gateway"
try stream-tool push "tcp:$gateway:1234" "$streams" "$size"
step get
try stream-tool get "tcp:$gateway:1234" "$streams" "$size"
step "ready for the host"
host_is_done "tcp:$gateway:1299"
done_well
