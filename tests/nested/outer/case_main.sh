#!/bin/sh
# Runs one case: its file is named by what stands before the first dot.
. /nested/lib.sh
. "/nested/cases/${NESTED_CASE%%.*}.sh"
