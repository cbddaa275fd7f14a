/* tests/unit/test_sim_fw.c - what the simulated firmware does and refuses. */
#include "sim/sim_fw.h"

#include <string.h>

#include "crypto/sev_measure.h"
#include "crypto/sev_secret.h"
#include "tests/unit/sim_fixture.h"
#include "tests/unit/unit.h"

enum { POLICY = 1, POLICY_ES = 5 };

static int setup(void **state)
{
	static struct sim_fixture f;

	sim_fixture_init(&f);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	sim_fixture_end(*state);
	return 0;
}

/* A guest of our own keys, active in @asid. */
static uint32_t start(struct sim_fixture *f, uint32_t policy, uint32_t asid)
{
	struct sim_fw_start s = {.policy = policy};
	uint32_t handle = 0;

	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle), 0);
	assert_int_equal(sim_fw_activate(f->fw, handle, asid), 0);
	return handle;
}

static uint32_t measure(struct sim_fixture *f, uint32_t handle, uint8_t *out)
{
	uint32_t len = SEV_MEASUREMENT_LEN;

	return sim_fw_measure(f->fw, handle, out, &len);
}

static void owner_and_firmware_compute_the_same_measurement(void **state)
{
	struct sim_fixture *f = *state;
	struct sev_measure_input in = {1, 55, 24, POLICY, {0}, {0}};
	uint8_t out[SEV_MEASUREMENT_LEN], want[SEV_MEASURE_LEN], page[4096];
	struct sim_owner o;
	struct sim_fw_start s;
	uint32_t handle;

	sim_owner_init(&o, f, POLICY);
	s = sim_owner_start(&o, POLICY);
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle), 0);
	assert_int_equal(sim_fw_activate(f->fw, handle, 3), 0);
	memset(page, 'A', sizeof(page));
	/* in two pieces: the digest is a stream */
	assert_int_equal(sim_fw_update_data(f->fw, handle, 0x1000, 4096), 0);
	assert_int_equal(sim_fw_update_bytes(f->fw, handle, page, 100), 0);
	assert_int_equal(sim_fw_update_bytes(f->fw, handle, page, 3996), 0);
	assert_int_equal(measure(f, handle, out), 0);
	assert_int_equal(hash256_of(f->h, page, sizeof(page), in.digest), 0);
	memcpy(in.mnonce, out + SEV_MEASURE_LEN, SEV_NONCE_LEN);
	assert_int_equal(sev_measure(f->h, o.keys.tik, &in, want), 0);
	assert_memory_equal(out, want, SEV_MEASURE_LEN);
}

static void
a_session_for_another_pdh_or_policy_is_a_bad_measurement(void **state)
{
	struct sim_fixture *f = *state;
	struct sim_owner o;
	struct sim_fw_start s;
	uint32_t handle;

	sim_owner_init(&o, f, POLICY);
	s = sim_owner_start(&o, 3);
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle),
			 SEV_STATUS_BAD_MEASUREMENT);
	o.session[70] ^= 1; /* its wrap_mac */
	s = sim_owner_start(&o, POLICY);
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle),
			 SEV_STATUS_BAD_MEASUREMENT);
	o.session[70] ^= 1;
	assert_int_equal(sim_fw_pdh_gen(f->fw), 0);
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle),
			 SEV_STATUS_BAD_MEASUREMENT);
	assert_int_equal(sim_fw_state(f->fw), SIM_FW_PLATFORM_INIT);
}

static void blobs_of_wrong_lengths_or_kinds_are_named(void **state)
{
	struct sim_fixture *f = *state;
	struct sim_owner o;
	struct sim_fw_start s;
	uint32_t handle;

	sim_owner_init(&o, f, POLICY);
	s = sim_owner_start(&o, POLICY);
	s.godh_len--;
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle),
			 SEV_STATUS_INVALID_LEN);
	s = sim_owner_start(&o, POLICY);
	s.session_len = 172; /* base64 text */
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle),
			 SEV_STATUS_INVALID_LEN);
	s = sim_owner_start(&o, POLICY);
	o.godh[8] = 2; /* a PEK */
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle),
			 SEV_STATUS_INVALID_CERTIFICATE);
	s.session = NULL;
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle),
			 SEV_STATUS_INVALID_PARAM);
}

static void policies_that_cannot_be_kept_are_refused(void **state)
{
	struct sim_fixture *f = *state;
	struct sim_fw_start s = {.policy = 0x40};
	uint32_t handle;

	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle),
			 SEV_STATUS_INVALID_PARAM);
	s.policy = 0x38010001; /* API 1.56 */
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle),
			 SEV_STATUS_POLICY_FAILURE);
	s.policy = 0x37010001; /* API 1.55 */
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &handle), 0);
}

