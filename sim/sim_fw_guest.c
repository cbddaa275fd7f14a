/* sim/sim_fw_guest.c - the simulated firmware's guests, from start to end. */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "crypto/hash256_openssl.h"
#include "crypto/hmac256.h"
#include "crypto/sev_measure.h"
#include "crypto/sev_policy.h"
#include "crypto/sev_secret.h"
#include "sim/sim_fw_impl.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"

void sim_fw_guest_clear(struct sim_fw_guest *g)
{
	hash256_destroy(g->digest);
	explicit_bzero(g, sizeof(*g));
}

static struct sim_fw_guest *find(struct sim_fw *f, uint32_t handle)
{
	for (size_t i = 0; handle && i < SIM_FW_GUESTS_MAX; i++)
		if (f->guest[i].handle == handle)
			return &f->guest[i];
	return NULL;
}

/* The guest must be there, and in state @state. */
static uint32_t find_in(struct sim_fw *f, uint32_t handle,
			enum sim_fw_guest_state state,
			struct sim_fw_guest **ret)
{
	if (f->state != SIM_FW_PLATFORM_WORKING)
		return SEV_STATUS_INVALID_PLATFORM_STATE;
	*ret = find(f, handle);
	if (!*ret)
		return SEV_STATUS_INVALID_GUEST;
	return (*ret)->state == state ? SEV_STATUS_SUCCESS
				      : SEV_STATUS_INVALID_GUEST_STATE;
}

/* --- start --------------------------------------------------------------- */

static uint32_t check_policy(const struct sim_fw *f, uint32_t policy)
{
	if (sev_policy_check(policy, NULL) < 0)
		return SEV_STATUS_INVALID_PARAM;
	if (!sev_policy_admits_api(policy, f->c.api.major, f->c.api.minor))
		return SEV_STATUS_POLICY_FAILURE;
	if ((policy & SEV_POLICY_ES) && !f->c.has_es)
		return SEV_STATUS_POLICY_FAILURE;
	return SEV_STATUS_SUCCESS;
}

/* The secret that the owner's certificate and our PDH share. */
static uint32_t agree(const struct sim_fw *f, const void *godh, uint32_t len,
		      uint8_t z[static SEV_SHARED_MAX], size_t *ret_len)
{
	AUTO(sev_key_destroyp) struct sev_key *peer = NULL;
	struct sev_cert c;

	if (sev_cert_parse(godh, len, &c, NULL) < 0 ||
	    c.usage != SEV_USAGE_PDH || !sev_algo_is_ec(c.algo) ||
	    sev_key_of_cert(&c, &peer, NULL) < 0)
		return SEV_STATUS_INVALID_CERTIFICATE;
	if (sev_key_agree(f->keys.pair[SEV_CHAIN_PDH], peer, z, ret_len) < 0)
		return SEV_STATUS_INVALID_CERTIFICATE;
	return SEV_STATUS_SUCCESS;
}

static uint32_t open_session(const struct sim_fw *f,
			     const struct sim_fw_start *s,
			     struct sev_session_keys *ret)
{
	uint8_t z[SEV_SHARED_MAX];
	size_t z_len = 0;
	uint32_t status;
	int r;

	if (s->godh_len != SEV_CERT_LEN || s->session_len != SEV_SESSION_LEN)
		return SEV_STATUS_INVALID_LEN;
	status = agree(f, s->godh, s->godh_len, z, &z_len);
	if (status)
		return status;
	r = sev_session_open(f->h, z, z_len, s->policy, s->session, ret);
	explicit_bzero(z, sizeof(z));
	if (r == -EBADMSG || r == -EKEYREJECTED)
		return SEV_STATUS_BAD_MEASUREMENT;
	return r < 0 ? SEV_STATUS_HWERROR_PLATFORM : SEV_STATUS_SUCCESS;
}

/* The owner's keys, or some that nobody else will ever know. */
static uint32_t make_keys(const struct sim_fw *f, const struct sim_fw_start *s,
			  struct sev_session_keys *ret)
{
	if (s->godh && s->session)
		return open_session(f, s, ret);
	if (s->godh || s->session)
		return SEV_STATUS_INVALID_PARAM;
	return getrandom(ret, sizeof(*ret), 0) == sizeof(*ret)
		       ? SEV_STATUS_SUCCESS
		       : SEV_STATUS_HWERROR_PLATFORM;
}

