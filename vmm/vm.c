/*
 * vmm/vm.c - puts the components together, in an order that reads top to
 * bottom: VM, memory, machine, images and tables, vCPUs.
 */
#include "vmm/vm_impl.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/boot_entry.h"
#include "firmware/kernel_image.h"
#include "mem/dma_view.h"
#include "vmm/base/err.h"
#include "vmm/base/fault.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/console.h"
#include "vmm/counters.h"
#include "vmm/cpuid.h"
#include "vmm/kvm/kvm_doorbell.h"
#include "vmm/kvm/kvm_irq.h"
#include "vmm/kvm/kvm_sev.h"
#include "vmm/kvm/kvm_vcpu.h"
#include "vmm/kvm/kvm_vm.h"
#include "vmm/launch.h"
#include "vmm/machine_q35.h"
#include "vmm/timing.h"
#include "vmm/vcpu.h"
#include "vmm/vm_devices.h"
#include "vmm/vm_firmware.h"
#include "vmm/vm_load.h"
#include "vmm/vm_sev.h"

enum {
	EVENTS_MAX = 100, /* that are told: a guest can make more */
};

/* What SEV says, or emulated: two below the highest, or what was asked for. */
static int choose_c_bit(struct vm *vm, struct err *err)
{
	struct cpuid_table *t = vm->p.supported_cpuid;

	if (vm->sev)
		return vm_sev_c_bit(vm->sev, t, &vm->c_bit, err);
	vm->c_bit = vm->p.c_bit ? vm->p.c_bit : cpuid_phys_bits(t) - 2;
	return cpuid_check_emulated_c_bit(t, vm->c_bit, err);
}

static int create_dma_view(struct vm *vm, struct err *err)
{
	enum dma_view_unreported unreported =
		vm->p.dma_strict ? DMA_UNREPORTED_REFUSE : DMA_UNREPORTED_ALLOW;

	if (!vm->c_bit)
		return dma_view_create(vm->mem, DMA_VIEW_ALL, unreported,
				       &vm->dma, err);
	return dma_view_create(vm->mem, DMA_VIEW_SHARED, unreported, &vm->dma,
			       err);
}

static int create_memory(struct vm *vm, struct err *err)
{
	int r = guest_mem_create(&vm->p.mem, &vm->mem, err);

	if (!r && (vm->p.emulate_c_bit || vm->sev))
		r = choose_c_bit(vm, err);
	if (!r)
		r = vm_check_phys_bits(vm, err);
	if (!r)
		r = guest_mem_add_machine_ram(vm->mem, vm->p.ram_bytes, err);
	if (!r)
		r = vm_firmware_add_memory(&vm->p, vm->mem, err);
	if (!r)
		r = guest_mem_crypt_done(vm->mem, err);
	if (!r)
		r = create_dma_view(vm, err);
	if (!r)
		r = kvm_vm_set_memory(vm->kvm, vm->mem,
				      vm->p.emulate_c_bit ? vm->c_bit : 0, err);
	if (!r && vm->c_bit)
		r = kvm_vm_take_reports(vm->kvm, err);
	if (!r)
		timing_mark(vm->p.timing, TIMING_MEMORY);
	return r;
}

static void on_broken(void *arg)
{
	loop_wake(((struct vm *)arg)->event_wake);
}

static int create_devices(struct vm *vm, struct err *err)
{
	struct vm_devices_machine m = {
		.pci = machine_pci(vm->machine),
		.irq = kvm_irq_sink(vm->irq),
		.view = vm->dma,
		.mem = vm->mem,
		.broken = on_broken,
		.broken_arg = vm,
	};
	int r = kvm_doorbell_create(vm->kvm, &vm->doorbells, err);

	if (r < 0)
		return r;
	m.doorbells = kvm_doorbell_sink(vm->doorbells);
	return vm_devices_create(vm->p.devices, &m, &vm->devices, err);
}

static int create_machine(struct vm *vm, struct err *err)
{
	struct machine_params mp = {
		.ram_bytes = vm->p.ram_bytes,
		.debug_exit = vm->p.debug_exit,
		.power = &vm->power,
		.debugcon = &vm->debugcon,
		.console = vm->p.console,
		.loop = vm->p.loop,
	};
	int r;

	mp.irq = kvm_irq_sink(vm->irq);
	r = machine_create(&mp, &vm->machine, err);
	if (!r)
		r = vm_firmware_create(&vm->p, vm->mem, vm->dma,
				       &vm->firmware_owner, &vm->firmware, err);
	if (!r)
		r = vm_firmware_plug(vm->firmware, machine_pio(vm->machine),
				     machine_mmio(vm->machine), err);
	return r < 0 ? r : create_devices(vm, err);
}

