/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp.c - TCP flows: a connection in the gateway's net and one of the host, and the octets between them
 *
 * Theory of operation
 *   Out: the gateway is told of a SYN (weir_next_syn()) and begins a connect on the host. Its outcome is the SYN's answer, so that the
 *   guest reads what the host read: refused, unreachable, nothing. When the guest's ACK completes the handshake, weir_accept()
 *   gives the file; SYN and file are brought together by the cookie. A SYN that ends before that ends the flow.
 *   In: a connection that the host has accepted (ports.c) begins a connect in the gateway's net, with the client's address as source.
 *   Then octets are moved, in both directions, until both have ended. FIN travels as shutdown(), RST as a close with SO_LINGER 0.
 *   Back-pressure: towards the host octets are peeked at, and taken only when the host has them: no buffer. Towards the guest, what the
 *   stack does not take is kept in the flow's buffer, and nothing more is read until it is gone; chunks shrink when that happens,
 *   and much when all flows together keep much.
 *   The shortcut (run/stream.c): octets need not be packets between the program and us while nobody looks at those. Then what the program wrote is
 *   given to the host's socket as it is read (give_host()), and what the host sent goes to the program's end (give_guest()). What the host's
 *   socket does not take stays where it was; SYN, FIN, RST, urgent octets and errors come by the connection as ever.
 *   A host without descriptors, or as many flows as may be: the oldest that is not open yet ends; if there is none, the SYN is dropped, and
 *   the guest's next one is another try.
 * Invariants
 *   file is NULL until FLOW_OPEN (out); fd is valid until the flow dies.
 *   unreadable, unwritable: nothing can change that without an event.
 * See RFC 9293 3.6, 3.10; doc/adr/0008-listen-any.md.
 */
#include "uplink_internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define ROUNDS      8 /* pump steps before other flows have their turn */
#define CHUNK_MIN   (16 * 1024)
#define CHUNK_TIGHT (4 * 1024) /* of each flow, when all together keep KEPT_MUCH */
#define KEPT_MUCH   (64u << 20)
#define BACKLOG     65535
#define HOST_EVENTS (EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLPRI | EPOLLET)

enum flow_state {
	FLOW_CONNECTING, /* out: the host's connect is under way, the SYN waits */
	FLOW_ANSWERED,   /* out: the SYN-ACK is sent */
	FLOW_ENTERING,   /* in: the connect to the guest is under way */
	FLOW_OPEN,
	FLOW_DEAD,
};

struct tcp_flow {
	struct source host; /* first: source_bury() */
	struct source guest;
	TAILQ_ENTRY(tcp_flow) link, again_link;
	LIST_ENTRY(tcp_flow) hash_link; /* FLOW_CONNECTING, FLOW_ANSWERED: by cookie */
	struct uplink *u;
	struct weir_file *file;
	int fd;
	uint8_t state;
	bool again;
	bool guest_eof,
		host_eof; /* that side has no more octets; the other was told when its buffer is empty */
	bool guest_told;
	bool unreadable, unwritable; /* the host's socket, until an event says otherwise */
	bool edge;    /* a short read is not the end: EOF, an error or an urgent octet is behind */
	bool gave_up; /* the host's socket failed as the shortcut wrote to it */
	bool nodelay; /* as the host's socket has it */
	bool urgent;  /* the host's socket has an urgent octet */
	struct run_shortcut *shortcut; /* NULL: none */
	struct endpoint src, dst;
	uint64_t cookie;
	uint64_t sent, received; /* by the guest */
	uint64_t direct;         /* of both, what were no packets */
	const char *what;
	struct audit_who who;
	char *kept; /* towards the guest; NULL: none */
	uint32_t kept_off, kept_len, chunk;
};

/* ---- life ---------------------------------------------------------------------------------------------------------- */

static bool is_half(const struct tcp_flow *f)
{
	return f->state == FLOW_CONNECTING || f->state == FLOW_ANSWERED;
}

