/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * execute.c - a script against a world
 *
 * Theory of operation
 *   Events happen one after the other. Before each, the script's thread waits in the world until the event's time; meanwhile the stack
 *   works, blocked calls return, and the cable's thread puts what leaves the stack into a queue, with the time at which it left. An
 *   expected packet is compared with the first of the queue, or with the next that leaves; its time must be the event's within the
 *   tolerance. What nobody expects stays in the queue: it is the next expected packet's trouble, and at the end nobody's.
 *   Time 0 is when all commands before the first event have run. A relative time counts from the event before: from when it was due, or,
 *   if its time was a range or any, from when it happened.
 *   Each system call runs in a thread of its own. One without "..." in its time must have returned before time passes; a
 *   blocking one goes on beside the script, and the time when it returns is compared when it has.
 *   Packets and connections: flow.h. A packet without ports belongs to the connection of the packet or call before it; an inbound SYN
 *   behind listen() begins a new one, and so does the first packet of a socket that connects. What other connections send
 *   meanwhile is passed over.
 * Invariants
 *   The script's thread alone touches everything but the queue of packets (its lock) and a call that runs.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libgen.h>
#include <linux/if_packet.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "drill/assertion.h"
#include "drill/cable.h"
#include "drill/calls.h"
#include "drill/drill.h"
#include "drill/flow.h"
#include "drill/world.h"

#define MS            1000000ULL
#define SEC           1000000000ULL
#define ANY_TIME_WAIT (86400 * SEC) /* for packets at time "*" */
#define LATE_WAIT     (10 * SEC) /* how long to look for a packet that is late, to say how late */
#define SECONDS(ns)   ((double)(int64_t)(ns) / 1e9)

/* A system call that runs, or has returned and was not looked at. */
struct running {
	struct running *next;
	struct exec *x;
	const struct drill_event *event;
	struct drill_run_call call;
	void *thread;
	bool blocks;
	uint64_t until; /* when a blocking one is to return */
	uint64_t ended; /* these two are written in the call's thread, before @done */
	bool done;      /* atomic */
};

struct exec {
	const char *path;
	const struct drill_options *options; /* of the command line */
	struct drill_options o;              /* with those of the script */
	struct drill_script *script;
	struct drill_world *world;
	struct drill_net_config net;
	struct drill_calls calls;
	struct drill_flows flows;
	struct drill_assertions assertions;
	char *dir, *base;

	bool started;   /* time 0 was */
	uint64_t start; /* on the world's clock */
	uint64_t last;  /* what relative times count from, since @start */
	uint16_t ip_id;

	struct drill_flow *current; /* the connection that packets without ports belong to */
	bool listening;             /* ... but the next inbound SYN begins a new one */
	uint16_t listen_port;
	int calling; /* the script's descriptor that connects; -1 */
	int newest;  /* ... that was made last */
	struct running *running;

	struct drill_cable cable;

	char *message;
	uint32_t line;
};

/* ---- saying why ------------------------------------------------------------------------------------------ */

static int __attribute__((format(printf, 3, 4)))
fail(struct exec *x, uint32_t line, const char *fmt, ...)
{
	va_list ap;

	if (x->message)
		return -1; /* the first reason counts */
	x->line = line;
	va_start(ap, fmt);
	if (vasprintf(&x->message, fmt, ap) < 0)
		x->message = NULL;
	va_end(ap);
	return -1;
}

static void __attribute__((format(printf, 2, 3))) say(struct exec *x, const char *fmt, ...)
{
	va_list ap;

	if (!x->o.verbose || !x->o.log)
		return;
	va_start(ap, fmt);
	vfprintf(x->o.log, fmt, ap);
	va_end(ap);
	fputc('\n', x->o.log);
}

static uint64_t script_now(const struct exec *x)
{
	return x->world->ops->now(x->world) - x->start;
}

/* ---- system calls ---------------------------------------------------------------------------------------- */

static void call_thread(void *arg)
{
	struct running *r = arg;
	struct drill_world *w = r->x->world;

	drill_call_run(&r->call);
	r->ended = w->ops->now(w);
	__atomic_store_n(&r->done, true, __ATOMIC_RELEASE);
	w->ops->poke(w);
}

