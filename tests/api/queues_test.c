/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queues_test.c - a device with a queue for each cpu of its net: queues_test tap|afpacket|afxdp|dpdk:NAME[,ARGUMENT...] [MODULE_PATH]
 *
 * In a network namespace of the test's own:
 *
 *     tap:       kernel, 10.0.0.1 on wt0 --- two queues --- eth0 10.0.0.2, weir on two cpus, with a worker each
 *     afpacket:  kernel, 10.0.0.1 on v1 ------ v0 --- two rings --- the same
 *     afxdp:     the same, of a veth with two queues
 *     dpdk:      a port with two queues, over v0, or one that makes v1 itself (net_tap)
 *
 * With ThreadSanitizer this is the stress test of devices that several cpus use at once.
 */
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/api/two_nets.h"

#define NR_CPUS  2
#define NR_FLOWS 16
#define PATIENCE 4000 /* waits of 5 ms */
#define STEP     5000000
#define RECORDS  65536

static const char *kind, *module_path;

struct world {
	struct weir_machine *m;
	struct weir_net *net;
	struct sockaddr_in kernel, weir; /* port 7 */
	int listener;                    /* of the kernel */
};

static bool is_tap(void)
{
	return !strcmp(kind, "tap");
}

static bool is_dpdk(void)
{
	return !strncmp(kind, "dpdk", 4);
}

static bool makes_v1(void)
{
	return strstr(kind, "iface=v1") != NULL;
}

/* What weir_dev_attach() is asked for */
static const char *spec(void)
{
	if (is_tap())
		return "tap:wt0";
	if (!strcmp(kind, "afpacket"))
		return "afpacket:v0";
	return strcmp(kind, "afxdp") ? kind : "afxdp:v0,csum=veth";
}

static void sh(const char *cmd)
{
	if (system(cmd) != 0)
		fail_msg("%s", cmd);
}

static unsigned long number(const struct world *w, const char *name)
{
	char path[128], *text;
	unsigned long v;
	size_t len;

	snprintf(path, sizeof(path), "/sys/class/net/eth0/%s", name);
	assert_int_equal(weir_view_read(w->net, path, &text, &len), 0);
	v = strtoul(text, NULL, 10);
	free(text);
	return v;
}

/* A port that is told nothing beside the octets wants them complete. */
static void make_veth(int queues)
{
	char cmd[256];

	snprintf(cmd, sizeof(cmd),
		 "ip link add v0 numrxqueues %d numtxqueues %d type veth peer name v1 "
		 "numrxqueues %d numtxqueues %d && ip link set v0 up",
		 queues, queues, queues, queues);
	sh(cmd);
	if (is_dpdk())
		sh("ethtool -K v1 tx off tso off gso off >/dev/null");
}

static void begin_with(struct world *w, const char *more)
{
	struct weir_machine_config cfg = { .ncpus = NR_CPUS,
					   .workers = true,
					   .module_path = module_path };
	char error[256] = "", text[128];
	struct net_error e;
	int one = 1;

	*w = (struct world){ .m = weir_machine_create(&cfg) };
	assert_non_null(w->m);
	w->net = weir_net_create_on(w->m, "wide", NR_CPUS);
	assert_non_null(w->net);
	assert_int_equal(weir_sysctl(w->net, "net.ipv6.conf.default.disable_ipv6", "1"), 0);
	if (!is_tap() && !makes_v1())
		make_veth(*more ? 1 : NR_CPUS);
	snprintf(text, sizeof(text), "%s%s", spec(), more);
	if (weir_dev_attach(w->net, "eth0", text, error, sizeof(error)))
		fail_msg("%s", error);
	sh(is_tap() ? "ip addr add 10.0.0.1/24 dev wt0 && ip link set wt0 up"
		    : "ip addr add 10.0.0.1/24 dev v1 && ip link set v1 up");
	w->weir = w->kernel = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
	w->kernel.sin_addr.s_addr = htonl(0x0a000001);
	w->weir.sin_addr.s_addr = htonl(0x0a000002);
	assert_int_equal(net_addr_add(w->net, "eth0", w->weir.sin_addr, 24, &e), 0);
	assert_int_equal(net_link_up(w->net, "eth0", &e), 0);
	for (int i = 0; i < PATIENCE && !number(w, "carrier"); i++)
		weir_sleep(w->m, STEP);
	w->listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(w->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(w->listener, (struct sockaddr *)&w->kernel, sizeof(w->kernel)), 0);
	assert_int_equal(listen(w->listener, 2 * NR_FLOWS), 0);
}

