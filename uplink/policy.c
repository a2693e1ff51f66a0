/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * policy.c - rules for what may go out, and which names stand for which addresses
 *
 * Theory of operation
 *   Rules are looked at in order; the first that matches decides. A rule is about a prefix, or about a name: then about the addresses
 *   that answers for that name had, when the guest asked its name server (dns.c). An address may have had several names; a rule
 *   for any of them matches. So a name that was never asked for matches nothing, and an address that no answer had has no name.
 *   Pins are in a table of limited size by address; the ones that were pinned or renewed longest ago go first.
 * Invariants: nothing here makes a system call; the parser takes any text.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "uplink_internal.h"

#define RULE_TEXT_MAX 300
#define PINS_MAX      4096
#define PIN_HASH      1024

/* ---- rules ------------------------------------------------------------------------------------------------------------ */

enum target { TARGET_ALL, TARGET_PREFIX, TARGET_NAME, TARGET_BELOW };

struct rule {
	STAILQ_ENTRY(rule) link;
	bool allow;
	uint8_t target;            /* enum target */
	int proto;                 /* 0: any */
	uint16_t port_lo, port_hi; /* 0, 65535: any */
	struct endpoint addr;
	uint8_t prefixlen;
	char name[DNS_NAME_SIZE];
};

struct uplink_policy {
	STAILQ_HEAD(, rule) rules;
	bool has_allow, has_names;
};

struct uplink_policy *uplink_policy_new(void)
{
	struct uplink_policy *p = calloc(1, sizeof(*p));

	if (p)
		STAILQ_INIT(&p->rules);
	return p;
}

void uplink_policy_free(struct uplink_policy *p)
{
	struct rule *r;

	while (p && (r = STAILQ_FIRST(&p->rules))) {
		STAILQ_REMOVE_HEAD(&p->rules, link);
		free(r);
	}
	free(p);
}

/* ---- reading a rule ------------------------------------------------------------------------------------------------------ */

static bool read_number(const char *s, unsigned max, unsigned *ret)
{
	unsigned v = 0;

	if (!*s)
		return false;
	for (; *s; s++) {
		if (!isdigit((unsigned char)*s) || v > max)
			return false;
		v = v * 10 + (unsigned)(*s - '0');
	}
	*ret = v;
	return v <= max;
}

/* "N" or "N-M" */
static const char *read_ports(char *s, struct rule *r)
{
	char *dash = strchr(s, '-');
	unsigned lo, hi;

	if (dash)
		*dash++ = '\0';
	if (!read_number(s, 65535, &lo) || !read_number(dash ? dash : s, 65535, &hi))
		return "a port is a number from 0 to 65535";
	if (hi < lo)
		return "the range of ports ends before it begins";
	r->port_lo = (uint16_t)lo;
	r->port_hi = (uint16_t)hi;
	return NULL;
}

static const char *read_proto(char *s, struct rule *r)
{
	static const struct {
		const char *suffix;
		int proto;
	} protos[] = { { "/tcp", IPPROTO_TCP },
		       { "/udp", IPPROTO_UDP },
		       { "/icmp", IPPROTO_ICMP } };
	size_t len = strlen(s);

	for (size_t i = 0; i < sizeof(protos) / sizeof(protos[0]); i++) {
		size_t n = strlen(protos[i].suffix);

		if (len > n && !strcmp(s + len - n, protos[i].suffix)) {
			r->proto = protos[i].proto;
			s[len - n] = '\0';
			break;
		}
	}
	return NULL;
}

/* Splits off the ports: behind the last ':' of what is not a bare IPv6 address, or behind "]". */
static const char *split_ports(char **s, struct rule *r)
{
	char *colon;

	if (**s == '[') {
		char *end = strchr(*s, ']');

		if (!end)
			return "there is no ']' for '['";
		*end++ = '\0';
		++*s;
		if (!*end)
			return NULL;
		return *end == ':' ? read_ports(end + 1, r) : "only ':' may follow ']'";
	}
	colon = strchr(*s, ':');
	if (!colon || strchr(colon + 1, ':'))
		return NULL;
	*colon = '\0';
	return read_ports(colon + 1, r);
}

static bool has_host_bits(const struct endpoint *ep, unsigned prefixlen)
{
	for (unsigned bit = prefixlen; bit < endpoint_addr_len(ep) * 8; bit++)
		if (ep->addr[bit / 8] & (0x80 >> bit % 8))
			return true;
	return false;
}

static bool read_addr(const char *s, struct endpoint *ep)
{
	ep->family = strchr(s, ':') ? AF_INET6 : AF_INET;
	return inet_pton(ep->family, s, ep->addr) == 1;
}

