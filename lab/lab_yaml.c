/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lab_yaml.c - from a YAML file to struct lab_desc, or to one sentence that says what is wrong and where
 *
 * Theory of operation
 *   libyaml gives a tree of nodes with line numbers. Each kind of mapping has a table of fields: name and reader. read_mapping() walks the keys,
 *   finds the row, and calls its reader with the object to fill; unknown and repeated keys are refused by name. The first
 *   error wins: readers return false from then on, and the description is thrown away as a whole.
 */
#include "lab/lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

struct reader {
	yaml_document_t doc;
	struct lab_desc *desc;
	char where[192]; /* path of the field that is being read: "topology.nodes.a" */
	char *error;
	size_t nr_items; /* array elements and strings so far */
};

struct field {
	const char *name;
	bool (*read)(struct reader *r, yaml_node_t *n, void *obj);
};

/* Aliases of aliases let a small file ask for any number of objects. */
#define MAX_ITEMS (1u << 18)

#define NR_FIELDS(t) (sizeof(t) / sizeof((t)[0]))

static unsigned line_of(const yaml_node_t *n)
{
	return (unsigned)n->start_mark.line + 1;
}

__attribute__((format(printf, 3, 4))) static bool fail(struct reader *r, const yaml_node_t *n,
						       const char *fmt, ...)
{
	va_list ap;
	char *what = NULL;

	if (r->error)
		return false;
	va_start(ap, fmt);
	if (vasprintf(&what, fmt, ap) < 0)
		what = NULL;
	va_end(ap);
	if (asprintf(&r->error, "%s:%u: %s%s%s", r->desc->file, line_of(n), r->where,
		     *r->where ? ": " : "", what ? what : "out of memory") < 0)
		r->error = strdup("out of memory");
	free(what);
	return false;
}

static bool fail_at(struct reader *r, unsigned line, const char *where, const char *what)
{
	if (!r->error && asprintf(&r->error, "%s:%u: %s: %s", r->desc->file, line, where, what) < 0)
		r->error = strdup("out of memory");
	return false;
}

/* Appends ".name" to the path; returns the old length for leave(). */
static size_t enter(struct reader *r, const char *name)
{
	size_t old = strlen(r->where);

	snprintf(r->where + old, sizeof(r->where) - old, "%s%s", old ? "." : "", name);
	return old;
}

static void leave(struct reader *r, size_t old)
{
	if (!r->error)
		r->where[old] = '\0';
}

static bool count_item(struct reader *r, const yaml_node_t *n)
{
	return r->nr_items++ < MAX_ITEMS || fail(r, n, "the lab has more than %u items", MAX_ITEMS);
}

/* One more zeroed element of an array; NULL: out of memory, or too many. */
static void *grow(struct reader *r, const yaml_node_t *n, void *array, size_t *count, size_t size)
{
	char *p;

	if (!count_item(r, n))
		return NULL;
	p = realloc(*(void **)array, (*count + 1) * size);
	if (!p) {
		fail(r, n, "out of memory");
		return NULL;
	}
	*(void **)array = p;
	p += *count * size;
	memset(p, 0, size);
	(*count)++;
	return p;
}

/* ---- generic nodes ------------------------------------------------------------------------------------- */

static const char *scalar(struct reader *r, yaml_node_t *n, const char *expected)
{
	if (n->type == YAML_SCALAR_NODE &&
	    strlen((char *)n->data.scalar.value) == n->data.scalar.length)
		return (char *)n->data.scalar.value;
	fail(r, n, "%s was expected", expected);
	return NULL;
}

static bool read_string(struct reader *r, yaml_node_t *n, char **ret)
{
	const char *s = scalar(r, n, "a string");

	if (!s)
		return false;
	free(*ret);
	*ret = strdup(s);
	return *ret || fail(r, n, "out of memory");
}

static bool read_bool(struct reader *r, yaml_node_t *n, bool *ret)
{
	const char *s = scalar(r, n, "true or false");

	if (!s)
		return false;
	if (strcmp(s, "true") && strcmp(s, "false"))
		return fail(r, n, "'%s' is not true or false", s);
	*ret = s[0] == 't';
	return true;
}

static bool read_number(struct reader *r, yaml_node_t *n, uint64_t min, uint64_t max, uint64_t *ret)
{
	const char *s = scalar(r, n, "a number");
	char *end;

	if (!s)
		return false;
	errno = 0;
	*ret = strtoull(s, &end, 0);
	if (*s < '0' || *s > '9' || *end || errno || *ret < min || *ret > max)
		return fail(r, n, "'%s' is not a number from %llu to %llu", s,
			    (unsigned long long)min, (unsigned long long)max);
	return true;
}

static bool read_mapping(struct reader *r, yaml_node_t *n, const struct field *fields, size_t nr,
			 void *obj)
{
	uint64_t seen = 0;

	if (n->type != YAML_MAPPING_NODE)
		return fail(r, n, "a mapping (name: value) was expected");
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
	     p++) {
		yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
		yaml_node_t *value = yaml_document_get_node(&r->doc, p->value);
		const char *name = scalar(r, key, "a name");
		size_t i, old;

		if (!name)
			return false;
		for (i = 0; i < nr && strcmp(fields[i].name, name); i++)
			;
		if (i == nr) {
			char known[256] = "";

			for (i = 0; i < nr; i++)
				snprintf(known + strlen(known), sizeof(known) - strlen(known),
					 "%s%s", i ? ", " : "", fields[i].name);
			return fail(r, key, "there is no field '%s' here; known are: %s", name,
				    known);
		}
		old = enter(r, name);
		if (seen & (1ull << i))
			return fail(r, key, "is given twice");
		seen |= 1ull << i;
		if (!fields[i].read(r, value, obj))
			return false;
		leave(r, old);
	}
	return true;
}

