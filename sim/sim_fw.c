/* sim/sim_fw.c - the simulated firmware's platform commands. */
#include "sim/sim_fw.h"

#include <errno.h>
#include <string.h>

#include "crypto/hash256_openssl.h"
#include "sim/sim_fw_impl.h"
#include "vmm/base/err.h"

static const struct {
	enum sim_fw_cmd cmd;
	const char *name;
} names[] = {
	{SIM_FW_INIT, "INIT"},
	{SIM_FW_SHUTDOWN, "SHUTDOWN"},
	{SIM_FW_PLATFORM_RESET, "FACTORY_RESET"},
	{SIM_FW_PLATFORM_STATUS, "PLATFORM_STATUS"},
	{SIM_FW_PEK_GEN, "PEK_GEN"},
	{SIM_FW_PEK_CSR, "PEK_CSR"},
	{SIM_FW_PEK_CERT_IMPORT, "PEK_CERT_IMPORT"},
	{SIM_FW_PDH_CERT_EXPORT, "PDH_CERT_EXPORT"},
	{SIM_FW_PDH_GEN, "PDH_GEN"},
	{SIM_FW_GET_ID, "GET_ID"},
	{SIM_FW_DECOMMISSION, "DECOMMISSION"},
	{SIM_FW_ACTIVATE, "ACTIVATE"},
	{SIM_FW_DEACTIVATE, "DEACTIVATE"},
	{SIM_FW_GUEST_STATUS, "GUEST_STATUS"},
	{SIM_FW_LAUNCH_START, "LAUNCH_START"},
	{SIM_FW_LAUNCH_UPDATE_DATA, "LAUNCH_UPDATE_DATA"},
	{SIM_FW_LAUNCH_UPDATE_VMSA, "LAUNCH_UPDATE_VMSA"},
	{SIM_FW_LAUNCH_MEASURE, "LAUNCH_MEASURE"},
	{SIM_FW_LAUNCH_SECRET, "LAUNCH_SECRET"},
	{SIM_FW_LAUNCH_FINISH, "LAUNCH_FINISH"},
	{SIM_FW_ATTESTATION, "ATTESTATION"},
	{SIM_FW_DBG_DECRYPT, "DBG_DECRYPT"},
	{SIM_FW_DBG_ENCRYPT, "DBG_ENCRYPT"},
};

const char *sim_fw_cmd_name(enum sim_fw_cmd cmd)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].cmd == cmd)
			return names[i].name;
	return NULL;
}

const char *sim_fw_cmd_at(size_t i)
{
	return i < ARRAY_SIZE(names) ? names[i].name : NULL;
}

int sim_fw_create(const struct sim_fw_config *c, struct sim_keys *keys,
		  const struct sim_fw_hooks *hooks, struct sim_fw **ret,
		  struct err *err)
{
	AUTO(sim_fw_destroyp) struct sim_fw *f = calloc(1, sizeof(*f));

	if (!f)
		return err_set(err, -ENOMEM, "out of memory");
	f->h = hash256_openssl_create();
	if (!f->h)
		return err_set_kind(err, ERR_HOST, -EIO,
				    "libcrypto has no SHA-256");
	f->c = *c;
	f->hooks = *hooks;
	f->state = SIM_FW_PLATFORM_INIT;
	f->next_handle = 1;
	f->keys = *keys;
	*keys = (struct sim_keys){0};
	*ret = TAKE(f);
	return 0;
}

void sim_fw_destroy(struct sim_fw *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < SIM_FW_GUESTS_MAX; i++)
		sim_fw_guest_clear(&f->guest[i]);
	hash256_destroy(f->h);
	sim_keys_destroy(&f->keys);
	free(f);
}

const struct sim_fw_config *sim_fw_config(const struct sim_fw *f)
{
	return &f->c;
}

const struct sim_keys *sim_fw_keys(const struct sim_fw *f)
{
	return &f->keys;
}

enum sim_fw_platform_state sim_fw_state(const struct sim_fw *f)
{
	return f->state;
}

