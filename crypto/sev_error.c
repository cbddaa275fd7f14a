/* crypto/sev_error.c - which failure of which command usually means what. */
#include "crypto/sev_error.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "crypto/sev_status.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"

/* A name of any command; NULL in a rule: every command. */
static const char *const fw_names[SEV_FW_CMD_COUNT] = {
	[SEV_FW_INIT] = "INIT",
	[SEV_FW_START] = "LAUNCH_START",
	[SEV_FW_PIN] = "REG_REGION",
	[SEV_FW_UNPIN] = "UNREG_REGION",
	[SEV_FW_UPDATE_DATA] = "LAUNCH_UPDATE_DATA",
	[SEV_FW_UPDATE_VMSA] = "LAUNCH_UPDATE_VMSA",
	[SEV_FW_MEASURE] = "LAUNCH_MEASURE",
	[SEV_FW_SECRET] = "LAUNCH_SECRET",
	[SEV_FW_FINISH] = "LAUNCH_FINISH",
	[SEV_FW_GUEST_STATUS] = "GUEST_STATUS",
	[SEV_FW_ATTESTATION] = "ATTESTATION",
};

static const char *const platform_names[SEV_PLATFORM_CMD_COUNT] = {
	[SEV_PLATFORM_FACTORY_RESET] = "FACTORY_RESET",
	[SEV_PLATFORM_GET_STATUS] = "PLATFORM_STATUS",
	[SEV_PLATFORM_PEK_GEN] = "PEK_GEN",
	[SEV_PLATFORM_PEK_CSR] = "PEK_CSR",
	[SEV_PLATFORM_PDH_GEN] = "PDH_GEN",
	[SEV_PLATFORM_PDH_CERT_EXPORT] = "PDH_CERT_EXPORT",
	[SEV_PLATFORM_PEK_CERT_IMPORT] = "PEK_CERT_IMPORT",
	[SEV_PLATFORM_GET_ID2] = "GET_ID",
};

/*
 * The first rule that fits is used: those of a command before those of all.
 * code 0: any errno; status 0: whatever the firmware said, also nothing.
 */
