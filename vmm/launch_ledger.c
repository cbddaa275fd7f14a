/* vmm/launch_ledger.c - counts commands on their way. */
#include "vmm/launch_ledger.h"

#include <inttypes.h>

#include "crypto/sev_error.h"
#include "vmm/base/now.h"
#include "vmm/base/own.h"

static uint64_t bytes_of(const struct sev_fw_call *call)
{
	switch (call->cmd) {
	case SEV_FW_PIN:
	case SEV_FW_UPDATE_DATA:
		return call->mem.len;
	case SEV_FW_SECRET:
		return call->secret.len;
	default:
		return 0;
	}
}

static int issue(struct sev_fw *fw, struct sev_fw_call *call)
{
	struct launch_clerk *c = container_of(fw, struct launch_clerk, fw);
	struct launch_cost *cost = &c->book->cmd[call->cmd];
	uint64_t start = now_ns();
	int r = c->to->ops->issue(c->to, call);

	cost->ns += now_ns() - start;
	cost->calls++;
	cost->bytes += bytes_of(call);
	return r;
}

void launch_clerk_init(struct launch_clerk *c, struct sev_fw *to,
		       struct launch_ledger *book)
{
	static const struct sev_fw_ops ops = {.issue = issue};

	c->fw.ops = &ops;
	c->to = to;
	c->book = book;
}

int launch_ledger_is_command(enum sev_fw_cmd cmd)
{
	return cmd != SEV_FW_PIN && cmd != SEV_FW_UNPIN;
}

uint64_t launch_ledger_waited_ns(const struct launch_ledger *l)
{
	uint64_t ns = 0;

	for (unsigned int i = 0; i < SEV_FW_CMD_COUNT; i++)
		if (launch_ledger_is_command((enum sev_fw_cmd)i))
			ns += l->cmd[i].ns;
	return ns;
}

void launch_ledger_print(const struct launch_ledger *l, FILE *f)
{
	uint64_t waited = launch_ledger_waited_ns(l);

	if (!waited)
		return;
	fprintf(f, "launch: %-20s %6s %12s %12s\n", "command", "calls", "bytes",
		"time");
	for (unsigned int i = 0; i < SEV_FW_CMD_COUNT; i++)
		if (l->cmd[i].calls)
			fprintf(f,
				"launch: %-20s %6" PRIu64 " %12" PRIu64
				" %9.3f ms\n",
				sev_fw_cmd_name((enum sev_fw_cmd)i),
				l->cmd[i].calls, l->cmd[i].bytes,
				(double)l->cmd[i].ns / 1e6);
	fprintf(f, "launch: the security processor was waited for %.3f ms\n",
		(double)waited / 1e6);
}
