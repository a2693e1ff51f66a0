/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_tcp_rcv.c - hostile segments arrive in the middle of a connection's life
 *
 *      a 10.0.0.1 ---------------- b 10.0.0.2      a client's connection to port 7, from the handshake to its end
 *
 * The attacker knows everything: addresses, ports, sequence numbers, timestamps and windows are near the right ones and checksums are right.
 * Some segments are exactly what a peer could have sent (OP_ACK, OP_DATA): they acknowledge, SACK and DSACK segments that are in flight, or bring the
 * next data, in order or not; while the link is silent nobody but the attacker answers, so that what he says is a connection's whole life.
 * Between the segments the programs send, receive, shut down, close, change options, and time passes. After each instruction the
 * invariants of both ends are checked (tests/support/tcp_check.h), and at the end both must be gone.
 */
#include <netinet/tcp.h>

#include "inet/inet_hashtables.h"
#include "tcp/tcp_ao.h"
#include "tcp/tcp_auth_uapi.h"
#include "tests/fuzz/fuzz_net.h"
#include "tests/support/tcp_check.h"

#define MAX_BOUNDS 16

enum op {
	OP_SEGMENT,
	OP_BURST,
	OP_SEND,
	OP_RECV,
	OP_SHUTDOWN,
	OP_CLOSE,
	OP_OPTION,
	OP_TIME,
	OP_ACCEPT,
	OP_ICMP,
	OP_ACK,
	OP_DATA,
	OP_SILENCE,
	OP_SYSCTL,
	OP_MAX
};

struct bed {
	struct weir_machine *m;
	struct weir_net *net[2];
	struct weir_file *listener, *f[2]; /* NULL: closed */
	be32 addr[2];
	be16 port[2];
	/* what the attacker saw last: the next octet of each end */
	u32 nxt[2], rcv_nxt[2], tsval[2], ts_recent[2];
	u32 una[2];
	u32 bound[2][MAX_BOUNDS + 1]; /* where the skbs in flight begin, and the last one ends */
	u32 nr_bounds[2], mss[2];
	bool tstamp, silent, delayed;
	u8 keys;    /* KEYS_* of both ends */
	u32 sig_at; /* of the segment that is made: where its signature's option is; 0: none */
};

/* ---- what must hold ---------------------------------------------------------------------------------------- */

static void note_flight(struct bed *b, int i, struct sock *sk)
{
	u32 n = 0;

	for (struct sk_buff *skb = tcp_rtx_queue_head(sk); skb && n < MAX_BOUNDS;
	     skb = tcp_skb_next(skb)) {
		b->bound[i][n++] = TCP_SKB_CB(skb)->seq;
		b->bound[i][n] = TCP_SKB_CB(skb)->end_seq;
	}
	b->nr_bounds[i] = n;
	b->mss[i] = tcp_sk(sk)->mss_cache;
	b->tstamp = tcp_sk(sk)->tstamp_ok;
}

/* Looks at both ends: checks them and remembers what an attacker wants to know. */
static void look(struct bed *b)
{
	struct cpu *cpu = net_of(b->net[0])->cpu;

	tcp_check_net(b->net[0]);
	tcp_check_net(b->net[1]);
	cpu_lock(cpu);
	for (int i = 0; i < 2; i++) {
		struct net *net = net_of(b->net[i]);
		struct inet_tuple t = inet_tuple_v4(b->addr[!i], b->port[!i], b->addr[i],
						    be16_to_cpu(b->port[i]), 0);
		struct sock *sk = __inet_lookup_established(&net->tcp->hashinfo, &t);

		if (!sk || sk->sk_state == SS_TCP_TIME_WAIT || sk->sk_state == SS_TCP_NEW_SYN_RECV)
			continue;
		note_flight(b, i, sk);
		b->nxt[i] = tcp_sk(sk)->snd_nxt;
		b->una[i] = tcp_sk(sk)->snd_una;
		b->rcv_nxt[i] = tcp_sk(sk)->rcv_nxt;
		b->tsval[i] = tcp_tsval(sk);
		b->ts_recent[i] = tcp_sk(sk)->ts_recent;
	}
	cpu_unlock(cpu);
}

/* ---- the connection ---------------------------------------------------------------------------------------- */

static struct sockaddr_in port_of_b(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(7) };

	a.sin_addr.s_addr = htonl(0x0a000002);
	return a;
}

static void accept_one(struct bed *b)
{
	struct weir_file *f;

	if (weir_accept(b->listener, NULL, NULL, SOCK_NONBLOCK, &f))
		return;
	if (b->f[1])
		weir_close(f);
	else
		b->f[1] = f;
}

static void sysctl(struct bed *b, const char *name, u32 v)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", v);
	for (int i = 0; i < 2; i++)
		FUZZ_CHECK(!weir_sysctl(b->net[i], name, text));
}

