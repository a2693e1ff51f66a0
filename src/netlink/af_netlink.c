/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * af_netlink.c - netlink sockets: ports, groups, queues, dumps, acknowledgements
 *
 * Theory of operation
 *   Messages wait in plain buffers (struct nl_buf), not in skbs: they never meet the packet path. A queue is bounded by the
 *   socket's receive buffer; what does not fit is lost and the socket reads ENOBUFS once (netlink(7)).
 *   sendmsg() works on the request at once, in the caller's thread: it lets go of the cpu lock, takes rtnl, runs the handlers, and
 *   queues the answers. A dump is produced buffer by buffer: the next one when the last was read, as long as less than half the
 *   receive buffer is used.
 *   Notifications come from anywhere, with or without the cpu lock, so queues have a leaf lock of their own and the wake-up is
 *   handed to the cpu as work.
 * Locking, outermost first: rtnl (running handlers, nlk->dump), cpu lock (sock state, waiting), netns_netlink.lock (leaf: queues,
 *   groups, ports).
 * See netlink(7), RFC 3549.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "core/sysctl.h"
#include "core/uio.h"
#include "netlink/netlink.h"
#include "netlink/netlink_internal.h"
#include "netlink/netlink_module.h"
#include "socket/socket.h"

#ifndef SOL_NETLINK
#define SOL_NETLINK 270
#endif

struct nl_buf {
	struct list_head node;
	u32 len;
	u32 truesize;
	u32 portid; /* of the sender; 0: the stack */
	u32 group;  /* 0: unicast */
	u8 data[] __attribute__((aligned(4)));
};

enum {
	NLK_PKTINFO = 1,
	NLK_BROADCAST_ERROR = 2,
	NLK_NO_ENOBUFS = 4,
	NLK_LISTEN_ALL_NSID = 8,
	NLK_CAP_ACK = 16,
	NLK_EXT_ACK = 32,
	NLK_STRICT_CHK = 64
};

struct netlink_sock {
	struct sock sk;        /* must be first */
	struct list_head node; /* netns_netlink.socks; leaf lock, as all down to queue */
	u32 portid;
	bool bound;
	bool overrun; /* something was lost: ENOBUFS is due */
	bool wake;    /* the work has to wake this socket */
	u32 groups[NL_GROUP_WORDS];
	struct list_head queue;
	u32 queued; /* octets, truesize */
	/* cpu lock */
	u32 dst_portid, dst_group;
	u32 opts;
	u32 max_recvmsg_len;
	struct netlink_dump *dump; /* rtnl */
};

static struct netlink_sock *nlk_sk(const struct sock *sk)
{
	return (struct netlink_sock *)sk;
}

static const struct proto netlink_proto = {
	.name = "NETLINK",
	.obj_size = sizeof(struct netlink_sock),
};

static const struct proto_ops netlink_ops;

/* ---- queues -------------------------------------------------------------------------------------------- */

static bool group_test(const struct netlink_sock *nlk, u32 group)
{
	return group && group <= NL_GROUP_WORDS * 32 &&
	       (nlk->groups[(group - 1) / 32] >> ((group - 1) % 32) & 1);
}

/* Leaf lock held. Copies @data to the end of the queue; what does not fit is lost, unless it @must. */
static void __nlk_enqueue(struct netlink_sock *nlk, const void *data, u32 len, u32 portid,
			  u32 group, bool must)
{
	u32 truesize = ALIGN_UP(len + (u32)sizeof(struct nl_buf), 64) + 256;
	struct nl_buf *b;

	nlk->wake = true;
	if (!must && nlk->queued && nlk->queued + truesize > nlk->sk.sk_rcvbuf)
		goto overrun;
	b = malloc(sizeof(*b) + len);
	if (!b)
		goto overrun;
	b->len = len;
	b->truesize = truesize;
	b->portid = portid;
	b->group = group;
	memcpy(b->data, data, len);
	list_add_tail(&b->node, &nlk->queue);
	nlk->queued += truesize;
	return;
overrun:
	nlk->sk.sk_drops++;
	if (!(nlk->opts & NLK_NO_ENOBUFS))
		nlk->overrun = true;
}

static void nlk_enqueue(struct netlink_sock *nlk, const void *data, u32 len, u32 portid, u32 group)
{
	__nlk_enqueue(nlk, data, len, portid, group, false);
}

/* cpu lock held. */
static void nlk_wake_all(struct net *net)
{
	struct netns_netlink *nn = net->netlink;
	struct netlink_sock *nlk;

	pthread_mutex_lock(&nn->lock);
	list_for_each_entry(nlk, &nn->socks, node) {
		if (!nlk->wake)
			continue;
		nlk->wake = false;
		if (nlk->overrun) {
			nlk->overrun = false;
			nlk->sk.sk_err = ENOBUFS;
			sk_error_report(&nlk->sk);
		}
		sk_data_ready(&nlk->sk);
	}
	pthread_mutex_unlock(&nn->lock);
}

