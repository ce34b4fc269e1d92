// SPDX-License-Identifier: BSD-2-Clause
/* Rates: of the relay, by reason, and of the busiest rooms and legs. */
#include <string.h>
#include <uv.h>

#include "control/api.h"
#include "control/problem.h"
#include "control/query.h"
#include "control/rank.h"
#include "control/top.h"

#define BR_TOP_LIST_MAX	    1000u
#define BR_TOP_LIST_DEFAULT 20u

const char *const br_top_query[] = {"rooms", "legs", "sort", "room", "match", "interval_ms", NULL};

/* What was asked for, and the samples it is answered from. */
struct br_top_request {
	uint32_t rooms, legs; /* how many to list */
	uint32_t interval_ms;
	enum br_rank_key sort;
	const struct br_room *room; /* only this one; NULL: all */
	const char *match;	    /* part of a name; "": all */
	struct br_sample_pair pair;
};

static bool br_top_read(struct br_api *api, const struct br_request *request,
			struct br_top_request *top, struct br_response *response)
{
	const struct br_query *query = &request->query;
	const char *room = br_query_get(query, "room"), *match = br_query_get(query, "match");
	unsigned int sort = BR_RANK_OUT;

	*top = (struct br_top_request){
		.rooms = BR_TOP_LIST_DEFAULT,
		.legs = BR_TOP_LIST_DEFAULT,
		.interval_ms = 1000,
		.match = match ? match : "",
	};
	if (!br_query_uint(query, "rooms", 0, BR_TOP_LIST_MAX, &top->rooms, response) ||
	    !br_query_uint(query, "legs", 0, BR_TOP_LIST_MAX, &top->legs, response) ||
	    !br_query_uint(query, "interval_ms", 100, 60000, &top->interval_ms, response) ||
	    !br_query_choice(query, "sort", br_rank_names, BR_RANK_KEYS, &sort, response) ||
	    (*top->match && !br_api_check_name("match", top->match, response)))
		return false;
	top->sort = (enum br_rank_key)sort;
	if (!room)
		return true;
	top->room = br_api_find_room_named(api, room, response);
	return top->room;
}

static void br_top_write_rates(struct br_json_out *out, const struct br_top_request *top,
			       const struct br_rates *rates)
{
	if (!top->pair.before) {
		br_json_out_null(out, "rates");
		return;
	}
	br_json_out_object(out, "rates");
	br_json_out_number(out, "received_packets", rates->rx_packets);
	br_json_out_number(out, "received_bits", rates->rx_bits);
	br_json_out_number(out, "sent_packets", rates->tx_packets);
	br_json_out_number(out, "sent_bits", rates->tx_bits);
	br_json_out_number(out, "dropped", rates->dropped);
	br_json_out_object_end(out);
}

/* What the daemon forwarded, whether it came over its socket or over the tap. */
struct br_top_slow {
	uint64_t packets, copies, drops;
};

static struct br_top_slow br_top_sum_slow(const struct br_sample *sample)
{
	const struct br_slow_totals *totals = br_sample_slow(sample);
	struct br_top_slow sum = {
		.packets = totals->reasons[BR_FORWARDED].packets + totals->tapped.packets,
		.copies = totals->reasons[BR_COPIED].packets,
		.drops = totals->tap_lost,
	};

	for (int r = 0; r < BR_REASON_COUNT; r++)
		if (br_reason_verdict((enum br_reason)r) == BR_VERDICT_DROP)
			sum.drops += totals->reasons[r].packets;
	return sum;
}

static void br_top_write_slow(struct br_json_out *out, const struct br_sample_pair *pair)
{
	struct br_top_slow now = br_top_sum_slow(pair->now);
	struct br_top_slow before = pair->before ? br_top_sum_slow(pair->before) : now;

	br_json_out_object(out, "slow");
	br_json_out_uint(out, "packets", now.packets);
	br_json_out_uint(out, "copies", now.copies);
	br_json_out_uint(out, "drops", now.drops);
	br_json_out_number(out, "packets_per_s",
			   br_counts_rate(now.packets, before.packets, pair->ns));
	br_json_out_number(out, "copies_per_s",
			   br_counts_rate(now.copies, before.copies, pair->ns));
	br_json_out_number(out, "drops_per_s", br_counts_rate(now.drops, before.drops, pair->ns));
	br_json_out_object_end(out);
}

