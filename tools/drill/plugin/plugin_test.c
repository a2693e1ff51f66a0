/* SPDX-License-Identifier: BSD-2-Clause */
/* plugin_test.c - the plug-in as the tool uses it: loaded by name, called through its table by two threads. argv[1]: the shared object */
#include "drill/plugin/packetdrill_interface.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <arpa/inet.h>
#include <cmocka.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#define LOCAL  "192.168.0.1"
#define REMOTE "192.0.2.1"
#define PORT   8080
#define SEC    1000000LL

static const char *plugin_path;

struct packet {
	struct iphdr ip;
	struct tcphdr tcp;
	char data[64];
};

static struct packetdrill_interface load(const char *flags, void **ret_handle)
{
	struct packetdrill_interface p = { 0 };
	void (*init)(const char *flags, struct packetdrill_interface *ifc);

	*ret_handle = dlopen(plugin_path, RTLD_NOW | RTLD_LOCAL);
	if (!*ret_handle)
		fail_msg("%s", dlerror());
	*(void **)&init = dlsym(*ret_handle, "packetdrill_interface_init");
	assert_non_null(init);
	init(flags, &p);
	return p;
}

static uint32_t sum16(const void *at, size_t len, uint32_t sum)
{
	const uint8_t *p = at;

	for (size_t i = 0; i < len; i++)
		sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

/* A segment of the other end comes in. */
static void inject(struct packetdrill_interface *p, struct tcphdr tcp, const char *data)
{
	size_t n = strlen(data), len = sizeof(struct iphdr) + sizeof(tcp) + n;
	struct packet k = { .ip = { .version = 4,
				    .ihl = 5,
				    .tot_len = htons((uint16_t)len),
				    .ttl = 64,
				    .protocol = IPPROTO_TCP,
				    .saddr = inet_addr(REMOTE),
				    .daddr = inet_addr(LOCAL) },
			    .tcp = tcp };

	k.ip.check = fold(sum16(&k.ip, sizeof(k.ip), 0));
	k.tcp.source = htons(40000);
	k.tcp.dest = htons(PORT);
	k.tcp.doff = 5;
	k.tcp.window = htons(32768);
	memcpy(k.data, data, n);
	k.tcp.check = fold(sum16(&k.tcp, sizeof(k.tcp) + n,
				 sum16(&k.ip.saddr, 8, IPPROTO_TCP + sizeof(k.tcp) + n)));
	assert_int_equal(p->netdev_send(p->user, &k, len), 0);
}

/* The next packet that leaves, and when. */
static struct packet sniff(struct packetdrill_interface *p, long long *ret_usec)
{
	char buf[70000];
	struct packet k = { 0 };
	size_t len = sizeof(buf);

	assert_int_equal(p->netdev_receive(p->user, buf, &len, ret_usec), 0);
	assert_true(len >= 40);
	memcpy(&k, buf, len < sizeof(k) ? len : sizeof(k));
	return k;
}

static long long now(struct packetdrill_interface *p)
{
	struct timeval tv;

	assert_int_equal(p->gettimeofday(p->user, &tv, NULL), 0);
	return tv.tv_sec * SEC + tv.tv_usec;
}

static int listener(struct packetdrill_interface *p)
{
	struct sockaddr_in addr = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int fd = p->socket(p->user, AF_INET, SOCK_STREAM, 0);

	assert_true(fd > 2);
	assert_int_equal(p->bind(p->user, fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	assert_int_equal(p->listen(p->user, fd, 1), 0);
	return fd;
}

/* The handshake of the other end, whose first octet is 1. Returns our initial sequence number. */
static uint32_t handshake(struct packetdrill_interface *p)
{
	struct packet k;
	long long usec, before = now(p);
	uint32_t iss;

	inject(p, (struct tcphdr){ .syn = 1 }, "");
	k = sniff(p, &usec);
	assert_true(k.tcp.syn && k.tcp.ack);
	assert_int_equal(ntohl(k.tcp.ack_seq), 1);
	assert_true(usec >= before && usec < before + 1000);
	iss = ntohl(k.tcp.seq);
	inject(p, (struct tcphdr){ .ack = 1, .seq = htonl(1), .ack_seq = htonl(iss + 1) }, "");
	return iss;
}

struct reader {
	struct packetdrill_interface *p;
	int fd;
	ssize_t n;
	int err;
	char buf[16];
	long long returned;
};

static void *read_thread(void *arg)
{
	struct reader *r = arg;

	r->n = r->p->read(r->p->user, r->fd, r->buf, sizeof(r->buf));
	r->err = errno;
	r->returned = now(r->p);
	return NULL;
}

static void a_blocked_read_returns_when_the_segment_comes(void **state)
{
	void *handle;
	struct packetdrill_interface p = load("local_ip=" LOCAL ",mtu=1500", &handle);
	int fd = listener(&p), conn;
	uint32_t iss = handshake(&p);
	struct reader r = { .p = &p };
	struct packet k;
	pthread_t thread;
	long long start, usec;

	r.fd = conn = p.accept(p.user, fd, NULL, NULL);
	assert_true(conn > fd);
	start = now(&p);
	assert_int_equal(pthread_create(&thread, NULL, read_thread, &r), 0);
	usleep(50000); /* it is in its call: of the process's time, not the stack's */
	p.usleep(p.user, 2 * SEC);
	inject(&p,
	       (struct tcphdr){ .ack = 1, .psh = 1, .seq = htonl(1), .ack_seq = htonl(iss + 1) },
	       "hello");
	p.usleep(p.user, 3 * SEC);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(r.n, 5);
	assert_memory_equal(r.buf, "hello", 5);
	assert_true(r.returned >= start + 2 * SEC && r.returned < start + 2 * SEC + 1000);
	assert_true(now(&p) >= start + 5 * SEC);

	k = sniff(&p, &usec);
	assert_int_equal(ntohl(k.tcp.ack_seq), 6);
	assert_int_equal(p.close(p.user, conn), 0);
	k = sniff(&p, &usec);
	assert_true(k.tcp.fin);
	assert_int_equal(p.close(p.user, conn), -1);
	assert_int_equal(errno, EBADF);
	p.free(p.user);
	dlclose(handle);
}

static void a_thread_that_is_waited_for_lets_time_pass(void **state)
{
	void *handle;
	struct packetdrill_interface p = load(NULL, &handle);
	int fd = listener(&p);
	struct timeval limit = { .tv_sec = 7 };
	struct reader r = { .p = &p };
	pthread_t thread;
	long long start;

	handshake(&p);
	r.fd = p.accept(p.user, fd, NULL, NULL);
	assert_int_equal(p.setsockopt(p.user, r.fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)),
			 0);
	start = now(&p);
	assert_int_equal(pthread_create(&thread, NULL, read_thread, &r), 0);
	pthread_join(thread, NULL); /* asks nothing of the plug-in */
	assert_int_equal(r.n, -1);
	assert_int_equal(r.err, EAGAIN);
	assert_true(r.returned >= start + 7 * SEC && r.returned < start + 7 * SEC + 1000);
	p.free(p.user);
	dlclose(handle);
}

static void a_silent_stack_has_no_packet(void **state)
{
	void *handle;
	struct packetdrill_interface p = load("", &handle);
	char buf[2000];
	size_t len = sizeof(buf);
	long long usec;

	assert_int_equal(p.netdev_receive(p.user, buf, &len, &usec), 0);
	assert_int_equal(len, 0);
	p.free(p.user);
	dlclose(handle);
}

static void a_call_that_nothing_can_end_is_a_deadlock(void **state)
{
	void *handle;
	struct packetdrill_interface p = load("", &handle);
	int fd = listener(&p);

	assert_int_equal(p.accept(p.user, fd, NULL, NULL), -1);
	assert_int_equal(errno, EDEADLK);
	p.free(p.user);
	dlclose(handle);
}

static void flags_set_sysctls(void **state)
{
	void *handle;
	struct packetdrill_interface p =
		load("net.ipv4.tcp_syn_retries=1,remote_ip=" REMOTE, &handle);
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_port = htons(PORT),
				    .sin_addr.s_addr = inet_addr(REMOTE) };
	int fd = p.socket(p.user, AF_INET, SOCK_STREAM, 0);
	long long first, second, start;

	start = now(&p);
	assert_int_equal(p.connect(p.user, fd, (struct sockaddr *)&addr, sizeof(addr)), -1);
	assert_int_equal(errno, ETIMEDOUT);
	assert_true(now(&p) >= start + 3 * SEC);
	sniff(&p, &first);
	sniff(&p, &second);
	assert_true(second - first > SEC - 100000 && second - first < SEC + 100000);
	p.free(p.user);
	dlclose(handle);
}

static void files_of_the_host_are_reached(void **state)
{
	void *handle;
	struct packetdrill_interface p = load("", &handle);
	int null = open("/dev/null", O_RDWR), fds[2];
	char c = 'x';

	assert_int_equal(p.write(p.user, null, &c, 1), 1);
	assert_int_equal(p.read(p.user, null, &c, 1), 0);
	assert_int_equal(p.pipe(p.user, fds), 0);
	assert_true(fds[0] != null && fds[1] != null);
	assert_int_equal(p.write(p.user, fds[1], &c, 1), 1);
	assert_int_equal(p.read(p.user, fds[0], &c, 1), 1);
	assert_int_equal(p.close(p.user, null), 0);
	assert_int_equal(fcntl(null, F_GETFD), -1);
	/* The tool closes what is open at its end behind the plug-in's back. */
	assert_int_equal(close(fds[0]), 0);
	p.free(p.user);
	dlclose(handle);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_blocked_read_returns_when_the_segment_comes),
		cmocka_unit_test(a_thread_that_is_waited_for_lets_time_pass),
		cmocka_unit_test(a_silent_stack_has_no_packet),
		cmocka_unit_test(a_call_that_nothing_can_end_is_a_deadlock),
		cmocka_unit_test(flags_set_sysctls),
		cmocka_unit_test(files_of_the_host_are_reached),
	};

	if (argc != 2)
		return 2;
	plugin_path = argv[1];
	return cmocka_run_group_tests(tests, NULL, NULL);
}
