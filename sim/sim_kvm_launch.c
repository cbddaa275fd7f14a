/* sim/sim_kvm_launch.c - the commands of a simulated SEV VM, one by one. */
#include <errno.h>
#include <string.h>

#include "sim/sim_kvm_impl.h"
#include "vmm/base/bytes.h"
#include "vmm/base/checked.h"

enum { CHUNK = 65536 };

int sim_kvm_read_blob(const struct sim_op *op, uint64_t addr, uint32_t len,
		      uint8_t buf[static SIM_BLOB_MAX])
{
	if (!addr || !len || len > SIM_BLOB_MAX)
		return -EINVAL;
	return sim_read(op->t, addr, buf, len);
}

/* The number stored by LAUNCH_START, whatever this command was given. */
static int check_stored_fd(const struct sim_op *op)
{
	return sim_kvm_check_fd(op, op->vm->sev_fd);
}

/* --- LAUNCH_START -------------------------------------------------------- */

/* struct kvm_sev_launch_start */
enum {
	START_HANDLE = 0,
	START_POLICY = 4,
	START_DH_ADDR = 8,
	START_DH_LEN = 16,
	START_SESSION_ADDR = 24,
	START_SESSION_LEN = 32,
	START_LEN = 40,
};

struct start_blobs {
	uint8_t godh[SIM_BLOB_MAX], session[SIM_BLOB_MAX];
};

/* An address of 0 means none; anything else is copied as a blob. */
static int read_start(const struct sim_op *op, const uint8_t *raw,
		      struct start_blobs *b, struct sim_fw_start *s)
{
	uint64_t dh = load_le64(raw + START_DH_ADDR);
	uint64_t session = load_le64(raw + START_SESSION_ADDR);
	int r = 0;

	s->handle = load_le32(raw + START_HANDLE);
	s->policy = load_le32(raw + START_POLICY);
	s->godh_len = load_le32(raw + START_DH_LEN);
	s->session_len = load_le32(raw + START_SESSION_LEN);
	s->godh = dh ? b->godh : NULL;
	s->session = session ? b->session : NULL;
	if (dh)
		r = sim_kvm_read_blob(op, dh, s->godh_len, b->godh);
	if (r >= 0 && session)
		r = sim_kvm_read_blob(op, session, s->session_len, b->session);
	return r;
}

/* LAUNCH_START, then ACTIVATE, as one. */
static uint32_t start_and_bind(struct sim_kvm_vm *vm,
			       const struct sim_fw_start *s,
			       uint32_t *ret_handle)
{
	struct sim_fw *fw = vm->k->fw;
	uint32_t status = sim_fw_launch_start(fw, s, ret_handle);

	if (status)
		return status;
	status = sim_fw_activate(fw, *ret_handle, vm->asid);
	if (status)
		sim_fw_decommission(fw, *ret_handle);
	return status;
}

int sim_kvm_launch_start(struct sim_op *op)
{
	AUTO(freep) struct start_blobs *b = malloc(sizeof(*b));
	struct sim_fw_start s = {0};
	uint8_t raw[START_LEN];
	uint32_t handle;
	int r = b ? sim_read(op->t, op->data, raw, sizeof(raw)) : -ENOMEM;

	if (r >= 0)
		r = read_start(op, raw, b, &s);
	if (r >= 0)
		r = sim_kvm_check_fd(op, op->sev_fd);
	/* A second LAUNCH_START would forget the first one's guest. */
	if (r >= 0 && op->vm->handle)
		r = sim_kvm_status(op, SEV_STATUS_INVALID_GUEST_STATE);
	if (r >= 0)
		r = sim_kvm_status(op, start_and_bind(op->vm, &s, &handle));
	if (r < 0)
		return r;
	op->vm->handle = op->rep->handle = handle;
	op->vm->sev_fd = op->sev_fd;
	store_le32(raw + START_HANDLE, handle);
	return sim_write(op->t, op->data, raw, sizeof(raw));
}

/* --- LAUNCH_UPDATE_DATA, LAUNCH_UPDATE_VMSA ------------------------------- */

/* The bytes themselves, in pieces, in the order of their addresses. */
static int update_bytes(struct sim_op *op, uint64_t addr, uint64_t len)
{
	AUTO(freep) uint8_t *buf = malloc(CHUNK);
	uint32_t status;
	int r = buf ? 0 : -ENOMEM;

	for (uint64_t done = 0; r >= 0 && done < len; done += CHUNK) {
		size_t n = len - done < CHUNK ? (size_t)(len - done) : CHUNK;

		r = sim_read(op->t, addr + done, buf, n);
		if (r < 0) /* unmapped since it was looked at */
			break;
		status = sim_fw_update_bytes(op->vm->k->fw, op->vm->handle, buf,
					     n);
		r = sim_kvm_status(op, status);
	}
	if (r >= 0 && op->vm->scramble)
		r = sim_scramble_lock(op->vm->scramble, op->t, addr, len);
	return r;
}

