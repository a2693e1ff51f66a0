/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * af_inet.c - the PF_INET family: what bind, connect, listen, ... mean for every internet protocol
 *
 * Theory of operation
 *   inet_create() finds the protocol for (type, protocol) in the table of protosw.c and makes the sock. The two proto_ops tables
 *   at the end translate socket calls into calls of sk->sk_prot. Everything that knows what an address looks like is in
 *   struct inet_af_ops, which the IP version registers per net.
 *   States: struct socket has its own (unconnected, connecting, connected, disconnecting), which decides what connect(2) says;
 *   sk_state is the protocol's. A datagram socket is SS_TCP_ESTABLISHED when connected, else SS_TCP_CLOSE.
 * Locking: the home cpu's lock, taken by socket/. Functions that wait drop it in sk_wait_event().
 * See socket(7), ip(7), connect(2), listen(2), shutdown(2).
 */
#include "inet/inet_sock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <linux/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "core/cpu.h"
#include "core/netdevice.h"
#include "inet/inet6_sock.h"
#include "inet/inet_connection_sock.h"
#include "inet/inet_hashtables.h"
#include "inet/inet_internal.h"
#include "socket/sock_replica.h"
#include "socket/socket.h"

#define PORT_TRIES    32
#define IPPROTO_LIMIT 263 /* IPPROTO_MAX of the kernel: above MPTCP */

void inet_register_af_ops(struct net *net, const struct inet_af_ops *ops)
{
	assert(ops->bind_addr && ops->set_addr && ops->setsockopt && ops->getsockopt);
	net->inet->af_ops[ops->family == AF_INET6] = ops;
}

static const struct inet_af_ops *sk_af_ops(const struct sock *sk)
{
	return inet_af_ops(sock_net(sk), sk->sk_family);
}

/* ---- life -------------------------------------------------------------------------------------------- */

static void inet_sock_destruct(struct sock *sk)
{
	free(inet_sk(sk)->inet_opt);
	inet_sk(sk)->inet_opt = NULL;
	if (inet_sk(sk)->pinet6)
		inet6_sock_destruct(sk);
}

void inet_reset_saddr(struct sock *sk)
{
	sk->sk_rcv_saddr = (be32){ 0 };
	inet_sk(sk)->inet_saddr = (be32){ 0 };
	if (inet_sk(sk)->pinet6) {
		sk->sk_v6_rcv_saddr = in6addr_any;
		inet_sk(sk)->pinet6->saddr = in6addr_any;
	}
}

void inet_reset_peer(struct sock *sk)
{
	sk->sk_dport = (be16){ 0 };
	sk->sk_daddr = (be32){ 0 };
	sk->sk_v6_daddr = in6addr_any;
}

void inet_sk_common_release(struct sock *sk)
{
	if (sk->sk_prot->destroy)
		sk->sk_prot->destroy(sk);
	sk->sk_prot->unhash(sk);
	sock_orphan(sk);
	sock_put(sk);
}

static void inet_sock_init(struct sock *sk, const struct inet_protosw *p, int protocol)
{
	struct inet_sock *inet = inet_sk(sk);

	sk->sk_destruct = inet_sock_destruct;
	sk->sk_protocol = (u8)protocol;
	sk->sk_reuse = p->flags & INET_PROTOSW_REUSE ? SK_CAN_REUSE : SK_NO_REUSE;
	inet->is_icsk = (p->flags & INET_PROTOSW_ICSK) != 0;
	inet->pmtudisc = IP_PMTUDISC_WANT;
	inet->uc_ttl = -1;
	inet->mc_ttl = 1;
	inet->mc_loop = 1;
	inet->mc_all = sk->sk_family == AF_INET; /* AF_INET6 has IPV6_MULTICAST_ALL */
	inet->inet_id = (u16)cpu_random(sk->sk_cpu);
	if (sk->sk_family == AF_INET6)
		inet6_sock_init(sk);
}

