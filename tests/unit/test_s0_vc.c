/*
 * tests/unit/test_s0_vc.c - #VC, with the host's side of the GHCB played here:
 * what it is told, and what of its answers is taken.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "firmware/stage0/s0_sev.h"
#include "firmware/stage0/s0_vc.h"
#include "vmm/base/bytes.h"

/* Offsets in the GHCB */
enum {
	CPL = 0x0c8,
	RAX = 0x1f8,
	RCX = 0x308,
	RDX = 0x310,
	RBX = 0x318,
	RSI = 0x330,
	CODE = 0x390,
	INFO_1 = 0x398,
	INFO_2 = 0x3a0,
	VALID = 0x3f0,
	VERSION = 0xffa,
};

struct host {
	struct s0_vc vc;
	uint8_t ghcb[S0_GHCB_LEN], asked[S0_GHCB_LEN];
	unsigned int calls, msr_calls;
	uint64_t requests[8];
	uint64_t msr_answer; /* 0: as CPUID, register n of leaf l is n + l */
	uint64_t rax, rdx;
	uint32_t info_1;
	bool no_registers;
};

static uint64_t call_msr(struct s0_vc *vc, uint64_t request)
{
	struct host *h = (struct host *)vc;

	h->requests[h->msr_calls++ & 7] = request;
	if (h->msr_answer)
		return h->msr_answer;
	return ((request >> 32) + (request >> 30 & 3)) << 32 |
	       GHCB_MSR_CPUID_RESP;
}

static void answer(struct host *h, unsigned int off, uint64_t v)
{
	store_le64(h->ghcb + off, v);
	h->ghcb[VALID + off / 64] |= (uint8_t)(1 << off / 8 % 8);
}

static void call(struct s0_vc *vc)
{
	struct host *h = (struct host *)vc;

	h->calls++;
	memcpy(h->asked, h->ghcb, sizeof(h->asked));
	store_le64(h->ghcb + INFO_1, h->info_1);
	if (h->no_registers) {
		memset(h->ghcb + VALID, 0, 16);
		return;
	}
	answer(h, RAX, h->rax);
	answer(h, RDX, h->rdx);
	answer(h, RBX, 0xbad);
	answer(h, RCX, 0xbad);
}

