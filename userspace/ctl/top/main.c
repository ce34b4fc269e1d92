// SPDX-License-Identifier: BSD-2-Clause
/* top: what the relay does now. */
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/top/top.h"

#define BR_TOP_TIMEOUT_S 5u  /* keys are not read meanwhile */
#define BR_TOP_LIST	 10u /* rooms, and legs, of a plain table */

static unsigned int top_sort_index(const char *name)
{
	unsigned int i = 0;

	while (name && i < BR_TOP_SORTS && strcmp(br_top_sorts[i].name, name) != 0)
		i++;
	return name ? i : 0;
}

int br_ctl_top(const struct br_ctl_args *args)
{
	struct br_ctl_args with = *args;
	struct br_top top = {.args = &with, .height = BR_TOP_LIST - 1};
	bool terminal = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
	bool plain = args->json || args->once || args->count || !terminal;
	bool ascii = args->ascii;
	int result = -1;

	with.timeout = BR_TOP_TIMEOUT_S;
	top.interval_s = args->interval > 0 ? args->interval : 1;
	top.sort = top_sort_index(args->sort);
	if (args->match)
		snprintf(top.match, sizeof(top.match), "%s", args->match);
	if (args->room) {
		snprintf(top.room, sizeof(top.room), "%s", args->room);
		top.page = BR_TOP_ROOM;
	}
	if (!plain) {
		/* the daemon must be there at first: a message is better than an empty screen */
		int got = br_top_fetch(&top);

		if (got < 0) {
			fprintf(stderr, "blindrelay top: %s\n", top.error);
			br_top_free(&top);
			return BR_CTL_FAILED;
		}
		setlocale(LC_CTYPE, "");
		ascii = ascii || strcmp(nl_langinfo(CODESET), "UTF-8") != 0;
		result = br_top_screen(&top, ascii);
		if (result < 0)
			fprintf(stderr,
				"blindrelay top: the terminal \"%s\" is not known; plain output\n",
				getenv("TERM") ? getenv("TERM") : "");
	}
	if (result < 0)
		result = br_top_plain(&top, args->once ? 1 : args->count);
	br_top_free(&top);
	return result;
}
