/* sim/sim_kvm.c - simulated SEV VMs: ASIDs, vCPUs, regions, dispatch. */
#include "sim/sim_kvm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sim/sim_kvm_impl.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"

struct sim_kvm *sim_kvm_create(const struct sim_kvm_config *c,
			       struct sim_fw *fw, struct sim_fault *faults)
{
	AUTO(sim_kvm_destroyp) struct sim_kvm *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->c = *c;
	k->fw = fw;
	k->faults = faults;
	k->asid_used = calloc((size_t)sim_fw_config(fw)->asids + 1, 1);
	return k->asid_used ? TAKE(k) : NULL;
}

void sim_kvm_destroy(struct sim_kvm *k)
{
	if (!k)
		return;
	free(k->asid_used);
	free(k);
}

/* SEV-ES guests and the others have ASIDs of their own. */
static void asid_range(const struct sim_kvm *k, bool es, uint32_t *first,
		       uint32_t *end)
{
	const struct sim_fw_config *c = sim_fw_config(k->fw);

	*first = es ? 1 : c->min_sev_asid;
	*end = es ? c->min_sev_asid : c->asids + 1;
}

uint32_t sim_kvm_asids(const struct sim_kvm *k, bool es)
{
	uint32_t first, end;

	asid_range(k, es, &first, &end);
	return end > first ? end - first : 0;
}

uint32_t sim_kvm_asids_used(const struct sim_kvm *k, bool es)
{
	uint32_t first, end, n = 0;

	asid_range(k, es, &first, &end);
	for (uint32_t i = first; i < end; i++)
		n += k->asid_used[i];
	return n;
}

/* 0: there is no free one. */
static uint32_t take_asid(struct sim_kvm *k, bool es)
{
	uint32_t first, end;

	asid_range(k, es, &first, &end);
	for (uint32_t i = first; i < end; i++)
		if (!k->asid_used[i]) {
			k->asid_used[i] = 1;
			return i;
		}
	return 0;
}

/* --- VMs and vCPUs ------------------------------------------------------- */

struct sim_kvm_vm *sim_kvm_vm_create(struct sim_kvm *k)
{
	struct sim_kvm_vm *vm = calloc(1, sizeof(*vm));

	if (vm)
		vm->k = k;
	return vm;
}

void sim_kvm_vm_destroy(struct sim_kvm_vm *vm)
{
	if (!vm)
		return;
	if (vm->handle) {
		sim_fw_deactivate(vm->k->fw, vm->handle);
		sim_fw_decommission(vm->k->fw, vm->handle);
	}
	if (vm->asid)
		vm->k->asid_used[vm->asid] = 0;
	for (size_t i = 0; i < vm->n_vcpus; i++)
		free(vm->vcpu[i]);
	free(vm->vcpu);
	free(vm->region);
	sim_scramble_destroy(vm->scramble);
	free(vm);
}

static struct sim_vcpu *find_vcpu(struct sim_kvm_vm *vm, uint32_t id)
{
	for (size_t i = 0; i < vm->n_vcpus; i++)
		if (vm->vcpu[i]->id == id)
			return vm->vcpu[i];
	return NULL;
}

int sim_kvm_vcpu_create(struct sim_kvm_vm *vm, uint32_t id)
{
	struct sim_vcpu **list, *v;

	if (vm->n_vcpus == SIM_KVM_VCPUS_MAX)
		return -EINVAL;
	if (find_vcpu(vm, id))
		return -EEXIST;
	list = reallocarray(vm->vcpu, vm->n_vcpus + 1,
			    sizeof(struct sim_vcpu *));
	if (!list)
		return -ENOMEM;
	vm->vcpu = list;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	v->id = id;
	sim_vmsa_reset(&v->vmsa);
	vm->vcpu[vm->n_vcpus++] = v;
	return 0;
}

struct sim_vmsa *sim_kvm_vmsa(struct sim_kvm_vm *vm, uint32_t id)
{
	struct sim_vcpu *v = vm->is_es ? find_vcpu(vm, id) : NULL;

	return v ? &v->vmsa : NULL;
}

/* --- pinned memory ------------------------------------------------------- */