static int create_sock(struct net *net, struct socket *sock, int family, int protocol)
{
	const struct inet_protosw *p;
	struct sock *sk;
	int err;

	if (protocol < 0 || protocol >= IPPROTO_LIMIT)
		return -EINVAL;
	p = inet_protosw_find(net->machine, family, sock->type, protocol, &err);
	if (!p)
		return err;
	sk = sk_alloc(net, family, p->prot);
	if (!sk)
		return -ENOBUFS;
	sock->ops = p->ops;
	sock_init_data(sk, sock, &sock->wq, sock->type);
	sock->sk = sk;
	inet_sock_init(sk, p, p->protocol == IPPROTO_IP ? protocol : p->protocol);
	err = p->prot->init ? p->prot->init(sk) : 0;
	if (err) {
		inet_sk_common_release(sk);
		sock->sk = NULL;
		sock->ops = NULL;
	}
	return err;
}

int inet_create(struct net *net, struct socket *sock, int protocol)
{
	return create_sock(net, sock, AF_INET, protocol);
}

int inet6_create(struct net *net, struct socket *sock, int protocol)
{
	return create_sock(net, sock, AF_INET6, protocol);
}

/* A socket of AF_INET6 may be in groups of both IP versions. */
static void sk_af_release(struct sock *sk)
{
	const struct netns_inet *ni = sock_net(sk)->inet;

	for (int i = 0; i <= (sk->sk_family == AF_INET6); i++)
		if (ni->af_ops[i] && ni->af_ops[i]->release)
			ni->af_ops[i]->release(sk);
}

int inet_release(struct socket *sock)
{
	struct sock *sk = sock->sk;
	u64 timeout = 0;

	if (!sk)
		return 0;
	sk_af_release(sk);
	if (sock_flag(sk, SOCK_LINGER))
		timeout = sk->sk_lingertime * NSEC_PER_SEC;
	sock->sk = NULL;
	sk->sk_prot->close(sk, timeout);
	return 0;
}

/* ---- bind(2) ----------------------------------------------------------------------------------------- */

void inet_sk_get_local_port_range(const struct sock *sk, u16 *ret_lo, u16 *ret_hi)
{
	const struct inet_sock *inet = inet_sk(sk);
	const struct netns_inet *ni = sock_net(sk)->inet;
	u16 lo = ni->ip_local_port_lo, hi = ni->ip_local_port_hi;

	/* The socket's range narrows the net's; a bound outside of that does not count. */
	if (inet->local_port_range_lo >= lo && inet->local_port_range_lo <= hi)
		lo = inet->local_port_range_lo;
	if (inet->local_port_range_hi >= lo && inet->local_port_range_hi <= hi)
		hi = inet->local_port_range_hi;
	*ret_lo = lo;
	*ret_hi = hi;
}

int inet_autobind(struct sock *sk)
{
	if (sk->sk_num)
		return 0;
	if (sk->sk_prot->get_port(sk, 0))
		return -EAGAIN;
	inet_sk(sk)->inet_sport = cpu_to_be16(sk->sk_num);
	return 0;
}

static int get_port(struct sock *sk, u16 port)
{
	int err = sk->sk_prot->get_port(sk, port);

	if (err)
		return err == -ENOMEM ? err : -EADDRINUSE;
	inet_sk(sk)->inet_sport = cpu_to_be16(sk->sk_num);
	return 0;
}

/* On all cpus of the net. Of a port that we choose ourselves it turns out then that it is taken elsewhere: another one. */
static int get_port_everywhere(struct socket *sock, u16 port)
{
	struct sock *sk = sock->sk;
	int err;

	for (int i = 0; i < PORT_TRIES; i++) {
		err = get_port(sk, port);
		if (err)
			return err;
		sock_replicas_lock(sock);
		err = sock_replicas_bind(sock);
		if (err) {
			inet_put_port(sk);
			inet_sk(sk)->inet_sport = (be16){ 0 };
		}
		sock_replicas_unlock(sock);
		if (!err || port || err != -EADDRINUSE)
			return err;
	}
	return err;
}

