/*
 * What a test guest reports of its machine, one "fact NAME VALUE" a line, and
 * what its kernel's log complains of; all about the machine only when
 * coffer.facts=machine is on the command line, because each character leaves
 * the guest twice. One program, because the eighty that a shell would start for
 * it take longer than the kernel's own start here.
 */
#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/klog.h>
#include <sys/utsname.h>
#include <unistd.h>

#define DMI_TABLES "/sys/firmware/dmi/tables/DMI"

enum {
	BIG = 1 << 20,	  /* no file or log that is read here is bigger */
	LOG_READ_ALL = 3, /* syslog(2) */
};

static char big[BIG];

/* The whole file, or "": without its last newline. */
static const char *text_of(const char *path, size_t *len)
{
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(big, 1, sizeof(big) - 1, f) : 0;

	if (f)
		fclose(f);
	if (len)
		*len = n;
	big[n] = '\0';
	if (n && big[n - 1] == '\n')
		big[n - 1] = '\0';
	return big;
}

static void fact_file(const char *name, const char *path)
{
	printf("fact %s %s\n", name, text_of(path, NULL));
}

/* How many values there are among all files of @pattern. */
static unsigned distinct(const char *pattern)
{
	unsigned long seen[1024];
	unsigned n = 0;
	glob_t g;

	if (glob(pattern, 0, NULL, &g) != 0)
		return 0;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		unsigned long v =
			strtoul(text_of(g.gl_pathv[i], NULL), NULL, 10);
		unsigned k = 0;

		while (k < n && seen[k] != v)
			k++;
		if (k == n && n < sizeof(seen) / sizeof(seen[0]))
			seen[n++] = v;
	}
	globfree(&g);
	return n;
}

