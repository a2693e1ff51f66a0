/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * af_unix.c - the family: creation, connections, readiness, the end of a socket
 *
 * Contract and theory of operation: unix_internal.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "core/machine.h"
#include "core/sock_reasons.h"
#include "unix/unix_internal.h"

const struct proto unix_proto = {
	.name = "UNIX",
	.obj_size = sizeof(struct unix_sock),
};

/* ---- peers ----------------------------------------------------------------------------------------------- */

void unix_wake_peer_wait(struct sock *sk)
{
	wake_up(sk->sk_cpu, &unix_sk(sk)->peer_wait, EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND);
}

/* There is room at the peer again: poll() had said that there was none. */
static void peer_has_room(struct cpu *cpu, struct wait_entry *w, u32 events)
{
	struct unix_sock *u = container_of(w, struct unix_sock, peer_wake);

	remove_wait_queue(w);
	sk_write_space(&u->sk);
}

int unix_wait_for_peer(struct sock *sk, struct sock *other, u64 *timeo)
{
	int err;

	sock_hold(other);
	err = sk_wait_event_on(sk, &unix_sk(other)->peer_wait, timeo);
	sock_put(other);
	return err;
}

static void set_peer(struct sock *sk, struct sock *peer)
{
	sock_hold(peer);
	unix_sk(sk)->peer = peer;
}

void unix_disconnect_peer(struct sock *sk)
{
	struct sock *peer = unix_sk(sk)->peer;

	if (!peer)
		return;
	unix_sk(sk)->peer = NULL;
	remove_wait_queue(&unix_sk(sk)->peer_wake);
	sock_put(peer);
}

void unix_peek_off_move(struct sock *sk, int flags, u32 octets)
{
	struct sock_rare *r = sk->sk_rare;

	if (likely(!r || r->peek_off < 0))
		return;
	if (flags & MSG_PEEK)
		r->peek_off += (int)octets;
	else
		r->peek_off = max(r->peek_off - (int)octets, 0);
}

/* ---- life ------------------------------------------------------------------------------------------------ */

struct sock *unix_new(struct net *net, struct socket *sock, u16 type)
{
	struct sock *sk = sk_alloc(net, AF_UNIX, &unix_proto);
	struct unix_sock *u = unix_sk(sk);

	if (!sk)
		return NULL;
	sock_init_data(sk, sock, sock ? &sock->wq : NULL, type);
	sk->sk_max_ack_backlog = (u16)net->unx->max_dgram_qlen;
	if (sock)
		sk->sk_uid = sock->inode.uid;
	sk->sk_destruct = unix_name_release;
	init_waitqueue_head(&u->peer_wait);
	u->peer_wake.func = peer_has_room;
	list_init(&u->peer_wake.node);
	list_init(&u->peer_wake.wake_node);
	list_init(&u->embryos);
	list_init(&u->embryo);
	list_init(&u->gc_node);
	list_add_tail(&u->node, &net->unx->socks);
	net->unx->nr_socks++;
	return sk;
}

static int unix_create(struct net *net, struct socket *sock, int protocol)
{
	static const struct proto_ops *const ops[] = {
		[SOCK_STREAM] = &unix_stream_ops,
		[SOCK_DGRAM] = &unix_dgram_ops,
		[SOCK_SEQPACKET] = &unix_seqpacket_ops,
	};

	if (protocol && protocol != PF_UNIX)
		return -EPROTONOSUPPORT;
	if (sock->type == SOCK_RAW) /* as BSD */
		sock->type = SOCK_DGRAM;
	if (sock->type >= ARRAY_SIZE(ops) || !ops[sock->type])
		return -ESOCKTNOSUPPORT;
	sock->sk = unix_new(net, sock, sock->type);
	if (!sock->sk)
		return -ENOMEM;
	sock->sk->sk_protocol = (u8)protocol;
	sock->ops = ops[sock->type];
	return 0;
}

static void unix_release_sock(struct sock *sk, bool embryo);

/* Nobody will accept them. */
static void release_embryos(struct unix_sock *u)
{
	struct unix_sock *child;

	while ((child = list_first_entry_or_null(&u->embryos, struct unix_sock, embryo))) {
		list_del(&child->embryo);
		unix_release_sock(&child->sk, true);
	}
	u->sk.sk_ack_backlog = 0;
}

/* The other end of a connection hears of it; what it had sent and nobody read is lost. */
static void tell_peer(struct sock *sk, bool lost)
{
	struct sock *peer = unix_sk(sk)->peer;

	if (!peer || !unix_connection_based(sk) || sock_flag(peer, SOCK_DEAD))
		return;
	peer->sk_shutdown = SK_SHUTDOWN_MASK;
	if (lost)
		peer->sk_err = ECONNRESET;
	sk_state_change(peer);
}

