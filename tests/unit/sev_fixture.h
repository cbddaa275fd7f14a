/*
 * tests/unit/sev_fixture.h - a SEV platform with keys of its own, down from a
 * root that is nobody's.
 */
#ifndef TESTS_UNIT_SEV_FIXTURE_H
#define TESTS_UNIT_SEV_FIXTURE_H

#include "crypto/sev_chain.h"
#include "crypto/sev_key.h"

struct sev_platform {
	struct sev_key *key[SEV_CHAIN_COUNT]; /* pairs */
	struct sev_chain chain;
};

/* RSA keys of @bits; the root's key id is @root_id, 16 bytes. */
void sev_platform_create(struct sev_platform *p, unsigned int bits,
			 const char *root_id);
void sev_platform_destroy(struct sev_platform *p);

/* Sign certificates anew after their content was changed. */
void sev_platform_sign(struct sev_platform *p);

/*
 * The first @n members in the order of sevctl's files; returns the length.
 * @buf: SEV_CHAIN_MAX bytes
 */
size_t sev_platform_export(const struct sev_platform *p, size_t n,
			   uint8_t *buf);

#endif
