/* SPDX-License-Identifier: BSD-2-Clause */
/* ipv4_machine_test.c - the machine of this folder's tests: apart from ipv4_test.h because only tests may look at higher folders */
#include "ipv4/ipv4_test.h"

#include "drivers/drivers_module.h"
#include "inet/inet_module.h"
#include "ipv4/ipv4_module.h"
#include "netlink/netlink_module.h"
#include "socket/socket_module.h"
#include "udp/udp_module.h"

static const struct net_module ipv4_test_modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "socket", socket_machine_init, socket_machine_exit, socket_net_init, socket_net_exit },
	{ "netlink", netlink_machine_init, netlink_machine_exit, netlink_net_init,
	  netlink_net_exit },
	{ "inet", inet_machine_init, inet_machine_exit, inet_net_init, inet_net_exit },
	{ "ipv4", ipv4_machine_init, ipv4_machine_exit, ipv4_net_init, ipv4_net_exit },
	{ "udp", udp_machine_init, NULL, udp_net_init, udp_net_exit },
	{ "drivers", drivers_machine_init, NULL, drivers_net_init, drivers_net_exit },
};

struct machine *ipv4_machine(void)
{
	struct machine_config cfg = {
		.host = host_sim_create(1, 0),
		.ncpus = 1,
		.modules = ipv4_test_modules,
		.nr_modules = ARRAY_SIZE(ipv4_test_modules),
	};
	struct machine *m = machine_create(&cfg);

	assert_non_null(m);
	return m;
}
