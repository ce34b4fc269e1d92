// SPDX-License-Identifier: BSD-2-Clause
#include <stdio.h>
#include <string.h>

#include "ctl/ctl.h"
#include "lib/text.h"
#include "lib/version.h"

static void br_ctl_help(void)
{
	puts("usage: blindrelay [FLAG]... COMMAND [ARGUMENT]...\n\n"
	     "Look at a running blindrelayd and change its rooms.\n");
	for (const struct br_ctl_command *c = br_ctl_commands; c->name; c++)
		printf("  %-9s %-19s %s\n", c->name,
		       strlen(c->usage) < 20 ? c->usage : "ROOM NAME ...", c->summary);
	puts("\nflags, before or after the command:");
	br_ctl_flags_print(BR_FLAGS_GLOBAL);
	puts("\nexamples:\n"
	     "  a room, one camera, one wall that shows it:\n"
	     "    blindrelay create standup\n"
	     "    blindrelay add standup camera --address 192.0.2.7 --port 5004 --role publisher\n"
	     "    blindrelay add standup wall --address 192.0.2.9 --port 6000 --role subscriber\n"
	     "  who receives what, and does it arrive?\n"
	     "    blindrelay legs standup\n"
	     "  what one command takes:\n"
	     "    blindrelay add --help\n\n"
	     "Exit status: 0 done, 1 refused or not reachable, 2 wrong flags or arguments.");
}

static void br_ctl_command_help(const struct br_ctl_command *command)
{
	printf("usage: blindrelay %s%s%s [FLAG]...\n\n%s.\n", command->name,
	       *command->usage ? " " : "", command->usage, command->summary);
	if (*command->help)
		printf("\n%s", command->help);
	puts("\nflags:");
	br_ctl_flags_print(command->flags | BR_FLAGS_GLOBAL);
}

static const struct br_ctl_command *br_ctl_find(const char *name)
{
	const char *names[32];
	const char *nearest;
	size_t count = 0;

	for (const struct br_ctl_command *c = br_ctl_commands; c->name; c++) {
		if (!strcmp(c->name, name))
			return c;
		names[count++] = c->name;
	}
	nearest = br_text_nearest(name, names, count);
	fprintf(stderr, "blindrelay: unknown command \"%s\"", name);
	if (nearest)
		fprintf(stderr, "; did you mean \"%s\"?\n", nearest);
	else
		fprintf(stderr, "; `blindrelay --help` lists them\n");
	return NULL;
}

/* What was printed must have arrived: a full disk is a failure too. */
static int br_ctl_flush(int result)
{
	if (!fflush(stdout) && !ferror(stdout))
		return result;
	perror("blindrelay: standard output");
	return result ? result : BR_CTL_FAILED;
}

int main(int argc, char **argv)
{
	const struct br_ctl_command *command;
	struct br_ctl_args args = {0};
	int next = 1, err;

	err = br_ctl_parse(NULL, argc, argv, &args, &next);
	if (err)
		return err;
	if (args.given & BR_FLAG_BIT(BR_FLAG_VERSION)) {
		puts("blindrelay " BR_VERSION);
		return BR_CTL_OK;
	}
	if (next < argc && !strcmp(argv[next], "help") && next + 1 == argc)
		args.given |= BR_FLAG_BIT(BR_FLAG_HELP);
	if (args.given & BR_FLAG_BIT(BR_FLAG_HELP)) {
		br_ctl_help();
		return BR_CTL_OK;
	}
	if (next == argc) {
		fprintf(stderr, "blindrelay: expected a command; `blindrelay --help` lists them\n");
		return BR_CTL_USAGE;
	}
	command = br_ctl_find(argv[next++]);
	if (!command)
		return BR_CTL_USAGE;
	err = br_ctl_parse(command, argc, argv, &args, &next);
	if (err)
		return err;
	if (args.given & BR_FLAG_BIT(BR_FLAG_HELP)) {
		br_ctl_command_help(command);
		return BR_CTL_OK;
	}
	return br_ctl_flush(command->run(&args));
}
