/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dgram.c - what the datagram protocols (UDP, raw, ping) share, whatever the IP version
 *
 * Corking: a message that MSG_MORE or UDP_CORK holds back gathers in struct inet_cork with the destination and the control
 * messages of its first piece, which are checked then (a route is looked for, MSG_PROBE), and leaves as one datagram.
 * Locking: the home cpu's lock; sendmsg and recvmsg may wait and so drop it.
 */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "core/cpu.h"
#include "core/machine.h"
#include "core/sysctl.h"
#include "inet/inet6_sock.h"
#include "inet/inet_internal.h"
#include "socket/socket.h"

int inet_datagram_connect(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), sk->sk_family);

	return af ? af->datagram_connect(sk, addr, len) : -ENETUNREACH;
}

int inet_dgram_disconnect(struct sock *sk, int flags)
{
	(void)flags;
	sk->sk_state = SS_TCP_CLOSE;
	inet_reset_peer(sk);
	sk->sk_bound_dev_if = 0; /* as Linux: the device goes too */
	if (!(sk->sk_userlocks & SK_BINDADDR_LOCK))
		inet_reset_saddr(sk);
	if (!(sk->sk_userlocks & SK_BINDPORT_LOCK)) {
		sk->sk_prot->unhash(sk);
		inet_sk(sk)->inet_sport = (be16){ 0 };
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

/* ---- sending ------------------------------------------------------------------------------------------- */

#define CORK_DATA_MAX    65535
#define CORK_CONTROL_MAX 20480 /* Linux bounds control messages by net.core.optmem_max */
#define CORK_ROOM_MIN    2048

/* Its octets are charged to the send buffer of the socket. */
struct inet_cork {
	struct sockaddr_storage name;
	socklen_t namelen; /* 0: to the peer */
	u32 flags;
	u32 room, len, controllen; /* room: for control messages and data together */
	struct sock_corked first;
	u8 octets[] __attribute__((aligned(8))); /* control messages, then data */
};

static u8 *cork_data(struct inet_cork *cork)
{
	return cork->octets + cork->controllen;
}

static void cork_uncharge(struct sock *sk, const struct inet_cork *cork)
{
	sk_wmem_uncharge(sk, (u32)sizeof(*cork) + cork->room);
	if (sk->sk_wq && waitqueue_active(sk->sk_wq))
		sk_write_space(sk);
}

void inet_cork_drop(struct sock *sk, struct inet_cork **corkp)
{
	if (*corkp)
		cork_uncharge(sk, *corkp);
	free(*corkp);
	*corkp = NULL;
}

int inet_dgram_push(struct sock *sk, const struct inet_dgram_proto *proto, struct inet_cork **corkp,
		    u32 flags)
{
	struct inet_cork *cork = *corkp;
	struct kmsghdr msg = { .flags = (cork->flags & ~(u32)MSG_MORE) | flags,
			       .corked = &cork->first };
	struct iovec iov = { cork_data(cork), cork->len };
	ssize_t ret;

	/* Ours while the lock may be dropped; the packet must not wait for the room that its own octets take here. */
	*corkp = NULL;
	cork_uncharge(sk, cork);
	if (cork->namelen) {
		msg.name = &cork->name;
		msg.namelen = cork->namelen;
	}
	if (cork->controllen) {
		msg.control = cork->octets;
		msg.controllen = cork->controllen;
	}
	iov_iter_init(&msg.iter, &iov, 1, cork->len);
	ret = inet_af_ops(sock_net(sk), sk->sk_family)->datagram_send(sk, &msg, cork->len, proto);
	free(cork);
	return ret < 0 ? (int)ret : 0;
}

/* Makes *@corkp, or gives it room for @octets. 0 or -ENOBUFS: the send buffer is full twice, as for pieces in Linux, or no memory */
static int cork_grow(struct sock *sk, struct inet_cork **corkp, u32 octets)
{
	u32 old = *corkp ? (*corkp)->room : 0, room = old ? old : CORK_ROOM_MIN;
	struct inet_cork *cork;

	if (octets <= old)
		return 0;
	if (sk->sk_wmem_alloc > 2 * (u64)sk->sk_sndbuf)
		return -ENOBUFS;
	while (room < octets)
		room *= 2;
	cork = realloc(*corkp, sizeof(*cork) + room);
	if (!cork)
		return -ENOBUFS;
	sk->sk_wmem_alloc += room - old + (old ? 0 : (u32)sizeof(*cork));
	cork->room = room;
	*corkp = cork;
	return 0;
}

/* What would be refused when it leaves is refused now. */
static int cork_begin(struct sock *sk, const struct kmsghdr *msg,
		      const struct inet_dgram_proto *proto, struct inet_cork **corkp)
{
	struct kmsghdr probe = *msg;
	struct inet_cork *cork;
	ssize_t err;

	if (msg->controllen > CORK_CONTROL_MAX)
		return -ENOBUFS;
	probe.flags |= MSG_PROBE;
	err = inet_af_ops(sock_net(sk), sk->sk_family)->datagram_send(sk, &probe, 0, proto);
	if (!err)
		err = cork_grow(sk, corkp, max_t(u32, (u32)msg->controllen, 1));
	if (err)
		return (int)err;
	cork = *corkp;
	cork->namelen = msg->name ? msg->namelen : 0;
	if (cork->namelen)
		cork->name = *msg->name;
	cork->flags = msg->flags;
	cork->first = (struct sock_corked){ sk->sk_mark, sk->sk_priority, inet_sk(sk)->tos };
	cork->len = 0;
	cork->controllen = (u32)msg->controllen;
	if (cork->controllen)
		memcpy(cork->octets, msg->control, cork->controllen);
	return 0;
}

/* What cannot be added takes the whole datagram along, as in Linux. */
static int cork_append(struct sock *sk, struct inet_cork **corkp, struct kmsghdr *msg, size_t len,
		       u32 hdr_len)
{
	struct inet_cork *cork = *corkp;
	int err = len > CORK_DATA_MAX - hdr_len - cork->len ? -EMSGSIZE : 0;

	if (!err)
		err = cork_grow(sk, corkp, cork->controllen + cork->len + (u32)len);
	if (err) {
		inet_cork_drop(sk, corkp);
		return err;
	}
	cork = *corkp;
	if (copy_from_iter(cork_data(cork) + cork->len, len, &msg->iter) != len)
		return -EFAULT;
	cork->len += (u32)len;
	return 0;
}

ssize_t inet_dgram_cork_sendmsg(struct sock *sk, struct kmsghdr *msg, size_t len,
				const struct inet_dgram_proto *proto, struct inet_cork **corkp,
				bool more)
{
	int err = 0;

	if (!*corkp)
		err = cork_begin(sk, msg, proto, corkp);
	if (!err)
		err = cork_append(sk, corkp, msg, len, proto->hdr_in_msg ? 0 : proto->hdr_len);
	if (!err && !more)
		err = inet_dgram_push(sk, proto, corkp, msg->flags & MSG_DONTWAIT);
	return err ? err : (ssize_t)len;
}

/* ---- receiving ----------------------------------------------------------------------------------------- */

/* Like Linux's, ping sockets tell the times only. */
static void recv_cmsgs(struct sock *sk, struct kmsghdr *msg, const struct sk_buff *skb)
{
	if (sk->sk_type == SOCK_DGRAM)
		sock_recv_timestamp(sk, msg, skb);
	else
		sock_recv_cmsgs(sk, msg, skb);
}

ssize_t inet_dgram_recvmsg(struct sock *sk, struct kmsghdr *msg, size_t len, int flags, int tp)
{
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), sk->sk_family);
	struct sk_buff *skb;
	size_t copied;
	int err;

	if (flags & MSG_OOB)
		return -EOPNOTSUPP;
	if (flags & MSG_ERRQUEUE)
		return af->recv_error(sk, msg, len);
	if (af->recv_pathmtu && af->recv_pathmtu(sk, msg))
		return 0;
	skb = skb_recv_datagram(sk, flags, &err);
	if (!skb)
		return err;
	copied = min_t(size_t, skb->len, len);
	if (copied < skb->len)
		msg->flags |= MSG_TRUNC;
	err = skb_copy_datagram_iter(skb, 0, &msg->iter, (u32)copied);
	if (!err) {
		af->rcv_name(sk, msg, skb, (be16){ 0 });
		recv_cmsgs(sk, msg, skb);
		af->recv_cmsg(sk, msg, skb);
		trace_skb(skb, sock_net(sk), (u16)tp, flags & MSG_PEEK ? TRACE_PASS : TRACE_DONE,
			  copied, 0);
	}
	if (!err && flags & MSG_TRUNC)
		copied = skb->len;
	skb_free_datagram(sk, skb);
	return err ? err : (ssize_t)copied;
}

