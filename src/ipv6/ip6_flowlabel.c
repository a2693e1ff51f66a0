/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ip6_flowlabel.c - flow labels (RFC 6437): those that programs reserve, and those that are made for packets without one
 *
 * Theory of operation
 *   IPV6_FLOWLABEL_MGR asks for a label to a destination, by number or any that is free. A label is one per net; a second socket
 *   gets it too when both say the same share mode and that allows it (a process's and a user's are told apart by uid). It lives while a
 *   socket has it, and after that for its linger time, so that it is not given to others while packets are under way; time is
 *   compared when somebody looks. While a label that is not everybody's exists in the net, a socket may send only labels it has.
 *   Packets without a label get a hash of their flow with a key of the machine's (net.ipv6.auto_flowlabels).
 * Invariants
 *   users counts the socket entries that refer to a label; no label is freed while it is not 0. Their number is bounded.
 * Locking: the cpu lock.
 */
#include <errno.h>
#include <netinet/in.h> /* before the kernel's in6.h */
#include <stdlib.h>

#include <linux/in6.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "core/sysctl.h"
#include "ipv6/ip6_sockglue.h"
#include "ipv6/ipv6_internal.h"
#include "lib/siphash.h"

#define FL_MIN_LINGER   6 /* s: IPv6 says that a label is not used again for so long (RFC 6437 3) */
#define FL_MAX_LINGER   150 /* s: more is for root */
#define FL_MAX_PER_SOCK 32
#define FL_MAX_SIZE     4096
#define FL_OPTIONS_MAX  (64 * 1024)
#define FL_STATELESS                                                                               \
	0x00080000u /* flowlabel_state_ranges: labels of packets without one have this bit */

struct ip6_flowlabel {
	struct list_head node; /* netns_ipv6.flowlabels */
	be32 label;
	struct in6_addr dst;
	struct ipv6_txoptions *opt;
	u32 uid;
	u32 users;
	u8 share;             /* IPV6_FL_S_* */
	u32 linger;           /* s */
	u64 expires, lastuse; /* ns */
};

struct ipv6_fl_socklist {      /* a label that a socket has */
	struct list_head node; /* ipv6_pinfo.fl_list */
	struct ip6_flowlabel *fl;
};

/* ---- the labels of a net --------------------------------------------------------------------------------------- */

static void fl_free(struct ip6_flowlabel *fl)
{
	txopt_put(fl->opt);
	free(fl);
}

static bool fl_is_exclusive(const struct ip6_flowlabel *fl)
{
	return fl->share != IPV6_FL_S_ANY || fl->opt;
}

/* Labels that nobody has any more and whose time is over. */
static void fl_expire(struct net *net)
{
	struct ip6_flowlabel *fl, *next;
	u64 now = net_now(net);

	list_for_each_entry_safe(fl, next, &net->ipv6->flowlabels, node) {
		u64 ttd = max(fl->expires, fl->lastuse + fl->linger * NSEC_PER_SEC);

		if (!fl->users && ttd <= now) {
			list_del(&fl->node);
			fl_free(fl);
		}
	}
}

static struct ip6_flowlabel *fl_lookup(struct net *net, be32 label)
{
	struct ip6_flowlabel *fl;

	fl_expire(net);
	list_for_each_entry(fl, &net->ipv6->flowlabels, node)
		if (be32_eq(fl->label, label))
			return fl;
	return NULL;
}

static u32 fl_count(const struct net *net)
{
	const struct ip6_flowlabel *fl;
	u32 n = 0;

	list_for_each_entry(fl, &net->ipv6->flowlabels, node)
		n++;
	return n;
}

static struct ipv6_fl_socklist *fl_of_sock(const struct sock *sk, be32 label)
{
	struct ipv6_fl_socklist *s;

	list_for_each_entry(s, &inet6_sk(sk)->fl_list, node)
		if (be32_eq(s->fl->label, label))
			return s;
	return NULL;
}

static int fl_link(struct sock *sk, struct ip6_flowlabel *fl)
{
	struct ipv6_fl_socklist *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	s->fl = fl;
	fl->users++;
	fl->lastuse = net_now(sock_net(sk));
	list_add(&s->node, &inet6_sk(sk)->fl_list);
	return 0;
}

static void fl_unlink(struct net *net, struct ipv6_fl_socklist *s)
{
	s->fl->users--;
	s->fl->lastuse = net_now(net);
	list_del(&s->node);
	free(s);
}

void fl6_free_socklist(struct sock *sk)
{
	struct ipv6_fl_socklist *s, *next;

	list_for_each_entry_safe(s, next, &inet6_sk(sk)->fl_list, node)
		fl_unlink(sock_net(sk), s);
}