static void memory(void)
{
	const char *p = strstr(text_of("/proc/meminfo", NULL), "MemTotal:");
	unsigned long long kib = 0, from, to;
	char *line, *rest;

	if (p)
		printf("fact memtotal_kib %llu\n", strtoull(p + 9, NULL, 10));
	/* As the firmware's map has it, before the kernel takes its share. */
	(void)text_of("/proc/iomem", NULL);
	for (line = strtok_r(big, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (line[0] != ' ' && strstr(line, " : System RAM") &&
		    sscanf(line, "%llx-%llx", &from, &to) == 2)
			kib += (to - from + 1) / 1024;
	printf("fact ram_kib %llu\n", kib);
}

static unsigned hypervisor_cpus(void)
{
	char *line, *rest;
	unsigned n = 0;

	(void)text_of("/proc/cpuinfo", NULL);
	for (line = strtok_r(big, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest))
		if (strncmp(line, "flags", 5) == 0 &&
		    strstr(line, " hypervisor"))
			n++;
	return n;
}

/* Of the SMBIOS tables, the strings that tests put there. */
static void oem_strings(void)
{
	size_t len;

	(void)text_of(DMI_TABLES, &len);
	for (size_t i = 0; i < len; i += strlen(big + i) + 1)
		for (char *p = big + i; *p; p++)
			if (strncmp(p, "nested.", 7) == 0) {
				printf("oem: %s\n", p);
				break;
			}
}

static void pci_functions(void)
{
	static const char *const files[] = {"vendor", "device", "class"};
	char path[PATH_MAX];
	size_t config;
	glob_t g;

	if (glob("/sys/bus/pci/devices/*", 0, NULL, &g) != 0)
		return;
	for (size_t i = 0; i < g.gl_pathc; i++) {
		printf("fact pci.%s", strrchr(g.gl_pathv[i], '/') + 1);
		for (size_t k = 0; k < sizeof(files) / sizeof(files[0]); k++) {
			snprintf(path, sizeof(path), "%s/%s", g.gl_pathv[i],
				 files[k]);
			printf(" %s", text_of(path, NULL));
		}
		snprintf(path, sizeof(path), "%s/config", g.gl_pathv[i]);
		(void)text_of(path, &config);
		printf(" %zu\n", config);
	}
	globfree(&g);
}

/* The lines of @path that have one of @words. */
static void lines(const char *prefix, const char *path,
		  const char *const words[])
{
	char *line, *rest;

	(void)text_of(path, NULL);
	for (line = strtok_r(big, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		int wanted = 0;

		for (size_t i = 0; words[i]; i++)
			wanted |= strstr(line, words[i]) != NULL;
		if (wanted)
			printf("%s: %s\n", prefix, line + strspn(line, " "));
	}
}

/* "AE_" and a capital letter: an exception of ACPICA. */
static int has_acpi_exception(const char *line)
{
	while ((line = strstr(line, "AE_")))
		if (isupper((unsigned char)(line += 3)[0]))
			return 1;
	return 0;
}

static int is_problem(const char *line)
{
	static const char *const any[] = {
		"BUG",		 "WARNING: CPU",  "Oops",
		"Firmware Bug",	 "firmware bug",  "Firmware bug",
		"firmware Bug",	 "Call Trace",	  "Out of memory",
		"out of memory", "unchecked MSR", "PCI: not using"};
	static const char *const after_acpi[] = {
		"Error",     "error",	  "Warn",     "warn",
		"Exception", "exception", "BIOS Bug", "BIOS bug"};
	const char *p;

	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++)
		if (strstr(line, any[i]))
			return 1;
	if ((p = strstr(line, "ACPI")))
		for (size_t i = 0;
		     i < sizeof(after_acpi) / sizeof(after_acpi[0]); i++)
			if (strstr(p, after_acpi[i]))
				return 1;
	if ((p = strstr(line, "irq")) && strstr(p, "nobody cared"))
		return 1;
	if ((p = strstr(line, "MMCONFIG")) && strstr(p, "not reserved"))
		return 1;
	return has_acpi_exception(line);
}

static int is_about_clocks(const char *line)
{
	static const char *const any[] = {"calibrat", "tsc: ", "apic timer",
					  "pat"};

	for (size_t i = 0; i < sizeof(any) / sizeof(any[0]); i++)
		if (strcasestr(line, any[i]))
			return 1;
	return 0;
}

static void kernel_log(int clocks)
{
	int n = klogctl(LOG_READ_ALL, big, sizeof(big) - 1);
	int encrypted = 0;
	char *line, *rest;

	if (n < 0) {
		printf("problem: the kernel's log cannot be read\n");
		return;
	}
	big[n] = '\0';
	for (line = strtok_r(big, "\n", &rest); line;
	     line = strtok_r(NULL, "\n", &rest)) {
		if (line[0] == '<' && strchr(line, '>'))
			line = strchr(line, '>') + 1;
		if (clocks && is_about_clocks(line))
			printf("clock: %s\n", line);
		if (is_problem(line))
			printf("problem: %s\n", line);
		char *p = strstr(line, "Memory Encryption Features active:");
		if (p && strstr(p, " SEV"))
			encrypted = 1;
	}
	printf("fact sev %d\n", encrypted);
}

static void machine(void)
{
	static const char *const bridges[] = {"PCI MMCONFIG", "PCI ECAM",
					      "PCI Bus", NULL};
	struct utsname u;

	if (uname(&u) == 0)
		printf("fact kernel %s\n", u.release);
	fact_file("cpus_present", "/sys/devices/system/cpu/present");
	printf("fact cores %u\n",
	       distinct("/sys/devices/system/cpu/cpu*/topology/core_id"));
	printf("fact packages %u\n",
	       distinct("/sys/devices/system/cpu/cpu*/topology/"
			"physical_package_id"));
	memory();
	fact_file("clocksource", "/sys/devices/system/clocksource/"
				 "clocksource0/current_clocksource");
	(void)text_of("/proc/uptime", NULL);
	printf("fact uptime %.*s\n", (int)strcspn(big, " "), big);
	printf("fact hypervisor %u\n", hypervisor_cpus());
	fact_file("system_uuid", "/sys/class/dmi/id/product_uuid");
	fact_file("rtc", "/sys/class/rtc/rtc0/since_epoch");
	oem_strings();
	pci_functions();
	lines("iomem", "/proc/iomem", bridges);
}

int main(void)
{
	int all;

	fact_file("cmdline", "/proc/cmdline");
	all = strstr(big, "coffer.facts=machine") != NULL;
	printf("fact cpus_online %ld\n", sysconf(_SC_NPROCESSORS_ONLN));
	if (all)
		machine();
	kernel_log(all);
	printf("fact end 1\n");
	return fflush(stdout) == 0 ? 0 : 70;
}
