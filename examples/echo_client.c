/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * echo_client.c - an echo client and server on two stack instances in one program
 *
 *     client in net "a"  10.0.0.1 --- veth --- 10.0.0.2  server in net "b"
 *
 * Two threads with blocking calls. The machine has no threads of its own: who blocks drives it.
 */
#include "echo.h"

#include "setup.h"

int echo_client(struct weir_net *net, const char *address, const char *text)
{
	struct sockaddr_in addr = ipv4(address, ECHO_PORT);
	size_t len = strlen(text), got = 0;
	struct weir_file *f;
	char buf[256];
	ssize_t n;

	check(weir_socket(net, AF_INET, SOCK_STREAM, 0, &f), "socket");
	check(weir_connect(f, (struct sockaddr *)&addr, sizeof(addr)), "connect");
	check(weir_write(f, text, len), "write");
	check(weir_shutdown(f, SHUT_WR), "shutdown");
	while (got < sizeof(buf) &&
	       (n = check(weir_read(f, buf + got, sizeof(buf) - got), "read")) > 0)
		got += (size_t)n;
	weir_close(f);
	printf("client: \"%.*s\" came back\n", (int)got, buf);
	return got != len || memcmp(buf, text, len);
}

static void server_thread(void *arg)
{
	echo_serve(arg, 1);
}

int main(void)
{
	struct weir_machine *m = weir_machine_create(NULL);
	struct weir_thread *server;
	struct weir_file *listener;
	struct weir_net *net[2];
	int err;

	if (!m) {
		perror("weir_machine_create");
		return 1;
	}
	two_nets(m, net);
	listener = echo_listen(net[1]);
	server = weir_thread_start(m, "server", server_thread, listener);
	if (!server) {
		perror("weir_thread_start");
		return 1;
	}
	err = echo_client(net[0], "10.0.0.2", "Hello, net b!");
	weir_thread_join(server);
	weir_close(listener);
	weir_net_destroy(net[0]);
	weir_net_destroy(net[1]);
	weir_machine_destroy(m);
	return err;
}
