/* crypto/mktme_ram.c - encrypt_mprotect() over guest memory, and its errors. */
#include "crypto/mktme_ram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/mktme_syscall.h"
#include "vmm/base/err.h"

enum { RANGES_MAX = 16, PROT = PROT_READ | PROT_WRITE };

struct mktme_ram {
	struct mem_crypt crypt;
	struct mktme_ram_params p;
	size_t n;
	struct {
		uint64_t start, end;
	} range[RANGES_MAX]; /* encrypted so far */
};

/* --- the kernel's calls -------------------------------------------------- */

static int call_encrypt(void *arg, void *addr, size_t len, int prot,
			int32_t serial)
{
	const struct mktme_ram *m = arg;
	long r = syscall((long)m->p.syscall, addr, len, prot, serial);

	return r < 0 ? -errno : 0;
}

static int call_mprotect(void *arg, void *addr, size_t len, int prot)
{
	(void)arg;
	return mprotect(addr, len, prot) < 0 ? -errno : 0;
}

static const struct mktme_ram_ops kernel_ops = {
	.encrypt_mprotect = call_encrypt,
	.mprotect = call_mprotect,
};

/* --- what its errors mean ------------------------------------------------ */

static const struct {
	int code;
	enum err_kind kind;
	const char *why;
} reasons[] = {
	{-ENOSYS, ERR_HOST,
	 "this kernel has no such call; the number of the running kernel goes "
	 "into --mktme syscall=N or /etc/coffer.conf"},
	{-ENOKEY, ERR_BUSY,
	 "the key is gone: it was invalidated or its keyring was cleared; "
	 "start again"},
	{-EKEYREVOKED, ERR_BUSY,
	 "somebody has revoked the key since it was handed over; start again"},
	{-EKEYEXPIRED, ERR_BUSY,
	 "the key has expired: the start took longer than its timeout; start "
	 "again"},
	{-EACCES, ERR_PERM,
	 "the monitor may not see the key (it needs VIEW); for handle= allow "
	 "it: keyctl setperm"},
	{-EINVAL, ERR_HOST,
	 "the kernel takes neither this key nor this memory: the key must be "
	 "of type mktme, the memory private and anonymous"},
	{-ENOMEM, ERR_HOST, "the kernel ran out of memory or of mappings"},
};

static int explain(const struct mktme_ram *m, uint64_t len, int r,
		   struct err *err)
{
	const char *why = "an error that this call should not give; is the "
			  "number that of another call?";
	enum err_kind kind = ERR_HOST;

	for (size_t i = 0; i < sizeof(reasons) / sizeof(*reasons); i++)
		if (reasons[i].code == r) {
			kind = reasons[i].kind;
			why = reasons[i].why;
		}
	return err_set_kind(err, kind, r,
			    "encrypt_mprotect (system call %llu) of %llu MiB "
			    "of guest memory with key %d: %s: %s",
			    (unsigned long long)m->p.syscall,
			    (unsigned long long)(len >> 20), m->p.serial,
			    strerror(-r), why);
}

/* --- mem_crypt ----------------------------------------------------------- */

static int encrypt(struct mem_crypt *c, void *hva, uint64_t len,
		   struct err *err)
{
	struct mktme_ram *m = container_of(c, struct mktme_ram, crypt);
	void *arg = m->p.ops == &kernel_ops ? m : m->p.arg;
	int r;

	if (m->n == RANGES_MAX)
		return err_set(err, -ENOSPC, "more than %d memory regions",
			       RANGES_MAX);
	r = m->p.ops->encrypt_mprotect(arg, hva, len, PROT, m->p.serial);
	if (r > 0) /* 0 is its only answer without an error */
		r = -EPROTO;
	if (r < 0)
		return explain(m, len, r, err);
	/*
	 * The first call has set the protection as well, where it is the real
	 * one; doing it again changes nothing there.
	 */
	r = m->p.ops->mprotect(arg, hva, len, PROT);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r,
				    "mprotect of guest memory: %s",
				    strerror(-r));
	m->range[m->n].start = (uintptr_t)hva;
	m->range[m->n++].end = (uintptr_t)hva + len;
	return 0;
}

/* All ranges under one KeyID? 1: yes, 0: the kernel does not tell. */
static int verify(struct mktme_ram *m, struct err *err)
{
	uint64_t first = 0;

	for (size_t i = 0; i < m->n; i++) {
		uint64_t id = 0;
		int r = mktme_smaps_check(m->p.smaps_fd, m->range[i].start,
					  m->range[i].end, &id, err);

		if (r <= 0)
			return r;
		if (first && id != first)
			return err_set_kind(err, ERR_HOST, -EKEYREJECTED,
					    "guest memory has two KeyIDs, %llu "
					    "and %llu; the guest is not "
					    "started",
					    (unsigned long long)first,
					    (unsigned long long)id);
		first = id;
	}
	return m->n != 0;
}

static int done(struct mem_crypt *c, struct err *err)
{
	struct mktme_ram *m = container_of(c, struct mktme_ram, crypt);
	int r = m->p.smaps_fd < 0 ? 0 : verify(m, err);

	if (r < 0)
		return r;
	if (m->p.encrypted)
		m->p.encrypted(m->p.arg, r > 0);
	return 0;
}

static const struct mem_crypt_ops crypt_ops = {
	.encrypt = encrypt,
	.done = done,
};

int mktme_ram_create(const struct mktme_ram_params *p, struct mktme_ram **ret,
		     struct err *err)
{
	struct mktme_ram *m;
	int r = mktme_syscall_check(p->syscall, err);

	if (r < 0)
		return r;
	/* Negative serials are names of keyrings: keyctl(2). */
	if (p->serial <= 0)
		return err_set_kind(err, ERR_INTERNAL, -EINVAL,
				    "%d is not the serial number of a key",
				    p->serial);
	m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(err, -ENOMEM, "out of memory");
	m->p = *p;
	if (!m->p.ops)
		m->p.ops = &kernel_ops;
	m->crypt.ops = &crypt_ops;
	*ret = m;
	return 0;
}

void mktme_ram_destroy(struct mktme_ram *m)
{
	free(m);
}

struct mem_crypt *mktme_ram_crypt(struct mktme_ram *m)
{
	return &m->crypt;
}
