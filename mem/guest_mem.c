/* mem/guest_mem.c - maps guest RAM and ROM, and copies in and out of it. */
#include "mem/guest_mem.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem/host_mem.h"
#include "mem/mem_crypt.h"
#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

/* Debian 12's headers do not have it; Linux 6.3. */
#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 0x0008U
#endif
/* log2 of the page size, in the same place for mmap(2) and memfd_create(2) */
#define HUGE_SHIFT 26

#define ADDRESS_MAX BIT64(46)
#define THP_SIZE MIB(2)

struct region {
	struct guest_mem_region pub;
	/*
	 * The address range the mapping lies in. What the region does not
	 * cover stays PROT_NONE: at least one guard page on either side.
	 */
	void *reserve;
	size_t reserve_len;
};

struct guest_mem {
	struct guest_mem_opts opts;
	struct region *regions[GUEST_MEM_MAX_REGIONS]; /* sorted by base */
	size_t n_regions;
	uint64_t ram_bytes;
	bool crypt_done;
};

static void region_destroy(struct region *r)
{
	if (!r)
		return;
	if (r->reserve)
		munmap(r->reserve, r->reserve_len);
	if (r->pub.fd >= 0)
		close(r->pub.fd);
	free(r);
}
DEFINE_CLEANUP(struct region, region_destroy)

int guest_mem_create(const struct guest_mem_opts *opts, struct guest_mem **ret,
		     struct err *err)
{
	struct guest_mem *m;

	if (opts->hugepage_size && opts->hugepage_size != MIB(2) &&
	    opts->hugepage_size != GIB(1))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "huge pages are 2M or 1G, not %" PRIu64
				    " bytes",
				    opts->hugepage_size);
	if (opts->crypt &&
	    (opts->backing != GUEST_MEM_ANON || opts->hugepage_size))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "only private anonymous memory in base "
				    "pages can be encrypted");
	m = calloc(1, sizeof(*m));
	if (!m)
		return err_set(err, -ENOMEM, "out of memory");
	m->opts = *opts;
	*ret = m;
	return 0;
}

void guest_mem_destroy(struct guest_mem *m)
{
	if (!m)
		return;
	while (m->n_regions)
		region_destroy(m->regions[--m->n_regions]);
	free(m);
}

/* --- set-up ------------------------------------------------------------- */

/*
 * Guest RAM is mapped without a reservation, since most guests never touch all
 * of theirs; the kernel then accepts any size. The line is drawn here: all RAM
 * of one guest must fit into the host's RAM and swap, and what is prefaulted,
 * which is used at once, into what is available now. Otherwise the guest would
 * start and be killed later. Hugetlb pages are reserved by mmap() itself.
 */
static int check_host(uint64_t total, uint64_t now, struct err *err)
{
	char want[HOST_MEM_SIZE_STR], have[HOST_MEM_SIZE_STR];
	char swap[HOST_MEM_SIZE_STR];
	struct host_mem host;
	uint64_t available;
	int r = host_mem_read(&host);

	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "sysinfo: %s",
				    strerror(-r));
	if (total > host.ram_bytes + host.swap_bytes)
		return err_set_kind(
			err, ERR_HOST, -ENOMEM,
			"%s of guest memory do not fit this host: it has %s "
			"of RAM and %s of swap; choose a smaller --memory",
			host_mem_size_str(total, want),
			host_mem_size_str(align_down(host.ram_bytes, MIB(1)),
					  have),
			host_mem_size_str(align_down(host.swap_bytes, MIB(1)),
					  swap));
	available = now ? host_mem_available() : 0;
	if (now > available)
		return err_set_kind(
			err, ERR_HOST, -ENOMEM,
			"cannot prefault %s of guest memory: %s are available "
			"now; free some, choose a smaller --memory, or leave "
			"out prefault",
			host_mem_size_str(now, want),
			host_mem_size_str(align_down(available, MIB(1)), have));
	return 0;
}

