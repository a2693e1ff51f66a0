/* SPDX-License-Identifier: BSD-2-Clause */
/* module_test.c MODULES BAD - loadable modules through the public API; MODULES: directory of the examples, BAD: of the refused ones */
#include "two_nets.h"

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "examples/modules/edp.h"

#define IPPROTO_EXP1 253

static const char *module_dir, *bad_dir;
static char logged[512];

static void note_log(void *arg, const char *text)
{
	snprintf(logged, sizeof(logged), "%s", text);
}

static struct weir_machine_config config(void)
{
	logged[0] = '\0';
	return (struct weir_machine_config){ .clock = WEIR_CLOCK_VIRTUAL,
					     .module_path = module_dir,
					     .module_log = note_log };
}

static int count_module(const struct weir_module_info *info, void *arg)
{
	++*(int *)arg;
	return 0;
}

static int modules_loaded(struct weir_machine *m)
{
	int n = 0;

	weir_module_list(m, count_module, &n);
	return n;
}

static struct sockaddr_edp station(struct weir_net *net, const char *ifname, uint16_t port)
{
	struct sockaddr_edp a = { .sedp_family = AF_EDP, .sedp_port = htons(port) };
	struct ifreq ifr = { 0 };
	struct weir_file *f;

	assert_int_equal(weir_socket(net, AF_INET, SOCK_DGRAM, 0, &f), 0);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	assert_int_equal(weir_ioctl(f, SIOCGIFINDEX, &ifr), 0);
	a.sedp_ifindex = ifr.ifr_ifindex;
	assert_int_equal(weir_ioctl(f, SIOCGIFHWADDR, &ifr), 0);
	memcpy(a.sedp_addr, ifr.ifr_hwaddr.sa_data, 6);
	weir_close(f);
	return a;
}

static struct weir_file *edp_open(struct weir_net *net, uint16_t port)
{
	struct sockaddr_edp a = { .sedp_family = AF_EDP, .sedp_port = htons(port) };
	struct weir_file *f = NULL;

	assert_int_equal(weir_socket(net, AF_EDP, SOCK_DGRAM, 0, &f), 0);
	assert_int_equal(weir_bind(f, (struct sockaddr *)&a, sizeof(a)), 0);
	return f;
}

/* @text goes from net 0 to port @port of net 1, whose socket is @to. */
static void edp_exchange(struct two_nets *t, struct weir_file *from, struct weir_file *to,
			 uint16_t port, const char *text)
{
	struct sockaddr_edp a = station(t->net[1], "eth0", port), src;
	struct weir_pollfd p = { to, POLLIN, 0 };
	socklen_t len = sizeof(src);
	char buf[64];

	a.sedp_ifindex = station(t->net[0], "eth0", 0).sedp_ifindex;
	assert_int_equal(weir_sendto(from, text, strlen(text), 0, (struct sockaddr *)&a, sizeof(a)),
			 strlen(text));
	assert_int_equal(weir_poll(t->m, &p, 1, 1000000000), 1);
	assert_int_equal(p.revents, POLLIN);
	assert_int_equal(weir_recvfrom(to, buf, sizeof(buf), 0, (struct sockaddr *)&src, &len),
			 strlen(text));
	assert_memory_equal(buf, text, strlen(text));
	assert_int_equal(len, sizeof(src));
	a = station(t->net[0], "eth0", 0);
	assert_memory_equal(src.sedp_addr, a.sedp_addr, 6);
}

/* ---- a family -------------------------------------------------------------------------------------------- */

static void an_absent_family_is_loaded_by_socket(void **state)
{
	struct weir_machine_config cfg = config();
	struct weir_file *c, *s;
	struct two_nets t;

	two_nets_create(&t, &cfg);
	assert_int_equal(modules_loaded(t.m), 0);
	assert_int_equal(weir_socket(t.net[0], AF_EDP, SOCK_STREAM, 0, &c), -ESOCKTNOSUPPORT);
	assert_int_equal(modules_loaded(t.m), 1);
	c = edp_open(t.net[0], 7);
	s = edp_open(t.net[1], 9);
	edp_exchange(&t, c, s, 9, "hello");
	edp_exchange(&t, c, s, 9, "");
	weir_close(c);
	weir_close(s);
	two_nets_destroy(&t);
}

