/* SPDX-License-Identifier: BSD-2-Clause */
/* api_any.c - sockets for any destination: what their owners are told, and what they answer */
#include <errno.h>

#include "core/cpu.h"
#include "socket/socket.h"
#include "stack/stack.h"
#include "tcp/tcp.h"

int weir_listen_any(struct weir_file *wf, int backlog)
{
	struct file *f = file_get(file_of(wf));
	int err = sys_listen_any(f, backlog);

	file_put(f);
	return err;
}

static void set_addr(struct sockaddr_storage *ss, u16 family, const union inet_addr *addr,
		     be16 port)
{
	struct sockaddr_in *sin = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *sin6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof(*ss));
	ss->ss_family = family;
	if (family == AF_INET) {
		sin->sin_addr.s_addr = addr->v4.v;
		sin->sin_port = port.v;
	} else {
		sin6->sin6_addr = addr->v6;
		sin6->sin6_port = port.v;
	}
}

static void get_addr(const struct sockaddr_storage *ss, union inet_addr *addr, be16 *port)
{
	const struct sockaddr_in *sin = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *sin6 = (const struct sockaddr_in6 *)ss;

	if (ss->ss_family == AF_INET) {
		addr->v4 = be32_raw(sin->sin_addr.s_addr);
		*port = be16_raw(sin->sin_port);
	} else {
		addr->v6 = sin6->sin6_addr;
		*port = be16_raw(sin6->sin6_port);
	}
}

/* The listener with its cpu locked, or NULL. */
static struct sock *lock_listener(struct weir_file *wf, struct cpu **ret_cpu)
{
	struct file *f = file_of(wf);
	struct socket *sock;

	if (!f || !file_is_socket(f))
		return NULL;
	sock = file_socket(f);
	*ret_cpu = sock_cpu(sock);
	cpu_lock(*ret_cpu);
	if (sock->sk && !sock->dead && sock->type == SOCK_STREAM && tcp_is_listening_any(sock->sk))
		return sock->sk;
	cpu_unlock(*ret_cpu);
	return NULL;
}

int weir_next_syn(struct weir_file *wf, struct weir_syn *ret)
{
	struct tcp_any_syn syn;
	struct cpu *cpu;
	struct sock *sk = lock_listener(wf, &cpu);
	bool zone;
	int err;

	if (!sk)
		return -EINVAL;
	err = tcp_next_syn(sk, &syn);
	cpu_unlock(cpu);
	if (err)
		return err;
	ret->cookie = syn.cookie;
	ret->gone = syn.gone;
	zone = syn.tuple.family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&syn.tuple.saddr.v6);
	set_addr(&ret->src, syn.tuple.family, &syn.tuple.saddr, syn.tuple.sport);
	set_addr(&ret->dst, syn.tuple.family, &syn.tuple.daddr, cpu_to_be16(syn.tuple.hnum));
	/* RFC 4007 6 */
	if (zone)
		((struct sockaddr_in6 *)&ret->src)->sin6_scope_id = (u32)syn.tuple.dif;
	return 0;
}

int weir_answer_syn(struct weir_file *wf, const struct weir_syn *ws, int err)
{
	struct tcp_any_syn syn = { .cookie = ws->cookie };
	struct cpu *cpu;
	struct sock *sk = lock_listener(wf, &cpu);
	be16 dport;

	if (!sk)
		return -EINVAL;
	syn.tuple.family = ws->src.ss_family;
	get_addr(&ws->src, &syn.tuple.saddr, &syn.tuple.sport);
	get_addr(&ws->dst, &syn.tuple.daddr, &dport);
	syn.tuple.hnum = be16_to_cpu(dport);
	syn.tuple.dif = sk->sk_bound_dev_if;
	if (!syn.tuple.dif && ws->src.ss_family == AF_INET6)
		syn.tuple.dif = (int)((const struct sockaddr_in6 *)&ws->src)->sin6_scope_id;
	err = tcp_answer_syn(sk, &syn, err);
	cpu_unlock(cpu);
	return err;
}
