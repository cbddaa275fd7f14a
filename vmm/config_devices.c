/* vmm/config_devices.c - options that add devices, and those that protect. */
#include "vmm/config_devices.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <string.h>
#include <sys/un.h>

#include "crypto/sev_policy.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"
#include "vmm/base/own.h"
#include "vmm/config.h"

#define AT(f, t) OPTION_AT(struct run_config, devices.f, t)
#define DISK(f, t) OPTION_AT(struct disk_config, f, t)
#define NET(f, t) OPTION_AT(struct net_config, f, t)
#define VSOCK(f, t) OPTION_AT(struct vsock_config, f, t)
#define SEV(f, t) OPTION_AT(struct sev_config, f, t)

static int check_socket_path(const char *key, const char *path, size_t spare,
			     struct err *err)
{
	struct sockaddr_un sun;
	size_t max = sizeof(sun.sun_path) - 1 - spare;

	if (path && strlen(path) > max)
		return err_set(err, -EINVAL,
			       "%s: the path is %zu bytes long; %zu fit a "
			       "socket's name%s",
			       key, strlen(path), max,
			       spare ? " with a port behind it" : "");
	return 0;
}

static void disk_init(void *group)
{
	struct disk_config *d = group;

	d->lun = CONFIG_LUN_NEXT;
	d->queues = 1;
}

static int disk_check(void *group, struct err *err)
{
	const struct disk_config *d = group;

	for (const char *p = d->serial; p && *p; p++)
		if (*p < 0x20 || *p > 0x7e)
			return err_set(err, -EINVAL,
				       "serial: only printable ASCII");
	return 0;
}

/* Two hexadecimal digits; -1: something else. */
static int parse_hex_byte(const char *p)
{
	static const char digits[] = "0123456789abcdef";
	int v = 0;

	for (int i = 0; i < 2; i++) {
		const char *at =
			p[i] ? strchr(digits, tolower((unsigned char)p[i]))
			     : NULL;

		if (!at)
			return -1;
		v = v << 4 | (int)(at - digits);
	}
	return v;
}

static int parse_mac(void *field, const char *text, struct err *err)
{
	struct mac_config m = {.given = true};
	bool ok = strlen(text) == 17;
	int any = 0;

	for (size_t i = 0; i < 6 && ok; i++) {
		int byte = parse_hex_byte(text + 3 * i);

		ok = byte >= 0 && (i == 5 || text[3 * i + 2] == ':');
		m.bytes[i] = (uint8_t)byte;
		any |= byte;
	}
	if (!ok)
		return err_set(err, -EINVAL,
			       "'%.32s' is not a MAC address (try "
			       "52:54:00:12:34:56)",
			       text);
	if (m.bytes[0] & 1 || !any)
		return err_set(err, -EINVAL,
			       "%s is not the address of one host; the first "
			       "byte must be even, as in 52:54:00:12:34:56",
			       text);
	*(struct mac_config *)field = m;
	return 0;
}

static void net_init(void *group)
{
	struct net_config *n = group;

	n->fd = CONFIG_FD_NONE;
	n->queues = 1;
}

static int net_check(void *group, struct err *err)
{
	const struct net_config *n = group;
	int given = !!n->tap + (n->fd != CONFIG_FD_NONE) + !!n->passt + n->user;

	if (given != 1)
		return err_set(err, -EINVAL,
			       "give exactly one of tap=NAME, fd=N, "
			       "passt=SOCKET, user");
	if (n->queues > 1 && !n->tap)
		return err_set(err, -EINVAL,
			       "queues: more than one needs tap=NAME");
	return check_socket_path("passt", n->passt, 0, err);
}

static int vsock_check(void *group, struct err *err)
{
	const struct vsock_config *v = group;

	if (!!v->path + v->vhost != 1)
		return err_set(err, -EINVAL,
			       "give exactly one of path=SOCKET, vhost");
	/* guest connections go to PATH_PORT */
	return check_socket_path("path", v->path, strlen("_4294967295"), err);
}

static int sev_check(void *group, struct err *err)
{
	const struct sev_config *s = group;

	if (!s->dh_cert != !s->session)
		return err_set(err, -EINVAL,
			       "dh-cert and session go together; 'coffer owner "
			       "session' writes both");
	return 0;
}

