/* tests/unit/test_launch.c - a plan carried out over a fake firmware. */
#include "vmm/launch.h"

#include <errno.h>
#include <string.h>

#include "crypto/hash256_nettle.h"
#include "crypto/launch_plan.h"
#include "crypto/sev_status.h"
#include "mem/guest_mem.h"
#include "tests/fake/fake_sev_fw.h"
#include "tests/unit/unit.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

#define RAM MIB(8)
#define KERNEL UINT64_C(0x100000)
#define AREA UINT64_C(0x300000)

struct fixture {
	struct fake_sev_fw fw;
	struct guest_mem *mem;
	struct launch_plan *plan;
	struct launch_params p;
	struct launch *l;
	struct err err;
	uint8_t hdr[SEV_SECRET_HDR_LEN], payload[SEV_SECRET_MAX + 16];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct guest_mem_opts opts = {0};

	*state = f;
	fake_sev_fw_init(&f->fw);
	assert_int_equal(guest_mem_create(&opts, &f->mem, NULL), 0);
	assert_int_equal(guest_mem_add_ram(f->mem, 0, RAM, NULL), 0);
	assert_int_equal(launch_plan_create(&f->plan, NULL), 0);
	assert_int_equal(
		launch_plan_add(f->plan, "bda", 0, 4096, NULL, 0, NULL), 0);
	assert_int_equal(launch_plan_add(f->plan, "kernel", KERNEL, 8192,
					 "kernel", 6, NULL),
			 0);
	assert_int_equal(
		launch_plan_add(f->plan, "secret", AREA, 4096, NULL, 0, NULL),
		0);
	f->plan->secret_format = SEV_SECRET_CPIO;
	f->plan->secret_gpa = AREA;
	f->plan->secret_len = 4096;
	f->plan->covered = launch_facts_direct(false);
	assert_int_equal(launch_plan_load(f->plan, f->mem, NULL), 0);
	f->p = (struct launch_params){.kind = LAUNCH_SEV,
				      .policy = 1,
				      .api_major = 1,
				      .api_minor = 55,
				      .build = 24};
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	launch_destroy(f->l);
	launch_plan_destroy(f->plan);
	guest_mem_destroy(f->mem);
	assert_int_equal(f->fw.pinned, 0);
	free(f);
	return 0;
}

static int measure(struct fixture *f)
{
	int r = launch_create(&f->p, &f->fw.fw, &f->l, &f->err);

	if (!r)
		r = launch_init(f->l, &f->err);
	return r ? r : launch_measure(f->l, f->plan, f->mem, &f->err);
}

/* Another packet each time. */
static int secret(struct fixture *f, gpa_t gpa, size_t len)
{
	f->hdr[4]++;
	return launch_secret(f->l, gpa, f->hdr, f->payload, len, &f->err);
}

static void *ptr(struct fixture *f, gpa_t gpa)
{
	return guest_mem_ptr(f->mem, gpa, 16);
}

static void the_plan_is_launched_in_its_order_and_memory_is_pinned(void **st)
{
	struct fixture *f = *st;
	struct launch_info i;

	assert_int_equal(measure(f), 0);
	assert_int_equal(f->fw.pinned, RAM);
	assert_int_equal(f->fw.n[SEV_FW_UPDATE_DATA], 3);
	assert_int_equal(f->fw.n[SEV_FW_UPDATE_VMSA], 0);
	assert_ptr_equal(f->fw.call[4].mem.hva, ptr(f, 0));
	assert_ptr_equal(f->fw.call[6].mem.hva, ptr(f, KERNEL));
	assert_ptr_equal(f->fw.call[8].mem.hva, ptr(f, AREA));
	launch_info(f->l, &i);
	assert_int_equal(i.state, LAUNCH_MEASURED);
	assert_int_equal(i.measured, 1);
	assert_int_equal(i.measurement[47], 0x5a);
	assert_int_equal(i.plan_bytes, 16384);
	assert_int_equal(i.n_entries, f->plan->n);
	assert_string_equal(i.entry[0].name, f->plan->entry[0].name);
	assert_int_equal(i.handle, 7);
	assert_int_equal(i.secret_format, LAUNCH_SECRET_FORMAT_CPIO);
	assert_int_equal(i.secret_gpa, AREA);
	assert_int_equal(i.secret_size, 4096);
	assert_int_equal(i.covered & i.not_covered, 0);
	assert_true(i.not_covered & BIT64(LAUNCH_FACT_DEVICES));
}