static void a_net_made_later_knows_the_module(void **state)
{
	struct weir_machine_config cfg = config();
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *net = weir_net_create(m, "first");
	struct weir_file *c, *s;
	struct two_nets t;

	assert_int_equal(weir_module_load(m, "net-pf-19", NULL, 0), 0);
	assert_int_equal(weir_module_load(m, "net-pf-19", NULL, 0), -EEXIST);
	weir_net_destroy(net);
	weir_machine_destroy(m);

	two_nets_create(&t, &cfg);
	c = edp_open(t.net[0], 1);
	weir_net_destroy(t.net[1]);
	t.net[1] = weir_net_create(t.m, "later");
	struct net_error err;

	assert_int_equal(net_veth_add(t.net[0], "eth1", t.net[1], "eth0", 0, &err), 0);
	assert_int_equal(net_link_up(t.net[0], "eth1", &err), 0);
	assert_int_equal(net_link_up(t.net[1], "eth0", &err), 0);
	s = edp_open(t.net[1], 2);
	struct sockaddr_edp a = station(t.net[1], "eth0", 2);
	char buf[8];

	a.sedp_ifindex = station(t.net[0], "eth1", 0).sedp_ifindex;
	assert_int_equal(weir_connect(c, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(weir_send(c, "x", 1, 0), 1);
	assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 1);
	weir_close(c);
	weir_close(s);
	two_nets_destroy(&t);
}

static void without_a_path_the_family_is_not_supported(void **state)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_net *net = weir_net_create(m, "a");
	struct weir_file *f;
	char why[128];

	assert_int_equal(weir_socket(net, AF_EDP, SOCK_DGRAM, 0, &f), -EAFNOSUPPORT);
	assert_int_equal(weir_module_load(m, "net-pf-19", why, sizeof(why)), -ENOENT);
	assert_string_equal(why, "net-pf-19: there is no such module");
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

static void an_unknown_family_is_not_supported(void **state)
{
	struct weir_machine_config cfg = config();
	struct weir_machine *m = weir_machine_create(&cfg);
	struct weir_net *net = weir_net_create(m, "a");
	struct weir_file *f;

	assert_int_equal(weir_socket(net, 23, SOCK_DGRAM, 0, &f), -EAFNOSUPPORT);
	assert_int_equal(weir_socket(net, 4711, SOCK_DGRAM, 0, &f), -EAFNOSUPPORT);
	assert_int_equal(modules_loaded(m), 0);
	assert_string_equal(logged, "");
	assert_int_equal(weir_module_load(m, "../net-pf-19", NULL, 0), -ENOEXEC);
	assert_int_equal(weir_module_load(m, ".hidden", NULL, 0), -ENOENT);
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

/* ---- unloading --------------------------------------------------------------------------------------------- */

static void a_module_with_sockets_cannot_be_unloaded(void **state)
{
	struct weir_machine_config cfg = config();
	struct weir_file *f;
	struct two_nets t;

	two_nets_create(&t, &cfg);
	assert_int_equal(weir_module_unload(t.m, "net-pf-19"), -ENOENT);
	f = edp_open(t.net[0], 7);
	assert_int_equal(weir_module_unload(t.m, "net-pf-19"), -EBUSY);
	assert_int_equal(modules_loaded(t.m), 1);
	weir_close(f);
	assert_int_equal(weir_module_unload(t.m, "net-pf-19"), 0);
	assert_int_equal(modules_loaded(t.m), 0);
	two_nets_destroy(&t);
}

/* A frame that a card is sending is charged to its sock, although the socket is closed: the sock is the module's. */
static void packets_on_their_way_keep_a_module(void **state)
{
	struct weir_machine_config cfg = config();
	struct net_error err;
	struct sockaddr_edp a;
	struct weir_file *f;
	struct two_nets t;

	two_nets_create(&t, &cfg);
	assert_int_equal(net_nic_add(t.net[0], NULL, t.net[0], "nic0", &err), 0);
	assert_int_equal(net_nic_add(t.net[0], "nic0", t.net[1], "nic1", &err), 0);
	assert_int_equal(net_link_up(t.net[0], "nic0", &err), 0);
	assert_int_equal(net_link_up(t.net[1], "nic1", &err), 0);
	weir_run(t.m, 1000000);
	f = edp_open(t.net[0], 7);
	a = station(t.net[1], "nic1", 9);
	a.sedp_ifindex = station(t.net[0], "nic0", 0).sedp_ifindex;
	assert_int_equal(weir_sendto(f, "x", 1, MSG_DONTWAIT, (struct sockaddr *)&a, sizeof(a)), 1);
	weir_close(f);
	assert_int_equal(weir_module_unload(t.m, "net-pf-19"), -EBUSY);
	weir_sleep(t.m, 1000000000);
	assert_int_equal(weir_module_unload(t.m, "net-pf-19"), 0);
	two_nets_destroy(&t);
}

static void frames_that_come_after_unloading_are_dropped(void **state)
{
	static const unsigned char frame_type[2] = { 0x88, 0xb5 };
	struct weir_machine_config cfg = config();
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct sockaddr_edp to, from;
	unsigned char frame[60] = { 0 };
	struct weir_file *raw, *s;
	struct two_nets t;

	two_nets_create(&t, &cfg);
	to = station(t.net[1], "eth0", 0);
	from = station(t.net[0], "eth0", 0);
	memcpy(frame, to.sedp_addr, 6);
	memcpy(frame + 6, from.sedp_addr, 6);
	memcpy(frame + 12, frame_type, 2);
	frame[15] = 9; /* port */
	frame[19] = 4; /* octets */
	ll.sll_ifindex = from.sedp_ifindex;
	assert_int_equal(weir_socket(t.net[0], AF_PACKET, SOCK_RAW, 0, &raw), 0);
	for (int round = 0; round < 3; round++) {
		char buf[16];

		s = edp_open(t.net[1], 9);
		assert_int_equal(weir_sendto(raw, frame, sizeof(frame), 0, (struct sockaddr *)&ll,
					     sizeof(ll)),
				 sizeof(frame));
		assert_int_equal(weir_recv(s, buf, sizeof(buf), 0), 4);
		weir_close(s);
		assert_int_equal(weir_module_unload(t.m, "net-pf-19"), 0);
		assert_int_equal(weir_sendto(raw, frame, sizeof(frame), 0, (struct sockaddr *)&ll,
					     sizeof(ll)),
				 sizeof(frame));
		weir_run(t.m, 1000000);
	}
	weir_close(raw);
	two_nets_destroy(&t);
}

static void two_machines_share_the_code_and_nothing_else(void **state)
{
	struct weir_machine_config cfg = config();
	struct weir_file *f;
	struct two_nets a, b;

	two_nets_create(&a, &cfg);
	two_nets_create(&b, &cfg);
	f = edp_open(a.net[0], 7);
	assert_int_equal(modules_loaded(b.m), 0);
	assert_int_equal(weir_module_load(b.m, "net-pf-19", NULL, 0), 0);
	assert_int_equal(weir_module_unload(b.m, "net-pf-19"), 0);
	assert_int_equal(weir_module_unload(a.m, "net-pf-19"), -EBUSY);
	weir_close(edp_open(a.net[0], 8));
	weir_close(f);
	two_nets_destroy(&a);
	two_nets_destroy(&b);
}

/* The last reference is a dead socket's: its net went first. */
static void a_socket_without_its_net_does_not_keep_the_module(void **state)
{
	struct weir_machine_config cfg = config();
	struct weir_file *f;
	struct two_nets t;

	two_nets_create(&t, &cfg);
	f = edp_open(t.net[0], 7);
	weir_net_destroy(t.net[0]);
	t.net[0] = NULL;
	assert_int_equal(weir_send(f, "x", 1, 0), -ENETDOWN);
	assert_int_equal(weir_module_unload(t.m, "net-pf-19"), 0);
	weir_close(f);
	two_nets_destroy(&t);
}

/* ---- an IP protocol ------------------------------------------------------------------------------------------ */

static void an_ip_protocol_is_loaded_by_socket(void **state)
{
	struct weir_machine_config cfg = config();
	struct sockaddr_in src;
	socklen_t len = sizeof(src);
	struct weir_file *c, *s;
	char buf[4000];
	struct two_nets t;

	two_nets_create(&t, &cfg);
	t.addr[0].sin_port = t.addr[1].sin_port = 0;
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_SEQPACKET, 252, &c), -ESOCKTNOSUPPORT);
	assert_int_equal(modules_loaded(t.m), 0);
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_SEQPACKET, IPPROTO_EXP1, &c), 0);
	assert_int_equal(weir_socket(t.net[1], AF_INET, SOCK_SEQPACKET, IPPROTO_EXP1, &s), 0);
	assert_int_equal(weir_bind(s, (struct sockaddr *)&t.addr[1], sizeof(t.addr[1])), 0);
	memset(buf, 'x', sizeof(buf)); /* goes in three fragments */
	assert_int_equal(weir_sendto(c, buf, sizeof(buf), 0, (struct sockaddr *)&t.addr[1],
				     sizeof(t.addr[1])),
			 sizeof(buf));
	buf[0] = 0;
	assert_int_equal(weir_recvfrom(s, buf, sizeof(buf), 0, (struct sockaddr *)&src, &len),
			 sizeof(buf));
	assert_int_equal(buf[0], 'x');
	assert_int_equal(src.sin_addr.s_addr, t.addr[0].sin_addr.s_addr);

	/* Nobody there: port unreachable from the module, protocol unreachable without it. */
	weir_close(s);
	assert_int_equal(weir_connect(c, (struct sockaddr *)&t.addr[1], sizeof(t.addr[1])), 0);
	assert_int_equal(weir_send(c, buf, 8, 0), 8); /* an error must quote 8 octets: RFC 792 */
	assert_int_equal(weir_recv(c, buf, sizeof(buf), 0), -ECONNREFUSED);
	assert_int_equal(weir_module_unload(t.m, "net-pf-2-proto-253"), -EBUSY);
	weir_close(c);
	assert_int_equal(weir_module_unload(t.m, "net-pf-2-proto-253"), 0);

	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_RAW, IPPROTO_EXP1, &c), 0);
	assert_int_equal(weir_socket(t.net[0], AF_INET, SOCK_RAW, IPPROTO_ICMP, &s), 0);
	assert_int_equal(
		weir_sendto(c, "y", 1, 0, (struct sockaddr *)&t.addr[1], sizeof(t.addr[1])), 1);
	assert_true(weir_recv(s, buf, sizeof(buf), 0) >= 28);
	assert_int_equal(buf[20], ICMP_DEST_UNREACH);
	assert_int_equal(buf[21], ICMP_PROT_UNREACH);
	weir_close(c);
	weir_close(s);
	two_nets_destroy(&t);
}