/* Takes over the socket's reference, or the listener's. */
static void unix_release_sock(struct sock *sk, bool embryo)
{
	struct unix_sock *u = unix_sk(sk);

	list_del(&u->node);
	unix_net(sk)->nr_socks--;
	unix_name_unpublish(sk);
	sock_orphan(sk);
	sk->sk_shutdown = SK_SHUTDOWN_MASK;
	sk->sk_state = SS_TCP_CLOSE;
	unix_wake_peer_wait(sk);
	tell_peer(sk, embryo || !skb_queue_empty(&sk->sk_receive_queue));
	unix_disconnect_peer(sk);
	release_embryos(u);
	skb_queue_purge_reason(&sk->sk_receive_queue, SKB_DROP_SOCKET_CLOSE);
	sock_put(sk);
}

static int unix_release(struct socket *sock)
{
	struct net *net = sock->net;
	struct sock *sk = sock->sk;

	sock->sk = NULL;
	unix_release_sock(sk, false);
	unix_gc(net);
	return 0;
}

/* ---- names ----------------------------------------------------------------------------------------------- */

static int unix_bind(struct socket *sock, const struct sockaddr *addr, socklen_t len)
{
	return unix_bind_name(sock->sk, addr, len);
}

static int unix_getname(struct socket *sock, struct sockaddr_storage *ret, int peer)
{
	const struct sock *sk = peer ? unix_sk(sock->sk)->peer : sock->sk;
	const struct unix_name *n;

	if (!sk)
		return -ENOTCONN;
	n = unix_sk(sk)->name;
	ret->ss_family = AF_UNIX;
	if (!n)
		return UNIX_SUN_OFFSET;
	memcpy((char *)ret + UNIX_SUN_OFFSET, n->path, n->len - UNIX_SUN_OFFSET);
	return n->len;
}

/* ---- connections ----------------------------------------------------------------------------------------- */

static void set_own_cred(struct sock *sk)
{
	unix_sk(sk)->cred = unix_current_cred(sk);
	unix_sk(sk)->have_cred = true;
}

static void set_peer_cred(struct sock *sk, const struct sock *from)
{
	unix_sk(sk)->peer_cred = unix_sk(from)->cred;
	unix_sk(sk)->have_peer_cred = true;
}

static void join(struct sock *a, struct sock *b)
{
	set_peer(a, b);
	set_peer(b, a);
	set_own_cred(a);
	set_own_cred(b);
	set_peer_cred(a, b);
	set_peer_cred(b, a);
	a->sk_state = b->sk_state = SS_TCP_ESTABLISHED;
}

static int unix_socketpair(struct socket *a, struct socket *b)
{
	join(a->sk, b->sk);
	a->state = b->state = SS_CONNECTED;
	return 0;
}

static int unix_listen(struct socket *sock, int backlog)
{
	struct sock *sk = sock->sk;

	if (!unix_sk(sk)->name)
		return -EINVAL;
	if (sk->sk_state != SS_TCP_CLOSE && sk->sk_state != SS_TCP_LISTEN)
		return -EINVAL;
	if (backlog > sk->sk_max_ack_backlog)
		unix_wake_peer_wait(sk);
	sk->sk_max_ack_backlog = (u16)min(max(backlog, 0), 65535);
	sk->sk_state = SS_TCP_LISTEN;
	set_own_cred(sk);
	return 0;
}

/* May @sk connect to @other now? 0, -EAGAIN: its list is full, or why not. */
static int connect_check(const struct sock *sk, const struct sock *other)
{
	if (sock_flag(other, SOCK_DEAD) || other->sk_state != SS_TCP_LISTEN ||
	    (other->sk_shutdown & SK_SHUTDOWN_RCV))
		return -ECONNREFUSED;
	if (other->sk_ack_backlog > other->sk_max_ack_backlog)
		return -EAGAIN;
	if (sk->sk_state == SS_TCP_ESTABLISHED)
		return -EISCONN;
	return sk->sk_state == SS_TCP_CLOSE ? 0 : -EINVAL;
}