/* Calls @read with obj for each element; a single scalar or mapping counts as a list of one if @single. */
static bool read_list(struct reader *r, yaml_node_t *n, bool single,
		      bool (*read)(struct reader *r, yaml_node_t *n, void *obj), void *obj)
{
	if (n->type != YAML_SEQUENCE_NODE)
		return single ? read(r, n, obj) : fail(r, n, "a list was expected");
	for (yaml_node_item_t *i = n->data.sequence.items.start; i < n->data.sequence.items.top;
	     i++) {
		char index[16];
		size_t old;

		snprintf(index, sizeof(index), "[%zu]", (size_t)(i - n->data.sequence.items.start));
		old = strlen(r->where);
		snprintf(r->where + old, sizeof(r->where) - old, "%s", index);
		if (!read(r, yaml_document_get_node(&r->doc, *i), obj))
			return false;
		leave(r, old);
	}
	return true;
}

static const char *text_of(const yaml_node_t *n)
{
	return (const char *)n->data.scalar.value;
}

/* A mapping whose keys are the user's names: @read gets key and value. */
static bool read_names(struct reader *r, yaml_node_t *n, void *obj,
		       bool (*read)(struct reader *r, yaml_node_t *key, yaml_node_t *value,
				    void *obj))
{
	if (n->type != YAML_MAPPING_NODE)
		return fail(r, n, "a mapping (name: value) was expected");
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top;
	     p++) {
		yaml_node_t *key = yaml_document_get_node(&r->doc, p->key);
		const char *name = scalar(r, key, "a name");
		size_t old;

		if (!name)
			return false;
		old = enter(r, name);
		for (yaml_node_pair_t *q = n->data.mapping.pairs.start; q < p; q++)
			if (!strcmp(text_of(yaml_document_get_node(&r->doc, q->key)), name))
				return fail(r, key, "is given twice");
		if (!read(r, key, yaml_document_get_node(&r->doc, p->value), obj))
			return false;
		leave(r, old);
	}
	return true;
}

/* Node, lab and process names end up in paths and host names. */
static bool name_ok(const char *s)
{
	size_t n = strlen(s);

	return n > 0 && n <= LAB_NAME_MAX && s[0] != '-' && s[0] != '.' &&
	       strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.") == n;
}

static bool ifname_ok(const char *s)
{
	return *s && strlen(s) < IFNAMSIZ && !strpbrk(s, "/: \t\n\v\f\r") && strcmp(s, ".") &&
	       strcmp(s, "..");
}

/* ---- env, workdir --------------------------------------------------------------------------------------- */

static size_t strv_len(char *const *v)
{
	size_t n = 0;

	while (v && v[n])
		n++;
	return n;
}

static bool strv_append(struct reader *r, const yaml_node_t *n, char ***v, char *s)
{
	size_t len = strv_len(*v);
	char **grown;

	if (!count_item(r, n)) {
		free(s);
		return false;
	}
	grown = s ? realloc(*v, (len + 2) * sizeof(*grown)) : NULL;
	if (!grown) {
		free(s);
		return fail(r, n, "out of memory");
	}
	grown[len] = s;
	grown[len + 1] = NULL;
	*v = grown;
	return true;
}

static bool read_env_entry(struct reader *r, yaml_node_t *key, yaml_node_t *value, void *obj)
{
	const char *s = scalar(r, value, "a string");
	char *entry = NULL;

	if (!s)
		return false;
	if (!*text_of(key) || strchr(text_of(key), '='))
		return fail(r, key, "a variable's name cannot be empty or contain '='");
	if (asprintf(&entry, "%s=%s", text_of(key), s) < 0)
		entry = NULL;
	return strv_append(r, value, obj, entry);
}

/* ---- processes ------------------------------------------------------------------------------------------ */

static bool read_wait(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_wait *w = obj;
	const char *s = scalar(r, n, "tcp:PORT, udp:PORT, file:PATH, exit or a time");
	const char *arg;
	char *end;

	if (!s)
		return false;
	arg = strchr(s, ':');
	if (!strcmp(s, "exit")) {
		w->kind = LAB_WAIT_EXIT;
	} else if (!strncmp(s, "tcp:", 4) || !strncmp(s, "udp:", 4)) {
		unsigned long port = strtoul(arg + 1, &end, 10);

		if (arg[1] < '0' || arg[1] > '9' || *end || port < 1 || port > 65535)
			return fail(r, n, "'%s': the port must be a number from 1 to 65535", s);
		w->kind = s[0] == 't' ? LAB_WAIT_TCP : LAB_WAIT_UDP;
		w->port = (uint16_t)port;
	} else if (!strncmp(s, "file:", 5) && arg[1]) {
		w->kind = LAB_WAIT_FILE;
		w->path = strdup(arg + 1);
		if (!w->path)
			return fail(r, n, "out of memory");
	} else if (parse_duration(s, &w->ns)) {
		w->kind = LAB_WAIT_TIME;
	} else {
		return fail(r, n,
			    "'%s' is not tcp:PORT, udp:PORT, file:PATH, exit or a time such as 2s",
			    s);
	}
	return true;
}

static bool read_argv_item(struct reader *r, yaml_node_t *n, void *obj)
{
	const char *s = scalar(r, n, "a string");

	return s && strv_append(r, n, &((struct lab_process *)obj)->argv, strdup(s));
}

static bool read_cmd(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_process *p = obj;

	if (n->type == YAML_SCALAR_NODE) {
		if (!*text_of(n))
			return fail(r, n, "the command is empty");
		return strv_append(r, n, &p->argv, strdup("/bin/sh")) &&
		       strv_append(r, n, &p->argv, strdup("-c")) && read_argv_item(r, n, p);
	}
	if (!read_list(r, n, false, read_argv_item, p))
		return false;
	return strv_len(p->argv) > 0 || fail(r, n, "the command is empty");
}

static bool read_process_name(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_process *p = obj;

	return read_string(r, n, &p->name) &&
	       (name_ok(p->name) ||
		fail(r, n, "'%s' is not a name (letters, digits, - _ .)", p->name));
}

static bool read_process_wait(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_wait(r, n, &((struct lab_process *)obj)->wait);
}

static bool read_process_timeout(struct reader *r, yaml_node_t *n, void *obj)
{
	const char *s = scalar(r, n, "a time");

	return s && (parse_duration(s, &((struct lab_process *)obj)->wait.timeout_ns) ||
		     fail(r, n, "'%s' is not a time such as 30s", s));
}

static bool read_process_env(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_names(r, n, &((struct lab_process *)obj)->env, read_env_entry);
}

static bool read_process_workdir(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_string(r, n, &((struct lab_process *)obj)->workdir);
}

