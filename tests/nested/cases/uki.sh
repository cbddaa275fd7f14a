# A unified kernel image is booted with its own initrd and command line, and
# --append adds to it or replaces it.
run_coffer run -k $KERNELS/uki --timeout 100
expect_status 0
expect_line '^user space reached'
expect_line '^fact cmdline .*coffer.uki=1'
expect_clean_log
