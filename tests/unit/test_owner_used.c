/* tests/unit/test_owner_used.c - a key is good for one launch. */
#include "owner/owner_used.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/owner_machine.h"
#include "tests/unit/unit.h"

static void a_key_is_good_for_one_launch(void **state)
{
	struct machine_fixture *f = *state;

	machine_launch(f);
	machine_report(f, NULL);
	machine_verified(f);
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin.used"), 0600);
	machine_verified(f); /* the same launch, again */
	f->m.in.mnonce[0] ^= 1;
	machine_launch(f);
	machine_report(f, NULL);
	machine_refused(f, -EKEYREJECTED, ERR_INPUT,
			"was used for another launch");
}

static void a_new_key_under_the_old_name_is_new(void **state)
{
	struct machine_fixture *f = *state;

	machine_launch(f);
	machine_report(f, NULL);
	machine_verified(f);
	f->m.tik[5] ^= 0xff;
	owner_put(&f->d, "vm_tik.bin", f->m.tik, 16);
	machine_launch(f);
	machine_report(f, NULL);
	machine_verified(f);
	f->m.in.mnonce[0] ^= 1;
	machine_launch(f);
	machine_report(f, NULL);
	machine_refused(f, -EKEYREJECTED, ERR_INPUT,
			"was used for another launch");
}

/* In a child, after a byte from @start; its status is 0 if it got the key. */
static pid_t claim_in_child(struct machine_fixture *f, uint8_t i, int start)
{
	uint8_t measurement[48] = {i};
	struct owner_use u = {f->o.tik, f->m.tik, measurement};
	pid_t pid = fork();
	char byte;

	assert_true(pid >= 0);
	if (pid)
		return pid;
	_exit(read(start, &byte, 1) != 1 ||
	      owner_used_claim(f->h, &u, NULL) < 0);
}

static void of_many_launches_at_once_one_gets_the_key(void **state)
{
	struct machine_fixture *f = *state;
	pid_t pids[16];
	int start[2], got = 0;

	assert_int_equal(pipe2(start, O_CLOEXEC), 0);
	for (uint8_t i = 0; i < 16; i++)
		pids[i] = claim_in_child(f, i, start[0]);
	close(start[0]);
	assert_int_equal(write(start[1], "0123456789abcdef", 16), 16);
	close(start[1]);
	for (int i = 0; i < 16; i++) {
		int status;

		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_true(WIFEXITED(status));
		got += !WEXITSTATUS(status);
	}
	assert_int_equal(got, 1);
}

static void a_damaged_mark_is_not_ignored(void **state)
{
	struct machine_fixture *f = *state;

	machine_launch(f);
	machine_report(f, NULL);
	owner_put_text(&f->d, "vm_tik.bin.used", "used");
	machine_refused(f, -EINVAL, ERR_INPUT, "is damaged");
}

int main(void)
{
#define CASE(f)                                                                \
	cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)
	const struct CMUnitTest tests[] = {
		CASE(a_key_is_good_for_one_launch),
		CASE(a_new_key_under_the_old_name_is_new),
		CASE(of_many_launches_at_once_one_gets_the_key),
		CASE(a_damaged_mark_is_not_ignored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
