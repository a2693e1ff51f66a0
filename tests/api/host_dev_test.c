/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host_dev_test.c - devices over an interface of the host: host_dev_test KIND[,OPTION=VALUE...]|SPEC [MODULE_PATH]
 *
 * In a network namespace of the test's own:
 *
 *     kernel, 10.0.0.1 on v1 ------ v0 ------ KIND:v0 ------ eth0 10.0.0.2, weir
 *
 * A whole SPEC is a port of DPDK: over v0, or one that makes v1 itself (net_tap), or that has no other side (net_ring).
 * The kernel's sockets and weir's are served by this one thread, unless a test says otherwise.
 */
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/api/two_nets.h"

#define TEST_TYPE 0x88b5 /* IEEE 802 local experimental 1 */
#define PATIENCE  1000   /* turns of 5 ms */

static char kind[64];
static const char *module_path;

struct world {
	struct weir_machine *m;
	struct weir_net *net;
	struct sockaddr_in kernel, weir; /* port 7 */
};

static void sh(const char *cmd)
{
	if (system(cmd) != 0)
		fail_msg("%s", cmd);
}

static bool is(const char *name)
{
	return !strncmp(kind, name, strlen(name));
}

/* Up to 5 ms; 5 ms of a device that looks for frames each microsecond, where each look is a turn. */
static void turn(struct weir_machine *m)
{
	uint64_t start = weir_now(m);

	do
		weir_run(m, 5000000);
	while (strstr(kind, "busy_poll") && weir_now(m) - start < 5000000);
}

/* ---- what can be read of the device ---------------------------------------------------------------------------- */

static void view(const struct world *w, const char *name, char *buf, size_t size)
{
	char path[128], *text;
	size_t len;

	snprintf(path, sizeof(path), "/sys/class/net/eth0/%s", name);
	assert_int_equal(weir_view_read(w->net, path, &text, &len), 0);
	snprintf(buf, size, "%.*s", (int)(len ? len - 1 : 0), text);
	free(text);
}

static unsigned long number(const struct world *w, const char *name)
{
	char buf[64];

	view(w, name, buf, sizeof(buf));
	return strtoul(buf, NULL, 10);
}

static void own_address(const struct world *w, unsigned char mac[6])
{
	char buf[64];

	view(w, "address", buf, sizeof(buf));
	assert_int_equal(sscanf(buf, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &mac[0], &mac[1], &mac[2],
				&mac[3], &mac[4], &mac[5]),
			 6);
}

struct stat_query {
	const char *name;
	uint64_t value;
};

static void one_stat(const char *name, uint64_t value, void *arg)
{
	struct stat_query *q = arg;

	if (!strcmp(name, q->name))
		q->value = value;
}

static uint64_t ethtool_stat(const struct world *w, const char *name)
{
	struct stat_query q = { .name = name };

	net_ethtool_stats(w->net, "eth0", one_stat, &q);
	return q.value;
}

static bool wait_for(const struct world *w, const char *name, unsigned long value)
{
	for (int i = 0; i < PATIENCE; i++) {
		if (number(w, name) == value)
			return true;
		turn(w->m);
	}
	return false;
}

/* ---- setting up -------------------------------------------------------------------------------------------------- */

static void attach(struct world *w, const char *more)
{
	static const struct weir_machine_config cfg = { 0 };
	struct weir_machine_config c = cfg;
	char spec[128], error[256] = "", *comma;
	struct net_error e;

	c.module_path = module_path;
	w->m = weir_machine_create(&c);
	assert_non_null(w->m);
	w->net = weir_net_create(w->m, "a");
	assert_non_null(w->net);
	assert_int_equal(weir_sysctl(w->net, "net.ipv6.conf.default.disable_ipv6", "1"), 0);
	snprintf(spec, sizeof(spec), "%s", kind);
	comma = strchr(spec, ',');
	if (strchr(kind, ':'))
		snprintf(spec, sizeof(spec), "%s", kind);
	else if (comma)
		snprintf(spec, sizeof(spec), "%.*s:v0%s%s", (int)(comma - spec), kind,
			 strchr(kind, ','), more);
	else
		snprintf(spec, sizeof(spec), "%s:v0%s", kind, more);
	if (weir_dev_attach(w->net, "eth0", spec, error, sizeof(error)))
		fail_msg("%s: %s", spec, error);
	w->weir = w->kernel = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
	w->kernel.sin_addr.s_addr = htonl(0x0a000001);
	w->weir.sin_addr.s_addr = htonl(0x0a000002);
	assert_int_equal(net_addr_add(w->net, "eth0", w->weir.sin_addr, 24, &e), 0);
	assert_int_equal(net_link_up(w->net, "eth0", &e), 0);
	assert_true(wait_for(w, "carrier", 1));
}

static void detach(struct world *w)
{
	weir_net_destroy(w->net);
	weir_machine_destroy(w->m);
}

