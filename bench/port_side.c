/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * port_side.c - weir's way to the host's kernel: its devices beside a bare loop on the same port, and TCP beside a veth of the kernel's
 *
 * Each measurement runs in a thread of its own with a network namespace of its own, which vanishes with it (needs root: -EPERM otherwise).
 *
 *     tap:       weir or a loop ----- tap0, the kernel, 10.0.0.1
 *     afpacket, afxdp, dpdk:  weir or a loop ----- v0 ===== v1, the kernel, 10.0.0.1
 *
 * Frames of 106 octets (UDP, 64 of payload). Out: they are for a station that is not there, so that the kernel throws them away at once on
 * both sides of the comparison; everything happens in the sending thread, whose own time counts. In: a second thread sends them as fast as it can; what arrives is counted.
 */
#include "bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <weir/weir.h>

#include "bench/dpdk_side.h"
#include "bench/xdp_side.h"
#include "lab/lab_net.h"

#define FRAME_LEN (14 + 20 + 8 + 64)
#define BATCH     64
#define PORT      9
#define WARM_UP_S 0.1

enum { TAP, AFPACKET, AFXDP, DPDK };

static const unsigned char weir_mac[6] = { 2, 0, 0, 0, 0, 2 };
static const unsigned char nobody_mac[6] = { 2, 0, 0, 0, 0, 99 };

struct port_run {
	const struct bench_params *params;
	int kind;
	double (*measure)(struct port_run *r);
	double result;
	int fd;       /* of a bare loop, or of a tap */
	double rate;  /* of the packets that a second thread sends; 0: as fast as it can */
	bool at_once; /* the device does not wait for company (tx_usecs) */
	volatile bool stop;
};

/* ---- the kernel's side --------------------------------------------------------------------------------------- */

static int shell(const char *cmd)
{
	return system(cmd) == 0 ? 0 : -EPERM;
}

/* The descriptor, or -errno */
static int open_tap(bool vnet)
{
	struct ifreq ifr = { .ifr_flags =
				     (short)(IFF_TAP | IFF_NO_PI | (vnet ? IFF_VNET_HDR : 0)) };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	strcpy(ifr.ifr_name, "tap0");
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr))
		return -errno;
	return fd;
}

static int make_port(struct port_run *r, bool vnet)
{
	if (r->kind != TAP)
		return shell(
			"exec >/dev/null 2>&1; set -e; ip link add v0 type veth peer name v1;"
			"sysctl -w net.ipv6.conf.all.disable_ipv6=1 || true;"
			"ip link set v0 up; ip addr add 10.0.0.1/24 dev v1; ip link set v1 up");
	r->fd = open_tap(vnet);
	if (r->fd < 0)
		return r->fd;
	return shell("exec >/dev/null 2>&1; set -e;"
		     "sysctl -w net.ipv6.conf.all.disable_ipv6=1 || true;"
		     "ip addr add 10.0.0.1/24 dev tap0; ip link set tap0 up");
}

static void *run_thread(void *arg)
{
	struct port_run *r = arg;

	r->result = unshare(CLONE_NEWNET) ? -errno : r->measure(r);
	return NULL;
}

static double run(const struct bench_params *p, int kind, double (*measure)(struct port_run *r))
{
	struct port_run r = { .params = p, .kind = kind, .measure = measure, .fd = -1 };
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_thread, &r))
		return -EAGAIN;
	pthread_join(thread, NULL);
	if (r.fd >= 0)
		close(r.fd);
	return r.result;
}

/* ---- frames -------------------------------------------------------------------------------------------------- */

