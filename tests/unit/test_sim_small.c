/*
 * tests/unit/test_sim_small.c - the simulator's small parts: faults, CPUID,
 * the modelled VMSA, the filter.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>

#include "sim/sim_abi.h"
#include "sim/sim_cpuid.h"
#include "sim/sim_fault.h"
#include "sim/sim_filter.h"
#include "sim/sim_vmsa.h"
#include "tests/unit/unit.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"

/* --- faults ----------------------------------------------------------------
 */

static void faults_are_parsed_strictly(void **state)
{
	static const char *const bad[] = {
		"",
		"LAUNCH_START",
		"=ENOMEM",
		"LAUNCH_START=",
		"LAUNCH_START=SUCCESS",
		"LAUNCH_START=0",
		"LAUNCH_START=0x10000",
		"LAUNCH_START=5x",
		"LAUNCH_START:0=5",
		"LAUNCH_START:=5",
		"LAUNCH_START:x=5",
		"launch_start=5",
		"NOTHING=5",
		"REG_REGION=5",
		"OPEN=INVALID_LEN",
		"LAUNCH_START=EWHATEVER",
	};
	AUTO(sim_fault_destroyp) struct sim_fault *f = sim_fault_create();

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct err err = {0};

		assert_int_equal(sim_fault_add(f, bad[i], &err), -EINVAL);
		assert_int_equal(err.kind, ERR_USAGE);
	}
}

static void a_fault_is_due_at_its_call(void **state)
{
	AUTO(sim_fault_destroyp) struct sim_fault *f = sim_fault_create();
	uint32_t code = 0;

	(void)state;
	assert_int_equal(sim_fault_add(f, "GET_ID:3=0x14", NULL), 0);
	assert_int_equal(sim_fault_add(f, "GET_ID:2=EBUSY", NULL), 0);
	assert_false(sim_fault_status(f, "GET_ID", &code));
	assert_false(sim_fault_status(f, "GET_ID", &code));
	assert_true(sim_fault_status(f, "GET_ID", &code));
	assert_int_equal(code, 0x14);
	assert_false(sim_fault_status(f, "GET_ID", &code));
	assert_int_equal(sim_fault_errno(f, "GET_ID"), 0);
	assert_int_equal(sim_fault_errno(f, "PEK_GEN"), 0);
	assert_int_equal(sim_fault_errno(f, "GET_ID"), -EBUSY);
}

static void every_command_can_be_made_to_fail(void **state)
{
	AUTO(sim_fault_destroyp) struct sim_fault *f = sim_fault_create();
	const char *name;
	char text[64];
	size_t i;

	(void)state;
	for (i = 0; (name = sim_fault_command_at(i)); i++) {
		snprintf(text, sizeof(text), "%s=EIO", name);
		assert_int_equal(sim_fault_add(f, text, NULL), 0);
		assert_int_equal(sim_fault_errno(f, name), -EIO);
	}
	assert_true(i > 25);
}

/* --- CPUID -----------------------------------------------------------------
 */

static void the_leaf_of_sev_is_added_or_replaced(void **state)
{
	const struct sim_cpuid_sev sev = {true, 51, 509, 100};
	uint8_t list[SIM_CPUID_ENTRIES_MAX * SIM_CPUID_ENTRY_LEN] = {0};
	size_t n = 2;
	long off;

	(void)state;
	store_le32(list, 0x80000000);
	store_le32(list + 12, 0x80000008);
	store_le32(list + SIM_CPUID_ENTRY_LEN, 0x80000008);
	store_le32(list + SIM_CPUID_ENTRY_LEN + 12, 0x3028);
	assert_int_equal(sim_cpuid_phys_bits(list, n), 40);
	assert_true(sim_cpuid_find_sev(list, n) < 0);
	assert_int_equal(sim_cpuid_add_sev(list, &n, &sev), 0);
	assert_int_equal(n, 3);
	assert_int_equal(load_le32(list + 12), 0x8000001f);
	off = sim_cpuid_find_sev(list, n);
	assert_int_equal(off, 2 * SIM_CPUID_ENTRY_LEN);
	assert_int_equal(load_le32(list + off + 12), 0xa);
	assert_int_equal(load_le32(list + off + 16), 51);
	assert_int_equal(load_le32(list + off + 20), 509);
	assert_int_equal(load_le32(list + off + 24), 100);
	assert_int_equal(sim_cpuid_add_sev(list, &n, &sev), 0);
	assert_int_equal(n, 3);
	n = SIM_CPUID_ENTRIES_MAX;
	store_le32(list + off, 1);
	assert_int_equal(sim_cpuid_add_sev(list, &n, &sev), -ENOSPC);
}

