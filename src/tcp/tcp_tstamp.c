/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_tstamp.c - SO_TIMESTAMPING of a stream: when an octet was handed down, left, and was acknowledged
 *
 * Theory of operation
 *   A stream has no messages: what is stamped is the last octet of a send call. Its sequence number (tskey) and what is wanted of it
 *   (tx_flags) lie in the shared info of the skb that holds it, so that clones on their way out have them too;
 *   tcp_skb_cb.tx_tstamp spares all others the look. A later send call that adds to the same skb takes its place: whoever wants each
 *   one sends with MSG_EOR. Cutting an skb moves the mark to the half that the octet is in (tcp_fragment()).
 *   SCHED and SND come from where every packet passes (core/dev_output.c), again for each retransmission; ACK when the octet is
 *   acknowledged cumulatively: SACK is not final (RFC 2018 8).
 *   SO_EE data is the distance from the octet that was next when identifiers were asked for (tcp_tskey_base()).
 */
#include <linux/net_tstamp.h>

#include "tcp/tcp.h"
#include "tcp/tcp_info.h"
#include "wire/ipv6.h"
#include "wire/nlattr.h"

u32 tcp_tskey_base(const struct sock *sk, bool unsent)
{
	return unsent ? tcp_sk(sk)->write_seq : tcp_sk(sk)->snd_una;
}

void __tcp_tx_timestamp(struct sock *sk, const struct sockcm_cookie *sockc)
{
	struct sk_buff *skb = tcp_write_queue_tail(sk);

	if (!skb)
		skb = tcp_rtx_queue_tail(sk); /* it has left already */
	if (!skb || !skb->len)
		return;
	TCP_SKB_CB(skb)->tx_tstamp = 1;
	skb_shinfo(skb)->tx_flags = sockcm_tx_flags(sockc);
	skb_shinfo(skb)->tskey = TCP_SKB_CB(skb)->seq + skb->len - 1;
}

void tcp_fragment_tstamp(struct sk_buff *skb, struct sk_buff *buff)
{
	struct skb_shared_info *from = skb_shinfo(skb), *to = skb_shinfo(buff);

	if (before(from->tskey, TCP_SKB_CB(buff)->seq))
		return;
	to->tskey = from->tskey;
	to->tx_flags = from->tx_flags;
	from->tx_flags = 0;
	TCP_SKB_CB(buff)->tx_tstamp = 1;
	TCP_SKB_CB(skb)->tx_tstamp = 0;
}

void __tcp_ack_tstamp(struct sock *sk, struct sk_buff *skb, const struct sk_buff *ack)
{
	struct skb_shared_info *sh = skb_shinfo(skb);

	if (!(sh->tx_flags & SKBTX_ACK_TSTAMP) || !before(sh->tskey, tcp_sk(sk)->snd_una))
		return;
	sh->tx_flags &= (u8)~SKBTX_ACK_TSTAMP; /* the rest of the skb may wait for another ACK */
	sock_tstamp_tx(sk, skb, ack, SCM_TSTAMP_ACK);
}

/* ---- what SOF_TIMESTAMPING_OPT_STATS tells with it ----------------------------------------------------- */

/* enum of linux/tcp.h, which cannot be included beside wire/tcp.h */
enum {
	TCP_NLA_PAD,
	TCP_NLA_BUSY,
	TCP_NLA_RWND_LIMITED,
	TCP_NLA_SNDBUF_LIMITED,
	TCP_NLA_DATA_SEGS_OUT,
	TCP_NLA_TOTAL_RETRANS,
	TCP_NLA_PACING_RATE,
	TCP_NLA_DELIVERY_RATE,
	TCP_NLA_SND_CWND,
	TCP_NLA_REORDERING,
	TCP_NLA_MIN_RTT,
	TCP_NLA_RECUR_RETRANS,
	TCP_NLA_DELIVERY_RATE_APP_LMT,
	TCP_NLA_SNDQ_SIZE,
	TCP_NLA_CA_STATE,
	TCP_NLA_SND_SSTHRESH,
	TCP_NLA_DELIVERED,
	TCP_NLA_DELIVERED_CE,
	TCP_NLA_BYTES_SENT,
	TCP_NLA_BYTES_RETRANS,
	TCP_NLA_DSACK_DUPS,
	TCP_NLA_REORD_SEEN,
	TCP_NLA_SRTT,
	TCP_NLA_TIMEOUT_REHASH,
	TCP_NLA_BYTES_NOTSENT,
	TCP_NLA_EDT,
	TCP_NLA_TTL,
	TCP_NLA_REHASH,
};
#define TCP_STATS_MAX 512 /* octets of all attributes: 27 of at most 12 */

