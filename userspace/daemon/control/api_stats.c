// SPDX-License-Identifier: BSD-2-Clause
/* The relay as a whole: counters by reason, tables, interfaces, and the two probes. */
#include <stdio.h>

#include "control/api.h"
#include "control/capture.h"
#include "control/problem.h"
#include "plane/slow.h"

const char *br_verdict_name(enum br_verdict verdict)
{
	switch (verdict) {
	case BR_VERDICT_PASS:
		return "pass";
	case BR_VERDICT_DROP:
		return "drop";
	case BR_VERDICT_SENT:
		break;
	}
	return "sent";
}

void br_api_write_reason(struct br_json_out *out, enum br_reason reason,
			 const struct br_counter *counter)
{
	br_json_out_string(out, "reason", br_reason_name(reason));
	br_json_out_string(out, "verdict", br_verdict_name(br_reason_verdict(reason)));
	br_json_out_string(out, "meaning", br_reason_meaning(reason));
	br_json_out_uint(out, "packets", counter->packets);
	br_json_out_uint(out, "bytes", counter->bytes);
}

static void br_stats_reasons(struct br_json_out *out,
			     const struct br_counter counters[static BR_REASON_COUNT])
{
	br_json_out_array(out, "reasons");
	for (int r = 0; r < BR_REASON_COUNT; r++) {
		br_json_out_object(out, NULL);
		br_api_write_reason(out, (enum br_reason)r, &counters[r]);
		br_json_out_object_end(out);
	}
	br_json_out_array_end(out);
}

static void br_stats_table(struct br_json_out *out, const char *name, uint32_t used,
			   uint32_t capacity)
{
	br_json_out_object(out, name);
	br_json_out_uint(out, "used", used);
	br_json_out_uint(out, "capacity", capacity);
	br_json_out_object_end(out);
}

void br_api_write_tables(struct br_api *api, struct br_json_out *out)
{
	struct br_plane_fill fill;

	br_plane_fill(api->plane, &fill);
	br_json_out_object(out, "tables");
	br_stats_table(out, "legs", fill.legs, fill.max_legs);
	br_stats_table(out, "streams", fill.streams, fill.max_streams);
	br_stats_table(out, "edges", fill.edges, fill.max_edges);
	br_json_out_object_end(out);
}

void br_api_write_interfaces(struct br_api *api, struct br_json_out *out)
{
	struct br_interface_info interfaces[BR_EGRESS_MAX];
	size_t count = br_plane_interfaces(api->plane, interfaces);

	br_json_out_array(out, "interfaces");
	for (size_t i = 0; i < count; i++) {
		br_json_out_object(out, NULL);
		br_json_out_string(out, "name", interfaces[i].name);
		br_json_out_uint(out, "ifindex", interfaces[i].ifindex);
		br_json_out_string(out, "mode", br_xdp_mode_name(interfaces[i].mode));
		br_json_out_bool(out, "up", interfaces[i].up);
		br_json_out_bool(out, "transmits", interfaces[i].transmits);
		br_json_out_object_end(out);
	}
	br_json_out_array_end(out);
}

static void br_stats_counter(struct br_json_out *out, const char *name,
			     const struct br_counter *counter)
{
	br_json_out_object(out, name);
	br_json_out_uint(out, "packets", counter->packets);
	br_json_out_uint(out, "bytes", counter->bytes);
	br_json_out_object_end(out);
}

/* What the daemon forwarded itself. */
static void br_stats_slow(struct br_api *api, struct br_json_out *out)
{
	const struct br_slow_totals *totals = br_plane_slow_totals(api->plane);

	br_json_out_object(out, "slow_path");
	br_stats_reasons(out, totals->reasons);
	br_stats_counter(out, "tap", &totals->tapped);
	br_json_out_uint(out, "tap_lost", totals->tap_lost);
	br_json_out_object_end(out);
}

/* What the daemon's own socket read of the packets that XDP passed up. */
static void br_stats_port(struct br_api *api, struct br_json_out *out)
{
	const struct br_port_counters *counters;

	if (!api->port)
		return;
	counters = br_port_counters(api->port);
	br_json_out_array(out, "port");
	for (int c = 0; c < BR_CLASS_COUNT; c++) {
		br_json_out_object(out, NULL);
		br_json_out_string(out, "class", br_class_name((enum br_class)c));
		br_json_out_uint(out, "packets", counters->read[c].packets);
		br_json_out_uint(out, "bytes", counters->read[c].bytes);
		br_json_out_object_end(out);
	}
	br_json_out_array_end(out);
	br_json_out_uint(out, "port_overflows", counters->overflows);
}

void br_api_stats(struct br_api *api, const struct br_request *request,
		  struct br_response *response)
{
	struct br_json_out out = br_response_json(response, 200);
	struct br_counter counters[BR_REASON_COUNT];

	(void)request;
	br_plane_counters(api->plane, counters);
	br_json_out_object(&out, NULL);
	br_json_out_string(&out, "version", api->version);
	br_json_out_time(&out, "started", api->started_ms);
	br_json_out_uint(&out, "media_port", api->media_port);
	br_json_out_uint(&out, "rooms", br_rooms_count(api->rooms));
	br_json_out_uint(&out, "captures", br_captures_count(api->captures));
	br_api_write_interfaces(api, &out);
	br_api_write_tables(api, &out);
	br_stats_reasons(&out, counters);
	br_stats_slow(api, &out);
	br_stats_port(api, &out);
	br_json_out_object_end(&out);
}

void br_api_healthz(struct br_api *api, const struct br_request *request,
		    struct br_response *response)
{
	struct br_json_out out = br_response_json(response, 200);

	/* alive is: the event loop answers */
	(void)api;
	(void)request;
	br_json_out_object(&out, NULL);
	br_json_out_string(&out, "status", "ok");
	br_json_out_object_end(&out);
}

void br_api_readyz(struct br_api *api, const struct br_request *request,
		   struct br_response *response)
{
	struct br_interface_info interfaces[BR_EGRESS_MAX];
	size_t count = br_plane_interfaces(api->plane, interfaces);
	bool ready = br_api_ready(api);
	struct br_json_out out = br_response_json(response, ready ? 200 : 503);

	(void)request;
	br_json_out_object(&out, NULL);
	br_json_out_bool(&out, "ready", ready);
	br_json_out_array(&out, "reasons");
	for (size_t i = 0; i < count; i++) {
		char detail[256];

		if (interfaces[i].up)
			continue;
		snprintf(detail, sizeof(detail), "interface %s is %s", interfaces[i].name,
			 interfaces[i].ifindex ? "down" : "gone");
		br_json_out_object(&out, NULL);
		br_json_out_string(&out, "reason", "interface_down");
		br_json_out_string(&out, "interface", interfaces[i].name);
		br_json_out_string(&out, "detail", detail);
		br_json_out_object_end(&out);
	}
	br_json_out_array_end(&out);
	br_json_out_object_end(&out);
	response->retry_later = !ready;
}

bool br_api_ready(const struct br_api *api)
{
	struct br_interface_info interfaces[BR_EGRESS_MAX];
	size_t count = br_plane_interfaces(api->plane, interfaces);

	for (size_t i = 0; i < count; i++)
		if (!interfaces[i].up)
			return false;
	return true;
}
