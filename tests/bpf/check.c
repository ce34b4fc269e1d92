// SPDX-License-Identifier: BSD-2-Clause
#include "check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>
#include <cmocka.h>

static bool reached[BR_REASON_COUNT];

const char *check_reason_name(uint32_t reason)
{
	static const char *const names[] = {
#define NAME(NAME, verdict, name, meaning) name,
		BR_REASONS(NAME)
#undef NAME
	};

	return reason < BR_REASON_COUNT ? names[reason] : "no reason";
}

uint32_t check_verdict(enum program program, uint32_t reason)
{
	static const uint8_t verdicts[] = {
#define VERDICT(NAME, verdict, name, meaning) BR_VERDICT_##verdict,
		BR_REASONS(VERDICT)
#undef VERDICT
	};

	/* To the other programs nothing that is not theirs may come: never up the stack. */
	if (verdicts[reason] == BR_VERDICT_PASS && program == PROGRAM_RELAY)
		return XDP_PASS;
	if (verdicts[reason] == BR_VERDICT_SENT)
		return program == PROGRAM_STAMP ? XDP_PASS : XDP_REDIRECT;
	return XDP_DROP;
}

void check_excuse(uint32_t reason)
{
	reached[reason] = true;
}

bool check_was_reached(uint32_t reason)
{
	return reached[reason];
}

static bool settle_time(__u64 *expected, __u64 actual, const struct world_run *run)
{
	if (*expected == MODEL_NOW && actual >= run->before_ns && actual <= run->after_ns)
		*expected = actual;
	return *expected == actual;
}

static bool same_cpu(struct br_cpu *expected, const struct br_cpu *actual,
		     const struct world_run *run)
{
	/* paid by the first one after a rest: from the time of the run on */
	if (expected->strangers_due_ns == MODEL_NOW &&
	    actual->strangers_due_ns >= run->before_ns + T_STRANGERS_NS &&
	    actual->strangers_due_ns <= run->after_ns + T_STRANGERS_NS)
		expected->strangers_due_ns = actual->strangers_due_ns;
	if (expected->strangers_due_ns != actual->strangers_due_ns) {
		print_error("strangers due at %llu, expected %llu\n", actual->strangers_due_ns,
			    expected->strangers_due_ns);
		return false;
	}
	if (!settle_time(&expected->loop_ns, actual->loop_ns, run) ||
	    expected->loop_active != actual->loop_active ||
	    expected->loop_parked != actual->loop_parked ||
	    expected->loop_rest != actual->loop_rest || expected->backlog != actual->backlog) {
		print_error("loop: %u active, %u parked, rest %u, backlog %u, at %llu; "
			    "expected %u, %u, %u, %u, %llu\n",
			    actual->loop_active, actual->loop_parked, actual->loop_rest,
			    actual->backlog, actual->loop_ns, expected->loop_active,
			    expected->loop_parked, expected->loop_rest, expected->backlog,
			    expected->loop_ns);
		return false;
	}
	for (uint32_t i = 0; i < BR_REASON_SLOTS; i++)
		if (memcmp(&expected->reasons[i], &actual->reasons[i], sizeof(struct br_counter))) {
			print_error("reason %s: %llu packets %llu bytes, expected %llu, %llu\n",
				    check_reason_name(i), actual->reasons[i].packets,
				    actual->reasons[i].bytes, expected->reasons[i].packets,
				    expected->reasons[i].bytes);
			return false;
		}
	for (uint32_t i = 0; i < BR_CURSORS; i++)
		if (memcmp(&expected->cursors[i], &actual->cursors[i], sizeof(struct br_cursor))) {
			print_error("cursor %u: nonce %u passed %u, expected %u, %u\n", i,
				    actual->cursors[i].nonce, actual->cursors[i].passed,
				    expected->cursors[i].nonce, expected->cursors[i].passed);
			return false;
		}
	if (!memcmp(expected, actual, sizeof(*expected)))
		return true;
	print_error("nonce %u, expected %u\n", actual->nonce, expected->nonce);
	return false;
}