static bool call_done(const struct running *r)
{
	return __atomic_load_n(&r->done, __ATOMIC_ACQUIRE);
}

/* The 4-tuple of a socket, if it has one. */
static struct drill_flow *flow_of_socket(struct exec *x, int fd)
{
	struct sockaddr_storage ss[2];
	socklen_t len[2] = { sizeof(ss[0]), sizeof(ss[1]) };
	unsigned long local[6] = { (unsigned long)fd, (unsigned long)&ss[0],
				   (unsigned long)&len[0] };
	unsigned long peer[6] = { (unsigned long)fd, (unsigned long)&ss[1],
				  (unsigned long)&len[1] };
	struct drill_addr addr[2];
	uint16_t port[2];

	memset(ss, 0, sizeof(ss));
	if (x->world->ops->sys(x->world, DRILL_SYS_GETSOCKNAME, local) < 0 ||
	    x->world->ops->sys(x->world, DRILL_SYS_GETPEERNAME, peer) < 0 ||
	    !drill_addr_of_sockaddr(&ss[0], &addr[0], &port[0]) ||
	    !drill_addr_of_sockaddr(&ss[1], &addr[1], &port[1]))
		return NULL;
	return drill_flow_find(&x->flows, DRILL_TCP, &addr[0], port[0], &addr[1], port[1]);
}

static uint16_t port_of_socket(struct exec *x, int fd)
{
	struct sockaddr_storage ss = { 0 };
	socklen_t len = sizeof(ss);
	unsigned long arg[6] = { (unsigned long)fd, (unsigned long)&ss, (unsigned long)&len };
	struct drill_addr addr;
	uint16_t port;

	if (x->world->ops->sys(x->world, DRILL_SYS_GETSOCKNAME, arg) < 0 ||
	    !drill_addr_of_sockaddr(&ss, &addr, &port))
		return x->o.bind_port;
	return port;
}

/* A passive connection that nobody has accepted, the oldest. */
static struct drill_flow *unaccepted(struct exec *x)
{
	struct drill_flow *f, *found = NULL;

	for (f = x->flows.first; f; f = f->next)
		if (f->passive && f->fd < 0)
			found = f;
	return found;
}

static int result_fd(const struct drill_call *call)
{
	int64_t v;
	char junk[64];

	if (!call->result || drill_expr_number(call->result, &v, junk, sizeof(junk)))
		return -1;
	return (int)v;
}

/* What calls change in the script's view of connections. */
static void follow_call(struct exec *x, const struct drill_run_call *c)
{
	const char *name = c->event->call->name;
	struct drill_flow *f;

	if (c->result < 0)
		return;
	if (!strcmp(name, "close")) {
		/* The number may come again, for another socket. */
		for (f = x->flows.first; f; f = f->next)
			if (f->fd == c->fd)
				f->fd = -1;
	} else if (!strcmp(name, "listen")) {
		x->listening = true;
		x->listen_port = port_of_socket(x, drill_fd_world(&x->calls.fds, c->fd));
	} else if (!strcmp(name, "socket")) {
		x->newest = result_fd(c->event->call);
	} else if (!strncmp(name, "accept", 6)) {
		x->newest = result_fd(c->event->call);
		f = flow_of_socket(x, drill_fd_world(&x->calls.fds, x->newest));
		if (!f)
			f = unaccepted(x);
		if (f)
			f->fd = x->newest;
	}
}

/* A call that has returned: result, structures, time. Frees it. */
static int finish_call(struct exec *x, struct running *r)
{
	uint32_t line = r->event->pos.line;
	uint64_t ended = r->ended - x->start;
	int err = 0;

	x->world->ops->thread_join(x->world, r->thread);
	if (drill_call_check(&r->call))
		err = fail(x, line, "%s(): %s", r->event->call->name, r->call.error);
	else if (r->blocks &&
		 (ended > r->until + x->o.tolerance_ns || ended + x->o.tolerance_ns < r->until))
		err = fail(x, line, "%s() returned at %.6f s, expected at %.6f s",
			   r->event->call->name, SECONDS(ended), SECONDS(r->until));
	else
		follow_call(x, &r->call);
	drill_call_free(&r->call);
	free(r);
	return err;
}