/* One of both nets, at any time. Operands: which, value */
static void set_sysctl(struct bed *b, struct fuzz_input *in)
{
	static const struct {
		const char *name;
		u32 values;
	} rows[] = {
		{ "net.ipv4.tcp_ecn", 6 },
		{ "net.ipv4.tcp_ecn_option", 4 },
		{ "net.ipv4.tcp_recovery", 8 },
		{ "net.ipv4.tcp_frto", 3 },
		{ "net.ipv4.tcp_early_retrans", 5 },
		{ "net.ipv4.tcp_mtu_probing", 3 },
		{ "net.ipv4.tcp_syncookies", 3 },
		{ "net.ipv4.tcp_dsack", 2 },
		{ "net.ipv4.tcp_thin_linear_timeouts", 2 },
		{ "net.ipv4.tcp_moderate_rcvbuf", 2 },
		{ "net.ipv4.tcp_retrans_collapse", 2 },
		{ "net.ipv4.tcp_slow_start_after_idle", 2 },
		{ "net.ipv4.tcp_reordering", 0 },
	};
	static const char *const mems[] = { "0 0 0", "1 2 4", "0 0 100000", "10 20 30",
					    "100000 200000 300000" };
	u32 i = fuzz_u8(in), v = fuzz_u8(in);

	i %= ARRAY_SIZE(rows) + 1;
	if (i < ARRAY_SIZE(rows))
		sysctl(b, rows[i].name, rows[i].values ? v % rows[i].values : 1 + v % 127);
	else
		for (int n = 0; n < 2; n++)
			FUZZ_CHECK(!weir_sysctl(b->net[n], "net.ipv4.tcp_mem",
						mems[v % ARRAY_SIZE(mems)]));
}

enum { KEYS_NONE, KEYS_MD5, KEYS_SHA1, KEYS_CMAC, KEYS_MAX };

/* A key for the other end, on the client's socket or the listener. */
static void add_key(struct weir_file *f, u32 peer, u8 keys, u8 sndid, u8 rcvid)
{
	static const char *const alg[KEYS_MAX] = { "", "", "hmac(sha1)", "cmac(aes128)" };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(peer) };
	struct md5sig_arg md5 = { .keylen = 3, .key = "key" };
	struct ao_add_arg ao = {
		.prefix = 32, .sndid = sndid, .rcvid = rcvid, .keylen = 3, .key = "key"
	};

	if (!f)
		return;
	memcpy(&md5.addr, &sin, sizeof(sin));
	memcpy(&ao.addr, &sin, sizeof(sin));
	strcpy(ao.alg_name, alg[keys]);
	if (keys == KEYS_MD5)
		weir_setsockopt(f, IPPROTO_TCP, TCP_MD5SIG, &md5, sizeof(md5));
	else
		weir_setsockopt(f, IPPROTO_TCP, TCP_AO_ADD_KEY_, &ao, sizeof(ao));
}

/* Keys of a live connection come, change and go. */
static void change_key(struct bed *b, int end, u8 what)
{
	struct ao_info_arg info = { .set_current = what & 1, .set_rnext = what >> 1 & 1 };
	struct ao_del_arg del = { .prefix = 32, .sndid = 1, .rcvid = 1 };
	struct sockaddr_in sin = { .sin_family = AF_INET,
				   .sin_addr.s_addr = htonl(0x0a000001 + !end) };
	struct md5sig_arg md5 = { 0 };

	memcpy(&del.addr, &sin, sizeof(sin));
	memcpy(&md5.addr, &sin, sizeof(sin));
	info.current_key = info.rnext = what >> 2 & 1 ? 2 : 1;
	add_key(b->f[end], 0x0a000001 + !end, KEYS_MD5 + what % 3, 2, 2);
	weir_setsockopt(b->f[end], IPPROTO_TCP, TCP_AO_INFO_, &info, sizeof(info));
	if (what & 8)
		weir_setsockopt(b->f[end], IPPROTO_TCP, TCP_AO_DEL_KEY_, &del, sizeof(del));
	if (what & 16)
		weir_setsockopt(b->f[end], IPPROTO_TCP, TCP_MD5SIG, &md5, sizeof(md5));
}

/* Fast open without cookies: data goes with the SYN. */
static void connect_fast(struct bed *b, const struct sockaddr_in *a)
{
	static u8 data[500];

	sysctl(b, "net.ipv4.tcp_fastopen", 0x607);
	weir_sendto(b->f[0], data, sizeof(data), MSG_FASTOPEN | MSG_NOSIGNAL | MSG_DONTWAIT,
		    (const struct sockaddr *)a, sizeof(*a));
}

