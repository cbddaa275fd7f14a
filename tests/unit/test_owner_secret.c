/*
 * tests/unit/test_owner_secret.c - packets that only the verified launch can
 * open, and requests that make none.
 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "crypto/sev_secret.h"
#include "crypto/sev_secret_area.h"
#include "owner/owner.h"
#include "owner/owner_used.h"
#include "tests/unit/hex.h"
#include "tests/unit/owner_fixture.h"

#define LUKS "736869e5-84f0-4973-92ec-06879ce3da0b"

struct fixture {
	struct owner_dir d;
	struct hash256 *h;
	struct sev_session_keys keys;
	uint8_t measurement[48];
	struct owner_secret_opts o;
	char *secrets[70];
	char texts[70][160];
};

/* Ask for one more secret. */
static void add(struct fixture *f, const char *guid, const char *path)
{
	size_t i = f->o.secrets.n++;

	snprintf(f->texts[i], sizeof(f->texts[i]), "%s:%s", guid, path);
	f->secrets[i] = f->texts[i];
}

/* @area: the launch's "secret", or "". */
static void report(struct fixture *f, const char *area)
{
	char m[BASE64_TEXT_LEN(48)], json[512];

	base64_encode(f->measurement, 48, m);
	snprintf(json, sizeof(json),
		 "{\"api_major\":1,\"api_minor\":55,\"build\":21,\"policy\":1,"
		 "\"measurement\":\"%s\"%s}",
		 m, area);
	f->o.report.launch = owner_put_text(&f->d, "launch.json", json);
}

