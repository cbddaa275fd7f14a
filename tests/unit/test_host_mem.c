/* tests/unit/test_host_mem.c - what the kernel says, and how we say it. */
#include "tests/unit/unit.h"

#include <errno.h>

#include "mem/host_mem.h"
#include "vmm/base/bits.h"

static void available_memory_is_found_in_meminfo(void **state)
{
	uint64_t v = 0;

	(void)state;
	assert_int_equal(
		host_mem_parse_available("MemTotal:       24684096 kB\n"
					 "MemFree:        24275036 kB\n"
					 "MemAvailable:   24327672 kB\n",
					 &v),
		0);
	assert_int_equal(v, UINT64_C(24327672) * 1024);
}

static void meminfo_without_the_line_is_refused(void **state)
{
	uint64_t v = 7;

	(void)state;
	assert_int_equal(host_mem_parse_available("", &v), -ENODATA);
	assert_int_equal(host_mem_parse_available("MemAvailable:", &v),
			 -ENODATA);
	assert_int_equal(host_mem_parse_available("MemAvailable: many kB", &v),
			 -ENODATA);
	assert_int_equal(host_mem_parse_available(
				 "MemAvailable: 18446744073709551615 kB", &v),
			 -ENODATA);
	assert_int_equal(v, 7);
}

static void this_host_has_memory(void **state)
{
	struct host_mem h;

	(void)state;
	assert_int_equal(host_mem_read(&h), 0);
	assert_true(h.ram_bytes >= MIB(16));
	assert_true(host_mem_available() > 0);
}

static void a_page_size_the_host_has_not_is_told(void **state)
{
	struct host_hugepages h = {.total = 7};

	(void)state;
	assert_int_equal(host_hugepages_read(KIB(12), &h), -ENOENT);
	assert_int_equal(h.total, 7);
}

static void sizes_are_printed_in_the_largest_exact_unit(void **state)
{
	char b[HOST_MEM_SIZE_STR];

	(void)state;
	assert_string_equal(host_mem_size_str(0, b), "0 bytes");
	assert_string_equal(host_mem_size_str(4097, b), "4097 bytes");
	assert_string_equal(host_mem_size_str(KIB(4), b), "4 KiB");
	assert_string_equal(host_mem_size_str(MIB(1536), b), "1536 MiB");
	assert_string_equal(host_mem_size_str(GIB(2), b), "2 GiB");
	assert_string_equal(host_mem_size_str(UINT64_MAX, b),
			    "18446744073709551615 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(available_memory_is_found_in_meminfo),
		cmocka_unit_test(meminfo_without_the_line_is_refused),
		cmocka_unit_test(this_host_has_memory),
		cmocka_unit_test(a_page_size_the_host_has_not_is_told),
		cmocka_unit_test(sizes_are_printed_in_the_largest_exact_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
