#!/bin/sh
# tests/check_includes.sh [ROOT] - prints every include that points up.
#
# base <- mem <- {devices, crypto, firmware} <- vmm; the three siblings do not
# know each other; outside vmm/, only tests/ and bench/ include vmm/ beyond
# vmm/base/; only vmm/kvm/ includes <linux/kvm.h> (and bench/, which measures
# what KVM costs without us, and tests/sim/ and tests/system/, programs that are
# not ours). Exit status 1 when there is one.
set -eu

cd "${1:-$(dirname "$0")/..}"

dirs=
for d in vmm mem devices crypto firmware owner sim bench tests; do
	[ -d "$d" ] && dirs="$dirs $d"
done
if [ -z "$dirs" ]; then
	echo "check_includes: no sources in $PWD" >&2
	exit 2
fi

# shellcheck disable=SC2086 # a list of names without spaces
find $dirs -type f \( -name '*.[chS]' -o -name '*.h.in' -o -name '*.c.in' \) \
	-exec awk '
# The component a path belongs to; "" for what is not ours.
function layer(path) {
	if (path ~ /^vmm\/base\//)
		return "base"
	if (match(path, /^(vmm|mem|devices|crypto|firmware|owner|sim|bench|tests)\//))
		return substr(path, 1, RLENGTH - 1)
	return ""
}

function test_code(l) {
	return l == "tests" || l == "bench"
}

function may_include(from, to) {
	if (from == to || to == "base" || test_code(from))
		return 1
	if (to == "vmm" || test_code(to) || from == "base")
		return 0
	if (to == "mem")
		return 1
	# what is left are the siblings, and owner/ and sim/ above them
	return from == "vmm" || \
	       ((from == "owner" || from == "sim") && to != "owner" && to != "sim")
}

function complain(why) {
	printf "%s:%d: \"%s\": %s\n", FILENAME, FNR, inc, why
}

match($0, /^[ \t]*#[ \t]*include[ \t]*["<][^">]+[">]/) {
	inc = substr($0, RSTART, RLENGTH - 1)
	sub(/^[ \t]*#[ \t]*include[ \t]*["<]/, "", inc)
	from = layer(FILENAME)
	to = layer(inc)
	if (inc ~ /\.\.\//)
		complain("hides where it points: name it from the root")
	else if (inc ~ /^(linux|asm)\/kvm\.h$/ &&
		 FILENAME !~ /^(vmm\/kvm|tests\/sim|tests\/system)\// && from != "bench")
		complain("only vmm/kvm/ knows KVM")
	else if (to != "" && !may_include(from, to))
		complain(from " must not know " to)
}' {} + | {
	if grep .; then
		exit 1
	fi
}