/* Of each test's own: what is left of one, a connection that nobody answers, sends nothing into the next. */
static void enter_namespace(void)
{
	if (unshare(CLONE_NEWNET)) {
		print_message("no network namespace: %s\n", strerror(errno));
		exit(77);
	}
	sh("ip link set lo up; "
	   "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null; true");
}

/* A veth of the kernel's, and nothing on it but what the tests send. */
static void make_veth(unsigned mtu)
{
	char cmd[512];

	enter_namespace();
	snprintf(cmd, sizeof(cmd),
		 "ip link del v0 2>/dev/null; ip link add v0 mtu %u type veth peer name v1 mtu %u "
		 "&& "
		 "ip addr add 10.0.0.1/24 dev v1 && ip link set v0 up && ip link set v1 up",
		 mtu, mtu);
	sh(cmd);
}

/* A port that is told nothing beside the octets wants them complete. */
static void no_offloads(const char *ifname)
{
	static const uint32_t off[] = { ETHTOOL_STXCSUM, ETHTOOL_STSO, ETHTOOL_SGSO };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	for (size_t i = 0; i < sizeof(off) / sizeof(off[0]); i++) {
		struct ethtool_value v = { .cmd = off[i] };
		struct ifreq ifr = { .ifr_data = (void *)&v };

		strcpy(ifr.ifr_name, ifname);
		assert_int_equal(ioctl(fd, SIOCETHTOOL, &ifr), 0);
	}
	close(fd);
}

static bool makes_v1(void)
{
	return strstr(kind, "iface=v1") != NULL;
}

static void begin(struct world *w, const char *more)
{
	if (makes_v1())
		enter_namespace();
	else
		make_veth(1500);
	if (is("dpdk:net_af_packet"))
		no_offloads("v1");
	attach(w, more);
	if (makes_v1())
		sh("ip addr add 10.0.0.1/24 dev v1 && ip link set v1 up");
}

/* ---- frames ------------------------------------------------------------------------------------------------------- */

static int kernel_raw(unsigned type)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons((uint16_t)type)),
	    room = 64 << 20;
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons((uint16_t)type),
				  .sll_ifindex = (int)if_nametoindex("v1") };

	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof(room));
	return fd;
}

static struct weir_file *weir_raw(const struct world *w, unsigned type)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons((uint16_t)type),
				  .sll_ifindex = (int)number(w, "ifindex") };
	struct weir_file *f;

	assert_int_equal(weir_socket(w->net, AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0, &f), 0);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&to, sizeof(to)), 0);
	return f;
}

/* Frame @i of a sequence: its number, and octets that depend on it. */
static size_t make_frame(unsigned char *frame, const unsigned char *to, uint32_t i, size_t max)
{
	size_t len = 60 + (size_t)i * 7919 % (max - 59);
	struct ether_header *eth = (void *)frame;

	memset(eth, 0, sizeof(*eth));
	memcpy(eth->ether_dhost, to, 6);
	eth->ether_shost[0] = 2;
	eth->ether_type = htons(TEST_TYPE);
	memcpy(frame + 14, &i, sizeof(i));
	for (size_t k = 18; k < len; k++)
		frame[k] = (unsigned char)(i + k);
	return len;
}

static void check_frame(const unsigned char *frame, ssize_t n, const unsigned char *to, uint32_t i,
			size_t max)
{
	static unsigned char want[65536];
	size_t len = make_frame(want, to, i, max);

	assert_int_equal(n, len);
	assert_memory_equal(frame, want, len);
}

static const unsigned char everybody[6] = { 255, 255, 255, 255, 255, 255 };

/* What the ring had no room for, because this thread did not run for a while, is counted: then numbers are missing, but none comes late. */
static void frames_come_in_order_around_the_ring(void **state)
{
	enum { FRAMES = 20000, CHUNK = 50 };
	unsigned char frame[2000], to[6];
	struct weir_file *r;
	uint32_t got = 0, next = 0, i;
	struct world w;
	int fd;

	begin(&w, is("afpacket") ? ",rx_blocks=4" : "");
	own_address(&w, to);
	fd = kernel_raw(TEST_TYPE);
	r = weir_raw(&w, TEST_TYPE);
	for (uint32_t sent = 0; sent < FRAMES;) {
		unsigned long missed = 0;

		for (int k = 0; k < CHUNK; k++, sent++) {
			size_t len = make_frame(frame, to, sent, 1514);

			assert_int_equal(write(fd, frame, len), len);
		}
		for (int idle = 0; got + missed < sent && idle < PATIENCE; idle++) {
			ssize_t n;

			turn(w.m);
			while ((n = weir_recv(r, frame, sizeof(frame), 0)) > 0) {
				memcpy(&i, frame + 14, sizeof(i));
				assert_true(i >= next);
				check_frame(frame, n, to, i, 1514);
				next = i + 1;
				got++;
			}
			missed = number(&w, "statistics/rx_missed_errors");
		}
		assert_true(got + missed >= sent);
	}
	assert_true(got > FRAMES / 2);
	close(fd);
	weir_close(r);
	detach(&w);
}

