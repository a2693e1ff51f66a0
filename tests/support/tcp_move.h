/* SPDX-License-Identifier: BSD-2-Clause */
/* tcp_move.h - a connection is taken apart and put together again on another socket (TCP_REPAIR), as checkpointing programs do it */
#ifndef WEIR_TESTS_SUPPORT_TCP_MOVE_H
#define WEIR_TESTS_SUPPORT_TCP_MOVE_H

#include <weir/weir.h>

/* The connection of *@f, which is ESTABLISHED with less than 1 MiB in each queue and nothing urgent, goes on in another file of @net.
 * 0: *@f is that; -EAGAIN: it is not ESTABLISHED, and as it was; else it is lost, *@f closed and NULL. */
int tcp_move(struct weir_net *net, struct weir_file **f);

#endif
