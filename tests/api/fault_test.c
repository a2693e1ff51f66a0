/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fault_test.c - when memory is refused: an error the caller can understand, nothing lost, and everything works again afterwards
 *
 * Allocations go through wrappers that are put in at link time. A script walks through the life of two nets; it is repeated with the
 * first allocation failing, then the second, and so on until none is left to fail. What the wrappers gave out must all be back after
 * each round. A second set of tests exhausts the memory for packets (mem_limit).
 */
#include "tests/api/two_nets.h"

#include <execinfo.h>
#include <linux/filter.h>
#include <linux/errqueue.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/ioctl.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/netdevice.h"
#include "core/skbuff.h"
#include "core/slab.h"
#include "llc/llc.h"
#include "stack/stack.h"

/* ---- allocations that fail --------------------------------------------------------------------------------- */

static long fail_at;       /* counts down; at 0 one fails. Negative: none does */
static bool fail_all_from; /* then all do, until fault_disarm() */
static long live;          /* blocks given out and not freed */
static bool fired;
static void *culprit[16];
static int culprit_depth;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t m);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int __real_posix_memalign(void **p, size_t align, size_t n);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t m);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int __wrap_posix_memalign(void **p, size_t align, size_t n);
char *__wrap_strdup(const char *s);
void __wrap_free(void *p);
char *__real_realpath(const char *path, char *resolved);
char *__wrap_realpath(const char *path, char *resolved);
int __wrap_asprintf(char **ret, const char *format, ...) __attribute__((format(printf, 2, 3)));

static bool refuse(void)
{
	if (fail_at < 0)
		return false;
	if (fail_at > 0) {
		fail_at--;
		return false;
	}
	if (!fail_all_from)
		fail_at = -1;
	if (!fired)
		culprit_depth = backtrace(culprit, 16);
	fired = true;
	errno = ENOMEM;
	return true;
}

static void *counted(void *p)
{
	live += p != NULL;
	return p;
}

void *__wrap_malloc(size_t n)
{
	return refuse() ? NULL : counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t m)
{
	return refuse() ? NULL : counted(__real_calloc(n, m));
}

void *__wrap_realloc(void *p, size_t n)
{
	if (refuse())
		return NULL;
	return p ? __real_realloc(p, n) : counted(__real_realloc(NULL, n));
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
	return refuse() ? NULL : counted(__real_aligned_alloc(align, n));
}

int __wrap_posix_memalign(void **p, size_t align, size_t n)
{
	int err = refuse() ? ENOMEM : __real_posix_memalign(p, align, n);

	live += !err;
	return err;
}

char *__wrap_strdup(const char *s)
{
	char *p = __wrap_malloc(strlen(s) + 1);

	return p ? strcpy(p, s) : NULL;
}

char *__wrap_realpath(const char *path, char *resolved)
{
	char *p;

	if (resolved || refuse())
		return resolved ? __real_realpath(path, resolved) : NULL;
	p = __real_realpath(path, NULL);
	return counted(p);
}

int __wrap_asprintf(char **ret, const char *format, ...)
{
	va_list args;
	int n;

	if (refuse())
		return -1;
	va_start(args, format);
	n = vasprintf(ret, format, args);
	va_end(args);
	live += n >= 0;
	return n;
}

void __wrap_free(void *p)
{
	live -= p != NULL;
	__real_free(p);
}

static void fault_arm(long n, bool all_from)
{
	fired = false;
	fail_all_from = all_from;
	fail_at = n;
}

static void fault_disarm(void)
{
	fail_at = -1;
}

/* ---- the script -------------------------------------------------------------------------------------------- */

enum {
	LISTENER,
	CLIENT,
	SERVER,
	EPOLL,
	UDP_A,
	UDP_B,
	GROUP,
	RAW,
	PING,
	PACKET,
	RING,
	MONITOR,
	PAIR_A,
	PAIR_B,
	PASSED,
	PIPE_R,
	PIPE_W,
	NAMED,
	GENERIC,
	SEQ_A,
	SEQ_B,
	DIAG,
	UDP6_A,
	UDP6_B,
	RAW6,
	PING6,
	DUAL,
	TFO_CLIENT,
	TFO_SERVER,
	NR_FILES
};

struct world {
	struct weir_machine *m;
	struct weir_net *net[2];
	struct weir_file *f[NR_FILES];
	struct sockaddr_in addr[2];
	struct weir_tap *tap;
	struct weir_dev *dev;
	struct weir_files *files, *forked;
	bool configured;
};

static const char *module_dir; /* argv: where the example modules are */

static char out[65536], in[65536];

#define TRY(call)                                                                                  \
	do {                                                                                       \
		int try_r = (int)(call);                                                           \
		if (try_r < 0)                                                                     \
			return try_r;                                                              \
	} while (0)