static uint16_t ip_checksum(const unsigned char *p)
{
	uint32_t sum = 0;

	for (int i = 0; i < 20; i += 2)
		sum += (uint32_t)(p[i] << 8 | p[i + 1]);
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

static void make_frame(unsigned char *f, const unsigned char *to)
{
	static const unsigned char ip[20] = {
		0x45, 0, 0, FRAME_LEN - 14, 0, 0, 0x40, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2
	};
	uint16_t sum;

	memset(f, 0, FRAME_LEN);
	memcpy(f, to, 6);
	f[6] = 2;
	f[12] = 8;
	memcpy(f + 14, ip, 20);
	sum = htons(ip_checksum(f + 14));
	memcpy(f + 24, &sum, 2);
	f[35] = f[37] = PORT;
	f[39] = 8 + 64;
}

/* ---- weir's side ----------------------------------------------------------------------------------------------- */

struct port_weir {
	struct weir_machine *m;
	struct weir_net *net;
	struct sockaddr_in kernel, own, nobody;
};

static int add_neighbour(struct weir_net *net, int ifindex, struct in_addr addr,
			 const unsigned char *mac)
{
	struct {
		struct nlmsghdr h;
		struct ndmsg nd;
		struct nlattr dst;
		struct in_addr addr;
		struct nlattr ll;
		unsigned char mac[8];
	} req = {
		.h = { sizeof(req) - 2, RTM_NEWNEIGH,
		       NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE, 1, 0 },
		.nd = { .ndm_family = AF_INET, .ndm_ifindex = ifindex, .ndm_state = NUD_PERMANENT },
		.dst = { NLA_HDRLEN + 4, NDA_DST },
		.addr = addr,
		.ll = { NLA_HDRLEN + 6, NDA_LLADDR }
	};

	memcpy(req.mac, mac, 6);
	return weir_netlink(net, NETLINK_ROUTE, &req.h, NULL, NULL, NULL, 0);
}

static int weir_begin(struct port_run *r, struct port_weir *w)
{
	static const char *const spec[][2] = {
		[AFPACKET] = { "afpacket:v0,rx_blocks=64,tx_frames=1024,tx_usecs=50",
			       "afpacket:v0,rx_blocks=64,tx_frames=1024" },
		[AFXDP] = { "afxdp:v0,tx_usecs=50", "afxdp:v0" },
		[DPDK] = { "dpdk:net_af_packet0,iface=v0", "dpdk:net_af_packet0,iface=v0" },
	};
	struct weir_machine_config cfg = { .module_path = BENCH_MODULES };
	struct net_error e;
	char error[256] = "", *text;
	int err, ifindex;
	size_t len;

	if (r->kind == DPDK) {
		err = dpdk_side_start();
		if (err)
			return err;
	}
	w->m = weir_machine_create(&cfg);
	w->net = weir_net_create(w->m, "a");
	weir_sysctl(w->net, "net.ipv6.conf.default.disable_ipv6", "1");
	if (r->kind == TAP)
		err = weir_dev_attach_tap(w->net, "eth0", r->fd, 0);
	else
		err = weir_dev_attach(w->net, "eth0", spec[r->kind][r->at_once], error,
				      sizeof(error));
	if (err) {
		fprintf(stderr, "bench: %s\n", error);
		return err;
	}
	w->kernel = w->own = w->nobody =
		(struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(PORT) };
	w->kernel.sin_addr.s_addr = htonl(0x0a000001);
	w->own.sin_addr.s_addr = htonl(0x0a000002);
	w->nobody.sin_addr.s_addr = htonl(0x0a000063);
	err = net_addr_add(w->net, "eth0", w->own.sin_addr, 24, &e);
	if (!err)
		err = net_link_up(w->net, "eth0", &e);
	if (err || weir_view_read(w->net, "/sys/class/net/eth0/ifindex", &text, &len))
		return err ? err : -ENODEV;
	ifindex = atoi(text);
	free(text);
	for (int i = 0; i < 100; i++)
		weir_run(w->m, 1000000);
	return add_neighbour(w->net, ifindex, w->nobody.sin_addr, nobody_mac);
}

static void weir_end(struct port_weir *w)
{
	weir_net_destroy(w->net);
	weir_machine_destroy(w->m);
}

/* Calls @batch, which gives what it has done, for the time of the measurement on @clock. */
static double timed(const struct bench_params *p, double (*clock)(void),
		    uint64_t (*batch)(void *arg), void *arg)
{
	double start = clock(), now;
	uint64_t n = 0;

	while (clock() - start < WARM_UP_S)
		batch(arg);
	start = clock();
	do {
		n += batch(arg);
		now = clock();
	} while (now - start < p->seconds);
	return (double)n / (now - start);
}

/* ---- packets out -------------------------------------------------------------------------------------------- */

struct weir_socket {
	struct port_weir *w;
	struct weir_file *u;
};

static uint64_t weir_tx_batch(void *arg)
{
	struct weir_socket *s = arg;
	char payload[64 * BATCH] = "";

	if (weir_send(s->u, payload, sizeof(payload), 0) == sizeof(payload))
		return BATCH;
	weir_run(s->w->m, 1000000);
	return 0;
}

/* Datagrams one by one, in one call. */
static uint64_t weir_tx_mmsg_batch(void *arg)
{
	struct weir_socket *s = arg;
	char payload[64] = "";
	struct iovec iov = { payload, sizeof(payload) };
	struct mmsghdr msgs[BATCH];
	int n;

	for (int i = 0; i < BATCH; i++)
		msgs[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &iov, .msg_iovlen = 1 } };
	n = weir_sendmmsg(s->u, msgs, BATCH, 0);
	if (n > 0)
		return (uint64_t)n;
	weir_run(s->w->m, 1000000);
	return 0;
}

