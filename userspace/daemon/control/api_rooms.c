// SPDX-License-Identifier: BSD-2-Clause
/* Rooms: list, create, show, delete; what they carry. */
#include <errno.h>
#include <stdio.h>
#include <arpa/inet.h>

#include "control/api.h"
#include "control/page.h"
#include "control/problem.h"
#include "lib/json.h"
#include "lib/text.h"

bool br_api_check_name(const char *field, const char *name, struct br_response *response)
{
	char quoted[BR_QUOTE_TEXT];

	if (br_name_valid(name))
		return true;
	br_problem_set(response, 422, field,
		       "expected 1 to %d characters of A-Z a-z 0-9 _ . -, got %s", BR_NAME_MAX,
		       br_text_name(name, quoted));
	return false;
}

struct br_room *br_api_find_room_named(struct br_api *api, const char *name,
				       struct br_response *response)
{
	struct br_room *room;

	if (!br_api_check_name("room", name, response))
		return NULL;
	room = br_room_find(api->rooms, name);
	if (!room)
		br_problem_set(response, 404, "room", "there is no room \"%s\"", name);
	return room;
}

struct br_room *br_api_find_room(struct br_api *api, const struct br_request *request,
				 struct br_response *response)
{
	return br_api_find_room_named(api, request->room, response);
}

bool br_api_check_empty(const struct br_request *request, struct br_response *response)
{
	struct br_json_reader reader;
	struct br_error error = {0};
	cJSON *root = NULL;
	int err;

	if (!request->body_length)
		return true;
	err = br_json_parse(request->body, request->body_length, &root, &error);
	if (err) {
		if (err == -EINVAL)
			error.code = -EBADMSG;
	} else {
		br_json_begin(&reader, root, "", &error);
		err = br_json_end(&reader);
		cJSON_Delete(root);
	}
	if (err)
		br_problem_from_error(response, &error);
	return !err;
}

struct br_room_sum {
	uint64_t publishers, subscribers, streams;
	struct br_leg_counters counters;
};

static void br_room_sum_stream(void *context, const struct br_stream_info *stream)
{
	struct br_room_sum *sum = context;

	(void)stream;
	sum->streams++;
}

static struct br_room_sum br_room_sum(struct br_api *api, const struct br_room *room)
{
	struct br_room_sum sum = {0};
	struct br_room_leg *leg = NULL;

	while ((leg = br_room_leg_next(room, leg))) {
		const struct br_static_leg *spec = br_room_leg_spec(leg);
		uint32_t slot = br_room_leg_slot(leg);
		struct br_leg_info info;

		sum.publishers += !!(spec->role & BR_ROLE_PUBLISHER);
		sum.subscribers += !!(spec->role & BR_ROLE_SUBSCRIBER);
		br_plane_streams(api->plane, slot, br_room_sum_stream, &sum);
		if (br_plane_leg_info(api->plane, slot, &info))
			continue;
		sum.counters.rx.packets += info.counters.rx.packets;
		sum.counters.rx.bytes += info.counters.rx.bytes;
		sum.counters.tx.packets += info.counters.tx.packets;
		sum.counters.tx.bytes += info.counters.tx.bytes;
		sum.counters.rx_dropped += info.counters.rx_dropped;
		sum.counters.tx_dropped += info.counters.tx_dropped;
	}
	return sum;
}

static void br_room_write(struct br_json_out *out, const struct br_room *room)
{
	br_json_out_object(out, NULL);
	br_json_out_string(out, "name", br_room_name(room));
	br_json_out_time(out, "created", br_room_created_ms(room));
	br_json_out_uint(out, "legs", br_room_leg_count(room));
	br_json_out_object_end(out);
}

void br_api_rooms_list(struct br_api *api, const struct br_request *request,
		       struct br_response *response)
{
	struct br_room *room = NULL;
	struct br_json_out out;
	struct br_page page;

