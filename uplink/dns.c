/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dns.c - the name server that the guest sees: forwards to the host's resolvers
 *
 * Theory of operation
 *   Over UDP each question gets a socket of its own towards a resolver: its random port and the identifier guard against forged answers
 *   (RFC 5452). After QUERY_NS without an answer, or at an ICMP error, the next resolver is asked; when all were asked TRIES times, or there
 *   is none, the answer is SERVFAIL. So the guest hears something soon when the host is offline. Over TCP the connection is
 *   forwarded to the first resolver as it is (tcp_forward()): then answers are not seen, names are not pinned; when there are rules about
 *   names, or nothing may be reached, TCP is refused, and resolvers do with UDP.
 *   The host's resolv.conf is looked at with each question; when it has changed, the guest's gets its search domains.
 *   Resolvers may be on the host's loopback: they are reached whatever is closed to the guest.
 * See RFC 1035, RFC 5452, resolv.conf(5).
 */
#include "uplink_internal.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define DNS_PORT    53
#define QUERY_MAX   4096 /* octets of a question */
#define QUERIES_MAX 512
#define QUERY_NS    (3 * NS_PER_S)
#define TRIES       2
#define CONF_MAX    65536

struct dns_query {
	struct source host; /* first: source_bury() */
	TAILQ_ENTRY(dns_query) link;
	struct uplink *u;
	struct endpoint src;
	struct dns_question question;
	int fd;
	unsigned tries;
	uint64_t deadline;
	size_t len;
	uint8_t msg[];
};

/* ---- resolv.conf -------------------------------------------------------------------------------------------------------- */

static void add_server(struct resolvers *r, const char *text)
{
	struct endpoint *ep = &r->server[r->nr];

	if (r->nr >= DNS_SERVERS)
		return;
	memset(ep, 0, sizeof(*ep));
	ep->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	ep->port = DNS_PORT;
	if (inet_pton(ep->family, text, ep->addr) == 1)
		r->nr++;
}

static void keep_words(char *to, size_t size, const char *words)
{
	snprintf(to, size, "%s", words + strspn(words, " \t"));
}

static void parse_line(struct resolvers *r, char *line)
{
	char *value = line + strcspn(line, " \t");

	line[strcspn(line, "\r#;")] = '\0';
	if (value >= line + strlen(line))
		return;
	*value++ = '\0';
	value += strspn(value, " \t");
	if (!strcmp(line, "nameserver")) {
		value[strcspn(value, " \t")] = '\0';
		add_server(r, value);
	} else if (!strcmp(line, "search") || !strcmp(line, "domain")) {
		keep_words(r->search, sizeof(r->search), value);
	} else if (!strcmp(line, "options")) {
		keep_words(r->options, sizeof(r->options), value);
	}
}

void resolvers_parse(struct resolvers *ret, const char *text, size_t len)
{
	memset(ret, 0, sizeof(*ret));
	while (len) {
		const char *end = memchr(text, '\n', len);
		size_t n = end ? (size_t)(end - text) : len;
		char line[1024];

		if (n < sizeof(line)) {
			memcpy(line, text, n);
			line[n] = '\0';
			parse_line(ret, line);
		}
		text += n + (end != NULL);
		len -= n + (end != NULL);
	}
}

/* What the guest reads. "use-vc" and the like are between the host and its resolvers; ndots decides what is searched. */
static void tell_guest(struct uplink *u)
{
	const char *ndots = strstr(u->resolvers.options, "ndots:");
	char text[DNS_SEARCH + 256];
	int n = snprintf(text, sizeof(text), "nameserver 10.0.2.3\n");

	if (u->resolvers.search[0])
		n += snprintf(text + n, sizeof(text) - (size_t)n, "search %s\n",
			      u->resolvers.search);
	if (ndots)
		snprintf(text + n, sizeof(text) - (size_t)n, "options %.*s\n",
			 (int)strcspn(ndots, " \t"), ndots);
	run_node_set_file(u->node, "/etc/resolv.conf", text);
}

