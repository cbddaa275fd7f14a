/*
 * vmm/cli/run_vm.c - from a configuration to how the guest ended: opens what
 * the guest needs, turns signals into requests, and lets a supervisor work.
 */
#include "vmm/cli/run_vm.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "firmware/stage0_reason.h"
#include "vmm/base/err.h"
#include "vmm/base/fault.h"
#include "vmm/base/log.h"
#include "vmm/base/loop.h"
#include "vmm/base/now.h"
#include "vmm/config_cost.h"
#include "vmm/console.h"
#include "vmm/console_open.h"
#include "vmm/device_files.h"
#include "vmm/host_cost.h"
#include "vmm/kvm/kvm_sys.h"
#include "vmm/launch_host.h"
#include "vmm/supervisor/control.h"
#include "vmm/supervisor/guest_cgroup.h"
#include "vmm/supervisor/jail_plan.h"
#include "vmm/supervisor/supervisor.h"
#include "vmm/timing.h"
#include "vmm/tty.h"

struct runner {
	struct run_config *c;
	int kvm_fd;
	struct loop *loop;
	struct supervisor *supervisor;
	struct control *control;
	struct console *console;
	struct device_files *files;
	struct guest_cgroup *cgroup;
	struct launch_host launch;
	struct timing timing;
	struct launch_ledger ledger;
	int stop_signal;  /* the first that asked for the end; 0: none */
	uint64_t stop_ms; /* when */
};

enum { ONE_REQUEST_MS = 50 };

/*
 * Is @signo part of a request that is known? timeout(1) sends its signal to us
 * and once more to our process group; behind the kernel's SIGHUP comes a
 * shell's, and behind SIGTERM that of systemd (SendSIGHUP=).
 */
static bool is_repeated(struct runner *r, int signo)
{
	if (!r->stop_signal) {
		r->stop_signal = signo;
		r->stop_ms = now_ms();
		return false;
	}
	return (signo == r->stop_signal || signo == SIGHUP) &&
	       now_ms() - r->stop_ms < ONE_REQUEST_MS;
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
		if (is_repeated(r, signo))
			break;
		snprintf(who, sizeof(who), "stopped by SIG%s",
			 sigabbrev_np(signo));
		supervisor_stop(r->supervisor, who);
		break;
	default:
		break;
	}
}

static void on_command(void *arg, enum console_command cmd)
{
	struct runner *r = arg;

	if (cmd == CONSOLE_CMD_END)
		supervisor_kill(r->supervisor, RUN_STOPPED,
				"ended from the console");
	else if (cmd == CONSOLE_CMD_POWER_BUTTON)
		supervisor_power_button(r->supervisor);
}

static const struct console_owner_ops console_owner_ops = {
	.command = on_command,
};

/* Ignored by who started us, such as nohup(1), it stays so. */
static void add_unless_ignored(sigset_t *set, int signo)
{
	struct sigaction sa;

	if (sigaction(signo, NULL, &sa) < 0 || sa.sa_handler != SIG_IGN)
		sigaddset(set, signo);
}

static int prepare_loop(struct runner *r, struct err *err)
{
	sigset_t set;
	int ret = loop_create(&r->loop, err);

	if (ret < 0)
		return ret;
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	add_unless_ignored(&set, SIGINT);
	add_unless_ignored(&set, SIGHUP);
	sigaddset(&set, SIGCONT);
	ret = loop_add_signals(r->loop, &set, on_signal, r);
	if (ret < 0)
		return err_set_kind(err, ERR_HOST, ret, "event loop: %s",
				    strerror(-ret));
	return 0;
}

/* What `coffer plan` says is what it gets. */
static int make_cgroup(struct runner *r, struct err *err)
{
	struct guest_cgroup_params p = {
		.where = r->c->cgroup.where,
		.pids_max = jail_plan_threads(r->c),
		.cpu_weight = r->c->cgroup.weight,
	};
	struct host_cost_args args;
	struct host_cost cost;

	if (!p.where)
		return 0;
	config_cost_args(r->c, &args);
	host_cost(&args, &cost);
	p.memory_max = cost.memory_max;
	return guest_cgroup_create(&p, guest_cgroup_kernel(), &r->cgroup, err);
}

static int start_supervisor(struct runner *r, struct err *err)
{
	const struct supervisor_params p = {
		.config = r->c,
		.loop = r->loop,
		.timing = &r->timing,
		.ledger = &r->ledger,
		.launch = protect_is_sev(r->c->devices.protect) ? &r->launch
								: NULL,
		.cgroup = r->cgroup ? guest_cgroup_fd(r->cgroup) : -1,
	};

	return supervisor_create(&p, &r->supervisor, err);
}