static int setup(void **state)
{
	struct host *h = calloc(1, sizeof(*h));

	assert_non_null(h);
	h->vc = (struct s0_vc){
		.ghcb = h->ghcb,
		.version = 2,
		.call_msr = call_msr,
		.call = call,
	};
	memset(h->ghcb, 0xee, sizeof(h->ghcb)); /* left by the host */
	h->rax = 0x1111222233334444;
	h->rdx = 0x5555666677778888;
	*state = h;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static struct s0_frame frame(uint64_t error)
{
	struct s0_frame f;

	for (size_t i = 0; i < sizeof(f) / 8; i++)
		((uint64_t *)&f)[i] = 0xf00000000000f000 + i;
	f.vector = S0_VECTOR_VC;
	f.error = error;
	f.rip = 0x20000;
	return f;
}

static uint64_t asked(const struct host *h, unsigned int off)
{
	assert_true(h->asked[VALID + off / 64] & 1 << off / 8 % 8);
	return load_le64(h->asked + off);
}

/* Exactly these fields were shown to the host; all else is zero. */
static void only_shown(const struct host *h, const unsigned int *off, size_t n)
{
	uint8_t want[S0_GHCB_LEN] = {0};

	for (size_t i = 0; i < n; i++) {
		want[VALID + off[i] / 64] |= (uint8_t)(1 << off[i] / 8 % 8);
		memcpy(want + off[i], h->asked + off[i], 8);
	}
	store_le16(want + VERSION, h->vc.version);
	assert_memory_equal(h->asked, want, sizeof(want));
}

#define ONLY_SHOWN(h, ...)                                                     \
	do {                                                                   \
		const unsigned int off_[] = {CODE, INFO_1, INFO_2,             \
					     __VA_ARGS__};                     \
		only_shown(h, off_, sizeof(off_) / sizeof(off_[0]));           \
	} while (0)

static void versions_are_agreed_on(void **state)
{
	struct host *h = *state;

	h->msr_answer =
		UINT64_C(2) << 48 | UINT64_C(1) << 32 | GHCB_MSR_INFO_RESP;
	assert_int_equal(s0_vc_start(&h->vc), STAGE0_OK);
	assert_int_equal(h->vc.version, 2);
	assert_int_equal(h->requests[0], GHCB_MSR_INFO_REQ);
	h->msr_answer = UINT64_C(1) << 48 | UINT64_C(1) << 32 | 47 << 24 |
			GHCB_MSR_INFO_RESP;
	assert_int_equal(s0_vc_start(&h->vc), STAGE0_OK);
	assert_int_equal(h->vc.version, 1);
	h->msr_answer =
		UINT64_C(9) << 48 | UINT64_C(2) << 32 | GHCB_MSR_INFO_RESP;
	assert_int_equal(s0_vc_start(&h->vc), STAGE0_OK);
	assert_int_equal(h->vc.version, 2);
}

static void a_host_of_other_versions_is_refused(void **state)
{
	struct host *h = *state;

	h->msr_answer =
		UINT64_C(9) << 48 | UINT64_C(3) << 32 | GHCB_MSR_INFO_RESP;
	assert_int_equal(s0_vc_start(&h->vc), STAGE0_GHCB_PROTOCOL);
	h->msr_answer = GHCB_MSR_INFO_RESP; /* 0 to 0 */
	assert_int_equal(s0_vc_start(&h->vc), STAGE0_GHCB_PROTOCOL);
	h->msr_answer =
		UINT64_C(1) << 48 | UINT64_C(2) << 32 | GHCB_MSR_INFO_RESP;
	assert_int_equal(s0_vc_start(&h->vc), STAGE0_GHCB_PROTOCOL);
	h->msr_answer = UINT64_C(2) << 48 | UINT64_C(1) << 32 | 0x100;
	assert_int_equal(s0_vc_start(&h->vc), STAGE0_GHCB_ANSWER);
}

static void cpuid_asks_by_the_msr_for_four_registers(void **state)
{
	const uint8_t code[15] = {0x0f, 0xa2};
	struct s0_frame f = frame(0x72), before;
	struct host *h = *state;

	f.rax = 0xffffffff8000001f;
	before = f;
	assert_int_equal(s0_vc_handle(&h->vc, &f, code), STAGE0_OK);
	assert_int_equal(h->msr_calls, 4);
	assert_int_equal(h->calls, 0);
	for (uint64_t i = 0; i < 4; i++)
		assert_int_equal(h->requests[i],
				 UINT64_C(0x8000001f) << 32 | i << 30 | 4);
	assert_int_equal(f.rax, 0x8000001f);
	assert_int_equal(f.rbx, 0x80000020);
	assert_int_equal(f.rcx, 0x80000021);
	assert_int_equal(f.rdx, 0x80000022);
	assert_int_equal(f.rip, before.rip + 2);
	assert_int_equal(f.rsi, before.rsi);
	assert_int_equal(f.rsp, before.rsp);
}

static void nonsense_for_cpuid_is_refused(void **state)
{
	const uint8_t code[15] = {0x0f, 0xa2};
	struct s0_frame f = frame(0x72);
	struct host *h = *state;

	h->msr_answer = 0x123400000004;
	assert_int_equal(s0_vc_handle(&h->vc, &f, code), STAGE0_GHCB_ANSWER);
	assert_int_equal(f.rip, 0x20000);
}

struct port_case {
	uint8_t code[4];
	unsigned int len, port, size;
	bool in;
};

static void ports_in_all_encodings(void **state)
{
	const struct port_case cases[] = {
		{{0xe4, 0x71}, 2, 0x71, 1, true},
		{{0xe5, 0x71}, 2, 0x71, 4, true},
		{{0x66, 0xe5, 0x71}, 3, 0x71, 2, true},
		{{0xe6, 0x70}, 2, 0x70, 1, false},
		{{0xe7, 0xf4}, 2, 0xf4, 4, false},
		{{0x66, 0xe7, 0xf4}, 3, 0xf4, 2, false},
		{{0xec}, 1, 0x510, 1, true},
		{{0xed}, 1, 0x510, 4, true},
		{{0x66, 0xed}, 2, 0x510, 2, true},
		{{0xee}, 1, 0x510, 1, false},
		{{0xef}, 1, 0x510, 4, false},
		{{0x66, 0xef}, 2, 0x510, 2, false},
	};
	struct host *h = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct port_case *c = &cases[i];
		uint64_t mask = c->size == 4   ? 0xffffffff
				: c->size == 2 ? 0xffff
					       : 0xff;
		struct s0_frame f = frame(0x7b), before;

		f.rax = 0xa1a2a3a4a5a6a7a8;
		f.rdx = 0xffffffffffff0510;
		before = f;
		assert_int_equal(s0_vc_handle(&h->vc, &f, c->code), STAGE0_OK);
		ONLY_SHOWN(h, RAX);
		assert_int_equal(asked(h, CODE), 0x7b);
		assert_int_equal(asked(h, INFO_1),
				 c->port << 16 | 1 << 9 | c->size << 4 | c->in);
		assert_int_equal(asked(h, RAX), c->in ? 0 : before.rax & mask);
		assert_int_equal(f.rip, before.rip + c->len);
		assert_int_equal(f.rdx, before.rdx);
		assert_int_equal(f.rbx, before.rbx);
		if (!c->in)
			assert_int_equal(f.rax, before.rax);
		else if (c->size == 4)
			assert_int_equal(f.rax, 0x33334444);
		else
			assert_int_equal(f.rax, (before.rax & ~mask) |
							(0x33334444 & mask));
	}
}

