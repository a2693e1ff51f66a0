/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * eventpoll.c - epoll: level, edge, oneshot, exclusive, nested
 *
 * Theory of operation
 *   An item (struct epitem) watches one file for one epoll. Its wait entry lies on the file's wait queue; when the file wakes, the
 *   entry's function puts the item on the epoll's ready list. Collecting takes an item off that list, asks the file, and reports
 *   what holds; a level-triggered item that still has something goes back to the end of the list (so that many ready files take
 *   turns), an edge-triggered one waits for the next wake-up, a oneshot one is disarmed. An event that comes while an item is being
 *   collected finds it off the list and puts it back: nothing is lost, at worst it is reported twice, as in Linux.
 *   Who waits for an epoll is on ep->wq (threads in eventpoll_wait()) or ep->poll_wq (another epoll, a poll), which cpu 0's lock
 *   guards. A file of another cpu reaches them by cpu_queue_work(). An item that is being asked is off the ready list, so a thread that
 *   goes to sleep at that moment does not see it: whoever puts items back wakes a sleeper (ep_pass_on()).
 * Locking, outermost first
 *   machine_sock.epoll_mutex  items are made and removed; file->ep_links; nesting
 *   ep->mtx                   items live; collecting (of an outer epoll before an inner one)
 *   cpu lock                  taken by file->ops->poll()
 *   ep->lock                  leaf: ready list, item->event
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>

#include "core/machine.h"
#include "socket/socket.h"
#include "socket/socket_internal.h"

#ifndef EPOLLEXCLUSIVE
#define EPOLLEXCLUSIVE (1u << 28)
#endif
#define EP_PRIVATE_BITS (EPOLLWAKEUP | EPOLLONESHOT | (u32)EPOLLET | EPOLLEXCLUSIVE)
#define EP_EXCLUSIVE_OK_BITS                                                                       \
	(EPOLLIN | EPOLLOUT | EPOLLERR | EPOLLHUP | EPOLLWAKEUP | (u32)EPOLLET | EPOLLEXCLUSIVE)
#define EP_MAX_NESTS 4

/* <linux/eventpoll.h> since 6.9 */
struct epoll_params_ {
	u32 busy_poll_usecs;
	u16 busy_poll_budget;
	u8 prefer_busy_poll, pad;
};
#define EPIOCSPARAMS_ _IOW(0x8A, 0x01, struct epoll_params_)
#define EPIOCGPARAMS_ _IOR(0x8A, 0x02, struct epoll_params_)

struct eventpoll {
	struct file file;      /* must be first */
	struct list_head node; /* machine_sock.epolls */
	pthread_mutex_t mtx;
	pthread_mutex_t lock;
	struct list_head ready;     /* struct epitem.ready_node; lock */
	u32 nr_ready;               /* lock */
	struct hlist_head *buckets; /* items by file; epoll_mutex to change, mtx to read */
	u32 hash_bits;
	u32 nr_items;
	u32 sleepers;                   /* atomic: threads in ep_sleep() */
	struct epoll_params_ params;    /* EPIOCSPARAMS; cpu 0's lock */
	struct wait_queue_head wq;      /* the sleepers; cpu 0's lock */
	struct wait_queue_head poll_wq; /* cpu 0's lock */
	struct cpu_work work;           /* wakes wq from other cpus */
	u32 work_queued;                /* atomic */
	bool released;                  /* cpu 0's lock: the queued work frees it */
};

struct epitem {
	struct hlist_node hash;
	struct list_head ready_node; /* empty: not on the ready list */
	struct list_head file_node;  /* file->ep_links; epoll_mutex */
	struct wait_entry wait;      /* on the file's wait queue */
	struct eventpoll *ep;
	struct file *file;
	struct epoll_event event; /* ep->lock */
};

static const struct file_operations eventpoll_fops;

static struct eventpoll *file_ep(struct file *f)
{
	return (struct eventpoll *)f;
}