static const struct rule {
	const char *cmd;
	int code;
	uint32_t status;
	enum err_kind kind; /* ERR_UNSET: the host, or permission by errno */
	const char *cause, *fix;
} rules[] = {
	{"INIT", 0, SEV_STATUS_HWERROR_PLATFORM, ERR_HOST,
	 "memory encryption is off in the host's firmware setup",
	 "switch SMEE (Secure Memory Encryption) on there"},
	{"INIT", 0, SEV_STATUS_SECURE_DATA_INVALID, ERR_HOST,
	 "the keys the platform keeps are damaged",
	 "coffer sev reset makes new ones; every session becomes invalid"},
	{"INIT", 0, SEV_STATUS_INVALID_CONFIG, ERR_HOST,
	 "the platform is configured otherwise (SNP switched on in the "
	 "firmware setup can do that)",
	 "look for 'ccp' in dmesg, and at coffer doctor"},
	{"INIT", 0, SEV_STATUS_UNSUPPORTED, ERR_HOST,
	 "the security processor's firmware does not support it",
	 "update the host's firmware"},
	{"INIT", ENOTTY, 0, ERR_HOST,
	 "SEV (or SEV-ES) is switched off in kvm_amd, or has no ASIDs",
	 "coffer doctor says which; modprobe kvm_amd sev=1 sev_es=1, and "
	 "'minimum SEV non-ES ASID' in the host's firmware setup"},
	{"INIT", EBUSY, 0, ERR_HOST,
	 "all ASIDs of this kind are in use, or a cgroup's misc.max is "
	 "reached",
	 "end another protected guest; coffer doctor counts them"},
	{"INIT", EINVAL, 0, ERR_HOST,
	 "this kernel does not make such a VM (with SEV-SNP on, some run SEV "
	 "but not SEV-ES)",
	 "coffer doctor shows the VM types"},
	{"LAUNCH_START", 0, SEV_STATUS_BAD_MEASUREMENT, ERR_INPUT,
	 "the session was made for another platform key (PDH), for another "
	 "policy, or with another certificate",
	 "make a new one from 'coffer sev export', with the same policy"},
	{"LAUNCH_START", 0, SEV_STATUS_INVALID_CERTIFICATE, ERR_INPUT,
	 "the owner's certificate (dh-cert) is not a Diffie-Hellman one on "
	 "P-384",
	 "use the *_godh.b64 made together with the session"},
	{"LAUNCH_START", 0, SEV_STATUS_BAD_SIGNATURE, ERR_INPUT,
	 "a signature of the owner's certificate is wrong",
	 "use the *_godh.b64 made together with the session"},
	{"LAUNCH_START", 0, SEV_STATUS_INVALID_LEN, ERR_INPUT,
	 "certificate or session have the wrong length",
	 "give dh-cert and session as 'coffer owner session' wrote them"},
	{"LAUNCH_START", 0, SEV_STATUS_POLICY_FAILURE, ERR_USAGE,
	 "the policy asks for what this platform cannot do (SEV-ES, a newer "
	 "API)",
	 "compare it with 'coffer sev status'"},
	{"LAUNCH_START", 0, SEV_STATUS_RESOURCE_LIMIT, ERR_HOST,
	 "the firmware has no room for another guest",
	 "end another protected guest"},
	{"LAUNCH_START", EBADF, 0, ERR_HOST,
	 "KVM does not take this descriptor for /dev/sev",
	 "/dev/sev must be the device of the ccp driver"},
	{"LAUNCH_START", EINVAL, 0, ERR_INPUT,
	 "the kernel refuses certificate or session by their length",
	 "give dh-cert and session as 'coffer owner session' wrote them"},
	{"LAUNCH_UPDATE_VMSA", 0, SEV_STATUS_INVALID_CONFIG, ERR_HOST,
	 "the platform was initialised without SEV-ES",
	 "load kvm_amd with sev_es=1 and see coffer doctor"},
	{"LAUNCH_UPDATE_VMSA", ENOTTY, 0, ERR_HOST, "the guest is not SEV-ES",
	 "load kvm_amd with sev_es=1 and see coffer doctor"},
	{"LAUNCH_SECRET", 0, SEV_STATUS_BAD_MEASUREMENT, ERR_INPUT,
	 "the packet was made for another launch, with other keys, or is "
	 "damaged",
	 "make it from this launch's measurement"},
	{"LAUNCH_SECRET", 0, SEV_STATUS_INVALID_LEN, ERR_INPUT,
	 "the packet's length is not what the firmware takes",
	 "16 to 16384 bytes, a multiple of 16"},
	{"LAUNCH_SECRET", 0, SEV_STATUS_INVALID_ADDRESS, ERR_INPUT,
	 "the address is not one the firmware takes",
	 "use the launch's own area, or an address that is a multiple of 16"},
	{"LAUNCH_SECRET", EINVAL, 0, ERR_INPUT,
	 "the packet's place spans host pages that are not next to each other",
	 "keep it within one 4096-byte page, or use --memory "
	 "SIZE,hugepages=2M"},
	{"PEK_CERT_IMPORT", 0, SEV_STATUS_ALREADY_OWNED, ERR_HOST,
	 "the platform has an owner already", "coffer sev reset first"},
	{"PEK_CERT_IMPORT", 0, SEV_STATUS_INVALID_PLATFORM_STATE, ERR_HOST,
	 "guests are running, or the platform has an owner already",
	 "end all protected guests, or coffer sev reset first"},
	{"PEK_CERT_IMPORT", 0, SEV_STATUS_INVALID_CERTIFICATE, ERR_INPUT,
	 "PEK or OCA certificate are not what the firmware expects",
	 "sign the request of 'coffer sev pek-csr' with the OCA's key"},
	{"PEK_CERT_IMPORT", 0, SEV_STATUS_BAD_SIGNATURE, ERR_INPUT,
	 "the PEK certificate is not signed by this OCA",
	 "sign the request of 'coffer sev pek-csr' with the OCA's key"},
	{"FACTORY_RESET", EBUSY, 0, ERR_HOST, "protected guests are running",
	 "end all of them"},
	{"GET_ID", 0, SEV_STATUS_INVALID_COMMAND, ERR_HOST,
	 "the firmware is older than API 0.16", "update the host's firmware"},

	{NULL, ENOMEM, 0, ERR_HOST,
	 "the limit of locked memory is reached, or memory cannot be pinned",
	 "raise the limit (ulimit -l, LimitMEMLOCK=); coffer plan says to "
	 "what"},
	{NULL, 0, SEV_STATUS_INVALID_PLATFORM_STATE, ERR_HOST,
	 "the platform is in a state that does not allow it, as when guests "
	 "run",
	 "see 'coffer sev status'"},
	{NULL, 0, SEV_STATUS_INVALID_GUEST_STATE, ERR_HOST,
	 "the firmware sees the guest in another state than we do",
	 "start the guest again"},
	{NULL, 0, SEV_STATUS_INVALID_CONFIG, ERR_HOST,
	 "the platform is configured otherwise", "see coffer doctor"},
	{NULL, 0, SEV_STATUS_POLICY_FAILURE, ERR_HOST,
	 "the guest's policy forbids it", "nothing: its owner wants it so"},
	{NULL, 0, SEV_STATUS_INVALID_ASID, ERR_HOST,
	 "the ASID is not one for this kind of guest",
	 "compare 'minimum SEV non-ES ASID' in the host's firmware setup"},
	{NULL, 0, SEV_STATUS_RESOURCE_LIMIT, ERR_HOST,
	 "the firmware has run out of something",
	 "end another protected guest"},
	{NULL, 0, SEV_STATUS_HWERROR_PLATFORM, ERR_HOST,
	 "the hardware reports an error",
	 "look for 'ccp' in dmesg; reboot the host if it stays"},
	{NULL, 0, SEV_STATUS_HWERROR_UNSAFE, ERR_HOST,
	 "the hardware reports an error and memory is not to be trusted",
	 "reboot the host"},
	{NULL, 0, SEV_STATUS_UNSUPPORTED, ERR_HOST,
	 "this firmware does not know it", "update the host's firmware"},
	{NULL, 0, SEV_STATUS_INVALID_COMMAND, ERR_HOST,
	 "this firmware does not know it", "update the host's firmware"},
	{NULL, 0, SEV_STATUS_SECURE_DATA_INVALID, ERR_HOST,
	 "the keys the platform keeps are damaged",
	 "coffer sev reset makes new ones; every session becomes invalid"},
	{NULL, EPERM, 0, ERR_PERM,
	 "/dev/sev must be open for writing, or SNP guests forbid it",
	 "run as root, or let your group write to /dev/sev by a udev rule"},
	{NULL, EACCES, 0, ERR_PERM, "no permission",
	 "run as root, or let your group write to /dev/sev by a udev rule"},
	{NULL, EBUSY, 0, ERR_HOST,
	 "the security processor does not answer any more, or is in use",
	 "look for 'ccp' in dmesg; reboot the host if it stays"},
	{NULL, ETIMEDOUT, 0, ERR_HOST,
	 "the security processor did not answer in time",
	 "reboot the host: it is not used again before"},
	{NULL, ENODEV, 0, ERR_HOST, "there is no security processor",
	 "load the ccp module and look for 'ccp' in dmesg"},
	{NULL, ENOTTY, 0, ERR_HOST, "SEV is switched off in KVM",
	 "modprobe kvm_amd sev=1; see coffer doctor"},
	{NULL, EBADF, 0, ERR_HOST,
	 "KVM does not take this descriptor for /dev/sev",
	 "/dev/sev must be the device of the ccp driver"},
	{NULL, 0, 0, ERR_UNSET, "not one we know",
	 "look for 'SEV' and 'ccp' in dmesg; see coffer doctor"},
};

