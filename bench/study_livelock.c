/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * study_livelock.c - what interrupts cost: goodput as offered load rises past what the cpu can do, programmed I/O against NAPI
 *
 * What is real: the card and its driver (drivers/nic.c), softirqs, NAPI, the backlog, IP, UDP, the socket, the calls that read it: every
 * packet walks through the code of the stack. What is modelled: how long the cpu takes. Time is virtual and advances only by the
 * prices in `price` below, charged where the work is done; while it passes, further frames arrive, and an interrupt that is not
 * masked breaks in at once, as on a real cpu. Frames arrive at random times (exponentially distributed gaps) from a fixed seed.
 * The reader reads whenever the cpu is not in softirq or interrupt. Goodput is what it has read.
 * See J. Mogul, K. Ramakrishnan, Eliminating Receive Livelock in an Interrupt-Driven Kernel, 1997; J. Salim, R. Olsson, A. Kuznetsov, Beyond
 * Softnet, 2001.
 */
#include <arpa/inet.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/plot.h"
#include "core/netdevice.h"
#include "drivers/fcs.h"
#include "drivers/nic.h"
#include "host/host.h"
#include "lab/lab_net.h"
#include "lib/csum.h"
#include "lib/random.h"
#include "stack/stack.h"

#define PAYLOAD_PORT 7
#define SEED         1

/* ns: a cpu of a few thousand cycles for a packet. Only their proportions shape the curves. */
static const struct {
	u64 interrupt, pio_octet_ps, poll, descriptor, protocol, read;
} price = {
	.interrupt = 2000,     /* enter and leave the handler */
	.pio_octet_ps = 10000, /* one octet over the bus, in ps */
	.poll = 500,           /* a call of the driver's poll */
	.descriptor = 300,     /* take up one descriptor, put in a buffer */
	.protocol = 2000,      /* from netif_receive_skb() to the socket */
	.read = 1000,          /* a call of recv() */
};

struct study {
	struct host host; /* first: the machine's clock is here */
	struct host *sim;
	u64 now, next_arrival, end;
	double rate; /* packets/s offered */
	u64 rng[4];
	struct machine *m;
	struct net *net;
	struct cpu *cpu;
	struct net_device *nic;
	struct packet_tap tap;
	struct weir_file *sock;
	u8 frame[9100];
	u32 frame_len;
	u64 offered, read;
};

static void die(const char *what)
{
	fprintf(stderr, "study_livelock: %s\n", what);
	exit(1);
}

/* ---- the clock: the simulated host's, but moved by us alone --------------------------------------------- */

static struct study *study_of(struct host *h)
{
	return (struct study *)h;
}

static u64 clock_now(struct host *h)
{
	return study_of(h)->now;
}

static void clock_random(struct host *h, const char *name, void *buf, size_t len)
{
	host_random(study_of(h)->sim, name, buf, len);
}

static struct host_parker *clock_parker_create(struct host *h)
{
	return study_of(h)->sim->ops->parker_create(study_of(h)->sim);
}

static void clock_destroy(struct host *h)
{
	study_of(h)->sim->ops->destroy(study_of(h)->sim);
}

/* ---- time passes ------------------------------------------------------------------------------------------ */

static void next_arrival(struct study *s)
{
	double u = ((double)(random_next(s->rng) >> 11) + 1) / 9007199254740993.0;
	double gap = -log(u) / s->rate * 1e9;

	s->next_arrival += (u64)(gap < 1 ? 1 : gap);
	if (s->next_arrival >= s->end)
		s->next_arrival = HOST_FOREVER;
}

static void arrive(struct study *s) /* cpu lock held */
{
	struct sk_buff *skb = alloc_skb(s->cpu, s->frame_len);

	if (!skb)
		die("out of memory");
	memcpy(skb_put(skb, s->frame_len), s->frame, s->frame_len);
	s->offered++;
	nic_wire_input(s->nic, skb);
}

/* The cpu works for @ns. What arrives meanwhile may interrupt it, and that takes time of its own. cpu lock held. */
static void spend(struct study *s, u64 ns)
{
	while (s->next_arrival <= s->now + ns) {
		if (s->next_arrival > s->now) {
			ns -= s->next_arrival - s->now;
			s->now = s->next_arrival;
		}
		s->cpu->now = s->now;
		next_arrival(s);
		arrive(s);
	}
	s->now += ns;
	s->cpu->now = s->now;
}

static void spend_card(struct net_device *dev, enum nic_work what, u32 octets, void *arg)
{
	switch (what) {
	case NIC_WORK_INTERRUPT:
		spend(arg, price.interrupt);
		break;
	case NIC_WORK_PIO:
		spend(arg, octets * price.pio_octet_ps / 1000);
		break;
	case NIC_WORK_POLL:
		spend(arg, price.poll);
		break;
	case NIC_WORK_FRAME:
		spend(arg, price.descriptor);
		break;
	}
}

