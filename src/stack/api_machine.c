/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * api_machine.c - machines, time, threads, nets, and netlink requests of the embedding API
 *
 * weir_arm(): one epoll descriptor that holds an eventfd (somebody queued work) and a timerfd (the next timer). machine_next_event()
 * both says when that is and asks to be kicked when something earlier comes up; armed is set before, so that no kick is lost.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "core/net_group.h"
#include "netlink/netlink.h"
#include "socket/socket.h"
#include "stack/stack.h"

/* ---- machines ------------------------------------------------------------------------------------------ */

static void machine_kicked(struct machine *m, void *arg)
{
	struct weir_machine *wm = arg;
	u64 one = 1;

	(void)m;
	if (!__atomic_load_n(&wm->armed, __ATOMIC_RELAXED) ||
	    !__atomic_exchange_n(&wm->armed, 0, __ATOMIC_ACQ_REL))
		return;
	if (write(wm->event_fd, &one, sizeof(one)) < 0)
		return; /* the counter is full: the descriptor is readable anyway */
	__atomic_store_n(&wm->kicked, 1, __ATOMIC_RELEASE);
}

static struct host *host_for(const struct weir_machine_config *cfg)
{
	if (cfg->clock == WEIR_CLOCK_VIRTUAL)
		return host_sim_create(cfg->seed, cfg->start_realtime);
	return cfg->seeded ? host_linux_create_seeded(cfg->seed) : host_linux_create();
}

struct weir_machine *weir_machine_create(const struct weir_machine_config *cfg)
{
	static const struct weir_machine_config defaults;
	struct weir_machine *wm = calloc(1, sizeof(*wm));
	struct machine_config mc = { .modules = weir_modules, .nr_modules = weir_nr_modules };

	if (!wm)
		return NULL;
	if (!cfg)
		cfg = &defaults;
	wm->epoll_fd = wm->event_fd = wm->timer_fd = -1;
	mc.host = host_for(cfg);
	if (!mc.host)
		goto out;
	mc.ncpus = cfg->ncpus;
	wm->net_cpus = cfg->net_cpus;
	mc.workers = cfg->workers;
	mc.single_threaded = cfg->single_threaded;
	mc.mem_limit = cfg->mem_limit;
	mc.crypto = cfg->crypto;
	wm->m = machine_create(&mc);
	if (!wm->m)
		goto out;
	pthread_mutex_init(&wm->arm_lock, NULL);
	if (module_load_init(wm, cfg)) {
		machine_destroy(wm->m);
		goto out_nomem;
	}
	wm->m->kick_arg = wm;
	__atomic_store_n(&wm->m->kick, machine_kicked, __ATOMIC_RELEASE);
	return wm;
out_nomem:
	pthread_mutex_destroy(&wm->arm_lock);
	errno = ENOMEM;
out:
	free(wm);
	return NULL;
}

static void close_fd(int fd)
{
	if (fd >= 0)
		close(fd);
}

void weir_machine_destroy(struct weir_machine *wm)
{
	struct net *net, *n;

	if (!wm)
		return;
	list_for_each_entry_safe(net, n, &wm->m->nets, node)
		weir_net_destroy((struct weir_net *)net);
	socket_close_all(wm->m);
	module_load_exit(wm);
	machine_destroy(wm->m);
	close_fd(wm->timer_fd);
	close_fd(wm->event_fd);
	close_fd(wm->epoll_fd);
	pthread_mutex_destroy(&wm->arm_lock);
	free(wm);
}

int weir_run(struct weir_machine *wm, uint64_t timeout_ns)
{
	int err;

	if (__atomic_load_n(&wm->m->event_pending, __ATOMIC_ACQUIRE))
		timeout_ns = 0;
	err = machine_run(wm->m, timeout_ns);
	return err ? err : socket_take_event(wm->m);
}

/* ---- somebody else's loop ------------------------------------------------------------------------------ */

static int arm_open(struct weir_machine *wm)
{
	struct epoll_event ev = { .events = EPOLLIN };
	int ep = epoll_create1(EPOLL_CLOEXEC), efd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	int tfd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK), err;

	if (ep < 0 || efd < 0 || tfd < 0 || epoll_ctl(ep, EPOLL_CTL_ADD, efd, &ev) ||
	    epoll_ctl(ep, EPOLL_CTL_ADD, tfd, &ev)) {
		err = -errno;
		close_fd(ep);
		close_fd(efd);
		close_fd(tfd);
		return err;
	}
	wm->event_fd = efd;
	wm->timer_fd = tfd;
	wm->epoll_fd = ep;
	return 0;
}

/*
 * Deadlines mostly move into the future, with each segment: a timer that is set for an earlier one is left alone. It wakes the caller
 * once for nothing, and is set anew then; that is cheaper than a system call before each sleep.
 */