static int configure(struct world *w)
{
	struct lab_route rt = { .prefixlen = 8, .has_via = true };
	struct net_error err;
	bool before;

	TRY(net_veth_add(w->net[0], "eth0", w->net[1], "eth0", 0, &err));
	for (int i = 0; i < 2; i++) {
		w->addr[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
		w->addr[i].sin_addr.s_addr = htonl(0x0a000001u + (uint32_t)i);
		TRY(net_addr_add(w->net[i], "eth0", w->addr[i].sin_addr, 24, &err));
		before = fired;
		TRY(net_link_up(w->net[i], "eth0", &err));
		/* The routes of its addresses come with an event, which cannot fail: what is missing is made up for soon. */
		if (fired && !before && fail_all_from)
			return -ENOMEM;
		for (int t = 0; fired && !before && t < 10; t++)
			TRY(weir_run(w->m, 20000000));
		TRY(net_link_up(w->net[i], "lo", &err));
	}
	rt.dst = (struct lab_ip){ .family = AF_INET, .v4.s_addr = htonl(0x0b000000) };
	rt.via = (struct lab_ip){ .family = AF_INET, .v4 = w->addr[1].sin_addr };
	TRY(net_route_add(w->net[0], &rt, &err));
	TRY(weir_sysctl(w->net[0], "net.ipv4.ip_forward", "1"));
	w->configured = true;
	return 0;
}

static int open_connection(struct world *w)
{
	int r = -EAGAIN, one = 1;

	TRY(weir_socket(w->net[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &w->f[LISTENER]));
	weir_setsockopt(w->f[LISTENER], SOL_SOCKET, SO_REUSEADDR, &one,
			sizeof(one)); /* TIME_WAIT of a round before */
	TRY(weir_bind(w->f[LISTENER], (struct sockaddr *)&w->addr[1], sizeof(w->addr[1])));
	TRY(weir_listen(w->f[LISTENER], 5));
	TRY(weir_socket(w->net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &w->f[CLIENT]));
	TRY(weir_epoll_create(w->m, &w->f[EPOLL]));
	TRY(weir_epoll_ctl(w->f[EPOLL], EPOLL_CTL_ADD, w->f[LISTENER],
			   &(struct epoll_event){ .events = EPOLLIN }));
	r = weir_connect(w->f[CLIENT], (struct sockaddr *)&w->addr[1], sizeof(w->addr[1]));
	if (r != -EINPROGRESS)
		TRY(r);
	for (int i = 0; i < 300; i++) {
		r = weir_accept(w->f[LISTENER], NULL, NULL, SOCK_NONBLOCK, &w->f[SERVER]);
		if (r != -EAGAIN)
			break;
		TRY(weir_run(w->m, 100000000));
	}
	return r;
}

static int transfer(struct world *w, size_t octets)
{
	size_t sent = 0, got = 0;

	for (int idle = 0; got < octets && idle < 3000;) {
		ssize_t n = sent < octets ? weir_send(w->f[CLIENT], out, sizeof(out), MSG_NOSIGNAL)
					  : -EAGAIN;
		ssize_t r = weir_recv(w->f[SERVER], in, sizeof(in), 0);

		if (n < 0 && n != -EAGAIN)
			return (int)n;
		if (r < 0 && r != -EAGAIN)
			return (int)r;
		sent += n > 0 ? (size_t)n : 0;
		got += r > 0 ? (size_t)r : 0;
		idle = n > 0 || r > 0 ? 0 : idle + 1;
		TRY(weir_run(w->m, idle ? 100000000 : 0));
	}
	return got >= octets ? 0 : -ETIMEDOUT;
}

static int option(struct weir_file *f, int level, int name, const void *val, socklen_t len)
{
	return weir_setsockopt(f, level, name, val, len);
}

/* A send that finds no packet memory says what a full buffer says. */
static int sent(ssize_t n)
{
	return n == -EAGAIN ? -ENOMEM : (int)n;
}

/* A connection that is opened with data: the first asks for a cookie, the second has one; the end of each is remembered. */
static int open_fast(struct world *w)
{
	int r = weir_socket(w->net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &w->f[TFO_CLIENT]);

	TRY(r);
	r = sent(weir_sendto(w->f[TFO_CLIENT], out, 100, MSG_FASTOPEN | MSG_NOSIGNAL,
			     (struct sockaddr *)&w->addr[1], sizeof(w->addr[1])));
	if (r != -EINPROGRESS)
		TRY(r);
	for (int i = 0; i < 300; i++) {
		r = weir_accept(w->f[LISTENER], NULL, NULL, SOCK_NONBLOCK, &w->f[TFO_SERVER]);
		if (r != -EAGAIN)
			break;
		TRY(weir_run(w->m, 100000000));
	}
	TRY(r == -EAGAIN ? -ETIMEDOUT : r);
	TRY(sent(weir_send(w->f[TFO_SERVER], out, 5000, MSG_NOSIGNAL)));
	TRY(weir_run(w->m, 1000000));
	for (int i = 0; i < 2; i++) {
		while (weir_recv(w->f[TFO_CLIENT + i], in, sizeof(in), 0) > 0)
			;
		weir_close(w->f[TFO_CLIENT + i]);
		w->f[TFO_CLIENT + i] = NULL;
		TRY(weir_run(w->m, 1000000));
	}
	return 0;
}

/* What few connections have: state of congestion controls, pacing, fast open, saved SYNs, repair, zero copy. */
static int rare_connections(struct world *w)
{
	static const char *const controls[] = { "bbr", "bbr3", "dctcp", "reno", "cubic" };
	int one = 1, qlen = 5, rate = 100000000;
	uint8_t key[16] = { 1, 2, 3 };

	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		TRY(option(w->f[CLIENT], IPPROTO_TCP, TCP_CONGESTION, controls[i],
			   (socklen_t)strlen(controls[i])));
		TRY(transfer(w, 30000));
	}
	TRY(option(w->f[CLIENT], SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)));
	TRY(option(w->f[CLIENT], SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
	TRY(sent(weir_send(w->f[CLIENT], out, 20000, MSG_ZEROCOPY | MSG_NOSIGNAL)));
	TRY(transfer(w, 30000));
	for (int i = 0; i < 2; i++)
		TRY(weir_sysctl(w->net[i], "net.ipv4.tcp_fastopen", "3"));
	TRY(option(w->f[LISTENER], IPPROTO_TCP, TCP_FASTOPEN, &qlen, sizeof(qlen)));
	TRY(option(w->f[LISTENER], IPPROTO_TCP, TCP_FASTOPEN_KEY, key, sizeof(key)));
	TRY(option(w->f[LISTENER], IPPROTO_TCP, TCP_SAVE_SYN, &one, sizeof(one)));
	for (int i = 0; i < 3; i++)
		TRY(open_fast(w));
	return 0;
}

static int datagrams(struct world *w)
{
	for (int i = 0; i < 2; i++) {
		TRY(weir_socket(w->net[i], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0,
				&w->f[UDP_A + i]));
		TRY(weir_bind(w->f[UDP_A + i], (struct sockaddr *)&w->addr[i], sizeof(w->addr[i])));
	}
	TRY(weir_connect(w->f[UDP_A], (struct sockaddr *)&w->addr[1], sizeof(w->addr[1])));
	TRY(weir_send(w->f[UDP_A], out, 3000, 0));
	TRY(weir_run(w->m, 0));
	TRY(weir_recv(w->f[UDP_B], in, sizeof(in), 0) == -EAGAIN ? 0 : 1); /* may be lost */
	return 0;
}

/* Devices of every kind; a frame of the program's own. */
static int devices(struct world *w)
{
	static const char *const media[] = { "hub", "switch", "token" };
	struct lab_impairment imp = { .delay_ns = 1000, .loss = 1u << 28 };
	char frame[100] = "", name[IFNAMSIZ];
	struct net_error err;

	for (int i = 0; i < 3; i++) {
		snprintf(name, sizeof(name), "m%d", i);
		TRY(net_medium_add(w->net[0], name, media[i], &err));
		for (int k = 0; k < 2; k++) {
			char card[IFNAMSIZ];

			snprintf(card, sizeof(card), "c%d", i);
			TRY(net_nic_add(w->net[0], name, w->net[k], card, &err));
			TRY(net_link_up(w->net[k], card, &err));
		}
	}
	TRY(net_veth_add(w->net[0], "v0", w->net[1], "v0", 1400, &err));
	TRY(net_link_impair(w->net[0], "v0", &imp, &err));
	w->dev = weir_dev_create(w->net[0], "port%d", 0, 4);
	if (!w->dev)
		return -errno;
	TRY(net_link_up(w->net[0], "port0", &err));
	memset(frame, 0xff, 6);
	TRY(weir_dev_input(w->dev, frame, sizeof(frame)));
	TRY(weir_run(w->m, 0));
	return weir_dev_output(w->dev, frame, sizeof(frame), 1000000) == -ENOMEM ? -ENOMEM : 0;
}

/* Groups, raw and ping sockets, an error queue. */
static int other_sockets(struct world *w)
{
	struct ip_mreqn mr = { .imr_multiaddr.s_addr = htonl(0xefff0001) };
	struct group_source_req gsr = { .gsr_interface = 0 };
	struct sockaddr_in *group = (void *)&gsr.gsr_group, *source = (void *)&gsr.gsr_source;
	char echo[16] = { 8 };
	int one = 1;

	TRY(weir_socket(w->net[0], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &w->f[GROUP]));
	mr.imr_address = w->addr[0].sin_addr;
	TRY(option(w->f[GROUP], IPPROTO_IP, IP_ADD_MEMBERSHIP, &mr, sizeof(mr)));
	*group = *source = w->addr[1];
	group->sin_addr.s_addr = htonl(0xefff0002);
	gsr.gsr_interface = 2;
	TRY(option(w->f[GROUP], IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, &gsr, sizeof(gsr)));
	TRY(option(w->f[GROUP], IPPROTO_IP, IP_RECVERR, &one, sizeof(one)));
	TRY(weir_sendto(w->f[GROUP], out, 100, 0,
			(struct sockaddr *)&(struct sockaddr_in){ .sin_family = AF_INET,
								  .sin_port = htons(99),
								  .sin_addr = w->addr[1].sin_addr },
			sizeof(struct sockaddr_in)));
	TRY(weir_run(w->m, 1000000));
	TRY(weir_socket(w->net[0], AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP, &w->f[RAW]));
	TRY(weir_socket(w->net[0], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMP, &w->f[PING]));
	TRY(weir_sendto(w->f[PING], echo, sizeof(echo), 0, (struct sockaddr *)&w->addr[1],
			sizeof(w->addr[1])));
	TRY(weir_socketpair(w->net[0], AF_UNIX, SOCK_STREAM, 0, &w->f[PAIR_A]) == -ENOMEM ? -ENOMEM
											  : 0);
	return weir_run(w->m, 1000000) < 0 ? -ENOMEM : 0;
}

/* Packet sockets with a filter, memberships, fanout and rings; a netlink socket that listens. */
static int packet_sockets(struct world *w)
{
	struct sock_filter accept = { BPF_RET | BPF_K, 0, 0, 0xffff };
	struct sock_fprog prog = { 1, &accept };
	struct packet_mreq mr = { .mr_ifindex = 2, .mr_type = PACKET_MR_PROMISC };
	struct tpacket_req req = { 4096, 4, 2048, 8 };
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_ALL),
				  .sll_ifindex = 2 };
	int version = TPACKET_V2, fanout = 7, group = 1 /* RTNLGRP_LINK */, fd;
	size_t size;

	TRY(weir_socket(w->net[0], AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL),
			&w->f[PACKET]));
	TRY(option(w->f[PACKET], SOL_SOCKET, SO_ATTACH_FILTER, &prog, sizeof(prog)));
	TRY(option(w->f[PACKET], SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)));
	TRY(weir_bind(w->f[PACKET], (struct sockaddr *)&ll, sizeof(ll)));
	TRY(option(w->f[PACKET], SOL_PACKET, PACKET_FANOUT, &fanout, sizeof(fanout)));
	TRY(weir_socket(w->net[0], AF_PACKET, SOCK_DGRAM | SOCK_NONBLOCK, htons(ETH_P_ALL),
			&w->f[RING]));
	TRY(option(w->f[RING], SOL_PACKET, PACKET_VERSION, &version, sizeof(version)));
	TRY(option(w->f[RING], SOL_PACKET, PACKET_RX_RING, &req, sizeof(req)));
	TRY(weir_packet_ring_fd(w->f[RING], &fd, &size));
	close(fd);
	TRY(weir_socket(w->net[0], AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 0, &w->f[MONITOR]));
	TRY(option(w->f[MONITOR], 270 /* SOL_NETLINK */, 1 /* NETLINK_ADD_MEMBERSHIP */, &group,
		   sizeof(group)));
	TRY(weir_sysctl(w->net[0], "net.ipv4.conf.eth0.forwarding", "0"));
	TRY(weir_send(w->f[UDP_A], out, 2000, 0));
	return weir_run(w->m, 1000000) < 0 ? -ENOMEM : 0;
}

