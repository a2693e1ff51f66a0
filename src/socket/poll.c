/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * poll.c - poll(2) on files
 *
 * Each file is asked once with a wait entry, which stays on its queue until the call ends. Any of the entries wakes the
 * calling thread; which one it was is found by asking all files again.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/poll.h>

#include "core/machine.h"
#include "socket/socket_internal.h"

/* What a datagram socket says, whatever its family. Cpu lock held. */
u32 datagram_poll(struct socket *sock)
{
	struct sock *sk = sock->sk;
	u32 mask = 0;

	if (sk->sk_err || (sk->sk_rare && !skb_queue_empty(&sk->sk_rare->error_queue)))
		mask |= EPOLLERR | (sock_flag(sk, SOCK_SELECT_ERR_QUEUE) ? EPOLLPRI : 0);
	if (sk->sk_shutdown & SK_SHUTDOWN_RCV)
		mask |= EPOLLRDHUP | EPOLLIN | EPOLLRDNORM;
	if (sk->sk_shutdown == SK_SHUTDOWN_MASK)
		mask |= EPOLLHUP;
	if (!skb_queue_empty(&sk->sk_receive_queue))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (sk->sk_wmem_alloc < sk->sk_sndbuf / 2)
		mask |= EPOLLOUT | EPOLLWRNORM | EPOLLWRBAND;
	else
		sock_set_flag(sk, SOCK_NOSPACE);
	return mask;
}

/* One round over all files. Queues the entries if @entries is given. The number of files that have something to say. */
static int poll_round(struct file_poll *fds, u32 n, struct wait_entry *entries)
{
	int ready = 0;

	for (u32 i = 0; i < n; i++) {
		struct file_poll *p = &fds[i];

		p->revents = 0;
		if (!p->file)
			continue;
		p->revents = p->file->ops->poll(p->file, entries ? &entries[i] : NULL) &
			     (p->events | EPOLLERR | EPOLLHUP);
		if (file_closed(p->file))
			p->revents |= POLLNVAL; /* the handle was given back meanwhile */
		if (p->revents)
			ready++;
	}
	return ready;
}

struct busy_poll machine_busy_poll(const struct machine *m)
{
	u32 usecs = __atomic_load_n(&m->sock->busy_poll, __ATOMIC_RELAXED);

	return (struct busy_poll){ .ns = usecs * NSEC_PER_USEC };
}

static int poll_sleep(struct machine *m, struct wait_entry *self, struct file_poll *fds, u32 n,
		      u64 timeout_ns)
{
	u64 now = host_now(m->host);
	u64 deadline = timeout_ns >= HOST_FOREVER - now ? HOST_FOREVER : now + timeout_ns;
	int ready, err;

	do {
		err = wait_park_busy(m, NULL, self, deadline, machine_busy_poll(m));
		ready = poll_round(fds, n, NULL);
	} while (!ready && !err);
	return ready || err == -EAGAIN ? ready : err;
}

static void files_get(const struct file_poll *fds, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (fds[i].file)
			file_get(fds[i].file);
}

static void files_put(const struct file_poll *fds, u32 n)
{
	for (u32 i = 0; i < n; i++)
		if (fds[i].file)
			file_put(fds[i].file);
}

int files_poll(struct machine *m, struct file_poll *fds, u32 n, u64 timeout_ns)
{
	struct wait_entry few[8], *entries = few, self;
	int ready;

	for (u32 i = 0; i < n; i++)
		if (fds[i].file && fds[i].file->machine != m)
			return -EINVAL;
	if (!timeout_ns) {
		files_get(fds, n);
		ready = poll_round(fds, n, NULL);
		files_put(fds, n);
		return ready;
	}
	if (n > ARRAY_SIZE(few)) {
		entries = calloc(n, sizeof(*entries));
		if (!entries)
			return -ENOMEM;
	}
	ready = wait_entry_init(m->cpus[0], &self); /* of a cpu it needs the machine only */
	if (ready)
		goto out;
	for (u32 i = 0; i < n; i++)
		wait_entry_share(&entries[i], &self);
	files_get(fds, n);
	ready = poll_round(fds, n, entries);
	if (!ready)
		ready = poll_sleep(m, &self, fds, n, timeout_ns);
	for (u32 i = 0; i < n; i++)
		if (fds[i].file)
			fds[i].file->ops->unpoll(fds[i].file, &entries[i]);
	files_put(fds, n);
	wait_entry_fini(m->cpus[0], &self);
out:
	if (entries != few)
		free(entries);
	return ready;
}