static struct sim_fw_guest *free_entry(struct sim_fw *f)
{
	for (size_t i = 0; i < f->c.guests && i < SIM_FW_GUESTS_MAX; i++)
		if (!f->guest[i].handle)
			return &f->guest[i];
	return NULL;
}

uint32_t sim_fw_launch_start(struct sim_fw *f, const struct sim_fw_start *s,
			     uint32_t *ret_handle)
{
	struct sim_fw_guest *g = free_entry(f);
	uint32_t status;

	SIM_FW_FAULT(f, SIM_FW_LAUNCH_START);
	if (f->state == SIM_FW_PLATFORM_UNINIT)
		return SEV_STATUS_INVALID_PLATFORM_STATE;
	if (s->handle) /* a second guest under the keys of a first */
		return find(f, s->handle) ? SEV_STATUS_UNSUPPORTED
					  : SEV_STATUS_INVALID_GUEST;
	status = check_policy(f, s->policy);
	if (status)
		return status;
	if (!g)
		return SEV_STATUS_RESOURCE_LIMIT;
	status = make_keys(f, s, &g->keys);
	if (!status && !(g->digest = hash256_openssl_create()))
		status = SEV_STATUS_HWERROR_PLATFORM;
	if (status) {
		sim_fw_guest_clear(g);
		return status;
	}
	g->handle = f->next_handle++;
	g->policy = s->policy;
	g->state = SIM_FW_GUEST_LUPDATE;
	f->n_guests++;
	f->state = SIM_FW_PLATFORM_WORKING;
	*ret_handle = g->handle;
	return SEV_STATUS_SUCCESS;
}

/* --- ASIDs, end ---------------------------------------------------------- */

