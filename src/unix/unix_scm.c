/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_scm.c - control messages: credentials, and files that travel in messages
 *
 * Theory of operation
 *   SCM_RIGHTS carries handles of files: an array of struct weir_file pointers (a descriptor table puts numbers in their place). The sender keeps its
 *   handles; each message gets one more on each file (a struct file_batch), which becomes the reader's. A file that nobody reads
 *   is given back when its message ends, and not at once, since that takes locks: file_batch_retire().
 *   A socket of this family in flight may be kept alive by a message that only it could read; unix_gc() finds such circles. It sees one
 *   net, so a socket of this family travels only within its own (EXDEV).
 * See unix(7), cmsg(3).
 */
#include <errno.h>
#include <stdlib.h>

#include "core/machine.h"
#include "unix/unix_internal.h"

struct unix_cred unix_current_cred(const struct sock *sk)
{
	struct host_credentials c;

	host_credentials(&c);
	return (struct unix_cred){ c.pid, c.uid, c.gid };
}

/* ---- sending --------------------------------------------------------------------------------------------- */

static int scm_add_files(struct sock *sk, struct unix_scm *scm, const u8 *data, size_t len)
{
	u32 n = (u32)(len / sizeof(struct file *)), have = scm->files ? scm->files->count : 0;
	struct file_batch *b = scm->files;
	struct file *f;

	if (!n)
		return 0;
	if (len / sizeof(struct file *) > UNIX_SCM_MAX_FD || have + n > UNIX_SCM_MAX_FD)
		return -EINVAL;
	if (!b)
		b = scm->files = file_batch_alloc(UNIX_SCM_MAX_FD);
	if (!b)
		return -ENOMEM;
	for (u32 i = 0; i < n; i++) {
		memcpy(&f, data + i * sizeof(f), sizeof(f));
		if (!f)
			return -EBADF;
		if (f->machine != sk->sk_cpu->machine)
			return -EXDEV;
		if (file_is_socket(f) && file_socket(f)->ops &&
		    file_socket(f)->ops->family == AF_UNIX && !unix_file_sock(f, sock_net(sk)))
			return -EXDEV;
		b->files[b->count++] = file_dup(f);
	}
	return 0;
}

/* One may say who one is; user 0 may say anything. */
static int scm_set_cred(struct sock *sk, struct unix_scm *scm, const u8 *data, size_t len)
{
	struct unix_cred own = unix_current_cred(sk);
	struct ucred c;

	if (len != sizeof(c))
		return -EINVAL;
	memcpy(&c, data, sizeof(c));
	if (own.uid && ((u32)c.pid != own.pid || c.uid != own.uid || c.gid != own.gid))
		return -EPERM;
	scm->cred = (struct unix_cred){ (u32)c.pid, c.uid, c.gid };
	scm->have_cred = true;
	return 0;
}

int unix_scm_send(struct sock *sk, const struct kmsghdr *msg, struct unix_scm *scm)
{
	size_t off = 0, left, n;
	struct cmsghdr c;
	const u8 *data;
	int err;

	*scm = (struct unix_scm){ .cred = UNIX_NO_CRED };
	for (; off < msg->controllen; off += min(CMSG_ALIGN(c.cmsg_len), left)) {
		left = msg->controllen - off;
		if (left < sizeof(c))
			break;
		memcpy(&c, (const u8 *)msg->control + off, sizeof(c));
		if (c.cmsg_len < sizeof(c) || c.cmsg_len > left)
			return -EINVAL;
		if (c.cmsg_level != SOL_SOCKET)
			continue;
		data = (const u8 *)msg->control + off + CMSG_LEN(0);
		n = c.cmsg_len - CMSG_LEN(0);
		if (c.cmsg_type == SCM_RIGHTS)
			err = scm_add_files(sk, scm, data, n);
		else if (c.cmsg_type == SCM_CREDENTIALS)
			err = scm_set_cred(sk, scm, data, n);
		else
			err = -EINVAL;
		if (err)
			return err;
	}
	return 0;
}

void unix_scm_destroy(struct sock *sk, struct unix_scm *scm)
{
	if (scm->files)
		file_batch_retire(sk->sk_cpu->machine, scm->files);
	scm->files = NULL;
}

/* ---- in flight ------------------------------------------------------------------------------------------- */

