/* tests/unit/test_cpuid.c - the CPUID table of the machine. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "vmm/cpuid.h"

static void put(struct cpuid_table *t, uint32_t fn, uint32_t index,
		uint32_t flags, uint32_t a, uint32_t b, uint32_t c, uint32_t d)
{
	t->e[t->n++] = (struct cpuid_entry){fn, index, flags, a, b, c, d};
}

/* What KVM reports on an AMD host, cut down to what matters here. */
static void amd(struct cpuid_table *t)
{
	t->n = 0;
	put(t, 0, 0, 0, 0x10, 0x68747541, 0x444d4163, 0x69746e65);
	put(t, 1, 0, 0, 0x00a10f11, 0x05020800, 0x01202000, 0x178bfbff);
	put(t, 0x80000001, 0, 0, 0, 0, 0x00400393, 0);
	put(t, 0x80000000, 0, 0, 0x8000001e, 0, 0, 0);
	put(t, 0x80000008, 0, 0, 0x3028, 0, 0x7001, 0);
	put(t, 0x8000001d, 2, CPUID_FLAG_INDEX, 0x143 | 7 << 14, 0, 0, 0);
	put(t, 0x8000001d, 3, CPUID_FLAG_INDEX, 0x163 | 3 << 14, 0, 0, 0);
	put(t, 0x8000001e, 0, 0, 9, 0x0109, 0x300, 0);
	put(t, 0x40000000, 0, 0, 0x40000001, 0, 0, 0);
	put(t, 0x40000001, 0, 0, 0x01007efb, 0, 0, 0);
}

static void intel(struct cpuid_table *t)
{
	t->n = 0;
	put(t, 0, 0, 0, 0x1f, 0x756e6547, 0x6c65746e, 0x49656e69);
	put(t, 1, 0, 0, 0x000906ea, 0x00100800, 0, 0x1f8bfbff);
	put(t, 4, 0, CPUID_FLAG_INDEX, 0x1c000121 | 1 << 14, 0, 0, 0);
	put(t, 4, 3, CPUID_FLAG_INDEX, 0x1c000163 | 0xf << 14, 0, 0, 0);
	put(t, 0xb, 0, CPUID_FLAG_INDEX, 1, 2, 0x100, 7);
	put(t, 0x1f, 0, CPUID_FLAG_INDEX, 1, 2, 0x100, 7);
	put(t, 0x80000008, 0, 0, 0x3027, 0, 0, 0);
}

static struct cpuid_table t;

static struct cpuid_entry *get(uint32_t fn, uint32_t index)
{
	struct cpuid_entry *e = cpuid_find(&t, fn, index);

	assert_non_null(e);
	return e;
}

static void a_guest_knows_that_it_is_one(void **state)
{
	const struct cpuid_params p = {.n_cpus = 1, .tsc_deadline = true};

	(void)state;
	amd(&t);
	assert_int_equal(cpuid_for_machine(&t, &p, NULL), 0);
	assert_true(get(1, 0)->ecx & 1u << 31);
	assert_true(get(1, 0)->ecx & 1u << 24);
	assert_false(get(1, 0)->edx & 1u << 28); /* one CPU: no HTT */
	assert_int_equal(get(1, 0)->ebx, 0x00010800);
	assert_null(cpuid_find(&t, 0x40000010, 0)); /* frequency unknown */
}

static void no_deadline_timer_is_offered_where_kvm_has_none(void **state)
{
	const struct cpuid_params p = {.n_cpus = 1};

	(void)state;
	amd(&t);
	assert_int_equal(cpuid_for_machine(&t, &p, NULL), 0);
	assert_false(get(1, 0)->ecx & 1u << 24);
}

static void the_tsc_frequency_is_in_the_timing_leaf(void **state)
{
	const struct cpuid_params p = {.n_cpus = 1, .tsc_khz = 2596138};

	(void)state;
	amd(&t);
	assert_int_equal(cpuid_for_machine(&t, &p, NULL), 0);
	assert_int_equal(get(0x40000010, 0)->eax, 2596138);
	assert_int_equal(get(0x40000010, 0)->ebx, 1000000);
	assert_int_equal(get(0x40000000, 0)->eax, 0x40000010);
}

static void six_amd_cores_share_the_third_level_cache(void **state)
{
	const struct cpuid_params p = {.n_cpus = 6};

	(void)state;
	amd(&t);
	assert_int_equal(cpuid_for_machine(&t, &p, NULL), 0);
	cpuid_set_apic_id(&t, 5);
	assert_int_equal(get(1, 0)->ebx, 0x05060800);
	assert_true(get(1, 0)->edx & 1u << 28);
	assert_true(get(0x80000001, 0)->ecx & 2);
	/* 3 bits of APIC ID, 6 cores; the rest of the leaf as it was */
	assert_int_equal(get(0x80000008, 0)->ecx, 0x3005);
	assert_int_equal(get(0x8000001d, 2)->eax >> 14 & 0xfff, 0);
	assert_int_equal(get(0x8000001d, 3)->eax >> 14 & 0xfff, 7);
	assert_int_equal(get(0x8000001e, 0)->eax, 5);
	assert_int_equal(get(0x8000001e, 0)->ebx, 5);
	assert_int_equal(get(0xb, 0)->ebx, 1);
	assert_int_equal(get(0xb, 0)->ecx, 0x100);
	assert_int_equal(get(0xb, 1)->eax, 3);
	assert_int_equal(get(0xb, 1)->ebx, 6);
	assert_int_equal(get(0xb, 1)->ecx, 0x201);
	assert_int_equal(get(0xb, 2)->ecx, 2);
	assert_int_equal(get(0xb, 1)->edx, 5);
}