static int connect_embryo(struct socket *sock, struct sock *listener)
{
	struct unix_sock *u = unix_sk(listener);
	struct sock *sk = sock->sk, *child = unix_new(sock_net(sk), NULL, sk->sk_type);

	if (!child)
		return -ENOMEM;
	join(sk, child);
	set_peer_cred(sk, listener); /* of who listens, not of who will accept */
	sock->state = SS_CONNECTED;
	unix_sk(child)->listener = listener;
	if (u->name) {
		unix_name_get(u->name);
		unix_sk(child)->name = u->name;
	}
	list_add_tail(&unix_sk(child)->embryo, &u->embryos);
	listener->sk_ack_backlog++;
	sk_data_ready(listener);
	return 0;
}

static int unix_stream_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len,
			       int flags)
{
	struct sock *sk = sock->sk, *other;
	u64 timeo = sock_sndtimeo(sk, flags & O_NONBLOCK);
	int err = unix_validate(addr, len);

	if (!err && sock_flag(sk, SOCK_PASSCRED))
		err = unix_autobind(sk);
	while (!err) {
		other = unix_find_other(sock_net(sk), addr, len, sk->sk_type, &err);
		if (!other)
			break;
		err = connect_check(sk, other);
		if (!err) {
			err = connect_embryo(sock, other);
			sock_put(other);
			break;
		}
		if (err == -EAGAIN && timeo) { /* and look the name up again */
			err = unix_wait_for_peer(sk, other, &timeo);
			if (!err)
				err = sock_error(sk);
		}
		sock_put(other);
	}
	return err;
}

static int unix_accept(struct socket *sock, struct socket *newsock, int flags)
{
	struct unix_sock *u = unix_sk(sock->sk), *child;
	struct sock *sk = sock->sk;
	u64 timeo = sock_rcvtimeo(sk, flags & O_NONBLOCK);
	int err;

	if (sk->sk_state != SS_TCP_LISTEN)
		return -EINVAL;
	while (list_empty(&u->embryos)) {
		err = sock_error(sk);
		if (!err && (sk->sk_shutdown & SK_SHUTDOWN_RCV))
			err = -EINVAL;
		if (!err)
			err = timeo ? sk_wait_event(sk, &timeo) : -EAGAIN;
		if (err)
			return err;
	}
	child = list_first_entry(&u->embryos, struct unix_sock, embryo);
	list_del(&child->embryo);
	child->listener = NULL;
	sk->sk_ack_backlog--;
	unix_wake_peer_wait(sk);
	newsock->sk = &child->sk;
	newsock->state = SS_CONNECTED;
	child->sk.sk_uid = newsock->inode.uid;
	sock_graft(&child->sk, newsock, &newsock->wq);
	return 0;
}

/* A datagram socket leaves its peer: what came from there is of no interest any more. */
static void dgram_disconnected(struct sock *sk, struct sock *old)
{
	if (!skb_queue_empty(&sk->sk_receive_queue)) {
		skb_queue_purge_reason(&sk->sk_receive_queue, SKB_DROP_SOCKET_DISCONNECT);
		unix_wake_peer_wait(sk);
		if (!sock_flag(old, SOCK_DEAD) && unix_sk(old)->peer == sk) {
			old->sk_err = ECONNRESET;
			sk_error_report(old);
		}
	}
}

static int unix_dgram_connect(struct socket *sock, const struct sockaddr *addr, socklen_t len,
			      int flags)
{
	struct sock *sk = sock->sk, *other = NULL, *old = unix_sk(sk)->peer;
	int err = 0;

	if (addr->sa_family != AF_UNSPEC) {
		err = unix_validate(addr, len);
		if (!err && sock_flag(sk, SOCK_PASSCRED))
			err = unix_autobind(sk);
		if (err)
			return err;
		other = unix_find_other(sock_net(sk), addr, len, sk->sk_type, &err);
		if (!other)
			return err;
		if (unix_sk(other)->peer && unix_sk(other)->peer != sk) {
			sock_put(other);
			return -EPERM;
		}
	}
	if (old) {
		sock_hold(old);
		unix_disconnect_peer(sk);
		if (old != other)
			dgram_disconnected(sk, old);
		sk_write_space(sk); /* the old one's queue does not hold us any more */
		sock_put(old);
	}
	sk->sk_state = other ? SS_TCP_ESTABLISHED : SS_TCP_CLOSE;
	sock->state = other ? SS_CONNECTED : SS_UNCONNECTED;
	unix_sk(sk)->peer = other; /* with the reference */
	return 0;
}