/* The relay as a whole, from its reasons; drops there are of packets and of copies. */
static struct br_counts br_top_sum_relay(const struct br_sample *sample, uint64_t *passed)
{
	const struct br_counter *reasons = br_sample_reasons(sample);
	struct br_counts counts = {
		.rx_packets = reasons[BR_FORWARDED].packets,
		.rx_bytes = reasons[BR_FORWARDED].bytes,
		.tx_packets = reasons[BR_COPIED].packets,
		.tx_bytes = reasons[BR_COPIED].bytes,
	};

	*passed = 0;
	for (int r = 0; r < BR_REASON_COUNT; r++) {
		enum br_verdict verdict = br_reason_verdict((enum br_reason)r);

		if (verdict == BR_VERDICT_DROP)
			counts.rx_dropped += reasons[r].packets;
		/* up the stack, but for us */
		else if (verdict == BR_VERDICT_PASS && r != BR_NOT_MEDIA)
			*passed += reasons[r].packets;
	}
	return counts;
}

static void br_top_write_relay(struct br_api *api, struct br_json_out *out,
			       const struct br_top_request *top, size_t legs)
{
	const struct br_sample_pair *pair = &top->pair;
	uint64_t passed, passed_before;
	struct br_counts now = br_top_sum_relay(pair->now, &passed), before;
	struct br_rates rates;

	before = br_top_sum_relay(pair->before ? pair->before : pair->now, &passed_before);
	rates = br_rates_between(&now, &before, pair->ns);
	br_json_out_object(out, "relay");
	br_json_out_uint(out, "rooms", br_rooms_count(api->rooms));
	br_json_out_uint(out, "legs", legs);
	br_json_out_uint(out, "received_packets", now.rx_packets);
	br_json_out_uint(out, "received_bytes", now.rx_bytes);
	br_json_out_uint(out, "sent_packets", now.tx_packets);
	br_json_out_uint(out, "sent_bytes", now.tx_bytes);
	br_json_out_uint(out, "dropped", now.rx_dropped);
	br_json_out_uint(out, "passed", passed);
	br_top_write_rates(out, top, &rates);
	br_json_out_number(out, "passed_per_s", br_counts_rate(passed, passed_before, pair->ns));
	br_top_write_slow(out, pair);
	br_json_out_object_end(out);
}

static void br_top_write_reasons(struct br_json_out *out, const struct br_top_request *top)
{
	const struct br_counter *now = br_sample_reasons(top->pair.now);
	const struct br_counter *before =
		top->pair.before ? br_sample_reasons(top->pair.before) : now;

	br_json_out_array(out, "reasons");
	for (int r = 0; r < BR_REASON_COUNT; r++) {
		br_json_out_object(out, NULL);
		br_api_write_reason(out, (enum br_reason)r, &now[r]);
		br_json_out_number(out, "packets_per_s",
				   br_counts_rate(now[r].packets, before[r].packets, top->pair.ns));
		br_json_out_object_end(out);
	}
	br_json_out_array_end(out);
}

static void br_top_write_rooms(struct br_json_out *out, const struct br_top_request *top,
			       const struct br_rank *rank)
{
	br_json_out_array(out, "rooms");
	for (size_t i = 0; i < rank->count; i++) {
		const struct br_ranked *entry = &rank->entries[i];
		const struct br_leg_counters counters = {
			.rx = {entry->counts.rx_packets, entry->counts.rx_bytes},
			.tx = {entry->counts.tx_packets, entry->counts.tx_bytes},
			.rx_dropped = entry->counts.rx_dropped,
			.tx_dropped = entry->counts.tx_dropped,
		};

		br_json_out_object(out, NULL);
		br_json_out_string(out, "name", entry->room);
		br_json_out_uint(out, "legs", entry->legs);
		br_api_write_counters(out, "counters", &counters);
		br_top_write_rates(out, top, &entry->rates);
		br_json_out_object_end(out);
	}
	br_json_out_array_end(out);
}