static const struct option_desc disk_subs[] = {
	{.name = "path",
	 .kind = OPTION_PATH,
	 .off = DISK(path, char *),
	 .arg = "FILE",
	 .help = "raw image or block device; never probed for a format",
	 .implicit = true,
	 .required = true},
	{.name = "ro",
	 .kind = OPTION_FLAG,
	 .off = DISK(ro, bool),
	 .help = "the guest cannot write it"},
	{.name = "direct",
	 .kind = OPTION_FLAG,
	 .off = DISK(direct, bool),
	 .help = "past the host's page cache (O_DIRECT)"},
	{.name = "serial",
	 .kind = OPTION_TEXT,
	 .off = DISK(serial, char *),
	 .arg = "TEXT",
	 .help = "serial number, up to 36 characters",
	 .max = CONFIG_SERIAL_MAX},
	{.name = "lun",
	 .kind = OPTION_NUMBER,
	 .off = DISK(lun, uint64_t),
	 .arg = "N",
	 .help = "logical unit, 0 to 255 (default: the next free one)",
	 .max = CONFIG_LUN_MAX},
	{.name = "queues",
	 .kind = OPTION_NUMBER,
	 .off = DISK(queues, uint64_t),
	 .arg = "N",
	 .help = "request queues of the controller, 1 to 16 (default 1)",
	 .min = 1,
	 .max = CONFIG_QUEUES_MAX},
	{0},
};

static const struct option_desc net_subs[] = {
	{.name = "tap",
	 .kind = OPTION_TEXT,
	 .off = NET(tap, char *),
	 .arg = "NAME",
	 .help = "a tap interface that exists",
	 .max = 15},
	{.name = "fd",
	 .kind = OPTION_NUMBER,
	 .off = NET(fd, uint64_t),
	 .arg = "N",
	 .help = "an open descriptor: a tap, or a stream to passt",
	 .min = 3,
	 .max = INT_MAX},
	{.name = "passt",
	 .kind = OPTION_PATH,
	 .off = NET(passt, char *),
	 .arg = "SOCKET",
	 .help = "a running passt"},
	{.name = "user",
	 .kind = OPTION_FLAG,
	 .off = NET(user, bool),
	 .help = "start passt: a network without root"},
	{.name = "mac",
	 .kind = OPTION_PARSED,
	 .off = NET(mac, struct mac_config),
	 .arg = "MAC",
	 .help = "address of the guest's card",
	 .parse = parse_mac},
	{.name = "mtu",
	 .kind = OPTION_NUMBER,
	 .off = NET(mtu, uint64_t),
	 .arg = "N",
	 .help = "MTU the guest is told, 68 to 65521",
	 .min = 68,
	 .max = 65521},
	{.name = "queues",
	 .kind = OPTION_NUMBER,
	 .off = NET(queues, uint64_t),
	 .arg = "N",
	 .help = "queue pairs, 1 to 16 (default 1)",
	 .min = 1,
	 .max = CONFIG_QUEUES_MAX},
	{0},
};

static const struct option_desc vsock_subs[] = {
	{.name = "cid",
	 .kind = OPTION_NUMBER,
	 .off = VSOCK(cid, uint64_t),
	 .arg = "N",
	 .help = "the guest's address, 3 or more",
	 .hint = "0 to 2 are taken; try 3",
	 .min = 3,
	 .max = UINT32_MAX - 1,
	 .required = true},
	{.name = "path",
	 .kind = OPTION_PATH,
	 .off = VSOCK(path, char *),
	 .arg = "SOCKET",
	 .help = "unix socket for connections from the host"},
	{.name = "vhost",
	 .kind = OPTION_FLAG,
	 .off = VSOCK(vhost, bool),
	 .help = "the host kernel's vsock (plain guests only)"},
	{0},
};

const struct option_desc config_device_options[] = {
	{.name = "disk",
	 .short_name = 'd',
	 .kind = OPTION_GROUPS,
	 .off = AT(disks, struct group_list),
	 .arg = "FILE[,KEY...]",
	 .help = "a disk on virtio-scsi; repeatable",
	 .subs = disk_subs,
	 .max = CONFIG_DISKS_MAX,
	 .group_size = sizeof(struct disk_config),
	 .group_init = disk_init,
	 .group_check = disk_check},
	{.name = "net",
	 .short_name = 'n',
	 .kind = OPTION_GROUPS,
	 .off = AT(nets, struct group_list),
	 .arg = "KIND[,KEY...]",
	 .help = "a network card on virtio-net; repeatable",
	 .subs = net_subs,
	 .max = CONFIG_NETS_MAX,
	 .group_size = sizeof(struct net_config),
	 .group_init = net_init,
	 .group_check = net_check},
	{.name = "publish",
	 .short_name = 'p',
	 .kind = OPTION_TEXTS,
	 .off = AT(publish, struct text_list),
	 .arg = "[ADDRESS:]HOST:GUEST[/udp]",
	 .help = "forward a host port to the guest; needs --net user",
	 .max = CONFIG_PUBLISH_MAX,
	 .entry_max = 64},
	{.name = "vsock",
	 .kind = OPTION_GROUP,
	 .off = AT(vsock, struct vsock_config),
	 .arg = "cid=N,KEY",
	 .help = "sockets between guest and host on virtio-vsock",
	 .more = "A host program connects to SOCKET and sends \"CONNECT "
		 "PORT\\n\"; a guest's connection to host port PORT arrives "
		 "at SOCKET_PORT.",
	 .subs = vsock_subs,
	 .group_size = sizeof(struct vsock_config),
	 .group_check = vsock_check},
	{.name = "rng",
	 .kind = OPTION_FLAG,
	 .off = AT(rng, bool),
	 .help = "random numbers from the host on virtio-rng"},
	{0},
};

