/* tests/unit/test_guest_mem_pages.c - which pages of the host are behind it. */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "mem/guest_mem.h"
#include "vmm/base/bits.h"
#include "vmm/base/own.h"

enum { PER_2M = 512 };

/* Pages that are there in each 2 MiB when a start has written to two of them.
 */
static void pages_of_a_start(size_t n[static 3])
{
	const struct guest_mem_opts o = {.backing = GUEST_MEM_ANON};
	AUTO(guest_mem_destroyp) struct guest_mem *m = NULL;
	unsigned char there[3 * PER_2M];
	uint8_t *hva;

	memset(n, 0, 3 * sizeof(n[0]));
	assert_int_equal(guest_mem_create(&o, &m, NULL), 0);
	assert_int_equal(guest_mem_add_ram(m, 0, MIB(6), NULL), 0);
	hva = guest_mem_region(m, 0)->hva;
	hva[0x90000] = 1;
	hva[MIB(2) + 0x1000] = 1;
	assert_int_equal(mincore(hva, MIB(6), there), 0);
	for (size_t i = 0; i < sizeof(there); i++)
		n[i / PER_2M] += there[i] & 1;
}

/*
 * What a start writes into low memory takes small pages, the rest huge ones.
 * Now and then the kernel's own thread (khugepaged) has made a huge one of the
 * small ones before anybody looks: not every time.
 */
static void the_first_2_mib_are_not_one_huge_page(void **state)
{
	size_t n[3];
	int tries = 20;

	(void)state;
	if (access("/sys/kernel/mm/transparent_hugepage/enabled", F_OK))
		skip();
	do
		pages_of_a_start(n);
	while (n[0] == PER_2M && --tries);
	assert_int_equal(n[0], 2); /* that page, and the one that prevents it */
	/* 1: the host has no huge page */
	assert_true(n[1] == PER_2M || n[1] == 1);
	assert_int_equal(n[2], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_2_mib_are_not_one_huge_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
