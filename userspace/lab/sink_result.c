// SPDX-License-Identifier: BSD-2-Clause
#include "lab/sink.h"

#include <inttypes.h>
#include <stdio.h>

#define TABLE_ROWS 32u

const char *br_sink_fault(const struct br_sink *sink, const struct br_receiver *receiver)
{
	struct br_receiver_sums sums = br_receiver_sum(receiver);

	if (receiver->altered_packets)
		return "payload altered";
	if (receiver->auth_failures)
		return "authentication failed";
	if (!receiver->unique && !receiver->rtcp)
		return "nothing received";
	if (sums.duplicates)
		return "duplicates";
	if (receiver->unexpected_ssrc)
		return "unexpected SSRC";
	if (receiver->unexpected_source)
		return "unexpected source";
	if (receiver->not_rtp)
		return "not RTP";
	if (sums.lost > sink->max_loss)
		return "packets lost";
	if (sums.late)
		return "packets too late to judge";
	if (sums.reordered > sink->max_reordered)
		return "packets reordered";
	if (receiver->unique < sink->expect)
		return "fewer packets than expected";
	return NULL;
}

static cJSON *delays_json(const struct br_delays *delays)
{
	static const struct {
		const char *name;
		unsigned int permille;
	} points[] = {{"p50", 500}, {"p90", 900}, {"p99", 990}};
	cJSON *json = cJSON_CreateObject();

	for (size_t i = 0; i < sizeof(points) / sizeof(points[0]); i++)
		cJSON_AddNumberToObject(json, points[i].name,
					(double)br_delays_percentile(delays, points[i].permille) /
						1e3);
	cJSON_AddNumberToObject(json, "max", (double)delays->max_ns / 1e3);
	return json;
}

static void add_streams(cJSON *json, const struct br_receiver *receiver)
{
	cJSON *streams = cJSON_AddArrayToObject(json, "streams");

	for (size_t i = 0; i < receiver->stream_slots; i++) {
		const struct br_stream *stream = receiver->streams[i];
		cJSON *item;

		if (!stream)
			continue;
		item = cJSON_CreateObject();
		cJSON_AddNumberToObject(item, "ssrc", stream->ssrc);
		cJSON_AddNumberToObject(item, "received", (double)stream->tally.unique);
		cJSON_AddNumberToObject(item, "bytes", (double)stream->bytes);
		cJSON_AddNumberToObject(item, "lost", (double)br_tally_lost(&stream->tally));
		cJSON_AddNumberToObject(item, "duplicates", (double)stream->tally.duplicates);
		cJSON_AddNumberToObject(item, "reordered", (double)stream->tally.reordered);
		cJSON_AddNumberToObject(item, "rtcp", (double)stream->rtcp);
		cJSON_AddNumberToObject(item, "first_sequence", (double)stream->tally.first);
		cJSON_AddNumberToObject(item, "last_sequence", (double)stream->tally.highest);
		cJSON_AddItemToArray(streams, item);
	}
}

static cJSON *receiver_json(const struct br_sink *sink, const struct br_receiver *receiver)
{
	struct br_receiver_sums sums = br_receiver_sum(receiver);
	const char *fault = br_sink_fault(sink, receiver);
	const struct {
		const char *name;
		uint64_t value;
	} numbers[] = {
		{"port", receiver->port},
		{"received", receiver->unique},
		{"bytes", receiver->bytes},
		{"lost", sums.lost},
		{"duplicates", sums.duplicates},
		{"reordered", sums.reordered},
		{"late", sums.late},
		{"auth_failures", receiver->auth_failures},
		{"altered_packets", receiver->altered_packets},
		{"altered_bytes", receiver->altered_bytes},
		{"unexpected_ssrc", receiver->unexpected_ssrc},
		{"unexpected_source", receiver->unexpected_source},
		{"not_rtp", receiver->not_rtp},
		{"rtcp", receiver->rtcp},
		{"socket_drops", receiver->socket_drops},
	};
	cJSON *json = cJSON_CreateObject();

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		cJSON_AddNumberToObject(json, numbers[i].name, (double)numbers[i].value);
	cJSON_AddItemToObject(json, "delay_us", delays_json(&receiver->delays));
	if (fault)
		cJSON_AddStringToObject(json, "fault", fault);
	else
		cJSON_AddNullToObject(json, "fault");
	add_streams(json, receiver);
	return json;
}

