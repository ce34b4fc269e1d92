// SPDX-License-Identifier: BSD-2-Clause
/* What people read. */
#include "report.h"

#include <string.h>

#define BR_TABLE_MAPS 12 /* lines of the memory table */

const struct br_report_row *br_report_row(const struct br_report *report, const char *name)
{
	for (size_t i = 0; i < report->count; i++)
		if (!strcmp(report->rows[i].spec->name, name))
			return &report->rows[i];
	return NULL;
}

void br_report_head(FILE *out)
{
	fprintf(out, "%-16s %-8s %-6s %-7s %5s %5s %6s %8s %8s %6s %10s %7s %7s\n", "case",
		"service", "family", "xdp", "bytes", "recv", "rooms", "ns/copy", "bare ns", "ratio",
		"copies/s", "lost", "refused");
}

void br_report_print_row(FILE *out, const struct br_report_row *row)
{
	const struct br_bench_case *spec = row->spec;
	const struct br_bench_result *result = &row->result;

	fprintf(out, "%-16s %-8s %-6s %-7s %5u %5u %6u %8.1f %8.1f %6.2f %10.0f %7llu %7llu",
		spec->name, "fan-out", br_bench_family(spec), spec->generic ? "generic" : "native",
		spec->bytes, spec->receivers, spec->rooms, result->ns_per_copy, result->limit_ns,
		result->ratio, result->packets_per_s, (unsigned long long)result->lost,
		(unsigned long long)result->refused);
	if (result->scaling > 0)
		fprintf(out, "  %.2f x one CPU", result->scaling);
	fputc('\n', out);
}

void br_report_print_join(FILE *out, const struct br_join_result *join)
{
	fprintf(out,
		"\njoin by API to first copy, %zu joins: median %.2f ms, 90 %% %.2f, 99 %% %.2f, "
		"longest %.2f; the API has answered after %.2f ms\n",
		join->count, join->median_ms, join->p90_ms, join->p99_ms, join->max_ms,
		join->answer_ms);
}

void br_report_print_memory(FILE *out, const struct br_memory_result *memory)
{
	uint64_t rest = memory->bytes;

	fprintf(out, "\nkernel memory of all maps, default tables: %.1f MiB, %.0f bytes per leg\n",
		(double)memory->bytes / 1048576, (double)memory->bytes / memory->legs);
	for (size_t i = 0; i < memory->count && i < BR_TABLE_MAPS; i++) {
		const struct br_memory_map *map = &memory->maps[i];

		fprintf(out, "    %-16s %4u map%s %10.1f KiB %8.1f bytes per leg\n", map->name,
			map->maps, map->maps == 1 ? " " : "s", (double)map->bytes / 1024,
			(double)map->bytes / memory->legs);
		rest -= map->bytes;
	}
	if (memory->count > BR_TABLE_MAPS)
		fprintf(out, "    %-16s %9s %10.1f KiB %8.1f bytes per leg\n", "others", "",
			(double)rest / 1024, (double)rest / memory->legs);
}

void br_report_print_peer(FILE *out, const struct br_peer_result *peer)
{
	fprintf(out, "%-18s %-30s %5u bytes ", peer->peer->name, peer->peer->title,
		peer->peer->bytes);
	if (!peer->installed) {
		fprintf(out, " not installed (scripts/install-deps.sh bench)\n");
		return;
	}
	fprintf(out, "%9.0f packets/s", peer->packets_per_s);
	if (peer->cpu > 0)
		fprintf(out, ", %3.0f %% of a core", peer->cpu * 100);
	if (peer->own_packets_per_s > 0)
		fprintf(out, "; ours (%s) %.0f, %.1f times that", peer->peer->versus,
			peer->own_packets_per_s, peer->own_packets_per_s / peer->packets_per_s);
	fputc('\n', out);
}

void br_report_print_profile(FILE *out, const struct br_profile_result *profile)
{
	double rest = profile->ns_per_copy;

	fprintf(out, "\nwhere the time of %s goes, ns per copy\n", profile->spec->name);
	for (size_t i = 0; i < profile->count; i++) {
		fprintf(out, "    %-34s %8.1f in %.2f runs\n", profile->parts[i].name,
			profile->parts[i].ns, profile->parts[i].runs);
		rest -= profile->parts[i].ns;
	}
	fprintf(out, "    %-34s %8.1f\n    %-34s %8.1f (with statistics %.1f)\n",
		"kernel: rings, polling, cloning", rest, "all", profile->ns_per_copy,
		profile->ns_per_copy + profile->statistics_ns);
}

void br_report_print_targets(FILE *out, const struct br_report *report)
{
	struct br_target targets[BR_TARGETS_MAX];
	size_t count = br_report_targets(report, targets);

	if (count)
		fprintf(out, "\n%-46s %9s %10s\n", "to reach", "measured", "limit");
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%-46s %9.2f %s %7.2f  %s\n", targets[i].what, targets[i].value,
			targets[i].at_least ? ">=" : "<=", targets[i].limit,
			targets[i].reached ? "reached" : "not reached");
}
