/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwipopts.h - lwIP as its documentation tunes it for throughput (doc/rawapi.txt, opt.h, "Maximizing throughput" of its wiki)
 *
 * No operating system, raw API: the fastest way to use it. Windows and queues as large as the stack allows with scaling, pools that
 * never run dry, no statistics, no assertions, checksums made while copying and by the fastest routine at hand (the one that weir uses), and
 * all of them made and verified. On the wire it does what the other side does: Ethernet, timestamps, SACK, window scaling.
 */
#ifndef WEIR_BENCH_LWIPOPTS_H
#define WEIR_BENCH_LWIPOPTS_H

#define NO_SYS                        1
#define SYS_LIGHTWEIGHT_PROT          0
#define LWIP_NETCONN                  0
#define LWIP_SOCKET                   0
#define LWIP_STATS                    0
#define LWIP_NOASSERT                 1
#define LWIP_IPV6                     0
#define LWIP_ARP                      1
#define LWIP_ETHERNET                 1
#define ETHARP_SUPPORT_STATIC_ENTRIES 1
#define LWIP_DHCP                     0
#define LWIP_DNS                      0
#define LWIP_RAW                      0
#define LWIP_ICMP                     1
#define LWIP_NETIF_LOOPBACK           0
#define LWIP_HAVE_LOOPIF              0

#define MEM_ALIGNMENT     8
#define MEM_LIBC_MALLOC   0
#define MEM_SIZE          (64 * 1024 * 1024)
#define MEMP_NUM_PBUF     8192
#define MEMP_NUM_TCP_PCB  4096
#define MEMP_NUM_TCP_SEG  16384
#define MEMP_NUM_UDP_PCB  8
#define PBUF_POOL_SIZE    8192
#define PBUF_POOL_BUFSIZE 1600

#define LWIP_TCP            1
#define TCP_MSS             1460
#define LWIP_WND_SCALE      1
#define TCP_RCV_SCALE       5
#define TCP_WND             (1024 * 1024)
#define TCP_SND_BUF         (512 * 1024)
#define TCP_SND_QUEUELEN    4096
#define TCP_SNDLOWAT        32768
#define TCP_OVERSIZE        TCP_MSS
#define TCP_QUEUE_OOSEQ     1
#define LWIP_TCP_SACK_OUT   1
#define LWIP_TCP_TIMESTAMPS 1

#define CHECKSUM_GEN_IP       1
#define CHECKSUM_GEN_UDP      1
#define CHECKSUM_GEN_TCP      1
#define CHECKSUM_CHECK_IP     1
#define CHECKSUM_CHECK_UDP    1
#define CHECKSUM_CHECK_TCP    1
#define LWIP_CHECKSUM_ON_COPY 1

#endif
