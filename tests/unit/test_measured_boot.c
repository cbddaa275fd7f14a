/*
 * tests/unit/test_measured_boot.c - what is in the plan of a direct boot, and
 * on what its digest depends.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "firmware/kernel_image.h"
#include "firmware/linux_boot.h"
#include "mem/guest_mem.h"
#include "tests/fake/fake_image.h"
#include "tests/unit/hex.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/measured_boot.h"

struct fixture {
	struct fake_image *image;
	int fd, initrd_fd;
	struct kernel_image *kernel;
	struct measured_boot_args args;
	struct measured_boot *boot;
	struct hash256 *h;
	struct err err;
};

enum { INITRD_LEN = 5000 };

static void open_kernel(struct fixture *f)
{
	kernel_image_destroy(f->kernel);
	f->kernel = NULL;
	fd_closep(&f->fd);
	f->fd = fake_image_fd(f->image);
	assert_int_equal(kernel_image_open(f->fd, "a-kernel", &f->kernel, NULL),
			 0);
	f->args.kernel = f->kernel;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	char initrd[INITRD_LEN];

	*state = f;
	f->fd = -1;
	f->image = fake_bzimage_create();
	f->h = hash256_nettle_create();
	memset(initrd, 'i', sizeof(initrd));
	f->initrd_fd = fake_file(initrd, sizeof(initrd));
	open_kernel(f);
	f->args.ram_bytes = MIB(256);
	f->args.n_cpus = 1;
	f->args.cmdline = "console=ttyS0";
	return image_file_open(f->initrd_fd, "initrd", "an-initrd",
			       &f->args.initrd, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	measured_boot_destroy(f->boot);
	kernel_image_destroy(f->kernel);
	fake_image_destroy(f->image);
	hash256_destroy(f->h);
	fd_closep(&f->fd);
	fd_closep(&f->initrd_fd);
	free(f);
	return 0;
}

static int make(struct fixture *f)
{
	measured_boot_destroy(f->boot);
	f->boot = NULL;
	return measured_boot_create(&f->args, &f->boot, &f->err);
}

static const struct launch_entry *entry(const struct fixture *f,
					const char *name)
{
	for (size_t i = 0; i < f->boot->plan->n; i++)
		if (!strcmp(f->boot->plan->entry[i].name, name))
			return &f->boot->plan->entry[i];
	fail_msg("no entry %s", name);
	return NULL;
}

static void digest_now(struct fixture *f, uint8_t *digest)
{
	assert_int_equal(make(f), 0);
	assert_int_equal(
		launch_plan_digest(f->boot->plan, NULL, f->h, digest, &f->err),
		0);
}

static void the_order_is_that_of_the_machine(void **state)
{
	static const char *const names[] = {
		"bda",	"gdt",	  "boot_params", "cmdline", "ebda",   "roms",
		"acpi", "smbios", "kernel",	 "initrd",  "secret",
	};
	struct fixture *f = *state;

	assert_int_equal(make(f), 0);
	assert_int_equal(f->boot->plan->n, ARRAY_SIZE(names));
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		assert_string_equal(f->boot->plan->entry[i].name, names[i]);
	assert_string_equal(f->boot->plan->machine, "q35-coffer-1");
}

/* The places that Linux reads before it wrote them. */
static void what_linux_looks_at_is_launched(void **state)
{
	static const struct {
		gpa_t base, len;
	} read[] = {
		{0x0, 0x1000},	    /* BIOS data, and an MP table there */
		{0x9fc00, 0x400},   /* MP table at the end of base memory */
		{0xc0000, 0x40000}, /* ROMs, ACPI, SMBIOS, MP table */
	};
	struct fixture *f = *state;

	assert_int_equal(make(f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(read); i++) {
		gpa_t at = read[i].base;

		for (size_t k = 0; k < f->boot->plan->n; k++) {
			const struct launch_entry *e = &f->boot->plan->entry[k];

			if (e->gpa <= at && at < e->gpa + e->len)
				at = e->gpa + e->len;
		}
		assert_true(at >= read[i].base + read[i].len);
	}
}

static void everything_is_whole_pages(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f), 0);
	for (size_t i = 0; i < f->boot->plan->n; i++)
		assert_true(is_aligned(f->boot->plan->entry[i].gpa |
					       f->boot->plan->entry[i].len,
				       4096));
}

