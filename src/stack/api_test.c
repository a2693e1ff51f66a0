/* SPDX-License-Identifier: BSD-2-Clause */
/* api_test.c - machines and nets come and go without a trace, and cost little while they are idle */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <cmocka.h>

#include "lib/types.h"
#include "weir/weir.h"

#define NR_NETS 1000

static void machines_come_and_go(void **state)
{
	struct weir_machine_config cfgs[] = {
		{ 0 },
		{ .seeded = true, .seed = 5 },
		{ .clock = WEIR_CLOCK_VIRTUAL, .seed = 5 },
		{ .workers = true, .ncpus = 2 },
		{ .ncpus = 4 },
		{ .single_threaded = true },
		{ .single_threaded = true, .clock = WEIR_CLOCK_VIRTUAL },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cfgs); i++) {
		struct weir_machine *m = weir_machine_create(&cfgs[i]);
		struct weir_net *a, *b;
		struct weir_file *f;

		assert_non_null(m);
		a = weir_net_create(m, "a");
		b = weir_net_create(m, NULL);
		assert_non_null(a);
		assert_non_null(b);
		assert_string_equal(weir_net_name(a), "a");
		assert_string_equal(weir_net_name(b), "net2");
		assert_int_not_equal(weir_net_id(a), weir_net_id(b));
		assert_ptr_equal(weir_net_machine(a), m);
		assert_int_equal(weir_socket(a, AF_INET, SOCK_DGRAM, 0, &f), 0);
		assert_int_equal(weir_run(m, 0), cfgs[i].workers ? -EINVAL : 0);
		weir_net_destroy(a);
		weir_machine_destroy(m); /* closes b and f */
	}
}

static void one_thread_means_one_cpu_and_no_workers(void **state)
{
	const struct weir_machine_config cfgs[] = {
		{ .single_threaded = true, .workers = true },
		{ .single_threaded = true, .ncpus = 2 },
	};

	for (u32 i = 0; i < ARRAY_SIZE(cfgs); i++) {
		errno = 0;
		assert_null(weir_machine_create(&cfgs[i]));
		assert_int_equal(errno, EINVAL);
	}
}

/* Nothing but the lock is different: what waits and what is woken is not. */
static void a_single_threaded_machine_serves_its_thread(void **state)
{
	const struct weir_machine_config cfg = { .single_threaded = true };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *n = weir_net_create(m, "n");
	struct timeval tv = { .tv_usec = 1000 };
	struct weir_file *f[2], *again;
	char buf[8] = "";

	assert_int_equal(weir_socketpair(n, AF_UNIX, SOCK_STREAM, 0, f), 0);
	assert_int_equal(weir_setsockopt(f[1], SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv)), 0);
	assert_int_equal(weir_recv(f[1], buf, sizeof(buf), 0), -EAGAIN); /* after the time */
	assert_int_equal(weir_send(f[0], "octets", 6, 0), 6);
	assert_int_equal(weir_recv(f[1], buf, sizeof(buf), 0), 6);
	assert_string_equal(buf, "octets");
	again = weir_file_get(f[0]);
	weir_close(f[0]);
	assert_int_equal(weir_send(again, "more", 4, 0), 4); /* the other handle is as good */
	weir_close(again);
	assert_int_equal(weir_recv(f[1], buf, sizeof(buf), 0), 4);
	assert_int_equal(weir_recv(f[1], buf, sizeof(buf), 0),
			 0); /* the last one is gone: the end */
	weir_close(f[1]);
	weir_machine_destroy(m);
}

static size_t heap_octets(void)
{
	struct mallinfo2 mi = mallinfo2();

	return mi.uordblks + mi.hblkhd;
}

static void a_thousand_nets_cost_little_and_go(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	static struct weir_net *nets[NR_NETS];
	struct weir_memory mem;
	size_t before = heap_octets(), each;

	assert_non_null(m);
	for (int i = 0; i < NR_NETS; i++) {
		nets[i] = weir_net_create(m, "n");
		assert_non_null(nets[i]);
	}
	each = (heap_octets() - before) / NR_NETS;
	print_message("%zu octets of heap per idle instance\n", each);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_true(each > 0 && each <= 65536);
#endif
	for (int i = 0; i < NR_NETS; i++)
		weir_net_destroy(nets[i]);
	weir_memory(m, &mem);
	assert_int_equal(mem.nr_socks, 0);
	assert_int_equal(mem.skb_live, 0);
	weir_machine_destroy(m);
}

