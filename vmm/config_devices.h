/* vmm/config_devices.h - the devices of `coffer run`, as plain, checked data.
 */
#ifndef VMM_CONFIG_DEVICES_H
#define VMM_CONFIG_DEVICES_H

#include <stdbool.h>
#include <stdint.h>

#include "vmm/config_mktme.h"
#include "vmm/option.h"
#include "vmm/sev_option.h"

enum {
	CONFIG_DISKS_MAX = 64,
	CONFIG_NETS_MAX = 16,
	CONFIG_QUEUES_MAX = 16,
	CONFIG_PUBLISH_MAX = 64,
	CONFIG_LUN_MAX = 255,
	CONFIG_SERIAL_MAX = 36, /* bytes; what INQUIRY's VPD page 0x80 shows */
};
#define CONFIG_LUN_NEXT UINT64_MAX /* the lowest one that is free */
#define CONFIG_FD_NONE UINT64_MAX

/* -d FILE[,ro][,direct][,serial=S][,lun=N][,queues=N] */
struct disk_config {
	char *path;
	bool ro;
	bool direct;	 /* O_DIRECT */
	char *serial;	 /* NULL: derived from the LUN */
	uint64_t lun;	 /* 0..CONFIG_LUN_MAX; final after config_finish */
	uint64_t queues; /* request queues; the device has the largest asked */
};

struct mac_config {
	bool given;
	uint8_t bytes[6]; /* unicast, not all zero */
};

/* -n tap=NAME|fd=N|passt=SOCKET|user[,mac=][,mtu=][,queues=N] */
struct net_config {
	char *tap;
	uint64_t fd; /* CONFIG_FD_NONE: not given */
	char *passt;
	bool user;
	struct mac_config mac;
	uint64_t mtu;	 /* 0: not offered */
	uint64_t queues; /* queue pairs */
};

/* --vsock cid=N,path=SOCKET or cid=N,vhost */
struct vsock_config {
	uint64_t cid; /* 0: no vsock */
	char *path;
	bool vhost;
};

enum protect_choice {
	PROTECT_NONE = 0,
	PROTECT_SEV,
	PROTECT_SEV_ES,
	PROTECT_MKTME,
};

static inline bool protect_is_sev(int protect)
{
	return protect == PROTECT_SEV || protect == PROTECT_SEV_ES;
}

/*
 * --sev [policy=P][,dh-cert=FILE,session=FILE][,cbitpos=N]
 * [,reduced-phys-bits=N][,emulate-cbit]
 */
struct sev_config {
	struct policy_config policy; /* final after config_finish */
	char *dh_cert, *session;     /* both or neither */
	bool emulate_cbit;
	uint64_t cbitpos;	    /* 0: not given */
	uint64_t reduced_phys_bits; /* 0: not given */
};

enum dma_choice { DMA_CHOICE_LENIENT = 0, DMA_CHOICE_STRICT };

/* In run_config. */
struct devices_config {
	struct group_list disks;  /* of struct disk_config */
	struct group_list nets;	  /* of struct net_config */
	struct text_list publish; /* HOST:GUEST[/udp] */
	struct vsock_config vsock;
	bool rng;
	int protect; /* enum protect_choice */
	struct sev_config sev;
	char *expect; /* 64 hexadecimal digits, or a file */
	bool paused;  /* stop after the measurement */
	struct mktme_config mktme;
	int dma; /* enum dma_choice */
};

struct err;

/* Sections of the option table; offsets are those of struct run_config. */
extern const struct option_desc config_device_options[];
extern const struct option_desc config_protect_options[];    /* what from */
extern const struct option_desc config_protection_options[]; /* and how */

/*
 * What one option cannot see: LUNs are given out and must differ, --publish
 * needs a `user` network, and so on. -EINVAL with ERR_USAGE.
 */
int config_devices_finish(struct devices_config *d, struct err *err);

#endif