static int bind_port(struct socket *sock, u16 port)
{
	struct sock *sk = sock->sk;

	if (!port && inet_sk(sk)->bind_address_no_port)
		return 0;
	return sock_wants_replicas(sock) && inet_sk(sk)->is_icsk ? get_port_everywhere(sock, port)
								 : get_port(sk, port);
}

/* Is @sk bound to an address? */
static bool has_addr(const struct sock *sk)
{
	return sk->sk_family == AF_INET6 ? !ipv6_addr_any(&sk->sk_v6_rcv_saddr)
					 : !be32_zero(sk->sk_rcv_saddr);
}

int inet_bind(struct socket *sock, const struct sockaddr *addr, socklen_t len)
{
	struct sock *sk = sock->sk;
	const struct inet_af_ops *af = sk_af_ops(sk);
	bool v6only;
	u16 port;
	int err;

	if (sk->sk_prot->bind)
		return sk->sk_prot->bind(sk, addr, len);
	if (!af)
		return -EADDRNOTAVAIL;
	err = af->bind_addr(sk, addr, len, &port);
	if (err)
		return err;
	/* A ping socket has an identifier, not a port. */
	if (port && port < sock_net(sk)->inet->ip_unprivileged_port_start && sk->sk_uid != 0 &&
	    sk->sk_protocol != IPPROTO_ICMP && sk->sk_protocol != IPPROTO_ICMPV6)
		return -EACCES;
	/* Bound or connected already: a socket is bound once. */
	if (sk->sk_state != SS_TCP_CLOSE || sk->sk_num)
		return -EINVAL;
	af->set_addr(sk, addr);
	/* As in Linux, IPV6_V6ONLY reads 1 on what is bound to one address of IPv6. */
	v6only = sk->sk_ipv6only;
	if (sk->sk_family == AF_INET6 && has_addr(sk) && !ipv6_addr_v4mapped(&sk->sk_v6_rcv_saddr))
		sk->sk_ipv6only = 1;
	err = bind_port(sock, port);
	if (err) {
		sk->sk_ipv6only = v6only;
		af->set_addr(sk, NULL);
		return err;
	}
	if (has_addr(sk))
		sk->sk_userlocks |= SK_BINDADDR_LOCK;
	if (port)
		sk->sk_userlocks |= SK_BINDPORT_LOCK;
	inet_reset_peer(sk);
	sk_dst_reset(sk);
	return 0;
}

/* ---- connect(2) -------------------------------------------------------------------------------------- */

static int inet_disconnect(struct socket *sock, int flags)
{
	int err;

	if (sock->sk->sk_state == SS_TCP_LISTEN)
		sock_replicas_end(sock);
	err = sock->sk->sk_prot->disconnect(sock->sk, flags);

	sock->state = err ? SS_DISCONNECTING : SS_UNCONNECTED;
	return err;
}

static bool sk_connecting(const struct sock *sk)
{
	return sk->sk_state == SS_TCP_SYN_SENT || sk->sk_state == SS_TCP_SYN_RECV;
}

/* Waits until the handshake is over. 0: look at the state; -EAGAIN: the time is over; -EINTR */
static int wait_for_connect(struct sock *sk, u64 timeo)
{
	int err = 0;

	while (sk_connecting(sk) && !err) {
		if (!timeo)
			return -EAGAIN;
		err = sk_wait_event(sk, &timeo);
	}
	return sk_connecting(sk) ? err : 0;
}

