/* tests/unit/sim_fixture.c - the platform is made once: RSA keys take time. */
#include "tests/unit/sim_fixture.h"

#include <string.h>

#include "crypto/hash256_openssl.h"
#include "sim/sim_state.h"
#include "tests/unit/unit.h"

static bool on_fault(void *arg, enum sim_fw_cmd cmd, uint32_t *ret)
{
	struct sim_fixture *f = arg;

	return sim_fault_status(f->faults, sim_fw_cmd_name(cmd), ret);
}

static int on_save(void *arg, const struct sim_keys *k)
{
	struct sim_fixture *f = arg;

	(void)k;
	f->saves++;
	return f->save_result;
}

void sim_fixture_init(struct sim_fixture *f)
{
	static uint8_t platform[SIM_STATE_LEN];
	const struct sim_fw_config c = {.api = {1, 55, 24},
					.has_es = true,
					.asids = 4,
					.min_sev_asid = 3,
					.guests = 3};
	struct sim_fw_hooks hooks = {on_fault, on_save, f};
	struct sim_keys k;

	*f = (struct sim_fixture){.faults = sim_fault_create(),
				  .h = hash256_openssl_create()};
	assert_non_null(f->faults);
	assert_non_null(f->h);
	if (!platform[0]) {
		assert_int_equal(sim_keys_create(&c.api, &k, NULL), 0);
		assert_int_equal(sim_state_pack(&k, f->h, platform), 0);
		sim_keys_destroy(&k);
	}
	assert_int_equal(
		sim_state_parse(platform, SIM_STATE_LEN, f->h, &k, NULL), 0);
	assert_int_equal(sim_fw_create(&c, &k, &hooks, &f->fw, NULL), 0);
}

void sim_fixture_end(struct sim_fixture *f)
{
	sim_fw_destroy(f->fw);
	sim_fault_destroy(f->faults);
	hash256_destroy(f->h);
}

void sim_owner_init(struct sim_owner *o, struct sim_fixture *f, uint32_t policy)
{
	const struct sev_cert *pdh =
		&sim_fw_keys(f->fw)->chain.sev[SEV_CHAIN_PDH];
	AUTO(sev_key_destroyp) struct sev_key *own = NULL;
	AUTO(sev_key_destroyp) struct sev_key *peer = NULL;
	struct sev_session_fresh fresh;
	uint8_t z[SEV_SHARED_MAX];
	struct sev_cert c;
	size_t z_len;

	memset(&o->keys, 0x5a, sizeof(o->keys));
	memset(&fresh, 0x11, sizeof(fresh));
	assert_int_equal(sev_key_generate_ec(SEV_CURVE_P384, &own), 0);
	assert_int_equal(sev_key_of_cert(pdh, &peer, NULL), 0);
	assert_int_equal(sev_key_agree(own, peer, z, &z_len), 0);
	sev_cert_init(&c, SEV_USAGE_PDH, SEV_ALGO_ECDH_SHA256);
	assert_int_equal(sev_key_to_cert(own, &c), 0);
	sev_cert_serialise(&c, o->godh);
	assert_int_equal(sev_session_seal(f->h, z, z_len, policy, &o->keys,
					  &fresh, o->session),
			 0);
}

struct sim_fw_start sim_owner_start(const struct sim_owner *o, uint32_t policy)
{
	return (struct sim_fw_start){.policy = policy,
				     .godh = o->godh,
				     .godh_len = SEV_CERT_LEN,
				     .session = o->session,
				     .session_len = SEV_SESSION_LEN};
}
