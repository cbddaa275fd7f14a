/* vmm/monitor/seccomp_doc.c - prints docs/seccomp.md. */
#include "vmm/monitor/seccomp_doc.h"

#include <string.h>

#include "vmm/monitor/seccomp_table.h"

static const char *const kind_text[THREAD_KIND_COUNT] = {
	[THREAD_MAIN] = "The main thread: the event loop, the console's input, "
			"and the supervisor's channel.",
	[THREAD_VCPU] = "A thread that runs a vCPU: the first to meet what the "
			"guest does.",
	[THREAD_IO] = "A device's thread: its queues and its back end.",
	[THREAD_WORKER] = "A thread that blocks for a disk, where the host has "
			  "no io_uring.",
};

static const char intro[] =
	"# System calls of the monitor\n"
	"\n"
	"Printed from `vmm/monitor/seccomp_table.c`; `unit.seccomp_doc` tells "
	"when "
	"the two differ.\n"
	"\n"
	"When the guest runs, each thread of `coffer-monitor` has a seccomp "
	"filter "
	"of its\n"
	"kind, which nothing takes off again. A call that is not listed, or "
	"with "
	"other\n"
	"arguments, is not made: the process reports its number, its arguments "
	"and "
	"the\n"
	"thread to the supervisor and ends (`--seccomp on`), or reports it and "
	"goes "
	"on\n"
	"(`--seccomp log`, for finding out what a host needs). Calls of "
	"another\n"
	"architecture's table (i386, x32) kill the process.\n"
	"\n"
	"Ports, sockets, files, processes, threads, executable memory and "
	"`io_uring_setup`\n"
	"are on no list: what the guest needs of the host was opened before.\n"
	"\n"
	"*Host* says on what it depends whether an entry is used at all; every "
	"other entry\n"
	"is known to be needed, because a test fails without it.\n";

static size_t n_calls(struct seccomp_list l)
{
	size_t n = 0;

	for (size_t i = 0; i < l.n; i++) {
		size_t k = 0;

		while (k < i && l.e[k].nr != l.e[i].nr)
			k++;
		n += k == i;
	}
	return n;
}

static void print_entries(FILE *out, struct seccomp_list l)
{
	fputs("\n| call | arguments | needed for | host |\n|---|---|---|---|\n",
	      out);
	for (size_t i = 0; i < l.n; i++)
		fprintf(out, "| %s | %s | %s | %s |\n", l.e[i].call,
			l.e[i].detail, l.e[i].who,
			l.e[i].host ? l.e[i].host : "");
}

void seccomp_doc_print(FILE *out)
{
	struct seccomp_list kill = seccomp_table_kill();

	fputs(intro, out);
	for (unsigned int k = 0; k < THREAD_KIND_COUNT; k++) {
		struct seccomp_list l = seccomp_table((enum thread_kind)k);

		fprintf(out, "\n## %s\n\n%s %zu calls, %zu entries.\n",
			seccomp_kind_name((enum thread_kind)k), kind_text[k],
			n_calls(l), l.n);
		print_entries(out, l);
	}
	fputs("\n## Killed at once\n\nNo mistake of ours leads to these: the "
	      "kernel ends the process with SIGSYS.\n\n| call | what it does "
	      "|\n|---|---|\n",
	      out);
	for (size_t i = 0; i < kill.n; i++)
		fprintf(out, "| %s | %s |\n", kill.e[i].call, kill.e[i].who);
	fputs("\n## Builds with sanitizers\n\nTheir run-time library needs "
	      "more, in every thread. Never part of what is\ninstalled: tests "
	      "of the lists above use the release build.\n",
	      out);
	print_entries(out, seccomp_table_sanitized());
}

void seccomp_doc_list(FILE *out)
{
	for (unsigned int k = 0; k < THREAD_KIND_COUNT; k++) {
		struct seccomp_list l = seccomp_table((enum thread_kind)k);

		for (size_t i = 0; i < l.n; i++)
			fprintf(out, "%s\t%zu\t%s\t%s\t%s\n",
				seccomp_kind_name((enum thread_kind)k), i,
				l.e[i].call, l.e[i].host ? "host" : "always",
				l.e[i].detail);
	}
}