/* Those that have returned. 0, or -1: one of them not as expected. */
static int finish_calls(struct exec *x)
{
	struct running **p = &x->running, *r;
	int err = 0;

	while ((r = *p)) {
		if (!call_done(r)) {
			p = &r->next;
			continue;
		}
		*p = r->next;
		err |= finish_call(x, r);
	}
	return err;
}

/* ---- time ------------------------------------------------------------------------------------------------ */

/* Until @until (since the script's start); calls that return meanwhile are looked at. Everybody else has run. */
static int wait_until(struct exec *x, uint64_t until)
{
	int err;

	do {
		x->world->ops->wait(x->world, x->start + until);
		err = finish_calls(x);
	} while (!err && script_now(x) < until);
	return err;
}

/* When the event is due, since the script's start. */
static uint64_t due(const struct exec *x, const struct drill_when *when)
{
	switch (when->kind) {
	case DRILL_TIME_ABSOLUTE:
	case DRILL_TIME_ABSOLUTE_RANGE:
		return (uint64_t)when->ns;
	case DRILL_TIME_ANY:
		return script_now(x);
	default:
		return x->last + (uint64_t)when->ns;
	}
}

static bool is_range(const struct drill_when *when)
{
	return when->kind == DRILL_TIME_ABSOLUTE_RANGE || when->kind == DRILL_TIME_RELATIVE_RANGE;
}

/* The end of a range, or the time itself. */
static uint64_t due_end(const struct exec *x, const struct drill_when *when)
{
	if (!is_range(when))
		return due(x, when);
	return when->kind == DRILL_TIME_ABSOLUTE_RANGE ? (uint64_t)when->to_ns
						       : x->last + (uint64_t)when->to_ns;
}

/* ---- packets --------------------------------------------------------------------------------------------- */

static void packet_text(const struct drill_packet *p, char *buf, size_t size)
{
	drill_packet_format(p, buf, size);
}

/* A packet of the stack's without what the script does not write anyway. */
static void seen_text(const struct drill_packet *want, const struct drill_packet *seen, char *buf,
		      size_t size)
{
	struct drill_packet p = *seen;

	p.has &= want->has | ~(uint32_t)DRILL_HAS_PORTS;
	p.ip.has &= want->ip.has;
	if (want->ip.ecn == DRILL_ECN_ANY)
		p.ip.ecn = DRILL_ECN_ANY;
	drill_packet_format(&p, buf, size);
}

static struct drill_flow *new_flow(struct exec *x, enum drill_proto proto, uint16_t lport,
				   uint16_t rport)
{
	struct drill_flow *f =
		drill_flow_new(&x->flows, proto, &x->net.local, lport, &x->net.remote, rport);

	if (f)
		f->passive = true;
	return f;
}

/* The connection that an inbound packet of the script belongs to. */
static struct drill_flow *inbound_flow(struct exec *x, const struct drill_packet *p)
{
	bool syn = p->proto == DRILL_TCP && p->tcp.flags & DRILL_TCP_SYN &&
		   !(p->tcp.flags & (DRILL_TCP_ACK | DRILL_TCP_RST));
	struct drill_flow *f = x->current;
	uint16_t lport = x->listening ? x->listen_port : x->o.bind_port;

	if (p->has & DRILL_HAS_PORTS) {
		f = drill_flow_of_ports(&x->flows, p->proto, p->dport, p->sport);
		if (!f) {
			f = new_flow(x, p->proto, p->dport, p->sport);
			if (f) {
				f->written_lport = p->dport;
				f->written_rport = p->sport;
			}
		}
		return f;
	}
	if (syn && x->listening) {
		x->listening = false;
		return new_flow(x, DRILL_TCP, lport, drill_flow_port(&x->flows));
	}
	if (f && (p->proto == DRILL_ICMP || f->proto == p->proto))
		return f;
	if (p->proto == DRILL_UDP) /* the peer that connect() and sendto() mean */
		return new_flow(x, DRILL_UDP, lport, x->o.connect_port);
	return new_flow(x, DRILL_TCP, lport, drill_flow_port(&x->flows));
}