static struct tcp_flow_list *flow_list(const struct tcp_flow *f)
{
	return is_half(f) ? &f->u->tcp_half : &f->u->tcp_flows;
}

static struct tcp_flow *flow_new(struct uplink *u, const struct endpoint *src,
				 const struct endpoint *dst, int fd, enum flow_state state)
{
	struct tcp_flow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->u = u;
	f->fd = fd;
	f->src = *src;
	f->dst = *dst;
	f->state = (uint8_t)state;
	f->chunk = CHUNK_MIN * 4;
	f->unreadable = true; /* that it is readable is an event, too */
	TAILQ_INSERT_TAIL(flow_list(f), f, link);
	u->nr_tcp++;
	return f;
}

static struct tcp_flow_bucket *bucket(struct uplink *u, uint64_t cookie)
{
	return &u->tcp_hash[cookie % FLOW_HASH];
}

static struct tcp_flow *flow_find(struct uplink *u, uint64_t cookie)
{
	struct tcp_flow *f;

	LIST_FOREACH(f, bucket(u, cookie), hash_link)
	if (f->cookie == cookie)
		return f;
	return NULL;
}

static void kept_free(struct tcp_flow *f)
{
	f->u->kept -= f->kept_len + f->kept_off;
	free(f->kept);
	f->kept = NULL;
	f->kept_off = f->kept_len = 0;
}