	if (!br_page_begin(&page, request, response))
		return;
	out = br_response_json(response, 200);
	br_json_out_object(&out, NULL);
	br_json_out_array(&out, "rooms");
	while (!page.more && (room = br_room_next(api->rooms, room)))
		if (br_page_has_room(&page, room) && br_page_take(&page, room, NULL))
			br_room_write(&out, room);
	br_json_out_array_end(&out);
	br_page_end(&page, &out, response, "/v1/rooms");
	br_json_out_object_end(&out);
}

void br_api_room_put(struct br_api *api, const struct br_request *request,
		     struct br_response *response)
{
	struct br_error error = {0};
	struct br_json_out out;
	struct br_room *room;
	int status = 200;

	if (!br_api_check_empty(request, response))
		return;
	room = br_room_find(api->rooms, request->room);
	if (!room) {
		if (br_room_create(api->rooms, request->room, &room, &error)) {
			br_problem_from_error(response, &error);
			return;
		}
		status = 201;
		snprintf(response->location, sizeof(response->location), "/v1/rooms/%s",
			 br_room_name(room));
	}
	out = br_response_json(response, status);
	br_room_write(&out, room);
}

void br_api_room_get(struct br_api *api, const struct br_request *request,
		     struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);
	struct br_json_out out;

	if (!room)
		return;
	out = br_response_json(response, 200);
	br_room_write(&out, room);
}

void br_api_room_delete(struct br_api *api, const struct br_request *request,
			struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);

	if (!room)
		return;
	br_room_delete(api->rooms, room);
	response->status = 204;
}

void br_api_room_stats(struct br_api *api, const struct br_request *request,
		       struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);
	struct br_room_sum sum;
	struct br_json_out out;

	if (!room)
		return;
	sum = br_room_sum(api, room);
	out = br_response_json(response, 200);
	br_json_out_object(&out, NULL);
	br_json_out_string(&out, "room", br_room_name(room));
	br_json_out_uint(&out, "legs", br_room_leg_count(room));
	br_json_out_uint(&out, "publishers", sum.publishers);
	br_json_out_uint(&out, "subscribers", sum.subscribers);
	br_json_out_uint(&out, "streams", sum.streams);
	br_api_write_counters(&out, "counters", &sum.counters);
	br_json_out_object_end(&out);
}

struct br_stream_writer {
	struct br_json_out *out;
	const char *leg;
};

static void br_stream_write(void *context, const struct br_stream_info *stream)
{
	struct br_stream_writer *writer = context;
	struct br_json_out *out = writer->out;
	char hex[11];
	uint64_t ms;

	snprintf(hex, sizeof(hex), "0x%08x", ntohl(stream->ssrc));
	br_json_out_object(out, NULL);
	br_json_out_string(out, "leg", writer->leg);
	br_json_out_uint(out, "ssrc", ntohl(stream->ssrc));
	br_json_out_string(out, "ssrc_hex", hex);
	br_json_out_bool(out, "learned", stream->learned);
	if (br_api_ms_ago(stream->counters.last_seen_ns, &ms))
		br_json_out_uint(out, "last_seen_ms_ago", ms);
	else
		br_json_out_null(out, "last_seen_ms_ago");
	br_json_out_uint(out, "received_packets", stream->counters.rx.packets);
	br_json_out_uint(out, "received_bytes", stream->counters.rx.bytes);
	br_json_out_object_end(out);
}

void br_api_room_streams(struct br_api *api, const struct br_request *request,
			 struct br_response *response)
{
	struct br_room *room = br_api_find_room(api, request, response);
	struct br_room_leg *leg = NULL;
	struct br_stream_writer writer;
	struct br_json_out out;

	if (!room)
		return;
	out = br_response_json(response, 200);
	writer.out = &out;
	br_json_out_object(&out, NULL);
	br_json_out_array(&out, "streams");
	while ((leg = br_room_leg_next(room, leg))) {
		writer.leg = br_room_leg_spec(leg)->name;
		br_plane_streams(api->plane, br_room_leg_slot(leg), br_stream_write, &writer);
	}
	br_json_out_array_end(&out);
	br_json_out_object_end(&out);
}
