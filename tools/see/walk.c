/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * walk.c - the story of one packet
 *
 * Theory of operation
 *   A record with verdict CREATE says that skb_id was made from related. Any other record with a related id says that skb_id went into
 *   related (a merge). From the packet asked for we collect its family in two passes over the recorder:
 *     backwards, newest record first: ancestors, each with the time at which the child was made (what happened to the
 *     ancestor later is somebody else's story);
 *     forwards, oldest first: successors, each with the time from which it carries our packet.
 *   The family is small (a handful of ids), so a linear list is enough.
 */
#include "see/walk.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "see/paths.h"

/* ---- filters ------------------------------------------------------------------------------------------- */

/*
 * libpcap is opened when the first filter is compiled: few commands need it, and it brings in a dozen libraries, which would be most of
 * what a start costs.
 */
struct pcap_lib {
	void *handle;
	__typeof__(pcap_open_dead) *open_dead;
	__typeof__(pcap_compile) *compile;
	__typeof__(pcap_geterr) *geterr;
	__typeof__(pcap_close) *close;
	__typeof__(pcap_freecode) *freecode;
	__typeof__(pcap_offline_filter) *offline_filter;
};

struct walk_filter {
	bool any;
	struct bpf_program prog;
	struct pcap_lib lib;
};

static bool pcap_lib_open(struct pcap_lib *l)
{
	static const char *const names[] = { "libpcap.so.0.8", "libpcap.so.1", "libpcap.so" };
	const struct {
		const char *name;
		void *at;
	} functions[] = {
		{ "pcap_open_dead", &l->open_dead }, { "pcap_compile", &l->compile },
		{ "pcap_geterr", &l->geterr },       { "pcap_close", &l->close },
		{ "pcap_freecode", &l->freecode },   { "pcap_offline_filter", &l->offline_filter },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]) && !l->handle; i++)
		l->handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!l->handle)
		return false;
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		void *f = dlsym(l->handle, functions[i].name);

		if (!f)
			return false;
		memcpy(functions[i].at, &f, sizeof(f)); /* ISO C has no conversion */
	}
	return true;
}

struct walk_filter *walk_filter_compile(const char *expr, char **ret_error)
{
	struct walk_filter *f = calloc(1, sizeof(*f));
	struct pcap_lib *l;
	pcap_t *dead;

	if (!f) {
		*ret_error = strdup("out of memory");
		return NULL;
	}
	if (!expr || !*expr) {
		f->any = true;
		return f;
	}
	l = &f->lib;
	if (!pcap_lib_open(l)) {
		*ret_error = strdup("filters need libpcap, which cannot be loaded");
		walk_filter_free(f);
		return NULL;
	}
	dead = l->open_dead(DLT_EN10MB, 65535);
	if (dead && l->compile(dead, &f->prog, expr, 1, PCAP_NETMASK_UNKNOWN) == 0) {
		l->close(dead);
		return f;
	}
	*ret_error = strdup(dead ? l->geterr(dead) : "out of memory");
	if (dead)
		l->close(dead);
	walk_filter_free(f);
	return NULL;
}

void walk_filter_free(struct walk_filter *f)
{
	if (!f)
		return;
	if (f->prog.bf_insns)
		f->lib.freecode(&f->prog);
	if (f->lib.handle)
		dlclose(f->lib.handle);
	free(f);
}

bool walk_filter_match(struct walk_filter *f, const struct recorded_frame *frame)
{
	struct pcap_pkthdr h = { .caplen = frame->caplen, .len = frame->len };

	return f->any || f->lib.offline_filter(&f->prog, &h, frame->data) != 0;
}

/* ---- finding ------------------------------------------------------------------------------------------- */

const struct recorded_frame *walk_find_last(const struct recorder *r, uint32_t net_id,
					    struct walk_filter *f, uint32_t min_len)
{
	for (uint64_t s = recorder_frames_end(r); s > recorder_frames_begin(r); s--) {
		const struct recorded_frame *frame = recorder_frame(r, s - 1);

		if ((!net_id || frame->net_id == net_id) && frame->len >= min_len &&
		    walk_filter_match(f, frame))
			return frame;
	}
	return NULL;
}

uint64_t walk_find_last_drop(const struct recorder *r, uint32_t net_id)
{
	for (uint64_t s = recorder_records_end(r); s > recorder_records_begin(r); s--) {
		const struct weir_trace_record *rec = recorder_record(r, s - 1);

		if (rec->verdict == WEIR_DROP && (!net_id || rec->net_id == net_id))
			return rec->skb_id;
	}
	return 0;
}

/* ---- the family of a packet ---------------------------------------------------------------------------- */

#define FAMILY_MAX 64

struct relative {
	uint64_t id;
	uint64_t from, until; /* record sequence numbers in [from, until) belong to the story */
};

struct family {
	struct relative r[FAMILY_MAX];
	unsigned n;
	bool full; /* somebody had no room */
};