int inet_dgram_ioctl(struct sock *sk, unsigned cmd, void *arg, u32 hdr_len)
{
	const struct sk_buff *skb = skb_peek(&sk->sk_receive_queue);
	int v;

	if (cmd == SIOCINQ)
		v = skb ? (int)(skb->len - hdr_len) : 0;
	else if (cmd == SIOCOUTQ)
		v = (int)sk->sk_wmem_alloc;
	else
		return -ENOIOCTLCMD;
	memcpy(arg, &v, sizeof(v));
	return 0;
}

void inet_dgram_icmp_err(struct sock *sk, struct sk_buff *skb, u8 type, u8 code, u32 info,
			 be16 port, u8 *payload)
{
	/* The version of the packet: an AF_INET6 socket may talk to a mapped address. */
	bool v6 = be16_to_cpu(skb->protocol) == ETH_P_IPV6, hard;
	const struct inet_af_ops *af = inet_af_ops(sock_net(sk), v6 ? AF_INET6 : AF_INET);
	int err = af->icmp_errno(sk, skb, type, code, info, &hard);

	if (!err)
		return;
	/* RFC 1122 4.1.3.3: a program that did not ask for errors hears of hard ones on a connected socket only. */
	if (v6 ? inet6_sk(sk)->recverr : inet_sk(sk)->recverr)
		af->icmp_error(sk, skb, err, port, info, payload);
	else if (!hard || sk->sk_state != SS_TCP_ESTABLISHED)
		return;
	sk->sk_err = err;
	sk_error_report(sk);
}

