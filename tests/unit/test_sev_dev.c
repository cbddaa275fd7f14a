/* tests/unit/test_sev_dev.c - the platform's commands over a fake ioctl. */
#include "vmm/kvm/sev_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "crypto/sev_status.h"
#include "tests/unit/unit.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

/* What the driver would do, by command. */
static struct {
	uint32_t cmd[8];
	size_t n;
	int fail_at; /* call from 1 */
	int fail_errno;
	uint32_t status, pdh_len, chain_len, id_len;
} psp;

static int refuse_len(uint8_t *c)
{
	store_le32(c + 12, SEV_STATUS_INVALID_LEN);
	errno = EIO;
	return -1;
}

static void fill(uint64_t p, size_t len, int byte)
{
	memset((void *)(uintptr_t)p, byte, len);
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	uint8_t *c = arg;
	uint32_t cmd = load_le32(c);
	uint8_t *d = (uint8_t *)(uintptr_t)load_le64(c + 4);

	assert_int_equal(fd, 5);
	assert_int_equal(request, 0xc0105300ul);
	assert_int_equal(load_le32(c + 12), 0);
	psp.cmd[psp.n++] = cmd;
	if ((int)psp.n == psp.fail_at) {
		store_le32(c + 12, psp.status);
		errno = psp.fail_errno;
		return -1;
	}
	switch (cmd) {
	case 1:
		memcpy(d, "\1\67\2\1\1\0\0\30\3\0\0\0", 12);
		return 0;
	case 3:
		if (!load_le64(d)) {
			store_le32(d + 8, SEV_CERT_LEN);
			return refuse_len(c);
		}
		fill(load_le64(d), load_le32(d + 8), 0xc5);
		return 0;
	case 5:
		if (!load_le64(d)) {
			store_le32(d + 8, psp.pdh_len);
			store_le32(d + 20, psp.chain_len);
			return refuse_len(c);
		}
		fill(load_le64(d), load_le32(d + 8), 0x11);
		fill(load_le64(d + 12), load_le32(d + 20), 0x22);
		return 0;
	case 6:
		assert_int_equal(load_le32(d + 8), SEV_CERT_LEN);
		assert_int_equal(load_le32(d + 20), SEV_CERT_LEN);
		return 0;
	case 8:
		if (!load_le64(d)) {
			store_le32(d + 8, psp.id_len);
			return refuse_len(c);
		}
		fill(load_le64(d), load_le32(d + 8), 0x1d);
		return 0;
	default:
		assert_null(d);
		return 0;
	}
}

static const struct sev_dev dev = {
	.fd = 5, .writable = true, .ioctl_fn = fake_ioctl};

static int setup(void **state)
{
	(void)state;
	memset(&psp, 0, sizeof(psp));
	psp.pdh_len = SEV_CERT_LEN;
	psp.chain_len = SEV_CHAIN_LEN;
	psp.id_len = 128;
	return 0;
}

static void status_is_taken_apart(void **state)
{
	struct sev_platform_status s;

	(void)state;
	assert_int_equal(sev_dev_status(&dev, &s, NULL), 0);
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
	assert_int_equal(sev_dev_export(&dev, pdh, chain, NULL), 0);
	assert_int_equal(psp.n, 2);
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
	psp.chain_len = SEV_CHAIN_LEN + 1;
	assert_int_equal(sev_dev_export(&dev, pdh, chain, &e), -EPROTO);
	psp.chain_len = SEV_CHAIN_LEN;
	psp.pdh_len = 16384;
	assert_int_equal(sev_dev_export(&dev, pdh, chain, &e), -EPROTO);
	psp.id_len = 129;
	assert_int_equal(sev_dev_id(&dev, id, &n, &e), -EPROTO);
	psp.id_len = 192;
	assert_int_equal(sev_dev_id(&dev, id, &n, &e), -EPROTO);
	psp.id_len = 0;
	assert_int_equal(sev_dev_id(&dev, id, &n, &e), -EPROTO);
	assert_int_equal(psp.n, 5); /* queries only */
	assert_int_equal(e.kind, ERR_HOST);
}

static void id_and_request_come_back_whole(void **state)
{
	uint8_t id[128], csr[SEV_CERT_LEN];
	size_t n;

	(void)state;
	psp.id_len = 64;
	assert_int_equal(sev_dev_id(&dev, id, &n, NULL), 0);
	assert_int_equal(n, 64);
	assert_int_equal(id[63], 0x1d);
	assert_int_equal(sev_dev_pek_csr(&dev, csr, NULL), 0);
	assert_int_equal(csr[SEV_CERT_LEN - 1], 0xc5);
}

static void commands_that_change_the_platform_are_the_right_ones(void **state)
{
	uint8_t pek[SEV_CERT_LEN] = {0}, oca[SEV_CERT_LEN] = {0};

	(void)state;
	assert_int_equal(sev_dev_pdh_gen(&dev, NULL), 0);
	assert_int_equal(sev_dev_pek_import(&dev, pek, oca, NULL), 0);
	assert_int_equal(sev_dev_factory_reset(&dev, NULL), 0);
	assert_int_equal(psp.cmd[0], 4);
	assert_int_equal(psp.cmd[1], 6);
	assert_int_equal(psp.cmd[2], 0);
}

static void failures_are_worded(void **state)
{
	uint8_t pdh[SEV_CERT_LEN], chain[SEV_CHAIN_LEN];
	struct err e = {0};

	(void)state;
	psp.fail_at = 1;
	psp.fail_errno = EPERM;
	assert_int_equal(sev_dev_export(&dev, pdh, chain, &e), -EPERM);
	assert_int_equal(e.kind, ERR_PERM);
	assert_non_null(strstr(e.msg, "PDH_CERT_EXPORT"));
	psp.n = 0;
	psp.fail_at = 2;
	psp.fail_errno = EIO;
	psp.status = SEV_STATUS_SECURE_DATA_INVALID;
	assert_int_equal(sev_dev_export(&dev, pdh, chain, &e), -EIO);
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
