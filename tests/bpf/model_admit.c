// SPDX-License-Identifier: BSD-2-Clause
/* Reference model: who may send what, how much of it, and where it goes. */
#include "model_private.h"

#include <string.h>

static bool same_family(const struct model_run *run, const struct model_seen *seen, uint32_t leg)
{
	return run->tables->legs[leg].family == (seen->header == 20 ? 4 : 6);
}

/* ---- how much: a bucket is the time at which it is full again ---- */

static bool has_room(uint64_t due_ns, uint64_t now_ns)
{
	return due_ns <= now_ns + T_BURST_NS;
}

static void pay(uint64_t *due_ns, uint64_t cost_ns, uint64_t now_ns)
{
	*due_ns = (*due_ns > now_ns ? *due_ns : now_ns) + cost_ns;
}

static bool keeps_rate(struct model_run *run, uint32_t index, size_t bytes)
{
	const struct br_leg *leg = &run->tables->legs[index];
	struct br_leg_state *state = &run->tables->states[index];
	uint64_t packets_due_ns = state->packets_due_ns, bytes_due_ns = state->bytes_due_ns;

	if (leg->packet_ns && !has_room(packets_due_ns, run->now_ns))
		return false;
	if (leg->kibibyte_ns && !has_room(bytes_due_ns, run->now_ns))
		return false;
	if (leg->packet_ns)
		pay(&packets_due_ns, leg->packet_ns, run->now_ns);
	if (leg->kibibyte_ns)
		pay(&bytes_due_ns, bytes * leg->kibibyte_ns / 1024, run->now_ns);
	state->packets_due_ns = packets_due_ns;
	state->bytes_due_ns = bytes_due_ns;
	return true;
}

/* One budget per IPv4 address, and per /64 of IPv6 (RFC 4291 section 2.5.4). */
static struct table_stranger *find_stranger(struct tables *tables, const struct model_seen *seen)
{
	struct table_stranger *stranger, wanted = {};

	memcpy(wanted.source, seen->tuple.remote, seen->header == 20 ? 16 : 8);
	for (size_t i = 0; i < tables->stranger_count; i++)
		if (!memcmp(tables->strangers[i].source, wanted.source, sizeof(wanted.source)))
			return &tables->strangers[i];
	if (tables->stranger_count == T_SOURCES)
		return NULL;
	stranger = &tables->strangers[tables->stranger_count];
	*stranger = wanted;
	return stranger;
}

static uint32_t model_stranger(struct model_run *run, const struct model_seen *seen)
{
	uint64_t *all_due_ns = (uint64_t *)&run->counters->cpu.strangers_due_ns;
	struct tables *tables = run->tables;
	struct table_stranger *stranger = find_stranger(tables, seen);

	if (!has_room(*all_due_ns, run->now_ns) ||
	    (stranger && !has_room(stranger->due_ns, run->now_ns)))
		return BR_STRANGER_RATE;
	if (stranger == &tables->strangers[tables->stranger_count])
		tables->stranger_count++;
	if (stranger)
		pay(&stranger->due_ns, T_STRANGER_NS, run->now_ns);
	pay(all_due_ns, T_STRANGERS_NS, run->now_ns);
	return 0;
}

uint32_t model_signal(struct model_run *run, const struct model_seen *seen, uint32_t leg)
{
	if (leg < T_LEGS && model_alive(&run->tables->legs[leg], run->now_ns) &&
	    same_family(run, seen, leg))
		return keeps_rate(run, leg, seen->ip_length) ? 0 : BR_RATE;
	return model_stranger(run, seen);
}

/* ---- which SSRC, and where it goes ---- */

static uint32_t learn(struct model_run *run, uint32_t leg, uint32_t ssrc, uint32_t *slot)
{
	struct tables *tables = run->tables;

	if (tables->states[leg].learned >= tables->legs[leg].ssrc_limit || !tables->free_count)
		return BR_SSRC_LIMIT;
	tables->states[leg].learned++;
	*slot = tables->free[0];
	tables->free_count--;
	memmove(tables->free, tables->free + 1, tables->free_count * sizeof(tables->free[0]));
	tables->streams[tables->stream_count++] = (struct table_stream){
		.key = {.leg = leg, .ssrc = ssrc},
		.slot = *slot,
	};
	if (!tables->states[leg].first_stream)
		tables->states[leg].first_stream = ((uint64_t)ssrc << 32) + *slot + 1;
	run->out->event_sent = true;
	run->out->event =
		(struct br_event){.type = BR_EVENT_STREAM, .leg = leg, .ssrc = ssrc, .slot = *slot};
	return 0;
}

static uint32_t find_stream(struct model_run *run, const struct model_seen *seen, uint32_t leg,
			    uint32_t *slot)
{
	const struct tables *tables = run->tables;

	*slot = NOBODY;
	if (!(tables->legs[leg].flags & BR_LEG_PUBLISH))
		return 0;
	for (size_t i = 0; i < tables->stream_count; i++)
		if (tables->streams[i].key.leg == leg &&
		    tables->streams[i].key.ssrc == seen->ssrc) {
			*slot = tables->streams[i].slot;
			return 0;
		}
	if (seen->class == MODEL_RTCP)
		return 0;
	if (tables->legs[leg].flags & BR_LEG_FIXED_SSRCS)
		return BR_SSRC_REFUSED;
	return learn(run, leg, seen->ssrc, slot);
}

uint32_t model_admit(struct model_run *run, const struct model_seen *seen, uint32_t leg,
		     struct br_route *route)
{
	const struct tables *tables = run->tables;
	struct br_stream_counters *counted;
	uint32_t slot, reason;
	uint64_t whole = BR_ROUTE_INHERIT;

	if (leg >= T_LEGS || !model_alive(&tables->legs[leg], run->now_ns))
		return BR_LEG_EXPIRED;
	if (!same_family(run, seen, leg))
		return BR_UNKNOWN_LEG;
	if (seen->ttl < 2)
		return BR_TTL;
	if (seen->class == MODEL_RTP && !(tables->legs[leg].flags & BR_LEG_PUBLISH))
		return BR_NOT_PUBLISHER;
	if (!keeps_rate(run, leg, seen->ip_length))
		return BR_RATE;
	if (seen->class == MODEL_RTCP && tables->legs[leg].flags & BR_LEG_FEEDBACK_UP)
		return BR_FEEDBACK;
	reason = find_stream(run, seen, leg, &slot);
	if (reason)
		return reason;
	if (slot != NOBODY) {
		counted = &run->counters->streams[slot];
		counted->rx.packets++;
		counted->rx.bytes += seen->ip_length;
		counted->last_seen_ns = MODEL_NOW;
		whole = tables->routes[T_LEGS + slot];
	}
	if (whole == BR_ROUTE_INHERIT)
		whole = tables->routes[leg];
	memcpy(route, &whole, sizeof(*route));
	return route->count || route->flags & BR_ROUTE_TAP ? 0 : BR_NO_RECEIVER;
}
