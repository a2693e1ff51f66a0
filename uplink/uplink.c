/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uplink.c - the gateway: its net, the veth to the guest, its place in the loop
 *
 * Theory of operation
 *   The gateway's net has one device, eth0, and a route that makes every destination but its own link local; sockets for any
 *   destination (weir_listen_any()) then see what the guest sends. That route also makes every other source a martian, so packets with
 *   forged sources die in the stack, but for those that pretend to be another host of 10.0.2.0/24: from_guest().
 *   All sockets of the host are in one epoll, which the loop watches; all files of the gateway's net are in one weir epoll,
 *   which is asked in each turn of the stack. Both are edge triggered.
 *   A tick each second, while there is anything that can grow old, ends what has been idle.
 * Invariants
 *   What dies in a turn may be named by events that were fetched already: it is freed at the turn's end (source_bury()).
 */
#include "uplink_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lab/lab_net.h"

#define TICK_NS     NS_PER_S
#define FLOWS_MAX   32768u
#define DESCRIPTORS 256u /* for everything else than flows */

void uplink_say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("weir: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
}

uint64_t uplink_now(const struct uplink *u)
{
	return run_now(u->run);
}

/* ---- events ------------------------------------------------------------------------------------------------------- */

int host_watch(struct uplink *u, int fd, struct source *src, uint32_t events,
	       void (*fn)(struct source *src, uint32_t events))
{
	struct epoll_event ev = { .events = events, .data.ptr = src };

	src->fn = fn;
	return epoll_ctl(u->ep, EPOLL_CTL_ADD, fd, &ev) < 0 ? -errno : 0;
}

int guest_watch(struct uplink *u, struct weir_file *f, struct source *src,
		void (*fn)(struct source *src, uint32_t events))
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				  .data.ptr = src };

	src->fn = fn;
	return weir_epoll_ctl(u->wep, EPOLL_CTL_ADD, f, &ev);
}

int gate_open(struct uplink *u, struct gate *g, int v, int type, int protocol,
	      int (*prepare)(struct gate *g), void (*fn)(struct source *src, uint32_t events))
{
	int err;

	g->u = u;
	g->v = v;
	err = weir_socket(u->net, v ? AF_INET6 : AF_INET, type | SOCK_NONBLOCK, protocol, &g->file);
	if (!err)
		err = prepare(g);
	return err ? err : guest_watch(u, g->file, &g->src, fn);
}

void gate_close(struct gate *g)
{
	g->src.fn = NULL;
	if (g->file)
		weir_close(g->file);
	g->file = NULL;
}

void source_bury(struct uplink *u, struct source *src)
{
	src->fn = NULL;
	src->dead_next = u->dead;
	u->dead = src;
}

static void bury(struct uplink *u)
{
	while (u->dead) {
		struct source *src = u->dead;

		u->dead = src->dead_next;
		free(src);
	}
}

static void dispatch(struct epoll_event *ev, int n)
{
	for (int i = 0; i < n; i++) {
		struct source *src = ev[i].data.ptr;

		if (src->fn)
			src->fn(src, ev[i].events);
	}
}

static void host_events(int fd, uint32_t events, void *arg)
{
	struct uplink *u = arg;
	struct epoll_event ev[EVENTS];

	dispatch(ev, epoll_wait(u->ep, ev, EVENTS, 0));
	bury(u);
}

/* A turn of the stack. True: there was something to do. */
static bool turn(void *arg)
{
	struct uplink *u = arg;
	struct epoll_event ev[EVENTS];
	bool again = tcp_serve_again(u);
	int n = weir_epoll_wait(u->wep, ev, EVENTS, 0);

	dispatch(ev, n);
	bury(u);
	return n > 0 || again;
}

static void tick(void *arg)
{
	struct uplink *u = arg;
	uint64_t now = uplink_now(u);

	u->tick = NULL;
	udp_expire(u, now);
	icmp_expire(u, now);
	dns_expire(u, now);
	ports_resume(u);
	bury(u);
	if (u->nr_udp || u->nr_echo || u->nr_dns || u->nr_tcp)
		uplink_arm_tick(u);
}

