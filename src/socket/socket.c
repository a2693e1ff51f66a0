/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * socket.c - families, the life of a struct socket, and what a socket does as a file
 *
 * Theory of operation
 *   A socket is allocated here, given its ops and sock by the family, and listed in its net. Every call enters through
 *   sock_enter(), which locks the home cpu and counts the call; so two events can end a socket under calls that sleep in it:
 *   its last handle is closed (file_close), or its net is destroyed (socket_net_shutdown). Both put an error on the sock
 *   and wake everybody; the calls leave, and only then is the sock released. A socket whose net is gone is "dead": it has
 *   no ops, no sock and no net, keeps its cpu, and answers -ENETDOWN.
 * Locking
 *   sock->inflight, sock->dead and the net's list: the home cpu's lock.
 */
#include "socket/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/stat.h>

#include "core/module.h"
#include "core/netdevice.h"
#include "core/slab.h"
#include "core/sysctl.h"
#include "socket/pipe.h"
#include "socket/sock_replica.h"
#include "socket/socket_internal.h"
#include "socket/socket_module.h"

#define SOCK_TYPE_MASK 0xf
#define SOCK_TYPE_MAX  11
#define EPOLL_ALL_                                                                                 \
	(EPOLLIN | EPOLLRDNORM | EPOLLOUT | EPOLLWRNORM | EPOLLPRI | EPOLLERR | EPOLLHUP |         \
	 EPOLLRDHUP)

/* ---- families ------------------------------------------------------------------------------------------ */

int sock_register(struct machine *m, const struct net_proto_family *fam)
{
	if (fam->family < 0 || fam->family >= NPROTO)
		return -EINVAL;
	if (m->net_families[fam->family])
		return -EEXIST;
	__atomic_store_n(&m->net_families[fam->family], fam, __ATOMIC_RELEASE);
	return 0;
}

void sock_unregister(struct machine *m, int family)
{
	if (family >= 0 && family < NPROTO)
		__atomic_store_n(&m->net_families[family], NULL, __ATOMIC_RELEASE);
}

/* ---- life ---------------------------------------------------------------------------------------------- */

/* The network side wakes whoever waits on the socket's queue. Called wherever a sock has got its socket. */
void sock_attach_wq(struct socket *sock)
{
	if (sock->sk)
		sock->sk->sk_wq = &sock->wq;
}

/* Puts @err on the sock and wakes all who sleep in the socket; they must find a reason to leave. */
static void sock_kick(struct socket *sock, int err)
{
	struct sock *sk = sock->sk;

	lock_assert_held(sock_cpu(sock));
	if (sk) {
		/* A listener leaves LISTEN, a connection says FIN; then the error, which is what callers will see. */
		if (sock->ops && sock->ops->shutdown)
			sock->ops->shutdown(sock, SHUT_RDWR);
		sk->sk_err = err;
		sk->sk_shutdown = SK_SHUTDOWN_MASK;
	}
	wake_up(sock_cpu(sock), &sock->wq, EPOLL_ALL_);
}

static u32 socket_file_poll(struct file *f, struct wait_entry *w)
{
	struct socket *sock = file_socket(f);
	u32 mask;

	cpu_lock(sock_cpu(sock));
	mask = sock->ops ? sock->ops->poll(sock) : EPOLLERR | EPOLLHUP | EPOLLIN | EPOLLRDNORM;
	if (w)
		add_wait_queue(&sock->wq, w);
	cpu_unlock(sock_cpu(sock));
	return mask;
}

static void socket_file_unpoll(struct file *f, struct wait_entry *w)
{
	struct socket *sock = file_socket(f);

	cpu_lock(sock_cpu(sock));
	remove_wait_queue(w);
	cpu_unlock(sock_cpu(sock));
}

static ssize_t socket_file_read(struct file *f, struct kmsghdr *msg, size_t len)
{
	msg->iter.count = len;
	return len ? sys_recvmsg(f, msg) : 0;
}

static ssize_t socket_file_write(struct file *f, struct kmsghdr *msg, size_t len)
{
	msg->iter.count = len;
	return sys_sendmsg(f, msg);
}

