/* vmm/version.h - the release, and the newest machine it offers. */
#ifndef VMM_VERSION_H
#define VMM_VERSION_H

/* "0.1.0", as in CMakeLists.txt. */
const char *coffer_version(void);
/* "q35-coffer-1": mem/mem_map.h, the tables and the devices of that name. */
const char *coffer_machine(void);

#endif
