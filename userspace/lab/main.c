// SPDX-License-Identifier: BSD-2-Clause
/* blindrelay-lab: traffic source, sink and verifier. Wiring only. */
#include <stdio.h>
#include <string.h>

#include "lab/flags.h"
#include "lab/lab.h"
#include "lib/text.h"
#include "lib/version.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"genkey", br_lab_genkey, "make an SRTP key file"},
	{"source", br_lab_source, "send SRTP from any number of publishers"},
	{"sink", br_lab_sink, "receive at any number of ports, authenticate and compare"},
	{"junk", br_lab_junk, "flood a relay with frames that are wrong"},
	{"report", br_lab_report, "exact loss from the results of sources and sinks"},
	{"compare", br_lab_compare, "compare captures of a sender and of receivers"},
};

#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *to)
{
	fprintf(to, "blindrelay-lab: traffic source, sink and verifier for SRTP relays\n\n"
		    "usage: blindrelay-lab COMMAND [FLAGS]\n\n");
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-9s %s\n", commands[i].name, commands[i].help);
	fprintf(to, "\nblindrelay-lab COMMAND --help shows flags and examples.\n");
}

int main(int argc, char **argv)
{
	const char *known[COMMANDS], *nearest;
	char name[BR_QUOTE_TEXT];

	if (argc < 2) {
		usage(stderr);
		return BR_LAB_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
		usage(stdout);
		return BR_LAB_OK;
	}
	if (!strcmp(argv[1], "--version")) {
		printf("blindrelay-lab %s\n", BR_VERSION);
		return BR_LAB_OK;
	}
	for (size_t i = 0; i < COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 2, argv + 2);
		known[i] = commands[i].name;
	}
	nearest = br_text_nearest(argv[1], known, COMMANDS);
	fprintf(stderr, "blindrelay-lab: %s: unknown command%s%s%s; --help lists them\n",
		br_text_name(argv[1], name), nearest ? ", did you mean " : "",
		nearest ? nearest : "", nearest ? "?" : "");
	return BR_LAB_USAGE;
}
