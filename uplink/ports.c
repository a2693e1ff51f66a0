/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ports.c - ports of the host that lead in
 *
 * Theory of operation
 *   -p says ADDR:HOST:GUEST; ports are taken before any program starts, so that one that is in use is an error then. Without ADDR both IP
 *   versions are listened on. A TCP connection is accepted and goes to tcp_connect_guest(), a datagram to udp_to_guest(); there the
 *   client's own address is the source, but for clients on the host's loopback, for which the gateway's stands.
 *   When the host has no descriptor for accept(2), or there are as many flows as may be, a port is not looked at until the next tick.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "uplink_internal.h"

#define TEXT_MAX  128
#define BACKLOG   4096
#define BATCH     64
#define PORTS_MAX 4096 /* sockets */

struct port {
	struct source src;
	STAILQ_ENTRY(port) link;
	struct uplink *u;
	struct endpoint addr; /* host's */
	bool any;             /* without ADDR: this IP version need not exist */
	int proto, fd;        /* -1: not open */
	uint16_t guest;
	bool paused;
};

struct uplink_ports {
	STAILQ_HEAD(port_list, port) ports;
	unsigned nr;
};

struct uplink_ports *uplink_ports_new(void)
{
	struct uplink_ports *p = calloc(1, sizeof(*p));

	if (p)
		STAILQ_INIT(&p->ports);
	return p;
}

void uplink_ports_free(struct uplink_ports *ports)
{
	struct port *p;

	while (ports && (p = STAILQ_FIRST(&ports->ports))) {
		STAILQ_REMOVE_HEAD(&ports->ports, link);
		if (p->fd >= 0)
			close(p->fd);
		free(p);
	}
	free(ports);
}

/* ---- reading -p ------------------------------------------------------------------------------------------------------------ */

struct range {
	unsigned lo, hi;
};

static bool read_port(char **s, unsigned *ret)
{
	unsigned v = 0;

	if (!isdigit((unsigned char)**s))
		return false;
	for (; isdigit((unsigned char)**s) && v <= 65535; ++*s)
		v = v * 10 + (unsigned)(**s - '0');
	*ret = v;
	return v >= 1 && v <= 65535;
}

static bool read_range(char *s, struct range *r)
{
	if (!read_port(&s, &r->lo))
		return false;
	r->hi = r->lo;
	if (*s == '-') {
		s++;
		if (!read_port(&s, &r->hi))
			return false;
	}
	return !*s && r->lo <= r->hi;
}

static int add_one(struct uplink_ports *ports, const struct endpoint *addr, bool any, int proto,
		   unsigned host, unsigned guest)
{
	struct port *p;

	if (ports->nr >= PORTS_MAX)
		return -EINVAL;
	p = calloc(1, sizeof(*p));
	if (!p)
		return -ENOMEM;
	p->fd = -1;
	p->addr = *addr;
	p->addr.port = (uint16_t)host;
	p->any = any;
	p->proto = proto;
	p->guest = (uint16_t)guest;
	STAILQ_INSERT_TAIL(&ports->ports, p, link);
	ports->nr++;
	return 0;
}

/* Splits "[v6]:rest" or "v4:rest" at the address. */
static const char *read_addr(char **s, struct endpoint *addr, bool *ret_any)
{
	char *end;

	*ret_any = false;
	addr->family = AF_INET;
	if (**s == '[') {
		end = strchr(++*s, ']');
		if (!end || end[1] != ':')
			return "']:' must end an IPv6 address";
		*end++ = '\0';
		addr->family = AF_INET6;
	} else {
		end = strchr(*s, ':');
		if (!end || !strchr(end + 1, ':')) { /* only HOST:GUEST */
			*ret_any = true;
			return NULL;
		}
	}
	*end = '\0';
	if (inet_pton(addr->family, *s, addr->addr) != 1)
		return "not an address of this host";
	*s = end + 1;
	return NULL;
}

int uplink_ports_add(struct uplink_ports *ports, const char *text, const char **ret_why)
{
	struct endpoint addr = { 0 };
	char buf[TEXT_MAX], *s = buf, *colon, *slash;
	struct range host, guest;
	int proto = IPPROTO_TCP, err = 0;
	bool any;

	*ret_why = "too long";
	if (strlen(text) >= sizeof(buf))
		return -EINVAL;
	strcpy(buf, text);
	slash = strrchr(s, '/');
	if (slash) {
		*slash++ = '\0';
		*ret_why = "behind '/' comes tcp or udp";
		if (!strcmp(slash, "udp"))
			proto = IPPROTO_UDP;
		else if (strcmp(slash, "tcp") != 0)
			return -EINVAL;
	}
	*ret_why = read_addr(&s, &addr, &any);
	if (*ret_why)
		return -EINVAL;
	colon = strchr(s, ':');
	*ret_why = "[ADDR:]HOST:GUEST expected, each a port or a range of ports (1 to 65535)";
	if (!colon)
		return -EINVAL;
	*colon = '\0';
	if (!read_range(s, &host) || !read_range(colon + 1, &guest))
		return -EINVAL;
	*ret_why = "the two ranges of ports differ in length";
	if (host.hi - host.lo != guest.hi - guest.lo)
		return -EINVAL;
	*ret_why = "too many ports";
	for (unsigned i = 0; i <= host.hi - host.lo && !err; i++) {
		err = add_one(ports, &addr, any, proto, host.lo + i, guest.lo + i);
		if (!err && any) {
			struct endpoint v6 = { .family = AF_INET6 };

			err = add_one(ports, &v6, any, proto, host.lo + i, guest.lo + i);
		}
	}
	return err;
}