int inet_stream_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len, int flags)
{
	struct sock *sk = sock->sk;
	int err, pending;

	/* MSG_FASTOPEN may come without: then the connection must be on its way. */
	if (len < sizeof(addr->sa_family) && (addr || sock->state == SS_UNCONNECTED))
		return -EINVAL;
	if (addr && addr->sa_family == AF_UNSPEC)
		return inet_disconnect(sock, flags);

	switch (sock->state) {
	case SS_CONNECTED:
		return -EISCONN;
	case SS_CONNECTING:
		if (inet_sk(sk)->defer_connect)
			return -EISCONN;
		pending = -EALREADY;
		break;
	case SS_UNCONNECTED:
		if (sk->sk_state != SS_TCP_CLOSE)
			return -EISCONN;
		err = sk->sk_prot->connect(sk, addr, len);
		if (err < 0)
			return err;
		sock->state = SS_CONNECTING;
		if (inet_sk(sk)->defer_connect)
			return 0;
		pending = -EINPROGRESS;
		break;
	default:
		return -EINVAL;
	}

	err = wait_for_connect(sk, sock_sndtimeo(sk, flags & O_NONBLOCK));
	if (err)
		return err == -EAGAIN ? pending : err;
	if (sk->sk_state == SS_TCP_CLOSE) {
		/* Refused, timed out or reset. The socket may be used for another connect(2). */
		err = sock_error(sk);
		inet_disconnect(sock, flags);
		return err ? err : -ECONNABORTED;
	}
	sock->state = SS_CONNECTED;
	return 0;
}

int inet_dgram_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len, int flags)
{
	struct sock *sk = sock->sk;

	if (len < sizeof(addr->sa_family))
		return -EINVAL;
	if (addr->sa_family == AF_UNSPEC)
		return sk->sk_prot->disconnect(sk, flags);
	if (inet_autobind(sk))
		return -EAGAIN;
	return sk->sk_prot->connect(sk, addr, len);
}

/* ---- listen(2), accept(2), shutdown(2), getsockname(2) ------------------------------------------------- */

/* The replicas of @sock, which may have none yet, listen. It itself is not later than they. */
static int listen_everywhere(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err = 0;

	if (!sk->sk_num)
		err = get_port_everywhere(sock, 0);
	if (err)
		return err;
	sock_replicas_lock(sock);
	if (!sk->sk_rare || !sk->sk_rare->replicas)
		err = sock_replicas_bind(sock);
	if (!err)
		err = sock_replicas_listen(sock, backlog);
	sock_replicas_unlock(sock);
	/* The lock was given back meanwhile. */
	if (!err && (sock->state != SS_UNCONNECTED ||
		     (sk->sk_state != SS_TCP_CLOSE && sk->sk_state != SS_TCP_LISTEN)))
		err = -EINVAL;
	if (err && sk->sk_state != SS_TCP_LISTEN)
		sock_replicas_end(sock); /* some may listen by now */
	return err;
}

int inet_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	u32 limit = min_t(u32, sock_net(sk)->core->somaxconn, UINT16_MAX);
	int err;

	if (sock->state != SS_UNCONNECTED || sock->type != SOCK_STREAM)
		return -EINVAL;
	if (sk->sk_state != SS_TCP_CLOSE && sk->sk_state != SS_TCP_LISTEN)
		return -EINVAL;
	if (sock_wants_replicas(sock)) {
		err = listen_everywhere(sock, backlog);
		if (err)
			return err;
	}
	/* Negative means as much as possible. Called again, listen(2) changes the backlog only. */
	sk->sk_max_ack_backlog = (u16)min_t(u32, (u32)backlog, limit);
	if (sk->sk_state == SS_TCP_LISTEN)
		return 0;
	err = inet_csk_listen_start(sk);
	if (err)
		sock_replicas_end(sock);
	return err;
}

/* What it sends comes from any address, too. */
int inet_listen_any(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;
	int err;

	if (!sk->sk_prot->listen_any || sock_net(sk)->group)
		return -EOPNOTSUPP;
	if (sock->state != SS_UNCONNECTED || sk->sk_state != SS_TCP_CLOSE || sk->sk_num)
		return -EINVAL;
	err = sk->sk_prot->listen_any(sk, backlog);
	if (err)
		return err;
	inet_sk(sk)->listen_any = 1;
	inet_sk(sk)->transparent = 1;
	return 0;
}