static double weir_tx_by(struct port_run *r, uint64_t (*batch)(void *arg), int segment)
{
	struct port_weir w;
	struct weir_socket s = { .w = &w };
	double rate;
	int err = make_port(r, false);

	if (!err)
		err = weir_begin(r, &w);
	if (err)
		return err;
	weir_socket(w.net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &s.u);
	weir_connect(s.u, (struct sockaddr *)&w.nobody, sizeof(w.nobody));
	weir_setsockopt(s.u, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	rate = timed(r->params, bench_thread_clock, batch, &s);
	weir_close(s.u);
	weir_end(&w);
	return rate;
}

static double weir_tx(struct port_run *r)
{
	return weir_tx_by(r, weir_tx_batch, 64);
}

static double weir_tx_mmsg(struct port_run *r)
{
	r->at_once = true;
	return weir_tx_by(r, weir_tx_mmsg_batch, 0);
}

struct bare {
	int fd;
	unsigned char frame[FRAME_LEN];
	unsigned char *ring;
	unsigned next;
	uint64_t got;
};

static uint64_t bare_tap_tx_batch(void *arg)
{
	struct bare *b = arg;
	uint64_t n = 0;

	for (int i = 0; i < BATCH; i++)
		n += write(b->fd, b->frame, FRAME_LEN) == FRAME_LEN;
	return n;
}

static double bare_tap_tx(struct port_run *r)
{
	struct bare b = { .fd = -1 };
	int err = make_port(r, false);

	if (err)
		return err;
	b.fd = r->fd;
	make_frame(b.frame, nobody_mac);
	return timed(r->params, bench_thread_clock, bare_tap_tx_batch, &b);
}

#define TX_SLOTS 1024u
#define TX_SLOT  2048u

static int open_packet(const char *ifname, int type)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons((uint16_t)type),
				  .sll_ifindex = (int)if_nametoindex(ifname) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), v = TPACKET_V3, room = 8 << 20;

	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_VERSION, &v, sizeof(v)) ||
	    bind(fd, (struct sockaddr *)&to, sizeof(to)))
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	return fd;
}