static void begin(struct world *w)
{
	begin_with(w, "");
}

static void end(struct world *w)
{
	weir_net_destroy(w->net);
	weir_machine_destroy(w->m);
	close(w->listener);
	if (!is_tap() && !makes_v1())
		sh("ip link del v0");
}

static int in_own_namespace(void **state)
{
	if (unshare(CLONE_NEWNET) || (is_tap() && access("/dev/net/tun", R_OK | W_OK))) {
		print_message("no network namespace, or no /dev/net/tun: %s\n", strerror(errno));
		exit(77);
	}
	sh("ip link set lo up; "
	   "echo 1 > /proc/sys/net/ipv6/conf/default/disable_ipv6 2>/dev/null; true");
	return 0;
}

/* ---- flows ------------------------------------------------------------------------------------------------------ */

struct flow {
	int fd;
	struct weir_file *f;
};

/* From weir's @cpu to the kernel. */
static struct flow flow_out(const struct world *w, uint32_t cpu)
{
	struct flow fl;

	assert_int_equal(weir_socket_on(w->net, cpu, AF_INET, SOCK_STREAM, 0, &fl.f), 0);
	assert_int_equal(weir_connect(fl.f, (struct sockaddr *)&w->kernel, sizeof(w->kernel)), 0);
	fl.fd = accept(w->listener, NULL, NULL);
	assert_true(fl.fd >= 0);
	return fl;
}

static struct flow flow_in(const struct world *w, struct weir_file *l)
{
	struct flow fl = { .fd = socket(AF_INET, SOCK_STREAM, 0) };

	assert_int_equal(connect(fl.fd, (struct sockaddr *)&w->weir, sizeof(w->weir)), 0);
	assert_int_equal(weir_accept(l, NULL, NULL, 0, &fl.f), 0);
	return fl;
}

static void flow_end(struct flow *fl)
{
	weir_close(fl->f);
	close(fl->fd);
}

/* @n octets each way: less than the buffers of both ends hold. */
static void exchange(const struct flow *fl, size_t n, uint8_t seed)
{
	uint8_t *out = calloc(1, n), *in = calloc(1, n);
	size_t got;
	ssize_t r;

	for (size_t i = 0; i < n; i++)
		out[i] = (uint8_t)(seed + i * 31 + (i >> 8));
	assert_int_equal(weir_send(fl->f, out, n, 0), n);
	for (got = 0; got < n; got += (size_t)r) {
		r = read(fl->fd, in + got, n - got);
		assert_true(r > 0);
	}
	assert_memory_equal(in, out, n);
	assert_int_equal(write(fl->fd, out, n), n);
	for (got = 0; got < n; got += (size_t)r) {
		r = weir_recv(fl->f, in + got, n - got, 0);
		assert_true(r > 0);
	}
	assert_memory_equal(in, out, n);
	free(out);
	free(in);
}

/* ---- who did it --------------------------------------------------------------------------------------------------- */

struct seen {
	unsigned xmit[NR_CPUS], receive[NR_CPUS]; /* by the driver, on each cpu */
	unsigned by_lead, steered;
};

static bool is_driver(const char *point, const char *what)
{
	static const char *const drivers[] = { "tun", "afpacket", "afxdp", "dpdk" };

	for (size_t i = 0; i < sizeof(drivers) / sizeof(drivers[0]); i++) {
		size_t len = strlen(drivers[i]);

		if (!strncmp(point, drivers[i], len) && !strcmp(point + len, what))
			return true;
	}
	return false;
}