static void nl_work(struct cpu *cpu, struct cpu_work *w)
{
	struct netns_netlink *nn = container_of(w, struct netns_netlink, work);
	struct net *net = nn->net;

	(void)cpu;
	__atomic_store_n(&nn->work_queued, 0, __ATOMIC_RELEASE);
	if (net)
		nlk_wake_all(net);
	else
		free(nn); /* the net went while the work was queued */
}

/* Any context. */
static void nl_wake_later(struct net *net)
{
	if (!__atomic_exchange_n(&net->netlink->work_queued, 1, __ATOMIC_ACQ_REL))
		cpu_queue_work(net->cpu, &net->netlink->work);
}

static struct netlink_sock *nlk_lookup(struct netns_netlink *nn, int protocol, u32 portid)
{
	struct netlink_sock *nlk;

	list_for_each_entry(nlk, &nn->socks, node)
		if (nlk->bound && nlk->portid == portid && nlk->sk.sk_protocol == protocol)
			return nlk;
	return NULL;
}

/* To every member of @group but @exclude_portid. The number of them. */
static u32 nl_broadcast(struct net *net, int protocol, const void *data, u32 len, u32 portid,
			u32 group, u32 exclude_portid)
{
	struct netns_netlink *nn = net->netlink;
	struct netlink_sock *nlk;
	u32 n = 0;

	pthread_mutex_lock(&nn->lock);
	list_for_each_entry(nlk, &nn->socks, node) {
		if (nlk->sk.sk_protocol != protocol || !group_test(nlk, group))
			continue;
		if (exclude_portid && nlk->portid == exclude_portid)
			continue;
		nlk_enqueue(nlk, data, len, portid, group);
		n++;
	}
	pthread_mutex_unlock(&nn->lock);
	return n;
}

void nlmsg_notify(struct net *net, int protocol, const struct nl_msg *m, u32 exclude_portid,
		  u32 group)
{
	if (!net->netlink || !m->len)
		return;
	if (nl_broadcast(net, protocol, m->buf, m->len, 0, group, exclude_portid))
		nl_wake_later(net);
}

bool netlink_has_listeners(struct net *net, int protocol, u32 group)
{
	struct netlink_sock *nlk;
	bool r = false;

	if (!net->netlink)
		return false;
	pthread_mutex_lock(&net->netlink->lock);
	list_for_each_entry(nlk, &net->netlink->socks, node)
		r |= nlk->sk.sk_protocol == protocol && group_test(nlk, group);
	pthread_mutex_unlock(&net->netlink->lock);
	return r;
}

/* No lock held, or rtnl. */
static void nlk_reply(struct netlink_sock *nlk, const struct nl_msg *m)
{
	struct netns_netlink *nn = nlk->sk.sk_net->netlink;

	if (!m->len)
		return;
	pthread_mutex_lock(&nn->lock);
	nlk_enqueue(nlk, m->buf, m->len, 0, 0);
	pthread_mutex_unlock(&nn->lock);
}

/*
 * A part of a dump. It is never lost, for a dump with a hole looks whole; instead the next part is made only when the queue has
 * room (dump_has_room()).
 */
static void nlk_reply_part(struct netlink_sock *nlk, const struct nl_msg *m)
{
	struct netns_netlink *nn = nlk->sk.sk_net->netlink;

	if (!m->len)
		return;
	pthread_mutex_lock(&nn->lock);
	__nlk_enqueue(nlk, m->buf, m->len, 0, 0, true);
	pthread_mutex_unlock(&nn->lock);
}

static bool dump_has_room(struct netlink_sock *nlk)
{
	struct netns_netlink *nn = nlk->sk.sk_net->netlink;
	bool r;

	pthread_mutex_lock(&nn->lock);
	r = nlk->queued <= nlk->sk.sk_rcvbuf / 2;
	pthread_mutex_unlock(&nn->lock);
	return r;
}

/* ---- acknowledgements ---------------------------------------------------------------------------------- */

static void put_ext_ack(struct nl_msg *m, const struct nlmsghdr *nlh,
			const struct netlink_ext_ack *extack, int err)
{
	const char *bad = (const char *)extack->bad_attr;

	if (extack->msg[0])
		nla_put_string(m, NLMSGERR_ATTR_MSG, extack->msg);
	if (err && bad && bad >= (const char *)nlh && bad < (const char *)nlh + nlh->nlmsg_len)
		nla_put_u32(m, NLMSGERR_ATTR_OFFS, (u32)(bad - (const char *)nlh));
	if (err && extack->miss_type)
		nla_put_u32(m, NLMSGERR_ATTR_MISS_TYPE, extack->miss_type);
	if (!err && extack->cookie_len)
		nla_put(m, NLMSGERR_ATTR_COOKIE, extack->cookie_len, extack->cookie);
}

