/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lab/lab.h"

static struct lab_desc *read_text(const char *text, char **ret_error)
{
	char path[] = "/tmp/weir-lab-test-XXXXXX";
	int fd = mkstemp(path);
	struct lab_desc *d;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	d = lab_desc_read(path, ret_error);
	unlink(path);
	return d;
}

#define TWO_NODES "name: t\ntopology:\n  nodes:\n    a:\n    b:\n"

/* What is refused, and the words that must be in the message: line, field, what is wrong. */
static const struct {
	const char *text, *line, *field, *what;
} bad[] = {
	{ "", ":1:", "file", "is empty" },
	{ "name: [", ":2:", "YAML", "did not find" },
	{ "name: t\n", ":1:", "", "'topology' is missing" },
	{ "name: a/b\n", ":1:", "name", "is not a lab name" },
	{ TWO_NODES "  links: [ { endpoints: [\"host:t0\", \"host:t1\"] } ]\n", ":6:", "links[0]",
	  "one end of a link must be a node" },
	{ TWO_NODES "  links: [ { endpoints: [\"a:e0\", \"host:t0\"], loss: 1% } ]\n",
	  ":6:", "links[0]", "no impairments" },
	{ TWO_NODES "  links:\n  - endpoints: [\"a:e0\", \"host:t0\"]\n"
		    "  - endpoints: [\"host:t0\", \"b:e0\"]\n",
	  ":8:", "topology.links", "one link only" },
	{ TWO_NODES "  media: { h: { kind: ring } }\n", ":6:", "media.h.kind",
	  "'ring' is not hub, switch or token" },
	{ TWO_NODES "  media: { h: { rate: 10Mbit } }\n", ":6:", "media.h", "'kind' is missing" },
	{ TWO_NODES "  media: { h: { kind: switch, rate: 10Mbit } }\n", ":6:", "media.h",
	  "its cables have" },
	{ TWO_NODES "  media: { h: { kind: hub, hold: 1ms } }\n", ":6:", "media.h",
	  "only a token medium" },
	{ TWO_NODES "  media: { h: { kind: hub, ageing: 1s } }\n", ":6:", "media.h",
	  "only a switch" },
	{ TWO_NODES "  links: [ { endpoints: [\"a:e0\", \"h\"] } ]\n", ":6:", "links[0]",
	  "nor a medium" },
	{ TWO_NODES "  media: { h: { kind: hub } }\n  links:\n"
		    "  - { endpoints: [\"a:e0\", \"h\"], loss: 1% }\n",
	  ":8:", "links[0]", "only cables to a switch" },
	{ TWO_NODES "  media: { h: { kind: switch } }\n  links:\n"
		    "  - { endpoints: [\"a:e0\", \"h\"], forward: { loss: 1% } }\n",
	  ":8:", "links[0]", "the same both ways" },
	{ TWO_NODES "  media: { h: { kind: hub } }\n  links:\n"
		    "  - { endpoints: [\"h\", \"h\"] }\n",
	  ":8:", "links[0]", "the interface of a node" },
	{ TWO_NODES "  media: { h: { kind: hub } }\n  links:\n  - endpoints: [\"a:e0\", \"b:e0\"]\n"
		    "  - endpoints: [\"h\", \"b:e0\"]\n",
	  ":9:", "topology.links", "one link only" },
	{ TWO_NODES "  links: [ { endpoints: [\"a:e0\", \"b:e0\"], card: { rx_ring: 7 } } ]\n",
	  ":6:", "links[0].card.rx_ring", "from 8 to 4096" },
	{ TWO_NODES "  links: [ { endpoints: [\"a:e0\", \"b:e0\"], card: { mode: dma } } ]\n",
	  ":6:", "links[0].card.mode", "'dma' is not napi or pio" },
	{ TWO_NODES
	  "  links: [ { endpoints: [\"a:e0\", \"b:e0\"], card: { features: { x: 1 } } } ]\n",
	  ":6:", "links[0].card.features.x", "'1' is not on or off" },
	{ TWO_NODES "  links: [ { endpoints: [\"a:e0\", \"host:t0\"], card: {} } ]\n",
	  ":6:", "links[0]", "has no card" },
	{ "name: t\nnames: u\n", ":2:", "", "no field 'names'" },
	{ "name: t\nname: u\n", ":2:", "name", "given twice" },
	{ "name: t\nseed: x\n", ":2:", "seed", "'x' is not a number" },
	{ "name: t\ntopology: 3\n", ":2:", "topology", "a mapping" },
	{ "name: t\ntopology:\n  nodes: {}\n", ":3:", "topology", "'nodes' is missing or empty" },
	{ "name: t\ntopology:\n  nodes:\n    a: { addresses: { eth0: 10.0.0.300/24 } }\n",
	  ":4:", "topology.nodes.a.addresses.eth0", "'10.0.0.300/24' is not an address" },
	{ "name: t\ntopology:\n  nodes:\n    a: { addresses: { eth0: 10.0.0.3/33 } }\n",
	  ":4:", "topology.nodes.a.addresses.eth0", "is not an address" },
	{ "name: t\ntopology:\n  nodes:\n    a: { addresses: { eth0: \"fd00::1/129\" } }\n",
	  ":4:", "topology.nodes.a.addresses.eth0", "is not an address" },
	{ "name: t\ntopology:\n  nodes:\n    a: { routes: [ { to: \"fd00::1/64\", via: \"fd00::2\" "
	  "} ] "
	  "}\n",
	  ":4:", "routes[0].to", "bits behind its prefix length" },
	{ "name: t\ntopology:\n  nodes:\n    a: { routes: [ { to: \"fd00::/64\", via: 10.0.0.1 } ] "
	  "}\n",
	  ":4:", "routes[0]", "different IP versions" },
	{ "name: t\ntopology:\n  nodes:\n    a: { addresses: { eth0: 10.0.0.3/24 } }\n",
	  ":4:", "topology.nodes.a.addresses.eth0", "no link of the lab ends at this interface" },
	{ "name: t\ntopology:\n  nodes:\n    a: { routes: [ { to: 10.0.0.1/24, via: 10.0.0.1 } ] "
	  "}\n",
	  ":4:", "routes[0].to", "bits behind its prefix length" },
	{ "name: t\ntopology:\n  nodes:\n    a: { routes: [ { to: default } ] }\n",
	  ":4:", "routes[0]", "needs 'via' or 'dev'" },
	{ "name: t\ntopology:\n  nodes:\n    a: { processes: [ { wait: \"tcp:80\" } ] }\n",
	  ":4:", "processes[0]", "'cmd' is missing" },
	{ "name: t\ntopology:\n  nodes:\n    a: { processes: [ { cmd: x, wait: \"tcp:99999\" } ] "
	  "}\n",
	  ":4:", "processes[0].wait", "from 1 to 65535" },
	{ "name: t\ntopology:\n  nodes:\n    a: { processes: [ { cmd: x, wait: soon } ] }\n",
	  ":4:", "processes[0].wait", "'soon' is not" },
	{ TWO_NODES "    a:\n", ":6:", "topology.nodes.a", "given twice" },
	{ TWO_NODES "  links:\n    - { endpoints: [\"a:eth0\"] }\n", ":7:", "links[0].endpoints",
	  "two endpoints" },
	{ TWO_NODES "  links:\n    - { endpoints: [\"a:eth0\", \"c:eth0\"] }\n",
	  ":7:", "links[0].endpoints[1]", "no node 'c'" },
	{ TWO_NODES "  links:\n    - { endpoints: [\"a:eth0\", \"b\"] }\n",
	  ":7:", "links[0].endpoints[1]", "'b' is not an endpoint" },
	{ TWO_NODES "  links:\n    - { endpoints: [\"a:eth0\", \"b:lo\"] }\n",
	  ":7:", "links[0].endpoints[1]", "cannot be linked" },
	{ TWO_NODES "  links:\n    - { endpoints: [\"a:eth0\", \"b:eth0\"], delay: 10 }\n",
	  ":7:", "links[0].delay", "'10' is not a time" },
	{ TWO_NODES "  links:\n    - { endpoints: [\"a:eth0\", \"b:eth0\"], loss: 120% }\n",
	  ":7:", "links[0].loss", "'120%' is not a probability" },
	{ TWO_NODES "  links:\n    - { endpoints: [\"a:eth0\", \"b:eth0\"], rate: fast }\n",
	  ":7:", "links[0].rate", "'fast' is not a rate" },
	{ TWO_NODES "  links:\n    - { endpoints: [\"a:eth0\", \"b:eth0\"] }\n"
		    "    - { endpoints: [\"a:eth0\", \"b:eth1\"] }\n",
	  ":8:", "links[1].endpoints", "one link only" },
	{ TWO_NODES "---\nname: u\n", ":7:", "file", "second document" },
	{ TWO_NODES "...\n]\n", ":7:", "YAML", "" },
	{ TWO_NODES "# \xff\n", ":6:", "YAML", "UTF-8" },
	{ "name: t\ntopology:\n  nodes:\n    a: { env: { A: b, A: c } }\n", ":4:", "nodes.a.env.A",
	  "given twice" },
	{ "name: t\ntopology:\n  nodes:\n    a: { env: { \"\": c } }\n", ":4:", "nodes.a.env",
	  "cannot be empty" },
	{ "name: t\ntopology:\n  nodes:\n    a: { addresses: { \"e\\n0\": 10.0.0.3/24 } }\n",
	  ":4:", "nodes.a.addresses", "is not an interface name" },
	{ "name: t\ntopology:\n  nodes:\n    a: { exec: [ { cmd: x, wait: 2s } ] }\n",
	  ":4:", "exec[0]", "no field 'wait'" },
};

