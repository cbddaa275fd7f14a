/*
 * tests/unit/test_sev_secret.c - secret packets, GUIDs, and both forms of the
 * area that secrets lie in.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/sev_secret.h"
#include "crypto/sev_secret_area.h"
#include "tests/unit/hex.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

static const char luks_key[] = "736869e5-84f0-4973-92ec-06879ce3da0b";

static int setup(void **state)
{
	*state = hash256_openssl_create();
	return *state ? 0 : -1;
}

static int teardown(void **state)
{
	hash256_destroy(*state);
	return 0;
}

static struct sev_secret_entry entry(const char *guid, const void *data,
				     size_t len)
{
	struct sev_secret_entry e = {.data = data, .len = len};

	assert_true(guid_parse(guid, e.guid));
	return e;
}

static void a_guid_is_mixed_endian_in_memory(void **state)
{
	uint8_t guid[GUID_LEN];
	char text[GUID_TEXT_LEN];

	(void)state;
	assert_true(guid_parse("736869E5-84f0-4973-92ec-06879ce3DA0B", guid));
	assert_hex(guid, "e5696873f084734992ec06879ce3da0b");
	assert_string_equal(guid_format(guid, text), luks_key);
}

static void what_is_no_guid_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"luks-key",
		"736869e5-84f0-4973-92ec-06879ce3da0",
		"736869e5-84f0-4973-92ec-06879ce3da0b0",
		"736869e5-84f0-4973-92ec-06879ce3da0g",
		"736869e5984f0-4973-92ec-06879ce3da0b",
		"736869e5-84f0-4973-92ec--6879ce3da0b",
		"{36869e5-84f0-4973-92ec-06879ce3da0}",
	};
	uint8_t guid[GUID_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(guid_parse(bad[i], guid));
}

/* The packet of one secret, for the launch that measured @measure. */
struct packet {
	struct sev_session_keys keys;
	uint8_t measure[SEV_MEASURE_LEN], iv[SEV_NONCE_LEN];
	uint8_t area[128], hdr[SEV_SECRET_HDR_LEN], payload[128];
	size_t len;
};

static void known_packet(struct hash256 *h, struct packet *p)
{
	struct sev_secret_entry e = entry(luks_key, "hunter2-hunter2", 16);

	count_up(p->keys.tek, 16, 0xa0);
	count_up(p->keys.tik, 16, 0xb0);
	count_up(p->iv, 16, 0x70);
	unhex("1728ff67ab247f7c6d9274d3fe3fa4ea3a546762d04755333ac84d0b3bc0edc"
	      "7",
	      p->measure, 32);
	assert_int_equal(sev_secret_area_build(SEV_SECRET_TABLE, &e, 1, p->area,
					       sizeof(p->area), &p->len, NULL),
			 0);
	assert_int_equal(sev_secret_seal(h, &p->keys, p->measure, p->iv,
					 p->area, p->len, p->hdr, p->payload),
			 0);
}

static void a_packet_is_sealed_to_the_known_bytes(void **state)
{
	struct packet p;

	known_packet(*state, &p);
	assert_int_equal(p.len, 64);
	assert_hex(p.area, "42f5741edd71664d963eef4287ff173b38000000e5696873f08"
			   "4734992ec06879ce3da0b2400000068756e746572322d68756e"
			   "74657232000000000000000000");
	assert_hex(p.payload,
		   "6ae1c204ccc65d1fd3b847c97eee19cbca03738ba1e128f1866a6a5cb65"
		   "7df98e1eb9405fcb89e0d821cf8cbfa415e688290c09e0590cd6be58059"
		   "3cd8be598a");
	assert_hex(p.hdr, "00000000707172737475767778797a7b7c7d7e7fe85ee411bbb3"
			  "0f7e47dafdeeed2faef470f294a781f6867af2189b52f71a18e"
			  "b");
}

