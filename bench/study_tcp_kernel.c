/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * study_tcp_kernel.c - the scenarios of study_tcp over the host's own TCP, through our link; or over weir's between the same taps
 *
 *      namespace A: 10.77.1.2 tap0 ---- a ======[ the bottleneck ]====== b ---- tap0 10.77.2.2 :namespace B
 *                          kernel        weir, forwards           weir        kernel
 * With weir_ends the two kernels leave their tap0 alone, and a weir in the same process is on it by AF_PACKET (study_tcp_weir.c).
 *
 * Each end is a process in a network namespace of its own, which goes with it; its tap's descriptor is ours. Frames are those of the wire: the
 * taps offer no offloads. Time is real: the three processes ask for real-time scheduling, so that other load makes no bursts; without it, or on a
 * virtual machine that stands still, the figures vary.
 * Needs root (or what gives CAP_NET_ADMIN over new namespaces) and /dev/net/tun.
 */
#include "bench/study_tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/tcp.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

#include "lab/lab_net.h"

#define MS 1000000ULL
#define S  1000000000ULL

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * S + (uint64_t)t.tv_nsec;
}

static struct sockaddr_in address(unsigned net, unsigned host)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(7) };

	a.sin_addr.s_addr = htonl(STUDY_NET | net << 8 | host);
	return a;
}

/* ---- an end: a process in a namespace ------------------------------------------------------------------ */

static void fail(const char *what)
{
	fprintf(stderr, "study_tcp: %s: %s\n", what, strerror(errno));
	_exit(1);
}

static void set_sysctl(const char *name, const char *value)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "/proc/sys/net/%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		fail(path);
	close(fd);
}

static void set_address(const char *name, unsigned net)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in a = address(net, 2), mask = { .sin_family = AF_INET };
	struct ifreq r = { 0 };

	mask.sin_addr.s_addr = htonl(0xffffff00);
	a.sin_port = 0;
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	memcpy(&r.ifr_addr, &a, sizeof(a));
	if (ioctl(s, SIOCSIFADDR, &r))
		fail("address");
	memcpy(&r.ifr_netmask, &mask, sizeof(mask));
	if (ioctl(s, SIOCSIFNETMASK, &r))
		fail("netmask");
	close(s);
}

static void interface_up(const char *name)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct ifreq r = { .ifr_flags = IFF_UP | IFF_RUNNING };

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	if (ioctl(s, SIOCSIFFLAGS, &r))
		fail("up");
	close(s);
}

static void default_route(unsigned net)
{
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in gw = address(net, 1), any = { .sin_family = AF_INET };
	struct rtentry rt = { .rt_flags = RTF_UP | RTF_GATEWAY };

	gw.sin_port = 0;
	memcpy(&rt.rt_gateway, &gw, sizeof(gw));
	memcpy(&rt.rt_dst, &any, sizeof(any));
	memcpy(&rt.rt_genmask, &any, sizeof(any));
	if (ioctl(s, SIOCADDRT, &rt))
		fail("route");
	close(s);
}

static void send_fd(int channel, int fd)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c = { .h = { CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS } };
	struct iovec iov = { (char[]){ "t" }, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = sizeof(c.room) };

	memcpy(CMSG_DATA(&c.h), &fd, sizeof(fd));
	if (sendmsg(channel, &m, 0) != 1)
		fail("descriptor");
	close(fd);
}

static int receive_fd(int channel)
{
	union {
		struct cmsghdr h;
		char room[CMSG_SPACE(sizeof(int))];
	} c;
	char octet;
	struct iovec iov = { &octet, 1 };
	struct msghdr m = { .msg_iov = &iov,
			    .msg_iovlen = 1,
			    .msg_control = &c,
			    .msg_controllen = sizeof(c.room) };
	int fd;

	if (recvmsg(channel, &m, MSG_CMSG_CLOEXEC) != 1 || m.msg_controllen < CMSG_LEN(sizeof(int)))
		return -1;
	memcpy(&fd, CMSG_DATA(&c.h), sizeof(fd));
	return fd;
}

/* A namespace with a tap, whose descriptor goes to the parent. */
static void enter_namespace(const struct study_scenario *s, int channel, unsigned net)
{
	struct ifreq r = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd;

	if (unshare(CLONE_NEWNET))
		fail("namespace");
	fd = open("/dev/net/tun", O_RDWR);
	snprintf(r.ifr_name, sizeof(r.ifr_name), "tap0");
	if (fd < 0 || ioctl(fd, TUNSETIFF, &r))
		fail("/dev/net/tun");
	if (s->weir_ends) {
		set_sysctl("ipv6/conf/tap0/disable_ipv6", "1");
		interface_up("tap0");
	} else {
		set_address("tap0", net);
		interface_up("tap0");
		default_route(net);
		set_sysctl("ipv4/tcp_wmem", STUDY_WMEM);
		set_sysctl("ipv4/tcp_rmem", STUDY_RMEM);
		if (s->mark_from)
			set_sysctl("ipv4/tcp_ecn", "1");
	}
	send_fd(channel, fd);
}

