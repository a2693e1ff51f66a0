/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uplink_internal.h - what the uplink's files share
 *
 * struct uplink (one per guest) -> TCP flows, UDP flows, echo flows, name queries, ports. Each owns at most one socket of the host and one
 * file of the gateway's net, and is a pair of event sources. One thread; no locks.
 */
#ifndef UPLINK_UPLINK_INTERNAL_H
#define UPLINK_UPLINK_INTERNAL_H

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/queue.h>
#include <sys/socket.h>

#include <weir/weir.h>

#include "dns_msg.h"
#include "run/run.h"
#include "uplink.h"

#define NS_PER_MS 1000000ull
#define NS_PER_S  1000000000ull

#define SCRATCH_SIZE (256 * 1024)
#define DGRAM_MAX    65536
#define EVENTS       64

struct uplink;

/* ---- addresses --------------------------------------------------------------------------------------------- */

/* An address and a port (or echo identifier), host order. IPv4: the first four octets. */
struct endpoint {
	uint16_t family;
	uint16_t port;
	uint8_t addr[16];
};

static inline size_t endpoint_addr_len(const struct endpoint *ep)
{
	return ep->family == AF_INET ? 4 : 16;
}
void endpoint_from(struct endpoint *ep, const struct sockaddr_storage *ss);
socklen_t endpoint_to(const struct endpoint *ep, struct sockaddr_storage *ss);
bool endpoint_equal(const struct endpoint *a, const struct endpoint *b);
bool endpoint_same_addr(const struct endpoint *a, const struct endpoint *b);
uint32_t endpoint_hash(const struct endpoint *a, const struct endpoint *b, uint32_t key);
#define ENDPOINT_TEXT 48
const char *endpoint_addr_text(const struct endpoint *ep, char buf[ENDPOINT_TEXT]);

/* ---- event sources ------------------------------------------------------------------------------------------- */

/* A socket of the host, or a file of the gateway's net. Embedded in what it belongs to. */
struct source {
	void (*fn)(struct source *src, uint32_t events); /* NULL: gone */
	struct source *dead_next;
};
/* Frees, at the end of the turn, what begins with @src: events that were fetched already may name it. */
void source_bury(struct uplink *u, struct source *src);
#define source_of(src_, type_, member_) ((type_ *)((char *)(src_)-offsetof(type_, member_)))

/* A file of the gateway's net that all flows of one IP version share. */
struct gate {
	struct source src;
	struct uplink *u;
	struct weir_file *file; /* NULL: none */
	int v;                  /* 1: IPv6 */
};

int host_watch(struct uplink *u, int fd, struct source *src, uint32_t events,
	       void (*fn)(struct source *src, uint32_t events));
int guest_watch(struct uplink *u, struct weir_file *f, struct source *src,
		void (*fn)(struct source *src, uint32_t events));

/* A non-blocking socket in the gateway's net; @prepare, if given, before events are looked for. 0 or -errno */
int gate_open(struct uplink *u, struct gate *g, int v, int type, int protocol,
	      int (*prepare)(struct gate *g), void (*fn)(struct source *src, uint32_t events));
void gate_close(struct gate *g);

/* ---- policy.c --------------------------------------------------------------------------------------------------- */

enum verdict {
	VERDICT_ALLOW,
	VERDICT_DENY,   /* by a rule */
	VERDICT_CLOSED, /* the host's loopback, link-local addresses, and what is nobody's address */
};

/* Names that the guest was told for an address, newest first. NULL: none. */
struct pin;
struct names;
struct names *names_new(void);
void names_free(struct names *n);
/* The answer for @name had @addr. Bounded: the oldest go. */
void names_pin(struct names *n, const char *name, const struct endpoint *addr);
/* The newest name of @addr, or NULL. */
const char *names_find(const struct names *n, const struct endpoint *addr);

/* May the guest reach @dst? @proto: IPPROTO_* */
bool policy_allows(const struct uplink_policy *p, const struct names *names, int proto,
		   const struct endpoint *dst);
