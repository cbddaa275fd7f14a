# Boots the guest of bench/io under one VMM, with all that its tests need;
# bench/io reads the lines "io NAME NANOSECONDS" of the guest's console.
# limit: 900
VMM=$1 TESTS=$2 RUNS=$3 READS=$4 MIB=$5
HOST=192.168.77.1
SOCKET=$CASE_DIR/vsock
cmdline="console=ttyS0 quiet cryptomgr.notests io.tests=$TESTS"
cmdline="$cmdline io.runs=$RUNS io.reads=$READS io.mib=$MIB"
helpers=
console=$CASE_DIR/console.log
lasterr=$CASE_DIR/stderr.log

wants() {
	case ,$TESTS, in
	*,$1,*) ;;
	*) false ;;
	esac
}

# The disk of the host: as fast as one can be, and without data. What the two
# VMMs share is little then, and the clock does not have to wait for a device.
host_disk() {
	for m in /nested/bench/*.ko; do
		m_name=${m##*/??-}
		[ -d "/sys/module/${m_name%.ko}" ] && continue
		case $m_name in
		null_blk.ko) insmod "$m" nr_devices=1 gb=1 bs=512 ${NULL_BLK-} ;;
		*) insmod "$m" ;;
		esac
	done
	wait_for_path 5 /dev/nullb0
}

host_tap() {
	[ -d /sys/class/net/tap0 ] && return
	tunctl -t tap0 >/dev/null
	echo 1 >/proc/sys/net/ipv6/conf/tap0/disable_ipv6
	ip addr add $HOST/24 dev tap0
	ip link set tap0 up
}

# listeners TCP_OR_VSOCK... : a sink at port 5001, a source at port 5002
listen_at() { # SEND_OR_RECV ADDRESS
	io_stream listen "$1" $((MIB << 20)) "$2" &
	helpers="$helpers $!"
}

run_coffer_vmm() {
	set -- coffer run -k "$KERNELS/cloud" -i /nested/initrds/io \
		-a "$cmdline" -m 512M -c 1 --status-file "$CASE_DIR/status"
	wants scsi && set -- "$@" -d /dev/nullb0,direct
	wants net && set -- "$@" -n tap=tap0
	if wants vsock; then
		listen_at recv "unix:${SOCKET}_5001"
		listen_at send "unix:${SOCKET}_5002"
		set -- "$@" --vsock "cid=3,path=$SOCKET"
	fi
	"$@"
}

run_qemu_vmm() {
	set -- qemu-system-x86_64 -M q35 -accel kvm -cpu host -m 512 -smp 1 \
		-nodefaults -no-user-config -display none -no-reboot \
		-serial stdio -kernel "$KERNELS/cloud" \
		-initrd /nested/initrds/io -append "$cmdline"
	wants scsi && set -- "$@" -object iothread,id=io0 \
		-device virtio-scsi-pci,iothread=io0,disable-legacy=on \
		-drive if=none,id=d0,format=raw,cache=none,aio=io_uring,file=/dev/nullb0 \
		-device scsi-hd,drive=d0
	wants net && set -- "$@" \
		-netdev tap,id=n0,ifname=tap0,script=no,downscript=no,vhost=off \
		-device virtio-net-pci,netdev=n0,romfile=,disable-legacy=on
	if wants vsock; then
		listen_at recv vsock:2:5001
		listen_at send vsock:2:5002
		set -- "$@" -device vhost-vsock-pci,guest-cid=3,disable-legacy=on
	fi
	"$@"
}

# What KVM has counted, until it is gone with its VM: "kvm NAME VALUE".
exits() {
	mount -t debugfs debugfs /sys/kernel/debug 2>/dev/null
	while usleep 200000; do
		[ "$(cat /sys/kernel/debug/kvm/exits)" -gt 0 ] || continue
		for n in exits io_exits mmio_exits halt_exits irq_exits \
			irq_injections insn_emulation host_state_reload \
			halt_wakeup; do
			echo "kvm $n $(cat /sys/kernel/debug/kvm/$n)"
		done >"$CASE_DIR/exits.new" 2>/dev/null
		mv "$CASE_DIR/exits.new" "$CASE_DIR/exits"
	done
}

if [ "${6-}" = exits ]; then
	exits &
	helpers="$helpers $!"
fi
wants scsi && host_disk
if wants net; then
	host_tap
	listen_at recv tcp:$HOST:5001
	listen_at send tcp:$HOST:5002
fi
"run_${VMM}_vmm" >"$console" 2>"$lasterr" </dev/null
status=$?
[ -n "$helpers" ] && kill $helpers
grep -aE '^(io|irq|problem:) ' "$console" | tr -d '\r'
[ -s "$CASE_DIR/exits" ] && cat "$CASE_DIR/exits"
[ -s "$CASE_DIR/status" ] && sed 's/^/status: /' "$CASE_DIR/status"
[ $status = 0 ] || fail "$VMM ended with status $status"
grep -aq '^io end 0' "$console" || fail "$VMM: the guest did not get to its end"
