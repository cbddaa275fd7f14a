/* tests/fake/fake_psp.c */
#include "tests/fake/fake_psp.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crypto/sev_status.h"
#include "vmm/base/bytes.h"

struct fake_psp fake_psp;

void fake_psp_reset(void)
{
	fake_psp = (struct fake_psp){
		.pdh_len = SEV_CERT_LEN,
		.chain_len = SEV_CHAIN_LEN,
		.id_len = 128,
		.state = SEV_PLATFORM_WORKING,
		.build = 24,
		.flags = 0x101,
	};
}

static int refuse_len(uint8_t *c)
{
	store_le32(c + 12, SEV_STATUS_INVALID_LEN);
	errno = EIO;
	return -1;
}

static uint8_t *at(uint64_t p)
{
	return (uint8_t *)(uintptr_t)p;
}

static int platform_status(uint8_t *d)
{
	d[0] = 1;
	d[1] = 55;
	d[2] = fake_psp.state;
	store_le32(d + 3, fake_psp.flags);
	d[7] = fake_psp.build;
	store_le32(d + 8, 3);
	return 0;
}

static int export_certs(uint8_t *c, uint8_t *d)
{
	if (!load_le64(d)) {
		store_le32(d + 8, fake_psp.pdh_len);
		store_le32(d + 20, fake_psp.chain_len);
		return refuse_len(c);
	}
	if (fake_psp.certs) {
		memcpy(at(load_le64(d)), fake_psp.certs, SEV_CERT_LEN);
		memcpy(at(load_le64(d + 12)), fake_psp.certs + SEV_CERT_LEN,
		       SEV_CHAIN_LEN);
		return 0;
	}
	memset(at(load_le64(d)), 0x11, load_le32(d + 8));
	memset(at(load_le64(d + 12)), 0x22, load_le32(d + 20));
	return 0;
}

static int import_certs(const uint8_t *d)
{
	assert(load_le32(d + 8) == SEV_CERT_LEN);
	assert(load_le32(d + 20) == SEV_CERT_LEN);
	fake_psp.first_imported = at(load_le64(d))[8];
	fake_psp.second_imported = at(load_le64(d + 12))[8];
	return 0;
}

/* PEK_CSR, GET_ID2: one buffer of bytes. */
static int one_buffer(uint8_t *c, uint8_t *d, uint32_t len, int byte)
{
	if (!load_le64(d)) {
		store_le32(d + 8, len);
		return refuse_len(c);
	}
	memset(at(load_le64(d)), byte, load_le32(d + 8));
	return 0;
}

static int answer(int fd, unsigned long request, void *arg)
{
	uint8_t *c = arg, *d = at(load_le64(c + 4));
	uint32_t cmd = load_le32(c);

	assert(fd == FAKE_PSP_FD && request == 0xc0105300ul);
	assert(!load_le32(c + 12)); /* the caller zeroes it */
	fake_psp.cmd[fake_psp.n++ % 8] = cmd;
	if ((int)fake_psp.n == fake_psp.fail_at) {
		store_le32(c + 12, fake_psp.status);
		errno = fake_psp.fail_errno;
		return -1;
	}
	switch (cmd) {
	case 1:
		return platform_status(d);
	case 3:
		return one_buffer(c, d, SEV_CERT_LEN, 0xc5);
	case 5:
		return export_certs(c, d);
	case 6:
		return import_certs(d);
	case 8:
		return one_buffer(c, d, fake_psp.id_len, 0x1d);
	default:
		assert(!d);
		return 0;
	}
}

const struct sev_dev fake_psp_dev = {.fd = FAKE_PSP_FD,
				     .writable = true,
				     .is_device = true,
				     .ioctl_fn = answer};
