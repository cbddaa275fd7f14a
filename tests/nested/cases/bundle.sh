# A stock kernel from a launch bundle that its owner signed: entered directly,
# by stage0 from the bundle, and so under the simulated SEV, verified by its owner
# with nothing but the bundle. What was changed does not start.
# each: direct direct none
# each: stage0 stage0 stage0
# each: sev sev stage0
# release: stage0 sev
# limit: 300
. /nested/sev.sh
memory=512M policy=1
bundle=$CASE_DIR/app.itb

# The key of RFC 8032, 7.1, test 1, which everybody has.
cat >key.pem <<EOF
-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g
-----END PRIVATE KEY-----
EOF
cat >pub.pem <<EOF
-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----
EOF
[ "$1" = sev ] && set -- "$@" --policy "$policy" --protect sev
name=$1 firmware=$2
shift 2
coffer bundle create -k "$KERNELS/cloud" -i "$INITRDS/cloud" \
	-a "console=ttyS0 quiet cryptomgr.notests" -m "$memory" -c 1 \
	--firmware "$firmware" --sign key.pem -o "$bundle" "$@" \
	>create.log 2>&1 || fail "no bundle"
coffer bundle verify --key pub.pem "$bundle" >verify.log 2>&1 ||
	fail "it is not verified"

case $name in
sev)
	make_session
	wrap="coffer sim --state platform.sim --"
	start_coffer run --bundle-key pub.pem --paused --api "$sock" \
		--sev dh-cert=vm_godh.b64,session=vm_session.b64 \
		--timeout 200 "$bundle"
	wait_for_path 60 "$sock"
	m_end=$(($(date +%s) + 60))
	until coffer ctl "$sock" measurement >"$launch" 2>ctl.log; do
		[ "$(date +%s)" -le $m_end ] || fail "no measurement"
		[ -d "/proc/$coffer_pid" ] || fail "coffer ended"
		usleep 100000
	done
	coffer owner verify --tik vm_tik.bin --launch "$launch" \
		--bundle-key pub.pem "$bundle" >verify.log 2>&1 ||
		fail "an honest launch is not verified"
	expect_line '^VERIFIED' verify.log
	coffer ctl "$sock" resume >ctl.log 2>&1 || fail "resume"
	wait_coffer
	expect_line '^stage0: .* those that were measured'
	;;
*) run_coffer run --bundle-key pub.pem --timeout 100 "$bundle" ;;
esac
expect_status 0
expect_line '^user space reached'
expect_fact cpus_online 1
expect_fact end 1

# One byte of the kernel, which lies near the beginning.
[ "$name" = direct ] || exit 0
printf 'x' | dd of="$bundle" bs=1 seek=1000000 conv=notrunc 2>/dev/null
run_coffer run --bundle-key pub.pem "$bundle"
expect_status 66
expect_line "bundle '.*app.itb': its kernel does not have the hash" "$err"
refuse_line .
