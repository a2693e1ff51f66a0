/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * udp.c - UDP flows: datagrams of one (source, destination) pair of the guest, and a socket of the host for them
 *
 * Theory of operation
 *   Out: the first datagram makes a flow with a connected socket of the host, so that the host chooses the source address, and what comes
 *   back is the destination's only. ICMP errors are read from the socket's error queue (IP_RECVERR) and sent to the guest as what they
 *   were. Datagrams of one flow and size that wait together leave in one call, and those that the host's kernel has merged come in one
 *   (UDP_SEGMENT, UDP_GRO): they stay datagrams of their own. In: a datagram that came to a port of the host makes a flow without a socket of its own: the answers leave by the port's.
 *   All flows are in one list, least recently used first: the idle end (a minute; questions to port 53 after ten seconds), and a new one
 *   takes the oldest one's place when there are as many as may be.
 * Invariants
 *   (src, dst) are the guest's view: src is the guest's address and port, dst the other one's, whoever began.
 */
#include "uplink_internal.h"

#include <errno.h>
#include <netinet/udp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IDLE_NS     (60 * NS_PER_S)
#define IDLE_DNS_NS (10 * NS_PER_S)
#define BATCH       64 /* datagrams of one socket before others have their turn */
#define RCVBUF      (1 << 20)

#define SEGMENTS         64 /* of one call: the kernel's limit */
#define SEGMENTS_MAX_LEN 65000

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef IP_ORIGDSTADDR
#define IP_ORIGDSTADDR 20
#endif
#ifndef IPV6_ORIGDSTADDR
#define IPV6_ORIGDSTADDR 74
#endif

struct udp_flow {
	struct source host; /* first: source_bury() */
	TAILQ_ENTRY(udp_flow) link;
	LIST_ENTRY(udp_flow) hash_link;
	struct uplink *u;
	struct endpoint src, dst;
	struct endpoint peer; /* in: the client as the host knows it */
	struct audit_who who;
	int fd;
	bool in;         /* fd is a port's, not the flow's own */
	bool one_by_one; /* the host did not take several at once */
	uint64_t used, sent, received;
};

union control {
	char buf[CMSG_SPACE(sizeof(struct sockaddr_in6))];
	struct cmsghdr align;
};

/* ---- flows ----------------------------------------------------------------------------------------------------------- */

static struct udp_flow_bucket *bucket(struct uplink *u, const struct endpoint *src,
				      const struct endpoint *dst)
{
	return &u->udp_hash[endpoint_hash(src, dst, 1) % FLOW_HASH];
}

static struct udp_flow *flow_find(struct uplink *u, const struct endpoint *src,
				  const struct endpoint *dst)
{
	struct udp_flow *f;

	LIST_FOREACH(f, bucket(u, src, dst), hash_link)
	if (endpoint_equal(&f->src, src) && endpoint_equal(&f->dst, dst))
		return f;
	return NULL;
}

static void flow_end(struct udp_flow *f)
{
	struct uplink *u = f->u;
	struct audit_record rec = { .proto = IPPROTO_UDP,
				    .what = f->in ? "udp-in" : "udp",
				    .src = &f->src,
				    .dst = &f->dst,
				    .name = names_find(u->names, &f->dst),
				    .who = &f->who,
				    .verdict = "allow",
				    .sent = f->sent,
				    .received = f->received };

	if (u->cfg.audit)
		audit(u, &rec);
	if (!f->in)
		close(f->fd);
	LIST_REMOVE(f, hash_link);
	TAILQ_REMOVE(&u->udp_flows, f, link);
	u->nr_udp--;
	source_bury(u, &f->host);
}

static void flow_use(struct udp_flow *f)
{
	f->used = uplink_now(f->u);
	TAILQ_REMOVE(&f->u->udp_flows, f, link);
	TAILQ_INSERT_TAIL(&f->u->udp_flows, f, link);
}

static struct udp_flow *flow_new(struct uplink *u, const struct endpoint *src,
				 const struct endpoint *dst, int fd, bool in)
{
	struct udp_flow *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->u = u;
	f->src = *src;
	f->dst = *dst;
	f->fd = fd;
	f->in = in;
	f->used = uplink_now(u);
	TAILQ_INSERT_TAIL(&u->udp_flows, f, link);
	LIST_INSERT_HEAD(bucket(u, src, dst), f, hash_link);
	u->nr_udp++;
	audit_find(u, IPPROTO_UDP, src, &f->who);
	uplink_arm_tick(u);
	return f;
}

static void make_room(struct uplink *u)
{
	if (u->nr_udp >= u->max_flows)
		flow_end(TAILQ_FIRST(&u->udp_flows));
}

