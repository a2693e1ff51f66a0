/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket.h - the BSD side of a socket, families, and the system calls on sockets
 *
 * Families register per machine (sock_register). A family that is absent is asked for as module "net-pf-N", a protocol that the
 * family does not know as "net-pf-N-proto-P-type-T" and "net-pf-N-proto-P"; else EAFNOSUPPORT or what the family said.
 */
#ifndef WEIR_SOCKET_SOCKET_H
#define WEIR_SOCKET_SOCKET_H

#include <sys/socket.h>

#include "core/sock.h"
#include "socket/file.h"

struct net;
struct socket;

enum socket_state { SS_FREE, SS_UNCONNECTED, SS_CONNECTING, SS_CONNECTED, SS_DISCONNECTING };

/* All: user context, home cpu's lock held; those marked * may block and drop it in between. 0 or -errno. */
struct proto_ops {
	int family;
	const struct module
		*owner; /* THIS_MODULE of a loadable one: each socket counts as a user */
	int (*release)(struct socket *sock); /* * (SO_LINGER) */
	int (*bind)(struct socket *sock, const struct sockaddr *addr, socklen_t len);
	int (*connect)(struct socket *sock, const struct sockaddr *addr, socklen_t len,
		       int flags); /* * */
	int (*socketpair)(struct socket *a, struct socket *b);
	int (*accept)(struct socket *sock, struct socket *newsock, int flags); /* * */
	/* @peer: 0 local, 1 remote, 2 remote for accept(2): also of a connection that has ended meanwhile. Returns the length. */
	int (*getname)(struct socket *sock, struct sockaddr_storage *ret, int peer);
	u32 (*poll)(struct socket *sock); /* EPOLL* bits */
	int (*ioctl)(struct socket *sock, unsigned cmd, void *arg);
	int (*listen)(struct socket *sock, int backlog);
	int (*listen_any)(struct socket *sock, int backlog); /* optional: weir_listen_any() */
	int (*shutdown)(struct socket *sock, int how);
	int (*setsockopt)(struct socket *sock, int level, int name, const void *val, socklen_t len);
	int (*getsockopt)(struct socket *sock, int level, int name, void *val, socklen_t *len);
	int (*peercred)(struct socket *sock, struct ucred *ret); /* optional: SO_PEERCRED */
	ssize_t (*sendmsg)(struct socket *sock, struct kmsghdr *msg, size_t len);            /* * */
	ssize_t (*recvmsg)(struct socket *sock, struct kmsghdr *msg, size_t len, int flags); /* * */
};

struct socket {
	struct file file; /* must be first */
	struct inode inode;
	struct wait_queue_head wq; /* home cpu's lock */
	const struct proto_ops *ops;
	struct sock *sk;
	struct net *net; /* NULL: the net is gone (dead) */
	struct list_head
		net_node; /* netns_sock.sockets; home cpu's lock. Dead: machine_sock.dead_sockets */
	u32 inflight;     /* calls inside; home cpu's lock */
	u16 cpu_id;       /* home; outlives the net */
	u8 type;          /* SOCK_* */
	u8 state : 6;     /* enum socket_state */
	bool replica : 1; /* sock_replica.h */
	bool dead : 1;    /* the net was destroyed: every call gives -ENETDOWN */
};

static_assert(sizeof(struct socket) <= 128, "two cache lines: every connection has one");

static inline struct cpu *sock_cpu(const struct socket *sock)
{
	return sock->file.machine->cpus[sock->cpu_id];
}

/* socket/ per net */
struct netns_sock {
	struct list_head sockets; /* struct socket.net_node */
	/* SIOCGIFCONF, by the address family that has interface addresses (ipv4/); NULL: none. Context: control. */
	int (*gifconf)(struct net *net, void *arg);
	struct wait_queue_head
		shutdown_wq; /* socket_net_shutdown() waits here for calls to leave */
};
struct machine_sock;
/* Ends all sockets of @net: their files stay and fail with -ENETDOWN. Neither rtnl nor a cpu lock may be held. */
void socket_net_shutdown(struct net *net);

