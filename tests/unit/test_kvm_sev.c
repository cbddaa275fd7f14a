/* tests/unit/test_kvm_sev.c - what each SEV command says to KVM. */
#include "vmm/kvm/kvm_sev.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/unit.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

/* Linux, include/uapi/linux/kvm.h, as numbers: an independent copy. */
#define REQ_OP 0xc008aebaul
#define REQ_REG 0x8010aebbul
#define REQ_UNREG 0x8010aebcul

static struct {
	unsigned long request;
	uint32_t id, sev_fd, error_in;
	uint8_t data[64];
	int fail; /* errno */
	uint32_t status, answer_len;
} last;

static const size_t data_len[] = {
	[2] = 40, [3] = 16, [5] = 48, [6] = 16, [16] = 12, [20] = 32, [22] = 48,
};

static void answer(uint32_t id, uint8_t *data)
{
	static const uint32_t status[3] = {9, 5, 2};
	uint32_t handle = 9;

	if (id == 2)
		memcpy(data, &handle, 4);
	else if (id == 16)
		memcpy(data, status, sizeof(status));
	else if (id == 6 && last.answer_len)
		memcpy(data + 8, &last.answer_len, 4);
	else if (id == 20 && last.answer_len)
		memcpy(data + 24, &last.answer_len, 4);
}

static int fake_ioctl(int fd, unsigned long request, void *arg)
{
	uint8_t *cmd = arg;
	uint8_t *data;
	uint64_t p;

	assert_int_equal(fd, 41);
	last.request = request;
	if (request != REQ_OP) {
		memcpy(last.data, arg, 16);
	} else {
		memcpy(&last.id, cmd, 4);
		memcpy(&p, cmd + 8, 8);
		memcpy(&last.error_in, cmd + 16, 4);
		memcpy(&last.sev_fd, cmd + 20, 4);
		data = (uint8_t *)(uintptr_t)p;
		if (last.id < ARRAY_SIZE(data_len) && data_len[last.id])
			memcpy(last.data, data, data_len[last.id]);
		else
			assert_null(data);
		if (!last.fail)
			answer(last.id, data);
		memcpy(cmd + 16, &last.status, 4);
	}
	errno = last.fail;
	return last.fail ? -1 : 0;
}

static struct kvm_sev *make(bool es, bool init2)
{
	struct kvm_sev_params p = {.vm_fd = 41,
				   .sev_fd = 12,
				   .es = es,
				   .init2 = init2,
				   .ioctl_fn = fake_ioctl};
	struct kvm_sev *s;

	memset(&last, 0, sizeof(last));
	assert_int_equal(kvm_sev_create(&p, &s, NULL), 0);
	return s;
}

static uint32_t u32(size_t off)
{
	uint32_t v;

	memcpy(&v, last.data + off, 4);
	return v;
}

static uint64_t u64(size_t off)
{
	uint64_t v;

	memcpy(&v, last.data + off, 8);
	return v;
}

static void a_guest_is_made_by_the_command_that_was_chosen(void **state)
{
	static const struct {
		bool es, init2;
		uint32_t id;
	} want[] = {{false, false, 0},
		    {true, false, 1},
		    {false, true, 22},
		    {true, true, 22}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct kvm_sev *s = make(want[i].es, want[i].init2);
		struct sev_fw_call c = {.cmd = SEV_FW_INIT};

		last.id = 99;
		assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
		assert_int_equal(last.request, REQ_OP);
		assert_int_equal(last.id, want[i].id);
		assert_int_equal(last.sev_fd, 12);
		/* no VMSA feature, no flag, any GHCB version */
		for (size_t k = 0; k < 48; k++)
			assert_int_equal(last.data[k], 0);
		kvm_sev_destroy(s);
	}
}

static void start_carries_policy_certificate_and_session(void **state)
{
	struct kvm_sev *s = make(false, false);
	uint8_t cert[4], session[4];
	struct sev_fw_call c = {.cmd = SEV_FW_START,
				.start = {.policy = 0x37,
					  .dh_cert = cert,
					  .dh_cert_len = 2084,
					  .session = session,
					  .session_len = 128}};

	(void)state;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
	assert_int_equal(last.id, 2);
	assert_int_equal(u32(0), 0);
	assert_int_equal(u32(4), 0x37);
	assert_int_equal(u64(8), (uintptr_t)cert);
	assert_int_equal(u32(16), 2084);
	assert_int_equal(u64(24), (uintptr_t)session);
	assert_int_equal(u32(32), 128);
	assert_int_equal(c.start.handle, 9);
	kvm_sev_destroy(s);
}

static void memory_is_named_by_address_and_length(void **state)
{
	struct kvm_sev *s = make(false, false);
	struct sev_fw_call c = {.cmd = SEV_FW_PIN,
				.mem = {(void *)0x7000, 0x3000}};

	(void)state;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
	assert_int_equal(last.request, REQ_REG);
	assert_int_equal(u64(0), 0x7000);
	assert_int_equal(u64(8), 0x3000);
	c.cmd = SEV_FW_UNPIN;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
	assert_int_equal(last.request, REQ_UNREG);
	c.cmd = SEV_FW_UPDATE_DATA;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
	assert_int_equal(last.id, 3);
	assert_int_equal(u64(0), 0x7000);
	assert_int_equal(u32(8), 0x3000);
	c.mem.len = UINT64_C(1) << 32;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), -E2BIG);
	kvm_sev_destroy(s);
}