static void impossible_sockets_are_refused_as_in_linux(void **state)
{
	static const struct {
		int domain, type, protocol, err;
	} cases[] = {
		{ AF_APPLETALK, SOCK_DGRAM, 0, -EAFNOSUPPORT },
		{ -1, SOCK_STREAM, 0, -EAFNOSUPPORT },
		{ 999, SOCK_STREAM, 0, -EAFNOSUPPORT },
		{ AF_INET, 0, 0, -ESOCKTNOSUPPORT },
		{ AF_INET, 11, 0, -EINVAL },
		{ AF_INET, SOCK_DGRAM | 0x100000, 0, -EINVAL },
		{ AF_INET, SOCK_DGRAM, 6, -EPROTONOSUPPORT },
	};
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *n = weir_net_create(m, "n");
	struct weir_file *f[2];

	for (u32 i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(
			weir_socket(n, cases[i].domain, cases[i].type, cases[i].protocol, &f[0]),
			cases[i].err);
	assert_int_equal(weir_socketpair(n, AF_INET, SOCK_DGRAM, 0, f), -EOPNOTSUPP);
	weir_machine_destroy(m);
}

static void calls_on_the_wrong_file_are_refused(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *n = weir_net_create(m, "n");
	struct sockaddr_in a = { .sin_family = AF_INET };
	struct weir_file *ep, *f, *g;
	char c;

	assert_int_equal(weir_epoll_create(m, &ep), 0);
	assert_int_equal(weir_socket(n, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f), 0);
	assert_int_equal(weir_bind(ep, (struct sockaddr *)&a, sizeof(a)), -ENOTSOCK);
	assert_int_equal(weir_recv(ep, &c, 1, 0), -ENOTSOCK);
	assert_int_equal(weir_read(ep, &c, 1), -EINVAL);
	assert_int_equal(weir_ioctl(ep, FIONREAD, &c), -EINVAL);
	assert_int_equal(weir_epoll_wait(f, NULL, 1, 0), -EINVAL);
	assert_int_equal(weir_epoll_wait(ep, NULL, 0, 0), -EINVAL);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&a, 1), -EINVAL);
	assert_int_equal(weir_listen(f, 1), -EOPNOTSUPP);
	assert_int_equal(weir_accept(f, NULL, NULL, 0, &g), -EOPNOTSUPP);
	assert_int_equal(weir_accept(f, NULL, NULL, 0x40, &g), -EINVAL);
	assert_int_equal(weir_shutdown(f, 3), -EINVAL);
	assert_int_equal(weir_recv(f, &c, 1, 0), -EAGAIN);
	assert_int_equal(weir_read(f, &c, 0), 0);
	assert_int_equal(weir_fcntl(f, F_GETFL, 0) & O_NONBLOCK, O_NONBLOCK);
	assert_int_equal(weir_fcntl(f, F_SETFL, 0), 0);
	assert_int_equal(weir_fcntl(f, F_GETFL, 0) & O_NONBLOCK, 0);
	assert_int_equal(weir_ioctl(f, FIONBIO, &(int){ 1 }), 0);
	assert_int_equal(weir_recv(f, &c, 1, 0), -EAGAIN);
	assert_int_equal(weir_ioctl(f, 0x12345, &c), -ENOTTY);
	weir_close(ep);
	weir_close(f);
	weir_machine_destroy(m);
}

static void a_second_handle_keeps_the_file(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *n = weir_net_create(m, "n");
	struct weir_file *f, *g;
	char c;

	assert_int_equal(weir_socket(n, AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0, &f), 0);
	g = weir_file_get(f);
	weir_set_inode(f, 4711, 1000);
	assert_int_equal(weir_close(f), 0);
	assert_int_equal(weir_recv(g, &c, 1, 0), -EAGAIN);
	assert_int_equal(weir_inode(g), 4711);
	assert_int_equal(weir_close(g), 0);
	weir_machine_destroy(m);
}