static int unix_shutdown(struct socket *sock, int how)
{
	struct sock *sk = sock->sk, *peer = unix_sk(sk)->peer;
	u8 mode = (u8)(how + 1), peer_mode = 0;

	sk->sk_shutdown |= mode;
	if (mode & SK_SHUTDOWN_RCV) {
		peer_mode |= SK_SHUTDOWN_SEND;
		unix_wake_peer_wait(sk);
	}
	if (mode & SK_SHUTDOWN_SEND)
		peer_mode |= SK_SHUTDOWN_RCV;
	sk_state_change(sk);
	if (peer && unix_connection_based(sk)) {
		peer->sk_shutdown |= peer_mode;
		sk_state_change(peer);
	}
	return 0;
}

/* ---- readiness ------------------------------------------------------------------------------------------- */

static u32 poll_common(const struct sock *sk)
{
	u32 mask = 0;

	if (sk->sk_err)
		mask |= EPOLLERR;
	if (sk->sk_shutdown == SK_SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	if (sk->sk_shutdown & SK_SHUTDOWN_RCV)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (!skb_queue_empty(&sk->sk_receive_queue) || !list_empty(&unix_sk(sk)->embryos))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (unix_connection_based(sk) && sk->sk_state == SS_TCP_CLOSE)
		mask |= EPOLLHUP;
	return mask;
}

static u32 unix_poll(struct socket *sock)
{
	u32 mask = poll_common(sock->sk);

	if (unix_writable(sock->sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

/* Writable means that the peer has room, too. If it has not, its reader will tell. */
static bool dgram_writable(struct sock *sk)
{
	struct unix_sock *u = unix_sk(sk);

	if (!unix_writable(sk))
		return false;
	if (!u->peer || sock_flag(u->peer, SOCK_DEAD) || !unix_dgram_full(sk, u->peer))
		return true;
	if (list_empty(&u->peer_wake.node))
		add_wait_queue(&unix_sk(u->peer)->peer_wait, &u->peer_wake);
	return false;
}

static u32 unix_dgram_poll(struct socket *sock)
{
	u32 mask = poll_common(sock->sk);

	if (dgram_writable(sock->sk))
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	return mask;
}

/* ---- the rest -------------------------------------------------------------------------------------------- */

int unix_octets_waiting(struct sock *sk, int *ret)
{
	struct sk_buff *skb;
	u64 n = 0;

	if (sk->sk_state == SS_TCP_LISTEN)
		return -EINVAL;
	skb_queue_walk(&sk->sk_receive_queue, skb) {
		n += skb->len - UNIXCB(skb)->consumed;
		if (!unix_connection_based(sk))
			break; /* of the first one */
	}
	*ret = (int)min(n, (u64)INT32_MAX);
	return 0;
}

static int unix_ioctl(struct socket *sock, unsigned cmd, void *arg)
{
	switch (cmd) {
	case SIOCINQ:
		return unix_octets_waiting(sock->sk, arg);
	case SIOCOUTQ:
		*(int *)arg = (int)sock->sk->sk_wmem_alloc;
		return 0;
	default:
		return -ENOIOCTLCMD;
	}
}

static int unix_peercred(struct socket *sock, struct ucred *ret)
{
	const struct unix_sock *u = unix_sk(sock->sk);
	const struct unix_cred *c = u->have_peer_cred ? &u->peer_cred
				    : u->have_cred    ? &u->cred
						      : NULL;

	if (c)
		*ret = (struct ucred){ (pid_t)c->pid, c->uid, c->gid };
	return 0;
}

#define UNIX_COMMON_OPS                                                                            \
	.family = AF_UNIX, .release = unix_release, .bind = unix_bind,                             \
	.socketpair = unix_socketpair, .getname = unix_getname, .ioctl = unix_ioctl,               \
	.shutdown = unix_shutdown, .peercred = unix_peercred

const struct proto_ops unix_stream_ops = {
	UNIX_COMMON_OPS,
	.connect = unix_stream_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.poll = unix_poll,
	.sendmsg = unix_stream_sendmsg,
	.recvmsg = unix_stream_recvmsg,
};

const struct proto_ops unix_seqpacket_ops = {
	UNIX_COMMON_OPS,
	.connect = unix_stream_connect,
	.listen = unix_listen,
	.accept = unix_accept,
	.poll = unix_dgram_poll,
	.sendmsg = unix_seqpacket_sendmsg,
	.recvmsg = unix_seqpacket_recvmsg,
};

const struct proto_ops unix_dgram_ops = {
	UNIX_COMMON_OPS,
	.connect = unix_dgram_connect,
	.poll = unix_dgram_poll,
	.sendmsg = unix_dgram_sendmsg,
	.recvmsg = unix_dgram_recvmsg,
};

const struct net_proto_family unix_family = {
	.family = AF_UNIX,
	.create = unix_create,
};