static int run_loop(struct runner *r, struct run_result *res, struct err *err)
{
	int ret = control_run(r->control, r->loop);

	if (ret < 0)
		return err_set_kind(err, ERR_INTERNAL, ret, "event loop: %s",
				    strerror(-ret));
	return supervisor_conclude(r->supervisor, res, err);
}

/* What a monitor cannot start without, and then a monitor. */
static int begin(struct runner *r, struct err *err)
{
	int ret = kvm_sys_open("/dev/kvm", &r->kvm_fd, err);

	if (!ret)
		ret = kvm_sys_check(r->kvm_fd, err);
	/* First: the monitor inherits the limit of locked memory. */
	if (!ret)
		ret = launch_host_open(r->c, &r->launch, err);
	if (!ret && r->launch.hashes.read)
		timing_mark(&r->timing, TIMING_HASHED);
	if (!ret)
		ret = fault_point("kvm", err);
	if (!ret)
		ret = prepare_loop(r, err); /* signals wait from here on */
	if (!ret)
		ret = make_cgroup(r, err);
	if (!ret)
		ret = fault_point("cgroup", err);
	if (!ret)
		ret = start_supervisor(r, err);
	return ret < 0 ? ret : fault_point("supervisor", err);
}

/* The monitor starts while the rest is being opened. */
static int open_and_run(struct runner *r, struct run_result *res,
			struct err *err)
{
	struct console_files files;
	int ret = begin(r, err);

	console_files_init(&files);
	if (!ret)
		ret = console_open(&r->c->console, &files, err);
	if (!ret)
		ret = fault_point("console files", err);
	if (!ret)
		ret = console_create(&files.params, r->loop, &console_owner_ops,
				     r, &r->console, err);
	if (!ret)
		ret = fault_point("console", err);
	if (!ret)
		ret = device_files_open(&r->c->devices,
					r->c->uuid.given ? r->c->uuid.bytes
							 : NULL,
					r->loop, &r->files, err);
	if (!ret)
		ret = control_create(r->c->api, r->supervisor, &r->control,
				     err);
	if (!ret)
		ret = fault_point("control", err);
	if (!ret)
		ret = console_empty_file(&files, err);
	if (!ret)
		ret = supervisor_start(r->supervisor, r->kvm_fd, r->console,
				       r->files, err);
	if (!ret)
		ret = fault_point("started", err);
	if (!ret)
		ret = run_loop(r, res, err);
	control_destroy(r->control);
	supervisor_destroy(r->supervisor);
	device_files_close(r->files);
	console_destroy(r->console);
	console_close(&files);
	return ret;
}

/* By the guest, or by --expect. The file may have changed unseen, or just now.
 */
static bool refused_an_image(int ret, const struct run_result *res)
{
	if (ret)
		return ret == -EKEYREJECTED;
	return res->how == RUN_FIRMWARE_STOP &&
	       (res->value == STAGE0_KERNEL_HASH ||
		res->value == STAGE0_INITRD_HASH);
}

int run_vm(struct run_config *c, struct run_result *res, struct err *err)
{
	struct runner r = {.c = c, .kvm_fd = -1, .launch = {.dev = {.fd = -1}}};
	int ret;

	if (c->devices.paused && !control_is_wanted(c->api))
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--paused: nobody could let the guest go "
				    "on; add --api SOCKET, for coffer ctl "
				    "SOCKET resume");
	timing_mark(&r.timing, TIMING_MAIN);
	fault_set(fault_chosen("supervisor"));
	if (c->devices.sev.emulate_cbit && !protect_is_sev(c->devices.protect))
		log_warn("EMULATED C-bit: a test; this guest is not encrypted");
	signal(SIGPIPE, SIG_IGN);
	timing_mark(&r.timing, TIMING_CONFIGURED);
	ret = open_and_run(&r, res, err);
	if (refused_an_image(ret, res))
		launch_hashes_forget(c);
	guest_cgroup_destroy(r.cgroup);
	launch_host_close(&r.launch);
	fd_closep(&r.kvm_fd);
	loop_destroy(r.loop);
	err_default_kind(err, ERR_HOST);
	if (c->print_timing)
		timing_print(&r.timing, stderr);
	if (c->print_timing) {
		launch_hashes_print(&r.launch.hashes, stderr);
		launch_ledger_print(&r.ledger, stderr);
	}
	return ret;
}
