/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_side.c - the same measurements on the host's kernel: two threads with blocking sockets
 *
 * Loopback uses the host's own "lo"; veth uses a pair of network namespaces that are made for the measurement and vanish with the threads
 * (needs root: -EPERM otherwise). Congestion control is set to cubic on both sides.
 */
#include "bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

struct side {
	const struct bench_params *params;
	int type; /* SOCK_* */
	void (*serve)(int fd,
		      const struct bench_params *p); /* one connection, or the bound socket */
	bool many;                                   /* serve every connection */
	struct sockaddr_in addr;
	pthread_barrier_t ready, linked;
	pid_t server_tid;
	int error;
	int listener;
	volatile bool stop;
	uint64_t received;
};

static void use_cubic(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
}

static void *server_thread(void *arg)
{
	struct side *s = arg;
	int one = 1, fd;

	s->server_tid = (pid_t)syscall(SYS_gettid);
	if (s->params->path != PATH_LOOPBACK && unshare(CLONE_NEWNET) < 0)
		s->error = -errno;
	pthread_barrier_wait(&s->ready);
	pthread_barrier_wait(&s->linked); /* the client's side has made the link */
	if (s->error)
		return NULL;
	s->listener = socket(AF_INET, s->type, 0);
	setsockopt(s->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	use_cubic(s->listener);
	if (bind(s->listener, (struct sockaddr *)&s->addr, sizeof(s->addr)) < 0 ||
	    (s->type == SOCK_STREAM && listen(s->listener, 1024) < 0))
		s->error = -errno;
	pthread_barrier_wait(&s->ready);
	if (s->error)
		return NULL;
	if (s->type == SOCK_DGRAM) {
		s->serve(s->listener, s->params);
		return NULL;
	}
	do {
		fd = accept(s->listener, NULL, NULL);
		if (fd < 0)
			break;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		s->serve(fd, s->params);
		close(fd);
	} while (s->many);
	return NULL;
}

static int make_link(const struct side *s)
{
	char cmd[1024];
	const char *off = s->params->path == PATH_VETH_NO_OFFLOAD
				  ? "for d in va vb; do ethtool -K $d tx off rx off sg off tso off "
				    "gso off gro off; done;"
				  : "";

	if (unshare(CLONE_NEWNET) < 0)
		return -errno;
	snprintf(cmd, sizeof(cmd),
		 "exec >/dev/null 2>&1; set -e; ip link add va type veth peer name vb; %s"
		 "ip link set vb netns %d; ip addr add 10.0.0.1/24 dev va; ip link set va up;"
		 "nsenter --net=/proc/%d/task/%d/ns/net sh -c 'ip addr add 10.0.0.2/24 dev vb; ip "
		 "link set vb up'",
		 off, (int)s->server_tid, (int)getpid(), (int)s->server_tid);
	return system(cmd) == 0 ? 0 : -EPERM;
}

struct client {
	struct side *side;
	double (*run)(int fd, struct side *s);
	double result;
};

static void *client_thread(void *arg)
{
	struct client *c = arg;
	struct side *s = c->side;
	int fd = -1, one = 1;

	pthread_barrier_wait(&s->ready);
	if (!s->error && s->params->path != PATH_LOOPBACK)
		s->error = make_link(s);
	pthread_barrier_wait(&s->linked);
	if (s->error) {
		c->result = s->error;
		return NULL;
	}
	pthread_barrier_wait(&s->ready);
	if (!s->error && !s->many) {
		fd = socket(AF_INET, s->type, 0);
		use_cubic(fd);
		if (connect(fd, (struct sockaddr *)&s->addr, sizeof(s->addr)) < 0)
			s->error = -errno;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	}
	c->result = s->error ? s->error : c->run(fd, s);
	s->stop = true;
	if (fd >= 0)
		close(fd);
	shutdown(s->listener, SHUT_RDWR);
	return NULL;
}

static double run_sides(struct side *s, double (*run)(int fd, struct side *s))
{
	struct client c = { s, run, 0 };
	pthread_t server, client;

	s->addr = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(17077) };
	s->addr.sin_addr.s_addr =
		htonl(s->params->path == PATH_LOOPBACK ? INADDR_LOOPBACK : 0x0a000002u);
	pthread_barrier_init(&s->ready, NULL, 2);
	pthread_barrier_init(&s->linked, NULL, 2);
	if (pthread_create(&server, NULL, server_thread, s) ||
	    pthread_create(&client, NULL, client_thread, &c))
		return -EAGAIN;
	pthread_join(client, NULL);
	pthread_join(server, NULL);
	if (s->listener > 0)
		close(s->listener);
	pthread_barrier_destroy(&s->ready);
	pthread_barrier_destroy(&s->linked);
	return c.result;
}