/* The name of a packet ends with the cpu that made it. */
static struct seen look(struct weir_machine *m, uint64_t cursor[64])
{
	struct weir_trace_record *r = calloc(RECORDS, sizeof(*r));
	struct seen s = { 0 };
	int n;

	n = weir_trace_read(m, cursor, r, RECORDS, NULL);
	for (int i = 0; i < n; i++) {
		size_t cpu = r[i].skb_id & 0xff;

		if (is_driver(r[i].point, "_xmit"))
			s.xmit[cpu]++;
		else if (is_driver(r[i].point, "_receive"))
			s.receive[cpu]++;
		else if (!strcmp(r[i].point, "shadow_xmit"))
			s.by_lead++;
		else if (!strcmp(r[i].point, "net_steer"))
			s.steered++;
	}
	free(r);
	return s;
}

/* ---- the claims --------------------------------------------------------------------------------------------------- */

static void each_cpu_sends_and_receives_by_a_queue_of_its_own(void **state)
{
	uint64_t cursor[64] = { 0 };
	struct flow fl[NR_FLOWS];
	struct seen s;
	struct world w;

	begin(&w);
	assert_int_equal(weir_trace_enable(w.m, RECORDS), 0);
	for (uint32_t i = 0; i < NR_FLOWS; i++)
		fl[i] = flow_out(&w, i % NR_CPUS);
	for (uint8_t i = 0; i < NR_FLOWS; i++)
		exchange(&fl[i], 30000, i);
	for (uint32_t i = 0; i < NR_FLOWS; i++)
		flow_end(&fl[i]);
	s = look(w.m, cursor);
	assert_int_equal(s.by_lead, 0);
	for (int cpu = 0; cpu < NR_CPUS; cpu++) {
		assert_true(s.xmit[cpu]);
		assert_true(s.receive[cpu]);
	}
	/* The kernel's tap answers by the queue that has asked; a ring is chosen by a hash of the kernel's, half of them wrongly. */
	if (is_tap())
		assert_true(s.steered < (s.receive[0] + s.receive[1]) / 4);
	weir_trace_disable(w.m);
	end(&w);
}

/* Of a device with fewer queues than there are cpus. */
static void a_cpu_without_a_queue_goes_by_the_lead(void **state)
{
	uint64_t cursor[64] = { 0 };
	struct flow fl[NR_FLOWS];
	struct seen s;
	struct world w;

	begin_with(&w, ",queues=1");
	assert_int_equal(weir_trace_enable(w.m, RECORDS), 0);
	for (uint32_t i = 0; i < NR_FLOWS; i++)
		fl[i] = flow_out(&w, i % NR_CPUS);
	for (uint8_t i = 0; i < NR_FLOWS; i++)
		exchange(&fl[i], 30000, i);
	for (uint32_t i = 0; i < NR_FLOWS; i++)
		flow_end(&fl[i]);
	s = look(w.m, cursor);
	assert_true(s.by_lead > 0 && s.steered > 0);
	assert_int_equal(s.receive[1], 0);
	weir_trace_disable(w.m);
	end(&w);
}

static void connections_find_their_cpu_whichever_queue_they_come_by(void **state)
{
	struct flow fl[NR_FLOWS];
	struct weir_file *l;
	struct world w;

	begin(&w);
	assert_int_equal(weir_socket(w.net, AF_INET, SOCK_STREAM, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&w.weir, sizeof(w.weir)), 0);
	assert_int_equal(weir_listen(l, NR_FLOWS), 0);
	for (uint32_t i = 0; i < NR_FLOWS; i++)
		fl[i] = flow_in(&w, l);
	for (uint8_t round = 0; round < 4; round++)
		for (uint8_t i = 0; i < NR_FLOWS; i++)
			exchange(&fl[i], 60000, (uint8_t)(i + round));
	for (uint32_t i = 0; i < NR_FLOWS; i++)
		flow_end(&fl[i]);
	weir_close(l);
	end(&w);
}

