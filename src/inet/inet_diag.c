/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inet_diag.c - AF_INET and AF_INET6 in NETLINK_SOCK_DIAG: what ss(8) shows of TCP, UDP and raw sockets
 *
 * Theory of operation
 *   A transport registers a handler: where its hash tables are, how it looks up one sock, what it knows beside what every sock
 *   knows. Everything else is here, for all of them.
 *   A dump walks the tables bucket by bucket and fills one buffer at a time. Its place is (table, bucket, entries of the bucket that
 *   are done). Tables grow by doubling: a bucket b of a table of n then is split into b and b + n. The walk goes on in terms of the n it
 *   began with and takes b, b + n, b + 2n ... as one bucket, so nothing is shown twice or left out because a table grew.
 *   The cpu lock is given up after WALK_MAX entries, so that a dump of a million connections does not stop the packet path.
 * Context: rtnl held. Everything that touches socks takes the cpu lock.
 * See linux/inet_diag.h, sock_diag(7).
 */
#include "inet/inet_diag.h"

#include <errno.h>

#include "core/net_group.h"
#include "core/machine.h"
#include "core/sock_mem.h"
#include "inet/inet_connection_sock.h"
#include "inet/inet_internal.h"

#define WALK_MAX  1024 /* entries looked at before others get the cpu lock */
#define EXT(attr) (1u << ((attr)-1))

void inet_diag_tuple(const struct inet_diag_req_v2 *req, struct inet_tuple *ret)
{
	be16 rport = be16_raw(req->id.idiag_dport);
	u16 lport = be16_to_cpu(be16_raw(req->id.idiag_sport));
	int dif = (int)req->id.idiag_if;
	struct in6_addr local, remote;

	if (req->sdiag_family == AF_INET) {
		*ret = inet_tuple_v4(be32_raw(req->id.idiag_dst[0]), rport,
				     be32_raw(req->id.idiag_src[0]), lport, dif);
		return;
	}
	memcpy(&local, req->id.idiag_src, sizeof(local));
	memcpy(&remote, req->id.idiag_dst, sizeof(remote));
	if (ipv6_addr_v4mapped(&local) && ipv6_addr_v4mapped(&remote))
		*ret = inet_tuple_v4(ipv6_addr_v4(&remote), rport, ipv6_addr_v4(&local), lport,
				     dif);
	else
		*ret = inet_tuple_v6(&remote, rport, &local, lport, dif);
}

struct sock_common *inet_diag_lookup_raw(const struct hlist_head *bucket,
					 const struct inet_diag_req_v2 *req,
					 bool (*same_addrs)(const struct sock_common *c,
							    const struct inet_diag_sockid *id))
{
	const struct inet_diag_req_raw *r = (const void *)req;
	struct sock_common *c, *found = NULL;

	hlist_for_each_entry(c, bucket, skc_node) {
		if (c->skc_num != r->sdiag_raw_protocol || !same_addrs(c, &r->id) ||
		    (r->id.idiag_if && (u32)c->skc_bound_dev_if != r->id.idiag_if))
			continue;
		found = c;
		if (!sock_diag_check_cookie(c->skc_cookie, r->id.idiag_cookie))
			break;
	}
	return found;
}

int inet_diag_register(struct machine *m, const struct inet_diag_handler *h)
{
	assert(h->table && h->lookup);
	for (u32 v6 = 0; v6 < 2; v6++)
		if (h->family != (v6 ? AF_INET : AF_INET6) && m->inet->diag[v6][h->protocol])
			return -EEXIST;
	for (u32 v6 = 0; v6 < 2; v6++)
		if (h->family != (v6 ? AF_INET : AF_INET6))
			m->inet->diag[v6][h->protocol] = h;
	return 0;
}

/* ---- requests --------------------------------------------------------------------------------------------- */

static const struct nla_policy req_policy[INET_DIAG_REQ_MAX + 1] = {
	[INET_DIAG_REQ_BYTECODE] = { NLA_K_BINARY, .help = "filter program" },
	[INET_DIAG_REQ_SK_BPF_STORAGES] = { NLA_K_NESTED },
	[INET_DIAG_REQ_PROTOCOL] = { NLA_K_U32, .help = "protocols above 255" },
};

