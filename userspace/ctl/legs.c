// SPDX-License-Identifier: BSD-2-Clause
/* legs, add, streams. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/ctl.h"

static const char *br_last_seen(const cJSON *object, char out[static BR_UNIT_TEXT])
{
	const cJSON *ms = cJSON_GetObjectItem(object, "last_seen_ms_ago");

	return cJSON_IsNumber(ms) ? br_unit_ms(ms->valuedouble, out) : "never";
}

/* What it may send in a second: "4.0 Mb 100 p", "-" when all it likes. */
static const char *br_limit(const cJSON *leg, char *out, size_t size)
{
	double bits = br_member_number(leg, "max_bits_per_s");
	double packets = br_member_number(leg, "max_packets_per_s");
	char text[BR_UNIT_TEXT];
	int used = 0;

	snprintf(out, size, "-");
	if (bits > 0)
		used = snprintf(out, size, "%sb", br_unit_scaled(bits, text));
	if (packets > 0)
		snprintf(out + used, size - (size_t)used, "%s%s p", used ? ", " : "",
			 br_unit_count(packets, text));
	return out;
}

static const char *br_expires(const cJSON *leg, char out[static BR_UNIT_TEXT])
{
	const cJSON *seconds = cJSON_GetObjectItem(leg, "expires_in_s");

	return cJSON_IsNumber(seconds) ? br_unit_ms(seconds->valuedouble * 1e3, out) : "never";
}

static void br_leg_row(struct br_table *table, const cJSON *leg, bool room)
{
	const cJSON *counters = cJSON_GetObjectItem(leg, "counters");
	const char *address = br_member_text(leg, "address");
	const char *interface = br_member_text(leg, "interface");
	char endpoint[80], in[BR_UNIT_TEXT], out[BR_UNIT_TEXT], drops[BR_UNIT_TEXT],
		seen[BR_UNIT_TEXT], expires[BR_UNIT_TEXT], limit[2 * BR_UNIT_TEXT];
	const char *cells[BR_TABLE_COLUMNS];
	size_t c = 0;

	snprintf(endpoint, sizeof(endpoint), strchr(address, ':') ? "[%s]:%.0f" : "%s:%.0f",
		 address, br_member_number(leg, "port"));
	if (room)
		cells[c++] = br_member_text(leg, "room");
	cells[c++] = br_member_text(leg, "name");
	cells[c++] = br_member_text(leg, "role");
	cells[c++] = endpoint;
	cells[c++] = br_member_text(leg, "state");
	cells[c++] = *interface ? interface : "-";
	cells[c++] = br_limit(leg, limit, sizeof(limit));
	cells[c++] = br_expires(leg, expires);
	cells[c++] = br_unit_count(br_member_number(counters, "received_packets"), in);
	cells[c++] = br_unit_count(br_member_number(counters, "sent_packets"), out);
	cells[c++] = br_unit_count(br_member_number(counters, "dropped_received") +
					   br_member_number(counters, "dropped_sent"),
				   drops);
	cells[c++] = br_last_seen(leg, seen);
	br_table_row(table, cells);
}

void br_ctl_legs_print(const cJSON *legs, bool room)
{
	struct br_table table;
	const cJSON *leg;

	br_table_begin(
		&table,
		room ? "ROOM|NAME|ROLE|ADDRESS|STATE|INTERFACE|>LIMIT|>EXPIRES|>IN|>OUT|>DROPPED|>"
		       "SEEN"
		     : "NAME|ROLE|ADDRESS|STATE|INTERFACE|>LIMIT|>EXPIRES|>IN|>OUT|>DROPPED|>SEEN");
	cJSON_ArrayForEach (leg, legs)
		br_leg_row(&table, leg, room);
	br_table_end(&table);
}

int br_ctl_legs(const struct br_ctl_args *args)
{
	char path[1024] = "/v1/legs";
	struct br_reply reply;
	const cJSON *legs;
	int err;

	if (args->word_count)
		br_ctl_path(path, sizeof(path), args->words[0], "/legs", NULL);
	err = br_ctl_list(args, path, "legs", &reply);
	if (err)
		return err;
	legs = cJSON_GetObjectItem(reply.json, "legs");
	if (args->json)
		br_reply_print(&reply);
	else if (cJSON_GetArraySize(legs))
		br_ctl_legs_print(legs, !args->word_count);
	else
		puts("no legs; `blindrelay add --help` shows how to add one");
	br_reply_free(&reply);
	return BR_CTL_OK;
}

static void br_add_ssrcs(cJSON *body, const char *key, const uint32_t *ssrcs, size_t count)
{
	cJSON *array;

	if (!count)
		return;
	array = cJSON_AddArrayToObject(body, key);
	for (size_t i = 0; i < count; i++)
		cJSON_AddItemToArray(array, cJSON_CreateNumber(ssrcs[i]));
}