/* What ifconfig asks. */
static void devices_answer_the_old_requests(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *n = weir_net_create(m, "n");
	struct ifreq r = { .ifr_name = "lo" };
	struct weir_file *f;

	assert_int_equal(weir_socket(n, AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_ioctl(f, SIOCGIFINDEX, &r), 0);
	assert_int_equal(r.ifr_ifindex, 1);
	memset(&r, 0, sizeof(r));
	r.ifr_ifindex = 1;
	assert_int_equal(weir_ioctl(f, SIOCGIFNAME, &r), 0);
	assert_string_equal(r.ifr_name, "lo");
	assert_int_equal(weir_ioctl(f, SIOCGIFFLAGS, &r), 0);
	assert_false(r.ifr_flags & IFF_UP);
	r.ifr_flags |= IFF_UP;
	assert_int_equal(weir_ioctl(f, SIOCSIFFLAGS, &r), 0);
	assert_int_equal(weir_ioctl(f, SIOCGIFFLAGS, &r), 0);
	assert_true(r.ifr_flags & IFF_UP);
	r.ifr_mtu = 9000;
	assert_int_equal(weir_ioctl(f, SIOCSIFMTU, &r), 0);
	r.ifr_mtu = 0;
	assert_int_equal(weir_ioctl(f, SIOCGIFMTU, &r), 0);
	assert_int_equal(r.ifr_mtu, 9000);
	assert_int_equal(weir_ioctl(f, SIOCGMIIPHY, &r), -EOPNOTSUPP);
	strcpy(r.ifr_name, "nosuch");
	assert_int_equal(weir_ioctl(f, SIOCGIFMTU, &r), -ENODEV);
	weir_close(f);
	weir_machine_destroy(m);
}

static void an_armed_machine_says_when_it_has_work(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL), *v;
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL };
	struct weir_net *n = weir_net_create(m, "n");
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct epoll_event ev = { .events = EPOLLOUT };
	struct weir_file *ep, *f;
	struct pollfd p = { .events = POLLIN };

	p.fd = weir_arm(m);
	assert_true(p.fd >= 0);
	assert_int_equal(weir_arm(m), p.fd);
	assert_int_equal(weir_epoll_create(m, &ep), 0);
	assert_int_equal(weir_socket(n, AF_INET, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&a, sizeof(a)), 0);
	while (weir_run(m, 0))
		;
	weir_arm(m);
	assert_int_equal(weir_epoll_ctl(ep, EPOLL_CTL_ADD, f, &ev),
			 0); /* writable: an event at once */
	assert_int_equal(poll(&p, 1, 0), 1);
	weir_arm(m); /* and it is still there */
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(weir_run(m, 0), 1);
	/* What is done while the caller is awake is told by the next weir_arm() only. */
	assert_int_equal(weir_epoll_ctl(ep, EPOLL_CTL_DEL, f, NULL), 0);
	while (weir_run(m, 0))
		;
	weir_arm(m);
	assert_int_equal(poll(&p, 1, 0), 0);
	weir_disarm(m);
	assert_int_equal(weir_epoll_ctl(ep, EPOLL_CTL_ADD, f, &ev), 0);
	assert_int_equal(poll(&p, 1, 0), 0);
	weir_arm(m);
	assert_int_equal(poll(&p, 1, 0), 1);
	assert_int_equal(weir_run(m, 0), 1);
	weir_close(f);
	weir_close(ep);
	weir_machine_destroy(m);

	v = weir_machine_create(&cfg);
	assert_int_equal(weir_arm(v), -EINVAL);
	weir_machine_destroy(v);
}

static void sleeping_moves_virtual_time(void **state)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL,
					   .start_realtime = 1000000000000 };
	struct weir_machine *m = weir_machine_create(&cfg);
	u64 t = weir_now(m);

	weir_sleep(m, 3600000000000);
	assert_int_equal(weir_now(m) - t, 3600000000000);
	assert_int_equal(weir_realtime(m), 1000000000000 + weir_now(m));
	t = weir_now(m);
	assert_int_equal(weir_run(m, 1000000), 0);
	assert_true(weir_now(m) - t <= 1000000);
	weir_machine_destroy(m);
}