/* ---- bulk ---------------------------------------------------------------------------------------------- */

static uint64_t bulk_received; /* octets; written by the one server thread that runs at a time */

static void serve_bulk(int fd, const struct bench_params *p)
{
	char *buf = malloc(p->write_size);
	ssize_t n;

	while ((n = read(fd, buf, p->write_size)) > 0)
		__atomic_fetch_add(&bulk_received, (uint64_t)n, __ATOMIC_RELAXED);
	free(buf);
}

static double run_bulk(int fd, struct side *s)
{
	char *buf = calloc(1, s->params->write_size);
	double start = bench_clock(), now;
	uint64_t before;

	while (bench_clock() - start < 0.1)
		if (write(fd, buf, s->params->write_size) < 0)
			break;
	start = bench_clock();
	before = __atomic_load_n(&bulk_received, __ATOMIC_RELAXED);
	do {
		if (write(fd, buf, s->params->write_size) < 0)
			break;
		now = bench_clock();
	} while (now - start < s->params->seconds);
	free(buf);
	return (double)(__atomic_load_n(&bulk_received, __ATOMIC_RELAXED) - before) /
	       (bench_clock() - start);
}

double kernel_tcp_bulk(const struct bench_params *p)
{
	struct side s = { .params = p, .type = SOCK_STREAM, .serve = serve_bulk };

	return run_sides(&s, run_bulk);
}

/* ---- request and response ------------------------------------------------------------------------------- */

static void serve_echo(int fd, const struct bench_params *p)
{
	char c;

	(void)p;
	while (read(fd, &c, 1) == 1)
		if (write(fd, &c, 1) != 1)
			break;
}

static double run_rr(int fd, struct side *s)
{
	double start = bench_clock(), now;
	uint64_t n = 0;
	char c = 'x';

	do {
		for (int i = 0; i < 100; i++, n++)
			if (write(fd, &c, 1) != 1 || read(fd, &c, 1) != 1)
				return -EIO;
		now = bench_clock();
	} while (now - start < s->params->seconds);
	return (double)n / (now - start);
}

double kernel_tcp_rr(const struct bench_params *p)
{
	struct side s = { .params = p, .type = SOCK_STREAM, .serve = serve_echo };

	return run_sides(&s, run_rr);
}

static double run_crr(int fd, struct side *s)
{
	double start = bench_clock(), now;
	struct linger abort_close = { 1, 0 };
	uint64_t n = 0;
	char c = 'x';

	do {
		for (int i = 0; i < 50; i++, n++) {
			fd = socket(AF_INET, SOCK_STREAM, 0);
			if (connect(fd, (struct sockaddr *)&s->addr, sizeof(s->addr)) < 0 ||
			    write(fd, &c, 1) != 1 || read(fd, &c, 1) != 1) {
				close(fd);
				return -EIO;
			}
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_close, sizeof(abort_close));
			close(fd);
		}
		now = bench_clock();
	} while (now - start < s->params->seconds);
	return (double)n / (now - start);
}

double kernel_tcp_crr(const struct bench_params *p)
{
	struct side s = { .params = p, .type = SOCK_STREAM, .serve = serve_echo, .many = true };

	return run_sides(&s, run_crr);
}

/* ---- datagrams ------------------------------------------------------------------------------------------ */

static void serve_udp(int fd, const struct bench_params *p)
{
	struct timeval tv = { 0, 200000 };
	char buf[65536];
	int one = 1;
	ssize_t n;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	if (p->gso_size)
		setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one));
	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0)
		__atomic_fetch_add(&bulk_received, p->gso_size ? (uint64_t)n / p->gso_size : 1,
				   __ATOMIC_RELAXED);
}

