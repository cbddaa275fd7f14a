/*
 * firmware/acpi_layout.c - lays out the ACPI tables of q35-coffer-1.
 *
 * Fields are stored one by one, at the offsets of ACPI 6.4; what is not
 * mentioned is zero, which means "not there" throughout.
 */
#include "firmware/acpi_layout.h"

#include <assert.h>
#include <string.h>

#include "firmware/acpi/dsdt_aml.h"
#include "mem/mem_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/own.h"

/* ACPI 6.4, 5.2.6 "System Description Table Header" */
enum {
	HDR_LENGTH = 4,
	HDR_REVISION = 8,
	HDR_CHECKSUM = 9,
	HDR_OEMID = 10,
	HDR_OEM_TABLE_ID = 16,
	HDR_OEM_REVISION = 24,
	HDR_CREATOR_ID = 28,
	HDR_CREATOR_REVISION = 32,
	HDR_LEN = 36,
};

/* 5.2.5.3 "Root System Description Pointer (RSDP) Structure" */
enum {
	RSDP_CHECKSUM = 8,
	RSDP_OEMID = 9,
	RSDP_REVISION = 15,
	RSDP_LENGTH = 20,
	RSDP_XSDT = 24,
	RSDP_EXT_CHECKSUM = 32,
	RSDP_LEN = 36,
	RSDP_V1_LEN = 20,
};

/* 5.2.9 "Fixed ACPI Description Table (FADT)" */
enum {
	FADT_FIRMWARE_CTRL = 36,
	FADT_DSDT = 40,
	FADT_SCI_INT = 46,
	FADT_PM1A_EVT_BLK = 56,
	FADT_PM1A_CNT_BLK = 64,
	FADT_PM_TMR_BLK = 76,
	FADT_GPE0_BLK = 80,
	FADT_PM1_EVT_LEN = 88,
	FADT_PM1_CNT_LEN = 89,
	FADT_PM_TMR_LEN = 91,
	FADT_GPE0_BLK_LEN = 92,
	FADT_P_LVL2_LAT = 96,
	FADT_P_LVL3_LAT = 98,
	FADT_CENTURY = 108,
	FADT_IAPC_BOOT_ARCH = 109,
	FADT_FLAGS = 112,
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_MINOR_VERSION = 131,
	FADT_X_DSDT = 140,
	FADT_X_PM1A_EVT_BLK = 148,
	FADT_X_PM1A_CNT_BLK = 172,
	FADT_X_PM_TMR_BLK = 208,
	FADT_X_GPE0_BLK = 220,
	FADT_LEN = 276,

	/* IAPC_BOOT_ARCH; 8042 stays clear: there is none */
	LEGACY_DEVICES = 1 << 0, /* a serial port */
	VGA_NOT_PRESENT = 1 << 2,

	/* Flags. PWR_BUTTON stays clear: the button is fixed hardware. */
	FADT_WBINVD = 1 << 0,
	FADT_PROC_C1 = 1 << 2,
	FADT_SLP_BUTTON = 1 << 5, /* no fixed sleep button */
	FADT_FIX_RTC = 1 << 6,	  /* the RTC does not wake the machine */
	FADT_RESET_REG_SUP = 1 << 10,

	P_LVL2_NONE = 101,  /* a latency above 100: no C2 */
	P_LVL3_NONE = 1001, /* above 1000: no C3 */
	RTC_CENTURY = 0x32,
	RESET_VALUE = 0x06, /* SYS_RST | RST_CPU */
};

/* 5.2.10 "Firmware ACPI Control Structure (FACS)" */
enum { FACS_LENGTH = 4, FACS_VERSION = 32, FACS_LEN = 64 };

/* 5.2.12 "Multiple APIC Description Table (MADT)" */
enum {
	MADT_LAPIC_ADDR = 36,
	MADT_FLAGS = 40,
	MADT_PCAT_COMPAT = 1 << 0, /* KVM's 8259 pair is there */
	MADT_ENTRIES = 44,

