/*
 * tests/fake/fake_psp.h - the driver behind /dev/sev: answers the platform's
 * commands as Linux, drivers/crypto/ccp/sev-dev.c, does. There is one, since
 * ioctl(2) has no room for whose it is; fake_psp_reset() before each test.
 */
#ifndef TESTS_FAKE_FAKE_PSP_H
#define TESTS_FAKE_FAKE_PSP_H

#include <stddef.h>
#include <stdint.h>

#include "vmm/kvm/sev_dev.h"

/* Not open, so that closing it does nothing. */
enum { FAKE_PSP_FD = 1000 };

struct fake_psp {
	uint32_t cmd[8]; /* that came, in order */
	size_t n;
	int fail_at; /* call from 1; 0: none */
	int fail_errno;
	uint32_t status;		     /* with that failure */
	uint32_t pdh_len, chain_len, id_len; /* what a query answers */
	uint8_t state, build;
	uint32_t flags;		/* bit 0: owned; bit 8: SEV-ES */
	const uint8_t *certs;	/* PDH, PEK, OCA, CEK; NULL: bytes */
	uint8_t first_imported; /* byte of the PEK, and of the OCA */
	uint8_t second_imported;
};

extern struct fake_psp fake_psp;

void fake_psp_reset(void);
/* A device that is open and answered here; copy and change it. */
extern const struct sev_dev fake_psp_dev;

#endif
