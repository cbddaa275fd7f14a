/* sim/sim_dev.c - the commands of the simulated /dev/sev. */
#include "sim/sim_dev.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "vmm/base/bytes.h"

/* A command being carried out. */
struct cmd {
	struct sim_fw *fw;
	struct sim_target *t;
	uint64_t data; /* address of its structure */
	bool writable; /* the descriptor is */
	uint32_t status;
};

static int finish(struct cmd *c, uint32_t status)
{
	c->status = status;
	return status ? -EIO : 0;
}

/*
 * The driver initialises the platform for a command that needs it, and shuts
 * it down again.
 */
struct session {
	struct sim_fw *fw;
	bool shut_down;
};

static void session_end(struct session *s)
{
	if (s->shut_down)
		sim_fw_shutdown(s->fw);
}

static int session_begin(struct cmd *c, struct session *s)
{
	int r;

	*s = (struct session){c->fw, false};
	if (sim_fw_state(c->fw) != SIM_FW_PLATFORM_UNINIT)
		return 0;
	if (!c->writable)
		return -EPERM;
	r = finish(c, sim_fw_init(c->fw));
	s->shut_down = r >= 0;
	return r;
}

/* --- without a structure -------------------------------------------------- */

static int factory_reset(struct cmd *c)
{
	int r = 0;

	if (!c->writable)
		return -EPERM;
	if (sim_fw_state(c->fw) == SIM_FW_PLATFORM_WORKING)
		return -EBUSY;
	if (sim_fw_state(c->fw) == SIM_FW_PLATFORM_INIT)
		r = finish(c, sim_fw_shutdown(c->fw));
	return r < 0 ? r : finish(c, sim_fw_platform_reset(c->fw));
}

static int generate(struct cmd *c, uint32_t (*command)(struct sim_fw *f))
{
	AUTO(session_end) struct session s = {0};
	int r = c->writable ? session_begin(c, &s) : -EPERM;

	return r < 0 ? r : finish(c, command(c->fw));
}

static int pek_gen(struct cmd *c)
{
	return generate(c, sim_fw_pek_gen);
}

static int pdh_gen(struct cmd *c)
{
	return generate(c, sim_fw_pdh_gen);
}

/* --- with one ------------------------------------------------------------ */

static int platform_status(struct cmd *c)
{
	struct sim_fw_status st;
	uint8_t raw[12] = {0};
	int r = finish(c, sim_fw_platform_status(c->fw, &st));

	if (r < 0)
		return r;
	raw[0] = st.api.major;
	raw[1] = st.api.minor;
	raw[2] = (uint8_t)st.state;
	store_le32(raw + 3,
		   (st.is_external ? 1U : 0) | (st.has_es ? 0x100U : 0));
	raw[7] = st.api.build;
	store_le32(raw + 8, st.guests);
	return sim_write(c->t, c->data, raw, sizeof(raw));
}

/*
 * A buffer of the caller: its address is at @at of the structure, its length,
 * in and out, behind that.
 */
struct buffer {
	uint64_t addr;
	uint32_t room, len;
};

static struct buffer load_buffer(const uint8_t *p)
{
	struct buffer b = {.addr = load_le64(p), .room = load_le32(p + 8)};

	b.len = b.room;
	return b;
}

static bool is_query(const struct buffer *b)
{
	return !b->addr || !b->room;
}

static int pek_csr(struct cmd *c)
{
	AUTO(session_end) struct session s = {0};
	uint8_t raw[12], csr[SEV_CERT_LEN];
	struct buffer b;
	int r = c->writable ? sim_read(c->t, c->data, raw, sizeof(raw))
			    : -EPERM;

	if (r < 0)
		return r;
	b = load_buffer(raw);
	if (is_query(&b))
		b.len = 0;
	else if (b.room > SIM_BLOB_MAX)
		return -EFAULT;
	r = session_begin(c, &s);
	if (r < 0)
		return r;
	r = finish(c, sim_fw_pek_csr(c->fw, csr, &b.len));
	store_le32(raw + 8, b.len);
	if (sim_write(c->t, c->data, raw, sizeof(raw)) < 0)
		return -EFAULT;
	return r < 0 ? r : sim_write(c->t, b.addr, csr, sizeof(csr));
}

static int export_to(struct cmd *c, uint8_t *raw, struct buffer *pdh,
		     struct buffer *chain)
{
	AUTO(session_end) struct session s = {0};
	uint8_t pdh_cert[SEV_CERT_LEN], certs[SIM_FW_CHAIN_LEN];
	int r = session_begin(c, &s);

	if (r < 0)
		return r;
	r = finish(c, sim_fw_pdh_cert_export(c->fw, pdh_cert, &pdh->len, certs,
					     &chain->len));
	store_le32(raw + 8, pdh->len);
	store_le32(raw + 20, chain->len);
	if (sim_write(c->t, c->data, raw, 24) < 0)
		return -EFAULT;
	if (r >= 0)
		r = sim_write(c->t, pdh->addr, pdh_cert, sizeof(pdh_cert));
	return r < 0 ? r : sim_write(c->t, chain->addr, certs, sizeof(certs));
}

