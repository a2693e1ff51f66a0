/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * icmp.c - echo requests of the guest, by ping sockets of the host; ICMP errors to the guest
 *
 * Theory of operation
 *   The gateway's stack is told not to answer echo requests; a raw socket in its net sees them all. A request goes on from a ping socket of the
 *   host (net.ipv4.ping_group_range must let us have one), one for each (destination, identifier); the reply gets the guest's
 *   identifier back. Where the host does not let us, the guest is told "administratively prohibited", and the user once why.
 *   Errors quote an IP header made anew and the first octets of what the guest had sent: that is what its stack looks at.
 * See RFC 792, RFC 1812 5.2.7.1, RFC 4443.
 */
#include "uplink_internal.h"

#include <errno.h>
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ECHO_MAX     256
#define ECHO_IDLE_NS (30 * NS_PER_S)
#define BATCH        64
#define HEADER       8
#define V4_HEADER    20
#define V6_HEADER    40

struct echo_flow {
	struct source host; /* first: source_bury() */
	TAILQ_ENTRY(echo_flow) link;
	struct uplink *u;
	struct endpoint src, dst; /* src.port: the identifier */
	int fd;
	uint64_t used;
};

/* ---- to the guest ---------------------------------------------------------------------------------------------------- */

static uint16_t checksum(const uint8_t *p, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

/* An ICMP message, header included; its checksum is filled in (IPv6: by the stack). */
static void send_guest(struct uplink *u, const struct endpoint *from, const struct endpoint *to,
		       uint8_t *msg, size_t len)
{
	union {
		char buf[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		struct cmsghdr align;
	} control = { 0 };
	struct sockaddr_storage dst;
	struct iovec iov = { msg, len };
	struct endpoint addr = *to;
	struct msghdr m = {
		.msg_name = &dst, .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control.buf
	};
	struct cmsghdr *cm;

	addr.port = 0; /* raw(7): not a protocol number */
	m.msg_namelen = endpoint_to(&addr, &dst);
	msg[2] = msg[3] = 0;
	if (v6_of(to)) {
		struct in6_pktinfo info = { 0 };

		memcpy(&info.ipi6_addr, from->addr, 16);
		m.msg_controllen = CMSG_SPACE(sizeof(info));
		cm = CMSG_FIRSTHDR(&m);
		*cm = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(info)),
					.cmsg_level = SOL_IPV6,
					.cmsg_type = IPV6_PKTINFO };
		memcpy(CMSG_DATA(cm), &info, sizeof(info));
	} else {
		struct in_pktinfo info = { 0 };
		uint16_t sum = checksum(msg, len);

		msg[2] = (uint8_t)(sum >> 8);
		msg[3] = (uint8_t)sum;
		memcpy(&info.ipi_spec_dst, from->addr, 4);
		m.msg_controllen = CMSG_SPACE(sizeof(info));
		cm = CMSG_FIRSTHDR(&m);
		*cm = (struct cmsghdr){ .cmsg_len = CMSG_LEN(sizeof(info)),
					.cmsg_level = SOL_IP,
					.cmsg_type = IP_PKTINFO };
		memcpy(CMSG_DATA(cm), &info, sizeof(info));
	}
	weir_sendmsg(u->icmp_gate[v6_of(to)].file, &m, MSG_DONTWAIT);
}

static void put16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* The IP header of what the guest had sent. Its length. */
static size_t quote_ip(uint8_t *p, const struct endpoint *src, const struct endpoint *dst,
		       int proto, size_t len)
{
	if (v6_of(src)) {
		memset(p, 0, V6_HEADER);
		p[0] = 0x60;
		put16(p + 4, len);
		p[6] = (uint8_t)proto;
		p[7] = 64;
		memcpy(p + 8, src->addr, 16);
		memcpy(p + 24, dst->addr, 16);
		return V6_HEADER;
	}
	memset(p, 0, V4_HEADER);
	p[0] = 0x45;
	put16(p + 2, V4_HEADER + len);
	p[8] = 64;
	p[9] = (uint8_t)proto;
	memcpy(p + 12, src->addr, 4);
	memcpy(p + 16, dst->addr, 4);
	put16(p + 10, checksum(p, V4_HEADER));
	return V4_HEADER;
}