static const struct field process_fields[] = {
	{ "name", read_process_name }, { "cmd", read_cmd },
	{ "wait", read_process_wait }, { "timeout", read_process_timeout },
	{ "env", read_process_env },   { "workdir", read_process_workdir },
};

/* Commands are waited for until they end. */
static const struct field exec_fields[] = {
	{ "name", read_process_name },
	{ "cmd", read_cmd },
	{ "env", read_process_env },
	{ "workdir", read_process_workdir },
};

/* A string is short for { cmd: string }. */
static bool read_one_process(struct reader *r, yaml_node_t *n, const struct field *fields,
			     size_t nr, struct lab_process *p)
{
	p->line = line_of(n);
	p->wait.timeout_ns = 30ull * 1000000000;
	if (n->type == YAML_SCALAR_NODE)
		return read_cmd(r, n, p);
	if (!read_mapping(r, n, fields, nr, p))
		return false;
	return p->argv || fail(r, n, "'cmd' is missing");
}

static bool read_process(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_node *node = obj;
	struct lab_process *p = grow(r, n, &node->processes, &node->nr_processes, sizeof(*p));

	return p && read_one_process(r, n, process_fields, NR_FIELDS(process_fields), p);
}

static bool read_exec_item(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_node *node = obj;
	struct lab_process *p = grow(r, n, &node->exec, &node->nr_exec, sizeof(*p));

	return p && read_one_process(r, n, exec_fields, NR_FIELDS(exec_fields), p);
}

/* ---- addresses, routes, sysctls ------------------------------------------------------------------------- */

struct address_list {
	struct lab_node *node;
	const char *ifname;
};

static bool read_address(struct reader *r, yaml_node_t *n, void *obj)
{
	struct address_list *l = obj;
	const char *s = scalar(r, n, "an address with prefix length, such as 10.0.0.1/24");
	struct lab_address *a;

	if (!s)
		return false;
	a = grow(r, n, &l->node->addresses, &l->node->nr_addresses, sizeof(*a));
	if (!a)
		return false;
	strcpy(a->ifname, l->ifname);
	a->line = line_of(n);
	return parse_prefix(s, &a->addr, &a->prefixlen) ||
	       fail(r, n,
		    "'%s' is not an address with prefix length, such as 10.0.0.1/24 or fd00::1/64",
		    s);
}

static bool read_interface_addresses(struct reader *r, yaml_node_t *key, yaml_node_t *value,
				     void *obj)
{
	struct address_list l = { obj, text_of(key) };

	if (!ifname_ok(l.ifname))
		return fail(r, key,
			    "'%s' is not an interface name (at most 15 characters, no '/' or ':')",
			    l.ifname);
	return read_list(r, value, true, read_address, &l);
}

static bool read_node_addresses(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_names(r, n, obj, read_interface_addresses);
}

static bool read_route_to(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_route *rt = obj;
	const char *s = scalar(r, n, "a destination");

	if (!s)
		return false;
	if (!strcmp(s, "default")) {
		rt->is_default = true;
		return true;
	}
	if (parse_prefix(s, &rt->dst, &rt->prefixlen)) {
		if (ip_has_host_bits(&rt->dst, rt->prefixlen))
			return fail(r, n, "'%s' has bits behind its prefix length", s);
		return true;
	}
	if (!parse_ip(s, &rt->dst))
		return fail(r, n,
			    "'%s' is not 'default' or a prefix such as 10.1.0.0/16 or fd00:1::/48",
			    s);
	rt->prefixlen = (uint8_t)(lab_ip_len(&rt->dst) * 8);
	return true;
}

static bool read_route_via(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_route *rt = obj;
	const char *s = scalar(r, n, "an address");

	if (!s)
		return false;
	rt->has_via = true;
	return parse_ip(s, &rt->via) || fail(r, n, "'%s' is not an address", s);
}

static bool read_ifname(struct reader *r, yaml_node_t *n, char out[IFNAMSIZ])
{
	const char *s = scalar(r, n, "an interface name");

	if (!s)
		return false;
	if (!ifname_ok(s))
		return fail(r, n,
			    "'%s' is not an interface name (at most 15 characters, no '/' or ':')",
			    s);
	strcpy(out, s);
	return true;
}

static bool read_route_dev(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_ifname(r, n, ((struct lab_route *)obj)->dev);
}

static bool read_route_metric(struct reader *r, yaml_node_t *n, void *obj)
{
	uint64_t v;

	if (!read_number(r, n, 0, UINT32_MAX, &v))
		return false;
	((struct lab_route *)obj)->metric = (uint32_t)v;
	return true;
}

static const struct field route_fields[] = {
	{ "to", read_route_to },
	{ "via", read_route_via },
	{ "dev", read_route_dev },
	{ "metric", read_route_metric },
};

static bool read_route(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_node *node = obj;
	struct lab_route *rt = grow(r, n, &node->routes, &node->nr_routes, sizeof(*rt));

	if (!rt)
		return false;
	rt->line = line_of(n);
	if (!read_mapping(r, n, route_fields, NR_FIELDS(route_fields), rt))
		return false;
	if (!rt->has_via && !*rt->dev)
		return fail(r, n, "a route needs 'via' or 'dev'");
	if (rt->is_default)
		rt->dst.family = rt->has_via ? rt->via.family : AF_INET;
	return !rt->has_via || rt->via.family == rt->dst.family ||
	       fail(r, n, "'to' and 'via' are of different IP versions");
}

static bool read_node_routes(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_list(r, n, true, read_route, obj);
}

static bool read_sysctl(struct reader *r, yaml_node_t *key, yaml_node_t *value, void *obj)
{
	struct lab_node *node = obj;
	struct lab_sysctl *s = grow(r, key, &node->sysctls, &node->nr_sysctls, sizeof(*s));

	if (!s)
		return false;
	s->line = line_of(key);
	return read_string(r, key, &s->name) && read_string(r, value, &s->value);
}

/* ---- nodes ---------------------------------------------------------------------------------------------- */

static bool read_node_sysctls(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_names(r, n, obj, read_sysctl);
}

static bool read_node_processes(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_list(r, n, false, read_process, obj);
}

static bool read_node_exec(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_list(r, n, false, read_exec_item, obj);
}