static void arm_timer(struct weir_machine *wm, u64 ns)
{
	u64 now = host_now(wm->m->host), at = ns >= HOST_FOREVER - now ? HOST_FOREVER : now + ns;
	struct itimerspec its = { 0 };

	if (wm->timer_at ? wm->timer_at > now && wm->timer_at <= at : at == HOST_FOREVER)
		return;
	wm->timer_at = at == HOST_FOREVER ? 0 : at;
	if (at != HOST_FOREVER) {
		ns = max(ns, (u64)1); /* 0 would disarm */
		its.it_value.tv_sec = (time_t)(ns / NSEC_PER_SEC);
		its.it_value.tv_nsec = (long)(ns % NSEC_PER_SEC);
	}
	timerfd_settime(wm->timer_fd, 0, &its, NULL); /* forgets an old expiry, too */
}

int weir_arm(struct weir_machine *wm)
{
	u64 counter, ns;
	int err = 0;

	if (wm->m->workers || wm->m->host->virtual_time)
		return -EINVAL; /* workers need no help; nobody can wait for virtual time on a descriptor */
	pthread_mutex_lock(&wm->arm_lock);
	if (wm->epoll_fd < 0)
		err = arm_open(wm);
	if (!err) {
		if (__atomic_exchange_n(&wm->kicked, 0, __ATOMIC_ACQ_REL) &&
		    read(wm->event_fd, &counter, sizeof(counter)) < 0)
			counter = 0; /* nothing was in it */
		__atomic_store_n(&wm->armed, 1, __ATOMIC_RELEASE);
		ns = machine_next_event(wm->m);
		if (__atomic_load_n(&wm->m->event_pending, __ATOMIC_ACQUIRE))
			ns = 0;
		if (ns)
			arm_timer(wm, ns);
		else
			machine_kicked(wm->m, wm);
	}
	pthread_mutex_unlock(&wm->arm_lock);
	return err ? err : wm->epoll_fd;
}

void weir_disarm(struct weir_machine *wm)
{
	__atomic_store_n(&wm->armed, 0, __ATOMIC_RELEASE);
}

/* ---- time and threads ---------------------------------------------------------------------------------- */

uint64_t weir_now(struct weir_machine *wm)
{
	return host_now(wm->m->host);
}

uint64_t weir_realtime(struct weir_machine *wm)
{
	return host_realtime(wm->m->host);
}

void weir_sleep(struct weir_machine *wm, uint64_t ns)
{
	struct machine *m = wm->m;
	u64 now = host_now(m->host), deadline = ns >= HOST_FOREVER - now ? HOST_FOREVER : now + ns;
	struct wait_entry w;

	if (wait_entry_init(m->cpus[0], &w))
		return;
	while (!wait_park(m, &w, deadline))
		;
	wait_entry_fini(m->cpus[0], &w);
}

struct weir_thread {
	struct weir_machine *wm;
	struct host_thread *t;
};

struct weir_thread *weir_thread_start(struct weir_machine *wm, const char *name,
				      void (*fn)(void *arg), void *arg)
{
	struct host *h = wm->m->host;
	struct weir_thread *t = malloc(sizeof(*t));

	if (!t)
		return NULL;
	t->wm = wm;
	t->t = h->ops->thread_start(h, name, fn, arg);
	if (!t->t) {
		free(t);
		return NULL;
	}
	return t;
}

void weir_thread_join(struct weir_thread *t)
{
	t->wm->m->host->ops->thread_join(t->t);
	free(t);
}

void weir_memory(struct weir_machine *wm, struct weir_memory *ret)
{
	*ret = (struct weir_memory){ 0 };
	for (u32 i = 0; i < wm->m->ncpus; i++) {
		struct cpu *cpu = wm->m->cpus[i];
		struct skb_memory mem;

		cpu_lock(cpu);
		skb_memory(cpu, &mem);
		ret->nr_socks += cpu->nr_socks;
		cpu_unlock(cpu);
		ret->skb_live += mem.skb_live;
		ret->arena_octets += mem.arena_octets;
		ret->mallocs += mem.mallocs;
	}
}

const char *weir_version(void)
{
	return WEIR_VERSION;
}

/* ---- nets ---------------------------------------------------------------------------------------------- */

struct weir_net *weir_net_create(struct weir_machine *wm, const char *name)
{
	return weir_net_create_on(wm, name, wm->net_cpus);
}

struct weir_net *weir_net_create_on(struct weir_machine *wm, const char *name, uint32_t ncpus)
{
	struct net *net = net_create_on(wm->m, name, ncpus);

	if (net && !name)
		snprintf(net->name, sizeof(net->name), "net%u", net->id);
	return (struct weir_net *)net;
}

void weir_net_destroy(struct weir_net *net)
{
	struct net *shard;

	if (!net)
		return;
	net_for_each_other_shard(net_of(net), shard, i) socket_net_shutdown(shard);
	socket_net_shutdown(net_of(net));
	net_destroy(net_of(net));
}

