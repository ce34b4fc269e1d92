// SPDX-License-Identifier: BSD-2-Clause
/* The report subcommand: what sources sent against what sinks received, tail loss included. */
#include "lab/lab.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lab/flags.h"
#include "lab/run.h"

struct report {
	struct br_ssrcs ssrcs;
	uint64_t max_loss;
	bool from_first, until_last, json;
	const char *output;
	cJSON *sources; /* array of results */
	cJSON *result;
	uint64_t faults;
};

/* One receiver against all sources. */
struct row {
	uint64_t sent, received, lost, duplicates, reordered, auth_failures, altered_bytes;
	uint64_t alien, rtcp_sent, rtcp_received;
};

static const cJSON *find_stream(const cJSON *holder, uint64_t ssrc)
{
	const cJSON *stream;

	cJSON_ArrayForEach (stream, cJSON_GetObjectItemCaseSensitive(holder, "streams"))
		if (br_json_u64(stream, "ssrc") == ssrc)
			return stream;
	return NULL;
}

/* Packets that a receiver should have of a stream. */
static uint64_t expected(const struct report *report, const cJSON *sent, const cJSON *got)
{
	uint64_t first = br_json_u64(sent, "first_sequence");
	uint64_t last = br_json_u64(sent, "last_sequence");

	if (!br_json_u64(sent, "packets"))
		return 0;
	/* A stream of which nothing came has no first packet: all of it is lost. */
	if (got && br_json_u64(got, "received")) {
		if (report->from_first)
			first = br_json_u64(got, "first_sequence");
		if (report->until_last)
			last = br_json_u64(got, "last_sequence");
	}
	return last >= first ? last - first + 1 : 0;
}

static void add_sent(const struct report *report, const cJSON *receiver, struct row *row)
{
	const cJSON *source, *stream;

	cJSON_ArrayForEach (source, report->sources) {
		cJSON_ArrayForEach (stream, cJSON_GetObjectItemCaseSensitive(source, "streams")) {
			uint64_t ssrc = br_json_u64(stream, "ssrc"), want, have;
			const cJSON *got = find_stream(receiver, ssrc);

			if (!br_ssrcs_contain(&report->ssrcs, (uint32_t)ssrc))
				continue;
			want = expected(report, stream, got);
			have = got ? br_json_u64(got, "received") : 0;
			row->sent += want;
			row->received += have;
			row->lost += want > have ? want - have : 0;
			row->rtcp_sent += br_json_u64(stream, "rtcp");
			row->rtcp_received += got ? br_json_u64(got, "rtcp") : 0;
			/* More than was sent: not from this source. */
			row->alien += have > want ? have - want : 0;
		}
	}
}

/* Packets of streams that no source sent, or that this receiver should not see. */
static void add_alien(const struct report *report, const cJSON *receiver, struct row *row)
{
	const cJSON *stream, *source;

	cJSON_ArrayForEach (stream, cJSON_GetObjectItemCaseSensitive(receiver, "streams")) {
		uint64_t ssrc = br_json_u64(stream, "ssrc");
		bool known = false;

		cJSON_ArrayForEach (source, report->sources)
			known = known || find_stream(source, ssrc);
		if (!known || !br_ssrcs_contain(&report->ssrcs, (uint32_t)ssrc))
			row->alien += br_json_u64(stream, "received");
	}
	row->alien += br_json_u64(receiver, "unexpected_ssrc") +
		      br_json_u64(receiver, "unexpected_source") + br_json_u64(receiver, "not_rtp");
}

static const char *judge(const struct report *report, const struct row *row)
{
	if (!row->sent)
		return "nothing was sent";
	if (row->altered_bytes)
		return "payload altered";
	if (row->auth_failures)
		return "authentication failed";
	if (row->lost > report->max_loss)
		return row->received ? "packets lost" : "nothing received";
	if (row->duplicates)
		return "duplicates";
	if (row->alien)
		return "packets of others";
	return NULL;
}

static void add_receiver(struct report *report, const char *file, const cJSON *receiver)
{
	struct row row = {
		.duplicates = br_json_u64(receiver, "duplicates"),
		.reordered = br_json_u64(receiver, "reordered"),
		.auth_failures = br_json_u64(receiver, "auth_failures"),
		.altered_bytes = br_json_u64(receiver, "altered_bytes"),
	};
	cJSON *json = cJSON_CreateObject();
	const char *fault;

	add_sent(report, receiver, &row);
	add_alien(report, receiver, &row);
	fault = judge(report, &row);
	report->faults += fault != NULL;
	cJSON_AddStringToObject(json, "file", file);
	cJSON_AddNumberToObject(json, "port", (double)br_json_u64(receiver, "port"));
	cJSON_AddNumberToObject(json, "sent", (double)row.sent);
	cJSON_AddNumberToObject(json, "received", (double)row.received);
	cJSON_AddNumberToObject(json, "lost", (double)row.lost);
	cJSON_AddNumberToObject(json, "duplicates", (double)row.duplicates);
	cJSON_AddNumberToObject(json, "reordered", (double)row.reordered);
	cJSON_AddNumberToObject(json, "auth_failures", (double)row.auth_failures);
	cJSON_AddNumberToObject(json, "altered_bytes", (double)row.altered_bytes);
	cJSON_AddNumberToObject(json, "alien", (double)row.alien);
	cJSON_AddNumberToObject(json, "rtcp_sent", (double)row.rtcp_sent);
	cJSON_AddNumberToObject(json, "rtcp_received", (double)row.rtcp_received);
	cJSON_AddItemToObject(json, "fault",
			      fault ? cJSON_CreateString(fault) : cJSON_CreateNull());
	cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(report->result, "receivers"), json);
	if (report->json)
		return;
	printf("%-20.20s %5" PRIu64 " %9" PRIu64 " %9" PRIu64 " %7" PRIu64 " %6" PRIu64 " %6" PRIu64
	       " %6" PRIu64 " %8" PRIu64 " %6" PRIu64 " %5" PRIu64 "/%-5" PRIu64 " %s\n",
	       file, br_json_u64(receiver, "port"), row.sent, row.received, row.lost,
	       row.duplicates, row.reordered, row.auth_failures, row.altered_bytes, row.alien,
	       row.rtcp_received, row.rtcp_sent, fault ? fault : "good");
}