static void br_top_write_legs(struct br_api *api, struct br_json_out *out,
			      const struct br_top_request *top, const struct br_rank *rank)
{
	br_json_out_array(out, "legs");
	for (size_t i = 0; i < rank->count; i++) {
		const struct br_room_leg *leg = rank->entries[i].what;

		br_json_out_object(out, NULL);
		br_api_write_leg(api, out, leg);
		br_json_out_uint(out, "streams", br_room_leg_stream_count(leg));
		br_top_write_rates(out, top, &rank->entries[i].rates);
		br_json_out_object_end(out);
	}
	br_json_out_array_end(out);
}

/* All legs of a room: each is offered, the room gets their sum. */
static void br_top_rank_room(const struct br_top_request *top, const struct br_room *room,
			     struct br_rank *rooms, struct br_rank *legs)
{
	struct br_ranked sum = {
		.room = br_room_name(room),
		.name = "",
		.order = br_room_order(room),
		.legs = br_room_leg_count(room),
	};
	bool named = top->room || strcasestr(sum.room, top->match);
	bool all = !*top->match || (named && !top->room);
	struct br_room_leg *leg = NULL;

	while ((leg = br_room_leg_next(room, leg))) {
		struct br_ranked entry = {
			.room = sum.room,
			.name = br_room_leg_spec(leg)->name,
			.what = leg,
			.order = br_room_leg_order(leg),
		};

		br_sample_leg(&top->pair, leg, &entry.counts, &entry.rates);
		br_counts_add(&sum.counts, &entry.counts);
		br_rates_add(&sum.rates, &entry.rates);
		if (all || strcasestr(entry.name, top->match))
			br_rank_offer(legs, &entry);
	}
	if (named)
		br_rank_offer(rooms, &sum);
}

static void br_top_write(struct br_api *api, const struct br_top_request *top,
			 struct br_json_out *out, struct br_rank *rooms, struct br_rank *legs)
{
	const struct br_room *room = NULL;
	size_t leg_count = 0;
	int64_t age_ms = (int64_t)((uv_hrtime() - br_sample_time_ns(top->pair.now)) / 1000000);
	uv_timeval64_t now;

	uv_gettimeofday(&now);
	while ((room = br_room_next(api->rooms, room))) {
		leg_count += br_room_leg_count(room);
		if (!top->room || top->room == room)
			br_top_rank_room(top, room, rooms, legs);
	}
	br_rank_sort(rooms);
	br_rank_sort(legs);
	br_json_out_object(out, NULL);
	br_json_out_string(out, "version", api->version);
	br_json_out_time(out, "started", api->started_ms);
	br_json_out_time(out, "sampled", now.tv_sec * 1000 + now.tv_usec / 1000 - age_ms);
	if (top->pair.before)
		br_json_out_number(out, "interval_ms", (double)top->pair.ns / 1e6);
	else
		br_json_out_null(out, "interval_ms");
	br_api_write_interfaces(api, out);
	br_api_write_tables(api, out);
	br_top_write_relay(api, out, top, leg_count);
	br_top_write_reasons(out, top);
	br_top_write_rooms(out, top, rooms);
	br_top_write_legs(api, out, top, legs);
	br_json_out_object_end(out);
}

void br_api_top(struct br_api *api, const struct br_request *request, struct br_response *response)
{
	struct br_rank rooms = {0}, legs = {0};
	struct br_top_request top;
	struct br_json_out out;
	int err;

	if (!br_top_read(api, request, &top, response))
		return;
	err = br_top_pair(api->top, top.interval_ms * 1000000ull, &top.pair);
	if (!err)
		err = br_rank_begin(&rooms, top.sort, top.rooms);
	if (!err)
		err = br_rank_begin(&legs, top.sort, top.legs);
	if (err) {
		br_problem_set(response, 503, NULL, "the counters cannot be read: %s",
			       uv_strerror(err));
	} else if (!top.pair.now) {
		br_problem_set(response, 503, NULL,
			       "the first sample of all counters is still being taken");
		response->retry_later = true;
	} else {
		out = br_response_json(response, 200);
		br_top_write(api, &top, &out, &rooms, &legs);
	}
	br_rank_end(&rooms);
	br_rank_end(&legs);
}