static void it_starts_at_the_32_bit_entry(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f), 0);
	assert_int_equal(f->boot->entry.mode, BOOT_PROT32);
	assert_int_equal(f->boot->entry.rip, FAKE_BZ_PREF);
	assert_int_equal(f->boot->entry.rsi, LINUX_BOOT_PARAMS);
	assert_int_equal(entry(f, "kernel")->gpa, FAKE_BZ_PREF);
}

/* The kernel is told of an initrd that reaches over the area. */
static void the_secret_area_belongs_to_the_initrd(void **state)
{
	struct fixture *f = *state;
	const struct launch_entry *initrd, *secret;
	const uint8_t *params;

	assert_int_equal(make(f), 0);
	initrd = entry(f, "initrd");
	secret = entry(f, "secret");
	params = entry(f, "boot_params")->data;
	assert_int_equal(initrd->len, 8192);
	assert_int_equal(secret->gpa, initrd->gpa + 8192);
	assert_int_equal(secret->len, 4096);
	assert_int_equal(secret->data_len, 0);
	assert_int_equal(load_le32(params + 0x218), initrd->gpa);
	assert_int_equal(load_le32(params + 0x21c), 8192 + 4096);
	assert_int_equal(f->boot->plan->secret_gpa, secret->gpa);
	assert_int_equal(f->boot->plan->secret_len, 4096);
	assert_int_equal(f->boot->plan->secret_format, SEV_SECRET_CPIO);
}

static void without_an_initrd_the_area_is_all_of_it(void **state)
{
	struct fixture *f = *state;
	const uint8_t *params;

	f->args.initrd.len = 0;
	assert_int_equal(make(f), 0);
	params = entry(f, "boot_params")->data;
	assert_int_equal(load_le32(params + 0x218), entry(f, "secret")->gpa);
	assert_int_equal(load_le32(params + 0x21c), 4096);
	assert_int_equal(f->boot->plan->n, 10);
}

static void loaded_memory_has_the_digest_of_the_plan(void **state)
{
	AUTO(guest_mem_destroyp) struct guest_mem *mem = NULL;
	struct guest_mem_opts o = {0};
	uint8_t a[SEV_DIGEST_LEN], b[SEV_DIGEST_LEN];
	struct fixture *f = *state;

	digest_now(f, a);
	assert_int_equal(guest_mem_create(&o, &mem, NULL), 0);
	assert_int_equal(
		guest_mem_add_machine_ram(mem, f->args.ram_bytes, NULL), 0);
	assert_int_equal(launch_plan_load(f->boot->plan, mem, &f->err), 0);
	assert_int_equal(
		launch_plan_digest(f->boot->plan, mem, f->h, b, &f->err), 0);
	assert_memory_equal(a, b, sizeof(a));
}

/* Changes one input; the digest must follow, and come back. */
static void vary_kernel(struct fixture *f)
{
	f->image->data[FAKE_BZ_CODE_OFF + 0x1000] ^= 1;
	open_kernel(f);
}

static void vary_setup_header(struct fixture *f)
{
	f->image->data[0x1fa] ^= 1; /* vid_mode: overwritten */
	f->image->data[0x220] ^= 1; /* bootsect_kludge: copied */
	open_kernel(f);
}

static void vary_initrd(struct fixture *f)
{
	char c = 'x';

	assert_int_equal(pread(f->initrd_fd, &c, 1, 77), 1);
	c ^= 1;
	assert_int_equal(pwrite(f->initrd_fd, &c, 1, 77), 1);
}

static void vary_cmdline(struct fixture *f)
{
	f->args.cmdline = strcmp(f->args.cmdline, "console=ttyS0")
				  ? "console=ttyS0"
				  : "console=ttyS1";
}

static void vary_memory(struct fixture *f)
{
	/* within one size of bounce buffers */
	f->args.ram_bytes ^= MIB(256) ^ MIB(257);
}

static void vary_cpus(struct fixture *f)
{
	f->args.n_cpus ^= 1 ^ 2;
}