/* Keys that are not kept would be other ones at the next start. */
static uint32_t keep_keys(struct sim_fw *f, int r)
{
	if (r < 0)
		return SEV_STATUS_HWERROR_PLATFORM;
	if (f->hooks.save && f->hooks.save(f->hooks.arg, &f->keys) < 0)
		return SEV_STATUS_SECURE_DATA_INVALID;
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_init(struct sim_fw *f)
{
	SIM_FW_FAULT(f, SIM_FW_INIT);
	if (f->state != SIM_FW_PLATFORM_UNINIT)
		return SEV_STATUS_INVALID_PLATFORM_STATE;
	f->state = SIM_FW_PLATFORM_INIT;
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_shutdown(struct sim_fw *f)
{
	SIM_FW_FAULT(f, SIM_FW_SHUTDOWN);
	for (size_t i = 0; i < SIM_FW_GUESTS_MAX; i++)
		sim_fw_guest_clear(&f->guest[i]);
	f->n_guests = 0;
	f->state = SIM_FW_PLATFORM_UNINIT;
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_platform_reset(struct sim_fw *f)
{
	SIM_FW_FAULT(f, SIM_FW_PLATFORM_RESET);
	if (f->state != SIM_FW_PLATFORM_UNINIT)
		return SEV_STATUS_INVALID_PLATFORM_STATE;
	return keep_keys(f, sim_keys_renew(&f->keys, &f->c.api));
}

uint32_t sim_fw_platform_status(struct sim_fw *f, struct sim_fw_status *ret)
{
	SIM_FW_FAULT(f, SIM_FW_PLATFORM_STATUS);
	*ret = (struct sim_fw_status){
		.api = f->c.api,
		.state = f->state,
		.is_external = f->keys.is_external,
		.has_es = f->c.has_es && f->state != SIM_FW_PLATFORM_UNINIT,
		.guests = f->n_guests,
	};
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_pek_gen(struct sim_fw *f)
{
	SIM_FW_FAULT(f, SIM_FW_PEK_GEN);
	if (f->state != SIM_FW_PLATFORM_INIT)
		return SEV_STATUS_INVALID_PLATFORM_STATE;
	return keep_keys(f, sim_keys_renew(&f->keys, &f->c.api));
}

uint32_t sim_fw_pdh_gen(struct sim_fw *f)
{
	SIM_FW_FAULT(f, SIM_FW_PDH_GEN);
	if (f->state == SIM_FW_PLATFORM_UNINIT)
		return SEV_STATUS_INVALID_PLATFORM_STATE;
	return keep_keys(f, sim_keys_renew_pdh(&f->keys));
}

/* Is there room for @need bytes? *len becomes @need in any case. */
static bool has_room(uint32_t *len, uint32_t need)
{
	uint32_t have = *len;

	*len = need;
	return have >= need;
}

uint32_t sim_fw_pek_csr(struct sim_fw *f, uint8_t csr[static SEV_CERT_LEN],
			uint32_t *len)
{
	SIM_FW_FAULT(f, SIM_FW_PEK_CSR);
	if (f->state != SIM_FW_PLATFORM_INIT)
		return SEV_STATUS_INVALID_PLATFORM_STATE;
	if (!has_room(len, SEV_CERT_LEN))
		return SEV_STATUS_INVALID_LEN;
	sim_keys_csr(&f->keys, csr);
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_pek_cert_import(struct sim_fw *f, const void *pek,
				uint32_t pek_len, const void *oca,
				uint32_t oca_len)
{
	struct sev_cert p, o;
	int r;

	SIM_FW_FAULT(f, SIM_FW_PEK_CERT_IMPORT);
	if (f->state != SIM_FW_PLATFORM_INIT)
		return SEV_STATUS_INVALID_PLATFORM_STATE;
	if (pek_len != SEV_CERT_LEN || oca_len != SEV_CERT_LEN)
		return SEV_STATUS_INVALID_LEN;
	if (f->keys.is_external)
		return SEV_STATUS_ALREADY_OWNED;
	if (sev_cert_parse(pek, pek_len, &p, NULL) < 0 ||
	    sev_cert_parse(oca, oca_len, &o, NULL) < 0)
		return SEV_STATUS_INVALID_CERTIFICATE;
	r = sim_keys_import(&f->keys, &p, &o);
	if (r == -EINVAL)
		return SEV_STATUS_INVALID_CERTIFICATE;
	return r == -EKEYREJECTED ? SEV_STATUS_BAD_SIGNATURE : keep_keys(f, r);
}

/* Real firmware does not have AMD's signature of the CEK. */
static void unsigned_cek(const struct sim_keys *k, uint8_t *out)
{
	struct sev_cert c = k->chain.sev[SEV_CHAIN_CEK];

	for (size_t i = 0; i < SEV_CERT_SIGS; i++) {
		c.sig[i].usage = SEV_USAGE_INVALID;
		c.sig[i].algo = SEV_ALGO_NONE;
		memset(c.sig[i].data, 0, SEV_SIG_LEN);
	}
	sev_cert_serialise(&c, out);
}

uint32_t sim_fw_pdh_cert_export(struct sim_fw *f,
				uint8_t pdh[static SEV_CERT_LEN],
				uint32_t *pdh_len,
				uint8_t chain[static SIM_FW_CHAIN_LEN],
				uint32_t *chain_len)
{
	const struct sev_cert *c = f->keys.chain.sev;
	bool fits;

	SIM_FW_FAULT(f, SIM_FW_PDH_CERT_EXPORT);
	if (f->state == SIM_FW_PLATFORM_UNINIT)
		return SEV_STATUS_INVALID_PLATFORM_STATE;
	fits = has_room(pdh_len, SEV_CERT_LEN);
	fits &= has_room(chain_len, SIM_FW_CHAIN_LEN);
	if (!fits)
		return SEV_STATUS_INVALID_LEN;
	sev_cert_serialise(&c[SEV_CHAIN_PDH], pdh);
	sev_cert_serialise(&c[SEV_CHAIN_PEK], chain);
	sev_cert_serialise(&c[SEV_CHAIN_OCA], chain + SEV_CERT_LEN);
	unsigned_cek(&f->keys, chain + (size_t)2 * SEV_CERT_LEN);
	return SEV_STATUS_SUCCESS;
}

uint32_t sim_fw_get_id(struct sim_fw *f, uint8_t id[static SIM_CHIP_ID_LEN],
		       uint32_t *len)
{
	SIM_FW_FAULT(f, SIM_FW_GET_ID);
	if (!has_room(len, SIM_CHIP_ID_LEN))
		return SEV_STATUS_INVALID_LEN;
	memcpy(id, f->keys.chip_id, SIM_CHIP_ID_LEN);
	return SEV_STATUS_SUCCESS;
}