/* May the guest ask for @name? */
bool policy_allows_name(const struct uplink_policy *p, const char *name);
bool policy_has_names(const struct uplink_policy *p);
/* Addresses that are never reached by their own name: loopback, link-local, unspecified, multicast. */
bool address_closed(const struct endpoint *ep);
/* Multicast and broadcast. */
bool endpoint_is_many(const struct endpoint *ep);

/* ---- audit.c ----------------------------------------------------------------------------------------------------- */

/* Whose socket it is. */
struct audit_who {
	pid_t pid; /* 0: not known */
	char program[16];
};
/* Looks for the program of the guest that has socket @src; nothing is looked for without an audit. */
void audit_find(struct uplink *u, int proto, const struct endpoint *src, struct audit_who *ret);

struct audit_record {
	int proto;
	const char *what; /* "tcp", "udp", "icmp", "dns", "tcp-in", "udp-in" */
	const struct endpoint *src, *dst;
	const char *name; /* NULL */
	const struct audit_who *who;
	const char *verdict; /* "allow", "deny", "closed", "refused" ... */
	uint64_t sent, received;
	uint64_t shortcut; /* of both together, those that were no packets */
};
void audit(struct uplink *u, const struct audit_record *rec);

/* ---- tcp.c -------------------------------------------------------------------------------------------------------- */

TAILQ_HEAD(tcp_flow_list, tcp_flow);
LIST_HEAD(tcp_flow_bucket, tcp_flow);

int tcp_open(struct uplink *u);
void tcp_close_all(struct uplink *u);
bool tcp_serve_again(struct uplink *u); /* true: there is more to do now */
/* A connection of the guest's, @file (consumed), that is for server @to of the host, whatever the policy. */
void tcp_forward(struct uplink *u, struct weir_file *file, const struct endpoint *to,
		 const char *what);
/* A connection of the host's client @from, accepted as @fd (consumed), to the guest's @port. */
void tcp_connect_guest(struct uplink *u, int fd, const struct endpoint *from, uint16_t family,
		       uint16_t port);

/* ---- udp.c -------------------------------------------------------------------------------------------------------- */

TAILQ_HEAD(udp_flow_list, udp_flow);
LIST_HEAD(udp_flow_bucket, udp_flow);
struct udp_flow;

int udp_open(struct uplink *u);
void udp_close_all(struct uplink *u);
void udp_expire(struct uplink *u, uint64_t now);
/* A datagram that came to a port of the host, @fd, from @from: to the guest's @port. */
void udp_to_guest(struct uplink *u, int fd, const struct endpoint *from, uint16_t family,
		  uint16_t port, const void *data, size_t len);
/* From the gateway's net to the guest, with any source. */
void udp_send_guest(struct uplink *u, const struct endpoint *from, const struct endpoint *to,
		    const void *data, size_t len);

/* ---- icmp.c ------------------------------------------------------------------------------------------------------- */

TAILQ_HEAD(echo_flow_list, echo_flow);

int icmp_open(struct uplink *u);
void icmp_close_all(struct uplink *u);
void icmp_expire(struct uplink *u, uint64_t now);
/* An ICMP error to the guest about what it sent: @type and @code of @src's IP version; @from: who says it, NULL: the gateway. @header: the
 * first octets behind the IP header, up to 8 of them. */
void icmp_send_error(struct uplink *u, const struct endpoint *from, uint8_t type, uint8_t code,
		     uint32_t info, const struct endpoint *src, const struct endpoint *dst,
		     int proto, const uint8_t header[8], size_t payload);
/* The same, for a datagram and an errno of the host's socket. */
void icmp_send_errno(struct uplink *u, int err, const struct endpoint *src,
		     const struct endpoint *dst, int proto, const uint8_t header[8],
		     size_t payload);

/* ---- host.c: sockets of the host ----------------------------------------------------------------------------------- */

