/* tests/unit/test_fw_cfg.c - items by port and by DMA, and hostile requests. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "devices/legacy/fw_cfg.h"
#include "mem/dma_view.h"
#include "tests/fake/fake_image.h"
#include "tests/fake/fake_legacy.h"
#include "tests/fake/fake_ram.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

enum { RAM = 8 << 20, SHARED = RAM / 2, PRIVATE = 0x1000, FILE_LEN = 5000 };

struct fixture {
	struct fake_ram *ram;
	struct fw_cfg *f;
	int fd;
	uint8_t file[FILE_LEN];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	f->ram = fake_ram_create(RAM, true);
	for (size_t i = 0; i < FILE_LEN; i++)
		f->file[i] = (uint8_t)(i * 7 + (i >> 8));
	f->fd = fake_file(f->file, FILE_LEN);
	assert_int_equal(fw_cfg_create(fake_ram_view(f->ram), &f->f, NULL), 0);
	assert_int_equal(fw_cfg_add_le16(f->f, FW_CFG_NB_CPUS, 0x1234, NULL),
			 0);
	fw_cfg_add_fd(f->f, FW_CFG_KERNEL_DATA, f->fd, 1000, 3000);
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fw_cfg_destroy(f->f);
	fake_ram_destroy(f->ram);
	close(f->fd);
	free(f);
	return 0;
}

static void select_key(struct fixture *f, unsigned int key)
{
	out(fw_cfg_bus_dev(f->f), 0, 2, key);
}

static uint64_t data(struct fixture *f)
{
	return in(fw_cfg_bus_dev(f->f), 1, 1);
}

/* Put a request at @at and ring; the answer is what is there then. */
static uint32_t dma_at(struct fixture *f, gpa_t at, uint32_t control,
		       uint32_t len, uint64_t to)
{
	uint8_t req[FW_CFG_DMA_LEN];

	store_be32(req, control);
	store_be32(req + 4, len);
	store_be64(req + 8, to);
	fake_ram_write(f->ram, at, req, sizeof(req));
	out(fw_cfg_bus_dev(f->f), 4, 4, htobe32((uint32_t)(at >> 32)));
	out(fw_cfg_bus_dev(f->f), 8, 4, htobe32((uint32_t)at));
	fake_ram_read(f->ram, at, req, 4);
	return load_be32(req);
}

static uint32_t dma(struct fixture *f, uint32_t control, uint32_t len,
		    uint64_t to)
{
	return dma_at(f, SHARED, control, len, to);
}

static uint32_t key(uint32_t k)
{
	return k << 16 | FW_CFG_DMA_SELECT;
}

static void the_signature_is_at_hand_after_reset(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(data(f), 'Q');
	assert_int_equal(data(f), 'E');
	assert_int_equal(in(fw_cfg_bus_dev(f->f), 4, 4), 0x554d4551);
	assert_int_equal(in(fw_cfg_bus_dev(f->f), 8, 4), 0x47464320);
	assert_int_equal(in(fw_cfg_bus_dev(f->f), 11, 1), 'G');
}

static void the_id_announces_dma(void **state)
{
	struct fixture *f = *state;

	select_key(f, FW_CFG_ID);
	assert_int_equal(data(f), 3);
}

static void selecting_starts_anew(void **state)
{
	struct fixture *f = *state;

	for (int i = 0; i < 2; i++) {
		select_key(f, FW_CFG_NB_CPUS);
		assert_int_equal(data(f), 0x34);
		assert_int_equal(data(f), 0x12);
	}
	/* the bit of the old write channel says nothing */
	select_key(f, FW_CFG_NB_CPUS | 0x4000);
	assert_int_equal(data(f), 0x34);
}

static void count(void *arg, uint8_t *bytes, size_t len)
{
	assert_int_equal(len, 3);
	bytes[2]++;
	++*(int *)arg;
}