static struct cpu *ep_cpu(const struct eventpoll *ep)
{
	return ep->file.machine->cpus[0];
}

/* ---- waking -------------------------------------------------------------------------------------------- */

static void ep_free(struct eventpoll *ep)
{
	pthread_mutex_destroy(&ep->mtx);
	pthread_mutex_destroy(&ep->lock);
	free(ep->buckets);
	free(ep);
}

/* cpu 0's lock held. */
static void ep_wake_all(struct eventpoll *ep, struct cpu *cpu)
{
	wake_up(cpu, &ep->wq, EPOLLIN | EPOLLRDNORM);
	wake_up(cpu, &ep->poll_wq, EPOLLIN | EPOLLRDNORM);
}

static void ep_work(struct cpu *cpu, struct cpu_work *work)
{
	struct eventpoll *ep = container_of(work, struct eventpoll, work);

	__atomic_store_n(&ep->work_queued, 0, __ATOMIC_RELEASE);
	if (ep->released)
		ep_free(ep);
	else
		ep_wake_all(ep, cpu);
}

/* @cpu: the cpu whose lock is held, or NULL. */
static void ep_wake(struct eventpoll *ep, struct cpu *cpu)
{
	struct machine *m = ep->file.machine;
	struct cpu *home = ep_cpu(ep);

	/* For weir_run(): the first event since it looked wakes it. */
	if (!__atomic_load_n(&m->event_pending, __ATOMIC_RELAXED) &&
	    !__atomic_exchange_n(&m->event_pending, 1, __ATOMIC_ACQ_REL))
		machine_kick(m);
	if (cpu == home) {
		ep_wake_all(ep, home);
	} else if (!cpu) {
		cpu_lock(home);
		ep_wake_all(ep, home);
		cpu_unlock(home);
	} else if (!__atomic_exchange_n(&ep->work_queued, 1, __ATOMIC_ACQ_REL)) {
		cpu_queue_work(home, &ep->work);
	}
}

/* Onto the ready list. True: it was not there. */
static bool ep_make_ready(struct eventpoll *ep, struct epitem *epi)
{
	if (!list_empty(&epi->ready_node))
		return false;
	list_add_tail(&epi->ready_node, &ep->ready);
	ep->nr_ready++;
	return true;
}

static void ep_unready(struct eventpoll *ep, struct epitem *epi)
{
	if (list_empty(&epi->ready_node))
		return;
	list_del(&epi->ready_node);
	ep->nr_ready--;
}

/* The file has news. Its cpu is locked. */
static void ep_poll_callback(struct cpu *cpu, struct wait_entry *w, u32 events)
{
	struct epitem *epi = container_of(w, struct epitem, wait);
	struct eventpoll *ep = epi->ep;
	u32 wanted;
	bool wake = false;

	pthread_mutex_lock(&ep->lock);
	wanted = epi->event.events;
	if ((wanted & ~EP_PRIVATE_BITS) && (!events || (events & wanted))) {
		ep_make_ready(ep, epi);
		wake = true; /* also when it was listed: another thread may wait by now */
	}
	pthread_mutex_unlock(&ep->lock);
	/* Exclusive means one thread, and here none is woken: as in Linux, others hear of it, too. */
	w->declined = !wake || !__atomic_load_n(&ep->sleepers, __ATOMIC_RELAXED);
	if (wake)
		ep_wake(ep, cpu);
}

/* ---- items --------------------------------------------------------------------------------------------- */

/* Only looks items up; no order depends on it. */
static u32 ep_hash(const struct file *f, u32 bits)
{
	return bits ? (u32)(((u64)(uintptr_t)f >> 4) * 0x9e3779b97f4a7c15ull >> (64 - bits)) : 0;
}

static struct epitem *ep_find(struct eventpoll *ep, const struct file *f)
{
	struct epitem *epi;

