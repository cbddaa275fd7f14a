/*
 * tests/attack/attack_hooks.c - takes the place of what a thread does once it
 * is locked down. Linked into a monitor that is otherwise the one we install,
 * by the linker's --wrap. Which attempt, and in what kind of thread, is said by
 * the guest's UUID: the one number of a run that the monitor has no use for.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "devices/virtio/scsi_uring.h"
#include "tests/attack/attack.h"
#include "vmm/base/thread_start.h"
#include "vmm/kvm/kvm_vcpu.h"
#include "vmm/vm.h"

struct io_uring;
struct loop;

int __real_vm_create(const struct vm_params *p, struct vm **ret,
		     struct err *err);
int __wrap_vm_create(const struct vm_params *p, struct vm **ret,
		     struct err *err);
int __real_loop_run(struct loop *l);
int __wrap_loop_run(struct loop *l);
void __real_kvm_vcpu_run(struct kvm_vcpu *v, struct kvm_exit *ret);
void __wrap_kvm_vcpu_run(struct kvm_vcpu *v, struct kvm_exit *ret);
int __real_io_uring_enable_rings(struct io_uring *ring);
int __wrap_io_uring_enable_rings(struct io_uring *ring);
void __real_thread_start(enum thread_kind kind);
void __wrap_thread_start(enum thread_kind kind);
int __real_scsi_uring_create(const struct scsi_file *files, unsigned int n,
			     struct scsi_engine **ret, struct err *err);
int __wrap_scsi_uring_create(const struct scsi_file *files, unsigned int n,
			     struct scsi_engine **ret, struct err *err);

static unsigned int chosen_kind, chosen;
static __thread enum thread_kind my_kind = THREAD_MAIN;
static __thread char my_name[16];

int __wrap_vm_create(const struct vm_params *p, struct vm **ret,
		     struct err *err)
{
	chosen_kind = p->uuid[0];
	chosen = p->uuid[1];
	return __real_vm_create(p, ret, err);
}

int __wrap_io_uring_enable_rings(struct io_uring *ring)
{
	attack_ring_found(ring);
	return __real_io_uring_enable_rings(ring);
}

/* Workers exist where there is no ring. */
int __wrap_scsi_uring_create(const struct scsi_file *files, unsigned int n,
			     struct scsi_engine **ret, struct err *err)
{
	if (chosen && chosen_kind == THREAD_WORKER)
		return -ENOSYS;
	return __real_scsi_uring_create(files, n, ret, err);
}

static void attack(void);

void __wrap_thread_start(enum thread_kind kind)
{
	static atomic_flag has_worker = ATOMIC_FLAG_INIT;

	my_kind = kind;
	prctl(PR_GET_NAME, my_name);
	__real_thread_start(kind);
	if (kind == THREAD_WORKER && !atomic_flag_test_and_set(&has_worker))
		attack(); /* it waits for the guest otherwise */
}

static const struct attempt *attempt(void)
{
	if (chosen && chosen <= attack_n_calls)
		return &attack_calls[chosen - 1];
	if (chosen > attack_n_calls &&
	    chosen <= attack_n_calls + attack_n_ring_ops)
		return &attack_ring_ops[chosen - attack_n_calls - 1];
	return NULL;
}

/* Only one thread of the kind attacks. */
static void attack(void)
{
	const struct attempt *a = attempt();
	char text[160];
	long r;
	int n;

	if (!a || my_kind != (enum thread_kind)chosen_kind)
		return;
	if (my_kind == THREAD_IO && strcmp(my_name, "scsi0") != 0)
		return;
	r = a->fn();
	n = snprintf(text, sizeof(text), "ATTACK %s: %s %ld\n", a->name,
		     r < 0 ? "errno" : "SUCCESS", r < 0 ? -r : r);
	r = write(STDERR_FILENO, text, (size_t)n);
	_exit(r == n ? 1 : 2);
}

int __wrap_loop_run(struct loop *l)
{
	attack();
	return __real_loop_run(l);
}

void __wrap_kvm_vcpu_run(struct kvm_vcpu *v, struct kvm_exit *ret)
{
	attack();
	__real_kvm_vcpu_run(v, ret);
}

/* `coffer-monitor list`: the attempts, for the test. */
__attribute__((constructor)) static void list(int argc, char **argv)
{
	if (argc != 2 || strcmp(argv[1], "list") != 0)
		return;
	for (size_t i = 0; i < attack_n_calls; i++)
		puts(attack_calls[i].name);
	for (size_t i = 0; i < attack_n_ring_ops; i++)
		puts(attack_ring_ops[i].name);
	fflush(stdout);
	_exit(0);
}