int sim_kvm_update_data(struct sim_op *op)
{
	uint8_t raw[16];
	uint64_t addr, pages;
	uint32_t len, status;
	int r = sim_read(op->t, op->data, raw, sizeof(raw));

	if (r < 0)
		return r;
	addr = op->rep->addr = load_le64(raw);
	op->rep->len = len = load_le32(raw + 8);
	r = sim_kvm_pin(op, addr, len, &pages);
	if (r >= 0)
		r = check_stored_fd(op);
	if (r < 0)
		return r;
	status = sim_fw_update_data(op->vm->k->fw, op->vm->handle, addr, len);
	r = sim_kvm_status(op, status);
	op->rep->psp_us = (uint64_t)op->vm->k->c.psp_us_per_kib * len / 1024;
	return r < 0 ? r : update_bytes(op, addr, len);
}

int sim_kvm_update_vmsa(struct sim_op *op)
{
	struct sim_kvm_vm *vm = op->vm;
	int r = 0;

	if (!vm->is_es)
		return -ENOTTY;
	for (size_t i = 0; i < vm->n_vcpus && r >= 0; i++) {
		uint32_t status;

		r = vm->vcpus_launched ? -EINVAL
				       : sim_vmsa_check(&vm->vcpu[i]->vmsa);
		if (r >= 0)
			r = check_stored_fd(op);
		if (r < 0)
			break;
		status = sim_fw_update_vmsa(vm->k->fw, vm->handle,
					    vm->vcpu[i]->vmsa.page,
					    SEV_VMSA_LEN);
		r = sim_kvm_status(op, status);
	}
	if (r >= 0 && vm->n_vcpus)
		vm->vcpus_launched = true;
	return r;
}

/* --- LAUNCH_MEASURE, ATTESTATION ------------------------------------------ */

/*
 * Where a command's answer goes. With a length of 0 it is a question for the
 * length, which is written back in any case.
 */
struct answer {
	uint64_t addr, len_at;
	uint32_t len;
};

/* @len: what the firmware wants; the kernel copies all that was asked for. */
static int give_answer(struct sim_op *op, const struct answer *a,
		       uint32_t status, const uint8_t *data, uint32_t len)
{
	static const uint8_t zeros[SIM_BLOB_MAX];
	int r = sim_kvm_status(op, status);
	uint8_t raw[4];

	store_le32(raw, len);
	if (r >= 0)
		r = sim_write(op->t, a->addr, data, len);
	if (r >= 0)
		r = sim_write(op->t, a->addr + len, zeros, a->len - len);
	if (sim_write(op->t, a->len_at, raw, sizeof(raw)) < 0)
		return -EFAULT;
	return r;
}

/* An address of 0 has no room, whatever the length says. */
static uint32_t room(const struct answer *a)
{
	return a->addr ? a->len : 0;
}

int sim_kvm_measure(struct sim_op *op)
{
	uint8_t raw[16], out[SEV_MEASUREMENT_LEN];
	struct answer a;
	uint32_t len, status;
	int r = sim_read(op->t, op->data, raw, sizeof(raw));

	if (r < 0)
		return r;
	a = (struct answer){load_le64(raw), op->data + 8, load_le32(raw + 8)};
	if (a.len > SIM_BLOB_MAX)
		return -EINVAL;
	r = check_stored_fd(op);
	if (r < 0)
		return r;
	len = room(&a);
	status = sim_fw_measure(op->vm->k->fw, op->vm->handle, out, &len);
	op->rep->digest = sim_fw_digest(op->vm->k->fw, op->vm->handle);
	return give_answer(op, &a, status, out, len);
}

int sim_kvm_attestation(struct sim_op *op)
{
	uint8_t raw[32], out[SIM_FW_REPORT_LEN];
	struct answer a;
	uint32_t len, status;
	int r = sim_read(op->t, op->data, raw, sizeof(raw));

	if (r < 0)
		return r;
	a = (struct answer){load_le64(raw + 16), op->data + 24,
			    load_le32(raw + 24)};
	if (a.len > SIM_BLOB_MAX)
		return -EINVAL;
	r = check_stored_fd(op);
	if (r < 0)
		return r;
	len = room(&a);
	status = sim_fw_attestation(op->vm->k->fw, op->vm->handle, raw, out,
				    &len);
	return give_answer(op, &a, status, out, len);
}

/* --- LAUNCH_SECRET, LAUNCH_FINISH ----------------------------------------- */

/* struct kvm_sev_launch_secret */
enum {
	SECRET_HDR_ADDR = 0,
	SECRET_HDR_LEN = 8,
	SECRET_GUEST_ADDR = 16,
	SECRET_GUEST_LEN = 24,
	SECRET_DATA_ADDR = 32,
	SECRET_DATA_LEN = 40,
	SECRET_LEN = 48,
};

struct secret_blobs {
	uint8_t hdr[SIM_BLOB_MAX], data[SIM_BLOB_MAX], plain[SEV_SECRET_MAX];
};

