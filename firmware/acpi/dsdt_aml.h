/* firmware/acpi/dsdt_aml.h - dsdt.asl, compiled when coffer is built. */
#ifndef FIRMWARE_ACPI_DSDT_AML_H
#define FIRMWARE_ACPI_DSDT_AML_H

#include <stddef.h>
#include <stdint.h>

/* A whole table with its header; iasl signs it with its own version. */
extern const uint8_t dsdt_aml[];
extern const size_t dsdt_aml_len;

#endif
