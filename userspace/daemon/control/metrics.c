// SPDX-License-Identifier: BSD-2-Clause
/*
 * Prometheus text exposition format, version 0.0.4. No label names a room, a leg or an
 * address: their number has no bound, and who talks to whom is nobody's business here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "control/api.h"
#include "control/capture.h"
#include "control/router.h"
#include "plane/slow.h"

static void br_metric_head(struct br_buffer *body, const char *name, const char *type,
			   const char *help)
{
	br_buffer_printf(body, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A label's value: backslash, quote and line feed are escaped. */
static void br_metric_label(struct br_buffer *body, const char *name, const char *value)
{
	br_buffer_printf(body, "%s=\"", name);
	for (; *value; value++) {
		if (*value == '\\' || *value == '"')
			br_buffer_add(body, "\\", 1);
		if (*value == '\n')
			br_buffer_add(body, "\\n", 2);
		else
			br_buffer_add(body, value, 1);
	}
	br_buffer_add(body, "\"", 1);
}

static void br_metrics_reasons(struct br_buffer *body, const char *const names[2],
			       const char *whose,
			       const struct br_counter counters[static BR_REASON_COUNT])
{
	for (int bytes = 0; bytes < 2; bytes++) {
		const char *name = names[bytes];
		char help[128];

		snprintf(help, sizeof(help), "%s %s by what became of them.",
			 bytes ? "Bytes of IP packets" : "Packets and copies", whose);
		br_metric_head(body, name, "counter", help);
		for (int r = 0; r < BR_REASON_COUNT; r++)
			br_buffer_printf(body, "%s{reason=\"%s\",verdict=\"%s\"} %" PRIu64 "\n",
					 name, br_reason_name((enum br_reason)r),
					 br_verdict_name(br_reason_verdict((enum br_reason)r)),
					 bytes ? (uint64_t)counters[r].bytes
					       : (uint64_t)counters[r].packets);
	}
}

static void br_metrics_kernel(struct br_api *api, struct br_buffer *body)
{
	static const char *const names[] = {"blindrelay_packets_total", "blindrelay_bytes_total"};
	struct br_counter counters[BR_REASON_COUNT];

	br_plane_counters(api->plane, counters);
	br_metrics_reasons(body, names, "in the kernel", counters);
}

/* What the daemon forwarded itself. */
static void br_metrics_slow(struct br_api *api, struct br_buffer *body)
{
	static const char *const names[] = {"blindrelay_slow_packets_total",
					    "blindrelay_slow_bytes_total"};
	const struct br_slow_totals *totals = br_plane_slow_totals(api->plane);

	br_metrics_reasons(body, names, "in the daemon", totals->reasons);
	br_metric_head(body, "blindrelay_slow_tap_packets_total", "counter",
		       "Packets that came to the daemon over the tap.");
	br_buffer_printf(body, "blindrelay_slow_tap_packets_total %" PRIu64 "\n",
			 (uint64_t)totals->tapped.packets);
	br_metric_head(body, "blindrelay_slow_tap_lost_total", "counter",
		       "Packets lost because the tap's buffer was full.");
	br_buffer_printf(body, "blindrelay_slow_tap_lost_total %" PRIu64 "\n",
			 (uint64_t)totals->tap_lost);
}

static void br_metrics_tables(struct br_api *api, struct br_buffer *body)
{
	struct br_plane_fill fill;

	br_plane_fill(api->plane, &fill);
	br_metric_head(body, "blindrelay_table_entries", "gauge", "Entries in use by table.");
	br_buffer_printf(body,
			 "blindrelay_table_entries{table=\"legs\"} %u\n"
			 "blindrelay_table_entries{table=\"streams\"} %u\n"
			 "blindrelay_table_entries{table=\"edges\"} %u\n",
			 fill.legs, fill.streams, fill.edges);
	br_metric_head(body, "blindrelay_table_capacity", "gauge", "Entries that a table holds.");
	br_buffer_printf(body,
			 "blindrelay_table_capacity{table=\"legs\"} %u\n"
			 "blindrelay_table_capacity{table=\"streams\"} %u\n"
			 "blindrelay_table_capacity{table=\"edges\"} %u\n",
			 fill.max_legs, fill.max_streams, fill.max_edges);
}

static void br_metrics_rooms(struct br_api *api, struct br_buffer *body)
{
	uint64_t legs[BR_ROLE_BOTH + 1] = {0};
	struct br_room *room = NULL;

	while ((room = br_room_next(api->rooms, room))) {
		struct br_room_leg *leg = NULL;

		while ((leg = br_room_leg_next(room, leg)))
			legs[br_room_leg_spec(leg)->role & BR_ROLE_BOTH]++;
	}
	br_metric_head(body, "blindrelay_rooms", "gauge", "Rooms.");
	br_buffer_printf(body, "blindrelay_rooms %zu\n", br_rooms_count(api->rooms));
	br_metric_head(body, "blindrelay_captures", "gauge", "Captures that run now.");
	br_buffer_printf(body, "blindrelay_captures %zu\n", br_captures_count(api->captures));
	br_metric_head(body, "blindrelay_legs", "gauge", "Legs in rooms by role.");
	for (int role = BR_ROLE_PUBLISHER; role <= BR_ROLE_BOTH; role++)
		br_buffer_printf(body, "blindrelay_legs{role=\"%s\"} %" PRIu64 "\n",
				 br_role_name((enum br_role)role), legs[role]);
}