static void commands_without_data_pass_none(void **state)
{
	static const struct {
		enum sev_fw_cmd cmd;
		uint32_t id;
	} want[] = {{SEV_FW_UPDATE_VMSA, 4}, {SEV_FW_FINISH, 7}};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		struct kvm_sev *s = make(true, false);
		struct sev_fw_call c = {.cmd = want[i].cmd};

		assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
		assert_int_equal(last.id, want[i].id);
		kvm_sev_destroy(s);
	}
}

static void a_measurement_of_another_length_is_none(void **state)
{
	struct kvm_sev *s = make(false, false);
	struct sev_fw_call c = {.cmd = SEV_FW_MEASURE};

	(void)state;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
	assert_int_equal(last.id, 6);
	assert_int_equal(u64(0), (uintptr_t)c.measure.out);
	assert_int_equal(u32(8), 48);
	last.answer_len = 32;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), -EPROTO);
	kvm_sev_destroy(s);
}

static void a_secret_says_where_from_and_where_to(void **state)
{
	struct kvm_sev *s = make(false, false);
	uint8_t hdr[SEV_SECRET_HDR_LEN], payload[64], to[64];
	struct sev_fw_call c = {
		.cmd = SEV_FW_SECRET,
		.secret = {
			.hdr = hdr, .payload = payload, .hva = to, .len = 64}};

	(void)state;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
	assert_int_equal(last.id, 5);
	assert_int_equal(u64(0), (uintptr_t)hdr);
	assert_int_equal(u32(8), 52);
	assert_int_equal(u64(16), (uintptr_t)to);
	assert_int_equal(u32(24), 64);
	assert_int_equal(u64(32), (uintptr_t)payload);
	assert_int_equal(u32(40), 64);
	kvm_sev_destroy(s);
}

static void the_guests_status_and_report_come_back(void **state)
{
	struct kvm_sev *s = make(false, false);
	struct sev_fw_call c = {.cmd = SEV_FW_GUEST_STATUS};

	(void)state;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
	assert_int_equal(last.id, 16);
	assert_int_equal(c.guest.handle, 9);
	assert_int_equal(c.guest.policy, 5);
	assert_int_equal(c.guest.state, SEV_GUEST_LSECRET);
	memset(&c, 0, sizeof(c));
	c.cmd = SEV_FW_ATTESTATION;
	memset(c.attestation.mnonce, 7, sizeof(c.attestation.mnonce));
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
	assert_int_equal(last.id, 20);
	assert_int_equal(last.data[15], 7);
	assert_int_equal(u64(16), (uintptr_t)c.attestation.out);
	assert_int_equal(u32(24), 208);
	last.answer_len = 100;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), -EPROTO);
	kvm_sev_destroy(s);
}

static void errno_and_the_firmwares_status_both_come_back(void **state)
{
	struct kvm_sev *s = make(false, false);
	struct sev_fw_call c = {.cmd = SEV_FW_FINISH, .status = 77};

	(void)state;
	last.fail = EIO;
	last.status = 2;
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), -EIO);
	assert_int_equal(c.status, 2);
	assert_int_equal(last.error_in, 0); /* what we passed */
	last.fail = 0;			    /* a stale status means nothing */
	assert_int_equal(sev_fw_issue(kvm_sev_fw(s), &c), 0);
	assert_int_equal(c.status, 0);
	kvm_sev_destroy(s);
}

static void the_way_is_chosen_by_the_vm_types_of_the_kernel(void **state)
{
	struct kvm_sev_choice c;
	struct err e = {0};

	(void)state;
	assert_int_equal(kvm_sev_choose_from(0, true, &c, &e), 0);
	assert_int_equal(c.vm_type, 0);
	assert_false(c.init2);
	assert_int_equal(kvm_sev_choose_from(0x3, false, &c, &e), 0);
	assert_int_equal(c.vm_type, 0);
	assert_int_equal(kvm_sev_choose_from(0xd, false, &c, &e), 0);
	assert_int_equal(c.vm_type, 2);
	assert_true(c.init2);
	assert_int_equal(kvm_sev_choose_from(0xd, true, &c, &e), 0);
	assert_int_equal(c.vm_type, 3);
	assert_true(c.init2);
	assert_int_equal(kvm_sev_choose_from(0x15, true, &c, &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.msg, "SEV-SNP"));
	assert_int_equal(kvm_sev_choose_from(0x9, false, &c, &e), -EOPNOTSUPP);
	assert_non_null(strstr(e.msg, "non-ES"));
	assert_int_equal(e.kind, ERR_HOST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_guest_is_made_by_the_command_that_was_chosen),
		cmocka_unit_test(start_carries_policy_certificate_and_session),
		cmocka_unit_test(memory_is_named_by_address_and_length),
		cmocka_unit_test(commands_without_data_pass_none),
		cmocka_unit_test(a_measurement_of_another_length_is_none),
		cmocka_unit_test(a_secret_says_where_from_and_where_to),
		cmocka_unit_test(the_guests_status_and_report_come_back),
		cmocka_unit_test(errno_and_the_firmwares_status_both_come_back),
		cmocka_unit_test(
			the_way_is_chosen_by_the_vm_types_of_the_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
