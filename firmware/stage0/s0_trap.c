/* firmware/stage0/s0_trap.c - the IDT, and where its gates lead. */
#include "firmware/stage0/s0_trap.h"

#include <stdbool.h>
#include <string.h>

#include "firmware/stage0/s0_console.h"
#include "firmware/stage0/s0_cpu.h"
#include "firmware/stage0/s0_map.h"
#include "firmware/stage0/s0_stop.h"
#include "firmware/stage0/s0_vc.h"

enum { CODE64 = 0x10, GATE_INTERRUPT = 0x8e00, STUB_LEN = 16 };

/* AMD64 APM 2, 4.8.4 "Long-Mode Gate Descriptors" */
struct gate {
	uint16_t offset_0, selector, type, offset_16;
	uint32_t offset_32, reserved;
};

/* The linker and trap.S know these. */
extern const uint8_t s0_trap_stubs[], s0_wrmsr_safe_at[], s0_wrmsr_safe_end[];
void s0_trap(struct s0_frame *f);

static struct gate idt[S0_VECTORS];

static uint64_t call_msr(struct s0_vc *vc, uint64_t request)
{
	(void)vc;
	s0_wrmsr(MSR_GHCB, request);
	s0_vmgexit();
	return s0_rdmsr(MSR_GHCB);
}

static void call(struct s0_vc *vc)
{
	s0_wrmsr(MSR_GHCB, (uintptr_t)vc->ghcb);
	s0_vmgexit();
}

static struct s0_vc the_vc = {
	.ghcb = (uint8_t *)S0_GHCB,
	.call_msr = call_msr,
	.call = call,
};

struct s0_vc *s0_trap_vc(void)
{
	return &the_vc;
}

enum stage0_reason s0_trap_init(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) idtr = {sizeof(idt) - 1, (uintptr_t)idt};

	for (size_t i = 0; i < S0_VECTORS; i++) {
		uintptr_t at = (uintptr_t)s0_trap_stubs + i * STUB_LEN;

		idt[i] = (struct gate){
			.offset_0 = (uint16_t)at,
			.selector = CODE64,
			.type = GATE_INTERRUPT,
			.offset_16 = (uint16_t)(at >> 16),
		};
	}
	__asm__ volatile("lidt %0" : : "m"(idtr));
	if (!(s0_sev_status & SEV_STATUS_ES))
		return STAGE0_OK;
	return s0_vc_start(&the_vc);
}

static void say(const char *name, uint64_t v)
{
	s0_console_puts(&s0_ports, name);
	s0_console_hex(&s0_ports, v);
}

/*
 * Its own instructions raise no #VC: one that comes all the same was injected,
 * and enough of them would overflow the stack.
 */
static void on_vc(struct s0_frame *f)
{
	static bool busy;
	enum stage0_reason r = STAGE0_VC_UNKNOWN;

	if (!busy) {
		busy = true;
		r = s0_vc_handle(&the_vc, f, (const uint8_t *)f->rip);
	}
	if (r != STAGE0_OK) /* words need the host's help, too */
		s0_stop_silently(r);
	busy = false;
}

/* Called by trap.S. */
void s0_trap(struct s0_frame *f)
{
	static bool stopping;

	if (f->vector == S0_VECTOR_VC && s0_sev_status & SEV_STATUS_ES) {
		on_vc(f);
		return;
	}
	if (f->vector == S0_VECTOR_GP &&
	    f->rip == (uintptr_t)s0_wrmsr_safe_at) {
		f->rip = (uintptr_t)s0_wrmsr_safe_end;
		return;
	}
	if (stopping)
		s0_stop_silently(STAGE0_EXCEPTION);
	stopping = true;
	say("stage0: exception ", f->vector);
	say(" error ", f->error);
	say(" at ", f->rip);
	s0_console_puts(&s0_ports, "\n");
	s0_stop(STAGE0_EXCEPTION);
}
