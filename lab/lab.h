/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab.h - a lab: nodes, links between them, programs on them
 *
 * The description comes from a YAML file in containerlab's shape (doc/man/weir-lab.5, doc/lab.schema.json):
 *
 *     name: two-hosts
 *     topology:
 *       nodes:
 *         a: { addresses: { eth0: 10.0.0.1/24 }, processes: [ { cmd: "...", wait: "tcp:80" } ] }
 *         b: { addresses: { eth0: 10.0.0.2/24 }, exec: [ "curl http://a/" ] }
 *       links:
 *         - { endpoints: ["a:eth0", "b:eth0"], delay: 10ms, loss: 0.1%, rate: 100Mbit }
 *
 * Built on the public API (include/weir/) and the runner (run/) alone.
 */
#ifndef WEIR_LAB_LAB_H
#define WEIR_LAB_LAB_H

#include <netinet/in.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define LAB_NAME_MAX 63

/* ---- description: what the file says ------------------------------------------------------------------- */

struct lab_ip {
	int family; /* AF_INET, AF_INET6 */
	union {
		struct in_addr v4;
		struct in6_addr v6;
		uint8_t octets[16]; /* network order: 4 or 16 of them */
	};
};

/* Octets of an address, bits of the longest prefix. */
static inline size_t lab_ip_len(const struct lab_ip *ip)
{
	return ip->family == AF_INET6 ? 16 : 4;
}

struct lab_address {
	char ifname[IFNAMSIZ];
	struct lab_ip addr;
	uint8_t prefixlen;
	unsigned line;
};

struct lab_route {
	bool is_default; /* of the gateway's family, or IPv4 */
	struct lab_ip dst;
	uint8_t prefixlen;
	bool has_via;
	struct lab_ip via;
	char dev[IFNAMSIZ]; /* "": found by the gateway */
	uint32_t metric;
	unsigned line;
};

enum lab_wait_kind {
	LAB_WAIT_NONE,
	LAB_WAIT_TCP,
	LAB_WAIT_UDP,
	LAB_WAIT_FILE,
	LAB_WAIT_TIME,
	LAB_WAIT_EXIT
};

struct lab_wait {
	enum lab_wait_kind kind;
	uint16_t port;
	char *path;
	uint64_t ns;
	uint64_t timeout_ns; /* default 30 s */
};

struct lab_process {
	char *name;
	char **argv;   /* NULL-terminated; a string in the file is run by /bin/sh -c */
	char **env;    /* "NAME=value", NULL-terminated; NULL: none */
	char *workdir; /* NULL: the node's */
	struct lab_wait wait;
	unsigned line;
};

struct lab_sysctl {
	char *name, *value;
	unsigned line;
};

struct lab_node {
	char name[LAB_NAME_MAX + 1];
	char *hostname; /* NULL: name */
	struct lab_address *addresses;
	size_t nr_addresses;
	struct lab_route *routes;
	size_t nr_routes;
	struct lab_sysctl *sysctls;
	size_t nr_sysctls;
	struct lab_process *processes; /* started in this order, run beside each other */
	size_t nr_processes;
	struct lab_process *exec; /* run one after the other when all processes are ready */
	size_t nr_exec;
	char **env;
	char *workdir;
	unsigned line;
};

struct lab_impairment { /* of one direction; see include/weir/netlink.h for units */
	uint64_t delay_ns, jitter_ns, rate_bps;
	uint32_t loss, loss_burst, duplicate, reorder, corrupt, queue_packets, ecn_packets;
};

#define LAB_HOST_MAX 128

struct lab_endpoint {
	size_t node; /* index */
	char ifname[IFNAMSIZ];
	char host[LAB_HOST_MAX];   /* what of the host's, of an end that is no node's */
	struct lab_impairment out; /* what this end sends */
};

struct lab_feature { /* of a card: as ethtool -k names it */
	char *name;
	bool on;
	unsigned line;
};

struct lab_card { /* WEIR_NIC_* of include/weir/netlink.h; 0: the default */
	bool present, pio;
	uint32_t rx_ring, tx_ring, rx_usecs, rx_frames, tx_usecs, tx_frames;
	struct lab_feature *features;
	size_t nr_features;
};

struct lab_link {
	struct lab_endpoint end[2];
	uint32_t mtu;         /* 0: 1500 */
	struct lab_card card; /* present: a cable between two of these, else a veth */
	unsigned line;
};

struct lab_medium { /* WEIR_MEDIUM_*; 0: the default of its kind */
	char name[IFNAMSIZ];
	const char *kind; /* "hub", "switch", "token"; NULL: not given */
	uint64_t rate_bps, delay_ns, hold_ns, ageing_ns;
	unsigned line;
};

/* A card that is plugged into a medium: endpoints "node:eth0" and "hub0". */
struct lab_plug {
	struct lab_endpoint end; /* out: the cable, both ways; of a switch only */
	size_t medium;           /* index */
	uint32_t mtu;
	struct lab_card card;
	unsigned line;
};

/* A node's interface over something of the host's: endpoints "node:eth0" and "afpacket:eth1" (weir_dev_attach()); "host:tap0" is "tap:tap0".
 * Or the way out through the host's sockets: endpoints "node:eth0" and "uplink:". */
#define LAB_UPLINK "uplink:"
struct lab_host_link {
	size_t node;
	char ifname[IFNAMSIZ], host[LAB_HOST_MAX];
	uint32_t mtu; /* of the node's; 0: 1500 */
	unsigned line;
};

struct lab_desc {
	char *file; /* as messages name it */
	char name[LAB_NAME_MAX + 1];
	bool seeded;
	uint64_t seed;
	bool trace;  /* flight recorder; default on */
	bool report; /* table at the end of "lab run"; default on */
	struct lab_node *nodes;
	size_t nr_nodes;
	struct lab_link *links;
	size_t nr_links;
	struct lab_host_link *host_links;
	size_t nr_host_links;
	struct lab_medium *media;
	size_t nr_media;
	struct lab_plug *plugs;
	size_t nr_plugs;
};

/*
 * lab_yaml.c: reads and checks a description. NULL when it is refused: *ret_error (free() it) is one sentence "FILE:LINE: field: what is
 * wrong".
 */
struct lab_desc *lab_desc_read(const char *path, char **ret_error);
/* The same from an open file; messages call it @name. @in stays the caller's. */
struct lab_desc *lab_desc_read_stream(FILE *in, const char *name, char **ret_error);
void lab_desc_free(struct lab_desc *d);
/* Index of the node called @name, or -1. */
int lab_desc_find_node(const struct lab_desc *d, const char *name);

/* ---- units.c: the numbers people write ------------------------------------------------------------------ */

/* "10ms", "1.5s", "200us", "5ns"; a bare number is refused (except 0). False: not a time. */
bool parse_duration(const char *s, uint64_t *ret_ns);
/* "100Mbit", "1Gbit", "512kbit", "10MBps", bit/s when there is no unit. */
bool parse_rate(const char *s, uint64_t *ret_bps);
/* "0.1%", "5%", or a fraction "0.001": part of 2^32. */
bool parse_probability(const char *s, uint32_t *ret);
/* "10.0.0.1", "fd00::1" */
bool parse_ip(const char *s, struct lab_ip *ret);
/* "10.0.0.1/24", "fd00::1/64" */
bool parse_prefix(const char *s, struct lab_ip *ret_addr, uint8_t *ret_prefixlen);
/* Are bits behind the prefix set? */
bool ip_has_host_bits(const struct lab_ip *ip, uint8_t prefixlen);

#endif
