/*
 * tests/unit/test_acpi_tables.c - the ACPI tables, read as a guest reads them
 * and, for the AML, as iasl does.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "firmware/acpi_tables.h"
#include "mem/mem_map.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

struct built {
	uint8_t *data;
	size_t len;
};

static struct built build(unsigned int n_cpus)
{
	struct built b = {0};

	assert_int_equal(acpi_tables_build(n_cpus, &b.data, &b.len, NULL), 0);
	return b;
}

static uint8_t sum(const uint8_t *p, size_t len)
{
	uint8_t s = 0;

	while (len--)
		s = (uint8_t)(s + *p++);
	return s;
}

static const uint8_t *at(const struct built *b, uint64_t gpa)
{
	assert_in_range(gpa, MEM_RSDP, MEM_RSDP + b->len - 8);
	return b->data + (gpa - MEM_RSDP);
}

static const uint8_t *xsdt(const struct built *b)
{
	return at(b, load_le64(b->data + 24));
}

/* The table with @sig that the XSDT lists, with its checksum verified. */
static const uint8_t *find(const struct built *b, const char *sig)
{
	const uint8_t *x = xsdt(b);

	for (uint32_t i = 36; i < load_le32(x + 4); i += 8) {
		const uint8_t *t = at(b, load_le64(x + i));

		if (memcmp(t, sig, 4) != 0)
			continue;
		assert_true(t + load_le32(t + 4) <= b->data + b->len);
		assert_int_equal(sum(t, load_le32(t + 4)), 0);
		return t;
	}
	fail_msg("no table %s", sig);
	return NULL;
}

static void every_table_is_listed_and_sums_to_zero(void **state)
{
	(void)state;
	for (unsigned int n = 1; n <= ACPI_TABLES_CPUS_MAX; n++) {
		struct built b = build(n);

		assert_memory_equal(b.data, "RSD PTR ", 8);
		assert_int_equal(b.data[15], 2);
		assert_int_equal(sum(b.data, 20), 0);
		assert_int_equal(sum(b.data, 36), 0);
		assert_memory_equal(xsdt(&b), "XSDT", 4);
		assert_int_equal(load_le32(xsdt(&b) + 4), 36 + 3 * 8);
		assert_int_equal(sum(xsdt(&b), load_le32(xsdt(&b) + 4)), 0);
		find(&b, "FACP");
		find(&b, "APIC");
		find(&b, "MCFG");
		assert_in_range(b.len, 1024, MEM_ACPI_SIZE);
		free(b.data);
	}
}

static void a_gas(const uint8_t *p, unsigned int port, unsigned int bytes)
{
	assert_int_equal(p[0], 1); /* system I/O */
	assert_int_equal(p[1], bytes * 8);
	assert_int_equal(p[2], 0);
	assert_in_range(p[3], 1, 3);
	assert_true(load_le64(p + 4) == port);
}

static void the_fadt_names_the_blocks_of_the_machine(void **state)
{
	struct built b = build(2);
	const uint8_t *t = find(&b, "FACP");

	(void)state;
	assert_int_equal(load_le32(t + 4), 276);
	assert_int_equal(t[8], 6);
	assert_int_equal(load_le16(t + 46), 9); /* SCI */
	assert_int_equal(load_le32(t + 48), 0); /* SMI_CMD */
	assert_int_equal(load_le32(t + 56), 0x600);
	assert_int_equal(load_le32(t + 64), 0x604);
	assert_int_equal(load_le32(t + 76), 0x608);
	assert_int_equal(load_le32(t + 80), 0x620);
	assert_int_equal(t[88], 4);
	assert_int_equal(t[89], 2);
	assert_int_equal(t[91], 4);
	assert_int_equal(t[92], 16);
	a_gas(t + 148, 0x600, 4);
	a_gas(t + 172, 0x604, 2);
	a_gas(t + 208, 0x608, 4);
	a_gas(t + 220, 0x620, 16);
	free(b.data);
}

