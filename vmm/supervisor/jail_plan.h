/*
 * vmm/supervisor/jail_plan.h - which user, and which limits, a monitor gets.
 *
 * As root, without --user, each guest has a user of its own: a number of
 * JAIL_UID_FIRST.. that no account of the host has, held by a lock on one byte
 * of JAIL_UID_FILE for as long as the supervisor lives. That file is the only
 * thing that stays; it is empty.
 */
#ifndef VMM_SUPERVISOR_JAIL_PLAN_H
#define VMM_SUPERVISOR_JAIL_PLAN_H

#include "vmm/base/own.h"
#include "vmm/monitor/monitor_proto.h"

struct err;
struct run_config;

/*
 * Above what systemd gives to containers, below 2^31 (systemd,
 * docs/UIDS-GIDS.md, "Special UIDs").
 */
enum { JAIL_UID_FIRST = 0x70c00000, JAIL_UID_COUNT = 16384 };
#define JAIL_UID_DIR "/run/coffer"
#define JAIL_UID_FILE JAIL_UID_DIR "/uids"

struct jail_plan {
	struct monitor_msg_jail msg;
	int lock_fd; /* -1: no lock; owned */
};

/*
 * Also raises our own limit of descriptors as far as we are allowed to.
 * Give it back with jail_plan_release().
 * -EINVAL, ERR_USAGE   --user without being root, of user 0, or unknown
 * -EUSERS              all JAIL_UID_COUNT numbers are taken
 * or an errno of making or locking the file
 */
int jail_plan_make(const struct run_config *c, struct jail_plan *ret,
		   struct err *err);
void jail_plan_release(struct jail_plan *p);
/* The most threads that a monitor and the kernel for it have. */
unsigned int jail_plan_threads(const struct run_config *c);
/* Nothing is held. */
void jail_plan_init(struct jail_plan *p);

/*
 * Lock the first free byte of @fd (borrowed) from @first on, around the end of
 * @count. The number, or -EUSERS, or an errno of fcntl(2).
 */
int jail_plan_lock(int fd, unsigned int first, unsigned int count);

#endif
