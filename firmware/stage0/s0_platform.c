/* firmware/stage0/s0_platform.c - registers of the host bridge and the LPC. */
#include "firmware/stage0/s0_platform.h"

#include <stdint.h>

#include "firmware/stage0/s0_io.h"
#include "mem/mem_map.h"

/* Intel 3 Series Express Chipset datasheet, 5.1.16 "PCIEXBAR", 5.1.20 "PAM0" */
enum {
	PCIEXBAR = 0x60,
	PCIEXBAREN = 0x1, /* with length 0: 256 MiB */
	PAM0 = 0x90,	  /* 0xf0000..0xfffff in its upper half */
	PAM4 = 0x94,
	PAM6 = 0x96,
	PAM_RAM = 0x33, /* reads and writes of both halves go to RAM */
};

/* Intel ICH9 datasheet, 13.1 and 13.8.3 */
enum {
	PMBASE = 0x40,
	ACPI_CNTL = 0x44,
	ACPI_CNTL_EN = 0x80, /* with SCI_IRQ_SEL 0: IRQ 9 */
	PM1_CNT_SCI_EN = 0x1,
};

static void select_reg(const struct s0_io *io, unsigned int devfn,
		       unsigned int off)
{
	io->out32(io, PORT_PCI_ADDRESS, 0x80000000 | devfn << 8 | (off & 0xfc));
}

static void write32(const struct s0_io *io, unsigned int devfn,
		    unsigned int off, uint32_t val)
{
	select_reg(io, devfn, off);
	io->out32(io, PORT_PCI_DATA, val);
}

static void write16(const struct s0_io *io, unsigned int devfn,
		    unsigned int off, uint16_t val)
{
	select_reg(io, devfn, off);
	io->out16(io, (uint16_t)(PORT_PCI_DATA + (off & 2)), val);
}

static void write8(const struct s0_io *io, unsigned int devfn, unsigned int off,
		   uint8_t val)
{
	select_reg(io, devfn, off);
	io->out8(io, (uint16_t)(PORT_PCI_DATA + (off & 3)), val);
}

void s0_platform_init(const struct s0_io *io)
{
	write32(io, PCI_DEVFN_HOST, PAM0, PAM_RAM * 0x01010100u | 0x30);
	write16(io, PCI_DEVFN_HOST, PAM4, PAM_RAM * 0x0101);
	write8(io, PCI_DEVFN_HOST, PAM6, PAM_RAM);
	write32(io, PCI_DEVFN_HOST, PCIEXBAR + 4, 0);
	write32(io, PCI_DEVFN_HOST, PCIEXBAR,
		(uint32_t)MEM_ECAM_BASE | PCIEXBAREN);
	write32(io, PCI_DEVFN_LPC, PMBASE, PORT_PM_BASE);
	write8(io, PCI_DEVFN_LPC, ACPI_CNTL, ACPI_CNTL_EN);
	/* The FADT names no way to turn ACPI on: it has to be. */
	io->out16(io, PORT_PM_BASE + PM1_CNT, PM1_CNT_SCI_EN);
}
