/* SPDX-License-Identifier: BSD-2-Clause */
/* report.c - results of a batch as JSON and as JUnit XML */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "drill/batch.h"

static size_t failures(const struct drill_batch *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->nr; i++)
		n += !b->job[i].result.passed;
	return n;
}

int drill_batch_json(const struct drill_batch *b, FILE *out)
{
	json_t *list = json_array(), *all;
	int err = 0;

	for (size_t i = 0; i < b->nr; i++) {
		const struct drill_job *j = &b->job[i];
		json_t *o = json_pack("{s:s, s:s, s:b, s:f, s:f}", "script", j->path, "variant",
				      drill_variant_name[j->variant], "passed", j->result.passed,
				      "script_seconds", (double)j->result.ns / 1e9, "seconds",
				      j->seconds);

		if (!j->result.passed && o) {
			json_object_set_new(o, "line", json_integer(j->result.line));
			json_object_set_new(
				o, "message",
				json_string(j->result.message ? j->result.message : ""));
		}
		json_array_append_new(list, o);
	}
	all = json_pack("{s:i, s:i, s:o}", "passed", (int)(b->nr - failures(b)), "failed",
			(int)failures(b), "results", list);
	if (!all || json_dumpf(all, out, JSON_INDENT(1) | JSON_REAL_PRECISION(9)) ||
	    fputc('\n', out) < 0)
		err = -EIO;
	json_decref(all);
	return err;
}

/* Text of XML; what XML cannot say becomes '?'. */
static void put_xml(FILE *out, const char *s)
{
	for (; s && *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '&')
			fputs("&amp;", out);
		else if (c == '<')
			fputs("&lt;", out);
		else if (c == '>')
			fputs("&gt;", out);
		else if (c == '"')
			fputs("&quot;", out);
		else if (c < 0x20 && c != '\n' && c != '\t')
			fputc('?', out);
		else
			fputc(c, out);
	}
}

int drill_batch_junit(const struct drill_batch *b, FILE *out)
{
	fprintf(out,
		"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
		"<testsuite name=\"weir drill\" tests=\"%zu\" failures=\"%zu\">\n",
		b->nr, failures(b));
	for (size_t i = 0; i < b->nr; i++) {
		const struct drill_job *j = &b->job[i];

		fputs("  <testcase classname=\"", out);
		put_xml(out, drill_variant_name[j->variant]);
		fputs("\" name=\"", out);
		put_xml(out, j->path);
		fprintf(out, "\" time=\"%.3f\"", j->seconds);
		if (j->result.passed) {
			fputs("/>\n", out);
			continue;
		}
		fprintf(out, ">\n    <failure message=\"line %u\">", j->result.line);
		put_xml(out, j->result.message);
		fputs("</failure>\n    <system-out>", out);
		put_xml(out, j->output);
		fputs("</system-out>\n  </testcase>\n", out);
	}
	fputs("</testsuite>\n", out);
	return ferror(out) ? -EIO : 0;
}