struct sender {
	int fd;
	unsigned char frame[60];
	uint32_t stop; /* atomic */
};

static void *send_now_and_then(void *arg)
{
	struct sender *s = arg;

	while (!__atomic_load_n(&s->stop, __ATOMIC_ACQUIRE)) {
		if (write(s->fd, s->frame, sizeof(s->frame)) < 0)
			break;
		usleep(20000);
	}
	return NULL;
}

/*
 * Also of a device that looks for frames without end: the time is what a turn would take that does not. A frame that comes while weir_recv()
 * finds nothing is no work of the turn behind it, but the next one is.
 */
static void a_turn_ends_when_something_has_come(void **state)
{
	const uint64_t turn = 60000000000u;
	unsigned char frame[100], to[6];
	struct weir_file *r;
	struct sender s = { 0 };
	pthread_t sender;
	struct world w;
	uint64_t start;

	begin(&w, "");
	own_address(&w, to);
	s.fd = kernel_raw(TEST_TYPE);
	r = weir_raw(&w, TEST_TYPE);
	make_frame(s.frame, to, 0, sizeof(s.frame));
	assert_int_equal(pthread_create(&sender, NULL, send_now_and_then, &s), 0);
	start = weir_now(w.m);
	while (weir_recv(r, frame, sizeof(frame), 0) < 0 && weir_now(w.m) - start < turn)
		weir_run(w.m, turn);
	assert_true(weir_now(w.m) - start < turn);
	__atomic_store_n(&s.stop, 1, __ATOMIC_RELEASE);
	assert_int_equal(pthread_join(sender, NULL), 0);
	close(s.fd);
	weir_close(r);
	detach(&w);
}

static void what_the_ring_has_no_room_for_is_counted(void **state)
{
	enum { FRAMES = 30000 };
	unsigned char frame[1500], to[6];
	unsigned long got, lost;
	struct world w;
	int fd;

	begin(&w, is("afpacket") ? ",rx_blocks=4" : "");
	own_address(&w, to);
	fd = kernel_raw(TEST_TYPE);
	for (uint32_t i = 0; i < FRAMES; i++) {
		make_frame(frame, to, i, 1000);
		assert_int_equal(write(fd, frame, 1000), 1000);
	}
	for (int i = 0; i < PATIENCE; i++) {
		got = number(&w, "statistics/rx_packets");
		lost = number(&w, "statistics/rx_missed_errors");
		if (got + lost >= FRAMES)
			break;
		turn(w.m);
	}
	assert_in_range(got + lost, FRAMES, FRAMES + 20); /* the kernel may say something */
	assert_true(got > 0 && lost > 0);
	close(fd);
	detach(&w);
}

static void frames_go_out_in_order_past_a_full_ring(void **state)
{
	enum { FRAMES = 5000 };
	unsigned char frame[9100];
	struct weir_file *s;
	uint32_t sent = 0, got = 0;
	size_t max = is("afpacket") ? 9014 : 1514;
	struct world w;
	int fd;

	if (is("afpacket")) {
		make_veth(9000);
		attach(&w, ",tx_frames=32");
	} else {
		begin(&w, "");
	}
	fd = kernel_raw(TEST_TYPE);
	s = weir_raw(&w, TEST_TYPE);
	for (int idle = 0; got < FRAMES && idle < PATIENCE;) {
		bool moved = false;
		ssize_t n;

		while (sent < FRAMES) {
			size_t len = make_frame(frame, everybody, sent, max);

			n = weir_send(s, frame, len, 0);
			if (n < 0)
				break;
			assert_int_equal(n, len);
			sent++;
			moved = true;
		}
		while ((n = read(fd, frame, sizeof(frame))) > 0) {
			check_frame(frame, n, everybody, got++, max);
			moved = true;
		}
		idle = moved ? 0 : idle + 1;
		if (moved)
			weir_run(w.m, 0);
		else
			turn(w.m);
	}
	assert_int_equal(got, FRAMES);
	close(fd);
	weir_close(s);
	detach(&w);
}

enum { MESSAGES = 64 };

/* How often the host was told that there is something to send. */
static uint64_t doorbells(const struct world *w)
{
	return ethtool_stat(w, is("afpacket") ? "tx_kicks"
			       : is("afxdp")  ? "tx_calls"
					      : "tx_bursts");
}