static void put_stat(struct sk_buff *to, u16 type, u64 value, size_t size)
{
	const u8 v8 = (u8)value;
	const u16 v16 = (u16)value;
	const u32 v32 = (u32)value;
	const void *v = size == 8   ? (const void *)&value
			: size == 4 ? (const void *)&v32
			: size == 2 ? (const void *)&v16
				    : (const void *)&v8;
	int n = nlattr_build(skb_tail_pointer(to), skb_tailroom(to), type, v, size);

	if (n > 0)
		skb_put(to, (u32)n);
}

/* Time to live, or hop limit, of what was received. */
static u8 skb_ttl(const struct sk_buff *skb)
{
	return be16_to_cpu(skb->protocol) == ETH_P_IPV6
		       ? ((const struct ipv6_hdr *)skb_network_header(skb))->hop_limit
		       : ip_hdr(skb)->ttl;
}

struct sk_buff *tcp_tstamp_stats(const struct sock *sk, const struct sk_buff *skb,
				 const struct sk_buff *ack)
{
	const struct tcp_sock *tp = tcp_sk(sk);
	struct sk_buff *to = alloc_skb(sk->sk_cpu, TCP_STATS_MAX);
	u64 left = skb->tstamp ? skb->tstamp : tcp_now_ns(sk);
	struct tcp_info_uapi info;

	if (!to)
		return NULL;
	tcp_get_info((struct sock *)sk, &info);
	if (ack)
		left = TCP_SKB_CB(skb)->sent_ns;
#define STAT(type, size, value) put_stat(to, TCP_NLA_##type, value, size)
	STAT(BUSY, 8, info.tcpi_busy_time);
	STAT(RWND_LIMITED, 8, info.tcpi_rwnd_limited);
	STAT(SNDBUF_LIMITED, 8, info.tcpi_sndbuf_limited);
	STAT(DATA_SEGS_OUT, 8, info.tcpi_data_segs_out);
	STAT(TOTAL_RETRANS, 8, info.tcpi_total_retrans);
	STAT(PACING_RATE, 8, info.tcpi_pacing_rate);
	STAT(DELIVERY_RATE, 8, info.tcpi_delivery_rate);
	STAT(SND_CWND, 4, info.tcpi_snd_cwnd);
	STAT(REORDERING, 4, info.tcpi_reordering);
	STAT(MIN_RTT, 4, info.tcpi_min_rtt);
	STAT(RECUR_RETRANS, 1, info.tcpi_retransmits);
	STAT(DELIVERY_RATE_APP_LMT, 1, info.tcpi_delivery_rate_app_limited);
	STAT(SND_SSTHRESH, 4, info.tcpi_snd_ssthresh);
	STAT(DELIVERED, 4, info.tcpi_delivered);
	STAT(DELIVERED_CE, 4, info.tcpi_delivered_ce);
	STAT(SNDQ_SIZE, 4, tp->write_seq - tp->snd_una);
	STAT(CA_STATE, 1, info.tcpi_ca_state);
	STAT(BYTES_SENT, 8, info.tcpi_bytes_sent);
	STAT(BYTES_RETRANS, 8, info.tcpi_bytes_retrans);
	STAT(DSACK_DUPS, 4, info.tcpi_dsack_dups);
	STAT(REORD_SEEN, 4, info.tcpi_reord_seen);
	STAT(SRTT, 4, info.tcpi_rtt);
	STAT(TIMEOUT_REHASH, 2, 0); /* a path that lost everything is not left for another */
	STAT(BYTES_NOTSENT, 4, info.tcpi_notsent_bytes);
	STAT(EDT, 8, left);
	if (ack)
		STAT(TTL, 1, skb_ttl(ack));
	STAT(REHASH, 4, tp->plb_rehash);
#undef STAT
	return to;
}
