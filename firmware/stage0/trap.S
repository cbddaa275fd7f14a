/*
 * firmware/stage0/trap.S - exceptions, the one instruction that may raise one
 * on purpose, and the jump into Linux.
 */
#include "firmware/stage0/s0_map.h"

	.text
	.code64
	/* One stub of 16 bytes for each vector; those with an error code. */
	.globl s0_trap_stubs
	.balign 16
s0_trap_stubs:
	.set vector, 0
	.rept 32
	.balign 16
	.if vector == 8 || (vector >= 10 && vector <= 14) || vector == 17 || vector == 21 || vector == 29 || vector == 30
	.else
	pushq $0
	.endif
	pushq $vector
	jmp trap_common
	.set vector, vector + 1
	.endr
	.balign 16

trap_common:
	pushq %rax
	pushq %rbx
	pushq %rcx
	pushq %rdx
	pushq %rsi
	pushq %rdi
	pushq %rbp
	pushq %r8
	pushq %r9
	pushq %r10
	pushq %r11
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	cld
	movq %rsp, %rdi
	/* The CPU aligned the stack; 22 words are an even number. */
	call s0_trap
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %r11
	popq %r10
	popq %r9
	popq %r8
	popq %rbp
	popq %rdi
	popq %rsi
	popq %rdx
	popq %rcx
	popq %rbx
	popq %rax
	addq $16, %rsp
	iretq

	/* void s0_wrmsr_safe(uint32_t msr, uint64_t val): a #GP is ignored. */
	.globl s0_wrmsr_safe, s0_wrmsr_safe_at, s0_wrmsr_safe_end
s0_wrmsr_safe:
	movl %edi, %ecx
	movl %esi, %eax
	movq %rsi, %rdx
	shrq $32, %rdx
s0_wrmsr_safe_at:
	wrmsr
s0_wrmsr_safe_end:
	ret

	/*
	 * void s0_enter_linux(uint64_t entry, uint64_t zero_page): the 64-bit
	 * boot protocol (Linux, Documentation/arch/x86/boot.rst). CS, DS, ES
	 * and SS are those of start.S.
	 */
	.globl s0_enter_linux
s0_enter_linux:
	cli
	movq %rdi, %rax
	xorl %ebx, %ebx
	xorl %ecx, %ecx
	xorl %edx, %edx
	xorl %edi, %edi
	xorl %ebp, %ebp
	jmp *%rax

	.section .note.GNU-stack, "", @progbits
