/*
 * tests/sim/sev_client.c - a program that launches SEV guests and is not
 * coffer: it knows the kernel's headers and nothing of ours. Commands come as
 * lines on standard input; each is answered by one line, "ok", with what there
 * is to tell, or "errno NAME fw 0xCODE".
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <linux/psp-sev.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { VCPUS_MAX = 8, WORDS_MAX = 8, FILE_MAX = 1 << 20 };

struct client {
	int kvm, sev, vm;
	int vcpu[VCPUS_MAX];
	uint8_t *mem;
	size_t mem_len;
	uint32_t fw;	  /* status of the last command */
	char told[16384]; /* what follows "ok" */
};

typedef int (*command_fn)(struct client *c, int n, char **w);

static uint64_t number(const char *text)
{
	return strtoull(text, NULL, 0);
}

static void tell_hex(struct client *c, const void *data, size_t len)
{
	for (size_t i = 0; i < len && 2 * i + 3 < sizeof(c->told); i++)
		sprintf(c->told + 2 * i, "%02x", ((const uint8_t *)data)[i]);
}

static long load(const char *path, uint8_t *buf, size_t size)
{
	FILE *f = fopen(path, "rb");
	long n = -1;

	if (f) {
		n = (long)fread(buf, 1, size, f);
		fclose(f);
	}
	return n;
}

static int save(const char *path, const void *data, size_t len)
{
	FILE *f = fopen(path, "wb");
	size_t n = 0;

	if (f) {
		n = fwrite(data, 1, len, f);
		fclose(f);
	}
	return n == len ? 0 : -1;
}

/* --- /dev/sev --------------------------------------------------------------
 */

static int platform(struct client *c, uint32_t cmd, void *data)
{
	struct sev_issue_cmd issue = {.cmd = cmd,
				      .data = (uint64_t)(uintptr_t)data};
	int r = ioctl(c->sev, SEV_ISSUE_CMD, &issue);

	c->fw = issue.error;
	return r;
}

static int do_sev(struct client *c, int n, char **w)
{
	int mode = n > 1 && !strcmp(w[1], "ro") ? O_RDONLY : O_RDWR;

	c->sev = open("/dev/sev", mode | O_CLOEXEC);
	return c->sev < 0 ? -1 : 0;
}

static int do_pstatus(struct client *c, int n, char **w)
{
	struct sev_user_data_status st = {0};
	int r = platform(c, SEV_PLATFORM_STATUS, &st);

	(void)n, (void)w;
	sprintf(c->told, "api %u.%u build %u state %u flags 0x%x guests %u",
		st.api_major, st.api_minor, st.build, st.state, st.flags,
		st.guest_count);
	return r;
}

static int do_simple(struct client *c, int n, char **w)
{
	static const struct {
		const char *name;
		uint32_t cmd;
	} all[] = {{"reset", SEV_FACTORY_RESET},
		   {"pekgen", SEV_PEK_GEN},
		   {"pdhgen", SEV_PDH_GEN}};

	(void)n;
	for (size_t i = 0; i < 3; i++)
		if (!strcmp(w[0], all[i].name))
			return platform(c, all[i].cmd, NULL);
	errno = EINVAL;
	return -1;
}

/* PDH, PEK, OCA, CEK, as sevctl writes them. */
static int do_export(struct client *c, int n, char **w)
{
	struct sev_user_data_pdh_cert_export e = {0};
	uint8_t buf[16384];
	int r = platform(c, SEV_PDH_CERT_EXPORT, &e);

	if (r == 0 || c->fw != SEV_RET_INVALID_LEN ||
	    e.pdh_cert_len + e.cert_chain_len > sizeof(buf))
		return -1;
	e.pdh_cert_address = (uint64_t)(uintptr_t)buf;
	e.cert_chain_address = (uint64_t)(uintptr_t)(buf + e.pdh_cert_len);
	r = platform(c, SEV_PDH_CERT_EXPORT, &e);
	if (r == 0 && n > 1)
		r = save(w[1], buf, e.pdh_cert_len + e.cert_chain_len);
	return r;
}

static int do_csr(struct client *c, int n, char **w)
{
	uint8_t buf[2084];
	struct sev_user_data_pek_csr csr = {.address = (uint64_t)(uintptr_t)buf,
					    .length = sizeof(buf)};
	int r = platform(c, SEV_PEK_CSR, &csr);

	return r == 0 && n > 1 ? save(w[1], buf, csr.length) : r;
}

