/*
 * tests/attack/lying_acpi.c - a monitor whose ACPI tables have one more, as a
 * host would slip code into its guest's kernel: an SSDT that is the host's own.
 * Linked by --wrap into the one we install. A guest that is started directly
 * has it; one that stage0 starts must not.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "firmware/acpi_tables.h"
#include "mem/mem_map.h"
#include "vmm/base/bits.h"
#include "vmm/base/bytes.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

/* ACPI 6.5, 5.2.5.3 and 5.2.6 */
enum { RSDP_XSDT = 24, HDR_LENGTH = 4, HDR_CHECKSUM = 9 };

/* Header, and Name (LIES, One). */
static const char ssdt[] = "SSDT"
			   "\x2a\0\0\0\2\0"
			   "HOSTLY"
			   "HOSTSSDT"
			   "\1\0\0\0"
			   "LIES"
			   "\1\0\0\0"
			   "\x08"
			   "LIES"
			   "\1";

enum { SSDT_LEN = sizeof(ssdt) - 1 };

int __real_acpi_tables_build(unsigned int n_cpus, uint8_t **ret,
			     size_t *ret_len, struct err *err);
int __wrap_acpi_tables_build(unsigned int n_cpus, uint8_t **ret,
			     size_t *ret_len, struct err *err);

static void seal(uint8_t *t)
{
	uint32_t len = load_le32(t + HDR_LENGTH);
	uint8_t sum = 0;

	t[HDR_CHECKSUM] = 0;
	for (uint32_t i = 0; i < len; i++)
		sum = (uint8_t)(sum + t[i]);
	t[HDR_CHECKSUM] = (uint8_t)-sum;
}

/* The XSDT is the last of them: it grows, and the SSDT follows. */
int __wrap_acpi_tables_build(unsigned int n_cpus, uint8_t **ret,
			     size_t *ret_len, struct err *err)
{
	AUTO(freep) uint8_t *all = NULL, *more = NULL;
	size_t len = 0, at;
	uint8_t *xsdt;
	int r = __real_acpi_tables_build(n_cpus, &all, &len, err);

	if (r < 0)
		return r;
	at = align_up(len + 8, 64);
	more = calloc(1, at + SSDT_LEN);
	if (!more)
		return err_set(err, -ENOMEM, "out of memory");
	memcpy(more, all, len);
	memcpy(more + at, ssdt, SSDT_LEN);
	seal(more + at);
	xsdt = more + (load_le64(more + RSDP_XSDT) - MEM_RSDP);
	store_le64(more + len, MEM_RSDP + at);
	store_le32(xsdt + HDR_LENGTH, load_le32(xsdt + HDR_LENGTH) + 8);
	seal(xsdt);
	*ret_len = at + SSDT_LEN;
	*ret = TAKE(more);
	return 0;
}
