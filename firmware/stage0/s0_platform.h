/*
 * firmware/stage0/s0_platform.h - what a real q35 leaves to its firmware, as
 * mem/mem_map.h and the ACPI tables say it is: memory behind 0xc0000, ECAM and
 * the ACPI block. coffer's machine comes like that; there it changes nothing.
 */
#ifndef FIRMWARE_STAGE0_S0_PLATFORM_H
#define FIRMWARE_STAGE0_S0_PLATFORM_H

struct s0_io;

void s0_platform_init(const struct s0_io *io);

#endif
