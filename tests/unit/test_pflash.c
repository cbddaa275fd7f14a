/* tests/unit/test_pflash.c - the commands of edk2's driver, and nonsense. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "devices/legacy/pflash.h"
#include "tests/fake/fake_image.h"
#include "tests/fake/fake_legacy.h"

enum { LEN = 4 * PFLASH_BLOCK };

struct fixture {
	int fd;
	uint8_t file[LEN], window[LEN];
	struct pflash *f;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	*state = f;
	for (size_t i = 0; i < LEN; i++)
		f->file[i] = (uint8_t)(i * 11 + (i >> 9));
	f->fd = fake_file(f->file, LEN);
	return pflash_create(f->fd, f->window, LEN, &f->f, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pflash_destroy(f->f);
	close(f->fd);
	free(f);
	return 0;
}

static void cmd(struct fixture *f, uint64_t off, uint8_t val)
{
	out(pflash_bus_dev(f->f), off, 1, val);
}

static void assert_file(const struct fixture *f)
{
	uint8_t now[LEN];

	assert_int_equal(pread(f->fd, now, LEN, 0), LEN);
	assert_memory_equal(now, f->file, LEN);
}

static void the_window_has_what_is_in_the_file(void **state)
{
	struct fixture *f = *state;

	assert_memory_equal(f->window, f->file, LEN);
	assert_int_equal(in(pflash_bus_dev(f->f), 8, 1), f->file[8]);
}

/* edk2, QemuFlashDetected(): is this flash, RAM or ROM? */
static void edk2_detects_flash(void **state)
{
	struct fixture *f = *state;

	cmd(f, 100, 0x50);
	assert_int_equal(f->window[100], f->file[100]);
	cmd(f, 100, 0x70);
	assert_int_equal(f->window[100], 0);
	cmd(f, 100, 0xff);
	assert_memory_equal(f->window, f->file, LEN);
	cmd(f, 100, 0x70); /* and again */
	assert_int_equal(f->window[100], 0);
}

static void bytes_are_programmed_and_kept(void **state)
{
	struct fixture *f = *state;
	struct pflash_counters n;

	for (unsigned int i = 0; i < 4; i++) {
		cmd(f, 4094 + i, i & 1 ? 0x10 : 0x40);
		cmd(f, 4094 + i, (uint8_t)(0xa0 + i));
		f->file[4094 + i] = (uint8_t)(0xa0 + i);
		assert_file(f); /* at once */
	}
	cmd(f, 4097, 0xff);
	assert_memory_equal(f->window, f->file, LEN);
	pflash_counters(f->f, &n);
	assert_int_equal(n.programs, 4);
	assert_int_equal(n.failed, 0);
}

static void while_it_programs_the_status_is_read(void **state)
{
	struct fixture *f = *state;

	cmd(f, 5000, 0x40);
	cmd(f, 5000, 1);
	assert_int_equal(f->window[5000], PFLASH_READY);
	assert_int_equal(f->window[4096], PFLASH_READY);
	assert_int_equal(f->window[4095], f->file[4095]);
	cmd(f, 0, 0xff); /* anywhere */
	f->file[5000] = 1;
	assert_memory_equal(f->window, f->file, LEN);
}

static void a_wide_program_may_cross_a_page(void **state)
{
	struct fixture *f = *state;

	cmd(f, 4094, 0x40);
	out(pflash_bus_dev(f->f), 4094, 4, 0x04030201);
	cmd(f, 4094, 0xff);
	memcpy(f->file + 4094, "\1\2\3\4", 4);
	assert_memory_equal(f->window, f->file, LEN);
	assert_file(f);
}

static void a_block_is_erased(void **state)
{
	struct fixture *f = *state;

	cmd(f, 2 * PFLASH_BLOCK + 77, 0x20);
	assert_file(f); /* not before it is sure */
	cmd(f, 2 * PFLASH_BLOCK + 77, 0xd0);
	assert_int_equal(f->window[2 * PFLASH_BLOCK], PFLASH_READY);
	cmd(f, 2 * PFLASH_BLOCK, 0xff);
	memset(f->file + 2 * (size_t)PFLASH_BLOCK, 0xff, PFLASH_BLOCK);
	assert_memory_equal(f->window, f->file, LEN);
	assert_file(f);
}

static void an_erase_without_its_second_word_is_none(void **state)
{
	struct fixture *f = *state;

	cmd(f, 0, 0x20);
	cmd(f, 0, 0xff);
	assert_memory_equal(f->window, f->file, LEN);
	assert_file(f);
}

static void data_that_looks_like_a_command_is_data(void **state)
{
	struct fixture *f = *state;

	cmd(f, 10, 0x40);
	cmd(f, 10, 0xff);
	assert_int_equal(f->window[0], PFLASH_READY);
	cmd(f, 10, 0xff);
	f->file[10] = 0xff;
	assert_memory_equal(f->window, f->file, LEN);
}

static void unknown_commands_read_the_array(void **state)
{
	struct fixture *f = *state;

	cmd(f, 0, 0x70);
	cmd(f, 0, 0x33);
	assert_memory_equal(f->window, f->file, LEN);
}

/* Every page may be in the way of the status at the same time. */
static void all_pages_come_back(void **state)
{
	struct fixture *f = *state;

	for (uint64_t i = 0; i < LEN; i += PFLASH_BLOCK)
		cmd(f, i, 0x70);
	cmd(f, 0, 0x50);
	assert_memory_equal(f->window, f->file, LEN);
}

static void a_file_that_cannot_be_written_is_told(void **state)
{
	struct fixture *f = *state;
	struct pflash_counters n;
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", f->fd);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(fd >= 0);
	pflash_destroy(f->f);
	assert_int_equal(pflash_create(fd, f->window, LEN, &f->f, NULL), 0);
	cmd(f, 0, 0x40);
	cmd(f, 0, 0x40);
	assert_int_equal(f->window[0], PFLASH_READY | PFLASH_PROGRAM_FAILED);
	cmd(f, 0, 0x20);
	cmd(f, 0, 0xd0);
	assert_int_equal(f->window[0], PFLASH_READY | PFLASH_PROGRAM_FAILED |
					       PFLASH_ERASE_FAILED);
	pflash_counters(f->f, &n);
	assert_int_equal(n.failed, 2);
	assert_file(f);
	close(fd);
}

static void a_short_file_is_refused(void **state)
{
	struct fixture *f = *state;
	struct pflash *other = NULL;

	assert_int_equal(ftruncate(f->fd, LEN - 1), 0);
	assert_int_equal(pflash_create(f->fd, f->window, LEN, &other, NULL),
			 -ENODATA);
	assert_null(other);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_window_has_what_is_in_the_file),
		CASE(edk2_detects_flash),
		CASE(bytes_are_programmed_and_kept),
		CASE(while_it_programs_the_status_is_read),
		CASE(a_wide_program_may_cross_a_page),
		CASE(a_block_is_erased),
		CASE(an_erase_without_its_second_word_is_none),
		CASE(data_that_looks_like_a_command_is_data),
		CASE(unknown_commands_read_the_array),
		CASE(all_pages_come_back),
		CASE(a_file_that_cannot_be_written_is_told),
		CASE(a_short_file_is_refused),
	};

	return cmocka_run_group_tests_name("pflash", tests, NULL, NULL);
}
