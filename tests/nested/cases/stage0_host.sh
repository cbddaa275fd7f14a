# stage0 under a host that says SEV or SEV-ES is active and lies about the rest:
# on a KVM that is like real ones, each case of stage0_host has to pass.
host=$(command -v stage0_host) || skip "no stage0_host: build all"
for c in $("$host" list); do
	timeout 60 "$host" "${host%/*}"/firmware/stage0.bin "$c" >"$out" 2>&1 ||
		fail "$c: $(cat "$out")"
	echo "$c: $(tr -d '\r' <"$out")"
done
