/* sim/sim_vmsa.c - registers from KVM's structures into the save area. */
#include "sim/sim_vmsa.h"

#include <errno.h>
#include <string.h>

#include "sim/sim_abi.h"
#include "vmm/base/bytes.h"
#include "vmm/base/own.h"

/* Offsets; AMD APM vol. 2, Table B-4 "VMSA Layout". */
enum {
	AT_ES = 0x000,
	AT_CS = 0x010,
	AT_SS = 0x020,
	AT_DS = 0x030,
	AT_FS = 0x040,
	AT_GS = 0x050,
	AT_GDTR = 0x060,
	AT_LDTR = 0x070,
	AT_IDTR = 0x080,
	AT_TR = 0x090,
	AT_CPL = 0x0cb,
	AT_EFER = 0x0d0,
	AT_XSS = 0x140,
	AT_CR4 = 0x148,
	AT_CR3 = 0x150,
	AT_CR0 = 0x158,
	AT_DR7 = 0x160,
	AT_DR6 = 0x168,
	AT_RFLAGS = 0x170,
	AT_RIP = 0x178,
	AT_RSP = 0x1d8,
	AT_RAX = 0x1f8,
	AT_STAR = 0x200,
	AT_LSTAR = 0x208,
	AT_CSTAR = 0x210,
	AT_SFMASK = 0x218,
	AT_KERNEL_GS_BASE = 0x220,
	AT_SYSENTER_CS = 0x228,
	AT_SYSENTER_ESP = 0x230,
	AT_SYSENTER_EIP = 0x238,
	AT_CR2 = 0x240,
	AT_PAT = 0x268,
	AT_RCX = 0x308,
	AT_RDX = 0x310,
	AT_RBX = 0x318,
	AT_RBP = 0x328,
	AT_RSI = 0x330,
	AT_RDI = 0x338,
	AT_R8 = 0x340,
	AT_XCR0 = 0x3e8,
	/* in a segment */
	SEG_ATTRIB = 2,
	SEG_LIMIT = 4,
	SEG_BASE = 8,
};

#define EFER_SVME UINT64_C(0x1000)
#define CR0_CD_NW UINT64_C(0x60000000)
#define CR4_MCE UINT64_C(0x40)
#define RFLAGS_FIXED UINT64_C(2)
#define DR7_FIXED UINT64_C(0x400)

static void put(struct sim_vmsa *v, size_t at, uint64_t value)
{
	store_le64(v->page + at, value);
}

static void put_segment(struct sim_vmsa *v, size_t at, uint16_t selector,
			uint16_t attrib, uint32_t limit, uint64_t base)
{
	store_le16(v->page + at, selector);
	store_le16(v->page + at + SEG_ATTRIB, attrib);
	store_le32(v->page + at + SEG_LIMIT, limit);
	store_le64(v->page + at + SEG_BASE, base);
}

static void put_control(struct sim_vmsa *v, uint64_t cr0, uint64_t cr4,
			uint64_t efer)
{
	put(v, AT_CR0, cr0 & ~CR0_CD_NW);
	put(v, AT_CR4, cr4 | CR4_MCE);
	put(v, AT_EFER, efer | EFER_SVME);
}

void sim_vmsa_reset(struct sim_vmsa *v)
{
	static const size_t data[] = {AT_ES, AT_SS, AT_DS, AT_FS, AT_GS};

	memset(v, 0, sizeof(*v));
	for (size_t i = 0; i < ARRAY_SIZE(data); i++)
		put_segment(v, data[i], 0, 0x93, 0xffff, 0);
	put_segment(v, AT_CS, 0xf000, 0x9b, 0xffff, 0xffff0000);
	put_segment(v, AT_GDTR, 0, 0, 0xffff, 0);
	put_segment(v, AT_IDTR, 0, 0, 0xffff, 0);
	put_segment(v, AT_LDTR, 0, 0x82, 0xffff, 0);
	put_segment(v, AT_TR, 0, 0x8b, 0xffff, 0);
	put_control(v, 0x10, 0, 0);
	put(v, AT_DR7, DR7_FIXED);
	put(v, AT_DR6, 0xffff0ff0);
	put(v, AT_RFLAGS, RFLAGS_FIXED);
	put(v, AT_RIP, 0xfff0);
	put(v, AT_RDX, 0x600); /* KVM's processor before KVM_SET_CPUID2 */
	put(v, AT_PAT, UINT64_C(0x0007040600070406));
	put(v, AT_XCR0, 1);
}

