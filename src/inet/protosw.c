/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * protosw.c - which protocol serves (family, type, protocol)
 *
 * A row per machine, family and (type, protocol). The first row of a type is its default (protocol 0): permanent rows go
 * before others, so that SOCK_DGRAM means UDP and not ping, whoever registered first.
 * Locking: written in machine_init only, read with any cpu lock.
 */
#include "inet/inet_sock.h"

#include <errno.h>
#include <stdlib.h>

#include "core/machine.h"
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
	free(m->inet->lists[0].rows);
	free(m->inet->lists[1].rows);
	free(m->inet);
	m->inet = NULL;
}

int inet_register_protosw(struct machine *m, int family, const struct inet_protosw *p)
{
	struct protosw_list *list = &m->inet->lists[family_index(family)];
	const struct inet_protosw **rows;
	u32 at = list->count;

	assert(p->prot && p->ops && p->type);
	for (u32 i = 0; i < list->count; i++)
		if (list->rows[i]->type == p->type && list->rows[i]->protocol == p->protocol)
			return -EEXIST;
	rows = realloc(list->rows, (list->count + 1) * sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	list->rows = rows;
	if (p->flags & INET_PROTOSW_PERMANENT)
		for (at = 0; at < list->count && rows[at]->flags & INET_PROTOSW_PERMANENT; at++)
			;
	memmove(&rows[at + 1], &rows[at], (list->count - at) * sizeof(*rows));
	rows[at] = p;
	list->count++;
	return 0;
}

const struct inet_protosw *inet_protosw_find(const struct machine *m, int family, int type,
					     int protocol, int *ret_err)
{
	const struct protosw_list *list = &m->inet->lists[family_index(family)];
	int err = -ESOCKTNOSUPPORT;

	for (u32 i = 0; i < list->count; i++) {
		const struct inet_protosw *p = list->rows[i];

		if (p->type != type)
			continue;
		/* IPPROTO_IP in the request: the default; in the row: serves any (raw). */
		if (p->protocol == protocol || protocol == IPPROTO_IP || p->protocol == IPPROTO_IP)
			return p;
		err = -EPROTONOSUPPORT;
	}
	*ret_err = err;
	return NULL;
}
