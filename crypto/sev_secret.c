/* crypto/sev_secret.c - seals and opens the packet of LAUNCH_SECRET. */
#include "crypto/sev_secret.h"

#include <errno.h>
#include <string.h>

#include "crypto/aes128.h"
#include "crypto/hmac256.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

enum { CONTEXT_SECRET = 0x01 }; /* first byte of what the MAC covers */

int sev_secret_check_len(size_t len, struct err *err)
{
	if (!len || len > SEV_SECRET_MAX || len % SEV_SECRET_ALIGN)
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "secret payload of %zu bytes: must be a "
				    "multiple of %d, and 16 to %d",
				    len, SEV_SECRET_ALIGN, SEV_SECRET_MAX);
	return 0;
}

static int packet_mac(struct hash256 *h, const uint8_t tik[static SEV_KEY_LEN],
		      const uint8_t measure[static SEV_MEASURE_LEN],
		      const uint8_t hdr[static SEV_SECRET_HDR_LEN],
		      const void *payload, size_t len,
		      uint8_t mac[static SEV_MEASURE_LEN])
{
	uint8_t context = CONTEXT_SECRET, lens[8];
	struct hmac256 m;
	int r = hmac256_start(&m, h, tik, SEV_KEY_LEN);

	if (r < 0)
		return r;
	/* What the guest gets is what is transmitted: no compression. */
	store_le32(lens, (uint32_t)len);
	store_le32(lens + 4, (uint32_t)len);
	hmac256_update(&m, &context, 1);
	hmac256_update(&m, hdr, SEV_SECRET_HDR_MAC);
	hmac256_update(&m, lens, sizeof(lens));
	hmac256_update(&m, payload, len);
	hmac256_update(&m, measure, SEV_MEASURE_LEN);
	return hmac256_finish(&m, mac);
}

int sev_secret_seal(struct hash256 *h, const struct sev_session_keys *keys,
		    const uint8_t measure[static SEV_MEASURE_LEN],
		    const uint8_t iv[static SEV_NONCE_LEN], const void *plain,
		    size_t len, uint8_t hdr[static SEV_SECRET_HDR_LEN],
		    void *payload)
{
	int r = sev_secret_check_len(len, NULL);

	if (r < 0)
		return r;
	store_le32(hdr + SEV_SECRET_HDR_FLAGS, 0);
	memcpy(hdr + SEV_SECRET_HDR_IV, iv, SEV_NONCE_LEN);
	r = aes128_ctr(keys->tek, iv, plain, len, payload);
	if (r < 0)
		return r;
	return packet_mac(h, keys->tik, measure, hdr, payload, len,
			  hdr + SEV_SECRET_HDR_MAC);
}

int sev_secret_open(struct hash256 *h, const struct sev_session_keys *keys,
		    const uint8_t measure[static SEV_MEASURE_LEN],
		    const uint8_t hdr[static SEV_SECRET_HDR_LEN],
		    const void *payload, size_t len, void *plain,
		    struct err *err)
{
	uint8_t mac[SEV_MEASURE_LEN];
	int r = sev_secret_check_len(len, err);

	if (r < 0)
		return r;
	if (load_le32(hdr + SEV_SECRET_HDR_FLAGS))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "secret header: flags 0x%x are not known",
				    load_le32(hdr + SEV_SECRET_HDR_FLAGS));
	r = packet_mac(h, keys->tik, measure, hdr, payload, len, mac);
	if (r >= 0 &&
	    !equal_constant_time(mac, hdr + SEV_SECRET_HDR_MAC, sizeof(mac)))
		return err_set_kind(err, ERR_INPUT, -EBADMSG,
				    "secret packet: its MAC is wrong: made for "
				    "another launch or with other keys");
	if (r >= 0)
		r = aes128_ctr(keys->tek, hdr + SEV_SECRET_HDR_IV, payload, len,
			       plain);
	return r;
}
