/*
 * sim/sim_target.h - the process whose call is being answered: its memory,
 * descriptors and limits. sim_proc is the real one; tests bring their own.
 */
#ifndef SIM_SIM_TARGET_H
#define SIM_SIM_TARGET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sim_target;

struct sim_target_ops {
	/* All @len bytes, or -EFAULT; write() may have written some. */
	int (*read)(struct sim_target *t, uint64_t addr, void *buf, size_t len);
	int (*write)(struct sim_target *t, uint64_t addr, const void *buf,
		     size_t len);
	/* Is all of it mapped private or shared, readable and writable? */
	bool (*is_writable)(struct sim_target *t, uint64_t addr, uint64_t len);
	/* Does one page (of whatever size) of the host hold all of it? */
	bool (*is_contiguous)(struct sim_target *t, uint64_t addr,
			      uint64_t len);
	/* Bytes that it may lock; UINT64_MAX when a capability says so. */
	uint64_t (*memlock)(struct sim_target *t);
	/* Is descriptor @fd our /dev/sev? Then how it is open: O_RDWR, ... */
	bool (*is_sev)(struct sim_target *t, uint32_t fd, int *ret_mode);
};

struct sim_target {
	const struct sim_target_ops *ops;
};

static inline int sim_read(struct sim_target *t, uint64_t addr, void *buf,
			   size_t len)
{
	return t->ops->read(t, addr, buf, len);
}

static inline int sim_write(struct sim_target *t, uint64_t addr,
			    const void *buf, size_t len)
{
	return t->ops->write(t, addr, buf, len);
}

#endif
