/* SPDX-License-Identifier: BSD-2-Clause */
/* sock_replica.c - see sock_replica.h */
#include "socket/sock_replica.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/time.h>

#include "core/net_group.h"
#include "socket/socket_internal.h"

#define OPTION_LOG_MAX 32768 /* octets */

struct replica {
	struct sock_replicas *all;
	struct file *file; /* we hold it */
	struct wait_entry wait;
	u32 shard;
};

struct sock_replicas {
	struct list_head node; /* machine_sock.retired_replicas */
	struct socket *main;   /* NULL: retired */
	struct cpu *cpu;       /* of the main one */
	struct cpu_call call;  /* tells the main one's cpu that something is ready */
	u64 ready;             /* atomic: by place in r[] */
	u32 turn;              /* atomic: where accept(2) looks first */
	u32 n;
	struct replica r[];
};

struct logged_option {
	int level, name;
	socklen_t len;
	u32 more; /* octets behind the value that it points to */
	u8 val[];
};

struct sock_option_log {
	u32 len, size;
	u8 *buf; /* struct logged_option, each at a multiple of 8 */
};

static struct sock_replicas *replicas_of(const struct sock *sk)
{
	return sk && sk->sk_rare ? sk->sk_rare->replicas : NULL;
}

bool sock_wants_replicas(const struct socket *sock)
{
	return sock->net && unlikely(sock->net->group) && sock->type == SOCK_STREAM &&
	       (sock->ops->family == AF_INET || sock->ops->family == AF_INET6) && !sock->replica;
}

/* ---- options that were set before -------------------------------------------------------------------------- */

/* The one kind of value that points to more: struct sock_fprog, whose filter is the caller's memory. */
static bool option_is_fprog(int level, int name, socklen_t len)
{
	return level == SOL_SOCKET && len >= sizeof(struct sock_fprog) &&
	       (name == SO_ATTACH_FILTER || name == SO_ATTACH_REUSEPORT_CBPF);
}

static u32 option_size(const struct logged_option *o)
{
	return ALIGN_UP((u32)sizeof(*o) + o->len + o->more, 8u);
}

/*
 * Is the last value all that counts? So it is of the numbers and times of SOL_SOCKET and of the numbers of the other levels, whose longer values add
 * to lists (groups, keys); but each step of a repair does.
 */
static bool option_replaces(const struct logged_option *o)
{
	if (o->more)
		return false;
	if (o->level == SOL_SOCKET)
		return o->len <= sizeof(struct timeval);
	return o->len <= sizeof(int) &&
	       !(o->level == IPPROTO_TCP && o->name >= TCP_REPAIR && o->name <= TCP_REPAIR_OPTIONS);
}

static void option_forget(struct sock_option_log *log, const struct logged_option *new)
{
	if (!option_replaces(new))
		return;
	for (u32 off = 0; off < log->len;) {
		const struct logged_option *o = (const struct logged_option *)(log->buf + off);
		u32 size = option_size(o);

		if (o->level == new->level && o->name == new->name && o->len == new->len &&
		    !o->more) {
			log->len -= size;
			memmove(log->buf + off, log->buf + off + size, log->len - off);
			return;
		}
		off += size;
	}
}

static int option_note(struct sock *sk, int level, int name, const void *val, socklen_t len)
{
	struct sock_rare *r = sock_rare(sk);
	struct sock_option_log *log;
	struct logged_option head = { .level = level, .name = name, .len = len }, *o;
	struct sock_fprog prog = { 0 };
	u32 need;

	if (option_is_fprog(level, name, len)) {
		memcpy(&prog, val, sizeof(prog));
		head.len = sizeof(prog);
		head.more = prog.len * (u32)sizeof(*prog.filter);
	}
	need = head.len > OPTION_LOG_MAX ? head.len : option_size(&head);
	if (!r)
		return -ENOMEM;
	if (!r->option_log)
		r->option_log = calloc(1, sizeof(*log));
	log = r->option_log;
	if (log)
		option_forget(log, &head);
	if (!log || need > OPTION_LOG_MAX || log->len + need > OPTION_LOG_MAX)
		return -ENOMEM;
	if (log->len + need > log->size) {
		u32 size = max(2 * log->size, log->len + need);
		u8 *buf = realloc(log->buf, size);

		if (!buf)
			return -ENOMEM;
		log->buf = buf;
		log->size = size;
	}
	o = (struct logged_option *)(log->buf + log->len);
	*o = head;
	if (o->len)
		memcpy(o->val, val, o->len);
	if (o->more)
		memcpy(o->val + o->len, prog.filter, o->more);
	log->len += need;
	return 0;
}