int fl6_sock_lookup(const struct sock *sk, be32 flowinfo, struct ipv6_txoptions **ret_opt)
{
	be32 label = be32_raw(flowinfo.v & cpu_to_be32(IPV6_FLOWLABEL_MASK_).v);
	const struct ipv6_fl_socklist *s;
	const struct ip6_flowlabel *fl;

	*ret_opt = NULL;
	if (be32_zero(label))
		return 0;
	s = fl_of_sock(sk, label);
	if (s) {
		s->fl->lastuse = net_now(sock_net(sk));
		*ret_opt = s->fl->opt;
		return 0;
	}
	list_for_each_entry(fl, &sock_net(sk)->ipv6->flowlabels, node)
		if (fl_is_exclusive(fl))
			return -EINVAL;
	return 0;
}

/* ---- IPV6_FLOWLABEL_MGR ------------------------------------------------------------------------------------------ */

/* Seconds, within what @sk may ask for; 0: it may not. */
static u32 check_linger(const struct sock *sk, u32 ttl)
{
	if (ttl < FL_MIN_LINGER)
		return FL_MIN_LINGER;
	return ttl > FL_MAX_LINGER && sk->sk_uid != 0 ? 0 : ttl;
}

static int fl_renew(const struct sock *sk, struct ip6_flowlabel *fl, u32 linger, u32 expires)
{
	u64 now = net_now(sock_net(sk));

	linger = check_linger(sk, linger);
	expires = check_linger(sk, expires);
	if (!linger || !expires)
		return -EPERM;
	fl->lastuse = now;
	fl->linger = linger;
	fl->expires = max(fl->expires, now + max(linger, expires) * NSEC_PER_SEC);
	return 0;
}

struct fl_options {
	struct sock *sk;
	struct ipv6_txoptions *opt;
};

/* Extension headers of all packets with the label, as control messages behind the request. */
static int fl_option(const struct cmsghdr *cmsg, size_t len, void *arg)
{
	struct fl_options *o = arg;

	if (cmsg->cmsg_level != SOL_IPV6)
		return 0;
	return ip6_cmsg_option(o->sk, cmsg, len, &o->opt);
}

/* 0 or -errno: the label that @freq describes, without a number. */
static int fl_create(struct sock *sk, const struct in6_flowlabel_req *freq, const void *val,
		     socklen_t len, struct ip6_flowlabel **ret)
{
	u32 off = (u32)CMSG_ALIGN(sizeof(*freq));
	struct fl_options o = { .sk = sk };
	struct ip6_flowlabel *fl;
	struct kmsghdr msg = { 0 };
	int type = ipv6_addr_type(&freq->flr_dst), err;

	if (len > off) {
		if (len - off > FL_OPTIONS_MAX)
			return -EINVAL;
		msg.control = (u8 *)(uintptr_t)val + off;
		msg.controllen = len - off;
		err = cmsg_walk(&msg, fl_option, &o);
		if (err)
			goto drop;
	}
	err = -EINVAL;
	if (type == IPV6_ADDR_ANY || type & IPV6_ADDR_MAPPED)
		goto drop;
	switch (freq->flr_share) {
	case IPV6_FL_S_EXCL:
	case IPV6_FL_S_ANY:
	case IPV6_FL_S_PROCESS:
	case IPV6_FL_S_USER:
		break;
	default:
		goto drop;
	}
	err = -ENOMEM;
	fl = calloc(1, sizeof(*fl));
	if (!fl)
		goto drop;
	fl->dst = freq->flr_dst;
	fl->share = freq->flr_share;
	fl->uid = sk->sk_uid;
	fl->opt = o.opt;
	err = fl_renew(sk, fl, freq->flr_linger, freq->flr_expires);
	if (err)
		fl_free(fl);
	else
		*ret = fl;
	return err;
drop:
	txopt_put(o.opt);
	return err;
}

/* @fl is there already: may this socket have it, too? */
static int fl_share(struct sock *sk, struct ip6_flowlabel *fl, const struct ip6_flowlabel *wanted,
		    u16 flags)
{
	int err;

	if (flags & IPV6_FL_F_EXCL)
		return -EEXIST;
	if (fl->share == IPV6_FL_S_EXCL || fl->share != wanted->share ||
	    (fl->share != IPV6_FL_S_ANY && fl->uid != wanted->uid))
		return -EPERM;
	err = fl_link(sk, fl);
	if (err)
		return err;
	fl->linger = max(fl->linger, wanted->linger);
	fl->expires = max(fl->expires, wanted->expires);
	return 0;
}