/* The request is quoted whole in an error, unless NETLINK_CAP_ACK; an acknowledgement has only its header. */
static void netlink_ack(struct netlink_sock *nlk, const struct nlmsghdr *nlh, int err,
			const struct netlink_ext_ack *extack)
{
	bool capped = !err || (nlk->opts & NLK_CAP_ACK);
	bool tlvs = (nlk->opts & NLK_EXT_ACK) &&
		    (extack->msg[0] || (err && (extack->bad_attr || extack->miss_type)) ||
		     (!err && extack->cookie_len));
	u32 quoted = capped ? NLMSG_HDRLEN : nlh->nlmsg_len;
	u16 flags = (u16)((capped ? NLM_F_CAPPED : 0) | (tlvs ? NLM_F_ACK_TLVS : 0));
	struct nl_msg m;
	u8 *p;

	if (nl_msg_init(&m, NLMSG_ALIGN(quoted) + 512))
		return;
	p = nlmsg_begin(&m, nlk->portid, nlh->nlmsg_seq, NLMSG_ERROR, flags, sizeof(int) + quoted);
	if (p) {
		memcpy(p, &err, sizeof(err));
		memcpy(p + sizeof(err), nlh, quoted);
		if (tlvs)
			put_ext_ack(&m, nlh, extack, err);
		if (!nlmsg_finish(&m))
			nlk_reply(nlk, &m);
	}
	nl_msg_fini(&m);
}

/* ---- dumps --------------------------------------------------------------------------------------------- */

static void dump_free(struct netlink_dump *d)
{
	if (!d)
		return;
	free(d->request);
	free(d);
}

/* Marks the messages of one buffer as parts of a dump. */
static void dump_mark(struct nl_msg *m, struct netlink_dump *d)
{
	bool changed = d->prev_seq && d->cb.seq && d->prev_seq != d->cb.seq;
	int rem = (int)m->len;

	for (struct nlmsghdr *h = (struct nlmsghdr *)m->buf; NLMSG_OK(h, (u32)rem);
	     h = NLMSG_NEXT(h, rem))
		h->nlmsg_flags |= (u16)(NLM_F_MULTI | (changed ? NLM_F_DUMP_INTR : 0));
	if (d->cb.seq)
		d->prev_seq = d->cb.seq;
}

/* A dump of AF_UNSPEC visits every family that has a handler of this type. False: no more. */
static bool dump_next_family(struct machine *mc, struct netlink_dump *d)
{
	const struct rtnl_handler *h;

	if (d->family < 0)
		return false;
	while (++d->family < NPROTO) {
		h = rtnl_find(mc, d->family, d->type, true);
		if (h && h->family == d->family) {
			memset(d->cb.args, 0, sizeof(d->cb.args));
			d->dumpit = h->dumpit;
			return true;
		}
	}
	return false;
}

/* Fills @m once. > 0: there is more; 0: that was all; < 0 error. */
static int dump_fill(struct netlink_sock *nlk, struct nl_msg *m, struct netlink_dump *d)
{
	int r;

	do {
		r = d->dumpit(m, &d->cb);
		if (m->cur) /* a message that was begun and did not fit */
			nlmsg_cancel(m);
		if (r)
			return r;
	} while (dump_next_family(nlk->sk.sk_net->machine, d));
	return 0;
}

static void put_done(struct netlink_sock *nlk, struct nl_msg *m, struct netlink_dump *d, int err)
{
	bool tlvs = (nlk->opts & NLK_EXT_ACK) && d->extack.msg[0];
	int *p = nlmsg_begin(m, nlk->portid, d->request->nlmsg_seq, NLMSG_DONE,
			     (u16)(NLM_F_MULTI | (tlvs ? NLM_F_ACK_TLVS : 0)), sizeof(int));

	if (!p)
		return;
	*p = err;
	if (tlvs)
		nla_put_string(m, NLMSGERR_ATTR_MSG, d->extack.msg);
	nlmsg_finish(m);
}

/* Produces the next buffer of the running dump. rtnl held, no cpu lock. */
static void netlink_dump(struct netlink_sock *nlk)
{
	struct netlink_dump *d = nlk->dump;
	u32 size = clamp(nlk->max_recvmsg_len, NL_GOODSIZE, 32768u);
	struct nl_msg m = { 0 };
	int r;

	for (;;) { /* a message larger than the buffer gets a larger buffer */
		if (nl_msg_init(&m, size)) {
			r = -ENOBUFS;
			break;
		}
		r = dump_fill(nlk, &m, d);
		if (m.len || r <= 0 || size >= NL_MAX_DUMP)
			break;
		nl_msg_fini(&m);
		size = min(size * 4, NL_MAX_DUMP);
	}
	if (r > 0 && m.len) {
		dump_mark(&m, d);
		nlk_reply_part(nlk, &m);
		nl_msg_fini(&m);
		return;
	}
	if (r > 0)
		r = -EMSGSIZE;
	if (m.buf) {
		if (m.size - m.len < 256) { /* DONE wants a buffer of its own */
			dump_mark(&m, d);
			nlk_reply_part(nlk, &m);
			m.len = 0;
		}
		put_done(nlk, &m, d, r);
		dump_mark(&m, d);
		nlk_reply_part(nlk, &m);
	}
	nl_msg_fini(&m);
	nlk->dump = NULL;
	dump_free(d);
}

