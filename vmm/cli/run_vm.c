/*
 * vmm/cli/run_vm.c - from a configuration to how the guest ended: opens what
 * the VM needs, turns signals and timers into requests, restarts.
 */
#include "vmm/cli/run_vm.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "firmware/kernel_image.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/console.h"
#include "vmm/console_open.h"
#include "vmm/device_files.h"
#include "vmm/kvm/kvm_sys.h"
#include "vmm/timing.h"
#include "vmm/tty.h"
#include "vmm/vm.h"
#include "vmm/vm_devices.h"

struct runner {
	const struct run_config *c;
	struct loop *loop;
	struct console *console;
	struct device_files *files;
	struct vm_devices_config devices; /* of the machine that runs */
	struct vm *vm;			  /* NULL between two starts */
	struct loop_source *timeout, *stop_timeout;
	unsigned int n_stop; /* stop requests so far */
	/*
	 * Somebody ended the run from outside. Kept here as well as in the VM,
	 * which may just be ending by itself in order to restart.
	 */
	bool ended;
	struct run_result end;
	struct timing timing;
};

static void end_guest(struct runner *r, enum run_how how, const char *why)
{
	if (!r->ended) {
		r->ended = true;
		r->end.how = how;
		snprintf(r->end.why, sizeof(r->end.why), "%s", why);
	}
	if (r->vm)
		vm_end(r->vm, how, why);
}

/* The first request asks the guest, the second does not. */
static void request_stop(struct runner *r, const char *who)
{
	if (r->n_stop++ || !r->vm || !r->c->stop_timeout_ms) {
		end_guest(r, RUN_STOPPED, who);
		return;
	}
	log_debug("%s: pressing the power button", who);
	vm_power_button(r->vm);
	loop_set_timer(r->stop_timeout, r->c->stop_timeout_ms);
}

static void on_signal(void *arg, int signo)
{
	struct runner *r = arg;
	char who[64];

	switch (signo) {
	case SIGCONT:
		tty_resume();
		break;
	case SIGTERM:
	case SIGINT:
	case SIGHUP:
		snprintf(who, sizeof(who), "stopped by SIG%s",
			 sigabbrev_np(signo));
		request_stop(r, who);
		break;
	default:
		break;
	}
}

static void on_timeout(void *arg)
{
	end_guest(arg, RUN_TIMEOUT, "the guest did not end within --timeout");
}

static void on_stop_timeout(void *arg)
{
	end_guest(arg, RUN_TIMEOUT,
		  "the guest did not power off within --stop-timeout");
}

static void on_command(void *arg, enum console_command cmd)
{
	struct runner *r = arg;

	if (cmd == CONSOLE_CMD_END)
		end_guest(r, RUN_STOPPED, "ended from the console");
	else if (cmd == CONSOLE_CMD_POWER_BUTTON && r->vm)
		vm_power_button(r->vm);
}

static const struct console_owner_ops console_owner_ops = {
	.command = on_command,
};

static int prepare_loop(struct runner *r, struct err *err)
{
	sigset_t set;
	int ret = loop_create(&r->loop, err);

	if (ret < 0)
		return ret;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGCONT);
	ret = loop_add_signals(r->loop, &set, on_signal, r);
	if (!ret)
		ret = loop_add_timer(r->loop, on_timeout, r, &r->timeout);
	if (!ret)
		ret = loop_add_timer(r->loop, on_stop_timeout, r,
				     &r->stop_timeout);
	if (ret < 0)
		return err_set_kind(err, ERR_HOST, ret, "event loop: %s",
				    strerror(-ret));
	return 0;
}

static void fill_params(struct runner *r, int kvm_fd,
			const struct kernel_image *kernel, struct vm_params *p)
{
	const struct run_config *c = r->c;

	*p = (struct vm_params){
		.kvm_fd = kvm_fd,
		.ram_bytes = c->memory.size,
		.mem =
			{
				.backing = c->memory.shared ? GUEST_MEM_MEMFD
							    : GUEST_MEM_ANON,
				.hugepage_size = c->memory.hugepages,
				.prefault = c->memory.prefault,
			},
		.n_cpus = (unsigned int)c->cpus,
		.kernel = kernel,
		.cmdline = c->append,
		.oem_strings = (const char *const *)c->oem_strings.v,
		.n_oem_strings = c->oem_strings.n,
		.debug_exit = c->debug_exit,
		.emulate_c_bit = c->devices.sev.emulate_cbit,
		.c_bit = (unsigned int)c->devices.sev.cbitpos,
		.dma_strict = c->devices.dma == DMA_CHOICE_STRICT,
		.console = r->console,
		.loop = r->loop,
		.timing = &r->timing,
	};
	if (c->uuid.given)
		memcpy(p->uuid, c->uuid.bytes, sizeof(p->uuid));
}

