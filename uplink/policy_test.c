/* SPDX-License-Identifier: BSD-2-Clause */
/* policy_test.c - rules, names, closed addresses, as tables */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "uplink_internal.h"

/* host.c says something once, which these tests do not reach */
void uplink_say(const char *fmt, ...)
{
	(void)fmt;
	abort();
}

static struct endpoint endpoint(const char *text, uint16_t port)
{
	struct endpoint ep = { .family = strchr(text, ':') ? AF_INET6 : AF_INET, .port = port };

	assert_int_equal(inet_pton(ep.family, text, ep.addr), 1);
	return ep;
}

static void rules_that_are_read_or_refused(void **state)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = {
		{ "all", true },
		{ "all:80", true },
		{ "all:80-90/tcp", true },
		{ "10.0.0.0/8", true },
		{ "10.0.0.1", true },
		{ "10.0.0.0/8:443/udp", true },
		{ "fd00::/8", true },
		{ "::1", true },
		{ "[fd00::/8]:443", true },
		{ "[fd00::1]", true },
		{ "example.com", true },
		{ "*.Example.COM.:1-65535/tcp", true },
		{ "0.0.0.0/0/icmp", true },
		{ "", false },
		{ "*", false },
		{ "*.", false },
		{ "10.0.0.1/8", false },
		{ "10.0.0.0/33", false },
		{ "10.0.0.0/", false },
		{ "10.0.0", false },
		{ "300.0.0.1", false },
		{ "fd00::/129", false },
		{ "[fd00::1", false },
		{ "[fd00::1]x", false },
		{ "all:", false },
		{ "all:-", false },
		{ "all:70000", false },
		{ "all:4294967297", false },
		{ "all:9-1", false },
		{ "all:80/icmp", false },
		{ "exa mple.com", false },
		{ "example.com/sctp", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uplink_policy *p = uplink_policy_new();
		const char *why;
		int err = uplink_policy_add(p, true, cases[i].text, &why);

		if ((err == 0) != cases[i].ok)
			fail_msg("\"%s\": %d, %s", cases[i].text, err, why);
		assert_true(err == 0 || why);
		uplink_policy_free(p);
	}
}

struct judged {
	const char *rules; /* "+R" allows, "-R" denies, separated by blanks */
	const char *addr;
	uint16_t port;
	int proto;
	bool allowed;
};

static struct uplink_policy *policy(const char *rules)
{
	struct uplink_policy *p = uplink_policy_new();
	char buf[256], *save = NULL;
	const char *why;

	strcpy(buf, rules);
	for (char *r = strtok_r(buf, " ", &save); r; r = strtok_r(NULL, " ", &save))
		assert_int_equal(uplink_policy_add(p, r[0] == '+', r + 1, &why), 0);
	return p;
}

static void the_first_rule_that_matches_decides(void **state)
{
	static const struct judged cases[] = {
		{ "", "1.2.3.4", 80, IPPROTO_TCP, true },
		{ "-all", "1.2.3.4", 80, IPPROTO_TCP, false },
		{ "+1.2.3.4", "1.2.3.4", 80, IPPROTO_TCP, true },
		{ "+1.2.3.4", "1.2.3.5", 80, IPPROTO_TCP, false },
		{ "-1.2.3.4", "1.2.3.5", 80, IPPROTO_TCP, true },
		{ "+1.2.3.4 -1.2.3.0/24", "1.2.3.4", 80, IPPROTO_TCP, true },
		{ "-1.2.3.0/24 +1.2.3.4", "1.2.3.4", 80, IPPROTO_TCP, false },
		{ "-1.2.3.0/25", "1.2.3.127", 80, IPPROTO_TCP, false },
		{ "-1.2.3.0/25", "1.2.3.128", 80, IPPROTO_TCP, true },
		{ "-0.0.0.0/0", "1.2.3.128", 80, IPPROTO_TCP, false },
		{ "-0.0.0.0/0", "fd00::1", 80, IPPROTO_TCP, true },
		{ "-all:80-81", "1.2.3.4", 81, IPPROTO_TCP, false },
		{ "-all:80-81", "1.2.3.4", 82, IPPROTO_TCP, true },
		{ "-all/udp", "1.2.3.4", 80, IPPROTO_TCP, true },
		{ "-all/udp", "1.2.3.4", 80, IPPROTO_UDP, false },
		{ "-all/icmp", "fd00::1", 0, IPPROTO_ICMPV6, false },
		{ "-all:1-2", "1.2.3.4", 0, IPPROTO_ICMP, true },
		{ "-[fd00::/8]:443", "fd00::1", 443, IPPROTO_TCP, false },
		{ "-[fd00::/8]:443", "fd00::1", 80, IPPROTO_TCP, true },
		/* Names: an address that no answer had has none. */
		{ "+www.a.test", "9.9.9.9", 80, IPPROTO_TCP, false },
		{ "+www.a.test", "5.5.5.5", 80, IPPROTO_TCP, true },
		{ "+*.a.test", "5.5.5.5", 80, IPPROTO_TCP, true },
		{ "+a.test", "5.5.5.5", 80, IPPROTO_TCP, false },
		{ "+*.test:443", "5.5.5.5", 80, IPPROTO_TCP, false },
		{ "-other.b.test", "5.5.5.5", 80, IPPROTO_TCP, false },
	};
	struct endpoint five = endpoint("5.5.5.5", 0);
	struct names *names = names_new();

	names_pin(names, "www.a.test", &five);
	names_pin(names, "other.b.test", &five);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uplink_policy *p = policy(cases[i].rules);
		struct endpoint dst = endpoint(cases[i].addr, cases[i].port);

		if (policy_allows(p, names, cases[i].proto, &dst) != cases[i].allowed)
			fail_msg("%s: %s", cases[i].rules, cases[i].addr);
		uplink_policy_free(p);
	}
	assert_string_equal(names_find(names, &five), "other.b.test");
	names_free(names);
}