void sock_option_log_free(struct sock *sk)
{
	struct sock_option_log *log = sk->sk_rare ? sk->sk_rare->option_log : NULL;

	if (!log)
		return;
	sk->sk_rare->option_log = NULL;
	free(log->buf);
	free(log);
}

static int options_replay(struct file *f, const u8 *buf, u32 len)
{
	for (u32 off = 0; off < len;) {
		const struct logged_option *o = (const struct logged_option *)(buf + off);
		const void *val = o->val;
		struct sock_fprog prog;
		int err;

		if (o->more) {
			memcpy(&prog, o->val, sizeof(prog));
			prog.filter = (struct sock_filter *)(o->val + o->len);
			val = &prog;
		}
		err = sys_setsockopt(f, o->level, o->name, val, o->len);
		if (err)
			return err;
		off += option_size(o);
	}
	return 0;
}

/* ---- wake-ups ---------------------------------------------------------------------------------------------- */

/* On the replica's wait queue, its cpu locked: something was queued, or it ends. */
static void replica_wake(struct cpu *cpu, struct wait_entry *w, u32 events)
{
	struct replica *r = container_of(w, struct replica, wait);

	(void)events;
	__atomic_or_fetch(&r->all->ready, 1ull << (r - r->all->r), __ATOMIC_ACQ_REL);
	cpu_call_on(cpu, r->all->cpu, &r->all->call);
}

static void replicas_call(struct cpu *cpu, struct cpu_call *call)
{
	struct sock_replicas *all = container_of(call, struct sock_replicas, call);

	if (all->main)
		wake_up(cpu, &all->main->wq, EPOLLIN | EPOLLRDNORM);
}

bool sock_replicas_ready(const struct sock *sk)
{
	const struct sock_replicas *all = replicas_of(sk);

	return all && __atomic_load_n(&all->ready, __ATOMIC_ACQUIRE);
}

/* ---- life -------------------------------------------------------------------------------------------------- */

static void replica_close(struct replica *r)
{
	if (!r->file)
		return;
	r->file->ops->unpoll(r->file, &r->wait);
	file_close(r->file);
}

/* Nobody finds @all any more. No lock held. */
static void replicas_free(struct sock_replicas *all)
{
	for (u32 i = 0; i < all->n; i++)
		replica_close(&all->r[i]);
	cpu_lock(all->cpu);
	run_remote_work(all->cpu); /* our call may be among it */
	cpu_unlock(all->cpu);
	free(all);
}

void sock_replicas_end(struct socket *sock)
{
	struct machine_sock *ms = sock->file.machine->sock;
	struct sock_replicas *all = replicas_of(sock->sk);

	if (!all)
		return;
	sock->sk->sk_rare->replicas = NULL;
	all->main = NULL;
	pthread_mutex_lock(&ms->files_lock);
	list_add_tail(&all->node, &ms->retired_replicas);
	__atomic_store_n(&ms->have_retired, true, __ATOMIC_RELAXED);
	pthread_mutex_unlock(&ms->files_lock);
}

void sock_replicas_put(struct machine *m)
{
	struct machine_sock *ms = m->sock;
	struct sock_replicas *all;

	do {
		pthread_mutex_lock(&ms->files_lock);
		all = list_first_entry_or_null(&ms->retired_replicas, struct sock_replicas, node);
		if (all)
			list_del(&all->node);
		pthread_mutex_unlock(&ms->files_lock);
		if (all)
			replicas_free(all);
	} while (all);
}