struct diag_request {
	const struct inet_diag_req_v2 *r;
	const struct inet_diag_handler *h;
	const struct nlattr *bytecode; /* NULL: everything */
};

static int parse_request(struct net *net, const struct nlmsghdr *nlh,
			 struct netlink_ext_ack *extack, struct diag_request *ret)
{
	const struct nlattr *tb[INET_DIAG_REQ_MAX + 1] = { NULL };
	const struct inet_diag_handler *const *handlers;
	u32 protocol;
	int err = nlmsg_parse(nlh, sizeof(*ret->r), tb, INET_DIAG_REQ_MAX, req_policy, extack);

	if (err)
		return err;
	ret->r = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	protocol = ret->r->sdiag_protocol;
	if (tb[INET_DIAG_REQ_PROTOCOL])
		protocol = nla_get_u32(tb[INET_DIAG_REQ_PROTOCOL]);
	handlers = net->machine->inet->diag[ret->r->sdiag_family == AF_INET6];
	if (protocol >= ARRAY_SIZE(net->machine->inet->diag[0]) || !handlers[protocol])
		return -ENOENT;
	ret->h = handlers[protocol];
	ret->bytecode = tb[INET_DIAG_REQ_BYTECODE];
	if (ret->bytecode &&
	    inet_diag_bc_audit(nla_data(ret->bytecode), (u32)nla_len(ret->bytecode))) {
		nl_set_bad_attr(extack, ret->bytecode);
		return -EINVAL;
	}
	return 0;
}

/* ---- what a sock looks like --------------------------------------------------------------------------------- */

static bool is_full(const struct sock_common *c)
{
	return c->skc_state != SS_TCP_TIME_WAIT && c->skc_state != SS_TCP_NEW_SYN_RECV;
}

/* The state as programs know it. */
static u8 visible_state(const struct sock_common *c)
{
	if (c->skc_state == SS_TCP_TIME_WAIT)
		return inet_twsk(c)->tw_substate;
	return c->skc_state == SS_TCP_NEW_SYN_RECV ? SS_TCP_SYN_RECV : c->skc_state;
}

static be16 local_port(const struct sock_common *c)
{
	if (c->skc_state == SS_TCP_TIME_WAIT)
		return inet_twsk(c)->tw_sport;
	return c->skc_state == SS_TCP_NEW_SYN_RECV ? cpu_to_be16(c->skc_num)
						   : inet_sk(c)->inet_sport;
}

static u32 mark_of(const struct sock_common *c)
{
	if (c->skc_state == SS_TCP_TIME_WAIT)
		return inet_twsk(c)->tw_mark;
	return c->skc_state == SS_TCP_NEW_SYN_RECV ? ((const struct request_sock *)c)->ir_mark
						   : ((const struct sock *)c)->sk_mark;
}

static void fill_id(struct inet_diag_msg *r, const struct sock_common *c)
{
	r->idiag_family = (u8)c->skc_family;
	r->idiag_state = visible_state(c);
	r->id.idiag_sport = local_port(c).v;
	r->id.idiag_dport = c->skc_dport.v;
	r->id.idiag_if = (u32)c->skc_bound_dev_if;
	sock_diag_save_cookie(c->skc_cookie, r->id.idiag_cookie);
	if (c->skc_family == AF_INET6) {
		memcpy(r->id.idiag_src, &c->skc_v6_rcv_saddr, 16);
		memcpy(r->id.idiag_dst, &c->skc_v6_daddr, 16);
	} else {
		r->id.idiag_src[0] = c->skc_rcv_saddr.v;
		r->id.idiag_dst[0] = c->skc_daddr.v;
	}
}