static void the_fadt_promises_what_is_there(void **state)
{
	struct built b = build(2);
	const uint8_t *t = find(&b, "FACP");
	uint16_t arch = load_le16(t + 109);
	uint32_t flags = load_le32(t + 112);

	(void)state;
	assert_int_equal(arch & 1 << 1, 0);	  /* no 8042 */
	assert_int_equal(arch & 1 << 2, 1 << 2);  /* no VGA */
	assert_int_equal(arch & 1 << 3, 0);	  /* MSI works */
	assert_int_equal(arch & 1 << 5, 0);	  /* CMOS RTC is there */
	assert_int_equal(flags & 1 << 4, 0);	  /* fixed power button */
	assert_int_equal(flags & 1 << 5, 1 << 5); /* no sleep button */
	assert_int_equal(flags & 1 << 8, 0);	  /* 24-bit PM timer */
	assert_int_equal(flags & 1 << 10, 1 << 10);
	a_gas(t + 116, 0xcf9, 1);
	assert_int_equal(t[128], 6);
	assert_true(load_le16(t + 96) > 100);
	assert_true(load_le16(t + 98) > 1000);
	assert_int_equal(t[108], 0x32);
	free(b.data);
}

static void the_facs_has_a_global_lock_and_its_alignment(void **state)
{
	struct built b = build(1);
	const uint8_t *fadt = find(&b, "FACP");
	const uint8_t *t = at(&b, load_le32(fadt + 36));

	(void)state;
	assert_memory_equal(t, "FACS", 4);
	assert_int_equal(load_le32(t + 4), 64);
	assert_int_equal(load_le32(fadt + 36) % 64, 0);
	assert_true(load_le64(fadt + 132) == 0); /* named once */
	free(b.data);
}

/* Walk the MADT; count entries by type and check each. */
static void check_madt(unsigned int n_cpus)
{
	struct built b = build(n_cpus);
	const uint8_t *t = find(&b, "APIC");
	const uint8_t *end = t + load_le32(t + 4);
	unsigned int cpus = 0, ioapics = 0, overrides = 0, nmis = 0;

	assert_int_equal(load_le32(t + 36), 0xfee00000);
	for (const uint8_t *p = t + 44; p < end; p += p[1]) {
		assert_true(p[1] >= 2 && p + p[1] <= end);
		switch (p[0]) {
		case 0:
			assert_int_equal(p[1], 8);
			assert_int_equal(p[3], cpus); /* APIC id */
			assert_int_equal(load_le32(p + 4), 1);
			cpus++;
			break;
		case 1:
			assert_int_equal(p[1], 12);
			assert_int_equal(load_le32(p + 4), 0xfec00000);
			assert_int_equal(load_le32(p + 8), 0);
			ioapics++;
			break;
		case 2:
			assert_int_equal(p[1], 10);
			if (p[3] == 9) { /* SCI: level, active high */
				assert_int_equal(load_le32(p + 4), 9);
				assert_int_equal(load_le16(p + 8), 0xd);
			} else { /* the PIT */
				assert_int_equal(p[3], 0);
				assert_int_equal(load_le32(p + 4), 2);
				assert_int_equal(load_le16(p + 8), 0);
			}
			overrides++;
			break;
		case 4:
			assert_int_equal(p[1], 6);
			assert_int_equal(p[2], 0xff);
			assert_int_equal(p[5], 1);
			nmis++;
			break;
		default:
			fail_msg("MADT entry of type %u", p[0]);
		}
	}
	assert_int_equal(cpus, n_cpus);
	assert_int_equal(ioapics, 1);
	assert_int_equal(overrides, 2);
	assert_int_equal(nmis, 1);
	free(b.data);
}

static void the_madt_has_one_entry_for_each_cpu(void **state)
{
	(void)state;
	check_madt(1);
	check_madt(2);
	check_madt(64);
}

static void the_mcfg_covers_the_bus_that_is_there(void **state)
{
	struct built b = build(1);
	const uint8_t *t = find(&b, "MCFG");

	(void)state;
	assert_int_equal(load_le32(t + 4), 60);
	assert_true(load_le64(t + 44) == 0xe0000000);
	assert_int_equal(load_le16(t + 52), 0);
	assert_int_equal(t[54], 0);
	assert_int_equal(t[55], 0);
	free(b.data);
}

static const uint8_t *dsdt(const struct built *b, uint32_t *ret_len)
{
	const uint8_t *fadt = find(b, "FACP");
	const uint8_t *t = at(b, load_le64(fadt + 140));

	assert_int_equal(load_le64(fadt + 140), load_le32(fadt + 40));
	assert_memory_equal(t, "DSDT", 4);
	*ret_len = load_le32(t + 4);
	assert_true(t + *ret_len <= b->data + b->len);
	assert_int_equal(sum(t, *ret_len), 0);
	return t;
}

