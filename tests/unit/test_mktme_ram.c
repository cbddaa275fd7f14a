/* tests/unit/test_mktme_ram.c - guest memory under a key, over a fake kernel.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/mktme_ram.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

enum { SERIAL = 4711, NUMBER = 1000 };

struct call {
	char what; /* 'e' or 'm' */
	uint64_t addr, len;
	int prot;
	int32_t serial;
};

struct fixture {
	struct mktme_ram *ram;
	struct guest_mem *mem;
	size_t n;
	struct call call[32];
	size_t fail_at; /* the n-th encrypt_mprotect, from 1 */
	int fail;
	int n_encrypted;
	bool verified;
	FILE *smaps;
};

static struct call *record(struct fixture *f, char what, void *addr, size_t len,
			   int prot)
{
	struct call *c = &f->call[f->n++];

	*c = (struct call){what, (uintptr_t)addr, len, prot, 0};
	return c;
}

static size_t count(const struct fixture *f, char what)
{
	size_t n = 0;

	for (size_t i = 0; i < f->n; i++)
		n += f->call[i].what == what;
	return n;
}

static int fake_encrypt(void *arg, void *addr, size_t len, int prot,
			int32_t serial)
{
	struct fixture *f = arg;

	record(f, 'e', addr, len, prot)->serial = serial;
	if (count(f, 'e') == f->fail_at)
		return f->fail;
	/* as the kernel: what was there is gone */
	return madvise(addr, len, MADV_DONTNEED) < 0 ? -errno : 0;
}

static int fake_mprotect(void *arg, void *addr, size_t len, int prot)
{
	record(arg, 'm', addr, len, prot);
	return 0;
}

static void on_encrypted(void *arg, bool verified)
{
	struct fixture *f = arg;

	f->n_encrypted++;
	f->verified = verified;
}

static const struct mktme_ram_ops ops = {fake_encrypt, fake_mprotect};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->smaps = tmpfile();
	*state = f;
	return !f->smaps;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	guest_mem_destroy(f->mem);
	mktme_ram_destroy(f->ram);
	fclose(f->smaps);
	free(f);
	return 0;
}

static int make(struct fixture *f, bool smaps)
{
	struct mktme_ram_params p = {
		.serial = SERIAL,
		.syscall = NUMBER,
		.smaps_fd = smaps ? fileno(f->smaps) : -1,
		.ops = &ops,
		.arg = f,
		.encrypted = on_encrypted,
	};
	struct guest_mem_opts o = {0};

	assert_int_equal(mktme_ram_create(&p, &f->ram, NULL), 0);
	o.crypt = mktme_ram_crypt(f->ram);
	return guest_mem_create(&o, &f->mem, NULL);
}

/* One mapping's lines; keyid < 0: none is printed. */
static void put_vma(struct fixture *f, uint64_t start, uint64_t end, int keyid)
{
	fprintf(f->smaps,
		"%" PRIx64 "-%" PRIx64 " rw-p 00000000 00:00 0 \n"
		"Size:               %8" PRIu64 " kB\nAnonymous: 4 kB\n",
		start, end, (end - start) >> 10);
	if (keyid >= 0)
		fprintf(f->smaps, "KeyID: %16d\n", keyid);
	fprintf(f->smaps, "VmFlags: rd wr mr mw me dd nr\n");
	fflush(f->smaps);
}

static void every_byte_of_ram_and_rom_gets_the_key(void **state)
{
	struct fixture *f = *state;
	uint64_t bytes = 0;

	make(f, false);
	assert_int_equal(
		guest_mem_add_machine_ram(f->mem, GIB(2) + MIB(1), NULL), 0);
	assert_int_equal(
		guest_mem_add_rom(f->mem, UINT64_C(0xfffff000), 4096, NULL), 0);
	assert_int_equal(f->n_encrypted, 0);
	assert_int_equal(guest_mem_crypt_done(f->mem, NULL), 0);
	assert_int_equal(f->n_encrypted, 1);
	assert_false(f->verified);
	for (size_t i = 0; i < guest_mem_n_regions(f->mem); i++)
		bytes += guest_mem_region(f->mem, i)->len;
	for (size_t i = 0; i < f->n; i += 2) {
		const struct call *e = &f->call[i], *m = &f->call[i + 1];

		/* then plain mprotect, with the same arguments */
		assert_int_equal(e->what, 'e');
		assert_int_equal(m->what, 'm');
		assert_int_equal(e->serial, SERIAL);
		assert_int_equal(e->prot, PROT_READ | PROT_WRITE);
		assert_int_equal(m->addr, e->addr);
		assert_int_equal(m->len, e->len);
		assert_int_equal(m->prot, e->prot);
		bytes -= e->len;
	}
	assert_int_equal(bytes, 0);
}

