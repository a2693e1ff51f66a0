/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_plb.c - protective load balancing: a flow whose path stays congested asks for another one
 *
 * Theory of operation
 *   Routers spread flows over equal paths by a hash of the header, the IPv6 flow label included (RFC 6438). A sender that changes the label
 *   is likely to get another path. Congestion control that counts marked packets (dctcp.c) says after each round trip which
 *   part of them was marked. A round is congested if that is tcp_plb_cong_thresh or more. After tcp_plb_idle_rehash_rounds
 *   of them in a row the label changes once nothing is in flight, so that nothing is reordered; after tcp_plb_rehash_rounds at once.
 *   A timeout may mean that the new path is a black hole: then the path stays for tcp_plb_suspend_rto_sec to twice that, by chance, lest all
 *   flows change at once. IPv4 has no label: there a change is counted and nothing else, as in Linux.
 * State: struct tcp_plb, part of what the congestion control keeps.
 * See RFC 6437, and "PLB: Congestion Signals are Simple and Effective for Network Load Balancing", SIGCOMM 2022.
 */
#include "ipv6/ipv6.h"
#include "tcp/tcp.h"

static bool plb_is_paused(const struct sock *sk, const struct tcp_plb *plb)
{
	return plb->paused && (s32)(tcp_now_ms(sk) - plb->pause_until) < 0;
}

static void plb_rehash(struct sock *sk)
{
	if (sock_flag(sk, SOCK_NO_TXREHASH))
		return;
	ip6_sk_rehash(sk);
	tcp_sk(sk)->plb_rehash++;
	NET_INC_STATS(sk->sk_net, MIB_TcpExt_TCPPLBRehash);
}

void __tcp_plb_round(struct sock *sk, struct tcp_plb *plb, u32 delivered, u32 marked)
{
	const struct netns_tcp *net = tcp_net(sk);

	if ((u64)marked * TCP_PLB_ONE < (u64)net->plb_cong_thresh * delivered) {
		plb->congested = 0;
		return;
	}
	if (plb->congested < net->plb_rehash_rounds)
		plb->congested++;
	if (plb->congested < net->plb_rehash_rounds &&
	    (plb->congested < net->plb_idle_rehash_rounds || tcp_sk(sk)->packets_out))
		return;
	if (plb_is_paused(sk, plb))
		return;
	plb->paused = false;
	plb->congested = 0;
	plb_rehash(sk);
}

void tcp_plb_timeout(struct sock *sk, struct tcp_plb *plb)
{
	u32 ms = tcp_net(sk)->plb_suspend_rto_s * 1000u;

	if (!tcp_net(sk)->plb_enabled)
		return;
	plb->congested = 0;
	plb->paused = ms != 0;
	if (ms)
		plb->pause_until = tcp_now_ms(sk) + ms + (u32)cpu_random(sk->sk_cpu) % ms;
}
