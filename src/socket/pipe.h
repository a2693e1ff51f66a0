/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pipe.h - pipes between files of a machine, and splice(2)
 */
#ifndef WEIR_SOCKET_PIPE_H
#define WEIR_SOCKET_PIPE_H

#include "socket/file.h"

#define PIPE_SIZE 65536

/* [0] reads, [1] writes. @flags: O_NONBLOCK. 0 or -ENOMEM */
int pipe_create(struct machine *m, int flags, struct file *ret_files[2]);
/* The machine ends: nobody is inside a call, no epoll is left. */
void pipes_free(struct machine *m);
bool file_is_pipe(const struct file *f);
/* splice(2) without offsets; @flags: SPLICE_F_*. References on both are held. Octets, 0: the end, or -errno. */
ssize_t files_splice(struct file *in, struct file *out, size_t len, unsigned flags);

#endif