/* What sevctl's own test expects of `sevctl secret build`. */
static void the_packet_is_that_of_sevctl(void **state)
{
	const char *iv64 = "rFR07U3TLH2YnsUj2SVZ7A==";
	const char *m64 = "TLeA7607lZQntLjRY1/i+sbtdSZ+75zxpz4Px9hzpBLwItF5Q2o4"
			  "prA++3ZZv9ZS";
	struct sev_secret_entry e = entry(luks_key, "MY-LUKS-PASSPHRASE", 18);
	struct sev_session_keys keys;
	uint8_t measurement[48], iv[16], area[64], hdr[52], payload[64];
	char text[BASE64_TEXT_LEN(64)];
	size_t n;

	unhex("c6d5a9956133050912b24bbe5c372686", keys.tik, 16);
	unhex("52a869b79ab9c13bb6a92b0561619cb3", keys.tek, 16);
	assert_int_equal(base64_decode(iv64, strlen(iv64), iv, 16, &n), 0);
	assert_int_equal(base64_decode(m64, strlen(m64), measurement, 48, &n),
			 0);
	assert_int_equal(sev_secret_area_build(SEV_SECRET_TABLE, &e, 1, area,
					       64, &n, NULL),
			 0);
	assert_int_equal(sev_secret_seal(*state, &keys, measurement, iv, area,
					 n, hdr, payload),
			 0);
	base64_encode(hdr, 52, text);
	assert_string_equal(text, "AAAAAKxUdO1N0yx9mJ7FI9klWey8FSzeYQ4X8K71VzNK"
				  "LU/KQsIsQxLjtbhaPUewqshX5Q==");
	base64_encode(payload, n, text);
	assert_string_equal(text,
			    "0U3e5PcXv0UW+H4tSBFKOdCYfKE1+j38Bc2fuO16mYiyI+sWx7"
			    "INfn+lgYj56GL12yyinDa+lVfCCwD/2w5cPA==");
}

static void firmware_opens_what_the_owner_sealed(void **state)
{
	uint8_t plain[128];
	struct packet p;

	known_packet(*state, &p);
	assert_int_equal(sev_secret_open(*state, &p.keys, p.measure, p.hdr,
					 p.payload, p.len, plain, NULL),
			 0);
	assert_memory_equal(plain, p.area, p.len);
}

static void packet_refused(struct hash256 *h, const struct packet *p, int code)
{
	uint8_t plain[128] = {0xee};

	assert_int_equal(sev_secret_open(h, &p->keys, p->measure, p->hdr,
					 p->payload, p->len, plain, NULL),
			 code);
	assert_int_equal(plain[0], 0xee);
}

static void a_packet_is_bound_to_all_it_belongs_to(void **state)
{
	struct packet p;

	known_packet(*state, &p);
	for (size_t i = 0; i < sizeof(p.measure); i++) {
		p.measure[i] ^= 1;
		packet_refused(*state, &p, -EBADMSG);
		p.measure[i] ^= 1;
	}
	for (size_t i = 0; i < sizeof(p.hdr); i++) {
		p.hdr[i] ^= 1;
		packet_refused(*state, &p, i < 4 ? -EINVAL : -EBADMSG);
		p.hdr[i] ^= 1;
	}
	for (size_t i = 0; i < p.len; i++) {
		p.payload[i] ^= 1;
		packet_refused(*state, &p, -EBADMSG);
		p.payload[i] ^= 1;
	}
	p.keys.tik[0] ^= 1;
	packet_refused(*state, &p, -EBADMSG);
	p.keys.tik[0] ^= 1;
	p.len -= 16;
	packet_refused(*state, &p, -EBADMSG);
	p.len -= 8;
	packet_refused(*state, &p, -EINVAL);
}

static void payloads_are_whole_blocks_of_at_most_16_kib(void **state)
{
	static uint8_t big[SEV_SECRET_MAX + 16], out[SEV_SECRET_MAX + 16];
	struct sev_session_keys keys = {0};
	uint8_t hdr[52], measure[32] = {0}, iv[16] = {0};
	static const size_t bad[] = {0, 1, 15, 17, SEV_SECRET_MAX + 16};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};

		assert_int_equal(sev_secret_check_len(bad[i], &err), -EINVAL);
		assert_int_equal(err.kind, ERR_INPUT);
		assert_int_equal(sev_secret_seal(*state, &keys, measure, iv,
						 big, bad[i], hdr, out),
				 -EINVAL);
	}
	assert_int_equal(sev_secret_seal(*state, &keys, measure, iv, big,
					 SEV_SECRET_MAX, hdr, out),
			 0);
}

static void a_table_holds_several_secrets(void **state)
{
	struct sev_secret_entry v[3] = {
		entry(luks_key, "abc", 3),
		entry("00000000-0000-0000-0000-000000000001", "", 0),
		entry("11111111-2222-3333-4444-555555555555", "0123456789", 10),
	};
	struct sev_secret_entry back[SEV_SECRETS_MAX];
	uint8_t area[128];
	size_t len, n;

	(void)state;
	memset(area, 0xee, sizeof(area));
	assert_int_equal(sev_secret_area_build(SEV_SECRET_TABLE, v, 3, area,
					       sizeof(area), &len, NULL),
			 0);
	assert_int_equal(load_le32(area + 16), 20 * 4 + 13);
	assert_int_equal(len, 96);
	assert_int_equal(sev_secret_table_parse(area, len, back, &n, NULL), 0);
	assert_int_equal(n, 3);
	for (size_t i = 0; i < n; i++) {
		assert_memory_equal(back[i].guid, v[i].guid, GUID_LEN);
		assert_int_equal(back[i].len, v[i].len);
		assert_memory_equal(back[i].data, v[i].data, v[i].len);
	}
}