	if (!ep->buckets)
		return NULL;
	hlist_for_each_entry(epi, &ep->buckets[ep_hash(f, ep->hash_bits)], hash)
		if (epi->file == f)
			return epi;
	return NULL;
}

/* Keeps about one item per bucket; a table that cannot grow only gets slower. */
static int ep_table_grow(struct eventpoll *ep)
{
	u32 bits = ep->buckets ? ep->hash_bits + 1 : 3;
	struct hlist_head *nb;
	struct hlist_node *n;
	struct epitem *epi;

	if (ep->buckets && ep->nr_items < (1u << ep->hash_bits))
		return 0;
	nb = calloc(1u << bits, sizeof(*nb));
	if (!nb)
		return ep->buckets ? 0 : -ENOMEM;
	for (u32 i = 0; ep->buckets && i < (1u << ep->hash_bits); i++)
		hlist_for_each_entry_safe(epi, n, &ep->buckets[i], hash) {
			hlist_del_init(&epi->hash);
			hlist_add_head(&epi->hash, &nb[ep_hash(epi->file, bits)]);
		}
	free(ep->buckets);
	ep->buckets = nb;
	ep->hash_bits = bits;
	return 0;
}

/* epoll_mutex and ep->mtx held. */
static void ep_remove(struct eventpoll *ep, struct epitem *epi)
{
	epi->file->ops->unpoll(epi->file, &epi->wait);
	pthread_mutex_lock(&ep->lock);
	ep_unready(ep, epi);
	pthread_mutex_unlock(&ep->lock);
	list_del(&epi->file_node);
	hlist_del_init(&epi->hash);
	ep->nr_items--;
	free(epi);
}

/* What @epi would report now. */
static u32 ep_item_poll(struct epitem *epi)
{
	return epi->file->ops->poll(epi->file, NULL) & epi->event.events & ~EP_PRIVATE_BITS;
}

/* Would watching @target from @ep make a circle, or a chain that is too long? epoll_mutex held. */
static bool ep_reaches(struct file *from, const struct file *to, int depth)
{
	struct eventpoll *ep = file_ep(from);
	struct epitem *epi;

	if (from == to || depth > EP_MAX_NESTS)
		return true;
	for (u32 i = 0; ep->buckets && i < (1u << ep->hash_bits); i++)
		hlist_for_each_entry(epi, &ep->buckets[i], hash)
			if (epi->file->ops == &eventpoll_fops &&
			    ep_reaches(epi->file, to, depth + 1))
				return true;
	return false;
}

/* How many epolls stand above @f, including it. */
static int ep_height(const struct file *f, int depth)
{
	const struct epitem *epi;
	int h = depth;

	if (depth > EP_MAX_NESTS + 1)
		return depth;
	list_for_each_entry(epi, &f->ep_links, file_node)
		h = max(h, ep_height(&epi->ep->file, depth + 1));
	return h;
}

static int ep_depth(struct file *f)
{
	struct eventpoll *ep = file_ep(f);
	struct epitem *epi;
	int d = 0;

	for (u32 i = 0; ep->buckets && i < (1u << ep->hash_bits); i++)
		hlist_for_each_entry(epi, &ep->buckets[i], hash)
			if (epi->file->ops == &eventpoll_fops)
				d = max(d, ep_depth(epi->file));
	return d + 1;
}

static int ep_check_nesting(struct eventpoll *ep, struct file *target)
{
	if (target->ops != &eventpoll_fops)
		return 0;
	if (ep_reaches(target, &ep->file, 0))
		return -ELOOP;
	return ep_height(&ep->file, 1) + ep_depth(target) > EP_MAX_NESTS + 1 ? -ELOOP : 0;
}