static void an_expected_digest_is_compared_before_anything_starts(void **st)
{
	struct fixture *f = *st;
	uint8_t want[SEV_DIGEST_LEN];
	struct hash256 *h = hash256_nettle_create();

	assert_int_equal(launch_plan_digest(f->plan, NULL, h, want, NULL), 0);
	hash256_destroy(h);
	f->p.expect = want;
	want[31] ^= 1;
	assert_int_equal(measure(f), -EKEYREJECTED);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_int_equal(f->fw.n[SEV_FW_START], 0);
	launch_destroy(f->l);
	f->l = NULL;
	want[31] ^= 1;
	assert_int_equal(measure(f), 0);
}

static void registers_are_launched_when_the_plan_has_them(void **st)
{
	struct fixture *f = *st;
	uint8_t page[SEV_VMSA_LEN] = {0};

	f->p.kind = LAUNCH_SEV_ES;
	f->p.policy = 5;
	assert_int_equal(launch_plan_add_vmsa(f->plan, page, NULL), 0);
	assert_int_equal(measure(f), 0);
	assert_int_equal(f->fw.n[SEV_FW_UPDATE_VMSA], 1);
}

static void secrets_lie_behind_each_other_in_the_area(void **st)
{
	struct fixture *f = *st;
	struct launch_info i;

	assert_int_equal(measure(f), 0);
	f->fw.n_calls = 0;
	assert_int_equal(secret(f, 0, 512), 0);
	assert_int_equal(secret(f, 0, 3584), 0);
	assert_ptr_equal(f->fw.call[0].secret.hva, ptr(f, AREA));
	assert_ptr_equal(f->fw.call[2].secret.hva, ptr(f, AREA + 512));
	assert_int_equal(secret(f, 0, 16), -ENOSPC);
	launch_info(f->l, &i);
	assert_int_equal(i.n_secrets, 2);
	assert_int_equal(i.secret_used, 4096);
}

/* It would be told that they are there, and never find the second. */
static void firmware_gets_one_packet(void **st)
{
	struct fixture *f = *st;

	f->plan->secret_format = SEV_SECRET_TABLE;
	assert_int_equal(measure(f), 0);
	assert_int_equal(secret(f, 0, 512), 0);
	assert_int_equal(secret(f, 0, 64), -EEXIST);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_non_null(strstr(f->err.msg, "firmware reads one packet"));
	/* Who names an address knows who reads there. */
	assert_int_equal(secret(f, AREA + 1024, 64), 0);
}

static void a_secret_may_not_lie_over_what_is_there(void **st)
{
	static const struct {
		gpa_t gpa;
		size_t len;
		const char *why;
	} bad[] = {
		{KERNEL, 16, "kernel"},
		{KERNEL - 16, 32, "kernel"},
		{KERNEL + 8192 - 16, 16, "kernel"},
		{0x10, 16, "bda"},
		{AREA + 8, 16, "multiple of 16"},
		{RAM, 16, "memory"},
		{RAM - 16, 32, "memory"},
		{UINT64_MAX - 15, 16, "memory"},
		{AREA, 0, "16 to"},
		{AREA, 17, "16 to"},
		{AREA, SEV_SECRET_MAX + 16, "16 to"},
	};
	struct fixture *f = *st;

	assert_int_equal(measure(f), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(secret(f, bad[i].gpa, bad[i].len), -EINVAL);
		assert_non_null(strstr(f->err.msg, bad[i].why));
	}
	assert_int_equal(f->fw.n[SEV_FW_SECRET], 0);
	assert_int_equal(secret(f, AREA + 1024, 64), 0);
	assert_int_equal(secret(f, AREA + 1024, 64), -EINVAL); /* twice */
	assert_non_null(strstr(f->err.msg, "a secret"));
	/* What is chosen for us lies behind it. */
	assert_int_equal(secret(f, 0, 64), 0);
	assert_int_equal(secret(f, 0x500000, 64), 0); /* free RAM */
}