static bool read_node_env(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_names(r, n, &((struct lab_node *)obj)->env, read_env_entry);
}

static bool read_node_workdir(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_string(r, n, &((struct lab_node *)obj)->workdir);
}

static bool read_node_hostname(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_node *node = obj;

	return read_string(r, n, &node->hostname) &&
	       (name_ok(node->hostname) || fail(r, n, "'%s' is not a host name", node->hostname));
}

/* containerlab's "kind" has one value here, so that its files need no change. */
static bool read_node_kind(struct reader *r, yaml_node_t *n, void *obj)
{
	const char *s = scalar(r, n, "a kind");

	(void)obj;
	return s && (!strcmp(s, "host") || !strcmp(s, "linux") ||
		     fail(r, n, "'%s' is not a kind of node; known are: host, linux", s));
}

static const struct field node_fields[] = {
	{ "kind", read_node_kind },           { "hostname", read_node_hostname },
	{ "addresses", read_node_addresses }, { "routes", read_node_routes },
	{ "sysctls", read_node_sysctls },     { "processes", read_node_processes },
	{ "exec", read_node_exec },           { "env", read_node_env },
	{ "workdir", read_node_workdir },
};

static bool read_node(struct reader *r, yaml_node_t *key, yaml_node_t *value, void *obj)
{
	struct lab_desc *d = obj;
	struct lab_node *node;

	if (!name_ok(text_of(key)))
		return fail(r, key, "'%s' is not a node name (letters, digits, - _ ., at most %d)",
			    text_of(key), LAB_NAME_MAX);
	node = grow(r, key, &d->nodes, &d->nr_nodes, sizeof(*node));
	if (!node)
		return false;
	strcpy(node->name, text_of(key));
	node->line = line_of(key);
	if (value->type == YAML_SCALAR_NODE && !value->data.scalar.length)
		return true; /* "router:" with nothing behind it */
	return read_mapping(r, value, node_fields, NR_FIELDS(node_fields), node);
}

/* ---- links ---------------------------------------------------------------------------------------------- */

enum {
	IMP_DELAY,
	IMP_JITTER,
	IMP_RATE,
	IMP_LOSS,
	IMP_BURST,
	IMP_DUPLICATE,
	IMP_REORDER,
	IMP_CORRUPT,
	IMP_QUEUE,
	IMP_ECN
};

/* What "forward" and "reverse" say wins over what the link says for both, whatever their order in the file. */
struct link_reader {
	struct lab_link *link;
	struct lab_impairment *only; /* NULL: both */
	unsigned said[2];            /* of each direction: 1 << IMP_x */
};

static bool set_impairment(struct reader *r, yaml_node_t *n, struct link_reader *l, int what)
{
	const char *s = scalar(r, n, "a value");
	uint64_t v64 = 0;
	uint32_t v32 = 0;

	if (!s)
		return false;
	switch (what) {
	case IMP_DELAY:
	case IMP_JITTER:
		if (!parse_duration(s, &v64))
			return fail(r, n, "'%s' is not a time such as 10ms", s);
		break;
	case IMP_RATE:
		if (!parse_rate(s, &v64))
			return fail(r, n, "'%s' is not a rate such as 100Mbit", s);
		break;
	case IMP_BURST:
	case IMP_QUEUE:
	case IMP_ECN:
		if (!read_number(r, n, 1, 10000000, &v64))
			return false;
		v32 = (uint32_t)v64;
		break;
	default:
		if (!parse_probability(s, &v32))
			return fail(r, n, "'%s' is not a probability such as 0.1%%", s);
	}
	for (int i = 0; i < 2; i++) {
		struct lab_impairment *imp = &l->link->end[i].out;

		if (l->only ? l->only != imp : l->said[i] & 1u << what)
			continue;
		if (l->only)
			l->said[i] |= 1u << what;
		switch (what) {
		case IMP_DELAY:
			imp->delay_ns = v64;
			break;
		case IMP_JITTER:
			imp->jitter_ns = v64;
			break;
		case IMP_RATE:
			imp->rate_bps = v64;
			break;
		case IMP_LOSS:
			imp->loss = v32;
			break;
		case IMP_BURST:
			imp->loss_burst = v32;
			break;
		case IMP_DUPLICATE:
			imp->duplicate = v32;
			break;
		case IMP_REORDER:
			imp->reorder = v32;
			break;
		case IMP_CORRUPT:
			imp->corrupt = v32;
			break;
		case IMP_QUEUE:
			imp->queue_packets = v32;
			break;
		case IMP_ECN:
			imp->ecn_packets = v32;
			break;
		}
	}
	return true;
}

#define IMPAIRMENT_READER(name, what)                                                              \
	static bool read_##name(struct reader *r, yaml_node_t *n, void *obj)                       \
	{                                                                                          \
		return set_impairment(r, n, obj, what);                                            \
	}
IMPAIRMENT_READER(delay, IMP_DELAY)
IMPAIRMENT_READER(jitter, IMP_JITTER)
IMPAIRMENT_READER(rate, IMP_RATE)
IMPAIRMENT_READER(loss, IMP_LOSS)
IMPAIRMENT_READER(loss_burst, IMP_BURST)
IMPAIRMENT_READER(duplicate, IMP_DUPLICATE)
IMPAIRMENT_READER(reorder, IMP_REORDER)
IMPAIRMENT_READER(corrupt, IMP_CORRUPT)
IMPAIRMENT_READER(queue, IMP_QUEUE)
IMPAIRMENT_READER(ecn, IMP_ECN)

#define IMPAIRMENT_FIELDS                                                                          \
	{ "delay", read_delay }, { "jitter", read_jitter }, { "rate", read_rate },                 \
		{ "loss", read_loss }, { "loss_burst", read_loss_burst },                          \
		{ "duplicate", read_duplicate }, { "reorder", read_reorder },                      \
		{ "corrupt", read_corrupt }, { "ecn", read_ecn },                                  \
	{                                                                                          \
		"queue", read_queue                                                                \
	}

static const struct field direction_fields[] = { IMPAIRMENT_FIELDS };

