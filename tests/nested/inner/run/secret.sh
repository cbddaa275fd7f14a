# What a protected guest got from its owner, and what its kernel says of SEV.
for f in /.coffer/secrets/*; do
	[ -f "$f" ] || continue
	echo "fact secret.${f##*/} $(sha256sum <"$f" | cut -d ' ' -f 1)"
	echo "fact secret_mode $(stat -c %a "$f")"
done
dmesg | grep -iE 'Memory Encryption|SEV' | sed 's/^/sev: /'
