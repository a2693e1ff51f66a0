/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver.h - a world in virtual time for threads that know nothing of it
 *
 * Any thread may call. The one that created the driver is the script's; what it asks for moves time. Results are those of
 * struct drill_world_ops.
 */
#ifndef WEIR_DRILL_DRIVER_H
#define WEIR_DRILL_DRIVER_H

#include "drill/world.h"

struct driver;

/* @flags: flags.h. NULL with a sentence in @error. */
struct driver *driver_create(const char *flags, char *error, size_t size);
/* Calls that still block end. No thread may be on its way into one. */
void driver_destroy(struct driver *d);

/*
 * The script's thread: returns when the call does; time passes while it blocks. If it would block for ever, its files are closed and it
 * ends with -EDEADLK. Other threads: returns when time, moved by the script's thread, has come to where the call returns; the thread sleeps
 * meanwhile.
 */
long driver_sys(struct driver *d, enum drill_sys nr, const unsigned long arg[6]);
int driver_send(struct driver *d, const void *packet, size_t len);
/* Moves time until a packet leaves. 0: none ever will. *ret_time as driver_time(). */
ssize_t driver_receive(struct driver *d, void *buf, size_t size, uint64_t *ret_time);
void driver_sleep(struct driver *d, uint64_t ns);
/* ns since 1970. Asking takes a microsecond, so that a loop until some time ends. */
uint64_t driver_time(struct driver *d);

#endif