/* The host's loopback: the guest knows it by the address that it wrote to. */
static bool is_loopback(const struct endpoint *ep)
{
	static const uint8_t one[16] = { [15] = 1 };

	return ep->family == AF_INET ? ep->addr[0] == 127 : !memcmp(ep->addr, one, 16);
}

void icmp_send_error(struct uplink *u, const struct endpoint *from, uint8_t type, uint8_t code,
		     uint32_t info, const struct endpoint *src, const struct endpoint *dst,
		     int proto, const uint8_t header[8], size_t payload)
{
	uint8_t msg[HEADER + V6_HEADER + 8] = { type, code };
	size_t n;

	if (from && is_loopback(from))
		from = dst;
	for (int i = 0; i < 4; i++)
		msg[4 + i] = (uint8_t)(info >> (24 - 8 * i));
	n = HEADER + quote_ip(msg + HEADER, src, dst, proto, 8 + payload);
	memcpy(msg + n, header, 8);
	send_guest(u, from ? from : &u->gateway[v6_of(src)], src, msg, n + 8);
}

/* What an errno of the host says in ICMP: of IPv4, of IPv6. */
static const struct {
	int err;
	uint8_t type[2], code[2];
} errors[] = {
	{ ECONNREFUSED,
	  { ICMP_DEST_UNREACH, ICMP6_DST_UNREACH },
	  { ICMP_PORT_UNREACH, ICMP6_DST_UNREACH_NOPORT } },
	{ ENETUNREACH,
	  { ICMP_DEST_UNREACH, ICMP6_DST_UNREACH },
	  { ICMP_NET_UNREACH, ICMP6_DST_UNREACH_NOROUTE } },
	{ EACCES,
	  { ICMP_DEST_UNREACH, ICMP6_DST_UNREACH },
	  { ICMP_PKT_FILTERED, ICMP6_DST_UNREACH_ADMIN } },
	{ EPERM,
	  { ICMP_DEST_UNREACH, ICMP6_DST_UNREACH },
	  { ICMP_PKT_FILTERED, ICMP6_DST_UNREACH_ADMIN } },
	{ EMSGSIZE, { ICMP_DEST_UNREACH, ICMP6_PACKET_TOO_BIG }, { ICMP_FRAG_NEEDED, 0 } },
	{ 0,
	  { ICMP_DEST_UNREACH, ICMP6_DST_UNREACH },
	  { ICMP_HOST_UNREACH, ICMP6_DST_UNREACH_ADDR } }, /* any other */
};

void icmp_send_errno(struct uplink *u, int err, const struct endpoint *src,
		     const struct endpoint *dst, int proto, const uint8_t header[8], size_t payload)
{
	int v = v6_of(src);
	size_t i = 0;

	while (errors[i].err && errors[i].err != err)
		i++;
	icmp_send_error(u, err == ECONNREFUSED ? dst : NULL, errors[i].type[v], errors[i].code[v],
			err == EMSGSIZE ? 1280 : 0, src, dst, proto, header, payload);
}

/* ---- echo ------------------------------------------------------------------------------------------------------------ */

static void flow_end(struct echo_flow *f)
{
	close(f->fd);
	TAILQ_REMOVE(&f->u->echo_flows, f, link);
	f->u->nr_echo--;
	source_bury(f->u, &f->host);
}

void icmp_expire(struct uplink *u, uint64_t now)
{
	struct echo_flow *f;

	while ((f = TAILQ_FIRST(&u->echo_flows)) && now - f->used >= ECHO_IDLE_NS)
		flow_end(f);
}

static void pass_errors(struct echo_flow *f)
{
	uint8_t header[8] = { v6_of(&f->src) ? ICMP6_ECHO_REQUEST : ICMP_ECHO };
	struct host_error e;

	put16(header + 4, f->src.port);
	for (int i = 0; i < BATCH && host_next_error(f->fd, &e); i++) {
		int proto = v6_of(&f->src) ? IPPROTO_ICMPV6 : IPPROTO_ICMP;

		memcpy(header + 6, e.data + 6, 2); /* the sequence number */

		if (e.icmp && e.from.family == f->dst.family)
			icmp_send_error(f->u, &e.from, e.type, e.code, e.info, &f->src, &f->dst,
					proto, header, 0);
		else
			icmp_send_errno(f->u, e.err, &f->src, &f->dst, proto, header, 0);
	}
}