static double run_udp(int fd, struct side *s)
{
	double start = bench_clock(), now;
	uint64_t before = __atomic_load_n(&bulk_received, __ATOMIC_RELAXED);
	char buf[65536] = { 0 };
	int segment = (int)s->params->gso_size;

	if (segment && setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)) < 0)
		return -errno;
	do {
		for (int i = 0; i < 64; i++)
			if (send(fd, buf, s->params->write_size, 0) < 0 && errno != ENOBUFS)
				return -errno;
		now = bench_clock();
	} while (now - start < s->params->seconds);
	return (double)(__atomic_load_n(&bulk_received, __ATOMIC_RELAXED) - before) / (now - start);
}

double kernel_udp(const struct bench_params *p)
{
	struct side s = { .params = p, .type = SOCK_DGRAM, .serve = serve_udp };

	return run_sides(&s, run_udp);
}

/* ---- forwarding ----------------------------------------------------------------------------------------- */

/* A thread that keeps a network namespace alive, with a socket that takes UDP to port 17077 and is never read. */
struct holder {
	pthread_t thread;
	pthread_barrier_t ready, done;
	pid_t tid;
	int error;
};

static void *hold_namespace(void *arg)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(17077) };
	struct holder *h = arg;
	int fd = -1;

	h->tid = (pid_t)syscall(SYS_gettid);
	if (unshare(CLONE_NEWNET) < 0)
		h->error = -errno;
	else
		fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0)
		h->error = -errno;
	pthread_barrier_wait(&h->ready);
	pthread_barrier_wait(&h->done);
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int holder_start(struct holder *h)
{
	pthread_barrier_init(&h->ready, NULL, 2);
	pthread_barrier_init(&h->done, NULL, 2);
	if (pthread_create(&h->thread, NULL, hold_namespace, h))
		return -EAGAIN;
	pthread_barrier_wait(&h->ready);
	return h->error;
}

static void holder_end(struct holder *h)
{
	if (!h->thread)
		return;
	pthread_barrier_wait(&h->done);
	pthread_join(h->thread, NULL);
}

/* The caller's namespace has the sender: 10.0.1.1 is the sink behind the router, 10.0.2.1 the sink next door. */
static int make_routed_links(pid_t router, pid_t sink)
{
	char cmd[2048];

	snprintf(cmd, sizeof(cmd),
		 "exec >/dev/null 2>&1; set -e; pid=%d; router=%d; sink=%d;"
		 "in_ns() { t=$1; shift; nsenter --net=/proc/$pid/task/$t/ns/net \"$@\"; };"
		 "ip link add va type veth peer name vb; ip link set vb netns $router;"
		 "ip link add v5 type veth peer name v6; ip link set v6 netns $sink;"
		 "ip addr add 10.0.0.1/24 dev va; ip addr add 10.0.2.2/24 dev v5;"
		 "ip link set va up; ip link set v5 up; ip route add 10.0.1.0/24 via 10.0.0.254;"
		 "in_ns $router ip link add vc type veth peer name vd;"
		 "in_ns $router ip link set vd netns $sink;"
		 "in_ns $router ip addr add 10.0.0.254/24 dev vb;"
		 "in_ns $router ip addr add 10.0.1.254/24 dev vc;"
		 "in_ns $router ip link set vb up; in_ns $router ip link set vc up;"
		 "in_ns $router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward';"
		 "in_ns $sink ip addr add 10.0.1.1/24 dev vd;"
		 "in_ns $sink ip addr add 10.0.2.1/24 dev v6;"
		 "in_ns $sink ip link set vd up; in_ns $sink ip link set v6 up;"
		 "in_ns $sink ip route add 10.0.0.0/24 via 10.0.1.254",
		 (int)getpid(), (int)router, (int)sink);
	return system(cmd) == 0 ? 0 : -EPERM;
}

/* Datagrams that reached the sink, taken or not. */
static uint64_t sink_arrivals(const struct holder *sink)
{
	unsigned long in = 0, no_ports = 0, errors = 0;
	char path[64], line[512];
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/net/snmp", (int)sink->tid);
	f = fopen(path, "r");
	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "Udp: %lu %lu %lu", &in, &no_ports, &errors);
	if (f)
		fclose(f);
	return in + no_ports + errors;
}

static int sender_socket(uint32_t addr)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
				  .sin_port = htons(17077),
				  .sin_addr.s_addr = htonl(addr) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

#define SLICE_S 0.005