/* Is it the gateway's, or the name server's? */
bool endpoint_is_own(const struct uplink *u, const struct endpoint *ep);
/* Is it one of the net between guest and gateway? */
bool endpoint_on_link(const struct uplink *u, const struct endpoint *ep);
/* The address on the host that @dst stands for. */
void host_address(const struct uplink *u, const struct endpoint *dst, struct endpoint *ret);
/* Closed addresses, then rules. */
enum verdict host_verdict(const struct uplink *u, int proto, const struct endpoint *dst);
const char *verdict_name(enum verdict v);
/* A non-blocking socket; says once that there are no descriptors. -errno */
int host_socket(struct uplink *u, int family, int type, int protocol);
/* The next error in the queue of @fd. False: none */
struct host_error {
	int err;
	bool icmp; /* of the host's version of ICMP: type, code, from are valid */
	uint8_t type, code;
	uint32_t info;
	struct endpoint from;
	uint8_t data[8]; /* what it is about; ping sockets: the request's header */
};
bool host_next_error(int fd, struct host_error *ret);

/* ---- dns.c ---------------------------------------------------------------------------------------------------------- */

TAILQ_HEAD(dns_query_list, dns_query);

int dns_open(struct uplink *u);
void dns_close_all(struct uplink *u);
void dns_expire(struct uplink *u, uint64_t now);
/* Reads the host's resolv.conf if it has changed. */
void dns_reload(struct uplink *u);

/* Remembers which names an answer gave which addresses. */
void dns_pin(struct uplink *u, const uint8_t *msg, size_t len);

#define DNS_SERVERS 4
#define DNS_SEARCH  512

struct resolvers {
	struct endpoint server[DNS_SERVERS];
	unsigned nr;
	char search[DNS_SEARCH], options[128];
};
/* The text of a resolv.conf; lines that are not understood are skipped. */
void resolvers_parse(struct resolvers *ret, const char *text, size_t len);

/* ---- ports.c ---------------------------------------------------------------------------------------------------------- */

int ports_start(struct uplink *u);
void ports_resume(struct uplink *u); /* descriptors may be free again */

/* ---- uplink.c ----------------------------------------------------------------------------------------------------------- */

#define FLOW_HASH 4096

struct uplink {
	struct run *run;
	struct run_node *node;
	struct weir_net *net;
	struct weir_file *wep; /* files of the gateway's net */
	int ep;                /* sockets of the host */
	struct run_watch *watch;
	struct run_timer *tick;
	struct uplink_config cfg;
	char *resolv_conf;
	struct endpoint guest[2], gateway[2], server[2]; /* IPv4, IPv6 */
	struct names *names;
	char *scratch;
	unsigned max_flows;
	bool said_no_descriptors, said_no_ping, said_audit;
	struct source *dead;
	uint64_t forged;

	struct gate tcp_gate[2];
	struct tcp_flow_list tcp_flows, tcp_half, tcp_again; /* half: not open yet, oldest first */
	struct tcp_flow_bucket tcp_hash[FLOW_HASH];
	unsigned nr_tcp;
	size_t kept; /* octets in the flows' buffers */

	struct gate udp_gate[2];
	struct udp_flow_list udp_flows; /* least recently used first */
	struct udp_flow_bucket udp_hash[FLOW_HASH];
	unsigned nr_udp;

	struct gate icmp_gate[2];
	struct echo_flow_list echo_flows; /* least recently used first */
	unsigned nr_echo;

	struct gate dns_udp[2], dns_tcp[2];
	struct dns_query_list dns_queries;
	unsigned nr_dns;
	struct resolvers resolvers;
	int64_t resolv_mtime_ns;
	uint64_t resolv_ino;

	struct uplink_ports *ports;
};

uint64_t uplink_now(const struct uplink *u);
void uplink_say(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Flows that can time out exist: the clock must tick. */
void uplink_arm_tick(struct uplink *u);
static inline int v6_of(const struct endpoint *ep)
{
	return ep->family == AF_INET6;
}
/* Did the guest send this, as the address that was given to it? Others are counted and dropped. */
bool from_guest(struct uplink *u, const struct endpoint *src);

#endif
