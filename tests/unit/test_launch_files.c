/* tests/unit/test_launch_files.c - what owners give, right and wrong. */
#include "vmm/launch_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "crypto/base64.h"
#include "tests/unit/unit.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/config_devices.h"

static char dir[] = "/tmp/coffer-test-XXXXXX";
static char cert_path[64], session_path[64];

static void put(const char *path, const void *data, size_t len)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	close(fd);
}

/* A Diffie-Hellman certificate with a key that is no point: not looked at. */
static void make_cert(uint8_t out[static SEV_CERT_LEN], enum sev_usage usage)
{
	struct sev_cert c;

	sev_cert_init(&c, usage,
		      usage == SEV_USAGE_PDH ? SEV_ALGO_ECDH_SHA256
					     : SEV_ALGO_ECDSA_SHA256);
	store_le32(c.key, SEV_CURVE_P384);
	sev_cert_serialise(&c, out);
}

static void put_base64(const char *path, const void *data, size_t len)
{
	char text[BASE64_TEXT_LEN(SEV_CERT_LEN)];

	base64_encode(data, len, text);
	put(path, text, strlen(text));
}

static int setup(void **state)
{
	uint8_t cert[SEV_CERT_LEN], session[SEV_SESSION_LEN];

	(void)state;
	snprintf(cert_path, sizeof(cert_path), "%s/godh", dir);
	snprintf(session_path, sizeof(session_path), "%s/session", dir);
	make_cert(cert, SEV_USAGE_PDH);
	memset(session, 7, sizeof(session));
	put_base64(cert_path, cert, sizeof(cert));
	put_base64(session_path, session, sizeof(session));
	return 0;
}

static struct devices_config config(void)
{
	return (struct devices_config){
		.sev = {.dh_cert = cert_path, .session = session_path}};
}

static void base64_and_raw_bytes_are_told_apart_by_content(void **state)
{
	struct devices_config c = config();
	struct launch_files f;
	uint8_t cert[SEV_CERT_LEN], session[SEV_SESSION_LEN];

	(void)state;
	assert_int_equal(launch_files_load(&c, &f, NULL), 0);
	assert_true(f.attested);
	assert_false(f.expects);
	assert_int_equal(f.session[127], 7);
	make_cert(cert, SEV_USAGE_PDH);
	assert_memory_equal(f.dh_cert, cert, sizeof(cert));
	memset(session, 8, sizeof(session));
	put(cert_path, cert, sizeof(cert));
	put(session_path, session, sizeof(session));
	assert_int_equal(launch_files_load(&c, &f, NULL), 0);
	assert_int_equal(f.session[127], 8);
}

static void refused(const struct devices_config *c, const char *why)
{
	struct launch_files f;
	struct err e = {0};

	assert_true(launch_files_load(c, &f, &e) < 0);
	assert_int_equal(e.kind, ERR_INPUT);
	if (!strstr(e.msg, why))
		fail_msg("'%s' is not in: %s", why, e.msg);
}

static void what_is_not_a_session_of_ours_is_refused_with_a_reason(void **state)
{
	struct devices_config c = config();
	uint8_t cert[SEV_CERT_LEN];
	char big[20000];

	(void)state;
	c.sev.dh_cert = session_path; /* swapped */
	c.sev.session = cert_path;
	refused(&c, "swapped");
	c = config();
	make_cert(cert, SEV_USAGE_PEK);
	put(cert_path, cert, sizeof(cert));
	refused(&c, "a PEK certificate");
	make_cert(cert, SEV_USAGE_PDH);
	store_le32(cert + 16, SEV_CURVE_P256);
	put(cert_path, cert, sizeof(cert));
	refused(&c, "P-384");
	put(cert_path, cert, sizeof(cert) - 1);
	refused(&c, "2083 bytes");
	put(cert_path, big, 0);
	refused(&c, "empty");
	memset(big, 'A', sizeof(big));
	put(cert_path, big, sizeof(big));
	refused(&c, "longer");
	setup(NULL);
	put(session_path, "0123456789abcdef", 16);
	refused(&c, "TIK");
	setup(NULL);
	memset(cert, 0xff, sizeof(cert));
	put(cert_path, cert, sizeof(cert));
	refused(&c, "dh-cert");
	c.sev.session = dir;
	setup(NULL);
	refused(&c, "session");
	c.sev.session = "/nonexistent";
	refused(&c, "/nonexistent");
}

static void a_digest_is_given_itself_or_in_a_file(void **state)
{
	char text[] = "00112233445566778899aabbccddeeff"
		      "00112233445566778899AABBCCDDEEFF  plan\n";
	char path[64];
	struct devices_config c = {.expect = path};
	struct launch_files f;

	(void)state;
	snprintf(path, sizeof(path), "%s/digest", dir);
	put(path, text, strlen(text));
	assert_int_equal(launch_files_load(&c, &f, NULL), 0);
	assert_true(f.expects);
	assert_int_equal(f.expect[31], 0xff);
	text[64] = 0;
	c.expect = text;
	assert_int_equal(launch_files_load(&c, &f, NULL), 0);
	assert_int_equal(f.expect[1], 0x11);
	c.expect = path;
	text[63] = 'g';
	put(path, text, strlen(text));
	refused(&c, "64 hexadecimal digits");
	put(path, text, 63);
	refused(&c, "64 hexadecimal digits");
	put(path,
	    "00112233445566778899aabbccddeeff00112233445566778899aabbccdd"
	    "eeff0",
	    65);
	refused(&c, "64 hexadecimal digits");
}

#define T(fn) cmocka_unit_test_setup(fn, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(base64_and_raw_bytes_are_told_apart_by_content),
		T(what_is_not_a_session_of_ours_is_refused_with_a_reason),
		T(a_digest_is_given_itself_or_in_a_file),
	};
	char cmd[64];
	int r;

	if (!mkdtemp(dir))
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	return system(cmd) || r;
}
