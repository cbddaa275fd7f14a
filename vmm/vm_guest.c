/*
 * vmm/vm_guest.c - what the guest makes happen beyond its devices: its end, in
 * all its kinds, the MSRs and hypercalls that are ours, and the debug port.
 * Everything here runs in vCPU threads.
 */
#include "vmm/vm_impl.h"

#include <stdio.h>
#include <string.h>

#include "firmware/stage0_reason.h"
#include "mem/dma_view.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/base/own.h"
#include "vmm/console.h"
#include "vmm/kvm/kvm_vm.h"
#include "vmm/machine_q35.h"
#include "vmm/timing.h"

/* The first reason counts. */
static void end(struct vm *vm, enum run_how how, uint64_t value,
		const char *why)
{
	bool first;

	pthread_mutex_lock(&vm->lock);
	first = !vm->ended;
	if (first) {
		vm->ended = true;
		vm->result.how = how;
		vm->result.value = value;
		snprintf(vm->result.why, sizeof(vm->result.why), "%s", why);
	}
	pthread_mutex_unlock(&vm->lock);
	if (first) {
		timing_mark(vm->p.timing, TIMING_END);
		loop_quit(vm->p.loop);
	}
}

void vm_end(struct vm *vm, enum run_how how, const char *why)
{
	end(vm, how, 0, why);
}

void vm_result(const struct vm *vm, struct run_result *ret)
{
	ret->how = vm->result.how;
	ret->value = vm->result.value;
	memcpy(ret->why, vm->result.why, sizeof(ret->why));
}

static void on_power_off(struct power_sink *s)
{
	end(container_of(s, struct vm, power), RUN_POWEROFF, 0,
	    "the guest powered off");
}

static void on_reset(struct power_sink *s)
{
	end(container_of(s, struct vm, power), RUN_REBOOT, 0,
	    "the guest rebooted");
}

static void tell_crash_kernel(struct vm *vm)
{
	atomic_store(&vm->crash_kernel, true);
	loop_wake(vm->event_wake);
}

static void on_panicked(struct power_sink *s, uint8_t events)
{
	struct vm *vm = container_of(s, struct vm, power);

	if (events & POWER_PANICKED)
		end(vm, RUN_PANIC, 0, "the guest's kernel panicked");
	else if (events & POWER_CRASH_LOADED)
		tell_crash_kernel(vm);
}

static void on_debug_exit(struct power_sink *s, uint32_t value)
{
	end(container_of(s, struct vm, power), RUN_DEBUG_EXIT, value,
	    "the guest wrote to the debug-exit port");
}

static const struct power_sink_ops power_ops = {
	.power_off = on_power_off,
	.reset = on_reset,
	.panicked = on_panicked,
	.debug_exit = on_debug_exit,
};

static void on_shutdown(struct vcpu_owner *o, unsigned int id)
{
	char why[64];

	snprintf(why, sizeof(why), "triple fault on CPU %u", id);
	end(container_of(o, struct vm, vcpu_owner), RUN_TRIPLE_FAULT, 0, why);
}

static void on_not_emulated(struct vcpu_owner *o, const char *why)
{
	end(container_of(o, struct vm, vcpu_owner), RUN_NOT_EMULATED, 0, why);
}

static void on_failed(struct vcpu_owner *o, const char *why)
{
	end(container_of(o, struct vm, vcpu_owner), RUN_ERROR, 0, why);
}

static void on_stopped(struct vm_firmware_owner *o, uint32_t reason)
{
	const char *words = stage0_reason_words(reason);
	char why[160];

	snprintf(why, sizeof(why), "stage0 stopped: %s (reason %u)",
		 words ? words : "for a reason this coffer does not know",
		 reason);
	end(container_of(o, struct vm, firmware_owner), RUN_FIRMWARE_STOP,
	    reason, why);
}

static uint64_t on_ecam(struct vm_firmware_owner *o)
{
	return machine_ecam(
		container_of(o, struct vm, firmware_owner)->machine);
}

static int on_map_gpa(struct vcpu_owner *o, uint64_t gpa, uint64_t len,
		      bool is_private)
{
	return dma_view_report(container_of(o, struct vm, vcpu_owner)->dma, gpa,
			       len, is_private);
}

static bool on_msr(struct vcpu_owner *o, uint32_t index, bool is_write,
		   uint64_t *value)
{
	struct vm *vm = container_of(o, struct vm, vcpu_owner);

	if (!vm->c_bit)
		return false;
	switch (index) {
	case (uint32_t)KVM_MSR_AMD64_SEV:
		/* Read by the CPU itself where SEV is more than a show. */
		if (!vm->p.emulate_c_bit)
			return false;
		if (!is_write)
			*value = 1; /* SEV, neither ES nor SNP */
		return !is_write;
	case KVM_MSR_MIGRATION_CONTROL:
		/* "I may be migrated": Linux says so when it reports pages. */
		if (!is_write)
			*value = 0;
		return true;
	default:
		return false;
	}
}

static void on_port_done(struct vcpu_owner *o)
{
	console_flush(container_of(o, struct vm, vcpu_owner)->p.console);
}

static void on_held(struct vcpu_owner *o)
{
	loop_wake(container_of(o, struct vm, vcpu_owner)->held_wake);
}

static const struct vcpu_owner_ops vcpu_owner_ops = {
	.not_emulated = on_not_emulated,
	.held = on_held,
	.shutdown = on_shutdown,
	.failed = on_failed,
	.map_gpa = on_map_gpa,
	.msr = on_msr,
	.port_done = on_port_done,
};

/* Firmware's debug output, a line at a time, to the debug log. */
static void on_debug_byte(struct debugcon_sink *s, uint8_t byte)
{
	struct vm *vm = container_of(s, struct vm, debugcon);

	timing_mark(vm->p.timing, TIMING_MARK);
	if (log_get_level() < LOG_DEBUG)
		return;
	pthread_mutex_lock(&vm->lock);
	if (byte == '\n' || vm->n_debug == VM_DEBUG_LINE_MAX) {
		vm->debug_line[vm->n_debug] = 0;
		log_debug("guest: %s", vm->debug_line);
		vm->n_debug = 0;
	}
	if (byte >= ' ' && byte < 0x7f)
		vm->debug_line[vm->n_debug++] = (char)byte;
	pthread_mutex_unlock(&vm->lock);
}

static const struct debugcon_sink_ops debugcon_ops = {.put = on_debug_byte};

void vm_guest_init(struct vm *vm)
{
	vm->power.ops = &power_ops;
	vm->vcpu_owner.ops = &vcpu_owner_ops;
	vm->debugcon.ops = &debugcon_ops;
	vm->firmware_owner.stopped = on_stopped;
	vm->firmware_owner.ecam = on_ecam;
}
