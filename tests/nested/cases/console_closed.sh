# The default console with its standard streams closed or gone.
# each: none none
# each: closed
# each: pipe
test=
case $1 in none) set -- --console none ;; *) set -- ;; esac
case $NESTED_CASE in
*.pipe)
	# The reader of the console leaves early.
	coffer run -k $KERNELS/cloud -i $INITRDS/cloud --timeout 100 \
		-a "console=ttyS0 $append" --status-file "$CASE_DIR/status" \
		2>"$err" </dev/null | head -n 1
	;;
*)
	coffer run -k $KERNELS/cloud -i $INITRDS/cloud --timeout 100 \
		-a "console=ttyS0 $append" --status-file "$CASE_DIR/status" \
		"$@" 2>"$err" <&- >&-
	;;
esac
expect_json how poweroff "$CASE_DIR/status"
