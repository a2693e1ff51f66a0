/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * protosw.c - which protocol serves (family, type, protocol)
 *
 * A row per machine, family and (type, protocol). The first row of a type is its default (protocol 0): permanent rows go
 * before others, so that SOCK_DGRAM means UDP and not ping, whoever registered first.
 * Locking: rtnl (or machine_init) to change, any cpu lock to read: a list is replaced as a whole, and the old one is freed when nobody
 * can be in it any more.
 */
#include "inet/inet_sock.h"

#include <errno.h>
#include <stdlib.h>

#include "core/machine.h"
#include "core/module.h"
#include "inet/inet_internal.h"

static int family_index(int family)
{
	return family == AF_INET6;
}

int inet_protosw_init(struct machine *m)
{
	m->inet = calloc(1, sizeof(*m->inet));
	return m->inet ? 0 : -ENOMEM;
}

void inet_protosw_fini(struct machine *m)
{
	if (!m->inet)
		return;
	free(m->inet->lists[0]);
	free(m->inet->lists[1]);
	free(m->inet);
	m->inet = NULL;
}

static void protosw_publish(struct machine *m, int family, struct protosw_list *list)
{
	struct protosw_list **slot = &m->inet->lists[family_index(family)], *old = *slot;

	__atomic_store_n(slot, list, __ATOMIC_RELEASE);
	if (!old)
		return;
	synchronize_net(m);
	free(old);
}

int inet_register_protosw(struct machine *m, int family, const struct inet_protosw *p)
{
	const struct protosw_list *old = m->inet->lists[family_index(family)];
	bool permanent = p->flags & INET_PROTOSW_PERMANENT, placed = false;
	u32 count = old ? old->count : 0;
	struct protosw_list *list;
	int err;

	assert(p->prot && p->ops && p->type);
	for (u32 i = 0; i < count; i++)
		if (old->rows[i] && old->rows[i]->type == p->type &&
		    old->rows[i]->protocol == p->protocol)
			return -EEXIST;
	err = proto_register(m, p->prot);
	if (err)
		return err;
	list = calloc(1, sizeof(*list) + (count + 1) * sizeof(list->rows[0]));
	if (!list)
		return -ENOMEM;
	for (u32 i = 0; i < count; i++) {
		if (!old->rows[i])
			continue;
		if (!placed && permanent && !(old->rows[i]->flags & INET_PROTOSW_PERMANENT)) {
			list->rows[list->count++] = p;
			placed = true;
		}
		list->rows[list->count++] = old->rows[i];
	}
	if (!placed)
		list->rows[list->count++] = p;
	protosw_publish(m, family, list);
	return 0;
}

void inet_unregister_protosw(struct machine *m, int family, const struct inet_protosw *p)
{
	struct protosw_list *list = m->inet->lists[family_index(family)];

	assert(!(p->flags & INET_PROTOSW_PERMANENT));
	/* Removing must not fail for want of memory: the row stays, empty, until the list is next replaced. */
	for (u32 i = 0; list && i < list->count; i++) {
		if (list->rows[i] == p)
			__atomic_store_n(&list->rows[i], NULL, __ATOMIC_RELEASE);
	}
	proto_unregister(m, p->prot);
	synchronize_net(m);
}

const struct inet_protosw *inet_protosw_find(const struct machine *m, int family, int type,
					     int protocol, int *ret_err)
{
	const struct protosw_list *list =
		__atomic_load_n(&m->inet->lists[family_index(family)], __ATOMIC_ACQUIRE);
	int err = -ESOCKTNOSUPPORT;

	for (u32 i = 0; list && i < list->count; i++) {
		const struct inet_protosw *p = __atomic_load_n(&list->rows[i], __ATOMIC_ACQUIRE);

		if (!p || p->type != type)
			continue;
		/* IPPROTO_IP in the request: the default; in the row: serves any (raw). */
		if (p->protocol == protocol || protocol == IPPROTO_IP || p->protocol == IPPROTO_IP)
			return p;
		err = -EPROTONOSUPPORT;
	}
	*ret_err = err;
	return NULL;
}
