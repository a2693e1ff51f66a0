/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_diag.c - NETLINK_SOCK_DIAG: which sockets there are
 *
 * Every address family that can describe its sockets registers a handler; a request names the family in its first octet. Without a
 * handler the answer is ENOENT, which makes ss(8) fall back to /proc/net.
 * Context: rtnl held, no cpu lock; handlers take that themselves.
 * See sock_diag(7).
 */
#include "netlink/sock_diag.h"

#include <errno.h>
#include <linux/inet_diag.h>

#include "core/machine.h"
#include "core/sock.h"
#include "core/sock_mem.h"
#include "netlink/netlink_internal.h"
#include "socket/socket.h"

int sock_diag_register(struct machine *m, const struct sock_diag_handler *h)
{
	struct rtnl_table *t = m->rtnl_table;

	assert(h->family > 0 && h->family < NPROTO && h->dump);
	if (t->diag[h->family])
		return -EEXIST;
	t->diag[h->family] = h;
	return 0;
}

static int sock_diag_by_family(struct nl_request *req, const struct sock_diag_handler *h,
			       struct netlink_callback **ret_dump)
{
	if (req->nlh->nlmsg_flags & NLM_F_DUMP) {
		(*ret_dump)->dumpit = h->dump;
		return 0;
	}
	return h->get ? h->get(req) : -EOPNOTSUPP;
}

static int sock_diag_destroy(struct nl_request *req, const struct sock_diag_handler *h)
{
	if (!req->privileged)
		return -EPERM;
	return h->destroy ? h->destroy(req) : -EOPNOTSUPP;
}

static int sock_diag_rcv(struct nl_request *req, struct netlink_callback **ret_dump)
{
	const struct nlmsghdr *nlh = req->nlh;
	const struct sock_diag_req *r = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	const struct sock_diag_handler *h;

	/* Requests of Linux before 3.3, which ss tries after SOCK_DIAG_BY_FAMILY failed: the same answer again. */
	if (nlh->nlmsg_type == TCPDIAG_GETSOCK || nlh->nlmsg_type == DCCPDIAG_GETSOCK)
		return -ENOENT;
	if (nlh->nlmsg_type != SOCK_DIAG_BY_FAMILY && nlh->nlmsg_type != SOCK_DESTROY) {
		nl_set_err_msg(req->extack, "weir serves SOCK_DIAG_BY_FAMILY and SOCK_DESTROY");
		return -EINVAL;
	}
	if (nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(*r))
		return -EINVAL;
	if (r->sdiag_family >= NPROTO)
		return -EINVAL;
	h = req->net->machine->rtnl_table->diag[r->sdiag_family];
	if (!h)
		return -ENOENT;
	if (nlh->nlmsg_len < NLMSG_HDRLEN + h->req_len)
		return -EINVAL;
	return nlh->nlmsg_type == SOCK_DESTROY ? sock_diag_destroy(req, h)
					       : sock_diag_by_family(req, h, ret_dump);
}

int sock_diag_machine_init(struct machine *m)
{
	static const struct netlink_protocol protocol = {
		.protocol = NETLINK_SOCK_DIAG,
		.rcv = sock_diag_rcv,
		.groups = SKNLGRP_MAX,
	};

	return netlink_register(m, &protocol);
}

/* ---- what all families say -------------------------------------------------------------------------------- */

void sock_diag_save_cookie(u64 cookie, u32 *ret)
{
	ret[0] = (u32)cookie;
	ret[1] = (u32)(cookie >> 32);
}

int sock_diag_check_cookie(u64 cookie, const u32 *wanted)
{
	if (wanted[0] == UINT32_MAX && wanted[1] == UINT32_MAX)
		return 0;
	return wanted[0] == (u32)cookie && wanted[1] == (u32)(cookie >> 32) ? 0 : -ESTALE;
}

u32 sock_diag_ino(const struct sock *sk)
{
	return sk->sk_socket ? (u32)sk->sk_socket->inode.ino : 0;
}

void sock_diag_put_meminfo(struct nl_msg *m, u16 type, const struct sock *sk)
{
	const u32 mem[SK_MEMINFO_VARS] = {
		[SK_MEMINFO_RMEM_ALLOC] = sk->sk_rmem_alloc,   [SK_MEMINFO_RCVBUF] = sk->sk_rcvbuf,
		[SK_MEMINFO_WMEM_ALLOC] = sk->sk_wmem_alloc,   [SK_MEMINFO_SNDBUF] = sk->sk_sndbuf,
		[SK_MEMINFO_WMEM_QUEUED] = sk->sk_wmem_queued, [SK_MEMINFO_DROPS] = sk->sk_drops,
		[SK_MEMINFO_FWD_ALLOC] = sk_mem_forward(sk),
	};

	nla_put(m, type, sizeof(mem), mem);
}