/* Asks the file after its item was added or changed. ep->mtx held. */
static void ep_item_arm(struct eventpoll *ep, struct epitem *epi, u32 now)
{
	bool wake = false;

	pthread_mutex_lock(&ep->lock);
	if (now & epi->event.events & ~EP_PRIVATE_BITS)
		wake = ep_make_ready(ep, epi);
	pthread_mutex_unlock(&ep->lock);
	if (wake)
		ep_wake(ep, NULL);
}

static int ep_insert(struct eventpoll *ep, struct file *f, const struct epoll_event *ev)
{
	struct epitem *epi;
	int err = ep_check_nesting(ep, f);

	if (err)
		return err;
	if (ep_table_grow(ep))
		return -ENOMEM;
	epi = calloc(1, sizeof(*epi));
	if (!epi)
		return -ENOMEM;
	list_init(&epi->ready_node);
	list_init(&epi->wait.node);
	list_init(&epi->wait.wake_node);
	epi->wait.func = ep_poll_callback;
	epi->wait.exclusive = ev->events & EPOLLEXCLUSIVE;
	epi->ep = ep;
	epi->file = f;
	epi->event = *ev;
	epi->event.events |= EPOLLERR | EPOLLHUP;
	hlist_add_head(&epi->hash, &ep->buckets[ep_hash(f, ep->hash_bits)]);
	__atomic_store_n(&f->watched, true, __ATOMIC_RELEASE);
	list_add_tail(&epi->file_node, &f->ep_links);
	ep->nr_items++;
	ep_item_arm(ep, epi, f->ops->poll(f, &epi->wait));
	return 0;
}

static int ep_modify(struct eventpoll *ep, struct epitem *epi, const struct epoll_event *ev)
{
	pthread_mutex_lock(&ep->lock);
	epi->event = *ev;
	epi->event.events |= EPOLLERR | EPOLLHUP;
	pthread_mutex_unlock(&ep->lock);
	ep_item_arm(ep, epi, epi->file->ops->poll(epi->file, NULL));
	return 0;
}

static int ep_check_event(int op, const struct epitem *epi, const struct file *f,
			  const struct epoll_event *ev)
{
	if (op != EPOLL_CTL_ADD && op != EPOLL_CTL_MOD)
		return 0;
	if (ev->events & EPOLLEXCLUSIVE) {
		if (op == EPOLL_CTL_MOD || f->ops == &eventpoll_fops ||
		    (ev->events & ~EP_EXCLUSIVE_OK_BITS))
			return -EINVAL;
	}
	if (op == EPOLL_CTL_MOD && epi && (epi->event.events & EPOLLEXCLUSIVE))
		return -EINVAL;
	return 0;
}

static int ep_ctl_locked(struct eventpoll *ep, int op, struct file *target,
			 const struct epoll_event *ev)
{
	struct epitem *epi = ep_find(ep, target);
	int err = ep_check_event(op, epi, target, ev);

	if (err)
		return err;
	switch (op) {
	case EPOLL_CTL_ADD:
		return epi ? -EEXIST : ep_insert(ep, target, ev);
	case EPOLL_CTL_MOD:
		return epi ? ep_modify(ep, epi, ev) : -ENOENT;
	case EPOLL_CTL_DEL:
		if (!epi)
			return -ENOENT;
		ep_remove(ep, epi);
		return 0;
	default:
		return -EINVAL;
	}
}

int eventpoll_ctl(struct file *epf, int op, struct file *target, const struct epoll_event *ev)
{
	struct machine_sock *ms = epf->machine->sock;
	int err;

	if (epf->ops != &eventpoll_fops || epf == target || epf->machine != target->machine)
		return -EINVAL;
	if (!target->ops->poll)
		return -EPERM;
	if (op != EPOLL_CTL_DEL && !ev)
		return -EFAULT;
	pthread_mutex_lock(&ms->epoll_mutex);
	pthread_mutex_lock(&file_ep(epf)->mtx);
	err = file_closed(epf) || file_closed(target) ? -EBADF
						      : ep_ctl_locked(file_ep(epf), op, target, ev);
	pthread_mutex_unlock(&file_ep(epf)->mtx);
	pthread_mutex_unlock(&ms->epoll_mutex);
	return err;
}