struct sender {
	int fd;
	struct study_sender seen;
};

static void look(struct sender *f, bool first)
{
	struct tcp_info i;
	socklen_t len = sizeof(i);

	if (getsockopt(f->fd, IPPROTO_TCP, TCP_INFO, &i, &len))
		fail("TCP_INFO");
	study_look(&f->seen, &i, first);
}

static int open_sender(const struct study_scenario *s)
{
	struct sockaddr_in to = address(2, 2);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, s->control, (socklen_t)strlen(s->control)))
		fail(s->control);
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		fail("connect");
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static void kernel_send(const struct study_scenario *s, int channel)
{
	static char buf[1 << 16];
	struct sender f[STUDY_MAX_FLOWS] = { 0 };
	uint64_t begin = now_ns(), from = begin + (uint64_t)(s->from_s * 1e9),
		 end = begin + (uint64_t)(s->to_s * 1e9), next_look = from, now;
	unsigned opened = 0;

	while ((now = now_ns()) < end) {
		struct pollfd p[STUDY_MAX_FLOWS];

		if (opened < s->flows && now >= begin + opened * STUDY_STEP_S * S)
			f[opened++].fd = open_sender(s);
		for (unsigned i = 0; i < opened; i++) {
			while (send(f[i].fd, buf, sizeof(buf), MSG_NOSIGNAL) > 0)
				;
			p[i] = (struct pollfd){ f[i].fd, POLLOUT, 0 };
		}
		if (now >= next_look) {
			for (unsigned i = 0; i < opened; i++)
				look(&f[i], next_look == from);
			next_look += (uint64_t)(STUDY_LOOK_S * 1e9);
		}
		poll(p, opened, 2);
	}
	for (unsigned i = 0; i < s->flows; i++)
		if (write(channel, &f[i].seen.result, sizeof(f[i].seen.result)) < 0)
			fail("result");
}

static void kernel_receive(const struct study_scenario *s, int channel)
{
	static char buf[1 << 16];
	struct sockaddr_in a = address(2, 2);
	uint64_t octets[STUDY_MAX_FLOWS] = { 0 }, begin, from, end, now;
	struct pollfd p[STUDY_MAX_FLOWS + 1] = { { socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0),
						   POLLIN, 0 } };
	unsigned accepted = 0;
	ssize_t n;
	char go;

	if (bind(p[0].fd, (struct sockaddr *)&a, sizeof(a)) || listen(p[0].fd, STUDY_MAX_FLOWS))
		fail("listen");
	if (write(channel, "r", 1) != 1 || read(channel, &go, 1) != 1)
		fail("start");
	begin = now_ns();
	from = begin + (uint64_t)(s->from_s * 1e9);
	end = begin + (uint64_t)(s->to_s * 1e9);
	while ((now = now_ns()) < end) {
		poll(p, accepted + 1, 2);
		if (accepted < s->flows) {
			int fd = accept4(p[0].fd, NULL, NULL, SOCK_NONBLOCK);

			if (fd >= 0)
				p[++accepted] = (struct pollfd){ fd, POLLIN, 0 };
		}
		for (unsigned i = 0; i < accepted; i++)
			while ((n = recv(p[i + 1].fd, buf, sizeof(buf), 0)) > 0)
				octets[i] += now >= from ? (uint64_t)n : 0;
	}
	if (write(channel, octets, sizeof(octets)) < 0)
		fail("result");
}

/* ---- the middle ------------------------------------------------------------------------------------------ */

struct end {
	pid_t pid;
	int channel, tap;
};

static bool start_end(const struct study_scenario *s, struct end *e, unsigned net)
{
	int pair[2];
	char go;

	e->tap = e->channel = -1;
	e->pid = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return false;
	e->pid = fork();
	if (!e->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(pair[0]);
		enter_namespace(s, pair[1], net);
		if (net == 2)
			(s->weir_ends ? study_weir_receive : kernel_receive)(s, pair[1]);
		else if (read(pair[1], &go, 1) != 1)
			fail("start");
		else
			(s->weir_ends ? study_weir_send : kernel_send)(s, pair[1]);
		_exit(0);
	}
	close(pair[1]);
	e->channel = pair[0];
	e->tap = e->pid > 0 ? receive_fd(e->channel) : -1;
	return e->tap >= 0;
}

static void stop_end(struct end *e)
{
	if (e->pid > 0) {
		kill(e->pid, SIGKILL);
		waitpid(e->pid, NULL, 0);
	}
	if (e->tap >= 0)
		close(e->tap);
	if (e->channel >= 0)
		close(e->channel);
}

struct middle {
	struct weir_machine *m;
	struct weir_net *net[2];
};