static const struct option_desc sev_subs[] = {
	{.name = "policy",
	 .kind = OPTION_PARSED,
	 .off = SEV(policy, struct policy_config),
	 .arg = "POLICY",
	 .help = "what the host may do: a number (0x37), or names with "
		 "doubled commas (nodbg,,noks); default nodbg",
	 .parse = sev_option_policy},
	{.name = "dh-cert",
	 .kind = OPTION_PATH,
	 .off = SEV(dh_cert, char *),
	 .arg = "FILE",
	 .help = "the owner's certificate, base64 or raw"},
	{.name = "session",
	 .kind = OPTION_PATH,
	 .off = SEV(session, char *),
	 .arg = "FILE",
	 .help = "the owner's session, base64 or raw"},
	{.name = "reduced-phys-bits",
	 .kind = OPTION_NUMBER,
	 .off = SEV(reduced_phys_bits, uint64_t),
	 .arg = "N",
	 .help = "checked against what the CPU says",
	 .min = 1,
	 .max = 63},
	{.name = "emulate-cbit",
	 .kind = OPTION_FLAG,
	 .off = SEV(emulate_cbit, bool),
	 .help = "EMULATED: the guest behaves as under SEV; nothing is "
		 "encrypted"},
	{.name = "cbitpos",
	 .kind = OPTION_NUMBER,
	 .off = SEV(cbitpos, uint64_t),
	 .arg = "N",
	 .help = "checked against what KVM says; with emulate-cbit its "
		 "position (default: two below the highest)",
	 .min = 36,
	 .max = 63},
	{0},
};

static const char *const dma_choices[] = {
	[DMA_CHOICE_LENIENT] = "lenient", [DMA_CHOICE_STRICT] = "strict", NULL};

static const char *const protect_choices[] = {
	[PROTECT_NONE] = "none",
	[PROTECT_SEV] = "sev",
	[PROTECT_SEV_ES] = "sev-es",
	[PROTECT_MKTME] = "mktme",
	NULL,
};

const struct option_desc config_protect_options[] = {
	{.name = "protect",
	 .kind = OPTION_CHOICE,
	 .off = AT(protect, int),
	 .arg = "none|sev|sev-es|mktme",
	 .help = "encrypt the guest's memory (sev-es: registers, too)",
	 .more = "AMD SEV: what was launched is measured, for the guest's "
		 "owner to check: coffer-owner(1). Intel MKTME: memory is "
		 "encrypted against physical attack; the guest is not "
		 "protected from the host.",
	 .choices = protect_choices},
	{0},
};

const struct option_desc config_protection_options[] = {
	{.name = "mktme",
	 .kind = OPTION_GROUP,
	 .off = AT(mktme, struct mktme_config),
	 .arg = "KEY[,KEY...]",
	 .help = "the key, for --protect mktme (default type=cpu)",
	 .more = "The host's number of encrypt_mprotect must be known: "
		 "coffer-mktme(1).",
	 .subs = config_mktme_subs,
	 .group_size = sizeof(struct mktme_config),
	 .group_init = config_mktme_init,
	 .group_check = config_mktme_check},
	{.name = "sev",
	 .kind = OPTION_GROUP,
	 .off = AT(sev, struct sev_config),
	 .arg = "KEY[,KEY...]",
	 .help = "policy and the owner's session, for --protect",
	 .more = "Without session the launch is not attested: nobody can "
		 "verify it or give it secrets.",
	 .subs = sev_subs,
	 .group_size = sizeof(struct sev_config),
	 .group_check = sev_check},
	{.name = "expect",
	 .kind = OPTION_PATH,
	 .off = AT(expect, char *),
	 .arg = "DIGEST|FILE",
	 .help = "start only if the launch digest is this one",
	 .more = "64 hexadecimal digits, or a file that begins with them: "
		 "coffer owner measure."},
	{.name = "paused",
	 .kind = OPTION_FLAG,
	 .off = AT(paused, bool),
	 .help = "wait after the measurement for coffer ctl resume"},
	{.name = "dma",
	 .kind = OPTION_CHOICE,
	 .off = AT(dma, int),
	 .arg = "lenient|strict",
	 .help = "what devices may touch before a confidential guest has "
		 "said what it shares",
	 .more = "lenient: all of RAM, until it does. strict: nothing.",
	 .choices = dma_choices},
	{0},
};

