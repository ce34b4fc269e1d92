// SPDX-License-Identifier: BSD-2-Clause
/* Legs: list, add, show, remove. */
#include <arpa/inet.h>
#include <stdio.h>
#include <time.h>

#include "control/api.h"
#include "control/page.h"
#include "control/problem.h"

static const char *br_reach_name(enum br_leg_reach reach)
{
	switch (reach) {
	case BR_REACH_READY:
		return "ready";
	case BR_REACH_RESOLVING:
		return "resolving";
	case BR_REACH_NONE:
		break;
	}
	return "unreachable";
}

bool br_api_ms_ago(uint64_t monotonic_ns, uint64_t *ms)
{
	struct timespec now;
	uint64_t now_ns;

	if (!monotonic_ns)
		return false;
	clock_gettime(CLOCK_MONOTONIC, &now);
	now_ns = (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
	*ms = now_ns > monotonic_ns ? (now_ns - monotonic_ns) / 1000000 : 0;
	return true;
}

void br_api_write_counters(struct br_json_out *out, const char *key,
			   const struct br_leg_counters *counters)
{
	br_json_out_object(out, key);
	br_json_out_uint(out, "received_packets", counters->rx.packets);
	br_json_out_uint(out, "received_bytes", counters->rx.bytes);
	br_json_out_uint(out, "sent_packets", counters->tx.packets);
	br_json_out_uint(out, "sent_bytes", counters->tx.bytes);
	br_json_out_uint(out, "dropped_received", counters->rx_dropped);
	br_json_out_uint(out, "dropped_sent", counters->tx_dropped);
	br_json_out_object_end(out);
}

static void br_leg_write_ssrcs(struct br_json_out *out, const char *key, const uint32_t *ssrcs,
			       size_t count)
{
	br_json_out_array(out, key);
	for (size_t i = 0; i < count; i++)
		br_json_out_uint(out, NULL, ssrcs[i]);
	br_json_out_array_end(out);
}

/* What only the plane knows: reach, addresses of our side, counters. */
static void br_leg_write_state(struct br_json_out *out, const struct br_leg_info *info,
			       bool expired)
{
	char text[BR_ADDR_TEXT];
	uint64_t ms;

	br_json_out_string(out, "state", expired ? "expired" : br_reach_name(info->reach));
	if (info->interface[0])
		br_json_out_string(out, "interface", info->interface);
	else
		br_json_out_null(out, "interface");
	if (info->local.addr.family)
		br_json_out_string(out, "local_address", br_addr_format(&info->local.addr, text));
	else
		br_json_out_null(out, "local_address");
	br_json_out_uint(out, "local_port", ntohs(info->local.port));
	if (br_api_ms_ago(info->counters.last_seen_ns, &ms))
		br_json_out_uint(out, "last_seen_ms_ago", ms);
	else
		br_json_out_null(out, "last_seen_ms_ago");
	br_api_write_counters(out, "counters", &info->counters);
	br_json_out_string(out, "path", info->slow_path ? "daemon" : "kernel");
	br_api_write_counters(out, "slow", &info->slow);
}

/* Seconds until the leg expires, begun ones counted whole; 0: it has. */
static uint64_t br_leg_seconds_left(const struct br_leg_terms *terms)
{
	uint64_t now_ns = br_now_monotonic_ns();

	return terms->expires_ns > now_ns
		       ? (terms->expires_ns - now_ns + 999999999ull) / 1000000000ull
		       : 0;
}

static void br_leg_write_terms(struct br_json_out *out, const struct br_leg_terms *terms)
{
	br_json_out_uint(out, "max_packets_per_s", terms->max_packets_per_s);
	br_json_out_uint(out, "max_bits_per_s", terms->max_bits_per_s);
	br_json_out_string(out, "feedback", br_feedback_name(terms->feedback_up));
	if (terms->expires_ns)
		br_json_out_uint(out, "expires_in_s", br_leg_seconds_left(terms));
	else
		br_json_out_null(out, "expires_in_s");
}

void br_api_write_leg(struct br_api *api, struct br_json_out *out, const struct br_room_leg *leg)
{
	const struct br_room *room = br_room_leg_room(leg);
	const struct br_static_leg *spec = br_room_leg_spec(leg);
	struct br_leg_info info = {.reach = BR_REACH_NONE};
	char address[BR_ADDR_TEXT];

	/* a slot that the plane does not know shows as unreachable, with zero counters */
	br_plane_leg_info(api->plane, br_room_leg_slot(leg), &info);
	br_json_out_string(out, "name", spec->name);
	br_json_out_string(out, "room", br_room_name(room));
	br_json_out_string(out, "role", br_role_name(spec->role));
	br_json_out_string(out, "address", br_addr_format(&spec->remote.addr, address));
	br_json_out_uint(out, "port", ntohs(spec->remote.port));
	br_api_next_hop_write(out, &spec->hop, &spec->source);
	br_leg_write_ssrcs(out, "ssrcs", spec->ssrcs, spec->ssrc_count);
	br_leg_write_ssrcs(out, "receive_ssrcs", spec->receive_ssrcs, spec->receive_ssrc_count);
	br_json_out_time(out, "created", br_room_leg_created_ms(leg));
	br_leg_write_terms(out, &spec->terms);
	br_leg_write_state(out, &info,
			   spec->terms.expires_ns && !br_leg_seconds_left(&spec->terms));
}

static void br_leg_write(struct br_api *api, struct br_json_out *out, const struct br_room_leg *leg)
{
	br_json_out_object(out, NULL);
	br_api_write_leg(api, out, leg);
	br_json_out_object_end(out);
}

struct br_room_leg *br_api_find_leg(struct br_room *room, const struct br_request *request,
				    struct br_response *response)
{
	struct br_room_leg *leg;

	if (!br_api_check_name("leg", request->leg, response))
		return NULL;
	leg = br_room_leg_find(room, request->leg);
	if (!leg)
		br_problem_set(response, 404, "leg", "there is no leg \"%s\" in room \"%s\"",
			       request->leg, request->room);
	return leg;
}

static void br_legs_write_room(struct br_api *api, struct br_json_out *out,
			       const struct br_room *room, struct br_page *page)
{
	struct br_room_leg *leg = NULL;

	while (!page->more && (leg = br_room_leg_next(room, leg)))
		if (br_page_has_leg(page, room, leg) && br_page_take(page, room, leg))
			br_leg_write(api, out, leg);
}

void br_api_legs_list(struct br_api *api, const struct br_request *request,
		      struct br_response *response)
{
	struct br_room *room = NULL;
	struct br_json_out out;
	struct br_page page;

	if (!br_page_begin(&page, request, response))
		return;
	out = br_response_json(response, 200);
	br_json_out_object(&out, NULL);
	br_json_out_array(&out, "legs");
	while (!page.more && (room = br_room_next(api->rooms, room)))
		if (br_page_has_room(&page, room))
			br_legs_write_room(api, &out, room, &page);
	br_json_out_array_end(&out);
	br_page_end(&page, &out, response, "/v1/legs");
	br_json_out_object_end(&out);
}

void br_api_room_legs_list(struct br_api *api, const struct br_request *request,
			   struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);
	struct br_json_out out;
	struct br_page page;
	char path[BR_NAME_MAX + 32];

	if (!room || !br_page_begin(&page, request, response))
		return;
	out = br_response_json(response, 200);
	br_json_out_object(&out, NULL);
	br_json_out_array(&out, "legs");
	br_legs_write_room(api, &out, room, &page);
	br_json_out_array_end(&out);
	snprintf(path, sizeof(path), "/v1/rooms/%s/legs", br_room_name(room));
	br_page_end(&page, &out, response, path);
	br_json_out_object_end(&out);
}