static void the_dsdt_is_the_same_for_every_vm(void **state)
{
	struct built a = build(1), b = build(64);
	uint32_t a_len, b_len;
	const uint8_t *da = dsdt(&a, &a_len), *db = dsdt(&b, &b_len);

	(void)state;
	assert_int_equal(a_len, b_len);
	assert_memory_equal(da, db, a_len);
	/* not iasl's name and version, which differ between build hosts */
	assert_memory_not_equal(da + 28, "INTL", 4);
	free(a.data);
	free(b.data);
}

/* 64-bit FNV-1a */
static uint64_t fnv1a(const uint8_t *p, size_t len)
{
	uint64_t h = UINT64_C(0xcbf29ce484222325);

	while (len--)
		h = (h ^ *p++) * UINT64_C(0x100000001b3);
	return h;
}

/*
 * The bytes are part of launch digests. When this fails, either the tables
 * were changed, which after a release needs a new machine version, or another
 * iasl generates other AML, which must be prevented in dsdt.asl.
 */
static void the_bytes_of_the_machine_version_do_not_change(void **state)
{
	struct built b = build(4);

	(void)state;
	assert_int_equal(b.len, 1276);
	assert_true(fnv1a(b.data, b.len) == UINT64_C(0x42cc69df37041230));
	free(b.data);
}

static void zero_and_65_cpus_are_refused(void **state)
{
	const unsigned int bad[] = {0, 65, 256, UINT32_MAX};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t *data = NULL;
		size_t len = 7;

		e = (struct err){0};
		assert_int_equal(acpi_tables_build(bad[i], &data, &len, &e),
				 -EINVAL);
		assert_null(data);
		assert_int_equal(len, 7);
		assert_non_null(strstr(e.msg, "1 to 64"));
	}
}

/* --- through iasl ------------------------------------------------------ */

struct dir {
	char path[64];
};

static int make_dir(void **state)
{
	struct dir *d = calloc(1, sizeof(*d));

	if (!d)
		return -1;
	strcpy(d->path, "/tmp/coffer-acpi-XXXXXX");
	*state = d;
	return mkdtemp(d->path) ? 0 : -1;
}

static int remove_dir(void **state)
{
	struct dir *d = *state;
	static const char *const names[] = {"t.dat", "t.dsl", "r.aml"};
	char path[128];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", d->path, names[i]);
		unlink(path);
	}
	rmdir(d->path);
	free(d);
	return 0;
}