static uint64_t bare_packet_tx_batch(void *arg)
{
	struct bare *b = arg;
	uint64_t n = 0;

	for (int i = 0; i < BATCH; i++) {
		struct tpacket3_hdr *h = (void *)(b->ring + (size_t)b->next * TX_SLOT);

		if (__atomic_load_n(&h->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
			break;
		memcpy((char *)h + TPACKET_ALIGN(sizeof(*h)), b->frame, FRAME_LEN);
		h->tp_len = FRAME_LEN;
		__atomic_store_n(&h->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
		b->next = (b->next + 1) % TX_SLOTS;
		n++;
	}
	(void)!send(b->fd, NULL, 0, MSG_DONTWAIT);
	return n;
}

static int map_tx_ring(struct bare *b)
{
	struct tpacket_req3 tx = { .tp_block_size = 64 << 10,
				   .tp_block_nr = TX_SLOTS / 32,
				   .tp_frame_size = TX_SLOT,
				   .tp_frame_nr = TX_SLOTS };

	if (setsockopt(b->fd, SOL_PACKET, PACKET_TX_RING, &tx, sizeof(tx)))
		return -errno;
	b->ring = mmap(NULL, (size_t)TX_SLOTS * TX_SLOT, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd,
		       0);
	return b->ring == MAP_FAILED ? -errno : 0;
}

static double bare_packet_tx(struct port_run *r)
{
	struct bare b = { .fd = -1 };
	double rate;
	int err = make_port(r, false);

	if (err)
		return err;
	b.fd = open_packet("v0", 0);
	err = b.fd < 0 ? b.fd : map_tx_ring(&b);
	if (err)
		return err;
	make_frame(b.frame, nobody_mac);
	rate = timed(r->params, bench_thread_clock, bare_packet_tx_batch, &b);
	munmap(b.ring, (size_t)TX_SLOTS * TX_SLOT);
	close(b.fd);
	return rate;
}

/* ---- packets in --------------------------------------------------------------------------------------------- */

/* Runs until r->stop, in the namespace of the thread that has started it. */
static void *sender(void *arg)
{
	struct port_run *r = arg;
	struct bare b = { .fd = open_packet(r->kind == TAP ? "tap0" : "v1", 0) };
	double next = bench_clock();

	make_frame(b.frame, weir_mac);
	if (b.fd >= 0 && !map_tx_ring(&b))
		for (; !r->stop; next += r->rate > 0 ? BATCH / r->rate : 0) {
			while (r->rate > 0 && bench_clock() < next && !r->stop)
				;
			bare_packet_tx_batch(&b);
		}
	if (b.ring && b.ring != MAP_FAILED)
		munmap(b.ring, (size_t)TX_SLOTS * TX_SLOT);
	if (b.fd >= 0)
		close(b.fd);
	return NULL;
}

static double with_sender(struct port_run *r, uint64_t (*batch)(void *arg), void *arg)
{
	pthread_t thread;
	double rate;

	r->stop = false;
	if (pthread_create(&thread, NULL, sender, r))
		return -EAGAIN;
	rate = timed(r->params, bench_clock, batch, arg);
	r->stop = true;
	pthread_join(thread, NULL);
	return rate;
}

static uint64_t weir_rx_batch(void *arg)
{
	struct weir_socket *s = arg;
	char payload[64];
	uint64_t n = 0;

	weir_run(s->w->m, 1000000);
	while (weir_recv(s->u, payload, sizeof(payload), 0) == sizeof(payload))
		n++;
	return n;
}

static int set_address(struct weir_net *net)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg ifi;
		struct nlattr name_attr;
		char name[8];
		struct nlattr addr_attr;
		unsigned char mac[8];
	} req = { .h = { sizeof(req) - 2, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		  .name_attr = { NLA_HDRLEN + 5, IFLA_IFNAME },
		  .name = "eth0",
		  .addr_attr = { NLA_HDRLEN + 6, IFLA_ADDRESS } };

	memcpy(req.mac, weir_mac, 6);
	return weir_netlink(net, NETLINK_ROUTE, &req.h, NULL, NULL, NULL, 0);
}

/* A socket with @room octets that hears what sender() sends. 0 or -errno */
static int weir_rx_begin(struct port_run *r, struct weir_socket *s, int room)
{
	int err = make_port(r, false);

	if (!err)
		err = weir_begin(r, s->w);
	if (!err)
		err = set_address(s->w->net);
	if (err)
		return err;
	weir_socket(s->w->net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &s->u);
	weir_setsockopt(s->u, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	return weir_bind(s->u, (struct sockaddr *)&s->w->own, sizeof(s->w->own));
}

static double weir_rx(struct port_run *r)
{
	struct port_weir w;
	struct weir_socket s = { .w = &w };
	int err = weir_rx_begin(r, &s, 8 << 20);
	double rate;

	if (err)
		return err;
	rate = with_sender(r, weir_rx_batch, &s);
	weir_close(s.u);
	weir_end(&w);
	return rate;
}

static uint64_t bare_tap_rx_batch(void *arg)
{
	struct bare *b = arg;
	struct pollfd p = { .fd = b->fd, .events = POLLIN };
	unsigned char buf[2048];
	uint64_t n = 0;

	poll(&p, 1, 1);
	while (n < BATCH && read(b->fd, buf, sizeof(buf)) > 0)
		n++;
	return n;
}

static double bare_tap_rx(struct port_run *r)
{
	struct bare b = { .fd = -1 };
	int err = make_port(r, false);

	if (err)
		return err;
	b.fd = r->fd;
	return with_sender(r, bare_tap_rx_batch, &b);
}

#define RX_BLOCKS 64u
#define RX_BLOCK  (256u << 10)

static uint64_t bare_packet_rx_batch(void *arg)
{
	struct bare *b = arg;
	struct tpacket_block_desc *d = (void *)(b->ring + (size_t)b->next * RX_BLOCK);
	struct pollfd p = { .fd = b->fd, .events = POLLIN };
	const struct tpacket3_hdr *h;
	unsigned char buf[2048];
	uint64_t n;

	if (!(__atomic_load_n(&d->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
		poll(&p, 1, 1);
		return 0;
	}
	n = d->hdr.bh1.num_pkts;
	h = (void *)((char *)d + d->hdr.bh1.offset_to_first_pkt);
	for (uint64_t i = 0; i < n; i++) {
		memcpy(buf, (const char *)h + h->tp_mac, h->tp_snaplen);
		__asm__ volatile("" ::"r"(buf) : "memory");
		h = (void *)((const char *)h + h->tp_next_offset);
	}
	__atomic_store_n(&d->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
	b->next = (b->next + 1) % RX_BLOCKS;
	return n;
}

static double bare_packet_rx(struct port_run *r)
{
	struct tpacket_req3 rx = { .tp_block_size = RX_BLOCK,
				   .tp_block_nr = RX_BLOCKS,
				   .tp_frame_size = 2048,
				   .tp_frame_nr = RX_BLOCKS * (RX_BLOCK / 2048),
				   .tp_retire_blk_tov = 1 };
	struct bare b = { .fd = -1 };
	double rate;
	int err = make_port(r, false);

	if (err)
		return err;
	b.fd = open_packet("v0", ETH_P_ALL);
	if (b.fd < 0 || setsockopt(b.fd, SOL_PACKET, PACKET_RX_RING, &rx, sizeof(rx)))
		return -errno;
	b.ring = mmap(NULL, (size_t)RX_BLOCKS * RX_BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, b.fd,
		      0);
	if (b.ring == MAP_FAILED)
		return -errno;
	rate = with_sender(r, bare_packet_rx_batch, &b);
	munmap(b.ring, (size_t)RX_BLOCKS * RX_BLOCK);
	close(b.fd);
	return rate;
}

struct bare_xdp {
	struct xdp_side *x;
	unsigned char frame[FRAME_LEN];
};

static uint64_t bare_xdp_tx_batch(void *arg)
{
	struct bare_xdp *b = arg;

	return xdp_side_send(b->x, b->frame, FRAME_LEN);
}

static uint64_t bare_xdp_rx_batch(void *arg)
{
	return xdp_side_receive(((struct bare_xdp *)arg)->x);
}

static double bare_xdp(struct port_run *r, bool in)
{
	struct bare_xdp b = { NULL };
	double rate;
	int err = make_port(r, false);

	if (err)
		return err;
	b.x = xdp_side_open("v0");
	if (!b.x)
		return -errno;
	make_frame(b.frame, nobody_mac);
	rate = in ? with_sender(r, bare_xdp_rx_batch, &b)
		  : timed(r->params, bench_thread_clock, bare_xdp_tx_batch, &b);
	xdp_side_close(b.x);
	return rate;
}

static double bare_xdp_tx(struct port_run *r)
{
	return bare_xdp(r, false);
}

static double bare_xdp_rx(struct port_run *r)
{
	return bare_xdp(r, true);
}

static uint64_t bare_dpdk_rx_batch(void *arg)
{
	return dpdk_side_receive(arg);
}

struct bare_dpdk {
	struct dpdk_side *d;
	unsigned char frame[FRAME_LEN];
};

static uint64_t bare_dpdk_tx_batch(void *arg)
{
	struct bare_dpdk *b = arg;

	return dpdk_side_send(b->d, b->frame, FRAME_LEN);
}

static double bare_dpdk(struct port_run *r, bool in)
{
	struct bare_dpdk b = { NULL };
	double rate;
	int err = make_port(r, false);

	if (err)
		return err;
	b.d = dpdk_side_open("v0", weir_mac);
	if (!b.d)
		return -errno;
	make_frame(b.frame, nobody_mac);
	rate = in ? with_sender(r, bare_dpdk_rx_batch, b.d)
		  : timed(r->params, bench_thread_clock, bare_dpdk_tx_batch, &b);
	dpdk_side_close(b.d);
	return rate;
}

static double bare_dpdk_tx(struct port_run *r)
{
	return bare_dpdk(r, false);
}

static double bare_dpdk_rx(struct port_run *r)
{
	return bare_dpdk(r, true);
}

/* ---- overload: more packets than the program can take ------------------------------------------------------- */

#define WORK_S 4e-6 /* that the program computes on a datagram */

static uint64_t reader_batch(void *arg)
{
	struct weir_socket *s = arg;
	char payload[64];
	uint64_t n = 0;
	double until;

	for (; n < BATCH; n++) {
		if (weir_recv(s->u, payload, sizeof(payload), 0) != sizeof(payload)) {
			weir_run(s->w->m, 1000000);
			break;
		}
		until = bench_clock() + WORK_S;
		while (bench_clock() < until)
			;
	}
	return n;
}

/* What the program reads when @offered packets a second are sent; 0: as many as can be. */
static double goodput(struct port_run *r, struct weir_socket *s, double offered)
{
	r->rate = offered;
	return with_sender(r, reader_batch, s);
}

/* The most that it reads, of loads below and above what it can do. */
static double find_peak(struct port_run *r, struct weir_socket *s)
{
	static const double loads[] = { 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.5, 2 };
	double some = goodput(r, s, 0), best = some;

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		double g = goodput(r, s, loads[i] * some);

		best = g > best ? g : best;
	}
	return best;
}

static double overload(struct port_run *r, double times)
{
	struct bench_params quick = *r->params;
	struct port_weir w;
	struct weir_socket s = { .w = &w };
	int err = weir_rx_begin(r, &s, 1 << 20);
	double g;

	if (err)
		return err;
	quick.seconds /= 4;
	r->params = &quick;
	g = find_peak(r, &s);
	if (times > 0)
		g = goodput(r, &s, times * g);
	weir_close(s.u);
	weir_end(&w);
	return g;
}

static double overload_peak(struct port_run *r)
{
	return overload(r, 0);
}

static double overload_4x(struct port_run *r)
{
	return overload(r, 4);
}

/* ---- TCP between weir and the kernel ---------------------------------------------------------------------------- */

struct kernel_end {
	struct port_run *r;
	struct sockaddr_in addr;
	bool sends;
	volatile uint64_t octets; /* that it has received */
	pthread_barrier_t ready;
};

/* A blocking socket of the kernel's, as in kernel_side.c. */
static void *kernel_end(void *arg)
{
	struct kernel_end *k = arg;
	size_t size = k->r->params->write_size;
	char *buf = calloc(1, size);
	int l = socket(AF_INET, SOCK_STREAM, 0), one = 1, fd;
	ssize_t n;

	setsockopt(l, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(l, IPPROTO_TCP, TCP_CONGESTION, "cubic", 5);
	if (bind(l, (struct sockaddr *)&k->addr, sizeof(k->addr)) || listen(l, 1))
		perror("bench: bind");
	pthread_barrier_wait(&k->ready);
	fd = accept(l, NULL, NULL);
	do {
		n = k->sends ? send(fd, buf, size, MSG_NOSIGNAL) : recv(fd, buf, size, 0);
		if (n > 0 && !k->sends)
			__atomic_fetch_add(&k->octets, (uint64_t)n, __ATOMIC_RELAXED);
	} while (n > 0);
	close(fd);
	close(l);
	free(buf);
	return NULL;
}

struct weir_bulk {
	struct port_weir *w;
	struct weir_file *f;
	struct kernel_end *k;
	char *buf;
	size_t size;
	uint64_t seen;
};

static uint64_t weir_bulk_out_batch(void *arg)
{
	struct weir_bulk *b = arg;
	uint64_t before = b->seen;

	for (int i = 0; i < 16; i++)
		if (weir_send(b->f, b->buf, b->size, 0) < (ssize_t)b->size)
			weir_run(b->w->m, 1000000);
	b->seen = __atomic_load_n(&b->k->octets, __ATOMIC_RELAXED);
	return b->seen - before;
}

static uint64_t weir_bulk_in_batch(void *arg)
{
	struct weir_bulk *b = arg;
	uint64_t octets = 0;
	ssize_t n;

	for (int i = 0; i < 16; i++) {
		n = weir_recv(b->f, b->buf, b->size, 0);
		if (n > 0)
			octets += (uint64_t)n;
		else
			weir_run(b->w->m, 1000000);
	}
	return octets;
}

static double weir_bulk(struct port_run *r, bool kernel_sends)
{
	struct port_weir w;
	struct kernel_end k = { .r = r, .sends = kernel_sends };
	struct weir_bulk b = { .w = &w, .k = &k, .size = r->params->write_size };
	pthread_t thread;
	double rate;
	int err = make_port(r, true);

	if (!err)
		err = weir_begin(r, &w);
	if (err)
		return err;
	k.addr = w.kernel;
	pthread_barrier_init(&k.ready, NULL, 2);
	if (pthread_create(&thread, NULL, kernel_end, &k))
		return -EAGAIN;
	pthread_barrier_wait(&k.ready);
	weir_socket(w.net, AF_INET, SOCK_STREAM, 0, &b.f);
	err = weir_connect(b.f, (struct sockaddr *)&w.kernel, sizeof(w.kernel));
	weir_fcntl(b.f, F_SETFL, O_NONBLOCK);
	b.buf = calloc(1, b.size);
	rate = err ? err
		   : timed(r->params, bench_clock,
			   kernel_sends ? weir_bulk_in_batch : weir_bulk_out_batch, &b);
	weir_close(b.f);
	for (int i = 0; i < 20; i++)
		weir_run(w.m, 1000000);
	weir_end(&w);
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	pthread_cancel(thread); /* its peer has gone without a word */
	pthread_join(thread, NULL);
	pthread_barrier_destroy(&k.ready);
	free(b.buf);
	return rate;
}

static double weir_bulk_out(struct port_run *r)
{
	return weir_bulk(r, false);
}

static double weir_bulk_in(struct port_run *r)
{
	return weir_bulk(r, true);
}

/* ---- rows ------------------------------------------------------------------------------------------------------ */

double weir_tap_bulk_out(const struct bench_params *p)
{
	return run(p, TAP, weir_bulk_out);
}

double weir_tap_bulk_in(const struct bench_params *p)
{
	return run(p, TAP, weir_bulk_in);
}

double weir_afpacket_bulk_out(const struct bench_params *p)
{
	return run(p, AFPACKET, weir_bulk_out);
}

double weir_afpacket_bulk_in(const struct bench_params *p)
{
	return run(p, AFPACKET, weir_bulk_in);
}

double weir_tap_tx(const struct bench_params *p)
{
	return run(p, TAP, weir_tx);
}

double weir_tap_rx(const struct bench_params *p)
{
	return run(p, TAP, weir_rx);
}

double weir_afpacket_tx(const struct bench_params *p)
{
	return run(p, AFPACKET, weir_tx);
}

double weir_afpacket_tx_mmsg(const struct bench_params *p)
{
	return run(p, AFPACKET, weir_tx_mmsg);
}

double weir_afpacket_rx(const struct bench_params *p)
{
	return run(p, AFPACKET, weir_rx);
}

double loop_tap_tx(const struct bench_params *p)
{
	return run(p, TAP, bare_tap_tx);
}

double loop_tap_rx(const struct bench_params *p)
{
	return run(p, TAP, bare_tap_rx);
}

double loop_afpacket_tx(const struct bench_params *p)
{
	return run(p, AFPACKET, bare_packet_tx);
}

double loop_afpacket_rx(const struct bench_params *p)
{
	return run(p, AFPACKET, bare_packet_rx);
}

double weir_afxdp_tx(const struct bench_params *p)
{
	return run(p, AFXDP, weir_tx);
}

double weir_afxdp_tx_mmsg(const struct bench_params *p)
{
	return run(p, AFXDP, weir_tx_mmsg);
}

double weir_afxdp_rx(const struct bench_params *p)
{
	return run(p, AFXDP, weir_rx);
}

double loop_afxdp_tx(const struct bench_params *p)
{
	return run(p, AFXDP, bare_xdp_tx);
}

double loop_afxdp_rx(const struct bench_params *p)
{
	return run(p, AFXDP, bare_xdp_rx);
}

double weir_dpdk_tx(const struct bench_params *p)
{
	return run(p, DPDK, weir_tx);
}

double weir_dpdk_rx(const struct bench_params *p)
{
	return run(p, DPDK, weir_rx);
}

double loop_dpdk_tx(const struct bench_params *p)
{
	return run(p, DPDK, bare_dpdk_tx);
}

double loop_dpdk_rx(const struct bench_params *p)
{
	return run(p, DPDK, bare_dpdk_rx);
}

double weir_overload(const struct bench_params *p)
{
	return run(p, TAP, overload_4x);
}

double weir_overload_peak(const struct bench_params *p)
{
	return run(p, TAP, overload_peak);
}