struct capture {
	uint64_t in, out; /* octets; one after the other: the lead's cpu */
};

static void captured(const struct weir_frame *frame, void *arg)
{
	struct capture *c = arg;

	*(frame->outgoing ? &c->out : &c->in) += frame->len;
}

static void a_capture_sees_what_every_cpu_sends_and_receives(void **state)
{
	enum { OCTETS = 40000 };
	uint64_t cursor[64] = { 0 };
	struct capture c = { 0 };
	struct weir_tap *tap;
	struct flow fl;
	struct world w;

	begin(&w);
	fl = flow_out(&w, 1);
	exchange(&fl, OCTETS, 1);
	tap = weir_tap_create(w.net, "eth0", 0, captured, &c);
	assert_non_null(tap);
	exchange(&fl, OCTETS, 2);
	weir_tap_destroy(tap); /* with the lock that the function was called with */
	assert_true(c.out >= OCTETS);
	assert_true(c.in >= OCTETS);
	/* Without it, each for himself again. */
	assert_int_equal(weir_trace_enable(w.m, RECORDS), 0);
	exchange(&fl, OCTETS, 3);
	assert_int_equal(look(w.m, cursor).by_lead, 0);
	weir_trace_disable(w.m);
	flow_end(&fl);
	end(&w);
}

static unsigned long kernel_number(const char *name)
{
	char path[128], line[64] = "";
	FILE *f;

	snprintf(path, sizeof(path),
		 "ip -s -j link show %s | tr '{,' '\\n\\n' | grep -A9 '\"%s\"' | "
		 "grep packets | head -n 1 | tr -dc 0-9",
		 is_tap() ? "wt0" : "v1", name);
	f = popen(path, "r");
	assert_non_null(f);
	if (!fgets(line, sizeof(line), f))
		line[0] = '\0';
	pclose(f);
	return strtoul(line, NULL, 10);
}

/* Both count the same frames, when none is under way any more: those that found a ring full on a busy machine as missed. */
static void counters_are_of_all_queues(void **state)
{
	struct flow fl[NR_CPUS];
	struct world w;
	bool same = false;

	begin(&w);
	for (uint32_t i = 0; i < NR_CPUS; i++) {
		fl[i] = flow_out(&w, i);
		exchange(&fl[i], 50000, 7);
	}
	for (int i = 0; i < PATIENCE && !same; i++) {
		same = number(&w, "statistics/rx_packets") +
				       number(&w, "statistics/rx_missed_errors") ==
			       kernel_number("tx") &&
		       number(&w, "statistics/tx_packets") == kernel_number("rx");
		if (!same)
			weir_sleep(w.m, STEP);
	}
	assert_true(same);
	assert_true(number(&w, "statistics/rx_bytes") >= NR_CPUS * 50000);
	for (uint32_t i = 0; i < NR_CPUS; i++)
		flow_end(&fl[i]);
	end(&w);
}

static void set_link(const struct world *w, const char *cmd)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg ifi;
	} q = {
		.h = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = RTM_NEWLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK },
		.ifi = { .ifi_index = (int)number(w, "ifindex"),
			 .ifi_change = IFF_UP,
			 .ifi_flags = !strcmp(cmd, "up") ? IFF_UP : 0 },
	};

	assert_int_equal(weir_netlink(w->net, NETLINK_ROUTE, &q.h, NULL, NULL, NULL, 0), 0);
}

static void all_queues_go_down_and_come_up(void **state)
{
	struct flow fl[NR_CPUS];
	struct world w;

	begin(&w);
	for (uint32_t i = 0; i < NR_CPUS; i++)
		fl[i] = flow_out(&w, i);
	for (int round = 0; round < 5; round++) {
		set_link(&w, "down");
		set_link(&w, "up");
		for (uint32_t i = 0; i < NR_CPUS; i++)
			exchange(&fl[i], 1000, (uint8_t)round);
	}
	for (uint32_t i = 0; i < NR_CPUS; i++)
		flow_end(&fl[i]);
	end(&w);
}