static bool read_direction(struct reader *r, yaml_node_t *n, struct link_reader *l, int end)
{
	bool ok;

	l->only = &l->link->end[end].out;
	ok = read_mapping(r, n, direction_fields, NR_FIELDS(direction_fields), l);
	l->only = NULL;
	return ok;
}

static bool read_forward(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_direction(r, n, obj, 0);
}

static bool read_reverse(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_direction(r, n, obj, 1);
}

static bool read_mtu(struct reader *r, yaml_node_t *n, void *obj)
{
	uint64_t v;

	if (!read_number(r, n, 68, 65535, &v))
		return false;
	((struct link_reader *)obj)->link->mtu = (uint32_t)v;
	return true;
}

/* ---- media and cards --------------------------------------------------------------------------------------- */

static bool read_medium_kind(struct reader *r, yaml_node_t *n, void *obj)
{
	static const char *const kinds[] = { "hub", "switch", "token" };
	const char *s = scalar(r, n, "hub, switch or token");

	for (size_t i = 0; s && i < NR_FIELDS(kinds); i++)
		if (!strcmp(s, kinds[i])) {
			((struct lab_medium *)obj)->kind = kinds[i];
			return true;
		}
	return s && fail(r, n, "'%s' is not hub, switch or token", s);
}

static bool read_medium_rate(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_medium *m = obj;
	const char *s = scalar(r, n, "a rate");

	return s && ((parse_rate(s, &m->rate_bps) && m->rate_bps) ||
		     fail(r, n, "'%s' is not a rate such as 10Mbit", s));
}

