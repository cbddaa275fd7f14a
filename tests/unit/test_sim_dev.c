/* tests/unit/test_sim_dev.c - /dev/sev as its driver answers. */
#include "sim/sim_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "tests/fake/fake_target.h"
#include "tests/unit/sim_fixture.h"
#include "tests/unit/unit.h"
#include "vmm/base/bytes.h"

enum { CMD_AT = 0, DATA_AT = 0x100, BUF_AT = 0x1000, BUF2_AT = 0x8000 };

struct fixture {
	struct sim_fixture fw;
	struct fake_target t;
	struct sim_dev_report rep;
};

static int setup(void **state)
{
	static struct fixture f;

	sim_fixture_init(&f.fw);
	fake_target_init(&f.t);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	fake_target_end(&f->t);
	sim_fixture_end(&f->fw);
	return 0;
}

static int issue(struct fixture *f, int mode, uint32_t cmd)
{
	uint8_t *p = f->t.mem + CMD_AT;

	store_le32(p + SIM_ISSUE_CMD, cmd);
	store_le64(p + SIM_ISSUE_DATA, fake_addr(DATA_AT));
	store_le32(p + SIM_ISSUE_ERROR, 0x77);
	return sim_dev_ioctl(f->fw.fw, f->fw.faults, &f->t.target, mode,
			     fake_addr(CMD_AT), &f->rep);
}

static uint32_t error_of(const struct fixture *f)
{
	return load_le32(f->t.mem + CMD_AT + SIM_ISSUE_ERROR);
}

static void buffers(struct fixture *f, uint32_t len, uint32_t len2)
{
	uint8_t *d = f->t.mem + DATA_AT;

	store_le64(d, fake_addr(BUF_AT));
	store_le32(d + 8, len);
	store_le64(d + 12, fake_addr(BUF2_AT));
	store_le32(d + 20, len2);
}

static void status_is_packed_as_the_kernel_has_it(void **state)
{
	struct fixture *f = *state;
	const uint8_t *d = f->t.mem + DATA_AT;

	assert_int_equal(issue(f, O_RDONLY, SIM_SEV_PLATFORM_STATUS), 0);
	assert_int_equal(d[0], 1);
	assert_int_equal(d[1], 55);
	assert_int_equal(d[2], SIM_FW_PLATFORM_INIT);
	assert_int_equal(load_le32(d + 3), 0x100);
	assert_int_equal(d[7], 24);
	assert_int_equal(load_le32(d + 8), 0);
	assert_int_equal(error_of(f), 0);
}

static void an_unknown_command_writes_nothing_back(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(issue(f, O_RDWR, 9), -EINVAL);
	assert_int_equal(error_of(f), 0x77);
	assert_int_equal(sim_dev_ioctl(f->fw.fw, f->fw.faults, &f->t.target,
				       O_RDWR, 8, &f->rep),
			 -EFAULT);
}

static void keys_need_a_writable_descriptor(void **state)
{
	static const uint32_t cmds[] = {SIM_SEV_FACTORY_RESET, SIM_SEV_PEK_GEN,
					SIM_SEV_PDH_GEN, SIM_SEV_PEK_CSR,
					SIM_SEV_PEK_CERT_IMPORT};
	struct fixture *f = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cmds); i++)
		assert_int_equal(issue(f, O_RDONLY, cmds[i]), -EPERM);
	assert_int_equal(f->fw.saves, 0);
	buffers(f, 2084, 6252);
	assert_int_equal(issue(f, O_RDONLY, SIM_SEV_PDH_CERT_EXPORT), 0);
}

static void a_length_of_0_asks_for_the_length(void **state)
{
	struct fixture *f = *state;
	const uint8_t *d = f->t.mem + DATA_AT;

	buffers(f, 2084, 0);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_PDH_CERT_EXPORT), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_INVALID_LEN);
	assert_int_equal(load_le32(d + 8), 2084);
	assert_int_equal(load_le32(d + 20), 6252);
	buffers(f, 0, 0);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_GET_ID2), -EIO);
	assert_int_equal(load_le32(d + 8), SIM_CHIP_ID_LEN);
	buffers(f, SIM_BLOB_MAX + 1, 6252);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_PDH_CERT_EXPORT), -EFAULT);
}

static void the_exported_chain_lacks_amds_signature(void **state)
{
	struct fixture *f = *state;
	struct sev_chain c = {0};

	buffers(f, 4000, 8000);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_PDH_CERT_EXPORT), 0);
	assert_int_equal(sev_chain_add(&c, f->t.mem + BUF_AT, 2084, NULL), 0);
	assert_int_equal(sev_chain_add(&c, f->t.mem + BUF2_AT, 6252, NULL), 0);
	assert_int_equal(sev_chain_verify_links(&c, f->fw.h, NULL), 0);
	assert_int_equal(c.sev[SEV_CHAIN_CEK].sig[0].usage, SEV_USAGE_INVALID);
}

static void the_driver_starts_a_platform_for_a_command(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(issue(f, O_RDWR, SIM_SEV_FACTORY_RESET), 0);
	assert_int_equal(sim_fw_state(f->fw.fw), SIM_FW_PLATFORM_UNINIT);
	buffers(f, 2084, 6252);
	assert_int_equal(issue(f, O_RDONLY, SIM_SEV_PDH_CERT_EXPORT), -EPERM);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_PDH_CERT_EXPORT), 0);
	assert_int_equal(sim_fw_state(f->fw.fw), SIM_FW_PLATFORM_UNINIT);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_PDH_GEN), 0);
	assert_int_equal(f->fw.saves, 2);
}

static void a_reset_waits_for_guests_to_end(void **state)
{
	struct fixture *f = *state;
	struct sim_fw_start s = {.policy = 1};
	uint32_t handle;

	assert_int_equal(sim_fw_launch_start(f->fw.fw, &s, &handle), 0);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_FACTORY_RESET), -EBUSY);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_PEK_GEN), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_INVALID_PLATFORM_STATE);
}

static void faults_are_the_kernels_or_the_firmwares(void **state)
{
	struct fixture *f = *state;

	sim_fault_add(f->fw.faults, "PLATFORM_STATUS:1=ETIMEDOUT", NULL);
	sim_fault_add(f->fw.faults, "GET_ID=HWERROR_UNSAFE", NULL);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_PLATFORM_STATUS), -ETIMEDOUT);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_PLATFORM_STATUS), 0);
	assert_int_equal(issue(f, O_RDWR, SIM_SEV_GET_ID2), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_HWERROR_UNSAFE);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(status_is_packed_as_the_kernel_has_it),
		CASE(an_unknown_command_writes_nothing_back),
		CASE(keys_need_a_writable_descriptor),
		CASE(a_length_of_0_asks_for_the_length),
		CASE(the_exported_chain_lacks_amds_signature),
		CASE(the_driver_starts_a_platform_for_a_command),
		CASE(a_reset_waits_for_guests_to_end),
		CASE(faults_are_the_kernels_or_the_firmwares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