static void a_file_is_made_anew_when_it_is_selected(void **state)
{
	struct fixture *f = *state;
	int calls = 0;

	assert_int_equal(fw_cfg_add_file(f->f, "etc/x", "ab", 3, NULL), 0);
	fw_cfg_refresh_file(f->f, count, &calls);
	assert_int_equal(calls, 0);
	select_key(f, FW_CFG_FILE_FIRST);
	assert_int_equal(data(f), 'a');
	assert_int_equal(data(f), 'b');
	assert_int_equal(data(f), 1);
	assert_int_equal(calls, 1);
	assert_int_equal(dma(f, key(FW_CFG_FILE_FIRST) | FW_CFG_DMA_READ, 3,
			     SHARED + 0x1000),
			 0);
	assert_int_equal(calls, 2);
	select_key(f, FW_CFG_FILE_FIRST + 1); /* nobody's */
	assert_int_equal(calls, 2);
}

static void past_the_end_there_are_zeros(void **state)
{
	struct fixture *f = *state;

	select_key(f, FW_CFG_NB_CPUS);
	for (int i = 0; i < 2; i++)
		data(f);
	for (int i = 0; i < 10; i++)
		assert_int_equal(data(f), 0);
}

static void an_item_that_is_not_there_is_empty(void **state)
{
	struct fixture *f = *state;

	select_key(f, FW_CFG_INITRD_DATA);
	assert_int_equal(data(f), 0);
	select_key(f, 0xffff);
	assert_int_equal(data(f), 0);
	select_key(f, 0x8003); /* of the architecture: we have none */
	assert_int_equal(data(f), 0);
}

static void other_widths_read_nothing(void **state)
{
	struct fixture *f = *state;

	select_key(f, FW_CFG_NB_CPUS);
	assert_int_equal(in(fw_cfg_bus_dev(f->f), 1, 2), UINT64_MAX);
	assert_int_equal(in(fw_cfg_bus_dev(f->f), 2, 1), UINT64_MAX);
	out(fw_cfg_bus_dev(f->f), 0, 1, FW_CFG_ID); /* not a selector */
	assert_int_equal(data(f), 0x34);
}

static void dma_reads_a_window_of_a_file(void **state)
{
	struct fixture *f = *state;
	uint8_t got[3000];

	assert_int_equal(dma(f, key(FW_CFG_KERNEL_DATA) | FW_CFG_DMA_READ, 3000,
			     SHARED + 0x1000),
			 0);
	fake_ram_read(f->ram, SHARED + 0x1000, got, sizeof(got));
	assert_memory_equal(got, f->file + 1000, sizeof(got));
}

static void dma_goes_on_where_it_was(void **state)
{
	struct fixture *f = *state;
	uint8_t got[16];

	assert_int_equal(dma(f, key(FW_CFG_KERNEL_DATA), 0, 0), 0);
	assert_int_equal(dma(f, FW_CFG_DMA_SKIP, 100, 0), 0);
	assert_int_equal(dma(f, FW_CFG_DMA_READ, 8, SHARED + 0x1000), 0);
	assert_int_equal(dma(f, FW_CFG_DMA_READ, 8, SHARED + 0x1008), 0);
	fake_ram_read(f->ram, SHARED + 0x1000, got, sizeof(got));
	assert_memory_equal(got, f->file + 1100, sizeof(got));
	assert_int_equal(data(f), f->file[1116]); /* and the port, too */
}

static void dma_past_the_end_brings_zeros(void **state)
{
	struct fixture *f = *state;
	uint8_t got[16];

	memset(got, 0xee, sizeof(got));
	fake_ram_write(f->ram, SHARED + 0x1000, got, sizeof(got));
	assert_int_equal(dma(f, key(FW_CFG_NB_CPUS) | FW_CFG_DMA_READ, 15,
			     SHARED + 0x1000),
			 0);
	fake_ram_read(f->ram, SHARED + 0x1000, got, sizeof(got));
	assert_memory_equal(got, "\x34\x12\0\0\0\0\0\0\0\0\0\0\0\0\0\xee", 16);
}