/* @how: 0x40 sysctls follow, 0x80 fast open, 0x01 a link of 1 ms, 0x02 no SACK, 0x04 no timestamps, 0x08 not established yet, 0x10 small buffers, 0x20 no window scaling */
static void bed_init(struct bed *b, struct fuzz_input *in, u8 how)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL,
					   .mem_limit = 64 << 20,
					   .crypto = weir_crypto_openssl() };
	struct sockaddr_in a = port_of_b();
	socklen_t len = sizeof(a);
	int small = 4096;

	memset(b, 0, sizeof(*b));
	b->m = weir_machine_create(&cfg);
	FUZZ_CHECK(b->m);
	for (int i = 0; i < 2; i++) {
		b->net[i] = weir_net_create(b->m, i ? "b" : "a");
		FUZZ_CHECK(b->net[i]);
		if (how & 2)
			weir_sysctl(b->net[i], "net.ipv4.tcp_sack", "0");
		if (how & 4)
			weir_sysctl(b->net[i], "net.ipv4.tcp_timestamps", "0");
		if (how & 0x20)
			weir_sysctl(b->net[i], "net.ipv4.tcp_window_scaling", "0");
	}
	fuzz_veth(b->net[0], "eth0", b->net[1], "eth0");
	b->delayed = how & 1;
	if (how & 1)
		fuzz_delay(fuzz_dev(b->net[0], "eth0"));
	for (u32 i = 0; i < 2; i++)
		fuzz_addr(b->net[i], "eth0", 0x0a000001 + i);
	FUZZ_CHECK(!weir_socket(b->net[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &b->listener));
	FUZZ_CHECK(!weir_bind(b->listener, (struct sockaddr *)&a, sizeof(a)));
	FUZZ_CHECK(!weir_socket(b->net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &b->f[0]));
	if (how & 0x10) {
		weir_setsockopt(b->listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
		weir_setsockopt(b->f[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof(small));
	}
	for (int i = 0; how & 0x40 && i < 3; i++)
		set_sysctl(b, in);
	b->keys = how & 0x40 ? fuzz_u8(in) % KEYS_MAX : KEYS_NONE;
	if (b->keys) {
		add_key(b->listener, 0x0a000001, b->keys, 1, 1);
		add_key(b->f[0], 0x0a000002, b->keys, 1, 1);
	}
	FUZZ_CHECK(!weir_listen(b->listener, 2));
	if (how & 0x80)
		connect_fast(b, &a);
	else
		weir_connect(b->f[0], (struct sockaddr *)&a, sizeof(a));
	if (!(how & 8)) {
		fuzz_run(b->m, 20 * NSEC_PER_MSEC);
		accept_one(b);
		FUZZ_CHECK(b->f[1] || how & 0xc0);
	}
	b->port[1] = cpu_to_be16(7);
	FUZZ_CHECK(!weir_getsockname(b->f[0], (struct sockaddr *)&a, &len));
	memcpy(&b->port[0], &a.sin_port, 2);
	memcpy(&b->addr[0], &a.sin_addr, 4);
	b->addr[1] = cpu_to_be32(0x0a000002);
	look(b);
}

/* ---- segments ---------------------------------------------------------------------------------------------- */

static void put16(u8 *p, u32 v)
{
	p[0] = (u8)(v >> 8);
	p[1] = (u8)v;
}

static void put32(u8 *p, u32 v)
{
	put16(p, v >> 16);
	put16(p + 2, v);
}

/* A distance of a sequence number: small ones are likelier. */
static u32 delta(struct fuzz_input *in)
{
	s16 d = (s16)fuzz_u16(in);

	return d & 1 ? (u32)((s32)d >> 1) : (u32)((s32)d >> 9);
}

/* Options: 0x01 a timestamp that is near, 0x02 SACK blocks, 0x04 octets of the input, 0x08 a signature (sign()). Their length, padded. */
static u32 options(struct bed *b, struct fuzz_input *in, int to, u8 *p)
{
	u8 how = fuzz_u8(in);
	u32 len = 0;

	if (how & 8) {
		bool md5 = b->keys == KEYS_MD5;

		memset(p, 0, 20);
		p[0] = p[1] = TCPOPT_NOP;
		p[2] = md5 ? TCPOPT_MD5SIG_ : TCPOPT_AO_;
		p[3] = md5 ? 18 : 16;
		p[4] = p[5] = md5 ? 0 : 1;
		len = 20;
		b->sig_at = 22;
	}
	if (how & 1) {
		p += len;
		p[0] = p[1] = TCPOPT_NOP;
		p[2] = TCPOPT_TIMESTAMP;
		p[3] = TCPOLEN_TIMESTAMP;
		put32(p + 4, b->tsval[!to] + delta(in));
		put32(p + 8, b->ts_recent[!to] + (how & 0x80 ? delta(in) : 0));
		p -= len;
		len += 12;
	}
	if (how & 2 && len < 28) {
		u32 n = 1 + (how >> 4 & 3);

		n = min(n, (40 - len - 4) / 8);
		p[len] = p[len + 1] = TCPOPT_NOP;
		p[len + 2] = TCPOPT_SACK;
		p[len + 3] = (u8)(2 + n * 8);
		for (u32 i = 0; i < n; i++) {
			u32 start = b->una[to] + delta(in);

			put32(p + len + 4 + i * 8, start);
			put32(p + len + 8 + i * 8, start + delta(in));
		}
		len += 4 + n * 8;
	}
	if (how & 4) {
		u32 n = min((u32)fuzz_u8(in) % 41, 40 - len) & ~3u;

		fuzz_take(in, p + len, n);
		len += n;
	}
	return len;
}

/* While it is silent frames come from the attacker alone, past the link. */
static void inject(struct bed *b, struct net_device *dev, const u8 *frame, u32 len, u32 header)
{
	struct sk_buff *skb;

	if (!b->silent) {
		fuzz_inject(dev, frame, len, header);
		return;
	}
	cpu_lock(dev->cpu);
	skb = netdev_alloc_skb(dev, len + 2);
	if (skb) {
		skb_reserve(skb, 2);
		skb_put_data(skb, frame, len);
		skb->protocol = eth_type_trans(skb, dev);
		netif_rx(skb);
	}
	cpu_unlock(dev->cpu);
}

static void silence(struct bed *b)
{
	struct net_device *dev = fuzz_dev(b->net[0], "eth0");
	struct link_params p = { .delay_ns = b->delayed ? NSEC_PER_MSEC : 0 };

	b->silent = !b->silent;
	p.loss = b->silent ? UINT32_MAX : 0;
	rtnl_lock(dev->net->machine);
	FUZZ_CHECK(!veth_set_link(dev, &p));
	FUZZ_CHECK(!veth_set_link(dev->netdev_ops->ndo_get_peer_dev(dev), &p));
	rtnl_unlock(dev->net->machine);
}

struct seg { /* what a peer could send */
	u32 seq, ack, window, payload, urg;
	u8 flags, dsfield;
	u8 opts[40];
	u32 opts_len;
};

static void send_seg(struct bed *b, int to, const struct seg *s)
{
	struct net_device *dev = fuzz_dev(b->net[to], "eth0");
	u8 buf[14 + 20 + 60 + 4096] = { 0 }, *ip = buf + ETH_HLEN, *th = ip + 20;
	u32 hlen = 20 + s->opts_len, len = 20 + hlen + s->payload;

	memcpy(buf, dev->dev_addr, ETH_ALEN);
	memcpy(buf + 6, dev->netdev_ops->ndo_get_peer_dev(dev)->dev_addr, ETH_ALEN);
	put16(buf + 12, ETH_P_IP);
	ip[0] = 0x45;
	ip[1] = s->dsfield;
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, &b->addr[!to], 4);
	memcpy(ip + 16, &b->addr[to], 4);
	memcpy(th, &b->port[!to], 2);
	memcpy(th + 2, &b->port[to], 2);
	put32(th + 4, s->seq);
	put32(th + 8, s->ack);
	th[12] = (u8)(hlen << 2);
	th[13] = s->flags;
	put16(th + 14, s->window);
	put16(th + 18, s->urg);
	memcpy(th + 20, s->opts, s->opts_len);
	fuzz_fix_ipv4(ip, len, true);
	inject(b, dev, buf, ETH_HLEN + len, ETH_HLEN + len);
}

/* As a peer would, of now; the echo is of @ago ticks before. */
static void add_tstamp(const struct bed *b, int to, u32 ago, struct seg *s)
{
	u8 *p = s->opts + s->opts_len;

	if (!b->tstamp)
		return;
	p[0] = p[1] = TCPOPT_NOP;
	p[2] = TCPOPT_TIMESTAMP;
	p[3] = TCPOLEN_TIMESTAMP;
	put32(p + 4, b->tsval[!to]);
	put32(p + 8, b->tsval[to] - ago);
	s->opts_len += 12;
}

/* Skbs in flight whose bit is set in @mask, as blocks; with a block at @dsack before them, if it is not empty. */
static void add_sacks(const struct bed *b, int to, u32 mask, u32 dsack, u32 dsack_end,
		      struct seg *s)
{
	u8 *p = s->opts + s->opts_len;
	u32 n = 0, most = (40 - s->opts_len - 4) / 8;

	p[0] = p[1] = TCPOPT_NOP;
	p[2] = TCPOPT_SACK;
	if (dsack != dsack_end) {
		put32(p + 4, dsack);
		put32(p + 8, dsack_end);
		n = 1;
	}
	for (u32 i = 0; i < b->nr_bounds[to] && n < most; i++) {
		u32 start = i;

		if (!(mask >> i & 1))
			continue;
		while (i + 1 < b->nr_bounds[to] && mask >> (i + 1) & 1)
			i++;
		put32(p + 4 + n * 8, b->bound[to][start]);
		put32(p + 8 + n * 8, b->bound[to][i + 1]);
		n++;
	}
	if (!n)
		return;
	p[3] = (u8)(2 + n * 8);
	s->opts_len += 4 + n * 8;
}

/*
 * An ACK of what is in flight. Operands: how, how many skbs it covers, those beyond that are SACKed, the age of the echo, the window.
 * how: 0x01 ECE, 0x02 CWR, 0x04 AE (RFC 9768), 0x08 within an skb, 0x10 SACKs, 0x20 a DSACK of what was acknowledged before, 0x40 a window of its own
 */
static void peer_ack(struct bed *b, struct fuzz_input *in, int to)
{
	u8 how = fuzz_u8(in), n = fuzz_u8(in);
	u32 mask = fuzz_u16(in), ago = fuzz_u8(in);
	struct seg s = { .seq = b->rcv_nxt[to], .ack = b->una[to], .window = 2000 };

	if (b->nr_bounds[to]) {
		u32 at = n % (b->nr_bounds[to] + 1);

		s.ack = at ? b->bound[to][at] : b->una[to];
		if (how & 8 && at)
			s.ack -= min(b->mss[to], s.ack - b->bound[to][at - 1]);
		if (before(s.ack, b->una[to]))
			s.ack = b->una[to];
		mask &= ~((1u << at) - 1);
	}
	s.flags = (u8)(TCP_FLAG_ACK | (how & 1 ? TCP_FLAG_ECE : 0) | (how & 2 ? TCP_FLAG_CWR : 0));
	if (how & 0x40)
		s.window = fuzz_u16(in);
	add_tstamp(b, to, ago, &s);
	if (how & 0x30)
		add_sacks(b, to, how & 0x10 ? mask : 0, s.ack - (how & 0x20 ? b->mss[to] : 0),
			  s.ack, &s);
	send_seg(b, to, &s);
}

/* Data. Operands: how, where (in segments from the next octet on), length. how: 0x01 CE, 0x02 CWR, 0x04 URG, 0x08 FIN, 0x10 beginning a bit before */
static void peer_data(struct bed *b, struct fuzz_input *in, int to)
{
	u8 how = fuzz_u8(in), at = fuzz_u8(in), len = fuzz_u8(in);
	struct seg s = { .ack = b->una[to], .window = 2000, .payload = len * 5u + 1 };

	s.seq = b->rcv_nxt[to] + (at & 15) * s.payload - (how & 0x10 ? at >> 4 : 0);
	s.flags = (u8)(TCP_FLAG_ACK | TCP_FLAG_PSH | (how & 2 ? TCP_FLAG_CWR : 0) |
		       (how & 4 ? TCP_FLAG_URG : 0) | (how & 8 ? TCP_FLAG_FIN : 0));
	s.dsfield = how & 1 ? 3 : 2;
	s.urg = how & 4 ? s.payload : 0;
	add_tstamp(b, to, 0, &s);
	send_seg(b, to, &s);
}

/* With the key that the connection has, if it is the one that the option is for. */
static void sign(struct bed *b, int to, u8 *ip, struct tcp_hdr *th, u32 payload)
{
	struct net *net = net_of(b->net[to]);
	struct inet_tuple t =
		inet_tuple_v4(b->addr[!to], b->port[!to], b->addr[to], be16_to_cpu(b->port[to]), 0);
	const struct tcp_ends e = { AF_INET, ip + 12, ip + 16 };
	u8 *opt = (u8 *)th + b->sig_at, mac[WEIR_MAC_DIGEST_MAX];
	const struct tcp_md5_key *md5;
	struct tcp_auth *auth = NULL;
	struct sk_buff *skb;
	struct sock *sk;

	cpu_lock(net->cpu);
	sk = __inet_lookup_established(&net->tcp->hashinfo, &t);
	if (sk && sk->sk_state != SS_TCP_TIME_WAIT && sk->sk_state != SS_TCP_NEW_SYN_RECV)
		auth = tcp_auth(sk);
	skb = alloc_skb(net->cpu, 2048);
	md5 = auth ? tcp_md5_lookup(auth, AF_INET, ip + 12) : NULL;
	if (skb && auth) {
		memcpy(skb_put(skb, payload), (u8 *)th + tcp_hdr_len(th), payload);
		if (opt[0] == TCPOPT_MD5SIG_ && md5) {
			tcp_md5_hash(net, md5, &e, th, skb, 0, payload, opt + 2);
		} else if (opt[0] == TCPOPT_AO_ && auth->ao && auth->ao->synchronized &&
			   auth->ao->rnext) {
			const struct tcp_ao_key *key = auth->ao->rnext;

			opt[2] = key->rcvid;
			tcp_ao_mac(key, key->rcv,
				   tcp_ao_sne(auth->ao->rcv_sne, auth->ao->rcv_seen,
					      be32_to_cpu(th->seq)),
				   &e, th, opt, skb, 0, payload, mac);
			memcpy(opt + 4, mac, min(key->maclen, (u8)12));
		}
	}
	if (skb)
		consume_skb(skb);
	cpu_unlock(net->cpu);
}

/* To end @to, as if from the other one. Operands: flags, seq, ack, window, urgent pointer, options, payload length. */
static void segment(struct bed *b, struct fuzz_input *in, int to)
{
	struct net_device *dev = fuzz_dev(b->net[to], "eth0");
	u8 buf[14 + 20 + 60 + 4096] = { 0 }, *ip = buf + ETH_HLEN, *th = ip + 20;
	u8 flags = fuzz_u8(in), how = fuzz_u8(in);
	u32 seq = b->rcv_nxt[to] + delta(in),
	    ack = (how & 1 ? b->nxt[to] : b->una[to]) + (how & 2 ? delta(in) : 0);
	u32 hlen, len, payload;

	memcpy(buf, dev->dev_addr, ETH_ALEN);
	memcpy(buf + 6, dev->netdev_ops->ndo_get_peer_dev(dev)->dev_addr, ETH_ALEN);
	put16(buf + 12, ETH_P_IP);
	ip[0] = 0x45;
	ip[1] = how & 0x40 ? 3 : 0; /* congestion experienced */
	ip[8] = 64;
	ip[9] = IPPROTO_TCP;
	memcpy(ip + 12, &b->addr[!to], 4);
	memcpy(ip + 16, &b->addr[to], 4);
	memcpy(th, &b->port[!to], 2);
	memcpy(th + 2, &b->port[to], 2);
	put32(th + 4, seq);
	put32(th + 8, how & 0x20 ? fuzz_u32(in) : ack);
	th[13] = flags;
	put16(th + 14, how & 4 ? fuzz_u16(in) : 512);
	put16(th + 18, how & 8 ? fuzz_u16(in) : 0);
	b->sig_at = 0;
	hlen = 20 + (how & 0x80 ? options(b, in, to, th + 20) : 0);
	th[12] = (u8)(hlen << 2);
	payload = how & 0x10 ? fuzz_u8(in) : 0;
	payload = payload > 200 ? (payload - 200) * 26 : payload; /* up to 1430 */
	memset(th + hlen, (int)payload, payload);
	len = 20 + hlen + payload;
	if (b->sig_at)
		sign(b, to, ip, (struct tcp_hdr *)th, payload);
	fuzz_fix_ipv4(ip, len, true);
	inject(b, dev, buf, ETH_HLEN + len, how & 0x20 ? 14 + 20 + 10 : ETH_HLEN + len);
}

/* An ICMP error to end @to about a segment of its. */
static void icmp_error(struct bed *b, struct fuzz_input *in, int to)
{
	struct net_device *dev = fuzz_dev(b->net[to], "eth0");
	u8 buf[14 + 20 + 8 + 28] = { 0 }, *ip = buf + ETH_HLEN, *icmp = ip + 20, *inner = icmp + 8;

	memcpy(buf, dev->dev_addr, ETH_ALEN);
	memcpy(buf + 6, dev->netdev_ops->ndo_get_peer_dev(dev)->dev_addr, ETH_ALEN);
	put16(buf + 12, ETH_P_IP);
	ip[0] = inner[0] = 0x45;
	ip[8] = inner[8] = 64;
	ip[9] = 1;
	inner[9] = IPPROTO_TCP;
	memcpy(ip + 12, &b->addr[!to], 4);
	memcpy(ip + 16, &b->addr[to], 4);
	icmp[0] = fuzz_u8(in) % 20;
	icmp[1] = fuzz_u8(in) % 16;
	put16(icmp + 6, fuzz_u16(in));
	put16(inner + 2, 1500);
	memcpy(inner + 12, &b->addr[to], 4);
	memcpy(inner + 16, &b->addr[!to], 4);
	memcpy(inner + 20, &b->port[to], 2);
	memcpy(inner + 22, &b->port[!to], 2);
	put32(inner + 24, b->una[to] + delta(in));
	fuzz_fix_ipv4(ip, (u32)sizeof(buf) - ETH_HLEN, true);
	inject(b, dev, buf, sizeof(buf), sizeof(buf));
}

/* ---- calls ------------------------------------------------------------------------------------------------- */

static void set_option(struct bed *b, struct fuzz_input *in, int end)
{
	static const struct {
		int level, name, values[4];
	} opts[] = {
		{ IPPROTO_TCP, TCP_NODELAY, { 0, 1, 1, 1 } },
		{ IPPROTO_TCP, TCP_CORK, { 0, 1, 1, 1 } },
		{ IPPROTO_TCP, TCP_MAXSEG, { 88, 536, 100, 1400 } },
		{ IPPROTO_TCP, TCP_KEEPIDLE, { 1, 2, 60, 7200 } },
		{ SOL_SOCKET, SO_KEEPALIVE, { 0, 1, 1, 1 } },
		{ IPPROTO_TCP, TCP_LINGER2, { -1, 0, 1, 60 } },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, { 0, 100, 1000, 30000 } },
		{ IPPROTO_TCP, TCP_WINDOW_CLAMP, { 0, 100, 5000, 60000 } },
		{ SOL_SOCKET, SO_RCVBUF, { 0, 3000, 20000, 400000 } },
		{ SOL_SOCKET, SO_SNDBUF, { 0, 3000, 20000, 400000 } },
		{ SOL_SOCKET, SO_OOBINLINE, { 0, 1, 1, 1 } },
		{ SOL_SOCKET, SO_RCVLOWAT, { 1, 2, 5000, 100000 } },
		{ IPPROTO_TCP, TCP_QUICKACK, { 0, 1, 1, 1 } },
		{ IPPROTO_TCP, TCP_NOTSENT_LOWAT, { 0, 1, 9000, -1 } },
		{ SOL_SOCKET, SO_ZEROCOPY, { 0, 1, 1, 1 } },
		{ SOL_SOCKET, SO_MAX_PACING_RATE, { 10000, 1000000, 100000000, -1 } },
		{ IPPROTO_TCP, TCP_THIN_LINEAR_TIMEOUTS, { 0, 1, 1, 1 } },
		{ IPPROTO_TCP, TCP_REPAIR, { 0, 1, -1, 0 } },
		{ IPPROTO_TCP, TCP_REPAIR_QUEUE, { 0, 1, 2, 2 } },
		{ IPPROTO_TCP, TCP_TIMESTAMP, { 0, 1, 1000, -1 } },
	};
	static const char *const controls[] = { "cubic", "bbr", "bbr3", "dctcp", "cubic", "reno" };
	u8 what = fuzz_u8(in);
	u32 i = (what & 63) % ARRAY_SIZE(opts);
	struct linger l = { 1, 0 };

	if (what == 255)
		weir_setsockopt(b->f[end], SOL_SOCKET, SO_LINGER, &l, sizeof(l));
	else if (what >= 224 && what < 249 && b->keys)
		change_key(b, end, what);
	else if (what >= 249)
		weir_setsockopt(b->f[end], IPPROTO_TCP, TCP_CONGESTION, controls[what - 249],
				(socklen_t)strlen(controls[what - 249]));
	else
		weir_setsockopt(b->f[end], opts[i].level, opts[i].name, &opts[i].values[what >> 6],
				sizeof(int));
}

