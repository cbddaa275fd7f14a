# A launch by the commands of docs/operator.md, as they are typed, with a stock
# kernel and its usual memory.
# limit: 280
# release:
. /nested/lib.sh
guid=736869e5-84f0-4973-92ec-06879ce3da0b
cd "$CASE_DIR" || exit 1
ln -s "$KERNELS/cloud" vmlinuz
ln -s "$INITRDS/devices" initrd
printf 'not for the host\n' >secret
# what the initial RAM disk of the tests does is on the command line
append="console=ttyS0 coffer.test=secret.sh"

coffer sim --state plat.sim -- coffer sev export --full chain.cert || fail "export"
coffer owner session --simulated --name vm chain.cert 0x1 || fail "session"
coffer sim --state plat.sim -- coffer run --protect sev --sev policy=0x1,dh-cert=vm_godh.b64,session=vm_session.b64 \
	--paused --api vm.sock -k vmlinuz -i initrd -a "$append" -m 512M >console.log 2>run.log </dev/null &
guest=$!
end=$(($(date +%s) + 60))
until coffer ctl vm.sock measurement >launch.json 2>ctl.log; do
	[ "$(date +%s)" -le $end ] || fail "no measurement: $(cat ctl.log run.log)"
	usleep 100000
done
coffer owner verify --tik vm_tik.bin --launch launch.json -k vmlinuz -i initrd -a "$append" -m 512M -c 1 ||
	fail "verify"
coffer owner secret --tik vm_tik.bin --tek vm_tek.bin --launch launch.json --secret $guid:secret header.b64 payload.b64 ||
	fail "secret"
coffer ctl vm.sock secret header.b64 payload.b64 || fail "inject"
coffer ctl vm.sock resume || fail "resume"
wait $guest || fail "coffer ended with $?"
expect_line "^fact secret.$guid $(sha256sum <secret | cut -d ' ' -f 1)" console.log
