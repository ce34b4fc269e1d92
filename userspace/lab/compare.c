// SPDX-License-Identifier: BSD-2-Clause
/* The compare subcommand: captures of a sender and of receivers. */
#include "lab/lab.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lab/capture.h"
#include "lab/flags.h"
#include "lab/match.h"
#include "lab/run.h"

struct compare {
	struct br_ssrcs ssrcs;
	uint64_t relay_port, sent_port, received_port; /* 0: any */
	uint64_t max_loss;
	bool from_first, until_last, allow_unknown, streams, json;
	const char *output;
	struct br_match match;
	cJSON *result;
	uint64_t faults;
};

/* Columns in the table and members in JSON, for a stream and for a receiver. */
struct row {
	struct br_match_result rtp, rtcp;
	uint64_t unknown, truncated, fragments;
};

static void add(struct br_match_result *to, const struct br_match_result *from)
{
	to->sent += from->sent;
	to->received += from->received;
	to->lost += from->lost;
	to->duplicates += from->duplicates;
	to->reordered += from->reordered;
	to->altered_packets += from->altered_packets;
	to->altered_bytes += from->altered_bytes;
}

static cJSON *result_json(const struct br_match_result *result)
{
	cJSON *json = cJSON_CreateObject();

	cJSON_AddNumberToObject(json, "sent", (double)result->sent);
	cJSON_AddNumberToObject(json, "received", (double)result->received);
	cJSON_AddNumberToObject(json, "lost", (double)result->lost);
	cJSON_AddNumberToObject(json, "duplicates", (double)result->duplicates);
	cJSON_AddNumberToObject(json, "reordered", (double)result->reordered);
	cJSON_AddNumberToObject(json, "altered_packets", (double)result->altered_packets);
	cJSON_AddNumberToObject(json, "altered_bytes", (double)result->altered_bytes);
	return json;
}

static const char *judge(const struct compare *compare, const struct row *row)
{
	if (row->rtp.altered_packets || row->rtcp.altered_packets)
		return "payload altered";
	if (row->truncated)
		return "capture cut short (snap length)";
	if (!row->rtp.received && !row->rtcp.received)
		return "nothing received";
	if (row->rtp.lost + row->rtcp.lost > compare->max_loss)
		return "packets lost";
	if (row->rtp.duplicates || row->rtcp.duplicates)
		return "duplicates";
	if (row->unknown && !compare->allow_unknown)
		return "packets never sent";
	return NULL;
}

static void print_head(void)
{
	printf("%-24s %-5s %8s %9s %6s %6s %6s %8s %8s  %s\n", "receiver", "kind", "sent",
	       "received", "lost", "dupl", "reord", "altered", "unknown", "verdict");
}

