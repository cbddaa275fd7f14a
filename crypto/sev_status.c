/* crypto/sev_status.c - the table of the security processor's answers. */
#include "crypto/sev_status.h"

#include <errno.h>
#include <strings.h>

#include "vmm/base/own.h"

static const struct {
	uint32_t code;
	const char *name;
} names[] = {
	{0x00, "SUCCESS"},
	{0x01, "INVALID_PLATFORM_STATE"},
	{0x02, "INVALID_GUEST_STATE"},
	{0x03, "INVALID_CONFIG"},
	{0x04, "INVALID_LEN"},
	{0x05, "ALREADY_OWNED"},
	{0x06, "INVALID_CERTIFICATE"},
	{0x07, "POLICY_FAILURE"},
	{0x08, "INACTIVE"},
	{0x09, "INVALID_ADDRESS"},
	{0x0a, "BAD_SIGNATURE"},
	{0x0b, "BAD_MEASUREMENT"},
	{0x0c, "ASID_OWNED"},
	{0x0d, "INVALID_ASID"},
	{0x0e, "WBINVD_REQUIRED"},
	{0x0f, "DFFLUSH_REQUIRED"},
	{0x10, "INVALID_GUEST"},
	{0x11, "INVALID_COMMAND"},
	{0x12, "ACTIVE"},
	{0x13, "HWERROR_PLATFORM"},
	{0x14, "HWERROR_UNSAFE"},
	{0x15, "UNSUPPORTED"},
	{0x16, "INVALID_PARAM"},
	{0x17, "RESOURCE_LIMIT"},
	{0x18, "SECURE_DATA_INVALID"},
	{0x19, "INVALID_PAGE_SIZE"},
	{0x1a, "INVALID_PAGE_STATE"},
	{0x1b, "INVALID_MDATA_ENTRY"},
	{0x1c, "INVALID_PAGE_OWNER"},
	{0x1d, "AEAD_OFLOW"},
	{0x1f, "EXIT_RING_BUFFER"},
	{0x20, "RMP_INIT_REQUIRED"},
	{0x21, "BAD_SVN"},
	{0x22, "BAD_VERSION"},
	{0x23, "SHUTDOWN_REQUIRED"},
	{0x24, "UPDATE_FAILED"},
	{0x25, "RESTORE_REQUIRED"},
	{0x26, "RMP_INITIALIZATION_FAILED"},
	{0x27, "INVALID_KEY"},
	{0x28, "SHUTDOWN_INCOMPLETE"},
	{0x30, "INCORRECT_BUFFER_LENGTH"},
	{0x31, "EXPAND_BUFFER_LENGTH_REQUEST"},
	{0x32, "SPDM_REQUEST"},
	{0x33, "SPDM_ERROR"},
	{0x3a, "IN_USE"},
	{SEV_STATUS_NO_FW_CALL, "NO_FW_CALL"},
};

const char *sev_status_name(uint32_t code)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].code == code)
			return names[i].name;
	return NULL;
}

int sev_status_parse(const char *name, uint32_t *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcasecmp(names[i].name, name) != 0)
			continue;
		*ret = names[i].code;
		return 0;
	}
	return -EINVAL;
}

bool sev_status_at(size_t i, uint32_t *ret)
{
	if (i >= ARRAY_SIZE(names))
		return false;
	*ret = names[i].code;
	return true;
}