static void no_memory_is_added_after_the_last(void **state)
{
	struct fixture *f = *state;

	make(f, false);
	assert_int_equal(guest_mem_add_ram(f->mem, 0, MIB(1), NULL), 0);
	assert_int_equal(guest_mem_crypt_done(f->mem, NULL), 0);
	assert_int_equal(guest_mem_crypt_done(f->mem, NULL), 0);
	assert_int_equal(f->n_encrypted, 1);
	assert_int_equal(guest_mem_add_ram(f->mem, MIB(1), MIB(1), NULL),
			 -EBUSY);
	assert_int_equal(count(f, 'e'), 1);
}

static void all_regions_or_none(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};

	f->fail_at = 2;
	f->fail = -ENOKEY;
	make(f, false);
	assert_int_equal(guest_mem_add_machine_ram(f->mem, GIB(2) + MIB(1), &e),
			 -ENOKEY);
	assert_int_equal(guest_mem_n_regions(f->mem), 1);
	assert_int_equal(f->n_encrypted, 0);
}

static void each_error_of_the_call_has_its_words(void **state)
{
	static const struct {
		int code;
		enum err_kind kind;
		const char *word;
	} errors[] = {
		{-ENOSYS, ERR_HOST, "no such call"},
		{-ENOKEY, ERR_BUSY, "the key is gone"},
		{-EKEYREVOKED, ERR_BUSY, "revoked"},
		{-EKEYEXPIRED, ERR_BUSY, "has expired"},
		{-EACCES, ERR_PERM, "may not see the key"},
		{-EINVAL, ERR_HOST, "type mktme"},
		{-ENOMEM, ERR_HOST, "out of memory"},
		{-EBADF, ERR_HOST, "another call"},
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		struct err e = {0};

		guest_mem_destroy(f->mem);
		mktme_ram_destroy(f->ram);
		f->n = 0;
		f->fail_at = 1;
		f->fail = errors[i].code;
		make(f, false);
		assert_int_equal(guest_mem_add_ram(f->mem, 0, MIB(1), &e),
				 errors[i].code);
		assert_int_equal(e.kind, errors[i].kind);
		assert_non_null(strstr(e.msg, errors[i].word));
		assert_non_null(strstr(e.msg, "encrypt_mprotect"));
	}
}

static void an_answer_other_than_zero_is_no_success(void **state)
{
	struct fixture *f = *state;

	f->fail_at = 1;
	f->fail = 5;
	make(f, false);
	assert_int_equal(guest_mem_add_ram(f->mem, 0, MIB(1), NULL), -EPROTO);
}

static void huge_pages_and_memfds_are_refused(void **state)
{
	struct fixture *f = *state;
	struct guest_mem_opts o = {.backing = GUEST_MEM_MEMFD};
	struct guest_mem *m = NULL;

	make(f, false);
	o.crypt = mktme_ram_crypt(f->ram);
	assert_int_equal(guest_mem_create(&o, &m, NULL), -EINVAL);
	o.backing = GUEST_MEM_ANON;
	o.hugepage_size = MIB(2);
	assert_int_equal(guest_mem_create(&o, &m, NULL), -EINVAL);
}

static void keyids_of_smaps_are_checked(void **state)
{
	struct fixture *f = *state;
	const struct guest_mem_region *r;
	uint64_t at;

	make(f, true);
	guest_mem_add_ram(f->mem, 0, MIB(2), NULL);
	r = guest_mem_region(f->mem, 0);
	at = (uintptr_t)r->hva;
	put_vma(f, at - MIB(1), at, 0);
	put_vma(f, at, at + MIB(1), 3);
	put_vma(f, at + MIB(1), at + MIB(2), 3);
	put_vma(f, at + MIB(2), at + MIB(3), 0);
	assert_int_equal(guest_mem_crypt_done(f->mem, NULL), 0);
	assert_true(f->verified);
}