/* Takes over nothing; 0: the dump runs, its end is its answer. rtnl held. */
static int dump_start(struct netlink_sock *nlk, const struct nlmsghdr *nlh,
		      const struct rtnl_handler *h, const struct netlink_callback *tmpl,
		      struct netlink_ext_ack *extack)
{
	const struct rtgenmsg *g = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	struct netlink_dump *d;

	if (nlk->dump) {
		nl_set_err_msg(extack, "Another dump of this socket is still running");
		return -EBUSY;
	}
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOBUFS;
	d->request = malloc(nlh->nlmsg_len);
	if (!d->request) {
		free(d);
		return -ENOBUFS;
	}
	memcpy(d->request, nlh, nlh->nlmsg_len);
	d->cb.net = nlk->sk.sk_net;
	d->cb.nlh = d->request;
	d->cb.portid = nlk->portid;
	d->cb.extack = &d->extack;
	d->cb.strict = nlk->opts & NLK_STRICT_CHK;
	d->type = nlh->nlmsg_type;
	d->family = -1;
	if (tmpl) {
		d->dumpit = tmpl->dumpit;
		d->cb.privileged = tmpl->privileged;
		memcpy(d->cb.args, tmpl->args, sizeof(d->cb.args));
	} else if (h) {
		d->dumpit = h->dumpit;
	} else {
		d->family = AF_UNSPEC;
		if (g->rtgen_family != AF_UNSPEC || !dump_next_family(nlk->sk.sk_net->machine, d)) {
			dump_free(d);
			return -EOPNOTSUPP;
		}
	}
	nlk->dump = d;
	if (dump_has_room(nlk)) /* else recvmsg() begins it */
		netlink_dump(nlk);
	return 0;
}

/* ---- requests ------------------------------------------------------------------------------------------ */

static int route_rcv_msg(struct netlink_sock *nlk, struct nl_request *req)
{
	struct machine *m = req->net->machine;
	const struct nlmsghdr *nlh = req->nlh;
	const struct rtgenmsg *g = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	const struct rtnl_handler *h;
	int err;

	if (nlh->nlmsg_type > RTM_MAX)
		return -EOPNOTSUPP;
	if (nlh->nlmsg_len < NLMSG_HDRLEN + sizeof(*g))
		return 0;
	if ((nlh->nlmsg_type & 3) == 2 && (nlh->nlmsg_flags & NLM_F_DUMP)) {
		h = rtnl_find(m, g->rtgen_family, nlh->nlmsg_type, true);
		err = dump_start(nlk, nlh, h, NULL, req->extack);
		if (err != -EOPNOTSUPP)
			return err ? err : -EINTR; /* no acknowledgement: NLMSG_DONE is one */
	} else {
		h = rtnl_find(m, g->rtgen_family, nlh->nlmsg_type, false);
		if (h)
			return rtnl_doit(h, req);
	}
	if (!req->extack->msg[0])
		nl_set_err_msg(
			req->extack,
			"weir does not serve rtnetlink request type %u of address family %u (yet)",
			nlh->nlmsg_type, g->rtgen_family);
	return -EOPNOTSUPP;
}

static int other_rcv_msg(struct netlink_sock *nlk, struct nl_request *req,
			 const struct netlink_protocol *p)
{
	struct netlink_callback tmpl = { .privileged = req->privileged }, *cb = &tmpl;
	int err = p->rcv ? p->rcv(req, &cb) : -ECONNREFUSED;

	if (err || !cb || !cb->dumpit)
		return err;
	err = dump_start(nlk, req->nlh, NULL, cb, req->extack);
	return err ? err : -EINTR;
}

static void one_message(struct netlink_sock *nlk, const struct nlmsghdr *nlh)
{
	struct net *net = nlk->sk.sk_net;
	int protocol = nlk->sk.sk_protocol;
	struct netlink_ext_ack extack = { 0 };
	struct nl_msg reply = { 0 };
	struct nl_request req = { .net = net,
				  .nlh = nlh,
				  .portid = nlk->portid,
				  .privileged = true,
				  .extack = &extack,
				  .reply = &reply };
	int err = 0;

	/* Replies go to the requester, acknowledgements after them. */
	if (nlh->nlmsg_type >= NLMSG_MIN_TYPE && (nlh->nlmsg_flags & NLM_F_REQUEST)) {
		err = nl_msg_init(&reply, 16384) ? -ENOBUFS : 0;
		if (!err && protocol == NETLINK_ROUTE)
			err = route_rcv_msg(nlk, &req);
		else if (!err)
			err = other_rcv_msg(nlk, &req,
					    &net->machine->rtnl_table->protocols[protocol]);
		if (reply.cur)
			nlmsg_cancel(&reply);
		if (err >= 0 && reply.buf)
			nlk_reply(nlk, &reply);
		nl_msg_fini(&reply);
		if (err == -EINTR)
			return;
	}
	if (err || (nlh->nlmsg_flags & NLM_F_ACK))
		netlink_ack(nlk, nlh, err, &extack);
}

