/* SPDX-License-Identifier: BSD-2-Clause */
/* packet.h - packet sockets, for folders above */
#ifndef WEIR_PACKET_PACKET_H
#define WEIR_PACKET_PACKET_H

#include <stddef.h>

struct file;

/*
 * The memory of the rings that the socket @f has (PACKET_RX_RING, PACKET_TX_RING): a descriptor of the caller's own, to be mapped shared
 * from offset 0, the receive ring first. *ret_size: its length. 0, -EINVAL: no ring, or not a packet socket; -EMFILE ...
 */
int packet_ring_fd(struct file *f, int *ret_fd, size_t *ret_size);

#endif
