// SPDX-License-Identifier: BSD-2-Clause
/* What the project wants to reach, beside what was measured. */
#include "report.h"

#include <stdio.h>

static void br_target_add(struct br_target *targets, size_t *count, const char *what, double value,
			  double limit, bool at_least)
{
	targets[(*count)++] = (struct br_target){
		.what = what,
		.value = value,
		.limit = limit,
		.at_least = at_least,
		.reached = at_least ? value >= limit : value <= limit,
	};
}

static double br_target_ratio(const struct br_report *report, const char *name)
{
	const struct br_report_row *row = br_report_row(report, name);

	return row ? row->result.ratio : 0;
}

/* ns per copy of one case ÷ that of another, 0 when one is missing. */
static double br_target_quotient(const struct br_report *report, const char *above,
				 const char *below)
{
	const struct br_report_row *a = br_report_row(report, above);
	const struct br_report_row *b = br_report_row(report, below);

	return a && b ? a->result.ns_per_copy / b->result.ns_per_copy : 0;
}

/* Our packets/s ÷ those of the best plain relay measured; 0 when there is none. */
static double br_target_peers(const struct br_report *report)
{
	double least = 0;

	for (size_t i = 0; i < report->peer_count; i++) {
		const struct br_peer_result *peer = &report->peers[i];
		double times;

		if (!peer->installed || !peer->peer->plain_relay || peer->packets_per_s <= 0 ||
		    peer->own_packets_per_s <= 0)
			continue;
		times = peer->own_packets_per_s / peer->packets_per_s;
		if (least <= 0 || times < least)
			least = times;
	}
	return least;
}

size_t br_report_targets(const struct br_report *report,
			 struct br_target targets[static BR_TARGETS_MAX])
{
	static const struct {
		const char *what, *above, *below; /* below NULL: the ratio to the bare operation */
		double limit;
	} rows[] = {
		{"copy with stamp / bare clone, N = 10", "n10", NULL, 1.10},
		{"copy with stamp / bare clone, N = 50", "n50", NULL, 1.10},
		{"N = 1 / bare redirect, same interface", "n1-redirect", NULL, 1.30},
		{"N = 1 / bare redirect, other interface", "n1-other", NULL, 1.30},
		{"ns per copy, N = 1000 / N = 50", "n1000", "n50", 1.30},
		{"10,000 rooms of 5 legs / one room", "n4-10000-rooms", "n4-one-room", 1.40},
		{"IPv6 / IPv4, N = 50", "n50-v6", "n50", 1.15},
	};
	double peers = br_target_peers(report);
	size_t count = 0;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		double value = rows[i].below
				       ? br_target_quotient(report, rows[i].above, rows[i].below)
				       : br_target_ratio(report, rows[i].above);

		if (value > 0)
			br_target_add(targets, &count, rows[i].what, value, rows[i].limit, false);
	}
	if (peers > 0)
		br_target_add(targets, &count, "our packets/s / best plain relay", peers, 20, true);
	if (report->has_join)
		br_target_add(targets, &count, "join by API to first copy, ms (median)",
			      report->join.median_ms, 5, false);
	if (report->has_memory)
		br_target_add(targets, &count, "kernel memory per leg, bytes",
			      (double)report->memory.bytes / report->memory.legs, 512, false);
	return count;
}
