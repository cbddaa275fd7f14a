/* vmm/monitor/jail_landlock.c - everything handled, nothing allowed. */
#include "vmm/monitor/jail_landlock.h"

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/own.h"

/*
 * Our own, since the headers of Debian 12 know ABI 2 only. The kernel takes
 * the length of the struct that its version knows, and refuses unknown bits.
 */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net; /* from ABI 4 */
	uint64_t scoped;	     /* from ABI 6 */
};

enum { VERSION_FLAG = 1 << 0 }; /* LANDLOCK_CREATE_RULESET_VERSION */

static const struct {
	unsigned int fs_bits; /* LANDLOCK_ACCESS_FS_*, from bit 0 */
	uint64_t net, scoped;
	size_t size;
} abis[] = {
	{0, 0, 0, 0},	{13, 0, 0, 8}, /* 1 */
	{14, 0, 0, 8},		       /* 2: REFER */
	{15, 0, 0, 8},		       /* 3: TRUNCATE */
	{15, 3, 0, 16},		       /* 4: BIND_TCP, CONNECT_TCP */
	{16, 3, 0, 16},		       /* 5: IOCTL_DEV */
	{16, 3, 3, 24},		       /* 6: abstract unix sockets, signals */
};

int jail_landlock(struct err *err)
{
	AUTO(fd_closep) int fd = -1;
	struct ruleset_attr a;
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);

	if (abi <= 0) {
		log_debug("jail: this kernel has no Landlock: %s",
			  strerror(errno));
		return 0;
	}
	if (abi >= (long)ARRAY_SIZE(abis))
		abi = (long)ARRAY_SIZE(abis) - 1;
	a = (struct ruleset_attr){
		.handled_access_fs = (UINT64_C(1) << abis[abi].fs_bits) - 1,
		.handled_access_net = abis[abi].net,
		.scoped = abis[abi].scoped,
	};
	fd = (int)syscall(SYS_landlock_create_ruleset, &a, abis[abi].size, 0);
	if (fd < 0 || syscall(SYS_landlock_restrict_self, fd, 0) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "jail: Landlock (ABI %ld): %s", abi,
				    strerror(errno));
	log_debug("jail: Landlock, ABI %ld", abi);
	return 0;
}
