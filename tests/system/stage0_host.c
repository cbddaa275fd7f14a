/*
 * tests/system/stage0_host.c - a host for stage0 that says what the test wants:
 * that SEV or SEV-ES is active, where the C-bit is, what CPUID holds.
 *
 *   stage0_host IMAGE CASE    ("list" prints the cases)
 *
 * Exit status 0 passed, 1 failed, 77 skipped: no KVM that can do it. Nothing is
 * encrypted: RAM is mapped a second time where the C-bit leads, and the MSRs of
 * SEV exit to this program. Instructions raise no #VC; the GHCB's MSR protocol,
 * which comes before, is real. Most cases have a fw_cfg without a kernel: a
 * start that goes well ends with that reason. Others have one that halts.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "firmware/stage0/s0_fw_cfg.h"
#include "firmware/stage0/s0_map.h"
#include "firmware/stage0/s0_ram.h"
#include "firmware/stage0/s0_sev.h"
#include "firmware/stage0_reason.h"
#include "tests/system/stage0_host.h"
#include "vmm/base/bytes.h"

void stops(struct host *h, uint32_t reason, bool in_words)
{
	run(h);
	if (h->reason != reason || !h->halted)
		fail(h, "another end was expected");
	if (in_words && !strstr(h->text, stage0_reason_words(reason)))
		fail(h, "there are no words");
}

static void terminates(struct host *h, uint32_t reason)
{
	run(h);
	if (h->term !=
	    ((uint64_t)reason << 16 | GHCB_TERM_SET << 12 | GHCB_MSR_TERM_REQ))
		fail(h, "another termination was expected");
}

void only_the_shared_page_was_given_away(struct host *h)
{
	if (h->dma_lowest < S0_SHARED ||
	    h->dma_highest > S0_SHARED + S0_SHARED_LEN)
		fail(h, "the device was led to private memory");
}

/* At the reset block of the APs, in real mode, as a VMSA sets it up. */
static void at_ap_reset(struct host *h, const char *image)
{
	struct kvm_sregs s;
	struct kvm_regs r;
	uint8_t *rom;

	start(h, image);
	rom = pages(S0_IMAGE_LEN);
	read_image(h, image, rom);
	/* last before the table's own entry: 18 + 22 bytes before its end */
	uint32_t reset = load_le32(rom + S0_IMAGE_LEN - 32 - 18 - 22);

	need(ioctl(h->vcpu, KVM_GET_SREGS, &s), "registers");
	need(ioctl(h->vcpu, KVM_GET_REGS, &r), "registers");
	s.cs.base = reset & 0xffff0000;
	r.rip = reset & 0xffff;
	need(ioctl(h->vcpu, KVM_SET_SREGS, &s), "registers");
	need(ioctl(h->vcpu, KVM_SET_REGS, &r), "registers");
	h->ram[AP_TARGET] = 0xf4; /* HLT */
}

static void fill_jump_table(struct host *h)
{
	store_le16(h->ram + S0_JUMP_TABLE, AP_TARGET & 0xf);
	store_le16(h->ram + S0_JUMP_TABLE + 2, AP_TARGET >> 4);
	store_le32(h->ram + S0_JUMP_TABLE + JUMP_TABLE_READY_OFF,
		   JUMP_TABLE_READY);
}

static void is_at_target(struct host *h)
{
	struct kvm_sregs s;

	run(h);
	need(ioctl(h->vcpu, KVM_GET_SREGS, &s), "registers");
	if (!h->halted || s.cs.base != AP_TARGET)
		fail(h, "the AP is not where the jump table says");
}

/* --- cases -------------------------------------------------------------- */

static void plain(struct host *h, const char *image)
{
	start(h, image);
	stops(h, STAGE0_NO_KERNEL, true);
}

static void no_sev_msr(struct host *h, const char *image)
{
	h->status = UINT64_MAX;
	start(h, image);
	stops(h, STAGE0_NO_KERNEL, true);
}

