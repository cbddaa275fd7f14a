/* vmm/base/locked.c - mmap, mlock, and the wipe at the end. */
#include "vmm/base/locked.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "vmm/base/bits.h"
#include "vmm/base/err.h"

static size_t pages(size_t len)
{
	return align_up(len, (uint64_t)sysconf(_SC_PAGESIZE));
}

int locked_alloc(size_t len, void **ret, struct err *err)
{
	size_t n = pages(len);
	void *p = mmap(NULL, n, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		return err_set(err, -ENOMEM, "out of memory");
	if (mlock(p, n) < 0) {
		int e = errno;

		munmap(p, n);
		return err_set_kind(err, ERR_HOST,
				    e == EPERM ? -EPERM : -ENOMEM,
				    "cannot lock %zu bytes of memory for a "
				    "key: %s; raise the limit of locked memory "
				    "(ulimit -l)",
				    n, strerror(e));
	}
	/* A kernel without one of them keeps the key in memory all the same. */
	(void)madvise(p, n, MADV_DONTDUMP);
	(void)madvise(p, n, MADV_DONTFORK);
	*ret = p;
	return 0;
}

void locked_free(void *p, size_t len)
{
	if (!p)
		return;
	explicit_bzero(p, pages(len));
	munmap(p, pages(len));
}