void dns_reload(struct uplink *u)
{
	int fd = open(u->resolv_conf, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st = { 0 };
	int64_t mtime;
	ssize_t n = 0;

	if (fd >= 0 && fstat(fd, &st) < 0)
		memset(&st, 0, sizeof(st));
	mtime = st.st_mtim.tv_sec * (int64_t)NS_PER_S + st.st_mtim.tv_nsec;
	if (mtime != u->resolv_mtime_ns || st.st_ino != u->resolv_ino) {
		u->resolv_mtime_ns = mtime;
		u->resolv_ino = st.st_ino;
		if (fd >= 0)
			n = read(fd, u->scratch, CONF_MAX);
		resolvers_parse(&u->resolvers, u->scratch, n > 0 ? (size_t)n : 0);
		tell_guest(u);
	}
	if (fd >= 0)
		close(fd);
}

/* ---- questions over UDP --------------------------------------------------------------------------------------------------- */

static void query_end(struct dns_query *q)
{
	close(q->fd);
	TAILQ_REMOVE(&q->u->dns_queries, q, link);
	q->u->nr_dns--;
	source_bury(q->u, &q->host);
}

static void reply(struct uplink *u, const struct endpoint *to, const void *msg, size_t len)
{
	struct sockaddr_storage ss;
	socklen_t n = endpoint_to(to, &ss);

	weir_sendto(u->dns_udp[v6_of(to)].file, msg, len, MSG_DONTWAIT, (struct sockaddr *)&ss, n);
}

static void query_fail(struct dns_query *q)
{
	reply(q->u, &q->src, q->msg, dns_make_error(q->msg, q->question.end, DNS_SERVFAIL));
	query_end(q);
}

static int ask(struct dns_query *q);

static void answer_event(struct source *src, uint32_t events)
{
	struct dns_query *q = source_of(src, struct dns_query, host);
	struct uplink *u = q->u;
	struct dns_question a;

	for (;;) {
		ssize_t n = recv(q->fd, u->scratch, DGRAM_MAX, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0) { /* nobody is there */
			if (ask(q))
				query_fail(q);
			return;
		}
		if (!dns_read_question((uint8_t *)u->scratch, (size_t)n, &a) || !a.response ||
		    a.id != q->question.id || a.type != q->question.type ||
		    strcmp(a.name, q->question.name) != 0)
			continue;
		dns_pin(u, (uint8_t *)u->scratch, (size_t)n);
		reply(u, &q->src, u->scratch, (size_t)n);
		query_end(q);
		return;
	}
}

static int ask_server(struct dns_query *q, const struct endpoint *server)
{
	struct sockaddr_storage ss;
	socklen_t len = endpoint_to(server, &ss);
	int fd = host_socket(q->u, server->family, SOCK_DGRAM, 0);

	if (fd < 0)
		return fd;
	if (connect(fd, (struct sockaddr *)&ss, len) < 0 ||
	    send(fd, q->msg, q->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ||
	    host_watch(q->u, fd, &q->host, EPOLLIN, answer_event)) {
		int err = -errno;

		close(fd);
		return err;
	}
	q->fd = fd;
	return 0;
}

/* The next resolver that can be sent to. -errno: none is left. */
static int ask(struct dns_query *q)
{
	struct uplink *u = q->u;
	int err = -ENETUNREACH;

	if (q->fd >= 0)
		close(q->fd);
	q->fd = -1;
	while (q->fd < 0 && q->tries < u->resolvers.nr * TRIES)
		err = ask_server(q, &u->resolvers.server[q->tries++ % u->resolvers.nr]);
	q->deadline = uplink_now(u) + QUERY_NS;
	TAILQ_REMOVE(&u->dns_queries, q, link); /* the next to be late comes first */
	TAILQ_INSERT_TAIL(&u->dns_queries, q, link);
	return q->fd >= 0 ? 0 : err;
}

void dns_expire(struct uplink *u, uint64_t now)
{
	struct dns_query *q;

	while ((q = TAILQ_FIRST(&u->dns_queries)) && q->deadline <= now)
		if (ask(q))
			query_fail(q);
}

static void audit_refusal(struct uplink *u, const struct endpoint *src, const char *name)
{
	struct audit_who who;
	struct audit_record rec = { .what = "dns",
				    .src = src,
				    .dst = &u->server[v6_of(src)],
				    .name = name,
				    .who = &who,
				    .verdict = "deny" };

	if (!u->cfg.audit)
		return;
	audit_find(u, IPPROTO_UDP, src, &who);
	audit(u, &rec);
}

/* 0, or what is wrong. An update of a zone would be signed by nothing but the host's address (RFC 2136 7.1). */
static unsigned may_ask(struct uplink *u, const struct endpoint *src, const struct dns_question *q)
{
	if (!q->query)
		return DNS_NOTIMP;
	if (policy_allows_name(u->cfg.policy, q->name))
		return 0;
	audit_refusal(u, src, q->name);
	return DNS_REFUSED;
}

static void question(struct uplink *u, const struct endpoint *src, const uint8_t *msg, size_t len)
{
	struct dns_query *q;
	unsigned rcode;

	if (!from_guest(u, src) || len > QUERY_MAX)
		return;
	if (u->nr_dns >= QUERIES_MAX)
		query_fail(TAILQ_FIRST(&u->dns_queries));
	q = calloc(1, sizeof(*q) + len);
	if (!q)
		return;
	memcpy(q->msg, msg, len);
	if (!dns_read_question(q->msg, len, &q->question) || q->question.response) {
		free(q);
		return;
	}
	rcode = may_ask(u, src, &q->question);
	if (rcode) {
		reply(u, src, q->msg, dns_make_error(q->msg, q->question.end, rcode));
		free(q);
		return;
	}
	q->u = u;
	q->src = *src;
	q->len = len;
	q->fd = -1;
	TAILQ_INSERT_TAIL(&u->dns_queries, q, link);
	u->nr_dns++;
	uplink_arm_tick(u);
	dns_reload(u);
	if (ask(q))
		query_fail(q);
}

static void udp_event(struct source *source, uint32_t events)
{
	struct gate *g = source_of(source, struct gate, src);
	struct sockaddr_storage from;
	struct endpoint src;
	uint8_t msg[QUERY_MAX + 1];

	for (;;) {
		socklen_t len = sizeof(from);
		ssize_t n = weir_recvfrom(g->file, msg, sizeof(msg), MSG_DONTWAIT,
					  (struct sockaddr *)&from, &len);

		if (n < 0)
			break;
		endpoint_from(&src, &from);
		question(g->u, &src, msg, (size_t)n);
	}
}

/* ---- names ------------------------------------------------------------------------------------------------------------------ */

struct pinning {
	struct uplink *u;
	const char *name;
};

static void pin_one(int family, const uint8_t *addr, void *arg)
{
	struct pinning *p = arg;
	struct endpoint ep = { .family = (uint16_t)family };

	memcpy(ep.addr, addr, endpoint_addr_len(&ep));
	names_pin(p->u->names, p->name, &ep);
}

void dns_pin(struct uplink *u, const uint8_t *msg, size_t len)
{
	struct dns_question q;
	struct pinning p = { u, q.name };

	if ((u->cfg.audit || policy_has_names(u->cfg.policy)) && dns_read_question(msg, len, &q))
		dns_each_address(msg, len, pin_one, &p);
}

/* ---- TCP ---------------------------------------------------------------------------------------------------------------------- */

/* Over TCP names are not looked at: only where each may be asked for. */
static bool tcp_may_ask(const struct uplink *u)
{
	return !policy_has_names(u->cfg.policy) && policy_allows_name(u->cfg.policy, "");
}

static void tcp_event(struct source *source, uint32_t events)
{
	struct gate *g = source_of(source, struct gate, src);
	struct uplink *u = g->u;
	struct weir_file *file;

	while (weir_accept(g->file, NULL, NULL, SOCK_NONBLOCK, &file) == 0) {
		dns_reload(u);
		if (!u->resolvers.nr || !tcp_may_ask(u))
			weir_close(file);
		else
			tcp_forward(u, file, &u->resolvers.server[0], "dns");
	}
}

/* ---- begin and end ------------------------------------------------------------------------------------------------------------- */

static int bind_server(struct gate *g)
{
	struct endpoint ep = g->u->server[g->v];
	struct sockaddr_storage ss;
	socklen_t len;

	ep.port = DNS_PORT;
	len = endpoint_to(&ep, &ss);
	return weir_bind(g->file, (struct sockaddr *)&ss, len);
}

static int listen_server(struct gate *g)
{
	int err = bind_server(g);

	return err ? err : weir_listen(g->file, 64);
}

int dns_open(struct uplink *u)
{
	int err = 0;

	u->resolv_mtime_ns = -1;
	dns_reload(u);
	for (int v = 0; v < 2 && !err; v++) {
		err = gate_open(u, &u->dns_udp[v], v, SOCK_DGRAM, 0, bind_server, udp_event);
		if (!err)
			err = gate_open(u, &u->dns_tcp[v], v, SOCK_STREAM, 0, listen_server,
					tcp_event);
	}
	return err;
}

void dns_close_all(struct uplink *u)
{
	while (!TAILQ_EMPTY(&u->dns_queries))
		query_end(TAILQ_FIRST(&u->dns_queries));
	for (int v = 0; v < 2; v++) {
		gate_close(&u->dns_udp[v]);
		gate_close(&u->dns_tcp[v]);
	}
}
