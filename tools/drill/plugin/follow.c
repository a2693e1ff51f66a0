/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * follow.c - sysctls of the tool's network namespace
 *
 * Commands in a script act on the tool's own network, which has no say in the stack under test. Their sysctls are what most of them are
 * about, so the files of /proc/sys/net are looked at again and again: about 200, which takes a millisecond or two.
 */
#include "drill/plugin/follow.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <weir/weir.h>

#define MAX_TEXT 512

struct sysctl {
	struct sysctl *next;
	char *text; /* as it was last */
	char path[];
};

struct follow {
	struct sysctl *first;
};

/* How much memory the machine has is not the instance's business. */
static bool is_followed(const char *name)
{
	return strcmp(name, "tcp_mem") != 0 && strcmp(name, "udp_mem") != 0;
}

static void add(struct follow *f, const char *dir, const char *name)
{
	size_t size = strlen(dir) + strlen(name) + 2;
	struct sysctl *s = malloc(sizeof(*s) + size);

	if (!s)
		return;
	snprintf(s->path, size, "%s/%s", dir, name);
	s->text = NULL;
	s->next = f->first;
	f->first = s;
}

struct follow *follow_create(void)
{
	static const char *const dirs[] = { "/proc/sys/net/core", "/proc/sys/net/ipv4",
					    "/proc/sys/net/ipv6" };
	struct follow *f = calloc(1, sizeof(*f));

	for (size_t i = 0; f && i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		DIR *dir = opendir(dirs[i]);
		struct dirent *e;

		while (dir && (e = readdir(dir)))
			if (e->d_type == DT_REG && is_followed(e->d_name))
				add(f, dirs[i], e->d_name);
		if (dir)
			closedir(dir);
	}
	return f;
}

void follow_update(struct follow *f, struct weir_net *net)
{
	for (struct sysctl *s = f->first; s; s = s->next) {
		int fd = open(s->path, O_RDONLY | O_CLOEXEC);
		char text[MAX_TEXT];
		ssize_t n;

		if (fd < 0)
			continue; /* for root to read, or to write only */
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n <= 0)
			continue;
		text[n] = '\0';
		if (s->text && !strcmp(s->text, text))
			continue;
		free(s->text);
		s->text = strdup(text);
		weir_view_write(net, s->path, text, (size_t)n);
	}
}

void follow_free(struct follow *f)
{
	struct sysctl *s;

	while (f && (s = f->first)) {
		f->first = s->next;
		free(s->text);
		free(s);
	}
	free(f);
}