static void see_frame(const struct weir_frame *frame, void *arg)
{
}

/* What others show of the stack. */
static int seeing(struct world *w)
{
	static const char *const views[] = { "/proc/net/dev",    "/proc/net/udp",
					     "/proc/net/route",  "/proc/net/arp",
					     "/proc/net/packet", "/proc/net/igmp",
					     "/proc/net/snmp",   "/proc/sys/net/ipv4/ip_forward",
					     "/sys/class/net",   "/sys/class/net/eth0/mtu" };
	char *text;
	size_t len;

	TRY(weir_trace_enable(w->m, 100));
	w->tap = weir_tap_create(w->net[0], "eth0", 100, see_frame, NULL);
	if (!w->tap)
		return -errno;
	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		int r = weir_view_read(w->net[0], views[i], &text, &len);

		if (r == 0 || r == -EISDIR)
			free(text);
		else
			return r;
	}
	return weir_ioctl(w->f[UDP_A], SIOCGIFCONF, &(struct ifconf){ 0 }) == -ENOMEM ? -ENOMEM : 0;
}

/* tc qdisc replace dev eth0 parent @parent handle @major: @kind, and what its options are to be. */
static int add_qdisc(struct world *w, const char *kind, uint32_t parent, uint32_t major,
		     const void *opt, uint16_t len)
{
	struct {
		struct nlmsghdr h;
		struct tcmsg tc;
		char attrs[512];
	} q = { .h = { .nlmsg_type = RTM_NEWQDISC,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE },
		.tc = { .tcm_ifindex = 2, .tcm_parent = parent, .tcm_handle = major << 16 } };
	struct rtattr *a = (struct rtattr *)q.attrs;

	*a = (struct rtattr){ (unsigned short)RTA_LENGTH(strlen(kind) + 1), TCA_KIND };
	memcpy(RTA_DATA(a), kind, strlen(kind) + 1);
	q.h.nlmsg_len = NLMSG_LENGTH(sizeof(q.tc)) + RTA_ALIGN(a->rta_len);
	a = (struct rtattr *)((char *)&q + q.h.nlmsg_len);
	*a = (struct rtattr){ (unsigned short)RTA_LENGTH(len), TCA_OPTIONS };
	if (len)
		memcpy(RTA_DATA(a), opt, len);
	q.h.nlmsg_len += RTA_ALIGN(a->rta_len);
	return weir_netlink(w->net[0], NETLINK_ROUTE, &q.h, NULL, NULL, NULL, 0);
}