/* ---- bind(2), listen(2) ------------------------------------------------------------------------------------ */

struct replica_wish { /* what all are to be, taken under the lock of the main one */
	int family, protocol;
	u32 uid;
	struct sockaddr_storage addr;
	socklen_t addrlen;
	u8 *options;
	u32 options_len;
};

static int wish_of(struct socket *sock, struct replica_wish *ret)
{
	const struct sock_option_log *log =
		sock->sk->sk_rare ? sock->sk->sk_rare->option_log : NULL;
	int len;

	*ret = (struct replica_wish){ .family = sock->ops->family,
				      .protocol = sock->sk->sk_protocol,
				      .uid = sock->sk->sk_uid };
	len = sock->ops->getname(sock, &ret->addr, 0);
	if (len < 0)
		return len;
	ret->addrlen = (socklen_t)len;
	if (!log || !log->len)
		return 0;
	ret->options = malloc(log->len);
	if (!ret->options)
		return -ENOMEM;
	memcpy(ret->options, log->buf, log->len);
	ret->options_len = log->len;
	return 0;
}

static int replica_make(struct replica *r, struct net *net, const struct replica_wish *wish)
{
	struct socket *sock;
	int err = sock_create_file(net, wish->family, SOCK_STREAM | SOCK_NONBLOCK, wish->protocol,
				   &r->file);

	if (err)
		return err;
	sock = file_socket(r->file);
	cpu_lock(net->cpu);
	sock->replica = true;
	sock->sk->sk_uid = wish->uid;
	cpu_unlock(net->cpu);
	r->file->ops->poll(r->file, &r->wait);
	err = options_replay(r->file, wish->options, wish->options_len);
	return err ? err : sys_bind(r->file, (const struct sockaddr *)&wish->addr, wish->addrlen);
}

static struct sock_replicas *replicas_alloc(struct socket *sock)
{
	const struct net_group *g = sock->net->group;
	struct sock_replicas *all = calloc(1, sizeof(*all) + (g->n - 1) * sizeof(all->r[0]));

	if (!all)
		return NULL;
	all->cpu = sock_cpu(sock);
	cpu_call_init(&all->call, replicas_call);
	for (u32 i = 0; i < g->n; i++) {
		struct replica *r = &all->r[all->n];

		if (i == sock->net->shard)
			continue;
		*r = (struct replica){ .all = all, .shard = i };
		list_init(&r->wait.node);
		list_init(&r->wait.wake_node);
		r->wait.func = replica_wake;
		all->n++;
	}
	return all;
}

void sock_replicas_lock(struct socket *sock)
{
	struct cpu *cpu = sock_cpu(sock);

	cpu_unlock(cpu); /* we are inflight: socket and net stay */
	pthread_mutex_lock(&sock->net->group->bind_lock);
	cpu_lock(cpu);
}

void sock_replicas_unlock(struct socket *sock)
{
	pthread_mutex_unlock(&sock->net->group->bind_lock);
}

int sock_replicas_bind(struct socket *sock)
{
	struct net_group *g = sock->net->group;
	struct sock_rare *rare = sock_rare(sock->sk);
	struct sock_replicas *all = rare ? replicas_alloc(sock) : NULL;
	struct replica_wish wish;
	int err = all ? wish_of(sock, &wish) : -ENOMEM;

	if (err) {
		free(all);
		return err;
	}
	cpu_unlock(all->cpu); /* we are inflight: socket and net stay */
	for (u32 i = 0; i < all->n && !err; i++)
		err = replica_make(&all->r[i], g->shards[all->r[i].shard], &wish);
	if (err)
		for (u32 i = 0; i < all->n; i++)
			replica_close(&all->r[i]);
	cpu_lock(all->cpu);
	free(wish.options);
	if (err) {
		run_remote_work(all->cpu);
		free(all);
		return err;
	}
	/* Another thread may have bound it meanwhile: then there is one set too many. */
	if (rare->replicas)
		sock_replicas_end(sock);
	all->main = sock;
	rare->replicas = all;
	return 0;
}

