/* vmm/supervisor/guest_key.h - from `--mktme` to a key of the kernel's. */
#ifndef VMM_SUPERVISOR_GUEST_KEY_H
#define VMM_SUPERVISOR_GUEST_KEY_H

#include <sys/types.h>

#include "vmm/supervisor/key_broker.h"

struct err;
struct run_config;

struct guest_key {
	struct key_broker *broker; /* NULL: no MKTME */
	uint32_t syscall;
};

/*
 * The key of one start of the guest @c, if it wants one: reads /etc/coffer.conf
 * (@host_config: its path) and the user's key, and asks the broker.
 * @viewers   the monitor's group, or (gid_t)-1: see key_broker.h
 * Errors of host_config_read(), key_source_read(), key_broker_create().
 */
int guest_key_create(const struct run_config *c, const char *host_config,
		     gid_t viewers, struct key_service *service,
		     struct guest_key *ret, struct err *err);
/* Fine for a zeroed one. */
void guest_key_destroy(struct guest_key *k);

#endif
