/* tests/unit/test_sim_kvm.c - KVM's rules for SEV VMs, as simulated. */
#include "sim/sim_kvm.h"

#include <errno.h>
#include <string.h>

#include "tests/fake/fake_target.h"
#include "tests/unit/sim_fixture.h"
#include "tests/unit/unit.h"
#include "vmm/base/bytes.h"

/* Where things lie in the caller's memory. */
enum {
	CMD_AT = 0,
	DATA_AT = 0x100,
	OUT_AT = 0x1000,
	GUEST_AT = 0x10000,
	SEV_FD = 5,
};

struct fixture {
	struct sim_fixture fw;
	struct fake_target t;
	struct sim_kvm *kvm;
	struct sim_kvm_vm *vm;
	struct sim_kvm_report rep;
};

static void make(struct fixture *f, bool scramble)
{
	const struct sim_kvm_config c = {.has_sev = true, .scramble = scramble};

	sim_fixture_init(&f->fw);
	fake_target_init(&f->t);
	f->kvm = sim_kvm_create(&c, f->fw.fw, f->fw.faults);
	assert_non_null(f->kvm);
	f->vm = sim_kvm_vm_create(f->kvm);
	assert_non_null(f->vm);
}

static int setup(void **state)
{
	static struct fixture f;

	make(&f, false);
	*state = &f;
	return 0;
}

static int setup_scrambling(void **state)
{
	static struct fixture f;

	make(&f, true);
	*state = &f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	sim_kvm_vm_destroy(f->vm);
	/* whatever the test did: nothing is in use any more */
	assert_int_equal(sim_kvm_asids_used(f->kvm, true), 0);
	assert_int_equal(sim_kvm_asids_used(f->kvm, false), 0);
	assert_int_equal(sim_fw_state(f->fw.fw), SIM_FW_PLATFORM_INIT);
	sim_kvm_destroy(f->kvm);
	fake_target_end(&f->t);
	sim_fixture_end(&f->fw);
	return 0;
}

static int op_on(struct fixture *f, struct sim_kvm_vm *vm, uint32_t id)
{
	uint8_t *cmd = f->t.mem + CMD_AT;

	memset(cmd, 0, SIM_CMD_LEN);
	store_le32(cmd + SIM_CMD_ID, id);
	store_le64(cmd + SIM_CMD_DATA, fake_addr(DATA_AT));
	store_le32(cmd + SIM_CMD_SEV_FD, SEV_FD);
	return sim_kvm_op(vm, &f->t.target, fake_addr(CMD_AT), &f->rep);
}

static int op(struct fixture *f, uint32_t id)
{
	return op_on(f, f->vm, id);
}

static uint32_t error_of(const struct fixture *f)
{
	return load_le32(f->t.mem + CMD_AT + SIM_CMD_ERROR);
}

static void start(struct fixture *f, bool es)
{
	assert_int_equal(op(f, es ? SIM_KVM_SEV_ES_INIT : SIM_KVM_SEV_INIT), 0);
	memset(f->t.mem + DATA_AT, 0, 40);
	store_le32(f->t.mem + DATA_AT + 4, es ? 5 : 1);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_START), 0);
	assert_int_not_equal(load_le32(f->t.mem + DATA_AT), 0); /* handle */
}

static int update(struct fixture *f, uint64_t off, uint32_t len)
{
	store_le64(f->t.mem + DATA_AT, fake_addr(off));
	store_le32(f->t.mem + DATA_AT + 8, len);
	return op(f, SIM_KVM_SEV_LAUNCH_UPDATE_DATA);
}

static int measure(struct fixture *f, uint64_t addr, uint32_t len)
{
	store_le64(f->t.mem + DATA_AT, addr);
	store_le32(f->t.mem + DATA_AT + 8, len);
	return op(f, SIM_KVM_SEV_LAUNCH_MEASURE);
}

static int region(struct fixture *f, bool add, uint64_t off, uint64_t len)
{
	store_le64(f->t.mem + DATA_AT, fake_addr(off));
	store_le64(f->t.mem + DATA_AT + 8, len);
	return sim_kvm_region(f->vm, &f->t.target, add, fake_addr(DATA_AT),
			      &f->rep);
}