uint32_t weir_net_id(const struct weir_net *net)
{
	return net_of(net)->id;
}

const char *weir_net_name(const struct weir_net *net)
{
	return net_of(net)->name;
}

struct weir_machine *weir_net_machine(const struct weir_net *net)
{
	return net_of(net)->machine->kick_arg;
}

/* ---- one netlink request ------------------------------------------------------------------------------- */

#define NL_REPLY_ROOM 65536

/* The end of a dump (NLMSG_DONE) has the error only; other acknowledgements quote the request behind it. */
static void copy_error_text(const struct nlmsghdr *nlh, char *ret_error, size_t size)
{
	const struct nlmsgerr *e = (const void *)((const char *)nlh + NLMSG_HDRLEN);
	bool quotes = nlh->nlmsg_type == NLMSG_ERROR;
	const struct nlattr *tb[NLMSGERR_ATTR_MAX + 1];
	size_t off = NLMSG_HDRLEN + (quotes ? sizeof(*e) : sizeof(e->error));

	if (!ret_error || !size || !(nlh->nlmsg_flags & NLM_F_ACK_TLVS))
		return;
	if (quotes && !(nlh->nlmsg_flags & NLM_F_CAPPED))
		off += NLMSG_ALIGN(e->msg.nlmsg_len) - NLMSG_HDRLEN;
	if (off > nlh->nlmsg_len)
		return;
	if (!nla_parse(tb, NLMSGERR_ATTR_MAX, (const char *)nlh + off, nlh->nlmsg_len - off, NULL,
		       false, NULL) &&
	    tb[NLMSGERR_ATTR_MSG])
		nla_strscpy(ret_error, tb[NLMSGERR_ATTR_MSG], size);
}

struct nl_exchange {
	struct file *f;
	u32 seq;
	bool want_ack;
	int (*reply)(const struct nlmsghdr *nlh, void *arg);
	void *arg;
	char *error;
	size_t error_size;
};

/* One message of the answer. 1: it was the last, *ret_err is the result. */
static int handle_reply(struct nl_exchange *x, const struct nlmsghdr *nlh, int *ret_err)
{
	int err = 0;

	if (nlh->nlmsg_type == NLMSG_ERROR || nlh->nlmsg_type == NLMSG_DONE) {
		if (nlh->nlmsg_len >= NLMSG_HDRLEN + sizeof(int))
			memcpy(&err, (const char *)nlh + NLMSG_HDRLEN, sizeof(err));
		copy_error_text(nlh, x->error, x->error_size);
		*ret_err = err;
		return 1;
	}
	*ret_err = x->reply ? x->reply(nlh, x->arg) : 0;
	return *ret_err < 0;
}

static int read_replies(struct nl_exchange *x, void *buf)
{
	struct iovec iov = { buf, NL_REPLY_ROOM };
	struct nlmsghdr *nlh;
	ssize_t n;
	int err, len;

	for (;;) {
		struct kmsghdr msg = { .flags = MSG_DONTWAIT };

		iov_iter_init(&msg.iter, &iov, 1, iov.iov_len);
		n = sys_recvmsg(x->f, &msg);
		if (n < 0)
			/* Everything was answered. An acknowledgement that was due could not be made: no memory. */
			return n != -EAGAIN ? (int)n : x->want_ack ? -ENOBUFS : 0;
		len = (int)n;
		for (nlh = buf; NLMSG_OK(nlh, (u32)len); nlh = NLMSG_NEXT(nlh, len))
			if (handle_reply(x, nlh, &err))
				return err;
	}
}

int weir_netlink(struct weir_net *net, int protocol, const struct nlmsghdr *msg,
		 int (*reply)(const struct nlmsghdr *nlh, void *arg), void *arg, char *ret_error,
		 size_t error_size)
{
	struct nl_exchange x = {
		.reply = reply,
		.arg = arg,
		.error = ret_error,
		.error_size = error_size,
		.want_ack = msg->nlmsg_flags & NLM_F_ACK,
	};
	int one = 1, room = 1 << 22, err;
	struct kmsghdr k = { 0 };
	struct iovec iov = { (void *)msg, msg->nlmsg_len };
	void *buf = malloc(NL_REPLY_ROOM);
	ssize_t n;

	if (ret_error && error_size)
		ret_error[0] = 0;
	if (!buf)
		return -ENOMEM;
	err = sock_create_file(net_of(net), AF_NETLINK, SOCK_RAW, protocol, &x.f);
	if (err)
		goto out;
	sys_setsockopt(x.f, 270 /* SOL_NETLINK */, NETLINK_EXT_ACK, &one, sizeof(one));
	sys_setsockopt(x.f, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	iov_iter_init(&k.iter, &iov, 1, iov.iov_len);
	n = sys_sendmsg(x.f, &k);
	err = n < 0 ? (int)n : read_replies(&x, buf);
	file_close(x.f);
out:
	free(buf);
	return err;
}