uint32_t sim_fw_activate(struct sim_fw *f, uint32_t handle, uint32_t asid)
{
	struct sim_fw_guest *g = find(f, handle);
	bool is_es_asid = asid < f->c.min_sev_asid;

	SIM_FW_FAULT(f, SIM_FW_ACTIVATE);
	if (!g)
		return SEV_STATUS_INVALID_GUEST;
	if (g->asid)
		return SEV_STATUS_ACTIVE;
	if (!asid || asid > f->c.asids ||
	    is_es_asid != !!(g->policy & SEV_POLICY_ES))
		return SEV_STATUS_INVALID_ASID;
	for (size_t i = 0; i < SIM_FW_GUESTS_MAX; i++)
		if (f->guest[i].handle && f->guest[i].asid == asid)
			return SEV_STATUS_ASID_OWNED;
	g->asid = asid;
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_deactivate(struct sim_fw *f, uint32_t handle)
{
	struct sim_fw_guest *g = find(f, handle);

	SIM_FW_FAULT(f, SIM_FW_DEACTIVATE);
	if (!g)
		return SEV_STATUS_INVALID_GUEST;
	g->asid = 0;
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_decommission(struct sim_fw *f, uint32_t handle)
{
	struct sim_fw_guest *g = find(f, handle);

	SIM_FW_FAULT(f, SIM_FW_DECOMMISSION);
	if (!g)
		return SEV_STATUS_INVALID_GUEST;
	if (g->asid)
		return SEV_STATUS_ACTIVE;
	sim_fw_guest_clear(g);
	if (--f->n_guests == 0)
		f->state = SIM_FW_PLATFORM_INIT;
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_guest_status(struct sim_fw *f, uint32_t handle,
			     struct sim_fw_guest_status *ret)
{
	const struct sim_fw_guest *g = find(f, handle);

	SIM_FW_FAULT(f, SIM_FW_GUEST_STATUS);
	if (!g)
		return SEV_STATUS_INVALID_GUEST;
	*ret = (struct sim_fw_guest_status){g->asid, g->policy, g->state};
	return SEV_STATUS_SUCCESS;
}

/* --- launch -------------------------------------------------------------- */

uint32_t sim_fw_update_data(struct sim_fw *f, uint32_t handle, uint64_t addr,
			    uint32_t len)
{
	struct sim_fw_guest *g;
	uint32_t status;

	SIM_FW_FAULT(f, SIM_FW_LAUNCH_UPDATE_DATA);
	if (!is_aligned(addr, 16))
		return SEV_STATUS_INVALID_ADDRESS;
	if (!len || !is_aligned(len, 16))
		return SEV_STATUS_INVALID_LEN;
	status = find_in(f, handle, SIM_FW_GUEST_LUPDATE, &g);
	if (status)
		return status;
	return g->asid ? SEV_STATUS_SUCCESS : SEV_STATUS_INACTIVE;
}

uint32_t sim_fw_update_bytes(struct sim_fw *f, uint32_t handle,
			     const void *data, size_t len)
{
	struct sim_fw_guest *g;
	uint32_t status = find_in(f, handle, SIM_FW_GUEST_LUPDATE, &g);

	if (!status)
		hash256_update(g->digest, data, len);
	return status;
}

uint32_t sim_fw_update_vmsa(struct sim_fw *f, uint32_t handle, const void *vmsa,
			    uint32_t len)
{
	struct sim_fw_guest *g;
	uint32_t status;

	SIM_FW_FAULT(f, SIM_FW_LAUNCH_UPDATE_VMSA);
	if (len != SEV_VMSA_LEN)
		return SEV_STATUS_INVALID_LEN;
	status = find_in(f, handle, SIM_FW_GUEST_LUPDATE, &g);
	if (status)
		return status;
	if (!(g->policy & SEV_POLICY_ES))
		return SEV_STATUS_INVALID_GUEST_STATE;
	hash256_update(g->digest, vmsa, len);
	return SEV_STATUS_SUCCESS;
}

static int compute(struct sim_fw *f, struct sim_fw_guest *g, uint8_t *out)
{
	struct sev_measure_input in = {
		.api_major = f->c.api.major,
		.api_minor = f->c.api.minor,
		.build = f->c.api.build,
		.policy = g->policy,
	};
	int r = hash256_finish(g->digest, g->ld);

	if (r >= 0 && getrandom(in.mnonce, SEV_NONCE_LEN, 0) != SEV_NONCE_LEN)
		r = -EIO;
	if (r < 0)
		return r;
	memcpy(in.digest, g->ld, SEV_DIGEST_LEN);
	r = sev_measure(f->h, g->keys.tik, &in, g->measure);
	memcpy(out, g->measure, SEV_MEASURE_LEN);
	memcpy(out + SEV_MEASURE_LEN, in.mnonce, SEV_NONCE_LEN);
	return r;
}

uint32_t sim_fw_measure(struct sim_fw *f, uint32_t handle,
			uint8_t out[static SEV_MEASUREMENT_LEN], uint32_t *len)
{
	struct sim_fw_guest *g;
	uint32_t have = *len, status;

	SIM_FW_FAULT(f, SIM_FW_LAUNCH_MEASURE);
	*len = SEV_MEASUREMENT_LEN;
	if (have < SEV_MEASUREMENT_LEN)
		return SEV_STATUS_INVALID_LEN;
	status = find_in(f, handle, SIM_FW_GUEST_LUPDATE, &g);
	if (status)
		return status;
	if (compute(f, g, out) < 0)
		return SEV_STATUS_HWERROR_PLATFORM;
	g->state = SIM_FW_GUEST_LSECRET;
	return SEV_STATUS_SUCCESS;
}

const uint8_t *sim_fw_digest(struct sim_fw *f, uint32_t handle)
{
	const struct sim_fw_guest *g = find(f, handle);

	return g && g->state >= SIM_FW_GUEST_LSECRET ? g->ld : NULL;
}

static uint32_t check_secret(const struct sim_fw_secret *s)
{
	if (s->hdr_len != SEV_SECRET_HDR_LEN || s->guest_len != s->data_len ||
	    sev_secret_check_len(s->data_len, NULL) < 0)
		return SEV_STATUS_INVALID_LEN;
	if (!is_aligned(s->guest_addr, SEV_SECRET_ALIGN))
		return SEV_STATUS_INVALID_ADDRESS;
	if (load_le32(s->hdr)) /* flags */
		return SEV_STATUS_INVALID_PARAM;
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_secret(struct sim_fw *f, uint32_t handle,
		       const struct sim_fw_secret *s, uint8_t *plain)
{
	struct sim_fw_guest *g;
	uint32_t status = check_secret(s);
	int r;

	SIM_FW_FAULT(f, SIM_FW_LAUNCH_SECRET);
	if (status)
		return status;
	status = find_in(f, handle, SIM_FW_GUEST_LSECRET, &g);
	if (status)
		return status;
	r = sev_secret_open(f->h, &g->keys, g->measure, s->hdr, s->data,
			    s->data_len, plain, NULL);
	if (r == -EBADMSG)
		return SEV_STATUS_BAD_MEASUREMENT;
	return r < 0 ? SEV_STATUS_HWERROR_PLATFORM : SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_finish(struct sim_fw *f, uint32_t handle)
{
	struct sim_fw_guest *g;
	uint32_t status;

	SIM_FW_FAULT(f, SIM_FW_LAUNCH_FINISH);
	status = find_in(f, handle, SIM_FW_GUEST_LSECRET, &g);
	if (status)
		return status;
	g->state = SIM_FW_GUEST_RUNNING;
	explicit_bzero(&g->keys, sizeof(g->keys));
	return SEV_STATUS_SUCCESS;
}

/* --- afterwards ---------------------------------------------------------- */

/* Offsets in the report; AMD SEV API 0.24, ATTESTATION. */
enum {
	REPORT_MNONCE = 0,
	REPORT_DIGEST = 16,
	REPORT_POLICY = 48,
	REPORT_SIGNED = 52, /* everything before is */
	REPORT_SIG_USAGE = 52,
	REPORT_SIG_ALGO = 56,
	REPORT_SIG = 64,
};

uint32_t sim_fw_attestation(struct sim_fw *f, uint32_t handle,
			    const uint8_t mnonce[static SEV_NONCE_LEN],
			    uint8_t report[static SIM_FW_REPORT_LEN],
			    uint32_t *len)
{
	const struct sim_fw_guest *g = find(f, handle);
	uint8_t sig[SEV_SIG_LEN];
	uint32_t have = *len;

	SIM_FW_FAULT(f, SIM_FW_ATTESTATION);
	*len = SIM_FW_REPORT_LEN;
	if (have < SIM_FW_REPORT_LEN)
		return SEV_STATUS_INVALID_LEN;
	if (!g)
		return SEV_STATUS_INVALID_GUEST;
	if (g->state != SIM_FW_GUEST_LSECRET &&
	    g->state != SIM_FW_GUEST_RUNNING)
		return SEV_STATUS_INVALID_GUEST_STATE;
	memset(report, 0, SIM_FW_REPORT_LEN);
	memcpy(report + REPORT_MNONCE, mnonce, SEV_NONCE_LEN);
	memcpy(report + REPORT_DIGEST, g->ld, SEV_DIGEST_LEN);
	store_le32(report + REPORT_POLICY, g->policy);
	store_le32(report + REPORT_SIG_USAGE, SEV_USAGE_PEK);
	store_le32(report + REPORT_SIG_ALGO, SEV_ALGO_ECDSA_SHA256);
	if (sev_key_sign(f->keys.pair[SEV_CHAIN_PEK], SEV_ALGO_ECDSA_SHA256,
			 report, REPORT_SIGNED, sig) < 0)
		return SEV_STATUS_HWERROR_PLATFORM;
	memcpy(report + REPORT_SIG, sig, SIM_FW_REPORT_LEN - REPORT_SIG);
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_dbg(struct sim_fw *f, enum sim_fw_cmd cmd, uint32_t handle)
{
	struct sim_fw_guest *g;
	uint32_t status;

	SIM_FW_FAULT(f, cmd);
	status = find_in(f, handle, SIM_FW_GUEST_RUNNING, &g);
	if (status)
		return status;
	return g->policy & SEV_POLICY_NODBG ? SEV_STATUS_POLICY_FAILURE
					    : SEV_STATUS_SUCCESS;
}
