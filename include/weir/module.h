/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * module.h - writing a part of the stack that is loaded while it runs
 *
 * A module is a shared object NAME.so with one WEIR_MODULE(). It sees the stack's own structures, as a Linux module does: this header brings
 * in the headers of the stack (installed under weir/internal; `pkg-config --cflags weir-module` has the directories), and their comments
 * are the documentation: who holds which lock, who consumes an skb. Nothing is promised from one version to the next: a
 * module is compiled again for each, and one that was compiled for other structures is refused when it is loaded.
 *
 *     static int echo_init(struct machine *m) { return sock_register(m, &echo_family); }
 *     static void echo_exit(struct machine *m) { sock_unregister(m, AF_ECHO); }
 *     WEIR_MODULE(.name = "net-pf-36", .description = "echo datagrams", .init = echo_init, .exit = echo_exit);
 *
 * What a module registers, and with what:
 *   address families              sock_register                          init
 *   (type, protocol) of AF_INET   inet_register_protosw                  init
 *   IP protocols                  inet_add_protocol                      net_init
 *   Ethernet types                dev_add_pack                           net_init
 *   LLC access points, SNAP ids   llc_sap_register, register_snap_client net_init
 *   hooks                         nf_register_net_hook                   net_init
 *   device events                 register_netdevice_notifier            net_init
 *   devices                       alloc_netdev, register_netdevice       net_init
 *   kinds for weir_dev_attach()   host_dev_register                      init
 * Its exit and net_exit take back everything. State hangs off nets (.net_size, net_module_data()): the variables of a shared object
 * are common to all machines of the process.
 *
 * Names for loading on demand: dev-KIND for weir_dev_attach(); net-pf-N for socket(N, ...); net-pf-N-proto-P-type-T and net-pf-N-proto-P for a protocol that
 * the family does not know.
 *
 * How the code is joined: libweir exports weir_* only. WEIR_MODULE() defines each function of the list below, hidden in the
 * module, as a jump through a pointer that the loader fills in; so modules work with the shared and the static library alike. Only
 * functions are offered, no variables. Link modules with -Wl,-z,defs: what is missing is then known at once.
 * See doc/adr/0006-modules.md and examples/net-pf-36.c.
 */
#ifndef WEIR_MODULE_H
#define WEIR_MODULE_H

#include "core/cpu.h"
#include "core/dst.h"
#include "core/machine.h"
#include "core/module.h"
#include "core/net.h"
#include "core/netdevice.h"
#include "core/nf_hook.h"
#include "core/skbuff.h"
#include "core/sock.h"
#include "core/sock_reasons.h"
#include "core/timer.h"
#include "core/trace.h"
#include "core/uio.h"
#include "drivers/frame.h"
#include "drivers/host_dev.h"
#include "drivers/host_line.h"
#include "drivers/hostif.h"
#include "core/ethtool.h"
#include "host/host.h"
#include "inet/inet_sock.h"
#include "ipv4/ip.h"
#include "lib/csum.h"
#include "llc/llc.h"
#include "netlink/netlink.h"
#include "socket/socket.h"
#include "wire/ethernet.h"

#define WEIR_MODULE_API 2 /* grows when a structure changes its meaning but not its size */

/* Structures that modules look into: one of another size, and the module is refused. */
#define WEIR_MODULE_STRUCTS(X)                                                                     \
	X(struct cpu)                                                                              \
	X(struct inet_af_ops)                                                                      \
	X(struct inet_dgram_proto)                                                                 \
	X(struct inet_protosw)                                                                     \
	X(struct inet_sock)                                                                        \
	X(struct kmsghdr)                                                                          \
	X(struct machine)                                                                          \
	X(struct module)                                                                           \
	X(struct net)                                                                              \
	X(struct net_device)                                                                       \
	X(struct host_line)                                                                        \
	X(struct hostif)                                                                           \
	X(struct net_device_ops)                                                                   \
	X(struct net_protocol)                                                                     \
	X(struct net_proto_family)                                                                 \
	X(struct netns_core)                                                                       \
	X(struct netns_inet)                                                                       \
	X(struct netns_ipv4)                                                                       \
	X(struct netns_sock)                                                                       \
	X(struct nf_hook_ops)                                                                      \
	X(struct nf_hook_state)                                                                    \
	X(struct packet_type)                                                                      \
	X(struct proto)                                                                            \
	X(struct proto_ops)                                                                        \
	X(struct sk_buff)                                                                          \
	X(struct skb_shared_info)                                                                  \
	X(struct sock)                                                                             \
	X(struct socket)