	MADT_LAPIC = 0,
	MADT_LAPIC_LEN = 8,
	MADT_LAPIC_ENABLED = 1 << 0,
	MADT_IOAPIC = 1,
	MADT_IOAPIC_LEN = 12,
	MADT_OVERRIDE = 2,
	MADT_OVERRIDE_LEN = 10,
	MADT_LAPIC_NMI = 4,
	MADT_LAPIC_NMI_LEN = 6,

	MPS_INTI_CONFORMS = 0,
	MPS_INTI_HIGH_LEVEL = 1 | 3 << 2,
	MADT_ALL_CPUS = 0xff,
};

/* PCI Firmware 3.3, 4.1.2 "MCFG Table Description" */
enum {
	MCFG_BASE = 44,
	MCFG_END_BUS = 55,
	MCFG_LEN = 60,
};

/* 5.2.3.2 "Generic Address Structure" */
enum { GAS_IO = 1, GAS_BYTE = 1, GAS_WORD = 2, GAS_DWORD = 3 };

struct blob {
	uint8_t *data; /* MEM_ACPI_SIZE bytes, zeroed */
	size_t len;
};

/*
 * The next @len bytes. All fit: the sum is bounded by ACPI_LAYOUT_CPUS_MAX and
 * by the DSDT, which is ours.
 */
static uint8_t *place(struct blob *b, size_t len)
{
	size_t at = align_up(b->len, 64); /* the FACS wants it; others gain */

	assert(at + len <= MEM_ACPI_SIZE);
	b->len = at + len;
	return b->data + at;
}

static uint64_t gpa_of(const struct blob *b, const uint8_t *p)
{
	return MEM_RSDP + (uint64_t)(p - b->data);
}

/* The value that makes @len bytes add up to zero. */
static uint8_t checksum(const uint8_t *p, size_t len)
{
	unsigned int sum = 0;

	while (len--)
		sum += *p++;
	return (uint8_t)(0u - sum);
}

/* Names in tables have a length, and no terminating zero. */
static void put_name(uint8_t *p, const char *name, size_t len)
{
	memcpy(p, name, len);
}

/* Call it last: it seals the table. */
static void put_header(uint8_t *t, const char *sig, size_t len, uint8_t rev)
{
	put_name(t, sig, 4);
	store_le32(t + HDR_LENGTH, (uint32_t)len);
	t[HDR_REVISION] = rev;
	put_name(t + HDR_OEMID, "COFFER", 6);
	put_name(t + HDR_OEM_TABLE_ID, "Q35COFR1", 8);
	store_le32(t + HDR_OEM_REVISION, 1);
	put_name(t + HDR_CREATOR_ID, "COFR", 4);
	store_le32(t + HDR_CREATOR_REVISION, 1);
	t[HDR_CHECKSUM] = 0;
	t[HDR_CHECKSUM] = checksum(t, len);
}

static void put_gas_io(uint8_t *p, unsigned int bytes, uint8_t access,
		       uint64_t port)
{
	p[0] = GAS_IO;
	p[1] = (uint8_t)(bytes * 8);
	p[3] = access;
	store_le64(p + 4, port);
}

/*
 * iasl signs what it compiles with its own name and version; the bytes are
 * part of the machine version, so they must not depend on it.
 */
static const uint8_t *put_dsdt(struct blob *b)
{
	uint8_t *t = place(b, dsdt_aml_len);

	memcpy(t, dsdt_aml, dsdt_aml_len);
	put_header(t, "DSDT", dsdt_aml_len, 2);
	return t;
}

/* Only for its global lock, which an ACPI system may take at any time. */
static const uint8_t *put_facs(struct blob *b)
{
	uint8_t *t = place(b, FACS_LEN);

	put_name(t, "FACS", 4);
	store_le32(t + FACS_LENGTH, FACS_LEN);
	t[FACS_VERSION] = 2;
	return t;
}