/* The numbers of the frames that come out are those from @first on. */
static void expect_frames(const struct world *w, int fd, uint32_t first)
{
	unsigned char frame[200];
	uint32_t got = 0;

	for (int i = 0; i < PATIENCE && got < MESSAGES; i++) {
		ssize_t n;

		turn(w->m);
		while (got < MESSAGES && (n = read(fd, frame, sizeof(frame))) > 0)
			check_frame(frame, n, everybody, first + got++, 160);
	}
	assert_int_equal(got, MESSAGES);
	assert_int_equal(read(fd, frame, sizeof(frame)), -1);
}

static void messages_of_one_call_are_told_to_the_host_together(void **state)
{
	static unsigned char frames[MESSAGES][200];
	struct mmsghdr msgs[MESSAGES] = { 0 };
	struct iovec iov[MESSAGES];
	uint64_t before, one_by_one;
	struct weir_file *s;
	struct world w;
	int fd;

	begin(&w, "");
	fd = kernel_raw(TEST_TYPE);
	s = weir_raw(&w, TEST_TYPE);
	for (uint32_t i = 0; i < MESSAGES; i++) {
		iov[i] = (struct iovec){ frames[i], make_frame(frames[i], everybody, i, 160) };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
	}
	before = doorbells(&w);
	assert_int_equal(weir_sendmmsg(s, msgs, MESSAGES, 0), MESSAGES);
	/* One call of the kernel's takes 32 frames of AF_XDP's, one of DPDK's as many. */
	assert_in_range(doorbells(&w) - before, 1, is("afpacket") ? 1 : 8);
	for (uint32_t i = 0; i < MESSAGES; i++)
		assert_int_equal(msgs[i].msg_len, iov[i].iov_len);
	expect_frames(&w, fd, 0);
	before = doorbells(&w);
	for (uint32_t i = 0; i < MESSAGES; i++)
		assert_int_equal(weir_send(s, iov[i].iov_base, iov[i].iov_len, 0), iov[i].iov_len);
	one_by_one = doorbells(&w) - before;
	if (!strstr(kind, "tx_usecs"))
		assert_in_range(one_by_one, MESSAGES, 2 * MESSAGES);
	expect_frames(&w, fd, 0);
	assert_int_equal(number(&w, "statistics/tx_packets"), 2 * MESSAGES);
	close(fd);
	weir_close(s);
	detach(&w);
}

static void send_to(int fd, const unsigned char *to)
{
	unsigned char frame[60];

	make_frame(frame, to, 0, 60);
	assert_int_equal(write(fd, frame, sizeof(frame)), sizeof(frame));
}

/* The next frame is one for @to. */
static void expect_to(const struct world *w, struct weir_file *r, const unsigned char *to)
{
	unsigned char frame[100];
	ssize_t n = -EAGAIN;

	for (int i = 0; i < PATIENCE && n == -EAGAIN; i++) {
		turn(w->m);
		n = weir_recv(r, frame, sizeof(frame), 0);
	}
	check_frame(frame, n, to, 0, 60);
}

static void frames_for_other_stations_are_left_to_the_host(void **state)
{
	unsigned char to[6], other[6] = { 2, 9, 9, 9, 9, 9 };
	struct packet_mreq mr = { .mr_type = PACKET_MR_PROMISC };
	struct weir_file *p, *r;
	struct world w;
	int fd;

	begin(&w, "");
	own_address(&w, to);
	fd = kernel_raw(TEST_TYPE);
	r = weir_raw(&w, TEST_TYPE);
	send_to(fd, other);
	send_to(fd, to);
	expect_to(&w, r, to);

	p = weir_raw(&w, TEST_TYPE);
	mr.mr_ifindex = (int)number(&w, "ifindex");
	assert_int_equal(weir_setsockopt(p, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &mr, sizeof(mr)), 0);
	send_to(fd, other);
	expect_to(&w, r, other);
	sh("ip -d link show v0 | grep -q 'promiscuity [1-9]'");
	weir_close(p);
	send_to(fd, other);
	send_to(fd, to);
	expect_to(&w, r, to);
	close(fd);
	weir_close(r);
	detach(&w);
}

static void a_vlan_tag_is_beside_the_octets(void **state)
{
	static const unsigned char tag[4] = { 0x81, 0x00, 0x20, 0x05 }; /* priority 1, VLAN 5 */
	unsigned char frame[100], tagged[104], got[104], to[6], control[100];
	struct iovec iov = { got, sizeof(got) };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct tpacket_auxdata aux = { 0 };
	int one = 1, fd;
	struct weir_file *r;
	struct world w;
	ssize_t n = 0;

	begin(&w, "");
	own_address(&w, to);
	fd = kernel_raw(TEST_TYPE);
	r = weir_raw(&w, ETH_P_ALL);
	assert_int_equal(weir_setsockopt(r, SOL_PACKET, PACKET_AUXDATA, &one, sizeof(one)), 0);
	make_frame(frame, to, 0, 60);
	memcpy(tagged, frame, 12);
	memcpy(tagged + 12, tag, 4);
	memcpy(tagged + 16, frame + 12, 48);
	assert_int_equal(write(fd, tagged, 64), 64);
	for (int i = 0; i < PATIENCE && n <= 0; i++) {
		turn(w.m);
		n = weir_recvmsg(r, &msg, 0);
	}
	assert_int_equal(n, 60);
	assert_memory_equal(got, frame, 60);
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&msg); c; c = CMSG_NXTHDR(&msg, c))
		if (c->cmsg_level == SOL_PACKET && c->cmsg_type == PACKET_AUXDATA)
			memcpy(&aux, CMSG_DATA(c), sizeof(aux));
	assert_true(aux.tp_status & TP_STATUS_VLAN_VALID);
	assert_int_equal(aux.tp_vlan_tci, 0x2005);
	assert_int_equal(aux.tp_vlan_tpid, 0x8100);
	close(fd);
	weir_close(r);
	detach(&w);
}

