/* vmm/cli/ctl_packet.h - bodies of requests, from what the user gives. */
#ifndef VMM_CLI_CTL_PACKET_H
#define VMM_CLI_CTL_PACKET_H

#include <stddef.h>
#include <stdint.h>

struct err;

/*
 * The body of PUT /v1/launch/secret from the two files that `owner secret`
 * wrote, each raw or base64, as its content says. The caller frees it.
 * @address   where to put it, 0: where the launch wants it
 * Errors name the file (ERR_INPUT, ERR_PERM).
 */
int ctl_packet_body(const char *header, const char *payload, uint64_t address,
		    char **ret, struct err *err);

/*
 * The body of PUT /v1/launch/attestation for @nonce: 32 hexadecimal digits, or
 * 16 bytes in base64. The caller frees it. ERR_USAGE: it is neither.
 */
int ctl_nonce_body(const char *nonce, char **ret, struct err *err);

#endif