/* One machine from power-on to its end. */
static int run_once(struct runner *r, struct vm_params *p,
		    struct run_result *res, struct err *err)
{
	AUTO(vm_destroyp) struct vm *vm = NULL;
	int ret = device_files_config(r->files, &r->devices, err);

	if (ret < 0)
		return ret;
	p->devices = &r->devices;
	ret = vm_create(p, &vm, err);
	if (ret < 0)
		return ret;
	r->vm = vm;
	ret = vm_start(vm, err);
	if (!ret)
		ret = loop_run(r->loop);
	r->vm = NULL;
	vm_stop(vm);
	if (ret < 0) {
		if (!err->code)
			err_set_kind(err, ERR_INTERNAL, ret, "event loop: %s",
				     strerror(-ret));
		return ret;
	}
	vm_result(vm, res);
	counters_clear(&res->counters);
	vm_counters(vm, &res->counters);
	if (res->how == RUN_ERROR)
		return err_set_kind(err, ERR_HOST, -EIO, "%s", res->why);
	return 0;
}

static int run_machines(struct runner *r, int kvm_fd,
			const struct kernel_image *kernel,
			struct run_result *res, struct err *err)
{
	struct vm_params p;
	int ret;

	fill_params(r, kvm_fd, kernel, &p);
	if (r->c->initrd_file.fd >= 0) {
		ret = image_file_open(r->c->initrd_file.fd, "initrd",
				      r->c->initrd, &p.initrd, err);
		if (ret < 0)
			return ret;
	}
	if (r->c->timeout_ms)
		loop_set_timer(r->timeout, r->c->timeout_ms);
	do {
		ret = run_once(r, &p, res, err);
		if (ret < 0 || res->how != RUN_REBOOT ||
		    r->c->on_reboot != ON_REBOOT_RESTART)
			return ret;
	} while (!r->ended && !r->n_stop);
	if (r->ended) {
		res->how = r->end.how;
		memcpy(res->why, r->end.why, sizeof(res->why));
	}
	return 0;
}

static int open_and_run(struct runner *r, const struct kernel_image *kernel,
			struct run_result *res, struct err *err)
{
	AUTO(fd_closep) int kvm_fd = -1;
	struct console_files files;
	int ret;

	ret = kvm_sys_open("/dev/kvm", &kvm_fd, err);
	if (!ret)
		ret = kvm_sys_check(kvm_fd, err);
	if (!ret)
		ret = prepare_loop(r, err);
	if (ret < 0)
		return ret;
	console_files_init(&files);
	ret = console_open(&r->c->console, &files, err);
	if (!ret)
		ret = console_create(&files.params, r->loop, &console_owner_ops,
				     r, &r->console, err);
	if (!ret)
		ret = device_files_open(&r->c->devices,
					r->c->uuid.given ? r->c->uuid.bytes
							 : NULL,
					r->loop, &r->files, err);
	if (!ret)
		ret = run_machines(r, kvm_fd, kernel, res, err);
	device_files_close(r->files);
	console_destroy(r->console);
	console_close(&files);
	return ret;
}

int run_vm(const struct run_config *c, struct run_result *res, struct err *err)
{
	AUTO(kernel_image_destroyp) struct kernel_image *kernel = NULL;
	struct runner r = {.c = c};
	int ret;

	timing_mark(&r.timing, TIMING_MAIN);
	if (c->devices.sev.emulate_cbit)
		log_warn("EMULATED C-bit: a test; this guest is not encrypted");
	signal(SIGPIPE, SIG_IGN);
	ret = kernel_image_open(c->kernel_file.fd, c->kernel, &kernel, err);
	timing_mark(&r.timing, TIMING_CONFIGURED);
	if (!ret)
		ret = open_and_run(&r, kernel, res, err);
	loop_destroy(r.loop);
	err_default_kind(err, ERR_HOST);
	if (c->print_timing)
		timing_print(&r.timing, stderr);
	return ret;
}
