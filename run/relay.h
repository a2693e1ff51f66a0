/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * relay.h - a weir run inside a weir run: what the two say to each other
 *
 * A filter chain has one listener, the outer runner's. The inner one opens RELAY_PATH for reading and writing, is given one end of a
 * socketpair of packets, and is told of the calls of its descendants there, as a listener would tell it. It answers by requests;
 * each has one result, so that it knows, as with ioctl(), whether the caller was still there. See relay.c, nested.c.
 */
#ifndef RUN_RELAY_H
#define RUN_RELAY_H

#include <linux/seccomp.h>
#include <stdint.h>

/* Only there under a weir run. Read, it says so. */
#define RELAY_PATH "/proc/net/weir"

enum relay_kind {
	/* outer to inner */
	RELAY_HELLO, /* @value: RELAY_KILLABLE, RELAY_COPIES; @id: the process that connects AF_UNIX sockets */
	RELAY_CALL,   /* @n; @id names it in requests */
	RELAY_RESULT, /* of the last request: @value; of RELAY_COPY with a descriptor */
	/* inner to outer: about call @id */
	RELAY_ANSWER,   /* with @value */
	RELAY_CONTINUE, /* what the outer runner makes of it, as if there were no inner one */
	RELAY_ADDFD, /* the descriptor that comes along; @value: at which number, or -1; @flags; result: its number */
	RELAY_VALID, /* result: does the caller still wait? */
	RELAY_COPY, /* of descriptor @value of the caller's thread @id: there is no call in this request */
	RELAY_KINDS,
};

#define RELAY_KILLABLE 1 /* signals do not interrupt calls (WAIT_KILLABLE_RECV) */
#define RELAY_COPIES   2 /* RELAY_COPY works */

#define RELAY_CLOEXEC 1
#define RELAY_SEND    2 /* the descriptor's number is the call's answer */

struct relay_msg {
	uint32_t kind; /* enum relay_kind */
	uint32_t flags;
	uint64_t id;
	int64_t value;
	struct seccomp_notif n;
};

#endif