static int build(struct middle *w, const struct study_scenario *s, const struct end *e)
{
	struct lab_impairment imp = { .delay_ns = (uint64_t)(study_rtt_us(s) * 1000 / 2),
				      .rate_bps = (uint64_t)study_rate(s),
				      .loss = (uint32_t)(s->loss * 4294967296.0),
				      .queue_packets = study_queue(s),
				      .ecn_packets = s->mark_from };
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_REAL,
					   .seeded = true,
					   .seed = s->seed };
	struct net_error err = { "" };
	int r;

	w->m = weir_machine_create(&cfg);
	w->net[0] = w->m ? weir_net_create(w->m, "a") : NULL;
	w->net[1] = w->m ? weir_net_create(w->m, "b") : NULL;
	if (!w->net[0] || !w->net[1])
		return -ENOMEM;
	r = net_veth_add(w->net[0], "eth0", w->net[1], "eth0", 0, &err);
	for (unsigned i = 0; i < 2 && !r; i++) {
		struct lab_route rt = { .prefixlen = 24, .has_via = true };

		r = weir_dev_attach_tap(w->net[i], "tap0", e[i].tap, 0);
		if (!r)
			r = net_addr_add(w->net[i], "tap0", address(i + 1, 1).sin_addr, 24, &err);
		if (!r)
			r = net_addr_add(w->net[i], "eth0", address(3, i + 1).sin_addr, 24, &err);
		if (!r)
			r = net_link_up(w->net[i], "tap0", &err);
		if (!r)
			r = net_link_up(w->net[i], "eth0", &err);
		rt.dst = (struct lab_ip){ .family = AF_INET,
					  .v4.s_addr = htonl(STUDY_NET | (2 - i) << 8) };
		rt.via = (struct lab_ip){ .family = AF_INET, .v4 = address(3, 2 - i).sin_addr };
		if (!r)
			r = net_route_add(w->net[i], &rt, &err);
		if (!r)
			r = weir_sysctl(w->net[i], "net.ipv4.ip_forward", "1");
		if (!r)
			r = net_link_impair(w->net[i], "eth0", &imp, &err);
	}
	return r;
}

static bool read_all(int fd, void *p, size_t n)
{
	return recv(fd, p, n, MSG_WAITALL) == (ssize_t)n;
}

static bool measure(struct middle *w, const struct study_scenario *s, struct end *e,
		    struct study_flow *f)
{
	uint64_t octets[STUDY_MAX_FLOWS], end;
	char ready;

	if (!read_all(e[1].channel, &ready, 1) || write(e[1].channel, "g", 1) != 1 ||
	    write(e[0].channel, "g", 1) != 1)
		return false;
	end = now_ns() + (uint64_t)(s->to_s * 1e9) + S / 2;
	while (now_ns() < end)
		weir_run(w->m, 10 * MS);
	for (unsigned i = 0; i < s->flows; i++)
		if (!read_all(e[0].channel, &f[i], sizeof(f[i])))
			return false;
	if (!read_all(e[1].channel, octets, sizeof(octets)))
		return false;
	for (unsigned i = 0; i < s->flows; i++)
		f[i].octets = octets[i];
	return true;
}

/* A millisecond's delay is fifty packets' room in a queue that has sixteen. Children inherit it. */
static void hurry(bool on)
{
	struct sched_param p = { .sched_priority = on ? 10 : 0 };

	sched_setscheduler(0, on ? SCHED_FIFO : SCHED_OTHER, &p); /* as well as it goes */
}

struct study_result study_sum_up(const struct study_scenario *s, const struct study_flow *f)
{
	double sum = 0, squares = 0, retrans = 0, sent = 0, srtt = 0;

	for (unsigned i = 0; i < s->flows; i++) {
		double x = (double)f[i].octets;

		sum += x;
		squares += x * x;
		retrans += f[i].retrans;
		sent += f[i].sent;
		srtt += f[i].srtt_us;
	}
	return (struct study_result){
		.goodput =
			sum * 8 / (s->to_s - s->from_s) / (study_rate(s) * STUDY_MSS / STUDY_FRAME),
		.rtt = srtt / s->flows / study_rtt_us(s),
		.losses = sent > 0 ? retrans / sent : 0,
		.fairness = squares > 0 ? sum * sum / (s->flows * squares) : 0,
	};
}

bool study_kernel_run(const struct study_scenario *s, struct study_result *ret,
		      const char **ret_why)
{
	struct study_flow f[STUDY_MAX_FLOWS] = { 0 };
	struct end e[2] = { { 0, -1, -1 }, { 0, -1, -1 } };
	struct middle w = { 0 };
	int r;

	*ret_why = NULL;
	hurry(true);
	if (!start_end(s, &e[0], 1) || !start_end(s, &e[1], 2)) {
		*ret_why = "no network namespace with a tap interface: run as root";
	} else {
		r = build(&w, s, e);
		if (r)
			*ret_why = strerror(-r);
		else if (!measure(&w, s, e, f))
			*ret_why = "an end has failed";
		else
			*ret = study_sum_up(s, f);
	}
	if (w.m)
		weir_machine_destroy(w.m);
	stop_end(&e[0]);
	stop_end(&e[1]);
	hurry(false);
	return !*ret_why;
}
