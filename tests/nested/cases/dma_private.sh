# A guest that points its devices at private pages: nothing private is read or
# written, and the device asks for a reset.
# each: anonymous 16M
# each: window 16M,shared
. /nested/devices.sh
elf=/nested/payloads/dma_private.elf
[ -e $elf ] || skip "no payload dma_private.elf: build all"
truncate -s 1M "$CASE_DIR/image"
run_coffer run -k $elf -m "$1" --debug-exit --timeout 60 --rng \
	-d "$CASE_DIR/image" --sev emulate-cbit --status-file "$status_file"
expect_status 0
expect_counter rng0 broken -eq 4
expect_counter scsi0 broken -eq 2
expect_counter dma refused -ge 6
[ "$way" = anonymous ]
expect_counter dma window -eq $?
expect_counter dma shared_bytes -eq $((5 * 4096))
[ "$(head -c 1024 "$CASE_DIR/image" | tr -d '\0' | tr -d '\021' | wc -c)" = 0 ] ||
	fail "the disk holds something else than what was shared"