static void put_sockopt(struct nl_msg *m, const struct inet_sock *inet)
{
	const struct inet_diag_sockopt opt = {
		.recverr = inet->recverr,
		.is_icsk = inet->is_icsk,
		.freebind = inet->freebind,
		.hdrincl = inet->hdrincl,
		.mc_loop = inet->mc_loop,
		.transparent = inet->transparent,
		.mc_all = inet->mc_all,
		.nodefrag = inet->nodefrag,
		.bind_address_no_port = inet->bind_address_no_port,
		.recverr_rfc4884 = inet->recverr_rfc4884,
		.defer_connect = inet->defer_connect,
	};

	nla_put(m, INET_DIAG_SOCKOPT, sizeof(opt), &opt);
}

static void put_meminfo(struct nl_msg *m, const struct sock *sk)
{
	const struct inet_diag_meminfo mem = {
		.idiag_rmem = sk->sk_rmem_alloc,
		.idiag_wmem = sk->sk_wmem_queued,
		.idiag_fmem = sk_mem_forward(sk),
		.idiag_tmem = sk->sk_wmem_alloc,
	};

	nla_put(m, INET_DIAG_MEMINFO, sizeof(mem), &mem);
}

/* Linux's order: programs do not depend on it, captures that are compared do. */
static void put_attrs(struct nl_msg *m, struct sock *sk, u32 ext)
{
	nla_put_u8(m, INET_DIAG_SHUTDOWN, sk->sk_shutdown);
	if (ext & EXT(INET_DIAG_TOS))
		nla_put_u8(m, INET_DIAG_TOS, inet_sk(sk)->tos);
	if (sk->sk_family == AF_INET6 &&
	    (sk->sk_state == SS_TCP_LISTEN || sk->sk_state == SS_TCP_CLOSE))
		nla_put_u8(m, INET_DIAG_SKV6ONLY, sk->sk_ipv6only);
	nla_put_u32(m, INET_DIAG_MARK, sk->sk_mark);
	if (ext & (EXT(INET_DIAG_TCLASS)))
		nla_put_u32(m, INET_DIAG_CLASS_ID, sk->sk_priority);
	put_sockopt(m, inet_sk(sk));
	if (ext & EXT(INET_DIAG_MEMINFO))
		put_meminfo(m, sk);
	if (ext & EXT(INET_DIAG_SKMEMINFO))
		sock_diag_put_meminfo(m, INET_DIAG_SKMEMINFO, sk);
	/* The number of a raw socket's protocol is the program's choice. */
	if (sk->sk_type == SOCK_RAW)
		nla_put_u8(m, INET_DIAG_PROTOCOL, sk->sk_protocol);
}

static void fill_full(struct nl_msg *m, struct inet_diag_msg *r, struct sock *sk,
		      const struct inet_diag_handler *h, u32 ext, bool privileged)
{
	u8 info[512] __attribute__((aligned(8))) = { 0 };
	bool with_info = h->info_size && ext & EXT(INET_DIAG_INFO);

	assert(h->info_size <= sizeof(info));
	r->idiag_uid = sk->sk_uid;
	r->idiag_inode = sock_diag_ino(sk);
	if (h->get_info) {
		h->get_info(sk, r, with_info ? info : NULL);
	} else {
		r->idiag_rqueue = sk->sk_rmem_alloc;
		r->idiag_wqueue = sk->sk_wmem_alloc;
	}
	put_attrs(m, sk, ext);
	if (with_info)
		nla_put(m, INET_DIAG_INFO, h->info_size, info);
	if (h->get_aux)
		h->get_aux(sk, m, ext, privileged);
}

/* cpu lock held. 0 or -EMSGSIZE */
static int fill_sock(struct nl_msg *m, struct sock_common *c, const struct inet_diag_handler *h,
		     u32 ext, bool privileged, u32 portid, u32 seq, u16 flags)
{
	struct inet_diag_msg *r =
		nlmsg_begin(m, portid, seq, SOCK_DIAG_BY_FAMILY, flags, sizeof(*r));

	if (!r)
		return -EMSGSIZE;
	fill_id(r, c);
	if (is_full(c)) {
		fill_full(m, r, (struct sock *)c, h, ext, privileged);
	} else {
		if (h->get_mini)
			h->get_mini(c, r);
		nla_put_u32(m, INET_DIAG_MARK, mark_of(c));
	}
	return nlmsg_finish(m);
}