static int disciplines(struct world *w)
{
	struct tc_fifo_qopt fifo = { .limit = 50 };
	struct tc_prio_qopt prio = { .bands = 3, .priomap = { 1, 2, 2, 2, 1, 2, 0, 0, 1 } };

	struct {
		struct rtattr a;
		struct tc_tbf_qopt o;
	} tbf = { { sizeof(tbf), TCA_TBF_PARMS },
		  { .rate = { .rate = 12500000 }, .limit = 100000, .buffer = 1 << 20 } };
	struct {
		struct rtattr parms;
		struct tc_red_qopt o;
		struct rtattr table;
		uint8_t stab[256];
	} red = { .parms = { sizeof(red.parms) + sizeof(red.o), TCA_RED_PARMS },
		  .o = { .limit = 100000, .qth_min = 10000, .qth_max = 30000 },
		  .table = { sizeof(red.table) + sizeof(red.stab), TCA_RED_STAB } };

	TRY(add_qdisc(w, "pfifo", TC_H_ROOT, 1, &fifo, sizeof(fifo)));
	TRY(weir_send(w->f[UDP_A], out, 1000, 0));
	TRY(add_qdisc(w, "prio", TC_H_ROOT, 2, &prio, sizeof(prio)) == -ENOMEM ? -ENOMEM : 0);
	TRY(add_qdisc(w, "fq_codel", TC_H_ROOT, 3, NULL, 0));
	TRY(weir_send(w->f[UDP_A], out, 1000, 0));
	TRY(add_qdisc(w, "tbf", TC_H_ROOT, 4, &tbf, sizeof(tbf)));
	TRY(add_qdisc(w, "red", 0x40001, 5, &red, sizeof(red)));
	TRY(add_qdisc(w, "codel", 0x50001, 6, NULL, 0));
	TRY(weir_send(w->f[UDP_A], out, 1000, 0));
	return weir_run(w->m, 0) < 0 ? -ENOMEM : 0;
}

/* AF_UNIX: a file travels through a pair; a name. */
static int local_sockets(struct world *w)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "/name" };
	union {
		struct cmsghdr c;
		char buf[CMSG_SPACE(sizeof(struct weir_file *))];
	} u = { .c = { CMSG_LEN(sizeof(struct weir_file *)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { out, 10 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};

	memcpy(CMSG_DATA(&u.c), &w->f[UDP_A], sizeof(struct weir_file *));
	TRY(weir_sendmsg(w->f[PAIR_A], &msg, MSG_DONTWAIT));
	TRY(weir_recvmsg(w->f[PAIR_B], &msg, MSG_DONTWAIT));
	if (msg.msg_controllen) /* else it was lost on the way, with the message */
		memcpy(&w->f[PASSED], CMSG_DATA(&u.c), sizeof(struct weir_file *));
	TRY(weir_socket(w->net[0], AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, &w->f[NAMED]));
	return weir_bind(w->f[NAMED], (struct sockaddr *)&sun, sizeof(sun));
}

/* Descriptors and pipes. */
static int descriptors(struct world *w)
{
	struct weir_file *pipe[2];
	ssize_t n;

	TRY(weir_pipe(w->m, pipe, SOCK_NONBLOCK));
	w->f[PIPE_R] = pipe[0];
	w->f[PIPE_W] = pipe[1];
	TRY(weir_write(w->f[PIPE_W], out, 10000));
	n = weir_splice(w->f[PIPE_R], w->f[CLIENT], 10000, 0);
	TRY(n == -EAGAIN ? 0 : (int)n);
	TRY(weir_files_create(w->net[0], 0, &w->files));
	TRY(weir_fd_install(w->files, weir_file_get(w->f[CLIENT]), 0));
	TRY(weir_fd_dup2(w->files, 0, 200));
	return weir_files_fork(w->files, &w->forked);
}

/* Segments of one datagram, its time stamps in the error queue. */
static int newer_sockets(struct world *w)
{
	int size = 500, stamps = SOF_TIMESTAMPING_TX_SOFTWARE | SOF_TIMESTAMPING_SOFTWARE;

	TRY(option(w->f[UDP_A], IPPROTO_UDP, UDP_SEGMENT, &size, sizeof(size)));
	TRY(option(w->f[UDP_A], SOL_SOCKET, SO_TIMESTAMPING, &stamps, sizeof(stamps)));
	TRY(weir_send(w->f[UDP_A], out, 5000, 0));
	TRY(weir_run(w->m, 1000000));
	return weir_recv(w->f[UDP_A], in, sizeof(in), MSG_ERRQUEUE) == -ENOMEM ? -ENOMEM : 0;
}

/* ---- IPv6 ---------------------------------------------------------------------------------------------------- */

static struct sockaddr_in6 at6(const char *addr, uint16_t port)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_port = htons(port) };

	inet_pton(AF_INET6, addr, &a.sin6_addr);
	return a;
}

static struct lab_ip ip6(const char *addr)
{
	struct lab_ip ip = { .family = AF_INET6 };

	inet_pton(AF_INET6, addr, &ip.v6);
	return ip;
}

/* Addresses, DAD, routes. */
static int configure6(struct world *w)
{
	struct lab_route rt = { .prefixlen = 32, .has_via = true };
	struct net_error err;

	TRY(net_ip_add(w->net[0], "eth0", &(struct lab_ip[]){ ip6("fd00::1") }[0], 64, &err));
	TRY(net_ip_add(w->net[1], "eth0", &(struct lab_ip[]){ ip6("fd00::2") }[0], 64, &err));
	for (int i = 0; i < 20;
	     i++) /* routes of addresses that memory was lacking for are made up for */
		TRY(weir_run(w->m, 20000000));
	rt.dst = ip6("2001:db8::");
	rt.via = ip6("fd00::2");
	TRY(net_route_add(w->net[0], &rt, &err));
	TRY(weir_sysctl(w->net[1], "net.ipv6.conf.all.forwarding", "1"));
	for (int i = 0; i < 40; i++)
		TRY(weir_run(w->m, 100000000));
	return 0;
}

