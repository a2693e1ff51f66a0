/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unix_name.c - under which names sockets are found
 *
 * Theory of operation
 *   The library makes no files, so that path names live in a table of the net, as abstract names do. The octets up to the first NUL are
 *   the name; "a", "./a" and "/tmp/../tmp/a" are three, and there are no permissions. As a file would, a path name stays when its socket
 *   is closed (connect() then says ECONNREFUSED and bind() EADDRINUSE) until unix_unlink(). Abstract names end with their
 *   socket. Each type of socket has abstract names of its own; path names are common to all (EPROTOTYPE).
 * Invariants
 *   A name that is hashed has an owner, or is a path name. There are at most UNIX_MAX_NAMES path names (then ENOSPC).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/machine.h"
#include "lib/siphash.h"
#include "unix/unix.h"
#include "unix/unix_internal.h"

int unix_validate(const struct sockaddr *addr, socklen_t len)
{
	if (len <= UNIX_SUN_OFFSET || len > sizeof(struct sockaddr_un) ||
	    addr->sa_family != AF_UNIX)
		return -EINVAL;
	return 0;
}

/* What is compared: @addr in its normal form. */
static void name_init(struct unix_name *n, const struct sockaddr *addr, socklen_t len, u16 type)
{
	memset(n, 0, sizeof(*n));
	memcpy(n->path, (const char *)addr + UNIX_SUN_OFFSET, len - UNIX_SUN_OFFSET);
	if (n->path[0]) {
		n->len = (u16)(UNIX_SUN_OFFSET + strlen(n->path) + 1);
		n->type = 0;
	} else {
		n->len = (u16)len;
		n->type = type;
	}
	n->family = AF_UNIX;
}

static struct hlist_head *name_bucket(struct net *net, const struct unix_name *n)
{
	u64 h = siphash13(n->path, n->len - UNIX_SUN_OFFSET, net->machine->hash_seed);

	return &net->unx->names[h >> (64 - net->unx->names_bits)];
}

/* Room for one more: twice as many chains when there are as many names. A long chain is better than no name. 0 or -ENOMEM */
static int names_grow(struct net *net)
{
	struct netns_unix *u = net->unx;
	u32 old_size = u->names ? 1u << u->names_bits : 0;
	struct hlist_head *old = u->names, *new;

	if (u->nr_hashed < old_size)
		return 0;
	new = calloc(old_size ? 2 * old_size : 1u << UNIX_HASH_BITS, sizeof(*new));
	if (!new)
		return old ? 0 : -ENOMEM;
	u->names = new;
	u->names_bits = old ? u->names_bits + 1 : UNIX_HASH_BITS;
	for (u32 i = 0; i < old_size; i++)
		while (old[i].first) {
			struct unix_name *n = container_of(old[i].first, struct unix_name, node);

			hlist_del_init(&n->node);
			hlist_add_head(&n->node, name_bucket(net, n));
		}
	free(old);
	return 0;
}

static struct unix_name *name_find(struct net *net, const struct unix_name *key)
{
	struct unix_name *n;

	if (!net->unx->names)
		return NULL;
	hlist_for_each_entry(n, name_bucket(net, key), node)
		if (n->len == key->len && n->type == key->type &&
		    !memcmp(n->path, key->path, n->len - UNIX_SUN_OFFSET))
			return n;
	return NULL;
}

void unix_name_get(struct unix_name *n)
{
	n->refs++;
}

static void name_put(struct unix_name *n)
{
	if (--n->refs == 0)
		free(n);
}

static void name_unhash(struct net *net, struct unix_name *n)
{
	hlist_del_init(&n->node);
	net->unx->nr_hashed--;
	if (n->path[0]) {
		net->unx->nr_names--;
		name_put(n);
	}
}