/* --mss: what is longer comes in as merged of segments that long. 0: one segment */
static unsigned merged_size(const struct exec *x, const struct drill_packet *p)
{
	return p->proto == DRILL_TCP && p->payload_len > x->o.mss ? x->o.mss : 0;
}

static int run_inbound(struct exec *x, const struct drill_event *ev)
{
	struct drill_packet p = *ev->packet;
	struct drill_flow *f = inbound_flow(x, &p);
	struct drill_build b = { .ip_id = ++x->ip_id };
	char text[1024], error[256];
	uint8_t *buf;
	ptrdiff_t n;
	int err;

	if (!f)
		return fail(x, ev->pos.line, "no memory");
	packet_text(&p, text, sizeof(text));
	say(x, "%10.6f < %s", SECONDS(script_now(x)), text);
	if (p.proto == DRILL_ICMP && p.icmp.quote == DRILL_QUOTE_NONE && f->proto == DRILL_TCP) {
		/* An error quotes the last segment, unless it says another. */
		p.icmp.quote = DRILL_QUOTE_TCP;
		p.icmp.quote_seq = p.icmp.quote_end = f->quoted_seq;
	}
	if (!p.family)
		p.family = x->net.family;
	drill_flow_inbound(f, &p);
	b.src = f->remote;
	b.dst = f->local;
	b.sport = f->rport;
	b.dport = f->lport;
	p.sisn = f->remote_isn;
	p.disn = f->local_isn;
	b.quote_proto = f->proto == DRILL_UDP ? IPPROTO_UDP : IPPROTO_TCP;
	buf = malloc(DRILL_PACKET_MAX);
	if (!buf)
		return fail(x, ev->pos.line, "no memory");
	n = drill_packet_build(&p, &b, buf, DRILL_PACKET_MAX, error, sizeof(error));
	if (n < 0) {
		free(buf);
		return fail(x, ev->pos.line, "the packet cannot be made: %s",
			    n == -EMSGSIZE ? "it is too long" : error);
	}
	err = x->world->ops->send(x->world, buf, (size_t)n, merged_size(x, &p));
	free(buf);
	if (err)
		return fail(x, ev->pos.line, "the packet cannot be sent: %s", strerror(-err));
	x->current = f;
	return 0;
}

static struct drill_flow *known_flow(struct exec *x, const struct drill_packet *p)
{
	return drill_flow_find(&x->flows, p->proto, &p->src, p->sport, &p->dst, p->dport);
}

/* Is it of another connection than the script is about? One that names ports is about all. */
static bool is_foreign(struct exec *x, const struct drill_packet *want,
		       const struct drill_packet *seen)
{
	struct drill_flow *f;

	if (want->has & DRILL_HAS_PORTS || seen->proto == DRILL_ICMP)
		return false;
	f = known_flow(x, seen);
	return f && (x->calling >= 0 || (x->current && f != x->current));
}

/* The connection of a packet that left the stack; a new one begins with its first. */
static struct drill_flow *outbound_flow(struct exec *x, const struct drill_packet *p)
{
	struct drill_flow *f;

	if (p->proto == DRILL_ICMP)
		return x->current;
	f = known_flow(x, p);
	if (f)
		return f;
	f = drill_flow_new(&x->flows, p->proto, &p->src, p->sport, &p->dst, p->dport);
	if (f) {
		f->fd = x->calling;
		x->calling = -1;
	}
	return f;
}

static int mismatch(struct exec *x, const struct drill_event *ev, const struct drill_packet *seen,
		    uint64_t time, const struct drill_mismatch *m)
{
	char want[1024], got[1024];

	packet_text(ev->packet, want, sizeof(want));
	seen_text(ev->packet, seen, got, sizeof(got));
	return fail(x, ev->pos.line,
		    "the packet is another one: %s: expected %s, seen %s\n"
		    "    expected at %.6f s: > %s\n"
		    "    seen     at %.6f s: > %s",
		    m->field, m->expected, m->seen, SECONDS(due(x, &ev->when)), want, SECONDS(time),
		    got);
}

