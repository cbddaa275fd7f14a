# A variable for each start of the machine, kept by its firmware; after the
# first one it reboots. Which boot loader was it started by?
vars=/sys/firmware/efi/efivars
guid=736869e5-84f0-4973-92ec-06879ce3da0b

mount -t efivarfs efivarfs $vars || echo "problem: no variables"
n=1
while [ -e "$vars/Start$n-$guid" ]; do n=$((n + 1)); done
# 7: kept, for the boot loader and for the system
printf '\007\000\000\000start %s' $n >"$vars/Start$n-$guid" ||
	echo "problem: cannot write a variable"
echo "fact starts $n"
echo "fact loader $(cat $vars/LoaderInfo-* 2>/dev/null | tail -c +5 | tr -d "\000")"
[ $n = 1 ] && reboot -f