static void host_event(struct source *src, uint32_t events)
{
	struct echo_flow *f = source_of(src, struct echo_flow, host);
	uint8_t *msg = (uint8_t *)f->u->scratch;

	if (events & EPOLLERR)
		pass_errors(f);
	for (int i = 0; i < BATCH; i++) {
		ssize_t n = recv(f->fd, msg, DGRAM_MAX, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			break;
		if (n < HEADER)
			continue;
		put16(msg + 4, f->src.port);
		send_guest(f->u, &f->dst, &f->src, msg, (size_t)n);
	}
}

static struct echo_flow *flow_find(struct uplink *u, const struct endpoint *src,
				   const struct endpoint *dst)
{
	struct echo_flow *f;

	TAILQ_FOREACH(f, &u->echo_flows, link)
	if (endpoint_equal(&f->src, src) && endpoint_same_addr(&f->dst, dst))
		return f;
	return NULL;
}

static void say_no_ping(struct uplink *u, int err)
{
	if (u->said_no_ping)
		return;
	u->said_no_ping = true;
	uplink_say("ping: the host does not let us send echo requests (%s): see "
		   "net.ipv4.ping_group_range (said once)",
		   strerror(err));
}

/* A connected ping socket of the host, or -errno. */
static int host_ping(struct uplink *u, const struct endpoint *dst)
{
	struct sockaddr_storage ss;
	struct endpoint to;
	int fd, one = 1;
	socklen_t len;

	host_address(u, dst, &to);
	to.port = 0;
	len = endpoint_to(&to, &ss);
	fd = host_socket(u, to.family, SOCK_DGRAM, v6_of(&to) ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (fd < 0) {
		if (fd == -EACCES || fd == -EPERM || fd == -EPROTONOSUPPORT)
			say_no_ping(u, -fd);
		return fd == -EPROTONOSUPPORT ? -EACCES : fd;
	}
	setsockopt(fd, v6_of(&to) ? SOL_IPV6 : SOL_IP, v6_of(&to) ? IPV6_RECVERR : IP_RECVERR, &one,
		   sizeof(one));
	if (connect(fd, (struct sockaddr *)&ss, len) < 0) {
		int err = errno;

		close(fd);
		return -err;
	}
	return fd;
}

/* -errno: what the guest is to be told */
static int flow_begin(struct uplink *u, const struct endpoint *src, const struct endpoint *dst,
		      struct echo_flow **ret)
{
	struct echo_flow *f;
	int fd;

	if (u->nr_echo >= ECHO_MAX)
		flow_end(TAILQ_FIRST(&u->echo_flows));
	fd = host_ping(u, dst);
	if (fd < 0)
		return fd;
	f = calloc(1, sizeof(*f));
	if (!f) {
		close(fd);
		return -ENOMEM;
	}
	f->u = u;
	f->src = *src;
	f->dst = *dst;
	f->fd = fd;
	TAILQ_INSERT_TAIL(&u->echo_flows, f, link);
	u->nr_echo++;
	uplink_arm_tick(u);
	if (host_watch(u, fd, &f->host, EPOLLIN, host_event)) {
		flow_end(f);
		return -ENOMEM;
	}
	*ret = f;
	return 0;
}

static int forward_echo(struct uplink *u, const struct endpoint *src, const struct endpoint *dst,
			const uint8_t *msg, size_t len)
{
	enum verdict v = host_verdict(u, v6_of(dst) ? IPPROTO_ICMPV6 : IPPROTO_ICMP, dst);
	struct audit_who who;
	struct audit_record rec = { .what = "icmp",
				    .src = src,
				    .dst = dst,
				    .name = names_find(u->names, dst),
				    .who = &who,
				    .verdict = verdict_name(v) };
	struct echo_flow *f = flow_find(u, src, dst);
	int err;

	if (!f && u->cfg.audit) {
		audit_find(u, IPPROTO_ICMP, src, &who);
		audit(u, &rec);
	}
	if (v != VERDICT_ALLOW)
		return -EACCES;
	if (!f) {
		err = flow_begin(u, src, dst, &f);
		if (err)
			return err;
	}
	f->used = uplink_now(u);
	TAILQ_REMOVE(&u->echo_flows, f, link);
	TAILQ_INSERT_TAIL(&u->echo_flows, f, link);
	if (send(f->fd, msg, len, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0 || errno == EAGAIN)
		return 0;
	return -errno;
}

static void echo_request(struct uplink *u, const struct endpoint *src, const struct endpoint *dst,
			 uint8_t *msg, size_t len)
{
	uint8_t header[8];
	int err;

	if (!from_guest(u, src))
		return;
	if (endpoint_is_many(dst) || (endpoint_on_link(u, dst) && !endpoint_is_own(u, dst)))
		return; /* RFC 1122 3.2.2.6: a broadcast needs no answer */
	if (endpoint_is_own(u, dst)) {
		msg[0] = v6_of(src) ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY;
		send_guest(u, dst, src, msg, len);
		return;
	}
	memcpy(header, msg, 8);
	err = forward_echo(u, src, dst, msg, len);
	if (err)
		icmp_send_errno(u, -err, src, dst, v6_of(src) ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
				header, len - HEADER);
}

/* The request behind the IPv4 header, which raw sockets see too; IPv6: the destination is in a control message. */
static void gate_event(struct source *source, uint32_t events)
{
	struct gate *g = source_of(source, struct gate, src);
	uint8_t *buf = (uint8_t *)g->u->scratch;

	for (;;) {
		struct sockaddr_storage from;
		union {
			char buf[256];
			struct cmsghdr align;
		} control;
		struct iovec iov = { buf, SCRATCH_SIZE };
		struct msghdr m = { .msg_name = &from,
				    .msg_namelen = sizeof(from),
				    .msg_iov = &iov,
				    .msg_iovlen = 1,
				    .msg_control = control.buf,
				    .msg_controllen = sizeof(control.buf) };
		ssize_t n = weir_recvmsg(g->file, &m, MSG_DONTWAIT);
		struct endpoint src, dst = { .family = g->v ? AF_INET6 : AF_INET };
		size_t skip = 0;

		if (n < 0)
			break;
		endpoint_from(&src, &from);
		if (g->v) {
			struct cmsghdr *cm = CMSG_FIRSTHDR(&m);

			if (!cm || cm->cmsg_type != IPV6_PKTINFO)
				continue;
			memcpy(dst.addr, CMSG_DATA(cm), 16);
		} else {
			if (n < V4_HEADER)
				continue;
			skip = (size_t)(buf[0] & 15) * 4;
			memcpy(dst.addr, buf + 16, 4);
		}
		if ((size_t)n < skip + HEADER ||
		    buf[skip] != (g->v ? ICMP6_ECHO_REQUEST : ICMP_ECHO))
			continue;
		src.port = (uint16_t)(buf[skip + 4] << 8 | buf[skip + 5]);
		echo_request(g->u, &src, &dst, buf + skip, (size_t)n - skip);
	}
}

/* ---- begin and end ----------------------------------------------------------------------------------------------------- */

static int prepare(struct gate *g)
{
	uint32_t filter4 = ~(1u << ICMP_ECHO);
	struct icmp6_filter filter6;
	int one = 1, err;

	if (!g->v) {
		err = weir_setsockopt(g->file, SOL_RAW, ICMP_FILTER, &filter4, sizeof(filter4));
		return err ? err
			   : weir_setsockopt(g->file, SOL_IP, IP_TRANSPARENT, &one, sizeof(one));
	}
	ICMP6_FILTER_SETBLOCKALL(&filter6);
	ICMP6_FILTER_SETPASS(ICMP6_ECHO_REQUEST, &filter6);
	err = weir_setsockopt(g->file, IPPROTO_ICMPV6, ICMP6_FILTER, &filter6, sizeof(filter6));
	if (!err)
		err = weir_setsockopt(g->file, SOL_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one));
	return err ? err : weir_setsockopt(g->file, SOL_IPV6, IPV6_TRANSPARENT, &one, sizeof(one));
}

int icmp_open(struct uplink *u)
{
	int err = gate_open(u, &u->icmp_gate[0], 0, SOCK_RAW, IPPROTO_ICMP, prepare, gate_event);

	return err ? err
		   : gate_open(u, &u->icmp_gate[1], 1, SOCK_RAW, IPPROTO_ICMPV6, prepare,
			       gate_event);
}

void icmp_close_all(struct uplink *u)
{
	while (!TAILQ_EMPTY(&u->echo_flows))
		flow_end(TAILQ_FIRST(&u->echo_flows));
	for (int v = 0; v < 2; v++)
		gate_close(&u->icmp_gate[v]);
}
