/* crypto/launch_plan.c - keeps the list, and hands out its content. */
#include "crypto/launch_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/checked.h"
#include "vmm/base/err.h"

enum {
	BUF_LEN = 1 << 16
}; /* bytes read at a time; a second-level cache has room */

int launch_plan_create(struct launch_plan **ret, struct err *err)
{
	struct launch_plan *p = calloc(1, sizeof(*p));

	if (!p)
		return err_set(err, -ENOMEM, "out of memory");
	*ret = p;
	return 0;
}

void launch_plan_destroy(struct launch_plan *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++)
		free((void *)p->entry[i].data);
	free(p);
}

static int bug(struct err *err, int r, const struct launch_entry *e,
	       const char *what)
{
	return err_set_kind(err, ERR_INTERNAL, r, "launch plan: %s at 0x%llx%s",
			    e->name, (unsigned long long)e->gpa, what);
}

static int check(const struct launch_plan *p, const struct launch_entry *e,
		 struct err *err)
{
	uint64_t end;

	if (p->n == LAUNCH_ENTRIES_MAX)
		return bug(err, -ENOSPC, e, ": the list is full");
	if (!e->len || e->data_len > e->len ||
	    !is_aligned(e->len | e->gpa, LAUNCH_ALIGN) ||
	    !checked_add(e->gpa, e->len, &end))
		return bug(err, -EINVAL, e, ": bad length or alignment");
	if (e->kind == LAUNCH_ENTRY_VMSA)
		return 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct launch_entry *o = &p->entry[i];

		if (o->kind == LAUNCH_ENTRY_VMSA)
			return bug(err, -EINVAL, e, " comes behind a VMSA");
		if (range_overlaps(e->gpa, e->len, o->gpa, o->len))
			return bug(err, -EINVAL, e, " overlaps another entry");
	}
	return 0;
}

/* @e with a copy of @data, all data_len bytes. */
static int append(struct launch_plan *p, struct launch_entry *e,
		  const void *data, struct err *err)
{
	int r = check(p, e, err);

	if (r < 0)
		return r;
	if (data && e->data_len) {
		void *copy = malloc(e->data_len);

		if (!copy)
			return err_set(err, -ENOMEM, "out of memory");
		e->data = memcpy(copy, data, e->data_len);
	}
	p->entry[p->n++] = *e;
	return 0;
}

int launch_plan_add(struct launch_plan *p, const char *name, gpa_t gpa,
		    uint64_t len, const void *data, uint64_t data_len,
		    struct err *err)
{
	struct launch_entry e = {
		.name = name,
		.gpa = gpa,
		.len = len,
		.data_len = data_len,
		.fd = -1,
	};

	return append(p, &e, data, err);
}

int launch_plan_add_file(struct launch_plan *p, const char *name, gpa_t gpa,
			 uint64_t len, int fd, uint64_t off, uint64_t data_len,
			 const char *file, struct err *err)
{
	struct launch_entry e = {
		.name = name,
		.gpa = gpa,
		.len = len,
		.data_len = data_len,
		.fd = fd,
		.file_off = off,
		.file = file,
	};

	return append(p, &e, NULL, err);
}

int launch_plan_add_vmsa(struct launch_plan *p,
			 const uint8_t page[static SEV_VMSA_LEN],
			 struct err *err)
{
	struct launch_entry e = {
		.name = "vmsa",
		.kind = LAUNCH_ENTRY_VMSA,
		.vcpu = (unsigned int)launch_plan_vmsas(p),
		.len = SEV_VMSA_LEN,
		.data_len = SEV_VMSA_LEN,
		.fd = -1,
	};

	return append(p, &e, page, err);
}

uint64_t launch_plan_bytes(const struct launch_plan *p)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < p->n; i++)
		sum += p->entry[i].len;
	return sum;
}

size_t launch_plan_vmsas(const struct launch_plan *p)
{
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->entry[i].kind == LAUNCH_ENTRY_VMSA;
	return n;
}

static int file_error(const struct launch_entry *e, int r, struct err *err)
{
	if (r == -ENODATA)
		return err_set_kind(err, ERR_INPUT, r,
				    "'%s' became shorter while it was read",
				    e->file);
	return err_set_kind(err, ERR_INPUT, r, "cannot read '%s': %s", e->file,
			    strerror(-r));
}

static int load_entry(const struct launch_entry *e, struct guest_mem *mem,
		      struct err *err)
{
	int r = 0;

	/* What is zero is there already; that it is there is checked. */
	if (!guest_mem_ptr(mem, e->gpa, e->len))
		r = -EFAULT;
	else if (e->data)
		r = guest_mem_load(mem, e->gpa, e->data, e->data_len);
	else if (e->fd >= 0 && e->data_len)
		r = guest_mem_load_fd(mem, e->gpa, e->fd, e->file_off,
				      e->data_len);
	if (r == -EFAULT)
		return bug(err, r, e, " is not in guest memory");
	return r < 0 ? file_error(e, r, err) : 0;
}