/* Sort the files into sources and sinks by what they say they are. */
static int load_files(const struct br_command *command, struct report *report, int count,
		      char **files, cJSON *sinks)
{
	for (int i = 0; i < count; i++) {
		struct br_error error = {0};
		cJSON *json = NULL;

		if (br_json_load(files[i], &json, &error))
			return br_flags_fail(command, files[i], "%s", error.detail);
		if (br_json_is(json, "source")) {
			cJSON_AddItemToArray(report->sources, json);
		} else if (br_json_is(json, "sink")) {
			cJSON_DeleteItemFromObjectCaseSensitive(json, "file");
			cJSON_AddStringToObject(json, "file", files[i]);
			cJSON_AddItemToArray(sinks, json);
		} else {
			cJSON_Delete(json);
			return br_flags_fail(command, files[i],
					     "expected a result of blindrelay-lab source or sink");
		}
	}
	if (!cJSON_GetArraySize(report->sources))
		return br_flags_fail(command, "SOURCE",
				     "expected at least one result of blindrelay-lab source");
	if (!cJSON_GetArraySize(sinks))
		return br_flags_fail(command, "SINK",
				     "expected at least one result of blindrelay-lab sink");
	return -1;
}

static int run(const struct br_command *command, struct report *report, int count, char **files)
{
	cJSON *sinks = cJSON_CreateArray();
	const cJSON *sink, *receiver;
	int status;

	report->sources = cJSON_CreateArray();
	report->result = cJSON_CreateObject();
	cJSON_AddStringToObject(report->result, "kind", "report");
	cJSON_AddArrayToObject(report->result, "receivers");
	status = load_files(command, report, count, files, sinks);
	if (status >= 0)
		goto out;
	if (!report->json)
		printf("%-20s %5s %9s %9s %7s %6s %6s %6s %8s %6s %11s %s\n", "file", "port",
		       "sent", "received", "lost", "dupl", "reord", "auth", "altered", "alien",
		       "rtcp", "verdict");
	cJSON_ArrayForEach (sink, sinks) {
		const cJSON *file = cJSON_GetObjectItemCaseSensitive(sink, "file");

		cJSON_ArrayForEach (receiver, cJSON_GetObjectItemCaseSensitive(sink, "receivers"))
			add_receiver(report, file->valuestring, receiver);
	}
	cJSON_AddNumberToObject(report->result, "faults", (double)report->faults);
	status = report->faults ? BR_LAB_VERDICT : BR_LAB_OK;
	if (br_json_output(report->result, report->json, false, report->output))
		status = BR_LAB_FAILED;
out:
	cJSON_Delete(sinks);
	cJSON_Delete(report->sources);
	cJSON_Delete(report->result);
	return status;
}

int br_lab_report(int argc, char **argv)
{
	struct report report = {0};
	/* clang-format off */ /* one flag a line reads best */
	const struct br_flag flags[] = {
		{"--ssrc", BR_FLAG_SSRCS, &report.ssrcs, 0, 0, "LIST", "streams that receivers should have; default all"},
		{"--max-loss", BR_FLAG_NUMBER, &report.max_loss, 0, 1ULL << 40, "N", "packets that a receiver may lose; default 0"},
		{"--from-first", BR_FLAG_SWITCH, &report.from_first, 0, 0, NULL, "count from the first packet received (late joiner)"},
		{"--until-last", BR_FLAG_SWITCH, &report.until_last, 0, 0, NULL, "count to the last packet received (early leaver)"},
		{"-o", BR_FLAG_TEXT, &report.output, 0, 0, "FILE", "write the result as JSON"},
		{"--json", BR_FLAG_SWITCH, &report.json, 0, 0, NULL, "print JSON, not a table"},
	};
	/* clang-format on */
	const struct br_command command = {
		.name = "report",
		.summary = "Compare what sources sent with what sinks received; loss is exact.",
		.positional = "SOURCE.json... SINK.json...",
		.examples = "  blindrelay-lab report source.json sink.json\n"
			    "  blindrelay-lab report --max-loss 3 --from-first a.json b.json "
			    "sink.json\n",
		.flags = flags,
		.flag_count = sizeof(flags) / sizeof(flags[0]),
	};
	int files, status = br_flags_parse(&command, argc, argv, &files);

	if (status >= 0)
		return status;
	if (!files)
		return br_flags_fail(&command, "SOURCE", "expected result files; see --help");
	return run(&command, &report, files, argv);
}