static inline struct socket *file_socket(struct file *f)
{
	return (struct socket *)f;
}
extern const struct file_operations socket_file_ops;
static inline bool file_is_socket(const struct file *f)
{
	return f->ops == &socket_file_ops;
}

struct net_proto_family {
	int family;
	const struct module *owner; /* as of proto_ops */
	/* cpu lock held. Gives sock->ops and sock->sk. 0, -ESOCKTNOSUPPORT, -EPROTONOSUPPORT, ... */
	int (*create)(struct net *net, struct socket *sock, int protocol);
};

int sock_register(struct machine *m, const struct net_proto_family *fam); /* 0, -EEXIST */
/* Sockets of the family that exist stay. @family's table may still be in use until synchronize_net(). */
void sock_unregister(struct machine *m, int family);

/* ---- syscalls.c: take and release the lock themselves; fds are files here -------------------------- */

int sock_create_file(struct net *net, int family, int type, int protocol, struct file **ret_file);
int sys_bind(struct file *f, const struct sockaddr *addr, socklen_t len);
int sys_listen(struct file *f, int backlog);
int sys_listen_any(struct file *f, int backlog);
int sys_connect(struct file *f, const struct sockaddr *addr, socklen_t len);
int sys_accept4(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len, int flags,
		struct file **ret_file);
int sys_getsockname(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len);
int sys_getpeername(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len);
int sys_socketpair(struct net *net, int family, int type, int protocol, struct file *ret_files[2]);
ssize_t sys_sendmsg(struct file *f, struct kmsghdr *msg);
/* The messages of one sendmmsg(2). */
struct send_list {
	/* Fills *msg with the one that comes next; again the same if that was not sent. 1; 0: there is none; -errno: there is something wrong with it. cpu lock */
	int (*next)(struct send_list *l, struct kmsghdr *msg);
	void (*sent)(struct send_list *l, size_t n); /* @n octets of it; cpu lock */
};
/* Sends all of them, until one fails. 0, or that error */
int sys_send_list(struct file *f, struct send_list *l);
ssize_t sys_recvmsg(struct file *f, struct kmsghdr *msg);
/* The same with msg->pages, whose sock is set if octets are in it. -EOPNOTSUPP: the protocol copies. */
ssize_t sys_recv_pages(struct file *f, struct kmsghdr *msg);
void sys_put_pages(struct recv_pages *pages);
int sys_setsockopt(struct file *f, int level, int name, const void *val, socklen_t len);
int sys_getsockopt(struct file *f, int level, int name, void *val, socklen_t *len);
int sys_shutdown(struct file *f, int how);
int sys_ioctl(struct file *f, unsigned long cmd, void *arg);

/* sockopt.c: SOL_SOCKET for every family */
int sock_setsockopt(struct socket *sock, int name, const void *val, socklen_t len);
int sock_getsockopt(struct socket *sock, int name, void *val, socklen_t *len);

/* dev_ioctl.c: SIOCGIF* of any socket; set requests go through netlink. -ENOIOCTLCMD (-515): not mine */
int dev_ioctl(struct net *net, unsigned cmd, void *arg);

/* socket.c: has an epoll become ready since the last call? Clears it. */
bool socket_take_event(struct machine *m);
/* Closes every file that is left: the machine ends. All nets are gone. */
void socket_close_all(struct machine *m);

/* ---- eventpoll.c, poll.c ----------------------------------------------------------------------------- */

struct epoll_event;
int eventpoll_create(struct machine *m, struct file **ret_file);
int eventpoll_ctl(struct file *ep, int op, struct file *target, const struct epoll_event *ev);
/* @timeout_ns: 0 do not wait, HOST_FOREVER. Events stored, or -errno. */
int eventpoll_wait(struct file *ep, struct epoll_event *evs, int max, u64 timeout_ns);
void eventpoll_release_file(struct file *f); /* file_put: removes it from every epoll */

u32 datagram_poll(struct socket *sock); /* proto_ops.poll of datagram sockets; cpu lock held */

struct file_poll {
	struct file *file;   /* NULL: ignored */
	u32 events, revents; /* EPOLL* = POLL* bits */
};
int files_poll(struct machine *m, struct file_poll *fds, u32 n, u64 timeout_ns);

#endif