static void lab_file_errors_name_line_and_field(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		char *error = NULL;
		struct lab_desc *d = read_text(bad[i].text, &error);

		assert_null(d);
		assert_non_null(error);
		if (!strstr(error, bad[i].line) || !strstr(error, bad[i].field) ||
		    !strstr(error, bad[i].what))
			fail_msg("case %zu: '%s' lacks '%s', '%s' or '%s'", i, error, bad[i].line,
				 bad[i].field, bad[i].what);
		free(error);
	}
}

/* A small file: 600 times the same 600 strings. */
static void lab_file_of_aliases_is_bounded(void **state)
{
	char *text = NULL, *error = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	(void)state;
	assert_non_null(f);
	fprintf(f, "name: t\ntopology:\n  nodes:\n    n: &n { processes: &p [ &c { cmd: &l [ x");
	for (int i = 0; i < 600; i++)
		fprintf(f, ", x");
	fprintf(f, " ] }");
	for (int i = 0; i < 600; i++)
		fprintf(f, ", *c");
	fprintf(f, " ] }\n");
	fclose(f);
	assert_null(read_text(text, &error));
	assert_non_null(strstr(error, "more than 262144 items"));
	free(error);
	free(text);
}

static void lab_file_that_cannot_be_read_says_why(void **state)
{
	char *error = NULL;

	(void)state;
	assert_null(lab_desc_read("/", &error));
	assert_string_equal(error, "/:1: file: Is a directory");
	free(error);
}