static struct relative *family_find(struct family *f, uint64_t id)
{
	for (unsigned i = 0; i < f->n; i++)
		if (f->r[i].id == id)
			return &f->r[i];
	return NULL;
}

static void family_add(struct family *f, uint64_t id, uint64_t from, uint64_t until)
{
	if (!id || family_find(f, id))
		return;
	if (f->n == FAMILY_MAX)
		f->full = true;
	else
		f->r[f->n++] = (struct relative){ id, from, until };
}

static void family_collect(struct family *f, const struct recorder *r, uint64_t id)
{
	uint64_t begin = recorder_records_begin(r), end = recorder_records_end(r);

	f->n = 0;
	f->full = false;
	family_add(f, id, begin, end);
	for (uint64_t s = end; s > begin; s--) {
		const struct weir_trace_record *rec = recorder_record(r, s - 1);

		if (rec->verdict == WEIR_CREATE && rec->related && family_find(f, rec->skb_id))
			family_add(f, rec->related, begin, s - 1);
	}
	for (uint64_t s = begin; s < end; s++) {
		const struct weir_trace_record *rec = recorder_record(r, s);
		const struct relative *m;

		if (rec->verdict == WEIR_CREATE || !rec->related)
			continue;
		m = family_find(f, rec->skb_id);
		if (m && s >= m->from && s < m->until)
			family_add(f, rec->related, s + 1, end);
	}
}

/* ---- printing ------------------------------------------------------------------------------------------ */

static const struct {
	const char *folder;
	unsigned depth;
} layer_depth[] = {
	{ "socket/", 0 }, { "tcp/", 1 },  { "udp/", 1 },  { "inet/", 1 },  { "packet/", 1 },
	{ "ipv4/", 2 },   { "ipv6/", 2 }, { "core/", 3 }, { "sched/", 3 }, { "drivers/", 4 },
};

static unsigned depth_of(const char *file)
{
	for (size_t i = 0; i < sizeof(layer_depth) / sizeof(layer_depth[0]); i++)
		if (strncmp(file, layer_depth[i].folder, strlen(layer_depth[i].folder)) == 0)
			return layer_depth[i].depth;
	return 3;
}

/* IPv4 addresses, Ethernet types and reasons to wait are known by the names of their arguments. */
static void print_arg(FILE *out, const char *name, uint64_t v)
{
	static const char *const addresses[] = { "daddr", "saddr", "nexthop" };
	static const char *const held[] = { "not", "driver", "lock", "policy", "quota" };

	if (!name)
		return;
	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++)
		if (!strcmp(name, addresses[i])) {
			struct in_addr a = { htonl((uint32_t)v) };

			fprintf(out, " %s=%s", name, inet_ntoa(a));
			return;
		}
	if (!strcmp(name, "held") && v < sizeof(held) / sizeof(held[0])) {
		fprintf(out, " held=%s", held[v]);
		return;
	}
	fprintf(out, !strcmp(name, "protocol") && v > 255 ? " %s=0x%04" PRIx64 : " %s=%" PRIu64,
		name, v);
}

static void print_record(FILE *out, const struct recorder *r, const struct weir_trace_record *rec,
			 uint64_t t0)
{
	static const char *const verdicts[] = { "", "DROPPED", "done", "queued", "taken", "made" };
	unsigned depth = depth_of(rec->file);
	char what[96];

	snprintf(what, sizeof(what), "%*s%s", (int)(2 * depth), "", rec->point);
	fprintf(out, "  %10.6f ms  %-10s %-16s %-34s %-24s len %-6" PRIu32,
		(double)(int64_t)(rec->time - t0) / 1e6,
		rec->net_id ? recorder_net_name(r, rec->net_id) : "-",
		weir_context_name(rec->context), what, rec->file, rec->len);
	print_arg(out, rec->arg1_name, rec->arg1);
	print_arg(out, rec->arg2_name, rec->arg2);
	if (rec->verdict != WEIR_PASS && rec->verdict < 6)
		fprintf(out, "  %s", verdicts[rec->verdict]);
	if (rec->related)
		fprintf(out, rec->verdict == WEIR_CREATE ? " from #%" PRIu64 : " into #%" PRIu64,
			rec->related);
	if (rec->reason)
		fprintf(out, " %s: %s", weir_drop_reason_name(recorder_machine(r), rec->reason),
			weir_drop_reason_help(recorder_machine(r), rec->reason));
	fputc('\n', out);
}