#define MEDIUM_TIME_READER(name)                                                                   \
	static bool read_medium_##name(struct reader *r, yaml_node_t *n, void *obj)                \
	{                                                                                          \
		const char *s = scalar(r, n, "a time");                                            \
                                                                                                   \
		return s && ((parse_duration(s, &((struct lab_medium *)obj)->name##_ns) &&         \
			      ((struct lab_medium *)obj)->name##_ns) ||                            \
			     fail(r, n, "'%s' is not a time such as 10ms", s));                    \
	}
MEDIUM_TIME_READER(delay)
MEDIUM_TIME_READER(hold)
MEDIUM_TIME_READER(ageing)

static const struct field medium_fields[] = {
	{ "kind", read_medium_kind },     { "rate", read_medium_rate },
	{ "delay", read_medium_delay },   { "hold", read_medium_hold },
	{ "ageing", read_medium_ageing },
};

/* What a kind does not have would have no effect. */
static bool check_medium(struct reader *r, yaml_node_t *n, const struct lab_medium *m)
{
	if (!m->kind)
		return fail(r, n, "'kind' is missing: hub, switch or token");
	if (!strcmp(m->kind, "switch")) {
		if (m->rate_bps || m->delay_ns)
			return fail(r, n, "a switch has no rate and no delay: its cables have");
	} else if (m->ageing_ns) {
		return fail(r, n, "only a switch has an 'ageing'");
	}
	return !m->hold_ns || !strcmp(m->kind, "token") ||
	       fail(r, n, "only a token medium has a 'hold'");
}

static bool read_medium(struct reader *r, yaml_node_t *key, yaml_node_t *value, void *obj)
{
	struct lab_desc *d = obj;
	struct lab_medium *m;

	if (!ifname_ok(text_of(key)))
		return fail(r, key, "'%s' is not the name of a medium (at most %d characters)",
			    text_of(key), IFNAMSIZ - 1);
	m = grow(r, key, &d->media, &d->nr_media, sizeof(*m));
	if (!m)
		return false;
	strcpy(m->name, text_of(key));
	m->line = line_of(key);
	return read_mapping(r, value, medium_fields, NR_FIELDS(medium_fields), m) &&
	       check_medium(r, value, m);
}

static int find_medium(const struct lab_desc *d, const char *name)
{
	for (size_t i = 0; i < d->nr_media; i++)
		if (!strcmp(d->media[i].name, name))
			return (int)i;
	return -1;
}

#define CARD_NUMBER_READER(name, min, max)                                                         \
	static bool read_card_##name(struct reader *r, yaml_node_t *n, void *obj)                  \
	{                                                                                          \
		uint64_t v;                                                                        \
                                                                                                   \
		if (!read_number(r, n, min, max, &v))                                              \
			return false;                                                              \
		((struct lab_card *)obj)->name = (uint32_t)v;                                      \
		return true;                                                                       \
	}
CARD_NUMBER_READER(rx_ring, 8, 4096)
CARD_NUMBER_READER(tx_ring, 1, 4096)
CARD_NUMBER_READER(rx_usecs, 0, 1000000)
CARD_NUMBER_READER(rx_frames, 0, UINT32_MAX)
CARD_NUMBER_READER(tx_usecs, 0, 1000000)
CARD_NUMBER_READER(tx_frames, 0, UINT32_MAX)

static bool read_card_mode(struct reader *r, yaml_node_t *n, void *obj)
{
	const char *s = scalar(r, n, "napi or pio");

	if (!s)
		return false;
	if (strcmp(s, "napi") && strcmp(s, "pio"))
		return fail(r, n, "'%s' is not napi or pio", s);
	((struct lab_card *)obj)->pio = *s == 'p';
	return true;
}

static bool read_feature(struct reader *r, yaml_node_t *key, yaml_node_t *value, void *obj)
{
	struct lab_card *card = obj;
	const char *s = scalar(r, value, "on or off");
	struct lab_feature *f;

	if (!s)
		return false;
	/* Other readers of YAML take on and off for true and false, and write them so. */
	if (strcmp(s, "on") && strcmp(s, "off") && strcmp(s, "true") && strcmp(s, "false"))
		return fail(r, value, "'%s' is not on or off", s);
	f = grow(r, key, &card->features, &card->nr_features, sizeof(*f));
	if (!f)
		return false;
	f->on = !strcmp(s, "on") || !strcmp(s, "true");
	f->line = line_of(key);
	return read_string(r, key, &f->name);
}

static bool read_card_features(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_names(r, n, obj, read_feature);
}

static const struct field card_fields[] = {
	{ "mode", read_card_mode },           { "rx_ring", read_card_rx_ring },
	{ "tx_ring", read_card_tx_ring },     { "rx_usecs", read_card_rx_usecs },
	{ "rx_frames", read_card_rx_frames }, { "tx_usecs", read_card_tx_usecs },
	{ "tx_frames", read_card_tx_frames }, { "features", read_card_features },
};

static void card_free(const struct lab_card *card)
{
	for (size_t i = 0; i < card->nr_features; i++)
		free(card->features[i].name);
	free(card->features);
}

static bool read_card(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_card *card = &((struct link_reader *)obj)->link->card;

	card->present = true;
	return read_mapping(r, n, card_fields, NR_FIELDS(card_fields), card);
}

#define HOST      "host" /* an endpoint that is no node's; a node of this name goes first */
#define HOST_NODE SIZE_MAX

#define MEDIUM_NODE (SIZE_MAX - 1) /* an endpoint that is a medium: "hub0" */

/* The way out, or "KIND:..." as weir_dev_attach() has it; a node of this name goes first. */
static bool is_host_device(const struct lab_desc *d, const char *s)
{
	static const char *const kinds[] = { "tap", "afpacket", "afxdp", "dpdk" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		size_t n = strlen(kinds[i]);

		if (!strncmp(s, kinds[i], n) && s[n] == ':')
			return lab_desc_find_node(d, kinds[i]) < 0;
	}
	return !strcmp(s, LAB_UPLINK);
}

struct endpoint_list {
	struct lab_link *link;
	int n;
};

static bool read_endpoint(struct reader *r, yaml_node_t *n, void *obj)
{
	struct endpoint_list *l = obj;
	const char *s = scalar(r, n, "an endpoint \"node:interface\"");
	const char *colon = s ? strchr(s, ':') : NULL;
	struct lab_endpoint *e;
	char node[LAB_NAME_MAX + 1];
	int index;

	if (!s)
		return false;
	if (l->n == 2)
		return fail(r, n, "a link has two endpoints");
	if (is_host_device(r->desc, s)) {
		e = &l->link->end[l->n++];
		e->node = HOST_NODE;
		if (strlen(s) >= sizeof(e->host))
			return fail(r, n, "an endpoint is at most %d octets", LAB_HOST_MAX - 1);
		strcpy(e->host, s);
		return true;
	}
	if (!colon && find_medium(r->desc, s) >= 0) {
		e = &l->link->end[l->n++];
		e->node = MEDIUM_NODE;
		strcpy(e->ifname, s);
		return true;
	}
	if (!colon && ifname_ok(s))
		return fail(r, n, "'%s' is not an endpoint \"node:interface\", nor a medium", s);
	if (!colon || (size_t)(colon - s) > LAB_NAME_MAX || !ifname_ok(colon + 1))
		return fail(r, n, "'%s' is not an endpoint \"node:interface\"", s);
	memcpy(node, s, (size_t)(colon - s));
	node[colon - s] = '\0';
	index = lab_desc_find_node(r->desc, node);
	if (index < 0 && !strcmp(node, HOST))
		index = -2;
	else if (index < 0)
		return fail(r, n, "there is no node '%s'", node);
	if (!strcmp(colon + 1, "lo"))
		return fail(r, n, "'lo' is the node's own and cannot be linked");
	e = &l->link->end[l->n++];
	e->node = index < 0 ? HOST_NODE : (size_t)index;
	strcpy(e->ifname, colon + 1);
	if (e->node == HOST_NODE)
		snprintf(e->host, sizeof(e->host), "tap:%s", colon + 1);
	return true;
}

static bool read_endpoints(struct reader *r, yaml_node_t *n, void *obj)
{
	struct endpoint_list l = { ((struct link_reader *)obj)->link, 0 };

	if (!read_list(r, n, false, read_endpoint, &l))
		return false;
	return l.n == 2 || fail(r, n, "a link has two endpoints");
}

static const struct field link_fields[] = {
	{ "endpoints", read_endpoints }, { "mtu", read_mtu },   { "forward", read_forward },
	{ "reverse", read_reverse },     { "card", read_card }, IMPAIRMENT_FIELDS,
};

/* The last link that was read ends at the host: it is one of the others. */
static bool move_host_link(struct reader *r, yaml_node_t *n, struct lab_desc *d)
{
	static const struct lab_impairment none;
	const struct lab_link l = d->links[--d->nr_links];
	const struct lab_endpoint *host = &l.end[l.end[1].node == HOST_NODE],
				  *own = &l.end[l.end[0].node == HOST_NODE];
	struct lab_host_link *h;

	if (own->node == HOST_NODE)
		return fail(r, n, "one end of a link must be a node of the lab");
	if (memcmp(&own->out, &none, sizeof(none)) || memcmp(&host->out, &none, sizeof(none)))
		return fail(r, n,
			    "a link to the host has no impairments: give them to a link behind it");
	h = grow(r, n, &d->host_links, &d->nr_host_links, sizeof(*h));
	if (!h)
		return false;
	h->node = own->node;
	h->mtu = l.mtu;
	h->line = l.line;
	memcpy(h->ifname, own->ifname, IFNAMSIZ);
	memcpy(h->host, host->host, sizeof(h->host));
	return true;
}

/* The last link that was read ends at a medium: a card is plugged into it. */
static bool move_plug(struct reader *r, yaml_node_t *n, struct lab_desc *d)
{
	static const struct lab_impairment none;
	const struct lab_link l = d->links[--d->nr_links];
	const struct lab_endpoint *own = &l.end[l.end[0].node == MEDIUM_NODE],
				  *other = &l.end[l.end[0].node != MEDIUM_NODE];
	struct lab_plug *p = grow(r, n, &d->plugs, &d->nr_plugs, sizeof(*p));

	if (!p) {
		card_free(&l.card);
		return false;
	}
	*p = (struct lab_plug){ .end = *own, .mtu = l.mtu, .card = l.card, .line = l.line };
	p->medium = (size_t)find_medium(d, other->ifname);
	if (own->node == HOST_NODE || own->node == MEDIUM_NODE)
		return fail(r, n, "what is plugged into a medium is the interface of a node");
	if (memcmp(&own->out, &other->out, sizeof(none)))
		return fail(r, n, "the cable to a medium is the same both ways");
	if (strcmp(d->media[p->medium].kind, "switch") && memcmp(&own->out, &none, sizeof(none)))
		return fail(
			r, n,
			"only cables to a switch have a rate, a delay and faults: a %s has its own",
			d->media[p->medium].kind);
	return true;
}

static bool read_link(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_desc *d = obj;
	struct lab_link *link = grow(r, n, &d->links, &d->nr_links, sizeof(*link));
	struct link_reader l = { .link = link };

	if (!link)
		return false;
	link->line = line_of(n);
	if (!read_mapping(r, n, link_fields, NR_FIELDS(link_fields), &l))
		return false;
	if (!*link->end[0].ifname && !*link->end[0].host)
		return fail(r, n, "'endpoints' is missing");
	if (link->end[0].node == MEDIUM_NODE || link->end[1].node == MEDIUM_NODE)
		return move_plug(r, n, d);
	if (link->card.present &&
	    (link->end[0].node == HOST_NODE || link->end[1].node == HOST_NODE))
		return fail(r, n, "a link to the host has no card");
	return (link->end[0].node != HOST_NODE && link->end[1].node != HOST_NODE) ||
	       move_host_link(r, n, d);
}

/* ---- the whole file ------------------------------------------------------------------------------------- */

static bool read_nodes(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_names(r, n, obj, read_node);
}

static bool read_links(struct reader *r, yaml_node_t *n, void *obj)
{
	(void)obj;
	(void)r;
	(void)n;
	return true; /* read after the nodes, whatever their order in the file */
}

static bool read_media(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_names(r, n, obj, read_medium);
}

static const struct field topology_fields[] = {
	{ "nodes", read_nodes },
	{ "media", read_media },
	{ "links", read_links },
};

static bool read_topology(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_desc *d = obj;

	if (!read_mapping(r, n, topology_fields, NR_FIELDS(topology_fields), d))
		return false;
	if (!d->nr_nodes)
		return fail(r, n, "'nodes' is missing or empty");
	for (yaml_node_pair_t *p = n->data.mapping.pairs.start; p < n->data.mapping.pairs.top; p++)
		if (!strcmp(text_of(yaml_document_get_node(&r->doc, p->key)), "links")) {
			size_t old = enter(r, "links");

			if (!read_list(r, yaml_document_get_node(&r->doc, p->value), false,
				       read_link, d))
				return false;
			leave(r, old);
		}
	return true;
}

static bool read_lab_name(struct reader *r, yaml_node_t *n, void *obj)
{
	const char *s = scalar(r, n, "a name");

	if (!s)
		return false;
	if (!name_ok(s))
		return fail(r, n, "'%s' is not a lab name (letters, digits, - _ ., at most %d)", s,
			    LAB_NAME_MAX);
	strcpy(((struct lab_desc *)obj)->name, s);
	return true;
}

static bool read_seed(struct reader *r, yaml_node_t *n, void *obj)
{
	struct lab_desc *d = obj;

	d->seeded = true;
	return read_number(r, n, 0, UINT64_MAX, &d->seed);
}

static bool read_trace(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_bool(r, n, &((struct lab_desc *)obj)->trace);
}

static bool read_report(struct reader *r, yaml_node_t *n, void *obj)
{
	return read_bool(r, n, &((struct lab_desc *)obj)->report);
}

static const struct field lab_fields[] = {
	{ "name", read_lab_name }, { "seed", read_seed },         { "trace", read_trace },
	{ "report", read_report }, { "topology", read_topology },
};

static bool has_interface(const struct lab_desc *d, size_t node, const char *ifname)
{
	if (!strcmp(ifname, "lo"))
		return true;
	for (size_t i = 0; i < d->nr_links; i++)
		for (int e = 0; e < 2; e++)
			if (d->links[i].end[e].node == node &&
			    !strcmp(d->links[i].end[e].ifname, ifname))
				return true;
	for (size_t i = 0; i < d->nr_host_links; i++)
		if (d->host_links[i].node == node && !strcmp(d->host_links[i].ifname, ifname))
			return true;
	for (size_t i = 0; i < d->nr_plugs; i++)
		if (d->plugs[i].end.node == node && !strcmp(d->plugs[i].end.ifname, ifname))
			return true;
	return false;
}

/* Links to the host: both their ends belong to nobody else. */
static bool check_host_links(struct reader *r)
{
	const struct lab_desc *d = r->desc;

	for (size_t i = 0; i < d->nr_host_links; i++) {
		const struct lab_host_link *a = &d->host_links[i];
		bool twice = false;

		for (size_t j = 0; j < i; j++) {
			const struct lab_host_link *b = &d->host_links[j];

			twice |= (!strncmp(a->host, "tap:", 4) && !strcmp(a->host, b->host)) ||
				 (a->node == b->node && !strcmp(a->ifname, b->ifname));
		}
		for (size_t j = 0; j < d->nr_links * 2; j++) {
			const struct lab_endpoint *b = &d->links[j / 2].end[j % 2];

			twice |= a->node == b->node && !strcmp(a->ifname, b->ifname);
		}
		if (twice)
			return fail_at(r, a->line, "topology.links",
				       "an interface can be the end of one link only");
	}
	return true;
}

static size_t count_ends(const struct lab_desc *d, const struct lab_endpoint *e)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nr_links * 2; i++)
		n += d->links[i / 2].end[i % 2].node == e->node &&
		     !strcmp(d->links[i / 2].end[i % 2].ifname, e->ifname);
	for (size_t i = 0; i < d->nr_host_links; i++)
		n += d->host_links[i].node == e->node &&
		     !strcmp(d->host_links[i].ifname, e->ifname);
	for (size_t i = 0; i < d->nr_plugs; i++)
		n += d->plugs[i].end.node == e->node && !strcmp(d->plugs[i].end.ifname, e->ifname);
	return n;
}