static void one_direction_wins_over_both_in_any_order(void **state)
{
	char *error = NULL;
	struct lab_desc *d = read_text(TWO_NODES "  links:\n    - reverse: { delay: 1ms }\n"
						 "      delay: 2ms\n      forward: { loss: 1 }\n"
						 "      endpoints: [\"a:eth0\", \"b:eth0\"]\n",
				       &error);

	(void)state;
	if (!d)
		fail_msg("%s", error);
	assert_int_equal(d->links[0].end[0].out.delay_ns, 2000000);
	assert_int_equal(d->links[0].end[1].out.delay_ns, 1000000);
	assert_int_equal(d->links[0].end[0].out.loss, 0xffffffffu);
	assert_int_equal(d->links[0].end[1].out.loss, 0);
	lab_desc_free(d);
}

static void lab_file_missing_is_named(void **state)
{
	char *error = NULL;

	(void)state;
	assert_null(lab_desc_read("/nonexistent/lab.yaml", &error));
	assert_string_equal(error, "/nonexistent/lab.yaml: No such file or directory");
	free(error);
}

static void lab_file_is_read_completely(void **state)
{
	static const char text[] =
		"name: t\nseed: 7\ntopology:\n"
		"  links:\n" /* before the nodes: order does not matter */
		"    - endpoints: [\"a:eth0\", \"b:eth1\"]\n      delay: 10ms\n      loss: 50%\n   "
		"   mtu: 1400\n"
		"      reverse: { delay: 20us, rate: 1Gbit }\n"
		"  nodes:\n    a:\n      addresses: { eth0: [10.0.0.1/24, 10.0.1.1/24] }\n"
		"      routes: [ { to: default, via: 10.0.0.2, metric: 5 } ]\n"
		"      sysctls: { net.ipv4.ip_forward: 1 }\n      env: { A: b }\n"
		"      processes: [ { name: p, cmd: [x, y], wait: \"tcp:80\", timeout: 5s } ]\n"
		"      exec: [ echo hi ]\n"
		"    b: { hostname: bee }\n";
	char *error = NULL;
	struct lab_desc *d = read_text(text, &error);

	(void)state;
	if (!d)
		fail_msg("%s", error);
	assert_string_equal(d->name, "t");
	assert_true(d->seeded && d->seed == 7 && d->trace && d->report);
	assert_int_equal(d->nr_nodes, 2);
	assert_int_equal(d->nr_links, 1);
	assert_int_equal(d->links[0].mtu, 1400);
	assert_int_equal(d->links[0].end[0].out.delay_ns, 10000000);
	assert_int_equal(d->links[0].end[1].out.delay_ns, 20000);
	assert_int_equal(d->links[0].end[0].out.loss, 0x80000000u);
	assert_int_equal(d->links[0].end[1].out.loss, 0x80000000u);
	assert_int_equal(d->links[0].end[0].out.rate_bps, 0);
	assert_int_equal(d->links[0].end[1].out.rate_bps, 1000000000);
	assert_int_equal(d->nodes[0].nr_addresses, 2);
	assert_int_equal(d->nodes[0].nr_routes, 1);
	assert_int_equal(d->nodes[0].routes[0].metric, 5);
	assert_string_equal(d->nodes[0].sysctls[0].name, "net.ipv4.ip_forward");
	assert_string_equal(d->nodes[0].env[0], "A=b");
	assert_string_equal(d->nodes[0].processes[0].argv[1], "y");
	assert_int_equal(d->nodes[0].processes[0].wait.timeout_ns, 5000000000ll);
	assert_string_equal(d->nodes[0].exec[0].argv[2], "echo hi");
	assert_string_equal(d->nodes[1].hostname, "bee");
	lab_desc_free(d);
}