static void set_abort(struct tcp_flow *f)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };

	if (f->fd >= 0)
		setsockopt(f->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	if (f->file)
		weir_setsockopt(f->file, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
}

static void flow_audit(struct tcp_flow *f, const char *verdict)
{
	struct audit_record rec = { .proto = IPPROTO_TCP,
				    .what = f->what,
				    .src = &f->src,
				    .dst = &f->dst,
				    .name = names_find(f->u->names, &f->dst),
				    .who = &f->who,
				    .verdict = verdict,
				    .sent = f->sent,
				    .received = f->received,
				    .shortcut = f->direct };

	if (f->u->cfg.audit)
		audit(f->u, &rec);
}

static void flow_end(struct tcp_flow *f, const char *verdict)
{
	struct uplink *u = f->u;

	if (f->state == FLOW_DEAD)
		return;
	flow_audit(f, verdict);
	if (is_half(f) && f->cookie)
		LIST_REMOVE(f, hash_link);
	TAILQ_REMOVE(flow_list(f), f, link);
	f->state = FLOW_DEAD;
	f->guest.fn = NULL;
	close(f->fd);
	run_shortcut_close(f->shortcut);
	if (f->file)
		weir_close(f->file);
	kept_free(f);
	if (f->again)
		TAILQ_REMOVE(&u->tcp_again, f, again_link);
	u->nr_tcp--;
	source_bury(u, &f->host);
}

static void flow_reset(struct tcp_flow *f, const char *verdict)
{
	set_abort(f);
	flow_end(f, verdict);
}

/* ---- octets ---------------------------------------------------------------------------------------------------------- */

enum pump_result { PUMP_IDLE, PUMP_MORE, PUMP_BROKEN };

/* False: no memory. What the host's peer knows to be received is then lost, and not silently: the flow is reset. */
static bool kept_put(struct tcp_flow *f, const char *data, size_t len)
{
	f->kept = malloc(len);
	if (!f->kept)
		return false;
	memcpy(f->kept, data, len);
	f->kept_off = 0;
	f->kept_len = (uint32_t)len;
	f->u->kept += len;
	return true;
}

/* Gives the guest @len octets: how many it took, or -errno. @ready: of run_shortcut_ready() */
static ssize_t give_guest(struct tcp_flow *f, int ready, const char *data, size_t len)
{
	ssize_t n = 0;

	if (ready == 0)
		n = (ssize_t)run_shortcut_give(f->shortcut, data, len);
	else if (ready != -EAGAIN)
		n = weir_send(f->file, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n == -EAGAIN)
		n = 0;
	if (n > 0)
		f->received += (uint64_t)n;
	if (n > 0 && ready == 0)
		f->direct += (uint64_t)n;
	return n;
}

static int ready_in(struct tcp_flow *f)
{
	return f->shortcut ? run_shortcut_ready(f->shortcut) : -EBUSY;
}

static enum pump_result flush_kept(struct tcp_flow *f)
{
	ssize_t n;

	if (!f->kept)
		return PUMP_IDLE;
	n = give_guest(f, ready_in(f), f->kept + f->kept_off, f->kept_len);
	if (n < 0)
		return PUMP_BROKEN;
	f->kept_off += (uint32_t)n;
	f->kept_len -= (uint32_t)n;
	if (!f->kept_len)
		kept_free(f);
	return PUMP_IDLE;
}

/*
 * An urgent octet that is next travels as one. Reads of many octets end in front of it, and must not begin with it. False: the guest's
 * stack does not take it now.
 */
static bool urgent_in(struct tcp_flow *f)
{
	int at_mark = 0;
	char c;

	if (!f->urgent || ioctl(f->fd, SIOCATMARK, &at_mark) < 0 || !at_mark ||
	    recv(f->fd, &c, 1, MSG_DONTWAIT | MSG_PEEK) != 1)
		return true;
	if (weir_send(f->file, &c, 1, MSG_OOB | MSG_DONTWAIT | MSG_NOSIGNAL) != 1)
		return false;
	f->received += (uint64_t)recv(f->fd, &c, 1, MSG_DONTWAIT);
	f->urgent = false;
	return true;
}

static enum pump_result pump_in(struct tcp_flow *f)
{
	struct uplink *u = f->u;
	enum pump_result res = flush_kept(f);

	for (int round = 0; res == PUMP_IDLE && !f->kept && !f->host_eof && !f->unreadable;
	     round++) {
		size_t chunk = u->kept > KEPT_MUCH ? CHUNK_TIGHT : f->chunk;
		ssize_t n, k;
		int ready;

		if (round == ROUNDS)
			return PUMP_MORE;
		if (!urgent_in(f)) /* it is a packet: what comes behind it cannot go around those */
			break;
		ready = ready_in(f);
		if (ready == -EAGAIN)
			break;
		n = recv(f->fd, u->scratch, chunk, MSG_DONTWAIT);
		if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
			f->unreadable = errno == EAGAIN;
			break;
		}
		if (n < 0)
			return PUMP_BROKEN;
		if (n == 0) {
			f->host_eof = true;
			break;
		}
		f->unreadable = (size_t)n < chunk && !f->edge;
		k = give_guest(f, ready, u->scratch, (size_t)n);
		if (k < 0)
			return PUMP_BROKEN;
		if (k < n) {
			if (!kept_put(f, u->scratch + k, (size_t)(n - k)))
				return PUMP_BROKEN;
			if (f->chunk > CHUNK_MIN)
				f->chunk /= 2;
		} else if ((size_t)n == f->chunk && f->chunk < SCRATCH_SIZE) {
			f->chunk *= 2;
		}
	}
	if (f->host_eof && !f->kept && !f->guest_told) {
		f->guest_told = true;
		weir_shutdown(f->file, SHUT_WR);
	}
	return res;
}

/* Small writes were gathered, or not, by the guest's own stack; around it, here, as the program has asked for. */
static void set_gathering(struct tcp_flow *f, bool nodelay)
{
	int v = nodelay;

	if (f->nodelay == nodelay)
		return;
	f->nodelay = nodelay;
	setsockopt(f->fd, IPPROTO_TCP, TCP_NODELAY, &v, sizeof(v));
}

/* What may be tried again later. */
static bool only_full(struct tcp_flow *f)
{
	f->unwritable = errno == EAGAIN;
	return errno == EAGAIN || errno == EINTR || errno == ENOBUFS;
}

