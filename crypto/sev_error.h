/*
 * crypto/sev_error.h - a command of SEV that failed, in words for an operator:
 * command, errno, the firmware's status by name, the likely cause, the fix.
 */
#ifndef CRYPTO_SEV_ERROR_H
#define CRYPTO_SEV_ERROR_H

#include <stdint.h>

#include "crypto/sev_fw.h"

struct err;

/* Commands to the platform, which need no guest (Linux, linux/psp-sev.h). */
enum sev_platform_cmd {
	SEV_PLATFORM_FACTORY_RESET = 0,
	SEV_PLATFORM_GET_STATUS = 1,
	SEV_PLATFORM_PEK_GEN = 2,
	SEV_PLATFORM_PEK_CSR = 3,
	SEV_PLATFORM_PDH_GEN = 4,
	SEV_PLATFORM_PDH_CERT_EXPORT = 5,
	SEV_PLATFORM_PEK_CERT_IMPORT = 6,
	SEV_PLATFORM_GET_ID2 = 8,
	SEV_PLATFORM_CMD_COUNT,
};

/* "LAUNCH_START", "PDH_CERT_EXPORT" */
const char *sev_fw_cmd_name(enum sev_fw_cmd cmd);
const char *sev_platform_cmd_name(enum sev_platform_cmd cmd);

/*
 * Record that @cmd ended with @code, a negative errno, and the firmware's
 * @status. Returns @code. The kind is that of the cause: ERR_INPUT for a
 * certificate or packet, ERR_USAGE for a policy, else ERR_PERM or ERR_HOST.
 */
int sev_error_set(struct err *err, enum sev_fw_cmd cmd, int code,
		  uint32_t status);
int sev_platform_error_set(struct err *err, enum sev_platform_cmd cmd, int code,
			   uint32_t status);

#endif
