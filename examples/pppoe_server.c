/* SPDX-License-Identifier: BSD-2-Clause */
/* pppoe_server.c INTERFACE [SESSIONS] - an access concentrator: answers discovery, until SESSIONS sessions have ended */
#include "pppoe.h"

#define AC_NAME "weir-ac"

/* RFC 2516 5.2: lets the server know its own offer without keeping state. Here the client's address will do. */
static void make_cookie(const struct pppoe_packet *k, uint8_t cookie[ETH_ALEN])
{
	for (int i = 0; i < ETH_ALEN; i++)
		cookie[i] = k->eth.ether_shost[i] ^ 0x5a;
}

static void offer(const struct pppoe *p, const struct pppoe_packet *padi)
{
	uint8_t cookie[ETH_ALEN];
	struct pppoe_packet pado;

	make_cookie(padi, cookie);
	packet_begin(&pado, p, padi->eth.ether_shost, PADO_CODE, 0);
	packet_tag(&pado, PTT_AC_NAME, AC_NAME, sizeof(AC_NAME) - 1);
	packet_copy_tag(&pado, padi, PTT_SRV_NAME);
	packet_copy_tag(&pado, padi, PTT_HOST_UNIQ);
	packet_tag(&pado, PTT_AC_COOKIE, cookie, sizeof(cookie));
	packet_send(p, &pado);
}

static void confirm(const struct pppoe *p, const struct pppoe_packet *padr, uint16_t sid)
{
	struct pppoe_packet pads;

	packet_begin(&pads, p, padr->eth.ether_shost, PADS_CODE, sid);
	packet_copy_tag(&pads, padr, PTT_SRV_NAME);
	packet_copy_tag(&pads, padr, PTT_HOST_UNIQ);
	if (!sid) /* RFC 2516 5.4 */
		packet_tag(&pads, PTT_GEN_ERR, "cookie", 6);
	packet_send(p, &pads);
}

static int cookie_is_ours(const struct pppoe_packet *padr)
{
	uint8_t cookie[ETH_ALEN];
	uint16_t len = 0;
	const uint8_t *data = packet_find(padr, PTT_AC_COOKIE, &len);

	make_cookie(padr, cookie);
	return data && len == sizeof(cookie) && memcmp(data, cookie, len) == 0;
}

int main(int argc, char **argv)
{
	int left = argc > 2 ? atoi(argv[2]) : 1;
	uint16_t sid = 0;
	struct pppoe_packet k;
	struct pppoe p;

	if (argc < 2) {
		fprintf(stderr, "usage: pppoe_server INTERFACE [SESSIONS]\n");
		return 2;
	}
	pppoe_open(&p, argv[1]);
	while (left > 0 && packet_receive(&p, &k, 0, 30000)) {
		switch (k.code) {
		case PADI_CODE:
			offer(&p, &k);
			break;
		case PADR_CODE:
			confirm(&p, &k, cookie_is_ours(&k) ? ++sid : 0);
			packet_print("PADR", &k);
			break;
		case PADT_CODE:
			packet_print("PADT", &k);
			left--;
			break;
		default:
			break;
		}
	}
	return left > 0;
}