static void br_metrics_interfaces(struct br_api *api, struct br_buffer *body)
{
	struct br_interface_info interfaces[BR_EGRESS_MAX];
	size_t count = br_plane_interfaces(api->plane, interfaces);

	br_metric_head(body, "blindrelay_interface_up", "gauge",
		       "1 while a media interface is up.");
	for (size_t i = 0; i < count; i++) {
		br_buffer_text(body, "blindrelay_interface_up{");
		br_metric_label(body, "interface", interfaces[i].name);
		br_buffer_printf(body, ",mode=\"%s\"} %d\n", br_xdp_mode_name(interfaces[i].mode),
				 interfaces[i].up);
	}
	br_metric_head(body, "blindrelay_ready", "gauge", "1 while /readyz says ready.");
	br_buffer_printf(body, "blindrelay_ready %d\n", br_api_ready(api));
}

static void br_metrics_port(struct br_api *api, struct br_buffer *body)
{
	const struct br_port_counters *counters;

	if (!api->port)
		return;
	counters = br_port_counters(api->port);
	br_metric_head(body, "blindrelay_port_packets_total", "counter",
		       "Datagrams that reached the daemon's media socket by class.");
	for (int c = 0; c < BR_CLASS_COUNT; c++)
		br_buffer_printf(body, "blindrelay_port_packets_total{class=\"%s\"} %" PRIu64 "\n",
				 br_class_name((enum br_class)c),
				 (uint64_t)counters->read[c].packets);
	br_metric_head(body, "blindrelay_port_overflows_total", "counter",
		       "Datagrams lost because the media socket's buffer was full.");
	br_buffer_printf(body, "blindrelay_port_overflows_total %" PRIu64 "\n",
			 counters->overflows);
}

static void br_metrics_request(void *context, const char *route, const char *method, int status,
			       uint64_t requests)
{
	struct br_buffer *body = context;

	br_buffer_text(body, "blindrelay_http_requests_total{");
	br_metric_label(body, "route", route);
	br_buffer_printf(body, ",method=\"%s\",status=\"", method);
	if (status)
		br_buffer_printf(body, "%d\"} %" PRIu64 "\n", status, requests);
	else
		br_buffer_printf(body, "other\"} %" PRIu64 "\n", requests);
}

/* The names that Prometheus' own client libraries give to these. */
static void br_metrics_process(struct br_api *api, struct br_buffer *body)
{
	struct timespec cpu = {0};
	unsigned long resident = 0;
	FILE *file;

	br_metric_head(body, "process_start_time_seconds", "gauge",
		       "Start of the control API, Unix time.");
	br_buffer_printf(body, "process_start_time_seconds %" PRId64 ".%03d\n",
			 api->started_ms / 1000, (int)(api->started_ms % 1000));
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &cpu);
	br_metric_head(body, "process_cpu_seconds_total", "counter",
		       "CPU time of the daemon; not of XDP.");
	br_buffer_printf(body, "process_cpu_seconds_total %lld.%06ld\n", (long long)cpu.tv_sec,
			 cpu.tv_nsec / 1000);
	file = fopen("/proc/self/statm", "re");
	if (!file)
		return;
	if (fscanf(file, "%*u %lu", &resident) == 1) {
		br_metric_head(body, "process_resident_memory_bytes", "gauge",
			       "Resident memory of the daemon.");
		br_buffer_printf(body, "process_resident_memory_bytes %lu\n",
				 resident * (unsigned long)sysconf(_SC_PAGESIZE));
	}
	fclose(file);
}

void br_api_metrics(struct br_api *api, const struct br_request *request,
		    struct br_response *response)
{
	struct br_buffer *body = &response->body;

	(void)request;
	response->status = 200;
	response->content_type = "text/plain; version=0.0.4; charset=utf-8";
	br_metric_head(body, "blindrelay_build_info", "gauge",
		       "1; version of the daemon and of the maps it shares with the kernel.");
	br_buffer_text(body, "blindrelay_build_info{");
	br_metric_label(body, "version", api->version);
	br_buffer_printf(body, ",abi=\"%u\"} 1\n", BR_ABI_VERSION);
	br_metrics_kernel(api, body);
	br_metrics_slow(api, body);
	br_metrics_tables(api, body);
	br_metrics_rooms(api, body);
	br_metrics_interfaces(api, body);
	br_metrics_port(api, body);
	br_metric_head(body, "blindrelay_http_requests_total", "counter",
		       "Requests to the control API.");
	br_router_counts_visit(api->counts, br_metrics_request, body);
	br_metrics_process(api, body);
}