static void every_command_has_its_state(void **state)
{
	struct sim_fixture *f = *state;
	uint8_t out[SEV_MEASUREMENT_LEN], page[4096] = {0};
	uint32_t g = start(f, POLICY_ES, 1);

	assert_int_equal(sim_fw_finish(f->fw, g),
			 SEV_STATUS_INVALID_GUEST_STATE);
	assert_int_equal(sim_fw_dbg(f->fw, SIM_FW_DBG_DECRYPT, g),
			 SEV_STATUS_INVALID_GUEST_STATE);
	assert_int_equal(sim_fw_update_vmsa(f->fw, g, page, 4096), 0);
	assert_int_equal(measure(f, g, out), 0);
	assert_int_equal(measure(f, g, out), SEV_STATUS_INVALID_GUEST_STATE);
	assert_int_equal(sim_fw_update_data(f->fw, g, 0, 16),
			 SEV_STATUS_INVALID_GUEST_STATE);
	assert_int_equal(sim_fw_update_vmsa(f->fw, g, page, 4096),
			 SEV_STATUS_INVALID_GUEST_STATE);
	assert_int_equal(sim_fw_finish(f->fw, g), 0);
	assert_int_equal(sim_fw_finish(f->fw, g),
			 SEV_STATUS_INVALID_GUEST_STATE);
	assert_int_equal(sim_fw_dbg(f->fw, SIM_FW_DBG_DECRYPT, g),
			 SEV_STATUS_POLICY_FAILURE);
	assert_int_equal(sim_fw_finish(f->fw, g + 1), SEV_STATUS_INVALID_GUEST);
}

static void a_question_for_the_length_changes_nothing(void **state)
{
	struct sim_fixture *f = *state;
	uint8_t out[SEV_MEASUREMENT_LEN];
	uint32_t g = start(f, POLICY, 3), len = 0;

	assert_int_equal(sim_fw_measure(f->fw, g, out, &len),
			 SEV_STATUS_INVALID_LEN);
	assert_int_equal(len, SEV_MEASUREMENT_LEN);
	len = 47;
	assert_int_equal(sim_fw_measure(f->fw, g, out, &len),
			 SEV_STATUS_INVALID_LEN);
	assert_int_equal(sim_fw_update_data(f->fw, g, 0, 16), 0);
}

static void updates_are_of_whole_blocks(void **state)
{
	struct sim_fixture *f = *state;
	uint8_t page[4096] = {0};
	uint32_t g = start(f, POLICY, 3);

	assert_int_equal(sim_fw_update_data(f->fw, g, 8, 16),
			 SEV_STATUS_INVALID_ADDRESS);
	assert_int_equal(sim_fw_update_data(f->fw, g, 0, 24),
			 SEV_STATUS_INVALID_LEN);
	assert_int_equal(sim_fw_update_data(f->fw, g, 0, 0),
			 SEV_STATUS_INVALID_LEN);
	assert_int_equal(sim_fw_update_vmsa(f->fw, g, page, 4096),
			 SEV_STATUS_INVALID_GUEST_STATE);
}

static void an_asid_has_one_guest_of_the_right_kind(void **state)
{
	struct sim_fixture *f = *state;
	struct sim_fw_start s = {.policy = POLICY};
	uint32_t g = start(f, POLICY, 3), other;

	assert_int_equal(sim_fw_launch_start(f->fw, &s, &other), 0);
	assert_int_equal(sim_fw_activate(f->fw, other, 3),
			 SEV_STATUS_ASID_OWNED);
	assert_int_equal(sim_fw_activate(f->fw, other, 1),
			 SEV_STATUS_INVALID_ASID);
	assert_int_equal(sim_fw_activate(f->fw, other, 5),
			 SEV_STATUS_INVALID_ASID);
	assert_int_equal(sim_fw_activate(f->fw, g, 4), SEV_STATUS_ACTIVE);
	assert_int_equal(sim_fw_update_data(f->fw, other, 0, 16),
			 SEV_STATUS_INACTIVE);
}

