#!/bin/sh
# tests/check_includes_test.sh - does check_includes.sh see what it should?
set -eu

check=$(dirname "$0")/check_includes.sh
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
failed=0

# Is `#include WHAT` in FILE reported (bad) or not (ok)?
expect() {
	verdict=$1 file=$2 what=$3
	mkdir -p "$root/$(dirname "$file")"
	printf '/* a test */\n#include %s\n' "$what" >"$root/$file"
	got=ok
	"$check" "$root" >"$root/out" || got=bad
	if [ "$got" != "$verdict" ]; then
		echo "FAILED: $file with $what: $got, not $verdict"
		failed=1
	fi
	if [ "$got" = bad ] && ! grep -q "^$file:2: " "$root/out"; then
		echo "FAILED: $file with $what: not named"
		failed=1
	fi
	rm "$root/$file"
}

expect ok  vmm/base/a.c '"vmm/base/err.h"'
expect bad vmm/base/a.c '"mem/guest_mem.h"'
expect bad vmm/base/a.h '"vmm/vm.h"'
expect ok  mem/a.c '"vmm/base/err.h"'
expect bad mem/a.c '"devices/bus_dev.h"'
expect bad mem/a.c '"vmm/bus.h"'
expect ok  devices/pci/a.c '"devices/irq_sink.h"'
expect ok  devices/pci/a.c '"mem/mem_map.h"'
expect bad devices/pci/a.c '"firmware/e820.h"'
expect bad devices/pci/a.c '"crypto/sha256.h"'
expect bad devices/a.c '<vmm/bus.h>'
expect bad devices/a.c '"../vmm/bus.h"'
expect bad firmware/a.c '"devices/bus_dev.h"'
expect bad crypto/a.c '"vmm/kvm/kvm_vm.h"'
expect bad crypto/a.c '"tests/unit/unit.h"'
expect ok  vmm/a.c '"devices/bus_dev.h"'
expect ok  vmm/a.c '"firmware/e820.h"'
expect bad vmm/a.c '"tests/fake/fake_irq.h"'
expect bad owner/a.c '"vmm/config.h"'
expect ok  owner/a.c '"crypto/sha256.h"'
expect bad sim/a.c '"owner/session.h"'
expect ok  tests/unit/a.c '"vmm/bus.h"'
expect ok  bench/a.c '"vmm/config.h"'
expect ok  vmm/kvm/a.c '<linux/kvm.h>'
expect ok  bench/a.c '<linux/kvm.h>'
expect bad vmm/a.c '<linux/kvm.h>'
expect bad devices/a.c '  <linux/kvm.h>'
expect ok  devices/a.c '<stdint.h>'

# a place without sources is a mistake, not a pass
mkdir "$root/empty"
if "$check" "$root/empty" 2>/dev/null; then
	echo "FAILED: an empty tree passes"
	failed=1
fi
exit "$failed"
