# A host slips a table of its own into the ACPI tables (tests/attack,
# lying_acpi.c). The kernel of a guest that it starts directly has it; that of a
# guest that stage0 starts has stage0's tables, and those alone.
# each: none HOSTLYHOSTSSDT
# each: plain
# each: sev
# each: cbit
# release:
[ -x /nested/lying/coffer-monitor ] || skip "no lying monitor: build all"
PATH=/nested/lying:$PATH
. /nested/sev.sh
append="$append coffer.test=acpi.sh"
way=${NESTED_CASE#*.} lie=${1-} firmware=
[ "$way" != cbit ] || sim=--cbit-alias sev_more=,emulate-cbit

case $way in
none | plain)
	[ "$way" = none ] || firmware=stage0
	run_coffer run --firmware "${firmware:-none}" -k "$kernel" \
		-i "$initrd" -a "$append" -m "$memory" --timeout 100
	;;
*)
	make_session
	start_protected
	verify -k "$kernel" -i "$initrd" -a "$append" || fail "not verified"
	coffer ctl "$sock" resume >ctl.log 2>&1 || fail "resume"
	wait_coffer
	expect_line "^stage0: .* those that were measured"
	;;
esac
expect_status 0
for t in APIC DSDT FACP MCFG; do
	expect_fact "table.$t" COFFERQ35COFR1
done
expect_fact table.SSDT "$lie"
[ "$lie" ] || refuse_line 'HOSTLY|HOSTSSDT'
[ "$way" != cbit ] ||
	expect_line '^sev: .*Memory Encryption Features active: AMD SEV'