static void print_result(const char *name, const char *kind, const struct br_match_result *result,
			 uint64_t unknown, const char *verdict)
{
	printf("%-24.24s %-5s %8" PRIu64 " %9" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64
	       " %8" PRIu64 " %8" PRIu64 "  %s\n",
	       name, kind, result->sent, result->received, result->lost, result->duplicates,
	       result->reordered, result->altered_bytes, unknown, verdict);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void print_receiver(const struct compare *compare, const char *path, const struct row *row,
			   const char *fault)
{
	const char *verdict = fault ? fault : "good";

	print_result(base_name(path), "RTP", &row->rtp, row->unknown, verdict);
	if (row->rtcp.sent || row->rtcp.received)
		print_result("", "RTCP", &row->rtcp, 0, "");
	for (size_t i = 0; compare->streams && i < compare->match.count; i++) {
		const struct br_sent_stream *stream = &compare->match.streams[i];
		char name[24];

		snprintf(name, sizeof(name), "  0x%08x", stream->ssrc);
		print_result(name, stream->rtcp ? "RTCP" : "RTP", &stream->result, 0, "");
	}
	if (row->fragments)
		printf("  %" PRIu64 " IP fragments were not looked into\n", row->fragments);
}

static void add_receiver(struct compare *compare, const char *path,
			 const struct br_capture *received)
{
	struct row row = {.truncated = received->truncated, .fragments = received->fragments};
	cJSON *json = cJSON_CreateObject(), *streams;
	const char *fault;

	br_match_receiver(&compare->match, received, compare->from_first, compare->until_last);
	row.unknown = compare->match.unknown;
	cJSON_AddStringToObject(json, "file", path);
	streams = cJSON_CreateArray();
	for (size_t i = 0; i < compare->match.count; i++) {
		const struct br_sent_stream *stream = &compare->match.streams[i];
		cJSON *item = result_json(&stream->result);

		add(stream->rtcp ? &row.rtcp : &row.rtp, &stream->result);
		cJSON_AddNumberToObject(item, "ssrc", stream->ssrc);
		cJSON_AddStringToObject(item, "kind", stream->rtcp ? "rtcp" : "rtp");
		cJSON_AddItemToArray(streams, item);
	}
	fault = judge(compare, &row);
	compare->faults += fault != NULL;
	cJSON_AddItemToObject(json, "rtp", result_json(&row.rtp));
	cJSON_AddItemToObject(json, "rtcp", result_json(&row.rtcp));
	cJSON_AddNumberToObject(json, "unknown", (double)row.unknown);
	cJSON_AddNumberToObject(json, "truncated", (double)row.truncated);
	cJSON_AddNumberToObject(json, "fragments", (double)row.fragments);
	cJSON_AddItemToObject(json, "fault",
			      fault ? cJSON_CreateString(fault) : cJSON_CreateNull());
	cJSON_AddItemToObject(json, "streams", streams);
	cJSON_AddItemToArray(cJSON_GetObjectItemCaseSensitive(compare->result, "receivers"), json);
	if (!compare->json)
		print_receiver(compare, path, &row, fault);
}

/* Read what was sent. -1 to go on, else the exit status. */
static int load_sent(const struct br_command *command, struct compare *compare, const char *path,
		     struct br_capture *sent)
{
	struct br_capture_filter filter = {
		.ssrcs = &compare->ssrcs,
		.destination_port =
			(uint16_t)(compare->sent_port ? compare->sent_port : compare->relay_port),
	};
	struct br_error error = {0};
	uint64_t repeats = 0;

	if (br_capture_read(path, &filter, sent, &error))
		return br_flags_fail(command, error.field, "%s", error.detail);
	if (sent->truncated)
		return br_flags_fail(command, path,
				     "expected whole packets, %" PRIu64
				     " are cut short; capture with tcpdump -s 0",
				     sent->truncated);
	if (!sent->count)
		return br_flags_fail(command, path,
				     "expected RTP or RTCP packets, found none among %" PRIu64
				     " frames (see --relay-port, --sent-port, --ssrc)",
				     sent->frames);
	if (br_match_open(&compare->match, sent)) {
		br_flags_fail(command, path, "out of memory");
		return BR_LAB_FAILED;
	}
	for (size_t i = 0; i < compare->match.count; i++)
		repeats += compare->match.streams[i].repeats;
	cJSON_AddStringToObject(compare->result, "kind", "compare");
	cJSON_AddStringToObject(compare->result, "file", path);
	cJSON_AddNumberToObject(compare->result, "sent", (double)sent->count);
	cJSON_AddNumberToObject(compare->result, "sent_again", (double)repeats);
	cJSON_AddNumberToObject(compare->result, "sent_fragments", (double)sent->fragments);
	cJSON_AddArrayToObject(compare->result, "receivers");
	if (!compare->json)
		printf("%s: %zu packets, %" PRIu64 " of them sent again, %zu streams\n",
		       base_name(path), sent->count, repeats, compare->match.count);
	return -1;
}

static int run(const struct br_command *command, struct compare *compare, int count, char **files)
{
	struct br_capture_filter filter = {
		.ssrcs = &compare->ssrcs,
		.source_port = (uint16_t)compare->relay_port,
		.destination_port = (uint16_t)compare->received_port,
	};
	struct br_capture sent = {0}, received = {0};
	struct br_error error = {0};
	int status;

	compare->result = cJSON_CreateObject();
	status = load_sent(command, compare, files[0], &sent);
	if (status >= 0)
		goto out;
	if (!compare->json)
		print_head();
	for (int i = 1; i < count; i++) {
		if (br_capture_read(files[i], &filter, &received, &error)) {
			status = br_flags_fail(command, error.field, "%s", error.detail);
			goto out;
		}
		add_receiver(compare, files[i], &received);
		br_capture_free(&received);
	}
	cJSON_AddNumberToObject(compare->result, "faults", (double)compare->faults);
	status = compare->faults ? BR_LAB_VERDICT : BR_LAB_OK;
	if (br_json_output(compare->result, compare->json, false, compare->output))
		status = BR_LAB_FAILED;
out:
	br_capture_free(&received);
	br_match_close(&compare->match);
	br_capture_free(&sent);
	cJSON_Delete(compare->result);
	return status;
}

int br_lab_compare(int argc, char **argv)
{
	struct compare compare = {0};
	/* clang-format off */ /* one flag a line reads best */
	const struct br_flag flags[] = {
		{"--relay-port", BR_FLAG_NUMBER, &compare.relay_port, 1, 65535, "N", "sent: only to this port; received: only from it"},
		{"--sent-port", BR_FLAG_NUMBER, &compare.sent_port, 1, 65535, "N", "sent: only to this port"},
		{"--received-port", BR_FLAG_NUMBER, &compare.received_port, 1, 65535, "N", "received: only to this port"},
		{"--ssrc", BR_FLAG_SSRCS, &compare.ssrcs, 0, 0, "LIST", "only these SSRCs, as in 0x1000-0x1003,77"},
		{"--from-first", BR_FLAG_SWITCH, &compare.from_first, 0, 0, NULL, "leave out what was sent before the first received (late joiner)"},
		{"--until-last", BR_FLAG_SWITCH, &compare.until_last, 0, 0, NULL, "leave out what was sent after the last received (early leaver)"},
		{"--max-loss", BR_FLAG_NUMBER, &compare.max_loss, 0, 1ULL << 40, "N", "packets that a receiver may lose; default 0"},
		{"--allow-unknown", BR_FLAG_SWITCH, &compare.allow_unknown, 0, 0, NULL, "packets that were never sent are no fault"},
		{"--streams", BR_FLAG_SWITCH, &compare.streams, 0, 0, NULL, "a line for each SSRC too"},
		{"-o", BR_FLAG_TEXT, &compare.output, 0, 0, "FILE", "write the result as JSON"},
		{"--json", BR_FLAG_SWITCH, &compare.json, 0, 0, NULL, "print JSON, not a table"},
	};
	/* clang-format on */
	const struct br_command command = {
		.name = "compare",
		.summary = "Compare captures of a sender and of receivers, packet by packet, byte "
			   "by byte.",
		.positional = "SENT.pcap RECEIVED.pcap...",
		.examples = "  tcpdump -i eth0 -s 0 -U -w sent.pcap udp       # and the same at a "
			    "receiver\n"
			    "  blindrelay-lab compare --relay-port 5000 sent.pcap received-*.pcap\n"
			    "  blindrelay-lab compare --ssrc 0x1234 --from-first --json sent.pcap "
			    "late.pcap\n",
		.flags = flags,
		.flag_count = sizeof(flags) / sizeof(flags[0]),
	};
	int files, status = br_flags_parse(&command, argc, argv, &files);

	if (status >= 0)
		return status;
	if (files < 2)
		return br_flags_fail(
			&command, files ? "RECEIVED.pcap" : "SENT.pcap",
			"expected a capture of the sender and of at least one receiver");
	return run(&command, &compare, files, argv);
}