/* ---- dumps -------------------------------------------------------------------------------------------------- */

static bool passes_bytecode(const struct diag_request *q, const struct sock_common *c)
{
	bool v6 = c->skc_family == AF_INET6;
	struct inet_diag_entry e = {
		.saddr = v6 ? (const be32 *)&c->skc_v6_rcv_saddr : &c->skc_rcv_saddr,
		.daddr = v6 ? (const be32 *)&c->skc_v6_daddr : &c->skc_daddr,
		.family = c->skc_family,
		.sport = be16_to_cpu(local_port(c)),
		.dport = be16_to_cpu(c->skc_dport),
		.ifindex = c->skc_bound_dev_if,
		.userlocks = is_full(c) ? ((const struct sock *)c)->sk_userlocks : 0,
		.mark = mark_of(c),
	};

	return inet_diag_bc_run(nla_data(q->bytecode), (u32)nla_len(q->bytecode), &e);
}

static bool wanted(const struct diag_request *q, const struct sock_common *c)
{
	const struct inet_diag_req_v2 *r = q->r;
	be16 sport = be16_raw(r->id.idiag_sport), dport = be16_raw(r->id.idiag_dport);

	if (inet_is_replica(c))
		return false;
	if (r->sdiag_family != AF_UNSPEC && c->skc_family != r->sdiag_family)
		return false;
	if (!(r->idiag_states & (1u << visible_state(c))))
		return false;
	if (!be16_zero(sport) && !be16_eq(sport, local_port(c)))
		return false;
	if (!be16_zero(dport) && !be16_eq(dport, c->skc_dport))
		return false;
	if (r->id.idiag_if && (u32)c->skc_bound_dev_if != r->id.idiag_if)
		return false;
	return !q->bytecode || passes_bytecode(q, c);
}

struct diag_walk {
	struct nl_msg *msg;
	struct netlink_callback *cb;
	struct diag_request q;
	struct inet_diag_table table;
	u32 budget;
};

enum { /* netlink_callback.args */
       ARG_TABLE,
       ARG_BITS, /* of the table when the walk of it began; 0: it has not begun */
       ARG_BUCKET,
       ARG_SKIP, /* entries of the bucket that are done */
       ARG_SHARD /* of a net on several cpus */
};

/* One bucket, in the terms of the table as it was at the beginning. 0, or > 0: no room in the message, or budget is used up. */
static int walk_bucket(struct diag_walk *w)
{
	struct netlink_callback *cb = w->cb;
	u64 step = 1ull << cb->args[ARG_BITS], n = 1ull << w->table.bits, index = 0;
	struct sock_common *c;

	for (u64 b = cb->args[ARG_BUCKET]; b < n; b += step) {
		hlist_for_each_entry(c, &w->table.heads[b], skc_node) {
			if (index++ < cb->args[ARG_SKIP])
				continue;
			if (wanted(&w->q, c) &&
			    fill_sock(w->msg, c, w->q.h, w->q.r->idiag_ext, cb->privileged,
				      cb->portid, cb->nlh->nlmsg_seq, NLM_F_MULTI))
				return 1;
			cb->args[ARG_SKIP] = index;
			if (w->budget)
				w->budget--;
		}
		if (w->budget) /* an empty bucket takes time too */
			w->budget--;
	}
	return 0;
}

/* cpu lock held. 0: all tables are done; > 0: as walk_bucket(). */
static int walk_tables(struct diag_walk *w, struct net *net)
{
	struct netlink_callback *cb = w->cb;
	u32 states = w->q.r->idiag_states;

	for (; w->q.h->table(net, (u32)cb->args[ARG_TABLE], &w->table);
	     cb->args[ARG_TABLE]++, cb->args[ARG_BITS] = cb->args[ARG_BUCKET] = 0) {
		if (w->table.listeners && !(states & (1u << SS_TCP_LISTEN)))
			continue;
		if (!cb->args[ARG_BITS])
			cb->args[ARG_BITS] = w->table.bits;
		for (; cb->args[ARG_BUCKET] < 1ull << cb->args[ARG_BITS];
		     cb->args[ARG_BUCKET]++, cb->args[ARG_SKIP] = 0)
			if (walk_bucket(w) || !w->budget)
				return 1;
	}
	return 0;
}