/* ---- programs' traffic ------------------------------------------------------------------------------------------ */

static unsigned char octet_at(size_t i)
{
	return (unsigned char)((uint32_t)i * 2654435761u >> 24);
}

struct stream {
	size_t sent, got;
};

static void fill(unsigned char *buf, size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		buf[i] = octet_at(at + i);
}

static void compare(const unsigned char *buf, size_t at, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (buf[i] != octet_at(at + i))
			fail_msg("octet %zu differs", at + i);
}

/* A connection that the kernel has asked weir for. */
static void connect_both(const struct world *w, int *ret_fd, struct weir_file **ret_file)
{
	struct weir_file *l;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), r = -EAGAIN;

	assert_int_equal(weir_socket(w->net, AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&w->weir, sizeof(w->weir)), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&w->weir, sizeof(w->weir)), -1);
	assert_int_equal(errno, EINPROGRESS);
	for (int i = 0; i < PATIENCE && r == -EAGAIN; i++) {
		turn(w->m);
		r = weir_accept(l, NULL, NULL, SOCK_NONBLOCK, ret_file);
	}
	assert_int_equal(r, 0);
	weir_close(l);
	*ret_fd = fd;
}

/* Both directions at once. @cut: called in the middle. */
static void tcp_both_ways(size_t total, void (*cut)(struct world *w), struct world *w)
{
	static unsigned char buf[65536];
	struct stream up = { 0 }, down = { 0 }; /* from the kernel; to it */
	struct weir_file *f;
	int fd;

	connect_both(w, &fd, &f);
	for (int idle = 0; (up.got < total || down.got < total) && idle < PATIENCE;) {
		size_t before = up.got + down.got + up.sent + down.sent, n;
		ssize_t r;

		n = total - up.sent < sizeof(buf) ? total - up.sent : sizeof(buf);
		fill(buf, up.sent, n);
		r = n ? send(fd, buf, n, MSG_NOSIGNAL) : 0;
		up.sent += r > 0 ? (size_t)r : 0;
		n = total - down.sent < sizeof(buf) ? total - down.sent : sizeof(buf);
		fill(buf, down.sent, n);
		r = n ? weir_send(f, buf, n, 0) : 0;
		down.sent += r > 0 ? (size_t)r : 0;
		while ((r = recv(fd, buf, sizeof(buf), 0)) > 0) {
			compare(buf, down.got, (size_t)r);
			down.got += (size_t)r;
		}
		while ((r = weir_recv(f, buf, sizeof(buf), 0)) > 0) {
			compare(buf, up.got, (size_t)r);
			up.got += (size_t)r;
		}
		if (cut && up.got > total / 2) {
			cut(w);
			break;
		}
		idle = up.got + down.got + up.sent + down.sent == before ? idle + 1 : 0;
		if (idle)
			turn(w->m);
		else
			weir_run(w->m, 0);
	}
	if (!cut) {
		assert_int_equal(up.got, total);
		assert_int_equal(down.got, total);
	}
	close(fd);
	weir_close(f);
}

static void tcp_crosses_both_ways_at_once(void **state)
{
	struct world w;

	begin(&w, "");
	tcp_both_ways(30000000, NULL, &w);
	assert_int_equal(number(&w, "statistics/rx_errors"), 0);
	assert_int_equal(number(&w, "statistics/tx_errors"), 0);
	if (is("afpacket")) { /* segments cross whole */
		assert_true(ethtool_stat(&w, "rx_lent") > 0);
		assert_true(ethtool_stat(&w, "tx_big") > 0);
	}
	detach(&w);
}