/* More than one chunk, so that the cut between two is seen. */
static void a_large_item_arrives_whole(void **state)
{
	enum { LARGE = (1 << 20) + 4097 };
	struct fixture *f = *state;
	uint8_t *big = malloc(LARGE), *got = malloc(LARGE);

	for (size_t i = 0; i < LARGE; i++)
		big[i] = (uint8_t)(i ^ (i >> 8) ^ (i >> 16));
	assert_int_equal(fw_cfg_add_file(f->f, "a", big, LARGE, NULL), 0);
	assert_int_equal(dma(f, key(FW_CFG_FILE_FIRST) | FW_CFG_DMA_READ, LARGE,
			     SHARED + 0x1003),
			 0);
	for (size_t off = 0; off < LARGE; off += 4096)
		fake_ram_read(f->ram, SHARED + 0x1003 + off, got + off,
			      LARGE - off < 4096 ? LARGE - off : 4096);
	assert_memory_equal(got, big, LARGE);
	free(big);
	free(got);
}

static void nothing_is_read_into_private_memory(void **state)
{
	struct fixture *f = *state;
	struct fw_cfg_counters n;
	uint8_t before[16], after[16];

	fake_ram_read(f->ram, PRIVATE, before, sizeof(before));
	assert_int_equal(
		dma(f, key(FW_CFG_KERNEL_DATA) | FW_CFG_DMA_READ, 16, PRIVATE),
		FW_CFG_DMA_ERROR);
	fake_ram_read(f->ram, PRIVATE, after, sizeof(after));
	assert_memory_equal(before, after, sizeof(before));
	fw_cfg_counters(f->f, &n);
	assert_int_equal(n.dma, 1);
	assert_int_equal(n.refused, 1);
}

static void a_request_in_private_memory_is_not_seen(void **state)
{
	struct fixture *f = *state;
	struct fw_cfg_counters n;

	assert_int_equal(dma_at(f, PRIVATE,
				key(FW_CFG_NB_CPUS) | FW_CFG_DMA_READ, 2,
				SHARED),
			 (key(FW_CFG_NB_CPUS) | FW_CFG_DMA_READ));
	fw_cfg_counters(f->f, &n);
	assert_int_equal(n.refused, 1);
}

static void addresses_that_are_no_memory_are_errors(void **state)
{
	static const uint64_t to[] = {RAM - 8, RAM, UINT64_MAX - 7, UINT64_MAX};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(to); i++) {
		assert_int_equal(dma(f,
				     key(FW_CFG_KERNEL_DATA) | FW_CFG_DMA_READ,
				     16, to[i]),
				 FW_CFG_DMA_ERROR);
		assert_int_equal(dma(f, key(0xffff) | FW_CFG_DMA_READ,
				     UINT32_MAX, to[i]),
				 FW_CFG_DMA_ERROR);
	}
}

static void nobody_can_write(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		dma(f, key(FW_CFG_NB_CPUS) | FW_CFG_DMA_WRITE, 2, SHARED),
		FW_CFG_DMA_ERROR);
	select_key(f, FW_CFG_NB_CPUS);
	assert_int_equal(data(f), 0x34);
}

static void skipping_stops_at_the_end(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(dma(f, key(FW_CFG_KERNEL_DATA) | FW_CFG_DMA_SKIP,
			     UINT32_MAX, 0),
			 0);
	assert_int_equal(dma(f, FW_CFG_DMA_SKIP, UINT32_MAX, 0), 0);
	assert_int_equal(data(f), 0);
}

