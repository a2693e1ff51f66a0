/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_views.c - /proc/net/tcp, tcp6, sockstat and sockstat6, in the format of proc(5)
 *
 * Lines of IPv4 are padded to 149 characters, as programs that seek in the file expect. Where Linux prints a kernel pointer we print
 * zeroes: what nobody may use should not differ between runs.
 */
#include <stdio.h>

#include "core/sysctl.h"
#include "ipv6/ipv6.h"
#include "tcp/tcp.h"
#include "tcp/tcp_internal.h"

#define TCP_LINE   149
#define CLOCK_T_NS (NSEC_PER_SEC / 100)

static void put_line(struct text *t, u16 family, const char *line)
{
	text_printf(t, "%-*s\n", family == AF_INET ? TCP_LINE : 0, line);
}

static u64 clock_t_until(const struct net *net, u64 when)
{
	u64 now = net_now(net);

	return when > now ? (when - now + CLOCK_T_NS - 1) / CLOCK_T_NS : 0;
}

static void show_sock(struct net *net, struct text *t, struct sock *sk, u32 i)
{
	const struct inet_connection_sock *icsk = inet_csk(sk);
	const struct tcp_sock *tp = tcp_sk(sk);
	bool listening = sk->sk_state == SS_TCP_LISTEN;
	u32 rx = listening ? sk->sk_ack_backlog : tp->rcv_nxt - tp->copied_seq;
	u64 when = net_now(net);
	int timer = 0;
	char line[256], local[INET_PROC_ADDR], remote[INET_PROC_ADDR];

	inet_proc_addr(local, &sk->c, true);
	inet_proc_addr(remote, &sk->c, false);
	if (icsk->icsk_pending == ICSK_TIME_PROBE0) {
		timer = 4;
		when = icsk->icsk_timeout;
	} else if (icsk->icsk_pending) {
		timer = 1;
		when = icsk->icsk_timeout;
	} else if (icsk->icsk_keepalive_timeout) {
		timer = 2;
		when = icsk->icsk_keepalive_timeout;
	}
	snprintf(line, sizeof(line),
		 "%4u: %s:%04X %s:%04X %02X %08X:%08X %02X:%08llX %08X %5u %8d %llu %u %016x "
		 "%llu %llu %u %u %d",
		 i, local, be16_to_cpu(inet_sk(sk)->inet_sport), remote, be16_to_cpu(sk->sk_dport),
		 sk->sk_state, listening ? 0 : tp->write_seq - tp->snd_una, rx, timer,
		 (unsigned long long)clock_t_until(net, when), icsk->icsk_retransmits, sk->sk_uid,
		 icsk->icsk_probes_out,
		 (unsigned long long)(sk->sk_socket ? sk->sk_socket->inode.ino : 0), sk->sk_refcnt,
		 0, (unsigned long long)(icsk->icsk_rto_us * NSEC_PER_USEC / CLOCK_T_NS),
		 (unsigned long long)(icsk->icsk_ack.ato_us * NSEC_PER_USEC / CLOCK_T_NS),
		 (u32)icsk->icsk_ack.quick << 1 | tcp_in_pingpong(sk), tp->snd_cwnd,
		 listening || tcp_in_initial_slowstart(tp) ? (listening ? 0 : -1)
							   : (int)tp->snd_ssthresh);
	put_line(t, sk->sk_family, line);
}

static void show_timewait(struct net *net, struct text *t, const struct inet_timewait_sock *tw,
			  u32 i)
{
	char line[256], local[INET_PROC_ADDR], remote[INET_PROC_ADDR];

	inet_proc_addr(local, &tw->c, true);
	inet_proc_addr(remote, &tw->c, false);
	snprintf(line, sizeof(line),
		 "%4u: %s:%04X %s:%04X %02X %08X:%08X %02X:%08llX %08X %5d %8d %d %d %016x", i,
		 local, be16_to_cpu(tw->tw_sport), remote, be16_to_cpu(tw->c.skc_dport),
		 tw->tw_substate, 0, 0, 3,
		 (unsigned long long)clock_t_until(net, tw->tw_timer.expires), 0, 0, 0, 0, 3, 0);
	put_line(t, tw->c.skc_family, line);
}

static void show_request(struct net *net, struct text *t, const struct request_sock *req, u32 i)
{
	char line[256], local[INET_PROC_ADDR], remote[INET_PROC_ADDR];

	inet_proc_addr(local, &req->c, true);
	inet_proc_addr(remote, &req->c, false);
	snprintf(line, sizeof(line),
		 "%4u: %s:%04X %s:%04X %02X %08X:%08X %02X:%08llX %08X %5u %8d %d %d %016x", i,
		 local, req->c.skc_num, remote, be16_to_cpu(req->c.skc_dport), SS_TCP_SYN_RECV, 0,
		 0, 1, (unsigned long long)clock_t_until(net, req->timer.expires), req->num_timeout,
		 req->rsk_listener->sk_uid, 0, 0, 0, 0);
	put_line(t, req->c.skc_family, line);
}

static void show_bucket(struct net *net, struct text *t, const struct hlist_head *head, u16 family,
			u32 *i)
{
	struct sock_common *c;

	hlist_for_each_entry(c, head, skc_node) {
		if (c->skc_family != family || inet_is_replica(c))
			continue;
		if (c->skc_state == SS_TCP_TIME_WAIT)
			show_timewait(net, t, (const struct inet_timewait_sock *)c, (*i)++);
		else if (c->skc_state == SS_TCP_NEW_SYN_RECV)
			show_request(net, t, (const struct request_sock *)c, (*i)++);
		else
			show_sock(net, t, (struct sock *)c, (*i)++);
	}
}