/* A block of ports, in the field of ACPI 1.0 and in its extended one. */
static void put_block(uint8_t *t, unsigned int field, unsigned int x_field,
		      unsigned int port, unsigned int bytes, uint8_t access)
{
	store_le32(t + field, port);
	put_gas_io(t + x_field, bytes, access, port);
}

static const uint8_t *put_fadt(struct blob *b, const uint8_t *dsdt,
			       const uint8_t *facs)
{
	uint8_t *t = place(b, FADT_LEN);

	/* One of the two FACS fields: with both, Linux installs it twice. */
	store_le32(t + FADT_FIRMWARE_CTRL, (uint32_t)gpa_of(b, facs));
	store_le32(t + FADT_DSDT, (uint32_t)gpa_of(b, dsdt));
	store_le64(t + FADT_X_DSDT, gpa_of(b, dsdt));
	/* SMI_CMD 0: there is no other mode than ACPI. */
	store_le16(t + FADT_SCI_INT, GSI_SCI);
	put_block(t, FADT_PM1A_EVT_BLK, FADT_X_PM1A_EVT_BLK,
		  PORT_PM_BASE + PM1_STS, PM1_EVT_LEN, GAS_WORD);
	put_block(t, FADT_PM1A_CNT_BLK, FADT_X_PM1A_CNT_BLK,
		  PORT_PM_BASE + PM1_CNT, PM1_CNT_LEN, GAS_WORD);
	put_block(t, FADT_PM_TMR_BLK, FADT_X_PM_TMR_BLK, PORT_PM_BASE + PM_TMR,
		  PM_TMR_LEN, GAS_DWORD);
	put_block(t, FADT_GPE0_BLK, FADT_X_GPE0_BLK, PORT_PM_BASE + PM_GPE0_STS,
		  PM_GPE0_LEN, GAS_BYTE);
	t[FADT_PM1_EVT_LEN] = PM1_EVT_LEN;
	t[FADT_PM1_CNT_LEN] = PM1_CNT_LEN;
	t[FADT_PM_TMR_LEN] = PM_TMR_LEN;
	t[FADT_GPE0_BLK_LEN] = PM_GPE0_LEN;
	store_le16(t + FADT_P_LVL2_LAT, P_LVL2_NONE);
	store_le16(t + FADT_P_LVL3_LAT, P_LVL3_NONE);
	t[FADT_CENTURY] = RTC_CENTURY;
	store_le16(t + FADT_IAPC_BOOT_ARCH, LEGACY_DEVICES | VGA_NOT_PRESENT);
	store_le32(t + FADT_FLAGS, FADT_WBINVD | FADT_PROC_C1 |
					   FADT_SLP_BUTTON | FADT_FIX_RTC |
					   FADT_RESET_REG_SUP);
	put_gas_io(t + FADT_RESET_REG, 1, GAS_BYTE, PORT_RESET_CTL);
	t[FADT_RESET_VALUE] = RESET_VALUE;
	t[FADT_MINOR_VERSION] = 4;
	put_header(t, "FACP", FADT_LEN, 6);
	return t;
}

static uint8_t *put_override(uint8_t *p, uint8_t irq, uint32_t gsi,
			     uint16_t flags)
{
	p[0] = MADT_OVERRIDE;
	p[1] = MADT_OVERRIDE_LEN;
	p[3] = irq;
	store_le32(p + 4, gsi);
	store_le16(p + 8, flags);
	return p + MADT_OVERRIDE_LEN;
}

