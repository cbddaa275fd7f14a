# For cases about devices: `. /nested/devices.sh`. They run in several ways,
# named by the last part of the case's name:
#   plain     an ordinary guest
#   swiotlb   a guest that sends all its I/O through bounce buffers
#   cbit      a guest that believes in SEV, and has to
#   window    the same, with private pages not mapped for devices
status_file=$CASE_DIR/status
way=${NESTED_CASE##*.}
case $way in
swiotlb) append="$append swiotlb=force" ;;
esac

# Drivers for the guest; a module takes a tenth of a second here.
modules=all
disk_modules=virtio_pci,virtio_scsi,sd_mod
net_modules=virtio_pci,virtio_net
vsock_modules=virtio_pci,vmw_vsock_virtio_transport

# start_devices SCRIPT OPTION...: a guest that runs SCRIPT of inner/run.
start_devices() {
	test="coffer.test=$1 coffer.load=$modules ${test-}"
	shift
	case $way in
	cbit) set -- "$@" --sev emulate-cbit ;;
	window) set -- "$@" --sev emulate-cbit -m 512M,shared ;;
	esac
	start_guest devices --timeout 400 --status-file "$status_file" "$@"
}

# To its end, which must be a good one.
wait_devices() {
	wait_coffer
	grep '^at ' "$out" # in the guest, by its own clock
	refuse_line '^problem: '
	expect_fact done 1
	expect_status 0
	expect_way
}

run_devices() {
	start_devices "$@"
	wait_devices
}

# counter DEVICE NAME: from the status file.
counter() {
	tr -d ' \n' <"$status_file" | sed "s/.*\"$1\":{//; s/}.*//" |
		tr , '\n' | sed -n "s/^\"$2\"://p"
}

# expect_counter DEVICE NAME OPERATOR VALUE: an operator of test(1).
expect_counter() {
	value=$(counter "$1" "$2")
	[ -n "$value" ] && [ "$value" "$3" "$4" ] ||
		fail "counter $1 $2 is '$value', not $3 $4"
}

# The guest's I/O went the way it should, and nothing was refused.
expect_way() {
	case $way in
	cbit | window)
		expect_fact sev 1
		expect_fact bounced 1
		expect_counter dma reports -gt 0
		expect_counter dma private_bytes -gt 0
		[ "$way" = cbit ]
		expect_counter dma window -eq $?
		;;
	swiotlb) expect_fact bounced 1 ;;
	*) expect_fact sev 0 ;;
	esac
	expect_counter dma shared_bytes -gt 0
	expect_counter dma refused -eq 0
}

# same_bytes NAME FILE: what the guest has at the end is what the host has.
same_bytes() {
	expect_fact "sha.$1" "$(sha256sum <"$2" | cut -d ' ' -f 1)"
}

# As in the guest: where the time goes.
step() {
	echo "at $(cut -d ' ' -f 1 /proc/uptime): $*"
}

# refused STATUS REGEX OPTION...: coffer ends with STATUS before a guest starts,
# and its message is one line that matches.
refused() {
	want=$1 named=$2
	shift 2
	run_coffer run -k $KERNELS/cloud -i $INITRDS/devices --timeout 10 "$@"
	expect_status "$want"
	expect_line "$named" "$err"
	[ "$(wc -l <"$err")" = 1 ] || fail "more than a message for $*"
	if [ -s "$out" ]; then
		fail "something ran: $*"
	fi
}