static void tell_event(struct vm *vm, enum vm_event e, const char *device)
{
	if (vm->p.event && vm->n_events++ < EVENTS_MAX)
		vm->p.event(vm->p.owner_arg, e, device);
}

static void on_event_wake(void *arg)
{
	struct vm *vm = arg;
	const char *name;

	if (atomic_exchange(&vm->crash_kernel, false))
		tell_event(vm, VM_EVENT_CRASH_KERNEL, NULL);
	while (vm->n_events < EVENTS_MAX &&
	       (name = vm_devices_take_broken(vm->devices)))
		tell_event(vm, VM_EVENT_NEEDS_RESET, name);
}

/* In the loop's thread: are all of them held by now? */
static void on_held_wake(void *arg)
{
	struct vm *vm = arg;

	if (!vm->pausing)
		return;
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		if (!vcpu_is_held(vm->vcpu[i]))
			return;
	vm->pausing = false;
	if (vm->p.paused)
		vm->p.paused(vm->p.owner_arg);
}

/* Tables and kernel, or for a protected guest all that is measured. */
static int load(struct vm *vm, struct boot_entry *ret, struct err *err)
{
	if (vm->sev)
		return vm_sev_load(vm->sev, &vm->p, vm->mem, ret, err);
	/* Only a bzImage is made for it; tests have other kernels, too. */
	if (vm->p.emulate_c_bit &&
	    (vm->p.firmware || vm->p.kernel->kind == KERNEL_IMAGE_BZIMAGE))
		return vm_load_emulated(&vm->p, vm->mem, ret, err);
	if (vm->p.firmware)
		return vm_firmware_load(&vm->p, vm->mem, ret, err);
	return vm_load_plain(&vm->p, vm->mem, ret, err);
}

static int create_kvm(struct vm *vm, struct err *err)
{
	struct kvm_sev_choice how = {0};
	int r = 0;

	if (vm->p.launch)
		r = kvm_sev_choose(vm->p.kvm_fd,
				   vm->p.launch->kind == LAUNCH_SEV_ES, &how,
				   err);
	if (!r)
		r = kvm_vm_create(vm->p.kvm_fd, how.vm_type, &vm->kvm, err);
	if (!r && vm->p.launch)
		r = vm_sev_create(&vm->p, vm->kvm, how.init2, &vm->sev, err);
	return r;
}

static int create_chips(struct vm *vm, struct err *err)
{
	int r = kvm_vm_create_chips(vm->kvm, err);

	if (!r && vm->p.firmware)
		kvm_vm_forget_ticks(vm->kvm);
	return r < 0 ? r : kvm_irq_create(vm->kvm, &vm->irq, err);
}

/* A step is done, or a test wants it to have failed. */
static int done(int r, const char *step, struct err *err)
{
	return r < 0 ? r : fault_point(step, err);
}

int vm_create(const struct vm_params *p, struct vm **ret, struct err *err)
{
	AUTO(vm_destroyp) struct vm *vm = NULL;
	struct boot_entry entry;
	int r;

	if (!p->n_cpus || p->n_cpus > VM_MAX_CPUS)
		return err_set_kind(err, ERR_USAGE, -EINVAL, "%u CPUs",
				    p->n_cpus);
	vm = calloc(1, sizeof(*vm));
	if (!vm)
		return err_set(err, -ENOMEM, "out of memory");
	vm->p = *p;
	vm_guest_init(vm);
	pthread_mutex_init(&vm->lock, NULL);

	r = loop_add_wake(p->loop, on_held_wake, vm, &vm->held_wake);
	if (!r)
		r = loop_add_wake(p->loop, on_event_wake, vm, &vm->event_wake);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "event loop: %s",
				    strerror(-r));
	r = done(create_kvm(vm, err), "KVM", err);
	if (r < 0)
		return r;
	timing_mark(p->timing, TIMING_KVM);
	r = done(create_memory(vm, err), "memory", err);
	if (!r)
		r = done(create_chips(vm, err), "chips", err);
	if (!r)
		r = done(create_machine(vm, err), "machine", err);
	if (!r)
		r = done(load(vm, &entry, err), "images", err);
	if (r < 0)
		return r;
	timing_mark(p->timing, TIMING_LOADED);
	r = done(vm_create_vcpus(vm, &entry, err), "vCPUs", err);
	if (!r && vm->sev)
		r = done(vm_sev_measure(vm->sev, vm->mem, err), "measurement",
			 err);
	if (r < 0)
		return r;
	timing_mark(p->timing, TIMING_VCPUS);
	console_plug(p->console, machine_console_port(vm->machine));
	*ret = TAKE(vm);
	return 0;
}