static const uint8_t *put_madt(struct blob *b, unsigned int n_cpus)
{
	const size_t fixed = MADT_ENTRIES + MADT_IOAPIC_LEN +
			     MADT_OVERRIDE_LEN + MADT_OVERRIDE_LEN +
			     MADT_LAPIC_NMI_LEN;
	size_t len = fixed + n_cpus * (size_t)MADT_LAPIC_LEN;
	uint8_t *t = place(b, len);
	uint8_t *p = t + MADT_ENTRIES;

	store_le32(t + MADT_LAPIC_ADDR, MEM_LAPIC_BASE);
	store_le32(t + MADT_FLAGS, MADT_PCAT_COMPAT);
	for (unsigned int i = 0; i < n_cpus; i++) {
		p[0] = MADT_LAPIC;
		p[1] = MADT_LAPIC_LEN;
		p[2] = (uint8_t)i; /* processor UID */
		p[3] = (uint8_t)i; /* APIC id */
		store_le32(p + 4, MADT_LAPIC_ENABLED);
		p += MADT_LAPIC_LEN;
	}
	p[0] = MADT_IOAPIC;
	p[1] = MADT_IOAPIC_LEN;
	store_le32(p + 4, MEM_IOAPIC_BASE); /* id 0, as KVM's says; GSI 0 */
	p += MADT_IOAPIC_LEN;
	/* As on every PC; the interrupt routing given to KVM does the same. */
	p = put_override(p, 0, 2, MPS_INTI_CONFORMS);
	p = put_override(p, GSI_SCI, GSI_SCI, MPS_INTI_HIGH_LEVEL);
	p[0] = MADT_LAPIC_NMI;
	p[1] = MADT_LAPIC_NMI_LEN;
	p[2] = MADT_ALL_CPUS;
	p[5] = 1; /* LINT1 */
	assert(p + MADT_LAPIC_NMI_LEN == t + len);
	put_header(t, "APIC", len, 5);
	return t;
}

static const uint8_t *put_mcfg(struct blob *b)
{
	uint8_t *t = place(b, MCFG_LEN);

	store_le64(t + MCFG_BASE, MEM_ECAM_BASE);
	t[MCFG_END_BUS] = MEM_ECAM_BUSES - 1;
	put_header(t, "MCFG", MCFG_LEN, 1);
	return t;
}

static const uint8_t *put_xsdt(struct blob *b, const uint8_t *const *tables,
			       size_t n)
{
	size_t len = HDR_LEN + n * 8;
	uint8_t *t = place(b, len);

	for (size_t i = 0; i < n; i++)
		store_le64(t + HDR_LEN + i * 8, gpa_of(b, tables[i]));
	put_header(t, "XSDT", len, 1);
	return t;
}

static void seal_rsdp(uint8_t *t, uint64_t xsdt_gpa)
{
	put_name(t, "RSD PTR ", 8);
	put_name(t + RSDP_OEMID, "COFFER", 6);
	t[RSDP_REVISION] = 2;
	store_le32(t + RSDP_LENGTH, RSDP_LEN);
	store_le64(t + RSDP_XSDT, xsdt_gpa);
	t[RSDP_CHECKSUM] = checksum(t, RSDP_V1_LEN);
	t[RSDP_EXT_CHECKSUM] = checksum(t, RSDP_LEN);
}

size_t acpi_layout(unsigned int n_cpus, uint8_t *area)
{
	const uint8_t *tables[3], *dsdt, *facs, *xsdt;
	struct blob b = {.data = area};
	uint8_t *rsdp;

	assert(n_cpus >= 1 && n_cpus <= ACPI_LAYOUT_CPUS_MAX);
	rsdp = place(&b, RSDP_LEN); /* first: its address is fixed */
	facs = put_facs(&b);
	dsdt = put_dsdt(&b);
	tables[0] = put_fadt(&b, dsdt, facs);
	tables[1] = put_madt(&b, n_cpus);
	tables[2] = put_mcfg(&b);
	xsdt = put_xsdt(&b, tables, ARRAY_SIZE(tables));
	seal_rsdp(rsdp, gpa_of(&b, xsdt));
	return b.len;
}
