/* SPDX-License-Identifier: BSD-2-Clause */
/* Everything that was measured, as a table, as JSON and as plots. */
#ifndef BR_BENCH_REPORT_H
#define BR_BENCH_REPORT_H

#include <stdio.h>

#include "bench.h"
#include "daemon.h"
#include "peers.h"
#include "profile.h"

#define BR_REPORT_ROWS	64
#define BR_REPORT_PEERS 8

struct br_report_row {
	const struct br_bench_case *spec;
	struct br_bench_result result;
};

struct br_report {
	struct br_report_row rows[BR_REPORT_ROWS];
	size_t count;
	struct br_peer_result peers[BR_REPORT_PEERS];
	size_t peer_count;
	struct br_profile_result profiles[BR_PROFILES_MAX];
	size_t profile_count;
	bool has_join, has_memory;
	struct br_join_result join;
	struct br_memory_result memory;
};

/** br_report_row - the row of a case; NULL when it was not measured */
const struct br_report_row *br_report_row(const struct br_report *report, const char *name);

/* table.c: one line or block each, as soon as it is known */
void br_report_head(FILE *out);
void br_report_print_row(FILE *out, const struct br_report_row *row);
void br_report_print_join(FILE *out, const struct br_join_result *join);
void br_report_print_memory(FILE *out, const struct br_memory_result *memory);
void br_report_print_peer(FILE *out, const struct br_peer_result *peer);
void br_report_print_profile(FILE *out, const struct br_profile_result *profile);

/* json.c */
/** br_report_save - write the JSON (layout: see README); 0 or negative errno */
int br_report_save(const char *path, const struct br_report *report);

/* plots.c */
/** br_report_plot - write the SVG files into @folder, those for which there are figures */
int br_report_plot(const char *folder, const struct br_report *report);

/* targets.c */
#define BR_TARGETS_MAX 16
struct br_target {
	const char *what;
	double value, limit;
	bool at_least; /* the value should not be below the limit; else not above */
	bool reached;
};
/** br_report_targets - those of which all figures were measured; returns how many */
size_t br_report_targets(const struct br_report *report,
			 struct br_target targets[static BR_TARGETS_MAX]);
void br_report_print_targets(FILE *out, const struct br_report *report);

#endif