int sim_kvm_pin(const struct sim_op *op, uint64_t addr, uint64_t len,
		uint64_t *ret_pages)
{
	uint64_t end, limit, pages;

	if (!len || !checked_add(addr, len, &end))
		return -EINVAL;
	pages = (end - 1) / SIM_PAGE - addr / SIM_PAGE + 1;
	limit = op->t->ops->memlock(op->t);
	if (limit != UINT64_MAX &&
	    op->vm->pages_locked + pages > limit / SIM_PAGE)
		return -ENOMEM;
	if (!op->t->ops->is_writable(op->t, addr, len))
		return -ENOMEM;
	*ret_pages = pages;
	return 0;
}

static int add_region(struct sim_op *op, const struct sim_region *r)
{
	struct sim_kvm_vm *vm = op->vm;
	struct sim_region *list;
	uint64_t pages;
	int e = sim_kvm_pin(op, r->addr, r->size, &pages);

	if (e < 0)
		return e;
	if (vm->n_regions == SIM_KVM_REGIONS_MAX)
		return -ENOMEM;
	list = reallocarray(vm->region, vm->n_regions + 1, sizeof(*list));
	if (!list)
		return -ENOMEM;
	vm->region = list;
	vm->region[vm->n_regions++] = *r;
	vm->pages_locked += pages;
	return 0;
}

static int remove_region(struct sim_op *op, const struct sim_region *r)
{
	struct sim_kvm_vm *vm = op->vm;

	for (size_t i = 0; i < vm->n_regions; i++) {
		if (vm->region[i].addr != r->addr ||
		    vm->region[i].size != r->size)
			continue;
		vm->pages_locked -= (r->addr + r->size - 1) / SIM_PAGE -
				    r->addr / SIM_PAGE + 1;
		vm->region[i] = vm->region[--vm->n_regions];
		return 0;
	}
	return -EINVAL;
}

int sim_kvm_region(struct sim_kvm_vm *vm, struct sim_target *t, bool add,
		   uint64_t arg, struct sim_kvm_report *rep)
{
	const char *name = add ? "REG_REGION" : "UNREG_REGION";
	struct sim_op op = {vm, t, rep, arg, 0};
	struct sim_region r;
	uint8_t raw[16];
	int e = sim_fault_errno(vm->k->faults, name);

	*rep = (struct sim_kvm_report){.command = name, .asid = vm->asid};
	if (e < 0)
		return e;
	if (!vm->k->c.has_sev)
		return -ENOTTY;
	if (sim_read(t, arg, raw, sizeof(raw)) < 0)
		return -EFAULT;
	if (!vm->is_sev)
		return -ENOTTY;
	r = (struct sim_region){load_le64(raw), load_le64(raw + 8)};
	rep->addr = r.addr;
	rep->len = r.size;
	return add ? add_region(&op, &r) : remove_region(&op, &r);
}

/* --- KVM_MEMORY_ENCRYPT_OP ----------------------------------------------- */

int sim_kvm_check_fd(const struct sim_op *op, uint32_t fd)
{
	int mode;

	return op->t->ops->is_sev(op->t, fd, &mode) ? 0 : -EBADF;
}

int sim_kvm_status(const struct sim_op *op, uint32_t status)
{
	op->rep->status = status;
	op->rep->has_status = true;
	return status ? -EIO : 0;
}

static int init(struct sim_op *op, bool es)
{
	struct sim_kvm_vm *vm = op->vm;
	uint32_t status;

	if (es && !sim_fw_config(vm->k->fw)->has_es)
		return -ENOTTY;
	if (vm->n_vcpus || vm->is_sev)
		return -EINVAL;
	if (!sim_kvm_asids(vm->k, es))
		return -ENOTTY;
	if (sim_fault_status(vm->k->faults, op->rep->command, &status))
		return sim_kvm_status(op, status);
	vm->asid = take_asid(vm->k, es);
	if (!vm->asid)
		return -EBUSY;
	status = sim_fw_state(vm->k->fw) == SIM_FW_PLATFORM_UNINIT
			 ? sim_fw_init(vm->k->fw)
			 : SEV_STATUS_SUCCESS;
	if (!status && vm->k->c.scramble &&
	    !(vm->scramble = sim_scramble_create()))
		status = SEV_STATUS_HWERROR_PLATFORM;
	if (status) {
		vm->k->asid_used[vm->asid] = 0;
		vm->asid = 0;
		return sim_kvm_status(op, status);
	}
	vm->is_sev = true;
	vm->is_es = es;
	op->rep->asid = vm->asid;
	return 0;
}

static int sev_init(struct sim_op *op)
{
	return init(op, false);
}