/* Through the router and to the neighbour in turns, as the speed of the machine changes: what the router can forward in a second. */
static double measure_forwarding(const struct holder *sink, const struct bench_params *p)
{
	int fd[2] = { sender_socket(0x0a000201u), sender_socket(0x0a000101u) };
	double cost[2], differences[BENCH_SLICES], start, now, begin = bench_clock();
	char buf[65536] = { 0 };
	uint64_t before;
	int n = 0;

	if (fd[0] < 0 || fd[1] < 0)
		return -EIO;
	for (int i = 0; i < 20000; i++) /* neighbours are found, the sink's socket is full */
		send(fd[i & 1], buf, p->write_size, 0);
	do {
		for (int i = 0; i < 2; i++) {
			before = sink_arrivals(sink);
			start = bench_clock();
			do {
				for (int j = 0; j < 64; j++)
					send(fd[i], buf, p->write_size, 0);
				now = bench_clock();
			} while (now - start < SLICE_S);
			cost[i] = (now - start) / (double)(sink_arrivals(sink) - before);
		}
		differences[n++] = cost[1] - cost[0];
	} while (n < BENCH_SLICES && now - begin < p->seconds);
	close(fd[0]);
	close(fd[1]);
	return 1 / bench_median(differences, n);
}

struct forward {
	const struct bench_params *params;
	double result;
};

static void *forward_thread(void *arg)
{
	struct holder router = { 0 }, sink = { 0 };
	struct forward *f = arg;

	f->result = unshare(CLONE_NEWNET) < 0 ? -errno : 0;
	if (!f->result)
		f->result = holder_start(&router);
	if (!f->result)
		f->result = holder_start(&sink);
	if (!f->result)
		f->result = make_routed_links(router.tid, sink.tid);
	if (!f->result)
		f->result = measure_forwarding(&sink, f->params);
	holder_end(&sink);
	holder_end(&router);
	return NULL;
}

/* In a thread of its own: it leaves the caller's namespace. */
double kernel_forward(const struct bench_params *p)
{
	struct forward f = { .params = p };
	pthread_t t;

	if (pthread_create(&t, NULL, forward_thread, &f))
		return -EAGAIN;
	pthread_join(t, NULL);
	return f.result;
}

/* ---- idle connections ------------------------------------------------------------------------------------ */

/* Octets of the slabs that a TCP socket and its file live in. -EACCES: only root may know. */
static double socket_slabs(void)
{
	static const char *const slabs[] = { "TCP", "sock_inode_cache", "filp", "tcp_bind_bucket",
					     "tcp_bind2_bucket" };
	unsigned long active, all, size;
	char line[512], name[64];
	FILE *f = fopen("/proc/slabinfo", "r");
	double sum = 0;

	if (!f)
		return -EACCES;
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%63s %lu %lu %lu", name, &active, &all, &size) == 4)
			for (size_t i = 0; i < sizeof(slabs) / sizeof(slabs[0]); i++)
				if (!strcmp(name, slabs[i]))
					sum += (double)active * (double)size;
	fclose(f);
	return sum;
}

double kernel_idle(const struct bench_params *p)
{
	struct rlimit limit = { 0 };
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	int l = socket(AF_INET, SOCK_STREAM, 0), *fd = calloc(2 * p->connections, sizeof(*fd));
	unsigned made = 0, wanted = p->connections;
	double before, after;

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (wanted > limit.rlim_max / 2 - 100)
		wanted = (unsigned)(limit.rlim_max / 2 - 100);
	if (bind(l, (struct sockaddr *)&addr, len) < 0 || listen(l, 1024) < 0 ||
	    getsockname(l, (struct sockaddr *)&addr, &len) < 0)
		return -errno;
	before = socket_slabs();
	while (made < wanted) {
		fd[2 * made] = socket(AF_INET, SOCK_STREAM, 0);
		if (fd[2 * made] < 0 ||
		    connect(fd[2 * made], (struct sockaddr *)&addr, sizeof(addr)) < 0)
			break;
		fd[2 * made + 1] = accept(l, NULL, NULL);
		made++;
	}
	after = socket_slabs();
	for (unsigned i = 0; i < 2 * made; i++)
		close(fd[i]);
	close(l);
	free(fd);
	return before < 0 ? before : made < wanted ? -EMFILE : made / (after - before);
}
