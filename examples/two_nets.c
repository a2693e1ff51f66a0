/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * two_nets.c - two stack instances joined by a veth in one program, in virtual time
 *
 * A datagram goes from "a" to "b"; then the machine sleeps for an hour, which takes no time at all, and the same program says what the
 * devices have counted. The clock is virtual and seeded: every run prints the same.
 */
#include "setup.h"

int main(void)
{
	struct weir_machine_config cfg = { .clock = WEIR_CLOCK_VIRTUAL, .seed = 42 };
	struct weir_machine *m = weir_machine_create(&cfg);
	struct sockaddr_in to = ipv4("10.0.0.2", 9999), from;
	socklen_t len = sizeof(from);
	struct weir_file *tx, *rx;
	struct weir_net *net[2];
	char buf[64], addr[INET_ADDRSTRLEN], *text;
	size_t size;
	ssize_t n;

	if (!m) {
		perror("weir_machine_create");
		return 1;
	}
	two_nets(m, net);
	check(weir_socket(net[1], AF_INET, SOCK_DGRAM, 0, &rx), "socket");
	check(weir_bind(rx, (struct sockaddr *)&to, sizeof(to)), "bind");
	check(weir_socket(net[0], AF_INET, SOCK_DGRAM, 0, &tx), "socket");
	check(weir_sendto(tx, "one datagram", 12, 0, (struct sockaddr *)&to, sizeof(to)), "sendto");
	n = check(weir_recvfrom(rx, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len),
		  "recvfrom");
	printf("b received \"%.*s\" from %s\n", (int)n, buf,
	       inet_ntop(AF_INET, &from.sin_addr, addr, sizeof(addr)));

	weir_sleep(m, 3600ull * 1000000000);
	printf("virtual time: %llu s\n", (unsigned long long)(weir_now(m) / 1000000000));
	check(weir_view_read(net[1], "/proc/net/dev", &text, &size), "/proc/net/dev");
	fputs(text, stdout);
	free(text);

	weir_close(tx);
	weir_close(rx);
	weir_net_destroy(net[0]);
	weir_net_destroy(net[1]);
	weir_machine_destroy(m);
	return 0;
}
