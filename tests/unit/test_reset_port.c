/* tests/unit/test_reset_port.c - what resets, and what must not. */
#include "tests/unit/unit.h"

#include "devices/legacy/reset_port.h"
#include "tests/fake/fake_legacy.h"

struct fixture {
	struct fake_power power;
	struct reset_port *r;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	fake_power_init(&f->power);
	*state = f;
	return reset_port_create(&f->power.sink, &f->r, NULL);
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	reset_port_destroy(f->r);
	free(f);
	return 0;
}

static void the_reset_register_of_the_fadt_resets(void **state)
{
	struct fixture *f = *state;

	out(reset_port_cf9(f->r), 0, 1, 0x06);
	assert_int_equal(f->power.resets, 1);
}

static void linux_prepares_cf9_and_then_resets(void **state)
{
	struct fixture *f = *state;
	struct bus_dev *d = reset_port_cf9(f->r);
	uint64_t cf9 = in(d, 0, 1) & ~UINT64_C(0x0e);

	out(d, 0, 1, cf9 | 0x02);
	assert_int_equal(f->power.resets, 0);
	assert_int_equal(in(d, 0, 1), 0x02);
	out(d, 0, 1, cf9 | 0x0e);
	assert_int_equal(f->power.resets, 1);
}

static void only_the_rising_trigger_of_cf9_resets(void **state)
{
	struct fixture *f = *state;
	struct bus_dev *d = reset_port_cf9(f->r);

	out(d, 0, 1, 0xfb); /* everything else */
	assert_int_equal(f->power.resets, 0);
	assert_int_equal(in(d, 0, 1), 0x0a);
	out(d, 0, 1, 0x04); /* the soft kind as well */
	out(d, 0, 1, 0x04);
	assert_int_equal(f->power.resets, 1);
	out(d, 0, 1, 0x00);
	out(d, 0, 1, 0x06);
	assert_int_equal(f->power.resets, 2);
}

static void the_keyboard_controller_is_ready_and_pulses_reset(void **state)
{
	struct fixture *f = *state;
	struct bus_dev *cmd = reset_port_kbd_cmd(f->r);

	/* kb_wait(): the input buffer is empty; edk2: there is no chip */
	assert_int_equal(in(cmd, 0, 1), 0xc0);
	out(cmd, 0, 1, 0xfe);
	assert_int_equal(f->power.resets, 1);
	out(cmd, 0, 1, 0xf0);
	assert_int_equal(f->power.resets, 2);
}

static void other_keyboard_commands_do_nothing(void **state)
{
	struct fixture *f = *state;

	for (unsigned int c = 0; c < 0xf0; c++)
		out(reset_port_kbd_cmd(f->r), 0, 1, c);
	for (unsigned int c = 0xf1; c <= 0xff; c += 2)
		out(reset_port_kbd_cmd(f->r), 0, 1, c);
	out(reset_port_kbd_data(f->r), 0, 1, 0xfe);
	assert_int_equal(in(reset_port_kbd_data(f->r), 0, 1), 0);
	assert_int_equal(f->power.resets, 0);
}

static void port_92_resets_and_keeps_a20_open(void **state)
{
	struct fixture *f = *state;
	struct bus_dev *d = reset_port_sysctl_a(f->r);

	out(d, 0, 1, 0x00);
	out(d, 0, 1, 0xfe);
	assert_int_equal(in(d, 0, 1), 0x02);
	assert_int_equal(f->power.resets, 0);
	out(d, 0, 1, 0x03);
	assert_int_equal(f->power.resets, 1);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_reset_register_of_the_fadt_resets),
		CASE(linux_prepares_cf9_and_then_resets),
		CASE(only_the_rising_trigger_of_cf9_resets),
		CASE(the_keyboard_controller_is_ready_and_pulses_reset),
		CASE(other_keyboard_commands_do_nothing),
		CASE(port_92_resets_and_keeps_a20_open),
	};

	return cmocka_run_group_tests_name("reset_port", tests, NULL, NULL);
}