void br_api_leg_post(struct br_api *api, const struct br_request *request,
		     struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);
	struct br_leg_terms terms = br_rooms_default_terms(api->rooms);
	struct br_error error = {0};
	struct br_static_leg spec;
	struct br_json_out out;
	struct br_room_leg *leg;

	if (!room)
		return;
	if (br_api_leg_read(request->body, request->body_length, &terms, &spec, &error) ||
	    br_room_leg_add(api->rooms, room, &spec, &leg, &error)) {
		br_problem_from_error(response, &error);
		return;
	}
	out = br_response_json(response, 201);
	snprintf(response->location, sizeof(response->location), "/v1/rooms/%s/legs/%s",
		 br_room_name(room), spec.name);
	br_leg_write(api, &out, leg);
}

void br_api_leg_get(struct br_api *api, const struct br_request *request,
		    struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);
	struct br_room_leg *leg = room ? br_api_find_leg(room, request, response) : NULL;
	struct br_json_out out;

	if (!leg)
		return;
	out = br_response_json(response, 200);
	br_leg_write(api, &out, leg);
}

void br_api_leg_patch(struct br_api *api, const struct br_request *request,
		      struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);
	struct br_room_leg *leg = room ? br_api_find_leg(room, request, response) : NULL;
	struct br_error error = {0};
	struct br_leg_terms terms;
	struct br_json_out out;

	if (!leg)
		return;
	terms = br_room_leg_spec(leg)->terms;
	if (br_api_terms_read(request->body, request->body_length, &terms, &error) ||
	    br_room_leg_set_terms(api->rooms, leg, &terms, &error)) {
		br_problem_from_error(response, &error);
		return;
	}
	out = br_response_json(response, 200);
	br_leg_write(api, &out, leg);
}

void br_api_leg_delete(struct br_api *api, const struct br_request *request,
		       struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);
	struct br_room_leg *leg = room ? br_api_find_leg(room, request, response) : NULL;

	if (!leg)
		return;
	br_room_leg_remove(api->rooms, room, leg);
	response->status = 204;
}
