/* vmm/cli/sim_cli.c - from options to a simulated host, and its exit status. */
#include "vmm/cli/sim_cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "crypto/mktme_syscall.h"
#include "sim/sim_run.h"
#include "vmm/base/err.h"
#include "vmm/base/log.h"
#include "vmm/base/own.h"
#include "vmm/cli/cli_frame.h"
#include "vmm/cli/sim_options.h"
#include "vmm/exit_status.h"

/* The index of "--"; argc when there is none. */
static int find_command(int argc, char *const *argv)
{
	int i = 1;

	while (i < argc && strcmp(argv[i], "--") != 0)
		i++;
	return i;
}

static int configure(const struct sim_options *o, struct sim_config *ret,
		     struct err *err)
{
	if (o->es_asids > o->asids)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--es-asids: more than --asids");
	if (o->c_bit && o->cbit_alias)
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "--cbitpos: --cbit-alias chooses it");
	if (o->mktme_syscall && mktme_syscall_check(o->mktme_syscall, err) < 0)
		return err_prefix(err, "--mktme-syscall");
	*ret = (struct sim_config){
		.fw = {.api = {o->api.major, o->api.minor, (uint8_t)o->build},
		       .has_es = !o->no_es,
		       .asids = (uint32_t)o->asids,
		       .min_sev_asid = (uint32_t)o->es_asids + 1,
		       .guests = (uint32_t)o->guests},
		.kvm = {.has_sev = !o->no_sev,
			.scramble = o->scramble,
			.psp_us_per_kib = (uint32_t)o->psp_us_per_kib},
		.mktme = {.profile = (enum sim_mktme_profile)o->mktme_profile,
			  .n_keyids = (unsigned int)o->keyids,
			  .syscall = (int)o->mktme_syscall,
			  .poison = o->mktme_poison},
		.c_bit = (unsigned int)o->c_bit,
		.cbit_alias = o->cbit_alias,
		.state = o->state,
		.trace = o->trace,
		.faults = o->faults.v,
		.n_faults = o->faults.n,
	};
	return 0;
}

static int status_of(const struct sim_result *res, const char *command)
{
	int s = res->wait_status;

	if (res->exec_errno) {
		log_error("sim: cannot run '%s': %s", command,
			  strerror(res->exec_errno));
		return res->exec_errno == ENOENT ? SIM_EXIT_NO_COMMAND
						 : SIM_EXIT_CANNOT_RUN;
	}
	if (WIFSIGNALED(s))
		return SIM_EXIT_SIGNAL + WTERMSIG(s);
	if (!WEXITSTATUS(s) && res->touched)
		return SIM_EXIT_TOUCHED;
	return WEXITSTATUS(s);
}

static int run(const struct sim_options *o, char *const *command,
	       struct err *err)
{
	struct sim_result res = {0};
	struct sim_config c;
	int r;

	if (!command[0])
		return err_set_kind(err, ERR_USAGE, -EINVAL,
				    "nothing to run: coffer sim [OPTION...] -- "
				    "COMMAND");
	r = configure(o, &c, err);
	if (r < 0)
		return r;
	fprintf(stderr, "coffer: sim: AMD SEV is SIMULATED here, nothing is "
			"protected\n");
	if (o->mktme_profile)
		fprintf(stderr, "coffer: sim: Intel MKTME is SIMULATED here, "
				"nothing is encrypted\n");
	r = sim_run(&c, command, &res, err);
	return r < 0 ? r : status_of(&res, command[0]);
}

/* What a frame is given: the options, and the command behind them. */
struct call {
	struct sim_options o; /* first: the table's offsets are into it */
	char *const *command;
};

static int run_call(void *config, int *ret_status, struct err *err)
{
	const struct call *call = config;
	int r = run(&call->o, call->command, err);

	if (r >= 0)
		*ret_status = r;
	return r;
}

int sim_cli_main(int argc, char *const *argv)
{
	int at = find_command(argc, argv);
	struct call call = {.command = argv + (at < argc ? at + 1 : argc)};

	return cli_frame(&sim_option_table, at, argv, &call, run_call);
}