int inet_accept(struct socket *sock, struct socket *newsock, int flags)
{
	int err = -EINVAL;
	struct sock *newsk = sock->sk->sk_prot->accept(sock->sk, flags, &err);

	if (!newsk)
		return err;
	newsock->ops = sock->ops;
	newsock->sk = newsk;
	sock_graft(newsk, newsock, &newsock->wq);
	newsock->state = SS_CONNECTED;
	return 0;
}

int inet_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk;
	int err = 0;

	how++; /* SHUT_RD, SHUT_WR, SHUT_RDWR to SK_SHUTDOWN_* */
	if (how < SK_SHUTDOWN_RCV || how > SK_SHUTDOWN_MASK)
		return -EINVAL;
	if (sock->state == SS_CONNECTING)
		sock->state = sk_connecting(sk) || sk->sk_state == SS_TCP_CLOSE ? SS_DISCONNECTING
										: SS_CONNECTED;

	switch (sk->sk_state) {
	case SS_TCP_CLOSE:
		err = -ENOTCONN; /* but it has its effect: readers and writers wake up */
		__fallthrough;
	default:
		sk->sk_shutdown |= (u8)how;
		if (sk->sk_prot->shutdown)
			sk->sk_prot->shutdown(sk, how);
		break;
	case SS_TCP_LISTEN:
		if (!(how & SK_SHUTDOWN_RCV))
			break;
		__fallthrough;
	case SS_TCP_SYN_SENT:
		err = inet_disconnect(sock, O_NONBLOCK);
		break;
	}
	sk_state_change(sk);
	return err;
}

int inet_getname(struct socket *sock, struct sockaddr_storage *ret, int peer)
{
	const struct sock *sk = sock->sk;
	struct sockaddr_in *sin = (struct sockaddr_in *)ret;
	be32 addr;

	if (peer && be16_zero(sk->sk_dport))
		return -ENOTCONN;
	if (peer == 1 && (sk->sk_state == SS_TCP_CLOSE || sk->sk_state == SS_TCP_SYN_SENT))
		return -ENOTCONN;
	if (sk->sk_family == AF_INET6)
		return inet6_getname(sk, ret, peer);
	memset(sin, 0, sizeof(*sin));
	sin->sin_family = AF_INET;
	if (peer) {
		sin->sin_port = sk->sk_dport.v;
		addr = sk->sk_daddr;
	} else {
		sin->sin_port = inet_sk(sk)->inet_sport.v;
		addr = be32_zero(sk->sk_rcv_saddr) ? inet_sk(sk)->inet_saddr : sk->sk_rcv_saddr;
	}
	sin->sin_addr.s_addr = addr.v;
	return sizeof(*sin);
}

/* ---- data, readiness, options ------------------------------------------------------------------------- */

ssize_t inet_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len)
{
	struct sock *sk = sock->sk;

	/* Connection-oriented protocols get their port by connect(2), when the destination is known. */
	if (!inet_sk(sk)->is_icsk && inet_autobind(sk))
		return -EAGAIN;
	return sk->sk_prot->sendmsg(sk, msg, len);
}

ssize_t inet_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags)
{
	return sock->sk->sk_prot->recvmsg(sock->sk, msg, len, flags);
}

u32 inet_poll(struct socket *sock)
{
	return sock->sk->sk_prot->poll ? sock->sk->sk_prot->poll(sock) : datagram_poll(sock);
}

static bool level_is_ip(int level)
{
	return level == SOL_IP || level == SOL_IPV6;
}

/* Whose options of level @level are. SOL_IP of an AF_INET6 socket (not raw) are those it uses for mapped addresses. */
static const struct inet_af_ops *level_af_ops(const struct sock *sk, int level)
{
	if (level == SOL_IP && sk->sk_family == AF_INET6)
		return sk->sk_type == SOCK_RAW ? NULL : inet_af_ops(sock_net(sk), AF_INET);
	return sk_af_ops(sk);
}