/* --- VMSA ------------------------------------------------------------------
 */

static void put_segment(uint8_t *p, uint16_t selector, uint32_t limit,
			uint8_t type, uint8_t db, uint8_t l)
{
	store_le32(p + 8, limit);
	store_le16(p + 12, selector);
	p[14] = type;
	p[15] = 1; /* present */
	p[17] = db;
	p[18] = 1; /* s */
	p[19] = l;
	p[20] = 1; /* g */
}

static void registers_after_reset_are_those_of_kvm(void **state)
{
	struct sim_vmsa v;
	const uint8_t *p = v.page;

	(void)state;
	sim_vmsa_reset(&v);
	assert_int_equal(load_le16(p + 0x10), 0xf000);
	assert_int_equal(load_le16(p + 0x12), 0x9b);
	assert_int_equal(load_le32(p + 0x14), 0xffff);
	assert_int_equal(load_le64(p + 0x18), 0xffff0000);
	assert_int_equal(load_le16(p + 0x02), 0x93);
	assert_int_equal(load_le16(p + 0x72), 0x82);
	assert_int_equal(load_le16(p + 0x92), 0x8b);
	assert_int_equal(load_le64(p + 0xd0), 0x1000);
	assert_int_equal(load_le64(p + 0x148), 0x40);
	assert_int_equal(load_le64(p + 0x158), 0x10);
	assert_int_equal(load_le64(p + 0x160), 0x400);
	assert_int_equal(load_le64(p + 0x168), 0xffff0ff0);
	assert_int_equal(load_le64(p + 0x170), 2);
	assert_int_equal(load_le64(p + 0x178), 0xfff0);
	assert_true(load_le64(p + 0x268) == UINT64_C(0x0007040600070406));
	assert_int_equal(load_le64(p + 0x310), 0x600);
	assert_int_equal(load_le64(p + 0x3e8), 1);
	assert_int_equal(load_le32(p + 0x408), 0); /* no FPU state */
}

static void what_the_ioctls_set_is_where_hardware_looks(void **state)
{
	uint8_t regs[144] = {0}, sregs[312] = {0}, msrs[8 + 2 * 16] = {0};
	struct sim_vmsa v;
	const uint8_t *p = v.page;

	(void)state;
	sim_vmsa_reset(&v);
	for (unsigned int i = 0; i < 18; i++)
		store_le64(regs + 8 * (size_t)i, 0x100 + i);
	sim_vmsa_set(&v, SIM_KVM_SET_REGS, regs, sizeof(regs));
	assert_int_equal(load_le64(p + 0x1f8), 0x100); /* rax */
	assert_int_equal(load_le64(p + 0x330), 0x104); /* rsi */
	assert_int_equal(load_le64(p + 0x1d8), 0x106); /* rsp */
	assert_int_equal(load_le64(p + 0x378), 0x10f); /* r15 */
	assert_int_equal(load_le64(p + 0x178), 0x110); /* rip */
	assert_int_equal(load_le64(p + 0x170), 0x113); /* rflags, bit 1 set */
	put_segment(sregs, 0x10, 0xffffffff, 0xb, 1, 0);
	put_segment(sregs + 24, 0x18, 0xffffffff, 0x3, 1, 0);
	put_segment(sregs + (size_t)24 * 5, 0x18, 0xffffffff, 0x3, 1, 0);
	store_le64(sregs + 192, 0x5000);
	store_le16(sregs + 200, 31);
	store_le64(sregs + 224, 0x60000011);
	store_le64(sregs + 264, 0x500);
	sim_vmsa_set(&v, SIM_KVM_SET_SREGS, sregs, sizeof(sregs));
	assert_int_equal(load_le16(p + 0x12), 0xc9b); /* cs */
	assert_int_equal(load_le16(p + 0x32), 0xc93); /* ds */
	assert_int_equal(load_le16(p + 0x22), 0xc93); /* ss */
	assert_int_equal(load_le64(p + 0x68), 0x5000);
	assert_int_equal(load_le32(p + 0x64), 31);
	assert_int_equal(load_le64(p + 0x158), 0x11);
	assert_int_equal(load_le64(p + 0xd0), 0x1500);
	assert_int_equal(load_le64(p + 0x148), 0x40);
	store_le32(msrs, 2);
	store_le32(msrs + 8, 0x277);
	store_le64(msrs + 16, 0x70106);
	store_le32(msrs + 24, 0xc0000082);
	store_le64(msrs + 32, 0x1234);
	sim_vmsa_set(&v, SIM_KVM_SET_MSRS, msrs, sizeof(msrs));
	assert_int_equal(load_le64(p + 0x268), 0x70106);
	assert_int_equal(load_le64(p + 0x208), 0x1234);
}

