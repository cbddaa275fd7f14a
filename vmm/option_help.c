/* vmm/option_help.c - help text from the table, in 79 columns. */
#include <string.h>

#include "vmm/base/bits.h"
#include "vmm/option_impl.h"

enum { HELP_COLUMNS = 79, HELP_TEXT_AT = 26, HELP_SUB_TEXT_AT = 30 };

/* Words of @text from column @at on; the cursor is at column @col. */
static void put_wrapped(FILE *f, const char *text, int col, int at)
{
	while (*text) {
		int len = (int)strcspn(text, " ");

		if (col > at && col + 1 + len > HELP_COLUMNS) {
			fputc('\n', f);
			col = 0;
		}
		if (col < at)
			col += fprintf(f, "%*s", at - col, "");
		else if (col > at)
			col += fprintf(f, " ");
		col += fprintf(f, "%.*s", len, text);
		text += len;
		text += strspn(text, " ");
	}
	fputc('\n', f);
}

/* Text beside a label, or below it when the label is too long. */
static void put_entry(FILE *f, const char *label, const char *text, int at)
{
	int col = fprintf(f, "%s", label);

	if (col + 2 > at) {
		fputc('\n', f);
		col = 0;
	}
	put_wrapped(f, text, col, at);
}

static void label_of(const struct option_desc *o, char *buf, size_t len)
{
	char dash[8] = "    ";

	if (o->operand) {
		snprintf(buf, len, "  %s%s", o->name,
			 option_repeats(o) ? "..." : "");
		return;
	}
	if (o->short_name)
		snprintf(dash, sizeof(dash), "-%c, ", o->short_name);
	snprintf(buf, len, "  %s--%s%s%s", dash, o->name, o->arg ? " " : "",
		 o->arg ? o->arg : "");
}

static void put_subs(FILE *f, const struct option_desc *o)
{
	for (const struct option_desc *s = o->subs; s->name; s++) {
		char label[96];

		if (option_takes_value(s))
			snprintf(label, sizeof(label), "%*s%s%s%s%s", 8, "",
				 s->implicit ? "[" : "", s->name,
				 s->implicit ? "=]" : "=", s->arg);
		else
			snprintf(label, sizeof(label), "%*s%s", 8, "", s->name);
		put_entry(f, label, s->help, HELP_SUB_TEXT_AT);
	}
}

static void put_option(FILE *f, const struct option_desc *o, bool full)
{
	char label[160];

	label_of(o, label, sizeof(label));
	put_entry(f, label, o->help, HELP_TEXT_AT);
	if (!full)
		return;
	if (o->more)
		put_wrapped(f, o->more, 0, HELP_TEXT_AT);
	if (o->subs)
		put_subs(f, o);
}

static void put_head(FILE *f, const struct option_table *t)
{
	fprintf(f, "Usage: coffer %s %s\n", t->verb, t->synopsis);
	put_wrapped(f, t->summary, 0, 0);
}

void option_print_short_help(const struct option_table *t, FILE *f)
{
	put_head(f, t);
	fputc('\n', f);
	for (const struct option_section *s = t->sections; s->title; s++)
		for (const struct option_desc *o = s->options; o->name; o++)
			put_option(f, o, false);
	/* The page of "owner session" is that of "owner". */
	fprintf(f, "\nMore: coffer %s --help, coffer-%.*s(1)\n", t->verb,
		(int)strcspn(t->verb, " "), t->verb);
}

void option_print_long_help(const struct option_table *t, FILE *f)
{
	put_head(f, t);
	for (const struct option_section *s = t->sections; s->title; s++) {
		if (*s->title)
			fprintf(f, "\n%s\n", s->title);
		for (const struct option_desc *o = s->options; o->name; o++)
			put_option(f, o, true);
	}
	if (t->epilogue) {
		fputc('\n', f);
		t->epilogue(f);
	}
}