static void a_vm_is_no_sev_guest_before_init(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(sim_kvm_op(f->vm, &f->t.target, 0, &f->rep), 0);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_START), -ENOTTY);
	assert_int_equal(region(f, true, GUEST_AT, 4096), -ENOTTY);
	assert_int_equal(op(f, 22), -EINVAL); /* INIT2: a later kernel's */
	assert_int_equal(op(f, 99), -EINVAL);
}

static void init_comes_once_and_before_vcpus(void **state)
{
	struct fixture *f = *state;
	struct sim_kvm_vm *other = sim_kvm_vm_create(f->kvm);

	assert_int_equal(op(f, SIM_KVM_SEV_INIT), 0);
	assert_int_equal(op(f, SIM_KVM_SEV_INIT), -EINVAL);
	assert_int_equal(sim_kvm_vcpu_create(other, 0), 0);
	assert_int_equal(sim_kvm_vcpu_create(other, 0), -EEXIST);
	assert_int_equal(op_on(f, other, SIM_KVM_SEV_INIT), -EINVAL);
	sim_kvm_vm_destroy(other);
}

static void asids_run_out_and_come_back(void **state)
{
	struct fixture *f = *state;
	struct sim_kvm_vm *vm[2];

	assert_int_equal(op(f, SIM_KVM_SEV_INIT), 0);
	for (int i = 0; i < 2; i++)
		vm[i] = sim_kvm_vm_create(f->kvm);
	assert_int_equal(op_on(f, vm[0], SIM_KVM_SEV_INIT), 0);
	assert_int_equal(op_on(f, vm[1], SIM_KVM_SEV_INIT), -EBUSY);
	assert_int_equal(sim_kvm_asids_used(f->kvm, false), 2);
	/* SEV-ES has its own */
	assert_int_equal(op_on(f, vm[1], SIM_KVM_SEV_ES_INIT), 0);
	sim_kvm_vm_destroy(vm[1]);
	sim_kvm_vm_destroy(vm[0]);
	vm[0] = sim_kvm_vm_create(f->kvm);
	assert_int_equal(op_on(f, vm[0], SIM_KVM_SEV_INIT), 0);
	sim_kvm_vm_destroy(vm[0]);
}

static void a_policy_for_es_does_not_fit_another_asid(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(op(f, SIM_KVM_SEV_INIT), 0);
	store_le32(f->t.mem + DATA_AT + 4, 5);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_START), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_INVALID_ASID);
	assert_int_equal(sim_fw_state(f->fw.fw), SIM_FW_PLATFORM_INIT);
}

static void the_number_of_the_sev_descriptor_is_remembered(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(op(f, SIM_KVM_SEV_INIT), 0);
	/* before LAUNCH_START the number is 0 */
	assert_int_equal(update(f, GUEST_AT, 4096), -EBADF);
	f->t.sev_fd = 6;
	memset(f->t.mem + DATA_AT, 0, 40);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_START), -EBADF);
	f->t.sev_fd = SEV_FD;
	store_le32(f->t.mem + DATA_AT + 4, 1);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_START), 0);
	f->t.sev_fd = 6; /* closed, and open again as 6 */
	assert_int_equal(update(f, GUEST_AT, 4096), -EBADF);
	assert_int_equal(error_of(f), 0);
}

static void blobs_are_copied_as_the_kernel_does(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(op(f, SIM_KVM_SEV_INIT), 0);
	memset(f->t.mem + DATA_AT, 0, 40);
	store_le64(f->t.mem + DATA_AT + 8, fake_addr(OUT_AT));
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_START), -EINVAL);
	store_le32(f->t.mem + DATA_AT + 16, SIM_BLOB_MAX + 1);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_START), -EINVAL);
	store_le32(f->t.mem + DATA_AT + 16, 2084);
	store_le64(f->t.mem + DATA_AT + 8, 0x10);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_START), -EFAULT);
}