/* ---- taking them -------------------------------------------------------------------------------------------------------------- */

static int open_port(struct port *p)
{
	int one = 1, type = p->proto == IPPROTO_TCP ? SOCK_STREAM : SOCK_DGRAM;
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to(&p->addr, &ss);

	p->fd = socket(p->addr.family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (p->fd < 0)
		return -errno;
	if (p->proto == IPPROTO_TCP)
		setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (p->addr.family == AF_INET6)
		setsockopt(p->fd, SOL_IPV6, IPV6_V6ONLY, &one, sizeof(one));
	if (bind(p->fd, (struct sockaddr *)&ss, len) < 0 ||
	    (p->proto == IPPROTO_TCP && listen(p->fd, BACKLOG) < 0)) {
		int err = -errno;

		close(p->fd);
		p->fd = -1;
		return err;
	}
	return 0;
}

int uplink_ports_open(struct uplink_ports *ports, char *why, size_t size)
{
	struct port *p;

	STAILQ_FOREACH(p, &ports->ports, link)
	{
		int err = open_port(p);

		/* A host without IPv6. */
		if (p->any && v6_of(&p->addr) && (err == -EAFNOSUPPORT || err == -EADDRNOTAVAIL))
			continue;
		if (err) {
			snprintf(why, size, "port %u/%s of the host cannot be had: %s",
				 p->addr.port, p->proto == IPPROTO_TCP ? "tcp" : "udp",
				 strerror(-err));
			return err;
		}
	}
	return 0;
}

/* ---- what comes in ---------------------------------------------------------------------------------------------------------------- */

static void watch(struct port *p, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = &p->src };

	epoll_ctl(p->u->ep, EPOLL_CTL_MOD, p->fd, &ev);
}

static void pause_port(struct port *p)
{
	p->paused = true;
	watch(p, 0);
	uplink_arm_tick(p->u);
}

void ports_resume(struct uplink *u)
{
	struct port *p;

	if (!u->ports)
		return;
	STAILQ_FOREACH(p, &u->ports->ports, link)
	if (p->paused) {
		p->paused = false;
		watch(p, EPOLLIN);
	}
}

static void accept_event(struct source *src, uint32_t events)
{
	struct port *p = source_of(src, struct port, src);
	struct uplink *u = p->u;

	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct endpoint from;
		int fd;

		if (u->nr_tcp >= u->max_flows) {
			pause_port(p);
			return;
		}
		fd = accept4(p->fd, (struct sockaddr *)&ss, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (fd < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
			    errno == ENOMEM)
				pause_port(p);
			else if (errno == ECONNABORTED || errno == EINTR)
				continue;
			return;
		}
		endpoint_from(&from, &ss);
		tcp_connect_guest(u, fd, &from, p->addr.family, p->guest);
	}
}

static void datagram_event(struct source *src, uint32_t events)
{
	struct port *p = source_of(src, struct port, src);
	struct uplink *u = p->u;

	for (int i = 0; i < BATCH; i++) {
		struct sockaddr_storage ss;
		socklen_t len = sizeof(ss);
		struct endpoint from;
		ssize_t n = recvfrom(p->fd, u->scratch, DGRAM_MAX, MSG_DONTWAIT,
				     (struct sockaddr *)&ss, &len);

		if (n < 0 && errno != EAGAIN)
			continue; /* an error about what was sent before */
		if (n < 0)
			return;
		endpoint_from(&from, &ss);
		udp_to_guest(u, p->fd, &from, p->addr.family, p->guest, u->scratch, (size_t)n);
	}
}

int ports_start(struct uplink *u)
{
	struct port *p;
	int err = 0;

	STAILQ_FOREACH(p, &u->ports->ports, link)
	{
		p->u = u;
		if (p->fd >= 0 && !err)
			err = host_watch(u, p->fd, &p->src, EPOLLIN,
					 p->proto == IPPROTO_TCP ? accept_event : datagram_event);
	}
	return err;
}
