/* SPDX-License-Identifier: BSD-2-Clause */
/* page.h - what the generated manual pages share */
#ifndef TOOLS_MAN_PAGE_H
#define TOOLS_MAN_PAGE_H

#include <stdio.h>

/* Text that is not markup: what would begin a macro or an escape does not; a tab is a blank. */
static inline void page_text(FILE *f, const char *text)
{
	if (*text == '.' || *text == '\'')
		fputs("\\&", f);
	for (; *text; text++) {
		if (*text == '\\')
			fputs("\\e", f);
		else
			fputc(*text == '\t' || *text == '\n' ? ' ' : *text, f);
	}
}

static inline void page_begin(FILE *f, const char *title, const char *name, const char *what)
{
	fprintf(f,
		".\\\" Generated when weir is built.\n.Dd November 22, 2026\n.Dt %s 7\n.Os\n"
		".Sh NAME\n.Nm %s\n.Nd %s\n.Sh DESCRIPTION\n",
		title, name, what);
}

#endif