/* First those that were given, then the lowest free number for the others. */
static int give_luns(struct devices_config *d, struct err *err)
{
	struct disk_config *disk = d->disks.v;
	bool used[CONFIG_LUN_MAX + 1] = {false};
	uint64_t next = 0;

	for (size_t i = 0; i < d->disks.n; i++) {
		if (disk[i].lun == CONFIG_LUN_NEXT)
			continue;
		if (used[disk[i].lun])
			return err_set_kind(err, ERR_USAGE, -EINVAL,
					    "--disk: lun %llu is given twice",
					    (unsigned long long)disk[i].lun);
		used[disk[i].lun] = true;
	}
	for (size_t i = 0; i < d->disks.n; i++) {
		if (disk[i].lun != CONFIG_LUN_NEXT)
			continue;
		while (used[next])
			next++;
		disk[i].lun = next;
		used[next] = true;
	}
	return 0;
}

static int refuse(struct err *err, const char *what)
{
	return err_set_kind(err, ERR_USAGE, -EINVAL, "%s", what);
}

/* What makes no sense without protection, or without the emulation. */
static int finish_plain(const struct devices_config *d, struct err *err)
{
	const struct sev_config *s = &d->sev;

	if (s->policy.given || s->session || s->reduced_phys_bits)
		return refuse(err, "--sev: needs --protect sev or sev-es");
	if (s->cbitpos && !s->emulate_cbit)
		return refuse(err, "--sev: cbitpos: needs --protect sev or "
				   "sev-es, or emulate-cbit");
	if (d->expect)
		return refuse(err, "--expect: needs --protect sev or sev-es, "
				   "for only their launch has a digest");
	if (d->paused)
		return refuse(err, "--paused: needs --protect sev or sev-es");
	return 0;
}

static int finish_protected(struct devices_config *d, struct err *err)
{
	bool es = d->protect == PROTECT_SEV_ES;
	struct sev_config *s = &d->sev;
	char text[SEV_POLICY_TEXT_MAX];

	if (!s->policy.given)
		s->policy.value = SEV_POLICY_NODBG | (es ? SEV_POLICY_ES : 0u);
	if (es != !!(s->policy.value & SEV_POLICY_ES))
		return err_set_kind(
			err, ERR_USAGE, -EINVAL,
			"--sev: policy 0x%x (%s) is for --protect %s, not %s",
			s->policy.value,
			sev_policy_format(s->policy.value, text),
			es ? "sev" : "sev-es", es ? "sev-es" : "sev");
	if (es && s->emulate_cbit)
		return refuse(err, "--sev: emulate-cbit: works with --protect "
				   "sev only; #VC exceptions of SEV-ES are not "
				   "emulated");
	return 0;
}

/* Two cards would take each other's frames from it. */
static int check_net_fds(const struct net_config *net, size_t n,
			 struct err *err)
{
	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < i; j++)
			if (net[i].fd != CONFIG_FD_NONE &&
			    net[i].fd == net[j].fd)
				return err_set_kind(err, ERR_USAGE, -EINVAL,
						    "--net: fd=%" PRIu64
						    " is given twice",
						    net[i].fd);
	return 0;
}

int config_devices_finish(struct devices_config *d, struct err *err)
{
	const struct net_config *net = d->nets.v;
	size_t users = 0;
	int r = check_net_fds(net, d->nets.n, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < d->nets.n; i++)
		users += net[i].user;
	if (d->publish.n && users != 1)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--publish: needs exactly one --net user");
	if (d->vsock.vhost &&
	    (d->sev.emulate_cbit || protect_is_sev(d->protect)))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--vsock: vhost works for plain guests "
				    "only, since the kernel does not know "
				    "which pages are shared; use path=SOCKET");
	r = protect_is_sev(d->protect) ? finish_protected(d, err)
				       : finish_plain(d, err);
	return r < 0 ? r : give_luns(d, err);
}