/* The parts that @net consists of; NULL: it has no more. */
static struct net *nth_shard(struct net *net, u64 n)
{
	if (likely(!net->group))
		return n ? NULL : net;
	return n < net->group->n ? net->group->shards[n] : NULL;
}

static int inet_diag_dump(struct nl_msg *msg, struct netlink_callback *cb)
{
	struct diag_walk w = { .msg = msg, .cb = cb };
	struct net *net;
	int r = parse_request(cb->net, cb->nlh, cb->extack, &w.q);

	if (r)
		return r;
	for (; (net = nth_shard(cb->net, cb->args[ARG_SHARD]));
	     cb->args[ARG_SHARD]++, cb->args[ARG_TABLE] = cb->args[ARG_BITS] =
					    cb->args[ARG_BUCKET] = cb->args[ARG_SKIP] = 0) {
		do {
			w.budget = WALK_MAX;
			cpu_lock(net->cpu);
			r = walk_tables(&w, net);
			cpu_unlock(net->cpu);
		} while (r && !w.budget); /* else the message is full */
		if (r)
			return r;
	}
	return 0;
}

/* ---- one socket ----------------------------------------------------------------------------------------------- */

/* cpu lock held. The sock that is named, checked; NULL with *ret_err */
static struct sock_common *find_exact(struct net *net, const struct diag_request *q, int *ret_err)
{
	struct sock_common *c = q->h->lookup(net, q->r);

	*ret_err = c ? sock_diag_check_cookie(c->skc_cookie, q->r->id.idiag_cookie) : -ENOENT;
	return *ret_err ? NULL : c;
}

static int inet_diag_get(struct nl_request *req)
{
	struct diag_request q;
	struct sock_common *c;
	struct net *net;
	int err = parse_request(req->net, req->nlh, req->extack, &q);

	if (err)
		return err;
	for (u32 i = 0; (net = nth_shard(req->net, i)); i++) {
		cpu_lock(net->cpu);
		c = find_exact(net, &q, &err);
		if (c)
			err = fill_sock(req->reply, c, q.h, q.r->idiag_ext, req->privileged,
					req->portid, req->nlh->nlmsg_seq, 0);
		cpu_unlock(net->cpu);
		if (err != -ENOENT)
			break;
	}
	return err;
}

static int inet_diag_destroy(struct nl_request *req)
{
	struct diag_request q;
	struct sock_common *c;
	struct net *net;
	int err = parse_request(req->net, req->nlh, req->extack, &q);

	if (err)
		return err;
	if (!q.h->destroy)
		return -EOPNOTSUPP;
	for (u32 i = 0; (net = nth_shard(req->net, i)); i++) {
		cpu_lock(net->cpu);
		c = find_exact(net, &q, &err);
		if (c)
			err = q.h->destroy(c);
		cpu_unlock(net->cpu);
		if (err != -ENOENT)
			break;
	}
	return err;
}

int inet_diag_machine_init(struct machine *m)
{
	/* Without IPv6 there are no such sockets, which is not an error: ss asks for both. */
	static const struct sock_diag_handler handlers[] = {
		{ AF_INET, sizeof(struct inet_diag_req_v2), inet_diag_dump, inet_diag_get,
		  inet_diag_destroy },
		{ AF_INET6, sizeof(struct inet_diag_req_v2), inet_diag_dump, inet_diag_get,
		  inet_diag_destroy },
	};
	int err = 0;

	for (u32 i = 0; i < ARRAY_SIZE(handlers) && !err; i++)
		err = sock_diag_register(m, &handlers[i]);
	return err;
}
