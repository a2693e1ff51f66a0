/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uio.h - a program's buffers as the stack walks them, and the message around them
 *
 * Copies from and to programs happen here and nowhere else (iov_iter_*, and skb_*_iter in skbuff.c).
 */
#ifndef WEIR_CORE_UIO_H
#define WEIR_CORE_UIO_H

#include <sys/socket.h>
#include <sys/uio.h>

#include "lib/types.h"

struct iov_iter {
	const struct iovec *iov;
	u32 nr_segs;
	size_t seg_offset; /* into iov[0] */
	size_t count;      /* octets left */
};

static inline void iov_iter_init(struct iov_iter *i, const struct iovec *iov, u32 nr, size_t count)
{
	*i = (struct iov_iter){ .iov = iov, .nr_segs = nr, .count = count };
}

/* Where the next @n octets lie, if in one piece, which nearly all do; else NULL. */
static inline u8 *iov_iter_piece(const struct iov_iter *i, size_t n)
{
	return likely(n && n <= i->count && n <= i->iov->iov_len - i->seg_offset)
		       ? (u8 *)i->iov->iov_base + i->seg_offset
		       : NULL;
}

static inline void iov_iter_forward(struct iov_iter *i, size_t n)
{
	i->seg_offset += n;
	i->count -= n;
}

size_t __copy_from_iter(void *to, size_t n, struct iov_iter *i);
size_t __copy_to_iter(const void *from, size_t n, struct iov_iter *i);

/* Both return octets copied (fewer only at the end of the iterator) and advance. */
static inline size_t copy_from_iter(void *to, size_t n, struct iov_iter *i)
{
	const u8 *p = iov_iter_piece(i, n);

	if (unlikely(!p))
		return __copy_from_iter(to, n, i);
	memcpy(to, p, n);
	iov_iter_forward(i, n);
	return n;
}

static inline size_t copy_to_iter(const void *from, size_t n, struct iov_iter *i)
{
	u8 *p = iov_iter_piece(i, n);

	if (unlikely(!p))
		return __copy_to_iter(from, n, i);
	memcpy(p, from, n);
	iov_iter_forward(i, n);
	return n;
}

/* As copy_from_iter(), summing what was copied into *csum (unfolded, ready for csum_block_add()). */
size_t csum_and_copy_from_iter(void *to, size_t n, u32 *csum, struct iov_iter *i);
size_t csum_and_copy_to_iter(const void *from, size_t n, u32 *csum, struct iov_iter *i);
/* The next octets that lie in one piece: at most @n, 0 at the end. Does not advance. */
size_t iov_iter_front(struct iov_iter *i, size_t n, u8 **ret_p);
void iov_iter_advance(struct iov_iter *i, size_t n);
void iov_iter_revert(struct iov_iter *i, const struct iov_iter *saved);

/* struct msghdr of the stack. Control messages: in: control[0..controllen); out: put_cmsg() appends up to
 * controllen octets and counts control_used; MSG_CTRUNC when they do not fit. */
struct sock_corked;

struct recv_pages;

struct kmsghdr {
	struct sockaddr_storage *name; /* NULL: none. Large enough for every family */
	socklen_t namelen; /* in: of the address given; out (recvmsg): of the address stored */
	struct iov_iter iter;
	void *control;
	size_t controllen;
	size_t control_used;
	const struct sock_corked
		*corked; /* sendmsg: see inet/inet_sock.h; NULL: nothing was held back */
	struct recv_pages *
		pages; /* recvmsg: where the octets lie instead of a copy (recv_pages.h); NULL: copied */
	u32 flags; /* MSG_*: in, as called; out (recvmsg): MSG_TRUNC, MSG_CTRUNC, MSG_ERRQUEUE, ... */
};

#define MSG_PROBE 0x10 /* the kernel's: look for the route only */
/* splice(2) reads: at the urgent mark there is nothing to move, which is no reason to wait. */
#define MSG_TO_MARK     0x10000000u /* WEIR_MSG_TO_MARK */
#define MSG_SPLICE_READ 0x01000000u

/* Calls @one for each control message of @msg that the program gave, as the kernel walks them: a header that does not fit ends the
 * walk, one with an impossible length is -EINVAL. 0, or what @one returned first. */
int cmsg_walk(const struct kmsghdr *msg,
	      int (*one)(const struct cmsghdr *cmsg, size_t len, void *arg), void *arg);
void put_cmsg(struct kmsghdr *msg, int level, int type, size_t len, const void *data);

#endif
