// SPDX-License-Identifier: BSD-2-Clause
/* The source subcommand: flags, and what was sent as a table or JSON. */
#include "lab/lab.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "blindrelay/wire.h"
#include "lab/flags.h"
#include "lab/sender.h"
#include "lib/pattern.h"

#define TABLE_ROWS 32u

struct source {
	struct br_sender_options options;
	struct br_seal_flags key;
	const char *output;
	bool json;
};

static const char examples[] =
	"  blindrelay-lab genkey -o room.key\n"
	"  blindrelay-lab source --to 192.0.2.1:5000 --key-file room.key --rate 500 --duration 10\n"
	"  blindrelay-lab source --to [2001:db8::1]:5000 --key-file room.key --publishers 20 \\\n"
	"      --local-port 6000 --bitrate 2M --bytes 1200,160 --count 10000 -o source.json\n"
	"  blindrelay-lab source --to 127.0.0.1:5000 --suite none --rate max --burst 32\n";

static cJSON *to_json(const struct source *source, const struct br_sender *sender)
{
	double seconds = (double)(sender->ended_ns - sender->started_ns) / 1e9;
	cJSON *json = cJSON_CreateObject(), *streams;

	cJSON_AddStringToObject(json, "kind", "source");
	cJSON_AddStringToObject(json, "suite", br_seal_name(sender->seal));
	cJSON_AddNumberToObject(json, "seed", (double)source->options.seed);
	cJSON_AddNumberToObject(json, "seconds", seconds);
	cJSON_AddNumberToObject(json, "sent", (double)sender->sent);
	cJSON_AddNumberToObject(json, "packets_per_s",
				seconds > 0 ? (double)sender->sent / seconds : 0);
	cJSON_AddNumberToObject(json, "behind_ms", (double)sender->behind_ns / 1e6);
	cJSON_AddNumberToObject(json, "refused", (double)sender->refused);
	cJSON_AddNumberToObject(json, "returned", (double)sender->returned);
	cJSON_AddBoolToObject(json, "interrupted", sender->interrupted);
	streams = cJSON_AddArrayToObject(json, "streams");
	for (uint64_t i = 0; i < source->options.publishers; i++) {
		const struct br_publisher *publisher = &sender->publishers[i];
		uint64_t packets = publisher->next - publisher->first;
		cJSON *stream = cJSON_CreateObject();

		cJSON_AddNumberToObject(stream, "ssrc", publisher->ssrc);
		cJSON_AddNumberToObject(stream, "local_port", publisher->local_port);
		cJSON_AddNumberToObject(stream, "packets", (double)packets);
		cJSON_AddNumberToObject(stream, "bytes", (double)publisher->bytes);
		cJSON_AddNumberToObject(stream, "rtcp", (double)publisher->rtcp);
		cJSON_AddNumberToObject(stream, "first_sequence", (double)publisher->first);
		cJSON_AddNumberToObject(stream, "last_sequence",
					(double)(packets ? publisher->next - 1 : 0));
		cJSON_AddItemToArray(streams, stream);
	}
	return json;
}

static void print_table(const struct source *source, const struct br_sender *sender)
{
	double seconds = (double)(sender->ended_ns - sender->started_ns) / 1e9;

	printf("%-10s %6s %10s %12s %6s %10s %10s\n", "ssrc", "port", "packets", "bytes", "rtcp",
	       "first", "last");
	for (uint64_t i = 0; i < source->options.publishers && i < TABLE_ROWS; i++) {
		const struct br_publisher *publisher = &sender->publishers[i];

		printf("0x%08x %6u %10" PRIu64 " %12" PRIu64 " %6" PRIu64 " %10" PRIu64
		       " %10" PRIu64 "\n",
		       publisher->ssrc, publisher->local_port, publisher->next - publisher->first,
		       publisher->bytes, publisher->rtcp, publisher->first,
		       publisher->next > publisher->first ? publisher->next - 1 : 0);
	}
	if (source->options.publishers > TABLE_ROWS)
		printf("... and %" PRIu64 " more\n", source->options.publishers - TABLE_ROWS);
	printf("%" PRIu64 " packets in %.3f s, %.0f packets/s", sender->sent, seconds,
	       seconds > 0 ? (double)sender->sent / seconds : 0);
	if (sender->behind_ns)
		printf(", %.0f ms behind schedule", (double)sender->behind_ns / 1e6);
	if (sender->refused)
		printf(", %" PRIu64 " refused by ICMP", sender->refused);
	if (sender->returned)
		printf(", %" PRIu64 " came back", sender->returned);
	printf("%s\n", sender->interrupted ? ", interrupted" : "");
}