static int do_import(struct client *c, int n, char **w)
{
	uint8_t pek[16384], oca[16384];
	struct sev_user_data_pek_cert_import i = {
		.pek_cert_address = (uint64_t)(uintptr_t)pek,
		.oca_cert_address = (uint64_t)(uintptr_t)oca};

	if (n < 3)
		return -1;
	i.pek_cert_len = (uint32_t)load(w[1], pek, sizeof(pek));
	i.oca_cert_len = (uint32_t)load(w[2], oca, sizeof(oca));
	return platform(c, SEV_PEK_CERT_IMPORT, &i);
}

static int do_id(struct client *c, int n, char **w)
{
	uint8_t buf[256];
	struct sev_user_data_get_id2 id = {0};
	int r = platform(c, SEV_GET_ID2, &id);

	(void)n, (void)w;
	if (r == 0 || c->fw != SEV_RET_INVALID_LEN || id.length > sizeof(buf))
		return -1;
	id.address = (uint64_t)(uintptr_t)buf;
	r = platform(c, SEV_GET_ID2, &id);
	tell_hex(c, buf, id.length);
	return r;
}

/* --- KVM -------------------------------------------------------------------
 */

static int do_vm(struct client *c, int n, char **w)
{
	if (c->kvm < 0)
		c->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	c->vm = ioctl(c->kvm, KVM_CREATE_VM, n > 1 ? number(w[1]) : 0);
	return c->vm < 0 ? -1 : 0;
}

static int do_close(struct client *c, int n, char **w)
{
	(void)n, (void)w;
	for (int i = 0; i < VCPUS_MAX; i++)
		if (c->vcpu[i] >= 0) {
			close(c->vcpu[i]);
			c->vcpu[i] = -1;
		}
	return close(c->vm);
}

static int do_closesev(struct client *c, int n, char **w)
{
	(void)n, (void)w;
	return close(c->sev);
}

static int do_vcpu(struct client *c, int n, char **w)
{
	unsigned int id = n > 1 ? (unsigned int)number(w[1]) % VCPUS_MAX : 0;

	c->vcpu[id] = ioctl(c->vm, KVM_CREATE_VCPU, id);
	return c->vcpu[id] < 0 ? -1 : 0;
}

/* rip and rflags of a vCPU. */
static int do_regs(struct client *c, int n, char **w)
{
	struct kvm_regs r = {.rflags = 2};

	if (n < 3)
		return -1;
	r.rip = number(w[2]);
	return ioctl(c->vcpu[number(w[1]) % VCPUS_MAX], KVM_SET_REGS, &r);
}

static int do_mem(struct client *c, int n, char **w)
{
	struct kvm_userspace_memory_region m = {0};

	if (c->mem)
		munmap(c->mem, c->mem_len);
	c->mem_len = n > 1 ? number(w[1]) : 1 << 20;
	c->mem = mmap(NULL, c->mem_len, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->mem == MAP_FAILED)
		return -1;
	m.memory_size = c->mem_len;
	m.userspace_addr = (uint64_t)(uintptr_t)c->mem;
	return ioctl(c->vm, KVM_SET_USER_MEMORY_REGION, &m);
}

static int do_fill(struct client *c, int n, char **w)
{
	long len;

	if (n < 3)
		return -1;
	len = load(w[1], c->mem + number(w[2]), c->mem_len - number(w[2]));
	sprintf(c->told, "%ld", len);
	return len < 0 ? -1 : 0;
}

static int do_poke(struct client *c, int n, char **w)
{
	if (n < 3)
		return -1;
	c->mem[number(w[1])] = (uint8_t)number(w[2]);
	return 0;
}

static int do_peek(struct client *c, int n, char **w)
{
	if (n < 3)
		return -1;
	tell_hex(c, c->mem + number(w[1]), number(w[2]));
	return 0;
}

static int do_protect(struct client *c, int n, char **w)
{
	(void)n, (void)w;
	return mprotect(c->mem, c->mem_len, PROT_READ);
}

/* The leaf of SEV, as KVM supports it and as a vCPU is told. */
static int do_leaf(struct client *c, int n, char **w)
{
	enum { N = 256 };
	struct kvm_cpuid2 *l =
		calloc(1, sizeof(*l) + N * sizeof(l->entries[0]));
	int r;

	if (!l)
		return -1;
	l->nent = n > 1 && !strcmp(w[1], "short") ? 1 : N;
	r = ioctl(c->kvm, KVM_GET_SUPPORTED_CPUID, l);
	if (r == 0 && n > 1 && !strcmp(w[1], "set"))
		r = ioctl(c->vcpu[0], KVM_SET_CPUID2, l);
	for (uint32_t i = 0; r == 0 && i < l->nent; i++)
		if (l->entries[i].function == 0x8000001f)
			sprintf(c->told, "0x%x 0x%x 0x%x 0x%x",
				l->entries[i].eax, l->entries[i].ebx,
				l->entries[i].ecx, l->entries[i].edx);
	free(l);
	return r;
}

