/*
 * firmware/stage0/s0_map.h - what stage0 puts where, below 4 MiB.
 *
 * Only #defines: the assembler and the link script read it, too. The areas of
 * hashes and secrets are announced in the image's footer table, and others
 * take them from there.
 *
 * guest-physical         what
 * 0x000000 .. 0x000fff   zeros: the BIOS data page, where Linux looks
 * 0x001000 .. 0x006fff   page tables: PML4, PDPT, four PDs of 2 MiB pages
 * 0x007000 .. 0x007fff   zero page (boot_params)
 * 0x008000 .. 0x008fff   AP jump table; reserved in e820 under SEV-ES
 * 0x010000 .. 0x01ffff   command line
 * 0x020000 .. 0x02ffff   stage0: copy of the image, .bss, stack
 * 0x030000 .. 0x030fff   secrets, put there by LAUNCH_SECRET
 * 0x031000 .. 0x0313ff   hashes, measured
 * 0x040000 .. 0x05ffff   setup part of the kernel
 * 0x060000 .. 0x064fff   archive of secrets, until the initrd is there; wiped
 * 0x09fc00 .. 0x0fffff   zeros, ACPI tables from 0xe0000
 * 0x200000 .. 0x3fffff   shared with the host while stage0 runs
 */
#ifndef FIRMWARE_STAGE0_S0_MAP_H
#define FIRMWARE_STAGE0_S0_MAP_H

#define S0_PAGE_TABLES 0x1000
#define S0_PAGE_TABLES_END 0x7000
#define S0_ZERO_PAGE 0x7000
#define S0_JUMP_TABLE 0x8000
#define S0_CMDLINE 0x10000
#define S0_CMDLINE_MAX 0x10000
/* Nobody writes there before paging is on. */
#define S0_NOISE S0_CMDLINE
#define S0_NOISE_LEN 0x1000
#define S0_BASE 0x20000
#define S0_END 0x30000
#define S0_SECRETS 0x30000
#define S0_SECRETS_LEN 0x1000
#define S0_HASHES 0x31000
#define S0_HASHES_LEN 0x400
#define S0_SETUP 0x40000
#define S0_SETUP_MAX 0x20000
#define S0_SCRATCH 0x60000

/* One page of 2 MiB, mapped without the C-bit. */
#define S0_SHARED 0x200000
#define S0_SHARED_LEN 0x200000
#define S0_GHCB 0x3ff000 /* its last page */
/* Kernels and initial RAM disks go above it. */
#define S0_LOW_END 0x400000

/* Size of the image, which ends at 4 GiB, and of its part that stays there. */
#define S0_IMAGE_LEN 0x6000
#define S0_RESET_LEN 0x100
#define S0_STACK_MIN 0x2000

#endif