static int huge_error(uint64_t size, uint64_t len, int r, struct err *err)
{
	const char *name = size == GIB(1) ? "1G" : "2M";
	struct host_hugepages hp;

	if (host_hugepages_read(size, &hp) < 0)
		return err_set_kind(err, ERR_HOST, -ENOMEM,
				    "cannot get %" PRIu64
				    " huge pages of %s (%s): this "
				    "host shows no pool of that size; use "
				    "another page size or none",
				    len / size, name, strerror(-r));
	return err_set_kind(
		err, ERR_HOST, -ENOMEM,
		"cannot get %" PRIu64 " huge pages of %s (%s): "
		"%" PRIu64 " of the host's %" PRIu64
		" are free; raise /sys/kernel/mm/hugepages/"
		"hugepages-%" PRIu64 "kB/nr_hugepages, or use "
		"none",
		len / size, name, strerror(-r),
		hp.free - (hp.reserved < hp.free ? hp.reserved : hp.free),
		hp.total, size / 1024);
}

static int map_error(uint64_t len, const char *what, int r, struct err *err)
{
	char size[HOST_MEM_SIZE_STR];

	return err_set_kind(err, ERR_HOST, r == -ENOMEM ? -ENOMEM : r,
			    "cannot map %s of guest memory: %s: %s%s",
			    host_mem_size_str(len, size), what, strerror(-r),
			    r == -ENOMEM ? " (limits that apply: ulimit -v, "
					   "ulimit -d, vm.overcommit_memory)"
					 : "");
}

static unsigned int huge_flag(uint64_t size)
{
	return (unsigned int)__builtin_ctzll(size) << HUGE_SHIFT;
}

/* A sealed memfd of @len bytes, or a negative errno. */
static int memfd(uint64_t len, uint64_t huge)
{
	unsigned int flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	AUTO(fd_closep) int fd = -1;

	if (huge)
		flags |= MFD_HUGETLB | huge_flag(huge);
	fd = memfd_create("guest-ram", flags | MFD_NOEXEC_SEAL);
	if (fd < 0 && errno == EINVAL) /* older than Linux 6.3 */
		fd = memfd_create("guest-ram", flags);
	if (fd < 0 || ftruncate(fd, (off_t)len) < 0)
		return -errno;
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) <
	    0)
		return -errno;
	return TAKE_FD(fd);
}

/*
 * Reserve addresses and choose the region's among them: congruent to the guest
 * address modulo @align, because KVM maps a huge page only where both are.
 */
static int reserve(struct region *r, uint64_t align)
{
	uint64_t skew = r->pub.base & (align - 1);
	uintptr_t start;

	r->reserve_len = r->pub.len + 2 * (align + GUEST_MEM_PAGE);
	r->reserve = mmap(NULL, r->reserve_len, PROT_NONE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->reserve == MAP_FAILED) {
		r->reserve = NULL;
		return -errno;
	}
	start = (uintptr_t)r->reserve + GUEST_MEM_PAGE;
	r->pub.hva = (void *)(align_up(start, align) + skew);
	return 0;
}

static int map_region(struct region *r, const struct guest_mem_opts *o,
		      struct err *err)
{
	int flags = MAP_FIXED, ret;
	void *p;

	ret = reserve(r, o->hugepage_size ? o->hugepage_size : THP_SIZE);
	if (ret < 0)
		return map_error(r->pub.len, "mmap", ret, err);
	if (o->backing == GUEST_MEM_MEMFD) {
		r->pub.fd = memfd(r->pub.len, o->hugepage_size);
		if (r->pub.fd < 0 && o->hugepage_size)
			return huge_error(o->hugepage_size, r->pub.len,
					  r->pub.fd, err);
		if (r->pub.fd < 0)
			return map_error(r->pub.len, "memfd", r->pub.fd, err);
		flags |= MAP_SHARED;
	} else {
		flags |= MAP_PRIVATE | MAP_ANONYMOUS;
		if (o->hugepage_size)
			flags |= MAP_HUGETLB | (int)huge_flag(o->hugepage_size);
	}
	/* hugetlb without MAP_NORESERVE: a shortage is ENOMEM here and now */
	if (!o->hugepage_size)
		flags |= MAP_NORESERVE;
	p = mmap(r->pub.hva, r->pub.len, PROT_READ | PROT_WRITE, flags,
		 r->pub.fd, 0);
	if (p != MAP_FAILED)
		return 0;
	ret = -errno;
	return o->hugepage_size
		       ? huge_error(o->hugepage_size, r->pub.len, ret, err)
		       : map_error(r->pub.len, "mmap", ret, err);
}

