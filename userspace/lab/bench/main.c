// SPDX-License-Identifier: BSD-2-Clause
/* blindrelay-bench: what a copy costs, beside the bare operation it is made of. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib/log.h"
#include "net.h"
#include "options.h"
#include "report.h"
#include "traffic.h"

#define BR_BENCH_RUNS	     7
#define BR_BENCH_RUNS_QUICK  3
#define BR_BENCH_JOINS	     200
#define BR_BENCH_JOINS_QUICK 50

static struct br_report report;
static int failed;

/* What is going on, on a terminal only; the line is written over by the next one. */
static void show(const char *what)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r\033[K%s%s", what, *what ? " ..." : "");
}

static void complain(const char *name, const struct br_error *error)
{
	show("");
	fprintf(stderr, "%s: %s\n", name, error->detail);
	failed = 1;
}

static void measure_cases(const struct br_bench_options *options)
{
	size_t count;
	const struct br_bench_case *cases = br_bench_cases(&count);
	unsigned int runs = options->quick ? BR_BENCH_RUNS_QUICK : BR_BENCH_RUNS;
	struct br_error error = {0};
	bool head = false;

	for (size_t i = 0; i < count && report.count < BR_REPORT_ROWS; i++) {
		struct br_report_row *row = &report.rows[report.count];

		if (!br_options_want(options, cases[i].name, cases[i].quick))
			continue;
		row->spec = &cases[i];
		show(cases[i].name);
		if (cases[i].cpus > 1 && br_traffic_cpu(cases[i].cpus - 1) < 0) {
			show("");
			printf("%-16s needs %u CPUs\n", cases[i].name, cases[i].cpus);
			continue;
		}
		if (br_bench_measure(&cases[i], options->runs ? options->runs : runs, &row->result,
				     &error)) {
			complain(cases[i].name, &error);
			continue;
		}
		show("");
		if (!head)
			br_report_head(stdout);
		head = true;
		br_report_print_row(stdout, row);
		fflush(stdout);
		report.count++;
	}
}

static void measure_profiles(const struct br_bench_options *options)
{
	static const char *const names[] = {"n1", "n10", "n50"};
	struct br_error error = {0};

	if (!br_options_want(options, "profile", false))
		return;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		show("profile");
		if (br_profile_measure(br_bench_case_find(names[i]),
				       &report.profiles[report.profile_count], &error)) {
			complain("profile", &error);
			continue;
		}
		show("");
		br_report_print_profile(stdout, &report.profiles[report.profile_count++]);
		fflush(stdout);
	}
}

static void measure_daemon(const struct br_bench_options *options)
{
	bool join = br_options_want(options, "join", true);
	bool memory = br_options_want(options, "memory", true);
	struct br_error error = {0};
	struct br_daemon daemon;

	if (!join && !memory)
		return;
	show("join");
	if (br_daemon_start(&daemon, &error)) {
		complain("daemon", &error);
		return;
	}
	if (join && br_join_measure(&daemon, options->quick ? BR_BENCH_JOINS_QUICK : BR_BENCH_JOINS,
				    &report.join, &error))
		complain("join", &error);
	else
		report.has_join = join;
	if (memory && br_memory_measure(&daemon, &report.memory, &error))
		complain("memory", &error);
	else
		report.has_memory = memory;
	br_daemon_stop(&daemon);
	show("");
	if (report.has_join)
		br_report_print_join(stdout, &report.join);
	if (report.has_memory)
		br_report_print_memory(stdout, &report.memory);
	fflush(stdout);
}

static void measure_peers(const struct br_bench_options *options)
{
	struct br_error error = {0};

	for (size_t i = 0; i < br_peer_count() && report.peer_count < BR_REPORT_PEERS; i++) {
		const struct br_peer *peer = br_peer_at(i);
		struct br_peer_result *result = &report.peers[report.peer_count];
		const struct br_report_row *row = br_report_row(&report, peer->versus);

		if (!br_options_want(options, peer->name, peer->quick))
			continue;
		show(peer->name);
		if (br_peer_measure(peer, result, &error)) {
			complain(peer->name, &error);
			continue;
		}
		result->own_packets_per_s = row ? row->result.packets_per_s : 0;
		show("");
		if (!report.peer_count)
			putchar('\n');
		br_report_print_peer(stdout, result);
		fflush(stdout);
		report.peer_count++;
	}
}

static void save(const struct br_bench_options *options)
{
	int err = options->json ? br_report_save(options->json, &report) : 0;

	if (err) {
		fprintf(stderr, "blindrelay-bench: cannot write %s: %s\n", options->json,
			strerror(-err));
		failed = 1;
	}
	err = options->plots ? br_report_plot(options->plots, &report) : 0;
	if (err) {
		fprintf(stderr, "blindrelay-bench: cannot write plots to %s: %s\n", options->plots,
			strerror(-err));
		failed = 1;
	}
}

int main(int argc, char **argv)
{
	struct br_bench_options options = {0};
	struct br_error error = {0};
	int status = br_options_parse(argc, argv, &options);

	if (status != BR_OPTIONS_GO)
		return status;
	/* figures are per core: one CPU generates, copies and sinks */
	if (br_traffic_begin()) {
		perror("blindrelay-bench: cannot stay on one CPU");
		return 1;
	}
	if (br_net_begin(&error)) {
		fprintf(stderr, "blindrelay-bench: %s\n", error.detail);
		return 1;
	}
	br_log_set_level(BR_LOG_WARN);
	measure_cases(&options);
	measure_peers(&options);
	measure_profiles(&options);
	measure_daemon(&options);
	br_report_print_targets(stdout, &report);
	save(&options);
	return failed;
}