static int pdh_cert_export(struct cmd *c)
{
	uint8_t raw[24];
	struct buffer pdh, chain;
	int r = sim_read(c->t, c->data, raw, sizeof(raw));

	if (r < 0)
		return r;
	pdh = load_buffer(raw);
	chain = load_buffer(raw + 12);
	if (is_query(&pdh) || is_query(&chain))
		pdh.len = chain.len = 0;
	else if (pdh.room > SIM_BLOB_MAX || chain.room > SIM_BLOB_MAX)
		return -EFAULT;
	return export_to(c, raw, &pdh, &chain);
}

static int read_blob(struct cmd *c, const struct buffer *b,
		     uint8_t buf[static SIM_BLOB_MAX])
{
	if (is_query(b) || b->room > SIM_BLOB_MAX)
		return -EINVAL;
	return sim_read(c->t, b->addr, buf, b->room);
}

static int pek_cert_import(struct cmd *c)
{
	AUTO(session_end) struct session s = {0};
	AUTO(freep) uint8_t *pek = malloc(SIM_BLOB_MAX);
	AUTO(freep) uint8_t *oca = malloc(SIM_BLOB_MAX);
	struct buffer p, o;
	uint8_t raw[24];
	int r;

	if (!c->writable)
		return -EPERM;
	r = pek && oca ? sim_read(c->t, c->data, raw, sizeof(raw)) : -ENOMEM;
	if (r < 0)
		return r;
	p = load_buffer(raw);
	o = load_buffer(raw + 12);
	r = read_blob(c, &p, pek);
	if (r >= 0)
		r = read_blob(c, &o, oca);
	if (r >= 0)
		r = session_begin(c, &s);
	if (r < 0)
		return r;
	return finish(c,
		      sim_fw_pek_cert_import(c->fw, pek, p.room, oca, o.room));
}

/* Two sockets' ids; there is one socket. */
static int get_id(struct cmd *c)
{
	uint8_t ids[2 * SIM_CHIP_ID_LEN] = {0};
	uint32_t len = SIM_CHIP_ID_LEN;
	int r = finish(c, sim_fw_get_id(c->fw, ids, &len));

	return r < 0 ? r : sim_write(c->t, c->data, ids, sizeof(ids));
}

static int get_id2(struct cmd *c)
{
	uint8_t raw[12], id[SIM_CHIP_ID_LEN];
	struct buffer b;
	int r = sim_read(c->t, c->data, raw, sizeof(raw));

	if (r < 0)
		return r;
	b = load_buffer(raw);
	if (is_query(&b))
		b.len = 0;
	r = finish(c, sim_fw_get_id(c->fw, id, &b.len));
	store_le32(raw + 8, b.len);
	if (sim_write(c->t, c->data, raw, sizeof(raw)) < 0)
		return -EFAULT;
	return r < 0 ? r : sim_write(c->t, b.addr, id, sizeof(id));
}

static const struct {
	enum sim_dev_id id;
	const char *name;
	int (*run)(struct cmd *c);
} commands[] = {
	{SIM_SEV_FACTORY_RESET, "FACTORY_RESET", factory_reset},
	{SIM_SEV_PLATFORM_STATUS, "PLATFORM_STATUS", platform_status},
	{SIM_SEV_PEK_GEN, "PEK_GEN", pek_gen},
	{SIM_SEV_PEK_CSR, "PEK_CSR", pek_csr},
	{SIM_SEV_PDH_GEN, "PDH_GEN", pdh_gen},
	{SIM_SEV_PDH_CERT_EXPORT, "PDH_CERT_EXPORT", pdh_cert_export},
	{SIM_SEV_PEK_CERT_IMPORT, "PEK_CERT_IMPORT", pek_cert_import},
	{SIM_SEV_GET_ID, "GET_ID", get_id},
	{SIM_SEV_GET_ID2, "GET_ID", get_id2},
};

static int dispatch(struct cmd *c, struct sim_fault *faults, uint32_t id,
		    struct sim_dev_report *rep)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		int r;

		if (commands[i].id != id)
			continue;
		rep->command = commands[i].name;
		r = sim_fault_errno(faults, commands[i].name);
		return r < 0 ? r : commands[i].run(c);
	}
	return -EINVAL;
}

int sim_dev_ioctl(struct sim_fw *fw, struct sim_fault *faults,
		  struct sim_target *t, int mode, uint64_t arg,
		  struct sim_dev_report *rep)
{
	struct cmd c = {.fw = fw, .t = t, .writable = mode != O_RDONLY};
	uint8_t issue[SIM_ISSUE_LEN];
	int r;

	*rep = (struct sim_dev_report){0};
	if (sim_read(t, arg, issue, sizeof(issue)) < 0)
		return -EFAULT;
	c.data = load_le64(issue + SIM_ISSUE_DATA);
	r = dispatch(&c, faults, load_le32(issue + SIM_ISSUE_CMD), rep);
	if (!rep->command) /* not even the error is written back */
		return r;
	rep->status = c.status;
	store_le32(issue + SIM_ISSUE_ERROR, c.status);
	if (sim_write(t, arg, issue, sizeof(issue)) < 0)
		return -EFAULT;
	return r;
}
