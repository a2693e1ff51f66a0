/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * uplink.h - a way out and in for programs: user-mode NAT onto the host's own sockets
 *
 * An uplink is a gateway: a net of its own, joined by a veth to the net of the programs (the guest), with the addresses that slirp
 * users know. Everything the guest sends to the world ends there, and goes on over sockets of the host, as the user who started us.
 *     guest 10.0.2.15/24, fd00::15/64    gateway 10.0.2.2, fd00::2    name server 10.0.2.3, fd00::3
 * Runs in the loop of the stack process (run/run.h).
 */
#ifndef UPLINK_UPLINK_H
#define UPLINK_UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct run;
struct run_node;
struct uplink;
struct uplink_policy;
struct uplink_ports;

#define UPLINK_MTU_MIN     1280
#define UPLINK_MTU_DEFAULT 65520
#define UPLINK_MTU_MAX     65520

/* ---- policy.c: which connections may go out --------------------------------------------------------------- */

struct uplink_policy *uplink_policy_new(void); /* allows everything */
void uplink_policy_free(struct uplink_policy *p);
/*
 * Appends a rule; the first that matches decides. @text: TARGET[:PORT[-PORT]][/tcp|/udp|/icmp], TARGET one of: all, an address or
 * prefix (IPv6 in brackets if ports follow), a DNS name, *.NAME (all names below NAME). What no rule matches is allowed if all rules deny, else
 * denied. -EINVAL: *ret_why tells what is wrong (static storage); -ENOMEM
 */
int uplink_policy_add(struct uplink_policy *p, bool allow, const char *text, const char **ret_why);

/* ---- ports.c: ports of the host that lead in --------------------------------------------------------------- */

struct uplink_ports *uplink_ports_new(void);
void uplink_ports_free(struct uplink_ports *ports);
/* [ADDR:]HOST[-HOST]:GUEST[-GUEST][/tcp|/udp]; an IPv6 ADDR in brackets. As of uplink_policy_add(). */
int uplink_ports_add(struct uplink_ports *ports, const char *text, const char **ret_why);
/* Takes the ports, before any program starts. 0, or -errno and in @why which one could not be had. */
int uplink_ports_open(struct uplink_ports *ports, char *why, size_t size);

/* ---- uplink.c ------------------------------------------------------------------------------------------------- */

struct uplink_config {
	const char *ifname;                 /* in the guest; NULL: "eth0" */
	uint32_t mtu;                       /* 0: UPLINK_MTU_DEFAULT */
	bool host_loopback;                 /* the gateway's address is the host's loopback */
	const struct uplink_policy *policy; /* NULL: all is allowed; lives as long as the uplink */
	struct uplink_ports
		*ports; /* NULL: none; open, and the uplink's from now on if it is created */
	FILE *audit;    /* NULL: none; one JSON object a line. Stays the caller's */
	const char *resolv_conf; /* NULL: /etc/resolv.conf */
	unsigned max_flows;      /* TCP and UDP each; 0: as the limit of descriptors permits */
};

/*
 * A way out for @node: the veth, addresses, routes, /etc/resolv.conf. It lives until the run ends. 0 or -errno; @why (of @size)
 * then says more, or is empty.
 */
int uplink_create(struct run *r, struct run_node *node, const struct uplink_config *cfg, char *why,
		  size_t size);

#endif
