/*
 * tests/fuzz/fuzz_sev_owner_file.c - whatever a host hands to the owner:
 * launch reports, secret tables, files of unknown kind.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "crypto/sev_secret_area.h"
#include "owner/owner.h"
#include "owner/owner_launch.h"
#include "vmm/base/err.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inspect(const uint8_t *data, size_t size)
{
	int fd = memfd_create("input", MFD_CLOEXEC);
	FILE *out = fopen("/dev/null", "w");
	char path[64], *v[] = {path};
	struct err err = {0};

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (out && write(fd, data, size) == (ssize_t)size)
		owner_inspect(&(struct owner_inspect_opts){.files = {v, 1}},
			      out, &err);
	if (out)
		fclose(out);
	close(fd);
}

/* A table that is read must be built again as the same bytes. */
static void check_table(const uint8_t *data, size_t size)
{
	struct sev_secret_entry v[SEV_SECRETS_MAX];
	static uint8_t back[SEV_SECRET_MAX];
	size_t n, len;

	if (size > SEV_SECRET_MAX ||
	    sev_secret_table_parse(data, size, v, &n, NULL) < 0)
		return;
	if (sev_secret_area_build(SEV_SECRET_TABLE, v, n, back, sizeof(back),
				  &len, NULL) < 0)
		return; /* no entry, or one twice */
	if (memcmp(back, data, len < size ? len : size) != 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct owner_launch launch;
	struct err err = {0};

	owner_launch_parse((const char *)data, size, &launch, &err);
	check_table(data, size);
	inspect(data, size);
	return 0;
}