/* --- KVM_SET_REGS, KVM_SET_SREGS ----------------------------------------- */

static void set_regs(struct sim_vmsa *v, const uint8_t *p, size_t len)
{
	/* In the order of struct kvm_regs. */
	static const size_t order[] = {
		AT_RAX,	    AT_RBX,	AT_RCX,	    AT_RDX,	AT_RSI,
		AT_RDI,	    AT_RSP,	AT_RBP,	    AT_R8,	AT_R8 + 8,
		AT_R8 + 16, AT_R8 + 24, AT_R8 + 32, AT_R8 + 40, AT_R8 + 48,
		AT_R8 + 56, AT_RIP,	AT_RFLAGS,
	};

	(void)len;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		put(v, order[i], load_le64(p + 8 * i));
	put(v, AT_RFLAGS, load_le64(v->page + AT_RFLAGS) | RFLAGS_FIXED);
}

/* struct kvm_segment; the attributes as svm_set_segment() packs them. */
static void set_segment(struct sim_vmsa *v, size_t at, const uint8_t *p)
{
	uint8_t type = p[14], present = p[15], dpl = p[16], db = p[17],
		s = p[18], l = p[19], g = p[20], avl = p[21], unusable = p[22];
	unsigned int attrib = type & 0xfU;

	attrib |= (s & 1U) << 4;
	attrib |= (dpl & 3U) << 5;
	attrib |= (unusable ? 0 : present & 1U) << 7;
	attrib |= (avl & 1U) << 8;
	attrib |= (l & 1U) << 9;
	attrib |= (db & 1U) << 10;
	attrib |= (g & 1U) << 11;
	put_segment(v, at, load_le16(p + 12), (uint16_t)attrib,
		    load_le32(p + 8), load_le64(p));
	if (at == AT_SS)
		v->page[AT_CPL] = dpl & 3;
}

/* Offsets in struct kvm_sregs and kvm_sregs2, where they agree. */
enum {
	SREGS_SEGMENT_LEN = 24,
	SREGS_GDT = 192,
	SREGS_IDT = 208,
	SREGS_CR0 = 224,
	SREGS_CR2 = 232,
	SREGS_CR3 = 240,
	SREGS_CR4 = 248,
	SREGS_EFER = 264,
};

static void set_sregs(struct sim_vmsa *v, const uint8_t *p, size_t len)
{
	static const size_t order[] = {AT_CS, AT_DS, AT_ES, AT_FS,
				       AT_GS, AT_SS, AT_TR, AT_LDTR};

	(void)len;
	for (size_t i = 0; i < ARRAY_SIZE(order); i++)
		set_segment(v, order[i], p + i * SREGS_SEGMENT_LEN);
	put_segment(v, AT_GDTR, 0, 0, load_le16(p + SREGS_GDT + 8),
		    load_le64(p + SREGS_GDT));
	put_segment(v, AT_IDTR, 0, 0, load_le16(p + SREGS_IDT + 8),
		    load_le64(p + SREGS_IDT));
	put(v, AT_CR2, load_le64(p + SREGS_CR2));
	put(v, AT_CR3, load_le64(p + SREGS_CR3));
	put_control(v, load_le64(p + SREGS_CR0), load_le64(p + SREGS_CR4),
		    load_le64(p + SREGS_EFER));
}

/* --- lists --------------------------------------------------------------- */