/* Datagrams whole and in fragments, a flow label, extension headers, groups with sources, an anycast address, an error queue. */
static int sockets6(struct world *w)
{
	struct sockaddr_in6 to = at6("fd00::2", 7), from = at6("fd00::1", 7);
	struct {
		struct in6_addr dst;
		uint32_t label;
		uint8_t action, share;
		uint16_t flags, expires, linger;
		uint32_t pad;
	} flow = { .dst = to.sin6_addr,
		   .action = 0 /* IPV6_FL_A_GET */,
		   .share = 1,
		   .flags = 1,
		   .expires = 20 };
	static const uint8_t pad[8] = { 0, 0, 1, 4 };
	struct ipv6_mreq mr = { .ipv6mr_interface = 2 };
	struct group_source_req gsr = { .gsr_interface = 2 };
	int one = 1, off = 2;

	TRY(weir_socket(w->net[0], AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0, &w->f[UDP6_A]));
	TRY(weir_socket(w->net[1], AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0, &w->f[UDP6_B]));
	TRY(weir_bind(w->f[UDP6_A], (struct sockaddr *)&from, sizeof(from)));
	TRY(weir_bind(w->f[UDP6_B], (struct sockaddr *)&to, sizeof(to)));
	TRY(option(w->f[UDP6_A], IPPROTO_IPV6, 32 /* IPV6_FLOWLABEL_MGR */, &flow, sizeof(flow)));
	TRY(option(w->f[UDP6_A], IPPROTO_IPV6, IPV6_HOPOPTS, pad, sizeof(pad)));
	TRY(option(w->f[UDP6_A], IPPROTO_IPV6, IPV6_RECVERR, &one, sizeof(one)));
	TRY(option(w->f[UDP6_B], IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof(one)));
	inet_pton(AF_INET6, "ff05::77", &mr.ipv6mr_multiaddr);
	TRY(option(w->f[UDP6_A], IPPROTO_IPV6, IPV6_JOIN_GROUP, &mr, sizeof(mr)));
	memcpy(&gsr.gsr_group, &(struct sockaddr_in6[]){ at6("ff05::78", 0) }[0], sizeof(to));
	memcpy(&gsr.gsr_source, &to, sizeof(to));
	TRY(option(w->f[UDP6_A], IPPROTO_IPV6, MCAST_JOIN_SOURCE_GROUP, &gsr, sizeof(gsr)));
	inet_pton(AF_INET6, "fd00::99", &mr.ipv6mr_multiaddr);
	TRY(option(w->f[UDP6_B], IPPROTO_IPV6, IPV6_JOIN_ANYCAST, &mr, sizeof(mr)));
	TRY(weir_sendto(w->f[UDP6_A], out, 100, 0, (struct sockaddr *)&to, sizeof(to)));
	TRY(weir_sendto(w->f[UDP6_A], out, 5000, MSG_MORE, (struct sockaddr *)&to, sizeof(to)));
	TRY(weir_sendto(w->f[UDP6_A], out, 5000, 0, (struct sockaddr *)&to, sizeof(to)));
	TRY(weir_run(w->m, 1000000));
	while (weir_recv(w->f[UDP6_B], in, sizeof(in), 0) >= 0)
		;
	to.sin6_port = htons(99); /* nobody's: an error comes */
	TRY(weir_sendto(w->f[UDP6_A], out, 100, 0, (struct sockaddr *)&to, sizeof(to)));
	TRY(weir_run(w->m, 1000000));
	weir_recv(w->f[UDP6_A], in, sizeof(in), MSG_ERRQUEUE);
	TRY(weir_getsockopt(w->f[UDP6_A], SOL_SOCKET, SO_ERROR, &one, &(socklen_t){ sizeof(one) }));
	TRY(weir_socket(w->net[0], AF_INET6, SOCK_RAW | SOCK_NONBLOCK, 200, &w->f[RAW6]));
	TRY(option(w->f[RAW6], IPPROTO_IPV6, IPV6_CHECKSUM, &off, sizeof(off)));
	TRY(weir_sendto(w->f[RAW6], out, 3000, 0,
			(struct sockaddr *)&(struct sockaddr_in6[]){ at6("fd00::2", 0) }[0],
			sizeof(to)));
	TRY(weir_socket(w->net[0], AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, IPPROTO_ICMPV6,
			&w->f[PING6]));
	TRY(weir_sendto(w->f[PING6], "\x80\0\0\0\0\0\0\1", 8, 0,
			(struct sockaddr *)&(struct sockaddr_in6[]){ at6("fd00::2", 0) }[0],
			sizeof(to)));
	TRY(weir_sendto(w->f[UDP6_A], out, 100, 0,
			(struct sockaddr *)&(struct sockaddr_in6[]){ at6("2001:db8::5", 7) }[0],
			sizeof(to)));
	return weir_run(w->m, 1000000) < 0 ? -ENOMEM : 0;
}

/* TCP over IPv6, from a mapped address too. */
static int connections6(struct world *w)
{
	struct sockaddr_in6 to = at6("fd00::2", 8), any = at6("::", 8),
			    mapped = at6("::ffff:10.0.0.2", 8);
	const struct sockaddr_in6 *way[] = { &to, &mapped };
	int r = -EAGAIN;

	TRY(weir_socket(w->net[1], AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0, &w->f[DUAL]));
	TRY(weir_bind(w->f[DUAL], (struct sockaddr *)&any, sizeof(any)));
	TRY(weir_listen(w->f[DUAL], 5));
	for (int k = 0; k < 2; k++) {
		TRY(weir_socket(w->net[0], AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0,
				&w->f[CLIENT]));
		r = weir_connect(w->f[CLIENT], (const struct sockaddr *)way[k], sizeof(to));
		if (r != -EINPROGRESS)
			TRY(r);
		for (int i = 0; i < 300; i++) {
			r = weir_accept(w->f[DUAL], NULL, NULL, SOCK_NONBLOCK, &w->f[SERVER]);
			if (r != -EAGAIN)
				break;
			TRY(weir_run(w->m, 100000000));
		}
		TRY(r);
		TRY(transfer(w, 100000));
		weir_close(w->f[CLIENT]);
		weir_close(w->f[SERVER]);
		w->f[CLIENT] = w->f[SERVER] = NULL;
	}
	return 0;
}