void udp_expire(struct uplink *u, uint64_t now)
{
	struct udp_flow *f, *next;

	for (f = TAILQ_FIRST(&u->udp_flows); f; f = next) {
		uint64_t limit = f->dst.port == 53 && f->received ? IDLE_DNS_NS : IDLE_NS;

		next = TAILQ_NEXT(f, link);
		if (now - f->used >= limit)
			flow_end(f);
		else if (now - f->used < IDLE_DNS_NS)
			break; /* and so are all behind it */
	}
}

/* ---- to the guest ------------------------------------------------------------------------------------------------------ */

void udp_send_guest(struct uplink *u, const struct endpoint *from, const struct endpoint *to,
		    const void *data, size_t len)
{
	struct sockaddr_storage src, dst;
	union control control = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, len };
	struct msghdr msg = { .msg_name = &dst,
			      .msg_namelen = endpoint_to(to, &dst),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf };
	socklen_t addr_len = endpoint_to(from, &src);
	struct cmsghdr *cm;

	msg.msg_controllen = CMSG_SPACE(addr_len);
	cm = CMSG_FIRSTHDR(&msg);
	cm->cmsg_level = v6_of(to) ? SOL_IPV6 : SOL_IP;
	cm->cmsg_type = v6_of(to) ? IPV6_ORIGDSTADDR : IP_ORIGDSTADDR;
	cm->cmsg_len = CMSG_LEN(addr_len);
	memcpy(CMSG_DATA(cm), &src, addr_len);
	/* What does not fit is lost, as on any link. */
	weir_sendmsg(u->udp_gate[v6_of(to)].file, &msg, MSG_DONTWAIT);
}

/* The UDP header of what the guest sent, for an error that quotes it. */
static void quote(const struct udp_flow *f, uint8_t header[8])
{
	const uint16_t words[4] = { htons(f->src.port), htons(f->dst.port), htons(8), 0 };

	memcpy(header, words, 8);
}

static void pass_errors(struct udp_flow *f)
{
	struct host_error e;
	uint8_t header[8];

	quote(f, header);
	for (int i = 0; i < BATCH && host_next_error(f->fd, &e); i++) {
		if (e.icmp && e.from.family == f->dst.family)
			icmp_send_error(f->u, &e.from, e.type, e.code, e.info, &f->src, &f->dst,
					IPPROTO_UDP, header, 0);
		else
			icmp_send_errno(f->u, e.err, &f->src, &f->dst, IPPROTO_UDP, header, 0);
	}
}

/* How long each of the datagrams is that came in one. */
static size_t segment_length(struct msghdr *msg, size_t n)
{
	int len;

	for (struct cmsghdr *cm = CMSG_FIRSTHDR(msg); cm; cm = CMSG_NXTHDR(msg, cm)) {
		if (cm->cmsg_level != SOL_UDP || cm->cmsg_type != UDP_GRO)
			continue;
		memcpy(&len, CMSG_DATA(cm), sizeof(len));
		if (len > 0)
			return (size_t)len;
	}
	return n;
}

