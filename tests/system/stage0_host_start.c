/* tests/system/stage0_host_start.c - cases with a kernel: one that halts. */
#include "tests/system/stage0_host.h"

#include <string.h>

#include "firmware/stage0/s0_map.h"
#include "firmware/stage0/s0_sev.h"
#include "firmware/stage0_reason.h"
#include "vmm/base/bytes.h"

static void starts(struct host *h, const char *image)
{
	h->separate = h->status & SEV_STATUS_SEV;
	offer_kernel(h);
	start(h, image);
	put_hashes(h);
	put_secret(h);
	linux_was_entered(h);
	the_secret_is_in_its_file_only(h);
	only_the_shared_page_was_given_away(h);
	if (!strstr(h->text, "those that were measured"))
		fail(h, "it was not verified");
}

void plain_start(struct host *h, const char *image)
{
	starts(h, image);
	if (is_reserved(h, S0_JUMP_TABLE))
		fail(h, "a page is lost");
}

void sev_start(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	starts(h, image);
}

void sev_es_start(struct host *h, const char *image)
{
	const uint8_t *ghcb;

	h->status = SEV_STATUS_SEV | SEV_STATUS_ES;
	h->c_bit = UINT32_MAX;
	h->ghcb_answer =
		UINT64_C(2) << 48 | UINT64_C(1) << 32 | GHCB_MSR_INFO_RESP;
	starts(h, image);
	ghcb = h->ram + S0_GHCB;
	if (load_le64(ghcb + 0x390) != 0x80000005 ||
	    load_le64(ghcb + 0x398) != 0 ||
	    load_le64(ghcb + 0x3a0) != S0_JUMP_TABLE)
		fail(h, "the host does not know the APs' jump table");
	if (!is_reserved(h, S0_JUMP_TABLE) ||
	    load_le32(h->alias + S0_JUMP_TABLE) ||
	    load_le32(h->alias + S0_JUMP_TABLE + JUMP_TABLE_READY_OFF) !=
		    JUMP_TABLE_READY)
		fail(h, "the APs' jump table is not ready");
}

/* Something else than what was hashed; @item is what changed. */
static void changed(struct host *h, const char *image, int item,
		    uint32_t reason)
{
	static uint8_t other[INITRD_LEN];

	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	offer_kernel(h);
	start(h, image);
	put_hashes(h);
	put_secret(h);
	memcpy(other, h->items[item].data, h->items[item].len);
	other[h->items[item].len - 2] ^= 1;
	h->items[item].data = other;
	stops(h, reason, true);
}

void sev_with_another_setup_part(struct host *h, const char *image)
{
	changed(h, image, ITEM_SETUP, STAGE0_KERNEL_HASH);
}

void sev_with_another_kernel(struct host *h, const char *image)
{
	changed(h, image, ITEM_CODE, STAGE0_KERNEL_HASH);
}

void sev_with_another_initrd(struct host *h, const char *image)
{
	changed(h, image, ITEM_INITRD, STAGE0_INITRD_HASH);
}

void sev_with_another_command_line(struct host *h, const char *image)
{
	changed(h, image, ITEM_CMDLINE, STAGE0_CMDLINE_HASH);
}

/* All 32 bytes of a hash are compared. */
void sev_with_a_hash_that_ends_otherwise(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	offer_kernel(h);
	start(h, image);
	put_hashes(h);
	h->ram[S0_HASHES + 18 + 3 * 50 - 1] ^= 1;
	stops(h, STAGE0_KERNEL_HASH, true);
}

/* @item and its size are others, and were measured so. */
static void offers(struct host *h, const char *image, int item,
		   const uint8_t *data, uint32_t len, uint32_t reason)
{
	static uint8_t size[4];

	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	offer_kernel(h);
	store_le32(size, len);
	h->items[item].data = data;
	h->items[item].len = len;
	h->items[item - 1].data = size;
	start(h, image);
	put_hashes(h);
	stops(h, reason, true);
}

void sev_with_a_long_setup_part(struct host *h, const char *image)
{
	static uint8_t setup[S0_SETUP_MAX + 1];

	offers(h, image, ITEM_SETUP, setup, sizeof(setup),
	       STAGE0_KERNEL_HEADER);
}

void sev_with_a_long_command_line(struct host *h, const char *image)
{
	static uint8_t line[S0_CMDLINE_MAX + S0_IMAGE_LEN];

	memset(line, 0xf4, sizeof(line)); /* HLT, if it reached stage0 */
	offers(h, image, ITEM_CMDLINE, line, sizeof(line), STAGE0_CMDLINE);
}

/* The kernel takes 255 bytes. */
void sev_with_a_line_too_long_for_the_kernel(struct host *h, const char *image)
{
	static uint8_t line[257];

	memset(line, 'a', sizeof(line) - 1);
	offers(h, image, ITEM_CMDLINE, line, sizeof(line), STAGE0_CMDLINE);
}

void sev_with_a_line_without_end(struct host *h, const char *image)
{
	offers(h, image, ITEM_CMDLINE, (const uint8_t *)"quiet", 5,
	       STAGE0_CMDLINE);
}