cJSON *br_sink_json(const struct br_sink *sink)
{
	cJSON *json = cJSON_CreateObject(), *receivers;
	char address[BR_ADDR_TEXT];

	if (sink->json_lines)
		cJSON_AddStringToObject(json, "event", "result");
	cJSON_AddStringToObject(json, "kind", "sink");
	cJSON_AddStringToObject(json, "suite", br_seal_name(sink->rules.seal));
	cJSON_AddNumberToObject(json, "seed", (double)sink->rules.seed);
	cJSON_AddStringToObject(json, "address", br_addr_format(&sink->bind.addr, address));
	cJSON_AddNumberToObject(json, "seconds", (double)(sink->ended_ns - sink->started_ns) / 1e9);
	cJSON_AddNumberToObject(json, "media_seconds",
				(double)(sink->last_ns - sink->first_ns) / 1e9);
	cJSON_AddStringToObject(json, "ended_by", sink->end ? sink->end : "error");
	receivers = cJSON_AddArrayToObject(json, "receivers");
	for (uint64_t i = 0; i < sink->receivers; i++)
		cJSON_AddItemToArray(receivers, receiver_json(sink, &sink->list[i]));
	return json;
}

static void print_row(const char *name, const struct br_receiver *receiver,
		      const struct br_receiver_sums *sums, const char *fault)
{
	const struct br_delays *delays = &receiver->delays;

	printf("%-8s %9" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %6" PRIu64 " %8" PRIu64
	       " %6" PRIu64 " %6" PRIu64 " %8.0f %8.0f %8.0f  %s\n",
	       name, receiver->unique, sums->lost, sums->duplicates, sums->reordered,
	       receiver->auth_failures, receiver->altered_bytes,
	       receiver->unexpected_ssrc + receiver->unexpected_source + receiver->not_rtp,
	       receiver->rtcp, (double)br_delays_percentile(delays, 500) / 1e3,
	       (double)br_delays_percentile(delays, 990) / 1e3, (double)delays->max_ns / 1e3,
	       fault ? fault : "good");
}

static void add_to_total(struct br_receiver *total, struct br_receiver_sums *sums,
			 const struct br_receiver *receiver)
{
	struct br_receiver_sums own = br_receiver_sum(receiver);

	total->unique += receiver->unique;
	total->auth_failures += receiver->auth_failures;
	total->altered_bytes += receiver->altered_bytes;
	total->unexpected_ssrc += receiver->unexpected_ssrc;
	total->unexpected_source += receiver->unexpected_source;
	total->not_rtp += receiver->not_rtp;
	total->rtcp += receiver->rtcp;
	total->socket_drops += receiver->socket_drops;
	br_delays_merge(&total->delays, &receiver->delays);
	sums->lost += own.lost;
	sums->duplicates += own.duplicates;
	sums->reordered += own.reordered;
}

void br_sink_print(const struct br_sink *sink)
{
	struct br_receiver_sums sums = {0};
	struct br_receiver total = {0};
	uint64_t rows = 0, faults = 0;
	char name[48];

	printf("%-8s %9s %6s %6s %6s %6s %8s %6s %6s %8s %8s %8s  %s\n", "port", "received", "lost",
	       "dupl", "reord", "auth", "altered", "alien", "rtcp", "p50 us", "p99 us", "max us",
	       "verdict");
	for (uint64_t i = 0; i < sink->receivers; i++) {
		const struct br_receiver *receiver = &sink->list[i];
		const char *fault = br_sink_fault(sink, receiver);
		struct br_receiver_sums own = br_receiver_sum(receiver);

		add_to_total(&total, &sums, receiver);
		faults += fault != NULL;
		/* In a long list only what is wrong is worth a line. */
		if (rows >= TABLE_ROWS || (sink->receivers > TABLE_ROWS && !fault))
			continue;
		rows++;
		snprintf(name, sizeof(name), "%u", receiver->port);
		print_row(name, receiver, &own, fault);
	}
	snprintf(name, sizeof(name), "%" PRIu64 " bad", faults);
	print_row("all", &total, &sums, faults ? name : NULL);
	if (total.socket_drops)
		printf("%" PRIu64 " packets were lost in this program's own sockets: raise "
		       "--buffer, or send slower\n",
		       total.socket_drops);
}
