/* SPDX-License-Identifier: BSD-2-Clause */
/* flags.c - what --so_flags says */
#include "drill/plugin/flags.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int bad(char *error, size_t size, const char *why, const char *item)
{
	snprintf(error, size, "--so_flags: %s: %s", why, item);
	return -EINVAL;
}

static int set_seed(struct flags *f, const char *value, char *error, size_t size)
{
	char *end;

	errno = 0;
	f->options.seed = strtoull(value, &end, 0);
	return errno || end == value || *end ? bad(error, size, "seed is no number", value) : 0;
}

static int take_item(struct flags *f, char *item, char *error, size_t size)
{
	char *value = strchr(item, '=');
	int err;

	if (value)
		*value++ = '\0';
	if (!strcmp(item, "follow_sysctls")) {
		f->follow_sysctls = true;
		return 0;
	}
	if (!value)
		return bad(error, size, "no value", item);
	if (strpbrk(item, "./")) {
		f->sysctls[f->nr_sysctls++] = (struct flags_sysctl){ item, value };
		return 0;
	}
	if (!strcmp(item, "seed"))
		return set_seed(f, value, error, size);
	if (!strcmp(item, "pcapng")) {
		f->options.pcapng = value;
		return 0;
	}
	err = drill_options_set(&f->options, item, value);
	if (err)
		return bad(error, size, err == -ENOENT ? "there is no such flag" : "no such value",
			   item);
	return 0;
}

int flags_parse(struct flags *f, const char *text, char *error, size_t size)
{
	char *item, *rest;
	size_t items = 1;
	int err = 0;

	memset(f, 0, sizeof(*f));
	drill_options_default(&f->options, DRILL_IPV4);
	if (!text)
		return 0;
	for (const char *p = text; *p; p++)
		items += *p == ',';
	f->text = strdup(text);
	f->sysctls = calloc(items, sizeof(*f->sysctls));
	if (!f->text || !f->sysctls) {
		snprintf(error, size, "no memory");
		return -ENOMEM;
	}
	for (rest = f->text; !err && (item = strsep(&rest, ","));)
		if (*item)
			err = take_item(f, item, error, size);
	return err;
}

void flags_free(struct flags *f)
{
	free(f->sysctls);
	free(f->text);
}
