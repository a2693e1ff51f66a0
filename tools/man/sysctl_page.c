/* SPDX-License-Identifier: BSD-2-Clause */
/* sysctl_page.c - prints weir-sysctl(7): a row for each sysctl and module parameter that a stack has, from its own tables */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <weir/weir.h>

#include "tools/man/page.h"

struct row {
	char *name, *text;
};

struct rows {
	struct row *row;
	size_t n;
};

static void collect(const struct weir_sysctl_info *info, void *arg)
{
	struct rows *rows = arg;
	struct row *more = realloc(rows->row, (rows->n + 1) * sizeof(*more));
	size_t len;
	FILE *f;

	if (!more)
		abort();
	rows->row = more;
	more[rows->n].name = strdup(info->name);
	f = open_memstream(&more[rows->n].text, &len);
	page_text(f, *info->help ? info->help : "as on Linux");
	if (*info->default_value) {
		fputs("; default ", f);
		page_text(f, info->default_value);
	}
	if (*info->range) {
		fputs(", ", f);
		page_text(f, info->range);
	}
	fputs(info->writable ? "" : "; read-only", f);
	fclose(f);
	rows->n++;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct row *)a)->name, ((const struct row *)b)->name);
}

int main(void)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct rows rows = { 0 };

	if (!m || weir_sysctl_each(m, collect, &rows))
		return 1;
	qsort(rows.row, rows.n, sizeof(*rows.row), by_name);
	page_begin(stdout, "WEIR-SYSCTL", "weir-sysctl", "sysctls of a weir instance");
	puts("Every instance has sysctls of its own, below\n.Pa /proc/sys/net\n"
	     "and for\n.Xr sysctl 8 .\n"
	     "They are described in\n.Xr ip 7 , tcp 7 , udp 7 , arp 7\n"
	     "and the kernel's documentation; this is what there is here, generated from the\n"
	     "tables of the stack, with the value that a new instance begins with and the values\n"
	     "that are taken.\n"
	     ".Ar DEV\nis the name of a device,\n.Ql all\nor\n.Ql default .\n"
	     "Files below\n.Pa /sys/module\nare parameters of what is a module in Linux; they are "
	     "read and\n"
	     "written likewise, and each instance has its own, too.\n"
	     ".Bl -tag -width indent");
	for (size_t i = 0; i < rows.n; i++) {
		printf(".It Va %s\n%s\n", rows.row[i].name, rows.row[i].text);
		free(rows.row[i].name);
		free(rows.row[i].text);
	}
	puts(".El\n.Sh SEE ALSO\n.Xr weir-sockopt 7 , weir 1 , sysctl 8");
	free(rows.row);
	weir_machine_destroy(m);
	return 0;
}
