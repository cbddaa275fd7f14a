/*
 * firmware/stage0/start.S - from the reset vector to s0_main() in 64-bit mode.
 *
 * The image is mapped read-only below 4 GiB and linked for S0_BASE in RAM: it
 * copies itself there first. The copy, the stack and the page tables are
 * written with paging off, when under SEV every access is encrypted (AMD64
 * Architecture Programmer's Manual, volume 2, 15.34.5 "Guest Page Tables").
 *
 * SEV is recognised by its status MSR: reads of it cannot be intercepted (APM 2,
 * 15.34.10 "SEV_STATUS MSR"), while CPUID is whatever the host likes. Where the
 * MSR does not exist, reading it raises #GP. But a host may inject exceptions:
 * that memory is not encrypted is tried out like the C-bit.
 */
#include "firmware/stage0/s0_map.h"
#include "firmware/stage0/s0_sev.h"

#define FLASH_BASE (0x100000000 - S0_IMAGE_LEN)
#define IN_FLASH(sym) ((sym) - S0_BASE + FLASH_BASE)
/* offset from CS at reset, whose base is 0xffff0000 */
#define REAL16(sym) ((sym) - S0_BASE + 0x10000 - S0_IMAGE_LEN)

#define CODE32 0x08
#define CODE64 0x10 /* __BOOT_CS: what Linux wants at its entry */
#define DATA 0x18   /* __BOOT_DS */

#define MSR_EFER 0xc0000080
#define EFER_LME 0x100
#define CR0_PE 0x1
#define CR0_CACHE_ON 0x9fffffff /* without CD and NW */
#define CR0_PG 0x80000000
#define CR4_SSE_PAE 0x620 /* PAE, OSFXSR, OSXMMEXCPT */
#define PTE_2M 0xe3	  /* present, writable, accessed, dirty, large */
#define PTE_TABLE 0x23	  /* present, writable, accessed */
#define RANDOM_TRIES 10
#define FOOTER_LEN 92

	/* --- 32 bits, at its place in RAM; paging is off ----------------- */
	.section .text.start, "ax", @progbits
	.code32
	.globl start32
start32:
	lgdtl gdt_ptr
	xorl %eax, %eax
	movl $s0_bss, %edi
	movl $s0_bss_end, %ecx
	subl %edi, %ecx
	shrl $2, %ecx
	rep stosl
	movl $s0_stack_top, %esp

	/* One gate, for the #GP of an MSR that does not exist. */
	movl $gp32, %eax
	movl %eax, %edx
	andl $0xffff, %eax
	orl $(CODE32 << 16), %eax
	movl %eax, idt32 + 13 * 8
	andl $0xffff0000, %edx
	orl $0x8e00, %edx
	movl %edx, idt32 + 13 * 8 + 4
	lidtl idt32_ptr

	movl $MSR_SEV_STATUS, %ecx
	rdmsr
have_status:
	lidtl no_idt			/* any other exception ends the VM */
	movl %eax, s0_sev_status
	movl %eax, %ebp			/* stays: the status */
	testl $SEV_STATUS_SEV, %ebp
	jz plain

	testl $~SEV_STATUS_KNOWN, %ebp
	movl $REASON_SEV_FEATURES, %ebx
	jnz stop32
	testl %edx, %edx
	jnz stop32

	/* The host says where the C-bit is: it is tried out below. */
	movl $0x80000000, %eax
	call cpuid_eax
	movl $REASON_SEV_HIDDEN, %ebx
	cmpl $0x8000001f, %eax
	jb stop32
	movl $0x8000001f, %eax
	call cpuid_eax
	testl $0x2, %eax
	jz stop32
	movl $0x8000001f, %eax
	call cpuid_ebx
	movl %eax, %ecx
	andl $0x3f, %ecx
	movl $REASON_C_BIT_POSITION, %ebx
	cmpl $32, %ecx
	jb stop32
	cmpl $51, %ecx
	ja stop32
	subl $32, %ecx
	movl $1, %edx
	shll %cl, %edx
	movl %edx, s0_c_bit_mask + 4

	/* CPUID 1, ECX 30: RDRAND */
	movl $1, %eax
	call cpuid_ecx
	movl $REASON_NO_RANDOM, %ebx
	btl $30, %eax
	jnc stop32
	call random32
	movl %eax, c_bit_probe
	call random32
	movl %eax, c_bit_probe + 4
	jmp page_tables

plain:
	movl $0x80000001, %eax
	call cpuid_edx
	movl $REASON_NO_LONG_MODE, %ebx
	btl $29, %eax
	jnc stop32

	/*
	 * If the host made that #GP, memory that nobody wrote is noise, which
	 * the host cannot know, and another one as soon as paging is on.
	 */
	movl $S0_NOISE, %esi
	movl $(S0_NOISE_LEN / 8), %ecx
	xorl %eax, %eax
	xorl %edx, %edx