/* What the guest sent and is next, left where it is; an urgent octet by itself. Its number, or -errno */
static ssize_t peek_out(struct tcp_flow *f, int *ret_flags)
{
	ssize_t n = weir_recv(f->file, f->u->scratch, SCRATCH_SIZE,
			      MSG_DONTWAIT | MSG_PEEK | WEIR_MSG_TO_MARK);
	int at_mark = 0;

	*ret_flags = 0;
	if (n != -EAGAIN || weir_ioctl(f->file, SIOCATMARK, &at_mark) < 0 || !at_mark)
		return n;
	*ret_flags = MSG_OOB;
	return weir_recv(f->file, f->u->scratch, 1, MSG_DONTWAIT | MSG_PEEK);
}

static enum pump_result pump_out(struct tcp_flow *f)
{
	struct uplink *u = f->u;

	if (f->gave_up)
		return PUMP_BROKEN;
	for (int round = 0; !f->guest_eof && !f->unwritable; round++) {
		ssize_t n, k;
		int flags;

		if (round == ROUNDS)
			return PUMP_MORE;
		n = peek_out(f, &flags);
		if (n == -EAGAIN)
			break;
		if (n < 0)
			return PUMP_BROKEN;
		if (n == 0) {
			f->guest_eof = true;
			shutdown(f->fd, SHUT_WR);
			break;
		}
		set_gathering(f, true);
		k = send(f->fd, u->scratch, (size_t)n, flags | MSG_DONTWAIT | MSG_NOSIGNAL);
		if (k < 0 && only_full(f))
			break;
		if (k < 0)
			return PUMP_BROKEN;
		weir_recv(f->file, u->scratch, (size_t)k, MSG_DONTWAIT | MSG_TRUNC);
		f->sent += (uint64_t)k;
		if (k < n)
			break; /* full: its EPOLLOUT comes */
	}
	return PUMP_IDLE;
}

static void flow_again(struct tcp_flow *f)
{
	if (f->again)
		return;
	f->again = true;
	TAILQ_INSERT_TAIL(&f->u->tcp_again, f, again_link);
}

/* The program's octets, around the packets. */
static size_t give_host(void *arg, const char *data, size_t len, bool nodelay)
{
	struct tcp_flow *f = arg;
	ssize_t n;

	if (f->unwritable || f->gave_up)
		return 0;
	set_gathering(f, nodelay);
	n = send(f->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0) {
		f->gave_up = !only_full(f);
		if (!f->unwritable)
			flow_again(f);
		return 0;
	}
	f->sent += (uint64_t)n;
	f->direct += (uint64_t)n;
	return (size_t)n;
}

static void look_again(void *arg)
{
	flow_again(arg);
}

static void open_shortcut(struct tcp_flow *f)
{
	static const struct run_shortcut_ops ops = { give_host, look_again };

	f->shortcut = run_shortcut_open(f->u->node, f->file, &ops, f);
}

static void pump(struct tcp_flow *f)
{
	enum pump_result out = pump_out(f), in = PUMP_IDLE;

	if (f->shortcut && !f->unwritable)
		run_shortcut_look(f->shortcut);

	/* The side that can still be read is emptied before a RST is passed on: it may hold what came before. */
	if (out != PUMP_BROKEN)
		in = pump_in(f);
	if (out == PUMP_BROKEN || in == PUMP_BROKEN)
		flow_reset(f, "reset");
	else if (f->guest_eof && f->host_eof && f->guest_told)
		flow_end(f, "allow");
	else if (out == PUMP_MORE || in == PUMP_MORE)
		flow_again(f);
}

bool tcp_serve_again(struct uplink *u)
{
	struct tcp_flow_list now = TAILQ_HEAD_INITIALIZER(now);
	struct tcp_flow *f;
	bool any = false;

	/* Those that ask once more have it in the next turn. */
	for (unsigned n = u->nr_tcp; n && (f = TAILQ_FIRST(&u->tcp_again)); n--) {
		TAILQ_REMOVE(&u->tcp_again, f, again_link);
		f->again = false;
		any = true;
		pump(f);
		if (f == TAILQ_LAST(&u->tcp_again, tcp_flow_list))
			break;
	}
	return any;
}

