# What a guest's kernel finds: ECAM claimed and used for configuration space,
# nothing calibrated, PAT on, every module quiet.
append="cryptomgr.notests"
test="coffer.load=all coffer.facts=machine"
run_guest cloud -c 2
expect_status 0
expect_clean_log

expect_line 'iomem: e0000000-e00fffff : PCI (MMCONFIG|ECAM) 0000 \[bus 00-00\]'
# Linux reaches offsets from 0x100 on only through ECAM, and offers them in
# sysfs only when reading there gave an answer.
expect_line 'fact pci.0000:00:00.0 0x8086 0x29c0 0x060000 4096'
expect_line 'fact pci.0000:00:01.0 0x1b36 0x0011 '
expect_line 'fact pci.0000:00:1f.0 0x8086 0x2918 0x060100 '

# "Calibrating delay loop (skipped)" says that there was nothing to do.
grep -iE 'calibrat' "$out" | grep -v 'skipped' >"$CASE_DIR/calibration.log" &&
	fail "the guest calibrates a clock"
expect_line 'x86/PAT: Configuration .*WB  WC  UC- UC'
expect_line 'TSC deadline timer|tsc deadline' ||
	fail "no TSC deadline timer"