static void the_host_topology_of_an_intel_cpu_does_not_leak(void **state)
{
	const struct cpuid_params p = {.n_cpus = 2};

	(void)state;
	intel(&t);
	assert_int_equal(cpuid_for_machine(&t, &p, NULL), 0);
	cpuid_set_apic_id(&t, 1);
	assert_null(cpuid_find(&t, 0x1f, 0));
	assert_int_equal(get(4, 0)->eax, 0x121 | 1u << 26);
	assert_int_equal(get(4, 3)->eax, 0x163 | 1u << 14 | 1u << 26);
	assert_int_equal(get(0xb, 0)->eax, 0);
	assert_int_equal(get(0xb, 1)->eax, 1);
	assert_int_equal(get(0xb, 1)->ebx, 2);
	assert_int_equal(get(0x80000008, 0)->ecx, 0); /* an AMD field */
}

static void an_emulated_c_bit_is_told_as_sev(void **state)
{
	struct cpuid_params p = {
		.n_cpus = 1, .c_bit = 38, .c_bit_emulated = true};

	(void)state;
	amd(&t);
	assert_int_equal(cpuid_for_machine(&t, &p, NULL), 0);
	assert_int_equal(get(0x8000001f, 0)->eax, 2);
	assert_int_equal(get(0x8000001f, 0)->ebx, 38 | 2 << 6);
	assert_int_equal(get(0x80000008, 0)->eax & 0xff, 40);
	assert_int_equal(get(0x40000001, 0)->eax, 0x01037efb);
	for (p.c_bit = 35; p.c_bit <= 40; p.c_bit += 5) {
		amd(&t);
		assert_int_equal(cpuid_for_machine(&t, &p, NULL), -EINVAL);
	}
}

static void a_number_of_cpus_out_of_range_is_refused(void **state)
{
	(void)state;
	for (unsigned int n = 0; n <= 65; n += 65) {
		const struct cpuid_params p = {.n_cpus = n};

		amd(&t);
		assert_int_equal(cpuid_for_machine(&t, &p, NULL), -EINVAL);
	}
	t.n = 0;
	assert_int_equal(cpuid_for_machine(
				 &t, &(struct cpuid_params){.n_cpus = 1}, NULL),
			 -EINVAL);
}

static void a_full_table_is_refused(void **state)
{
	const struct cpuid_params p = {.n_cpus = 1};

	(void)state;
	amd(&t);
	while (t.n < CPUID_MAX_ENTRIES)
		put(&t, 0x20000000 + (uint32_t)t.n, 0, 0, 0, 0, 0, 0);
	assert_int_equal(cpuid_for_machine(&t, &p, NULL), -ENOSPC);
}

static void the_physical_width_is_the_host_s(void **state)
{
	(void)state;
	amd(&t);
	assert_int_equal(cpuid_phys_bits(&t), 40);
	t.n = 2;
	assert_int_equal(cpuid_phys_bits(&t), 36);
}

static void sev_is_told_as_kvm_and_the_cpu_say(void **state)
{
	const struct cpuid_params p = {
		.n_cpus = 1, .c_bit = 51, .c_bit_reduction = 5, .sev_es = true};

	(void)state;
	amd(&t);
	assert_int_equal(cpuid_sev_c_bit(&t, false), 0);
	put(&t, 0x8000001f, 0, 0, 2, 51, 509, 1);
	assert_int_equal(cpuid_sev_c_bit(&t, false), 51);
	assert_int_equal(cpuid_sev_c_bit(&t, true), 0);
	get(0x8000001f, 0)->eax |= 8;
	assert_int_equal(cpuid_sev_c_bit(&t, true), 51);
	assert_int_equal(cpuid_for_machine(&t, &p, NULL), 0);
	assert_int_equal(get(0x8000001f, 0)->eax, 10);
	assert_int_equal(get(0x8000001f, 0)->ebx, 51 | 5 << 6);
	assert_int_equal(get(0x8000001f, 0)->ecx, 0);
	assert_int_equal(get(0x8000001f, 0)->edx, 0);
	assert_int_equal(get(0x40000001, 0)->eax >> 16 & 3, 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_knows_that_it_is_one),
		cmocka_unit_test(
			no_deadline_timer_is_offered_where_kvm_has_none),
		cmocka_unit_test(the_tsc_frequency_is_in_the_timing_leaf),
		cmocka_unit_test(six_amd_cores_share_the_third_level_cache),
		cmocka_unit_test(
			the_host_topology_of_an_intel_cpu_does_not_leak),
		cmocka_unit_test(an_emulated_c_bit_is_told_as_sev),
		cmocka_unit_test(sev_is_told_as_kvm_and_the_cpu_say),
		cmocka_unit_test(a_number_of_cpus_out_of_range_is_refused),
		cmocka_unit_test(a_full_table_is_refused),
		cmocka_unit_test(the_physical_width_is_the_host_s),
	};

	return cmocka_run_group_tests_name("cpuid", tests, NULL, NULL);
}