static int check_time(struct exec *x, const struct drill_event *ev, uint64_t time)
{
	uint64_t from = due(x, &ev->when), to = due_end(x, &ev->when);

	if (ev->when.kind == DRILL_TIME_ANY)
		return 0;
	if (time + x->o.tolerance_ns >= from && time <= to + x->o.tolerance_ns)
		return 0;
	if (to > from)
		return fail(x, ev->pos.line,
			    "the packet left at %.6f s, expected between %.6f s and %.6f s",
			    SECONDS(time), SECONDS(from), SECONDS(to));
	return fail(x, ev->pos.line, "the packet left at %.6f s, expected at %.6f s", SECONDS(time),
		    SECONDS(from));
}

/*
 * What is still missing of an expected packet of which the stack has sent a part. A stack may cut data as it likes: segments in order that
 * together are the expected one will do, unless --strict_segments is given. PSH and FIN are the last one's.
 */
static bool is_part(const struct exec *x, const struct drill_packet *want,
		    const struct drill_packet *seen)
{
	return !x->o.strict_segments && want->proto == DRILL_TCP && seen->proto == DRILL_TCP &&
	       seen->payload_len && seen->payload_len < want->payload_len &&
	       seen->tcp.seq == want->tcp.seq && !(seen->tcp.flags & DRILL_TCP_SYN);
}

/* The part of @want that @seen is, and @want without it. */
static void cut_part(struct drill_packet *want, struct drill_packet *seen,
		     struct drill_packet *ret_part)
{
	*ret_part = *want;
	ret_part->payload_len = seen->payload_len;
	ret_part->tcp.end = ret_part->tcp.seq + seen->payload_len;
	ret_part->tcp.flags &= (uint16_t) ~(DRILL_TCP_PSH | DRILL_TCP_FIN);
	seen->tcp.flags &= (uint16_t)~DRILL_TCP_PSH;
	want->tcp.seq += seen->payload_len;
	want->payload_len -= seen->payload_len;
}

/* @want: what is left of the event's packet; becomes less if @frame is a part of it. *ret_more: it is to be waited for. */
static int compare(struct exec *x, const struct drill_event *ev, const struct drill_frame *frame,
		   struct drill_packet *want, bool *ret_more)
{
	const struct drill_parse_flags flags = { 0 };
	uint64_t time = frame->time - x->start;
	struct drill_packet seen, part;
	struct drill_mismatch m;
	struct drill_flow *f;
	char error[256], text[1024];

	*ret_more = false;
	if (drill_packet_parse(frame->octets, frame->len, &flags, &seen, error, sizeof(error)))
		return fail(x, ev->pos.line, "a packet that makes no sense left at %.6f s: %s",
			    SECONDS(time), error);
	seen.dir = DRILL_OUTBOUND;
	if (is_foreign(x, want, &seen)) {
		seen_text(want, &seen, text, sizeof(text));
		say(x, "%10.6f > %s (of another connection)", SECONDS(time), text);
		*ret_more = true;
		return 0;
	}
	f = outbound_flow(x, &seen);
	if (f)
		drill_flow_outbound(f, want, &seen, frame->time, x->o.ts_tick_ns,
				    x->o.tolerance_ns);
	if (f) {
		seen.sisn = f->local_isn;
		seen.disn = f->remote_isn;
	}
	if (f && want->has & DRILL_HAS_PORTS && seen.proto != DRILL_ICMP) {
		if (!f->written_lport) {
			f->written_lport = want->sport;
			f->written_rport = want->dport;
		}
		seen.sport = f->written_lport;
		seen.dport = f->written_rport;
	}
	seen_text(want, &seen, text, sizeof(text));
	say(x, "%10.6f > %s", SECONDS(time), text);
	*ret_more = is_part(x, want, &seen);
	if (*ret_more)
		cut_part(want, &seen, &part);
	if (!drill_packet_match(*ret_more ? &part : want, &seen, NULL, &m))
		return mismatch(x, ev, &seen, time, &m);
	if (check_time(x, ev, time))
		return -1;
	if (f && seen.proto != DRILL_ICMP)
		x->current = f;
	if (!*ret_more && (is_range(&ev->when) || ev->when.kind == DRILL_TIME_ANY))
		x->last = time;
	return 0;
}