/* The kernel leaves the checksum of what crosses a veth to a card that there is not. */
static void unfinished_checksums_are_no_errors(void **state)
{
	char buf[2000] = "";
	struct weir_file *u;
	struct world w;
	ssize_t n = 0;
	int fd;

	begin(&w, "");
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&w.weir, sizeof(w.weir)), 0);
	assert_int_equal(weir_socket(w.net, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &u), 0);
	assert_int_equal(weir_bind(u, (struct sockaddr *)&w.weir, sizeof(w.weir)), 0);
	for (int i = 0; i < 100; i++) {
		n = 0;
		fill((unsigned char *)buf, (size_t)i, (size_t)i * 14);
		assert_int_equal(send(fd, buf, (size_t)i * 14, 0), i * 14);
		for (int k = 0; k < PATIENCE && n <= 0; k++) {
			turn(w.m);
			n = weir_recvfrom(u, buf, sizeof(buf), 0, NULL, NULL);
			if (!i && !n)
				break;
		}
		assert_int_equal(n, i * 14);
		compare((unsigned char *)buf, (size_t)i, (size_t)n);
	}
	close(fd);
	weir_close(u);
	detach(&w);
}

/* ---- events of the host ------------------------------------------------------------------------------------------- */

static void carrier_and_mtu_follow_the_host(void **state)
{
	struct world w;

	begin(&w, "");
	assert_int_equal(number(&w, "mtu"), 1500);
	sh("ip link set v1 down");
	assert_true(wait_for(&w, "carrier", 0));
	sh("ip link set v1 up");
	assert_true(wait_for(&w, "carrier", 1));
	sh("ip link set v0 down");
	assert_true(wait_for(&w, "carrier", 0));
	sh("ip link set v0 up");
	assert_true(wait_for(&w, "carrier", 1));
	if (!is("afxdp")) {
		sh("ip link set v0 mtu 1300");
		assert_true(wait_for(&w, "mtu", 1300));
		sh("ip link set v0 mtu 1400");
		assert_true(wait_for(&w, "mtu", 1400));
		sh("ip link set v0 mtu 1500");
	}
	tcp_both_ways(100000, NULL, &w);
	detach(&w);
}

/* The kernel leaves them in the ring; the one who waits for a free place would never have told it again. */
static void a_ring_that_was_full_when_the_interface_went_down_goes_on(void **state)
{
	enum { SLOTS = 32, MORE = 40 };
	unsigned char frame[100];
	uint32_t sent = 0, last = 0;
	struct weir_file *s;
	struct world w;
	int fd;

	begin(&w, ",tx_frames=32,tx_usecs=10000");
	fd = kernel_raw(TEST_TYPE);
	s = weir_raw(&w, TEST_TYPE);
	for (; sent < SLOTS; sent++) {
		make_frame(frame, everybody, sent, 60);
		assert_int_equal(weir_send(s, frame, 60, 0), 60);
	}
	sh("ip link set v0 down");
	assert_true(wait_for(&w, "carrier", 0));
	for (int i = 0; i < PATIENCE && !ethtool_stat(&w, "tx_kicks"); i++)
		turn(w.m);
	assert_true(ethtool_stat(&w, "tx_kicks"));
	sh("ip link set v0 up");
	assert_true(wait_for(&w, "carrier", 1));
	for (int idle = 0; last != SLOTS + MORE - 1 && idle < PATIENCE; idle++) {
		make_frame(frame, everybody, sent, 60);
		if (sent < SLOTS + MORE && weir_send(s, frame, 60, 0) == 60)
			sent++;
		turn(w.m);
		while (read(fd, frame, sizeof(frame)) > 0)
			memcpy(&last, frame + 14, sizeof(last));
	}
	assert_int_equal(last, SLOTS + MORE - 1);
	close(fd);
	weir_close(s);
	detach(&w);
}

static void a_ring_has_any_number_of_slots(void **state)
{
	struct world w;

	begin(&w, ",tx_frames=33");
	tcp_both_ways(100000, NULL, &w);
	detach(&w);
}

static void delete_it(struct world *w)
{
	sh("ip link del v0");
	assert_true(wait_for(w, "carrier", 0));
}

static void the_interface_may_go_under_load(void **state)
{
	struct world w;

	begin(&w, "");
	tcp_both_ways(30000000, delete_it, &w);
	detach(&w);
}

static void destroy_it(struct world *w)
{
	char error[256];
	struct {
		struct nlmsghdr h;
		struct ifinfomsg ifi;
	} req = { .h = { sizeof(req), RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, 1, 0 },
		  .ifi = { .ifi_index = (int)number(w, "ifindex") } };

	assert_int_equal(
		weir_netlink(w->net, NETLINK_ROUTE, &req.h, NULL, NULL, error, sizeof(error)), 0);
}

static void the_device_may_go_under_load(void **state)
{
	struct world w;

	begin(&w, "");
	tcp_both_ways(30000000, destroy_it, &w);
	detach(&w);
}

/* ---- lending -------------------------------------------------------------------------------------------------------- */

