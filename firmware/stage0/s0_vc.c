/* firmware/stage0/s0_vc.c - one request to the host for each instruction. */
#include "firmware/stage0/s0_vc.h"

#include <stdbool.h>
#include <string.h>

#include "firmware/stage0/s0_sev.h"
#include "vmm/base/bytes.h"

/* Offsets in the GHCB (2.6 "GHCB Layout"); below 0x400 each has a valid bit. */
enum {
	GHCB_CPL = 0x0cb, /* 1 byte, in a word of 8 */
	GHCB_RAX = 0x1f8,
	GHCB_RCX = 0x308,
	GHCB_RDX = 0x310,
	GHCB_RBX = 0x318,
	GHCB_RSI = 0x330,
	GHCB_EXIT_CODE = 0x390,
	GHCB_EXIT_INFO_1 = 0x398,
	GHCB_EXIT_INFO_2 = 0x3a0,
	GHCB_VALID = 0x3f0, /* 16 bytes */
	GHCB_VERSION = 0xffa,
	GHCB_USAGE = 0xffc, /* 0: this layout */
};

/* Exit codes (APM 2, appendix C; GHCB, 4 "NAE Events") */
enum {
	EXIT_CPUID = 0x72,
	EXIT_HLT = 0x78,
	EXIT_IOIO = 0x7b,
	EXIT_MSR = 0x7c,
	EXIT_VMMCALL = 0x81,
};
#define EXIT_AP_JUMP_TABLE UINT64_C(0x80000005)

/* EXITINFO1 of EXIT_IOIO (APM 2, 15.10.2 "IN and OUT Behavior") */
enum {
	IOIO_IN = 1 << 0,
	IOIO_SIZE_SHIFT = 4, /* bytes, one bit each: 1, 2, 4 */
	IOIO_ADDRESS_64 = 1 << 9,
	IOIO_PORT_SHIFT = 16,
};

enum { VERSION_MIN = 1, VERSION_MAX = 2 };

static void set(struct s0_vc *vc, unsigned int off, uint64_t val)
{
	unsigned int bit = off / 8;

	store_le64(vc->ghcb + off, val);
	vc->ghcb[GHCB_VALID + bit / 8] |= (uint8_t)(1 << bit % 8);
}

static bool is_valid(const struct s0_vc *vc, unsigned int off)
{
	unsigned int bit = off / 8;

	return vc->ghcb[GHCB_VALID + bit / 8] & 1 << bit % 8;
}

static void begin(struct s0_vc *vc, uint64_t code, uint64_t info1,
		  uint64_t info2)
{
	memset(vc->ghcb, 0, S0_GHCB_LEN);
	set(vc, GHCB_EXIT_CODE, code);
	set(vc, GHCB_EXIT_INFO_1, info1);
	set(vc, GHCB_EXIT_INFO_2, info2);
	store_le16(vc->ghcb + GHCB_VERSION, vc->version);
	store_le32(vc->ghcb + GHCB_USAGE, 0);
}

/* The host answers 0; all else is an exception it wants us to have. */
static enum stage0_reason ask(struct s0_vc *vc)
{
	vc->call(vc);
	return load_le32(vc->ghcb + GHCB_EXIT_INFO_1) ? STAGE0_GHCB_ANSWER
						      : STAGE0_OK;
}

/* A register the host has to set. */
static enum stage0_reason take(const struct s0_vc *vc, unsigned int off,
			       uint64_t *ret)
{
	if (!is_valid(vc, off))
		return STAGE0_GHCB_ANSWER;
	*ret = load_le64(vc->ghcb + off);
	return STAGE0_OK;
}

enum stage0_reason s0_vc_start(struct s0_vc *vc)
{
	uint64_t v = vc->call_msr(vc, GHCB_MSR_INFO_REQ);
	uint64_t max = v >> 48, min = v >> 32 & 0xffff;

	if ((v & 0xfff) != GHCB_MSR_INFO_RESP)
		return STAGE0_GHCB_ANSWER;
	if (min > VERSION_MAX || max < VERSION_MIN || min > max)
		return STAGE0_GHCB_PROTOCOL;
	vc->version = (uint16_t)(max < VERSION_MAX ? max : VERSION_MAX);
	return STAGE0_OK;
}

/*
 * By the MSR protocol: it needs no page, and no XCR0, which leaf 0xd, that
 * stage0 does not ask for, would.
 */
static enum stage0_reason do_cpuid(struct s0_vc *vc, struct s0_frame *f)
{
	uint64_t *const reg[4] = {&f->rax, &f->rbx, &f->rcx, &f->rdx};
	uint64_t leaf = f->rax << 32;

	for (uint64_t i = 0; i < 4; i++) {
		uint64_t v =
			vc->call_msr(vc, leaf | i << 30 | GHCB_MSR_CPUID_REQ);

		if ((v & 0xfff) != GHCB_MSR_CPUID_RESP)
			return STAGE0_GHCB_ANSWER;
		*reg[i] = v >> 32;
	}
	return STAGE0_OK;
}

