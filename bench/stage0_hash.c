/*
 * bench/stage0_hash.c - how fast stage0 copies and hashes, against libcrypto's
 * SHA-256 of the same bytes on the same CPU.
 *
 *   stage0-hash sha|plain     prints one line of numbers; bench/stage0-hash
 *                             runs it and says what they mean
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

static bool has_sha(void)
{
	unsigned int a, b, c, d;

	return __get_cpuid_count(7, 0, &a, &b, &c, &d) && b & bit_SHA;
}

int main(int argc, char **argv)
{
	bool ni = argc == 2 && !strcmp(argv[1], "sha");
	s0_sha256_blocks *blocks =
		ni ? s0_sha256_blocks_ni : s0_sha256_blocks_sse2;
	uint8_t *window = aligned_alloc(4096, CHUNK);
	uint8_t *to = aligned_alloc(4096, LEN);
	uint8_t a[S0_SHA256_LEN], b[S0_SHA256_LEN];
	double best_a = 1e9, best_b = 1e9;
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (!window || !to || !c || argc != 2 ||
	    (!ni && strcmp(argv[1], "plain") != 0)) {
		fprintf(stderr, "usage: stage0-hash sha|plain\n");
		return 64;
	}
	if (ni && !has_sha()) {
		fprintf(stderr, "this CPU has no SHA extensions\n");
		return 77;
	}
	for (size_t i = 0; i < CHUNK; i++)
		window[i] = (uint8_t)(i * 2654435761u >> 24);
	memset(to, 1, LEN);
	for (int i = 0; i < RUNS; i++) {
		double t = ours(blocks, to, window, a);

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