/* Each of them on either side. */
static void a_link_may_end_at_the_host(void **state)
{
	static const char *const hosts[][2] = { { "host:tap7", "tap:tap7" },
						{ "afpacket:eth1", "afpacket:eth1" },
						{ "uplink:", "uplink:" } };
	char text[256], *error = NULL;

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(hosts) / sizeof(hosts[0]); i++) {
		const char *host = hosts[i / 2][0];
		struct lab_desc *d;

		snprintf(text, sizeof(text),
			 "name: t\ntopology:\n  nodes:\n"
			 "    a: { addresses: { e0: 10.0.0.1/24 } }\n  links:\n"
			 "  - { endpoints: [\"%s\", \"%s\"], mtu: 1400 }\n",
			 i % 2 ? "a:e0" : host, i % 2 ? host : "a:e0");
		d = read_text(text, &error);
		assert_null(error);
		assert_int_equal(d->nr_links, 0);
		assert_int_equal(d->nr_host_links, 1);
		assert_int_equal(d->host_links[0].node, 0);
		assert_string_equal(d->host_links[0].ifname, "e0");
		assert_string_equal(d->host_links[0].host, hosts[i / 2][1]);
		assert_int_equal(d->host_links[0].mtu, 1400);
		lab_desc_free(d);
	}
}