static void names_that_may_be_asked_for(void **state)
{
	static const struct {
		const char *rules, *name;
		bool allowed;
	} cases[] = {
		{ "", "a.test", true },
		{ "+10.0.0.0/8", "a.test", true }, /* rules about addresses do not speak of names */
		{ "+a.test", "a.test", true },
		{ "+a.test", "b.test", false },
		{ "+a.test +10.0.0.0/8", "b.test", true },
		{ "+*.test", "x.y.test", true },
		{ "+*.test", "test", false },
		{ "-a.test", "a.test", false },
		{ "-a.test", "b.test", true },
		{ "-a.test:25", "a.test", true },
		{ "+a.test -*.test", "a.test", true },
		/* Where nothing may be reached, a question would only carry something out. */
		{ "-all", "a.test", false },
		{ "-all +a.test", "a.test", false },
		{ "+a.test -all", "a.test", true },
		{ "+a.test -all", "b.test", false },
		{ "+10.0.0.0/8 -all", "b.test", true },
		{ "-all/udp", "a.test", true },
		{ "-all:25", "a.test", true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct uplink_policy *p = policy(cases[i].rules);

		if (policy_allows_name(p, cases[i].name) != cases[i].allowed)
			fail_msg("%s: %s", cases[i].rules, cases[i].name);
		uplink_policy_free(p);
	}
}

static void pins_are_bounded_and_the_oldest_go(void **state)
{
	struct names *names = names_new();
	struct endpoint ep = { .family = AF_INET }, first;

	for (unsigned i = 0; i < 5000; i++) {
		ep.addr[0] = 5;
		ep.addr[2] = (uint8_t)(i >> 8);
		ep.addr[3] = (uint8_t)i;
		if (!i)
			first = ep;
		names_pin(names, "many.test", &ep);
	}
	assert_null(names_find(names, &first));
	assert_string_equal(names_find(names, &ep), "many.test");
	names_free(names);
}

static void closed_addresses(void **state)
{
	static const struct {
		const char *addr;
		bool closed;
	} cases[] = {
		{ "127.0.0.1", true },
		{ "127.255.1.2", true },
		{ "169.254.169.254", true },
		{ "0.0.0.0", true },
		{ "0.1.2.3", true },
		{ "224.0.0.1", true },
		{ "255.255.255.255", true },
		{ "10.0.0.1", false },
		{ "8.8.8.8", false },
		{ "::1", true },
		{ "::", true },
		{ "fe80::1", true },
		{ "febf::1", true },
		{ "fec0::1", false },
		{ "ff02::1", true },
		{ "::ffff:127.0.0.1", true },
		{ "::ffff:8.8.8.8", true },
		{ "::127.0.0.1", true },
		{ "2001:db8::1", false },
		{ "fd00::99", false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct endpoint ep = endpoint(cases[i].addr, 1);

		if (address_closed(&ep) != cases[i].closed)
			fail_msg("%s", cases[i].addr);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_that_are_read_or_refused),
		cmocka_unit_test(the_first_rule_that_matches_decides),
		cmocka_unit_test(names_that_may_be_asked_for),
		cmocka_unit_test(pins_are_bounded_and_the_oldest_go),
		cmocka_unit_test(closed_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
