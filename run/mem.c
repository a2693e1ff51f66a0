/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mem.c - the memory of a program
 *
 * A thread id may name another process by the time we look. So after reading, and before writing, the notification is asked
 * whether its caller still waits: while it does, the id is its own. That is not needed for what was read between the notification and a
 * use of the thread's pidfd that was opened before (call.certain): all that time the id was its own, too. process_vm_writev() respects page permissions; where it
 * is forbidden (some containers), /proc/PID/mem does the reading, and writes are checked against the mappings first, because that
 * file ignores their protection.
 */
#include "run_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PAGE 4096

static int open_mem(pid_t tid, int mode)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/%d/mem", tid);
	return open(path, mode | O_CLOEXEC);
}

static ssize_t proc_readv(pid_t tid, const struct iovec *local, const struct iovec *remote,
			  unsigned nr)
{
	char *to = local->iov_base;
	size_t left = local->iov_len;
	int fd = open_mem(tid, O_RDONLY);

	if (fd < 0)
		return -1;
	for (unsigned i = 0; i < nr && left; i++) {
		size_t n = remote[i].iov_len < left ? remote[i].iov_len : left;
		ssize_t k = pread(fd, to, n, (off_t)(uintptr_t)remote[i].iov_base);

		if (k < 0)
			break;
		to += k;
		left -= (size_t)k;
		if ((size_t)k < n)
			break;
	}
	close(fd);
	return to - (char *)local->iov_base;
}

/* Is [addr, addr + n) mapped writable throughout? */
static bool range_writable(pid_t tid, uint64_t addr, size_t n)
{
	char line[512], path[40];
	uint64_t end = addr + n;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (addr < end && fgets(line, sizeof(line), f)) {
		unsigned long from, to;
		char perm[5];

		if (sscanf(line, "%lx-%lx %4s", &from, &to, perm) != 3)
			continue;
		if (addr >= from && addr < to && perm[1] == 'w')
			addr = to;
	}
	fclose(f);
	return addr >= end;
}

static ssize_t proc_writev(pid_t tid, const struct iovec *local, const struct iovec *remote,
			   unsigned nr)
{
	const char *from = local->iov_base;
	size_t left = local->iov_len;
	int fd = open_mem(tid, O_WRONLY);

	if (fd < 0)
		return -1;
	for (unsigned i = 0; i < nr && left; i++) {
		size_t n = remote[i].iov_len < left ? remote[i].iov_len : left;
		uint64_t addr = (uintptr_t)remote[i].iov_base;

		if (!range_writable(tid, addr, n) || pwrite(fd, from, n, (off_t)addr) != (ssize_t)n)
			break;
		from += n;
		left -= n;
	}
	close(fd);
	return from - (const char *)local->iov_base;
}

static ssize_t vm_read(struct call *c, void *buf, size_t n, const struct iovec *remote, unsigned nr)
{
	struct iovec local = { buf, n };

	if (c->run->fac.vm_access)
		return process_vm_readv((pid_t)c->n.pid, &local, 1, remote, nr, 0);
	return proc_readv((pid_t)c->n.pid, &local, remote, nr);
}

static ssize_t vm_write(struct call *c, const void *buf, size_t n, const struct iovec *remote,
			unsigned nr)
{
	struct iovec local = { (void *)(uintptr_t)buf, n };

	if (c->run->fac.vm_access)
		return process_vm_writev((pid_t)c->n.pid, &local, 1, remote, nr, 0);
	return proc_writev((pid_t)c->n.pid, &local, remote, nr);
}

/* A handler does not wait: a look is good for all of it. A read needs its own, for what was read may be another process's. */
static bool still_waits(struct call *c)
{
	if (!c->alive)
		c->alive = notify_valid(c);
	return c->alive;
}

int mem_read_iov(struct call *c, const struct iovec *remote, unsigned nr, void *buf, size_t n)
{
	ssize_t k;

	if (!n)
		return 0;
	k = vm_read(c, buf, n, remote, nr);
	c->alive = notify_valid(c);
	if (!c->alive)
		return -ENOENT;
	return k == (ssize_t)n ? 0 : -EFAULT;
}

