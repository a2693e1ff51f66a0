/* SPDX-License-Identifier: BSD-2-Clause */
/* uio.c - a program's buffers: the one place where its octets are copied in and out. Contract: core/uio.h */
#include "core/uio.h"

#include <errno.h>

#include "lib/csum.h"

/* The contiguous octets at the front, at most @n; skips empty segments. 0 at the end. */
size_t iov_iter_front(struct iov_iter *i, size_t n, u8 **ret_p)
{
	n = min(n, i->count);
	if (!n)
		return 0;
	while (i->seg_offset == i->iov->iov_len) {
		i->iov++;
		i->nr_segs--;
		i->seg_offset = 0;
	}
	*ret_p = (u8 *)i->iov->iov_base + i->seg_offset;
	return min(n, i->iov->iov_len - i->seg_offset);
}

size_t __copy_from_iter(void *to, size_t n, struct iov_iter *i)
{
	size_t done = 0, step;
	u8 *p;

	while ((step = iov_iter_front(i, n - done, &p))) {
		memcpy((u8 *)to + done, p, step);
		iov_iter_forward(i, step);
		done += step;
	}
	return done;
}

size_t __copy_to_iter(const void *from, size_t n, struct iov_iter *i)
{
	size_t done = 0, step;
	u8 *p;

	while ((step = iov_iter_front(i, n - done, &p))) {
		memcpy(p, (const u8 *)from + done, step);
		iov_iter_forward(i, step);
		done += step;
	}
	return done;
}

size_t csum_and_copy_from_iter(void *to, size_t n, u32 *csum, struct iov_iter *i)
{
	size_t done = 0, step;
	u32 sum = 0;
	u8 *p;

	while ((step = iov_iter_front(i, n - done, &p))) {
		sum = csum_block_add(sum, csum_partial_copy((u8 *)to + done, p, step, 0), done);
		iov_iter_forward(i, step);
		done += step;
	}
	*csum = sum;
	return done;
}

size_t csum_and_copy_to_iter(const void *from, size_t n, u32 *csum, struct iov_iter *i)
{
	size_t done = 0, step;
	u32 sum = 0;
	u8 *p;

	while ((step = iov_iter_front(i, n - done, &p))) {
		sum = csum_block_add(sum, csum_partial_copy(p, (const u8 *)from + done, step, 0),
				     done);
		iov_iter_forward(i, step);
		done += step;
	}
	*csum = sum;
	return done;
}

void iov_iter_advance(struct iov_iter *i, size_t n)
{
	size_t step;
	u8 *p;

	while ((step = iov_iter_front(i, n, &p))) {
		iov_iter_forward(i, step);
		n -= step;
	}
}

void iov_iter_revert(struct iov_iter *i, const struct iov_iter *saved)
{
	*i = *saved;
}

void put_cmsg(struct kmsghdr *msg, int level, int type, size_t len, const void *data)
{
	size_t avail = msg->control ? msg->controllen - msg->control_used : 0;
	struct cmsghdr cmsg = { .cmsg_level = level, .cmsg_type = type, .cmsg_len = CMSG_LEN(len) };
	u8 *at;

	if (avail < sizeof(cmsg)) {
		msg->flags |= MSG_CTRUNC;
		return;
	}
	at = (u8 *)msg->control + msg->control_used;
	if (cmsg.cmsg_len > avail) { /* what fits, as cmsg(3) allows */
		msg->flags |= MSG_CTRUNC;
		cmsg.cmsg_len = avail;
	}
	memcpy(at, &cmsg, sizeof(cmsg));
	if (cmsg.cmsg_len > CMSG_LEN(0))
		memcpy(at + CMSG_LEN(0), data, cmsg.cmsg_len - CMSG_LEN(0));
	msg->control_used += min(CMSG_SPACE(len), avail);
}

int cmsg_walk(const struct kmsghdr *msg,
	      int (*one)(const struct cmsghdr *cmsg, size_t len, void *arg), void *arg)
{
	size_t at = 0;

	while (msg->controllen - at >= sizeof(struct cmsghdr)) {
		const struct cmsghdr *cmsg =
			(const struct cmsghdr *)((const u8 *)msg->control + at);
		int err;

		if (cmsg->cmsg_len < sizeof(*cmsg) || cmsg->cmsg_len > msg->controllen - at)
			return -EINVAL;
		err = one(cmsg, cmsg->cmsg_len - CMSG_LEN(0), arg);
		if (err)
			return err;
		if (CMSG_ALIGN(cmsg->cmsg_len) >= msg->controllen - at)
			break;
		at += CMSG_ALIGN(cmsg->cmsg_len);
	}
	return 0;
}
