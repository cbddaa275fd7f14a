/* tests/unit/owner_machine.c - see the header. */
#include "tests/unit/owner_machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/base64.h"
#include "crypto/hash256_openssl.h"
#include "tests/unit/hex.h"
#include "tests/unit/unit.h"
#include "vmm/base/hex.h"

static const char command_line[] = MACHINE_COMMAND_LINE;

int machine_setup(void **state)
{
	struct machine_fixture *f = calloc(1, sizeof(*f));
	uint8_t image[4096], page[4096];

	owner_dir_create(&f->d);
	f->h = hash256_openssl_create();
	count_up(image, sizeof(image), 7);
	memset(page, 0x11, sizeof(page));
	count_up(f->m.tik, 16, 0xb0);
	f->m.in = (struct sev_measure_input){
		.api_major = 1, .api_minor = 55, .build = 21, .policy = 1};
	count_up(f->m.in.mnonce, 16, 0x50);
	f->m.parts[0] = "fw";
	f->m.hashes = true;
	f->o.content.firmware = owner_put(&f->d, "fw", image, sizeof(image));
	f->o.content.kernel = owner_put_text(&f->d, "kernel", "the kernel");
	f->o.content.initrd = owner_put_text(&f->d, "initrd", "the initrd");
	f->o.content.cmdline = command_line;
	owner_put(&f->d, "page0", page, sizeof(page));
	owner_put(&f->d, "page1", image, sizeof(image));
	f->o.tik = owner_put(&f->d, "vm_tik.bin", f->m.tik, 16);
	*state = f;
	return 0;
}

int machine_teardown(void **state)
{
	struct machine_fixture *f = *state;

	owner_dir_destroy(&f->d);
	hash256_destroy(f->h);
	free(f);
	return 0;
}

void machine_hash(struct machine_fixture *f, const char *name, uint8_t *out)
{
	char buf[64];
	size_t n = owner_get(&f->d, name, buf, sizeof(buf));

	assert_int_equal(hash256_of(f->h, buf, n, out), 0);
}

static void launch_hashes(struct machine_fixture *f, uint8_t *table)
{
	uint8_t c[32], i[32], k[32];

	assert_int_equal(
		hash256_of(f->h, command_line, sizeof(command_line), c), 0);
	machine_hash(f, "initrd", i);
	machine_hash(f, "kernel", k);
	sev_kernel_hashes(c, i, k, table);
}

void machine_launch(struct machine_fixture *f)
{
	uint8_t table[SEV_KERNEL_HASHES_LEN], page[4096];

	if (f->m.hashes)
		launch_hashes(f, table);
	for (int i = 0; f->m.parts[i]; i++) {
		size_t n = owner_get(&f->d, f->m.parts[i], page, sizeof(page));

		hash256_update(f->h, page, n);
		if (i == 0 && f->m.hashes)
			hash256_update(f->h, table, sizeof(table));
	}
	assert_int_equal(hash256_finish(f->h, f->m.in.digest), 0);
	memcpy(f->digest, f->m.in.digest, 32);
	assert_int_equal(sev_measure(f->h, f->m.tik, &f->m.in, f->measurement),
			 0);
	memcpy(f->measurement + 32, f->m.in.mnonce, 16);
}

void machine_report(struct machine_fixture *f, const uint8_t *digest)
{
	char m[BASE64_TEXT_LEN(48)], hex[65] = "", json[512];

	base64_encode(f->measurement, 48, m);
	snprintf(
		json, sizeof(json),
		"{\"api_major\":%u,\"api_minor\":%u,\"build\":%u,\"policy\":%u,"
		"\"measurement\":\"%s\"%s%s%s}",
		f->m.in.api_major, f->m.in.api_minor, f->m.in.build,
		f->m.in.policy, m, digest ? ",\"plan_digest\":\"" : "",
		digest ? hex_format(digest, 32, hex) : "", digest ? "\"" : "");
	f->o.report.launch = owner_put_text(&f->d, "launch.json", json);
}

void machine_verified(struct machine_fixture *f)
{
	int r;

	owner_output_clear(&f->d);
	r = owner_verify(&f->o, f->d.out, &f->d.err);

	if (r < 0)
		fail_msg("%s", f->d.err.msg);
	assert_non_null(strstr(owner_output(&f->d), "VERIFIED\n"));
}

void machine_refused(struct machine_fixture *f, int code, enum err_kind kind,
		     const char *says)
{
	owner_output_clear(&f->d);
	owner_assert_err(&f->d, owner_verify(&f->o, f->d.out, &f->d.err), code,
			 kind, says);
	assert_string_equal(owner_output(&f->d), "");
}

void machine_distrusted(struct machine_fixture *f, const char *says)
{
	machine_refused(f, -EKEYREJECTED, ERR_INPUT, says);
	assert_int_equal(owner_mode(&f->d, "vm_tik.bin.used"), -1);
}
