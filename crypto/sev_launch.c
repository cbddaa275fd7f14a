/* crypto/sev_launch.c - the sequence of a launch, over one command at a time.
 */
#include "crypto/sev_launch.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "crypto/sev_cert.h"
#include "crypto/sev_error.h"
#include "crypto/sev_policy.h"
#include "vmm/base/bits.h"
#include "vmm/base/err.h"

struct pin {
	void *hva;
	uint64_t len;
};

struct sev_launch {
	struct sev_launch_params p; /* dh_cert and session point below */
	uint8_t dh_cert[SEV_CERT_LEN], session[SEV_SESSION_LEN];
	enum sev_launch_state state;
	uint32_t handle;
	bool vmsa; /* done */
	uint64_t updated;
	unsigned int n_secrets;
	uint8_t measurement[SEV_MEASUREMENT_LEN];
	struct pin pin[SEV_LAUNCH_PINS_MAX];
	size_t n_pins;
};

#define IN(s) BIT32(SEV_LAUNCH_##s)

/*
 * What is legal when, where it leads, and what the firmware must then say
 * (AMD SEV API 0.24, 4.2 "Guest State Machine"). GUEST_STATUS is asked where
 * guest is not ANY.
 */
enum { ANY = -1 };
static const struct {
	const char *name;
	uint32_t legal;
	enum sev_launch_state next;
	int guest;
} ops[SEV_LAUNCH_OP_COUNT] = {
	[SEV_LAUNCH_OP_INIT] = {"init", IN(NEW), SEV_LAUNCH_INIT, ANY},
	[SEV_LAUNCH_OP_START] = {"start", IN(INIT), SEV_LAUNCH_UPDATE,
				 SEV_GUEST_LUPDATE},
	[SEV_LAUNCH_OP_PIN] = {"pin", IN(UPDATE), SEV_LAUNCH_UPDATE, ANY},
	[SEV_LAUNCH_OP_UPDATE] = {"update", IN(UPDATE), SEV_LAUNCH_UPDATE,
				  SEV_GUEST_LUPDATE},
	[SEV_LAUNCH_OP_VMSA] = {"vmsa", IN(UPDATE), SEV_LAUNCH_UPDATE,
				SEV_GUEST_LUPDATE},
	[SEV_LAUNCH_OP_MEASURE] = {"measure", IN(UPDATE), SEV_LAUNCH_SECRET,
				   SEV_GUEST_LSECRET},
	[SEV_LAUNCH_OP_SECRET] = {"secret", IN(SECRET), SEV_LAUNCH_SECRET,
				  SEV_GUEST_LSECRET},
	[SEV_LAUNCH_OP_FINISH] = {"finish", IN(SECRET), SEV_LAUNCH_RUNNING,
				  SEV_GUEST_RUNNING},
	[SEV_LAUNCH_OP_ATTEST] = {"attest", IN(RUNNING), SEV_LAUNCH_RUNNING,
				  ANY},
};

const char *sev_launch_state_name(enum sev_launch_state s)
{
	static const char *const names[SEV_LAUNCH_STATE_COUNT] = {
		[SEV_LAUNCH_NEW] = "new",
		[SEV_LAUNCH_INIT] = "init",
		[SEV_LAUNCH_UPDATE] = "update",
		[SEV_LAUNCH_SECRET] = "secret",
		[SEV_LAUNCH_RUNNING] = "running",
		[SEV_LAUNCH_FAILED] = "failed",
	};

	return (size_t)s < ARRAY_SIZE(names) ? names[s] : "?";
}

bool sev_launch_may(const struct sev_launch *l, enum sev_launch_op op)
{
	return ops[op].legal & BIT32((unsigned int)l->state);
}

/* --- creation ----------------------------------------------------------- */

static int check_policy(const struct sev_launch_params *p, struct err *err)
{
	bool es = p->policy & SEV_POLICY_ES;
	int r = sev_policy_check(p->policy, err);

	if (r < 0) {
		err_default_kind(err, ERR_USAGE);
		return r;
	}
	if (es != p->es)
		return err_set_kind(
			err, ERR_USAGE, -EINVAL,
			"policy 0x%x %s, but the guest is %s", p->policy,
			es ? "asks for SEV-ES (bit 2)" : "lacks es (bit 2)",
			p->es ? "SEV-ES" : "plain SEV");
	if (!sev_policy_admits_api(p->policy, p->api_major, p->api_minor))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "policy 0x%x wants SEV API %u.%u or later; "
				    "this platform has %u.%u",
				    p->policy, sev_policy_api_major(p->policy),
				    sev_policy_api_minor(p->policy),
				    p->api_major, p->api_minor);
	return 0;
}

int sev_launch_create(const struct sev_launch_params *p,
		      struct sev_launch **ret, struct err *err)
{
	struct sev_launch *l;
	int r = check_policy(p, err);