bool check_counters(struct counters *expected, const struct counters *actual,
		    const struct world_run *run)
{
	if (!same_cpu(&expected->cpu, &actual->cpu, run))
		return false;
	for (uint32_t i = 0; i < T_LEGS; i++) {
		const struct br_leg_counters *is = &actual->legs[i];
		struct br_leg_counters *want = &expected->legs[i];

		if (settle_time(&want->last_seen_ns, is->last_seen_ns, run) &&
		    !memcmp(want, is, sizeof(*is)))
			continue;
		print_error("leg %u: rx %llu/%llu tx %llu/%llu dropped %llu/%llu seen %llu, "
			    "expected %llu/%llu %llu/%llu %llu/%llu %llu\n",
			    i, is->rx.packets, is->rx.bytes, is->tx.packets, is->tx.bytes,
			    is->rx_dropped, is->tx_dropped, is->last_seen_ns, want->rx.packets,
			    want->rx.bytes, want->tx.packets, want->tx.bytes, want->rx_dropped,
			    want->tx_dropped, want->last_seen_ns);
		return false;
	}
	for (uint32_t i = 0; i < T_STREAMS; i++) {
		const struct br_stream_counters *is = &actual->streams[i];
		struct br_stream_counters *want = &expected->streams[i];

		if (settle_time(&want->last_seen_ns, is->last_seen_ns, run) &&
		    !memcmp(want, is, sizeof(*is)))
			continue;
		print_error("stream %u: %llu/%llu seen %llu, expected %llu/%llu %llu\n", i,
			    is->rx.packets, is->rx.bytes, is->last_seen_ns, want->rx.packets,
			    want->rx.bytes, want->last_seen_ns);
		return false;
	}
	return true;
}

static void expected_counters(struct counters *counters, const struct expect *expect,
			      const struct world_run *run)
{
	struct br_leg_counters *leg;

	if (expect->stranger && counters->cpu.strangers_due_ns > run->after_ns)
		counters->cpu.strangers_due_ns += T_STRANGERS_NS;
	else if (expect->stranger)
		counters->cpu.strangers_due_ns = MODEL_NOW;

	counters->cpu.reasons[expect->reason].packets++;
	counters->cpu.reasons[expect->reason].bytes += expect->bytes;
	if (expect->copy) {
		counters->cpu.reasons[expect->copy].packets++;
		counters->cpu.reasons[expect->copy].bytes += expect->copy_bytes;
	}
	for (uint16_t i = 0; i < expect->tickets; i++) {
		counters->cpu.nonce++;
		counters->cpu.cursors[counters->cpu.nonce % BR_CURSORS] =
			(struct br_cursor){.nonce = counters->cpu.nonce};
	}
	if (expect->cursor)
		counters->cpu.cursors[expect->nonce % BR_CURSORS] =
			(struct br_cursor){.nonce = expect->nonce, .passed = expect->passed};
	counters->cpu.loop_active += (uint32_t)expect->active;
	counters->cpu.loop_parked += (uint32_t)expect->parked;
	if (expect->loop_moves)
		counters->cpu.loop_ns = MODEL_NOW;
	counters->cpu.loop_rest += (uint16_t)expect->rest;
	if (expect->rx != NO_LEG) {
		leg = &counters->legs[expect->rx];
		leg->rx.packets++;
		leg->rx.bytes += expect->leg_bytes;
		leg->last_seen_ns = MODEL_NOW;
	}
	if (expect->rx_dropped != NO_LEG)
		counters->legs[expect->rx_dropped].rx_dropped++;
	if (expect->tx != NO_LEG) {
		counters->legs[expect->tx].tx.packets++;
		counters->legs[expect->tx].tx.bytes +=
			expect->copy ? expect->copy_bytes : expect->leg_bytes;
	}
	if (expect->tx_dropped != NO_LEG)
		counters->legs[expect->tx_dropped].tx_dropped++;
	if (expect->stream) {
		counters->streams[expect->stream - 1].rx.packets++;
		counters->streams[expect->stream - 1].rx.bytes += expect->leg_bytes;
		counters->streams[expect->stream - 1].last_seen_ns = MODEL_NOW;
	}
}