static void vary_uuid(struct fixture *f)
{
	f->args.uuid[3] ^= 1;
}

static void vary_oem(struct fixture *f)
{
	static const char *const v[] = {"io.systemd.credential:a=b"};

	f->args.oem_strings = v;
	f->args.n_oem_strings ^= 1;
}

static void every_input_changes_the_digest(void **state)
{
	static void (*const vary[])(struct fixture *) = {
		vary_kernel, vary_setup_header, vary_initrd, vary_cmdline,
		vary_memory, vary_cpus,		vary_uuid,   vary_oem,
	};
	uint8_t was[SEV_DIGEST_LEN], is[SEV_DIGEST_LEN];
	struct fixture *f = *state;

	digest_now(f, was);
	for (size_t i = 0; i < ARRAY_SIZE(vary); i++) {
		vary[i](f);
		digest_now(f, is);
		if (!memcmp(is, was, sizeof(is)))
			fail_msg("input %zu does not count", i);
		vary[i](f);
		digest_now(f, is);
		assert_memory_equal(is, was, sizeof(is));
	}
}

/*
 * The digest of a machine version is for ever: that of a guest that was
 * launched long ago must come out of every release.
 */
static void the_digest_of_the_machine_does_not_change(void **state)
{
	uint8_t d[SEV_DIGEST_LEN];
	struct fixture *f = *state;

	digest_now(f, d);
	assert_hex(d, "3f911c474a1cb7970aeaee5d90a3014acd352c95a31a81a4961836f2"
		      "055199e4");
}

static void bounce_buffers_are_on_the_command_line(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(make(f), 0);
	assert_string_equal(f->boot->cmdline, "swiotlb=8192 console=ttyS0");
	assert_int_equal(f->boot->swiotlb_slabs, 8192);
	assert_string_equal(entry(f, "cmdline")->data, f->boot->cmdline);
	f->args.cmdline = NULL;
	assert_int_equal(make(f), 0);
	assert_string_equal(f->boot->cmdline, "swiotlb=8192");
}

static void bounce_buffers_that_are_asked_for_are_left_alone(void **state)
{
	static const char *const lines[] = {
		"swiotlb=512",
		"a swiotlb=512 b",
		"quiet swiotlb=noforce",
		"a=\"b c\" swiotlb=1",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		f->args.cmdline = lines[i];
		assert_int_equal(make(f), 0);
		assert_string_equal(f->boot->cmdline, lines[i]);
		assert_int_equal(f->boot->swiotlb_slabs, 0);
	}
}

static void what_only_looks_like_the_parameter_is_not(void **state)
{
	static const char *const lines[] = {
		"-- swiotlb=512",
		"a=\"b swiotlb=512\"",
		"noswiotlb=1",
		"swiotlbx=1",
	};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++) {
		f->args.cmdline = lines[i];
		assert_int_equal(make(f), 0);
		assert_int_equal(f->boot->swiotlb_slabs, 8192);
	}
}

static void bounce_buffers_grow_with_the_guest(void **state)
{
	static const struct {
		uint64_t mib;
		unsigned int cpus;
		uint64_t want_kib;
	} t[] = {
		{32, 1, 4 << 10},     {64, 1, 8 << 10},
		{128, 1, 16 << 10},   {256, 1, 16 << 10},
		{512, 1, 32 << 10},   {768, 1, 32 << 10},
		{1024, 1, 64 << 10},  {2048, 4, 128 << 10},
		{8192, 4, 512 << 10}, {65536, 64, 512 << 10},
		{128, 3, 16 << 10},   {256, 64, 32 << 10},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		assert_int_equal(
			measured_boot_swiotlb(MIB(t[i].mib), t[i].cpus) * 2,
			t[i].want_kib);
}

static void an_added_parameter_that_is_too_much_is_named(void **state)
{
	char line[FAKE_BZ_CMDLINE_SIZE + 1];
	struct fixture *f = *state;

	memset(line, 'x', sizeof(line));
	line[FAKE_BZ_CMDLINE_SIZE] = 0;
	f->args.cmdline = line;
	assert_int_equal(make(f), -E2BIG);
	assert_int_equal(f->err.kind, ERR_USAGE);
	assert_non_null(strstr(f->err.msg, "swiotlb=8192"));
}

static void an_elf_kernel_cannot_start_encrypted(void **state)
{
	struct fixture *f = *state;

	fake_image_destroy(f->image);
	f->image = fake_vmlinux_create();
	open_kernel(f);
	assert_int_equal(make(f), -ENOTSUP);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, "bzImage"));
}

