/* tests/unit/test_s0_sha256.c - SHA-256 while copying, all versions. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "firmware/stage0/s0_sha256.h"
#include "tests/unit/hex.h"

enum { VERSIONS = 3 };

/* NULL where this CPU cannot run it. */
static s0_sha256_blocks *version(int i)
{
	unsigned int b = 0;

	/* CPUID 7, EBX; whoever has these has SSSE3 and SSE4.1 */
	__asm__ volatile("cpuid" : "=b"(b) : "a"(7), "c"(0) : "edx");
	switch (i) {
	case 0:
		return s0_sha256_blocks_sse2;
	case 1:
		return b & 1u << 8 ? s0_sha256_blocks_bmi2 : NULL;
	default:
		return b & 1u << 29 ? s0_sha256_blocks_ni : NULL;
	}
}

#define FOR_EACH_VERSION(blocks)                                               \
	for (int v_ = 0; v_ < VERSIONS; v_++)                                  \
		for (s0_sha256_blocks *blocks = version(v_); blocks;           \
		     blocks = NULL)

static void digest(s0_sha256_blocks *blocks, const void *data, size_t len,
		   uint8_t ret[static S0_SHA256_LEN])
{
	uint8_t *copy = malloc(len + 1);
	struct s0_sha256 h;

	assert_non_null(copy);
	copy[len] = 0x77;
	s0_sha256_start(&h, blocks);
	s0_sha256_copy(&h, copy, data, len);
	s0_sha256_finish(&h, ret);
	assert_memory_equal(copy, data, len);
	assert_int_equal(copy[len], 0x77);
	free(copy);
}

static void digest_is(s0_sha256_blocks *blocks, const void *data, size_t len,
		      const char *want)
{
	uint8_t is[S0_SHA256_LEN], bytes[S0_SHA256_LEN];

	digest(blocks, data, len, is);
	unhex(want, bytes, sizeof(bytes));
	assert_memory_equal(is, bytes, sizeof(is));
}

/* FIPS 180-4's examples, and those of NIST's "SHA Test Vectors". */
static void known_digests(void **state)
{
	static uint8_t a[1000000];
	static const char two[] =
		"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";

	(void)state;
	memset(a, 'a', sizeof(a));
	FOR_EACH_VERSION(blocks)
	{
		digest_is(blocks, "", 0,
			  "e3b0c44298fc1c149afbf4c8996fb924"
			  "27ae41e4649b934ca495991b7852b855");
		digest_is(blocks, "abc", 3,
			  "ba7816bf8f01cfea414140de5dae2223"
			  "b00361a396177a9cb410ff61f20015ad");
		digest_is(blocks, two, strlen(two),
			  "248d6a61d20638b8e5c026930c3e6039"
			  "a33ce45964ff2167f6ecedd419db06c1");
		digest_is(blocks, a, sizeof(a),
			  "cdc76e5c9914fb9281a1c7e284d73e67"
			  "f1809a48a497200e046d39ccc7112cd0");
	}
}

static void pieces_of_any_length_give_the_same(void **state)
{
	enum { LEN = 331 };
	uint8_t data[LEN], copy[LEN], whole[S0_SHA256_LEN], is[S0_SHA256_LEN];

	(void)state;
	for (int i = 0; i < LEN; i++)
		data[i] = (uint8_t)(i * 31);
	digest(s0_sha256_blocks_sse2, data, LEN, whole);
	FOR_EACH_VERSION(blocks)
	{
		for (size_t a = 0; a < 140; a++)
			for (size_t b = 0; b < 140; b += 23) {
				struct s0_sha256 h;

				memset(copy, 0, sizeof(copy));
				s0_sha256_start(&h, blocks);
				s0_sha256_copy(&h, copy, data, a);
				s0_sha256_copy(&h, copy + a, data + a, b);
				s0_sha256_copy(&h, copy + a + b, data + a + b,
					       LEN - a - b);
				s0_sha256_finish(&h, is);
				assert_memory_equal(is, whole, sizeof(is));
				assert_memory_equal(copy, data, LEN);
			}
	}
}

static void every_length_around_a_block_agrees(void **state)
{
	uint8_t data[200], a[S0_SHA256_LEN], b[S0_SHA256_LEN];

	(void)state;
	memset(data, 0xa5, sizeof(data));
	for (int v = 1; v < VERSIONS; v++) {
		if (!version(v)) {
			print_message("SKIPPED: this CPU lacks %s\n",
				      v == 1 ? "BMI2" : "the SHA extensions");
			continue;
		}
		for (size_t n = 0; n <= sizeof(data); n++) {
			digest(version(0), data, n, a);
			digest(version(v), data, n, b);
			assert_memory_equal(a, b, sizeof(a));
		}
	}
}

/* @len bytes from @from to @to: both are in the same memory, mapped twice. */
static void copy_over_itself(s0_sha256_blocks *blocks, uint8_t *to,
			     uint8_t *from, size_t len)
{
	uint8_t is[S0_SHA256_LEN], want[S0_SHA256_LEN];
	struct s0_sha256 h;

	for (int i = 0; i < 3 * S0_SHA256_BLOCK; i++)
		to[i] = (uint8_t)(i * 17);
	s0_sha256_start(&h, blocks);
	s0_sha256_copy(&h, to, from, len);
	s0_sha256_finish(&h, is);
	assert_memory_not_equal(from, to, len);
	digest(blocks, to, len, want);
	assert_memory_equal(is, want, sizeof(is));
}

/*
 * The host may change a block after it was copied. Here the copy itself does,
 * because both are the same memory, mapped twice, a part of a block apart.
 */
static void what_is_hashed_is_what_arrived(void **state)
{
	enum { PAGE = 4096, REST = 40 };
	int fd = memfd_create("block", MFD_CLOEXEC);
	uint8_t *from, *to;

	(void)state;
	assert_true(fd >= 0 && !ftruncate(fd, PAGE));
	from = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	to = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(from != MAP_FAILED && to != MAP_FAILED);
	FOR_EACH_VERSION(blocks)
	{
		for (int apart = 16; apart < S0_SHA256_BLOCK; apart += 16)
			copy_over_itself(blocks, to, from + apart,
					 S0_SHA256_BLOCK);
		/* What is behind: it changes half of what it has just read. */
		copy_over_itself(blocks, to + 8, from, S0_SHA256_BLOCK);
		copy_over_itself(blocks, to, from + 8, REST);
	}
	munmap(from, PAGE);
	munmap(to, PAGE);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_digests),
		cmocka_unit_test(pieces_of_any_length_give_the_same),
		cmocka_unit_test(every_length_around_a_block_agrees),
		cmocka_unit_test(what_is_hashed_is_what_arrived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