static int prefault(struct region *r, struct err *err)
{
	volatile uint8_t *p = r->pub.hva;
	char size[HOST_MEM_SIZE_STR];
	int code;

	if (!madvise(r->pub.hva, r->pub.len, MADV_POPULATE_WRITE))
		return 0;
	code = errno;
	if (code == EINVAL) { /* older than Linux 5.14 */
		for (uint64_t off = 0; off < r->pub.len; off += GUEST_MEM_PAGE)
			p[off] = 0;
		return 0;
	}
	/* EFAULT is where touching the page would be SIGBUS (hugetlb cgroup) */
	return err_set_kind(err, ERR_HOST, -ENOMEM,
			    "cannot prefault %s of guest memory: %s; choose a "
			    "smaller --memory or leave out prefault",
			    host_mem_size_str(r->pub.len, size),
			    strerror(code == EFAULT ? ENOMEM : code));
}

static int check_shape(const struct guest_mem *m, gpa_t base, uint64_t len,
		       uint64_t align, struct err *err)
{
	char unit[HOST_MEM_SIZE_STR];

	if (!len || !is_aligned(base, align) || !is_aligned(len, align))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "guest memory 0x%" PRIx64 " +0x%" PRIx64
				    " is not a multiple of %s",
				    base, len, host_mem_size_str(align, unit));
	if (!range_within(base, len, ADDRESS_MAX))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "guest memory 0x%" PRIx64 " +0x%" PRIx64
				    " ends above 2^46",
				    base, len);
	for (size_t i = 0; i < m->n_regions; i++) {
		const struct guest_mem_region *o = &m->regions[i]->pub;

		if (range_overlaps(base, len, o->base, o->len))
			return err_set(err, -EEXIST,
				       "guest memory 0x%" PRIx64 " +0x%" PRIx64
				       " overlaps 0x%" PRIx64 " +0x%" PRIx64,
				       base, len, o->base, o->len);
	}
	if (m->crypt_done)
		return err_set(err, -EBUSY,
			       "guest memory 0x%" PRIx64 " +0x%" PRIx64
			       " comes after the rest was encrypted",
			       base, len);
	if (m->n_regions == GUEST_MEM_MAX_REGIONS)
		return err_set(err, -ENOSPC, "more than %d memory regions",
			       GUEST_MEM_MAX_REGIONS);
	return 0;
}

static void insert(struct guest_mem *m, struct region *r)
{
	size_t i = m->n_regions++;

	for (; i && m->regions[i - 1]->pub.base > r->pub.base; i--)
		m->regions[i] = m->regions[i - 1];
	m->regions[i] = r;
	if (r->pub.type == GUEST_MEM_RAM)
		m->ram_bytes += r->pub.len;
}

/*
 * Huge pages, but for the first: what every start writes there (tables, the
 * command line) is a few small pages, and clearing 2 MiB for them takes longer
 * than the rest of a small guest's load. A page that is there already keeps the
 * kernel from it; both halves end with the same advice and stay one mapping.
 */
static void advise_huge(struct region *r)
{
	if (!r->pub.base && r->pub.len > MIB(2)) {
		(void)madvise(r->pub.hva, MIB(2), MADV_NOHUGEPAGE);
		/* NOLINTNEXTLINE(clang-analyzer-core.NullDereference): there */
		*(volatile uint8_t *)r->pub.hva = 0;
	}
	(void)madvise(r->pub.hva, r->pub.len, MADV_HUGEPAGE);
}

