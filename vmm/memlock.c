/* vmm/memlock.c - how much memory must be lockable, and making it so. */
#include "vmm/memlock.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/resource.h>

#include "crypto/sev_launch.h"
#include "vmm/base/err.h"

uint64_t memlock_need(uint64_t ram_bytes, uint64_t rom_bytes)
{
	return ram_bytes + rom_bytes + SEV_LAUNCH_CHUNK;
}

static const char *text(rlim_t v, char *buf, size_t len)
{
	if (v == RLIM_INFINITY)
		snprintf(buf, len, "unlimited");
	else
		snprintf(buf, len, "%ju bytes", (uintmax_t)v);
	return buf;
}

static bool set(rlim_t soft, rlim_t hard)
{
	const struct rlimit l = {.rlim_cur = soft, .rlim_max = hard};

	return !setrlimit(RLIMIT_MEMLOCK, &l);
}

int memlock_raise(uint64_t need, struct err *err)
{
	struct rlimit l;
	char soft[32], hard[32];

	if (getrlimit(RLIMIT_MEMLOCK, &l) < 0)
		return err_set_kind(err, ERR_HOST, -errno,
				    "RLIMIT_MEMLOCK cannot be read");
	if (l.rlim_cur >= need || (l.rlim_max >= need && set(need, l.rlim_max)))
		return 0;
	if (set(need, need))
		return 0;
	return err_set_kind(
		err, ERR_HOST, -ENOMEM,
		"locked memory: this guest needs %" PRIu64 " bytes (its memory "
		"and %d for one command), the limit is %s (hard limit %s); "
		"raise it: ulimit -H -l %" PRIu64
		" as root, LimitMEMLOCK=%" PRIu64
		" in a systemd unit, or memlock in "
		"/etc/security/limits.d. CAP_IPC_LOCK does not help: the guest "
		"runs without it, and inside a user namespace it does not "
		"count",
		need, SEV_LAUNCH_CHUNK, text(l.rlim_cur, soft, sizeof(soft)),
		text(l.rlim_max, hard, sizeof(hard)), (need + 1023) / 1024,
		need);
}