	if (r < 0)
		return r;
	if (!p->dh_cert != !p->session)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "the owner's certificate and session go "
				    "together: give both or neither");
	l = calloc(1, sizeof(*l));
	if (!l)
		return err_set(err, -ENOMEM, "out of memory");
	l->p = *p;
	if (p->dh_cert) {
		memcpy(l->dh_cert, p->dh_cert, sizeof(l->dh_cert));
		memcpy(l->session, p->session, sizeof(l->session));
		l->p.dh_cert = l->dh_cert;
		l->p.session = l->session;
	}
	*ret = l;
	return 0;
}

void sev_launch_destroy(struct sev_launch *l)
{
	if (!l)
		return;
	while (l->n_pins) {
		struct pin *pin = &l->pin[--l->n_pins];
		struct sev_fw_call c = {
			.cmd = SEV_FW_UNPIN,
			.mem = {.hva = pin->hva, .len = pin->len},
		};

		/* What fails here ends with the VM's descriptor. */
		sev_fw_issue(l->p.fw, &c);
	}
	explicit_bzero(l, sizeof(*l));
	free(l);
}

/* --- one operation -------------------------------------------------------- */

static int begin(const struct sev_launch *l, enum sev_launch_op op,
		 struct err *err)
{
	if (sev_launch_may(l, op))
		return 0;
	return err_set(err, -EBUSY, "%s: not in state '%s' of the launch",
		       ops[op].name, sev_launch_state_name(l->state));
}

/* What we believe, and what the firmware does. */
static int check_guest(struct sev_launch *l, enum sev_launch_op op,
		       struct err *err)
{
	struct sev_fw_call c = {.cmd = SEV_FW_GUEST_STATUS};
	int r;

	if (ops[op].guest == ANY)
		return 0;
	r = sev_fw_issue(l->p.fw, &c);
	if (r < 0)
		return sev_error_set(err, c.cmd, r, c.status);
	if (c.guest.state != (uint32_t)ops[op].guest)
		return err_set_kind(err, ERR_HOST, -EPROTO,
				    "SEV GUEST_STATUS after %s: state %u, "
				    "expected %d",
				    ops[op].name, c.guest.state, ops[op].guest);
	if (c.guest.policy != l->p.policy || c.guest.handle != l->handle)
		return err_set_kind(err, ERR_HOST, -EPROTO,
				    "SEV GUEST_STATUS after %s: guest %u with "
				    "policy 0x%x, expected %u with 0x%x",
				    ops[op].name, c.guest.handle,
				    c.guest.policy, l->handle, l->p.policy);
	return 0;
}

/* The end of @op, whose command returned @r. */
static int conclude(struct sev_launch *l, enum sev_launch_op op, int r,
		    struct err *err)
{
	if (!r)
		r = check_guest(l, op, err);
	l->state = r < 0 ? SEV_LAUNCH_FAILED : ops[op].next;
	return r;
}

static int issue(struct sev_launch *l, struct sev_fw_call *c, struct err *err)
{
	int r = sev_fw_issue(l->p.fw, c);

	return r < 0 ? sev_error_set(err, c->cmd, r, c->status) : 0;
}

int sev_launch_init(struct sev_launch *l, struct err *err)
{
	struct sev_fw_call c = {.cmd = SEV_FW_INIT};
	int r = begin(l, SEV_LAUNCH_OP_INIT, err);

	if (r < 0)
		return r;
	return conclude(l, SEV_LAUNCH_OP_INIT, issue(l, &c, err), err);
}

int sev_launch_start(struct sev_launch *l, struct err *err)
{
	struct sev_fw_call c = {
		.cmd = SEV_FW_START,
		.start = {.policy = l->p.policy,
			  .dh_cert = l->p.dh_cert,
			  .session = l->p.session,
			  .dh_cert_len = l->p.dh_cert ? SEV_CERT_LEN : 0,
			  .session_len = l->p.session ? SEV_SESSION_LEN : 0},
	};
	int r = begin(l, SEV_LAUNCH_OP_START, err);

	if (r < 0)
		return r;
	r = issue(l, &c, err);
	l->handle = c.start.handle;
	return conclude(l, SEV_LAUNCH_OP_START, r, err);
}

int sev_launch_pin(struct sev_launch *l, void *hva, uint64_t len,
		   struct err *err)
{
	struct sev_fw_call c = {.cmd = SEV_FW_PIN,
				.mem = {.hva = hva, .len = len}};
	int r = begin(l, SEV_LAUNCH_OP_PIN, err);

	if (r < 0)
		return r;
	assert(l->n_pins < SEV_LAUNCH_PINS_MAX);
	r = issue(l, &c, err);
	if (!r)
		l->pin[l->n_pins++] = (struct pin){hva, len};
	return conclude(l, SEV_LAUNCH_OP_PIN, r, err);
}