/* What the flags say of rates, feedback and end. */
static void br_add_terms(cJSON *body, const struct br_ctl_args *args)
{
	if (args->given & BR_FLAG_BIT(BR_FLAG_PACKETS))
		cJSON_AddNumberToObject(body, "max_packets_per_s", args->packets);
	if (args->given & BR_FLAG_BIT(BR_FLAG_RATE))
		cJSON_AddNumberToObject(body, "max_bits_per_s", args->rate);
	if (args->given & BR_FLAG_BIT(BR_FLAG_FEEDBACK))
		cJSON_AddStringToObject(body, "feedback", args->feedback);
	if (args->given & BR_FLAG_BIT(BR_FLAG_EXPIRES))
		cJSON_AddNumberToObject(body, "expires_in_s", args->expires);
}

static char *br_add_body(const struct br_ctl_args *args)
{
	cJSON *body = cJSON_CreateObject();
	char *text;

	cJSON_AddStringToObject(body, "name", args->words[1]);
	cJSON_AddStringToObject(body, "address", args->address);
	cJSON_AddNumberToObject(body, "port", args->port);
	cJSON_AddStringToObject(body, "role", args->role);
	br_add_ssrcs(body, "ssrcs", args->ssrcs, args->ssrc_count);
	br_add_ssrcs(body, "receive_ssrcs", args->receives, args->receive_count);
	if (args->next_hop)
		cJSON_AddItemToObject(body, "next_hop", br_ctl_next_hop(args->next_hop));
	br_add_terms(body, args);
	text = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	return text;
}

int br_ctl_add(const struct br_ctl_args *args)
{
	char *body = br_add_body(args);
	const char *interface;
	struct br_reply reply;
	char path[1024];
	int err;

	if (!body) {
		fprintf(stderr, "blindrelay: out of memory\n");
		return BR_CTL_FAILED;
	}
	br_ctl_path(path, sizeof(path), args->words[0], "/legs", NULL);
	err = br_ctl_request(args, "POST", path, body, &reply);
	cJSON_free(body);
	if (err)
		return err;
	interface = br_member_text(reply.json, "interface");
	if (args->json)
		puts(reply.text);
	else
		printf("leg %s added to room %s: %s%s%s; its packets go to %s port %.0f\n",
		       br_member_text(reply.json, "name"), br_member_text(reply.json, "room"),
		       br_member_text(reply.json, "state"), *interface ? " over " : "", interface,
		       *br_member_text(reply.json, "local_address")
			       ? br_member_text(reply.json, "local_address")
			       : "the relay",
		       br_member_number(reply.json, "local_port"));
	br_reply_free(&reply);
	return BR_CTL_OK;
}

int br_ctl_change(const struct br_ctl_args *args)
{
	cJSON *body = cJSON_CreateObject();
	char limit[2 * BR_UNIT_TEXT], expires[BR_UNIT_TEXT], path[1024], *text;
	struct br_reply reply;
	int err;

	br_add_terms(body, args);
	text = cJSON_PrintUnformatted(body);
	cJSON_Delete(body);
	if (!text) {
		fprintf(stderr, "blindrelay: out of memory\n");
		return BR_CTL_FAILED;
	}
	br_ctl_path(path, sizeof(path), args->words[0], "/legs/", args->words[1]);
	err = br_ctl_request(args, "PATCH", path, text, &reply);
	cJSON_free(text);
	if (err)
		return err;
	if (args->json)
		puts(reply.text);
	else
		printf("leg %s of room %s: limit %s, feedback %s, expires %s%s\n",
		       br_member_text(reply.json, "name"), br_member_text(reply.json, "room"),
		       br_limit(reply.json, limit, sizeof(limit)),
		       br_member_text(reply.json, "feedback"),
		       cJSON_IsNumber(cJSON_GetObjectItem(reply.json, "expires_in_s")) ? "in " : "",
		       br_expires(reply.json, expires));
	br_reply_free(&reply);
	return BR_CTL_OK;
}

int br_ctl_streams(const struct br_ctl_args *args)
{
	const cJSON *streams, *stream;
	struct br_table table;
	struct br_reply reply;
	char path[1024];
	int err;

	br_ctl_path(path, sizeof(path), args->words[0], "/streams", NULL);
	err = br_ctl_request(args, "GET", path, NULL, &reply);
	if (err)
		return err;
	streams = cJSON_GetObjectItem(reply.json, "streams");
	if (args->json) {
		puts(reply.text);
	} else if (!cJSON_GetArraySize(streams)) {
		puts("no streams: nobody has sent a packet yet");
	} else {
		br_table_begin(&table, "LEG|SSRC|KNOWN|>PACKETS|>BYTES|>SEEN");
		cJSON_ArrayForEach (stream, streams) {
			char packets[BR_UNIT_TEXT], bytes[BR_UNIT_TEXT], seen[BR_UNIT_TEXT];
			bool learned = cJSON_IsTrue(cJSON_GetObjectItem(stream, "learned"));

			br_unit_count(br_member_number(stream, "received_packets"), packets);
			br_unit_bytes(br_member_number(stream, "received_bytes"), bytes);
			br_table_row(&table,
				     (const char *[]){br_member_text(stream, "leg"),
						      br_member_text(stream, "ssrc_hex"),
						      learned ? "learned" : "listed", packets,
						      bytes, br_last_seen(stream, seen)});
		}
		br_table_end(&table);
	}
	br_reply_free(&reply);
	return BR_CTL_OK;
}
