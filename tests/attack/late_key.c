/*
 * tests/attack/late_key.c - a monitor with a mistake: it puts guest memory
 * under its key after the kernel was loaded. Linked by --wrap into the one we
 * install. A test shows that such a build does not get away with it.
 */
#include <stdint.h>

#include "crypto/mktme_ram.h"
#include "mem/mem_crypt.h"
#include "vmm/base/own.h"

struct vm;

struct mem_crypt *__real_mktme_ram_crypt(struct mktme_ram *m);
struct mem_crypt *__wrap_mktme_ram_crypt(struct mktme_ram *m);
int __real_vm_start(struct vm *vm, struct err *err);
int __wrap_vm_start(struct vm *vm, struct err *err);

static struct mem_crypt *right;
static struct range {
	void *hva;
	uint64_t len;
} ranges[16];
static size_t n_ranges;

static int only_note(struct mem_crypt *c, void *hva, uint64_t len,
		     struct err *err)
{
	(void)c;
	(void)err;
	if (n_ranges < ARRAY_SIZE(ranges))
		ranges[n_ranges++] = (struct range){hva, len};
	return 0;
}

static int not_yet(struct mem_crypt *c, struct err *err)
{
	(void)c;
	(void)err;
	return 0;
}

static const struct mem_crypt_ops late_ops = {
	.encrypt = only_note,
	.done = not_yet,
};
static struct mem_crypt late = {.ops = &late_ops};

struct mem_crypt *__wrap_mktme_ram_crypt(struct mktme_ram *m)
{
	right = __real_mktme_ram_crypt(m);
	return &late;
}

/* The kernel is loaded, no vCPU has a thread yet. */
int __wrap_vm_start(struct vm *vm, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < n_ranges && !r; i++)
		r = right->ops->encrypt(right, ranges[i].hva, ranges[i].len,
					err);
	if (!r && right)
		r = right->ops->done(right, err);
	return r ? r : __real_vm_start(vm, err);
}