/* --- launch ----------------------------------------------------------------
 */

static int launch(struct client *c, uint32_t id, void *data)
{
	struct kvm_sev_cmd cmd = {.id = id,
				  .data = (uint64_t)(uintptr_t)data,
				  .sev_fd = (uint32_t)c->sev};
	int r = ioctl(c->vm, KVM_MEMORY_ENCRYPT_OP, &cmd);

	c->fw = cmd.error;
	return r;
}

static int do_probe(struct client *c, int n, char **w)
{
	(void)n, (void)w;
	return ioctl(c->vm, KVM_MEMORY_ENCRYPT_OP, 0);
}

static int do_types(struct client *c, int n, char **w)
{
	int r = ioctl(c->kvm, KVM_CHECK_EXTENSION, 235);

	(void)n, (void)w;
	sprintf(c->told, "%d", r);
	return r < 0 ? r : 0;
}

/* An operation without a structure, by its number. */
static int do_op(struct client *c, int n, char **w)
{
	uint8_t data[128] = {0};

	return n < 2 ? -1 : launch(c, (uint32_t)number(w[1]), data);
}

static int do_init(struct client *c, int n, char **w)
{
	(void)n;
	return launch(c, strcmp(w[0], "init") ? KVM_SEV_ES_INIT : KVM_SEV_INIT,
		      NULL);
}

static int do_start(struct client *c, int n, char **w)
{
	uint8_t dh[16385], session[16385];
	struct kvm_sev_launch_start s = {0};
	int r;

	s.policy = n > 1 ? (uint32_t)number(w[1]) : 0;
	if (n > 2) {
		s.dh_uaddr = (uint64_t)(uintptr_t)dh;
		s.dh_len = (uint32_t)load(w[2], dh, sizeof(dh));
	}
	if (n > 3) {
		s.session_uaddr = (uint64_t)(uintptr_t)session;
		s.session_len = (uint32_t)load(w[3], session, sizeof(session));
	}
	r = launch(c, KVM_SEV_LAUNCH_START, &s);
	sprintf(c->told, "%u", s.handle);
	return r;
}

static int do_region(struct client *c, int n, char **w)
{
	struct kvm_enc_region reg = {(uint64_t)(uintptr_t)c->mem, c->mem_len};

	if (n > 2) {
		reg.addr += number(w[1]);
		reg.size = number(w[2]);
	}
	return ioctl(c->vm,
		     strcmp(w[0], "reg") ? KVM_MEMORY_ENCRYPT_UNREG_REGION
					 : KVM_MEMORY_ENCRYPT_REG_REGION,
		     &reg);
}

static int do_update(struct client *c, int n, char **w)
{
	struct kvm_sev_launch_update_data u = {0};

	if (n < 3)
		return -1;
	u.uaddr = (uint64_t)(uintptr_t)c->mem + number(w[1]);
	u.len = (uint32_t)number(w[2]);
	return launch(c, KVM_SEV_LAUNCH_UPDATE_DATA, &u);
}

static int do_measure(struct client *c, int n, char **w)
{
	uint8_t out[256];
	struct kvm_sev_launch_measure m = {0};
	int r;

	if (n > 1) { /* with this much room */
		m.uaddr = (uint64_t)(uintptr_t)out;
		m.len = (uint32_t)number(w[1]);
	} else {
		r = launch(c, KVM_SEV_LAUNCH_MEASURE, &m);
		if (r == 0 || c->fw != SEV_RET_INVALID_LEN)
			return -1;
		m.uaddr = (uint64_t)(uintptr_t)out;
	}
	r = launch(c, KVM_SEV_LAUNCH_MEASURE, &m);
	if (r == 0)
		tell_hex(c, out, m.len);
	else
		sprintf(c->told, "%u", m.len);
	return r;
}

static int do_secret(struct client *c, int n, char **w)
{
	static uint8_t hdr[FILE_MAX], data[FILE_MAX];
	struct kvm_sev_launch_secret s = {0};

	if (n < 4)
		return -1;
	s.guest_uaddr = (uint64_t)(uintptr_t)c->mem + number(w[1]);
	s.hdr_uaddr = (uint64_t)(uintptr_t)hdr;
	s.hdr_len = (uint32_t)load(w[2], hdr, sizeof(hdr));
	s.trans_uaddr = (uint64_t)(uintptr_t)data;
	s.trans_len = s.guest_len = (uint32_t)load(w[3], data, sizeof(data));
	return launch(c, KVM_SEV_LAUNCH_SECRET, &s);
}