/* ---- collecting ---------------------------------------------------------------------------------------- */

/* Takes the first of the ready list. NULL: it is empty. */
static struct epitem *ep_pop(struct eventpoll *ep)
{
	struct epitem *epi;

	pthread_mutex_lock(&ep->lock);
	epi = list_first_entry_or_null(&ep->ready, struct epitem, ready_node);
	if (epi)
		ep_unready(ep, epi);
	pthread_mutex_unlock(&ep->lock);
	return epi;
}

/* After @epi was reported. */
static void ep_rearm(struct eventpoll *ep, struct epitem *epi)
{
	pthread_mutex_lock(&ep->lock);
	if (epi->event.events & EPOLLONESHOT)
		epi->event.events &= EP_PRIVATE_BITS;
	else if (!(epi->event.events & (u32)EPOLLET))
		ep_make_ready(ep, epi);
	pthread_mutex_unlock(&ep->lock);
}

static int ep_collect(struct eventpoll *ep, struct epoll_event *evs, int max)
{
	struct epitem *epi;
	u32 left, now;
	int n = 0;

	pthread_mutex_lock(&ep->mtx);
	left = __atomic_load_n(&ep->nr_ready, __ATOMIC_RELAXED);
	while (left-- && n < max && (epi = ep_pop(ep))) {
		now = ep_item_poll(epi);
		if (!now)
			continue;
		evs[n].events = now;
		evs[n].data = epi->event.data;
		n++;
		ep_rearm(ep, epi);
	}
	pthread_mutex_unlock(&ep->mtx);
	return n;
}

static bool ep_has_ready(struct eventpoll *ep)
{
	bool r;

	pthread_mutex_lock(&ep->lock);
	r = ep->nr_ready;
	pthread_mutex_unlock(&ep->lock);
	return r;
}

/*
 * What one thread leaves behind is for the next one that sleeps. A sleeper counts itself before it looks at the ready list, and
 * items are put back before its count is read here: one of the two sees the other (both take ep->lock in between).
 */
static void ep_pass_on(struct eventpoll *ep)
{
	struct cpu *cpu = ep_cpu(ep);

	if (!__atomic_load_n(&ep->sleepers, __ATOMIC_SEQ_CST) || !ep_has_ready(ep))
		return;
	cpu_lock(cpu);
	wake_up(cpu, &ep->wq, EPOLLIN | EPOLLRDNORM);
	cpu_unlock(cpu);
}

/* cpu 0's lock. */
static struct busy_poll ep_busy_poll(const struct eventpoll *ep)
{
	struct busy_poll busy = machine_busy_poll(ep->file.machine);

	if (ep->params.busy_poll_usecs)
		busy.ns = ep->params.busy_poll_usecs * NSEC_PER_USEC;
	busy.prefer = ep->params.prefer_busy_poll;
	return busy;
}

/* Sleeps until something is on the ready list. 0, -EAGAIN, -EINTR, -ENOMEM */
static int ep_sleep(struct eventpoll *ep, u64 deadline)
{
	struct cpu *cpu = ep_cpu(ep);
	struct wait_entry w;
	int err;

	cpu_lock(cpu);
	err = wait_entry_init(cpu, &w);
	if (err)
		goto out;
	w.exclusive = true;
	add_wait_queue(&ep->wq, &w);
	__atomic_add_fetch(&ep->sleepers, 1, __ATOMIC_SEQ_CST);
	while (!ep_has_ready(ep) && !file_closed(&ep->file)) {
		err = wait_schedule_busy(cpu, &w, deadline, ep_busy_poll(ep));
		if (err)
			break;
	}
	__atomic_sub_fetch(&ep->sleepers, 1, __ATOMIC_SEQ_CST);
	remove_wait_queue(&w);
	wait_entry_fini(cpu, &w);
out:
	cpu_unlock(cpu);
	return err;
}

