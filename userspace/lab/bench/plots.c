// SPDX-License-Identifier: BSD-2-Clause
/* The pictures: cost over the size of the room, peers, joins. */
#include "report.h"

#include <errno.h>
#include <string.h>

#include "stats.h"
#include "svg.h"

#define BR_PLOT_BINS  40
#define BR_PLOT_POINT 16

static FILE *br_plot_open(const char *folder, const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return fopen(path, "we");
}

static int br_plot_close(FILE *file)
{
	int bad = ferror(file);

	return fclose(file) || bad ? -EIO : 0;
}

/* Points of one series: cases that differ in the number of receivers only. */
struct br_plot_series {
	double receivers[BR_PLOT_POINT], relay[BR_PLOT_POINT], bare[BR_PLOT_POINT];
	size_t count;
};

static void br_plot_collect(const struct br_report *report, uint32_t bytes, bool generic,
			    struct br_plot_series *series, double *most)
{
	series->count = 0;
	for (size_t i = 0; i < report->count && series->count < BR_PLOT_POINT; i++) {
		const struct br_bench_case *spec = report->rows[i].spec;
		const struct br_bench_result *result = &report->rows[i].result;

		if (spec->from != 4 || spec->to != 4 || spec->bytes != bytes ||
		    spec->generic != generic || spec->rooms != 1 || spec->cpus != 1 ||
		    spec->other || !strcmp(spec->name, "n4-one-room") ||
		    spec->bare == BR_BARE_REDIRECT)
			continue;
		series->receivers[series->count] = spec->receivers;
		series->relay[series->count] = result->ns_per_copy;
		series->bare[series->count++] = result->limit_ns;
		if (result->ns_per_copy > *most)
			*most = result->ns_per_copy;
		if (result->limit_ns > *most)
			*most = result->limit_ns;
	}
}

static int br_plot_cost(const char *folder, const struct br_report *report)
{
	static const double ticks[] = {1, 2, 3, 10, 50, 100, 300, 1000};
	struct br_plot_series large, small, generic;
	double most = 0;
	struct br_svg svg = {
		.x = {"receivers of a packet", 1, 1000, true, ticks, 8},
		.y = {.title = "ns per copy"},
	};
	FILE *file;

	br_plot_collect(report, 1200, false, &large, &most);
	br_plot_collect(report, 160, false, &small, &most);
	br_plot_collect(report, 1200, true, &generic, &most);
	if (large.count < 2)
		return 0;
	file = br_plot_open(folder, "cost.svg");
	if (!file)
		return -errno;
	svg.y.to = most * 1.4;
	br_svg_begin(&svg, file, "What a copy costs: one core that generates, copies and sinks");
	br_svg_line(&svg, "relay, 1200 bytes", BR_SVG_OWN, large.receivers, large.relay,
		    large.count);
	br_svg_line(&svg, "bare operation, 1200 bytes", BR_SVG_BARE, large.receivers, large.bare,
		    large.count);
	if (small.count > 1)
		br_svg_line(&svg, "relay, 160 bytes", BR_SVG_THIRD, small.receivers, small.relay,
			    small.count);
	if (generic.count > 1)
		br_svg_line(&svg, "relay, generic XDP, 1200 bytes", BR_SVG_FOURTH,
			    generic.receivers, generic.relay, generic.count);
	br_svg_end(&svg);
	return br_plot_close(file);
}

static void br_plot_peer_rows(struct br_svg *svg, const struct br_report *report, size_t rows)
{
	size_t row = 0;

	for (size_t i = 0; i < report->peer_count; i++) {
		const struct br_peer_result *peer = &report->peers[i];
		char label[96], text[96];

		if (!peer->installed)
			continue;
		snprintf(label, sizeof(label), "%s, %u bytes", peer->peer->title,
			 peer->peer->bytes);
		snprintf(text, sizeof(text), "%.0f packets/s", peer->packets_per_s);
		br_svg_row(svg, BR_SVG_BARE, row++, rows, peer->packets_per_s, label, text);
		if (peer->own_packets_per_s <= 0)
			continue;
		snprintf(label, sizeof(label), "ours, 1:%u, %u bytes", peer->peer->receivers,
			 peer->peer->bytes);
		snprintf(text, sizeof(text), "%.0f packets/s, %.1f times that",
			 peer->own_packets_per_s, peer->own_packets_per_s / peer->packets_per_s);
		br_svg_row(svg, BR_SVG_OWN, row++, rows, peer->own_packets_per_s, label, text);
	}
}

static int br_plot_peers(const char *folder, const struct br_report *report)
{
	struct br_svg svg = {.x = {.title = "packets/s to receivers"}};
	size_t rows = 0;
	FILE *file;

	for (size_t i = 0; i < report->peer_count; i++) {
		const struct br_peer_result *peer = &report->peers[i];

		if (!peer->installed)
			continue;
		rows += peer->own_packets_per_s > 0 ? 2 : 1;
		if (peer->packets_per_s > svg.x.to)
			svg.x.to = peer->packets_per_s;
		if (peer->own_packets_per_s > svg.x.to)
			svg.x.to = peer->own_packets_per_s;
	}
	if (!rows)
		return 0;
	file = br_plot_open(folder, "peers.svg");
	if (!file)
		return -errno;
	svg.y.to = 1;
	br_svg_begin(&svg, file, "Other relays on this machine, one core each");
	br_plot_peer_rows(&svg, report, rows);
	br_svg_end(&svg);
	return br_plot_close(file);
}

static int br_plot_join(const char *folder, const struct br_report *report)
{
	const struct br_join_result *join = &report->join;
	struct br_svg svg = {.x = {.title = "ms from the API request to the first copy"},
			     .y = {.title = "joins"}};
	size_t bins[BR_PLOT_BINS];
	char label[64];
	FILE *file;

	if (!report->has_join)
		return 0;
	svg.x.to = join->p99_ms * 1.25 > 0 ? join->p99_ms * 1.25 : 1;
	br_stats_histogram(join->ms, join->count, 0, svg.x.to, bins, BR_PLOT_BINS);
	for (size_t i = 0; i < BR_PLOT_BINS; i++)
		if ((double)bins[i] * 1.1 > svg.y.to)
			svg.y.to = (double)bins[i] * 1.1;
	file = br_plot_open(folder, "join.svg");
	if (!file)
		return -errno;
	br_svg_begin(&svg, file, "Join by API to first copy");
	for (size_t i = 0; i < BR_PLOT_BINS; i++)
		if (bins[i])
			br_svg_bar(&svg, BR_SVG_OWN, svg.x.to * (double)i / BR_PLOT_BINS,
				   svg.x.to * ((double)i + 0.9) / BR_PLOT_BINS, (double)bins[i]);
	snprintf(label, sizeof(label), "median %.2f ms", join->median_ms);
	br_svg_mark(&svg, join->median_ms, label);
	snprintf(label, sizeof(label), "99 %% within %.2f ms", join->p99_ms);
	br_svg_mark(&svg, join->p99_ms, label);
	br_svg_end(&svg);
	return br_plot_close(file);
}

int br_report_plot(const char *folder, const struct br_report *report)
{
	int err = br_plot_cost(folder, report);

	if (!err)
		err = br_plot_peers(folder, report);
	return err ? err : br_plot_join(folder, report);
}