int mem_write_iov(struct call *c, const struct iovec *remote, unsigned nr, const void *buf,
		  size_t n)
{
	if (!n)
		return 0;
	if (!still_waits(c))
		return -ENOENT;
	return vm_write(c, buf, n, remote, nr) == (ssize_t)n ? 0 : -EFAULT;
}

void mem_read_early(struct call *c, uint64_t addr, uint64_t n)
{
	struct iovec local = { c->early, (size_t)n },
		     remote = { (void *)(uintptr_t)addr, (size_t)n };

	if (!n || n > sizeof(c->early) || !c->seq || !c->run->fac.vm_access ||
	    !c->run->fac.pidfd_thread ||
	    process_vm_readv((pid_t)c->n.pid, &local, 1, &remote, 1, 0) != (ssize_t)n)
		return;
	c->early_addr = addr;
	c->early_len = (size_t)n;
}

int mem_read(struct call *c, uint64_t addr, void *buf, size_t n)
{
	struct iovec remote = { (void *)(uintptr_t)addr, n };

	if (c->certain && addr == c->early_addr && n <= c->early_len) {
		memcpy(buf, c->early, n);
		return 0;
	}
	return mem_read_iov(c, &remote, 1, buf, n);
}

int mem_write(struct call *c, uint64_t addr, const void *buf, size_t n)
{
	struct iovec remote = { (void *)(uintptr_t)addr, n };

	return mem_write_iov(c, &remote, 1, buf, n);
}

/* Both sides of @parts. Returns how many octets there are. */
static size_t parts_to_iov(const struct mem_part *parts, unsigned nr, struct iovec *local,
			   struct iovec *remote)
{
	size_t sum = 0;

	for (unsigned i = 0; i < nr; i++) {
		local[i] = (struct iovec){ parts[i].buf, parts[i].len };
		remote[i] = (struct iovec){ (void *)(uintptr_t)parts[i].addr, parts[i].len };
		sum += parts[i].len;
	}
	return sum;
}

int mem_read_parts(struct call *c, const struct mem_part *parts, unsigned nr)
{
	struct iovec local[MEM_PARTS], remote[MEM_PARTS];
	size_t sum;
	ssize_t k;

	if (!c->run->fac.vm_access) {
		int err = 0;

		for (unsigned i = 0; i < nr && !err; i++)
			err = mem_read(c, parts[i].addr, parts[i].buf, parts[i].len);
		return err;
	}
	sum = parts_to_iov(parts, nr, local, remote);
	if (!sum)
		return 0;
	k = process_vm_readv((pid_t)c->n.pid, local, nr, remote, nr, 0);
	c->alive = notify_valid(c);
	if (!c->alive)
		return -ENOENT;
	return k == (ssize_t)sum ? 0 : -EFAULT;
}

int mem_write_parts(struct call *c, const struct mem_part *parts, unsigned nr)
{
	struct iovec local[MEM_PARTS], remote[MEM_PARTS];
	size_t sum;

	if (!c->run->fac.vm_access) {
		int err = 0;

		for (unsigned i = 0; i < nr && !err; i++)
			err = mem_write(c, parts[i].addr, parts[i].buf, parts[i].len);
		return err;
	}
	if (!still_waits(c))
		return -ENOENT;
	sum = parts_to_iov(parts, nr, local, remote);
	return process_vm_writev((pid_t)c->n.pid, local, nr, remote, nr, 0) == (ssize_t)sum
		       ? 0
		       : -EFAULT;
}

/* Up to the page's end at a time: what is behind may not be mapped. */
int mem_read_string(struct call *c, uint64_t addr, char *buf, size_t size)
{
	size_t have = 0;

	while (have < size) {
		size_t n = PAGE - (addr + have) % PAGE;
		struct iovec remote = { (void *)(uintptr_t)(addr + have), 0 };
		char *end;
		ssize_t k;

		if (n > size - have)
			n = size - have;
		remote.iov_len = n;
		k = vm_read(c, buf + have, n, &remote, 1);
		if (!notify_valid(c))
			return -ENOENT;
		if (k <= 0)
			return -EFAULT;
		end = memchr(buf + have, 0, (size_t)k);
		if (end)
			return (int)(end - buf);
		have += (size_t)k;
	}
	return -ENAMETOOLONG;
}
