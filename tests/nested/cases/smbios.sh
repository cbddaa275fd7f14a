# The system UUID and OEM strings reach the guest.
# release:
test=coffer.facts=machine
run_guest cloud --uuid 12345678-9abc-def0-1234-56789abcdef0 \
	--oem-string nested.one=1 --oem-string "nested.two=2 3"
expect_status 0
expect_fact system_uuid 12345678-9abc-def0-1234-56789abcdef0
expect_line '^oem: nested.one=1'
expect_line '^oem: nested.two=2 3'
expect_clean_log