/* As many as one socket, and all of them, may have. */
static int fl_mem_check(const struct sock *sk)
{
	const struct ipv6_fl_socklist *s;
	u32 total, own = 0;

	fl_expire(sock_net(sk));
	total = fl_count(sock_net(sk));
	list_for_each_entry(s, &inet6_sk(sk)->fl_list, node)
		own++;
	if (total >= FL_MAX_SIZE || (sk->sk_uid != 0 && own >= FL_MAX_PER_SOCK))
		return -ENOBUFS;
	return 0;
}

/* @fl gets its number and joins the others. Takes it over on success. */
static int fl_intern(struct sock *sk, struct ip6_flowlabel *fl, be32 label)
{
	struct net *net = sock_net(sk);
	int err = fl_mem_check(sk);

	if (err)
		return err;
	fl->label = label;
	while (be32_zero(fl->label)) {
		u32 v = (u32)cpu_random(net->cpu) & IPV6_FLOWLABEL_MASK_;

		if (v && !fl_lookup(net, cpu_to_be32(v)))
			fl->label = cpu_to_be32(v);
	}
	err = fl_link(sk, fl);
	if (!err)
		list_add(&fl->node, &net->ipv6->flowlabels);
	return err;
}

static int fl_get(struct sock *sk, struct in6_flowlabel_req *freq, const void *val, socklen_t len)
{
	const struct netns_ipv6 *ip6 = sock_net(sk)->ipv6;
	be32 label = be32_raw(freq->flr_label);
	struct ip6_flowlabel *fl = NULL, *there = NULL;
	int err;

	if (freq->flr_flags & IPV6_FL_F_REFLECT) {
		if (ip6->flowlabel_consistency)
			return -EPERM;
		if (sk->sk_type != SOCK_STREAM)
			return -ENOPROTOOPT;
		inet6_sk(sk)->repflow = 1;
		return 0;
	}
	if (be32_to_cpu(label) & ~IPV6_FLOWLABEL_MASK_)
		return -EINVAL;
	if (ip6->flowlabel_state_ranges && be32_to_cpu(label) & FL_STATELESS)
		return -ERANGE;
	err = fl_create(sk, freq, val, len, &fl);
	if (err)
		return err;
	if (!be32_zero(label))
		there = fl_lookup(sock_net(sk), label);
	if (there) {
		err = fl_share(sk, there, fl, freq->flr_flags);
		fl_free(fl);
		return err;
	}
	err = freq->flr_flags & IPV6_FL_F_CREATE ? fl_intern(sk, fl, label) : -ENOENT;
	if (err) {
		fl_free(fl);
		return err;
	}
	freq->flr_label = fl->label.v;
	return 0;
}

static int fl_put(struct sock *sk, const struct in6_flowlabel_req *freq)
{
	struct ipv6_pinfo *np = inet6_sk(sk);
	struct ipv6_fl_socklist *s;

	if (freq->flr_flags & IPV6_FL_F_REFLECT) {
		if (sk->sk_type != SOCK_STREAM)
			return -ENOPROTOOPT;
		if (!np->repflow)
			return -ESRCH;
		np->flow_label = (be32){ 0 };
		np->repflow = 0;
		return 0;
	}
	s = fl_of_sock(sk, be32_raw(freq->flr_label));
	if (!s)
		return -ESRCH;
	if (!((np->flow_label.v ^ freq->flr_label) & cpu_to_be32(IPV6_FLOWLABEL_MASK_).v))
		np->flow_label.v &= ~cpu_to_be32(IPV6_FLOWLABEL_MASK_).v;
	fl_unlink(sock_net(sk), s);
	return 0;
}

static int fl_set_times(struct sock *sk, const struct in6_flowlabel_req *freq)
{
	be32 label = be32_raw(freq->flr_label);
	const struct ipv6_fl_socklist *s = fl_of_sock(sk, label);
	struct ip6_flowlabel *fl = s ? s->fl : NULL;

	/* Root may do it for anybody. */
	if (!fl && freq->flr_share == IPV6_FL_S_NONE && sk->sk_uid == 0)
		fl = fl_lookup(sock_net(sk), label);
	return fl ? fl_renew(sk, fl, freq->flr_linger, freq->flr_expires) : -ESRCH;
}