/* ---- out: from the SYN to the connection ---------------------------------------------------------------------------- */

static void fill_syn(const struct tcp_flow *f, struct weir_syn *syn)
{
	memset(syn, 0, sizeof(*syn));
	syn->cookie = f->cookie;
	endpoint_to(&f->src, &syn->src);
	endpoint_to(&f->dst, &syn->dst);
}

/* What the guest is to read for an errno of the host. */
static int answer_errno(int err)
{
	switch (err) {
	case 0:
	case ECONNREFUSED:
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EACCES:
		return err;
	case EPERM:
		return EACCES;
	case ECONNRESET:
		return ECONNREFUSED;
	case EHOSTDOWN:
	case ENETDOWN:
	case ENONET:
	case EAFNOSUPPORT:
	case EINVAL:
		return EHOSTUNREACH;
	default: /* a time-out, no descriptor, no memory, no port: the guest's SYN comes again */
		return ETIMEDOUT;
	}
}

static void guest_event(struct source *src, uint32_t events)
{
	struct tcp_flow *f = source_of(src, struct tcp_flow, guest);

	if (f->state == FLOW_ENTERING) {
		int err = 0;
		socklen_t len = sizeof(err);

		if (!(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
			return;
		weir_getsockopt(f->file, SOL_SOCKET, SO_ERROR, &err, &len);
		if (err || (events & EPOLLHUP)) {
			flow_reset(f, "refused");
			return;
		}
		f->state = FLOW_OPEN;
		open_shortcut(f);
	}
	if (f->state == FLOW_OPEN)
		pump(f);
}

static void connected(struct tcp_flow *f, int err)
{
	struct weir_syn syn;
	int answer = answer_errno(err);

	fill_syn(f, &syn);
	if (weir_answer_syn(f->u->tcp_gate[v6_of(&f->src)].file, &syn, answer) || answer) {
		flow_end(f, err == ECONNREFUSED ? "refused" : err ? "unreachable" : "gone");
		return;
	}
	f->state = FLOW_ANSWERED;
}

static void host_event(struct source *src, uint32_t events)
{
	struct tcp_flow *f = source_of(src, struct tcp_flow, host);
	int err = 0;
	socklen_t len = sizeof(err);

	f->urgent = events & EPOLLPRI;
	f->edge = (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLPRI)) != 0;
	if (f->edge || (events & EPOLLIN))
		f->unreadable = false;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		f->unwritable = false;
	if (f->state == FLOW_OPEN) {
		pump(f);
		return;
	}
	if (f->state != FLOW_CONNECTING || !(events & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return;
	if (events & (EPOLLERR | EPOLLHUP))
		getsockopt(f->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	connected(f, err);
}

static void set_host_options(int fd)
{
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
}

static void set_guest_options(struct weir_file *f)
{
	int one = 1;

	weir_setsockopt(f, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	weir_setsockopt(f, SOL_SOCKET, SO_OOBINLINE, &one, sizeof(one));
}

/* The outcome, if it is known at once: 0, an errno, or EINPROGRESS. */
static int begin_connect(struct uplink *u, const struct endpoint *dst, int *ret_fd)
{
	struct sockaddr_storage ss;
	struct endpoint to;
	socklen_t len;
	int fd;

	host_address(u, dst, &to);
	len = endpoint_to(&to, &ss);
	fd = host_socket(u, to.family, SOCK_STREAM, 0);
	if (fd < 0)
		return -fd;
	set_host_options(fd);
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 && errno != EINPROGRESS) {
		int err = errno;

		close(fd);
		return err;
	}
	*ret_fd = fd;
	return EINPROGRESS;
}

static void refuse(struct uplink *u, const struct weir_syn *syn, int err)
{
	weir_answer_syn(u->tcp_gate[syn->src.ss_family == AF_INET6].file, syn, err);
}

static void refuse_verdict(struct uplink *u, const struct weir_syn *syn, const struct endpoint *src,
			   const struct endpoint *dst, enum verdict v)
{
	struct audit_who who;
	struct audit_record rec = { .proto = IPPROTO_TCP,
				    .what = "tcp",
				    .src = src,
				    .dst = dst,
				    .name = names_find(u->names, dst),
				    .who = &who,
				    .verdict = verdict_name(v) };

	audit_find(u, IPPROTO_TCP, src, &who);
	refuse(u, syn, v == VERDICT_CLOSED ? ECONNREFUSED : EACCES);
	if (u->cfg.audit)
		audit(u, &rec);
}

/*
 * The oldest connection that is not open yet ends for a new one: somebody who begins many to where nobody answers must not keep all others
 * out. Its SYN is as if lost, and may come again.
 */
static bool make_room(struct uplink *u)
{
	struct tcp_flow *f = TAILQ_FIRST(&u->tcp_half);
	struct weir_syn syn;

	if (!f)
		return false;
	fill_syn(f, &syn);
	weir_answer_syn(u->tcp_gate[v6_of(&f->src)].file, &syn, ETIMEDOUT);
	flow_reset(f, "silence");
	return true;
}

static void syn_event(struct uplink *u, const struct weir_syn *syn)
{
	struct endpoint src, dst;
	struct tcp_flow *f;
	enum verdict v;
	int fd = -1, err;

	endpoint_from(&src, &syn->src);
	endpoint_from(&dst, &syn->dst);
	if (!from_guest(u, &src)) {
		refuse(u, syn, ETIMEDOUT);
		return;
	}
	v = host_verdict(u, IPPROTO_TCP, &dst);
	if (v != VERDICT_ALLOW) {
		refuse_verdict(u, syn, &src, &dst, v);
		return;
	}
	if (u->nr_tcp >= u->max_flows && !make_room(u)) {
		refuse(u, syn, ETIMEDOUT);
		return;
	}
	err = begin_connect(u, &dst, &fd);
	if ((err == EMFILE || err == ENFILE) && make_room(u))
		err = begin_connect(u, &dst, &fd);
	f = err == EINPROGRESS ? flow_new(u, &src, &dst, fd, FLOW_CONNECTING) : NULL;
	if (!f) {
		if (fd >= 0)
			close(fd);
		refuse(u, syn, answer_errno(err));
		return;
	}
	f->what = "tcp";
	audit_find(u, IPPROTO_TCP, &src, &f->who);
	f->cookie = syn->cookie;
	LIST_INSERT_HEAD(bucket(u, f->cookie), f, hash_link);
	if (host_watch(u, fd, &f->host, HOST_EVENTS, host_event))
		connected(f, ENOMEM);
}

static void opened(struct uplink *u, struct weir_file *file)
{
	struct tcp_flow *f = flow_find(u, weir_cookie(file));

	if (!f) {
		weir_close(file);
		return;
	}
	LIST_REMOVE(f, hash_link);
	TAILQ_REMOVE(&u->tcp_half, f, link);
	TAILQ_INSERT_TAIL(&u->tcp_flows, f, link);
	f->state = FLOW_OPEN;
	f->file = file;
	set_guest_options(file);
	if (guest_watch(u, file, &f->guest, guest_event)) {
		flow_reset(f, "reset");
		return;
	}
	open_shortcut(f);
	pump(f);
}

static void listener_event(struct source *src, uint32_t events)
{
	struct gate *g = source_of(src, struct gate, src);
	struct uplink *u = g->u;
	struct weir_file *file;
	struct weir_syn syn;

	while (weir_next_syn(g->file, &syn) == 0) {
		struct tcp_flow *f = syn.gone ? flow_find(u, syn.cookie) : NULL;

		if (!syn.gone)
			syn_event(u, &syn);
		else if (f)
			flow_reset(f, "gone");
	}
	while (weir_accept(g->file, NULL, NULL, SOCK_NONBLOCK, &file) == 0)
		opened(u, file);
}

/* ---- to a server of the host, and in ------------------------------------------------------------------------------- */

void tcp_forward(struct uplink *u, struct weir_file *file, const struct endpoint *to,
		 const char *what)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof(ss);
	struct endpoint src;
	struct tcp_flow *f = NULL;
	int fd = -1;

	weir_getpeername(file, (struct sockaddr *)&ss, &len);
	endpoint_from(&src, &ss);
	if (u->nr_tcp < u->max_flows && begin_connect(u, to, &fd) == EINPROGRESS)
		f = flow_new(u, &src, to, fd, FLOW_OPEN);
	if (!f) {
		if (fd >= 0)
			close(fd);
		weir_close(file);
		return;
	}
	f->what = what;
	f->file = file;
	set_guest_options(file);
	if (host_watch(u, fd, &f->host, HOST_EVENTS, host_event) ||
	    guest_watch(u, file, &f->guest, guest_event))
		flow_reset(f, "reset");
}

/* The client's own address and port are the source, if the guest can answer there. */
static int bind_client(struct uplink *u, struct weir_file *file, const struct endpoint *from)
{
	struct sockaddr_storage ss;
	socklen_t len;
	int one = 1, err;

	err = v6_of(from) ? weir_setsockopt(file, SOL_IPV6, IPV6_TRANSPARENT, &one, sizeof(one))
			  : weir_setsockopt(file, SOL_IP, IP_TRANSPARENT, &one, sizeof(one));
	if (err)
		return err;
	len = endpoint_to(from, &ss);
	return weir_bind(file, (struct sockaddr *)&ss, len);
}

void tcp_connect_guest(struct uplink *u, int fd, const struct endpoint *from, uint16_t family,
		       uint16_t port)
{
	struct endpoint dst = u->guest[family == AF_INET6], src = *from;
	struct sockaddr_storage ss;
	struct weir_file *file = NULL;
	struct tcp_flow *f = NULL;
	socklen_t len;
	int err;

	dst.port = port;
	/* The guest has loopback and on-link addresses of its own: the gateway stands for the host's. */
	if (address_closed(&src) || endpoint_on_link(u, &src)) {
		src = u->gateway[family == AF_INET6];
		src.port = 0;
	}
	len = endpoint_to(&dst, &ss);
	err = weir_socket(u->net, family, SOCK_STREAM | SOCK_NONBLOCK, 0, &file);
	if (!err)
		err = bind_client(u, file, &src);
	if (!err) {
		set_host_options(fd);
		set_guest_options(file);
		err = weir_connect(file, (struct sockaddr *)&ss, len);
	}
	if (!err || err == -EINPROGRESS)
		f = flow_new(u, from, &dst, fd, FLOW_ENTERING);
	if (!f) {
		close(fd);
		if (file)
			weir_close(file);
		return;
	}
	f->what = "tcp-in";
	f->file = file;
	if (host_watch(u, fd, &f->host, HOST_EVENTS, host_event) ||
	    guest_watch(u, file, &f->guest, guest_event))
		flow_reset(f, "reset");
}

/* ---- begin and end --------------------------------------------------------------------------------------------------- */

static int prepare_listener(struct gate *g)
{
	return weir_listen_any(g->file, BACKLOG);
}

int tcp_open(struct uplink *u)
{
	int err = 0;

	for (int v = 0; v < 2 && !err; v++)
		err = gate_open(u, &u->tcp_gate[v], v, SOCK_STREAM, 0, prepare_listener,
				listener_event);
	return err;
}

void tcp_close_all(struct uplink *u)
{
	struct tcp_flow *f;

	while ((f = TAILQ_FIRST(&u->tcp_half)) || (f = TAILQ_FIRST(&u->tcp_flows)))
		flow_reset(f, "end");
	for (int v = 0; v < 2; v++)
		gate_close(&u->tcp_gate[v]);
}