/* Listeners first, then connections. */
static void show_family(struct net *net, struct text *t, u16 family)
{
	const struct inet_hashinfo *h = &net->tcp->hashinfo;
	u32 i = 0;

	put_line(t, family,
		 family == AF_INET
			 ? "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when "
			   "retrnsmt   uid  timeout inode"
			 : "  sl  local_address                         remote_address"
			   "                        st tx_queue rx_queue tr tm->when retrnsmt   "
			   "uid  timeout inode");
	for (u32 b = 0; b < 1u << h->lhash2_bits; b++)
		show_bucket(net, t, &h->lhash2[b], family, &i);
	for (u32 b = 0; b < 1u << h->ehash_bits; b++)
		show_bucket(net, t, &h->ehash[b], family, &i);
}

static void tcp_show(struct net *net, struct text *t)
{
	show_family(net, t, AF_INET);
}

static void tcp6_show(struct net *net, struct text *t)
{
	show_family(net, t, AF_INET6);
}

/* What /proc/net/sockstat and sockstat6 count by the protocol number: sockets of a family that are in the protocol's table. */
struct sock_counts {
	u32 used; /* of any family */
	u32 proto[256];
	u64 pages[256]; /* of memory, of both families */
};

static u32 count_bucket(const struct hlist_head *head, u16 family, u64 *pages)
{
	const struct sock_common *c;
	u32 n = 0;

	hlist_for_each_entry(c, head, skc_node) {
		if (c->skc_state == SS_TCP_TIME_WAIT || c->skc_state == SS_TCP_NEW_SYN_RECV)
			continue;
		n += c->skc_family == family;
		*pages += sk_mem_pages((const struct sock *)c);
	}
	return n;
}

static void count_sockets(const struct net *net, u16 family, struct sock_counts *n)
{
	const struct inet_hashinfo *h = &net->tcp->hashinfo;
	const struct socket *sock;

	memset(n, 0, sizeof(*n));
	list_for_each_entry(sock, &net->sock->sockets, net_node) {
		const struct sock *sk = sock->sk;

		n->used++;
		if (sk && sk->sk_protocol != IPPROTO_TCP)
			n->pages[sk->sk_protocol] += sk_mem_pages(sk);
		if (!sk || sk->sk_family != family || hlist_unhashed(&sk->sk_node))
			continue;
		/* A raw socket's protocol is the program's: all of them count as one. */
		n->proto[sk->sk_type == SOCK_RAW ? IPPROTO_RAW : sk->sk_protocol]++;
	}
	/* Also those that no program has any more. */
	n->proto[IPPROTO_TCP] = 0;
	for (u32 b = 0; b < 1u << h->lhash2_bits; b++)
		n->proto[IPPROTO_TCP] +=
			count_bucket(&h->lhash2[b], family, &n->pages[IPPROTO_TCP]);
	for (u32 b = 0; b < 1u << h->ehash_bits; b++)
		n->proto[IPPROTO_TCP] += count_bucket(&h->ehash[b], family, &n->pages[IPPROTO_TCP]);
}

static void sockstat_show(struct net *net, struct text *t)
{
	const struct inet_hashinfo *h = &net->tcp->hashinfo;
	u32 tw = net->inet->tw_count;
	struct sock_counts n;

	count_sockets(net, AF_INET, &n);
	text_printf(t, "sockets: used %u\n", n.used);
	text_printf(t, "TCP: inuse %u orphan %u tw %u alloc %u mem %llu\n", n.proto[IPPROTO_TCP],
		    net->tcp->orphan_count, tw, h->ehash_count + h->lhash2_count - tw,
		    (unsigned long long)n.pages[IPPROTO_TCP]);
	text_printf(t, "UDP: inuse %u mem %llu\n", n.proto[IPPROTO_UDP],
		    (unsigned long long)n.pages[IPPROTO_UDP]);
	text_printf(t, "UDPLITE: inuse %u\n", n.proto[IPPROTO_UDPLITE]);
	text_printf(t, "RAW: inuse %u\n", n.proto[IPPROTO_RAW]);
	text_printf(t, "FRAG: inuse %u memory %u\n", net->ipv4->frags.nqueues,
		    net->ipv4->frags.mem);
}

static void sockstat6_show(struct net *net, struct text *t)
{
	struct sock_counts n;

	count_sockets(net, AF_INET6, &n);
	text_printf(t, "TCP6: inuse %u\n", n.proto[IPPROTO_TCP]);
	text_printf(t, "UDP6: inuse %u\n", n.proto[IPPROTO_UDP]);
	text_printf(t, "UDPLITE6: inuse %u\n", n.proto[IPPROTO_UDPLITE]);
	text_printf(t, "RAW6: inuse %u\n", n.proto[IPPROTO_RAW]);
	text_printf(t, "FRAG6: inuse %u memory %u\n", net->ipv6->frags.nqueues,
		    net->ipv6->frags.mem);
}

static const struct view_desc tcp_views[] = {
	{ "/proc/net/tcp", tcp_show, .rows = true },
	{ "/proc/net/tcp6", tcp6_show, .rows = true },
	{ "/proc/net/sockstat", sockstat_show },
	{ "/proc/net/sockstat6", sockstat6_show },
};

int tcp_views_machine_init(struct machine *m)
{
	return view_register(m, tcp_views, ARRAY_SIZE(tcp_views));
}
