# A measured launch with stage0, from the owner's session to a secret that a
# stock kernel reads: under the simulator, and with the emulated C-bit, where
# stage0 and Linux believe in SEV. What the host changes after measuring stops.
# Nobody says --firmware: it is the default.
# Once, libvirt's validator accepts the launch and packs the secret.
# each: sev-cpus-1 1
# each: sev-cpus-4 4
# each: cbit-cpus-1 1
# each: cbit-cpus-4 4
# each: changed-kernel 1 kernel the.kernel.is.not.the.one.that.was.measured
# each: changed-initrd 1 initrd the.initrd.is.not.the.one.that.was.measured
# limit: 300
# release:
. /nested/sev.sh
cpus=$1 change=${2-} words=${3-} way=${NESTED_CASE#*.}
firmware=
if [ "${way%%-*}" = cbit ]; then
	sim=--cbit-alias sev_more=,emulate-cbit
fi
cp "$kernel" k
cp "$initrd" i
kernel=k initrd=i

make_session
start_protected -c "$cpus"
verify -k "$kernel" -i "$initrd" -a "$append" || fail "it is not verified"
if [ "$way" = sev-cpus-1 ]; then
	inject_by_libvirt
else
	inject
fi
if [ "$change" ]; then
	file=$(echo "$change" | cut -c 1)
	printf x | dd of="$file" bs=1 seek=$(($(wc -c <"$file") - 1)) \
		conv=notrunc 2>/dev/null
fi
coffer ctl "$sock" resume >ctl.log 2>&1 || fail "resume"
wait_coffer
if [ "$change" ]; then
	expect_status 80
	expect_line "stage0 stopped: $words" "$err"
	refuse_line '^user space reached'
	exit 0
fi
expect_status 0
case $way in
cbit*) expect_line '^stage0: SEV is active; .* those that were measured' ;;
*) expect_line '^stage0: memory is not encrypted; .* those that were measured' ;;
esac
expect_line '^user space reached'
expect_fact cpus_online "$cpus"
expect_fact "secret.$guid" "$(sha256sum <secret.txt | cut -d ' ' -f 1)"
expect_fact secret_mode 400
expect_line SIMULATED "$err"
if [ "${way%%-*}" = cbit ]; then
	expect_line '^sev: .*Memory Encryption Features active: AMD SEV'
fi