static void sev(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	start(h, image);
	put_hashes(h);
	stops(h, STAGE0_NO_KERNEL, true);
	only_the_shared_page_was_given_away(h);
}

static void sev_without_hashes(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	start(h, image);
	stops(h, STAGE0_HASHES_MISSING, true);
}

/* Without its last entry, and shorter by as much. */
static void sev_with_a_cut_table_of_hashes(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	start(h, image);
	put_hashes(h);
	store_le16(h->ram + S0_HASHES + 16, 118);
	memset(h->ram + S0_HASHES + 118, 0, 50);
	stops(h, STAGE0_HASHES_INCOMPLETE, true);
}

/* The same bytes, but a length that was left as it is. */
static void sev_with_a_table_of_hashes_that_lies(struct host *h,
						 const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	start(h, image);
	put_hashes(h);
	memset(h->ram + S0_HASHES + 118, 0, 50);
	stops(h, STAGE0_HASHES_MALFORMED, true);
}

static void sev_with_e820_file(struct host *h, const char *image,
			       const uint8_t *file, uint32_t len,
			       uint32_t reason)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	h->e820 = file;
	h->e820_len = len;
	start(h, image);
	put_hashes(h);
	stops(h, reason, true);
	only_the_shared_page_was_given_away(h);
}

static void sev_with_e820(struct host *h, const char *image, uint64_t ram,
			  uint32_t reason)
{
	uint8_t e820[20] = {0};

	store_le64(e820 + 8, ram);
	store_le32(e820 + 16, 1); /* RAM, from 0 on */
	sev_with_e820_file(h, image, e820, sizeof(e820), reason);
}

/* CMOS always says RAM, which is true. */
static void sev_with_the_ram_that_there_is(struct host *h, const char *image)
{
	sev_with_e820(h, image, RAM, STAGE0_NO_KERNEL);
}

static void sev_with_little_ram(struct host *h, const char *image)
{
	sev_with_e820(h, image, 2 << 20, STAGE0_RAM_SMALL);
}

static void sev_with_an_endless_e820(struct host *h, const char *image)
{
	static const uint8_t e820[S0_RAM_FILE_MAX + S0_RAM_ENTRY_LEN];

	sev_with_e820_file(h, image, e820, sizeof(e820), STAGE0_RAM_MAP);
}

static void sev_without_cpus(struct host *h, const char *image)
{
	static const uint8_t none[2];

	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	h->items[0] = (struct host_item){S0_FW_CFG_NB_CPUS, none, 2};
	start(h, image);
	put_hashes(h);
	stops(h, STAGE0_CPU_COUNT, true);
}

static void sev_with_more_ram_in_e820(struct host *h, const char *image)
{
	sev_with_e820(h, image, UINT64_C(1) << 30, STAGE0_RAM_MAP);
}

static void sev_with_ram_where_firmware_is(struct host *h, const char *image)
{
	sev_with_e820(h, image, UINT64_C(1) << 32, STAGE0_RAM_MAP);
}

static void sev_hidden(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	start(h, image);
	stops(h, STAGE0_SEV_HIDDEN, false);
}

/*
 * The host injects the #GP of a CPU without that MSR. Then nothing is read
 * decrypted any more, and the host writes what it likes to be read: zeros,
 * which is what is at the begin of .bss.
 */
static void sev_hidden_by_an_exception(struct host *h, const char *image)
{
	uint32_t noise = 1;

	h->status = UINT64_MAX;
	h->forget_bss = true;
	start(h, image);
	for (size_t i = 0; i < S0_NOISE_LEN; i++) {
		noise = noise * 1664525 + 1013904223;
		h->ram[S0_NOISE + i] = (uint8_t)(noise >> 24);
	}
	stops(h, STAGE0_SEV_HIDDEN, false);
}

static void c_bit_in_the_address(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = 21;
	start(h, image);
	stops(h, STAGE0_C_BIT_POSITION, false);
}

static void c_bit_behind_the_address(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = 52;
	start(h, image);
	stops(h, STAGE0_C_BIT_POSITION, false);
}

