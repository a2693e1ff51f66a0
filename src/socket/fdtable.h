/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fdtable.h - the optional table that gives files small numbers, for programs that want descriptors
 *
 * Numbers are the lowest that are free, as POSIX wants them. Each holds one handle of its file and a flag of its own (FD_CLOEXEC).
 * Locking: the table's own mutex, a leaf; files are closed after it was released.
 */
#ifndef WEIR_SOCKET_FDTABLE_H
#define WEIR_SOCKET_FDTABLE_H

#include "lib/types.h"

struct file;
struct files;

struct files *files_alloc(u32 limit); /* NULL: no memory */
void files_free(struct files *t);     /* closes all; no call is inside */
/* The lowest number from @from on that is free, for @f, whose handle it takes over. -EMFILE, -ENOMEM, -EINVAL: @from is too large; then the
 * handle stays the caller's. */
int fd_install(struct files *t, struct file *f, int from, bool cloexec);
/* The file with another reference (file_put()), or NULL. */
struct file *fd_get(struct files *t, int fd);
int fd_close(struct files *t, int fd); /* 0, -EBADF */
/* dup3(2): @to becomes another number of @fd's file; what it was is closed. */
int fd_dup3(struct files *t, int fd, int to, bool cloexec);
int fd_get_cloexec(struct files *t, int fd); /* 0, 1, -EBADF */
int fd_set_cloexec(struct files *t, int fd, bool on);
void files_close_on_exec(struct files *t);
/* As fork(2) makes it: the same numbers for the same files. NULL: no memory. */
struct files *files_clone(struct files *t);

#endif