int eventpoll_wait(struct file *epf, struct epoll_event *evs, int max, u64 timeout_ns)
{
	struct eventpoll *ep = file_ep(epf);
	u64 deadline = HOST_FOREVER, now;
	int n, err;

	if (epf->ops != &eventpoll_fops || max <= 0)
		return -EINVAL;
	if (timeout_ns && timeout_ns != HOST_FOREVER) {
		now = host_now(epf->machine->host);
		deadline = timeout_ns > HOST_FOREVER - now ? HOST_FOREVER : now + timeout_ns;
	}
	for (;;) {
		if (file_closed(epf))
			return -EBADF;
		n = ep_collect(ep, evs, max);
		if (n)
			ep_pass_on(ep);
		/* A loop around weir_run() that comes back later is to be told again. */
		if (n && !timeout_ns && ep_has_ready(ep))
			__atomic_store_n(&epf->machine->event_pending, 1, __ATOMIC_RELEASE);
		if (n || !timeout_ns)
			return n;
		err = ep_sleep(ep, deadline);
		if (err == -EAGAIN)
			return ep_collect(ep, evs, max);
		if (err)
			return err;
	}
}

/* ---- an epoll as a file -------------------------------------------------------------------------------- */

/* Is anything on the ready list really ready? Items that are not leave it. */
static u32 ep_poll(struct file *f, struct wait_entry *w)
{
	struct eventpoll *ep = file_ep(f);
	struct epitem *epi;
	u32 left, mask = 0;

	if (w) {
		cpu_lock(ep_cpu(ep));
		add_wait_queue(&ep->poll_wq, w);
		cpu_unlock(ep_cpu(ep));
	}
	pthread_mutex_lock(&ep->mtx);
	left = __atomic_load_n(&ep->nr_ready, __ATOMIC_RELAXED);
	while (!mask && left-- && (epi = ep_pop(ep))) {
		if (!ep_item_poll(epi))
			continue;
		mask = EPOLLIN | EPOLLRDNORM;
		pthread_mutex_lock(&ep->lock);
		if (list_empty(&epi->ready_node)) { /* back to where it was */
			list_add(&epi->ready_node, &ep->ready);
			ep->nr_ready++;
		}
		pthread_mutex_unlock(&ep->lock);
	}
	pthread_mutex_unlock(&ep->mtx);
	if (mask)
		ep_pass_on(ep);
	return mask;
}

static void ep_unpoll(struct file *f, struct wait_entry *w)
{
	cpu_lock(ep_cpu(file_ep(f)));
	remove_wait_queue(w);
	cpu_unlock(ep_cpu(file_ep(f)));
}

static void ep_file_wake(struct file *f)
{
	struct cpu *cpu = ep_cpu(file_ep(f));

	cpu_lock(cpu);
	wake_up(cpu, &file_ep(f)->poll_wq, EPOLLIN | EPOLLHUP);
	/* Waiting threads are exclusive entries: all of them must leave. */
	while (waitqueue_active(&file_ep(f)->wq)) {
		struct wait_entry *w =
			list_first_entry(&file_ep(f)->wq.entries, struct wait_entry, node);

		list_del(&w->node);
		w->func(cpu, w, EPOLLIN | EPOLLHUP);
	}
	cpu_unlock(cpu);
}