/* ---- what is refused ------------------------------------------------------------------------------------------- */

static void refused(const char *name, const char *sentence)
{
	struct weir_machine_config cfg = config();
	struct weir_machine *m;
	char why[256];

	cfg.module_path = bad_dir;
	m = weir_machine_create(&cfg);
	assert_int_equal(weir_module_load(m, name, why, sizeof(why)), -ENOEXEC);
	assert_non_null(strstr(why, sentence));
	assert_int_equal(modules_loaded(m), 0);
	weir_machine_destroy(m);
}

static void a_module_for_other_structures_is_refused(void **state)
{
	refused("bad-layout", "struct sk_buff has 7 octets there");
}

static void a_module_for_another_interface_is_refused(void **state)
{
	refused("bad-api", "made for module interface 99");
}

static void a_module_that_needs_more_is_refused(void **state)
{
	refused("bad-import", "needs frobnicate_skb(), which this weir does not have");
}

static void a_module_by_another_name_is_refused(void **state)
{
	refused("bad-name", "calls itself something-else");
}

static void an_object_that_is_no_module_is_refused(void **state)
{
	refused("bad-object", "not a weir module");
}

static void a_failed_load_on_demand_is_reported(void **state)
{
	struct weir_machine_config cfg = config();
	struct weir_machine *m;
	struct weir_net *net;
	struct weir_file *f;

	cfg.module_path = bad_dir;
	m = weir_machine_create(&cfg);
	net = weir_net_create(m, "a");
	assert_int_equal(weir_socket(net, 21, SOCK_DGRAM, 0, &f),
			 -EAFNOSUPPORT); /* net-pf-21: an empty file */
	assert_non_null(strstr(logged, "net-pf-21.so"));
	weir_net_destroy(net);
	weir_machine_destroy(m);
}