/* The kernel finds a number for each descriptor that asks by a pattern. */
static void a_pattern_names_one_interface(void **state)
{
	static const struct weir_machine_config cfg = { .ncpus = NR_CPUS, .workers = true };
	struct weir_machine *m = weir_machine_create(&cfg);
	char error[256] = "";
	struct weir_net *net;

	assert_non_null(m);
	net = weir_net_create_on(m, "wide", NR_CPUS);
	assert_non_null(net);
	if (is_tap()) {
		assert_int_equal(weir_dev_attach(net, "eth0", "tap:wp%d", error, sizeof(error)), 0);
		assert_int_not_equal(if_nametoindex("wp0"), 0);
		assert_int_equal(if_nametoindex("wp1"), 0);
	}
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

static void *send_for_ever(void *arg)
{
	static const uint8_t buf[16384];
	struct flow *fl = arg;

	while (weir_send(fl->f, buf, sizeof(buf), MSG_NOSIGNAL) > 0)
		;
	return NULL;
}

static void *read_for_ever(void *arg)
{
	uint8_t buf[65536];
	struct flow *fl = arg;

	while (read(fl->fd, buf, sizeof(buf)) > 0)
		;
	return NULL;
}

static void the_device_goes_while_all_cpus_use_it(void **state)
{
	pthread_t threads[2 * NR_CPUS];
	struct flow fl[NR_CPUS];
	struct world w;

	begin(&w);
	for (uint32_t i = 0; i < NR_CPUS; i++) {
		fl[i] = flow_out(&w, i);
		assert_int_equal(pthread_create(&threads[2 * i], NULL, send_for_ever, &fl[i]), 0);
		assert_int_equal(pthread_create(&threads[2 * i + 1], NULL, read_for_ever, &fl[i]),
				 0);
	}
	for (int i = 0; i < PATIENCE && number(&w, "statistics/tx_bytes") < 4 << 20; i++)
		weir_sleep(w.m, STEP);
	assert_true(number(&w, "statistics/tx_bytes") >= 4 << 20);
	weir_net_destroy(w.net);
	for (uint32_t i = 0; i < NR_CPUS; i++) {
		shutdown(fl[i].fd, SHUT_RDWR);
		pthread_join(threads[2 * i], NULL);
		pthread_join(threads[2 * i + 1], NULL);
		flow_end(&fl[i]);
	}
	weir_machine_destroy(w.m);
	close(w.listener);
	if (!is_tap() && !makes_v1())
		sh("ip link del v0");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_cpu_without_a_queue_goes_by_the_lead),
		cmocka_unit_test(each_cpu_sends_and_receives_by_a_queue_of_its_own),
		cmocka_unit_test(connections_find_their_cpu_whichever_queue_they_come_by),
		cmocka_unit_test(a_capture_sees_what_every_cpu_sends_and_receives),
		cmocka_unit_test(counters_are_of_all_queues),
		cmocka_unit_test(all_queues_go_down_and_come_up),
		cmocka_unit_test(a_pattern_names_one_interface),
		cmocka_unit_test(the_device_goes_while_all_cpus_use_it),
	};

	kind = argc > 1 ? argv[1] : "tap";
	module_path = argc > 2 ? argv[2] : NULL;
	if (!is_dpdk())
		return _cmocka_run_group_tests(kind, tests, sizeof(tests) / sizeof(tests[0]),
					       in_own_namespace, NULL);
	setenv("WEIR_DPDK_EAL",
	       "--no-huge -m 256 --no-pci --no-shconf --no-telemetry --log-level=error", 0);
	/* Without the first: it has no option "queues" */
	return _cmocka_run_group_tests(kind, tests + 1, sizeof(tests) / sizeof(tests[0]) - 1,
				       in_own_namespace, NULL);
}
