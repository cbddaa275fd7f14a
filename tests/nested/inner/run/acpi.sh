# Whose ACPI tables the kernel has: by its signature, OEM and name of each.
find /sys/firmware/acpi/tables -type f | while read -r f; do
	echo "fact table.$(dd if="$f" bs=1 count=4 2>/dev/null) $(dd if="$f" bs=1 skip=10 count=14 2>/dev/null)"
done
dmesg | grep -i 'Memory Encryption' | sed 's/^/sev: /'
