/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tcp_auth_uapi.h - the arguments of TCP_MD5SIG and TCP_AO_*, as Linux 6.7 and later have them; libc's and Debian 12's headers are older
 */
#ifndef WEIR_TCP_TCP_AUTH_UAPI_H
#define WEIR_TCP_TCP_AUTH_UAPI_H

#include <stdint.h>
#include <sys/socket.h>

#define TCP_MD5SIG_EXT_          32
#define TCP_MD5SIG_FLAG_PREFIX_  1u
#define TCP_MD5SIG_FLAG_IFINDEX_ 2u

struct md5sig_arg { /* struct tcp_md5sig */
	struct sockaddr_storage addr;
	uint8_t flags, prefixlen;
	uint16_t keylen;
	int32_t ifindex;
	uint8_t key[80];
};

struct md5sig_diag { /* struct tcp_diag_md5sig: INET_DIAG_MD5SIG */
	uint8_t family, prefixlen;
	uint16_t keylen;
	uint32_t addr[4];
	uint8_t key[80];
};

#define TCP_AO_ADD_KEY_  38
#define TCP_AO_DEL_KEY_  39
#define TCP_AO_INFO_     40
#define TCP_AO_GET_KEYS_ 41
#define TCP_AO_REPAIR_   42

#define TCP_AO_KEYF_IFINDEX_     1u
#define TCP_AO_KEYF_EXCLUDE_OPT_ 2u

struct ao_add_arg { /* struct tcp_ao_add */
	struct sockaddr_storage addr;
	char alg_name[64];
	int32_t ifindex;
	uint32_t set_current : 1, set_rnext : 1, reserved : 30;
	uint16_t reserved2;
	uint8_t prefix, sndid, rcvid, maclen, keyflags, keylen;
	uint8_t key[80];
} __attribute__((aligned(8)));

struct ao_del_arg { /* struct tcp_ao_del */
	struct sockaddr_storage addr;
	int32_t ifindex;
	uint32_t set_current : 1, set_rnext : 1, del_async : 1, reserved : 29;
	uint16_t reserved2;
	uint8_t prefix, sndid, rcvid, current_key, rnext, keyflags;
} __attribute__((aligned(8)));

struct ao_info_arg { /* struct tcp_ao_info_opt */
	uint32_t set_current : 1, set_rnext : 1, ao_required : 1, set_counters : 1,
		accept_icmps : 1, reserved : 27;
	uint16_t reserved2;
	uint8_t current_key, rnext;
	uint64_t pkt_good, pkt_bad, pkt_key_not_found, pkt_ao_required, pkt_dropped_icmp;
} __attribute__((aligned(8)));

struct ao_get_arg { /* struct tcp_ao_getsockopt */
	struct sockaddr_storage addr;
	char alg_name[64];
	uint8_t key[80];
	uint32_t nkeys;
	uint16_t is_current : 1, is_rnext : 1, get_all : 1, reserved : 13;
	uint8_t sndid, rcvid, prefix, maclen, keyflags, keylen;
	int32_t ifindex;
	uint64_t pkt_good, pkt_bad;
} __attribute__((aligned(8)));

struct ao_repair_arg { /* struct tcp_ao_repair; the numbers of the wire: big-endian */
	uint32_t snt_isn, rcv_isn;
	uint32_t snd_sne, rcv_sne;
} __attribute__((aligned(8)));

#endif
