/* tests/unit/test_dma_window.c - what is mapped for devices. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem/dma_window.h"
#include "mem/guest_mem.h"
#include "vmm/base/bits.h"

enum { PAGE = GUEST_MEM_PAGE, PAGES = 16 };

struct fixture {
	struct guest_mem *mem;
	struct dma_window *w;
	uint8_t *ram; /* guest_mem's own mapping */
	uint8_t *dev; /* the window */
	int pipe[2];
};

static int setup(void **state)
{
	static const struct guest_mem_opts o = {.backing = GUEST_MEM_MEMFD};
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_int_equal(guest_mem_create(&o, &f->mem, NULL), 0);
	assert_int_equal(guest_mem_add_ram(f->mem, MIB(1), PAGES * PAGE, NULL),
			 0);
	assert_int_equal(
		dma_window_create(guest_mem_region(f->mem, 0), &f->w, NULL), 0);
	f->ram = guest_mem_region(f->mem, 0)->hva;
	f->dev = dma_window_base(f->w);
	assert_int_equal(pipe(f->pipe), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	dma_window_destroy(f->w);
	guest_mem_destroy(f->mem);
	close(f->pipe[0]);
	close(f->pipe[1]);
	free(f);
	return 0;
}

/* Asks the kernel, which says EFAULT where we would get a signal. */
static bool can_read(struct fixture *f, size_t page)
{
	uint8_t byte;

	if (write(f->pipe[1], f->dev + page * PAGE, 1) == 1)
		return read(f->pipe[0], &byte, 1) == 1;
	assert_int_equal(errno, EFAULT);
	return false;
}

static bool can_write(struct fixture *f, size_t page)
{
	uint8_t byte = 0;

	assert_int_equal(write(f->pipe[1], "x", 1), 1);
	if (read(f->pipe[0], f->dev + page * PAGE, 1) == 1)
		return true;
	assert_int_equal(errno, EFAULT);
	assert_int_equal(read(f->pipe[0], &byte, 1), 1);
	return false;
}

static void what_was_never_open_faults(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < PAGES; i++) {
		assert_false(can_read(f, i));
		assert_false(can_write(f, i));
	}
	assert_int_equal(dma_window_open(f->w, 3 * PAGE, 2 * PAGE), 0);
	for (size_t i = 0; i < PAGES; i++) {
		assert_int_equal(can_read(f, i), i == 3 || i == 4);
		assert_int_equal(can_write(f, i), i == 3 || i == 4);
	}
}

static void an_open_page_is_the_guests(void **state)
{
	struct fixture *f = *state;

	memset(f->ram + 3 * PAGE, 0x5a, PAGE);
	assert_int_equal(dma_window_open(f->w, 3 * PAGE, PAGE), 0);
	assert_memory_equal(f->dev + 3 * PAGE, f->ram + 3 * PAGE, PAGE);
	f->dev[3 * PAGE + 7] = 0xa5;
	assert_int_equal(f->ram[3 * PAGE + 7], 0xa5);
}

/* A device that still has the address neither sees nor changes the page. */
static void a_closed_page_is_empty_memory_instead(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(dma_window_open(f->w, 0, PAGES * PAGE), 0);
	memset(f->ram, 0x5a, PAGES * PAGE);
	assert_int_equal(dma_window_close(f->w, 3 * PAGE, PAGE), 0);
	assert_int_equal(f->dev[3 * PAGE], 0);
	memset(f->dev + 2 * PAGE, 0xff, 3 * PAGE);
	assert_int_equal(f->ram[2 * PAGE], 0xff);
	assert_int_equal(f->ram[3 * PAGE], 0x5a);
	assert_int_equal(f->ram[4 * PAGE - 1], 0x5a);
	assert_int_equal(f->ram[4 * PAGE], 0xff);
}

static void a_page_can_be_opened_again(void **state)
{
	struct fixture *f = *state;

	f->ram[5 * PAGE] = 1;
	for (int i = 0; i < 3; i++) {
		assert_int_equal(dma_window_open(f->w, 5 * PAGE, PAGE), 0);
		assert_int_equal(f->dev[5 * PAGE], 1);
		assert_int_equal(dma_window_close(f->w, 5 * PAGE, PAGE), 0);
		assert_int_equal(f->dev[5 * PAGE], 0);
		f->dev[5 * PAGE] = 9;
	}
	assert_int_equal(f->ram[5 * PAGE], 1);
}

int main(void)
{
#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(what_was_never_open_faults),
		CASE(an_open_page_is_the_guests),
		CASE(a_closed_page_is_empty_memory_instead),
		CASE(a_page_can_be_opened_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
