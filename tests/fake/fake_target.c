/* tests/fake/fake_target.c - a process made of an array. */
#include "tests/fake/fake_target.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "vmm/base/checked.h"
#include "vmm/base/own.h"

static struct fake_target *fake_of(struct sim_target *t)
{
	return container_of(t, struct fake_target, target);
}

static bool is_there(uint64_t addr, uint64_t len)
{
	return addr >= FAKE_TARGET_BASE &&
	       range_within(addr - FAKE_TARGET_BASE, len, FAKE_TARGET_MEM);
}

static int fake_read(struct sim_target *t, uint64_t addr, void *buf, size_t len)
{
	if (!is_there(addr, len))
		return -EFAULT;
	memcpy(buf, fake_of(t)->mem + (addr - FAKE_TARGET_BASE), len);
	return 0;
}

static int fake_write(struct sim_target *t, uint64_t addr, const void *buf,
		      size_t len)
{
	if (!len)
		return 0;
	if (!is_there(addr, len))
		return -EFAULT;
	memcpy(fake_of(t)->mem + (addr - FAKE_TARGET_BASE), buf, len);
	return 0;
}

static bool fake_is_writable(struct sim_target *t, uint64_t addr, uint64_t len)
{
	return is_there(addr, len) &&
	       addr - FAKE_TARGET_BASE + len <= fake_of(t)->writable;
}

static bool fake_is_contiguous(struct sim_target *t, uint64_t addr,
			       uint64_t len)
{
	(void)t;
	return addr / 4096 == (addr + len - 1) / 4096;
}

static uint64_t fake_memlock(struct sim_target *t)
{
	return fake_of(t)->memlock;
}

static bool fake_is_sev(struct sim_target *t, uint32_t fd, int *ret_mode)
{
	*ret_mode = fake_of(t)->sev_mode;
	return fd == fake_of(t)->sev_fd;
}

static const struct sim_target_ops ops = {
	.read = fake_read,
	.write = fake_write,
	.is_writable = fake_is_writable,
	.is_contiguous = fake_is_contiguous,
	.memlock = fake_memlock,
	.is_sev = fake_is_sev,
};

void fake_target_init(struct fake_target *f)
{
	*f = (struct fake_target){.target.ops = &ops,
				  .mem = calloc(1, FAKE_TARGET_MEM),
				  .writable = FAKE_TARGET_MEM,
				  .memlock = UINT64_MAX,
				  .sev_fd = 5,
				  .sev_mode = O_RDWR};
	if (!f->mem)
		abort();
}

void fake_target_end(struct fake_target *f)
{
	free(f->mem);
}
