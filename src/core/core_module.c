/* SPDX-License-Identifier: BSD-2-Clause */
/* core_module.c - the core's row in the table of modules: sysctls, drop reasons, trace points, then devices */
#include "core/core_module.h"

#include "core/drop_reason.h"
#include "core/machine.h"
#include "core/neighbour.h"
#include "core/qdisc.h"
#include "core/sock.h"
#include "core/sock_reasons.h"
#include "core/sysctl.h"
#include "core/trace.h"

int core_machine_init(struct machine *m)
{
	int err;

	drop_reason_register(m, &core_drop_reasons);
	drop_reason_register(m, &socket_drop_reasons);
	trace_point_register(m, &core_trace_points);
	err = register_qdisc(m, &pfifo_fast_ops);
	if (!err)
		err = register_qdisc(m, &noqueue_qdisc_ops);
	if (!err)
		err = sock_machine_init(m);
	if (!err)
		err = neigh_sysctl_init(m);
	if (!err)
		err = dev_machine_init(m);
	if (err) {
		qdisc_kinds_free(m);
		sysctl_registry_free(m); /* made by the first table that registered */
	}
	return err;
}

void core_machine_exit(struct machine *m)
{
	dev_machine_exit(m);
	qdisc_kinds_free(m);
	sysctl_registry_free(m);
}

int core_net_init(struct net *net)
{
	return dev_net_init(net);
}

void core_net_exit(struct net *net)
{
	dev_net_exit(net);
}
