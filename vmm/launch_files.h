/*
 * vmm/launch_files.h - what the owner gives for a launch, from files to bytes:
 * the certificate and the session of `coffer owner session`, and the digest
 * that is expected. Hostile input; read before anything is started.
 */
#ifndef VMM_LAUNCH_FILES_H
#define VMM_LAUNCH_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sev_abi.h"
#include "crypto/sev_cert.h"

struct devices_config;
struct err;

struct launch_files {
	bool attested; /* dh_cert and session are there */
	uint8_t dh_cert[SEV_CERT_LEN];
	uint8_t session[SEV_SESSION_LEN];
	bool expects;
	uint8_t expect[SEV_DIGEST_LEN];
};

/*
 * Read what @c names. A file is base64 or raw bytes, by what is in it.
 * ERR_INPUT: missing, of another length (a swapped pair is named), not a
 *            Diffie-Hellman certificate on P-384, not a digest
 */
int launch_files_load(const struct devices_config *c, struct launch_files *ret,
		      struct err *err);

/* For tests and fuzzing: @data is the content of the file called @path. */
int launch_files_decode(const char *what, const char *path, const void *data,
			size_t len, size_t want, uint8_t *ret, struct err *err);
int launch_files_check_cert(const char *path,
			    const uint8_t cert[static SEV_CERT_LEN],
			    struct err *err);
int launch_files_parse_digest(const char *text, size_t len,
			      uint8_t ret[static SEV_DIGEST_LEN]);

#endif