/* Functions that a module may call; by name. */
#define WEIR_MODULE_FUNCTIONS(X)                                                                   \
	X(___pskb_trim)                                                                            \
	X(__copy_from_iter)                                                                        \
	X(__copy_to_iter)                                                                          \
	X(__dev_get_by_index)                                                                      \
	X(__dev_get_by_name)                                                                       \
	X(__module_put)                                                                            \
	X(__pskb_pull_tail)                                                                        \
	X(__sk_filter_trim_cap)                                                                    \
	X(__skb_copy_datagram_iter)                                                                \
	X(__skb_share_check)                                                                       \
	X(__trace_skb)                                                                             \
	X(__try_module_get)                                                                        \
	X(__wake_up)                                                                               \
	X(alloc_netdev)                                                                            \
	X(alloc_skb)                                                                               \
	X(alloc_skb_with_frags)                                                                    \
	X(consume_skb)                                                                             \
	X(cpu_clock_refresh)                                                                       \
	X(cpu_lock)                                                                                \
	X(cpu_queue_work)                                                                          \
	X(cpu_random)                                                                              \
	X(cpu_unlock)                                                                              \
	X(csum_partial)                                                                            \
	X(datagram_poll)                                                                           \
	X(del_timer)                                                                               \
	X(dev_add_pack)                                                                            \
	X(dev_consume_skb_irq)                                                                     \
	X(dev_ioctl)                                                                               \
	X(dev_mc_add)                                                                              \
	X(dev_mc_del)                                                                              \
	X(dev_put)                                                                                 \
	X(dev_queue_xmit)                                                                          \
	X(dev_remove_pack)                                                                         \
	X(dev_set_allmulti)                                                                        \
	X(dev_set_promiscuity)                                                                     \
	X(dst_destroy)                                                                             \
	X(eth_hw_addr_random)                                                                      \
	X(eth_type_trans)                                                                          \
	X(ether_setup)                                                                             \
	X(frame_copy_in)                                                                           \
	X(frame_csum_unfinished)                                                                   \
	X(frame_lend_in)                                                                           \
	X(free_netdev)                                                                             \
	X(host_dev_register)                                                                       \
	X(host_dev_unregister)                                                                     \
	X(host_line_arm)                                                                           \
	X(host_line_busy)                                                                          \
	X(host_line_close)                                                                         \
	X(host_line_open)                                                                          \
	X(hostif_close)                                                                            \
	X(hostif_follow)                                                                           \
	X(hostif_open)                                                                             \
	X(hostif_show_carrier)                                                                     \
	X(hrtimer_cancel)                                                                          \
	X(hrtimer_setup)                                                                           \
	X(hrtimer_start)                                                                           \
	X(icmp_send)                                                                               \
	X(inet_add_protocol)                                                                       \
	X(inet_bind)                                                                               \
	X(inet_del_protocol)                                                                       \
	X(inet_dgram_connect)                                                                      \
	X(inet_dgram_disconnect)                                                                   \
	X(inet_getname)                                                                            \
	X(inet_getsockopt)                                                                         \
	X(inet_ioctl)                                                                              \
	X(inet_poll)                                                                               \
	X(inet_recvmsg)                                                                            \
	X(inet_register_protosw)                                                                   \
	X(inet_release)                                                                            \
	X(inet_sendmsg)                                                                            \
	X(inet_setsockopt)                                                                         \
	X(inet_shutdown)                                                                           \
	X(inet_sk_common_release)                                                                  \
	X(inet_unregister_protosw)                                                                 \
	X(iov_iter_advance)                                                                        \
	X(iov_iter_revert)                                                                         \
	X(ip_local_out)                                                                            \
	X(ip_send_skb)                                                                             \
	X(kfree_skb_list_reason)                                                                   \
	X(kfree_skb_reason)                                                                        \
	X(llc_build_and_send_ui_pkt)                                                               \
	X(llc_sap_register)                                                                        \
	X(llc_sap_unregister)                                                                      \
	X(mod_timer)                                                                               \
	X(napi_complete_done)                                                                      \
	X(napi_disable)                                                                            \
	X(napi_enable)                                                                             \
	X(napi_gro_receive)                                                                        \
	X(napi_schedule)                                                                           \
	X(net_module_data)                                                                         \
	X(netdev_alloc_skb)                                                                        \
	X(netif_carrier_off)                                                                       \
	X(netif_carrier_on)                                                                        \
	X(netif_napi_add)                                                                          \
	X(netif_napi_del)                                                                          \
	X(netif_receive_skb)                                                                       \
	X(netif_rx)                                                                                \
	X(netif_tx_wake_queue)                                                                     \
	X(nf_register_net_hook)                                                                    \
	X(nf_unregister_net_hook)                                                                  \
	X(nl_set_err_msg)                                                                          \
	X(page_put)                                                                                \
	X(pskb_copy)                                                                               \
	X(pskb_expand_head)                                                                        \
	X(put_cmsg)                                                                                \
	X(register_netdevice)                                                                      \
	X(register_netdevice_notifier)                                                             \
	X(register_snap_client)                                                                    \
	X(request_module)                                                                          \
	X(run_remote_work)                                                                         \
	X(sk_alloc)                                                                                \
	X(sk_dst_check)                                                                            \
	X(sk_dst_set)                                                                              \
	X(sk_error_report)                                                                         \
	X(sk_free)                                                                                 \
	X(sk_state_change)                                                                         \
	X(sk_wait_event)                                                                           \
	X(sk_wmem_uncharge)                                                                        \
	X(skb_append_page)                                                                         \
	X(skb_append_iter)                                                                         \
	X(skb_checksum)                                                                            \
	X(skb_checksum_help)                                                                       \
	X(skb_clone)                                                                               \
	X(skb_copy)                                                                                \
	X(skb_copy_bits)                                                                           \
	X(skb_cow_head)                                                                            \
	X(skb_ensure_writable)                                                                     \
	X(skb_free_datagram)                                                                       \
	X(skb_linearize)                                                                           \
	X(skb_queue_purge_reason)                                                                  \
	X(skb_recv_datagram)                                                                       \
	X(skb_set_owner_r)                                                                         \
	X(skb_set_owner_w)                                                                         \
	X(skb_store_bits)                                                                          \
	X(skb_unshare)                                                                             \
	X(snap_build_and_send_pkt)                                                                 \
	X(sock_alloc_send_skb)                                                                     \
	X(sock_getsockopt)                                                                         \
	X(sock_graft)                                                                              \
	X(sock_init_data)                                                                          \
	X(sock_orphan)                                                                             \
	X(sock_queue_err_skb)                                                                      \
	X(sock_queue_rcv_skb)                                                                      \
	X(sock_rare)                                                                               \
	X(sock_recv_timestamp)                                                                     \
	X(sock_register)                                                                           \
	X(sock_rfree)                                                                              \
	X(sock_setsockopt)                                                                         \
	X(sock_unregister)                                                                         \
	X(sock_wfree)                                                                              \
	X(synchronize_net)                                                                         \
	X(tasklet_schedule)                                                                        \
	X(timer_setup)                                                                             \
	X(unregister_netdevice)                                                                    \
	X(unregister_netdevice_notifier)                                                           \
	X(unregister_snap_client)

