/* SPDX-License-Identifier: BSD-2-Clause */
/* follow.h - the sysctls of the network namespace that this thread is in become an instance's */
#ifndef WEIR_DRILL_FOLLOW_H
#define WEIR_DRILL_FOLLOW_H

struct weir_net;
struct follow;

/* NULL: no memory. */
struct follow *follow_create(void);
/* Gives @net what has changed since the last time; all the first time. What the instance has not, or will not have, is left out. */
void follow_update(struct follow *f, struct weir_net *net);
void follow_free(struct follow *f);

#endif