/* The sock of @sock ends; the lock may be dropped meanwhile (SO_LINGER). */
static void sock_release_sk(struct socket *sock)
{
	const struct proto_ops *ops = sock->ops;

	sock_replicas_end(sock);
	if (sock->sk)
		sock_option_log_free(sock->sk);
	if (ops && sock->sk)
		ops->release(sock);
	if (ops)
		module_put(sock->file.machine, ops->owner);
	sock->ops = NULL;
	sock->sk = NULL;
}

/* Off the list of the net, or of the machine. Home cpu locked. */
static void sock_unlist(struct socket *sock)
{
	struct machine_sock *ms = sock->file.machine->sock;

	if (sock->net) {
		list_del(&sock->net_node);
	} else {
		pthread_mutex_lock(&ms->files_lock);
		list_del(&sock->net_node);
		pthread_mutex_unlock(&ms->files_lock);
	}
}

static void socket_file_release(struct file *f)
{
	struct socket *sock = file_socket(f);
	struct cpu *cpu = sock_cpu(sock);

	cpu_lock(cpu);
	sock->inflight++; /* socket_net_shutdown() waits for us if we linger */
	sock_release_sk(sock);
	sock_unlist(sock);
	if (sock->dead && sock->net)
		wake_up(cpu, &sock->net->sock->shutdown_wq, EPOLLIN);
	slab_free(cpu, sock, sizeof(*sock));
	cpu_unlock(cpu);
	file_batches_put(cpu->machine);
}

static void socket_file_wake(struct file *f)
{
	struct socket *sock = file_socket(f);

	cpu_lock(sock_cpu(sock));
	sock_kick(sock, EBADF);
	cpu_unlock(sock_cpu(sock));
}

const struct file_operations socket_file_ops = {
	.poll = socket_file_poll,
	.unpoll = socket_file_unpoll,
	.read_iter = socket_file_read,
	.write_iter = socket_file_write,
	.ioctl = sys_ioctl,
	.release = socket_file_release,
	.wake = socket_file_wake,
};

struct socket *sock_alloc(struct net *net, u16 type)
{
	struct cpu *cpu = net->cpu;
	struct socket *sock = slab_zalloc(cpu, sizeof(*sock));

	if (!sock)
		return NULL;
	file_init(&sock->file, cpu->machine, &socket_file_ops);
	sock->inode.ino = cpu_number(&cpu->inos, &cpu->machine->inos);
	sock->inode.mode = S_IFSOCK | 0777;
	init_waitqueue_head(&sock->wq);
	list_init(&sock->net_node);
	sock->net = net;
	sock->cpu_id = cpu->id;
	sock->type = (u8)type;
	sock->state = SS_UNCONNECTED;
	return sock;
}

/* Without memory it is as if the sysctl was not set. */
static void sock_set_busy_read(struct socket *sock)
{
	u32 usecs = __atomic_load_n(&sock->file.machine->sock->busy_read, __ATOMIC_RELAXED);

	if (unlikely(usecs) && sock->sk && sock_rare(sock->sk))
		sock->sk->sk_rare->busy_poll = (int)usecs;
}

/* The family's part: the home cpu is locked, so that neither the family nor its table can go meanwhile. */
static int sock_create_locked(struct net *net, struct socket *sock, int family, int protocol)
{
	struct machine *m = net->machine;
	const struct net_proto_family *fam =
		__atomic_load_n(&m->net_families[family], __ATOMIC_ACQUIRE);
	int err;

	if (net->dying)
		return -ENETDOWN;
	if (!fam || !try_module_get(m, fam->owner))
		return -EAFNOSUPPORT;
	err = fam->create(net, sock, protocol);
	if (!err && !try_module_get(m, sock->ops->owner)) {
		sock->ops->release(sock);
		err = -EAFNOSUPPORT;
	}
	module_put(m, fam->owner);
	if (err) {
		sock->ops = NULL;
		sock->sk = NULL;
		return err;
	}
	sock_set_busy_read(sock);
	sock_attach_wq(sock);
	list_add_tail(&sock->net_node, &net->sock->sockets);
	return 0;
}

/* What is asked of socket(2). */
struct sock_wish {
	int family, protocol;
	u16 type;
	u32 flags; /* of the file */
};

