/* tests/system/stage0_host_kernel.c - a kernel that halts, and what it got. */
#include <string.h>
#include <sys/ioctl.h>

#include "firmware/stage0/s0_fw_cfg.h"
#include "firmware/stage0/s0_map.h"
#include "tests/system/stage0_host.h"
#include "vmm/base/bytes.h"

enum {
	SETUP_LEN = 1024,
	CODE_LEN = 4096,
	KERNEL_AT = S0_LOW_END,
	ENTRY64 = 0x200,
};

/* 24 bytes that are nowhere else. */
static const char secret[] = "a secret, and only once\n";
static const char cmdline[] = "console=ttyS0";

static void make_setup(uint8_t *p)
{
	p[0x1f1] = 1;			      /* setup_sects */
	store_le32(p + 0x1f4, CODE_LEN / 16); /* syssize */
	store_le16(p + 0x1fe, 0xaa55);
	p[0x201] = 0x66; /* the header's end */
	memcpy(p + 0x202, "HdrS", 4);
	store_le16(p + 0x206, 0x20c);
	p[0x211] = 1;			     /* loaded high */
	store_le32(p + 0x22c, 0x7fffffff);   /* initrd_addr_max */
	store_le32(p + 0x230, 0x1000);	     /* kernel_alignment */
	store_le16(p + 0x236, 1);	     /* XLF_KERNEL_64 */
	store_le32(p + 0x238, 255);	     /* cmdline_size */
	store_le64(p + 0x250, 0x600000);     /* setup_data */
	store_le64(p + 0x258, KERNEL_AT);    /* pref_address */
	store_le32(p + 0x260, 2 * CODE_LEN); /* init_size */
}

void offer_kernel(struct host *h)
{
	static uint8_t setup[SETUP_LEN], code[CODE_LEN], initrd[INITRD_LEN];
	static uint8_t sizes[4][4];
	const struct host_item items[ITEMS_MAX] = {
		{S0_FW_CFG_SETUP_SIZE, sizes[0], 4},
		{S0_FW_CFG_SETUP_DATA, setup, sizeof(setup)},
		{S0_FW_CFG_KERNEL_SIZE, sizes[1], 4},
		{S0_FW_CFG_KERNEL_DATA, code, sizeof(code)},
		{S0_FW_CFG_INITRD_SIZE, sizes[2], 4},
		{S0_FW_CFG_INITRD_DATA, initrd, sizeof(initrd)},
		{S0_FW_CFG_CMDLINE_SIZE, sizes[3], 4},
		{S0_FW_CFG_CMDLINE_DATA, (const uint8_t *)cmdline,
		 sizeof(cmdline)},
	};

	make_setup(setup);
	code[ENTRY64] = 0xf4; /* HLT */
	memset(initrd, 0x69, sizeof(initrd));
	for (int i = 0; i < 4; i++)
		store_le32(sizes[i], items[2 * i + 1].len);
	memcpy(h->items, items, sizeof(items));
}

/* As the owner's packet has it (s0_secret.h). */
void put_secret(struct host *h)
{
	static const uint8_t guid[16] = {0x42, 0xf5, 0x74, 0x1e, 0xdd, 0x71,
					 0x66, 0x4d, 0x96, 0x3e, 0xef, 0x42,
					 0x87, 0xff, 0x17, 0x3b};
	uint8_t *p = h->ram + S0_SECRETS;

	memcpy(p, guid, sizeof(guid));
	store_le32(p + 16, 20 + 20 + sizeof(secret));
	memset(p + 20, 0x11, 16);
	store_le32(p + 36, 20 + sizeof(secret));
	memcpy(p + 40, secret, sizeof(secret));
}

static bool all_zeros(const uint8_t *p, size_t len)
{
	return !p[0] && !memcmp(p, p + 1, len - 1);
}

void the_secret_is_in_its_file_only(struct host *h)
{
	const uint8_t *zero_page = h->alias + S0_ZERO_PAGE, *found;
	uint32_t initrd = load_le32(zero_page + 0x218);
	uint32_t len = load_le32(zero_page + 0x21c);
	uint32_t archive = (INITRD_LEN + 3) & ~3u;

	if (initrd > RAM || len > RAM - initrd || len <= archive ||
	    memcmp(h->alias + initrd, h->items[ITEM_INITRD].data, INITRD_LEN) !=
		    0 ||
	    memcmp(h->alias + initrd + archive, "070701", 6) != 0)
		fail(h, "initrd and archive are not there");
	found = memmem(h->alias, RAM, secret, sizeof(secret));
	if (!found || found < h->alias + initrd + archive ||
	    found >= h->alias + initrd + len)
		fail(h, "the secret is not in the archive");
	if (memmem(found + 1, (size_t)(h->alias + RAM - found) - 1, secret,
		   sizeof(secret)))
		fail(h, "the secret is there twice");
	if (h->separate && memmem(h->ram, RAM, secret, sizeof(secret)))
		fail(h, "the host can read the secret");
	if (!all_zeros(h->alias + S0_SECRETS, S0_SECRETS_LEN))
		fail(h, "the table of secrets is not wiped");
}

void linux_was_entered(struct host *h)
{
	const uint8_t *zero_page = h->alias + S0_ZERO_PAGE;
	struct kvm_regs r;
	uint32_t line;

	run(h);
	line = load_le32(zero_page + 0x228);
	need(ioctl(h->vcpu, KVM_GET_REGS, &r), "registers");
	if (!h->halted || h->reason || r.rip != KERNEL_AT + ENTRY64 + 1 ||
	    r.rsi != S0_ZERO_PAGE)
		fail(h, "Linux was not entered");
	if (memcmp(h->alias + KERNEL_AT, h->items[ITEM_CODE].data, CODE_LEN) !=
	    0)
		fail(h, "the kernel is not what was offered");
	if (line > RAM - sizeof(cmdline) ||
	    memcmp(h->alias + line, cmdline, sizeof(cmdline)) != 0)
		fail(h, "the command line is not what was offered");
	if (load_le64(zero_page + 0x250))
		fail(h, "it has a list of setup_data");
}

bool is_reserved(const struct host *h, uint64_t gpa)
{
	const uint8_t *zero_page = h->alias + S0_ZERO_PAGE;

	for (int i = 0; i < zero_page[0x1e8]; i++) {
		const uint8_t *e = zero_page + 0x2d0 + 20 * i;

		if (load_le64(e) == gpa && load_le64(e + 8) == 4096 &&
		    load_le32(e + 16) == 2)
			return true;
	}
	return false;
}