/* The next packet, until @deadline; NULL: none. */
static struct drill_frame *await_frame(struct exec *x, uint64_t deadline, int *ret_err)
{
	struct drill_frame *f;

	*ret_err = 0;
	while (!(f = drill_cable_take(&x->cable)) && script_now(x) < deadline && !*ret_err) {
		x->world->ops->wait(x->world, x->start + deadline);
		*ret_err = finish_calls(x);
	}
	return f ? f : drill_cable_take(&x->cable);
}

static int run_outbound(struct exec *x, const struct drill_event *ev)
{
	bool any = ev->when.kind == DRILL_TIME_ANY, more = true;
	uint64_t deadline = due_end(x, &ev->when) + (any ? ANY_TIME_WAIT : x->o.tolerance_ns);
	struct drill_packet want = *ev->packet;
	struct drill_frame *frame;
	char text[1024];
	int err = 0;

	while (more && !err) {
		frame = await_frame(x, deadline, &err);
		if (!frame && !err && !any) /* to say more than that it did not come */
			frame = await_frame(x, deadline + LATE_WAIT, &err);
		if (!frame)
			break;
		if (!err)
			err = compare(x, ev, frame, &want, &more);
		free(frame);
	}
	if (err || !more)
		return err;
	packet_text(&want, text, sizeof(text));
	return fail(x, ev->pos.line, "no packet left; expected at %.6f s: > %s",
		    SECONDS(due(x, &ev->when)), text);
}

/* A call on a connected socket is about its connection; connecting, or sending unconnected, about one that is to come. */
static void choose_flow(struct exec *x, const struct drill_run_call *c)
{
	const char *name = c->event->call->name;
	struct drill_flow *f;

	for (f = x->flows.first; f; f = f->next)
		if (c->fd >= 0 && f->fd == c->fd)
			break;
	if (f) {
		x->current = f;
		x->calling = -1;
	} else if (!strcmp(name, "connect") || !strncmp(name, "send", 4)) {
		x->calling = c->fd;
	}
}

/* ---- events ---------------------------------------------------------------------------------------------- */

static int run_syscall(struct exec *x, const struct drill_event *ev, uint64_t base)
{
	struct running *r = calloc(1, sizeof(*r));
	uint64_t patience;
	char text[256];
	int err = 0;

	if (!r)
		return fail(x, ev->pos.line, "no memory");
	r->x = x;
	r->event = ev;
	r->blocks = ev->when.blocks;
	r->until = base + (uint64_t)ev->when.until_ns;
	if (drill_call_prepare(&r->call, &x->calls, ev)) {
		err = fail(x, ev->pos.line, "%s(): %s", ev->call->name, r->call.error);
		drill_call_free(&r->call);
		free(r);
		return err;
	}
	snprintf(text, sizeof(text), "%s()", ev->call->name);
	say(x, "%10.6f %s", SECONDS(script_now(x)), text);
	choose_flow(x, &r->call);
	r->thread = x->world->ops->thread_start(x->world, call_thread, r);
	if (!r->thread) {
		drill_call_free(&r->call);
		free(r);
		return fail(x, ev->pos.line, "no thread for the call");
	}
	r->next = x->running;
	x->running = r;
	if (r->blocks)
		return wait_until(x, script_now(x));
	/* Virtual time must not pass; real time does. */
	patience = script_now(x) + (x->world->ops->virtual_time ? 1 : 1000 * MS);
	while (!err && x->running == r && script_now(x) <= patience) {
		x->world->ops->wait(x->world, x->start + patience);
		err = finish_calls(x);
	}
	for (struct running *p = x->running; p && !err; p = p->next)
		if (p == r)
			return fail(x, ev->pos.line,
				    "%s() blocks, which its time does not say (\"+0...0.5 %s(\")",
				    ev->call->name, ev->call->name);
	return err;
}