static void ep_release(struct file *f)
{
	struct eventpoll *ep = file_ep(f);
	struct machine_sock *ms = f->machine->sock;
	struct hlist_node *n;
	struct cpu *cpu = ep_cpu(ep);
	struct epitem *epi;
	bool queued;

	pthread_mutex_lock(&ms->epoll_mutex);
	pthread_mutex_lock(&ep->mtx);
	for (u32 i = 0; ep->buckets && i < (1u << ep->hash_bits); i++)
		hlist_for_each_entry_safe(epi, n, &ep->buckets[i], hash)
			ep_remove(ep, epi);
	pthread_mutex_unlock(&ep->mtx);
	pthread_mutex_unlock(&ms->epoll_mutex);
	pthread_mutex_lock(&ms->files_lock);
	list_del(&ep->node);
	pthread_mutex_unlock(&ms->files_lock);
	/* No item is left, so no more work will be queued; some may be. */
	cpu_lock(cpu);
	ep->released = __atomic_load_n(&ep->work_queued, __ATOMIC_ACQUIRE);
	queued = ep->released;
	cpu_unlock(cpu); /* runs the work, perhaps */
	if (!queued)
		ep_free(ep);
}

/* See ioctl_eventpoll(2). The budget is kept without effect: what is looked for is not counted in packets. */
static int ep_ioctl(struct file *f, unsigned long cmd, void *arg)
{
	struct eventpoll *ep = file_ep(f);
	struct epoll_params_ *p = arg;

	if (cmd != EPIOCSPARAMS_ && cmd != EPIOCGPARAMS_)
		return -EINVAL; /* as Linux since it knows these two, not ENOTTY */
	if (cmd == EPIOCSPARAMS_ &&
	    (p->pad || p->prefer_busy_poll > 1 || p->busy_poll_usecs > INT32_MAX))
		return -EINVAL;
	cpu_lock(ep_cpu(ep));
	if (cmd == EPIOCSPARAMS_)
		ep->params = *p;
	else
		*p = ep->params;
	cpu_unlock(ep_cpu(ep));
	return 0;
}

static const struct file_operations eventpoll_fops = {
	.poll = ep_poll,
	.unpoll = ep_unpoll,
	.ioctl = ep_ioctl,
	.release = ep_release,
	.wake = ep_file_wake,
};

int eventpoll_create(struct machine *m, struct file **ret_file)
{
	struct eventpoll *ep = calloc(1, sizeof(*ep));

	if (!ep)
		return -ENOMEM;
	file_init(&ep->file, m, &eventpoll_fops);
	pthread_mutex_init(&ep->mtx, NULL);
	pthread_mutex_init(&ep->lock, NULL);
	list_init(&ep->ready);
	init_waitqueue_head(&ep->wq);
	init_waitqueue_head(&ep->poll_wq);
	ep->work.fn = ep_work;
	pthread_mutex_lock(&m->sock->files_lock);
	list_add_tail(&ep->node, &m->sock->epolls);
	pthread_mutex_unlock(&m->sock->files_lock);
	*ret_file = &ep->file;
	return 0;
}

struct file *eventpoll_first(struct machine *m)
{
	struct eventpoll *ep = list_first_entry_or_null(&m->sock->epolls, struct eventpoll, node);

	return ep ? &ep->file : NULL;
}

void eventpoll_release_file(struct file *f)
{
	struct machine_sock *ms = f->machine->sock;
	struct epitem *epi;

	/*
	 * Nobody adds a watch any more: eventpoll_ctl() looks for a handle under the mutex, and we were called after the last was given back.
	 * Whether one was ever added is read with acquire: it pairs with the release in ep_insert(), which came before its
	 * caller gave its reference back. A file that no epoll ever watched, nearly every one, needs no mutex.
	 */
	if (!__atomic_load_n(&f->watched, __ATOMIC_ACQUIRE))
		return;
	pthread_mutex_lock(&ms->epoll_mutex);
	while ((epi = list_first_entry_or_null(&f->ep_links, struct epitem, file_node))) {
		struct eventpoll *ep = epi->ep;

		pthread_mutex_lock(&ep->mtx);
		ep_remove(ep, epi);
		pthread_mutex_unlock(&ep->mtx);
	}
	pthread_mutex_unlock(&ms->epoll_mutex);
}