static void cards_are_plugged_into_media_and_into_each_other(void **state)
{
	char *error = NULL;
	struct lab_desc *d = read_text(
		"name: t\ntopology:\n  links:\n"
		"  - { endpoints: [ring, \"a:e0\"], mtu: 1400 }\n"
		"  - { endpoints: [\"a:e1\", s], rate: 10Mbit, card: { mode: pio, tx_ring: 8 } }\n"
		"  - { endpoints: [\"a:e2\", \"a:e3\"], card: { features: { rx-gro: off } } }\n"
		"  nodes: { a: { addresses: { e0: 10.0.0.1/24, e3: 10.0.1.1/24 } } }\n"
		"  media:\n"
		"    s: { kind: switch, ageing: 2s }\n"
		"    ring: { kind: token, rate: 4Mbit, delay: 1us, hold: 5ms }\n",
		&error);

	assert_null(error);
	assert_int_equal(d->nr_media, 2);
	assert_int_equal(d->media[0].ageing_ns, 2000000000);
	assert_string_equal(d->media[1].kind, "token");
	assert_int_equal(d->media[1].rate_bps, 4000000);
	assert_int_equal(d->media[1].delay_ns, 1000);
	assert_int_equal(d->media[1].hold_ns, 5000000);
	assert_int_equal(d->nr_plugs, 2);
	assert_int_equal(d->plugs[0].medium, 1);
	assert_int_equal(d->plugs[0].mtu, 1400);
	assert_string_equal(d->plugs[0].end.ifname, "e0");
	assert_false(d->plugs[0].card.present);
	assert_int_equal(d->plugs[1].medium, 0);
	assert_int_equal(d->plugs[1].end.out.rate_bps, 10000000);
	assert_true(d->plugs[1].card.pio);
	assert_int_equal(d->plugs[1].card.tx_ring, 8);
	assert_int_equal(d->nr_links, 1);
	assert_true(d->links[0].card.present);
	assert_int_equal(d->links[0].card.nr_features, 1);
	assert_string_equal(d->links[0].card.features[0].name, "rx-gro");
	assert_false(d->links[0].card.features[0].on);
	lab_desc_free(d);
}

static void units_are_read_exactly(void **state)
{
	uint64_t v;
	uint32_t p;

	(void)state;
	assert_true(parse_duration("1.5s", &v) && v == 1500000000);
	assert_true(parse_duration("20us", &v) && v == 20000);
	assert_true(parse_duration("0", &v) && v == 0);
	assert_false(parse_duration("-1s", &v));
	assert_false(parse_duration("1h30", &v));
	assert_true(parse_rate("100Mbit", &v) && v == 100000000);
	assert_true(parse_rate("10MBps", &v) && v == 80000000);
	assert_true(parse_rate("9600", &v) && v == 9600);
	assert_false(parse_rate("1e400", &v));
	assert_true(parse_probability("100%", &p) && p == 0xffffffffu);
	assert_true(parse_probability("0.001", &p) && p == 4294967);
	assert_false(parse_probability("1.1", &p));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lab_file_errors_name_line_and_field),
		cmocka_unit_test(lab_file_missing_is_named),
		cmocka_unit_test(lab_file_of_aliases_is_bounded),
		cmocka_unit_test(lab_file_that_cannot_be_read_says_why),
		cmocka_unit_test(one_direction_wins_over_both_in_any_order),
		cmocka_unit_test(lab_file_is_read_completely),
		cmocka_unit_test(a_link_may_end_at_the_host),
		cmocka_unit_test(cards_are_plugged_into_media_and_into_each_other),
		cmocka_unit_test(units_are_read_exactly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
