# A card that leads to a tap. coffer.size: bytes of each stream.
. /tests/lib.sh
size=$(sed 's/.*coffer.size=//; s/ .*//' /proc/cmdline)
ulimit -n 4096

tap=eth0
echo "fact mtu $(cat "/sys/class/net/$tap/mtu")"
echo "fact features $(cat "/sys/class/net/$tap/device/features")"
echo "fact queues $(ls "/sys/class/net/$tap/queues" | wc -l)"
stream-tool serve tcp:0.0.0.0:1000 &

step tap
ip link set "$tap" up
ip addr add 198.51.100.2/24 dev "$tap"
echo "fact carrier $(cat "/sys/class/net/$tap/carrier")"
try ping -c 3 -i 0.1 -W 20 198.51.100.1
try ping -c 1 -W 20 -s 20000 198.51.100.1
# Another address and all addresses, by the control queue.
try ip link set "$tap" address 52:54:00:00:00:11
try ip link set "$tap" promisc on
try ip link set "$tap" promisc off
try ping -c 1 -W 20 198.51.100.1
step push
try stream-tool push tcp:198.51.100.1:1234 4 "$size"
step get
try stream-tool get tcp:198.51.100.1:1234 4 "$size"
try stream-tool refused tcp:198.51.100.1:1235

step "ready for the host"
host_is_done tcp:198.51.100.1:1299
done_well
