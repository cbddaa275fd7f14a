# `coffer doctor` is content with this host, and not without KVM.
coffer doctor >"$out" 2>"$err"
status=$?
expect_status 0
expect_line '/dev/kvm'
coffer doctor --json >"$CASE_DIR/json" || fail "--json: status $?"
expect_line '^\{' "$CASE_DIR/json"
mv /dev/kvm /dev/kvm.away
coffer doctor >"$out" 2>"$err"
status=$?
mv /dev/kvm.away /dev/kvm
[ "$status" != 0 ] || fail "content without KVM"
expect_line '/dev/kvm'
