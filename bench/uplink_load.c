/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uplink_load.c - the load of bench/uplink-bench: a server on the host, and clients that reach it through some way out
 *
 *     uplink_load serve PORT                        says "ready" when it listens
 *     uplink_load out|in|rr|crr|udp|pair ADDR PORT SECONDS   prints a rate: octets, round trips, connections, datagrams, pairs per second
 *
 * A connection's first octet says what the server does with it: sink and count, flood, or echo.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CHUNK       131072
#define DATAGRAM    1400
#define WINDOW      64 /* datagrams under way */
#define ACK_EVERY   16
#define PATIENCE_MS 200

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(const char *what)
{
	fprintf(stderr, "uplink_load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static struct sockaddr_in address(const char *addr, const char *port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };

	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1) {
		errno = EINVAL;
		fail(addr);
	}
	return sin;
}

static void set_options(int fd)
{
	int one = 1;

	/* The kernel's default here may be another: the same for all. */
	setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

/* ---- the server ------------------------------------------------------------------------------------------ */

static void *serve_one(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char *buf = calloc(1, CHUNK), kind = 0;
	uint64_t sum = 0;
	ssize_t n;

	if (!buf || recv(fd, &kind, 1, 0) != 1)
		goto out;
	if (kind == 'S') {
		while ((n = recv(fd, buf, CHUNK, 0)) > 0)
			sum += (uint64_t)n;
		send(fd, &sum, sizeof(sum), MSG_NOSIGNAL);
	} else if (kind == 'F') {
		while (send(fd, buf, CHUNK, MSG_NOSIGNAL) > 0)
			;
	} else {
		do
			n = send(fd, buf, 1, MSG_NOSIGNAL);
		while (n == 1 && recv(fd, buf, 1, 0) == 1);
	}
out:
	free(buf);
	close(fd);
	return NULL;
}

/* Each datagram begins with its number; every ACK_EVERYth is answered by how many have come. */
static void *serve_udp(void *arg)
{
	int fd = (int)(intptr_t)arg;
	char buf[65536];
	uint64_t got = 0;

	for (;;) {
		struct sockaddr_in from;
		socklen_t len = sizeof(from);
		uint64_t number;
		ssize_t n = recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n < (ssize_t)sizeof(number))
			continue;
		memcpy(&number, buf, sizeof(number));
		got = number ? got + 1 : 1;
		if (got % ACK_EVERY == 0)
			sendto(fd, &got, sizeof(got), 0, (struct sockaddr *)&from, len);
	}
	return NULL;
}

__attribute__((noreturn)) static void serve(const char *port)
{
	struct sockaddr_in sin = address("0.0.0.0", port);
	int l = socket(AF_INET, SOCK_STREAM, 0), u = socket(AF_INET, SOCK_DGRAM, 0), one = 1,
	    size = 4 << 20;
	pthread_t t;

	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(u, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (bind(l, (struct sockaddr *)&sin, sizeof(sin)) < 0 || listen(l, 4096) < 0 ||
	    bind(u, (struct sockaddr *)&sin, sizeof(sin)) < 0)
		fail("serve");
	pthread_create(&t, NULL, serve_udp, (void *)(intptr_t)u);
	puts("ready");
	fflush(stdout);
	for (;;) {
		int fd = accept(l, NULL, NULL);

		if (fd < 0)
			fail("accept");
		set_options(fd);
		if (pthread_create(&t, NULL, serve_one, (void *)(intptr_t)fd))
			close(fd);
		else
			pthread_detach(t);
	}
}

/* ---- clients --------------------------------------------------------------------------------------------- */

static int open_stream(const struct sockaddr_in *to, char kind)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	set_options(fd);
	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0 ||
	    send(fd, &kind, 1, MSG_NOSIGNAL) != 1)
		fail("connect");
	return fd;
}

static double bulk_out(const struct sockaddr_in *to, double seconds)
{
	static char buf[CHUNK];
	int fd = open_stream(to, 'S');
	double begin = now();
	uint64_t sum = 0;

	while (now() - begin < seconds)
		if (send(fd, buf, sizeof(buf), MSG_NOSIGNAL) < 0)
			fail("send");
	shutdown(fd, SHUT_WR);
	if (recv(fd, &sum, sizeof(sum), MSG_WAITALL) != sizeof(sum))
		fail("the server's count");
	close(fd);
	return (double)sum / (now() - begin);
}