static void c_bit_that_does_not_encrypt(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	h->wrong_alias = true;
	start(h, image);
	put_hashes(h);
	stops(h, STAGE0_C_BIT_WRONG, false);
}

static void no_rdrand(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV;
	h->c_bit = UINT32_MAX;
	h->no_rdrand = true;
	start(h, image);
	stops(h, STAGE0_NO_RANDOM, false);
}

static void unknown_feature(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV | 1 << 2; /* SEV-SNP */
	h->c_bit = UINT32_MAX;
	start(h, image);
	stops(h, STAGE0_SEV_FEATURES, false);
}

/* What SEV's MSR says above 32 bits is as unknown. */
static void unknown_feature_far_up(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV | UINT64_C(1) << 40;
	h->c_bit = UINT32_MAX;
	start(h, image);
	stops(h, STAGE0_SEV_FEATURES, false);
}

static void sev_es(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV | SEV_STATUS_ES;
	h->c_bit = UINT32_MAX;
	h->ghcb_answer =
		UINT64_C(2) << 48 | UINT64_C(1) << 32 | GHCB_MSR_INFO_RESP;
	start(h, image);
	put_hashes(h);
	run(h);
	/* The words first, then the port, then the termination request. */
	if (h->reason != STAGE0_NO_KERNEL || !h->term ||
	    !strstr(h->text, stage0_reason_words(STAGE0_NO_KERNEL)))
		fail(h, "another end was expected");
	only_the_shared_page_was_given_away(h);
}

static void sev_es_with_nonsense_for_cpuid(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV | SEV_STATUS_ES;
	h->c_bit = UINT32_MAX;
	h->cpuid_request = UINT64_C(0x8000001f) << 32 | GHCB_MSR_CPUID_REQ;
	start(h, image);
	terminates(h, STAGE0_GHCB_ANSWER);
}

static void sev_es_of_an_unknown_version(struct host *h, const char *image)
{
	h->status = SEV_STATUS_SEV | SEV_STATUS_ES;
	h->c_bit = UINT32_MAX;
	h->ghcb_answer =
		UINT64_C(9) << 48 | UINT64_C(7) << 32 | GHCB_MSR_INFO_RESP;
	start(h, image);
	terminates(h, STAGE0_GHCB_PROTOCOL);
}

/* It must not be taken for that of the MSR: without SEV nothing is verified. */
static void sev_es_with_an_exception_at_its_begin(struct host *h,
						  const char *image)
{
	h->status = SEV_STATUS_SEV | SEV_STATUS_ES;
	h->no_rdrand = true;
	h->inject = VECTOR_GP;
	h->inject_from = GHCB_MSR_CPUID_REQ;
	start(h, image);
	run(h);
	if (!h->shut_down || h->injected != 1)
		fail(h, "a shutdown was expected");
}

/* #VC for an instruction that raises none, in its handler again and again. */
static void sev_es_with_exceptions_in_its_handler(struct host *h,
						  const char *image)
{
	h->status = SEV_STATUS_SEV | SEV_STATUS_ES;
	h->c_bit = UINT32_MAX;
	h->ghcb_answer =
		UINT64_C(2) << 48 | UINT64_C(1) << 32 | GHCB_MSR_INFO_RESP;
	h->inject = VECTOR_VC;
	h->inject_error = 0x7c; /* an access to an MSR */
	h->inject_from = GHCB_MSR_INFO_REQ;
	start(h, image);
	put_hashes(h);
	terminates(h, STAGE0_VC_UNKNOWN);
	if (h->injected != 2)
		fail(h, "the second one was to be the last");
}

static void an_ap_jumps_at_once(struct host *h, const char *image)
{
	at_ap_reset(h, image);
	fill_jump_table(h);
	is_at_target(h);
	if (h->ghcb_writes)
		fail(h, "the host was asked");
}

