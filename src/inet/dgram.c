/* SPDX-License-Identifier: BSD-2-Clause */
/* dgram.c - what the datagram protocols (UDP, ping) share. Locking: the home cpu's lock. */
#include <errno.h>
#include <stdio.h>

#include "core/machine.h"
#include "core/sysctl.h"
#include "inet/inet_sock.h"
#include "socket/socket.h"

int inet_dgram_disconnect(struct sock *sk, int flags)
{
	struct inet_sock *inet = inet_sk(sk);

	(void)flags;
	sk->sk_state = SS_TCP_CLOSE;
	sk->sk_daddr = (be32){ 0 };
	sk->sk_dport = (be16){ 0 };
	sk->sk_bound_dev_if = 0; /* as Linux: the device goes too */
	if (!(sk->sk_userlocks & SK_BINDADDR_LOCK)) {
		sk->sk_rcv_saddr = (be32){ 0 };
		inet->inet_saddr = (be32){ 0 };
	}
	if (!(sk->sk_userlocks & SK_BINDPORT_LOCK)) {
		sk->sk_prot->unhash(sk);
		inet->inet_sport = (be16){ 0 };
	}
	sk_dst_reset(sk);
	return 0;
}

int inet_dgram_abort(struct sock *sk)
{
	sk->sk_err = ECONNABORTED;
	sk_error_report(sk);
	return sk->sk_prot->disconnect(sk, 0);
}

u32 inet_dgram_csum(const struct sk_buff *skb)
{
	u32 off = (u32)skb_transport_offset(skb);

	return skb_checksum(skb, off, skb->len - off, 0);
}

void inet_recv_timestamp(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb)
{
	sock_recv_timestamp(sk, msg, skb);
}

/* Linux writes the lines of udp from column 1 and ends them at column 127; icmp has the same lines. */
void inet_dgram_proc_header(struct text *t, bool icmp)
{
	text_printf(t, "%s%-*s\n", icmp ? "" : " ", icmp ? 127 : 126,
		    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		    "uid  timeout "
		    "inode ref pointer drops");
}

void inet_dgram_proc_line(struct text *t, u32 slot, const struct sock *sk)
{
	char line[160];

	snprintf(line, sizeof(line),
		 "%5u: %08X:%04X %08X:%04X %02X %08X:%08X 00:00000000 00000000 %5u %8d %llu %u "
		 "%016llx %u",
		 slot, sk->sk_rcv_saddr.v, be16_to_cpu(inet_sk(sk)->inet_sport), sk->sk_daddr.v,
		 be16_to_cpu(sk->sk_dport), sk->sk_state, sk->sk_wmem_alloc, sk->sk_rmem_alloc,
		 sk->sk_uid, 0, sk->sk_socket ? (unsigned long long)sk->sk_socket->inode.ino : 0ULL,
		 sk->sk_refcnt, (unsigned long long)sk->sk_cookie, sk->sk_drops);

	text_printf(t, "%-127s\n", line);
}