/* ---- /proc/net/udp and its kin ------------------------------------------------------------------------- */

/* As Linux: the words of an address as the machine reads them. */
void inet_proc_addr(char ret[INET_PROC_ADDR], const struct sock_common *c, bool local)
{
	const struct in6_addr *a = local ? &c->skc_v6_rcv_saddr : &c->skc_v6_daddr;

	if (c->skc_family == AF_INET6)
		snprintf(ret, INET_PROC_ADDR, "%08X%08X%08X%08X", a->s6_addr32[0], a->s6_addr32[1],
			 a->s6_addr32[2], a->s6_addr32[3]);
	else
		snprintf(ret, INET_PROC_ADDR, "%08X", local ? c->skc_rcv_saddr.v : c->skc_daddr.v);
}

/* Linux writes the lines of udp from column 1 and ends them at column 127; icmp has the same lines. */
void inet_dgram_proc_header(struct text *t, u16 family, bool icmp)
{
	if (family == AF_INET6) {
		text_printf(
			t,
			"  sl  local_address                         remote_address"
			"                        st tx_queue rx_queue tr tm->when retrnsmt   uid  "
			"timeout inode ref pointer drops\n");
		return;
	}

	text_printf(t, "%s%-*s\n", icmp ? "" : " ", icmp ? 127 : 126,
		    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   "
		    "uid  timeout "
		    "inode ref pointer drops");
}

void inet_dgram_proc_line(struct text *t, u32 slot, const struct sock *sk)
{
	char line[256], local[INET_PROC_ADDR], remote[INET_PROC_ADDR];

	inet_proc_addr(local, &sk->c, true);
	inet_proc_addr(remote, &sk->c, false);
	snprintf(line, sizeof(line),
		 "%5u: %s:%04X %s:%04X %02X %08X:%08X 00:00000000 00000000 %5u %8d %llu %u "
		 "%016llx %u",
		 slot, local, be16_to_cpu(inet_sk(sk)->inet_sport), remote,
		 be16_to_cpu(sk->sk_dport), sk->sk_state, sk->sk_wmem_alloc, sk->sk_rmem_alloc,
		 sk->sk_uid, 0, sk->sk_socket ? (unsigned long long)sk->sk_socket->inode.ino : 0ULL,
		 sk->sk_refcnt, (unsigned long long)sk->sk_cookie, sk->sk_drops);
	if (sk->sk_family == AF_INET6)
		text_printf(t, "%s\n", line);
	else
		text_printf(t, "%-127s\n", line);
}
