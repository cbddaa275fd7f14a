/*
 * sim/sim_scramble.h - launched memory, really encrypted until the launch
 * ends: a monitor that reads it gets noise, one that writes to it is found out.
 *
 * Each block of 16 bytes is encrypted by a key of the guest and its address.
 * Launching the same block twice encrypts it twice, as hardware does; it is
 * decrypted once.
 */
#ifndef SIM_SIM_SCRAMBLE_H
#define SIM_SIM_SCRAMBLE_H

#include "sim/sim_target.h"
#include "vmm/base/own.h"

struct sim_scramble; /* opaque; one per guest */

/* NULL when memory or random numbers are gone. */
struct sim_scramble *sim_scramble_create(void);
void sim_scramble_destroy(struct sim_scramble *s);
DEFINE_CLEANUP(struct sim_scramble, sim_scramble_destroy)

/*
 * Encrypt [@addr, @addr + @len) in place; both are multiples of 16.
 * -EFAULT: not writable memory; -ENOMEM; -EIO: libcrypto
 */
int sim_scramble_lock(struct sim_scramble *s, struct sim_target *t,
		      uint64_t addr, uint64_t len);

/*
 * Decrypt everything. *ret_touched: pages that somebody has written to
 * meanwhile, *ret_first the first of them; they are garbage then.
 */
int sim_scramble_unlock(struct sim_scramble *s, struct sim_target *t,
			uint64_t *ret_touched, uint64_t *ret_first);

#endif