static void spend_protocol(struct packet_tap *tap, const struct sk_buff *skb,
			   struct net_device *dev, bool outgoing)
{
	if (!outgoing)
		spend(container_of(tap, struct study, tap), price.protocol);
}

/* ---- the machine ------------------------------------------------------------------------------------------- */

static const struct host_ops *clock_ops(struct host *sim, struct host_ops *ops)
{
	*ops = *sim->ops;
	ops->now = clock_now;
	ops->realtime = clock_now;
	ops->random = clock_random;
	ops->parker_create = clock_parker_create;
	ops->destroy = clock_destroy;
	return ops;
}

/* A datagram of @len octets of IP packet for our socket. */
static void make_frame(struct study *s, u32 len)
{
	u8 *p = s->frame, *ip = p + ETH_HLEN, *udp = ip + 20;
	u16 sum;

	memset(s->frame, 0, sizeof(s->frame));
	memcpy(p, s->nic->dev_addr, ETH_ALEN);
	memcpy(p + ETH_ALEN, "\x02\0\0\0\0\x02", ETH_ALEN);
	p[12] = 8;
	ip[0] = 0x45;
	ip[2] = (u8)(len >> 8);
	ip[3] = (u8)len;
	ip[6] = 0x40;
	ip[8] = 64;
	ip[9] = IPPROTO_UDP;
	memcpy(ip + 12, "\x0a\0\0\x02\x0a\0\0\x01", 8);
	sum = csum_fold(csum_partial(ip, 20, 0));
	memcpy(ip + 10, &sum, 2);
	udp[1] = 9;
	udp[3] = PAYLOAD_PORT;
	udp[4] = (u8)((len - 20) >> 8);
	udp[5] = (u8)(len - 20);
	s->frame_len = ETH_HLEN + len;
	fcs_append(s->frame, s->frame_len);
	s->frame_len += FCS_LEN;
}

static void study_start(struct study *s, struct host_ops *ops, const struct nic_params *np, u32 mtu)
{
	struct machine_config cfg = { .host = &s->host,
				      .modules = weir_modules,
				      .nr_modules = weir_nr_modules };
	struct sockaddr_in me = { .sin_family = AF_INET, .sin_port = htons(PAYLOAD_PORT) };
	struct in_addr addr = { htonl(0x0a000001) };
	struct net_device *peer;
	struct net_error err;
	int r, rcvbuf = 4 << 20;

	memset(s, 0, sizeof(*s));
	s->sim = host_sim_create(SEED, 0);
	s->host.ops = clock_ops(s->sim, ops);
	s->host.virtual_time = true;
	s->next_arrival = HOST_FOREVER;
	s->m = machine_create(&cfg);
	s->net = s->m ? net_create(s->m, "router") : NULL;
	if (!s->net)
		die("no machine");
	s->cpu = s->net->cpu;
	rtnl_lock(s->m);
	s->nic = nic_create(s->net, "eth0", np, NULL, &r);
	peer = s->nic ? nic_create(s->net, "wire", NULL, s->nic, &r) : NULL;
	if (!peer || dev_set_mtu(s->nic, (int)mtu, NULL) || dev_open(peer, NULL) ||
	    dev_open(s->nic, NULL))
		die("no card");
	rtnl_unlock(s->m);
	r = net_addr_add((struct weir_net *)s->net, "eth0", addr, 24, &err);
	if (!r)
		r = weir_socket((struct weir_net *)s->net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0,
				&s->sock);
	/* A buffer that holds more than one NAPI budget of datagrams: what is dropped then is dropped for lack of time. */
	if (!r)
		r = weir_sysctl((struct weir_net *)s->net, "net.core.rmem_max", "8388608");
	if (!r)
		r = weir_setsockopt(s->sock, SOL_SOCKET, SO_RCVBUF, &rcvbuf, sizeof(rcvbuf));
	if (!r)
		r = weir_bind(s->sock, (struct sockaddr *)&me, sizeof(me));
	if (r)
		die(strerror(-r));
	make_frame(s, mtu < 413 ? mtu : mtu == 9000 ? 9000 : 413);
	s->tap = (struct packet_tap){ .dev = s->nic, .type = ETH_P_ALL, .func = spend_protocol };
	cpu_lock(s->cpu);
	nic_set_work(s->nic, spend_card, s);
	dev_add_tap(s->net, &s->tap);
	cpu_unlock(s->cpu);
	random_seed(s->rng, SEED);
}

