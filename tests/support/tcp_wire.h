/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_wire.h - one net, and its peer played by the test segment by segment, in virtual time
 *
 *      test (10.0.0.2 or fd00::2) ---- weir_dev "wire" (IP packets) ---- net a (10.0.0.1 or fd00::1)
 *
 * With WEIR_TEST_IPV6 in the environment addresses are of IPv6. The peer's port is 1000, the net's 7, unless a segment says otherwise.
 */
#ifndef WEIR_TESTS_SUPPORT_TCP_WIRE_H
#define WEIR_TESTS_SUPPORT_TCP_WIRE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/weir.h>

#define WIRE_PEER_PORT 1000
#define WIRE_PORT      7
#define WIRE_SEC       1000000000ull
#define WIRE_MS        1000000ull

struct wire {
	struct weir_machine *m;
	struct weir_net *net;
	struct weir_dev *dev;
	int family;
	union wire_addr {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} local, peer; /* ports WIRE_PORT, WIRE_PEER_PORT */
	socklen_t addrlen;
	uint32_t peer_host; /* last 32 bits of the peer's address, host order; 0: as in @peer */
};

struct wire_seg {
	uint16_t sport, dport; /* to send, 0: the usual ones */
	uint32_t seq, ack;
	uint16_t win, urg;
	uint8_t flags, tos; /* TH_*; the IP header's TOS octet */
	uint8_t opt_len;
	uint8_t opt[40]; /* filled up with NOPs when sent */
	uint32_t len;
	const void *data;      /* to send */
	uint8_t payload[1600]; /* received */
};

bool wire_create(struct wire *w);
void wire_destroy(struct wire *w);
void wire_sysctl(struct wire *w, const char *name, const char *value);
void wire_run(struct wire *w, uint64_t ns); /* lets time pass */
/* A segment to the net, which works on it at once. */
void wire_send(struct wire *w, const struct wire_seg *s);
/* The next segment of the net's; false: there is none now. Anything that is not TCP is skipped. */
bool wire_recv(struct wire *w, struct wire_seg *ret);
unsigned wire_flush(struct wire *w); /* how many there were */
/* An IP packet as it is. */
void wire_send_raw(struct wire *w, const void *packet, size_t len);
/* An ICMP "too big" of the peer's about @s, which the net had sent. */
void wire_send_too_big(struct wire *w, const struct wire_seg *s, uint32_t mtu);
/* The value of an option @kind: its octets, behind kind and length; NULL: not there. *ret_len may be NULL. */
const uint8_t *wire_opt(const struct wire_seg *s, uint8_t kind, unsigned *ret_len);
uint32_t wire_opt32(const struct wire_seg *s, uint8_t kind,
		    unsigned offset); /* fails if not there */

/* A counter of /proc/net/netstat or snmp. -1: unknown */
long wire_counter(struct wire *w, const char *name);

struct weir_file *wire_listen(struct wire *w, int backlog); /* non-blocking, on WIRE_PORT */
struct weir_file *wire_socket(struct wire *w);              /* non-blocking */
/* The peer connects to a listener: SYN (number 1000, MSS 1460, and @opts), ACK; *ret_nxt is what the net sends next. */
struct weir_file *wire_accept(struct wire *w, struct weir_file *listener, const void *opts,
			      unsigned opt_len, uint32_t *ret_nxt);
/* connect(2) to the peer, which answers with sequence number 5000, MSS 1460 and window 65535. *ret_nxt as above; *ret_port: the net's. */
struct weir_file *wire_connect(struct wire *w, struct weir_file *f, uint32_t *ret_nxt,
			       uint16_t *ret_port);

#endif