/* References to the files of all replicas of @sock, so that they can be used without its lock. */
static u32 replicas_get(const struct socket *sock, struct file *ret[MACHINE_MAX_CPUS])
{
	const struct sock_replicas *all = replicas_of(sock->sk);
	u32 n = all ? all->n : 0;

	for (u32 i = 0; i < n; i++)
		ret[i] = file_get(all->r[i].file);
	return n;
}

int sock_replicas_listen(struct socket *sock, int backlog)
{
	struct file *files[MACHINE_MAX_CPUS];
	struct cpu *cpu = sock_cpu(sock);
	u32 n = replicas_get(sock, files);
	int err = 0;

	cpu_unlock(cpu);
	for (u32 i = 0; i < n; i++) {
		if (!err)
			err = sys_listen(files[i], backlog);
		file_put(files[i]);
	}
	cpu_lock(cpu);
	return err;
}

int sock_replicas_setsockopt(struct socket *sock, int level, int name, const void *val,
			     socklen_t len)
{
	struct file *files[MACHINE_MAX_CPUS];
	struct cpu *cpu = sock_cpu(sock);
	u32 n;
	int err = 0;

	if (!sock->sk || sock->state != SS_UNCONNECTED)
		return 0; /* a connection is one socket */
	n = replicas_get(sock, files);
	err = option_note(sock->sk, level, name, val, len);
	cpu_unlock(cpu);
	for (u32 i = 0; i < n; i++) {
		if (!err)
			err = sys_setsockopt(files[i], level, name, val, len);
		file_put(files[i]);
	}
	cpu_lock(cpu);
	return err;
}

/* ---- accept(2) --------------------------------------------------------------------------------------------- */

/* A reference to a replica that may have something, whose bit is cleared; NULL: none has. */
static struct file *replica_take_ready(struct socket *sock, u32 *ret_i)
{
	struct sock_replicas *all = replicas_of(sock->sk);
	u64 ready = all ? __atomic_load_n(&all->ready, __ATOMIC_ACQUIRE) : 0, later;

	if (!ready)
		return NULL;
	later = ready & ~0ull << all->turn;
	*ret_i = (u32)__builtin_ctzll(later ? later : ready);
	all->turn = (*ret_i + 1) % all->n;
	__atomic_and_fetch(&all->ready, ~(1ull << *ret_i), __ATOMIC_ACQ_REL);
	return file_get(all->r[*ret_i].file);
}

/* There may be more where one came from, or was left. Who looked meanwhile saw nothing, and may sleep by now: it is woken. */
static void replica_look_again(struct socket *sock, struct file *f, u32 i)
{
	struct sock_replicas *all;
	bool more = f->ops->poll(f, NULL) & EPOLLIN;

	if (!more)
		return;
	cpu_lock(sock_cpu(sock));
	all = replicas_of(sock->sk);
	if (all && all->r[i].file == f) {
		__atomic_or_fetch(&all->ready, 1ull << i, __ATOMIC_ACQ_REL);
		wake_up(all->cpu, &sock->wq, EPOLLIN | EPOLLRDNORM);
	}
	cpu_unlock(sock_cpu(sock));
}

int sock_replicas_accept(struct file *f, struct sockaddr_storage *ret_addr, socklen_t *ret_len,
			 int flags, struct file **ret_file)
{
	struct socket *sock;
	struct file *from;
	bool none;
	u32 i = 0;
	int err;

	do {
		err = sock_enter(f, &sock);
		if (err)
			return err;
		from = replica_take_ready(sock, &i);
		err = (int)sock_leave(sock, from ? 0 : -EAGAIN);
		if (err)
			return err;
		err = sys_accept4(from, ret_addr, ret_len, flags, ret_file);
		/* It had nothing, or has been closed with the others: the main one knows. */
		none = err == -EAGAIN || err == -EBADF || err == -EINVAL;
		if (!none)
			replica_look_again(sock, from, i);
		file_put(from);
	} while (none);
	return err;
}
