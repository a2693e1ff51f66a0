/* SPDX-License-Identifier: BSD-2-Clause */
/* pppoe_client.c INTERFACE - a host: finds an access concentrator, opens a session and ends it */
#include "pppoe.h"

#define TRIES 10 /* of PADI, a second apart: the server may start later than we */

static const uint8_t broadcast[ETH_ALEN] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
static const uint8_t uniq[4] = { 'w', 'e', 'i', 'r' };

/* RFC 2516 5.1: an answer without our Host-Uniq is for somebody else. */
static int is_ours(const struct pppoe_packet *k)
{
	uint16_t len;
	const uint8_t *data = packet_find(k, PTT_HOST_UNIQ, &len);

	return data && len == sizeof(uniq) && memcmp(data, uniq, len) == 0;
}

static void request(struct pppoe_packet *k, const struct pppoe *p, const uint8_t *to, uint8_t code)
{
	packet_begin(k, p, to, code, 0);
	packet_tag(k, PTT_SRV_NAME, "", 0); /* any service */
	packet_tag(k, PTT_HOST_UNIQ, uniq, sizeof(uniq));
}

int main(int argc, char **argv)
{
	struct pppoe_packet k, offer, session;
	struct pppoe p;
	int tries = TRIES;

	if (argc != 2) {
		fprintf(stderr, "usage: pppoe_client INTERFACE\n");
		return 2;
	}
	pppoe_open(&p, argv[1]);
	request(&k, &p, broadcast, PADI_CODE);
	do {
		if (!tries--) {
			fprintf(stderr, "no access concentrator answers\n");
			return 1;
		}
		packet_send(&p, &k);
	} while (!packet_receive(&p, &offer, PADO_CODE, 1000) || !is_ours(&offer));
	packet_print("PADO", &offer);

	request(&k, &p, offer.eth.ether_shost, PADR_CODE);
	packet_copy_tag(&k, &offer, PTT_AC_COOKIE);
	packet_send(&p, &k);
	if (!packet_receive(&p, &session, PADS_CODE, 5000) || !is_ours(&session) || !session.sid) {
		fprintf(stderr, "the session was refused\n");
		return 1;
	}
	packet_print("PADS", &session);

	packet_begin(&k, &p, offer.eth.ether_shost, PADT_CODE, ntohs(session.sid));
	packet_send(&p, &k);
	packet_print("PADT", &k);
	return 0;
}