static void a_kernel_that_prints_no_keyid_is_believed(void **state)
{
	struct fixture *f = *state;

	make(f, true);
	guest_mem_add_ram(f->mem, 0, MIB(2), NULL);
	put_vma(f, 0x1000, 0x2000, -1);
	assert_int_equal(guest_mem_crypt_done(f->mem, NULL), 0);
	assert_int_equal(f->n_encrypted, 1);
	assert_false(f->verified);
}

static void smaps_refused(struct fixture *f, const char *word)
{
	struct err e = {0};
	uint64_t id = 77;

	assert_int_equal(mktme_smaps_check(fileno(f->smaps), 0x100000, 0x300000,
					   &id, &e),
			 -EKEYREJECTED);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.msg, word));
	assert_int_equal(id, 77);
	rewind(f->smaps);
	assert_int_equal(ftruncate(fileno(f->smaps), 0), 0);
}

static void memory_without_the_key_is_refused(void **state)
{
	struct fixture *f = *state;

	put_vma(f, 0x100000, 0x200000, 3);
	put_vma(f, 0x200000, 0x300000, 0);
	smaps_refused(f, "no key of its own");
	put_vma(f, 0x100000, 0x200000, 3);
	put_vma(f, 0x200000, 0x300000, 4);
	smaps_refused(f, "another than the rest");
	put_vma(f, 0x100000, 0x200000, 3);
	put_vma(f, 0x400000, 0x500000, 3);
	smaps_refused(f, "0x200000 has no KeyID");
	put_vma(f, 0x100000, 0x200000, 3);
	put_vma(f, 0x200000, 0x300000, -1);
	smaps_refused(f, "has no KeyID");
}

static void a_refused_check_reaches_the_start(void **state)
{
	struct fixture *f = *state;
	struct err e = {0};
	uint64_t at;

	make(f, true);
	guest_mem_add_ram(f->mem, 0, MIB(2), NULL);
	at = (uintptr_t)guest_mem_region(f->mem, 0)->hva;
	put_vma(f, at, at + MIB(2), 0);
	assert_int_equal(guest_mem_crypt_done(f->mem, &e), -EKEYREJECTED);
	assert_int_equal(f->n_encrypted, 0);
}

static void the_real_smaps_can_be_read(void **state)
{
	struct fixture *f = *state;
	FILE *real = fopen("/proc/self/smaps", "re");
	uint64_t id;

	assert_non_null(real);
	/* 0 on a kernel without MKTME; with it, the heap has no key: refused */
	assert_in_range(mktme_smaps_check(fileno(real), (uintptr_t)f,
					  (uintptr_t)f + 1, &id, NULL) +
				EKEYREJECTED,
			0, EKEYREJECTED);
	fclose(real);
}

static void what_is_no_serial_or_number_is_refused(void **state)
{
	struct mktme_ram_params p = {.syscall = NUMBER, .smaps_fd = -1};
	struct mktme_ram *m = NULL;

	(void)state;
	assert_int_equal(mktme_ram_create(&p, &m, NULL), -EINVAL);
	p.serial = -1;
	assert_int_equal(mktme_ram_create(&p, &m, NULL), -EINVAL);
	p.serial = SERIAL;
	p.syscall = 436;
	assert_int_equal(mktme_ram_create(&p, &m, NULL), -EINVAL);
	p.syscall = 0;
	assert_int_equal(mktme_ram_create(&p, &m, NULL), -EINVAL);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(every_byte_of_ram_and_rom_gets_the_key),
		CASE(no_memory_is_added_after_the_last),
		CASE(all_regions_or_none),
		CASE(each_error_of_the_call_has_its_words),
		CASE(an_answer_other_than_zero_is_no_success),
		CASE(huge_pages_and_memfds_are_refused),
		CASE(keyids_of_smaps_are_checked),
		CASE(a_kernel_that_prints_no_keyid_is_believed),
		CASE(memory_without_the_key_is_refused),
		CASE(a_refused_check_reaches_the_start),
		CASE(the_real_smaps_can_be_read),
		CASE(what_is_no_serial_or_number_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
