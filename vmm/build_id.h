/*
 * vmm/build_id.h - what coffer and coffer-monitor compare before they speak:
 * their messages are structs of this build, and no other one's.
 */
#ifndef VMM_BUILD_ID_H
#define VMM_BUILD_ID_H

/* "0.1.0-0123456789abcdef": the release, and a digest of its sources. */
const char *coffer_build_id(void);

#endif