static const char *read_prefix(char *s, char *slash, struct rule *r)
{
	unsigned n;

	*slash = '\0';
	if (!read_addr(s, &r->addr))
		return "not an address in front of '/'";
	if (!read_number(slash + 1, (unsigned)endpoint_addr_len(&r->addr) * 8, &n))
		return "the length of the prefix is not a number, or too large";
	if (has_host_bits(&r->addr, n))
		return "the address has bits behind the prefix";
	r->target = TARGET_PREFIX;
	r->prefixlen = (uint8_t)n;
	return NULL;
}

static const char *read_name(const char *s, struct rule *r)
{
	size_t n;

	r->target = TARGET_NAME;
	if (s[0] == '*' && s[1] == '.') {
		r->target = TARGET_BELOW;
		s += 2;
	}
	n = strlen(s);
	if (n && s[n - 1] == '.')
		n--;
	if (!n || n >= sizeof(r->name))
		return "a name is empty or too long";
	for (size_t i = 0; i < n; i++) {
		if (!isalnum((unsigned char)s[i]) && !strchr("-_.", s[i]))
			return "neither \"all\", nor an address or prefix, nor a name";
		r->name[i] = (char)tolower((unsigned char)s[i]);
	}
	return NULL;
}

static const char *read_target(char *s, struct rule *r)
{
	char *slash = strchr(s, '/');

	if (!strcmp(s, "all")) {
		r->target = TARGET_ALL;
		return NULL;
	}
	if (slash)
		return read_prefix(s, slash, r);
	if (read_addr(s, &r->addr)) {
		r->target = TARGET_PREFIX;
		r->prefixlen = (uint8_t)(endpoint_addr_len(&r->addr) * 8);
		return NULL;
	}
	/* 10.0.0 or 256.1.1.1 is a mistake, not a name. */
	if (!s[strspn(s, "0123456789.")])
		return "not an address";
	return read_name(s, r);
}

int uplink_policy_add(struct uplink_policy *p, bool allow, const char *text, const char **ret_why)
{
	char buf[RULE_TEXT_MAX], *s = buf;
	struct rule *r;

	*ret_why = "too long";
	if (strlen(text) >= sizeof(buf))
		return -EINVAL;
	strcpy(buf, text);
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	r->allow = allow;
	r->port_hi = 65535;
	*ret_why = read_proto(s, r);
	if (!*ret_why)
		*ret_why = split_ports(&s, r);
	if (!*ret_why)
		*ret_why = read_target(s, r);
	if (!*ret_why && r->proto == IPPROTO_ICMP && r->port_hi != 65535)
		*ret_why = "icmp has no ports";
	if (*ret_why) {
		free(r);
		return -EINVAL;
	}
	p->has_allow |= allow;
	p->has_names |= r->target == TARGET_NAME || r->target == TARGET_BELOW;
	STAILQ_INSERT_TAIL(&p->rules, r, link);
	return 0;
}

/* ---- names that were answered -------------------------------------------------------------------------------------------- */

struct pin {
	TAILQ_ENTRY(pin) link; /* newest last */
	LIST_ENTRY(pin) hash_link;
	struct endpoint addr;
	char name[];
};

struct names {
	TAILQ_HEAD(, pin) all;
	LIST_HEAD(pin_bucket, pin) hash[PIN_HASH];
	unsigned nr;
};

struct names *names_new(void)
{
	struct names *n = calloc(1, sizeof(*n));

	if (n)
		TAILQ_INIT(&n->all);
	return n;
}

static void pin_free(struct names *n, struct pin *p)
{
	TAILQ_REMOVE(&n->all, p, link);
	LIST_REMOVE(p, hash_link);
	n->nr--;
	free(p);
}

void names_free(struct names *n)
{
	while (n && !TAILQ_EMPTY(&n->all))
		pin_free(n, TAILQ_FIRST(&n->all));
	free(n);
}

static const struct pin_bucket *pin_bucket(const struct names *n, const struct endpoint *addr)
{
	struct endpoint key = *addr;

	key.port = 0;
	return &n->hash[endpoint_hash(&key, &key, 0) % PIN_HASH];
}

void names_pin(struct names *n, const char *name, const struct endpoint *addr)
{
	struct pin_bucket *b = (struct pin_bucket *)(uintptr_t)pin_bucket(n, addr);
	struct pin *p;

	LIST_FOREACH(p, b, hash_link)
	if (endpoint_same_addr(&p->addr, addr) && !strcmp(p->name, name)) {
		pin_free(n, p);
		break;
	}
	if (n->nr >= PINS_MAX)
		pin_free(n, TAILQ_FIRST(&n->all));
	p = malloc(sizeof(*p) + strlen(name) + 1);
	if (!p)
		return; /* the name's rules do not match then: what is allowed by name alone is denied */
	p->addr = *addr;
	strcpy(p->name, name);
	TAILQ_INSERT_TAIL(&n->all, p, link);
	LIST_INSERT_HEAD(b, p, hash_link);
	n->nr++;
}

