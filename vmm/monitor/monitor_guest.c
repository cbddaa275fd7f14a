/* vmm/monitor/monitor_guest.c - one VM, and a supervisor that asks things. */
#include "vmm/monitor/monitor_guest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>

#include "crypto/mktme_ram.h"
#include "firmware/flash_image.h"
#include "firmware/kernel_image.h"
#include "vmm/base/err.h"
#include "vmm/base/fault.h"
#include "vmm/base/loop.h"
#include "vmm/base/thread_start.h"
#include "vmm/console.h"
#include "vmm/monitor/monitor_lockdown.h"
#include "vmm/monitor/monitor_proto.h"
#include "vmm/monitor/monitor_setup.h"
#include "vmm/timing.h"
#include "vmm/vm.h"
#include "vmm/vm_devices.h"

struct guest {
	int channel;
	struct monitor_setup *setup;
	struct timing *timing;
	struct loop *loop;
	struct kernel_image *kernel; /* NULL: firmware finds one itself */
	struct flash_image firmware;
	struct console *console;
	struct vm_devices_config devices;
	struct vm_params params;
	struct mktme_ram *ram; /* NULL: no key */
	struct vm *vm;
	struct monitor_msg msg; /* the one being received or sent */
};

static_assert((int)TIMING_COUNT <= (int)MONITOR_TIMINGS_MAX, "timings");

/* --- to the supervisor --------------------------------------------------- */

static void tell(struct guest *g, enum monitor_msg_type type)
{
	g->msg.type = type;
	if (monitor_msg_send(g->channel, &g->msg, NULL, 0) < 0)
		_exit(EXIT_FAILURE); /* it is gone */
}

static void tell_state(struct guest *g, enum monitor_state state)
{
	g->msg.state = (struct monitor_msg_state){.state = state};
	tell(g, MONITOR_MSG_STATE);
}

static void tell_timing(struct guest *g)
{
	struct monitor_msg_timing *t = &g->msg.timing;

	*t = (struct monitor_msg_timing){0};
	for (size_t i = 0; i < TIMING_COUNT; i++)
		t->at[i] = g->timing->at[i];
	tell(g, MONITOR_MSG_TIMING);
}

static void tell_counters(struct guest *g, uint64_t id)
{
	struct monitor_msg_counters *m = &g->msg.counters;
	struct counters c = {0};
	size_t at = 0;

	vm_counters(g->vm, &c);
	do {
		*m = (struct monitor_msg_counters){.id = id};
		for (; at < c.n && m->n < MONITOR_COUNTERS_MAX; at++, m->n++) {
			struct monitor_counter *v = &m->v[m->n];

			memcpy(v->device, c.v[at].device, sizeof(v->device));
			memcpy(v->name, c.v[at].name, sizeof(v->name));
			v->value = c.v[at].value;
		}
		m->last = at == c.n;
		tell(g, MONITOR_MSG_COUNTERS);
	} while (at < c.n);
	counters_free(&c);
}

static void tell_result(struct guest *g, const struct run_result *res)
{
	g->msg.result = (struct monitor_msg_result){
		.how = (uint32_t)res->how,
		.value = res->value,
	};
	memcpy(g->msg.result.why, res->why, sizeof(g->msg.result.why));
	tell(g, MONITOR_MSG_RESULT);
}

/* --- from the supervisor ------------------------------------------------- */

static void on_paused(void *arg)
{
	tell_state(arg, MONITOR_STATE_PAUSED);
}

static void on_event(void *arg, enum vm_event e, const char *device)
{
	struct guest *g = arg;
	struct monitor_msg_event *m = &g->msg.event;

	*m = (struct monitor_msg_event){.kind = (uint32_t)e};
	snprintf(m->device, sizeof(m->device), "%s", device ? device : "vm");
	tell(g, MONITOR_MSG_EVENT);
}

static_assert((int)VM_EVENT_COUNT == (int)MONITOR_EVENT_COUNT &&
		      (int)VM_EVENT_NEEDS_RESET ==
			      (int)MONITOR_EVENT_NEEDS_RESET,
	      "events");

/* --- a protected guest that waits for its owner ---------------------------
 */

/* Is the guest one that may run? */
static bool is_launched(const struct guest *g)
{
	struct launch_info i;

	return vm_launch_info(g->vm, &i) < 0 || i.state == LAUNCH_RUNNING;
}

static void tell_launch(struct guest *g)
{
	if (vm_launch_info(g->vm, &g->msg.launch_info) < 0)
		return;
	tell(g, MONITOR_MSG_LAUNCH_INFO);
}

static void tell_answer(struct guest *g, int r, const struct err *err)
{
	struct monitor_msg_launch_answer *m = &g->msg.launch_answer;

	*m = (struct monitor_msg_launch_answer){.code = r};
	if (r < 0) {
		m->kind = (uint32_t)err->kind;
		memcpy(m->msg, err->msg, sizeof(m->msg));
	}
	tell(g, MONITOR_MSG_LAUNCH_ANSWER);
}

