/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_internal.h - what the files of this folder share
 *
 * Theory of operation
 *   A message is an skb, charged to its sender (sk_wmem_alloc), that lies on the receive queue of its receiver: nothing is in between. It
 *   holds a reference on the sender, whose name the receiver may ask for after that was closed.
 *   unix_sk()->peer is where messages go; it holds a reference on the peer's sock, which may be dead (SOCK_DEAD): then sending finds out.
 *   A stream or seqpacket connection is a pair of socks that are each other's peer. connect() makes the second one, an
 *   embryo, and puts it on the listener's list, from where accept() gives it a socket.
 *   Datagrams towards a receiver with more than sk_max_ack_backlog of them wait on the receiver's peer_wait (back-pressure), as
 *   does connect() for room in the listener's list. Two sockets that are each other's peers are limited by SO_SNDBUF alone.
 * Invariants
 *   A sock is on netns_unix.socks from its creation to its release. unix_name.owner is NULL or alive.
 * Locking: the lock of the net's cpu; all socks that can reach each other are of one net.
 * See unix(7). What the calls say was recorded from Linux 6.18 (tests/api/unix_test.c).
 */
#ifndef WEIR_UNIX_UNIX_INTERNAL_H
#define WEIR_UNIX_UNIX_INTERNAL_H

#include <stddef.h>
#include <sys/un.h>

#include "core/sock.h"
#include "core/trace.h"
#include "socket/socket.h"

#define UNIX_HASH_BITS    3     /* of the first name; the table grows with them */
#define UNIX_MAX_NAMES    65536 /* path names of a net: nobody closes a name */
#define UNIX_MAX_INFLIGHT 16384 /* files of a net that lie in messages */
#define UNIX_SCM_MAX_FD   253   /* files of one message: unix(7) */
#define UNIX_SUN_OFFSET   offsetof(struct sockaddr_un, sun_path)

#define UNIX_TRACE_POINTS(X)                                                                       \
	X(unix_stream_sendmsg, "unix/unix_stream.c", "queued", NULL)                               \
	X(unix_stream_recvmsg, "unix/unix_stream.c", "octets", NULL)                               \
	X(unix_dgram_sendmsg, "unix/unix_dgram.c", "queued", NULL)                                 \
	X(unix_dgram_recvmsg, "unix/unix_dgram.c", "octets", NULL)

TRACE_POINT_ENUM(UNIX, UNIX_TRACE_POINTS);

struct unix_name {
	struct hlist_node node; /* netns_unix.names; unhashed: unlinked */
	u32 refs;           /* the table's (path names only), and of each sock that is called so */
	u16 type;           /* SOCK_*: abstract names of different types are different names */
	u16 len;            /* of the address, family included */
	struct sock *owner; /* who is found under it; NULL: closed */
	sa_family_t family;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1]; /* [0] == 0: abstract */
};

struct unix_cred {
	u32 pid, uid, gid;
};
#define UNIX_NO_CRED ((struct unix_cred){ 0, 65534, 65534 }) /* the overflow ids */

struct unix_sock {
	struct sock sk;        /* must be first */
	struct list_head node; /* netns_unix.socks */
	struct unix_name *name;
	struct sock *peer;                /* a reference */
	struct wait_queue_head peer_wait; /* who waits for room here */
	struct wait_entry
		peer_wake;        /* on the peer's peer_wait: poll() said that there is no room */
	struct sock *listener;    /* of an embryo, else NULL */
	struct list_head embryos; /* of a listener: struct unix_sock.embryo */
	struct list_head embryo;
	struct unix_cred cred, peer_cred; /* of connect() or listen() */
	bool have_cred, have_peer_cred;
	/* unix_gc.c */
	bool gc_candidate;
	u32 inflight; /* messages of this net that hold our file */
	u32 gc_outside;
	struct list_head gc_node;
};

struct netns_unix {
	struct net *net;
	struct list_head socks;
	struct hlist_head *names; /* 1 << names_bits chains; NULL: there was no name yet */
	u32 nr_names;             /* path names */
	u32 nr_hashed;
	u8 names_bits;
	u32 inflight;      /* files in messages */
	u32 inflight_unix; /* of them, sockets of this family */
	u32 autobind;      /* where the search begins */
	u32 max_dgram_qlen;
	u32 nr_socks;
};

/* Lies in skb->cb. */
struct unix_skb_parms {
	struct file_batch *files; /* SCM_RIGHTS; NULL: none */
	struct unix_cred cred;
	u32 consumed; /* octets that a stream's reader has taken */
	bool have_cred;
};
static_assert(sizeof(struct unix_skb_parms) <= SKB_CB_SIZE, "must fit skb->cb");

