/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * topo.h - small networks for tests, and byte streams over them whose content is checked
 *
 * A topology is two nets of one machine, "a" (10.0.0.1) and "b" (10.0.0.2), joined by a veth whose two directions are impaired
 * alike. With WEIR_TEST_IPV6 in the environment their addresses are fd00::1 and fd00::2. A transfer sends pseudo-random octets over one connection, in one or both directions, and compares what arrives.
 * Everything is non-blocking and driven by weir_run(): under a virtual clock a run is a function of the seed.
 */
#ifndef WEIR_TESTS_SUPPORT_TOPO_H
#define WEIR_TESTS_SUPPORT_TOPO_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include <weir/weir.h>

struct topo_link { /* of each direction */
	uint64_t delay_ns, jitter_ns, rate_bps;
	double loss, duplicate, reorder, corrupt; /* 0..1 */
	uint32_t queue_packets;                   /* 0: the default */
	uint32_t ecn_packets;                     /* marked from so many on; 0: not */
	uint32_t mtu;                             /* 0: 1500 */
	bool plain; /* nothing is impaired: the veth keeps its offloads */
};

struct topo {
	struct weir_machine *m;
	struct weir_net *net[2];
	int family;
	union topo_addr {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	} addr[2]; /* port 7 */
	socklen_t addrlen;
};

/* Host @i + 1 of the network; @family AF_INET or AF_INET6. */
union topo_addr topo_address(int family, unsigned i);

/* True, or false with a message on stderr. @seed: of all that is random. Virtual clock. */
bool topo_create(struct topo *t, const struct topo_link *link, uint64_t seed);
void topo_destroy(struct topo *t);
/* Changes the links as they are used. */
bool topo_impair(struct topo *t, const struct topo_link *link);
/* A connected pair of non-blocking sockets, client in net 0. Runs the machine until it is there. */
bool topo_connect(struct topo *t, struct weir_file **client, struct weir_file **server);
/* A listening socket in net 1, on port 7. */
struct weir_file *topo_listen(struct topo *t, int backlog);
/* Lets the machine work for @ns of its time. */
void topo_run(struct topo *t, uint64_t ns);

struct topo_result {
	bool ok;     /* all octets arrived, unchanged, and both ends saw the end of the stream */
	uint64_t ns; /* from connect to the last octet */
	uint64_t digest[2];  /* of what arrived at server and client */
	const char *problem; /* static text if not ok */
};
/* @up octets from client to server and @down back, at the same time, then an orderly close. Gives up after @limit_ns. */
struct topo_result topo_transfer(struct topo *t, uint64_t up, uint64_t down, uint64_t limit_ns);

#endif