static void broken_tables_are_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t v;
	} bad[] = {
		{0, 0},		  {16, 0},	    {16, 19}, {16, 65},
		{16, UINT32_MAX}, {16, 39},	    {36, 19}, {36, 0},
		{36, 44},	  {36, UINT32_MAX}, {60, 1},
	};
	struct sev_secret_entry back[SEV_SECRETS_MAX];
	struct packet p;
	size_t n;

	known_packet(*state, &p);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		uint8_t area[64];
		struct err err = {0};

		memcpy(area, p.area, 64);
		store_le32(area + bad[i].at, bad[i].v);
		assert_int_equal(
			sev_secret_table_parse(area, 64, back, &n, &err),
			-EINVAL);
		assert_int_equal(err.kind, ERR_INPUT);
	}
	for (size_t len = 0; len < 56; len++)
		assert_int_equal(
			sev_secret_table_parse(p.area, len, back, &n, NULL),
			-EINVAL);
	assert_int_equal(sev_secret_table_parse(p.area, 56, back, &n, NULL), 0);
}

static void a_table_of_more_than_64_entries_is_refused(void **state)
{
	struct sev_secret_entry back[SEV_SECRETS_MAX];
	uint8_t area[20 * 66] = {0};
	struct packet p;
	size_t n;

	known_packet(*state, &p);
	memcpy(area, p.area, 16);
	for (size_t i = 0; i < 65; i++)
		store_le32(area + 20 + 20 * i + 16, 20);
	store_le32(area + 16, 20 * 65);
	assert_int_equal(sev_secret_table_parse(area, 1300, back, &n, NULL), 0);
	assert_int_equal(n, 64);
	store_le32(area + 16, 20 * 66);
	assert_int_equal(
		sev_secret_table_parse(area, sizeof(area), back, &n, NULL),
		-EINVAL);
}

/* The value of a newc header's field: 8 hexadecimal digits. */
static unsigned int field(const uint8_t *p, unsigned int i)
{
	char text[9] = "", *end;
	unsigned long v;

	memcpy(text, p + 6 + 8 * (size_t)i, 8);
	v = strtoul(text, &end, 16);
	assert_ptr_equal(end, text + 8);
	return (unsigned int)v;
}

static void an_archive_has_directories_files_and_an_end(void **state)
{
	static const struct {
		const char *name;
		unsigned int mode;
		size_t size;
	} want[] = {
		{".coffer", 0040700, 0},
		{".coffer/secrets", 0040700, 0},
		{".coffer/secrets/736869e5-84f0-4973-92ec-06879ce3da0b",
		 0100400, 7},
		{"TRAILER!!!", 0, 0},
	};
	struct sev_secret_entry e = entry(luks_key, "hunter2", 7);
	uint8_t area[1024];
	size_t len, at = 0;

	(void)state;
	memset(area, 0xee, sizeof(area));
	assert_int_equal(sev_secret_area_build(SEV_SECRET_CPIO, &e, 1, area,
					       sizeof(area), &len, NULL),
			 0);
	assert_int_equal(len % 16, 0);
	for (size_t i = 0; i < ARRAY_SIZE(want); i++) {
		const uint8_t *p = area + at;

		assert_memory_equal(p, "070701", 6);
		assert_int_equal(field(p, 1), want[i].mode);
		assert_int_equal(field(p, 6), want[i].size);
		assert_int_equal(field(p, 11), strlen(want[i].name) + 1);
		assert_string_equal((const char *)p + 110, want[i].name);
		at += (110 + strlen(want[i].name) + 1 + 3) & ~(size_t)3;
		if (want[i].size)
			assert_memory_equal(area + at, "hunter2", 7);
		at += (want[i].size + 3) & ~(size_t)3;
	}
	for (; at < len; at++)
		assert_int_equal(area[at], 0);
	assert_int_equal(area[len], 0xee);
}

