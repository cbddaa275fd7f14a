/*
 * tests/guest/first.S - the quickest guest: its first instructions are the mark
 * of --print-timing and success. For bench/startup: where KVM interprets a
 * guest, building page tables as start.S does takes longer than all of a start.
 */
	.section .note.Xen, "a", @note
	.align 4
	.long 4, 4, 18			/* name, descriptor, PHYS32_ENTRY */
	.asciz "Xen"
	.long start32

	.section .text.start, "ax", @progbits
	.code32
	.globl start32
start32:
	movl $0x402, %edx
	outb %al, %dx
	xorl %eax, %eax
	outl %eax, $0xf4
1:	hlt
	jmp 1b
	.section .note.GNU-stack, "", @progbits
