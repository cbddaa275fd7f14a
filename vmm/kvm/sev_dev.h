/*
 * vmm/kvm/sev_dev.h - /dev/sev: commands to the platform, which need no guest
 * (Linux, Documentation/virt/coco/sev-guest.rst and linux/psp-sev.h).
 *
 * Every failure is worded by crypto/sev_error.
 */
#ifndef VMM_KVM_SEV_DEV_H
#define VMM_KVM_SEV_DEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "crypto/sev_cert.h"

struct err;

enum {
	SEV_CHAIN_CERTS = 3, /* PEK, OCA, CEK */
	SEV_CHAIN_LEN = SEV_CHAIN_CERTS * SEV_CERT_LEN,
	SEV_ID_LEN = 64, /* of one socket */
	SEV_ID_SOCKETS_MAX = 2,
};

enum sev_platform_state {
	SEV_PLATFORM_UNINIT = 0,
	SEV_PLATFORM_INIT = 1,
	SEV_PLATFORM_WORKING = 2,
};

struct sev_platform_status {
	uint8_t api_major, api_minor, build;
	uint8_t state;	 /* enum sev_platform_state, or unknown */
	bool owned;	 /* by somebody else than itself */
	bool es;	 /* initialised with SEV-ES */
	uint32_t guests; /* running now */
};

struct sev_dev {
	int fd;	       /* -1: closed */
	bool writable; /* commands that change something are possible */
	/*
	 * False: this is not the driver's device but something that answers
	 * for it. Nothing is protected by it.
	 */
	bool is_device;
	/* ioctl(2) but in tests. */
	int (*ioctl_fn)(int fd, unsigned long request, void *arg);
};

/*
 * Open @path ("/dev/sev") for reading and writing, or where that is not
 * permitted for reading. The message says what to do.
 * -ENOENT      the ccp driver has no security processor (ERR_HOST)
 * -EACCES      ERR_PERM
 */
int sev_dev_open(const char *path, struct sev_dev *ret, struct err *err);
/* Closed is fine. */
void sev_dev_close(struct sev_dev *d);

/* "UNINIT", "INIT", "WORKING", "unknown" */
const char *sev_platform_state_name(uint8_t state);

int sev_dev_status(const struct sev_dev *d, struct sev_platform_status *ret,
		   struct err *err);
/* PDH, and PEK, OCA and CEK behind each other. */
int sev_dev_export(const struct sev_dev *d, uint8_t pdh[static SEV_CERT_LEN],
		   uint8_t chain[static SEV_CHAIN_LEN], struct err *err);
/* *ret_len: SEV_ID_LEN for each socket. */
int sev_dev_id(const struct sev_dev *d,
	       uint8_t id[static SEV_ID_LEN * SEV_ID_SOCKETS_MAX],
	       size_t *ret_len, struct err *err);
int sev_dev_pdh_gen(const struct sev_dev *d, struct err *err);
/* The certificate to be signed by the OCA. */
int sev_dev_pek_csr(const struct sev_dev *d, uint8_t csr[static SEV_CERT_LEN],
		    struct err *err);
int sev_dev_pek_import(const struct sev_dev *d,
		       const uint8_t pek[static SEV_CERT_LEN],
		       const uint8_t oca[static SEV_CERT_LEN], struct err *err);
int sev_dev_factory_reset(const struct sev_dev *d, struct err *err);

#endif
