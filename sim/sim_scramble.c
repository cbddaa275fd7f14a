/* sim/sim_scramble.c - encrypts launched memory, page by page, and back. */
#include "sim/sim_scramble.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/aes128.h"
#include "crypto/hash256_openssl.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

enum {
	PAGE = 4096,
	BLOCK = 16,
	BLOCKS = PAGE / BLOCK,
	KEY_LEN = 16,
};

struct page {
	uint64_t addr;
	uint8_t locked[BLOCKS / 8];  /* a bit for each block */
	uint8_t digest[HASH256_LEN]; /* of its locked blocks */
};

struct sim_scramble {
	uint8_t key[KEY_LEN];
	struct hash256 *h; /* owned */
	struct page *page; /* owned; ascending addresses */
	size_t n, room;
};

struct sim_scramble *sim_scramble_create(void)
{
	AUTO(sim_scramble_destroyp)
	struct sim_scramble *s = calloc(1, sizeof(*s));

	if (!s || !(s->h = hash256_openssl_create()) ||
	    getrandom(s->key, KEY_LEN, 0) != KEY_LEN)
		return NULL;
	return TAKE(s);
}

void sim_scramble_destroy(struct sim_scramble *s)
{
	if (!s)
		return;
	hash256_destroy(s->h);
	free(s->page);
	explicit_bzero(s, sizeof(*s));
	free(s);
}

/* The index of the first page at or behind @addr. */
static size_t lower_bound(const struct sim_scramble *s, uint64_t addr)
{
	size_t lo = 0, hi = s->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (s->page[mid].addr < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

/* The record of the page at @addr, a new one if need be; NULL: no memory. */
static struct page *get_page(struct sim_scramble *s, uint64_t addr)
{
	size_t i = lower_bound(s, addr);

	if (i < s->n && s->page[i].addr == addr)
		return &s->page[i];
	if (s->n == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct page *p = reallocarray(s->page, room, sizeof(*p));

		if (!p)
			return NULL;
		s->page = p;
		s->room = room;
	}
	memmove(&s->page[i + 1], &s->page[i], (s->n - i) * sizeof(*s->page));
	s->page[i] = (struct page){.addr = addr};
	s->n++;
	return &s->page[i];
}

/* What the blocks of a page are combined with. */
static int keystream(const struct sim_scramble *s, uint64_t addr,
		     uint8_t out[static PAGE])
{
	uint8_t iv[BLOCK] = {0};

	store_be64(iv + 8, addr / BLOCK);
	memset(out, 0, PAGE);
	return aes128_ctr(s->key, iv, out, PAGE, out);
}

static bool is_locked(const struct page *p, size_t block)
{
	return p->locked[block / 8] & 1U << block % 8;
}

static int digest_of(struct hash256 *h, const struct page *p,
		     const uint8_t *data, uint8_t digest[static HASH256_LEN])
{
	for (size_t b = 0; b < BLOCKS; b++)
		if (is_locked(p, b))
			hash256_update(h, data + b * BLOCK, BLOCK);
	return hash256_finish(h, digest);
}

/* Combine the bytes [off, off + len) of @data with the keystream. */
static void combine(uint8_t *data, const uint8_t *stream, size_t off,
		    size_t len)
{
	for (size_t i = off; i < off + len; i++)
		data[i] ^= stream[i];
}

static int lock_page(struct sim_scramble *s, struct sim_target *t,
		     uint64_t addr, size_t off, size_t len)
{
	uint8_t data[PAGE], stream[PAGE];
	struct page *p = get_page(s, addr);
	int r = p ? keystream(s, addr, stream) : -ENOMEM;

	if (r >= 0)
		r = sim_read(t, addr, data, PAGE);
	if (r < 0)
		return r;
	combine(data, stream, off, len);
	for (size_t b = off / BLOCK; b < (off + len) / BLOCK; b++)
		p->locked[b / 8] |= (uint8_t)(1U << b % 8);
	r = digest_of(s->h, p, data, p->digest);
	return r < 0 ? r : sim_write(t, addr + off, data + off, len);
}

int sim_scramble_lock(struct sim_scramble *s, struct sim_target *t,
		      uint64_t addr, uint64_t len)
{
	int r = 0;

	while (len && r >= 0) {
		uint64_t off = addr % PAGE;
		uint64_t n = len < PAGE - off ? len : PAGE - off;

		r = lock_page(s, t, addr - off, off, n);
		addr += n;
		len -= n;
	}
	return r;
}

static int unlock_page(struct sim_scramble *s, struct sim_target *t,
		       const struct page *p, bool *ret_touched)
{
	uint8_t data[PAGE], stream[PAGE], digest[HASH256_LEN];
	int r = keystream(s, p->addr, stream);

	if (r >= 0)
		r = sim_read(t, p->addr, data, PAGE);
	if (r >= 0)
		r = digest_of(s->h, p, data, digest);
	if (r < 0)
		return r;
	*ret_touched = memcmp(digest, p->digest, sizeof(digest)) != 0;
	for (size_t b = 0; b < BLOCKS; b++)
		if (is_locked(p, b))
			combine(data, stream, b * BLOCK, BLOCK);
	/* Only locked blocks: the rest of the page may be in use. */
	for (size_t b = 0, end; b < BLOCKS && r >= 0; b = end + 1) {
		for (end = b; end < BLOCKS && is_locked(p, end); end++)
			;
		if (end > b)
			r = sim_write(t, p->addr + b * BLOCK, data + b * BLOCK,
				      (end - b) * BLOCK);
	}
	return r;
}

int sim_scramble_unlock(struct sim_scramble *s, struct sim_target *t,
			uint64_t *ret_touched, uint64_t *ret_first)
{
	int r = 0;

	*ret_touched = 0;
	for (size_t i = 0; i < s->n && r >= 0; i++) {
		bool touched = false;

		r = unlock_page(s, t, &s->page[i], &touched);
		if (r == -EFAULT) { /* it is not even there any more */
			touched = true;
			r = 0;
		}
		if (touched && (*ret_touched)++ == 0)
			*ret_first = s->page[i].addr;
	}
	s->n = 0;
	return r;
}