static double bulk_in(const struct sockaddr_in *to, double seconds)
{
	static char buf[CHUNK];
	int fd = open_stream(to, 'F');
	double begin = now();
	uint64_t sum = 0;

	while (now() - begin < seconds) {
		ssize_t n = recv(fd, buf, sizeof(buf), 0);

		if (n <= 0)
			fail("recv");
		sum += (uint64_t)n;
	}
	seconds = now() - begin;
	close(fd);
	return (double)sum / seconds;
}

static double round_trips(const struct sockaddr_in *to, double seconds)
{
	int fd = open_stream(to, 'E');
	double begin = now();
	uint64_t n = 0;
	char c;

	while (now() - begin < seconds) {
		if (recv(fd, &c, 1, 0) != 1 || send(fd, &c, 1, MSG_NOSIGNAL) != 1)
			fail("round trip");
		n++;
	}
	close(fd);
	return (double)n / (now() - begin);
}

static double connections(const struct sockaddr_in *to, double seconds)
{
	struct linger abort = { 1, 0 }; /* ports must not run out */
	double begin = now();
	uint64_t n = 0;
	char c;

	while (now() - begin < seconds) {
		int fd = open_stream(to, 'E');

		if (recv(fd, &c, 1, 0) != 1)
			fail("recv");
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort, sizeof(abort));
		close(fd);
		n++;
	}
	return (double)n / (now() - begin);
}

/* As many as arrive: never more than WINDOW under way, so that nothing needs to be lost. */
static double datagrams(const struct sockaddr_in *to, double seconds)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	uint64_t sent = 0, got = 0, lost = 0;
	char buf[DATAGRAM] = { 0 };
	double begin = now();

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		fail("connect");
	while (now() - begin < seconds) {
		struct pollfd p = { .fd = fd, .events = POLLIN };

		while (sent - got - lost < WINDOW) {
			memcpy(buf, &sent, sizeof(sent));
			if (send(fd, buf, sizeof(buf), 0) < 0)
				fail("send");
			sent++;
		}
		if (poll(&p, 1, PATIENCE_MS) == 0)
			lost = sent - got; /* what is under way never came */
		else if (recv(fd, &got, sizeof(got), 0) < 0)
			fail("recv");
	}
	close(fd);
	return (double)got / (now() - begin);
}

/* A sendto() to an address and the recvfrom() that tells whose it was, on two sockets of this process: neither is connected. */
static double addressed_pairs(const struct sockaddr_in *to, double seconds)
{
	int from = socket(AF_INET, SOCK_DGRAM, 0), fd = socket(AF_INET, SOCK_DGRAM, 0);
	struct sockaddr_in sin = *to;
	double begin = now();
	uint64_t n = 0;
	char buf[64] = { 0 };

	if (bind(fd, (const struct sockaddr *)to, sizeof(*to)) < 0)
		fail("bind");
	while (now() - begin < seconds) {
		socklen_t len = sizeof(sin);

		if (sendto(from, buf, sizeof(buf), 0, (const struct sockaddr *)to, sizeof(*to)) <
			    0 ||
		    recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&sin, &len) < 0)
			fail("pair");
		n++;
	}
	close(from);
	close(fd);
	return (double)n / (now() - begin);
}

static const struct {
	const char *name;
	double (*fn)(const struct sockaddr_in *to, double seconds);
} loads[] = {
	{ "out", bulk_out },    { "in", bulk_in },    { "rr", round_trips },
	{ "crr", connections }, { "udp", datagrams }, { "pair", addressed_pairs },
};

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && !strcmp(argv[1], "serve"))
		serve(argv[2]);
	for (size_t i = 0; argc == 5 && i < sizeof(loads) / sizeof(loads[0]); i++)
		if (!strcmp(argv[1], loads[i].name)) {
			struct sockaddr_in to = address(argv[2], argv[3]);

			printf("%f\n", loads[i].fn(&to, atof(argv[4])));
			return 0;
		}
	fputs("usage: uplink_load serve PORT | out|in|rr|crr|udp|pair ADDR PORT SECONDS\n", stderr);
	return 2;
}
