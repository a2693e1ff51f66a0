/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_diag.c - AF_UNIX sockets as ss(8) -x sees them
 *
 * A dump keeps its place as the number of sockets that are done. There is no UNIX_DIAG_VFS: path names have no file.
 * See linux/unix_diag.h, netlink/sock_diag.c.
 */
#include <errno.h>
#include <linux/unix_diag.h>

#include "netlink/sock_diag.h"
#include "unix/unix_internal.h"

static void put_peer(struct nl_msg *m, const struct unix_sock *u)
{
	if (u->peer)
		nla_put_u32(m, UNIX_DIAG_PEER, sock_diag_ino(u->peer));
}

/* The inodes of the sockets at the other end of what waits to be accepted. */
static void put_icons(struct nl_msg *m, const struct unix_sock *u)
{
	const struct unix_sock *child;
	u32 inos[64], n = 0;

	list_for_each_entry(child, &u->embryos, embryo) {
		if (n == ARRAY_SIZE(inos))
			break;
		inos[n++] = child->peer ? sock_diag_ino(child->peer) : 0;
	}
	if (n)
		nla_put(m, UNIX_DIAG_ICONS, n * (u32)sizeof(inos[0]), inos);
}

static void put_rqlen(struct nl_msg *m, struct unix_sock *u)
{
	struct unix_diag_rqlen q = { 0 };
	int n;

	if (u->sk.sk_state == SS_TCP_LISTEN) {
		q.udiag_rqueue = u->sk.sk_ack_backlog;
		q.udiag_wqueue = u->sk.sk_max_ack_backlog;
	} else {
		if (!unix_octets_waiting(&u->sk, &n))
			q.udiag_rqueue = (u32)n;
		q.udiag_wqueue = u->sk.sk_wmem_alloc;
	}
	nla_put(m, UNIX_DIAG_RQLEN, sizeof(q), &q);
}

/* cpu lock held. 0 or -EMSGSIZE */
static int fill_sock(struct nl_msg *m, struct unix_sock *u, const struct unix_diag_req *req,
		     u32 portid, u32 seq, u16 flags)
{
	const struct sock *sk = &u->sk;
	struct unix_diag_msg *d =
		nlmsg_begin(m, portid, seq, SOCK_DIAG_BY_FAMILY, flags, sizeof(*d));

	if (!d)
		return -EMSGSIZE;
	d->udiag_family = AF_UNIX;
	d->udiag_type = (u8)sk->sk_type;
	d->udiag_state = sk->sk_state;
	d->udiag_ino = sock_diag_ino(sk);
	sock_diag_save_cookie(sk->sk_cookie, d->udiag_cookie);
	if ((req->udiag_show & UDIAG_SHOW_NAME) && u->name)
		nla_put(m, UNIX_DIAG_NAME, u->name->len - (u32)UNIX_SUN_OFFSET, u->name->path);
	if (req->udiag_show & UDIAG_SHOW_PEER)
		put_peer(m, u);
	if ((req->udiag_show & UDIAG_SHOW_ICONS) && sk->sk_state == SS_TCP_LISTEN)
		put_icons(m, u);
	if (req->udiag_show & UDIAG_SHOW_RQLEN)
		put_rqlen(m, u);
	if (req->udiag_show & UDIAG_SHOW_MEMINFO)
		sock_diag_put_meminfo(m, UNIX_DIAG_MEMINFO, sk);
	nla_put_u8(m, UNIX_DIAG_SHUTDOWN, sk->sk_shutdown);
	if (req->udiag_show & UDIAG_SHOW_UID)
		nla_put_u32(m, UNIX_DIAG_UID, sk->sk_uid);
	return nlmsg_finish(m);
}

static int unix_diag_dump(struct nl_msg *msg, struct netlink_callback *cb)
{
	const struct unix_diag_req *req = (const void *)((const char *)cb->nlh + NLMSG_HDRLEN);
	struct unix_sock *u;
	u64 index = 0;
	int err = 0;

	cpu_lock(cb->net->cpu);
	list_for_each_entry(u, &cb->net->unx->socks, node) {
		if (index++ < cb->args[0])
			continue;
		if (req->udiag_states & 1u << u->sk.sk_state)
			err = fill_sock(msg, u, req, cb->portid, cb->nlh->nlmsg_seq, NLM_F_MULTI);
		if (err)
			break;
		cb->args[0] = index;
	}
	cpu_unlock(cb->net->cpu);
	return err ? 1 : 0;
}

/* The one with the inode number of the request. */
static int unix_diag_get(struct nl_request *nr)
{
	const struct unix_diag_req *req = (const void *)((const char *)nr->nlh + NLMSG_HDRLEN);
	int err = req->udiag_ino ? -ENOENT : -EINVAL;
	struct unix_sock *u;

	cpu_lock(nr->net->cpu);
	list_for_each_entry(u, &nr->net->unx->socks, node) {
		if (!req->udiag_ino || sock_diag_ino(&u->sk) != req->udiag_ino)
			continue;
		err = sock_diag_check_cookie(u->sk.sk_cookie, req->udiag_cookie);
		if (!err)
			err = fill_sock(nr->reply, u, req, nr->portid, nr->nlh->nlmsg_seq, 0);
		break;
	}
	cpu_unlock(nr->net->cpu);
	return err;
}

int unix_diag_machine_init(struct machine *m)
{
	static const struct sock_diag_handler handler = {
		.family = AF_UNIX,
		.req_len = sizeof(struct unix_diag_req),
		.dump = unix_diag_dump,
		.get = unix_diag_get,
	};

	return sock_diag_register(m, &handler);
}
