/* crypto/sev_session.c - derives the keys of a session; seals and opens it. */
#include "crypto/sev_session.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crypto/aes128.h"
#include "crypto/hmac256.h"
#include "vmm/base/bytes.h"

int sev_kdf(struct hash256 *h, const void *key, size_t key_len,
	    const char *label, const void *context, size_t context_len,
	    uint8_t *out, size_t len)
{
	uint8_t counter[4], bits[4], block[HASH256_LEN];
	struct hmac256 m;
	int r;

	assert(len <= sizeof(block)); /* so that one round is enough */
	store_le32(counter, 1);
	store_le32(bits, (uint32_t)len * 8);
	r = hmac256_start(&m, h, key, key_len);
	if (r < 0)
		return r;
	hmac256_update(&m, counter, sizeof(counter));
	hmac256_update(&m, label, strlen(label) + 1);
	hmac256_update(&m, context, context_len);
	hmac256_update(&m, bits, sizeof(bits));
	r = hmac256_finish(&m, block);
	if (r >= 0)
		memcpy(out, block, len);
	explicit_bzero(block, sizeof(block));
	return r;
}

/* Wrapping keys, derived from the shared secret and the nonce. */
struct wrap_keys {
	uint8_t kek[SEV_KEY_LEN], kik[SEV_KEY_LEN];
};

static void wrap_keys_wipe(struct wrap_keys *w)
{
	explicit_bzero(w, sizeof(*w));
}

static int derive(struct hash256 *h, const uint8_t *z, size_t z_len,
		  const uint8_t nonce[static SEV_NONCE_LEN],
		  struct wrap_keys *ret)
{
	uint8_t master[SEV_KEY_LEN];
	int r = sev_kdf(h, z, z_len, "sev-master-secret", nonce, SEV_NONCE_LEN,
			master, sizeof(master));

	if (r >= 0)
		r = sev_kdf(h, master, sizeof(master), "sev-kek", "", 0,
			    ret->kek, sizeof(ret->kek));
	if (r >= 0)
		r = sev_kdf(h, master, sizeof(master), "sev-kik", "", 0,
			    ret->kik, sizeof(ret->kik));
	explicit_bzero(master, sizeof(master));
	return r;
}

static int policy_mac(struct hash256 *h, const uint8_t tik[static SEV_KEY_LEN],
		      uint32_t policy, uint8_t mac[static SEV_MEASURE_LEN])
{
	uint8_t le[4];

	store_le32(le, policy);
	return hmac256_of(h, tik, SEV_KEY_LEN, le, sizeof(le), mac);
}

int sev_session_seal(struct hash256 *h, const uint8_t *z, size_t z_len,
		     uint32_t policy, const struct sev_session_keys *keys,
		     const struct sev_session_fresh *fresh,
		     uint8_t blob[static SEV_SESSION_LEN])
{
	AUTO(wrap_keys_wipe) struct wrap_keys w = {0};
	uint8_t *tk = blob + SEV_SESSION_WRAP_TK;
	int r = derive(h, z, z_len, fresh->nonce, &w);

	if (r < 0)
		return r;
	memcpy(blob + SEV_SESSION_NONCE, fresh->nonce, SEV_NONCE_LEN);
	memcpy(blob + SEV_SESSION_WRAP_IV, fresh->iv, SEV_NONCE_LEN);
	memcpy(tk, keys->tek, SEV_KEY_LEN);
	memcpy(tk + SEV_KEY_LEN, keys->tik, SEV_KEY_LEN);
	r = aes128_ctr(w.kek, fresh->iv, tk, sizeof(*keys), tk);
	if (r >= 0)
		r = hmac256_of(h, w.kik, sizeof(w.kik), tk, sizeof(*keys),
			       blob + SEV_SESSION_WRAP_MAC);
	if (r >= 0)
		r = policy_mac(h, keys->tik, policy,
			       blob + SEV_SESSION_POLICY_MAC);
	if (r < 0)
		explicit_bzero(blob, SEV_SESSION_LEN); /* may hold plain keys */
	return r;
}

static int check_wrap_mac(struct hash256 *h, const struct wrap_keys *w,
			  const uint8_t blob[static SEV_SESSION_LEN])
{
	uint8_t mac[HASH256_LEN];
	int r = hmac256_of(h, w->kik, sizeof(w->kik),
			   blob + SEV_SESSION_WRAP_TK,
			   sizeof(struct sev_session_keys), mac);

	if (r < 0)
		return r;
	return equal_constant_time(mac, blob + SEV_SESSION_WRAP_MAC,
				   sizeof(mac))
		       ? 0
		       : -EBADMSG;
}

int sev_session_open(struct hash256 *h, const uint8_t *z, size_t z_len,
		     uint32_t policy,
		     const uint8_t blob[static SEV_SESSION_LEN],
		     struct sev_session_keys *ret)
{
	AUTO(wrap_keys_wipe) struct wrap_keys w = {0};
	struct sev_session_keys keys = {{0}, {0}};
	uint8_t tk[sizeof(keys)];
	int r = derive(h, z, z_len, blob + SEV_SESSION_NONCE, &w);

	if (r >= 0)
		r = check_wrap_mac(h, &w, blob);
	if (r >= 0)
		r = aes128_ctr(w.kek, blob + SEV_SESSION_WRAP_IV,
			       blob + SEV_SESSION_WRAP_TK, sizeof(tk), tk);
	if (r < 0)
		return r;
	memcpy(keys.tek, tk, SEV_KEY_LEN);
	memcpy(keys.tik, tk + SEV_KEY_LEN, SEV_KEY_LEN);
	r = sev_session_check_policy(h, keys.tik, blob, policy);
	if (r >= 0)
		*ret = keys;
	explicit_bzero(&keys, sizeof(keys));
	explicit_bzero(tk, sizeof(tk));
	return r;
}

int sev_session_check_policy(struct hash256 *h,
			     const uint8_t tik[static SEV_KEY_LEN],
			     const uint8_t blob[static SEV_SESSION_LEN],
			     uint32_t policy)
{
	uint8_t mac[HASH256_LEN];
	int r = policy_mac(h, tik, policy, mac);

	if (r < 0)
		return r;
	return equal_constant_time(mac, blob + SEV_SESSION_POLICY_MAC,
				   sizeof(mac))
		       ? 0
		       : -EKEYREJECTED;
}