static void an_ap_is_held_until_there_is_a_table(struct host *h,
						 const char *image)
{
	at_ap_reset(h, image);
	for (int i = 0; i < 3; i++) {
		run(h);
		if (h->last_ghcb != GHCB_MSR_AP_HOLD_REQ)
			fail(h, "AP_RESET_HOLD was expected");
	}
	fill_jump_table(h);
	is_at_target(h);
}

static void an_ap_ignores_a_table_of_noise(struct host *h, const char *image)
{
	at_ap_reset(h, image);
	memset(h->ram + S0_JUMP_TABLE, 0x5a, 4096);
	run(h);
	if (h->last_ghcb != GHCB_MSR_AP_HOLD_REQ)
		fail(h, "AP_RESET_HOLD was expected");
	memset(h->ram + S0_JUMP_TABLE, 0, 4);
	store_le32(h->ram + S0_JUMP_TABLE + JUMP_TABLE_READY_OFF,
		   JUMP_TABLE_READY); /* nobody filled it in */
	run(h);
	if (h->last_ghcb != GHCB_MSR_AP_HOLD_REQ || h->ghcb_writes != 2)
		fail(h, "AP_RESET_HOLD was expected");
}

/* There are no vectors where real mode has them. */
static void an_ap_takes_no_exceptions(struct host *h, const char *image)
{
	h->inject = VECTOR_GP;
	h->inject_from = GHCB_MSR_AP_HOLD_REQ;
	at_ap_reset(h, image);
	run(h);
	run(h);
	if (!h->shut_down || h->injected != 1)
		fail(h, "a shutdown was expected");
}
#define CASE(f)                                                                \
	{                                                                      \
#f, f                                                          \
	}

static const struct {
	const char *name;
	void (*run)(struct host *h, const char *image);
} cases[] = {
	CASE(plain),
	CASE(no_sev_msr),
	CASE(sev),
	CASE(sev_without_hashes),
	CASE(sev_with_a_cut_table_of_hashes),
	CASE(sev_with_a_table_of_hashes_that_lies),
	CASE(sev_with_the_ram_that_there_is),
	CASE(sev_with_little_ram),
	CASE(sev_with_an_endless_e820),
	CASE(sev_without_cpus),
	CASE(sev_with_more_ram_in_e820),
	CASE(sev_with_ram_where_firmware_is),
	CASE(sev_hidden),
	CASE(sev_hidden_by_an_exception),
	CASE(c_bit_in_the_address),
	CASE(c_bit_behind_the_address),
	CASE(c_bit_that_does_not_encrypt),
	CASE(no_rdrand),
	CASE(unknown_feature),
	CASE(unknown_feature_far_up),
	CASE(sev_es),
	CASE(sev_es_with_nonsense_for_cpuid),
	CASE(sev_es_of_an_unknown_version),
	CASE(sev_es_with_an_exception_at_its_begin),
	CASE(sev_es_with_exceptions_in_its_handler),
	CASE(plain_start),
	CASE(sev_start),
	CASE(sev_es_start),
	CASE(sev_with_another_setup_part),
	CASE(sev_with_another_kernel),
	CASE(sev_with_another_initrd),
	CASE(sev_with_another_command_line),
	CASE(sev_with_a_hash_that_ends_otherwise),
	CASE(sev_with_a_long_setup_part),
	CASE(sev_with_a_long_command_line),
	CASE(sev_with_a_line_too_long_for_the_kernel),
	CASE(sev_with_a_line_without_end),
	CASE(an_ap_jumps_at_once),
	CASE(an_ap_is_held_until_there_is_a_table),
	CASE(an_ap_ignores_a_table_of_noise),
	CASE(an_ap_takes_no_exceptions),
};

int main(int argc, char **argv)
{
	static struct host h;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (argc == 2 && !strcmp(argv[1], "list"))
			printf("%s\n", cases[i].name);
		if (argc != 3 || strcmp(argv[2], cases[i].name) != 0)
			continue;
		alarm(SECONDS_MAX);
		cases[i].run(&h, argv[1]);
		printf("passed: %s\n", h.text);
		return 0;
	}
	return argc == 2 ? 0 : 64;
}
