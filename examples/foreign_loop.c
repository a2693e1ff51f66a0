/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * foreign_loop.c - a stack instance in somebody else's epoll loop
 *
 * The program has a loop of its own (here: a timerfd that ticks). Before each sleep it asks weir_arm() for the one descriptor to watch,
 * and after each sleep it lets the machine work with weir_run(m, 0). No call here blocks in weir: the sockets are non-blocking, and their
 * events are collected with an epoll of weir's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "setup.h"

#define PINGS 3

struct app {
	struct weir_machine *m;
	struct weir_net *net[2];
	struct weir_file *ep, *pinger, *ponger;
	int sent, answered;
};

static struct weir_file *udp_socket(struct app *app, struct weir_net *net, const char *address,
				    int port)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct sockaddr_in sin = ipv4(address, port);
	struct weir_file *f;

	check(weir_socket(net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f), "socket");
	check(weir_bind(f, (struct sockaddr *)&sin, sizeof(sin)), "bind");
	ev.data.ptr = f;
	check(weir_epoll_ctl(app->ep, EPOLL_CTL_ADD, f, &ev), "epoll_ctl");
	return f;
}

/* The program's own event: send another ping. */
static void on_tick(struct app *app, int timer)
{
	struct sockaddr_in to = ipv4("10.0.0.2", 5000);
	uint64_t ticks;

	if (read(timer, &ticks, sizeof(ticks)) > 0 && app->sent < PINGS) {
		app->sent++;
		check(weir_sendto(app->pinger, "ping", 4, 0, (struct sockaddr *)&to, sizeof(to)),
		      "sendto");
	}
}

/* The stack's events. */
static void on_weir(struct app *app)
{
	struct epoll_event ev[8];
	struct sockaddr_in from;
	char buf[16];
	ssize_t n;
	int i, k = (int)check(weir_epoll_wait(app->ep, ev, 8, 0), "epoll_wait");

	for (i = 0; i < k; i++) {
		struct weir_file *f = ev[i].data.ptr;
		socklen_t len = sizeof(from);

		n = weir_recvfrom(f, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);
		if (n == -EAGAIN)
			continue;
		check(n, "recvfrom");
		if (f == app->ponger) {
			check(weir_sendto(f, "pong", 4, 0, (struct sockaddr *)&from, len),
			      "sendto");
		} else {
			app->answered++;
			printf("%d: %.*s\n", app->answered, (int)n, buf);
		}
	}
}

static void loop(struct app *app)
{
	struct itimerspec every = { { 0, 20000000 }, { 0, 20000000 } };
	int timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK), os = epoll_create1(0), armed;
	struct epoll_event ev = { .events = EPOLLIN };

	timerfd_settime(timer, 0, &every, NULL);
	ev.data.fd = timer;
	epoll_ctl(os, EPOLL_CTL_ADD, timer, &ev);
	armed = (int)check(weir_arm(app->m), "weir_arm");
	ev.data.fd = armed;
	epoll_ctl(os, EPOLL_CTL_ADD, armed, &ev);

	while (app->answered < PINGS) {
		check(weir_arm(app->m), "weir_arm");
		if (epoll_wait(os, &ev, 1, 5000) != 1) {
			fprintf(stderr, "nothing happened for five seconds\n");
			exit(1);
		}
		if (ev.data.fd == timer)
			on_tick(app, timer);
		check(weir_run(app->m, 0), "weir_run");
		on_weir(app);
	}
	close(os);
	close(timer);
}

int main(void)
{
	struct app app = { .m = weir_machine_create(NULL) };

	if (!app.m) {
		perror("weir_machine_create");
		return 1;
	}
	two_nets(app.m, app.net);
	check(weir_epoll_create(app.m, &app.ep), "epoll_create");
	app.pinger = udp_socket(&app, app.net[0], "10.0.0.1", 5001);
	app.ponger = udp_socket(&app, app.net[1], "10.0.0.2", 5000);
	loop(&app);
	weir_close(app.pinger);
	weir_close(app.ponger);
	weir_close(app.ep);
	weir_net_destroy(app.net[0]);
	weir_net_destroy(app.net[1]);
	weir_machine_destroy(app.m);
	return 0;
}
