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
