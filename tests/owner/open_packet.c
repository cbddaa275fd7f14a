/*
 * tests/owner/open_packet.c - plays LAUNCH_SECRET for packets that others
 * made: open_packet TIK TEK MEASUREMENT HEADER PAYLOAD, all base64 or raw, and
 * the plain area comes out on standard output.
 */
#include <stdio.h>
#include <string.h>

#include "crypto/hash256_openssl.h"
#include "crypto/sev_secret.h"
#include "owner/owner_file.h"
#include "vmm/base/err.h"

static bool is_payload(const uint8_t *data, size_t len)
{
	(void)data;
	return sev_secret_check_len(len, NULL) >= 0;
}

static int read_key(const char *path, uint8_t *key, struct err *err)
{
	AUTO(owner_bytes_wipe) struct owner_bytes b = {0};
	int r = owner_file_read_exactly("key", path, SEV_KEY_LEN, &b, err);

	if (r >= 0)
		memcpy(key, b.data, SEV_KEY_LEN);
	return r;
}

static int open_packet(char **path, uint8_t *plain, size_t *ret_len,
		       struct err *err)
{
	AUTO(hash256_destroyp) struct hash256 *h = hash256_openssl_create();
	AUTO(owner_bytes_wipe) struct owner_bytes m = {0};
	AUTO(owner_bytes_wipe) struct owner_bytes hdr = {0};
	AUTO(owner_bytes_wipe) struct owner_bytes payload = {0};
	struct sev_session_keys keys;
	int r = read_key(path[0], keys.tik, err);

	if (r >= 0)
		r = read_key(path[1], keys.tek, err);
	if (r >= 0)
		r = owner_file_read_exactly("measurement", path[2],
					    SEV_MEASUREMENT_LEN, &m, err);
	if (r >= 0)
		r = owner_file_read_exactly("header", path[3],
					    SEV_SECRET_HDR_LEN, &hdr, err);
	if (r >= 0)
		r = owner_file_read("payload", path[4], &payload, err);
	if (r < 0 || !h)
		return r < 0 ? r : -1;
	owner_bytes_decode(&payload, is_payload);
	*ret_len = payload.len;
	return sev_secret_open(h, &keys, m.data, hdr.data, payload.data,
			       payload.len, plain, err);
}

int main(int argc, char **argv)
{
	static uint8_t plain[SEV_SECRET_MAX];
	struct err err = {0};
	size_t len = 0;

	if (argc != 6)
		return 64;
	if (open_packet(argv + 1, plain, &len, &err) < 0) {
		fprintf(stderr, "open_packet: %s\n", err.msg);
		return 1;
	}
	return fwrite(plain, 1, len, stdout) == len && !fflush(stdout) ? 0 : 1;
}