static void the_last_guest_takes_the_platform_back_to_init(void **state)
{
	struct sim_fixture *f = *state;
	struct sim_fw_start s = {.policy = POLICY};
	uint32_t g[4];

	for (int i = 0; i < 3; i++)
		assert_int_equal(sim_fw_launch_start(f->fw, &s, &g[i]), 0);
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &g[3]),
			 SEV_STATUS_RESOURCE_LIMIT);
	assert_int_equal(sim_fw_state(f->fw), SIM_FW_PLATFORM_WORKING);
	assert_int_equal(sim_fw_activate(f->fw, g[0], 3), 0);
	assert_int_equal(sim_fw_decommission(f->fw, g[0]), SEV_STATUS_ACTIVE);
	assert_int_equal(sim_fw_deactivate(f->fw, g[0]), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(sim_fw_decommission(f->fw, g[i]), 0);
	assert_int_equal(sim_fw_state(f->fw), SIM_FW_PLATFORM_INIT);
}

static void secrets_are_bound_to_the_launch(void **state)
{
	struct sim_fixture *f = *state;
	static uint8_t plain[SEV_SECRET_MAX];
	uint8_t out[SEV_MEASUREMENT_LEN], hdr[SEV_SECRET_HDR_LEN], data[32];
	const uint8_t iv[SEV_NONCE_LEN] = {7};
	struct sim_fw_secret p = {hdr, data, sizeof(hdr), 32, 0x2000, 32};
	struct sim_owner o;
	struct sim_fw_start s;
	uint32_t g;

	sim_owner_init(&o, f, POLICY);
	s = sim_owner_start(&o, POLICY);
	assert_int_equal(sim_fw_launch_start(f->fw, &s, &g), 0);
	memset(hdr, 0, sizeof(hdr));
	assert_int_equal(sim_fw_secret(f->fw, g, &p, plain),
			 SEV_STATUS_INVALID_GUEST_STATE);
	assert_int_equal(measure(f, g, out), 0);
	assert_int_equal(sev_secret_seal(f->h, &o.keys, out, iv,
					 "0123456789abcdef0123456789abcdef", 32,
					 hdr, data),
			 0);
	assert_int_equal(sim_fw_secret(f->fw, g, &p, plain), 0);
	assert_memory_equal(plain, "0123456789abcdef0123456789abcdef", 32);
	data[0] ^= 1;
	assert_int_equal(sim_fw_secret(f->fw, g, &p, plain),
			 SEV_STATUS_BAD_MEASUREMENT);
	p.guest_addr = 0x2008;
	assert_int_equal(sim_fw_secret(f->fw, g, &p, plain),
			 SEV_STATUS_INVALID_ADDRESS);
	p.guest_addr = 0x2000;
	p.guest_len = 16;
	assert_int_equal(sim_fw_secret(f->fw, g, &p, plain),
			 SEV_STATUS_INVALID_LEN);
	p.guest_len = 32;
	hdr[0] = 1; /* compressed */
	assert_int_equal(sim_fw_secret(f->fw, g, &p, plain),
			 SEV_STATUS_INVALID_PARAM);
}

static void a_report_is_signed_by_the_pek(void **state)
{
	struct sim_fixture *f = *state;
	const uint8_t mnonce[SEV_NONCE_LEN] = {9};
	uint8_t out[SEV_MEASUREMENT_LEN], report[SIM_FW_REPORT_LEN],
		sig[SEV_SIG_LEN] = {0};
	AUTO(sev_key_destroyp) struct sev_key *pek = NULL;
	uint32_t g = start(f, POLICY, 3), len = SIM_FW_REPORT_LEN;

	assert_int_equal(sim_fw_attestation(f->fw, g, mnonce, report, &len),
			 SEV_STATUS_INVALID_GUEST_STATE);
	assert_int_equal(measure(f, g, out), 0);
	assert_int_equal(sim_fw_attestation(f->fw, g, mnonce, report, &len), 0);
	assert_int_equal(
		sev_key_of_cert(&sim_fw_keys(f->fw)->chain.sev[SEV_CHAIN_PEK],
				&pek, NULL),
		0);
	memcpy(sig, report + 64, SIM_FW_REPORT_LEN - 64);
	assert_int_equal(
		sev_key_verify(pek, SEV_ALGO_ECDSA_SHA256, report, 52, sig), 0);
}

