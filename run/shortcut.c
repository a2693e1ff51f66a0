/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shortcut.c - octets of streams that need not be packets
 *
 * Theory of operation
 *   Somebody has the other end of a program's connection: an embedder that carries its octets on (the uplink), or we ourselves, because it
 *   is another program's. While nobody looks at the packets between, octets go from where they are read to where they are wanted, and
 *   the stack only hears how many went (weir_bypass()). It is asked for each piece, so nothing begins or ends: what looks at packets sees
 *   them from the next octet on. Handshake, close, errors and urgent octets are those of the connection, always.
 *   Order is kept by going the other way only when nothing is on this one: who finds octets still on their way as packets, or in a
 *   leftover, waits until they were read. Who cannot go on says so (waits) and is pumped again by the one that makes it possible.
 * Invariants
 *   Of a pair of programs both asocks have a shortcut, each with the other as its pair; both go at once.
 * See uplink/README, src/tcp/tcp_bypass.c.
 */
#include "run_internal.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>

struct run_shortcut {
	struct asock *s; /* NULL: the program's stream has gone */
	struct weir_file *far;
	struct asock *pair; /* far is this one's; NULL: the embedder's */
	const struct run_shortcut_ops *ops;
	void *arg;
	bool up_waits, down_waits; /* the program's octets; those for it */
};

/* Can the program's end of @s be given octets that were no packets? */
static int end_ready(const struct asock *s)
{
	if (!s || s->state != AS_CONNECTED || s->b < 0 || s->closed || s->peer_eof)
		return -EBUSY;
	return s->down.len ? -EAGAIN : 0;
}

/* What @s does not take makes it wait for room. */
static size_t end_give(struct run_shortcut *sc, const char *data, size_t len)
{
	size_t n = (size_t)stream_give_end(sc->s, data, len, 0);

	if (n < len) {
		sc->down_waits = true;
		asock_arm_out(sc->s, true);
	}
	return n;
}

/* ---- for stream.c ---------------------------------------------------------------------------------------- */

enum shortcut_way shortcut_way(struct asock *s)
{
	struct run_shortcut *sc = s->shortcut;
	int err;

	if (!sc)
		return SHORTCUT_NONE;
	err = sc->pair ? end_ready(sc->pair) : 0;
	if (!err)
		err = weir_bypass_ready(s->file, sc->far);
	sc->up_waits = err == -EAGAIN;
	if (sc->pair)
		sc->pair->shortcut->down_waits |= err == -EAGAIN;
	return err == 0 ? SHORTCUT_OPEN : err == -EAGAIN ? SHORTCUT_WAIT : SHORTCUT_NONE;
}

/* To the embedder, who gathers small writes as the program has asked for. */
static size_t give_embedder(struct asock *s, const char *data, size_t len)
{
	struct run_shortcut *sc = s->shortcut;
	socklen_t optlen = sizeof(int);
	int nodelay = 0;

	weir_getsockopt(s->file, IPPROTO_TCP, TCP_NODELAY, &nodelay, &optlen);
	return sc->ops->give(sc->arg, data, len, nodelay);
}

size_t shortcut_give(struct asock *s, const char *data, size_t len)
{
	struct run_shortcut *sc = s->shortcut;
	size_t n = sc->pair ? end_give(sc->pair->shortcut, data, len) : give_embedder(s, data, len);

	if (n)
		weir_bypass(s->file, sc->far, n);
	sc->up_waits = n < len;
	return n;
}

void shortcut_look(struct asock *s)
{
	struct run_shortcut *sc = s->shortcut;

	if (!sc || !sc->down_waits || s->down.len)
		return;
	sc->down_waits = false;
	if (sc->pair)
		asock_again(sc->pair);
	else
		sc->ops->look(sc->arg);
}

/* ---- two programs ------------------------------------------------------------------------------------------ */

void shortcut_accepted(struct asock *s)
{
	struct asock *t = asock_find(s->run, weir_peer_inode(s->file, NULL));

	if (s->shortcut || !t || t == s || t->dead || !t->stream || t->shortcut)
		return;
	s->shortcut = calloc(1, sizeof(*s->shortcut));
	t->shortcut = calloc(1, sizeof(*t->shortcut));
	if (!s->shortcut || !t->shortcut) {
		free(s->shortcut);
		free(t->shortcut);
		s->shortcut = t->shortcut = NULL;
		return;
	}
	*s->shortcut = (struct run_shortcut){ .s = s, .far = t->file, .pair = t };
	*t->shortcut = (struct run_shortcut){ .s = t, .far = s->file, .pair = s };
}

void shortcut_end(struct asock *s)
{
	struct run_shortcut *sc = s->shortcut;
	struct asock *t;

	if (!sc)
		return;
	s->shortcut = NULL;
	sc->s = NULL;
	if (!sc->pair)
		return; /* the embedder closes it */
	t = sc->pair;
	free(t->shortcut);
	t->shortcut = NULL;
	asock_again(t); /* what waited goes as packets */
	free(sc);
}

/* ---- an embedder -------------------------------------------------------------------------------------------- */

struct run_shortcut *run_shortcut_open(struct run_node *node, struct weir_file *far,
				       const struct run_shortcut_ops *ops, void *arg)
{
	struct asock *s = asock_find(node->run, weir_peer_inode(far, node->net));
	struct run_shortcut *sc;

	if (!s || s->dead || !s->stream || s->node != node || s->shortcut)
		return NULL;
	sc = calloc(1, sizeof(*sc));
	if (!sc)
		return NULL;
	*sc = (struct run_shortcut){ .s = s, .far = far, .ops = ops, .arg = arg };
	s->shortcut = sc;
	return sc;
}

void run_shortcut_close(struct run_shortcut *sc)
{
	if (!sc)
		return;
	if (sc->s) {
		sc->s->shortcut = NULL;
		asock_again(sc->s); /* what waited goes as packets */
	}
	free(sc);
}

int run_shortcut_ready(struct run_shortcut *sc)
{
	int err = end_ready(sc->s);

	if (!err)
		err = weir_bypass_ready(sc->far, sc->s->file);
	sc->down_waits = err == -EAGAIN;
	return err;
}

size_t run_shortcut_give(struct run_shortcut *sc, const char *data, size_t len)
{
	size_t n = end_give(sc, data, len);

	if (n)
		weir_bypass(sc->far, sc->s->file, n);
	return n;
}

void run_shortcut_look(struct run_shortcut *sc)
{
	if (!sc->s || !sc->up_waits)
		return;
	sc->up_waits = false;
	asock_again(sc->s);
}