int sev_launch_update(struct sev_launch *l, void *hva, uint64_t len,
		      const char *what, struct err *err)
{
	int r = begin(l, SEV_LAUNCH_OP_UPDATE, err);

	if (r < 0)
		return r;
	if (!len || !is_aligned(len, SEV_SECRET_ALIGN) ||
	    !is_aligned((uintptr_t)hva, SEV_SECRET_ALIGN))
		return err_set_kind(err, ERR_INTERNAL, -EINVAL,
				    "%s: %llu bytes to be launched are not in "
				    "units of 16",
				    what, (unsigned long long)len);
	for (uint64_t off = 0; off < len && !r; off += SEV_LAUNCH_CHUNK) {
		uint64_t n = len - off;
		struct sev_fw_call c = {
			.cmd = SEV_FW_UPDATE_DATA,
			.mem = {.hva = (char *)hva + off,
				.len = n < SEV_LAUNCH_CHUNK ? n
							    : SEV_LAUNCH_CHUNK},
		};

		r = issue(l, &c, err);
	}
	if (r < 0)
		err_prefix(err, "%s", what);
	else
		l->updated += len;
	return conclude(l, SEV_LAUNCH_OP_UPDATE, r, err);
}

int sev_launch_vmsa(struct sev_launch *l, struct err *err)
{
	struct sev_fw_call c = {.cmd = SEV_FW_UPDATE_VMSA};
	int r = begin(l, SEV_LAUNCH_OP_VMSA, err);

	if (r < 0)
		return r;
	if (!l->p.es || l->vmsa)
		return err_set_kind(err, ERR_INTERNAL, -EINVAL,
				    l->vmsa ? "vmsa: done already"
					    : "vmsa: the guest is plain SEV");
	r = conclude(l, SEV_LAUNCH_OP_VMSA, issue(l, &c, err), err);
	l->vmsa = !r;
	return r;
}

int sev_launch_measure(struct sev_launch *l, struct err *err)
{
	struct sev_fw_call c = {.cmd = SEV_FW_MEASURE};
	int r = begin(l, SEV_LAUNCH_OP_MEASURE, err);

	if (r < 0)
		return r;
	if (l->p.es && !l->vmsa)
		return err_set_kind(err, ERR_INTERNAL, -EINVAL,
				    "measure: the registers were not launched");
	r = issue(l, &c, err);
	if (!r)
		memcpy(l->measurement, c.measure.out, sizeof(l->measurement));
	return conclude(l, SEV_LAUNCH_OP_MEASURE, r, err);
}

int sev_launch_secret(struct sev_launch *l,
		      const uint8_t hdr[static SEV_SECRET_HDR_LEN],
		      const void *payload, size_t len, void *hva,
		      struct err *err)
{
	struct sev_fw_call c = {.cmd = SEV_FW_SECRET};
	int r = begin(l, SEV_LAUNCH_OP_SECRET, err);

	if (r < 0)
		return r;
	if (!len || len > SEV_SECRET_MAX || !is_aligned(len, SEV_SECRET_ALIGN))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "secret: a payload of %zu bytes; it has 16 "
				    "to %d, in units of 16",
				    len, SEV_SECRET_MAX);
	if (!is_aligned((uintptr_t)hva, SEV_SECRET_ALIGN))
		return err_set_kind(err, ERR_INPUT, -EINVAL,
				    "secret: the address is not a multiple of "
				    "16");
	c.secret.hdr = hdr;
	c.secret.payload = payload;
	c.secret.hva = hva;
	c.secret.len = (uint32_t)len;
	r = issue(l, &c, err);
	if (r < 0)
		return r; /* the owner may send another */
	l->n_secrets++;
	return conclude(l, SEV_LAUNCH_OP_SECRET, 0, err);
}

int sev_launch_finish(struct sev_launch *l, struct err *err)
{
	struct sev_fw_call c = {.cmd = SEV_FW_FINISH};
	int r = begin(l, SEV_LAUNCH_OP_FINISH, err);

	if (r < 0)
		return r;
	return conclude(l, SEV_LAUNCH_OP_FINISH, issue(l, &c, err), err);
}

int sev_launch_attest(struct sev_launch *l,
		      const uint8_t mnonce[static SEV_NONCE_LEN],
		      uint8_t report[static SEV_REPORT_LEN], struct err *err)
{
	struct sev_fw_call c = {.cmd = SEV_FW_ATTESTATION};
	int r = begin(l, SEV_LAUNCH_OP_ATTEST, err);

	if (r < 0)
		return r;
	memcpy(c.attestation.mnonce, mnonce, SEV_NONCE_LEN);
	r = issue(l, &c, err);
	if (!r)
		memcpy(report, c.attestation.out, SEV_REPORT_LEN);
	return r; /* a guest that runs goes on */
}

/* --- what is known ---------------------------------------------------------
 */

enum sev_launch_state sev_launch_state(const struct sev_launch *l)
{
	return l->state;
}

bool sev_launch_attested(const struct sev_launch *l)
{
	return l->p.session;
}

uint32_t sev_launch_handle(const struct sev_launch *l)
{
	return l->handle;
}

uint32_t sev_launch_policy(const struct sev_launch *l)
{
	return l->p.policy;
}

uint64_t sev_launch_updated(const struct sev_launch *l)
{
	return l->updated;
}

unsigned int sev_launch_secrets(const struct sev_launch *l)
{
	return l->n_secrets;
}

const uint8_t *sev_launch_measurement(const struct sev_launch *l)
{
	return sev_launch_may(l, SEV_LAUNCH_OP_SECRET) ||
			       l->state == SEV_LAUNCH_RUNNING
		       ? l->measurement
		       : NULL;
}
