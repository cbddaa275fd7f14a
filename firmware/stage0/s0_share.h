/*
 * firmware/stage0/s0_share.h - telling KVM which pages the host may touch, so
 * that its devices stay out of the others.
 *
 * Source: Linux, Documentation/virt/kvm/x86/hypercalls.rst,
 * KVM_HC_MAP_GPA_RANGE.
 */
#ifndef FIRMWARE_STAGE0_S0_SHARE_H
#define FIRMWARE_STAGE0_S0_SHARE_H

#include <stdbool.h>

#include "firmware/stage0_reason.h"

/*
 * The page at S0_SHARED is shared; all other memory becomes private with the
 * first report. Nothing is said without SEV, or to a host that does not listen.
 * STAGE0_HYPERCALL.
 */
enum stage0_reason s0_share_begin(bool sev);

/*
 * It is private again, and no stale line of it is in the cache. The GHCB is in
 * that page: no port may be used any more.
 */
enum stage0_reason s0_share_end(bool sev);

#endif