/* The messages of one sendmsg(). No lock held. */
static void netlink_rcv(struct netlink_sock *nlk, const u8 *data, u32 len)
{
	struct machine *m = nlk->sk.sk_net->machine;

	rtnl_lock(m);
	while (len >= NLMSG_HDRLEN) {
		const struct nlmsghdr *nlh = (const struct nlmsghdr *)data;
		u32 step;

		if (nlh->nlmsg_len < NLMSG_HDRLEN || nlh->nlmsg_len > len)
			break;
		one_message(nlk, nlh);
		step = min(NLMSG_ALIGN(nlh->nlmsg_len), len);
		data += step;
		len -= step;
	}
	rtnl_unlock(m);
}

/* ---- ports and groups ---------------------------------------------------------------------------------- */

/* Leaf lock held. */
static int nlk_insert(struct netlink_sock *nlk, u32 portid)
{
	struct netns_netlink *nn = nlk->sk.sk_net->netlink;

	if (nlk_lookup(nn, nlk->sk.sk_protocol, portid))
		return -EADDRINUSE;
	nlk->portid = portid;
	nlk->bound = true;
	return 0;
}

static int netlink_autobind(struct netlink_sock *nlk)
{
	struct netns_netlink *nn = nlk->sk.sk_net->netlink;

	pthread_mutex_lock(&nn->lock);
	while (!nlk->bound) {
		if (!++nn->next_portid)
			nn->next_portid = 1;
		nlk_insert(nlk, nn->next_portid);
	}
	pthread_mutex_unlock(&nn->lock);
	return 0;
}

static u32 nlk_ngroups(const struct netlink_sock *nlk)
{
	const struct rtnl_table *t = nlk->sk.sk_net->machine->rtnl_table;
	u32 n = t->protocols[nlk->sk.sk_protocol].groups;

	return clamp(n, 32u, NL_GROUP_WORDS * 32u);
}

static int netlink_bind(struct socket *sock, const struct sockaddr *addr, socklen_t len)
{
	struct netlink_sock *nlk = nlk_sk(sock->sk);
	struct netns_netlink *nn = sock->net->netlink;
	struct sockaddr_nl nl;
	int err = 0;

	if (len < sizeof(nl))
		return -EINVAL;
	memcpy(&nl, addr, sizeof(nl));
	if (nl.nl_family != AF_NETLINK)
		return -EINVAL;
	if (nlk->bound && nl.nl_pid != nlk->portid && nl.nl_pid)
		return -EINVAL;
	if (!nlk->bound) {
		if (nl.nl_pid) {
			pthread_mutex_lock(&nn->lock);
			err = nlk_insert(nlk, nl.nl_pid);
			pthread_mutex_unlock(&nn->lock);
		} else {
			err = netlink_autobind(nlk);
		}
	}
	if (err)
		return err;
	pthread_mutex_lock(&nn->lock);
	nlk->groups[0] = nl.nl_groups;
	pthread_mutex_unlock(&nn->lock);
	return 0;
}

static int netlink_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len,
			   int flags)
{
	struct netlink_sock *nlk = nlk_sk(sock->sk);
	struct sockaddr_nl nl;

	(void)flags;
	if (addr->sa_family == AF_UNSPEC) {
		sock->state = SS_UNCONNECTED;
		nlk->dst_portid = nlk->dst_group = 0;
		return 0;
	}
	if (addr->sa_family != AF_NETLINK || len < sizeof(nl))
		return -EINVAL;
	memcpy(&nl, addr, sizeof(nl));
	netlink_autobind(nlk);
	sock->state = SS_CONNECTED;
	nlk->dst_portid = nl.nl_pid;
	nlk->dst_group = nl.nl_groups ? (u32)__builtin_ffs((int)nl.nl_groups) : 0;
	return 0;
}

static int netlink_getname(struct socket *sock, struct sockaddr_storage *ret, int peer)
{
	const struct netlink_sock *nlk = nlk_sk(sock->sk);
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };

	if (peer) {
		nl.nl_pid = nlk->dst_portid;
		nl.nl_groups = nlk->dst_group ? 1u << ((nlk->dst_group - 1) & 31) : 0;
	} else {
		nl.nl_pid = nlk->portid;
		nl.nl_groups = nlk->groups[0];
	}
	memcpy(ret, &nl, sizeof(nl));
	return sizeof(nl);
}

/* ---- sendmsg, recvmsg ---------------------------------------------------------------------------------- */

static int nl_destination(struct netlink_sock *nlk, const struct kmsghdr *msg, u32 *ret_portid,
			  u32 *ret_group)
{
	struct sockaddr_nl nl;

	*ret_portid = nlk->dst_portid;
	*ret_group = nlk->dst_group;
	if (!msg->name || !msg->namelen)
		return 0;
	if (msg->namelen < sizeof(nl))
		return -EINVAL;
	memcpy(&nl, msg->name, sizeof(nl));
	if (nl.nl_family != AF_NETLINK)
		return -EINVAL;
	*ret_portid = nl.nl_pid;
	*ret_group = nl.nl_groups ? (u32)__builtin_ffs((int)nl.nl_groups) : 0;
	return 0;
}