/* Combinations that the table of flags cannot check. -1 when all is well. */
static int check(const struct br_command *command, struct source *source,
		 const struct br_seal *seal)
{
	struct br_sender_options *options = &source->options;
	uint32_t tag = seal->suite ? seal->suite->rtp_tag : 0;
	uint32_t least = BR_RTP_HEADER + BR_PATTERN_MIN + tag;

	for (size_t i = 0; i < options->sizes.count; i++)
		if (options->sizes.bytes[i] < least)
			return br_flags_fail(command, "--bytes",
					     "expected at least %u (RTP header, stamp and tag of "
					     "%s), got %u",
					     least, br_seal_name(seal), options->sizes.bytes[i]);
	if (options->from.family && options->from.family != options->to.addr.family)
		return br_flags_fail(command, "--from", "expected an IPv%u address, as in --to",
				     options->to.addr.family);
	if (options->ssrc + options->publishers - 1 > UINT32_MAX)
		return br_flags_fail(command, "--ssrc",
				     "expected %" PRIu64 " SSRCs from here to fit into 32 bits",
				     options->publishers);
	if (options->local_port && !options->one_port &&
	    options->local_port + options->publishers - 1 > 65535)
		return br_flags_fail(command, "--local-port",
				     "expected %" PRIu64 " ports from here to end at 65535",
				     options->publishers);
	if (!options->count && !options->duration_ms)
		options->duration_ms = 10000;
	return -1;
}

static int run(const struct br_command *command, struct source *source)
{
	struct br_error error = {0};
	struct br_sender sender;
	struct br_seal seal;
	cJSON *json;
	int err, status;

	err = br_seal_load(&seal, &source->key, &error);
	if (err)
		return br_flags_fail(command, error.field, "%s", error.detail);
	status = check(command, source, &seal);
	if (status >= 0)
		goto wipe;
	status = BR_LAB_FAILED;
	if (srtp_init() != srtp_err_status_ok) {
		br_flags_fail(command, "libsrtp", "cannot be started");
		goto wipe;
	}
	err = br_sender_open(&sender, &source->options, &seal, &error);
	if (!err)
		err = br_sender_run(&sender, &error);
	if (err) {
		br_flags_fail(command, error.field[0] ? error.field : "failed", "%s", error.detail);
		goto close;
	}
	json = to_json(source, &sender);
	if (!source->json)
		print_table(source, &sender);
	err = br_json_output(json, source->json, false, source->output);
	cJSON_Delete(json);
	status = err ? BR_LAB_FAILED : sender.sent ? BR_LAB_OK : BR_LAB_VERDICT;
close:
	br_sender_close(&sender);
	srtp_shutdown();
wipe:
	br_seal_wipe(&seal);
	return status;
}