static void what_does_not_fit_is_refused_untouched(void **state)
{
	static uint8_t big[SEV_SECRET_MAX + 1];
	static uint8_t area[SEV_SECRET_MAX + 64];
	struct sev_secret_entry e = entry(luks_key, big, 24);
	size_t len = 0;

	(void)state;
	memset(area, 0xee, sizeof(area));
	for (unsigned int f = SEV_SECRET_TABLE; f <= SEV_SECRET_CPIO; f++) {
		struct err err = {0};

		assert_int_equal(
			sev_secret_area_build(f, &e, 1, area, 48, &len, &err),
			-ENOSPC);
		assert_non_null(strstr(err.msg, "48"));
		assert_int_equal(area[48], 0xee);
	}
	assert_int_equal(sev_secret_area_build(SEV_SECRET_TABLE, &e, 1, area,
					       64, &len, NULL),
			 0);
	e.len = SEV_SECRET_MAX - 40;
	assert_int_equal(sev_secret_area_build(SEV_SECRET_TABLE, &e, 1, area,
					       sizeof(area), &len, NULL),
			 0);
	assert_int_equal(len, SEV_SECRET_MAX);
	for (size_t more = 1; more < 42; more += 40) {
		e.len = SEV_SECRET_MAX - 40 + more;
		assert_int_equal(sev_secret_area_build(SEV_SECRET_TABLE, &e, 1,
						       area, sizeof(area), &len,
						       NULL),
				 -ENOSPC);
	}
}

static void nonsense_in_a_list_of_secrets_is_refused(void **state)
{
	struct sev_secret_entry v[SEV_SECRETS_MAX + 1] = {{{0}, "", 0}};
	uint8_t area[64];
	struct err err = {0};
	size_t len;

	(void)state;
	assert_int_equal(sev_secret_area_build(SEV_SECRET_TABLE, v, 0, area, 64,
					       &len, &err),
			 -EINVAL);
	assert_int_equal(sev_secret_area_build(SEV_SECRET_TABLE, v, 65, area,
					       64, &len, &err),
			 -EINVAL);
	assert_int_equal(sev_secret_area_build(SEV_SECRET_CPIO, v, 1, area, 64,
					       &len, &err),
			 -EINVAL);
	assert_non_null(strstr(err.msg, "zeros"));
	v[0] = v[1] = entry(luks_key, "", 0);
	assert_int_equal(sev_secret_area_build(SEV_SECRET_CPIO, v, 2, area, 64,
					       &len, &err),
			 -EINVAL);
	assert_int_equal(err.kind, ERR_USAGE);
	assert_non_null(strstr(err.msg, luks_key));
}

static void forms_are_told_apart(void **state)
{
	struct sev_secret_entry e = entry(luks_key, "x", 1);
	enum sev_secret_format f;
	uint8_t area[1024];
	size_t len;

	(void)state;
	for (unsigned int want = SEV_SECRET_TABLE; want <= SEV_SECRET_CPIO;
	     want++) {
		assert_int_equal(sev_secret_area_build(want, &e, 1, area, 1024,
						       &len, NULL),
				 0);
		assert_int_equal(sev_secret_area_guess(area, len, &f), 0);
		assert_int_equal(f, want);
	}
	assert_int_equal(sev_secret_area_guess(area, 109, &f), -EINVAL);
	assert_int_equal(sev_secret_area_guess("hello, world....", 16, &f),
			 -EINVAL);
	assert_string_equal(sev_secret_format_name(SEV_SECRET_TABLE), "table");
	assert_string_equal(sev_secret_format_name(SEV_SECRET_CPIO), "cpio");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guid_is_mixed_endian_in_memory),
		cmocka_unit_test(what_is_no_guid_is_refused),
		cmocka_unit_test(a_packet_is_sealed_to_the_known_bytes),
		cmocka_unit_test(the_packet_is_that_of_sevctl),
		cmocka_unit_test(firmware_opens_what_the_owner_sealed),
		cmocka_unit_test(a_packet_is_bound_to_all_it_belongs_to),
		cmocka_unit_test(payloads_are_whole_blocks_of_at_most_16_kib),
		cmocka_unit_test(a_table_holds_several_secrets),
		cmocka_unit_test(broken_tables_are_refused),
		cmocka_unit_test(a_table_of_more_than_64_entries_is_refused),
		cmocka_unit_test(an_archive_has_directories_files_and_an_end),
		cmocka_unit_test(what_does_not_fit_is_refused_untouched),
		cmocka_unit_test(nonsense_in_a_list_of_secrets_is_refused),
		cmocka_unit_test(forms_are_told_apart),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