/* The reader takes one datagram. False: there is none. */
static bool read_one(struct study *s)
{
	u8 buf[9100];

	if (weir_recv(s->sock, buf, sizeof(buf), 0) < 0)
		return false;
	s->read++;
	cpu_lock(s->cpu);
	spend(s, price.read);
	cpu_unlock(s->cpu);
	return true;
}

/* Nothing to do: until the next frame or timer. */
static void idle(struct study *s, u64 left)
{
	u64 until = min(s->end, left == HOST_FOREVER ? HOST_FOREVER : s->now + left);

	cpu_lock(s->cpu);
	if (s->next_arrival <= until) {
		s->now = max(s->now, s->next_arrival);
		spend(s, 0);
	} else {
		s->now = max(s->now, until);
	}
	cpu_unlock(s->cpu);
}

static void run_until(struct study *s, u64 end)
{
	s->end = end;
	if (s->next_arrival == HOST_FOREVER) {
		s->next_arrival = s->now;
		next_arrival(s);
	}
	while (s->now < end) {
		u64 left = machine_turn(s->m);

		if (!read_one(s) && left)
			idle(s, left);
		else
			while (s->now < end && read_one(s))
				;
	}
}

struct point {
	double offered, goodput, interrupts, polls;
	u64 card_drops, backlog_drops, squeezed;
};

static struct point measure(const struct nic_params *np, u32 mtu, double rate, u64 ns)
{
	struct host_ops ops;
	struct study s;
	const struct nic_stats *st;
	struct point p = { 0 };
	u64 start, took;

	study_start(&s, &ops, np, mtu);
	s.rate = rate;
	st = nic_get_stats(s.nic);
	start = s.now;
	run_until(&s, start + ns);
	took = s.now - start;
	p.offered = (double)s.offered * 1e9 / (double)took;
	p.goodput = (double)s.read * 1e9 / (double)took;
	p.interrupts = (double)st->interrupts * 1e9 / (double)took;
	p.polls = (double)st->polls * 1e9 / (double)took;
	p.card_drops = st->rx_overruns;
	p.backlog_drops = s.cpu->softnet->dropped;
	p.squeezed = s.cpu->softnet->time_squeeze;
	cpu_lock(s.cpu);
	nic_set_work(s.nic, NULL, NULL);
	dev_remove_tap(&s.tap);
	cpu_unlock(s.cpu);
	weir_close(s.sock);
	machine_destroy(s.m);
	return p;
}

/* ---- the tables ----------------------------------------------------------------------------------------------- */

static const struct mode {
	const char *name;
	struct nic_params p;
} modes[] = {
	{ "pio", { .rx_ring = 32, .tx_ring = 16, .pio = true } },
	{ "napi", { .rx_ring = 256, .tx_ring = 256 } },
	{ "napi+itr", { .rx_ring = 256, .tx_ring = 256, .rx_usecs = 125, .rx_frames = 64 } },
};

static void print_point(bool json, const char *table, const char *mode, const struct point *p)
{
	if (json)
		printf("{\"table\":\"%s\",\"mode\":\"%s\",\"offered\":%.0f,\"goodput\":%.0f,"
		       "\"interrupts\":%.0f,\"polls\":%.0f,"
		       "\"card_drops\":%llu,\"backlog_drops\":%llu,\"time_squeeze\":%llu}\n",
		       table, mode, p->offered, p->goodput, p->interrupts, p->polls,
		       (unsigned long long)p->card_drops, (unsigned long long)p->backlog_drops,
		       (unsigned long long)p->squeezed);
	else
		printf("%-9s %10.0f %10.0f %12.0f %10.0f %10llu %10llu %8llu\n", mode, p->offered,
		       p->goodput, p->interrupts, p->polls, (unsigned long long)p->card_drops,
		       (unsigned long long)p->backlog_drops, (unsigned long long)p->squeezed);
}

static void print_head(bool json, const char *title)
{
	if (!json)
		printf("\n%s\n%-9s %10s %10s %12s %10s %10s %10s %8s\n", title, "mode", "offered/s",
		       "goodput/s", "interrupts/s", "polls/s", "card drops", "backlog d.",
		       "squeezed");
}

/* The most that the mode reads, whatever is offered. */
static struct point peak_of(const struct mode *m, double step)
{
	struct point best = { 0 };

	for (double rate = 20000; rate < 1000000; rate *= step) {
		struct point p = measure(&m->p, 1500, rate, 50 * NSEC_PER_MSEC);

		if (p.goodput > best.goodput)
			best = p;
	}
	return best;
}

enum { PLOT_GOODPUT, PLOT_INTERRUPTS, NR_PLOTS };

