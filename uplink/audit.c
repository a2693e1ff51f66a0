/* SPDX-License-Identifier: BSD-2-Clause */
/* audit.c - one JSON object a line for each connection, when it ends or is refused */
#include "uplink_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <string.h>
#include <unistd.h>

static void read_program(struct audit_who *who)
{
	char path[64];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)who->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, who->program, sizeof(who->program) - 1);
	if (n > 0)
		who->program[strcspn(who->program, "\n")] = '\0';
	close(fd);
}

void audit_find(struct uplink *u, int proto, const struct endpoint *src, struct audit_who *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!u->cfg.audit)
		return;
	ret->pid = run_node_socket_owner(u->node, proto, src->port);
	if (ret->pid > 0)
		read_program(ret);
}

static void put_endpoint(json_t *o, const char *addr_key, const char *port_key,
			 const struct endpoint *ep, bool port)
{
	char text[ENDPOINT_TEXT];

	json_object_set_new(o, addr_key, json_string(endpoint_addr_text(ep, text)));
	if (port)
		json_object_set_new(o, port_key, json_integer(ep->port));
}

/* A full disk must not end connections: it is said once, and the audit goes on when it can. */
void audit(struct uplink *u, const struct audit_record *rec)
{
	uint64_t now = weir_realtime(run_machine(u->run));
	bool ports = strcmp(rec->what, "icmp") != 0;
	json_t *o = json_object();

	json_object_set_new(o, "time", json_real((double)now / 1e9));
	json_object_set_new(o, "what", json_string(rec->what));
	if (rec->who && rec->who->pid > 0) {
		json_object_set_new(o, "pid", json_integer(rec->who->pid));
		if (rec->who->program[0])
			json_object_set_new(o, "program", json_string(rec->who->program));
	}
	put_endpoint(o, "source", "source_port", rec->src, ports);
	if (rec->name)
		json_object_set_new(o, "name", json_string(rec->name));
	put_endpoint(o, "address", "port", rec->dst, ports);
	json_object_set_new(o, "verdict", json_string(rec->verdict));
	json_object_set_new(o, "sent", json_integer((json_int_t)rec->sent));
	json_object_set_new(o, "received", json_integer((json_int_t)rec->received));
	if (rec->shortcut)
		json_object_set_new(o, "shortcut", json_integer((json_int_t)rec->shortcut));
	if (json_dumpf(o, u->cfg.audit, JSON_COMPACT | JSON_PRESERVE_ORDER) ||
	    fputc('\n', u->cfg.audit) == EOF || fflush(u->cfg.audit)) {
		if (!u->said_audit)
			uplink_say("the audit cannot be written: %s (said once)", strerror(errno));
		u->said_audit = true;
		clearerr(u->cfg.audit);
	}
	json_decref(o);
}
