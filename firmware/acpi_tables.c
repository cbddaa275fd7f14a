/* firmware/acpi_tables.c - memory for the ACPI tables, and what can go wrong.
 */
#include "firmware/acpi_tables.h"

#include <errno.h>
#include <stdlib.h>

#include "mem/mem_map.h"
#include "vmm/base/err.h"

int acpi_tables_build(unsigned int n_cpus, uint8_t **ret, size_t *ret_len,
		      struct err *err)
{
	uint8_t *data;

	if (n_cpus < 1 || n_cpus > ACPI_TABLES_CPUS_MAX)
		return err_set(err, -EINVAL,
			       "ACPI tables: %u CPUs, possible are 1 to %d",
			       n_cpus, ACPI_TABLES_CPUS_MAX);
	data = calloc(1, MEM_ACPI_SIZE);
	if (!data)
		return err_set(err, -ENOMEM, "ACPI tables: out of memory");
	*ret_len = acpi_layout(n_cpus, data);
	*ret = data;
	return 0;
}