static void a_file_that_shrank_is_an_error(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(ftruncate(f->fd, 2000), 0);
	assert_int_equal(dma(f, key(FW_CFG_KERNEL_DATA) | FW_CFG_DMA_READ, 3000,
			     SHARED + 0x1000),
			 FW_CFG_DMA_ERROR);
	select_key(f, FW_CFG_KERNEL_DATA);
	assert_int_equal(data(f), f->file[1000]);
	assert_int_equal(dma(f, FW_CFG_DMA_SKIP, 1500, 0), 0);
	assert_int_equal(data(f), 0);
}

/* Half an address of an earlier request is not used for the next one. */
static void the_high_half_is_used_once(void **state)
{
	struct fixture *f = *state;

	out(fw_cfg_bus_dev(f->f), 4, 4, htobe32(1));
	out(fw_cfg_bus_dev(f->f), 8, 4, htobe32(SHARED)); /* no memory there */
	assert_int_equal(dma(f, key(FW_CFG_NB_CPUS), 0, 0), 0);
	out(fw_cfg_bus_dev(f->f), 8, 4, htobe32(SHARED));
	select_key(f, FW_CFG_NB_CPUS);
	assert_int_equal(data(f), 0x34);
}

static void the_directory_names_files(void **state)
{
	struct fixture *f = *state;
	uint8_t dir[4 + 3 * 64];

	assert_int_equal(fw_cfg_add_file(f->f, "etc/one", "1", 1, NULL), 0);
	assert_int_equal(fw_cfg_add_file(f->f, "etc/two", "22", 2, NULL), 0);
	select_key(f, FW_CFG_FILE_DIR);
	for (size_t i = 0; i < sizeof(dir); i++)
		dir[i] = (uint8_t)data(f);
	assert_int_equal(load_be32(dir), 2);
	assert_int_equal(load_be32(dir + 4 + 64), 2);
	assert_int_equal(load_be16(dir + 4 + 64 + 4), FW_CFG_FILE_FIRST + 1);
	assert_string_equal((char *)dir + 4 + 8, "etc/one");
	assert_string_equal((char *)dir + 4 + 64 + 8, "etc/two");
	for (size_t i = 4 + 128; i < sizeof(dir); i++)
		assert_int_equal(dir[i], 0);
}

static void too_many_files_and_too_long_names_are_our_bugs(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char name[FW_CFG_NAME_MAX + 1];

	memset(name, 'n', sizeof(name));
	name[FW_CFG_NAME_MAX] = 0;
	assert_int_equal(fw_cfg_add_file(f->f, name, "", 0, &err), -ENOSPC);
	assert_int_equal(err.kind, ERR_INTERNAL);
	name[FW_CFG_NAME_MAX - 1] = 0;
	for (int i = 0; i < FW_CFG_FILES_MAX; i++)
		assert_int_equal(fw_cfg_add_file(f->f, name, "", 0, NULL), 0);
	assert_int_equal(fw_cfg_add_file(f->f, "x", "", 0, NULL), -ENOSPC);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_signature_is_at_hand_after_reset),
		CASE(the_id_announces_dma),
		CASE(selecting_starts_anew),
		CASE(a_file_is_made_anew_when_it_is_selected),
		CASE(past_the_end_there_are_zeros),
		CASE(an_item_that_is_not_there_is_empty),
		CASE(other_widths_read_nothing),
		CASE(dma_reads_a_window_of_a_file),
		CASE(dma_goes_on_where_it_was),
		CASE(dma_past_the_end_brings_zeros),
		CASE(a_large_item_arrives_whole),
		CASE(nothing_is_read_into_private_memory),
		CASE(a_request_in_private_memory_is_not_seen),
		CASE(addresses_that_are_no_memory_are_errors),
		CASE(nobody_can_write),
		CASE(skipping_stops_at_the_end),
		CASE(a_file_that_shrank_is_an_error),
		CASE(the_high_half_is_used_once),
		CASE(the_directory_names_files),
		CASE(too_many_files_and_too_long_names_are_our_bugs),
	};

	return cmocka_run_group_tests_name("fw_cfg", tests, NULL, NULL);
}
