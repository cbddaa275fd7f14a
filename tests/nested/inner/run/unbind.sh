# Takes drivers and functions away from all devices while they are used, and
# gives them back; then everything must work. coffer.times: how often.
. /tests/lib.sh
. /tests/disks.sh
times=$(sed 's/.*coffer.times=//; s/ .*//' /proc/cmdline)
ulimit -n 4096

# function_of ID: the PCI function with that virtio device ID.
function_of() {
	for f in /sys/bus/pci/devices/*; do
		[ "$(cat "$f/vendor")" = 0x1af4 ] &&
			[ $(($(cat "$f/device"))) = $((0x1040 + $1)) ] &&
			echo "${f##*/}"
	done
}
net=$(function_of 1) rng=$(function_of 4) scsi=$(function_of 8)
vsock=$(function_of 19)

# Whatever is there, for ever; errors are what this is about. The device goes
# through a node of its own: dd makes a regular file of a name that has just
# gone from /dev, and then the disk does not get that name back.
disk_load() {
	while :; do
		for l in 0 1; do
			name=$(disk $l)
			rm -f /node
			IFS=: read -r major minor \
				<"/sys/block/${name#/dev/}/dev" || continue
			mknod /node b "$major" "$minor"
			dd if=/dev/urandom of=/node bs=64k count=8 \
				oflag=direct conv=notrunc
			dd if=/node of=/dev/null bs=1M count=2 \
				iflag=direct
		done
	done
}
net_load() {
	while :; do
		net_up
		ping -q -c 20 -i 0.01 -W 1 -s 9000 198.51.100.1
	done
}
net_up() {
	ip link set eth0 up
	ip addr add 198.51.100.2/24 dev eth0
}
vsock_load() {
	while :; do
		stream-tool push vsock:2:1234 4 500000
		stream-tool get vsock:2:1234 4 500000
	done
}
rng_load() {
	while :; do
		dd if=/dev/hwrng of=/dev/null bs=256 count=8
	done
}

# again ID: unbind and bind, in one of the ways that Linux has.
again() {
	virtio=$(basename "$(echo "/sys/bus/pci/devices/$1/virtio"*)")
	driver=$(readlink -f "/sys/bus/virtio/devices/$virtio/driver")
	case $((round % 3)) in
	0)
		echo "$virtio" >"$driver/unbind"
		echo "$virtio" >"$driver/bind"
		;;
	1)
		echo "$1" >/sys/bus/pci/drivers/virtio-pci/unbind
		echo "$1" >/sys/bus/pci/drivers/virtio-pci/bind
		;;
	2)
		echo 1 >"/sys/bus/pci/devices/$1/remove"
		echo 1 >/sys/bus/pci/rescan
		;;
	esac
}

until_true 20 have_disk 1
for load in disk net vsock rng; do
	${load}_load >/dev/null 2>&1 &
	eval "${load}_pid=$!"
done
round=0
while [ $round -lt "$times" ]; do
	for f in $scsi $net $vsock $rng; do
		usleep 150000
		again "$f"
	done
	step "round $round"
	round=$((round + 1))
done
kill $disk_pid $net_pid $vsock_pid $rng_pid
sleep 1

# All of it works again, and nothing of before is left in the way.
step disks
for l in 0 1; do
	until_true 30 have_disk $l
	try dd if=/dev/urandom of="$(disk $l)" bs=1M count=4 conv=fsync
	drop_caches
	echo "fact sha.$l $(sha "$(disk $l)")"
done
step net
net_up 2>/dev/null
try ping -c 3 -i 0.1 -W 10 198.51.100.1
try stream-tool push tcp:198.51.100.1:1234 2 1000003
try stream-tool get tcp:198.51.100.1:1234 2 1000003
step vsock
try stream-tool push vsock:2:1234 4 1000003
try stream-tool get vsock:2:1234 4 1000003
step rng
[ "$(dd if=/dev/hwrng bs=64 count=1 2>/dev/null | wc -c)" = 64 ] ||
	problem "no random bytes"
done_well
