/* SPDX-License-Identifier: BSD-2-Clause */
/* echo_server.c - the server of the echo example (RFC 862): listen, accept, send back what comes */
#include "echo.h"

#include "setup.h"

struct weir_file *echo_listen(struct weir_net *net)
{
	struct sockaddr_in addr = ipv4("0.0.0.0", ECHO_PORT);
	struct weir_file *f;

	check(weir_socket(net, AF_INET, SOCK_STREAM, 0, &f), "socket");
	check(weir_bind(f, (struct sockaddr *)&addr, sizeof(addr)), "bind");
	check(weir_listen(f, 16), "listen");
	return f;
}

static void echo_connection(struct weir_file *f)
{
	char buf[4096];
	ssize_t n, sent, done;

	while ((n = weir_read(f, buf, sizeof(buf))) > 0)
		for (done = 0; done < n; done += sent)
			sent = check(weir_write(f, buf + done, (size_t)(n - done)), "write");
	check(n, "read");
	weir_close(f);
}

void echo_serve(struct weir_file *listener, int count)
{
	struct sockaddr_in from;
	struct weir_file *f;
	char text[INET_ADDRSTRLEN];

	while (count--) {
		socklen_t len = sizeof(from);

		check(weir_accept(listener, (struct sockaddr *)&from, &len, 0, &f), "accept");
		printf("server: connection from %s\n",
		       inet_ntop(AF_INET, &from.sin_addr, text, sizeof(text)));
		echo_connection(f);
	}
}