const char *names_find(const struct names *n, const struct endpoint *addr)
{
	struct pin *p;

	LIST_FOREACH(p, pin_bucket(n, addr), hash_link)
	if (endpoint_same_addr(&p->addr, addr))
		return p->name;
	return NULL;
}

/* ---- judging --------------------------------------------------------------------------------------------------------------- */

static bool name_matches(const struct rule *r, const char *name)
{
	size_t n = strlen(name), m = strlen(r->name);

	if (r->target == TARGET_NAME)
		return n == m && !memcmp(name, r->name, n);
	return n > m + 1 && name[n - m - 1] == '.' && !strcmp(name + n - m, r->name);
}

static bool prefix_matches(const struct rule *r, const struct endpoint *ep)
{
	unsigned whole = r->prefixlen / 8, rest = r->prefixlen % 8;

	if (ep->family != r->addr.family || memcmp(ep->addr, r->addr.addr, whole))
		return false;
	return !rest || !((ep->addr[whole] ^ r->addr.addr[whole]) >> (8 - rest));
}

static bool any_name_matches(const struct rule *r, const struct names *names,
			     const struct endpoint *dst)
{
	struct pin *p;

	LIST_FOREACH(p, pin_bucket(names, dst), hash_link)
	if (endpoint_same_addr(&p->addr, dst) && name_matches(r, p->name))
		return true;
	return false;
}

static bool rule_matches(const struct rule *r, const struct names *names, int proto,
			 const struct endpoint *dst)
{
	if (proto == IPPROTO_ICMPV6)
		proto = IPPROTO_ICMP;
	if (r->proto && r->proto != proto)
		return false;
	if (proto == IPPROTO_ICMP ? r->port_lo > 0 || r->port_hi < 65535
				  : dst->port < r->port_lo || dst->port > r->port_hi)
		return false;
	switch (r->target) {
	case TARGET_ALL:
		return true;
	case TARGET_PREFIX:
		return prefix_matches(r, dst);
	default:
		return any_name_matches(r, names, dst);
	}
}

bool policy_allows(const struct uplink_policy *p, const struct names *names, int proto,
		   const struct endpoint *dst)
{
	const struct rule *r;

	if (!p)
		return true;
	STAILQ_FOREACH(r, &p->rules, link)
	if (rule_matches(r, names, proto, dst))
		return r->allow;
	return !p->has_allow;
}

bool policy_has_names(const struct uplink_policy *p)
{
	return p && p->has_names;
}

/* A rule about some ports or one protocol only does not forbid all that its target has. */
static bool denies_whole_target(const struct rule *r)
{
	return !r->allow && !r->proto && r->port_hi - r->port_lo == 65535;
}

/*
 * Rules about addresses say nothing about a name yet: where one may be reached, a name may be asked for. Where none may be, nothing is
 * asked either: a question is a message to whoever serves the name.
 */
bool policy_allows_name(const struct uplink_policy *p, const char *name)
{
	bool addresses = false;
	const struct rule *r;

	if (!p)
		return true;
	STAILQ_FOREACH(r, &p->rules, link)
	{
		if (r->target == TARGET_NAME || r->target == TARGET_BELOW) {
			if (name_matches(r, name) && (r->allow || denies_whole_target(r)))
				return r->allow;
		} else if (r->target == TARGET_ALL && denies_whole_target(r)) {
			return addresses; /* no rule behind it is ever looked at */
		} else {
			addresses |= r->allow;
		}
	}
	return addresses || !p->has_allow;
}

/* ---- addresses that nobody has ----------------------------------------------------------------------------------------------- */

static bool closed_v4(const uint8_t a[4])
{
	/* "this host" is the host itself for connect(2); RFC 1122 3.2.1.3, RFC 3927, RFC 5771, RFC 919 */
	return a[0] == 0 || a[0] == 127 || (a[0] == 169 && a[1] == 254) || a[0] >= 224;
}

bool endpoint_is_many(const struct endpoint *ep)
{
	return ep->addr[0] >= (ep->family == AF_INET ? 224 : 255);
}

bool address_closed(const struct endpoint *ep)
{
	static const uint8_t zero[16], mapped[12] = { [10] = 0xff, [11] = 0xff };
	const uint8_t *a = ep->addr;

	if (ep->family == AF_INET)
		return closed_v4(a);
	/* RFC 4291 2.5: unspecified, loopback and the old IPv4-compatible ones; mapped ones are IPv4 in disguise; link-local, multicast. */
	return !memcmp(a, zero, 12) || !memcmp(a, mapped, 12) ||
	       (a[0] == 0xfe && (a[1] & 0xc0) == 0x80) || a[0] == 0xff;
}