static void count_inflight(struct net *net, const struct file_batch *b, bool fly)
{
	struct netns_unix *nu = net->unx;

	nu->inflight += fly ? b->count : -b->count;
	for (u32 i = 0; i < b->count; i++) {
		struct unix_sock *u = unix_file_sock(b->files[i], net);

		if (!u)
			continue;
		u->inflight += fly ? 1 : -1u;
		nu->inflight_unix += fly ? 1 : -1u;
	}
}

/* The message ends: its octets are the sender's again, its files nobody's; and the sender, whose name went with it, may end. */
static void unix_destruct_scm(struct sk_buff *skb)
{
	struct sock *sk = skb->sk;
	struct file_batch *b = unix_detach_files(sock_net(sk), skb);

	if (b)
		file_batch_retire(sk->sk_cpu->machine, b);
	sock_wfree(skb);
	sock_put(sk);
}

int unix_scm_to_skb(struct sock *sk, struct unix_scm *scm, struct sk_buff *skb)
{
	struct unix_skb_parms *cb = UNIXCB(skb);

	*cb = (struct unix_skb_parms){ .cred = scm->cred, .have_cred = scm->have_cred };
	skb->destructor = unix_destruct_scm;
	sock_hold(sk);
	if (!scm->files)
		return 0;
	if (unix_net(sk)->inflight + scm->files->count > UNIX_MAX_INFLIGHT) {
		unix_gc(sock_net(sk));
		if (unix_net(sk)->inflight + scm->files->count > UNIX_MAX_INFLIGHT)
			return -ETOOMANYREFS;
	}
	cb->files = scm->files;
	scm->files = NULL;
	count_inflight(sock_net(sk), cb->files, true);
	return 0;
}

void unix_add_cred(struct sk_buff *skb, const struct sock *sk, const struct sock *other)
{
	struct unix_skb_parms *cb = UNIXCB(skb);

	if (cb->have_cred)
		return;
	/* An embryo cannot have said yet whether it wants them. */
	if (!sock_flag(sk, SOCK_PASSCRED) && other->sk_socket && !sock_flag(other, SOCK_PASSCRED))
		return;
	cb->cred = unix_current_cred(sk);
	cb->have_cred = true;
}

struct file_batch *unix_detach_files(struct net *net, struct sk_buff *skb)
{
	struct file_batch *b = UNIXCB(skb)->files;

	if (!b)
		return NULL;
	UNIXCB(skb)->files = NULL;
	count_inflight(net, b, false);
	return b;
}

struct file_batch *unix_peek_files(const struct file_batch *files, int *ret_err)
{
	struct file_batch *b;

	*ret_err = 0;
	if (!files)
		return NULL;
	b = file_batch_alloc(files->count);
	if (!b) {
		*ret_err = -ENOMEM;
		return NULL;
	}
	for (u32 i = 0; i < files->count; i++)
		b->files[b->count++] = file_dup(files->files[i]);
	return b;
}

/* ---- receiving ------------------------------------------------------------------------------------------- */

/* As many as there is room for; the others are given back. */
static void scm_put_files(struct sock *sk, struct kmsghdr *msg, struct unix_scm *scm)
{
	struct file_batch *b = scm->files;
	size_t room = msg->control ? msg->controllen - msg->control_used : 0;
	u32 n = 0;

	if (room > CMSG_LEN(0))
		n = (u32)min((room - CMSG_LEN(0)) / sizeof(struct file *), (size_t)b->count);
	if (n < b->count)
		msg->flags |= MSG_CTRUNC;
	if (n)
		put_cmsg(msg, SOL_SOCKET, SCM_RIGHTS, n * sizeof(struct file *), b->files);
	memmove(b->files, b->files + n, (b->count - n) * sizeof(struct file *));
	b->count -= n;
	unix_scm_destroy(sk, scm);
}

void unix_scm_recv(struct sock *sk, struct kmsghdr *msg, struct unix_scm *scm)
{
	struct ucred c = { (pid_t)scm->cred.pid, scm->cred.uid, scm->cred.gid };

	if (sock_flag(sk, SOCK_PASSCRED))
		put_cmsg(msg, SOL_SOCKET, SCM_CREDENTIALS, sizeof(c), &c);
	if (scm->files)
		scm_put_files(sk, msg, scm);
}