static bool level_is_own(const struct sock *sk, int level)
{
	if (sk->sk_type == SOCK_RAW)
		return level == SOL_RAW || (level == IPPROTO_ICMPV6 && sk->sk_family == AF_INET6);
	/* The two variants of UDP answer to both names. */
	if (level == IPPROTO_UDP || level == IPPROTO_UDPLITE)
		return sk->sk_protocol == IPPROTO_UDP || sk->sk_protocol == IPPROTO_UDPLITE;
	return level == sk->sk_protocol;
}

int inet_setsockopt(struct socket *sock, int level, int name, const void *val, socklen_t len)
{
	struct sock *sk = sock->sk;
	const struct inet_af_ops *af = level_af_ops(sk, level);

	if (level_is_ip(level))
		return af ? af->setsockopt(sk, level, name, val, len) : -ENOPROTOOPT;
	if (!level_is_own(sk, level) || !sk->sk_prot->setsockopt)
		return -ENOPROTOOPT;
	return sk->sk_prot->setsockopt(sk, level, name, val, len);
}

int inet_getsockopt(struct socket *sock, int level, int name, void *val, socklen_t *len)
{
	struct sock *sk = sock->sk;
	const struct inet_af_ops *af = level_af_ops(sk, level);
	int unknown = sk->sk_family == AF_INET6 ? -ENOPROTOOPT : -EOPNOTSUPP; /* as Linux */

	if (level_is_ip(level))
		return af ? af->getsockopt(sk, level, name, val, len) : unknown;
	if (!level_is_own(sk, level) || !sk->sk_prot->getsockopt)
		return unknown;
	return sk->sk_prot->getsockopt(sk, level, name, val, len);
}

int inet_ioctl(struct socket *sock, unsigned cmd, void *arg)
{
	struct sock *sk = sock->sk;
	const struct inet_af_ops *af = sk_af_ops(sk);
	int err = -ENOIOCTLCMD;

	err = sock_gettstamp(sk, cmd, arg);
	if (err != -ENOIOCTLCMD)
		return err;
	if (af && af->ioctl)
		err = af->ioctl(sock_net(sk), cmd, arg);
	if (err == -ENOIOCTLCMD && sk->sk_prot->ioctl)
		err = sk->sk_prot->ioctl(sk, cmd, arg);
	return err;
}

static int inet_no_listen(struct socket *sock, int backlog)
{
	(void)sock;
	(void)backlog;
	return -EOPNOTSUPP;
}

#define INET_STREAM_OPS(family_)                                                                   \
	{                                                                                          \
		.family = (family_), .release = inet_release, .bind = inet_bind,                   \
		.connect = inet_stream_connect, .accept = inet_accept, .getname = inet_getname,    \
		.poll = inet_poll, .ioctl = inet_ioctl, .listen = inet_listen,                     \
		.listen_any = inet_listen_any, .shutdown = inet_shutdown,                          \
		.setsockopt = inet_setsockopt, .getsockopt = inet_getsockopt,                      \
		.sendmsg = inet_sendmsg, .recvmsg = inet_recvmsg,                                  \
	}
#define INET_DGRAM_OPS(family_)                                                                    \
	{                                                                                          \
		.family = (family_), .release = inet_release, .bind = inet_bind,                   \
		.connect = inet_dgram_connect, .getname = inet_getname, .poll = inet_poll,         \
		.ioctl = inet_ioctl, .listen = inet_no_listen, .listen_any = inet_listen_any,      \
		.shutdown = inet_shutdown, .setsockopt = inet_setsockopt,                          \
		.getsockopt = inet_getsockopt, .sendmsg = inet_sendmsg, .recvmsg = inet_recvmsg,   \
	}

const struct proto_ops inet_stream_ops = INET_STREAM_OPS(AF_INET);
const struct proto_ops inet_dgram_ops = INET_DGRAM_OPS(AF_INET);
const struct proto_ops inet6_stream_ops = INET_STREAM_OPS(AF_INET6);
const struct proto_ops inet6_dgram_ops = INET_DGRAM_OPS(AF_INET6);