/* False: NAPI does not keep what it must. */
static bool load_table(bool json, struct plot_panel *plots)
{
	static const double loads[] = { 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3, 4, 8 };
	bool ok = true;

	print_head(json, "Offered load past capacity: datagrams of 413 octets, load in multiples "
			 "of the mode's own peak");
	for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
		struct point peak = peak_of(&modes[i], 1.1);
		double kept = 0;

		for (u32 j = 0; j < ARRAY_SIZE(loads); j++) {
			struct point p = measure(&modes[i].p, 1500, peak.goodput * loads[j],
						 200 * NSEC_PER_MSEC);

			print_point(json, "load", modes[i].name, &p);
			if (loads[j] <= 4) {
				plot_add(&plots[PLOT_GOODPUT], i, modes[i].name, p.offered / 1e3,
					 p.goodput / 1e3);
				plot_add(&plots[PLOT_INTERRUPTS], i, modes[i].name, p.offered / 1e3,
					 p.interrupts / 1e3);
			}
			if (loads[j] == 4)
				kept = p.goodput / peak.goodput;
		}
		if (json)
			printf("{\"table\":\"summary\",\"mode\":\"%s\",\"peak\":%.0f,\"kept_at_"
			       "4x\":%.3f}\n",
			       modes[i].name, peak.goodput, kept);
		else
			printf("%-9s peak %.0f/s; at 4 x the peak load it keeps %.3f of it\n\n",
			       modes[i].name, peak.goodput, kept);
		if (!modes[i].p.pio && kept < 0.95)
			ok = false;
	}
	return ok;
}

static void interrupt_table(bool json)
{
	static const double rates[] = { 3000, 30000, 300000 };

	print_head(json, "Interrupts: datagrams of 413 octets");
	for (u32 j = 0; j < ARRAY_SIZE(rates); j++) {
		for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
			struct point p = measure(&modes[i].p, 1500, rates[j], 200 * NSEC_PER_MSEC);

			print_point(json, "interrupts", modes[i].name, &p);
		}
	}
	print_head(json, "The same octets per second in datagrams of 9,000 octets");
	for (u32 j = 0; j < ARRAY_SIZE(rates); j++) {
		for (u32 i = 0; i < ARRAY_SIZE(modes); i++) {
			struct point p = measure(&modes[i].p, 9000, rates[j] * 413 / 9000,
						 200 * NSEC_PER_MSEC);

			print_point(json, "interrupts-9000", modes[i].name, &p);
		}
	}
}

/* For the tests: what must hold, quickly. */
static int check(void)
{
	static const double loads[] = { 1, 1.05, 1.1, 1.2, 1.3, 1.5, 4 };
	const struct mode *napi = &modes[1], *pio = &modes[0];
	struct point peak = peak_of(napi, 1.5), livelock;
	double kept, least = 1;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(loads); i++) {
		kept = measure(&napi->p, 1500, peak.goodput * loads[i], 50 * NSEC_PER_MSEC)
			       .goodput /
		       peak.goodput;
		printf("napi: %.3f of its peak at %.2f x the load\n", kept, loads[i]);
		least = min(least, kept);
	}
	livelock = measure(&pio->p, 1500, peak.goodput * 4, 50 * NSEC_PER_MSEC);
	printf("programmed I/O at 4 x: %.3f\n", livelock.goodput / peak.goodput);
	return least >= 0.9 && kept >= 0.95 && livelock.goodput < 0.05 * peak.goodput ? 0 : 1;
}

int main(int argc, char **argv)
{
	struct plot_panel plots[NR_PLOTS] = {
		[PLOT_GOODPUT] = { "Goodput past capacity, datagrams of 413 octets",
				   "offered, 1,000 packets/s", "read, 1,000 packets/s" },
		[PLOT_INTERRUPTS] = { "Interrupts", "offered, 1,000 packets/s",
				      "1,000 interrupts/s" },
	};
	const char *svg = NULL;
	bool json = false, ok;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--check"))
			return check();
		if (!strcmp(argv[i], "--json"))
			json = true;
		else if (!strcmp(argv[i], "--svg") && i + 1 < argc)
			svg = argv[++i];
		else
			die("usage: study_livelock [--json] [--svg FILE] | --check");
	}
	if (!json)
		printf("Time is modelled, all else is the stack's own code. Prices in ns: "
		       "interrupt %llu, programmed I/O %llu ps an octet,\n"
		       "poll %llu, descriptor %llu, protocols %llu, recv() %llu.\n",
		       (unsigned long long)price.interrupt, (unsigned long long)price.pio_octet_ps,
		       (unsigned long long)price.poll, (unsigned long long)price.descriptor,
		       (unsigned long long)price.protocol, (unsigned long long)price.read);
	ok = load_table(json, plots);
	interrupt_table(json);
	if (svg && !plot_write(svg, plots, NR_PLOTS))
		die(svg);
	if (!ok)
		fprintf(stderr, "study_livelock: NAPI keeps less than 0.95 of its peak\n");
	return ok ? 0 : 1;
}
