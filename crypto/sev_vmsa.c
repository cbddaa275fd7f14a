/* crypto/sev_vmsa.c - writes a register page field by field. */
#include "crypto/sev_vmsa.h"

#include <stddef.h>
#include <string.h>

#include "vmm/base/bytes.h"

/* Offsets in struct sev_es_save_area. */
enum {
	VMSA_ES = 0x000,
	VMSA_CS = 0x010,
	VMSA_SS = 0x020,
	VMSA_DS = 0x030,
	VMSA_FS = 0x040,
	VMSA_GS = 0x050,
	VMSA_GDTR = 0x060,
	VMSA_LDTR = 0x070,
	VMSA_IDTR = 0x080,
	VMSA_TR = 0x090,
	VMSA_EFER = 0x0d0,
	VMSA_CR4 = 0x148,
	VMSA_CR3 = 0x150,
	VMSA_CR0 = 0x158,
	VMSA_DR7 = 0x160,
	VMSA_DR6 = 0x168,
	VMSA_RFLAGS = 0x170,
	VMSA_RIP = 0x178,
	VMSA_RSP = 0x1d8,
	VMSA_G_PAT = 0x268,
	VMSA_RDX = 0x310,
	VMSA_RBX = 0x318,
	VMSA_RSI = 0x330,
	VMSA_XCR0 = 0x3e8,
	VMSA_MXCSR = 0x408,
	VMSA_FCW = 0x410,
};

/* What KVM adds, and what a vCPU has after its reset. */
#define EFER_SVME UINT64_C(0x1000)
#define CR4_MCE UINT64_C(0x40)
#define RESET_DR6 UINT64_C(0xffff0ff0)
#define RESET_DR7 UINT64_C(0x400)
#define RESET_PAT UINT64_C(0x0007040600070406)
#define RESET_XCR0 UINT64_C(1)
#define RESET_MXCSR UINT32_C(0x1f80)
#define RESET_FCW UINT16_C(0x37f)

const char *sev_vmsa_profile_name(unsigned int profile)
{
	static const char *const names[SEV_VMSA_PROFILES] = {
		[SEV_VMSA_LEGACY] = "legacy",
		[SEV_VMSA_INIT2] = "init2",
	};

	return profile < SEV_VMSA_PROFILES ? names[profile] : NULL;
}

static void put_segment(uint8_t *at, const struct sev_vmsa_segment *s)
{
	store_le16(at, s->selector);
	store_le16(at + 2, s->attrib);
	store_le32(at + 4, s->limit);
	store_le64(at + 8, s->base);
}

static void put_segments(const struct sev_vmsa_regs *r, uint8_t *page)
{
	put_segment(page + VMSA_ES, &r->es);
	put_segment(page + VMSA_CS, &r->cs);
	put_segment(page + VMSA_SS, &r->ss);
	put_segment(page + VMSA_DS, &r->ds);
	put_segment(page + VMSA_FS, &r->fs);
	put_segment(page + VMSA_GS, &r->gs);
	put_segment(page + VMSA_GDTR, &r->gdtr);
	put_segment(page + VMSA_LDTR, &r->ldtr);
	put_segment(page + VMSA_IDTR, &r->idtr);
	put_segment(page + VMSA_TR, &r->tr);
}

void sev_vmsa_reset_regs(uint32_t vector, uint32_t signature,
			 struct sev_vmsa_regs *ret)
{
	/* type, S, P */
	const struct sev_vmsa_segment data = {0, 0x93, 0xffff, 0};

	*ret = (struct sev_vmsa_regs){
		.cs = {0xf000, 0x9b, 0xffff, vector & 0xffff0000},
		.ds = data,
		.es = data,
		.fs = data,
		.gs = data,
		.ss = data,
		.tr = {0, 0x8b, 0xffff, 0},
		.ldtr = {0, 0x82, 0xffff, 0},
		.gdtr = {0, 0, 0xffff, 0},
		.idtr = {0, 0, 0xffff, 0},
		.cr0 = 0x10, /* ET; KVM does not keep CD and NW */
		.rip = vector & 0xffff,
		.rdx = signature,
		.rflags = 2,
	};
}

void sev_vmsa_build(const struct sev_vmsa_regs *r, enum sev_vmsa_profile p,
		    uint8_t page[static SEV_VMSA_LEN])
{
	memset(page, 0, SEV_VMSA_LEN);
	put_segments(r, page);
	store_le64(page + VMSA_EFER, r->efer | EFER_SVME);
	store_le64(page + VMSA_CR4, r->cr4 | CR4_MCE);
	store_le64(page + VMSA_CR3, r->cr3);
	store_le64(page + VMSA_CR0, r->cr0);
	store_le64(page + VMSA_DR7, RESET_DR7);
	store_le64(page + VMSA_DR6, RESET_DR6);
	store_le64(page + VMSA_RFLAGS, r->rflags);
	store_le64(page + VMSA_RIP, r->rip);
	store_le64(page + VMSA_RSP, r->rsp);
	store_le64(page + VMSA_G_PAT, RESET_PAT);
	store_le64(page + VMSA_RDX, r->rdx);
	store_le64(page + VMSA_RBX, r->rbx);
	store_le64(page + VMSA_RSI, r->rsi);
	store_le64(page + VMSA_XCR0, RESET_XCR0);
	if (p == SEV_VMSA_INIT2) {
		store_le32(page + VMSA_MXCSR, RESET_MXCSR);
		store_le16(page + VMSA_FCW, RESET_FCW);
	}
}
