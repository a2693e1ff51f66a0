/* SPDX-License-Identifier: BSD-2-Clause */
/* api_view.c - the files of /proc and /sys, and sysctl names, of the embedding API */
#include <errno.h>
#include <stdlib.h>

#include "core/sysctl.h"
#include "stack/stack.h"

int weir_view_read(struct weir_net *net, const char *path, char **ret_text, size_t *ret_len)
{
	struct text t = { 0 };
	int err = view_read(net_of(net), path, &t);

	if (err && err != -EISDIR) {
		text_free(&t);
		return err;
	}
	if (!t.buf)
		text_append(&t, "", 0);
	if (!t.buf)
		return -ENOMEM;
	*ret_text = t.buf;
	*ret_len = t.len;
	return err;
}

int weir_view_write(struct weir_net *net, const char *path, const char *text, size_t len)
{
	return view_write(net_of(net), path, text, len);
}

/* As sysctl(8): the first separator decides. After a dot, dots and slashes change places, so that "conf.eth0/1.forwarding" can
 * name the device "eth0.1". */
static int sysctl_path(const char *name, char *buf, size_t size)
{
	size_t n = strlen(name), skip = sizeof("/proc/sys/") - 1;
	const char *sep = strpbrk(name, "./");

	if (n + skip + 1 > size)
		return -ENOENT;
	memcpy(buf, "/proc/sys/", skip);
	for (size_t i = 0; i <= n; i++) {
		char c = name[i];

		if (sep && *sep == '.')
			c = c == '.' ? '/' : c == '/' ? '.' : c;
		buf[skip + i] = c;
	}
	return 0;
}

int weir_sysctl(struct weir_net *net, const char *name, const char *value)
{
	char path[256];
	int err = sysctl_path(name, path, sizeof(path));

	return err ? err : view_write(net_of(net), path, value, strlen(value));
}

struct each {
	struct net *net; /* has the defaults */
	void (*fn)(const struct weir_sysctl_info *info, void *arg);
	void *arg;
	bool failed;
};

/* In place of a device, "default" has what a new one begins with. */
static void each_row(const char *root, const char *dir, const struct sysctl_desc *d, void *arg)
{
	struct each *e = arg;
	struct text name = { 0 }, path = { 0 }, def = { 0 }, range = { 0 };
	bool readable, is_sysctl = !strcmp(root, SYSCTL_NET);

	text_printf(&path, "%s/%s%s%s", root, dir ? dir : "", dir ? "/default/" : "", d->path);
	if (is_sysctl)
		text_printf(&name, "net.%s%s%s", dir ? dir : "", dir ? ".DEV." : "", d->path);
	else
		text_printf(&name, "%s/%s", root, d->path);
	sysctl_range(d, &range);
	e->failed |= name.failed || path.failed || range.failed;
	if (!e->failed) {
		for (char *p = name.buf; is_sysctl && *p; p++)
			if (*p == '/')
				*p = '.';
		readable = !view_read(e->net, path.buf, &def) && def.len;
		if (readable && def.buf[def.len - 1] == '\n')
			def.buf[def.len - 1] = '\0';
		e->fn(
			&(struct weir_sysctl_info){
				.name = name.buf,
				.default_value = readable ? def.buf : "",
				.range = range.len ? range.buf : "",
				.help = d->help ? d->help : "",
				.writable =
					d->kind == SYSCTL_FUNC ? d->store != NULL : !d->readonly,
			},
			e->arg);
	}
	text_free(&name);
	text_free(&path);
	text_free(&def);
	text_free(&range);
}

int weir_sysctl_each(struct weir_machine *m,
		     void (*fn)(const struct weir_sysctl_info *info, void *arg), void *arg)
{
	struct weir_net *net = weir_net_create(m, "sysctl-defaults");
	struct each e = { .fn = fn, .arg = arg };

	if (!net)
		return -ENOMEM;
	e.net = net_of(net);
	sysctl_for_each(e.net->machine, each_row, &e);
	weir_net_destroy(net);
	return e.failed ? -ENOMEM : 0;
}