static int run_command(struct exec *x, uint32_t line, const char *text)
{
	char error[256] = "";
	int status;

	say(x, "%10.6f `%s`", SECONDS(x->started ? script_now(x) : 0), text);
	fflush(NULL);
	status = x->world->ops->shell(x->world, text, x->dir, error, sizeof(error));
	if (!status)
		return 0;
	if (status < 0)
		return fail(x, line, "%s", error);
	if (WIFEXITED(status))
		return fail(x, line, "the command ended with status %d: %.*s", WEXITSTATUS(status),
			    (int)strcspn(text, "\n"), text);
	return fail(x, line, "the command was ended by signal %d: %.*s", WTERMSIG(status),
		    (int)strcspn(text, "\n"), text);
}

/* The socket that a block of code looks at. */
static int code_socket(struct exec *x)
{
	int fd = x->current ? x->current->fd : -1;

	if (fd < 0 || drill_fd_world(&x->calls.fds, fd) < 0)
		fd = x->newest;
	return drill_fd_world(&x->calls.fds, fd);
}

static int run_event(struct exec *x, const struct drill_event *ev)
{
	bool absolute =
		ev->when.kind == DRILL_TIME_ABSOLUTE || ev->when.kind == DRILL_TIME_ABSOLUTE_RANGE;
	uint64_t base = absolute ? 0 : x->last, at = due(x, &ev->when);
	bool outbound = ev->kind == DRILL_EVENT_PACKET && ev->packet->dir == DRILL_OUTBOUND;
	int err;

	if (outbound) {
		/* Its time may be earlier than now: it left already. */
		err = run_outbound(x, ev);
		if (ev->when.kind == DRILL_TIME_ABSOLUTE || ev->when.kind == DRILL_TIME_RELATIVE)
			x->last = at;
		return err;
	}
	err = wait_until(x, at);
	if (err)
		return err;
	switch (ev->kind) {
	case DRILL_EVENT_PACKET:
		err = run_inbound(x, ev);
		break;
	case DRILL_EVENT_SYSCALL:
		err = run_syscall(x, ev, base);
		break;
	case DRILL_EVENT_COMMAND:
		err = run_command(x, ev->pos.line, ev->text);
		break;
	case DRILL_EVENT_CODE:
		if (drill_assertion_add(&x->assertions, ev, x->world, code_socket(x)))
			err = fail(x, ev->pos.line, "no memory");
		break;
	}
	x->last = at;
	/* What it set off happens now. */
	return err ? err : wait_until(x, script_now(x));
}

static int run_events(struct exec *x)
{
	int err = 0;

	for (size_t i = 0; i < x->script->nr_init && !err; i++)
		err = run_command(x, x->script->init[i].pos.line, x->script->init[i].text);
	x->start = x->world->ops->now(x->world);
	x->started = true;
	x->calls.realtime = x->world->ops->realtime(x->world);
	for (size_t i = 0; i < x->script->nr_events && !err; i++)
		err = run_event(x, &x->script->events[i]);
	/* Calls that are to return behind the last event. */
	while (!err && x->running)
		err = wait_until(x, x->running->until + x->o.tolerance_ns + 1) ||
		      (x->running ? fail(x, x->running->event->pos.line,
					 "%s() has not returned; expected at %.6f s",
					 x->running->event->call->name, SECONDS(x->running->until))
				  : 0);
	return err;
}

/* ---- set-up ---------------------------------------------------------------------------------------------- */

static int take_options(struct exec *x)
{
	const struct drill_script *s = x->script;

	for (size_t i = 0; i < s->nr_options; i++) {
		const struct drill_option *opt = &s->options[i];
		int err = drill_options_set(&x->o, opt->name, opt->value);

		if (err == -ENOENT)
			return fail(x, opt->pos.line, "there is no option --%s", opt->name);
		if (err)
			return fail(x, opt->pos.line, "--%s cannot be \"%s\"", opt->name,
				    opt->value ? opt->value : "");
	}
	return 0;
}

static int take_network(struct exec *x)
{
	const struct drill_options *o = &x->o;
	struct drill_net_config *n = &x->net;
	char error[128];

	if (drill_network(o, n, error, sizeof(error)))
		return fail(x, 0, "%s", error);
	x->calls.domain = o->variant == DRILL_IPV4 ? AF_INET : AF_INET6;
	x->calls.local = n->local;
	x->calls.remote = n->remote;
	x->calls.bind_port = o->bind_port;
	x->calls.connect_port = o->connect_port;
	x->calls.tolerance_ns = o->tolerance_ns;
	return 0;
}

