/* tests/unit/test_owner_measure.c - digests and measurements beforehand. */
#include <errno.h>
#include <string.h>

#include "crypto/base64.h"
#include "tests/unit/owner_machine.h"
#include "tests/unit/unit.h"
#include "vmm/base/hex.h"

static void measure_prints_digest_and_measurement(void **state)
{
	struct machine_fixture *f = *state;
	struct owner_measure_opts o = {.content = f->o.content};
	char hex[65], want[BASE64_TEXT_LEN(48)], text[200];

	machine_launch(f);
	machine_report(f, NULL);
	assert_int_equal(owner_measure(&o, f->d.out, NULL), 0);
	snprintf(text, sizeof(text), "%s\n", hex_format(f->digest, 32, hex));
	assert_string_equal(owner_output(&f->d), text);
	owner_output_clear(&f->d);
	/* of a measurement, only the nonce is taken from the host */
	base64_encode(f->measurement, 48, want);
	memset(f->measurement, 0, 32);
	machine_report(f, NULL);
	o.report = f->o.report;
	o.tik = f->o.tik;
	assert_int_equal(owner_measure(&o, f->d.out, NULL), 0);
	snprintf(text, sizeof(text), "%s\n%s\n", hex, want);
	assert_string_equal(owner_output(&f->d), text);
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin.used"), -1);
}

static void measure_needs_key_and_launch_together(void **state)
{
	struct machine_fixture *f = *state;
	struct owner_measure_opts o = {.content = f->o.content,
				       .tik = f->o.tik};

	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err), -EINVAL,
			 ERR_USAGE, "needs --tik and the launch");
	machine_launch(f);
	machine_report(f, NULL);
	o.tik = NULL;
	o.report = f->o.report;
	owner_assert_err(&f->d, owner_measure(&o, f->d.out, &f->d.err), -EINVAL,
			 ERR_USAGE, "needs --tik and the launch");
}

int main(void)
{
#define CASE(f)                                                                \
	cmocka_unit_test_setup_teardown(f, machine_setup, machine_teardown)
	const struct CMUnitTest tests[] = {
		CASE(measure_prints_digest_and_measurement),
		CASE(measure_needs_key_and_launch_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
