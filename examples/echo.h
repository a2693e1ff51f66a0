/* SPDX-License-Identifier: BSD-2-Clause */
/* echo.h - the two halves of the echo examples: what runs in either thread is ordinary blocking socket code */
#ifndef WEIR_EXAMPLES_ECHO_H
#define WEIR_EXAMPLES_ECHO_H

#include <weir/weir.h>

#define ECHO_PORT 7

/* echo_server.c: a listening socket, and serving @count connections of it, one after the other */
struct weir_file *echo_listen(struct weir_net *net);
void echo_serve(struct weir_file *listener, int count);
/* echo_client.c: sends @text, checks what comes back. 0, or 1 when it was something else */
int echo_client(struct weir_net *net, const char *address, const char *text);

#endif