static void msrs_are_read_and_written(void **state)
{
	const uint8_t rd[15] = {0x0f, 0x32}, wr[15] = {0x0f, 0x30};
	struct s0_frame f = frame(0x7c);
	struct host *h = *state;

	f.rcx = 0xffffffff000002ff;
	f.rax = 0xffffffff00000806;
	f.rdx = 0xffffffff00000000;
	assert_int_equal(s0_vc_handle(&h->vc, &f, wr), STAGE0_OK);
	ONLY_SHOWN(h, RAX, RCX, RDX);
	assert_int_equal(asked(h, INFO_1), 1);
	assert_int_equal(asked(h, RCX), 0x2ff);
	assert_int_equal(asked(h, RAX), 0x806);
	assert_int_equal(asked(h, RDX), 0);
	assert_int_equal(f.rax, 0xffffffff00000806);
	assert_int_equal(f.rip, 0x20002);
	assert_int_equal(s0_vc_handle(&h->vc, &f, rd), STAGE0_OK);
	ONLY_SHOWN(h, RCX);
	assert_int_equal(asked(h, INFO_1), 0);
	assert_int_equal(f.rax, 0x33334444);
	assert_int_equal(f.rdx, 0x77778888);
	assert_int_equal(f.rip, 0x20004);
}

static void a_hypercall_shows_its_arguments_only(void **state)
{
	const uint8_t code[15] = {0x0f, 0x01, 0xd9};
	struct s0_frame f = frame(0x81), before;
	struct host *h = *state;

	f.rax = 12;
	before = f;
	assert_int_equal(s0_vc_handle(&h->vc, &f, code), STAGE0_OK);
	ONLY_SHOWN(h, CPL, RAX, RBX, RCX, RDX, RSI);
	assert_int_equal(asked(h, RAX), 12);
	assert_int_equal(asked(h, RBX), before.rbx);
	assert_int_equal(asked(h, RDX), before.rdx);
	assert_int_equal(f.rax, h->rax);
	assert_int_equal(f.rbx, before.rbx);
	assert_int_equal(f.rip, before.rip + 3);
}

static void halting_needs_nothing(void **state)
{
	const uint8_t code[15] = {0xf4};
	struct s0_frame f = frame(0x78);
	struct host *h = *state;

	assert_int_equal(s0_vc_handle(&h->vc, &f, code), STAGE0_OK);
	ONLY_SHOWN(h, CODE);
	assert_int_equal(f.rip, 0x20001);
}

