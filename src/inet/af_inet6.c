/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * af_inet6.c - what sockets of PF_INET6 have that those of PF_INET have not
 *
 * An AF_INET6 sock is an inet_sock with a struct ipv6_pinfo at the end of its object; the calls are those of af_inet.c. It has both
 * pairs of addresses: when it talks IPv4 (its peer is ::ffff:a.b.c.d) the v4 pair holds what the v6 pair has mapped, else the v4
 * pair is 0. Lookups look at the pair of the packet (inet_common_bound()).
 * Locking: the home cpu's lock.
 * See RFC 3493 3.7 (mapped addresses), 5.3 (IPV6_V6ONLY), RFC 4007 6 (zones), ipv6(7).
 */
#include "inet/inet6_sock.h"

#include <linux/in6.h>

#include "core/skbuff.h"
#include "inet/inet_internal.h"
#include "wire/ipv6.h"

void inet6_sock_init(struct sock *sk)
{
	struct ipv6_pinfo *np = inet6_sk_generic(sk);

	inet_sk(sk)->pinet6 = np;
	np->hop_limit = -1;
	np->mcast_hops = -1;
	np->mc_loop = 1;
	np->mc_all = 1;
	np->pmtudisc = IPV6_PMTUDISC_WANT;
	np->checksum_offset = -1;
	list_init(&np->mc_list);
	list_init(&np->ac_list);
	list_init(&np->fl_list);
	sk->sk_ipv6only = sock_net(sk)->inet->bindv6only;
}

void inet6_sock_destruct(struct sock *sk)
{
	struct ipv6_pinfo *np = inet6_sk_generic(sk);

	txopt_put(np->opt);
	np->opt = NULL;
	consume_skb(np->rxpmtu);
	np->rxpmtu = NULL;
	consume_skb(np->pktoptions);
	np->pktoptions = NULL;
	inet6_sk_rx_dst_reset(np);
}

/* RFC 4007 6: which zone such an address is in, its octets do not say. */
static bool addr_needs_zone(const struct in6_addr *a)
{
	return IN6_IS_ADDR_LINKLOCAL(a) || IN6_IS_ADDR_MC_NODELOCAL(a) ||
	       IN6_IS_ADDR_MC_LINKLOCAL(a);
}

int inet6_getname(const struct sock *sk, struct sockaddr_storage *ret, bool peer)
{
	const struct ipv6_pinfo *np = inet_sk(sk)->pinet6;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ret;

	memset(sin6, 0, sizeof(*sin6));
	sin6->sin6_family = AF_INET6;
	if (peer) {
		sin6->sin6_port = sk->sk_dport.v;
		sin6->sin6_addr = sk->sk_v6_daddr;
		if (np->sndflow)
			sin6->sin6_flowinfo = np->flow_label.v;
	} else {
		sin6->sin6_port = inet_sk(sk)->inet_sport.v;
		sin6->sin6_addr =
			ipv6_addr_any(&sk->sk_v6_rcv_saddr) ? np->saddr : sk->sk_v6_rcv_saddr;
	}
	if (addr_needs_zone(&sin6->sin6_addr))
		sin6->sin6_scope_id = (u32)sk->sk_bound_dev_if;
	return sizeof(*sin6);
}