static void mark(struct fixture *f)
{
	assert_int_equal(
		owner_used_claim(f->h,
				 &(struct owner_use){f->o.tik, f->keys.tik,
						     f->measurement},
				 NULL),
		0);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	owner_dir_create(&f->d);
	f->h = hash256_openssl_create();
	count_up(f->keys.tek, 16, 0xa0);
	count_up(f->keys.tik, 16, 0xb0);
	count_up(f->measurement, 48, 1);
	f->o = (struct owner_secret_opts){
		.tik = owner_put(&f->d, "vm_tik.bin", f->keys.tik, 16),
		.tek = owner_put_base64(&f->d, "vm_tek", f->keys.tek, 16),
		.secrets = {f->secrets, 0},
		.header = owner_path(&f->d, "header.b64"),
		.payload = owner_path(&f->d, "payload.b64"),
	};
	owner_put_text(&f->d, "pass", "MY-LUKS-PASSPHRASE");
	add(f, LUKS, owner_path(&f->d, "pass"));
	report(f, "");
	mark(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	owner_dir_destroy(&f->d);
	hash256_destroy(f->h);
	free(f);
	return 0;
}

static void made(struct fixture *f)
{
	int r = owner_secret(&f->o, f->d.out, &f->d.err);

	if (r < 0)
		fail_msg("%s", f->d.err.msg);
}

static void refused(struct fixture *f, int code, enum err_kind kind,
		    const char *says)
{
	owner_assert_err(&f->d, owner_secret(&f->o, f->d.out, &f->d.err), code,
			 kind, says);
	assert_int_equal(owner_mode(&f->d, "header.b64"), -1);
	assert_int_equal(owner_mode(&f->d, "payload.b64"), -1);
}

/* As the firmware of that launch; returns the length of the area. */
static size_t open_packet(struct fixture *f, uint8_t *area, size_t max)
{
	static char text[BASE64_TEXT_LEN(SEV_SECRET_MAX)];
	static uint8_t payload[SEV_SECRET_MAX];
	uint8_t hdr[SEV_SECRET_HDR_LEN];
	size_t n = owner_get(&f->d, "header.b64", text, sizeof(text)), len;

	assert_int_equal(base64_decode(text, n, hdr, sizeof(hdr), &len), 0);
	assert_int_equal(len, sizeof(hdr));
	n = owner_get(&f->d, "payload.b64", text, sizeof(text));
	assert_int_equal(base64_decode(text, n, payload, sizeof(payload), &len),
			 0);
	assert_true(len <= max);
	assert_int_equal(sev_secret_open(f->h, &f->keys, f->measurement, hdr,
					 payload, len, area, NULL),
			 0);
	return len;
}

static void the_launch_can_open_a_table(void **state)
{
	struct fixture *f = *state;
	struct sev_secret_entry v[SEV_SECRETS_MAX];
	uint8_t area[256], guid[GUID_LEN];
	size_t len, n;

	made(f);
	len = open_packet(f, area, sizeof(area));
	assert_int_equal(len, 64);
	assert_int_equal(sev_secret_table_parse(area, len, v, &n, NULL), 0);
	assert_int_equal(n, 1);
	assert_true(guid_parse(LUKS, guid));
	assert_memory_equal(v[0].guid, guid, GUID_LEN);
	assert_int_equal(v[0].len, 18);
	assert_memory_equal(v[0].data, "MY-LUKS-PASSPHRASE", 18);
}

static void luks_key_is_short_for_its_guid(void **state)
{
	struct fixture *f = *state;
	uint8_t one[256], two[256];

	made(f);
	open_packet(f, one, sizeof(one));
	f->o.secrets.n = 0;
	add(f, "luks-key", owner_path(&f->d, "pass"));
	f->o.force = true;
	made(f);
	open_packet(f, two, sizeof(two));
	assert_memory_equal(one, two, 64);
}

static void a_direct_boot_gets_an_archive(void **state)
{
	struct fixture *f = *state;
	enum sev_secret_format format;
	uint8_t area[1024];
	size_t len;

	report(f, ",\"secret\":{\"format\":\"cpio\",\"size\":4096}");
	made(f);
	len = open_packet(f, area, sizeof(area));
	assert_int_equal(sev_secret_area_guess(area, len, &format), 0);
	assert_int_equal(format, SEV_SECRET_CPIO);
	assert_non_null(memmem(area, len, "MY-LUKS-PASSPHRASE", 18));
	assert_non_null(memmem(area, len, ".coffer/secrets/" LUKS, 52));
}

static void the_other_format_is_refused(void **state)
{
	struct fixture *f = *state;

	report(f, ",\"secret\":{\"format\":\"cpio\",\"size\":4096}");
	f->o.format = "table";
	refused(f, -EINVAL, ERR_USAGE, "this launch takes cpio");
	report(f, ",\"secret\":{\"format\":\"table\",\"size\":4096}");
	f->o.format = "cpio";
	refused(f, -EINVAL, ERR_USAGE, "this launch takes table");
	f->o.format = "tar";
	refused(f, -EINVAL, ERR_USAGE, "expected table or cpio");
	report(f, "");
	f->o.format = "cpio";
	made(f);
}

static void the_area_of_the_launch_bounds_the_packet(void **state)
{
	struct fixture *f = *state;
	static char big[SEV_SECRET_MAX];

	report(f, ",\"secret\":{\"format\":\"table\",\"size\":63}");
	refused(f, -ENOSPC, ERR_INPUT,
		"a packet of 64 bytes, but there is room for 63");
	report(f, "");
	owner_put(&f->d, "pass", big, sizeof(big));
	refused(f, -ENOSPC, ERR_INPUT, "room for 16384");
	owner_put(&f->d, "pass", big, sizeof(big) - 40);
	made(f);
}

static void no_two_packets_are_alike(void **state)
{
	struct fixture *f = *state;
	char one[80], two[80];

	made(f);
	owner_get(&f->d, "header.b64", one, sizeof(one));
	f->o.force = true;
	made(f);
	owner_get(&f->d, "header.b64", two, sizeof(two));
	assert_memory_not_equal(one + 8, two + 8, 16);
}

static void nothing_is_sent_to_an_unverified_launch(void **state)
{
	struct fixture *f = *state;

	f->measurement[47] ^= 1;
	report(f, "");
	refused(f, -EKEYREJECTED, ERR_INPUT, "was used for another launch");
	remove(owner_path(&f->d, "vm_tik.bin.used"));
	refused(f, -EKEYREJECTED, ERR_INPUT, "was not verified");
	f->o.unverified = true;
	made(f);
}

static void wrong_keys_are_named(void **state)
{
	struct fixture *f = *state;

	f->o.tek = f->o.tik;
	refused(f, -EINVAL, ERR_INPUT, "are the same key");
	f->o.tek = owner_path(&f->d, "pass");
	refused(f, -EINVAL, ERR_INPUT, "--tek '");
	f->o.tik = owner_path(&f->d, "launch.json");
	refused(f, -EINVAL, ERR_INPUT, "looks like JSON");
}

static void wrong_secrets_are_named(void **state)
{
	static const char *const bad[] = {"luks-key", "luks-key:", "luks:x",
					  ":x",	      LUKS "0:x",  LUKS "-x:y"};
	struct fixture *f = *state;
	const char *pass = owner_path(&f->d, "pass");

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		snprintf(f->texts[0], sizeof(f->texts[0]), "%s", bad[i]);
		refused(f, -EINVAL, ERR_USAGE, bad[i]);
	}
	f->o.secrets.n = 0;
	add(f, LUKS, owner_path(&f->d, "none"));
	refused(f, -ENOENT, ERR_INPUT, "does not exist");
	f->o.secrets.n = 0;
	add(f, LUKS, owner_put(&f->d, "empty", "", 0));
	refused(f, -ENODATA, ERR_INPUT, "is empty");
	f->o.secrets.n = 0;
	add(f, LUKS, owner_path(&f->d, "pass"));
	add(f, "luks-key", owner_path(&f->d, "pass"));
	refused(f, -EINVAL, ERR_USAGE, "is given twice");
	f->o.secrets.n = 0;
	for (unsigned int i = 1; i <= 65; i++) {
		char guid[37];

		snprintf(guid, sizeof(guid), "%08x-0000-0000-0000-000000000000",
			 i);
		add(f, guid, pass);
	}
	refused(f, -EINVAL, ERR_USAGE, "at most 64");
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(the_launch_can_open_a_table),
		CASE(luks_key_is_short_for_its_guid),
		CASE(a_direct_boot_gets_an_archive),
		CASE(the_other_format_is_refused),
		CASE(the_area_of_the_launch_bounds_the_packet),
		CASE(no_two_packets_are_alike),
		CASE(nothing_is_sent_to_an_unverified_launch),
		CASE(wrong_keys_are_named),
		CASE(wrong_secrets_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
