#!/bin/sh
# Runs one case: its file is named by what stands before the first dot.
[ "$NESTED_BUILD" = release ] && [ -x /nested/release/coffer ] &&
	PATH=/nested/release:$PATH
. /nested/lib.sh
. "/nested/cases/${NESTED_CASE%%.*}.sh"
