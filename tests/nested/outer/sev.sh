# For cases of protected guests: a simulated platform, its owner, one launch.
# The guest is $kernel, $initrd, "$append" and $memory; $protect and $policy
# say how it is protected; $firmware starts it, or the default when it is "".
. /nested/lib.sh

sock=$CASE_DIR/api
guid=736869e5-84f0-4973-92ec-06879ce3da0b
launch=$CASE_DIR/launch.json
memory=512M policy=1 protect=sev sim= sev_more= firmware=none
kernel=$KERNELS/cloud initrd=$INITRDS/devices
append="console=ttyS0 $append coffer.test=secret.sh"
cd "$CASE_DIR" || exit 1
printf 'not for the host\n' >secret.txt

simulated() { # COMMAND...
	coffer sim --state platform.sim $sim -- "$@"
}

# The owner's side of a launch: a new session for the platform.
make_session() {
	rm -f vm_*
	[ -e chain.cert ] ||
		simulated coffer sev export --full chain.cert 2>/dev/null ||
		fail "no certificates of the platform"
	coffer owner session --simulated --name vm chain.cert "$policy" \
		>session.log 2>&1 || fail "no session"
}

# Start it, and wait until it is measured.
start_protected() { # [OPTION...]
	rm -f "$launch"
	wrap="coffer sim --state platform.sim $sim -- ${around-}"
	start_coffer run --protect "$protect" \
		--sev "policy=$policy,dh-cert=vm_godh.b64,session=vm_session.b64$sev_more" \
		${firmware:+--firmware "$firmware"} --paused --api "$sock" \
		-k "$kernel" -i "$initrd" -a "$append" -m "$memory" \
		--timeout 200 "$@"
	wait_for_path 60 "$sock"
	m_end=$(($(date +%s) + 60))
	until coffer ctl "$sock" measurement >"$launch" 2>ctl.log; do
		[ "$(date +%s)" -le $m_end ] || fail "no measurement"
		[ -d "/proc/$coffer_pid" ] || fail "coffer ended"
		usleep 100000
	done
}

# verify [OPTION...]: as the owner, of what the guest should be.
verify() {
	coffer owner verify --tik vm_tik.bin --launch "$launch" \
		${firmware:+--firmware "$firmware"} "$@" >verify.log 2>&1
}

verify_guest() {
	verify -k "$kernel" -i "$initrd" -a "$append" -m "$memory" -c 1
}

inject() {
	coffer owner secret --tik vm_tik.bin --tek vm_tek.bin \
		--launch "$launch" --secret "$guid:secret.txt" \
		header.b64 payload.b64 >secret.log 2>&1 || fail "no packet"
	coffer ctl "$sock" secret header.b64 payload.b64 >>secret.log 2>&1 ||
		fail "the packet was refused"
}

# Of the launch's JSON, a number or a text.
launched() { # KEY
	tr -d ' \n' <"$launch" | sed 's/.*"'"$1"'":"*\([^",}]*\).*/\1/'
}

# As inject, but the packet is made by libvirt's validator, which shares no code
# with us, and makes one only for the launch that it expects: of stage0, with
# the kernel cloud and the initrd devices.
inject_by_libvirt() {
	ask libvirt-secret "$(launched measurement)" "$(launched api_major)" \
		"$(launched api_minor)" "$(launched build)" "$policy" \
		"$(base64 -w 0 vm_tik.bin)" "$(base64 -w 0 vm_tek.bin)" \
		"$(printf %s "$append" | base64 -w 0)" "$guid" \
		"$(base64 -w 0 secret.txt)" >libvirt.log
	read -r how header payload <libvirt.log
	[ "$how" != missing ] || skip "$header $payload"
	[ "$how" = ok ] || fail "the validator refuses the launch"
	echo "$header" >header.b64
	echo "$payload" >payload.b64
	coffer ctl "$sock" secret header.b64 payload.b64 >secret.log 2>&1 ||
		fail "the packet of the validator was refused"
}
