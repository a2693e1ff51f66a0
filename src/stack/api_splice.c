/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_splice.c - sendfile, splice and pipes of the embedding API
 *
 * weir_sendfile() reads the host's file in pieces and sends each with MSG_MORE but the last; what a socket does not take was not read
 * as far as the file's position is concerned. See sendfile(2), splice(2).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/uio.h"
#include "socket/pipe.h"
#include "stack/stack.h"

#define SENDFILE_PIECE 65536
#define SENDFILE_MAX   0x7ffff000 /* sendfile(2) */

int weir_pipe(struct weir_machine *wm, struct weir_file *ret_files[2], int flags)
{
	struct file *f[2];
	int err = flags & ~SOCK_NONBLOCK ? -EINVAL : pipe_create(wm->m, flags, f);

	if (err)
		return err;
	ret_files[0] = to_weir_file(f[0]);
	ret_files[1] = to_weir_file(f[1]);
	return 0;
}

ssize_t weir_splice(struct weir_file *win, struct weir_file *wout, size_t len, unsigned flags)
{
	struct file *in = file_get(file_of(win)), *out = file_get(file_of(wout));
	ssize_t n = files_splice(in, out, len, flags);

	file_put(out);
	file_put(in);
	return n;
}

static ssize_t send_piece(struct file *out, void *buf, size_t n, bool more)
{
	struct iovec iov = { buf, n };
	struct kmsghdr msg = { .flags = more ? MSG_MORE : 0 };

	iov_iter_init(&msg.iter, &iov, 1, n);
	return out->ops->write_iter(out, &msg, n);
}

/* From *@pos on, which advances by what was sent. */
static ssize_t sendfile_loop(struct file *out, int fd, off_t *pos, size_t count, u8 *buf)
{
	size_t done = 0;
	ssize_t n = 0;

	while (done < count) {
		size_t want = min(count - done, (size_t)SENDFILE_PIECE);
		ssize_t have = pread(fd, buf, want, *pos);

		n = have < 0 ? -errno : have;
		if (n > 0)
			n = send_piece(out, buf, (size_t)have,
				       (size_t)have == want && done + want < count);
		if (n <= 0)
			break;
		done += (size_t)n;
		*pos += n;
		if (n < have)
			break; /* it takes no more now */
	}
	return done ? (ssize_t)done : n;
}

/* What can be read at any place: what Linux sends from. */
static int check_source(int fd, const off_t *off)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) && !S_ISBLK(st.st_mode))
		return off && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)) ? -ESPIPE : -EINVAL;
	return off && *off < 0 ? -EINVAL : 0;
}

ssize_t weir_sendfile(struct weir_file *wout, int fd, off_t *off, size_t count)
{
	struct file *out = file_of(wout);
	int err = check_source(fd, off);
	off_t pos = off ? *off : 0;
	ssize_t n;
	u8 *buf;

	if (!err && (ssize_t)count < 0)
		err = -EINVAL;
	if (!err && !out->ops->write_iter)
		err = -EINVAL;
	if (!err && !off) {
		pos = lseek(fd, 0, SEEK_CUR);
		err = pos < 0 ? -errno : 0;
	}
	if (err || !count)
		return err;
	buf = malloc(SENDFILE_PIECE);
	if (!buf)
		return -ENOMEM;
	file_get(out);
	n = sendfile_loop(out, fd, &pos, min(count, (size_t)SENDFILE_MAX), buf);
	file_put(out);
	free(buf);
	if (n > 0 && off)
		*off = pos;
	else if (n > 0 && lseek(fd, pos, SEEK_SET) < 0)
		return -errno;
	return n;
}