1:	xorl (%esi), %eax
	xorl 4(%esi), %edx
	addl $8, %esi
	loop 1b
	movl %eax, c_bit_probe
	movl %edx, c_bit_probe + 4

	/*
	 * 4 GiB, one to one, in pages of 2 MiB. All are private but the one at
	 * S0_SHARED. The C-bit is only looked at in the last level.
	 */
page_tables:
	movl $S0_PAGE_TABLES, %edi
	movl $((S0_PAGE_TABLES_END - S0_PAGE_TABLES) / 4), %ecx
	xorl %eax, %eax
	rep stosl
	movl $(S0_PAGE_TABLES + 0x1000 + PTE_TABLE), S0_PAGE_TABLES
	movl $(S0_PAGE_TABLES + 0x2000 + PTE_TABLE), %eax
	movl $(S0_PAGE_TABLES + 0x1000), %edi
1:	movl %eax, (%edi)
	addl $8, %edi
	addl $0x1000, %eax
	cmpl $(S0_PAGE_TABLES_END + PTE_TABLE), %eax
	jb 1b
	movl s0_c_bit_mask + 4, %edx
	movl $(S0_PAGE_TABLES + 0x2000), %edi
	movl $PTE_2M, %eax
2:	movl %eax, (%edi)
	movl %edx, 4(%edi)
	addl $8, %edi
	addl $0x200000, %eax
	jnc 2b
	movl $0, S0_PAGE_TABLES + 0x2000 + (S0_SHARED >> 21) * 8 + 4

	movl c_bit_probe, %esi
	movl c_bit_probe + 4, %edi
	movl $CR4_SSE_PAE, %eax
	movl %eax, %cr4
	movl $S0_PAGE_TABLES, %eax
	movl %eax, %cr3
	movl $MSR_EFER, %ecx
	rdmsr
	orl $EFER_LME, %eax
	wrmsr
	movl %cr0, %eax
	orl $CR0_PG, %eax
	movl %eax, %cr0

	/*
	 * Now reads go through the page tables. A C-bit that does not encrypt
	 * finds ciphertext where the random numbers are, or other memory; so
	 * does none, if there should be one.
	 */
	movl $REASON_C_BIT_WRONG, %ebx
	testl $SEV_STATUS_SEV, %ebp
	jnz 1f
	movl $REASON_SEV_HIDDEN, %ebx
1:	cmpl c_bit_probe, %esi
	jne stop32
	cmpl c_bit_probe + 4, %edi
	jne stop32
	ljmpl $CODE64, $start64

	/*
	 * cpuid_REG: REG of CPUID leaf %eax, in %eax; %ebx and %ebp survive.
	 * Under SEV-ES the instruction would raise #VC: the host is asked by
	 * the GHCB's MSR protocol (GHCB specification 2.0, 2.3.1 "GHCB MSR
	 * Protocol", CPUID Request).
	 */
	.macro cpuid_reg reg, n
cpuid_\reg:
	pushl %ebx
	testl $SEV_STATUS_ES, %ebp
	jnz 1f
	xorl %ecx, %ecx
	cpuid
	.ifnc \reg, eax
	movl %\reg, %eax
	.endif
	popl %ebx
	ret
1:	movl $(\n << 30 | GHCB_MSR_CPUID_REQ), %ebx
	jmp cpuid_ghcb
	.endm
	cpuid_reg eax, 0
	cpuid_reg ebx, 1
	cpuid_reg ecx, 2
	cpuid_reg edx, 3

cpuid_ghcb:
	movl %eax, %edx
	movl %ebx, %eax
	movl $MSR_GHCB, %ecx
	wrmsr
	rep; vmmcall			/* VMGEXIT */
	rdmsr
	movl $REASON_GHCB_ANSWER, %ebx
	andl $0xfff, %eax
	cmpl $GHCB_MSR_CPUID_RESP, %eax
	jne stop32
	movl %edx, %eax
	popl %ebx
	ret

	/* A random number in %eax; only flags and %ecx change besides. */
random32:
	movl $RANDOM_TRIES, %ecx
1:	rdrand %eax
	jc 2f
	decl %ecx
	jnz 1b
	jmp stop32			/* %ebx is REASON_NO_RANDOM */
2:	ret

	/* From the RDMSR, or it looks like that: 0 is the answer. */
gp32:
	movl $s0_stack_top, %esp
	xorl %eax, %eax
	xorl %edx, %edx
	jmp have_status

	/*
	 * The end, before there is a way to say it in words; %ebx is the
	 * reason. Under SEV-ES a port cannot be written here: the host gets a
	 * termination request of our own set of reasons instead.
	 */
stop32:
	testl $SEV_STATUS_ES, %ebp
	jnz 1f
	movl %ebx, %eax
	orl $STOP_MAGIC, %eax
	movw $STOP_PORT, %dx
	outl %eax, %dx
	movl %ebx, %eax
	outl %eax, $DEBUG_EXIT_PORT
	jmp 2f
