# A unified kernel image is booted with its own initrd and command line: by
# coffer, and by stage0, which gets its parts, plain and under a protected launch
# whose hashes are those of the parts.
# each: direct
# each: stage0 --firmware stage0
# each: sev --firmware stage0 --protect sev --sev policy=1
way=${NESTED_CASE#*.}
[ "$way" = sev ] && wrap="coffer sim --"
run_coffer run -k $KERNELS/uki -m 512M --timeout 100 "$@"
expect_status 0
expect_line '^user space reached'
expect_line '^fact cmdline .*coffer.uki=1'
case $way in
direct) expect_clean_log ;;
stage0) expect_line '^stage0: .* NOT VERIFIED' ;;
sev) expect_line '^stage0: .* those that were measured' ;;
esac
