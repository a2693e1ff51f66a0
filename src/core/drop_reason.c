/* SPDX-License-Identifier: BSD-2-Clause */
/* drop_reason.c - names of drop reasons: one table per folder, registered by its machine_init */
#include "core/drop_reason.h"

#include "core/machine.h"
#include "core/net.h"

DROP_REASON_TABLE(core_drop_reasons, CORE, CORE_DROP_REASONS);

void drop_reason_register(struct machine *m, const struct drop_reason_table *table)
{
	assert(table->range < NR_DROP_RANGES && table->count < DROP_RANGE_SIZE);
	m->drop_tables[table->range] = table;
	m->drop_base[table->range] = m->nr_drop_reasons;
	m->nr_drop_reasons += (u16)table->count;
}

u64 *net_drop_counter(const struct net *net, skb_drop_reason_t reason)
{
	const struct machine *m = net->machine;
	u32 range = reason >> DROP_RANGE_SHIFT, row = reason & (DROP_RANGE_SIZE - 1);
	const struct drop_reason_table *table = m->drop_tables[range];

	/* Those that nobody registered, in tests of a part of the stack, are counted together. */
	return &net->drop_counts[table && row && row <= table->count ? m->drop_base[range] + row - 1
								     : m->nr_drop_reasons];
}

static const struct drop_reason_desc *drop_reason_desc(const struct machine *m,
						       skb_drop_reason_t reason)
{
	u32 range = reason >> DROP_RANGE_SHIFT, row = reason & (DROP_RANGE_SIZE - 1);
	const struct drop_reason_table *table =
		range < NR_DROP_RANGES ? m->drop_tables[range] : NULL;

	return table && row >= 1 && row <= table->count ? &table->rows[row - 1] : NULL;
}

const char *drop_reason_name(const struct machine *m, skb_drop_reason_t reason)
{
	const struct drop_reason_desc *d = drop_reason_desc(m, reason);

	return d ? d->name : "?";
}

const char *drop_reason_help(const struct machine *m, skb_drop_reason_t reason)
{
	const struct drop_reason_desc *d = drop_reason_desc(m, reason);

	return d ? d->help : "";
}