unsigned walk_print(FILE *out, const struct recorder *r, uint64_t id)
{
	struct family family;
	unsigned lines = 0;
	uint64_t last_id = 0, t0 = 0;
	struct paths_line path;
	struct paths paths;

	paths_init(&paths);
	family_collect(&family, r, id);
	for (uint64_t s = recorder_records_begin(r); s < recorder_records_end(r); s++) {
		const struct weir_trace_record *rec = recorder_record(r, s);
		const struct relative *m = family_find(&family, rec->skb_id);

		if (!m || s < m->from || s >= m->until)
			continue;
		if (!lines)
			t0 = rec->time;
		if (paths_feed(&paths, rec, &path))
			fprintf(out, "  = %s\n", path.text);
		if (rec->skb_id != last_id)
			fprintf(out, "  packet #%" PRIu64 "\n", rec->skb_id);
		last_id = rec->skb_id;
		print_record(out, r, rec, t0);
		lines++;
	}
	if (paths_feed(&paths, NULL, &path))
		fprintf(out, "  = %s\n", path.text);
	if (family.full)
		fprintf(out, "  ... and more packets that are related\n");
	if (lines && recorder_lost(r))
		fprintf(out, "  (%" PRIu64 " records of the lab were lost: steps may be missing)\n",
			recorder_lost(r));
	return lines;
}

/* ---- describing a frame -------------------------------------------------------------------------------- */

static uint32_t get16(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
	return get16(p) << 16 | get16(p + 2);
}

/* What both IP versions say about a packet. */
struct ip_text {
	char src[INET6_ADDRSTRLEN + 3],
		dst[INET6_ADDRSTRLEN + 3]; /* IPv6: in brackets when a port follows */
	uint8_t proto;
	uint32_t hlen; /* to the transport header, from the frame's begin */
	uint32_t len;  /* of the transport header and its payload */
};

static bool describe_ipv4(const struct recorded_frame *f, struct ip_text *t)
{
	const uint8_t *ip = f->data + 14;
	uint32_t hlen = (ip[0] & 15) * 4u, total;

	if (f->caplen < 14 + 20)
		return false;
	total = get16(ip + 2);
	inet_ntop(AF_INET, ip + 12, t->src, sizeof(t->src));
	inet_ntop(AF_INET, ip + 16, t->dst, sizeof(t->dst));
	t->proto = ip[9];
	t->hlen = 14 + hlen;
	t->len = (total ? total : f->len - 14) - hlen;
	return true;
}

/* Steps over extension headers; stops at what it cannot read. */
static bool describe_ipv6(const struct recorded_frame *f, struct ip_text *t)
{
	const uint8_t *ip = f->data + 14;
	uint32_t off = 14 + 40, end;

	if (f->caplen < off)
		return false;
	inet_ntop(AF_INET6, ip + 8, t->src, sizeof(t->src));
	inet_ntop(AF_INET6, ip + 24, t->dst, sizeof(t->dst));
	t->proto = ip[6];
	end = off + (get16(ip + 4) ? get16(ip + 4) : f->len - off);
	while ((t->proto == IPPROTO_HOPOPTS || t->proto == IPPROTO_DSTOPTS ||
		t->proto == IPPROTO_ROUTING) &&
	       off + 8 <= f->caplen) {
		t->proto = f->data[off];
		off += (f->data[off + 1] + 1u) * 8;
	}
	t->hlen = off;
	t->len = end > off ? end - off : 0;
	return true;
}

static void add_brackets(char *addr)
{
	size_t n = strlen(addr);

	memmove(addr + 1, addr, n);
	addr[0] = '[';
	addr[n + 1] = ']';
	addr[n + 2] = '\0';
}

void walk_describe(const struct recorded_frame *frame, char *buf, size_t size)
{
	uint32_t cap = frame->caplen, type = cap >= 14 ? get16(frame->data + 12) : 0;
	struct ip_text t = { "", "", 0, 0, 0 };
	const uint8_t *l4;

	if (!(type == 0x0800 && describe_ipv4(frame, &t)) &&
	    !(type == 0x86dd && describe_ipv6(frame, &t))) {
		snprintf(buf, size, "frame of type 0x%04x, %" PRIu32 " octets", frame->protocol,
			 frame->len);
		return;
	}
	l4 = frame->data + t.hlen;
	if (type == 0x86dd && (t.proto == IPPROTO_TCP || t.proto == IPPROTO_UDP)) {
		add_brackets(t.src);
		add_brackets(t.dst);
	}
	if (t.proto == IPPROTO_TCP && cap >= t.hlen + 20)
		snprintf(buf, size,
			 "tcp %s:%u > %s:%u [%s%s%s%s%s] seq %" PRIu32 " ack %" PRIu32
			 " len %" PRIu32,
			 t.src, get16(l4), t.dst, get16(l4 + 2), l4[13] & 2 ? "S" : "",
			 l4[13] & 1 ? "F" : "", l4[13] & 4 ? "R" : "", l4[13] & 8 ? "P" : "",
			 l4[13] & 16 ? "." : "", get32(l4 + 4), get32(l4 + 8),
			 t.len - (l4[12] >> 4) * 4u);
	else if (t.proto == IPPROTO_UDP && cap >= t.hlen + 8)
		snprintf(buf, size, "udp %s:%u > %s:%u len %u", t.src, get16(l4), t.dst,
			 get16(l4 + 2), get16(l4 + 4) - 8);
	else
		snprintf(buf, size, "ip protocol %u %s > %s, %" PRIu32 " octets", t.proto, t.src,
			 t.dst, frame->len);
}