static void locked_memory_is_counted(void **state)
{
	struct fixture *f = *state;

	start(f, false);
	f->t.memlock = 4 * 4096;
	assert_int_equal(region(f, true, GUEST_AT, 5 * 4096), -ENOMEM);
	assert_int_equal(region(f, true, GUEST_AT, 3 * 4096), 0);
	/* what is registered counts, and the update besides */
	assert_int_equal(update(f, GUEST_AT, 2 * 4096), -ENOMEM);
	assert_int_equal(update(f, GUEST_AT, 4096), 0);
	assert_int_equal(region(f, false, GUEST_AT, 4096), -EINVAL);
	assert_int_equal(region(f, false, GUEST_AT, 3 * 4096), 0);
	assert_int_equal(region(f, false, GUEST_AT, 3 * 4096), -EINVAL);
	assert_int_equal(update(f, GUEST_AT, 2 * 4096), 0);
	assert_int_equal(region(f, true, GUEST_AT, 0), -EINVAL);
}

static void memory_that_cannot_be_pinned_is_refused(void **state)
{
	struct fixture *f = *state;

	start(f, false);
	f->t.writable = GUEST_AT;
	assert_int_equal(region(f, true, GUEST_AT, 4096), -ENOMEM);
	assert_int_equal(update(f, GUEST_AT, 4096), -ENOMEM);
	assert_int_equal(update(f, GUEST_AT - 16, 16), 0);
	assert_int_equal(update(f, GUEST_AT, 0), -EINVAL);
}

static void unaligned_updates_reach_the_firmware(void **state)
{
	struct fixture *f = *state;

	start(f, false);
	assert_int_equal(update(f, GUEST_AT + 8, 16), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_INVALID_ADDRESS);
	assert_int_equal(update(f, GUEST_AT, 20), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_INVALID_LEN);
}

static void a_measurement_is_asked_for_twice(void **state)
{
	struct fixture *f = *state;

	start(f, false);
	assert_int_equal(update(f, GUEST_AT, 4096), 0);
	assert_int_equal(measure(f, 0, 0), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_INVALID_LEN);
	assert_int_equal(load_le32(f->t.mem + DATA_AT + 8), 48);
	assert_int_equal(measure(f, fake_addr(OUT_AT), SIM_BLOB_MAX + 1),
			 -EINVAL);
	assert_int_equal(measure(f, fake_addr(OUT_AT), 64), 0);
	assert_int_equal(load_le32(f->t.mem + DATA_AT + 8), 48);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_FINISH), 0);
	assert_int_equal(op(f, SIM_KVM_SEV_GUEST_STATUS), 0);
	assert_int_equal(load_le32(f->t.mem + DATA_AT + 8),
			 SIM_FW_GUEST_RUNNING);
}

static void a_secret_lies_in_one_page(void **state)
{
	struct fixture *f = *state;
	uint8_t *d = f->t.mem + DATA_AT;

	start(f, false);
	assert_int_equal(measure(f, fake_addr(OUT_AT), 48), 0);
	memset(d, 0, 48);
	store_le64(d, fake_addr(OUT_AT));
	store_le32(d + 8, SEV_SECRET_HDR_LEN);
	store_le64(d + 16, fake_addr(GUEST_AT + 4096 - 16));
	store_le32(d + 24, 32);
	store_le64(d + 32, fake_addr(OUT_AT));
	store_le32(d + 40, 32);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_SECRET), -EINVAL);
	store_le64(d + 16, fake_addr(GUEST_AT));
	store_le32(d + 40, 0);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_SECRET), -EINVAL);
	store_le32(d + 40, 32);
	memset(f->t.mem + OUT_AT, 0, 64);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_SECRET), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_BAD_MEASUREMENT);
}

static void vmsas_are_launched_once_and_only_for_es(void **state)
{
	struct fixture *f = *state;

	start(f, false);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_UPDATE_VMSA), -ENOTTY);
	assert_null(sim_kvm_vmsa(f->vm, 0));
}

static void an_es_guest_has_its_vcpus_measured(void **state)
{
	struct fixture *f = *state;
	uint8_t debug[128] = {0};

	start(f, true);
	assert_int_equal(sim_kvm_vcpu_create(f->vm, 0), 0);
	assert_int_equal(sim_kvm_vcpu_create(f->vm, 1), 0);
	store_le64(debug + 40, 0x401); /* a breakpoint */
	sim_vmsa_set(sim_kvm_vmsa(f->vm, 1), SIM_KVM_SET_DEBUGREGS, debug,
		     sizeof(debug));
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_UPDATE_VMSA), -EINVAL);
	store_le64(debug + 40, 0x400);
	sim_vmsa_set(sim_kvm_vmsa(f->vm, 1), SIM_KVM_SET_DEBUGREGS, debug,
		     sizeof(debug));
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_UPDATE_VMSA), 0);
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_UPDATE_VMSA), -EINVAL);
}

