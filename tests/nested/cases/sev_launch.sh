# From the platform's certificates to a secret that a stock kernel reads: SEV,
# SEV-ES (registers are modelled; there is no #VC), and SEV with the emulated
# C-bit, where the guest believes in it.
# each: sev sev
# each: es es
# each: cbit cbit
# release: es cbit
# limit: 300
. /nested/sev.sh
case $1 in
es) protect=sev-es policy=5 ;;
cbit) sim=--cbit-alias sev_more=,emulate-cbit ;;
esac

make_session
start_protected --status-file "$CASE_DIR/status.json"
verify_guest || fail "an honest launch is not verified"
expect_line '^VERIFIED' verify.log
inject
coffer ctl "$sock" resume >ctl.log 2>&1 || fail "resume"
wait_coffer
expect_status 0
expect_line '^user space reached'
expect_fact "secret.$guid" "$(sha256sum <secret.txt | cut -d ' ' -f 1)"
expect_fact secret_mode 400
expect_line SIMULATED "$err"
case $1 in
cbit)
	expect_line EMULATED "$err"
	expect_line '^sev: .*Memory Encryption Features active: AMD SEV'
	;;
*) refuse_line '^sev: .*active: AMD SEV' ;;
esac