static void inject(struct guest *g)
{
	struct monitor_msg_secret *s = &g->msg.secret;
	struct err err = {0};
	int r = vm_launch_secret(g->vm, s->gpa, s->header, s->data, s->len,
				 &err);

	explicit_bzero(s, sizeof(*s));
	if (!r)
		tell_launch(g);
	tell_answer(g, r, &err);
}

static void go(struct guest *g)
{
	vm_resume(g->vm);
	tell_state(g, MONITOR_STATE_RUNNING);
}

static void finish(struct guest *g)
{
	struct err err = {0};
	int r = vm_launch_finish(g->vm, &err);

	if (!r)
		tell_launch(g);
	tell_answer(g, r, &err);
	if (!r)
		go(g);
	else if (r != -EBUSY || err.kind) /* firmware refused: it never runs */
		vm_end(g->vm, RUN_ERROR, err.msg);
}

static void attest(struct guest *g)
{
	struct monitor_msg_attestation *m = &g->msg.attestation;
	uint8_t nonce[SEV_NONCE_LEN];
	struct err err = {0};

	memcpy(nonce, g->msg.attest.nonce, sizeof(nonce));
	*m = (struct monitor_msg_attestation){0};
	memcpy(m->nonce, nonce, sizeof(nonce));
	m->code = vm_launch_attest(g->vm, nonce, m->report, &err);
	if (m->code < 0) {
		m->kind = (uint32_t)err.kind;
		memcpy(m->msg, err.msg, sizeof(m->msg));
	}
	tell(g, MONITOR_MSG_ATTESTATION);
}

static void obey(struct guest *g)
{
	const struct monitor_msg_end *end = &g->msg.end;
	char why[sizeof(end->why)];

	switch (g->msg.type) {
	case MONITOR_MSG_PAUSE:
		if (is_launched(g))
			vm_pause(g->vm);
		break;
	case MONITOR_MSG_RESUME:
		if (is_launched(g))
			go(g);
		break;
	case MONITOR_MSG_SECRET:
		inject(g);
		break;
	case MONITOR_MSG_FINISH:
		finish(g);
		break;
	case MONITOR_MSG_ATTEST:
		attest(g);
		break;
	case MONITOR_MSG_POWER_BUTTON:
		vm_power_button(g->vm);
		break;
	case MONITOR_MSG_RESIZE:
		vm_resize_disk(g->vm, g->msg.resize.lun, g->msg.resize.bytes);
		break;
	case MONITOR_MSG_END:
		memcpy(why, end->why, sizeof(why));
		vm_end(g->vm, (enum run_how)end->how, why);
		break;
	case MONITOR_MSG_GET_COUNTERS:
		tell_counters(g, g->msg.get_counters.id);
		break;
	default: /* not for now: it learns nothing */
		break;
	}
}

static void on_channel(void *arg, int fd, uint32_t events)
{
	struct guest *g = arg;
	int fds[MONITOR_FDS_MAX], r;
	size_t n_fds = 0;

	(void)events;
	r = monitor_msg_recv(fd, MONITOR_TO_MONITOR, &g->msg, fds, &n_fds);
	if (r <= 0) /* without a supervisor there is nobody to run for */
		_exit(EXIT_FAILURE);
	for (size_t i = 0; i < n_fds; i++)
		close(fds[i]);
	obey(g);
}

/* --- life ---------------------------------------------------------------- */

static int open_firmware(struct guest *g, struct err *err)
{
	const char *label;
	int fd = monitor_setup_file(g->setup, MONITOR_FILE_FIRMWARE, &label);
	int r;

	if (fd < 0)
		return 0;
	r = flash_image_open(fd, label, &g->firmware, err);
	if (r < 0)
		return r;
	g->params.firmware = &g->firmware;
	fd = monitor_setup_file(g->setup, MONITOR_FILE_NVRAM, &label);
	return fd < 0 ? 0
		      : flash_vars_open(fd, label, &g->firmware,
					&g->params.nvram, err);
}

static int open_images(struct guest *g, struct err *err)
{
	const char *label;
	int fd = monitor_setup_file(g->setup, MONITOR_FILE_KERNEL, &label);
	int r = 0;

	if (fd >= 0)
		r = kernel_image_open(fd, label, &g->kernel, err);
	if (r < 0)
		return r;
	g->params.kernel = g->kernel;
	fd = monitor_setup_file(g->setup, MONITOR_FILE_INITRD, &label);
	if (fd >= 0)
		r = image_file_open(fd, "initrd", label, &g->params.initrd,
				    err);
	return r < 0 ? r : open_firmware(g, err);
}