/* To another program's socket. */
static int nl_unicast(struct netlink_sock *nlk, u32 portid, const u8 *data, u32 len)
{
	struct netns_netlink *nn = nlk->sk.sk_net->netlink;
	struct netlink_sock *dst;

	pthread_mutex_lock(&nn->lock);
	dst = nlk_lookup(nn, nlk->sk.sk_protocol, portid);
	if (dst)
		nlk_enqueue(dst, data, len, nlk->portid, 0);
	pthread_mutex_unlock(&nn->lock);
	return dst ? 0 : -ECONNREFUSED;
}

static ssize_t netlink_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;
	struct netlink_sock *nlk = nlk_sk(sk);
	u32 portid, group;
	int err;
	u8 *data;

	if (msg->flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (!len)
		return -ENODATA;
	err = nl_destination(nlk, msg, &portid, &group);
	if (err)
		return err;
	netlink_autobind(nlk);
	if (len > sk->sk_sndbuf - 32 || len > UINT16_MAX * 16u)
		return -EMSGSIZE;
	data = malloc(len);
	if (!data)
		return -ENOBUFS;
	if (copy_from_iter(data, len, &msg->iter) != len) {
		free(data);
		return -EFAULT;
	}
	if (group)
		nl_broadcast(sock->net, sk->sk_protocol, data, (u32)len, nlk->portid, group,
			     nlk->portid);
	if (portid) {
		err = nl_unicast(nlk, portid, data, (u32)len);
	} else if (!group || sk->sk_protocol == NETLINK_ROUTE) {
		cpu_unlock(sock_cpu(sock)); /* rtnl comes before the cpu lock */
		netlink_rcv(nlk, data, (u32)len);
		cpu_lock(sock_cpu(sock));
	}
	nlk_wake_all(sock->net);
	free(data);
	return err ? err : (ssize_t)len;
}

static struct nl_buf *nlk_take(struct netlink_sock *nlk, bool peek, u32 *ret_queued)
{
	struct netns_netlink *nn = nlk->sk.sk_net->netlink;
	struct nl_buf *b;

	pthread_mutex_lock(&nn->lock);
	b = list_first_entry_or_null(&nlk->queue, struct nl_buf, node);
	if (b && !peek) {
		list_del(&b->node);
		nlk->queued -= b->truesize;
	}
	*ret_queued = nlk->queued;
	pthread_mutex_unlock(&nn->lock);
	return b;
}

static void nl_recv_meta(struct netlink_sock *nlk, struct kmsghdr *msg, const struct nl_buf *b)
{
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK, .nl_pid = b->portid };
	struct nl_pktinfo info = { b->group };
	struct ucred cred = { 0, 0, 0 };

	if (b->group && b->group <= 32)
		nl.nl_groups = 1u << (b->group - 1);
	if (msg->name) {
		memcpy(msg->name, &nl, sizeof(nl));
		msg->namelen = sizeof(nl);
	}
	if (nlk->opts & NLK_PKTINFO)
		put_cmsg(msg, SOL_NETLINK, NETLINK_PKTINFO, sizeof(info), &info);
	if (sock_flag(&nlk->sk, SOCK_PASSCRED))
		put_cmsg(msg, SOL_SOCKET, SCM_CREDENTIALS, sizeof(cred), &cred);
}

static ssize_t netlink_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags)
{
	struct sock *sk = sock->sk;
	struct netlink_sock *nlk = nlk_sk(sk);
	u64 timeo = sock_rcvtimeo(sk, flags & MSG_DONTWAIT);
	bool peek = flags & MSG_PEEK;
	struct nl_buf *b;
	size_t copied, full;
	u32 queued;
	int err;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	for (;;) {
		err = sock_error(sk);
		if (err)
			return err;
		b = nlk_take(nlk, peek, &queued);
		if (b)
			break;
		if (sk->sk_shutdown & SK_SHUTDOWN_RCV)
			return 0;
		if (!timeo)
			return -EAGAIN;
		err = sk_wait_event(sk, &timeo);
		if (err)
			return err;
	}
	nlk->max_recvmsg_len = max(nlk->max_recvmsg_len, (u32)min(len, (size_t)32768));
	full = b->len;
	copied = copy_to_iter(b->data, min(len, full), &msg->iter);
	if (full > len)
		msg->flags |= MSG_TRUNC;
	nl_recv_meta(nlk, msg, b);
	if (!peek)
		free(b);
	if (!peek && __atomic_load_n(&nlk->dump, __ATOMIC_RELAXED) && queued <= sk->sk_rcvbuf / 2) {
		cpu_unlock(sock_cpu(sock));
		rtnl_lock(sock->net->machine);
		if (nlk->dump)
			netlink_dump(nlk);
		rtnl_unlock(sock->net->machine);
		cpu_lock(sock_cpu(sock));
		nlk_wake_all(sock->net);
	}
	return (ssize_t)(flags & MSG_TRUNC ? full : copied);
}