void uplink_arm_tick(struct uplink *u)
{
	if (!u->tick)
		u->tick = run_timer_add(u->run, uplink_now(u) + TICK_NS, tick, u);
}

bool from_guest(struct uplink *u, const struct endpoint *src)
{
	if (endpoint_same_addr(src, &u->guest[v6_of(src)]))
		return true;
	u->forged++;
	return false;
}

/* ---- set-up ---------------------------------------------------------------------------------------------------------- */

static void set_endpoint(struct endpoint ep[2], const char *v4, const char *v6)
{
	ep[0].family = AF_INET;
	ep[1].family = AF_INET6;
	inet_pton(AF_INET, v4, ep[0].addr);
	inet_pton(AF_INET6, v6, ep[1].addr);
}

static struct lab_ip to_ip(const struct endpoint *ep)
{
	struct lab_ip ip = { .family = ep->family };

	memcpy(ip.octets, ep->addr, endpoint_addr_len(ep));
	return ip;
}

/* IPv6 may be off in the guest: then the way out is of IPv4 only. */
static int add_address(struct weir_net *net, const char *ifname, const struct endpoint *ep,
		       struct net_error *err)
{
	struct lab_ip ip = to_ip(ep);
	int r = net_ip_add(net, ifname, &ip, v6_of(ep) ? 64 : 24, err);

	return v6_of(ep) && (r == -EACCES || r == -EOPNOTSUPP) ? 0 : r;
}

static int add_default(struct weir_net *net, const char *ifname, const struct endpoint *via,
		       struct net_error *err)
{
	struct lab_route route = { .is_default = true, .has_via = true };
	int r;

	route.dst.family = via->family;
	route.via = to_ip(via);
	strncpy(route.dev, ifname, sizeof(route.dev) - 1);
	r = net_route_add(net, &route, err);
	return v6_of(via) && r ? 0 : r;
}

static const struct {
	const char *name, *value;
} gateway_sysctls[] = {
	/* Errors are the answers to somebody's connect: none may be left out. */
	{ "net.ipv4.icmp_ratelimit", "0" },
	{ "net.ipv4.icmp_msgs_per_sec", "1000000" },
	{ "net.ipv4.icmp_msgs_burst", "1000000" },
	{ "net.ipv6.icmp.ratelimit", "0" },
	/* Echo requests are for the host's world. */
	{ "net.ipv4.icmp_echo_ignore_all", "1" },
	{ "net.ipv6.icmp.echo_ignore_all", "1" },
	{ "net.ipv4.tcp_max_syn_backlog", "65535" },
	{ "net.ipv4.tcp_syncookies", "0" },
	/* What a flow may hold. */
	{ "net.ipv4.tcp_rmem", "4096 131072 2097152" },
	{ "net.ipv4.tcp_wmem", "4096 131072 2097152" },
};

static int set_sysctls(struct weir_net *net)
{
	for (size_t i = 0; i < sizeof(gateway_sysctls) / sizeof(gateway_sysctls[0]); i++) {
		int err = weir_sysctl(net, gateway_sysctls[i].name, gateway_sysctls[i].value);

		if (err && err != -ENOENT)
			return err;
	}
	return 0;
}

static int join_guest(struct uplink *u, struct net_error *err)
{
	struct weir_net *guest = run_node_net(u->node);
	const char *ifname = u->cfg.ifname;
	int r = net_veth_add(guest, ifname, u->net, "eth0", u->cfg.mtu, err);

	if (!r)
		r = net_link_up(u->net, "eth0", err);
	if (!r)
		r = net_link_up(guest, ifname, err);
	for (int v = 0; v < 2 && !r; v++) {
		r = add_address(u->net, "eth0", &u->gateway[v], err);
		if (!r)
			r = add_address(u->net, "eth0", &u->server[v], err);
		if (!r)
			r = net_local_any(u->net, v ? AF_INET6 : AF_INET, err);
		if (!r)
			r = add_address(guest, ifname, &u->guest[v], err);
		if (!r)
			r = add_default(guest, ifname, &u->gateway[v], err);
	}
	return r;
}