static void call(struct bed *b, struct fuzz_input *in, enum op op, int end)
{
	static u8 data[65536];
	struct weir_file *f = b->f[end];
	u8 how;

	if (!f)
		return;
	how = fuzz_u8(in);
	switch (op) {
	case OP_SEND:
		weir_send(f, data, (u32)(how & 127) << (how & 128 ? 9 : 3),
			  MSG_NOSIGNAL | MSG_DONTWAIT | (how & 1 ? MSG_OOB : 0) |
				  (how & 2 ? MSG_MORE : 0) | (how & 4 ? MSG_ZEROCOPY : 0));
		break;
	case OP_RECV:
		weir_recv(f, data, (u32)(how & 127) << (how & 128 ? 9 : 3),
			  MSG_DONTWAIT | (how & 1 ? MSG_OOB : 0) | (how & 2 ? MSG_PEEK : 0) |
				  (how & 4 ? MSG_TRUNC : 0));
		break;
	case OP_SHUTDOWN:
		weir_shutdown(f, how % 3);
		break;
	case OP_CLOSE:
		weir_close(f);
		b->f[end] = NULL;
		break;
	case OP_OPTION:
		set_option(b, in, end);
		break;
	default:
		break;
	}
}

/* One octet: what in the low four bits, to or at which end, and in the upper three how long time passes first: 4^n * 100 us. */
static void instruction(struct bed *b, struct fuzz_input *in)
{
	u8 what = fuzz_u8(in);
	int end = what >> 4 & 1;
	enum op op = (enum op)((what & 15) % OP_MAX);

	if (what >> 5) {
		fuzz_run(b->m, (u64)100000 << (what >> 5) * 2);
		look(b);
	}
	switch (op) {
	case OP_SEGMENT:
		segment(b, in, end);
		break;
	case OP_BURST: /* the same one several times */
		for (int i = fuzz_u8(in) % 8; i >= 0; i--) {
			struct fuzz_input again = *in;

			segment(b, i ? &again : in, end);
		}
		break;
	case OP_TIME:
		fuzz_run(b->m, (u64)fuzz_u8(in) * fuzz_u8(in) * 10 * NSEC_PER_MSEC);
		break;
	case OP_ACCEPT:
		accept_one(b);
		break;
	case OP_ACK:
		peer_ack(b, in, end);
		break;
	case OP_DATA:
		peer_data(b, in, end);
		break;
	case OP_SILENCE:
		silence(b);
		break;
	case OP_SYSCTL:
		set_sysctl(b, in);
		break;
	case OP_ICMP:
		icmp_error(b, in, end);
		break;
	default:
		call(b, in, op, end);
		break;
	}
	look(b);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_input in = { data, size };
	struct weir_memory mem;
	struct bed b;

	bed_init(&b, &in, fuzz_u8(&in));
	while (in.left)
		instruction(&b, &in);
	accept_one(&b);
	for (int i = 0; i < 2; i++)
		if (b.f[i])
			weir_close(b.f[i]);
	if (b.silent)
		silence(&b);
	look(&b);
	weir_close(b.listener);
	fuzz_run_until_idle(b.m, 0);
	weir_net_destroy(b.net[0]);
	weir_net_destroy(b.net[1]);
	weir_memory(b.m, &mem);
	FUZZ_CHECK(mem.nr_socks == 0 && mem.skb_live == 0);
	weir_machine_destroy(b.m);
	return 0;
}