/* A segment of 20,000 octets that nobody has cut. */
static size_t make_big(unsigned char *msg, const unsigned char *to)
{
	struct virtio_net_hdr *v = (void *)msg;
	unsigned char *frame = msg + sizeof(*v), *ip = frame + 14;
	size_t len = 20000;

	memset(msg, 0, sizeof(*v) + len);
	*v = (struct virtio_net_hdr){ .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
				      .gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
				      .hdr_len = 54,
				      .gso_size = 1448,
				      .csum_start = 34,
				      .csum_offset = 16 };
	memcpy(frame, to, 6);
	frame[6] = 2;
	frame[12] = 8; /* IPv4 */
	ip[0] = 0x45;
	ip[2] = (unsigned char)((len - 14) >> 8);
	ip[3] = (unsigned char)(len - 14);
	ip[8] = 64;
	ip[9] = 6;
	ip[20 + 12] = 5 << 4;
	for (size_t i = 54; i < len; i++)
		frame[i] = octet_at(i);
	return sizeof(*v) + len;
}

static void lent_octets_outlive_the_device_and_do_not_starve_the_ring(void **state)
{
	static unsigned char msg[32768], got[32768];
	unsigned char to[6];
	struct weir_file *r;
	int one = 1, fd;
	struct world w;
	size_t len;

	begin(&w, ",rx_blocks=4");
	own_address(&w, to);
	fd = kernel_raw(ETH_P_IP);
	assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	r = weir_raw(&w, ETH_P_IP);
	len = make_big(msg, to);
	for (unsigned i = 1; i <= 4; i++) { /* a block for each: they are a millisecond apart */
		assert_int_equal(write(fd, msg, len), len);
		assert_true(wait_for(&w, "statistics/rx_packets", i));
	}
	assert_int_equal(ethtool_stat(&w, "rx_lent"), 2);
	destroy_it(&w);
	for (int i = 0; i < 4; i++) {
		ssize_t n = weir_recv(r, got, sizeof(got), 0);

		if (n == -ENETDOWN) /* told once */
			n = weir_recv(r, got, sizeof(got), 0);
		assert_int_equal(n, 20000);
		compare(got + 54, 54, 20000 - 54);
	}
	close(fd);
	weir_close(r);
	detach(&w);
}

/* ---- groups ---------------------------------------------------------------------------------------------------------- */

static void devices_of_a_fanout_group_share_the_frames(void **state)
{
	unsigned char frame[100];
	unsigned got[2] = { 0 };
	struct weir_file *r[2];
	struct world w[2];
	int fd;

	make_veth(1500);
	for (int i = 0; i < 2; i++) {
		attach(&w[i], ",fanout=7,fanout_mode=lb,addr=host");
		r[i] = weir_raw(&w[i], TEST_TYPE);
	}
	fd = kernel_raw(TEST_TYPE);
	for (uint32_t i = 0; i < 100; i++) {
		make_frame(frame, everybody, i, 60);
		assert_int_equal(write(fd, frame, 60), 60);
	}
	for (int i = 0; i < PATIENCE && got[0] + got[1] < 100; i++) {
		for (int k = 0; k < 2; k++) {
			turn(w[k].m);
			while (weir_recv(r[k], frame, sizeof(frame), 0) > 0)
				got[k]++;
		}
	}
	assert_int_equal(got[0] + got[1], 100);
	assert_in_range(got[0], 40, 60); /* other frames are shared, too */
	close(fd);
	for (int i = 0; i < 2; i++) {
		weir_close(r[i]);
		detach(&w[i]);
	}
}

/* ---- a port whose end is its beginning ------------------------------------------------------------------------------ */

static void what_goes_out_comes_back_in_order(void **state)
{
	enum { FRAMES = 5000, CHUNK = 50 };
	unsigned char frame[2000];
	struct sockaddr_ll from;
	socklen_t fromlen;
	struct weir_file *s;
	uint32_t got = 0;
	struct world w;

	enter_namespace();
	attach(&w, "");
	s = weir_raw(&w, TEST_TYPE);
	for (uint32_t sent = 0; got < FRAMES;) {
		for (int i = 0; i < CHUNK; i++, sent++) {
			size_t len = make_frame(frame, everybody, sent, 1514);

			assert_int_equal(weir_send(s, frame, len, 0), len);
		}
		for (int idle = 0; got < sent && idle < PATIENCE; idle++) {
			ssize_t n;

			turn(w.m);
			while (fromlen = sizeof(from),
			       (n = weir_recvfrom(s, frame, sizeof(frame), 0,
						  (struct sockaddr *)&from, &fromlen)) > 0)
				if (from.sll_pkttype != PACKET_OUTGOING)
					check_frame(frame, n, everybody, got++, 1514);
		}
		assert_int_equal(got, sent);
	}
	weir_close(s);
	detach(&w);
}

/* ---- what is refused ------------------------------------------------------------------------------------------------- */

