# What stage0 does not start, the VMM says in words.
# each: memory 32M the.guest.has.too.little.memory.for.this.kernel
run_guest cloud --firmware stage0 -m "$1"
expect_status 80
expect_line "stage0 stopped: $2" "$err"
expect_line "^stage0: stopped \([0-9]+\): $2" "$out"
refuse_line 'Linux version'