static int add(struct guest_mem *m, gpa_t base, uint64_t len,
	       enum guest_mem_type type, const struct guest_mem_opts *o,
	       struct err *err)
{
	AUTO(region_destroyp) struct region *r = NULL;
	int ret;

	ret = check_shape(m, base, len,
			  o->hugepage_size ? o->hugepage_size : GUEST_MEM_PAGE,
			  err);
	if (ret < 0)
		return ret;
	if (!o->hugepage_size) {
		ret = check_host(m->ram_bytes + len, o->prefault ? len : 0,
				 err);
		if (ret < 0)
			return ret;
	}
	r = calloc(1, sizeof(*r));
	if (!r)
		return err_set(err, -ENOMEM, "out of memory");
	r->pub = (struct guest_mem_region){
		.base = base,
		.len = len,
		.type = type,
		.fd = -1,
		.page = o->hugepage_size ? o->hugepage_size : GUEST_MEM_PAGE,
	};
	ret = map_region(r, o, err);
	if (ret <
	    0) /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): AUTO frees */
		return ret;
	/*
	 * Hints: a kernel without them works as well. Guest memory stays out
	 * of core dumps, because it is big and not ours to write to a disk.
	 */
	(void)madvise(r->pub.hva, len, MADV_DONTDUMP);
	if (!o->hugepage_size && type == GUEST_MEM_RAM)
		advise_huge(r);
	/* drops what is there, so it comes before the first byte */
	if (m->opts.crypt) {
		ret = m->opts.crypt->ops->encrypt(m->opts.crypt, r->pub.hva,
						  len, err);
		if (ret < 0)
			return ret;
	}
	if (o->prefault) {
		ret = prefault(r, err);
		if (ret < 0)
			return ret;
	}
	insert(m, TAKE(r));
	return 0;
}

int guest_mem_add_ram(struct guest_mem *m, gpa_t base, uint64_t len,
		      struct err *err)
{
	return add(m, base, len, GUEST_MEM_RAM, &m->opts, err);
}

int guest_mem_add_rom(struct guest_mem *m, gpa_t base, uint64_t len,
		      struct err *err)
{
	static const struct guest_mem_opts plain = {.backing = GUEST_MEM_ANON};

	return add(m, base, len, GUEST_MEM_ROM, &plain, err);
}

int guest_mem_add_machine_ram(struct guest_mem *m, uint64_t bytes,
			      struct err *err)
{
	uint64_t unit =
		m->opts.hugepage_size ? m->opts.hugepage_size : GUEST_MEM_PAGE;
	uint64_t low = bytes < MEM_RAM_LOW_MAX ? bytes : MEM_RAM_LOW_MAX;
	char size[HOST_MEM_SIZE_STR], min[HOST_MEM_SIZE_STR];
	char max[HOST_MEM_SIZE_STR];
	int r;

	if (bytes < MEM_RAM_MIN || bytes > MEM_RAM_MAX)
		return err_set_kind(
			err, ERR_USAGE, -EINVAL,
			"guest memory of %s: must be between %s and %s",
			host_mem_size_str(bytes, size),
			host_mem_size_str(MEM_RAM_MIN, min),
			host_mem_size_str(MEM_RAM_MAX, max));
	if (!is_aligned(bytes, unit))
		return err_set_kind(
			err, ERR_USAGE, -EINVAL,
			"guest memory of %s: must be a multiple of %s",
			host_mem_size_str(bytes, size),
			host_mem_size_str(unit, min));
	/* the whole guest at once, so that the message names its size */
	if (!m->opts.hugepage_size) {
		r = check_host(m->ram_bytes + bytes,
			       m->opts.prefault ? bytes : 0, err);
		if (r < 0)
			return r;
	}
	r = guest_mem_add_ram(m, 0, low, err);
	if (r < 0 || bytes == low)
		return r;
	return guest_mem_add_ram(m, MEM_RAM_HIGH_BASE, bytes - low, err);
}

int guest_mem_crypt_done(struct guest_mem *m, struct err *err)
{
	if (!m->opts.crypt || m->crypt_done)
		return 0;
	m->crypt_done = true;
	return m->opts.crypt->ops->done(m->opts.crypt, err);
}