static int sock_try_create(struct net *net, const struct sock_wish *wish, struct socket **ret_sock)
{
	struct socket *sock;
	int err = -ENOMEM;

	cpu_lock(net->cpu);
	sock = sock_alloc(net, wish->type);
	if (sock) {
		sock->file.flags = wish->flags;
		err = sock_create_locked(net, sock, wish->family, wish->protocol);
		if (likely(!err))
			*ret_sock = sock;
		else
			slab_free(net->cpu, sock, sizeof(*sock));
	}
	cpu_unlock(net->cpu);
	return err;
}

/* @requested: what asking for a module gave. @err: what creating gave before. */
static int create_after(int requested, struct net *net, const struct sock_wish *wish, int err,
			struct socket **ret_sock)
{
	if (!requested)
		return sock_try_create(net, wish, ret_sock);
	return requested == -ENOMEM ? requested : err;
}

/* What was missing is asked for by the names that Linux gives to modprobe(8), until there is a socket or no name is left. */
static int sock_request_create(struct net *net, const struct sock_wish *w, int err,
			       struct socket **ret_sock)
{
	struct machine *m = net->machine;

	if (err == -EAFNOSUPPORT)
		err = create_after(request_module(m, "net-pf-%d", w->family), net, w, err,
				   ret_sock);
	if (err == -ESOCKTNOSUPPORT || err == -EPROTONOSUPPORT)
		err = create_after(request_module(m, "net-pf-%d-proto-%d-type-%d", w->family,
						  w->protocol, w->type),
				   net, w, err, ret_sock);
	if (err == -ESOCKTNOSUPPORT || err == -EPROTONOSUPPORT)
		err = create_after(request_module(m, "net-pf-%d-proto-%d", w->family, w->protocol),
				   net, w, err, ret_sock);
	return err;
}

static int sock_create(struct net *net, int family, int type, int protocol,
		       struct socket **ret_sock)
{
	struct sock_wish wish = {
		.family = family,
		.protocol = protocol,
		.type = type & SOCK_TYPE_MASK,
		.flags = type & SOCK_NONBLOCK ? O_NONBLOCK : 0,
	};
	int err;

	if (type & ~(SOCK_TYPE_MASK | SOCK_NONBLOCK | SOCK_CLOEXEC))
		return -EINVAL;
	if (family < 0 || family >= NPROTO)
		return -EAFNOSUPPORT;
	if (wish.type >= SOCK_TYPE_MAX)
		return -EINVAL;
	err = sock_try_create(net, &wish, ret_sock);
	if (unlikely(err) && net->machine->request_module)
		err = sock_request_create(net, &wish, err, ret_sock);
	return err;
}

int sock_create_file(struct net *net, int family, int type, int protocol, struct file **ret_file)
{
	struct socket *sock;
	int err = sock_create(net, family, type, protocol, &sock);

	if (!err)
		*ret_file = &sock->file;
	return err;
}

int sys_socketpair(struct net *net, int family, int type, int protocol, struct file *ret_files[2])
{
	struct socket *a, *b;
	int err = sock_create(net, family, type, protocol, &a);

	if (err)
		return err;
	err = sock_create(net, family, type, protocol, &b);
	if (err) {
		file_close(&a->file);
		return err;
	}
	cpu_lock(net->cpu);
	if (a->dead)
		err = -ENETDOWN;
	else
		err = a->ops->socketpair ? a->ops->socketpair(a, b) : -EOPNOTSUPP;
	cpu_unlock(net->cpu);
	if (err) {
		file_close(&a->file);
		file_close(&b->file);
		return err;
	}
	ret_files[0] = &a->file;
	ret_files[1] = &b->file;
	return 0;
}

/* ---- the end of a net ---------------------------------------------------------------------------------- */

/* Ends what can be ended now. True: all are gone. */
static bool net_sockets_reap(struct net *net)
{
	struct machine_sock *ms = net->machine->sock;
	struct socket *sock, *n;

restart:
	list_for_each_entry_safe(sock, n, &net->sock->sockets, net_node) {
		if (sock->inflight)
			continue;
		list_del(&sock->net_node);
		sock->inflight = 1;
		if (sock->sk) { /* abort, do not linger: RFC 9293 3.10.5 */
			sock_set_flag(sock->sk, SOCK_LINGER);
			sock->sk->sk_lingertime = 0;
		}
		sock_release_sk(sock);
		sock->net = NULL;
		sock->inflight = 0;
		pthread_mutex_lock(&ms->files_lock);
		list_add_tail(&sock->net_node, &ms->dead_sockets);
		pthread_mutex_unlock(&ms->files_lock);
		wake_up(sock_cpu(sock), &sock->wq, EPOLL_ALL_);
		goto restart; /* the lock may have been dropped */
	}
	return list_empty(&net->sock->sockets);
}

