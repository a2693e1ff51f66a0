/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sock_diag.h - how an address family describes its sockets to ss(8): NETLINK_SOCK_DIAG
 */
#ifndef WEIR_NETLINK_SOCK_DIAG_H
#define WEIR_NETLINK_SOCK_DIAG_H

#include <linux/sock_diag.h>

#include "netlink/netlink.h"

struct sock_diag_handler {
	int family;
	u32 req_len; /* of the request structure; shorter requests give EINVAL */
	/* rtnl held, no cpu lock. As rtnl_handler.dumpit */
	int (*dump)(struct nl_msg *msg, struct netlink_callback *cb);
	int (*get)(struct nl_request *req);     /* optional: one socket into req->reply */
	int (*destroy)(struct nl_request *req); /* optional: SOCK_DESTROY */
};

int sock_diag_register(struct machine *m, const struct sock_diag_handler *h); /* 0 or -EEXIST */

void sock_diag_save_cookie(u64 cookie, u32 *ret);          /* ret[2] */
int sock_diag_check_cookie(u64 cookie, const u32 *wanted); /* wanted[2]; 0 or -ESTALE */
u32 sock_diag_ino(const struct sock *sk);                  /* 0: orphan */
void sock_diag_put_meminfo(struct nl_msg *m, u16 type, const struct sock *sk); /* SK_MEMINFO_* */

#endif
