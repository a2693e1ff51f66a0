/* SPDX-License-Identifier: BSD-2-Clause */
/* unix_module.c - registers AF_UNIX; net.unix.*; /proc/net/unix */
#include "unix/unix_module.h"

#include <errno.h>
#include <stdlib.h>

#include "core/sysctl.h"
#include "unix/unix_internal.h"

TRACE_POINT_TABLE(unix_trace_points, UNIX, UNIX_TRACE_POINTS);

static const struct sysctl_desc unix_rows[] = {
	SYSCTL_ROW("unix/max_dgram_qlen", SYSCTL_U32, struct netns_unix, max_dgram_qlen, 10, 0,
		   65535, "datagrams that wait at a new AF_UNIX socket before senders must"),
};

static void *unix_sysctl_base(struct net *net)
{
	return net->unx;
}

static const struct sysctl_table unix_table = { unix_sysctl_base, unix_rows,
						ARRAY_SIZE(unix_rows) };

/* Linux's states of a struct socket, and what it says of socks without one. */
static int proc_state(const struct sock *sk)
{
	if (sk->sk_socket)
		return sk->sk_state == SS_TCP_ESTABLISHED ? SS_CONNECTED : SS_UNCONNECTED;
	return sk->sk_state == SS_TCP_ESTABLISHED ? SS_CONNECTING : SS_DISCONNECTING;
}

#define PROC_ACCEPTCON 0x10000

static void proc_name(struct text *t, const struct unix_name *n)
{
	text_printf(t, " ");
	for (u32 i = 0; i < n->len - UNIX_SUN_OFFSET - (n->path[0] != 0); i++)
		text_append(t, n->path[i] ? &n->path[i] : "@", 1);
}

static void unix_proc_show(struct net *net, struct text *t)
{
	const struct unix_sock *u;

	text_printf(t, "Num       RefCount Protocol Flags    Type St Inode Path\n");
	list_for_each_entry(u, &net->unx->socks, node) {
		const struct sock *sk = &u->sk;

		text_printf(t, "%016llx: %08X %08X %08X %04X %02X %5llu",
			    (unsigned long long)sk->sk_cookie, sk->sk_refcnt, 0,
			    sk->sk_state == SS_TCP_LISTEN ? PROC_ACCEPTCON : 0, sk->sk_type,
			    proc_state(sk),
			    sk->sk_socket ? (unsigned long long)sk->sk_socket->inode.ino : 0ULL);
		if (u->name)
			proc_name(t, u->name);
		text_printf(t, "\n");
	}
}

static const struct view_desc unix_views[] = {
	{ "/proc/net/unix", unix_proc_show },
};

int unix_machine_init(struct machine *m)
{
	int err;

	trace_point_register(m, &unix_trace_points);
	err = sysctl_register(m, &unix_table);
	if (!err)
		err = view_register(m, unix_views, ARRAY_SIZE(unix_views));
	if (!err)
		err = unix_diag_machine_init(m);
	if (!err)
		err = proto_register(m, &unix_proto);
	return err ? err : sock_register(m, &unix_family);
}

int unix_net_init(struct net *net)
{
	struct netns_unix *nu = calloc(1, sizeof(*nu));

	if (!nu)
		return -ENOMEM;
	nu->net = net;
	list_init(&nu->socks);
	host_random(net->machine->host, "unix-autobind", &nu->autobind, sizeof(nu->autobind));
	sysctl_set_defaults(&unix_table, nu);
	net->unx = nu;
	return 0;
}

/* The sockets are gone: socket_net_shutdown(). */
void unix_net_exit(struct net *net)
{
	if (!net->unx)
		return;
	unix_names_free(net);
	free(net->unx);
	net->unx = NULL;
}