static inline struct unix_skb_parms *UNIXCB(struct sk_buff *skb)
{
	return (struct unix_skb_parms *)skb->cb;
}
static inline struct unix_sock *unix_sk(const struct sock *sk)
{
	return (struct unix_sock *)sk;
}
static inline struct netns_unix *unix_net(const struct sock *sk)
{
	return sock_net(sk)->unx;
}
static inline bool unix_connection_based(const struct sock *sk)
{
	return sk->sk_type != SOCK_DGRAM;
}
static inline bool unix_writable(const struct sock *sk)
{
	return sk->sk_state != SS_TCP_LISTEN && (u64)sk->sk_wmem_alloc << 2 <= sk->sk_sndbuf;
}

/* af_unix.c */
extern const struct proto_ops unix_stream_ops, unix_dgram_ops, unix_seqpacket_ops;
extern const struct net_proto_family unix_family;
extern const struct proto unix_proto;
int unix_connect_to(struct socket *sock, const struct sockaddr *addr, socklen_t len, int flags);
struct sock *unix_new(struct net *net, struct socket *sock, u16 type); /* NULL: no memory */
void unix_disconnect_peer(struct sock *sk); /* gives the reference on the peer back */
void unix_wake_peer_wait(struct sock *sk);
/* Waits for room at @other, or for news of @sk. 0, -EAGAIN, -EINTR, -ENOMEM. Drops the lock meanwhile. */
int unix_wait_for_peer(struct sock *sk, struct sock *other, u64 *timeo);
struct unix_cred unix_current_cred(const struct sock *sk);
bool unix_dgram_full(const struct sock *sk, const struct sock *other);
/* Where a reader that peeks begins; -1: SO_PEEK_OFF is not used. And what a read moves. */
static inline int unix_peek_off(const struct sock *sk, int flags)
{
	return (flags & MSG_PEEK) && sk->sk_rare ? max(sk->sk_rare->peek_off, 0) : 0;
}
int unix_octets_waiting(struct sock *sk, int *ret); /* SIOCINQ; -EINVAL: it listens */
void unix_peek_off_move(struct sock *sk, int flags, u32 octets);
int unix_copy_name(struct kmsghdr *msg, const struct sock *from);

/* unix_name.c */
int unix_validate(const struct sockaddr *addr, socklen_t len);
int unix_bind_name(struct sock *sk, const struct sockaddr *addr, socklen_t len);
int unix_autobind(struct sock *sk); /* 0 also when it has a name */
void unix_name_get(struct unix_name *n);
void unix_name_unpublish(struct sock *sk); /* of a socket that ends */
void unix_name_release(struct sock *sk);   /* of a sock that ends: sk_destruct */
void unix_names_free(struct net *net);
/* Who is called so, with a reference; NULL with *ret_err. */
struct sock *unix_find_other(struct net *net, const struct sockaddr *addr, socklen_t len, u16 type,
			     int *ret_err);

/* unix_dgram.c, unix_stream.c */
ssize_t unix_dgram_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len);
ssize_t unix_dgram_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags);
ssize_t unix_seqpacket_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len);
ssize_t unix_seqpacket_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags);
ssize_t unix_stream_sendmsg(struct socket *sock, struct kmsghdr *msg, size_t len);
ssize_t unix_stream_recvmsg(struct socket *sock, struct kmsghdr *msg, size_t len, int flags);
/* An skb of @len octets of @from, charged to @sk. NULL with *ret_err. * drops the lock */
struct sk_buff *unix_alloc_skb(struct sock *sk, struct iov_iter *from, u32 len, bool noblock,
			       int *ret_err);

/* unix_scm.c */
struct unix_scm {
	struct file_batch *files;
	struct unix_cred cred;
	bool have_cred;
};
/* Reads the control messages of a send call. 0 or -errno; unix_scm_destroy() in either case. */
int unix_scm_send(struct sock *sk, const struct kmsghdr *msg, struct unix_scm *scm);
void unix_scm_destroy(struct sock *sk, struct unix_scm *scm);
/* Gives @scm's files to @skb; they are in flight from now on. @other may ask for credentials. 0 or -ETOOMANYREFS. */
int unix_scm_to_skb(struct sock *sk, struct unix_scm *scm, struct sk_buff *skb);
void unix_add_cred(struct sk_buff *skb, const struct sock *sk, const struct sock *other);
/* Files leave the message: they are the reader's (or nobody's, then retire them). NULL: it has none. */
struct file_batch *unix_detach_files(struct net *net, struct sk_buff *skb);
/* Another handle on each; NULL with *ret_err (0: there are none). */
struct file_batch *unix_peek_files(const struct file_batch *files, int *ret_err);
/* Tells the reader about credentials and files; takes over @scm's files. */
void unix_scm_recv(struct sock *sk, struct kmsghdr *msg, struct unix_scm *scm);

/* unix_gc.c */
struct unix_sock *unix_file_sock(struct file *f, const struct net *net);
void unix_gc(struct net *net);

/* unix_diag.c */
int unix_diag_machine_init(struct machine *m);

#endif
