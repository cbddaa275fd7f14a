# What scripts/demo runs where the host's KVM does not suit.
# limit: 180
echo "== coffer doctor"
coffer doctor || fail "no guest can start here"
echo "== coffer run -k vmlinuz -i initrd -a 'console=ttyS0 quiet' -c 2"
append="quiet"
run_guest cloud -c 2 -m 256M --status-file "$CASE_DIR/status.json"
grep -vE '^(clock|interrupt|iomem|oem|problem): ' "$out"
cat "$err"
echo "== how it ended"
cat "$CASE_DIR/status.json"
expect_status 0