void socket_net_shutdown(struct net *net)
{
	struct cpu *cpu = net->cpu;
	struct wait_entry w;
	struct socket *sock;

	cpu_lock(cpu);
	net->dying = true;
	list_for_each_entry(sock, &net->sock->sockets, net_node) {
		sock->dead = true;
		sock_kick(sock, ENETDOWN);
	}
	while (!net_sockets_reap(net)) {
		if (wait_entry_init(cpu, &w)) {
			/* No memory to sleep properly: let the others in and look again. */
			cpu_unlock(cpu);
			cpu_lock(cpu);
			continue;
		}
		add_wait_queue(&net->sock->shutdown_wq, &w);
		wait_schedule(cpu, &w, HOST_FOREVER);
		remove_wait_queue(&w);
		wait_entry_fini(cpu, &w);
	}
	cpu_unlock(cpu);
	file_batches_put(net->machine);
}

void socket_close_all(struct machine *m)
{
	struct socket *sock;
	struct file *f;

	/* Nobody is inside a call any more, and no net is left: no lock is needed to look at the lists. */
	while ((f = eventpoll_first(m))) {
		f->refcount = f->handles = 1;
		file_close(f);
	}
	while ((sock = list_first_entry_or_null(&m->sock->dead_sockets, struct socket, net_node))) {
		sock->file.refcount = sock->file.handles = 1;
		file_close(&sock->file);
	}
	pipes_free(m);
}

bool socket_take_event(struct machine *m)
{
	return __atomic_load_n(&m->event_pending, __ATOMIC_RELAXED) &&
	       __atomic_exchange_n(&m->event_pending, 0, __ATOMIC_ACQ_REL);
}

/* ---- net.core.busy_* ------------------------------------------------------------------------------------- */

static void *busy_base(struct net *net)
{
	return net->machine->sock;
}

/* Of the whole machine, as they are of the whole kernel. */
static const struct sysctl_desc busy_rows[] = {
	SYSCTL_ROW("core/busy_read", SYSCTL_U32, struct machine_sock, busy_read, 0, 0, INT32_MAX,
		   "SO_BUSY_POLL of a new socket, microseconds"),
	SYSCTL_ROW("core/busy_poll", SYSCTL_U32, struct machine_sock, busy_poll, 0, 0, INT32_MAX,
		   "what poll and epoll_wait look for before they sleep, microseconds"),
};

static const struct sysctl_table busy_sysctls = { busy_base, busy_rows, ARRAY_SIZE(busy_rows) };

/* ---- module -------------------------------------------------------------------------------------------- */

int socket_machine_init(struct machine *m)
{
	struct machine_sock *ms = calloc(1, sizeof(*ms));
	int err;

	if (!ms)
		return -ENOMEM;
	pthread_mutex_init(&ms->epoll_mutex, NULL);
	pthread_mutex_init(&ms->files_lock, NULL);
	list_init(&ms->dead_sockets);
	list_init(&ms->epolls);
	list_init(&ms->pipes);
	list_init(&ms->retired);
	list_init(&ms->retired_replicas);
	m->sock = ms;
	err = sysctl_register(m, &core_sysctls);
	if (!err)
		err = sysctl_register(m, &busy_sysctls);
	if (err)
		socket_machine_exit(m);
	return err;
}

void socket_machine_exit(struct machine *m)
{
	if (!m->sock)
		return;
	sysctl_registry_free(m);
	pthread_mutex_destroy(&m->sock->epoll_mutex);
	pthread_mutex_destroy(&m->sock->files_lock);
	free(m->sock);
	m->sock = NULL;
}

int socket_net_init(struct net *net)
{
	net->sock = calloc(1, sizeof(*net->sock));
	if (!net->sock)
		return -ENOMEM;
	list_init(&net->sock->sockets);
	init_waitqueue_head(&net->sock->shutdown_wq);
	return 0;
}

void socket_net_exit(struct net *net)
{
	free(net->sock);
	net->sock = NULL;
}
