/* tests/unit/test_seccomp_table.c - what must hold of every list. */
#include "tests/unit/unit.h"

#include <asm/unistd.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vmm/monitor/seccomp_table.h"

/* The three kinds of list, and each thread's. */
enum { N_LISTS = THREAD_KIND_COUNT + 2 };

static struct seccomp_list list(unsigned int i)
{
	if (i < THREAD_KIND_COUNT)
		return seccomp_table((enum thread_kind)i);
	return i == THREAD_KIND_COUNT ? seccomp_table_sanitized()
				      : seccomp_table_kill();
}

static bool has(struct seccomp_list l, int nr)
{
	for (size_t i = 0; i < l.n; i++)
		if (l.e[i].nr == nr)
			return true;
	return false;
}

static bool same(const struct seccomp_entry *a, const struct seccomp_entry *b)
{
	return a->nr == b->nr && a->n_args == b->n_args &&
	       !memcmp(a->args, b->args, a->n_args * sizeof(a->args[0]));
}

static void every_entry_says_what_and_why(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < N_LISTS; i++) {
		struct seccomp_list l = list(i);

		assert_true(l.n > 0);
		for (size_t k = 0; k < l.n; k++) {
			char *name = seccomp_syscall_resolve_num_arch(
				SCMP_ARCH_X86_64, l.e[k].nr);

			assert_non_null(name);
			assert_string_equal(name, l.e[k].call);
			free(name);
			assert_true(l.e[k].who && l.e[k].who[0]);
			assert_non_null(l.e[k].detail);
			assert_true(l.e[k].n_args <= SECCOMP_ARGS_MAX);
			/* arguments that are checked are also named */
			assert_int_equal(l.e[k].n_args > 0,
					 l.e[k].detail[0] != 0);
		}
	}
}

static void no_entry_is_there_twice(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < N_LISTS; i++) {
		struct seccomp_list l = list(i);

		for (size_t k = 0; k < l.n; k++)
			for (size_t j = 0; j < k; j++)
				assert_false(same(&l.e[j], &l.e[k]));
	}
}

/* An entry without conditions would make the others of its call useless. */
static void a_call_is_checked_always_or_never(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < THREAD_KIND_COUNT; i++) {
		struct seccomp_list l = list(i);

		for (size_t k = 0; k < l.n; k++)
			for (size_t j = 0; j < l.n; j++)
				assert_true(l.e[k].nr != l.e[j].nr ||
					    !l.e[k].n_args == !l.e[j].n_args);
	}
}

static void what_is_killed_is_allowed_nowhere(void **state)
{
	struct seccomp_list kill = seccomp_table_kill();

	(void)state;
	for (size_t k = 0; k < kill.n; k++)
		for (unsigned int i = 0; i <= THREAD_KIND_COUNT; i++)
			assert_false(has(list(i), kill.e[k].nr));
}

static void nobody_may_open_or_make_anything(void **state)
{
	static const int never[] = {
		__NR_open,
		__NR_openat,
		__NR_openat2,
		__NR_creat,
		__NR_socket,
		__NR_connect,
		__NR_bind,
		__NR_accept,
		__NR_accept4,
		__NR_clone,
		__NR_clone3,
		__NR_fork,
		__NR_execve,
		__NR_rt_sigaction,
		__NR_prctl,
		__NR_seccomp,
		__NR_io_uring_setup,
		__NR_io_uring_register,
		__NR_dup,
		__NR_dup2,
		__NR_dup3,
		__NR_fcntl,
		__NR_kill,
		__NR_tkill,
		__NR_memfd_create,
		__NR_pkey_mprotect,
		__NR_shmat,
		__NR_mremap,
		__NR_remap_file_pages,
	};

	(void)state;
	for (unsigned int i = 0; i <= THREAD_KIND_COUNT; i++)
		for (size_t k = 0; k < sizeof(never) / sizeof(never[0]); k++)
			assert_false(has(list(i), never[k]));
}

static void ioctls_and_mappings_are_always_checked(void **state)
{
	(void)state;
	for (unsigned int i = 0; i <= THREAD_KIND_COUNT; i++) {
		struct seccomp_list l = list(i);

		for (size_t k = 0; k < l.n; k++) {
			const struct seccomp_entry *e = &l.e[k];

			if (e->nr == __NR_ioctl) {
				assert_int_equal(e->args[0].index, 1);
				assert_true(e->args[0].mask == UINT64_MAX);
			}
			if (e->nr != __NR_mmap && e->nr != __NR_mprotect)
				continue;
			assert_int_equal(e->args[0].index, 2);
			assert_true(e->args[0].mask & PROT_EXEC);
			assert_false(e->args[0].value & PROT_EXEC);
		}
	}
}

static void a_vcpu_makes_about_a_dozen_calls(void **state)
{
	struct seccomp_list l = seccomp_table(THREAD_VCPU);
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < l.n; i++) {
		size_t k = 0;

		while (k < i && l.e[k].nr != l.e[i].nr)
			k++;
		n += k == i;
	}
	assert_in_range(n, 1, 17); /* two of them for firmware */
}

/* vcpu.c asks the C library, the table is data. */
static void the_signal_that_stops_vcpus_is_the_one_listed(void **state)
{
	struct seccomp_list l = seccomp_table(THREAD_MAIN);
	bool found = false;

	(void)state;
	for (size_t i = 0; i < l.n; i++)
		if (l.e[i].nr == __NR_tgkill) {
			assert_int_equal(l.e[i].args[0].index, 2);
			assert_int_equal(l.e[i].args[0].value, SIGRTMIN);
			found = true;
		}
	assert_true(found);
}

static void a_kind_that_does_not_exist_has_no_list(void **state)
{
	(void)state;
	assert_int_equal(seccomp_table(THREAD_KIND_COUNT).n, 0);
	assert_string_equal(seccomp_kind_name(THREAD_KIND_COUNT), "?");
	assert_string_equal(seccomp_kind_name(THREAD_IO), "io");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_entry_says_what_and_why),
		cmocka_unit_test(no_entry_is_there_twice),
		cmocka_unit_test(a_call_is_checked_always_or_never),
		cmocka_unit_test(what_is_killed_is_allowed_nowhere),
		cmocka_unit_test(nobody_may_open_or_make_anything),
		cmocka_unit_test(ioctls_and_mappings_are_always_checked),
		cmocka_unit_test(a_vcpu_makes_about_a_dozen_calls),
		cmocka_unit_test(the_signal_that_stops_vcpus_is_the_one_listed),
		cmocka_unit_test(a_kind_that_does_not_exist_has_no_list),
	};

	return cmocka_run_group_tests_name("seccomp_table", tests, NULL, NULL);
}