static int open_console(struct guest *g, struct err *err)
{
	struct console_params p = {.in_fd = -1, .out_fd = -1};
	bool input;
	int fd = monitor_setup_console(g->setup, &input);

	p.style = fd < 0 ? CONSOLE_STYLE_NONE : CONSOLE_STYLE_STREAM;
	p.out_fd = fd;
	p.in_fd = input ? fd : -1;
	return console_create(&p, g->loop, NULL, NULL, &g->console, err);
}

static void on_encrypted(void *arg, bool verified)
{
	struct guest *g = arg;

	g->msg.encrypted = (struct monitor_msg_encrypted){.verified = verified};
	tell(g, MONITOR_MSG_ENCRYPTED);
}

/* Memory under a key, from the first page on. */
static int take_key(struct guest *g, struct err *err)
{
	struct monitor_msg_mktme key;
	struct mktme_ram_params p = {
		.smaps_fd = monitor_setup_smaps(g->setup),
		.arg = g,
		.encrypted = on_encrypted,
	};
	int r;

	if (!monitor_setup_key(g->setup, &key))
		return 0;
	p.serial = key.serial;
	p.syscall = key.syscall;
	r = mktme_ram_create(&p, &g->ram, err);
	if (!r)
		g->params.mem.crypt = mktme_ram_crypt(g->ram);
	return r;
}

static int make(struct guest *g, struct err *err)
{
	struct loop_source *s;
	int r;

	monitor_setup_vm(g->setup, &g->params, &g->devices);
	r = open_images(g, err);
	if (!r)
		r = take_key(g, err);
	if (!r)
		r = loop_create(&g->loop, err);
	if (!r)
		r = fault_point("kernel image", err);
	if (!r)
		r = open_console(g, err);
	if (r < 0)
		return r;
	g->params.console = g->console;
	g->params.loop = g->loop;
	g->params.timing = g->timing;
	g->params.paused = on_paused;
	g->params.event = on_event;
	g->params.owner_arg = g;
	r = vm_create(&g->params, &g->vm, err);
	if (r < 0)
		return r;
	r = loop_add_fd(g->loop, g->channel, EPOLLIN, on_channel, g, &s);
	if (r < 0)
		return err_set_kind(err, ERR_HOST, r, "event loop: %s",
				    strerror(-r));
	r = fault_point("channel", err);
	if (!r)
		r = vm_start(g->vm, err);
	if (!r)
		r = fault_point("threads", err);
	if (!r && monitor_setup_protected(g->setup) &&
	    !monitor_setup_paused(g->setup))
		r = vm_launch_finish(g->vm, err);
	monitor_setup_vm_made(g->setup);
	return r;
}

/*
 * All threads exist, all is open and mapped: now the last step, then go. No
 * guest runs beside a thread that has no filter yet.
 */
static int run(struct guest *g, struct err *err)
{
	enum monitor_state state = MONITOR_STATE_RUNNING;
	int r;

	monitor_lockdown(THREAD_MAIN);
	thread_start_wait();
	if (!is_launched(g))
		state = MONITOR_STATE_LAUNCH;
	else if (monitor_setup_paused(g->setup))
		state = MONITOR_STATE_PAUSED;
	else
		vm_resume(g->vm); /* which waits for no message */
	tell(g, MONITOR_MSG_READY);
	tell_launch(g);
	tell_state(g, state);
	r = loop_run(g->loop);
	vm_stop(g->vm);
	if (r < 0)
		return err_set_kind(err, ERR_INTERNAL, r, "event loop: %s",
				    strerror(-r));
	return 0;
}

static int conclude(struct guest *g, struct err *err)
{
	struct run_result res = {0};

	console_plug(g->console, NULL);
	vm_result(g->vm, &res);
	tell_counters(g, 0);
	tell_timing(g);
	if (res.how == RUN_ERROR)
		return err_set_kind(err, ERR_HOST, -EIO, "%s", res.why);
	console_destroy(g->console); /* what is left of the output */
	tell_result(g, &res);
	_exit(EXIT_SUCCESS); /* the kernel takes the rest apart */
}

int monitor_guest_run(struct monitor_setup *setup, int channel,
		      struct timing *timing, struct err *err)
{
	struct guest g = {
		.channel = channel,
		.setup = setup,
		.timing = timing,
	};
	int r = make(&g, err);

	/*
	 * Locked down there is no taking apart: the calls for it are on no
	 * list, and the end of the process does it faster.
	 */
	if (r >= 0) {
		r = run(&g, err);
		return r < 0 ? r : conclude(&g, err);
	}
	vm_destroy(g.vm);
	mktme_ram_destroy(g.ram);
	console_destroy(g.console);
	loop_destroy(g.loop);
	kernel_image_destroy(g.kernel);
	return r;
}
