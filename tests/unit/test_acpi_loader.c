/*
 * tests/unit/test_acpi_loader.c - what firmware does with the script gives the
 * tables that acpi_tables.c builds, only elsewhere.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "firmware/acpi_loader.h"
#include "firmware/acpi_tables.h"
#include "mem/mem_map.h"
#include "vmm/base/bytes.h"

/* A file that the script allocated. */
struct file {
	char name[56];
	uint8_t *data;
	size_t len;
	uint64_t at; /* its address */
	uint32_t align;
};

struct world {
	struct file file[2];
	size_t n;
	struct acpi_loader *l;
};

static struct file *find(struct world *w, const uint8_t *name)
{
	for (size_t i = 0; i < w->n; i++)
		if (!strcmp(w->file[i].name, (const char *)name))
			return &w->file[i];
	fail_msg("no file %s", (const char *)name);
	return NULL;
}

static void do_allocate(struct world *w, const uint8_t *e)
{
	struct file *f = &w->file[w->n++];

	assert_true(w->n <= 2);
	memcpy(f->name, e + 4, sizeof(f->name));
	f->align = load_le32(e + 60);
	assert_true(e[64] == 1 || e[64] == 2);
	if (!strcmp(f->name, "etc/acpi/rsdp")) {
		f->data = w->l->rsdp;
		f->len = sizeof(w->l->rsdp);
		f->at = MEM_RSDP;
		assert_int_equal(e[64], 2); /* where a kernel looks for it */
	} else {
		assert_string_equal(f->name, "etc/acpi/tables");
		f->data = w->l->tables;
		f->len = w->l->tables_len;
		f->at = MEM_RSDP + 64; /* so that the result can be compared */
	}
	assert_int_equal(f->at % f->align, 0);
}

static void do_pointer(struct world *w, const uint8_t *e)
{
	struct file *to = find(w, e + 4), *from = find(w, e + 60);
	uint32_t off = load_le32(e + 116);
	uint8_t size = e[120], *p = to->data + off;

	assert_true(off + size <= to->len);
	if (size == 8) {
		assert_true(load_le64(p) < from->len);
		store_le64(p, load_le64(p) + from->at);
	} else {
		assert_int_equal(size, 4);
		assert_true(load_le32(p) < from->len);
		store_le32(p, load_le32(p) + (uint32_t)from->at);
	}
}

static void do_checksum(struct world *w, const uint8_t *e)
{
	struct file *f = find(w, e + 4);
	uint32_t at = load_le32(e + 60), start = load_le32(e + 64);
	uint32_t len = load_le32(e + 68);
	unsigned int sum = 0;

	assert_true(start <= at && at < start + len && start + len <= f->len);
	for (uint32_t i = 0; i < len; i++)
		sum += f->data[start + i];
	f->data[at] = (uint8_t)(0u - sum);
}

static void run_script(struct world *w)
{
	for (size_t i = 0; i < w->l->script_len; i += ACPI_LOADER_ENTRY) {
		const uint8_t *e = w->l->script + i;

		switch (load_le32(e)) {
		case 1:
			do_allocate(w, e);
			break;
		case 2:
			do_pointer(w, e);
			break;
		case 3:
			do_checksum(w, e);
			break;
		default:
			fail_msg("command %u", load_le32(e));
		}
	}
}

static void the_script_gives_the_tables(void **state)
{
	static const unsigned int cpus[] = {1, 4, 64};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cpus); i++) {
		AUTO(acpi_loader_destroyp) struct acpi_loader *l = NULL;
		AUTO(freep) uint8_t *want = NULL;
		struct world w = {0};
		size_t len;

		assert_int_equal(acpi_tables_build(cpus[i], &want, &len, NULL),
				 0);
		assert_int_equal(acpi_loader_create(cpus[i], &l, NULL), 0);
		w.l = l;
		run_script(&w);
		assert_int_equal(l->tables_len, len - 64);
		assert_memory_equal(l->rsdp, want, sizeof(l->rsdp));
		assert_memory_equal(l->tables, want + 64, l->tables_len);
	}
}

static void no_change(const struct acpi_loader *l)
{
	AUTO(acpi_loader_destroyp) struct acpi_loader *fresh = NULL;

	assert_int_equal(acpi_loader_create(2, &fresh, NULL), 0);
	assert_memory_equal(l->tables, fresh->tables, fresh->tables_len);
}

static void no_address_is_left_before(void **state)
{
	AUTO(acpi_loader_destroyp) struct acpi_loader *l = NULL;

	(void)state;
	assert_int_equal(acpi_loader_create(1, &l, NULL), 0);
	for (size_t i = 0; i + 4 <= l->tables_len; i += 4)
		if (memcmp(l->tables + i, "FACP", 4) == 0)
			assert_true(load_le64(l->tables + i + 140) <
				    l->tables_len);
	assert_true(load_le64(l->rsdp + 24) < l->tables_len);
}

static unsigned int sum_of(const uint8_t *table)
{
	unsigned int sum = 0;

	for (uint32_t i = 0; i < load_le32(table + 4); i++)
		sum += table[i];
	return sum & 0xff;
}

static void tables_follow_where_ecam_is_moved(void **state)
{
	AUTO(acpi_loader_destroyp) struct acpi_loader *l = NULL;
	const uint8_t *mcfg, *dsdt;

	(void)state;
	assert_int_equal(acpi_loader_create(2, &l, NULL), 0);
	mcfg = l->tables + l->ecam.mcfg;
	dsdt = l->tables + l->ecam.dsdt;
	assert_memory_equal(mcfg, "MCFG", 4);
	assert_memory_equal(dsdt, "DSDT", 4);
	for (uint64_t to = 0xb0000000; to <= MEM_ECAM_BASE; to += 0x30000000) {
		acpi_loader_move_ecam(&l->ecam, l->tables, (uint32_t)to);
		assert_int_equal(load_le64(mcfg + 44), to);
		assert_int_equal(load_le32(l->tables + l->ecam.window), to);
		assert_int_equal(sum_of(mcfg), 0);
		assert_int_equal(sum_of(dsdt), 0);
	}
	/* and back where it was, they are as they were */
	no_change(l);
}

static void impossible_numbers_of_cpus_are_refused(void **state)
{
	AUTO(acpi_loader_destroyp) struct acpi_loader *l = NULL;

	(void)state;
	assert_int_equal(acpi_loader_create(0, &l, NULL), -EINVAL);
	assert_int_equal(acpi_loader_create(65, &l, NULL), -EINVAL);
	assert_null(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_script_gives_the_tables),
		cmocka_unit_test(no_address_is_left_before),
		cmocka_unit_test(tables_follow_where_ecam_is_moved),
		cmocka_unit_test(impossible_numbers_of_cpus_are_refused),
	};

	return cmocka_run_group_tests_name("acpi_loader", tests, NULL, NULL);
}