1:	movl %ebx, %eax
	shll $16, %eax
	orl $(GHCB_TERM_SET << 12 | GHCB_MSR_TERM_REQ), %eax
	xorl %edx, %edx
	movl $MSR_GHCB, %ecx
	wrmsr
	rep; vmmcall
2:	cli
3:	hlt
	jmp 3b

	/* --- 64 bits ------------------------------------------------------ */
	.code64
start64:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	xorl %eax, %eax
	movl %eax, %fs
	movl %eax, %gs
	movl $s0_stack_top, %esp
	xorl %ebp, %ebp
	call s0_main

	.section .data.start, "aw", @progbits
	.balign 8
gdt:	.quad 0
	.quad 0x00cf9b000000ffff	/* CODE32 */
	.quad 0x00af9b000000ffff	/* CODE64 */
	.quad 0x00cf93000000ffff	/* DATA */
gdt_ptr:
	.word . - gdt - 1
	.long gdt
gdt_ptr_flash:
	.word gdt_ptr - gdt - 1
	.long IN_FLASH(gdt)
idt32_ptr:
	.word 14 * 8 - 1
	.long idt32
no_idt:	.word 0
	.long 0

	.section .bss.start, "aw", @nobits
	.balign 8
idt32:	.skip 14 * 8
c_bit_probe:
	.skip 8
	.globl s0_c_bit_mask, s0_sev_status
s0_c_bit_mask:
	.skip 8
s0_sev_status:
	.skip 8

	/* --- 16 bits, the end of the image, executed where it is mapped ----- */
	.section .reset, "ax", @progbits
reset_section:
	.code16
start16:
	cli
	cld
	lgdtl %cs:REAL16(gdt_ptr_flash)
	movl %cr0, %eax
	andl $CR0_CACHE_ON, %eax
	orl $CR0_PE, %eax
	movl %eax, %cr0
	ljmpl $CODE32, $IN_FLASH(copy32)

	.code32
copy32:
	movl $DATA, %eax
	movl %eax, %ds
	movl %eax, %es
	movl %eax, %ss
	movl $FLASH_BASE, %esi
	movl $S0_BASE, %edi
	movl $(S0_IMAGE_LEN / 4), %ecx
	rep movsl
	movl $start32, %eax
	jmp *%eax

	/*
	 * Where an AP begins under SEV-ES, in real mode: its first SIPI cannot
	 * set registers that are encrypted. If the BSP has been here and Linux
	 * has filled in the jump table, go where it says. Else ask the host to
	 * be held until the next SIPI (GHCB specification 2.0, 4.1.7 "AP Reset
	 * Hold" and 4.3 "SMP Booting").
	 */
	.code16
	.globl s0_ap_reset
s0_ap_reset:
	cli
	lidtl %cs:REAL16(no_idt)	/* no vectors are at 0 */
	xorw %ax, %ax
	movw %ax, %ds
	cmpl $JUMP_TABLE_READY, S0_JUMP_TABLE + JUMP_TABLE_READY_OFF
	jne 1f
	cmpl $0, S0_JUMP_TABLE
	je 1f
	ljmpw *S0_JUMP_TABLE
1:	movl $GHCB_MSR_AP_HOLD_REQ, %eax
	xorl %edx, %edx
	movl $MSR_GHCB, %ecx
	wrmsr
	rep; vmmcall
	jmp s0_ap_reset

	/*
	 * What tools look for (edk2, OvmfPkg/ResetVector/Ia16/
	 * ResetVectorVtf0.asm): read backwards from 32 bytes before the end.
	 */
	.macro guid a, b, c, d, e, f, g, h, i, j, k
	.long \a
	.word \b, \c
	.byte \d, \e, \f, \g, \h, \i, \j, \k
	.endm
	.org reset_section + S0_RESET_LEN - 32 - FOOTER_LEN
footer:
	.long S0_HASHES, S0_HASHES_LEN
	.word 26
	guid 0x7255371f, 0x3a3b, 0x4b04, 0x92, 0x7b, 0x1d, 0xa6, 0xef, 0xa8, 0xd4, 0x54
	.long S0_SECRETS, S0_SECRETS_LEN
	.word 26
	guid 0x4c2eb361, 0x7d9b, 0x4cc3, 0x80, 0x81, 0x12, 0x7c, 0x90, 0xd3, 0xd2, 0x94
	.long IN_FLASH(s0_ap_reset)
	.word 22
	guid 0x00f771de, 0x1a7e, 0x4fcb, 0x89, 0x0e, 0x68, 0xc7, 0x7e, 0x2f, 0xb4, 0x4e
	.word FOOTER_LEN
	guid 0x96b582de, 0x1fb2, 0x45f7, 0xba, 0xea, 0xa3, 0x66, 0xc5, 0x5a, 0x08, 0x2d
.if . - footer - FOOTER_LEN
	.error "FOOTER_LEN is not the length of the table"
	.endif
	.org reset_section + S0_RESET_LEN - 16
	.code16
	jmp start16
	.org reset_section + S0_RESET_LEN

	.section .note.GNU-stack, "", @progbits