static void migration_is_not_simulated(void **state)
{
	struct fixture *f = *state;

	start(f, false);
	assert_int_equal(op(f, SIM_KVM_SEV_SEND_START), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_UNSUPPORTED);
}

static void faults_come_from_firmware_or_kernel(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(
		sim_fault_add(f->fw.faults, "SEV_INIT:1=RESOURCE_LIMIT", NULL),
		0);
	assert_int_equal(sim_fault_add(f->fw.faults,
				       "LAUNCH_UPDATE_DATA:2=ENOMEM", NULL),
			 0);
	assert_int_equal(
		sim_fault_add(f->fw.faults, "REG_REGION:1=ENOMEM", NULL), 0);
	assert_int_equal(op(f, SIM_KVM_SEV_INIT), -EIO);
	assert_int_equal(error_of(f), SEV_STATUS_RESOURCE_LIMIT);
	assert_int_equal(sim_kvm_asids_used(f->kvm, false), 0);
	start(f, false);
	assert_int_equal(region(f, true, GUEST_AT, 4096), -ENOMEM);
	assert_int_equal(region(f, true, GUEST_AT, 4096), 0);
	assert_int_equal(update(f, GUEST_AT, 4096), 0);
	assert_int_equal(update(f, GUEST_AT, 4096), -ENOMEM);
}

static void scrambled_memory_is_noise_until_the_launch_ends(void **state)
{
	struct fixture *f = *state;
	uint8_t *guest = f->t.mem + GUEST_AT, plain[8192];

	for (size_t i = 0; i < sizeof(plain); i++)
		plain[i] = (uint8_t)(i * 7);
	memcpy(guest, plain, sizeof(plain));
	start(f, false);
	/* not page by page: blocks in the middle of pages */
	assert_int_equal(update(f, GUEST_AT + 4000 / 16 * 16, 4096), 0);
	assert_memory_equal(guest, plain, 4000);
	assert_memory_not_equal(guest + 4000, plain + 4000, 4096);
	assert_int_equal(measure(f, fake_addr(OUT_AT), 48), 0);
	guest[0] = 0xee; /* not launched: nobody's business */
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_FINISH), 0);
	assert_int_equal(f->rep.touched, 0);
	assert_memory_equal(guest + 1, plain + 1, sizeof(plain) - 1);
}

static void a_write_to_launched_memory_is_found(void **state)
{
	struct fixture *f = *state;
	uint8_t *guest = f->t.mem + GUEST_AT;

	memset(guest, 'A', 3 * 4096);
	start(f, false);
	assert_int_equal(update(f, GUEST_AT, 3 * 4096), 0);
	assert_int_equal(measure(f, fake_addr(OUT_AT), 48), 0);
	guest[4096 + 17] ^= 1;
	assert_int_equal(op(f, SIM_KVM_SEV_LAUNCH_FINISH), 0);
	assert_int_equal(f->rep.touched, 1);
	assert_int_equal(f->rep.first_touched, fake_addr(GUEST_AT + 4096));
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_vm_is_no_sev_guest_before_init),
		CASE(init_comes_once_and_before_vcpus),
		CASE(asids_run_out_and_come_back),
		CASE(a_policy_for_es_does_not_fit_another_asid),
		CASE(the_number_of_the_sev_descriptor_is_remembered),
		CASE(blobs_are_copied_as_the_kernel_does),
		CASE(locked_memory_is_counted),
		CASE(memory_that_cannot_be_pinned_is_refused),
		CASE(unaligned_updates_reach_the_firmware),
		CASE(a_measurement_is_asked_for_twice),
		CASE(a_secret_lies_in_one_page),
		CASE(vmsas_are_launched_once_and_only_for_es),
		CASE(an_es_guest_has_its_vcpus_measured),
		CASE(migration_is_not_simulated),
		CASE(faults_come_from_firmware_or_kernel),
		cmocka_unit_test_setup_teardown(
			scrambled_memory_is_noise_until_the_launch_ends,
			setup_scrambling, teardown),
		cmocka_unit_test_setup_teardown(
			a_write_to_launched_memory_is_found, setup_scrambling,
			teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
