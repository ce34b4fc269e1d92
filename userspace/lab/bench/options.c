// SPDX-License-Identifier: BSD-2-Clause
#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "bench.h"
#include "lib/text.h"
#include "peers.h"

#define BR_OPTIONS_NAMES 80

static const char usage[] =
	"usage: blindrelay-bench [--quick] [--case NAME]... [--runs N] [--json FILE]\n"
	"                        [--plots FOLDER] [--list]\n"
	"\n"
	"Measures the fan-out service: nanoseconds per copy, beside the bare redirect or clone\n"
	"measured in turns with it; other relays; the time from joining by the API to the first\n"
	"copy; the memory of the kernel's tables. Needs root; works in network namespaces of its\n"
	"own, which vanish with it.\n"
	"\n"
	"  --quick         the short list, under a minute\n"
	"  --case NAME     only this case (may be given several times)\n"
	"  --runs N        runs per case, 1 to 31 (default 7, with --quick 3); medians are shown\n"
	"  --json FILE     write the results there as well\n"
	"  --plots FOLDER  write cost.svg, peers.svg and join.svg there\n"
	"  --list          list the names of the cases\n";

/* What is neither a case of the packet path nor a peer. */
static const char *const others[] = {"join", "memory", "profile"};
#define BR_OPTIONS_OTHERS (sizeof(others) / sizeof(others[0]))

static size_t br_options_names(const char *names[static BR_OPTIONS_NAMES])
{
	size_t count, cases_count;
	const struct br_bench_case *cases = br_bench_cases(&cases_count);

	for (count = 0; count < cases_count && count < BR_OPTIONS_NAMES; count++)
		names[count] = cases[count].name;
	for (size_t i = 0; i < br_peer_count() && count < BR_OPTIONS_NAMES; i++)
		names[count++] = br_peer_at(i)->name;
	for (size_t i = 0; i < BR_OPTIONS_OTHERS && count < BR_OPTIONS_NAMES; i++)
		names[count++] = others[i];
	return count;
}

static int br_options_case(struct br_bench_options *options, const char *name)
{
	const char *names[BR_OPTIONS_NAMES], *nearest;
	size_t count = br_options_names(names);
	char quoted[BR_QUOTE_TEXT];

	for (size_t i = 0; i < count; i++)
		if (!strcmp(names[i], name) && options->only_count < BR_OPTIONS_CASES) {
			options->only[options->only_count++] = names[i];
			return BR_OPTIONS_GO;
		}
	nearest = br_text_nearest(name, names, count);
	fprintf(stderr, "blindrelay-bench: --case: no case %s; %s%s%s\n",
		br_text_quote(name, strlen(name), quoted), nearest ? "did you mean \"" : "",
		nearest ? nearest : "--list names them", nearest ? "\"?" : "");
	return 2;
}

static int br_options_runs(struct br_bench_options *options, const char *text)
{
	char quoted[BR_QUOTE_TEXT];
	uint32_t runs;

	if (!br_text_to_u32(text, 1, BR_BENCH_RUNS_MAX, &runs)) {
		fprintf(stderr,
			"blindrelay-bench: --runs: expected an integer from 1 to %d, got %s\n",
			BR_BENCH_RUNS_MAX, br_text_quote(text, strlen(text), quoted));
		return 2;
	}
	options->runs = runs;
	return BR_OPTIONS_GO;
}

static int br_options_list(void)
{
	const char *names[BR_OPTIONS_NAMES];
	size_t count = br_options_names(names);

	for (size_t i = 0; i < count; i++)
		puts(names[i]);
	return 0;
}

static int br_options_one(struct br_bench_options *options, int option)
{
	switch (option) {
	case 'q':
		options->quick = true;
		return BR_OPTIONS_GO;
	case 'c':
		return br_options_case(options, optarg);
	case 'r':
		return br_options_runs(options, optarg);
	case 'j':
		options->json = optarg;
		return BR_OPTIONS_GO;
	case 'p':
		options->plots = optarg;
		return BR_OPTIONS_GO;
	case 'l':
		return br_options_list();
	case 'h':
		fputs(usage, stdout);
		return 0;
	default:
		fputs(usage, stderr);
		return 2;
	}
}

int br_options_parse(int argc, char **argv, struct br_bench_options *options)
{
	static const struct option longs[] = {
		{"quick", no_argument, NULL, 'q'},	 {"case", required_argument, NULL, 'c'},
		{"runs", required_argument, NULL, 'r'},	 {"json", required_argument, NULL, 'j'},
		{"plots", required_argument, NULL, 'p'}, {"list", no_argument, NULL, 'l'},
		{"help", no_argument, NULL, 'h'},	 {NULL, 0, NULL, 0},
	};
	int option, status = BR_OPTIONS_GO;

	while (status == BR_OPTIONS_GO &&
	       (option = getopt_long(argc, argv, "h", longs, NULL)) != -1)
		status = br_options_one(options, option);
	if (status == BR_OPTIONS_GO && optind < argc) {
		fprintf(stderr, "blindrelay-bench: expected no argument, got \"%s\"\n",
			argv[optind]);
		return 2;
	}
	return status;
}

bool br_options_want(const struct br_bench_options *options, const char *name, bool quick)
{
	if (!options->only_count)
		return quick || !options->quick;
	for (size_t i = 0; i < options->only_count; i++)
		if (!strcmp(options->only[i], name))
			return true;
	return false;
}