static u32 netlink_poll(struct socket *sock)
{
	struct netlink_sock *nlk = nlk_sk(sock->sk);
	u32 mask = EPOLLOUT | EPOLLWRNORM;

	pthread_mutex_lock(&sock->net->netlink->lock);
	if (!list_empty(&nlk->queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	pthread_mutex_unlock(&sock->net->netlink->lock);
	if (sock->sk->sk_err)
		mask |= EPOLLERR;
	return mask;
}

/* ---- options ------------------------------------------------------------------------------------------- */

static const struct {
	int name;
	u32 bit;
} nl_flags[] = {
	{ NETLINK_PKTINFO, NLK_PKTINFO },
	{ NETLINK_BROADCAST_ERROR, NLK_BROADCAST_ERROR },
	{ NETLINK_NO_ENOBUFS, NLK_NO_ENOBUFS },
	{ NETLINK_LISTEN_ALL_NSID, NLK_LISTEN_ALL_NSID },
	{ NETLINK_CAP_ACK, NLK_CAP_ACK },
	{ NETLINK_EXT_ACK, NLK_EXT_ACK },
	{ NETLINK_GET_STRICT_CHK, NLK_STRICT_CHK },
};

static u32 nl_flag(int name)
{
	for (u32 i = 0; i < ARRAY_SIZE(nl_flags); i++)
		if (nl_flags[i].name == name)
			return nl_flags[i].bit;
	return 0;
}

static int set_membership(struct netlink_sock *nlk, int name, u32 group)
{
	struct netns_netlink *nn = nlk->sk.sk_net->netlink;

	if (!group || group > nlk_ngroups(nlk))
		return -EINVAL;
	pthread_mutex_lock(&nn->lock);
	if (name == NETLINK_ADD_MEMBERSHIP)
		nlk->groups[(group - 1) / 32] |= 1u << ((group - 1) % 32);
	else
		nlk->groups[(group - 1) / 32] &= ~(1u << ((group - 1) % 32));
	pthread_mutex_unlock(&nn->lock);
	return 0;
}

static int netlink_setsockopt(struct socket *sock, int level, int name, const void *val,
			      socklen_t len)
{
	struct netlink_sock *nlk = nlk_sk(sock->sk);
	int v;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (len < sizeof(int))
		return -EINVAL;
	memcpy(&v, val, sizeof(v));
	if (name == NETLINK_ADD_MEMBERSHIP || name == NETLINK_DROP_MEMBERSHIP)
		return set_membership(nlk, name, (u32)v);
	if (!nl_flag(name))
		return -ENOPROTOOPT;
	nlk->opts = v ? nlk->opts | nl_flag(name) : nlk->opts & ~nl_flag(name);
	return 0;
}

static int netlink_getsockopt(struct socket *sock, int level, int name, void *val, socklen_t *len)
{
	const struct netlink_sock *nlk = nlk_sk(sock->sk);
	socklen_t have;
	int v;

	if (level != SOL_NETLINK)
		return -ENOPROTOOPT;
	if (name == NETLINK_LIST_MEMBERSHIPS) {
		have = ALIGN_UP(nlk_ngroups(nlk), 32) / 8;
		memcpy(val, nlk->groups, min(*len, have));
		*len = have;
		return 0;
	}
	if (!nl_flag(name))
		return -ENOPROTOOPT;
	if (*len < sizeof(int))
		return -EINVAL;
	v = !!(nlk->opts & nl_flag(name));
	memcpy(val, &v, sizeof(v));
	*len = sizeof(v);
	return 0;
}

static int netlink_ioctl(struct socket *sock, unsigned cmd, void *arg)
{
	(void)sock;
	(void)cmd;
	(void)arg;
	return -ENOIOCTLCMD;
}

/* ---- life ---------------------------------------------------------------------------------------------- */

static int netlink_create(struct net *net, struct socket *sock, int protocol)
{
	const struct rtnl_table *t = net->machine->rtnl_table;
	struct netlink_sock *nlk;
	struct sock *sk;

	if (sock->type != SOCK_RAW && sock->type != SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (protocol < 0 || protocol >= NL_MAX_PROTOCOLS || !t->present[protocol])
		return -EPROTONOSUPPORT;
	sk = sk_alloc(net, AF_NETLINK, &netlink_proto);
	if (!sk)
		return -ENOMEM;
	sock_init_data(sk, sock, &sock->wq, sock->type);
	sk->sk_protocol = (u8)protocol;
	sock->sk = sk;
	sock->ops = &netlink_ops;
	nlk = nlk_sk(sk);
	list_init(&nlk->queue);
	pthread_mutex_lock(&net->netlink->lock);
	list_add_tail(&nlk->node, &net->netlink->socks);
	pthread_mutex_unlock(&net->netlink->lock);
	return 0;
}

static int netlink_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	struct netlink_sock *nlk = nlk_sk(sk);
	struct nl_buf *b, *n;

	pthread_mutex_lock(&sock->net->netlink->lock);
	list_del(&nlk->node);
	list_for_each_entry_safe(b, n, &nlk->queue, node)
		free(b);
	list_init(&nlk->queue);
	nlk->queued = 0;
	pthread_mutex_unlock(&sock->net->netlink->lock);
	dump_free(nlk->dump); /* nobody else is inside this socket */
	nlk->dump = NULL;
	sock_orphan(sk);
	sock->sk = NULL;
	sock_put(sk);
	return 0;
}

static const struct proto_ops netlink_ops = {
	.family = AF_NETLINK,
	.release = netlink_release,
	.bind = netlink_bind,
	.connect = netlink_connect,
	.getname = netlink_getname,
	.poll = netlink_poll,
	.ioctl = netlink_ioctl,
	.setsockopt = netlink_setsockopt,
	.getsockopt = netlink_getsockopt,
	.sendmsg = netlink_sendmsg,
	.recvmsg = netlink_recvmsg,
};

static const struct net_proto_family netlink_family = { .family = AF_NETLINK,
							.create = netlink_create };

/* ---- module -------------------------------------------------------------------------------------------- */

int netlink_register(struct machine *m, const struct netlink_protocol *p)
{
	struct rtnl_table *t = m->rtnl_table;

	if (p->protocol < 0 || p->protocol >= NL_MAX_PROTOCOLS)
		return -EINVAL;
	if (t->present[p->protocol])
		return -EEXIST;
	t->protocols[p->protocol] = *p;
	t->present[p->protocol] = true;
	return 0;
}

/* Cpu lock held; the list and what waits belong to the leaf lock. Nothing is locked, and a message is read by the sender itself. */
static void netlink_proc_show(struct net *net, struct text *t)
{
	struct netlink_sock *nlk;

	text_printf(t, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    "
		       "Drops    Inode\n");
	pthread_mutex_lock(&net->netlink->lock);
	list_for_each_entry(nlk, &net->netlink->socks, node) {
		const struct sock *sk = &nlk->sk;

		text_printf(t, "%016llx %-3d %-10u %08x %-8u %-8d %-5d %-8d %-8u %-8llu\n",
			    (unsigned long long)sk->sk_cookie, sk->sk_protocol, nlk->portid,
			    nlk->groups[0], nlk->queued, 0, nlk->dump != NULL, sk->sk_refcnt,
			    sk->sk_drops,
			    sk->sk_socket ? (unsigned long long)sk->sk_socket->inode.ino : 0ULL);
	}
	pthread_mutex_unlock(&net->netlink->lock);
}

static const struct view_desc netlink_views[] = {
	{ "/proc/net/netlink", netlink_proc_show },
};

int netlink_machine_init(struct machine *m)
{
	static const struct netlink_protocol protocols[] = {
		{ .protocol = NETLINK_ROUTE, .groups = RTNLGRP_MAX },
		{ .protocol = NETLINK_USERSOCK,
		  .groups = 32 }, /* between programs of the instance */
	};
	int err;

	m->rtnl_table = calloc(1, sizeof(*m->rtnl_table));
	if (!m->rtnl_table)
		return -ENOMEM;
	for (u32 i = 0; i < ARRAY_SIZE(protocols); i++)
		netlink_register(m, &protocols[i]);
	err = sock_register(m, &netlink_family);
	if (!err)
		err = proto_register(m, &netlink_proto);
	if (!err)
		err = view_register(m, netlink_views, ARRAY_SIZE(netlink_views));
	if (!err)
		err = rtnl_link_machine_init(m);
	if (!err)
		err = neigh_netlink_machine_init(m);
	if (!err)
		err = neightbl_netlink_machine_init(m);
	if (!err)
		err = sock_diag_machine_init(m);
	if (!err)
		err = genetlink_machine_init(m);
	if (!err)
		err = ethtool_netlink_machine_init(m);
	if (err)
		netlink_machine_exit(m);
	return err;
}

void netlink_machine_exit(struct machine *m)
{
	sock_unregister(m, AF_NETLINK);
	if (m->rtnl_table) {
		free(m->rtnl_table->rows);
		free(m->rtnl_table->link_ops);
		free(m->rtnl_table);
		m->rtnl_table = NULL;
	}
}

int netlink_net_init(struct net *net)
{
	struct netns_netlink *nn = calloc(1, sizeof(*nn));

	if (!nn)
		return -ENOMEM;
	pthread_mutex_init(&nn->lock, NULL);
	list_init(&nn->socks);
	nn->net = net;
	nn->work.fn = nl_work;
	nn->notifier.call = rtnl_device_event;
	nn->notifier.priority = -100; /* after those who complete the device */
	net->netlink = nn;
	register_netdevice_notifier(net, &nn->notifier);
	return 0;
}

void netlink_net_exit(struct net *net)
{
	struct netns_netlink *nn = net->netlink;
	bool queued;

	unregister_netdevice_notifier(net, &nn->notifier);
	net->netlink = NULL;
	pthread_mutex_destroy(&nn->lock);
	/* The home cpu may still hold our work: it frees the structure then. */
	cpu_lock(net->cpu);
	nn->net = NULL;
	queued = __atomic_load_n(&nn->work_queued, __ATOMIC_ACQUIRE);
	cpu_unlock(net->cpu);
	if (!queued)
		free(nn);
}