static bool check_plugs(struct reader *r)
{
	const struct lab_desc *d = r->desc;

	for (size_t i = 0; i < d->nr_plugs; i++)
		if (count_ends(d, &d->plugs[i].end) > 1)
			return fail_at(r, d->plugs[i].line, "topology.links",
				       "an interface can be the end of one link only");
	return true;
}

/* What can only be checked when everything is known. */
static bool check_whole(struct reader *r)
{
	const struct lab_desc *d = r->desc;
	char where[192];

	if (!check_host_links(r) || !check_plugs(r))
		return false;

	for (size_t i = 0; i < d->nr_links * 2; i++) {
		const struct lab_endpoint *a = &d->links[i / 2].end[i % 2];

		for (size_t j = 0; j < i; j++) {
			const struct lab_endpoint *b = &d->links[j / 2].end[j % 2];

			if (a->node == b->node && !strcmp(a->ifname, b->ifname)) {
				snprintf(where, sizeof(where), "topology.links[%zu].endpoints",
					 i / 2);
				return fail_at(r, d->links[i / 2].line, where,
					       "an interface can be the end of one link only");
			}
		}
	}
	for (size_t n = 0; n < d->nr_nodes; n++) {
		const struct lab_node *node = &d->nodes[n];

		for (size_t i = 0; i < node->nr_addresses; i++)
			if (!has_interface(d, n, node->addresses[i].ifname)) {
				snprintf(where, sizeof(where), "topology.nodes.%s.addresses.%s",
					 node->name, node->addresses[i].ifname);
				return fail_at(r, node->addresses[i].line, where,
					       "no link of the lab ends at this interface");
			}
		for (size_t i = 0; i < node->nr_routes; i++)
			if (*node->routes[i].dev && !has_interface(d, n, node->routes[i].dev)) {
				snprintf(where, sizeof(where), "topology.nodes.%s.routes[%zu].dev",
					 node->name, i);
				return fail_at(r, node->routes[i].line, where,
					       "no link of the lab ends at this interface");
			}
	}
	return true;
}