static int sev_es_init(struct sim_op *op)
{
	return init(op, true);
}

static const struct {
	enum sim_kvm_id id;
	const char *name;
	int (*run)(struct sim_op *op);
} ops[] = {
	{SIM_KVM_SEV_INIT, "SEV_INIT", sev_init},
	{SIM_KVM_SEV_ES_INIT, "SEV_ES_INIT", sev_es_init},
	{SIM_KVM_SEV_LAUNCH_START, "LAUNCH_START", sim_kvm_launch_start},
	{SIM_KVM_SEV_LAUNCH_UPDATE_DATA, "LAUNCH_UPDATE_DATA",
	 sim_kvm_update_data},
	{SIM_KVM_SEV_LAUNCH_UPDATE_VMSA, "LAUNCH_UPDATE_VMSA",
	 sim_kvm_update_vmsa},
	{SIM_KVM_SEV_LAUNCH_SECRET, "LAUNCH_SECRET", sim_kvm_secret},
	{SIM_KVM_SEV_LAUNCH_MEASURE, "LAUNCH_MEASURE", sim_kvm_measure},
	{SIM_KVM_SEV_LAUNCH_FINISH, "LAUNCH_FINISH", sim_kvm_finish},
	{SIM_KVM_SEV_SEND_START, "SEND_START", sim_kvm_migrate},
	{SIM_KVM_SEV_SEND_UPDATE_DATA, "SEND_UPDATE_DATA", sim_kvm_migrate},
	{SIM_KVM_SEV_SEND_FINISH, "SEND_FINISH", sim_kvm_migrate},
	{SIM_KVM_SEV_SEND_CANCEL, "SEND_CANCEL", sim_kvm_migrate},
	{SIM_KVM_SEV_RECEIVE_START, "RECEIVE_START", sim_kvm_migrate},
	{SIM_KVM_SEV_RECEIVE_UPDATE_DATA, "RECEIVE_UPDATE_DATA",
	 sim_kvm_migrate},
	{SIM_KVM_SEV_RECEIVE_FINISH, "RECEIVE_FINISH", sim_kvm_migrate},
	{SIM_KVM_SEV_GUEST_STATUS, "GUEST_STATUS", sim_kvm_guest_status},
	{SIM_KVM_SEV_DBG_DECRYPT, "DBG_DECRYPT", sim_kvm_dbg_decrypt},
	{SIM_KVM_SEV_DBG_ENCRYPT, "DBG_ENCRYPT", sim_kvm_dbg_encrypt},
	{SIM_KVM_SEV_GET_ATTESTATION_REPORT, "ATTESTATION",
	 sim_kvm_attestation},
};

/* Runs the operation; *ret_known: the kernel would write back its status. */
static int dispatch(struct sim_op *op, uint32_t id, bool *ret_known)
{
	for (size_t i = 0; i < ARRAY_SIZE(ops); i++) {
		int r;

		if (ops[i].id != id)
			continue;
		*ret_known = true;
		op->rep->command = ops[i].name;
		r = sim_fault_errno(op->vm->k->faults, ops[i].name);
		if (r < 0)
			return r;
		if (!op->vm->is_sev && id > SIM_KVM_SEV_ES_INIT)
			return -ENOTTY;
		return ops[i].run(op);
	}
	return -EINVAL;
}

int sim_kvm_op(struct sim_kvm_vm *vm, struct sim_target *t, uint64_t arg,
	       struct sim_kvm_report *rep)
{
	struct sim_op op = {.vm = vm, .t = t, .rep = rep};
	uint8_t cmd[SIM_CMD_LEN];
	bool known = false;
	int r;

	*rep = (struct sim_kvm_report){.asid = vm->asid, .handle = vm->handle};
	if (!vm->k->c.has_sev)
		return -ENOTTY;
	if (!arg) /* a question: is SEV there? */
		return 0;
	if (sim_read(t, arg, cmd, sizeof(cmd)) < 0)
		return -EFAULT;
	op.data = load_le64(cmd + SIM_CMD_DATA);
	op.sev_fd = load_le32(cmd + SIM_CMD_SEV_FD);
	r = dispatch(&op, load_le32(cmd + SIM_CMD_ID), &known);
	if (rep->has_status)
		store_le32(cmd + SIM_CMD_ERROR, rep->status);
	if (known && sim_write(t, arg, cmd, sizeof(cmd)) < 0)
		return -EFAULT;
	return r;
}