/* --- look-up ------------------------------------------------------------ */

size_t guest_mem_n_regions(const struct guest_mem *m)
{
	return m->n_regions;
}

const struct guest_mem_region *guest_mem_region(const struct guest_mem *m,
						size_t i)
{
	assert(i < m->n_regions);
	return &m->regions[i]->pub;
}

uint64_t guest_mem_ram_bytes(const struct guest_mem *m)
{
	return m->ram_bytes;
}

/* A map has one to four regions: a loop is the fastest search. */
void *guest_mem_piece(const struct guest_mem *m, gpa_t gpa, uint64_t len,
		      bool write, uint64_t *ret_len)
{
	for (size_t i = 0; i < m->n_regions; i++) {
		const struct guest_mem_region *r = &m->regions[i]->pub;
		uint64_t off = gpa - r->base;

		if (gpa < r->base || off >= r->len)
			continue;
		if (write && r->type != GUEST_MEM_RAM)
			return NULL;
		*ret_len = len < r->len - off ? len : r->len - off;
		return (uint8_t *)r->hva + off;
	}
	return NULL;
}

/* Is every byte of [gpa, gpa + len) in a region (in RAM, for @write)? */
static bool covered(const struct guest_mem *m, gpa_t gpa, uint64_t len,
		    bool write)
{
	uint64_t n, end;

	if (!checked_add(gpa, len, &end))
		return false;
	for (; len; gpa += n, len -= n)
		if (!guest_mem_piece(m, gpa, len, write, &n))
			return false;
	return true;
}

void *guest_mem_ptr(const struct guest_mem *m, gpa_t gpa, uint64_t len)
{
	uint64_t n;
	uint8_t *p = guest_mem_piece(m, gpa, len, false, &n);

	return p && n == len ? p : NULL;
}

/* --- copies ------------------------------------------------------------- */

int guest_mem_read(const struct guest_mem *m, gpa_t src, void *dst, size_t len)
{
	uint8_t *to = dst, *p;
	uint64_t n;

	if (len > GUEST_MEM_COPY_MAX)
		return -E2BIG;
	if (!covered(m, src, len, false))
		return -EFAULT;
	for (; len; src += n, to += n, len -= n) {
		p = guest_mem_piece(m, src, len, false, &n);
		assert(p); /* it is covered */
		memcpy(to, p, n);
	}
	return 0;
}

static void copy_in(const struct guest_mem *m, gpa_t dst, const void *src,
		    uint64_t len)
{
	const uint8_t *from = src;
	uint8_t *p;
	uint64_t n;

	for (; len; dst += n, from += n, len -= n) {
		p = guest_mem_piece(m, dst, len, false, &n);
		assert(p); /* the caller has looked */
		memcpy(p, from, n);
	}
}

int guest_mem_write(const struct guest_mem *m, gpa_t dst, const void *src,
		    size_t len)
{
	if (len > GUEST_MEM_COPY_MAX)
		return -E2BIG;
	if (!covered(m, dst, len, true))
		return -EFAULT;
	copy_in(m, dst, src, len);
	return 0;
}

int guest_mem_load(struct guest_mem *m, gpa_t dst, const void *src,
		   uint64_t len)
{
	if (!covered(m, dst, len, false))
		return -EFAULT;
	copy_in(m, dst, src, len);
	return 0;
}

int guest_mem_load_fd(struct guest_mem *m, gpa_t dst, int fd, uint64_t off,
		      uint64_t len)
{
	if (!covered(m, dst, len, false))
		return -EFAULT;
	if (!range_within(off, len, INT64_MAX))
		return -ENODATA;
	while (len) {
		uint64_t n;
		uint8_t *p = guest_mem_piece(m, dst, len, false, &n);
		ssize_t got;

		assert(p); /* it is covered */
		got = pread(fd, p, n, (off_t)off);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return -ENODATA;
		dst += (uint64_t)got;
		off += (uint64_t)got;
		len -= (uint64_t)got;
	}
	return 0;
}
