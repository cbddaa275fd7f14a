# Files that are not what they claim, and a host without KVM: each has its exit
# status and a message that names the file, and nothing runs.
refused() { # STATUS NAMED OPTION...
	want=$1 named=$2
	shift 2
	run_coffer run "$@"
	expect_status "$want"
	expect_line "$named" "$err"
	[ "$(wc -l <"$err")" -le 3 ] || fail "more than a message for $*"
	if [ -s "$out" ]; then
		fail "something ran: $*"
	fi
}

cd "$CASE_DIR" || exit 1
k=$KERNELS/cloud i=$INITRDS/cloud
refused 66 "$CASE_DIR/nothing" -k "$CASE_DIR/nothing"
refused 66 "$CASE_DIR/nothing" -k $k -i "$CASE_DIR/nothing"
: >empty
refused 66 empty -k empty
refused 66 empty -k $k -i empty
echo "I am a text" >text
refused 66 text -k text
refused 66 "$CASE_DIR" -k "$CASE_DIR"
head -c 1000000 $k >short
refused 66 short -k short
head -c 1000000 $KERNELS/vmlinux >short.elf
refused 66 short.elf -k short.elf
head -c 1000 $k >header
refused 66 header -k header
refused 64 'needs at least .* MiB of memory' -k $k -i $i -m 24M
refused 66 busybox -k /bin/busybox
refused 64 cpus -k $k -c 0
refused 64 cpus -k $k -c 65
refused 64 memory -k $k -m 1M
refused 64 memory -k $k -m 1000001K

mv /dev/kvm /dev/kvm.away
refused 69 /dev/kvm -k $k -i $i
mv /dev/kvm.away /dev/kvm
chmod 600 /dev/kvm
su -s /bin/sh nobody -c "coffer run -k $k -i $i" \
	>"$out" 2>"$err" </dev/null
status=$?
expect_status 77
expect_line /dev/kvm "$err"