FUZZ_SEEDS(
	/* data both ways, then an orderly close */
	SEED("\0\2\x88\x12\x88\x23\xff\x33\xff\4\0\3\0\x13\0\4\1\x14\1"),
	/* data in the window, beyond it, before it; with timestamps */
	SEED("\1\0\x10\x90\0\0\1\0\0\x50\0\x18\x90\x41\1\1\0\0\x20\0\x18\x90\x81\0\1\0\0\x20\3"
	     "\xff"),
	/* holes: out-of-order segments, then what was missing */
	SEED("\6\x10\x10\x10\0\4\x64\x10\x10\x10\0\x10\x64\x10\x10\x10\0\2\xc8\x10\x10\x10\0\0\xc8"
	     "\x13\xff\4\0"),
	/* SACKs of what is in flight, duplicate ACKs, a late ACK */
	SEED("\1\2\xff\0\x10\x80\0\0\x32\1\2\1\4\1\x10\1\x12\1\1\4\x10\0\0\0\x20\x10\1\0\0\x82"
	     "\x88"),
	/* an ACK of data that was never sent, a zero window, the persist timer, the window opens */
	SEED("\2\2\xff\0\x10\3\0\0\1\1\0\x10\4\0\0\0\0\x47\xff\xff\0\x10\5\0\0\xff\0"),
	/* RST: out of the window, in it, exact */
	SEED("\0\0\4\0\xff\x80\0\4\0\0\4\x10\4\0\0\0\2\x10\3\x10"),
	/* SYN in the connection: challenge ACK; SYN|FIN; no flags; everything */
	SEED("\4\0\2\0\0\0\0\x12\0\0\0\0\3\0\0\0\0\0\0\0\0\0\xff\x90\0\0\7\x20\2\4\5\xb4\1\3\3\xff"
	     "\x08\x0a\0\0"),
	/* urgent data: sent and received, out of line and in line */
	SEED("\0\2\x09\x13\x09\0\x38\x18\0\0\5\0\x20\3\1\6\0\x0a\0\x38\x18\0\0\5\0\x20\3\x10"),
	/* FIN with data, FIN out of order, half-closed, both close at once */
	SEED("\1\x10\x11\x10\0\0\x20\x10\x11\x10\0\2\x20\2\x88\4\1\5\0\x15\0\x47\x20\xff"),
	/* the handshake under attack: SYN-ACK with a wrong ACK, RST, a second SYN, simultaneous open */
	SEED("\x08\0\x12\2\0\0\0\2\0\2\0\0\0\x10\2\x80\0\0\4\4\2\4\5\xb4\x10\x10\0\0\0\x08\0\x47"
	     "\x40\x40"),
	/* ICMP: fragmentation needed, host unreachable, with data in flight; keepalive and user timeout */
	SEED("\1\2\xff\x09\3\4\2\0\0\0\x29\3\1\0\0\0\0\6\0\x44\6\0\x43\6\0\x86\x47\xff\xff"),
	/* small buffers, no scaling: fill the receiver, read a little, again */
	SEED("\x30\2\xff\2\xff\2\xff\x27\1\1\x13\x84\x13\x84\x47\x10\x10\x13\xff\x13\xff\5\0\x15"
	     "\0"),
	/* reset by linger, then segments for nobody */
	SEED("\0\2\x80\6\0\xff\5\0\0\x10\0\0\0\x10\x10\x10\0\0\x20\x15\0"),
	/* silence: much in flight, SACKs of parts, then of more: losses are found, a DSACK takes it back, all is acknowledged */
	SEED("\1\x0c\2\xff\x0a\x10\0\6\0\0\x0a\x10\0\x0e\0\0\x47\4\4\x0a\x30\1\x0c\0\1\x0a\x20\4\0"
	     "\0\0\x0a\0\x0f\0\0\0"
	     "\2\xff\x0a\0\x0f\0\0\0"),
	/* silence: a timeout, then ACKs that echo the first transmission: it was spurious (F-RTO, Eifel) */
	SEED("\1\x0c\2\xff\xe7\x10\x20\x0a\0\1\0\0\xff\x0a\0\2\0\0\xff\x0a\0\x0f\0\0\xff"),
	/* marks: ECN and AccECN; DCTCP, BBR */
	SEED("\x41\0\3\1\1\0\0\6\xfc\x0c\2\xff\x0a\1\1\0\0\0\x0a\1\2\0\0\0\x0b\1\0\x20\x0b\3\0\x20"
	     "\6\xfa\2\xff\x0a\0\3"
	     "\0\0\0"),
	/* silence at the receiver: data out of order, twice, with a FIN, urgent, while memory is short */
	SEED("\1\x0c\x0d\x0d\1\x1b\0\2\x40\x1b\0\3\x40\x1b\0\2\x40\x1b\4\1\x40\x1b\x18\x40\x40\x1b"
	     "\0\0\x40\x13\xff"),
	/* fast open without cookies, cookies of the other kind, small memory */
	SEED("\xc1\6\2\x0d\1\0\3\2\xff\x13\xff\x12\xff\3\xff\4\0\x14\1"),
	/* two ends that disagree, without a delay: their answers must not ping-pong in no time */
	SEED("\x18\0\0\x50\0\x20\3\1\6\0\x0a\0\x38\x18\0\0\5\0\x20\3\x10"));