static int read_script(struct exec *x)
{
	const struct drill_parse_options po = { x->options->defines, x->options->nr_defines };
	char *error = NULL;

	x->script = drill_script_read(x->path, &po, &error);
	if (x->script)
		return 0;
	fail(x, 0, "%s", error ? error : "no memory");
	free(error);
	return -1;
}

static int start_world(struct exec *x)
{
	char error[512];

	x->world = x->o.kernel ? drill_world_kernel(&x->net, error, sizeof(error))
			       : drill_world_weir(&x->net, error, sizeof(error));
	if (!x->world)
		return fail(x, 0, "%s", error);
	x->calls.world = x->world;
	return drill_cable_start(&x->cable, x->world) ? fail(x, 0, "no thread for the cable") : 0;
}

/*
 * Ends calls that still block: what the script has open is closed, and they are interrupted where the world can do that. False: one
 * goes on; its world then lives as long as this process.
 */
static bool stop_calls(struct exec *x)
{
	const struct drill_world_ops *ops = x->world->ops;

	for (int fd = 0; fd < x->calls.fds.nr; fd++) {
		unsigned long arg[6] = { (unsigned long)x->calls.fds.world[fd] };

		if (x->calls.fds.world[fd] >= 0)
			ops->sys(x->world, DRILL_SYS_CLOSE, arg);
	}
	ops->wait(x->world, ops->now(x->world));
	while (x->running) {
		struct running *r = x->running;

		while (!call_done(r) && ops->thread_interrupt)
			ops->thread_interrupt(x->world, r->thread);
		if (!call_done(r))
			return false;
		x->running = r->next;
		ops->thread_join(x->world, r->thread);
		drill_call_free(&r->call);
		free(r);
	}
	return true;
}

static void stop_world(struct exec *x)
{
	if (!x->world || !stop_calls(x))
		return;
	drill_cable_end(&x->cable);
	x->world->ops->destroy(x->world);
}

static void run_cleanup(struct exec *x)
{
	for (size_t i = 0; i < x->script->nr_cleanup; i++)
		run_command(x, x->script->cleanup[i].pos.line, x->script->cleanup[i].text);
}

/* A failed assertion tells more than what went wrong behind it. */
static void run_assertions(struct exec *x)
{
	uint32_t line = 0;
	char *why = NULL;

	if (!drill_assertions_run(&x->assertions, x->base, &line, &why))
		return;
	free(x->message);
	x->message = NULL;
	fail(x, line, "%s", why ? why : "no memory");
	free(why);
}

void drill_run(const char *path, const struct drill_options *o, struct drill_result *ret)
{
	struct exec x = { .path = path, .options = o, .o = *o, .calling = -1, .newest = -1 };

	x.dir = strdup(path);
	x.base = strdup(path);
	if (!read_script(&x) && !take_options(&x) && !take_network(&x) && !start_world(&x)) {
		char *dir = x.dir, pid[16], history[48];

		x.dir = dirname(dir);
		snprintf(pid, sizeof(pid), "%d", (int)getpid());
		setenv("PACKETDRILL_PID", pid, 1); /* set-up scripts keep their state under it */
		snprintf(history, sizeof(history), "/tmp/.nstat.drill.%s", pid);
		setenv("NSTAT_HISTORY", history, 1); /* what nstat saw last was this script's */
		run_events(&x);
		ret->ns = x.started ? script_now(&x) : 0;
		run_cleanup(&x);
		unlink(history);
		x.dir = dir;
		run_assertions(&x);
	}
	stop_world(&x);
	drill_assertions_free(&x.assertions);
	drill_flows_free(&x.flows);
	drill_fds_free(&x.calls.fds);
	if (x.script)
		drill_script_free(x.script);
	free(x.dir);
	free(x.base);
	ret->passed = !x.message;
	ret->line = x.line;
	ret->message = x.message;
}
