#!/bin/sh
# udhcpc(8) calls it when something has happened.
# shellcheck disable=SC2154 # udhcpc sets them
case $1 in
bound | renew)
	ip addr flush dev "$interface"
	ip addr add "$ip/${mask:-24}" dev "$interface"
	[ -z "$router" ] || ip route replace default via "${router%% *}"
	;;
esac
