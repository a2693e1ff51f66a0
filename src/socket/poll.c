/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poll.c - poll(2) on files
 *
 * Each file is asked once with a wait entry, which stays on its queue until the call ends. Any of the entries wakes the
 * calling thread. The thread sleeps on cpu 0 (every machine has one); files of other cpus wake it through its parker.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>

#include "core/machine.h"
#include "socket/socket.h"

struct poll_table {
	struct wait_entry self; /* the sleeping thread, on no queue */
	struct cpu *cpu;
	u32 triggered; /* atomic */
};

struct poll_entry {
	struct wait_entry w;
	struct poll_table *table;
};

/* The lock of @cpu is held. */
static void poll_wake(struct cpu *cpu, struct wait_entry *w, u32 events)
{
	struct poll_table *t = container_of(w, struct poll_entry, w)->table;

	if (__atomic_exchange_n(&t->triggered, 1, __ATOMIC_ACQ_REL))
		return;
	if (cpu == t->cpu) {
		t->self.func(cpu, &t->self, events);
		return;
	}
	w->private = t->self.private;
	if (list_empty(&w->wake_node))
		list_add_tail(&w->wake_node, &cpu->wake_list);
}

/* One round over all files. Queues the entries if @entries is given. The number of files that have something to say. */
static int poll_round(struct file_poll *fds, u32 n, struct poll_entry *entries)
{
	int ready = 0;

	for (u32 i = 0; i < n; i++) {
		struct file_poll *p = &fds[i];

		p->revents = 0;
		if (!p->file)
			continue;
		p->revents = p->file->ops->poll(p->file, entries ? &entries[i].w : NULL) &
			     (p->events | EPOLLERR | EPOLLHUP);
		if (file_closed(p->file))
			p->revents |= 0x020; /* POLLNVAL: the handle was given back meanwhile */
		if (p->revents)
			ready++;
	}
	return ready;
}

static int poll_sleep(struct machine *m, struct poll_table *t, struct file_poll *fds, u32 n, u64 deadline)
{
	int ready, err = 0;

	for (;;) {
		ready = poll_round(fds, n, NULL);
		if (ready || err == -EAGAIN)
			return ready;
		if (err)
			return err;
		cpu_lock(t->cpu);
		if (!__atomic_exchange_n(&t->triggered, 0, __ATOMIC_ACQ_REL))
			err = wait_schedule(t->cpu, &t->self, deadline);
		__atomic_store_n(&t->triggered, 0, __ATOMIC_RELEASE);
		cpu_unlock(t->cpu);
	}
}

int files_poll(struct machine *m, struct file_poll *fds, u32 n, u64 timeout_ns)
{
	struct poll_entry few[8], *entries = few;
	struct poll_table t = { .cpu = m->cpus[0] };
	u64 deadline;
	int ready;

	if (!timeout_ns)
		return poll_round(fds, n, NULL);
	if (n > ARRAY_SIZE(few)) {
		entries = calloc(n, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
	}
	for (u32 i = 0; i < n; i++) {
		entries[i] = (struct poll_entry){ .w.func = poll_wake, .table = &t };
		list_init(&entries[i].w.node);
		list_init(&entries[i].w.wake_node);
		if (fds[i].file)
			file_get(fds[i].file);
	}
	cpu_lock(t.cpu);
	ready = wait_entry_init(t.cpu, &t.self);
	cpu_unlock(t.cpu);
	if (ready)
		goto out;

	ready = poll_round(fds, n, entries);
	if (!ready) {
		deadline = timeout_ns >= HOST_FOREVER - host_now(m->host) ? HOST_FOREVER :
									    host_now(m->host) + timeout_ns;
		ready = poll_sleep(m, &t, fds, n, deadline);
	}
	for (u32 i = 0; i < n; i++)
		if (fds[i].file)
			fds[i].file->ops->unpoll(fds[i].file, &entries[i].w);
	cpu_lock(t.cpu);
	wait_entry_fini(t.cpu, &t.self);
	cpu_unlock(t.cpu);
out:
	for (u32 i = 0; i < n; i++)
		if (fds[i].file)
			file_put(fds[i].file);
	if (entries != few)
		free(entries);
	return ready;
}