static int name_publish(struct sock *sk, const struct unix_name *key)
{
	struct net *net = sock_net(sk);
	struct unix_name *n;

	if (name_find(net, key))
		return -EADDRINUSE;
	if (key->path[0] && net->unx->nr_names >= UNIX_MAX_NAMES)
		return -ENOSPC;
	n = names_grow(net) ? NULL : malloc(sizeof(*n));
	if (!n)
		return -ENOMEM;
	*n = *key;
	n->owner = sk;
	n->refs = 1;
	if (n->path[0]) {
		n->refs++;
		net->unx->nr_names++;
	}
	hlist_add_head(&n->node, name_bucket(net, n));
	net->unx->nr_hashed++;
	unix_sk(sk)->name = n;
	return 0;
}

int unix_bind_name(struct sock *sk, const struct sockaddr *addr, socklen_t len)
{
	struct unix_name key;
	int err;

	if (len == UNIX_SUN_OFFSET && addr->sa_family == AF_UNIX)
		return unix_sk(sk)->name ? -EINVAL : unix_autobind(sk);
	err = unix_validate(addr, len);
	if (err)
		return err;
	if (unix_sk(sk)->name)
		return -EINVAL;
	name_init(&key, addr, len, sk->sk_type);
	return name_publish(sk, &key);
}

/* Five hexadecimal digits that are free: unix(7). */
int unix_autobind(struct sock *sk)
{
	struct netns_unix *nu = unix_net(sk);
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	struct unix_name key;
	int err = -EADDRINUSE;

	if (unix_sk(sk)->name)
		return 0;
	for (u32 i = 0; i <= 0xfffff && err == -EADDRINUSE; i++) {
		nu->autobind = (nu->autobind + 1) & 0xfffff;
		snprintf(sun.sun_path + 1, 6, "%05x", nu->autobind);
		name_init(&key, (struct sockaddr *)&sun, UNIX_SUN_OFFSET + 6, sk->sk_type);
		err = name_publish(sk, &key);
	}
	return err == -EADDRINUSE ? -ENOSPC : err;
}

/* Nobody finds the sock any more. It keeps its name: who was connected to it or has yet to read from it asks for that. */
void unix_name_unpublish(struct sock *sk)
{
	struct unix_name *n = unix_sk(sk)->name;

	if (!n || n->owner != sk) /* that of an embryo's listener */
		return;
	n->owner = NULL;
	if (!n->path[0])
		name_unhash(sock_net(sk), n);
}

void unix_name_release(struct sock *sk)
{
	struct unix_name *n = unix_sk(sk)->name;

	unix_sk(sk)->name = NULL;
	if (n)
		name_put(n);
}

struct sock *unix_find_other(struct net *net, const struct sockaddr *addr, socklen_t len, u16 type,
			     int *ret_err)
{
	struct unix_name key, *n;

	name_init(&key, addr, len, type);
	n = name_find(net, &key);
	*ret_err = n || !key.path[0] ? -ECONNREFUSED : -ENOENT;
	if (!n || !n->owner)
		return NULL;
	*ret_err = -EPROTOTYPE;
	if (n->owner->sk_type != type)
		return NULL;
	sock_hold(n->owner);
	return n->owner;
}

int unix_unlink(struct net *net, const char *path)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	size_t len = strlen(path);
	struct unix_name key, *n;

	if (!len)
		return -ENOENT;
	if (len > sizeof(sun.sun_path))
		return -ENAMETOOLONG;
	memcpy(sun.sun_path, path, len);
	name_init(&key, (struct sockaddr *)&sun, (socklen_t)(UNIX_SUN_OFFSET + len), 0);
	cpu_lock(net->cpu);
	n = name_find(net, &key);
	if (n)
		name_unhash(net, n);
	cpu_unlock(net->cpu);
	return n ? 0 : -ENOENT;
}

/* All sockets are gone. */
void unix_names_free(struct net *net)
{
	struct hlist_node *next;
	struct unix_name *n;

	for (u32 i = 0; net->unx->names && i < 1u << net->unx->names_bits; i++)
		hlist_for_each_entry_safe(n, next, &net->unx->names[i], node)
			name_unhash(net, n);
	free(net->unx->names);
	net->unx->names = NULL;
}