static void secret_wipe(struct secret_blobs **b)
{
	if (*b)
		explicit_bzero(*b, sizeof(**b));
	free(*b);
}

static int read_secret(const struct sim_op *op, struct secret_blobs *b,
		       struct sim_fw_secret *s)
{
	uint8_t raw[SECRET_LEN];
	uint64_t pages;
	int r = sim_read(op->t, op->data, raw, sizeof(raw));

	if (r < 0)
		return r;
	s->guest_addr = op->rep->addr = load_le64(raw + SECRET_GUEST_ADDR);
	op->rep->len = s->guest_len = load_le32(raw + SECRET_GUEST_LEN);
	s->hdr_len = load_le32(raw + SECRET_HDR_LEN);
	s->data_len = load_le32(raw + SECRET_DATA_LEN);
	s->hdr = b->hdr;
	s->data = b->data;
	r = sim_kvm_pin(op, s->guest_addr, s->guest_len, &pages);
	if (r >= 0 &&
	    !op->t->ops->is_contiguous(op->t, s->guest_addr, s->guest_len))
		r = -EINVAL;
	if (r >= 0)
		r = sim_kvm_read_blob(op, load_le64(raw + SECRET_DATA_ADDR),
				      s->data_len, b->data);
	if (r >= 0)
		r = sim_kvm_read_blob(op, load_le64(raw + SECRET_HDR_ADDR),
				      s->hdr_len, b->hdr);
	return r;
}

int sim_kvm_secret(struct sim_op *op)
{
	AUTO(secret_wipe) struct secret_blobs *b = calloc(1, sizeof(*b));
	struct sim_fw_secret s = {0};
	uint32_t status;
	int r = b ? read_secret(op, b, &s) : -ENOMEM;

	if (r >= 0)
		r = check_stored_fd(op);
	if (r < 0)
		return r;
	status = sim_fw_secret(op->vm->k->fw, op->vm->handle, &s, b->plain);
	r = sim_kvm_status(op, status);
	if (r >= 0)
		r = sim_write(op->t, s.guest_addr, b->plain, s.guest_len);
	if (r >= 0 && op->vm->scramble)
		r = sim_scramble_lock(op->vm->scramble, op->t, s.guest_addr,
				      s.guest_len);
	return r;
}

int sim_kvm_finish(struct sim_op *op)
{
	struct sim_kvm_vm *vm = op->vm;
	int r = check_stored_fd(op);

	if (r < 0)
		return r;
	r = sim_kvm_status(op, sim_fw_finish(vm->k->fw, vm->handle));
	if (r >= 0 && vm->scramble)
		r = sim_scramble_unlock(vm->scramble, op->t, &op->rep->touched,
					&op->rep->first_touched);
	return r;
}

/* --- the rest ------------------------------------------------------------ */

int sim_kvm_guest_status(struct sim_op *op)
{
	struct sim_fw_guest_status st;
	uint8_t raw[12];
	int r = check_stored_fd(op);

	if (r < 0)
		return r;
	r = sim_kvm_status(
		op, sim_fw_guest_status(op->vm->k->fw, op->vm->handle, &st));
	if (r < 0)
		return r;
	store_le32(raw, op->vm->handle);
	store_le32(raw + 4, st.policy);
	store_le32(raw + 8, st.state);
	return sim_write(op->t, op->data, raw, sizeof(raw));
}

/* After LAUNCH_FINISH simulated memory is plain: both are a copy. */
static int dbg(struct sim_op *op, enum sim_fw_cmd cmd)
{
	uint64_t src, dst, end;
	uint8_t raw[24], buf[SIM_PAGE];
	uint32_t len;
	int r = sim_read(op->t, op->data, raw, sizeof(raw));

	if (r < 0)
		return r;
	src = load_le64(raw);
	dst = load_le64(raw + 8);
	len = load_le32(raw + 16);
	if (!src || !dst || !len || !checked_add(src, len, &end) ||
	    !checked_add(dst, len, &end))
		return -EINVAL;
	r = check_stored_fd(op);
	if (r >= 0)
		r = sim_kvm_status(
			op, sim_fw_dbg(op->vm->k->fw, cmd, op->vm->handle));
	for (uint32_t done = 0, n; done < len && r >= 0; done += n) {
		n = len - done < SIM_PAGE ? len - done : SIM_PAGE;
		r = sim_read(op->t, src + done, buf, n);
		if (r >= 0)
			r = sim_write(op->t, dst + done, buf, n);
	}
	return r;
}

int sim_kvm_dbg_decrypt(struct sim_op *op)
{
	return dbg(op, SIM_FW_DBG_DECRYPT);
}

int sim_kvm_dbg_encrypt(struct sim_op *op)
{
	return dbg(op, SIM_FW_DBG_ENCRYPT);
}

/* Migration is not simulated: a firmware without it. */
int sim_kvm_migrate(struct sim_op *op)
{
	return sim_kvm_status(op, SEV_STATUS_UNSUPPORTED);
}