static void keys_change_in_the_right_platform_state_and_are_kept(void **state)
{
	struct sim_fixture *f = *state;
	uint8_t old[SEV_CERT_KEY_LEN];
	uint32_t g = start(f, POLICY, 3);

	assert_int_equal(sim_fw_pek_gen(f->fw),
			 SEV_STATUS_INVALID_PLATFORM_STATE);
	assert_int_equal(sim_fw_platform_reset(f->fw),
			 SEV_STATUS_INVALID_PLATFORM_STATE);
	assert_int_equal(sim_fw_pdh_gen(f->fw), 0);
	assert_int_equal(f->saves, 1);
	sim_fw_deactivate(f->fw, g);
	assert_int_equal(sim_fw_decommission(f->fw, g), 0);
	memcpy(old, sim_fw_keys(f->fw)->chain.sev[SEV_CHAIN_PEK].key,
	       sizeof(old));
	assert_int_equal(sim_fw_pek_gen(f->fw), 0);
	assert_int_equal(f->saves, 2);
	assert_memory_not_equal(
		old, sim_fw_keys(f->fw)->chain.sev[SEV_CHAIN_PEK].key,
		sizeof(old));
	f->save_result = -1;
	assert_int_equal(sim_fw_pdh_gen(f->fw), SEV_STATUS_SECURE_DATA_INVALID);
}

static void an_owner_takes_the_platform_once(void **state)
{
	struct sim_fixture *f = *state;
	AUTO(sev_key_destroyp) struct sev_key *key = NULL;
	uint8_t csr[SEV_CERT_LEN], oca_raw[SEV_CERT_LEN];
	struct sev_cert pek, oca;
	struct sim_fw_status st;
	uint32_t len = SEV_CERT_LEN;

	assert_int_equal(sim_fw_pek_csr(f->fw, csr, &len), 0);
	assert_int_equal(sev_cert_parse(csr, len, &pek, NULL), 0);
	sev_cert_init(&oca, SEV_USAGE_OCA, SEV_ALGO_ECDSA_SHA256);
	assert_int_equal(sev_key_generate_ec(SEV_CURVE_P384, &key), 0);
	assert_int_equal(sev_key_to_cert(key, &oca), 0);
	assert_int_equal(sev_cert_sign(&oca, 0, oca.usage, oca.algo, key), 0);
	sev_cert_serialise(&oca, oca_raw);
	/* not signed yet */
	assert_int_equal(sim_fw_pek_cert_import(f->fw, csr, len, oca_raw, len),
			 SEV_STATUS_BAD_SIGNATURE);
	assert_int_equal(sev_cert_sign(&pek, 0, oca.usage, oca.algo, key), 0);
	sev_cert_serialise(&pek, csr);
	assert_int_equal(sim_fw_pek_cert_import(f->fw, oca_raw, len, csr, len),
			 SEV_STATUS_INVALID_CERTIFICATE);
	assert_int_equal(sim_fw_pek_cert_import(f->fw, csr, len, oca_raw, len),
			 0);
	assert_int_equal(sim_fw_pek_cert_import(f->fw, csr, len, oca_raw, len),
			 SEV_STATUS_ALREADY_OWNED);
	assert_int_equal(sim_fw_platform_status(f->fw, &st), 0);
	assert_true(st.is_external);
	/* the chain still leads to the root, and a reset gives it back */
	assert_int_equal(
		sev_chain_verify_links(&sim_fw_keys(f->fw)->chain, f->h, NULL),
		0);
	assert_int_equal(sim_fw_shutdown(f->fw), 0);
	assert_int_equal(sim_fw_platform_reset(f->fw), 0);
	assert_int_equal(sim_fw_init(f->fw), 0);
	assert_int_equal(sim_fw_platform_status(f->fw, &st), 0);
	assert_false(st.is_external);
}

static void any_command_fails_on_request(void **state)
{
	struct sim_fixture *f = *state;
	struct sim_fw_status st;

	assert_int_equal(
		sim_fault_add(f->faults, "PLATFORM_STATUS:2=0x13", NULL), 0);
	assert_int_equal(sim_fw_platform_status(f->fw, &st), 0);
	assert_int_equal(sim_fw_platform_status(f->fw, &st), 0x13);
	assert_int_equal(sim_fw_platform_status(f->fw, &st), 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(owner_and_firmware_compute_the_same_measurement),
		CASE(a_session_for_another_pdh_or_policy_is_a_bad_measurement),
		CASE(blobs_of_wrong_lengths_or_kinds_are_named),
		CASE(policies_that_cannot_be_kept_are_refused),
		CASE(every_command_has_its_state),
		CASE(a_question_for_the_length_changes_nothing),
		CASE(updates_are_of_whole_blocks),
		CASE(an_asid_has_one_guest_of_the_right_kind),
		CASE(the_last_guest_takes_the_platform_back_to_init),
		CASE(secrets_are_bound_to_the_launch),
		CASE(a_report_is_signed_by_the_pek),
		CASE(keys_change_in_the_right_platform_state_and_are_kept),
		CASE(an_owner_takes_the_platform_once),
		CASE(any_command_fails_on_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
