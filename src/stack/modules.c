/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modules.c - the full list of what a stack is made of, in the order in which it is built
 *
 * machine_init and net_init run forward, the exits backward, also to undo a failure in the middle. A row may use what stands
 * above it. Adding a part of the stack is adding a row here.
 */
#include "core/core_module.h"
#include "drivers/drivers_module.h"
#include "inet/inet_module.h"
#include "ipv4/ipv4_module.h"
#include "llc/llc_module.h"
#include "ipv6/ipv6_module.h"
#include "netlink/netlink_module.h"
#include "packet/packet_module.h"
#include "sched/sched_module.h"
#include "socket/socket_module.h"
#include "stack/stack.h"
#include "tcp/tcp_module.h"
#include "udp/udp_module.h"
#include "unix/unix_module.h"

const struct net_module weir_modules[] = {
	{ "core", core_machine_init, core_machine_exit, core_net_init, core_net_exit },
	{ "socket", socket_machine_init, socket_machine_exit, socket_net_init, socket_net_exit },
	{ "netlink", netlink_machine_init, netlink_machine_exit, netlink_net_init,
	  netlink_net_exit },
	{ "sched", sched_machine_init, NULL, NULL, NULL },
	{ "llc", llc_machine_init, NULL, llc_net_init, llc_net_exit },
	{ "inet", inet_machine_init, inet_machine_exit, inet_net_init, inet_net_exit },
	{ "ipv4", ipv4_machine_init, ipv4_machine_exit, ipv4_net_init, ipv4_net_exit },
	{ "ipv6", ipv6_machine_init, ipv6_machine_exit, ipv6_net_init, ipv6_net_exit },
	{ "udp", udp_machine_init, NULL, udp_net_init, udp_net_exit },
	{ "tcp", tcp_machine_init, tcp_machine_exit, tcp_net_init, tcp_net_exit },
	{ "packet", packet_machine_init, NULL, packet_net_init, packet_net_exit },
	{ "unix", unix_machine_init, NULL, unix_net_init, unix_net_exit },
	{ "drivers", drivers_machine_init, NULL, drivers_net_init, drivers_net_exit },
};

const u32 weir_nr_modules = ARRAY_SIZE(weir_modules);
