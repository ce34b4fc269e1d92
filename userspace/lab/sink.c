// SPDX-License-Identifier: BSD-2-Clause
/* The sink subcommand: flags. */
#include "lab/sink.h"

#include <inttypes.h>
#include <netinet/in.h>
#include <string.h>

#include "lab/lab.h"

static const char examples[] =
	"  blindrelay-lab sink --bind 192.0.2.9:6000 --key-file room.key --receivers 10 \\\n"
	"      --expect 5000 --idle 1000 -o sink.json\n"
	"  blindrelay-lab sink --bind [2001:db8::9]:6000 --key-file room.key --duration 20 \\\n"
	"      --from [2001:db8::1]:5000 --ssrc 0x1000-0x1003\n"
	"  mkfifo ready; blindrelay-lab sink --bind 127.0.0.1:6000 --suite none --idle 500 \\\n"
	"      --ready-fd 3 3>ready & read -r line <ready     # sockets are bound now\n";

static int run(const struct br_command *command, struct br_sink *sink,
	       const struct br_seal_flags *key)
{
	struct br_error error = {0};
	struct br_seal seal;
	cJSON *json;
	int err, status = BR_LAB_FAILED;

	err = br_seal_load(&seal, key, &error);
	if (err)
		return br_flags_fail(command, error.field, "%s", error.detail);
	sink->rules.seal = &seal;
	if (srtp_init() != srtp_err_status_ok) {
		br_flags_fail(command, "libsrtp", "cannot be started");
		goto wipe;
	}
	err = br_sink_open(sink, &error);
	if (!err)
		err = br_sink_run(sink, &error);
	if (err) {
		br_flags_fail(command, error.field[0] ? error.field : "failed", "%s", error.detail);
		goto close;
	}
	json = br_sink_json(sink);
	if (!sink->json && !sink->json_lines)
		br_sink_print(sink);
	err = br_json_output(json, sink->json || sink->json_lines, sink->json_lines, sink->output);
	cJSON_Delete(json);
	if (err)
		goto close;
	status = BR_LAB_OK;
	for (uint64_t i = 0; i < sink->receivers && !sink->report_only; i++)
		if (br_sink_fault(sink, &sink->list[i]))
			status = BR_LAB_VERDICT;
close:
	br_sink_close(sink);
	srtp_shutdown();
wipe:
	sink->rules.seal = NULL;
	br_seal_wipe(&seal);
	return status;
}

static int check(const struct br_command *command, const struct br_sink *sink)
{
	if (!sink->bind.addr.family)
		return br_flags_fail(command, "--bind",
				     "expected where to receive, as in 192.0.2.9:6000");
	if (ntohs(sink->bind.port) + sink->receivers - 1 > 65535)
		return br_flags_fail(command, "--receivers",
				     "expected %" PRIu64 " ports from %u to end at 65535",
				     sink->receivers, ntohs(sink->bind.port));
	if (sink->rules.from.addr.family && sink->rules.from.addr.family != sink->bind.addr.family)
		return br_flags_fail(command, "--from", "expected an IPv%u address, as in --bind",
				     sink->bind.addr.family);
	if (!sink->expect && !sink->idle_ms && !sink->duration_ms)
		return br_flags_fail(command, "--duration",
				     "expected an end: this, --expect or --idle");
	return -1;
}

int br_lab_sink(int argc, char **argv)
{
	struct br_sink sink = {
		.rules = {.seed = 1},
		.receivers = 1,
		.buffer = 8 << 20,
		.max_reordered = UINT64_MAX,
		.ready_fd = BR_SEAL_NO_FD,
		.epoll_fd = -1,
		.signal_fd = -1,
	};
	struct br_seal_flags key = {.key_fd = BR_SEAL_NO_FD};
	/* clang-format off */ /* one flag a line reads best */
	const struct br_flag flags[] = {
		{"--bind", BR_FLAG_ENDPOINT, &sink.bind, 0, 0, "ADDR:PORT", "receiver i listens at PORT+i"},
		{"--receivers", BR_FLAG_NUMBER, &sink.receivers, 1, BR_SINK_MAX, "N", "receivers; default 1"},
		{"--key-file", BR_FLAG_TEXT, &key.key_file, 0, 0, "FILE", "base64 key and salt, mode 0600"},
		{"--key-fd", BR_FLAG_NUMBER, &key.key_fd, 0, 1 << 20, "FD", "read the key from this descriptor"},
		{"--suite", BR_FLAG_TEXT, &key.suite, 0, 0, "SUITE", "AEAD_AES_128_GCM, AES_CM_128_HMAC_SHA1_80, none"},
		{"--ssrc", BR_FLAG_SSRCS, &sink.rules.ssrcs, 0, 0, "LIST", "expected SSRCs, as in 0x1000-0x1003,77; default all"},
		{"--from", BR_FLAG_ENDPOINT, &sink.rules.from, 0, 0, "ADDR:PORT", "the only address that may send; default any"},
		{"--seed", BR_FLAG_NUMBER, &sink.rules.seed, 0, 1ULL << 52, "N", "as at the source; default 1"},
		{"--expect", BR_FLAG_NUMBER, &sink.expect, 1, 1ULL << 40, "N", "end when every receiver has N different packets"},
		{"--idle", BR_FLAG_NUMBER, &sink.idle_ms, 1, 1ULL << 32, "MS", "end after so long a silence, once packets have come"},
		{"--duration", BR_FLAG_SECONDS, &sink.duration_ms, 1, 1ULL << 40, "S", "end after so many seconds"},
		{"--max-loss", BR_FLAG_NUMBER, &sink.max_loss, 0, 1ULL << 40, "N", "packets that a receiver may lose; default 0"},
		{"--max-reordered", BR_FLAG_NUMBER, &sink.max_reordered, 0, 1ULL << 40, "N", "packets that may be out of order; default any"},
		{"--report-only", BR_FLAG_SWITCH, &sink.report_only, 0, 0, NULL, "exit with 0 whatever was received"},
		{"--buffer", BR_FLAG_NUMBER, &sink.buffer, 4096, 1 << 30, "BYTES", "size of each socket's buffer; default 8 MiB"},
		{"--ready-fd", BR_FLAG_NUMBER, &sink.ready_fd, 0, 1 << 20, "FD", "write a line there when all sockets are bound"},
		{"-o", BR_FLAG_TEXT, &sink.output, 0, 0, "FILE", "write the result as JSON"},
		{"--json", BR_FLAG_SWITCH, &sink.json, 0, 0, NULL, "print JSON, not a table"},
		{"--json-lines", BR_FLAG_SWITCH, &sink.json_lines, 0, 0, NULL, "a JSON line when ready, another with the result"},
		{"--progress", BR_FLAG_SWITCH, &sink.progress, 0, 0, NULL, "progress also without a terminal"},
	};
	/* clang-format on */
	const struct br_command command = {
		.name = "sink",
		.summary = "Receive SRTP (or plain RTP) of blindrelay-lab source; authenticate, "
			   "compare\n"
			   "every byte, count loss, duplicates, reordering; measure one-way delay.",
		.examples = examples,
		.flags = flags,
		.flag_count = sizeof(flags) / sizeof(flags[0]),
	};
	int status = br_flags_parse(&command, argc, argv, &(int){0});

	if (status < 0)
		status = check(&command, &sink);
	return status >= 0 ? status : run(&command, &sink, &key);
}