static void what_is_not_understood_is_refused_with_a_sentence(void **state)
{
	static const struct {
		const char *spec;
		int err;
		const char *says;
	} cases[] = {
		{ "afpacket", -EINVAL, "is not KIND:NAME" },
		{ ":v0", -EINVAL, "is not KIND:NAME" },
		{ "afpacket:", -EINVAL, "wants the name" },
		{ "carrier-pigeon:v0", -EPROTONOSUPPORT, "dev-carrier-pigeon" },
		{ "afpacket:v0,colour=red", -EINVAL, "no option \"colour\"" },
		{ "afpacket:v0,rx_blocks=3", -EINVAL, "from 4 to 4096" },
		{ "afpacket:v0,rx_blocks=8x", -EINVAL, "not a number" },
		{ "afpacket:v0,rx_blocks", -EINVAL, "not a number" },
		{ "afpacket:v0,addr=mine", -EINVAL, "own, host" },
		{ "afpacket:not-there", -ENODEV, "not-there" },
		{ "afpacket:a-name-that-is-too-long", -ENODEV, "too-long" },
		{ "afpacket:lo", -EINVAL, "not an Ethernet" },
		{ "tap:a-name-that-is-too-long", -EINVAL, "" },
	};
	static const struct weir_machine_config virtual_time = { .clock = WEIR_CLOCK_VIRTUAL };
	struct weir_machine *m = weir_machine_create(NULL), *v = weir_machine_create(&virtual_time);
	struct weir_net *net = weir_net_create(m, "a"), *vnet = weir_net_create(v, "a");
	char error[256];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int err = weir_dev_attach(net, "eth0", cases[i].spec, error, sizeof(error));

		if (err != cases[i].err || !strstr(error, cases[i].says))
			fail_msg("%s: %d %s", cases[i].spec, err, error);
	}
	assert_int_equal(weir_dev_attach(vnet, "eth0", "afpacket:lo", error, sizeof(error)),
			 -EOPNOTSUPP);
	weir_net_destroy(net);
	weir_machine_destroy(m);
	weir_net_destroy(vnet);
	weir_machine_destroy(v);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest refused[] = {
		cmocka_unit_test(what_is_not_understood_is_refused_with_a_sentence),
	};
	/* The first NR_COMMON are for each kind over an interface, the others for packet sockets. */
	enum { NR_COMMON = 10 };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_turn_ends_when_something_has_come),
		cmocka_unit_test(frames_come_in_order_around_the_ring),
		cmocka_unit_test(what_the_ring_has_no_room_for_is_counted),
		cmocka_unit_test(frames_go_out_in_order_past_a_full_ring),
		cmocka_unit_test(messages_of_one_call_are_told_to_the_host_together),
		cmocka_unit_test(tcp_crosses_both_ways_at_once),
		cmocka_unit_test(unfinished_checksums_are_no_errors),
		cmocka_unit_test(carrier_and_mtu_follow_the_host),
		cmocka_unit_test(the_interface_may_go_under_load),
		cmocka_unit_test(the_device_may_go_under_load),
		cmocka_unit_test(frames_for_other_stations_are_left_to_the_host),
		cmocka_unit_test(a_vlan_tag_is_beside_the_octets),
		cmocka_unit_test(lent_octets_outlive_the_device_and_do_not_starve_the_ring),
		cmocka_unit_test(devices_of_a_fanout_group_share_the_frames),
		cmocka_unit_test(a_ring_that_was_full_when_the_interface_went_down_goes_on),
		cmocka_unit_test(a_ring_has_any_number_of_slots),
	};
	size_t nr = NR_COMMON;

	const struct CMUnitTest of_a_port[] = {
		cmocka_unit_test(a_turn_ends_when_something_has_come),
		cmocka_unit_test(frames_come_in_order_around_the_ring),
		cmocka_unit_test(frames_go_out_in_order_past_a_full_ring),
		cmocka_unit_test(messages_of_one_call_are_told_to_the_host_together),
		cmocka_unit_test(tcp_crosses_both_ways_at_once),
		cmocka_unit_test(the_device_may_go_under_load),
	};

	const struct CMUnitTest of_a_ring[] = {
		cmocka_unit_test(what_goes_out_comes_back_in_order),
	};

	if (argc < 2)
		return cmocka_run_group_tests(refused, NULL, NULL);
	snprintf(kind, sizeof(kind), "%s", argv[1]);
	module_path = argc > 2 ? argv[2] : NULL;
	if (is("dpdk")) { /* its port knows nothing of the interface below */
		setenv("WEIR_DPDK_EAL",
		       "--no-huge -m 256 --no-pci --no-shconf --no-telemetry --log-level=error", 0);
		if (is("dpdk:net_ring"))
			return cmocka_run_group_tests(of_a_ring, NULL, NULL);
		return cmocka_run_group_tests(of_a_port, NULL, NULL);
	}
	if (is("afpacket"))
		nr = sizeof(tests) / sizeof(tests[0]);
	return _cmocka_run_group_tests("host_dev", tests, nr, NULL, NULL);
}