/* Characters that no YAML file may have are found ahead of the lines: libyaml gives their offset only. */
static unsigned line_at(FILE *in, size_t offset)
{
	unsigned line = 1;
	int c;

	rewind(in);
	while (offset-- && (c = getc(in)) != EOF)
		line += c == '\n';
	return line;
}

static bool fail_yaml(struct reader *r, const yaml_parser_t *parser, FILE *in, int err)
{
	if (ferror(in))
		return fail_at(r, 1, "file", strerror(err));
	return fail_at(r,
		       parser->error == YAML_READER_ERROR ? line_at(in, parser->problem_offset)
							  : (unsigned)parser->problem_mark.line + 1,
		       "YAML", parser->problem ? parser->problem : "cannot be read");
}

/* A second document would be silently ignored. */
static bool check_end(struct reader *r, yaml_parser_t *parser, FILE *in)
{
	yaml_document_t next;
	yaml_node_t *root;

	errno = 0;
	if (!yaml_parser_load(parser, &next))
		return fail_yaml(r, parser, in, errno);
	root = yaml_document_get_root_node(&next);
	if (root)
		fail_at(r, line_of(root), "file", "a second document; a lab is one");
	yaml_document_delete(&next);
	return !root;
}

static bool read_document(struct reader *r, FILE *in)
{
	yaml_parser_t parser;
	yaml_node_t *root;
	bool ok = false;

	if (!yaml_parser_initialize(&parser))
		return fail_at(r, 1, "file", "out of memory");
	yaml_parser_set_input_file(&parser, in);
	errno = 0;
	if (!yaml_parser_load(&parser, &r->doc)) {
		fail_yaml(r, &parser, in, errno);
		yaml_parser_delete(&parser);
		return false;
	}
	root = yaml_document_get_root_node(&r->doc);
	if (!root)
		fail_at(r, 1, "file", "is empty; a lab needs 'name' and 'topology'");
	else
		ok = read_mapping(r, root, lab_fields, NR_FIELDS(lab_fields), r->desc) &&
		     (*r->desc->name || fail(r, root, "'name' is missing")) &&
		     (r->desc->nr_nodes || fail(r, root, "'topology' is missing")) &&
		     check_whole(r) && check_end(r, &parser, in);
	yaml_document_delete(&r->doc);
	yaml_parser_delete(&parser);
	return ok;
}

struct lab_desc *lab_desc_read_stream(FILE *in, const char *name, char **ret_error)
{
	struct reader r = { 0 };

	r.desc = calloc(1, sizeof(*r.desc));
	if (r.desc) {
		r.desc->file = strdup(name);
		r.desc->trace = r.desc->report = true;
	}
	if (!r.desc || !r.desc->file || !read_document(&r, in)) {
		lab_desc_free(r.desc);
		r.desc = NULL;
		*ret_error = r.error ? r.error : strdup("out of memory");
	}
	return r.desc;
}

struct lab_desc *lab_desc_read(const char *path, char **ret_error)
{
	struct lab_desc *d;
	FILE *in = fopen(path, "re");

	if (!in) {
		if (asprintf(ret_error, "%s: %s", path, strerror(errno)) < 0)
			*ret_error = NULL;
		return NULL;
	}
	d = lab_desc_read_stream(in, path, ret_error);
	fclose(in);
	return d;
}

int lab_desc_find_node(const struct lab_desc *d, const char *name)
{
	for (size_t i = 0; i < d->nr_nodes; i++)
		if (!strcmp(d->nodes[i].name, name))
			return (int)i;
	return -1;
}

static void strv_free(char **v)
{
	for (char **p = v; p && *p; p++)
		free(*p);
	free(v);
}

static void processes_free(struct lab_process *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(p[i].name);
		strv_free(p[i].argv);
		strv_free(p[i].env);
		free(p[i].workdir);
		free(p[i].wait.path);
	}
	free(p);
}

void lab_desc_free(struct lab_desc *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->nr_nodes; i++) {
		struct lab_node *n = &d->nodes[i];

		for (size_t s = 0; s < n->nr_sysctls; s++) {
			free(n->sysctls[s].name);
			free(n->sysctls[s].value);
		}
		processes_free(n->processes, n->nr_processes);
		processes_free(n->exec, n->nr_exec);
		strv_free(n->env);
		free(n->sysctls);
		free(n->addresses);
		free(n->routes);
		free(n->hostname);
		free(n->workdir);
	}
	for (size_t i = 0; i < d->nr_links; i++)
		card_free(&d->links[i].card);
	for (size_t i = 0; i < d->nr_plugs; i++)
		card_free(&d->plugs[i].card);
	free(d->media);
	free(d->plugs);
	free(d->nodes);
	free(d->links);
	free(d->host_links);
	free(d->file);
	free(d);
}