int br_lab_source(int argc, char **argv)
{
	struct source source = {
		.options = {.publishers = 1,
			    .ssrc = 0x1000,
			    .rate = 100,
			    .burst = 1,
			    .sizes = {.count = 1, .bytes = {1200}},
			    .start_sequence = 1,
			    .seed = 1,
			    .payload_type = 96},
		.key = {.key_fd = BR_SEAL_NO_FD},
	};
	struct br_sender_options *o = &source.options;
	/* clang-format off */ /* one flag a line reads best */
	const struct br_flag flags[] = {
		{"--to", BR_FLAG_ENDPOINT, &o->to, 0, 0, "ADDR:PORT", "where to send"},
		{"--from", BR_FLAG_ADDR, &o->from, 0, 0, "ADDR", "local address"},
		{"--local-port", BR_FLAG_NUMBER, &o->local_port, 0, 65535, "N", "publisher i sends from port N+i; 0: any"},
		{"--one-port", BR_FLAG_SWITCH, &o->one_port, 0, 0, NULL, "all publishers send from one port"},
		{"--key-file", BR_FLAG_TEXT, &source.key.key_file, 0, 0, "FILE", "base64 key and salt, mode 0600"},
		{"--key-fd", BR_FLAG_NUMBER, &source.key.key_fd, 0, 1 << 20, "FD", "read the key from this descriptor"},
		{"--suite", BR_FLAG_TEXT, &source.key.suite, 0, 0, "SUITE", "AEAD_AES_128_GCM, AES_CM_128_HMAC_SHA1_80, none"},
		{"--publishers", BR_FLAG_NUMBER, &o->publishers, 1, BR_SENDER_MAX, "N", "publishers, one SSRC each; default 1"},
		{"--ssrc", BR_FLAG_NUMBER, &o->ssrc, 0, UINT32_MAX, "SSRC", "of publisher 0, then counting up; default 0x1000"},
		{"--rate", BR_FLAG_RATE, &o->rate, 1, 100000000, "PPS", "packets/s of each publisher; default 100; max: unpaced"},
		{"--bitrate", BR_FLAG_RATE, &o->bitrate, 1, 1000000000000, "BPS", "bit/s of each, instead of --rate"},
		{"--bytes", BR_FLAG_SIZES, &o->sizes, 32, BR_SENDER_PACKET, "N[,N...]", "UDP payload, sealed; sizes in turn; default 1200"},
		{"--burst", BR_FLAG_NUMBER, &o->burst, 1, BR_SENDER_BURST, "N", "packets of one publisher in a row; default 1"},
		{"--count", BR_FLAG_NUMBER, &o->count, 1, 1ULL << 40, "N", "packets of each publisher"},
		{"--duration", BR_FLAG_SECONDS, &o->duration_ms, 1, 1ULL << 40, "S", "end after so many seconds; default 10 without --count"},
		{"--rtcp", BR_FLAG_SECONDS, &o->rtcp_ms, 1, 1ULL << 32, "S", "an RTCP sender report of each at this interval"},
		{"--start-sequence", BR_FLAG_NUMBER, &o->start_sequence, 0, 65535, "N", "first sequence number; default 1"},
		{"--payload-type", BR_FLAG_NUMBER, &o->payload_type, 0, 127, "N", "RTP payload type; default 96"},
		{"--seed", BR_FLAG_NUMBER, &o->seed, 0, 1ULL << 52, "N", "of the payload; the sink needs the same; default 1"},
		{"--tos", BR_FLAG_NUMBER, &o->tos, 0, 255, "N", "DSCP and ECN byte"},
		{"--fragment", BR_FLAG_SWITCH, &o->fragment, 0, 0, NULL, "let IP fragment large datagrams"},
		{"--ip-options", BR_FLAG_SWITCH, &o->ip_options, 0, 0, NULL, "with IPv4 options, or an IPv6 extension header (root)"},
		{"--linger", BR_FLAG_SECONDS, &o->linger_ms, 1, 1ULL << 32, "S", "listen after the last packet for packets coming back"},
		{"-o", BR_FLAG_TEXT, &source.output, 0, 0, "FILE", "write the result as JSON"},
		{"--json", BR_FLAG_SWITCH, &source.json, 0, 0, NULL, "print JSON, not a table"},
		{"--progress", BR_FLAG_SWITCH, &o->progress, 0, 0, NULL, "progress also without a terminal"},
	};
	/* clang-format on */
	const struct br_command command = {
		.name = "source",
		.summary = "Send SRTP (or plain RTP) from N publishers; say what was sent.",
		.examples = examples,
		.flags = flags,
		.flag_count = sizeof(flags) / sizeof(flags[0]),
	};
	int status = br_flags_parse(&command, argc, argv, &(int){0});

	if (status >= 0)
		return status;
	if (!o->to.addr.family)
		return br_flags_fail(&command, "--to",
				     "expected where to send, as in 192.0.2.1:5000");
	return run(&command, &source);
}