/* What one call gives. False: nothing is there. */
static bool receive(struct udp_flow *f)
{
	struct uplink *u = f->u;
	union {
		char buf[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	struct iovec iov = { u->scratch, DGRAM_MAX };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	ssize_t n = recvmsg(f->fd, &msg, MSG_DONTWAIT);
	size_t seg, at = 0;

	if (n < 0) /* else it is an error that the queue has told */
		return errno != EAGAIN && errno != EINTR;
	seg = segment_length(&msg, (size_t)n);
	do {
		size_t len = (size_t)n - at < seg ? (size_t)n - at : seg;

		udp_send_guest(u, &f->dst, &f->src, u->scratch + at, len);
		at += len;
	} while (at < (size_t)n);
	f->received += (uint64_t)n;
	flow_use(f);
	return true;
}

static void host_event(struct source *src, uint32_t events)
{
	struct udp_flow *f = source_of(src, struct udp_flow, host);

	if (events & EPOLLERR)
		pass_errors(f);
	for (int i = 0; i < BATCH; i++)
		if (!receive(f))
			break;
}

/* ---- from the guest ---------------------------------------------------------------------------------------------------- */

static void deny(struct uplink *u, const struct endpoint *src, const struct endpoint *dst,
		 enum verdict v)
{
	struct udp_flow f = { .src = *src, .dst = *dst };
	struct audit_record rec = { .proto = IPPROTO_UDP,
				    .what = "udp",
				    .src = src,
				    .dst = dst,
				    .name = names_find(u->names, dst),
				    .who = &f.who,
				    .verdict = verdict_name(v) };
	uint8_t header[8];

	audit_find(u, IPPROTO_UDP, src, &f.who);
	if (u->cfg.audit)
		audit(u, &rec);
	if (endpoint_is_many(dst) || (endpoint_on_link(u, dst) && !endpoint_is_own(u, dst)))
		return; /* RFC 1122 3.2.2, RFC 4443 2.4 (e): no errors about what went to many */
	quote(&f, header);
	icmp_send_errno(u, v == VERDICT_CLOSED ? ECONNREFUSED : EACCES, src, dst, IPPROTO_UDP,
			header, 0);
}

/* A connected socket of the host, or -errno. */
static int host_connected(struct uplink *u, const struct endpoint *dst)
{
	struct sockaddr_storage ss;
	struct endpoint to;
	int fd, one = 1, size = RCVBUF;
	socklen_t len;

	host_address(u, dst, &to);
	len = endpoint_to(&to, &ss);
	fd = host_socket(u, to.family, SOCK_DGRAM, 0);
	if (fd < 0)
		return fd;
	if (v6_of(&to))
		setsockopt(fd, SOL_IPV6, IPV6_RECVERR, &one, sizeof(one));
	else
		setsockopt(fd, SOL_IP, IP_RECVERR, &one, sizeof(one));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_UDP, UDP_GRO, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&ss, len) < 0) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

static struct udp_flow *flow_begin(struct uplink *u, const struct endpoint *src,
				   const struct endpoint *dst)
{
	enum verdict v = host_verdict(u, IPPROTO_UDP, dst);
	struct udp_flow probe = { .src = *src, .dst = *dst }, *f;
	uint8_t header[8];
	int fd;

	if (v != VERDICT_ALLOW) {
		deny(u, src, dst, v);
		return NULL;
	}
	make_room(u);
	fd = host_connected(u, dst);
	if ((fd == -EMFILE || fd == -ENFILE) &&
	    u->nr_udp) { /* the oldest one's descriptor will do */
		flow_end(TAILQ_FIRST(&u->udp_flows));
		fd = host_connected(u, dst);
	}
	if (fd < 0) {
		quote(&probe, header);
		icmp_send_errno(u, -fd, src, dst, IPPROTO_UDP, header, 0);
		return NULL;
	}
	f = flow_new(u, src, dst, fd, false);
	if (!f) {
		close(fd);
		return NULL;
	}
	if (host_watch(u, fd, &f->host, EPOLLIN, host_event)) {
		flow_end(f);
		return NULL;
	}
	return f;
}

static void send_host(struct udp_flow *f, const void *data, size_t len)
{
	struct sockaddr_storage ss;
	uint8_t header[8];
	ssize_t n;

	if (f->in)
		n = sendto(f->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&ss,
			   endpoint_to(&f->peer, &ss));
	else
		n = send(f->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && !f->in && errno != EAGAIN && errno != ENOBUFS) {
		pass_errors(f); /* that of an earlier one, perhaps: then this one was not sent */
		n = send(f->fd, data, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	}
	if (n >= 0) {
		f->sent += (uint64_t)n;
	} else if (errno != EAGAIN && errno != ENOBUFS && errno != ECONNREFUSED) {
		quote(f, header);
		icmp_send_errno(f->u, errno, &f->src, &f->dst, IPPROTO_UDP, header, len);
	}
}

/* Datagrams of one flow and length (the last may be shorter) that leave together. */
struct bunch {
	struct udp_flow *f; /* NULL: it is empty */
	char *data;         /* in u->scratch */
	size_t seg, len;
	unsigned nr;
};

/* False: the host does not want it so. */
static bool send_at_once(const struct bunch *b)
{
	union {
		char buf[CMSG_SPACE(sizeof(uint16_t))];
		struct cmsghdr align;
	} control = { { 0 } };
	struct iovec iov = { b->data, b->len };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cm = CMSG_FIRSTHDR(&msg);
	uint16_t seg = (uint16_t)b->seg;

	cm->cmsg_level = SOL_UDP;
	cm->cmsg_type = UDP_SEGMENT;
	cm->cmsg_len = CMSG_LEN(sizeof(seg));
	memcpy(CMSG_DATA(cm), &seg, sizeof(seg));
	if (sendmsg(b->f->fd, &msg, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0) {
		b->f->sent += b->len;
		return true;
	}
	/* Too long for a segment of that device, no checksum offload, an old kernel. */
	b->f->one_by_one = errno == EIO || errno == EINVAL || errno == EMSGSIZE ||
			   errno == ENOPROTOOPT || errno == EOPNOTSUPP;
	return errno == EAGAIN || errno == ENOBUFS; /* lost, as one would be */
}

static void bunch_send(struct bunch *b)
{
	struct udp_flow *f = b->f;

	if (!f)
		return;
	if (b->nr == 1 || f->in || f->one_by_one || !send_at_once(b)) {
		for (size_t at = 0, n = 0; n < b->nr; n++, at += b->seg)
			send_host(f, b->data + at, b->len - at < b->seg ? b->len - at : b->seg);
	}
	b->f = NULL;
}

/* Is the datagram of @len octets, which lies behind it, one more of them? */
static bool bunch_add(struct bunch *b, const struct endpoint *src, const struct endpoint *dst,
		      size_t len)
{
	if (!b->f || !len || len > b->seg || b->len != b->nr * b->seg || b->nr == SEGMENTS ||
	    b->len + len > SEGMENTS_MAX_LEN || !endpoint_equal(&b->f->src, src) ||
	    !endpoint_equal(&b->f->dst, dst))
		return false;
	b->len += len;
	b->nr++;
	return true;
}

static void guest_datagram(struct uplink *u, struct bunch *b, const struct endpoint *src,
			   const struct endpoint *dst, char *data, size_t len)
{
	struct udp_flow *f;

	if (bunch_add(b, src, dst, len))
		return;
	bunch_send(b); /* beginning a flow may end another */
	if (!from_guest(u, src))
		return;
	f = flow_find(u, src, dst);
	if (!f)
		f = flow_begin(u, src, dst);
	if (!f)
		return;
	flow_use(f);
	*b = (struct bunch){ .f = f, .data = data, .seg = len, .len = len, .nr = 1 };
}

/* Into @data, which has room for DGRAM_MAX octets. */
static bool read_guest(struct gate *g, char *data, struct endpoint *src, struct endpoint *dst,
		       ssize_t *ret_n)
{
	struct sockaddr_storage from, to = { 0 };
	union control control;
	struct iovec iov = { data, DGRAM_MAX };
	struct msghdr msg = { .msg_name = &from,
			      .msg_namelen = sizeof(from),
			      .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.buf,
			      .msg_controllen = sizeof(control.buf) };
	struct cmsghdr *cm;

	*ret_n = weir_recvmsg(g->file, &msg, MSG_DONTWAIT);
	if (*ret_n < 0)
		return false;
	cm = CMSG_FIRSTHDR(&msg);
	if (!cm)
		return false;
	memcpy(&to, CMSG_DATA(cm), g->v ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
	endpoint_from(src, &from);
	endpoint_from(dst, &to);
	return true;
}

static void gate_event(struct source *source, uint32_t events)
{
	struct gate *g = source_of(source, struct gate, src);
	char *scratch = g->u->scratch, *data;
	struct endpoint src, dst;
	struct bunch b = { 0 };
	ssize_t n;

	do {
		data = b.f ? b.data + b.len : scratch;
		if (data + DGRAM_MAX > scratch + SCRATCH_SIZE) {
			bunch_send(&b);
			data = scratch;
		}
		if (read_guest(g, data, &src, &dst, &n))
			guest_datagram(g->u, &b, &src, &dst, data, (size_t)n);
	} while (n >= 0);
	bunch_send(&b);
}

/* ---- in ------------------------------------------------------------------------------------------------------------------ */

void udp_to_guest(struct uplink *u, int fd, const struct endpoint *from, uint16_t family,
		  uint16_t port, const void *data, size_t len)
{
	struct endpoint guest = u->guest[family == AF_INET6], seen = *from;
	struct udp_flow *f;

	guest.port = port;
	/* The gateway stands for the host's loopback, and for addresses that are the guest's neighbours' here. */
	if (address_closed(from) || endpoint_on_link(u, from)) {
		seen = u->gateway[family == AF_INET6];
		seen.port = from->port;
	}
	f = flow_find(u, &guest, &seen);
	if (!f) {
		make_room(u);
		f = flow_new(u, &guest, &seen, fd, true);
	}
	if (!f)
		return;
	f->peer = *from;
	flow_use(f);
	f->received += len;
	udp_send_guest(u, &seen, &guest, data, len);
}

/* ---- begin and end ----------------------------------------------------------------------------------------------------- */

static int prepare(struct gate *g)
{
	int one = 1, size = RCVBUF, err;

	err = g->v ? weir_setsockopt(g->file, SOL_IPV6, IPV6_ORIGDSTADDR, &one, sizeof(one))
		   : weir_setsockopt(g->file, SOL_IP, IP_ORIGDSTADDR, &one, sizeof(one));
	weir_setsockopt(g->file, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	weir_setsockopt(g->file, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return err ? err : weir_listen_any(g->file, 0);
}

int udp_open(struct uplink *u)
{
	int err = 0;

	for (int v = 0; v < 2 && !err; v++)
		err = gate_open(u, &u->udp_gate[v], v, SOCK_DGRAM, 0, prepare, gate_event);
	return err;
}

void udp_close_all(struct uplink *u)
{
	while (!TAILQ_EMPTY(&u->udp_flows))
		flow_end(TAILQ_FIRST(&u->udp_flows));
	for (int v = 0; v < 2; v++)
		gate_close(&u->udp_gate[v]);
}
