/*
 * tests/guest/start.S - entry of a payload guest: a PVH kernel of a page or
 * two. Builds page tables for the low 4 GiB, enters long mode, calls
 * payload_main() and ends through the debug-exit port with its result.
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
	movl $stack_top, %esp
	/* PML4[0] -> PDPT, PDPT[0..3] -> four directories of 2 MiB pages */
	movl $pdpt + 3, pml4
	movl $pd + 3, pdpt
	movl $pd + 0x1003, pdpt + 8
	movl $pd + 0x2003, pdpt + 16
	movl $pd + 0x3003, pdpt + 24
	movl $0x83, %eax
	movl $pd, %edi
1:	movl %eax, (%edi)
	addl $0x200000, %eax
	addl $8, %edi
	cmpl $pd + 0x4000, %edi
	jb 1b
	movl $pml4, %eax
	movl %eax, %cr3
	movl %cr4, %eax
	orl $0x620, %eax		/* PAE, OSFXSR, OSXMMEXCPT */
	movl %eax, %cr4
	movl $0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	orl $0x100, %eax
	wrmsr
	movl %cr0, %eax
	orl $0x80000000, %eax
	movl %eax, %cr0
	lgdt gdt_ptr
	ljmp $0x08, $start64

	.code64
start64:
	movl $0x10, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $stack_top, %esp
	call payload_main
	outl %eax, $0xf4
2:	hlt
	jmp 2b

	/*
	 * Where other CPUs begin: copied to ap_base by smp.c, real mode,
	 * CS = ap_base >> 4. They increase ap_count and wait.
	 */
	.code16
	.globl ap_start, ap_end
ap_start:
	lock incw %cs:(ap_count_here - ap_start)
3:	hlt
	jmp 3b
	.align 2
ap_count_here:
	.word 0
ap_end:
	.globl ap_count_offset
	.set ap_count_offset, ap_count_here - ap_start

	.section .data
	.align 8
gdt:	.quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdt_ptr:
	.word . - gdt - 1
	.long gdt

	.section .bss
	.align 4096
pml4:	.skip 4096
pdpt:	.skip 4096
pd:	.skip 4 * 4096
	.skip 8192
stack_top:
	.section .note.GNU-stack, "", @progbits
