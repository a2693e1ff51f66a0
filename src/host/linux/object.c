/* SPDX-License-Identifier: BSD-2-Clause */
/* object.c - shared objects of the process (dlopen(3)), and who could have written a file */
#include "host/host.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

void *host_object_open(const char *path, char *ret_error, size_t size)
{
	void *object = dlopen(path, RTLD_NOW | RTLD_LOCAL);

	if (!object && size) {
		const char *why = dlerror();

		snprintf(ret_error, size, "%s", why ? why : path);
	}
	return object;
}

void *host_object_symbol(void *object, const char *name)
{
	return dlsym(object, name);
}

void host_object_close(void *object)
{
	dlclose(object);
}

static int root_only(const char *path)
{
	struct stat st;

	if (lstat(path, &st))
		return -errno;
	return st.st_uid == 0 && !(st.st_mode & (S_IWGRP | S_IWOTH)) ? 0 : -EACCES;
}

int host_path_root_only(const char *path, char **ret_path)
{
	char *real = realpath(path, NULL), *dir;
	int err;

	if (!real)
		return -errno;
	dir = strdup(real);
	err = dir ? root_only(dir) : -ENOMEM;
	while (!err && dir[1]) {
		char *slash = strrchr(dir, '/');

		slash[slash == dir] = '\0'; /* the root keeps its name */
		err = root_only(dir);
	}
	free(dir);
	if (err)
		free(real);
	else
		*ret_path = real;
	return err;
}
