# The flow of a confidential launch, every step named. scripts/demo sources it
# where the host suits; else it is a case of tests/nested, in a machine that
# does. Wants: $kernel, $initrd, $guest_args; $sim, the simulator where there is
# no security processor; and an empty directory to work in.
# limit: 280
if [ -n "${NESTED_CASE-}" ]; then
	kernel=$KERNELS/cloud initrd=$INITRDS/devices
	guest_args="quiet cryptomgr.notests coffer.test=secret.sh"
	sim="coffer sim --state platform.sim --"
	cd "$CASE_DIR" || exit 1
fi
guid=736869e5-84f0-4973-92ec-06879ce3da0b
append="console=ttyS0 $guest_args"
mark= owner_flag=
[ -z "$sim" ] || mark="SIMULATED: " owner_flag=--simulated

step() {
	printf '\n== %s\n' "$*"
}

shown() { # COMMAND...
	printf '$ %s\n' "$*"
	"$@"
}

give_up() {
	echo "demo: $*"
	cat run.log 2>/dev/null
	exit 1
}

# Where a reader stops believing, every line of protection says what it is.
claim() {
	sed "s/^/$mark/"
}

step "the host: certificates of its security processor" &&
	shown $sim coffer sev export --full chain.cert || give_up "export"
step "the owner: checks them as far as ${mark}AMD's root, and makes a session"
shown coffer owner session $owner_flag --name vm chain.cert 0x1 >session.log ||
	give_up "session"
claim <session.log
printf 'correct horse battery staple\n' >secret.txt

step "the host: ${mark}launches the guest encrypted, and waits for its owner"
echo "\$ coffer run --protect sev --sev policy=0x1,dh-cert=vm_godh.b64,session=vm_session.b64 --paused --api vm.sock ..."
$sim coffer run --protect sev \
	--sev policy=0x1,dh-cert=vm_godh.b64,session=vm_session.b64 \
	--paused --api vm.sock -k "$kernel" -i "$initrd" -a "$append" \
	-m "${memory:=512M}" --timeout 200 >console.log 2>run.log </dev/null &
guest=$!
tries=0
until coffer ctl vm.sock measurement >launch.json 2>ctl.log; do
	tries=$((tries + 1))
	[ $tries -lt 600 ] && kill -0 $guest 2>/dev/null ||
		give_up "the guest was not launched"
	usleep 100000 2>/dev/null || sleep 0.1
done
claim <run.log
step "the host: ${mark}what the security processor measured"
echo '$ coffer ctl vm.sock measurement >launch.json'
# Every entry with its hash, and what each command took: too long for a screen.
grep -E '^  "[a-z_]+": ["0-9tf]' launch.json | claim
step "the owner: is this the guest that was agreed?"
shown coffer owner verify --tik vm_tik.bin --launch launch.json \
	-k "$kernel" -i "$initrd" -a "$append" -m "${memory:=512M}" -c 1 >verify.log ||
	give_up "not verified: $(cat verify.log)"
claim <verify.log
step "the owner: a secret for this launch only"
shown coffer owner secret --tik vm_tik.bin --tek vm_tek.bin \
	--launch launch.json --secret $guid:secret.txt header.b64 payload.b64 ||
	give_up "secret"
step "the host: ${mark}hands it in, without being able to read it; lets it run"
shown coffer ctl vm.sock secret header.b64 payload.b64 | claim
shown coffer ctl vm.sock resume || give_up "resume"
wait $guest
status=$?
step "the guest"
grep -E 'user space|secret|Hello|CPUs|sev:' console.log | claim
[ $status = 0 ] || give_up "coffer ended with $status"
want=$(sha256sum <secret.txt | cut -d ' ' -f 1)
grep -q "$want" console.log || give_up "the guest has not got the secret"
step "the guest read the owner's secret: SHA-256 $want"
