/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/support/tcp_move.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>

#define QUEUE_MAX (1 << 20)

enum { RECEIVED, SENT }; /* + 1: TCP_REPAIR_QUEUE */

struct state {
	struct sockaddr_storage local, peer;
	socklen_t local_len, peer_len;
	uint32_t seq[2];
	int len[2], unsent;
	uint32_t window[5];
	struct tcp_info info;
	int mss, tsval;
	uint8_t octets[2][QUEUE_MAX];
};

static int set(struct weir_file *f, int name, int v)
{
	return weir_setsockopt(f, IPPROTO_TCP, name, &v, sizeof(v));
}

static int get(struct weir_file *f, int name, void *v)
{
	socklen_t len = sizeof(int);

	return weir_getsockopt(f, IPPROTO_TCP, name, v, &len);
}

static int save_queue(struct weir_file *f, struct state *s, int q)
{
	int err = set(f, TCP_REPAIR_QUEUE, q + 1);
	ssize_t n;

	if (!err)
		err = get(f, TCP_QUEUE_SEQ, &s->seq[q]);
	if (!err)
		err = weir_ioctl(f, q == SENT ? SIOCOUTQ : SIOCINQ, &s->len[q]);
	if (err || !s->len[q])
		return err;
	if (s->len[q] > QUEUE_MAX)
		return -E2BIG;
	n = weir_recv(f, s->octets[q], (size_t)s->len[q], MSG_PEEK | MSG_DONTWAIT);
	return n == s->len[q] ? 0 : n < 0 ? (int)n : -EIO;
}

static int save(struct weir_file *f, struct state *s)
{
	socklen_t len = sizeof(s->window);
	int err;

	s->local_len = s->peer_len = sizeof(s->peer);
	err = weir_getsockname(f, (struct sockaddr *)&s->local, &s->local_len);
	if (!err)
		err = weir_getpeername(f, (struct sockaddr *)&s->peer, &s->peer_len);
	if (!err)
		err = get(f, TCP_MAXSEG, &s->mss);
	if (!err)
		err = get(f, TCP_TIMESTAMP, &s->tsval);
	if (!err)
		err = weir_getsockopt(f, IPPROTO_TCP, TCP_REPAIR_WINDOW, s->window, &len);
	if (!err)
		err = weir_ioctl(f, SIOCOUTQNSD, &s->unsent);
	for (int q = 0; q < 2 && !err; q++)
		err = save_queue(f, s, q);
	return err;
}

/* Octets go into the queue in pieces: a send call takes what a buffer holds. */
static int fill(struct weir_file *f, const uint8_t *p, int n)
{
	while (n > 0) {
		ssize_t r = weir_send(f, p, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (r <= 0)
			return r ? (int)r : -EIO;
		p += r;
		n -= (int)r;
	}
	return 0;
}

static int set_options(struct weir_file *f, const struct state *s)
{
	const struct {
		uint32_t code, val;
	} opts[] = {
		{ 2, (uint32_t)s->mss },
		{ 3, s->info.tcpi_snd_wscale | (uint32_t)s->info.tcpi_rcv_wscale << 16 },
		{ 4, 0 },
		{ 8, 0 },
	};
	static const unsigned has[] = { 0, TCPI_OPT_WSCALE, TCPI_OPT_SACK, TCPI_OPT_TIMESTAMPS };
	int err = 0;

	for (int i = 0; i < 4 && !err; i++)
		if (!has[i] || s->info.tcpi_options & has[i])
			err = weir_setsockopt(f, IPPROTO_TCP, TCP_REPAIR_OPTIONS, &opts[i],
					      sizeof(opts[i]));
	return err;
}

static int restore(struct weir_file *f, const struct state *s)
{
	static const int big = 4 << 20, one = 1;
	int err = set(f, TCP_REPAIR, 1);

	weir_setsockopt(f, SOL_SOCKET, SO_SNDBUFFORCE, &big, sizeof(big));
	weir_setsockopt(f, SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
	if (!err)
		err = weir_bind(f, (const struct sockaddr *)&s->local, s->local_len);
	for (int q = 0; q < 2 && !err; q++) {
		err = set(f, TCP_REPAIR_QUEUE, q + 1);
		if (!err)
			err = set(f, TCP_QUEUE_SEQ, (int)(s->seq[q] - (uint32_t)s->len[q]));
	}
	if (!err)
		err = weir_connect(f, (const struct sockaddr *)&s->peer, s->peer_len);
	if (!err)
		err = set_options(f, s);
	if (!err)
		err = set(f, TCP_TIMESTAMP, s->tsval);
	for (int q = 0; q < 2 && !err; q++) {
		err = set(f, TCP_REPAIR_QUEUE, q + 1);
		if (!err)
			err = fill(f, s->octets[q], s->len[q] - (q == SENT ? s->unsent : 0));
	}
	if (!err)
		err = weir_setsockopt(f, IPPROTO_TCP, TCP_REPAIR_WINDOW, s->window,
				      sizeof(s->window));
	if (!err)
		err = set(f, TCP_REPAIR, 0);
	/* Repair has cleared it: a listener must be able to come back to the port. */
	weir_setsockopt(f, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return err ? err : fill(f, s->octets[SENT] + s->len[SENT] - s->unsent, s->unsent);
}

int tcp_move(struct weir_net *net, struct weir_file **f)
{
	static struct state s; /* tests have one thread */
	socklen_t len = sizeof(s.info);
	int err;

	memset(&s, 0, offsetof(struct state, octets));
	if (weir_getsockopt(*f, IPPROTO_TCP, TCP_INFO, &s.info, &len) ||
	    s.info.tcpi_state != TCP_ESTABLISHED)
		return -EAGAIN;
	err = set(*f, TCP_REPAIR, 1);
	if (!err)
		err = save(*f, &s);
	weir_close(*f);
	*f = NULL;
	if (!err)
		err = weir_socket(net, s.local.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0, f);
	if (!err)
		err = restore(*f, &s);
	if (err && *f) {
		weir_close(*f);
		*f = NULL;
	}
	return err == -EAGAIN ? -ENOMEM : err; /* no room in tcp_mem */
}
