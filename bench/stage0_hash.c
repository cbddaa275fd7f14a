/*
 * bench/stage0_hash.c - how fast stage0 copies and hashes, against libcrypto's
 * SHA-256 of the same bytes on the same CPU.
 *
 *   stage0-hash sha|bmi2|plain     prints one line of numbers;
 * bench/stage0-hash runs it and says what they mean
 *
 * The very objects that are in the image are linked here. libcrypto only reads,
 * stage0 writes a copy besides. Alternately, best of many: what another
 * process takes is in both.
 */
#include <cpuid.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "firmware/stage0/s0_sha256.h"

enum { CHUNK = 256 * 1024, LEN = 4 * CHUNK, RUNS = 300 };

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* As stage0 does it: out of one window, to where it stays. */
static double ours(s0_sha256_blocks *blocks, uint8_t *to, const uint8_t *window,
		   uint8_t ret[static S0_SHA256_LEN])
{
	double t = now();
	struct s0_sha256 h;

	s0_sha256_start(&h, blocks);
	for (size_t i = 0; i < LEN; i += CHUNK)
		s0_sha256_copy(&h, to + i, window, CHUNK);
	s0_sha256_finish(&h, ret);
	return now() - t;
}

static double theirs(EVP_MD_CTX *c, const uint8_t *window,
		     uint8_t ret[static S0_SHA256_LEN])
{
	double t = now();

	if (!EVP_DigestInit_ex(c, EVP_sha256(), NULL))
		exit(1);
	for (size_t i = 0; i < LEN; i += CHUNK)
		if (!EVP_DigestUpdate(c, window, CHUNK))
			exit(1);
	if (!EVP_DigestFinal_ex(c, ret, NULL))
		exit(1);
	return now() - t;
}

struct version {
	const char *name, *what;
	s0_sha256_blocks *blocks;
	unsigned int needs; /* of CPUID 7, EBX */
};

static const struct version versions[] = {
	{"sha", "SHA extensions", s0_sha256_blocks_ni, bit_SHA},
	{"bmi2", "BMI2", s0_sha256_blocks_bmi2, bit_BMI2},
	{"plain", NULL, s0_sha256_blocks_sse2, 0},
};

static const struct version *find_version(const char *name)
{
	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		if (!strcmp(versions[i].name, name))
			return &versions[i];
	return NULL;
}

static bool can_run(const struct version *v)
{
	unsigned int a, b, c, d;

	return !v->needs ||
	       (__get_cpuid_count(7, 0, &a, &b, &c, &d) && b & v->needs);
}

int main(int argc, char **argv)
{
	const struct version *v = argc == 2 ? find_version(argv[1]) : NULL;
	uint8_t *window = aligned_alloc(4096, CHUNK);
	uint8_t *to = aligned_alloc(4096, LEN);
	uint8_t a[S0_SHA256_LEN], b[S0_SHA256_LEN];
	double best_a = 1e9, best_b = 1e9;
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (!window || !to || !c || !v) {
		fprintf(stderr, "usage: stage0-hash sha|bmi2|plain\n");
		return 64;
	}
	if (!can_run(v)) {
		fprintf(stderr, "this CPU has no %s\n", v->what);
		return 77;
	}
	for (size_t i = 0; i < CHUNK; i++)
		window[i] = (uint8_t)(i * 2654435761u >> 24);
	memset(to, 1, LEN);
	for (int i = 0; i < RUNS; i++) {
		double t = ours(v->blocks, to, window, a);

		best_a = t < best_a ? t : best_a;
		t = theirs(c, window, b);
		best_b = t < best_b ? t : best_b;
	}
	if (memcmp(a, b, sizeof(a)) != 0) {
		fprintf(stderr, "the digests differ\n");
		return 1;
	}
	printf("%.1f %.1f\n", LEN / best_a / 1e6, LEN / best_b / 1e6);
	EVP_MD_CTX_free(c);
	free(window);
	free(to);
	return 0;
}