static void secrets_and_finish_have_their_time(void **st)
{
	struct fixture *f = *st;

	assert_int_equal(launch_create(&f->p, &f->fw.fw, &f->l, &f->err), 0);
	assert_int_equal(secret(f, 0, 64), -EBUSY);
	assert_non_null(strstr(f->err.msg, "'preparing'"));
	assert_int_equal(launch_finish(f->l, &f->err), -EBUSY);
	launch_destroy(f->l);
	assert_int_equal(measure(f), 0);
	assert_int_equal(launch_finish(f->l, &f->err), 0);
	assert_int_equal(launch_finish(f->l, &f->err), -EBUSY);
	assert_int_equal(secret(f, 0, 64), -EBUSY);
	assert_non_null(strstr(f->err.msg, "'running'"));
	assert_int_equal(f->fw.n[SEV_FW_SECRET], 0);
}

static void reports_are_of_guests_that_run(void **st)
{
	struct fixture *f = *st;
	uint8_t nonce[SEV_NONCE_LEN] = {9}, report[SEV_REPORT_LEN] = {0};
	const struct sev_fw_call *c;

	assert_int_equal(measure(f), 0);
	assert_int_equal(launch_attest(f->l, nonce, report, &f->err), -EBUSY);
	assert_non_null(strstr(f->err.msg, "'measured'"));
	assert_int_equal(f->fw.n[SEV_FW_ATTESTATION], 0);
	assert_int_equal(launch_finish(f->l, &f->err), 0);
	assert_int_equal(launch_attest(f->l, nonce, report, &f->err), 0);
	c = &f->fw.call[f->fw.n_calls - 1];
	assert_memory_equal(c->attestation.mnonce, nonce, sizeof(nonce));
	assert_int_equal(report[SEV_REPORT_LEN - 1], 0xa5);
}

static void a_packet_that_firmware_refuses_uses_no_room(void **st)
{
	struct fixture *f = *st;
	struct launch_info i;

	assert_int_equal(measure(f), 0);
	f->fw.fail_cmd = SEV_FW_SECRET;
	f->fw.fail_at = 1;
	f->fw.fail_code = -EIO;
	f->fw.fail_status = SEV_STATUS_BAD_MEASUREMENT;
	assert_int_equal(secret(f, 0, 4096), -EIO);
	launch_info(f->l, &i);
	assert_int_equal(i.n_secrets, 0);
	assert_int_equal(secret(f, 0, 4096), 0);
}

static void a_packet_is_taken_once(void **st)
{
	struct fixture *f = *st;

	assert_int_equal(measure(f), 0);
	assert_int_equal(secret(f, 0, 64), 0);
	f->hdr[4]--; /* secret() makes it the same */
	assert_int_equal(secret(f, 0, 64), -EEXIST);
	assert_int_equal(f->err.kind, ERR_INPUT);
	assert_int_equal(f->fw.n[SEV_FW_SECRET], 1);
}

static void without_an_area_an_address_is_needed(void **st)
{
	struct fixture *f = *st;

	f->plan->secret_len = 0;
	f->plan->secret_gpa = 0;
	assert_int_equal(measure(f), 0);
	assert_int_equal(secret(f, 0, 64), -ENOTSUP);
	assert_int_equal(secret(f, 0x10, 64), -EINVAL);
	assert_int_equal(secret(f, 0x500000, 64), 0);
}

static void secrets_are_limited_in_number(void **st)
{
	struct fixture *f = *st;

	assert_int_equal(measure(f), 0);
	for (int i = 0; i < 64; i++)
		assert_int_equal(secret(f, 0, 16), 0);
	assert_int_equal(secret(f, 0, 16), -ENOSPC);
	assert_int_equal(f->fw.n[SEV_FW_SECRET], 64);
}

#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_plan_is_launched_in_its_order_and_memory_is_pinned),
		T(an_expected_digest_is_compared_before_anything_starts),
		T(registers_are_launched_when_the_plan_has_them),
		T(secrets_lie_behind_each_other_in_the_area),
		T(firmware_gets_one_packet),
		T(a_secret_may_not_lie_over_what_is_there),
		T(secrets_and_finish_have_their_time),
		T(reports_are_of_guests_that_run),
		T(a_packet_that_firmware_refuses_uses_no_room),
		T(a_packet_is_taken_once),
		T(without_an_area_an_address_is_needed),
		T(secrets_are_limited_in_number),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