static void put16(uint8_t *p, unsigned v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* An ICMPv6 message as a frame of the link that "wire" is. */
static int hear6(struct world *w, const char *src, const char *dst, const uint8_t *msg, size_t len,
		 uint8_t hops)
{
	struct sockaddr_in6 s = at6(src, 0), d = at6(dst, 0);
	uint8_t f[400] = { 0x33, 0x33, 0, 0, 0, 1, 2, 0, 0, 0, 0, 1, 0x86, 0xdd, 0x60 };
	uint32_t sum = 0;

	put16(f + 18, (unsigned)len);
	f[20] = IPPROTO_ICMPV6;
	f[21] = hops;
	memcpy(f + 22, &s.sin6_addr, 16);
	memcpy(f + 38, &d.sin6_addr, 16);
	memcpy(f + 54, msg, len);
	for (size_t i = 22; i < 54 + len; i += 2)
		sum += (uint32_t)f[i] << 8 | f[i + 1];
	sum += (uint32_t)len + IPPROTO_ICMPV6;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	put16(f + 56, ~sum & 0xffff);
	TRY(weir_dev_input(w->dev, f, 54 + len));
	return weir_run(w->m, 10000000) < 0 ? -ENOMEM : 0;
}

/* Neighbours and routers that speak: advertisements with everything in them, redirects, queries, too big; and ICMP redirects. */
static int messages(struct world *w)
{
	static const uint8_t ra[] = { 134,  0, 0,   0,    64, 0, 7,    8, 0,    0, 0,    0,
				      0,    0, 0,   0, /* a router for half an hour */
				      1,    1, 2,   0,    0,  0, 0,    1, 5,    1, 0,    0,
				      0,    0, 5,   0xdc, /* its address, MTU */
				      3,    4, 64,  0xc0, 0,  1, 0,    0, 0,    0, 0x40, 0,
				      0,    0, 0,   0, /* prefix */
				      0x20, 1, 0xd, 0xb8, 0,  9, 0,    0, 0,    0, 0,    0,
				      0,    0, 0,   0, /* 2001:db8:9::/64 */
				      24,   2, 48,  0,    0,  0, 0x40, 0, 0x20, 1, 0xd,  0xb8,
				      0,    8, 0,   0, /* route */
				      25,   3, 0,   0,    0,  0, 0x40, 0, 0x20, 1, 0xd,  0xb8,
				      0,    0, 0,   0,    0,  0, 0,    0, 0,    0, 0,    0x53 };
	uint8_t redirect[48] = { 137 }, too_big[56] = { 2 };
	struct sockaddr_in6 target = at6("fe80::66", 0), about = at6("2001:db8:7::1", 0),
			    us = at6("fd05::1", 0);
	struct net_error err;

	w->dev = weir_dev_create(w->net[0], "wire", 0, 64);
	if (!w->dev)
		return -errno;
	TRY(weir_sysctl(w->net[0], "net.ipv6.conf.wire.accept_ra_rt_info_max_plen", "64"));
	TRY(weir_sysctl(w->net[0], "net.ipv6.conf.wire.use_tempaddr", "2"));
	TRY(net_link_up(w->net[0], "wire", &err));
	TRY(net_ip_add(w->net[0], "wire", &(struct lab_ip[]){ ip6("fd05::1") }[0], 64, &err));
	TRY(hear6(w, "fe80::1", "ff02::1", ra, sizeof(ra), 255));
	memcpy(redirect + 8, &target.sin6_addr, 16);
	memcpy(redirect + 24, &about.sin6_addr, 16);
	memcpy(redirect + 40, "\2\1\2\0\0\0\0\x66", 8);
	TRY(hear6(w, "fe80::1", "fd05::1", redirect, sizeof(redirect), 255));
	TRY(hear6(w, "fe80::1", "ff02::1", (const uint8_t[28]){ 130, 0, 0, 0, 0, 100 }, 24, 1));
	put16(too_big + 6, 1300);
	too_big[8] = 0x60;
	put16(too_big + 12, 8);
	too_big[14] = IPPROTO_UDP;
	memcpy(too_big + 16, &us.sin6_addr, 16);
	memcpy(too_big + 32, &about.sin6_addr, 16);
	put16(too_big + 48, 7);
	TRY(hear6(w, "fe80::1", "fd05::1", too_big, sizeof(too_big), 64));
	for (int i = 0; i < 30; i++) /* DAD of what was learnt */
		TRY(weir_run(w->m, 100000000));
	return 0;
}

/* "The next hop to 11.0.0.1 is 10.0.0.3", says 10.0.0.2, who is it so far. */
static int redirects(struct world *w)
{
	uint8_t m[36] = { 5, 1, 0,  0,           10, 0, 0,  3, 0x45, 0, 0,  28, 0, 0,
			  0, 0, 64, IPPROTO_UDP, 0,  0, 10, 0, 0,    1, 11, 0,  0, 1 };
	uint32_t sum = 0;

	for (size_t i = 0; i < sizeof(m); i += 2)
		sum += (uint32_t)m[i] << 8 | m[i + 1];
	put16(m + 2, ~(sum + (sum >> 16)) & 0xffff);
	TRY(weir_sysctl(w->net[0], "net.ipv4.conf.all.accept_redirects", "1"));
	TRY(weir_sysctl(w->net[0], "net.ipv4.conf.eth0.accept_redirects", "1"));
	TRY(weir_sysctl(w->net[0], "net.ipv4.conf.eth0.forwarding", "0"));
	TRY(weir_socket(w->net[1], AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_ICMP, &w->f[RAW]));
	TRY(weir_sendto(w->f[RAW], m, sizeof(m), 0, (struct sockaddr *)&w->addr[0],
			sizeof(w->addr[0])));
	return weir_run(w->m, 1000000) < 0 ? -ENOMEM : 0;
}

/* ---- families of netlink, modules, LLC, AF_UNIX ------------------------------------------------------------------ */

static void see_statistic(const char *name, uint64_t value, void *arg)
{
}

/* A request with nothing but its head; answers are read and thrown away. */
static int ask(struct weir_file *f, uint16_t type, uint16_t flags, const void *body, size_t len)
{
	struct {
		struct nlmsghdr h;
		uint8_t body[128];
	} q = { .h = { (uint32_t)NLMSG_LENGTH(len), type, (uint16_t)(NLM_F_REQUEST | flags), 1,
		       0 } };

	memcpy(q.body, body, len);
	TRY(weir_send(f, &q, q.h.nlmsg_len, 0));
	for (int i = 0; i < 200; i++) {
		const struct nlmsghdr *h = (const void *)in;
		ssize_t n = weir_recv(f, in, sizeof(in), 0);

		if (n == -EAGAIN)
			break;
		TRY(n);
		if (h->nlmsg_type == NLMSG_ERROR &&
		    ((const struct nlmsgerr *)NLMSG_DATA(h))->error == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

static int generic_netlink(struct world *w)
{
	static const uint8_t genl[4] = { 3 /* CTRL_CMD_GETFAMILY */, 1 }, strset[4] = { 1, 1 };
	char name[] = "rx-gro";
	struct lab_feature gro = { .name = name, .on = false };
	static const struct {
		uint16_t family;
		uint16_t pad[30];
	} diag = { AF_INET };
	struct net_error err;
	uint8_t unix_diag[24] = { AF_UNIX };

	TRY(net_medium_add(w->net[0], "hub0", "hub", &err));
	TRY(net_nic_add(w->net[0], "hub0", w->net[0], "card", &err));
	TRY(net_set_feature(w->net[0], "card", &gro));
	net_ethtool_stats(w->net[0], "card", see_statistic, NULL);
	TRY(weir_socket(w->net[0], AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 16 /* NETLINK_GENERIC */,
			&w->f[GENERIC]));
	TRY(ask(w->f[GENERIC], 16 /* GENL_ID_CTRL */, NLM_F_DUMP, genl, sizeof(genl)));
	for (uint8_t cmd = 1; cmd < 32; cmd++)
		TRY(ask(w->f[GENERIC], 17, NLM_F_DUMP, (const uint8_t[4]){ cmd, 1 },
			sizeof(strset)));
	TRY(weir_socket(w->net[0], AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK, 4 /* NETLINK_SOCK_DIAG */,
			&w->f[DIAG]));
	memset(unix_diag + 4, 0xff, 4);
	TRY(ask(w->f[DIAG], 20 /* SOCK_DIAG_BY_FAMILY */, NLM_F_DUMP, unix_diag,
		sizeof(unix_diag)));
	return ask(w->f[DIAG], 20, NLM_F_DUMP, &diag, 56);
}

static int modules(struct world *w)
{
	struct weir_file *f = NULL;

	TRY(weir_module_load(w->m, "net-pf-19", NULL, 0));
	TRY(weir_socket(w->net[0], 19, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f));
	weir_close(f);
	TRY(weir_module_unload(w->m, "net-pf-19"));
	TRY(weir_socket(w->net[0], AF_INET, SOCK_SEQPACKET | SOCK_NONBLOCK, 253,
			&f)); /* by itself */
	weir_close(f);
	return weir_run(w->m, 0) < 0 ? -ENOMEM : 0;
}

static void llc_see(struct sk_buff *skb, struct net_device *dev, const struct llc_sap *sap)
{
	consume_skb(skb);
}

static void snap_see(struct sk_buff *skb, struct net_device *dev, const struct snap_client *client)
{
	consume_skb(skb);
}

static int llc(struct world *w)
{
	static const struct llc_sap sap = { .lsap = 0x42, .rcv = llc_see };
	static const struct snap_client client = { .id = { 0x00000c, 0x2000 }, .rcv = snap_see };
	struct net *net = net_of(w->net[1]), *from = net_of(w->net[0]);
	struct sk_buff *skb;
	int r;

	rtnl_lock(net->machine);
	r = llc_sap_register(net, &sap);
	if (!r) {
		r = register_snap_client(net, &client);
		if (!r)
			unregister_snap_client(net, &client);
		llc_sap_unregister(net, &sap);
	}
	rtnl_unlock(net->machine);
	TRY(r);
	cpu_lock(from->cpu);
	skb = alloc_skb(from->cpu, LL_MAX_HEADER + 10);
	if (skb) {
		skb_reserve(skb, LL_MAX_HEADER);
		skb_put_zero(skb, 10);
		skb->dev = __dev_get_by_name(from, "eth0");
		r = llc_build_and_send_ui_pkt(skb, skb->dev->dev_addr, 0x42, 0x42);
	}
	cpu_unlock(from->cpu);
	return skb ? r : -ENOMEM;
}

/* Streams, packets, a cycle of sockets in flight that only collecting garbage ends. */
static int more_local_sockets(struct world *w)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX, .sun_path = "\0abstract" };
	union {
		struct cmsghdr c;
		char buf[CMSG_SPACE(2 * sizeof(struct weir_file *))];
	} u = { .c = { CMSG_LEN(2 * sizeof(struct weir_file *)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { out, 10 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &u, .msg_controllen = sizeof(u)
	};
	struct weir_file *pair[2] = { NULL };

	TRY(weir_socket(w->net[0], AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, &w->f[LISTENER]));
	TRY(weir_bind(w->f[LISTENER], (struct sockaddr *)&sun, sizeof(sun)));
	TRY(weir_listen(w->f[LISTENER], 3));
	TRY(weir_socket(w->net[0], AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, &w->f[SEQ_A]));
	TRY(weir_connect(w->f[SEQ_A], (struct sockaddr *)&sun, sizeof(sun)));
	TRY(weir_accept(w->f[LISTENER], NULL, NULL, SOCK_NONBLOCK, &w->f[SEQ_B]));
	TRY(weir_send(w->f[SEQ_A], out, 1000, 0));
	TRY(weir_recv(w->f[SEQ_B], in, sizeof(in), 0));
	TRY(weir_socketpair(w->net[0], AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair));
	w->f[PAIR_A] = pair[0];
	w->f[PAIR_B] = pair[1];
	memcpy(CMSG_DATA(&u.c), pair, sizeof(pair));
	TRY(weir_sendmsg(pair[0], &msg, MSG_DONTWAIT));
	TRY(weir_send(pair[1], out, 60000, MSG_DONTWAIT));
	TRY(weir_recv(pair[0], in, sizeof(in), 0));
	TRY(weir_socket(w->net[0], AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, &w->f[NAMED]));
	TRY(weir_bind(w->f[NAMED], (struct sockaddr *)&sun, sizeof(sa_family_t))); /* autobind */
	return 0;
}

static int seeing6(struct world *w)
{
	static const char *const views[] = { "/proc/net/if_inet6",  "/proc/net/ipv6_route",
					     "/proc/net/udp6",      "/proc/net/tcp6",
					     "/proc/net/raw6",      "/proc/net/snmp6",
					     "/proc/net/igmp6",     "/proc/net/mcfilter6",
					     "/proc/net/sockstat6", "/proc/net/ip6_flowlabel",
					     "/proc/net/anycast6",  "/proc/net/unix",
					     "/proc/net/icmp6" };
	char *text;
	size_t len;

	for (size_t i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
		TRY(weir_view_read(w->net[0], views[i], &text, &len));
		free(text);
	}
	return 0;
}

/* The second half, in machines of its own: what goes with IPv6, and what is loaded and asked at run time. */
static int script6(struct world *w)
{
	TRY(configure6(w));
	TRY(sockets6(w));
	TRY(connections6(w));
	TRY(messages(w));
	TRY(redirects(w));
	TRY(generic_netlink(w));
	TRY(llc(w));
	TRY(modules(w));
	TRY(more_local_sockets(w));
	return seeing6(w);
}

static int script4(struct world *w)
{
	struct epoll_event ev;
	char *text;
	size_t len;

	TRY(open_connection(w));
	TRY(weir_epoll_wait(w->f[EPOLL], &ev, 1, 0));
	TRY(transfer(w, 300000));
	TRY(rare_connections(w));
	TRY(datagrams(w));
	TRY(weir_view_read(w->net[0], "/proc/net/tcp", &text, &len));
	free(text);
	TRY(devices(w));
	TRY(other_sockets(w));
	TRY(packet_sockets(w));
	TRY(disciplines(w));
	TRY(local_sockets(w));
	TRY(descriptors(w));
	TRY(newer_sockets(w));
	return seeing(w);
}

static int script(struct world *w, const struct weir_machine_config *cfg,
		  int (*scene)(struct world *w))
{

	w->m = weir_machine_create(cfg);
	if (!w->m)
		return -errno;
	for (u32 i = 0; i < w->m->m->ncpus; i++)
		slabs_make_plain(w->m->m->cpus[i]); /* each object is an allocation that may fail */
	for (int i = 0; i < 2; i++) {
		w->net[i] = weir_net_create(w->m, i ? "b" : "a");
		if (!w->net[i])
			return -errno;
	}
	TRY(configure(w));
	return scene(w);
}

static void close_files(struct world *w)
{
	for (int i = 0; i < NR_FILES; i++)
		if (w->f[i])
			weir_close(w->f[i]);
	memset(w->f, 0, sizeof(w->f));
	weir_files_destroy(w->files);
	weir_files_destroy(w->forked);
	w->files = w->forked = NULL;
}

static void tear_down(struct world *w)
{
	struct weir_memory mem;

	close_files(w);
	weir_tap_destroy(w->tap);
	weir_dev_destroy(w->dev);
	for (int i = 0; i < 2; i++)
		weir_net_destroy(w->net[i]);
	if (!w->m)
		return;
	weir_memory(w->m, &mem);
	assert_int_equal(mem.nr_socks, 0);
	assert_int_equal(mem.skb_live, 0);
	weir_machine_destroy(w->m);
}

static int failures; /* goes on after one: the next allocation may tell more */

static void explain(long n, const char *what, int r)
{
	fprintf(stderr, "allocation %ld failed: %s (%s), live %ld\n", n, what, strerror(-r), live);
	backtrace_symbols_fd(culprit, culprit_depth, 2);
	failures++;
}

static int lowest_fd(void)
{
	int fd = dup(2);

	close(fd);
	return fd;
}

/* One round. False: there was no allocation to fail any more. */
static bool round_with_fault(int (*scene)(struct world *w), long n, bool all_from)
{
	const struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL,
						 .module_path = module_dir };
	struct world w = { NULL };
	long before = live;
	int fd_before = lowest_fd();
	bool done;
	int r;

	fault_arm(n, all_from);
	r = script(&w, &cfg, scene);
	done = !fired;
	fault_disarm();
	if (done && r)
		explain(n, "the script fails by itself", r);
	/* All-out famine may also stop what waits for the other end. */
	if (r && r != -ENOMEM && r != -ENOBUFS &&
	    !(all_from && (r == -ETIMEDOUT || r == -EAGAIN))) {
		explain(n, "the script saw the wrong error", r);
	}
	if (w.configured) {
		close_files(&w);
		r = open_connection(&w);
		r = r ? r : transfer(&w, 300000);
		if (r)
			explain(n, "the stack does not work afterwards", r);
	}
	tear_down(&w);
	if (live != before)
		explain(n, "memory is lost", 0);
	if (lowest_fd() != fd_before)
		explain(n, "a descriptor is lost", 0);
	return !done;
}

static void each_may_fail(int (*scene)(struct world *w))
{
	long n = 0;

	failures = 0;
	backtrace(culprit, 1); /* loads what it needs */
	while (round_with_fault(scene, n, false))
		n++;
	print_message("%ld allocations\n", n);
	assert_true(n > 50);
	assert_int_equal(failures, 0);
}

static void all_may_fail_from_some_moment_on(int (*scene)(struct world *w))
{
	long n = 0;

	failures = 0;
	while (round_with_fault(scene, n, true))
		n += n < 200 ? 1 : 3;
	assert_int_equal(failures, 0);
}

static void every_single_allocation_may_fail(void **state)
{
	each_may_fail(script4);
}

static void every_single_allocation_may_fail_with_ipv6(void **state)
{
	each_may_fail(script6);
}

static void all_allocations_may_fail_from_some_moment_on(void **state)
{
	all_may_fail_from_some_moment_on(script4);
}

static void all_allocations_may_fail_from_some_moment_on_with_ipv6(void **state)
{
	all_may_fail_from_some_moment_on(script6);
}

/* ---- a descriptor of the host ------------------------------------------------------------------------------ */

static int attach_script(void)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = m ? weir_net_create(m, "a") : NULL;
	struct net_error err;
	char packet[40] = { 0x45 };
	int fds[2], r = net ? 0 : -ENOMEM;

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, fds), 0);
	if (!r)
		r = weir_dev_attach_tap(net, "tun0", fds[0], WEIR_DEV_L3);
	if (!r)
		r = net_link_up(net, "tun0", &err);
	assert_int_equal(write(fds[1], packet, sizeof(packet)), sizeof(packet));
	for (int i = 0; i < 3 && !r; i++)
		r = weir_run(m, 1000000) < 0 ? -ENOMEM : 0;
	close(fds[0]);
	close(fds[1]);
	weir_net_destroy(net);
	weir_machine_destroy(m);
	return r;
}

static void attaching_a_descriptor_may_fail_anywhere(void **state)
{
	int fd_before = lowest_fd(), r;
	long before = live, n = 0;

	failures = 0;
	do {
		fault_arm(n++, false);
		r = attach_script();
		fault_disarm();
		if (r && ((r != -ENOMEM && r != -ENOBUFS) || !fired))
			explain(n, "the wrong error", r);
		if (live != before || lowest_fd() != fd_before)
			explain(n, "something is lost", 0);
	} while (fired && !failures);
	assert_int_equal(failures, 0);
	assert_true(n > 30);
}

/* ---- the arena is used up ---------------------------------------------------------------------------------- */

static void exhaust(uint64_t limit)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .mem_limit = limit };
	struct weir_file *hog[40] = { NULL };
	struct world w = { NULL };
	int r = script(&w, &cfg, script4), big = 1 << 22;
	ssize_t n = 0;

	assert_true(r == 0 || r == -ENOMEM || r == -ENOBUFS || r == -ETIMEDOUT);
	if (r) {
		tear_down(&w); /* not even enough for that */
		return;
	}
	/* Many receivers that do not read. */
	for (int i = 0; i < 40; i++) {
		struct sockaddr_in a = w.addr[1];

		a.sin_port = htons((uint16_t)(1000 + i));
		r = weir_socket(w.net[1], AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &hog[i]);
		assert_true(r == 0 || r == -ENOMEM);
		if (r)
			continue;
		weir_setsockopt(hog[i], SOL_SOCKET, SO_RCVBUFFORCE, &big, sizeof(big));
		assert_int_equal(weir_bind(hog[i], (struct sockaddr *)&a, sizeof(a)), 0);
		for (int k = 0; k < 200; k++) {
			n = weir_sendto(w.f[UDP_A], out, 1400, 0, (struct sockaddr *)&a, sizeof(a));
			assert_true(n == 1400 || n == -ENOBUFS || n == -ENOMEM || n == -EAGAIN);
			weir_run(w.m, 0);
		}
	}
	/* TCP has to wait, or says so. */
	r = transfer(&w, 1000000);
	assert_true(r == 0 || r == -ENOBUFS || r == -ENOMEM || r == -ETIMEDOUT);
	for (int i = 0; i < 40; i++)
		if (hog[i])
			weir_close(hog[i]);
	close_files(&w);
	r = open_connection(&w);
	assert_int_equal(r, 0);
	assert_int_equal(transfer(&w, 300000), 0);
	tear_down(&w);
}

static void packets_may_use_up_their_memory(void **state)
{
	long before = live;

	for (uint64_t limit = 65536; limit <= 16 << 20; limit *= 2) {
		exhaust(limit);
		assert_int_equal(live, before);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_single_allocation_may_fail),
		cmocka_unit_test(every_single_allocation_may_fail_with_ipv6),
		cmocka_unit_test(all_allocations_may_fail_from_some_moment_on),
		cmocka_unit_test(all_allocations_may_fail_from_some_moment_on_with_ipv6),
		cmocka_unit_test(attaching_a_descriptor_may_fail_anywhere),
		cmocka_unit_test(packets_may_use_up_their_memory),
	};

	if (argc != 2)
		return 2;
	module_dir = argv[1];
	fault_disarm();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