int ipv6_flowlabel_opt(struct sock *sk, const void *val, socklen_t len)
{
	struct in6_flowlabel_req freq;
	int err;

	if (len < sizeof(freq))
		return -EINVAL;
	memcpy(&freq, val, sizeof(freq));
	switch (freq.flr_action) {
	case IPV6_FL_A_PUT:
		return fl_put(sk, &freq);
	case IPV6_FL_A_RENEW:
		return fl_set_times(sk, &freq);
	case IPV6_FL_A_GET:
		err = fl_get(sk, &freq, val, len);
		/* The number that was chosen is written into the program's request: Linux has no other way to tell it. */
		if (!err && !((const struct in6_flowlabel_req *)val)->flr_label && freq.flr_label)
			((struct in6_flowlabel_req *)(uintptr_t)val)->flr_label = freq.flr_label;
		return err;
	default:
		return -EINVAL;
	}
}

int ipv6_flowlabel_opt_get(const struct sock *sk, void *val, socklen_t *len)
{
	const struct ipv6_pinfo *np = inet6_sk(sk);
	const struct ipv6_fl_socklist *s;
	struct in6_flowlabel_req freq;
	be32 label = be32_raw(np->flow_label.v & cpu_to_be32(IPV6_FLOWLABEL_MASK_).v);
	u64 now = net_now(sock_net(sk));

	if (*len < sizeof(freq))
		return -EINVAL;
	memcpy(&freq, val, sizeof(freq));
	if (freq.flr_action != IPV6_FL_A_GET)
		return -EINVAL;
	memset(&freq, 0, sizeof(freq));
	s = fl_of_sock(sk, label);
	if (np->repflow) {
		freq.flr_label = np->flow_label.v;
	} else if (s) {
		freq.flr_label = label.v;
		freq.flr_dst = s->fl->dst;
		freq.flr_share = s->fl->share;
		freq.flr_expires =
			(u16)((s->fl->expires - min(now, s->fl->expires)) / NSEC_PER_SEC);
		freq.flr_linger = (u16)s->fl->linger;
	} else {
		return -ENOENT;
	}
	*len = sizeof(freq);
	memcpy(val, &freq, sizeof(freq));
	return 0;
}

/* ---- labels for packets without one ------------------------------------------------------------------------------- */

be32 ip6_make_flowlabel(struct net *net, const struct flowi6 *fl)
{
	u32 ports = (u32)fl->sport.v << 16 | fl->dport.v, label;

	/* The whole flow under a key that is never shown, and that under one that nobody can compute backwards: two flows may meet. */
	label = (u32)siphash13_1u64(unihash_4_4_1(fl->saddr.s6_addr32, fl->daddr.s6_addr32, ports,
						  &net->ipv6->label_key),
				    net->machine->hash_seed) &
		IPV6_FLOWLABEL_MASK_;
	if (net->ipv6->flowlabel_state_ranges)
		label |= FL_STATELESS;
	return cpu_to_be32(label);
}

void ip6_sk_rehash(struct sock *sk)
{
	struct ipv6_pinfo *np = sk->sk_family == AF_INET6 ? inet6_sk(sk) : NULL;
	u32 old = np ? be32_to_cpu(np->auto_label.label) : 0, label = old;

	if (!old)
		return;
	while (!label || label == old) {
		label = (u32)cpu_random(sk->sk_cpu) & IPV6_FLOWLABEL_MASK_;
		if (sock_net(sk)->ipv6->flowlabel_state_ranges)
			label |= FL_STATELESS;
	}
	np->auto_label.label = cpu_to_be32(label);
}

/* ---- /proc/net/ip6_flowlabel -------------------------------------------------------------------------------------- */

void ip6_flowlabel_show(struct net *net, struct text *t)
{
	const struct ip6_flowlabel *fl;
	u64 now = net_now(net);

	fl_expire(net);
	text_printf(t,
		    "Label S Owner  Users  Linger Expires  Dst                              Opt\n");
	list_for_each_entry(fl, &net->ipv6->flowlabels, node) {
		const u8 *a = fl->dst.s6_addr;
		bool owned = fl->share == IPV6_FL_S_USER || fl->share == IPV6_FL_S_PROCESS;

		text_printf(
			t, "%05X %-1d %-6d %-6d %-6d %-8lld ", be32_to_cpu(fl->label), fl->share,
			owned ? (int)fl->uid : 0, (int)fl->users, (int)fl->linger,
			(long long)(fl->expires > now ? (fl->expires - now) / NSEC_PER_SEC : 0));
		for (u32 i = 0; i < 16; i++)
			text_printf(t, "%02x", a[i]);
		text_printf(t, " %-4d\n", fl->opt ? fl->opt->opt_nflen : 0);
	}
}

void ip6_flowlabel_net_exit(struct net *net)
{
	struct ip6_flowlabel *fl, *next;

	list_for_each_entry_safe(fl, next, &net->ipv6->flowlabels, node) {
		list_del(&fl->node);
		fl_free(fl);
	}
}
