/* SPDX-License-Identifier: BSD-2-Clause */
/* unix.h - AF_UNIX for the folders above: names of sockets that look like paths of files */
#ifndef WEIR_UNIX_UNIX_H
#define WEIR_UNIX_UNIX_H

struct net;

/* Removes the name @path, as unlink(2) of the file would: the socket that has it goes on under it, but is not found any more.
 * 0 or -ENOENT. Takes the cpu lock. */
int unix_unlink(struct net *net, const char *path);

#endif