static void what_others_than_root_can_write_is_not_loaded(void **state)
{
	struct weir_machine_config cfg = config();
	char dir[] = "/tmp/weir-modules-XXXXXX", path[128], target[512];
	struct weir_machine *m;
	struct weir_net *net;
	struct weir_file *f;

	/* /tmp itself is everybody's: what a link there leads to counts, what lies there does not. */
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/net-pf-19.so", dir);
	snprintf(target, sizeof(target), "cp %s/net-pf-19.so %s", module_dir, dir);
	assert_int_equal(system(target), 0);
	cfg.module_path = dir;
	cfg.module_root_only = true;
	m = weir_machine_create(&cfg);
	net = weir_net_create(m, "a");
	assert_int_equal(weir_socket(net, AF_EDP, SOCK_DGRAM, 0, &f), -EAFNOSUPPORT);
	assert_non_null(strstr(logged, "others than root can change it"));
	weir_net_destroy(net);
	weir_machine_destroy(m);

	/* Without the condition it is loaded from there. */
	cfg.module_root_only = false;
	m = weir_machine_create(&cfg);
	net = weir_net_create(m, "a");
	assert_int_equal(weir_socket(net, AF_EDP, SOCK_DGRAM, 0, &f), 0);
	weir_close(f);
	weir_net_destroy(net);
	weir_machine_destroy(m);
	unlink(path);
	rmdir(dir);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_absent_family_is_loaded_by_socket),
		cmocka_unit_test(a_net_made_later_knows_the_module),
		cmocka_unit_test(without_a_path_the_family_is_not_supported),
		cmocka_unit_test(an_unknown_family_is_not_supported),
		cmocka_unit_test(a_module_with_sockets_cannot_be_unloaded),
		cmocka_unit_test(packets_on_their_way_keep_a_module),
		cmocka_unit_test(frames_that_come_after_unloading_are_dropped),
		cmocka_unit_test(two_machines_share_the_code_and_nothing_else),
		cmocka_unit_test(a_socket_without_its_net_does_not_keep_the_module),
		cmocka_unit_test(an_ip_protocol_is_loaded_by_socket),
		cmocka_unit_test(a_module_for_other_structures_is_refused),
		cmocka_unit_test(a_module_for_another_interface_is_refused),
		cmocka_unit_test(a_module_that_needs_more_is_refused),
		cmocka_unit_test(a_module_by_another_name_is_refused),
		cmocka_unit_test(an_object_that_is_no_module_is_refused),
		cmocka_unit_test(a_failed_load_on_demand_is_reported),
		cmocka_unit_test(what_others_than_root_can_write_is_not_loaded),
	};

	if (argc != 3)
		return 2;
	module_dir = argv[1];
	bad_dir = argv[2];
	return cmocka_run_group_tests_name("module", tests, NULL, NULL);
}