static enum stage0_reason do_port(struct s0_vc *vc, struct s0_frame *f, bool in,
				  unsigned int port, unsigned int size)
{
	uint64_t mask = (UINT64_C(1) << 8 * size) - 1, v;
	enum stage0_reason r;

	begin(vc, EXIT_IOIO,
	      (uint64_t)port << IOIO_PORT_SHIFT | IOIO_ADDRESS_64 |
		      (uint64_t)size << IOIO_SIZE_SHIFT | (in ? IOIO_IN : 0),
	      0);
	set(vc, GHCB_RAX, in ? 0 : f->rax & mask);
	r = ask(vc);
	if (r != STAGE0_OK || !in)
		return r;
	r = take(vc, GHCB_RAX, &v);
	if (r != STAGE0_OK)
		return r;
	/* 32 bits clear the upper half of the register. */
	f->rax = (size == 4 ? 0 : f->rax & ~mask) | (v & mask);
	return STAGE0_OK;
}

static enum stage0_reason do_msr(struct s0_vc *vc, struct s0_frame *f,
				 bool write)
{
	enum stage0_reason r;
	uint64_t low, high;

	begin(vc, EXIT_MSR, write, 0);
	set(vc, GHCB_RCX, f->rcx & UINT32_MAX);
	if (write) {
		set(vc, GHCB_RAX, f->rax & UINT32_MAX);
		set(vc, GHCB_RDX, f->rdx & UINT32_MAX);
	}
	r = ask(vc);
	if (r != STAGE0_OK || write)
		return r;
	r = take(vc, GHCB_RAX, &low);
	if (r == STAGE0_OK)
		r = take(vc, GHCB_RDX, &high);
	if (r != STAGE0_OK)
		return r;
	f->rax = low & UINT32_MAX;
	f->rdx = high & UINT32_MAX;
	return STAGE0_OK;
}

static enum stage0_reason do_hypercall(struct s0_vc *vc, struct s0_frame *f)
{
	enum stage0_reason r;

	begin(vc, EXIT_VMMCALL, 0, 0);
	set(vc, GHCB_RAX, f->rax);
	set(vc, GHCB_RBX, f->rbx);
	set(vc, GHCB_RCX, f->rcx);
	set(vc, GHCB_RDX, f->rdx);
	set(vc, GHCB_RSI, 0);
	set(vc, GHCB_CPL & ~7u, 0);
	r = ask(vc);
	return r == STAGE0_OK ? take(vc, GHCB_RAX, &f->rax) : r;
}

static enum stage0_reason do_hlt(struct s0_vc *vc)
{
	begin(vc, EXIT_HLT, 0, 0);
	return ask(vc);
}

/* IN and OUT with the port in DX or in the instruction. *ret_len is set. */
static enum stage0_reason port_insn(struct s0_vc *vc, struct s0_frame *f,
				    const uint8_t *code, unsigned int *ret_len)
{
	bool small = code[0] == 0x66, by_dx, in, byte;
	unsigned int port, op = code[small];

	/* 0xe4-0xe7 take a port, 0xec-0xef DX; bit 1: OUT, bit 0: not AL */
	if ((op & 0xf4) != 0xe4)
		return STAGE0_VC_UNKNOWN;
	by_dx = op & 8;
	in = !(op & 2);
	byte = !(op & 1);
	port = by_dx ? f->rdx & 0xffff : code[small + 1];
	*ret_len = (small ? 1u : 0u) + (by_dx ? 1 : 2);
	return do_port(vc, f, in, port, byte ? 1 : small ? 2 : 4);
}

static bool is(const uint8_t *code, uint8_t a, uint8_t b)
{
	return code[0] == a && code[1] == b;
}

enum stage0_reason s0_vc_handle(struct s0_vc *vc, struct s0_frame *f,
				const uint8_t *code)
{
	enum stage0_reason r = STAGE0_VC_UNKNOWN;
	unsigned int len = 2;

	/* The error code is the exit code; the instruction has to match it. */
	if (f->error == EXIT_CPUID && is(code, 0x0f, 0xa2)) {
		r = do_cpuid(vc, f);
	} else if (f->error == EXIT_MSR && is(code, 0x0f, 0x32)) {
		r = do_msr(vc, f, false);
	} else if (f->error == EXIT_MSR && is(code, 0x0f, 0x30)) {
		r = do_msr(vc, f, true);
	} else if (f->error == EXIT_VMMCALL && is(code, 0x0f, 0x01) &&
		   code[2] == 0xd9) {
		len = 3;
		r = do_hypercall(vc, f);
	} else if (f->error == EXIT_HLT && code[0] == 0xf4) {
		len = 1;
		r = do_hlt(vc);
	} else if (f->error == EXIT_IOIO) {
		r = port_insn(vc, f, code, &len);
	}
	if (r == STAGE0_OK)
		f->rip += len;
	return r;
}

enum stage0_reason s0_vc_set_jump_table(struct s0_vc *vc, uint64_t gpa)
{
	begin(vc, EXIT_AP_JUMP_TABLE, 0 /* set */, gpa);
	return ask(vc);
}
