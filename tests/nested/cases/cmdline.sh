# A long command line arrives whole. x86 Linux takes 2047 bytes.
# release:
long=$(head -c 1800 /dev/zero | tr '\0' x)
test="coffer.long=$long coffer.last=1"
run_guest cloud
expect_status 0
expect_line "coffer.long=$long coffer.last=1"
