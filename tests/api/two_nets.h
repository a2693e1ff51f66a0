/* SPDX-License-Identifier: BSD-2-Clause */
/* two_nets.h - two nets joined by a veth, 10.0.0.1 and 10.0.0.2, for tests of the public API */
#ifndef WEIR_TESTS_API_TWO_NETS_H
#define WEIR_TESTS_API_TWO_NETS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>

#include <weir/weir.h>

#include "lab/lab_net.h"

struct two_nets {
	struct weir_machine *m;
	struct weir_net *net[2];
	struct sockaddr_in addr[2]; /* port 7 */
};

static inline void two_nets_create(struct two_nets *t, const struct weir_machine_config *cfg)
{
	struct net_error err;

	t->m = weir_machine_create(cfg);
	assert_non_null(t->m);
	t->net[0] = weir_net_create(t->m, "a");
	t->net[1] = weir_net_create(t->m, "b");
	assert_non_null(t->net[0]);
	assert_non_null(t->net[1]);
	/* What the stack says by itself would be counted, too. */
	for (int i = 0; i < 2; i++)
		assert_int_equal(weir_sysctl(t->net[i], "net.ipv6.conf.default.disable_ipv6", "1"),
				 0);
	assert_int_equal(net_veth_add(t->net[0], "eth0", t->net[1], "eth0", 0, &err), 0);
	for (int i = 0; i < 2; i++) {
		t->addr[i] = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(7) };
		t->addr[i].sin_addr.s_addr = htonl(0x0a000001u + (uint32_t)i);
		assert_int_equal(net_addr_add(t->net[i], "eth0", t->addr[i].sin_addr, 24, &err), 0);
		assert_int_equal(net_link_up(t->net[i], "eth0", &err), 0);
	}
}

static inline void two_nets_destroy(struct two_nets *t)
{
	weir_net_destroy(t->net[0]);
	weir_net_destroy(t->net[1]);
	weir_machine_destroy(t->m);
}

/* A connected pair of non-blocking sockets: c in net 0, s in net 1. */
static inline void two_nets_connect(struct two_nets *t, struct weir_file **c, struct weir_file **s)
{
	struct weir_file *l;
	int r = -EAGAIN;

	assert_int_equal(weir_socket(t->net[1], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, &l), 0);
	assert_int_equal(weir_bind(l, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1])), 0);
	assert_int_equal(weir_listen(l, 5), 0);
	assert_int_equal(weir_socket(t->net[0], AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0, c), 0);
	weir_connect(*c, (struct sockaddr *)&t->addr[1], sizeof(t->addr[1]));
	for (int i = 0; i < 1000 && r == -EAGAIN; i++) {
		r = weir_accept(l, NULL, NULL, SOCK_NONBLOCK, s);
		if (r == -EAGAIN)
			weir_run(t->m, 10000000);
	}
	assert_int_equal(r, 0);
	weir_close(l);
}

#endif