#define WEIR_MODULE_SLOT_(f)      __attribute__((visibility("hidden"))) void *weir_import_##f;
#define WEIR_MODULE_IMPORT_(f)    { #f, &weir_import_##f },
#define WEIR_MODULE_LAYOUT_(type) { #type, sizeof(type) },

#if defined(__x86_64__)
#define WEIR_MODULE_JUMP_(f) "\tjmp *weir_import_" #f "(%rip)\n"
#elif defined(__aarch64__)
#define WEIR_MODULE_JUMP_(f)                                                                       \
	"\tadrp x16, weir_import_" #f "\n\tldr x16, [x16, #:lo12:weir_import_" #f "]\n\tbr x16\n"
#else
#error "modules: no jump is known for this architecture"
#endif
#define WEIR_MODULE_STUB_(f)                                                                       \
	__asm__(".pushsection .text\n.globl " #f "\n.hidden " #f "\n.type " #f ", %function\n" #f  \
		":\n" WEIR_MODULE_JUMP_(f) ".size " #f ", .-" #f "\n.popsection\n");

extern const struct module weir_this_module;
#define THIS_MODULE (&weir_this_module)

/* Once in a module, behind its functions: the fields of struct module (core/module.h). */
#define WEIR_MODULE(...)                                                                           \
	WEIR_MODULE_FUNCTIONS(WEIR_MODULE_SLOT_)                                                   \
	WEIR_MODULE_FUNCTIONS(WEIR_MODULE_STUB_)                                                   \
	static const struct module_import weir_module_imports[] = { WEIR_MODULE_FUNCTIONS(         \
		WEIR_MODULE_IMPORT_){ NULL, NULL } };                                              \
	static const struct module_layout weir_module_layouts[] = { WEIR_MODULE_STRUCTS(           \
		WEIR_MODULE_LAYOUT_){ NULL, 0 } };                                                 \
	__attribute__((visibility("default")))                                                     \
	const struct module weir_this_module = { .api = WEIR_MODULE_API,                           \
						 .layouts = weir_module_layouts,                   \
						 .imports = weir_module_imports,                   \
						 __VA_ARGS__ }

#endif
