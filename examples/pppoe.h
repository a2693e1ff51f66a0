/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pppoe.h - the discovery stage of PPPoE (RFC 2516) over packet sockets: what client and server share
 *
 * Plain POSIX: the same programs run on Linux's sockets and, unmodified, under weir.
 */
#ifndef PPPOE_H
#define PPPOE_H

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h> /* before linux/if.h */
#include <linux/if.h>
#include <linux/if_packet.h>
#include <linux/if_pppox.h>
#include <net/ethernet.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define PPPOE_VERTYPE 0x11 /* RFC 2516 4: version 1, type 1 */

struct pppoe_packet {
	struct ether_header eth;
	uint8_t vertype, code;
	uint16_t sid, length;
	uint8_t tags[ETH_DATA_LEN - 6];
} __attribute__((packed));

#define PPPOE_HDR (sizeof(struct ether_header) + 6)

struct pppoe {
	int fd, ifindex;
	uint8_t mac[ETH_ALEN];
};

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

static inline void pppoe_open(struct pppoe *p, const char *ifname)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_PPP_DISC) };
	struct ifreq ifr = { 0 };

	p->fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_PPP_DISC));
	if (p->fd < 0)
		die("socket");
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", ifname);
	if (ioctl(p->fd, SIOCGIFHWADDR, &ifr))
		die(ifname);
	memcpy(p->mac, ifr.ifr_hwaddr.sa_data, ETH_ALEN);
	if (ioctl(p->fd, SIOCGIFINDEX, &ifr))
		die(ifname);
	p->ifindex = ll.sll_ifindex = ifr.ifr_ifindex;
	if (bind(p->fd, (struct sockaddr *)&ll, sizeof(ll)))
		die("bind");
}

/* RFC 2516 4: everything is a packet of tags. */
static inline void packet_begin(struct pppoe_packet *k, const struct pppoe *p, const uint8_t *to,
				uint8_t code, uint16_t sid)
{
	memset(k, 0, sizeof(*k));
	memcpy(k->eth.ether_dhost, to, ETH_ALEN);
	memcpy(k->eth.ether_shost, p->mac, ETH_ALEN);
	k->eth.ether_type = htons(ETH_P_PPP_DISC);
	k->vertype = PPPOE_VERTYPE;
	k->code = code;
	k->sid = htons(sid);
}

static inline void packet_tag(struct pppoe_packet *k, uint16_t type, const void *data, uint16_t len)
{
	uint16_t at = ntohs(k->length), n = htons(len);

	if (at + 4u + len > sizeof(k->tags))
		return;                 /* RFC 2516 4: what does not fit is left out */
	memcpy(k->tags + at, &type, 2); /* PTT_* are in network order */
	memcpy(k->tags + at + 2, &n, 2);
	memcpy(k->tags + at + 4, data, len);
	k->length = htons((uint16_t)(at + 4 + len));
}

/* The data of the first tag of @type and its length; NULL. */
static inline const uint8_t *packet_find(const struct pppoe_packet *k, uint16_t type,
					 uint16_t *ret_len)
{
	uint32_t at = 0, end = ntohs(k->length);

	while (at + 4 <= end) {
		uint16_t t, n;

		memcpy(&t, k->tags + at, 2);
		memcpy(&n, k->tags + at + 2, 2);
		n = ntohs(n);
		if (at + 4 + n > end || t == PTT_EOL)
			return NULL;
		if (t == type) {
			*ret_len = n;
			return k->tags + at + 4;
		}
		at += 4u + n;
	}
	return NULL;
}

static inline void packet_copy_tag(struct pppoe_packet *to, const struct pppoe_packet *from,
				   uint16_t type)
{
	uint16_t len;
	const uint8_t *data = packet_find(from, type, &len);

	if (data)
		packet_tag(to, type, data, len);
}

static inline void packet_send(const struct pppoe *p, const struct pppoe_packet *k)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_PPP_DISC),
				  .sll_ifindex = p->ifindex,
				  .sll_halen = ETH_ALEN };
	size_t len = PPPOE_HDR + ntohs(k->length);

	if (len < ETH_ZLEN)
		len = ETH_ZLEN;
	memcpy(ll.sll_addr, k->eth.ether_dhost, ETH_ALEN);
	if (sendto(p->fd, k, len, 0, (struct sockaddr *)&ll, sizeof(ll)) != (ssize_t)len)
		die("sendto");
}

/* The next packet for us with @code (0: any) within @ms (-1: no limit); false: none came. */
static inline int packet_receive(const struct pppoe *p, struct pppoe_packet *k, uint8_t code,
				 int ms)
{
	struct pollfd pfd = { .fd = p->fd, .events = POLLIN };

	while (poll(&pfd, 1, ms) > 0) {
		struct sockaddr_ll from;
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(p->fd, k, sizeof(*k), 0, (struct sockaddr *)&from, &len);

		if (n < 0)
			die("recvfrom");
		if (from.sll_pkttype != PACKET_HOST && from.sll_pkttype != PACKET_BROADCAST)
			continue;
		if (n < (ssize_t)PPPOE_HDR || k->vertype != PPPOE_VERTYPE ||
		    ntohs(k->length) > (size_t)n - PPPOE_HDR)
			continue;
		if (!code || k->code == code)
			return 1;
	}
	return 0;
}

static inline void packet_print(const char *what, const struct pppoe_packet *k)
{
	uint16_t len;
	const uint8_t *ac = packet_find(k, PTT_AC_NAME, &len);

	printf("%s session %u", what, ntohs(k->sid));
	if (ac)
		printf(" from %.*s", (int)len, (const char *)ac);
	printf("\n");
	fflush(stdout);
}

#endif
