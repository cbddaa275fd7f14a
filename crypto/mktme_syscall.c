/*
 * crypto/mktme_syscall.c - which numbers are free on x86-64, after the comments
 * of Linux's arch/x86/entry/syscalls/syscall_64.tbl.
 */
#include "crypto/mktme_syscall.h"

#include <errno.h>
#include <stddef.h>

#include "vmm/base/err.h"
#include "vmm/base/own.h"

enum {
	OLD_LAST = 334,	 /* rseq: everything up to it is some call */
	GAP_FIRST = 387, /* "don't use numbers 387 through 423" */
	GAP_LAST = 423,
	COMMON_FIRST = 424, /* every architecture's, one more each release */
	X32_FIRST = 512,
	X32_LAST = 547,
};

/* Those after OLD_LAST, of Linux 6.19. */
static const struct {
	uint16_t nr;
	const char *name;
} names[] = {
	{335, "uretprobe"},
	{336, "uprobe"},
	{424, "pidfd_send_signal"},
	{425, "io_uring_setup"},
	{426, "io_uring_enter"},
	{427, "io_uring_register"},
	{428, "open_tree"},
	{429, "move_mount"},
	{430, "fsopen"},
	{431, "fsconfig"},
	{432, "fsmount"},
	{433, "fspick"},
	{434, "pidfd_open"},
	{435, "clone3"},
	{436, "close_range"},
	{437, "openat2"},
	{438, "pidfd_getfd"},
	{439, "faccessat2"},
	{440, "process_madvise"},
	{441, "epoll_pwait2"},
	{442, "mount_setattr"},
	{443, "quotactl_fd"},
	{444, "landlock_create_ruleset"},
	{445, "landlock_add_rule"},
	{446, "landlock_restrict_self"},
	{447, "memfd_secret"},
	{448, "process_mrelease"},
	{449, "futex_waitv"},
	{450, "set_mempolicy_home_node"},
	{451, "cachestat"},
	{452, "fchmodat2"},
	{453, "map_shadow_stack"},
	{454, "futex_wake"},
	{455, "futex_wait"},
	{456, "futex_requeue"},
	{457, "statmount"},
	{458, "listmount"},
	{459, "lsm_get_self_attr"},
	{460, "lsm_set_self_attr"},
	{461, "lsm_list_modules"},
	{462, "setxattrat"},
	{463, "getxattrat"},
	{464, "listxattrat"},
	{465, "removexattrat"},
	{466, "open_tree_attr"},
	{467, "file_getattr"},
	{468, "file_setattr"},
	{469, "listns"},
};

const char *mktme_syscall_name(uint64_t nr)
{
	if (nr <= OLD_LAST)
		return "one of the calls that every program makes";
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].nr == nr)
			return names[i].name;
	return NULL;
}

/* What a call of the number does on a kernel that has no MKTME. */
static const char *danger(uint64_t nr)
{
	switch (nr) {
	case 335:
		return "kills its caller";
	case 436:
		return "can close every descriptor of its caller";
	default:
		return "does something else";
	}
}

int mktme_syscall_check(uint64_t nr, struct err *err)
{
	const char *name = mktme_syscall_name(nr);

	if (name)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "system call %llu is %s in today's Linux, "
				    "which %s: build the kernel with "
				    "encrypt_mprotect at a number that Linux "
				    "does not use (387 to 423, or 548 and "
				    "above)",
				    (unsigned long long)nr, name, danger(nr));
	if ((nr >= GAP_FIRST && nr <= GAP_LAST) ||
	    (nr > X32_LAST && nr <= MKTME_SYSCALL_MAX))
		return 0;
	return err_set_kind(
		err, ERR_USAGE, -EINVAL,
		"system call %llu %s: build the kernel with encrypt_mprotect "
		"at a number that Linux does not use (387 to 423, or 548 to "
		"%d)",
		(unsigned long long)nr,
		nr > MKTME_SYSCALL_MAX ? "is above all numbers"
		: nr >= X32_FIRST      ? "belongs to x32"
		: nr >= COMMON_FIRST   ? "will be another call in a later Linux"
				       : "may become another call",
		MKTME_SYSCALL_MAX);
}