static void a_kernel_that_is_not_at_a_page_is_refused(void **state)
{
	struct fixture *f = *state;

	f->image->data[0x234] = 0; /* relocatable_kernel */
	store_le64(f->image->data + 0x258, FAKE_BZ_PREF + 16);
	open_kernel(f);
	assert_int_equal(make(f), -ENOTSUP);
	assert_int_equal(f->err.kind, ERR_INPUT);
}

static void a_guest_that_is_too_small_says_what_it_needs(void **state)
{
	struct fixture *f = *state;

	f->args.ram_bytes = MIB(16);
	assert_int_equal(make(f), -ENOSPC);
	assert_int_equal(f->err.kind, ERR_USAGE);
	assert_non_null(strstr(f->err.msg, "--memory"));
}

static void registers_are_measured_for_sev_es_alone(void **state)
{
	struct fixture *f = *state;
	const uint8_t *page;

	assert_int_equal(make(f), 0);
	assert_int_equal(launch_plan_vmsas(f->boot->plan), 0);
	assert_false(f->boot->plan->covered & BIT64(LAUNCH_FACT_REGISTERS));
	f->args.is_es = true;
	assert_int_equal(make(f), 0);
	assert_int_equal(launch_plan_vmsas(f->boot->plan), 1);
	assert_true(f->boot->plan->covered & BIT64(LAUNCH_FACT_REGISTERS));
	page = entry(f, "vmsa")->data;
	assert_hex(page + 0x10, "10009b0cffffffff0000000000000000"); /* cs */
	assert_hex(page + 0x20, "1800930cffffffff0000000000000000"); /* ss */
	assert_hex(page + 0x90, "20008b00670000000000000000000000"); /* tr */
	assert_hex(page + 0x60, "000000002f0000000010000000000000"); /* gdtr */
	assert_int_equal(load_le64(page + 0x158), 0x31);
	assert_int_equal(load_le64(page + 0x178), FAKE_BZ_PREF);
	assert_int_equal(load_le64(page + 0x330), LINUX_BOOT_PARAMS);
	assert_int_equal(load_le32(page + 0x408), 0);
	f->args.vmsa_profile = SEV_VMSA_INIT2;
	assert_int_equal(make(f), 0);
	page = entry(f, "vmsa")->data;
	assert_int_equal(load_le32(page + 0x408), 0x1f80);
}

static void sev_es_has_one_cpu(void **state)
{
	struct fixture *f = *state;

	f->args.is_es = true;
	f->args.n_cpus = 2;
	assert_int_equal(make(f), -ENOTSUP);
	assert_int_equal(f->err.kind, ERR_USAGE);
	assert_non_null(strstr(f->err.msg, "--cpus"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
		CASE(the_order_is_that_of_the_machine),
		CASE(what_linux_looks_at_is_launched),
		CASE(everything_is_whole_pages),
		CASE(it_starts_at_the_32_bit_entry),
		CASE(the_secret_area_belongs_to_the_initrd),
		CASE(without_an_initrd_the_area_is_all_of_it),
		CASE(loaded_memory_has_the_digest_of_the_plan),
		CASE(every_input_changes_the_digest),
		CASE(the_digest_of_the_machine_does_not_change),
		CASE(bounce_buffers_are_on_the_command_line),
		CASE(bounce_buffers_that_are_asked_for_are_left_alone),
		CASE(what_only_looks_like_the_parameter_is_not),
		CASE(bounce_buffers_grow_with_the_guest),
		CASE(an_added_parameter_that_is_too_much_is_named),
		CASE(an_elf_kernel_cannot_start_encrypted),
		CASE(a_kernel_that_is_not_at_a_page_is_refused),
		CASE(a_guest_that_is_too_small_says_what_it_needs),
		CASE(registers_are_measured_for_sev_es_alone),
		CASE(sev_es_has_one_cpu),
#undef CASE
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
