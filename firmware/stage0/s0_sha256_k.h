/*
 * firmware/stage0/s0_sha256_k.h - the constants of SHA-256 (FIPS 180-4, 4.2.2).
 */
#ifndef FIRMWARE_STAGE0_S0_SHA256_K_H
#define FIRMWARE_STAGE0_S0_SHA256_K_H

#include <stdint.h>

extern const uint32_t s0_sha256_k[64];

#endif