void check_run(struct world *world, struct world_run *run, const struct expect *expect)
{
	struct counters expected, before, after;
	uint32_t verdict;

	world_counters(world, &before);
	if (before.cpu.backlog && !expect->backlog) {
		before.cpu.backlog = 0; /* the egress ring has drained since the last run */
		world_set_cpu(world, &before.cpu);
	}
	world_run(world, run);
	world_counters(world, &after);
	for (uint32_t i = 0; i < BR_REASON_COUNT; i++)
		if (after.cpu.reasons[i].packets != before.cpu.reasons[i].packets) {
			reached[i] = true;
			if (i != expect->reason && i != expect->copy)
				fail_msg("ended with %s, expected %s", check_reason_name(i),
					 check_reason_name(expect->reason));
		}
	expected = before;
	expected_counters(&expected, expect, run);
	expected.cpu.backlog = expect->backlog ? expect->backlog : after.cpu.backlog;
	if (!check_counters(&expected, &after, run))
		fail_msg("counters of a run that ended with %s", check_reason_name(expect->reason));
	verdict = expect->verdict ? expect->verdict : check_verdict(run->program, expect->reason);
	if (run->verdict != verdict)
		fail_msg("verdict %u, expected %u", run->verdict, verdict);
}

void check_bytes(const struct world_run *run, const uint8_t *expected, size_t length)
{
	for (size_t i = 0; i < length && i < run->out_length; i++)
		if (run->out[i] != expected[i])
			fail_msg("byte %zu is 0x%02x, expected 0x%02x", i, run->out[i],
				 expected[i]);
	if (run->out_length != length)
		fail_msg("%zu bytes came out, expected %zu", run->out_length, length);
}

void check_unchanged(const struct world_run *run)
{
	check_bytes(run, run->in, run->length);
}

static bool has_stream(const struct tables *tables, const struct table_stream *stream)
{
	for (size_t i = 0; i < tables->stream_count; i++)
		if (!memcmp(&tables->streams[i], stream, sizeof(*stream)))
			return true;
	return false;
}

void check_dynamic(struct world *world, const struct tables *expected)
{
	struct tables actual = {};

	world_read_dynamic(world, &actual);
	for (uint32_t i = 0; i < T_LEGS; i++) {
		assert_int_equal(actual.states[i].learned, expected->states[i].learned);
		assert_int_equal(actual.states[i].first_stream, expected->states[i].first_stream);
	}
	assert_int_equal(actual.stream_count, expected->stream_count);
	for (size_t i = 0; i < expected->stream_count; i++)
		if (!has_stream(&actual, &expected->streams[i]))
			fail_msg("stream of leg %u, SSRC 0x%08x is not at slot %u",
				 expected->streams[i].key.leg, expected->streams[i].key.ssrc,
				 expected->streams[i].slot);
	assert_int_equal(actual.free_count, expected->free_count);
	assert_memory_equal(actual.free, expected->free,
			    expected->free_count * sizeof(actual.free[0]));
}

static bool same_bucket(uint64_t is, uint64_t want, uint64_t now_ns)
{
	return is == want || (is <= now_ns && want <= now_ns);
}

static const struct table_stranger *find_stranger(const struct tables *tables,
						  const __be32 source[static 4])
{
	for (size_t i = 0; i < tables->stranger_count; i++)
		if (!memcmp(tables->strangers[i].source, source, sizeof(__be32[4])))
			return &tables->strangers[i];
	return NULL;
}

void check_buckets(struct world *world, const struct tables *expected, uint64_t now_ns)
{
	static struct tables actual;

	world_read_dynamic(world, &actual);
	for (uint32_t i = 0; i < T_LEGS; i++) {
		const struct br_leg_state *is = &actual.states[i], *want = &expected->states[i];

		if (!same_bucket(is->packets_due_ns, want->packets_due_ns, now_ns) ||
		    !same_bucket(is->bytes_due_ns, want->bytes_due_ns, now_ns))
			fail_msg("leg %u: due at %llu and %llu, expected %llu and %llu", i,
				 is->packets_due_ns, is->bytes_due_ns, want->packets_due_ns,
				 want->bytes_due_ns);
	}
	assert_int_equal(actual.stranger_count, expected->stranger_count);
	for (size_t i = 0; i < expected->stranger_count; i++) {
		const struct table_stranger *want = &expected->strangers[i];
		const struct table_stranger *is = find_stranger(&actual, want->source);

		assert_non_null(is);
		if (!same_bucket(is->due_ns, want->due_ns, now_ns))
			fail_msg("stranger %zu: due at %llu, expected %llu", i,
				 (unsigned long long)is->due_ns, (unsigned long long)want->due_ns);
	}
}