static void an_answer_without_its_registers_is_refused(void **state)
{
	const uint8_t in[15] = {0xec}, rd[15] = {0x0f, 0x32},
		      call3[15] = {0x0f, 0x01, 0xd9};
	struct s0_frame f = frame(0x7b);
	struct host *h = *state;

	h->no_registers = true;
	assert_int_equal(s0_vc_handle(&h->vc, &f, in), STAGE0_GHCB_ANSWER);
	f.error = 0x7c;
	assert_int_equal(s0_vc_handle(&h->vc, &f, rd), STAGE0_GHCB_ANSWER);
	f.error = 0x81;
	assert_int_equal(s0_vc_handle(&h->vc, &f, call3), STAGE0_GHCB_ANSWER);
	assert_int_equal(f.rip, 0x20000);
}

static void an_exception_from_the_host_is_refused(void **state)
{
	const uint8_t code[15] = {0xec};
	struct s0_frame f = frame(0x7b);
	struct host *h = *state;

	h->info_1 = 1;
	assert_int_equal(s0_vc_handle(&h->vc, &f, code), STAGE0_GHCB_ANSWER);
	h->info_1 = 2; /* malformed input, since version 2 */
	assert_int_equal(s0_vc_handle(&h->vc, &f, code), STAGE0_GHCB_ANSWER);
}

static void an_instruction_that_does_not_match_is_refused(void **state)
{
	const struct {
		uint64_t error;
		uint8_t code[4];
	} cases[] = {
		{0x72, {0xec}},
		{0x72, {0x0f, 0x32}},
		{0x7b, {0x0f, 0xa2}},
		{0x7b, {0x6c}},		    /* INS */
		{0x7b, {0xf3, 0x6e}},	    /* REP OUTS */
		{0x7b, {0x66, 0x66, 0xec}}, /* two prefixes */
		{0x7c, {0x0f, 0x31}},	    /* RDTSC */
		{0x81, {0x0f, 0x01, 0xd8}}, /* VMRUN */
		{0x78, {0xfb}},
		{0x400, {0x8b, 0x00}}, /* a device's memory */
		{0x89, {0x0f, 0x09}},  /* WBINVD */
		{0, {0x0f, 0xa2}},
		{0x72, {0x0f, 0x30}},
		{0x72, {0x0f, 0x01, 0xd9}},
		{0x72, {0xf4}},
	};
	struct host *h = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct s0_frame f = frame(cases[i].error);

		assert_int_equal(s0_vc_handle(&h->vc, &f, cases[i].code),
				 STAGE0_VC_UNKNOWN);
		assert_int_equal(f.rip, 0x20000);
	}
	assert_int_equal(h->calls + h->msr_calls, 0);
}

static void the_jump_table_is_set_by_its_address(void **state)
{
	struct host *h = *state;

	assert_int_equal(s0_vc_set_jump_table(&h->vc, 0x8000), STAGE0_OK);
	ONLY_SHOWN(h, CODE);
	assert_int_equal(asked(h, CODE), 0x80000005);
	assert_int_equal(asked(h, INFO_1), 0);
	assert_int_equal(asked(h, INFO_2), 0x8000);
	h->info_1 = 2;
	assert_int_equal(s0_vc_set_jump_table(&h->vc, 0x8000),
			 STAGE0_GHCB_ANSWER);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(versions_are_agreed_on),
		TEST(a_host_of_other_versions_is_refused),
		TEST(cpuid_asks_by_the_msr_for_four_registers),
		TEST(nonsense_for_cpuid_is_refused),
		TEST(ports_in_all_encodings),
		TEST(msrs_are_read_and_written),
		TEST(a_hypercall_shows_its_arguments_only),
		TEST(halting_needs_nothing),
		TEST(an_answer_without_its_registers_is_refused),
		TEST(an_exception_from_the_host_is_refused),
		TEST(an_instruction_that_does_not_match_is_refused),
		TEST(the_jump_table_is_set_by_its_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
