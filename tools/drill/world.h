/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * world.h - what a script is run against: a stack with system calls, a cable, and a clock
 *
 * Two of them: a weir instance in virtual time (world_weir.c) and the kernel of this machine in real time (world_kernel.c). Everything
 * else in this folder sees only this table.
 *
 * Threads: the script's own thread makes all calls but sys(), which blocks as the system call does and is called in a thread of
 * thread_start() if it may, and receive(), which the cable's thread calls. poke() may be called by any.
 */
#ifndef WEIR_DRILL_WORLD_H
#define WEIR_DRILL_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "drill/packet.h"

enum drill_sys {
	DRILL_SYS_ACCEPT,
	DRILL_SYS_ACCEPT4,
	DRILL_SYS_BIND,
	DRILL_SYS_CLOSE,
	DRILL_SYS_CONNECT,
	DRILL_SYS_DUP,
	DRILL_SYS_DUP2,
	DRILL_SYS_DUP3,
	DRILL_SYS_EPOLL_CREATE,
	DRILL_SYS_EPOLL_CREATE1,
	DRILL_SYS_EPOLL_CTL,
	DRILL_SYS_EPOLL_WAIT,
	DRILL_SYS_FCNTL,
	DRILL_SYS_GETPEERNAME,
	DRILL_SYS_GETSOCKNAME,
	DRILL_SYS_GETSOCKOPT,
	DRILL_SYS_IOCTL,
	DRILL_SYS_LISTEN,
	DRILL_SYS_OPEN,
	DRILL_SYS_PIPE,
	DRILL_SYS_PIPE2,
	DRILL_SYS_POLL,
	DRILL_SYS_READ,
	DRILL_SYS_READV,
	DRILL_SYS_RECV,
	DRILL_SYS_RECVFROM,
	DRILL_SYS_RECVMMSG,
	DRILL_SYS_RECVMSG,
	DRILL_SYS_SEND,
	DRILL_SYS_SENDFILE,
	DRILL_SYS_SENDMMSG,
	DRILL_SYS_SENDMSG,
	DRILL_SYS_SENDTO,
	DRILL_SYS_SETSOCKOPT,
	DRILL_SYS_SHUTDOWN,
	DRILL_SYS_SOCKET,
	DRILL_SYS_SOCKETPAIR,
	DRILL_SYS_SPLICE,
	DRILL_SYS_WRITE,
	DRILL_SYS_WRITEV,
	DRILL_NR_SYS,
};

#define DRILL_DEVICE "tun0" /* the cable's end in the stack */

/* Addresses and sizes of the network that a script has. */
struct drill_net_config {
	int family; /* of packets */
	struct drill_addr local, remote, gateway;
	uint8_t prefixlen; /* of the local address */
	uint32_t mtu;
	uint64_t seed;
	const char *pcapng; /* NULL: no capture */
};

struct drill_world;
struct weir_net;

struct drill_world_ops {
	void (*destroy)(struct drill_world *w);
	/* Arguments as the system call has them, descriptors the world's. Its result, or -errno. */
	long (*sys)(struct drill_world *w, enum drill_sys nr, const unsigned long arg[6]);
	uint64_t (*now)(struct drill_world *w); /* ns */
	uint64_t (*realtime)(
		struct drill_world
			*w); /* ns since 1970: the clock of time stamps in control messages */
	/* Ends the wait() that runs, or the next one. */
	void (*poke)(struct drill_world *w);
	/* Until poked or @until. Whatever else can run at the time it is called has run before it returns. */
	void (*wait)(struct drill_world *w, uint64_t until);
	/* NULL: no memory. */
	void *(*thread_start)(struct drill_world *w, void (*fn)(void *arg), void *arg);
	void (*thread_join)(struct drill_world *w, void *thread);
	/* Makes the call return that @thread is blocked in, once its files are closed. NULL: closing was enough. */
	void (*thread_interrupt)(struct drill_world *w, void *thread);
	/* A packet comes in on the cable; @gso_size 0, or that of the segments it was merged from. 0 or -errno */
	int (*send)(struct drill_world *w, const void *packet, size_t len, unsigned gso_size);
	/* The next packet that left the stack and when. Blocks; -ENODEV after unplug(). */
	ssize_t (*receive)(struct drill_world *w, void *buf, size_t size, uint64_t *ret_time);
	void (*unplug)(struct drill_world *w); /* ends receive() */
	/* Runs @command with a shell in @dir, its output to ours. Its wait status, or -errno with a sentence in @error. */
	int (*shell)(struct drill_world *w, const char *command, const char *dir, char *error,
		     size_t size);
	bool virtual_time;
};

struct drill_world {
	const struct drill_world_ops *ops;
};

/* NULL with a sentence in @error. */
struct drill_world *drill_world_weir(const struct drill_net_config *cfg, char *error, size_t size);
/* The net under test of a world that this made. */
struct weir_net *drill_world_weir_net(struct drill_world *w);
struct drill_world *drill_world_kernel(const struct drill_net_config *cfg, char *error,
				       size_t size);

#endif