static void cut_arguments_do_not_reach_beyond_their_end(void **state)
{
	uint8_t msrs[8 + 16] = {0};
	struct sim_vmsa v, before;

	(void)state;
	sim_vmsa_reset(&v);
	before = v;
	store_le32(msrs, UINT32_MAX); /* says more than there is */
	store_le32(msrs + 8, 0x277);
	sim_vmsa_set(&v, SIM_KVM_SET_MSRS, msrs, sizeof(msrs));
	assert_int_equal(load_le64(v.page + 0x268), 0);
	v = before;
	sim_vmsa_set(&v, SIM_KVM_SET_REGS, msrs, sizeof(msrs));
	assert_memory_equal(&v, &before, sizeof(v));
	assert_null(sim_vmsa_arg(SIM_KVM_CREATE_VCPU));
	assert_string_equal(sim_vmsa_arg(SIM_KVM_SET_XSAVE)->name, "SET_XSAVE");
}

/* --- the filter --------------------------------------------------------------
 */

/* As the kernel runs it; only the instructions that occur. */
static uint32_t run(const struct sock_filter *prog, size_t n,
		    const struct seccomp_data *d)
{
	uint32_t acc = 0;

	for (size_t pc = 0; pc < n; pc++) {
		const struct sock_filter *i = &prog[pc];

		switch (i->code) {
		case BPF_LD | BPF_W | BPF_ABS:
			assert_true(i->k + 4 <= sizeof(*d));
			memcpy(&acc, (const uint8_t *)d + i->k, 4);
			break;
		case BPF_JMP | BPF_JEQ | BPF_K:
			pc += acc == i->k ? i->jt : i->jf;
			break;
		case BPF_JMP | BPF_JGE | BPF_K:
			pc += acc >= i->k ? i->jt : i->jf;
			break;
		case BPF_RET | BPF_K:
			return i->k;
		default:
			fail();
		}
	}
	fail_msg("ran off the end");
	return 0;
}

static void the_filter_notifies_of_what_is_listed(void **state)
{
	const struct sim_rule rules[] = {
		{SYS_openat, 0, 0},
		{SYS_ioctl, SIM_KVM_CHECK_EXTENSION, SIM_KVM_CAP_VM_TYPES},
		{SYS_ioctl, SIM_SEV_ISSUE_CMD, 0},
	};
	struct sock_filter prog[SIM_FILTER_MAX];
	struct seccomp_data d = {.nr = SYS_openat, .arch = AUDIT_ARCH_X86_64};
	int n = sim_filter_build(rules, ARRAY_SIZE(rules), prog);

	(void)state;
	assert_true(n > 0);
#define VERDICT run(prog, (size_t)n, &d)
	assert_int_equal(VERDICT, SECCOMP_RET_USER_NOTIF);
	d.nr = SYS_read;
	assert_int_equal(VERDICT, SECCOMP_RET_ALLOW);
	d.nr = SYS_ioctl;
	assert_int_equal(VERDICT, SECCOMP_RET_ALLOW);
	d.args[1] = SIM_SEV_ISSUE_CMD;
	assert_int_equal(VERDICT, SECCOMP_RET_USER_NOTIF);
	d.args[1] |= UINT64_C(1) << 40; /* the kernel cuts it off, too */
	assert_int_equal(VERDICT, SECCOMP_RET_USER_NOTIF);
	d.args[1] = SIM_KVM_CHECK_EXTENSION;
	d.args[2] = 1;
	assert_int_equal(VERDICT, SECCOMP_RET_ALLOW);
	d.args[2] = SIM_KVM_CAP_VM_TYPES;
	assert_int_equal(VERDICT, SECCOMP_RET_USER_NOTIF);
	d.nr = SYS_openat | 0x40000000; /* x32 */
	assert_int_equal(VERDICT, SECCOMP_RET_ERRNO | EPERM);
	d = (struct seccomp_data){.nr = 295, .arch = AUDIT_ARCH_I386};
	assert_int_equal(VERDICT, SECCOMP_RET_ERRNO | EPERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(faults_are_parsed_strictly),
		cmocka_unit_test(a_fault_is_due_at_its_call),
		cmocka_unit_test(every_command_can_be_made_to_fail),
		cmocka_unit_test(the_leaf_of_sev_is_added_or_replaced),
		cmocka_unit_test(registers_after_reset_are_those_of_kvm),
		cmocka_unit_test(what_the_ioctls_set_is_where_hardware_looks),
		cmocka_unit_test(cut_arguments_do_not_reach_beyond_their_end),
		cmocka_unit_test(the_filter_notifies_of_what_is_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