static unsigned flow_limit(void)
{
	struct rlimit lim;
	uint64_t n = FLOWS_MAX;

	if (getrlimit(RLIMIT_NOFILE, &lim) == 0 && lim.rlim_cur != RLIM_INFINITY)
		n = lim.rlim_cur > 2 * DESCRIPTORS ? (lim.rlim_cur - DESCRIPTORS) / 2
						   : lim.rlim_cur / 4;
	return n < FLOWS_MAX ? (unsigned)n : FLOWS_MAX;
}

/* The end of the run, with the nodes still there; also what is left of a set-up that failed. */
static void destroy(struct run *r, void *arg)
{
	struct uplink *u = arg;

	(void)r;
	dns_close_all(u);
	icmp_close_all(u);
	udp_close_all(u);
	tcp_close_all(u);
	bury(u);
	if (u->tick)
		run_timer_cancel(u->run, u->tick);
	if (u->watch)
		run_watch_remove(u->run, u->watch);
	run_turn_remove(u->run, turn, u);
	if (u->wep)
		weir_close(u->wep);
	if (u->net)
		weir_net_destroy(u->net);
	if (u->ep >= 0)
		close(u->ep);
	names_free(u->names);
	uplink_ports_free(u->ports);
	free(u->resolv_conf);
	free(u->scratch);
	free(u);
}

static int start(struct uplink *u, struct net_error *e)
{
	int err = run_net_open(u->net);

	if (!err)
		err = set_sysctls(u->net);
	if (!err)
		err = join_guest(u, e);
	if (!err)
		err = weir_epoll_create(run_machine(u->run), &u->wep);
	if (err)
		return err;
	u->ep = epoll_create1(EPOLL_CLOEXEC);
	if (u->ep < 0)
		return -errno;
	u->watch = run_watch_add(u->run, u->ep, EPOLLIN, host_events, u);
	if (!u->watch || run_turn_add(u->run, turn, u))
		return -ENOMEM;
	err = tcp_open(u);
	if (!err)
		err = udp_open(u);
	if (!err)
		err = icmp_open(u);
	return err ? err : dns_open(u);
}

int uplink_create(struct run *r, struct run_node *node, const struct uplink_config *cfg, char *why,
		  size_t size)
{
	struct uplink *u = calloc(1, sizeof(*u));
	struct net_error e = { "" };
	int err = -ENOMEM;

	why[0] = '\0';
	if (!u)
		return err;
	u->run = r;
	u->node = node;
	u->ep = -1;
	u->cfg = *cfg;
	if (!u->cfg.ifname)
		u->cfg.ifname = "eth0";
	if (!u->cfg.mtu)
		u->cfg.mtu = UPLINK_MTU_DEFAULT;
	u->max_flows = cfg->max_flows ? cfg->max_flows : flow_limit();
	TAILQ_INIT(&u->tcp_flows);
	TAILQ_INIT(&u->tcp_half);
	TAILQ_INIT(&u->tcp_again);
	TAILQ_INIT(&u->udp_flows);
	TAILQ_INIT(&u->echo_flows);
	TAILQ_INIT(&u->dns_queries);
	set_endpoint(u->guest, "10.0.2.15", "fd00::15");
	set_endpoint(u->gateway, "10.0.2.2", "fd00::2");
	set_endpoint(u->server, "10.0.2.3", "fd00::3");
	u->resolv_conf = strdup(cfg->resolv_conf ? cfg->resolv_conf : "/etc/resolv.conf");
	u->scratch = malloc(SCRATCH_SIZE);
	u->names = names_new();
	u->net = weir_net_create(run_machine(r), "uplink");
	if (u->resolv_conf && u->scratch && u->names && u->net)
		err = start(u, &e);
	if (!err && cfg->ports) {
		u->ports = cfg->ports;
		err = ports_start(u);
		if (err)
			u->ports = NULL;
	}
	if (err) {
		snprintf(why, size, "%s", e.text);
		destroy(r, u);
		return err;
	}
	run_at_finish(r, destroy, u);
	return 0;
}