static int do_gstatus(struct client *c, int n, char **w)
{
	struct kvm_sev_guest_status st = {0};
	int r = launch(c, KVM_SEV_GUEST_STATUS, &st);

	(void)n, (void)w;
	sprintf(c->told, "handle %u policy 0x%x state %u", st.handle, st.policy,
		st.state);
	return r;
}

static int do_attest(struct client *c, int n, char **w)
{
	uint8_t out[256];
	struct kvm_sev_attestation_report a = {.mnonce = {1, 2, 3}};
	int r;

	(void)n, (void)w;
	a.uaddr = (uint64_t)(uintptr_t)out;
	a.len = 208;
	r = launch(c, KVM_SEV_GET_ATTESTATION_REPORT, &a);
	if (r == 0)
		tell_hex(c, out, a.len);
	return r;
}

static int do_dbg(struct client *c, int n, char **w)
{
	struct kvm_sev_dbg d = {0};

	if (n < 4)
		return -1;
	d.src_uaddr = (uint64_t)(uintptr_t)c->mem + number(w[1]);
	d.dst_uaddr = (uint64_t)(uintptr_t)c->mem + number(w[2]);
	d.len = (uint32_t)number(w[3]);
	return launch(c, KVM_SEV_DBG_DECRYPT, &d);
}

/* A file, read as any program reads one. */
static int do_cat(struct client *c, int n, char **w)
{
	uint8_t buf[8000];
	long len = n > 1 ? load(w[1], buf, sizeof(buf)) : -1;

	if (len < 0)
		return -1;
	tell_hex(c, buf, (size_t)len);
	return 0;
}

static const struct {
	const char *name;
	command_fn run;
} commands[] = {
	{"sev", do_sev},	 {"pstatus", do_pstatus},
	{"reset", do_simple},	 {"pekgen", do_simple},
	{"pdhgen", do_simple},	 {"export", do_export},
	{"csr", do_csr},	 {"import", do_import},
	{"id", do_id},		 {"vm", do_vm},
	{"close", do_close},	 {"closesev", do_closesev},
	{"vcpu", do_vcpu},	 {"regs", do_regs},
	{"mem", do_mem},	 {"fill", do_fill},
	{"poke", do_poke},	 {"peek", do_peek},
	{"protect", do_protect}, {"leaf", do_leaf},
	{"probe", do_probe},	 {"types", do_types},
	{"op", do_op},		 {"init", do_init},
	{"esinit", do_init},	 {"start", do_start},
	{"reg", do_region},	 {"unreg", do_region},
	{"update", do_update},	 {"measure", do_measure},
	{"secret", do_secret},	 {"gstatus", do_gstatus},
	{"attest", do_attest},	 {"dbg", do_dbg},
	{"cat", do_cat},
};

static void run_line(struct client *c, char *line)
{
	char *w[WORDS_MAX], *save_ptr = NULL;
	int n = 0, r = -1;

	for (char *p = strtok_r(line, " \n", &save_ptr); p && n < WORDS_MAX;
	     p = strtok_r(NULL, " \n", &save_ptr))
		w[n++] = p;
	if (!n)
		return;
	c->fw = 0;
	c->told[0] = 0;
	errno = EINVAL;
	if (!strcmp(w[0], "vmsa") || !strcmp(w[0], "finish"))
		r = launch(c,
			   *w[0] == 'v' ? KVM_SEV_LAUNCH_UPDATE_VMSA
					: KVM_SEV_LAUNCH_FINISH,
			   NULL);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(w[0], commands[i].name))
			r = commands[i].run(c, n, w);
	if (r == 0)
		printf("ok %s\n", c->told);
	else
		printf("errno %s fw 0x%x %s\n", strerrorname_np(errno), c->fw,
		       c->told);
}

static void *serve(void *arg)
{
	struct client *c = arg;
	char line[4096];

	while (fgets(line, sizeof(line), stdin)) {
		run_line(c, line);
		fflush(stdout);
	}
	return NULL;
}

/* With "-t" the work is done by a second thread, as monitors do. */
int main(int argc, char **argv)
{
	struct client *c = calloc(1, sizeof(*c));
	pthread_t t;

	if (!c)
		return 1;
	c->kvm = c->sev = c->vm = -1;
	for (int i = 0; i < VCPUS_MAX; i++)
		c->vcpu[i] = -1;
	if (argc > 1 && !strcmp(argv[1], "-t")) {
		if (pthread_create(&t, NULL, serve, c) != 0)
			return 1;
		pthread_join(t, NULL);
	} else {
		serve(c);
	}
	free(c);
	return 0;
}