const char *sev_fw_cmd_name(enum sev_fw_cmd cmd)
{
	return (size_t)cmd < ARRAY_SIZE(fw_names) ? fw_names[cmd] : "?";
}

const char *sev_platform_cmd_name(enum sev_platform_cmd cmd)
{
	const char *name = (size_t)cmd < ARRAY_SIZE(platform_names)
				   ? platform_names[cmd]
				   : NULL;

	return name ? name : "?";
}

/* A status explains more than the EIO that comes with it. */
static bool fits(const struct rule *r, const char *cmd, int code,
		 uint32_t status)
{
	bool asked = status && status != SEV_STATUS_NO_FW_CALL;

	if (r->cmd && strcmp(r->cmd, cmd) != 0)
		return false;
	if (!r->code && !r->status)
		return true;
	if (r->status)
		return asked && r->status == status;
	return !asked && r->code == -code;
}

static const char *status_text(uint32_t status, char *buf, size_t len)
{
	const char *name = sev_status_name(status);

	if (!status)
		buf[0] = 0;
	else if (status == SEV_STATUS_NO_FW_CALL)
		snprintf(buf, len, ", the firmware was not asked");
	else
		snprintf(buf, len, ", firmware status 0x%02x %s", status,
			 name ? name : "(without a name)");
	return buf;
}

static int set(struct err *err, const char *cmd, int code, uint32_t status)
{
	const struct rule *r = rules;
	char text[64];

	while (!fits(r, cmd, code, status))
		r++; /* the last one fits everything */
	err_set_kind(err, r->kind == ERR_UNSET ? ERR_HOST : r->kind, code,
		     "SEV %s: %s%s: %s; %s", cmd, strerror(-code),
		     status_text(status, text, sizeof(text)), r->cause, r->fix);
	return code;
}

int sev_error_set(struct err *err, enum sev_fw_cmd cmd, int code,
		  uint32_t status)
{
	return set(err, sev_fw_cmd_name(cmd), code, status);
}

int sev_platform_error_set(struct err *err, enum sev_platform_cmd cmd, int code,
			   uint32_t status)
{
	return set(err, sev_platform_cmd_name(cmd), code, status);
}