static void save(const struct dir *d, const char *name, const uint8_t *p,
		 size_t len)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	f = fopen(path, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

/* The whole file, zero-terminated; the caller frees. */
static char *slurp(const struct dir *d, const char *name, size_t *ret_len)
{
	enum { MAX = 1 << 20 };
	char path[128], *buf = calloc(1, MAX);
	FILE *f;

	assert_non_null(buf);
	snprintf(path, sizeof(path), "%s/%s", d->path, name);
	f = fopen(path, "rb");
	assert_non_null(f);
	*ret_len = fread(buf, 1, MAX - 1, f);
	fclose(f);
	return buf;
}

/* Run iasl in the directory; it must succeed. Its talk is dropped. */
static void iasl(const struct dir *d, const char *const *args)
{
	int status, null;
	pid_t pid = fork();

	if (pid == 0) {
		null = open("/dev/null", O_RDWR | O_CLOEXEC);
		if (null < 0 || chdir(d->path) < 0 || dup2(null, 1) < 0 ||
		    dup2(null, 2) < 0)
			_exit(126);
		execv(IASL_PATH, (char *const *)(uintptr_t)args);
		_exit(127);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void disassemble(const struct dir *d)
{
	static const char *const args[] = {"iasl", "-d", "t.dat", NULL};

	iasl(d, args);
}

static void recompile(const struct dir *d)
{
	static const char *const args[] = {"iasl", "-we",   "-p",
					   "r",	   "t.dsl", NULL};

	iasl(d, args);
}

static void iasl_finds_nothing_wrong_with_the_data_tables(void **state)
{
	static const char *const sigs[] = {"FACP", "APIC", "MCFG"};
	const struct dir *d = *state;
	struct built b = build(64);

	for (size_t i = 0; i < ARRAY_SIZE(sigs); i++) {
		const uint8_t *t = find(&b, sigs[i]);
		size_t len;
		char *text, *aml;

		save(d, "t.dat", t, load_le32(t + 4));
		disassemble(d);
		text = slurp(d, "t.dsl", &len);
		assert_null(strstr(text, "Invalid"));
		assert_null(strstr(text, "Incorrect checksum"));
		assert_null(strstr(text, "**** "));
		/* and the text describes every byte of it */
		recompile(d);
		aml = slurp(d, "r.aml", &len);
		assert_int_equal(len, load_le32(t + 4));
		/* iasl writes its own creator, so the checksum differs too */
		assert_memory_equal(aml + 36, t + 36, len - 36);
		free(text);
		free(aml);
	}
	free(b.data);
}

static void has(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("'%s' is not in the disassembled DSDT", what);
}

/* A number as iasl prints it in a resource descriptor: digits, then what. */
static void has_number(const char *text, int digits, uint64_t v,
		       const char *what)
{
	char number[32];
	const char *p = text;

	snprintf(number, sizeof(number), "0x%0*lX,", digits, v);
	while ((p = strstr(p, number))) {
		p += strlen(number);
		if (!strncmp(p + strspn(p, " "), what, strlen(what)))
			return;
	}
	fail_msg("'%s %s' is not in the disassembled DSDT", number, what);
}

static void the_dsdt_agrees_with_the_memory_map(void **state)
{
	const struct dir *d = *state;
	struct built b = build(1);
	uint32_t dsdt_len;
	const uint8_t *t = dsdt(&b, &dsdt_len);
	size_t len;
	char *text, *aml;

	save(d, "t.dat", t, dsdt_len);
	disassemble(d);
	text = slurp(d, "t.dsl", &len);
	has_number(text, 8, MEM_ECAM_BASE, "// Address Base");
	has_number(text, 8, MEM_ECAM_SIZE, "// Address Length");
	has_number(text, 8, MEM_PCI32_BASE, "// Range Minimum");
	has_number(text, 8, MEM_PCI32_BASE + MEM_PCI32_SIZE - 1,
		   "// Range Maximum");
	has_number(text, 16, MEM_PCI64_BASE, "// Range Minimum");
	has_number(text, 16, MEM_PCI64_BASE + MEM_PCI64_SIZE - 1,
		   "// Range Maximum");
	has_number(text, 4, PORT_PM_BASE, "// Range Minimum");
	has_number(text, 4, PORT_UART0, "// Range Minimum");
	has_number(text, 4, PORT_RTC_INDEX, "// Range Minimum");
	has_number(text, 4, PORT_PCI_ADDRESS, "// Range Minimum");
	has(text, "Name (_S5, Package");
	has(text, "PNP0A08");
	has(text, "PNP0C02");
	has(text, "PNP0501");
	has(text, "PNP0B00");
	assert_null(strstr(text, "_PRT"));    /* no INTx */
	assert_null(strstr(text, "PNP0303")); /* no keyboard */
	assert_null(strstr(text, "Processor ("));
	assert_int_equal(PM_S5_SLP_TYP, 0); /* what _S5 says */
	/* compiling the text gives the same AML */
	recompile(d);
	aml = slurp(d, "r.aml", &len);
	assert_int_equal(len, dsdt_len);
	assert_memory_equal(aml + 36, t + 36, len - 36);
	free(text);
	free(aml);
	free(b.data);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_table_is_listed_and_sums_to_zero),
		cmocka_unit_test(the_fadt_names_the_blocks_of_the_machine),
		cmocka_unit_test(the_fadt_promises_what_is_there),
		cmocka_unit_test(the_facs_has_a_global_lock_and_its_alignment),
		cmocka_unit_test(the_madt_has_one_entry_for_each_cpu),
		cmocka_unit_test(the_mcfg_covers_the_bus_that_is_there),
		cmocka_unit_test(the_dsdt_is_the_same_for_every_vm),
		cmocka_unit_test(
			the_bytes_of_the_machine_version_do_not_change),
		cmocka_unit_test(zero_and_65_cpus_are_refused),
		cmocka_unit_test_setup_teardown(
			iasl_finds_nothing_wrong_with_the_data_tables, make_dir,
			remove_dir),
		cmocka_unit_test_setup_teardown(
			the_dsdt_agrees_with_the_memory_map, make_dir,
			remove_dir),
	};

	return cmocka_run_group_tests_name("acpi_tables", tests, NULL, NULL);
}
