/* SPDX-License-Identifier: BSD-2-Clause */
/* api_bypass.c - octets that their embedder carries around the packets */
#include <errno.h>

#include "core/cpu.h"
#include "socket/socket.h"
#include "stack/stack.h"
#include "tcp/tcp.h"

/* The TCP sock of @wf, if it is of @cpu, which is locked; else NULL. */
static struct sock *tcp_sock_of(struct weir_file *wf, const struct cpu *cpu)
{
	struct file *f = file_of(wf);
	struct socket *sock = f && file_is_socket(f) ? file_socket(f) : NULL;

	if (!sock || sock_cpu(sock) != cpu || sock->dead || !sock->sk ||
	    sock->type != SOCK_STREAM || sock->sk->sk_protocol != IPPROTO_TCP)
		return NULL;
	return sock->sk;
}

static struct cpu *lock_home(struct weir_file *wf)
{
	struct file *f = file_of(wf);
	struct cpu *cpu;

	if (!f || !file_is_socket(f))
		return NULL;
	cpu = sock_cpu(file_socket(f));
	cpu_lock(cpu);
	return cpu;
}

int weir_bypass_ready(struct weir_file *a, struct weir_file *b)
{
	struct cpu *cpu = lock_home(a);
	struct sock *ska, *skb;
	int err = -EBUSY;

	if (!cpu)
		return err;
	ska = tcp_sock_of(a, cpu);
	skb = tcp_sock_of(b, cpu);
	if (ska && skb)
		err = tcp_bypass_ready(ska, skb);
	cpu_unlock(cpu);
	return err;
}

void weir_bypass(struct weir_file *a, struct weir_file *b, size_t n)
{
	struct cpu *cpu = lock_home(a);
	struct sock *ska, *skb;

	if (!cpu)
		return;
	ska = tcp_sock_of(a, cpu);
	skb = tcp_sock_of(b, cpu);
	if (ska && skb && ska->sk_dst_cache && skb->sk_dst_cache)
		tcp_bypass(ska, skb, (u32)n);
	cpu_unlock(cpu);
}

uint64_t weir_peer_inode(struct weir_file *f, struct weir_net *net)
{
	struct cpu *cpu = lock_home(f);
	struct sock *sk, *peer = NULL;
	uint64_t ino = 0;

	if (!cpu)
		return 0;
	sk = tcp_sock_of(f, cpu);
	if (sk && (!net || !net_of(net)->dying))
		peer = tcp_bypass_peer(sk, net_of(net));
	if (peer)
		ino = peer->sk_socket->inode.ino;
	cpu_unlock(cpu);
	return ino;
}
