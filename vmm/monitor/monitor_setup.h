/*
 * vmm/monitor/monitor_setup.h - what the supervisor hands over before START,
 * collected into what a VM is made of.
 */
#ifndef VMM_MONITOR_MONITOR_SETUP_H
#define VMM_MONITOR_MONITOR_SETUP_H

#include <stdbool.h>
#include <stddef.h>

#include "vmm/base/own.h"
#include "vmm/monitor/monitor_proto.h"

struct err;
struct monitor_setup; /* opaque */
struct vm_devices_config;
struct vm_params;

/* Nothing yet. -ENOMEM. */
int monitor_setup_create(struct monitor_setup **ret, struct err *err);
/* Closes what was handed over. NULL is fine. */
void monitor_setup_destroy(struct monitor_setup *s);
DEFINE_CLEANUP(struct monitor_setup, monitor_setup_destroy)

/*
 * Take a message that monitor_msg_check() has passed, and its descriptors, for
 * good. 1: it was START, and nothing is missing; 0: more will come.
 * -EPROTO      not now, twice, too many, or the pieces do not fit together
 * -ENOMEM
 */
int monitor_setup_take(struct monitor_setup *s, const struct monitor_msg *m,
		       const int *fds, size_t n_fds, struct err *err);

/*
 * After START. All that is lent lives as long as @s. In *p, what is the
 * caller's to set (kernel, console, loop, timing, callbacks) is left out.
 */
void monitor_setup_vm(struct monitor_setup *s, struct vm_params *p,
		      struct vm_devices_config *d);

/* A file of enum monitor_file, or -1; *ret_label is for messages. */
int monitor_setup_file(const struct monitor_setup *s, enum monitor_file kind,
		       const char **ret_label);
/* The console's descriptor, or -1: none; *ret_input: may it be read? */
int monitor_setup_console(const struct monitor_setup *s, bool *ret_input);
/*
 * /proc/self/smaps as it is for this process, opened while there was a /proc:
 * where the kernel prints which memory has which key. Taken over; -1: none.
 */
void monitor_setup_take_smaps(struct monitor_setup *s, int fd);
int monitor_setup_smaps(const struct monitor_setup *s);
/*
 * The VM is made, and its memory under its key: close what only that needed,
 * /dev/kvm and the smaps. Nothing that was lent of them is used again.
 */
void monitor_setup_vm_made(struct monitor_setup *s);
/* The key of its memory; false: there is none. */
bool monitor_setup_key(const struct monitor_setup *s,
		       struct monitor_msg_mktme *ret);
/* Is the guest protected? */
bool monitor_setup_protected(const struct monitor_setup *s);
/* Begin paused? A protected guest: wait for the owner. */
bool monitor_setup_paused(const struct monitor_setup *s);

#endif
