/* tests/unit/test_sev_dev.c - the platform's commands over a fake ioctl. */
#include "vmm/kvm/sev_dev.h"

#include <errno.h>
#include <string.h>

#include "crypto/sev_status.h"
#include "tests/fake/fake_psp.h"
#include "tests/unit/unit.h"
#include "vmm/base/err.h"

static int setup(void **state)
{
	(void)state;
	fake_psp_reset();
	return 0;
}

static void status_is_taken_apart(void **state)
{
	struct sev_platform_status s;

	(void)state;
	assert_int_equal(sev_dev_status(&fake_psp_dev, &s, NULL), 0);
	assert_int_equal(s.api_major, 1);
	assert_int_equal(s.api_minor, 55);
	assert_int_equal(s.state, SEV_PLATFORM_WORKING);
	assert_true(s.owned);
	assert_true(s.es);
	assert_int_equal(s.build, 24);
	assert_int_equal(s.guests, 3);
	assert_string_equal(sev_platform_state_name(s.state), "WORKING");
	assert_string_equal(sev_platform_state_name(9), "unknown");
}

static void the_chain_is_asked_for_its_length_first(void **state)
{
	uint8_t pdh[SEV_CERT_LEN], chain[SEV_CHAIN_LEN];

	(void)state;
	assert_int_equal(sev_dev_export(&fake_psp_dev, pdh, chain, NULL), 0);
	assert_int_equal(fake_psp.n, 2);
	assert_int_equal(pdh[SEV_CERT_LEN - 1], 0x11);
	assert_int_equal(chain[0], 0x22);
	assert_int_equal(chain[SEV_CHAIN_LEN - 1], 0x22);
}

static void odd_lengths_are_refused_before_anything_is_written(void **state)
{
	uint8_t pdh[SEV_CERT_LEN], chain[SEV_CHAIN_LEN], id[128];
	struct err e = {0};
	size_t n;

	(void)state;
	fake_psp.chain_len = SEV_CHAIN_LEN + 1;
	assert_int_equal(sev_dev_export(&fake_psp_dev, pdh, chain, &e),
			 -EPROTO);
	fake_psp.chain_len = SEV_CHAIN_LEN;
	fake_psp.pdh_len = 16384;
	assert_int_equal(sev_dev_export(&fake_psp_dev, pdh, chain, &e),
			 -EPROTO);
	fake_psp.id_len = 129;
	assert_int_equal(sev_dev_id(&fake_psp_dev, id, &n, &e), -EPROTO);
	fake_psp.id_len = 192;
	assert_int_equal(sev_dev_id(&fake_psp_dev, id, &n, &e), -EPROTO);
	fake_psp.id_len = 0;
	assert_int_equal(sev_dev_id(&fake_psp_dev, id, &n, &e), -EPROTO);
	assert_int_equal(fake_psp.n, 5); /* queries only */
	assert_int_equal(e.kind, ERR_HOST);
}

static void id_and_request_come_back_whole(void **state)
{
	uint8_t id[128], csr[SEV_CERT_LEN];
	size_t n;

	(void)state;
	fake_psp.id_len = 64;
	assert_int_equal(sev_dev_id(&fake_psp_dev, id, &n, NULL), 0);
	assert_int_equal(n, 64);
	assert_int_equal(id[63], 0x1d);
	assert_int_equal(sev_dev_pek_csr(&fake_psp_dev, csr, NULL), 0);
	assert_int_equal(csr[SEV_CERT_LEN - 1], 0xc5);
}

static void commands_that_change_the_platform_are_the_right_ones(void **state)
{
	uint8_t pek[SEV_CERT_LEN] = {0}, oca[SEV_CERT_LEN] = {0};

	(void)state;
	assert_int_equal(sev_dev_pdh_gen(&fake_psp_dev, NULL), 0);
	assert_int_equal(sev_dev_pek_import(&fake_psp_dev, pek, oca, NULL), 0);
	assert_int_equal(sev_dev_factory_reset(&fake_psp_dev, NULL), 0);
	assert_int_equal(fake_psp.cmd[0], 4);
	assert_int_equal(fake_psp.cmd[1], 6);
	assert_int_equal(fake_psp.cmd[2], 0);
}

static void failures_are_worded(void **state)
{
	uint8_t pdh[SEV_CERT_LEN], chain[SEV_CHAIN_LEN];
	struct err e = {0};

	(void)state;
	fake_psp.fail_at = 1;
	fake_psp.fail_errno = EPERM;
	assert_int_equal(sev_dev_export(&fake_psp_dev, pdh, chain, &e), -EPERM);
	assert_int_equal(e.kind, ERR_PERM);
	assert_non_null(strstr(e.msg, "PDH_CERT_EXPORT"));
	fake_psp.n = 0;
	fake_psp.fail_at = 2;
	fake_psp.fail_errno = EIO;
	fake_psp.status = SEV_STATUS_SECURE_DATA_INVALID;
	assert_int_equal(sev_dev_export(&fake_psp_dev, pdh, chain, &e), -EIO);
	assert_non_null(strstr(e.msg, "SECURE_DATA_INVALID"));
}

static void what_does_not_open_is_explained(void **state)
{
	struct sev_dev d;
	struct err e = {0};

	(void)state;
	assert_int_equal(sev_dev_open("/nonexistent/sev", &d, &e), -ENOENT);
	assert_int_equal(e.kind, ERR_HOST);
	assert_non_null(strstr(e.msg, "ccp"));
}

static void what_is_not_the_drivers_device_is_told_apart(void **state)
{
	struct sev_dev d;

	(void)state;
	assert_int_equal(sev_dev_open("/dev/null", &d, NULL), 0);
	assert_false(d.is_device);
	assert_true(d.writable);
	sev_dev_close(&d);
	assert_int_equal(d.fd, -1);
	sev_dev_close(&d);
}

#define T(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(status_is_taken_apart),
		T(the_chain_is_asked_for_its_length_first),
		T(odd_lengths_are_refused_before_anything_is_written),
		T(id_and_request_come_back_whole),
		T(commands_that_change_the_platform_are_the_right_ones),
		T(failures_are_worded),
		T(what_does_not_open_is_explained),
		T(what_is_not_the_drivers_device_is_told_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