static void records_are_lines_of_text(void **state)
{
	struct weir_trace_record r = { .time = 1500000000,
				       .skb_id = 7,
				       .related = 6,
				       .net_id = 1,
				       .ifindex = 2,
				       .len = 99,
				       .verdict = WEIR_DROP,
				       .reason = 2,
				       .point = "ip_rcv",
				       .file = "ipv4/ip_input.c",
				       .arg1_name = "len",
				       .arg1 = 5 };
	struct weir_machine *m = weir_machine_create(NULL);
	char buf[256], small[10];
	int n = weir_trace_format(m, &r, 0, buf, sizeof(buf));

	assert_int_equal(n, (int)strlen(buf));
	assert_non_null(strstr(buf, "1.500000000"));
	assert_non_null(strstr(buf, "#7 (of #6)"));
	assert_non_null(strstr(buf, "ip_rcv"));
	assert_non_null(strstr(buf, "drop NOMEM"));
	assert_int_equal(weir_trace_format(m, &r, 0, small, sizeof(small)), n);
	assert_int_equal(strlen(small), sizeof(small) - 1);
	weir_machine_destroy(m);
}

static void note_ip_forward(const struct weir_sysctl_info *info, void *arg)
{
	int *seen = arg;

	assert_true(*info->name && *info->help);
	if (!strcmp(info->name, "net.ipv4.ip_default_ttl")) {
		assert_string_equal(info->default_value, "64");
		assert_string_equal(info->range, "1 to 255");
		assert_true(info->writable);
		++*seen;
	}
	if (!strcmp(info->name, "net.ipv4.conf.DEV.forwarding"))
		++*seen;
}

static void sysctls_describe_themselves(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	int seen = 0;

	assert_int_equal(weir_sysctl_each(m, note_ip_forward, &seen), 0);
	assert_int_equal(seen, 2);
	weir_machine_destroy(m);
}

static void sysctls_are_parsed_as_in_linux(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *n = weir_net_create(m, "n");
	const char *rmem = "/proc/sys/net/ipv4/tcp_rmem";
	char *before, *after;
	size_t len;

	/* Fewer values than there are: the rest stays. */
	assert_int_equal(weir_view_read(n, rmem, &before, &len), 0);
	assert_int_equal(weir_sysctl(n, "net.ipv4.tcp_rmem", "5000"), 0);
	assert_int_equal(weir_view_read(n, rmem, &after, &len), 0);
	assert_memory_equal(after, "5000\t", 5);
	assert_string_equal(strchr(after, '\t'), strchr(before, '\t'));
	free(before);
	free(after);
	/* A number that is too long is not two numbers. */
	assert_int_equal(
		weir_sysctl(n, "net.ipv4.tcp_rmem", "0000000000000000000000000000000000050006"),
		-EINVAL);
	assert_int_equal(weir_sysctl(n, "net.ipv4.ip_forward", ""), 0);
	assert_int_equal(weir_sysctl(n, "net.ipv4.ip_forward", " "), -EINVAL);
	weir_machine_destroy(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(machines_come_and_go),
		cmocka_unit_test(one_thread_means_one_cpu_and_no_workers),
		cmocka_unit_test(a_single_threaded_machine_serves_its_thread),
		cmocka_unit_test(a_thousand_nets_cost_little_and_go),
		cmocka_unit_test(impossible_sockets_are_refused_as_in_linux),
		cmocka_unit_test(calls_on_the_wrong_file_are_refused),
		cmocka_unit_test(a_second_handle_keeps_the_file),
		cmocka_unit_test(devices_answer_the_old_requests),
		cmocka_unit_test(an_armed_machine_says_when_it_has_work),
		cmocka_unit_test(sleeping_moves_virtual_time),
		cmocka_unit_test(records_are_lines_of_text),
		cmocka_unit_test(sysctls_describe_themselves),
		cmocka_unit_test(sysctls_are_parsed_as_in_linux),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