void vm_destroy(struct vm *vm)
{
	if (!vm)
		return;
	vm_stop(vm);
	console_plug(vm->p.console, NULL);
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		vcpu_destroy(vm->vcpu[i]);
	machine_destroy(vm->machine);
	vm_firmware_destroy(vm->firmware);
	vm_devices_destroy(vm->devices);
	kvm_doorbell_destroy(vm->doorbells);
	kvm_irq_destroy(vm->irq);
	vm_sev_destroy(vm->sev);
	kvm_vm_destroy(vm->kvm);
	dma_view_destroy(vm->dma);
	guest_mem_destroy(vm->mem);
	loop_remove(vm->held_wake);
	loop_remove(vm->event_wake);
	pthread_mutex_destroy(&vm->lock);
	free(vm);
}

int vm_launch_info(const struct vm *vm, struct launch_info *ret)
{
	if (!vm->sev)
		return -ENOTSUP;
	launch_info(vm_sev_launch(vm->sev), ret);
	return 0;
}

int vm_launch_secret(struct vm *vm, uint64_t gpa, const uint8_t hdr[static 52],
		     const void *payload, size_t len, struct err *err)
{
	if (!vm->sev)
		return err_set(err, -ENOTSUP, "the guest is not protected");
	return launch_secret(vm_sev_launch(vm->sev), gpa, hdr, payload, len,
			     err);
}

int vm_launch_finish(struct vm *vm, struct err *err)
{
	if (!vm->sev)
		return err_set(err, -ENOTSUP, "the guest is not protected");
	return launch_finish(vm_sev_launch(vm->sev), err);
}

int vm_launch_attest(struct vm *vm, const uint8_t nonce[static 16],
		     uint8_t report[static 208], struct err *err)
{
	if (!vm->sev)
		return err_set(err, -ENOTSUP, "the guest is not protected");
	return launch_attest(vm_sev_launch(vm->sev), nonce, report, err);
}

int vm_start(struct vm *vm, struct err *err)
{
	return vm_devices_start(vm->devices, err);
}

void vm_pause(struct vm *vm)
{
	vm->pausing = true;
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		vcpu_hold(vm->vcpu[i]);
}

void vm_resume(struct vm *vm)
{
	struct launch_info launch = {.state = LAUNCH_RUNNING};

	/* KVM would run it all the same, and the guest would break. */
	vm_launch_info(vm, &launch);
	assert(launch.state == LAUNCH_RUNNING);
	vm->pausing = false;
	timing_mark(vm->p.timing, TIMING_ENTRY);
	/* The boot CPU first: KVM keeps its SIPI for one that is not there. */
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		vcpu_release(vm->vcpu[i]);
}

void vm_stop(struct vm *vm)
{
	console_abandon(vm->p.console);
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		vcpu_stop(vm->vcpu[i]);
	for (unsigned int i = 0; i < vm->n_vcpus; i++)
		vcpu_join(vm->vcpu[i]);
	vm_devices_stop(vm->devices);
	if (vm->machine) {
		struct console_port *p = machine_console_port(vm->machine);

		p->ops->flush(p);
	}
}

void vm_resize_disk(struct vm *vm, unsigned int lun, uint64_t bytes)
{
	if (vm_devices_resize(vm->devices, lun, bytes) < 0)
		log_debug("no disk at LUN %u to be resized", lun);
}

void vm_counters(struct vm *vm, struct counters *c)
{
	struct dma_view_counters v;

	dma_view_counters(vm->dma, &v);
	counters_add(c, "dma", "shared_bytes", v.shared_bytes);
	counters_add(c, "dma", "private_bytes", v.private_bytes);
	counters_add(c, "dma", "refused", v.refused);
	counters_add(c, "dma", "reports", v.reports);
	counters_add(c, "dma", "reported", v.reported);
	counters_add(c, "dma", "window", v.window);
	vm_firmware_counters(vm->firmware, c);
	vm_devices_counters(vm->devices, c);
}

void vm_power_button(struct vm *vm)
{
	machine_power_button(vm->machine);
}