int launch_plan_load(const struct launch_plan *p, struct guest_mem *mem,
		     struct err *err)
{
	for (size_t i = 0; i < p->n; i++) {
		int r;

		if (p->entry[i].kind != LAUNCH_ENTRY_DATA)
			continue;
		r = load_entry(&p->entry[i], mem, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/* All of @len bytes at @off of the file. */
static int read_all(int fd, uint64_t off, uint8_t *buf, size_t len)
{
	while (len) {
		ssize_t n = pread(fd, buf, len, (off_t)off);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return -ENODATA;
		buf += n;
		off += (uint64_t)n;
		len -= (size_t)n;
	}
	return 0;
}

/* @len bytes at @off of @e, from the plan itself. */
static int fill(const struct launch_entry *e, uint64_t off, uint8_t *buf,
		size_t len, struct err *err)
{
	uint64_t left = off < e->data_len ? e->data_len - off : 0;
	size_t n = left < len ? (size_t)left : len;
	int r = 0;

	memset(buf + n, 0, len - n);
	if (n && e->data)
		memcpy(buf, (const uint8_t *)e->data + off, n);
	else if (n)
		r = read_all(e->fd, e->file_off + off, buf, n);
	return r < 0 ? file_error(e, r, err) : 0;
}

/* A walk, and what it needs. */
struct walk {
	struct guest_mem *mem; /* borrowed; NULL: the plan's content */
	uint8_t *buf;	       /* BUF_LEN bytes */
	launch_piece_fn fn;
	void *arg;
};

static int piece(const struct walk *w, const struct launch_entry *e,
		 uint64_t off, size_t len, struct err *err)
{
	const void *data = w->buf;
	int r = 0;

	if (w->mem && e->kind == LAUNCH_ENTRY_DATA) {
		data = guest_mem_ptr(w->mem, e->gpa + off, len);
		if (!data)
			return bug(err, -EFAULT, e, " is not in guest memory");
	} else {
		r = fill(e, off, w->buf, len, err);
	}
	return r < 0 ? r : w->fn(w->arg, e, off, data, len, err);
}

static int walk_entry(const struct walk *w, const struct launch_entry *e,
		      struct err *err)
{
	bool in_place = w->mem && e->kind == LAUNCH_ENTRY_DATA;
	uint64_t max = in_place ? LAUNCH_PIECE_MAX : BUF_LEN;
	int r = 0;

	for (uint64_t off = 0; r >= 0 && off < e->len;) {
		uint64_t left = e->len - off;
		size_t len = (size_t)(left < max ? left : max);

		r = piece(w, e, off, len, err);
		off += len;
	}
	return r;
}

static int walk(const struct launch_entry *e, size_t n, struct guest_mem *mem,
		launch_piece_fn fn, void *arg, struct err *err)
{
	AUTO(freep) uint8_t *buf = malloc(BUF_LEN);
	struct walk w = {mem, buf, fn, arg};
	int r = 0;

	if (!buf)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = walk_entry(&w, &e[i], err);
	return r < 0 ? r : 0;
}

int launch_plan_walk(const struct launch_plan *p, struct guest_mem *mem,
		     launch_piece_fn fn, void *arg, struct err *err)
{
	return walk(p->entry, p->n, mem, fn, arg, err);
}

static int hash_piece(void *arg, const struct launch_entry *e, uint64_t off,
		      const void *data, size_t len, struct err *err)
{
	(void)e;
	(void)off;
	(void)err;
	hash256_update(arg, data, len);
	return 0;
}

static int digest_of(const struct launch_entry *e, size_t n,
		     struct guest_mem *mem, struct hash256 *h,
		     uint8_t digest[static SEV_DIGEST_LEN], struct err *err)
{
	uint8_t out[HASH256_LEN];
	int r = walk(e, n, mem, hash_piece, h, err);
	int done = hash256_finish(h, out); /* in any case: it is used again */

	if (r >= 0 && done < 0)
		return err_set_kind(err, ERR_HOST, done,
				    "cannot compute SHA-256");
	if (r >= 0)
		memcpy(digest, out, sizeof(out));
	return r;
}

int launch_plan_digest(const struct launch_plan *p, struct guest_mem *mem,
		       struct hash256 *h, uint8_t digest[static SEV_DIGEST_LEN],
		       struct err *err)
{
	return digest_of(p->entry, p->n, mem, h, digest, err);
}

int launch_entry_digest(const struct launch_entry *e, struct guest_mem *mem,
			struct hash256 *h,
			uint8_t digest[static SEV_DIGEST_LEN], struct err *err)
{
	return digest_of(e, 1, mem, h, digest, err);
}