static void set_msr(struct sim_vmsa *v, uint32_t index, uint64_t value)
{
	static const struct {
		uint32_t index;
		size_t at;
	} msrs[] = {
		{0x174, AT_SYSENTER_CS},
		{0x175, AT_SYSENTER_ESP},
		{0x176, AT_SYSENTER_EIP},
		{0x277, AT_PAT},
		{0xda0, AT_XSS},
		{0xc0000081, AT_STAR},
		{0xc0000082, AT_LSTAR},
		{0xc0000083, AT_CSTAR},
		{0xc0000084, AT_SFMASK},
		{0xc0000100, AT_FS + SEG_BASE},
		{0xc0000101, AT_GS + SEG_BASE},
		{0xc0000102, AT_KERNEL_GS_BASE},
	};

	if (index == 0xc0000080)
		put(v, AT_EFER, value | EFER_SVME);
	for (size_t i = 0; i < ARRAY_SIZE(msrs); i++)
		if (msrs[i].index == index)
			put(v, msrs[i].at, value);
}

static void set_msrs(struct sim_vmsa *v, const uint8_t *p, size_t len)
{
	size_t n = load_le32(p);

	for (size_t i = 0; i < n && 8 + (i + 1) * 16 <= len; i++)
		set_msr(v, load_le32(p + 8 + i * 16),
			load_le64(p + 8 + i * 16 + 8));
}

static void set_xcrs(struct sim_vmsa *v, const uint8_t *p, size_t len)
{
	size_t n = load_le32(p);

	for (size_t i = 0; i < n && 8 + (i + 1) * 16 <= len; i++)
		if (!load_le32(p + 8 + i * 16)) /* XCR0 */
			put(v, AT_XCR0, load_le64(p + 8 + i * 16 + 8));
}

static void set_debugregs(struct sim_vmsa *v, const uint8_t *p, size_t len)
{
	(void)len;
	put(v, AT_DR6, load_le64(p + 32));
	put(v, AT_DR7, load_le64(p + 40) | DR7_FIXED);
}

/* FPU state is not in a save area of this type; CPUID never is. */
static void set_nothing(struct sim_vmsa *v, const uint8_t *p, size_t len)
{
	(void)v, (void)p, (void)len;
}

static const struct setter {
	uint32_t request;
	struct sim_vmsa_arg arg;
	void (*set)(struct sim_vmsa *v, const uint8_t *p, size_t len);
} setters[] = {
	{SIM_KVM_SET_REGS, {"SET_REGS", 144, 0, 0}, set_regs},
	{SIM_KVM_SET_SREGS, {"SET_SREGS", 312, 0, 0}, set_sregs},
	{SIM_KVM_SET_SREGS2, {"SET_SREGS2", 320, 0, 0}, set_sregs},
	{SIM_KVM_SET_MSRS, {"SET_MSRS", 8, 16, 256}, set_msrs},
	{SIM_KVM_SET_XCRS, {"SET_XCRS", 392, 0, 0}, set_xcrs},
	{SIM_KVM_SET_DEBUGREGS, {"SET_DEBUGREGS", 128, 0, 0}, set_debugregs},
	{SIM_KVM_SET_FPU, {"SET_FPU", 416, 0, 0}, set_nothing},
	{SIM_KVM_SET_XSAVE, {"SET_XSAVE", 4096, 0, 0}, set_nothing},
	{SIM_KVM_SET_CPUID2, {"SET_CPUID2", 8, 40, 256}, set_nothing},
};

static const struct setter *find(uint32_t request)
{
	for (size_t i = 0; i < ARRAY_SIZE(setters); i++)
		if (setters[i].request == request)
			return &setters[i];
	return NULL;
}

const struct sim_vmsa_arg *sim_vmsa_arg(uint32_t request)
{
	const struct setter *s = find(request);

	return s ? &s->arg : NULL;
}

void sim_vmsa_set(struct sim_vmsa *v, uint32_t request, const void *data,
		  size_t len)
{
	const struct setter *s = find(request);

	if (s && len >= s->arg.fixed)
		s->set(v, data, len);
}

int sim_vmsa_check(const struct sim_vmsa *v)
{
	return load_le64(v->page + AT_DR7) & ~DR7_FIXED ? -EINVAL : 0;
}
