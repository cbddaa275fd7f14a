/*
 * mem/mem_map.h - every fixed address and port of the machine q35-coffer-1.
 *
 * These numbers are part of the machine version: they go into ACPI tables and
 * into launch digests, so they change only with a new version.
 *
 * guest-physical            what
 * 0x00000000 .. RAM low     RAM, at most 2 GiB
 * 0xc0000000 .. 0xdfffffff  32-bit PCI window (BARs)
 * 0xe0000000 .. 0xefffffff  ECAM (PCIEXBAR), decodes 256 buses; there is bus 0
 * 0xfec00000                IOAPIC (in KVM)
 * 0xfee00000                local APICs (in KVM)
 * 0xfeffc000 .. 0xfeffffff  identity map page and TSS of kvm_intel
 * 0xff800000 .. 0xffffffff  firmware flash, at most 8 MiB, ends at 4 GiB
 * 0x100000000 ..            the rest of RAM
 * 0x8000000000 ..           64-bit PCI window (BARs), 64 GiB, when the guest's
 *                           physical width reaches it (40 bits or more)
 */
#ifndef MEM_MEM_MAP_H
#define MEM_MEM_MAP_H

#include <stdint.h>

typedef uint64_t gpa_t; /* guest-physical address, in bytes */

#define MEM_RAM_LOW_MAX UINT64_C(0x80000000) /* 2 GiB */
#define MEM_RAM_HIGH_BASE UINT64_C(0x100000000)
#define MEM_RAM_MIN UINT64_C(0x200000)	   /* 2 MiB: smallest guest */
#define MEM_RAM_MAX UINT64_C(0x7e80000000) /* high RAM ends < 512 GiB */

#define MEM_PCI32_BASE UINT64_C(0xc0000000)
#define MEM_PCI32_SIZE UINT64_C(0x20000000)
#define MEM_PCI64_BASE UINT64_C(0x8000000000)
#define MEM_PCI64_SIZE UINT64_C(0x1000000000)
#define MEM_ECAM_BASE UINT64_C(0xe0000000)
#define MEM_ECAM_SIZE UINT64_C(0x10000000)
/*
 * Buses that ACPI announces. There is only bus 0 and no bridge to another;
 * Linux looks for a peer host bridge on every bus it is told of, at 32 pairs of
 * exits each, which made up a tenth of its start when there were 256.
 */
#define MEM_ECAM_BUSES 1

#define MEM_IOAPIC_BASE UINT64_C(0xfec00000)
#define MEM_LAPIC_BASE UINT64_C(0xfee00000)
#define MEM_KVM_IDENT_MAP UINT64_C(0xfeffc000)
#define MEM_KVM_TSS UINT64_C(0xfeffd000) /* three pages */
#define MEM_FLASH_END UINT64_C(0x100000000)
#define MEM_FLASH_MAX UINT64_C(0x800000)

/* Below 1 MiB. Linux takes the RSDP from 0xe0000..0xfffff or boot_params. */
#define MEM_EBDA_BASE UINT64_C(0x9fc00) /* end of usable base memory */
#define MEM_BIOS_BASE UINT64_C(0xe0000) /* tables; reserved in e820 */
#define MEM_BIOS_SIZE UINT64_C(0x20000)
#define MEM_RSDP UINT64_C(0xe0000) /* ACPI tables follow it */
#define MEM_ACPI_SIZE UINT64_C(0x10000)
#define MEM_SMBIOS UINT64_C(0xf0000) /* entry point and tables */
#define MEM_SMBIOS_SIZE UINT64_C(0x10000)

/* Ports */
enum {
	PORT_KBD_DATA = 0x60,	  /* keyboard controller: only its reset */
	PORT_KBD_CMD = 0x64,	  /* pulse-reset command 0xfe */
	PORT_RTC_INDEX = 0x70,	  /* MC146818: index, data at 0x71 */
	PORT_SYSCTL_A = 0x92,	  /* port 92: bit 0 resets */
	PORT_DEBUG_EXIT = 0xf4,	  /* only with --debug-exit */
	PORT_UART0 = 0x3f8,	  /* 8 ports, IRQ 4 */
	PORT_DEBUGCON = 0x402,	  /* 1 port, reads 0xe9 */
	PORT_STAGE0_STOP = 0x404, /* 4: see firmware/stage0_reason.h */
	PORT_FW_CFG = 0x510,	  /* 12 ports, reserved for fw_cfg */
	PORT_PM_BASE = 0x600,	  /* 128 ports: the ICH9 ACPI block (PMBASE) */
	PORT_RESET_CTL = 0xcf9,	  /* inside the 4 ports of 0xcf8 */
	PORT_PCI_ADDRESS = 0xcf8,
	PORT_PCI_DATA = 0xcfc,
	PORT_PCI_WINDOW = 0x1000, /* I/O BARs, up to 0xffff */
};

/*
 * The ICH9 ACPI block at PMBASE (ICH9 datasheet, 13.8.3 "Power Management I/O
 * Registers"): offsets from PORT_PM_BASE.
 */
enum {
	PM1_STS = 0x00,	    /* 2 bytes */
	PM1_EN = 0x02,	    /* 2 bytes */
	PM1_CNT = 0x04,	    /* 4 bytes; 2 used */
	PM_TMR = 0x08,	    /* 4 bytes, 24-bit counter at 3.579545 MHz */
	PM_GPE0_STS = 0x20, /* 8 bytes */
	PM_GPE0_EN = 0x28,  /* 8 bytes */
	PM_SMI_EN = 0x30,
	PM_SMI_STS = 0x34,
	PM_BLOCK_LEN = 0x80,
	PM1_EVT_LEN = 4,
	PM1_CNT_LEN = 2,
	PM_TMR_LEN = 4,
	PM_GPE0_LEN = 16,
	PM_S5_SLP_TYP = 0, /* value of SLP_TYP for S5 in PM1_CNT and in _S5 */
};

/* Global system interrupts of the IOAPIC */
enum {
	GSI_UART0 = 4, /* edge, active high */
	GSI_RTC = 8,
	GSI_SCI = 9, /* level, active high; MADT interrupt source override */
	IOAPIC_PINS = 24,
};

/* Functions of bus 0 that every machine has: device << 3 | function */
enum {
	PCI_DEVFN_HOST = 0x00 << 3,    /* 8086:29c0 */
	PCI_DEVFN_PVPANIC = 0x01 << 3, /* 1b36:0011 */
	PCI_DEVFN_FIRST_FREE = 0x02 << 3,
	PCI_DEVFN_LPC = 0x1f << 3, /* 8086:2918 */
};

#endif
