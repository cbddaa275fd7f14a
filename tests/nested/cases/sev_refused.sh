# The owner refuses what is not what was agreed: one changed byte of kernel,
# initrd or command line, another policy, memory size or number of CPUs.
# Devices do not matter.
# limit: 300
# release:
. /nested/sev.sh
refuse() { # WHAT [OPTION...]
	what=$1
	shift
	echo "at $(cut -d ' ' -f 1 /proc/uptime): $what"
	verify "$@" && fail "$what: verified"
	refuse_line '^VERIFIED' verify.log
}

# They are measured and never run: small ones do. The kernel is the first MiB of
# a stock one, and its header says that this is all (Documentation/arch/x86/boot).
sectors=$(od -An -tu1 -j 497 -N 1 "$kernel")
head -c $(((sectors + 1) * 512 + 64256 * 16)) "$kernel" >kernel
printf '\000\373\000\000' | dd of=kernel bs=1 seek=500 conv=notrunc 2>/dev/null
printf '\100\102\017\000' | dd of=kernel bs=1 seek=588 conv=notrunc 2>/dev/null
kernel=$CASE_DIR/kernel
initrd=$CASE_DIR/initrd
head -c 1000000 /dev/urandom >"$initrd"
echo "at $(cut -d ' ' -f 1 /proc/uptime): session"
make_session
echo "at $(cut -d ' ' -f 1 /proc/uptime): launch"
truncate -s 1M a b c
for tap in refused0 refused1; do
	host-tool tap $tap 0 1 || fail "no tap"
done
start_protected -d a -d b -d c,ro --rng -n tap=refused0 -n tap=refused1 \
	--vsock "cid=9,path=$CASE_DIR/vsock"
verify_guest ||
	fail "three disks, two networks and a vsock change the measurement"

cp "$kernel" other-kernel
printf x | dd of=other-kernel bs=1 seek=500000 conv=notrunc 2>/dev/null
cp "$initrd" other-initrd
printf x | dd of=other-initrd bs=1 seek=1000 conv=notrunc 2>/dev/null
set -- -i "$initrd" -a "$append" -m "$memory" -c 1
refuse kernel -k other-kernel "$@"
set -- -k "$kernel" -a "$append" -m "$memory" -c 1
refuse initrd -i other-initrd "$@"
set -- -k "$kernel" -i "$initrd" -m "$memory" -c 1
refuse "command line" "$@" -a "${append}x"
set -- -k "$kernel" -i "$initrd" -a "$append"
refuse memory "$@" -m 256M -c 1
expect_line memory verify.log
refuse CPUs "$@" -m "$memory" -c 2
sed 's/"policy": 1/"policy": 3/' "$launch" >policy.json
cp "$launch" right.json
cp policy.json "$launch"
refuse policy "$@" -m "$memory" -c 1
cp right.json "$launch"
verify_guest || fail "refused in the end"
