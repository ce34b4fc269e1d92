// SPDX-License-Identifier: BSD-2-Clause
/* rooms, room, create, and remove of a whole room or one leg. */
#include <stdio.h>
#include <stdlib.h>

#include "ctl/ctl.h"

int br_ctl_rooms(const struct br_ctl_args *args)
{
	const cJSON *room;
	struct br_reply reply;
	struct br_table table;
	int err = br_ctl_list(args, "/v1/rooms", "rooms", &reply);

	if (err)
		return err;
	if (args->json) {
		br_reply_print(&reply);
	} else if (!cJSON_GetArraySize(cJSON_GetObjectItem(reply.json, "rooms"))) {
		puts("no rooms; `blindrelay create NAME` makes one");
	} else {
		br_table_begin(&table, "ROOM|>LEGS|>AGE");
		cJSON_ArrayForEach (room, cJSON_GetObjectItem(reply.json, "rooms")) {
			char legs[BR_UNIT_TEXT], age[BR_UNIT_TEXT];

			br_table_row(&table,
				     (const char *[]){
					     br_member_text(room, "name"),
					     br_unit_count(br_member_number(room, "legs"), legs),
					     br_unit_age(br_member_text(room, "created"), age)});
		}
		br_table_end(&table);
	}
	br_reply_free(&reply);
	return BR_CTL_OK;
}

static void br_room_print(const cJSON *room, const cJSON *stats, const cJSON *legs)
{
	const cJSON *counters = cJSON_GetObjectItem(stats, "counters");
	char a[BR_UNIT_TEXT], b[BR_UNIT_TEXT], c[BR_UNIT_TEXT], d[BR_UNIT_TEXT];

	printf("room      %s, %s old\n", br_member_text(room, "name"),
	       br_unit_age(br_member_text(room, "created"), a));
	printf("legs      %s: %s send, %s receive\n",
	       br_unit_count(br_member_number(stats, "legs"), a),
	       br_unit_count(br_member_number(stats, "publishers"), b),
	       br_unit_count(br_member_number(stats, "subscribers"), c));
	printf("streams   %s\n", br_unit_count(br_member_number(stats, "streams"), a));
	printf("in        %s packets, %s, %s dropped\n",
	       br_unit_count(br_member_number(counters, "received_packets"), a),
	       br_unit_bytes(br_member_number(counters, "received_bytes"), b),
	       br_unit_count(br_member_number(counters, "dropped_received"), c));
	printf("out       %s copies, %s, %s dropped\n",
	       br_unit_count(br_member_number(counters, "sent_packets"), a),
	       br_unit_bytes(br_member_number(counters, "sent_bytes"), b),
	       br_unit_count(br_member_number(counters, "dropped_sent"), d));
	if (cJSON_GetArraySize(legs)) {
		puts("");
		br_ctl_legs_print(legs, false);
	}
}

int br_ctl_room(const struct br_ctl_args *args)
{
	struct br_reply room = {0}, stats = {0}, legs = {0};
	char path[1024];
	int err;

	br_ctl_path(path, sizeof(path), args->words[0], "", NULL);
	err = br_ctl_request(args, "GET", path, NULL, &room);
	if (!err) {
		br_ctl_path(path, sizeof(path), args->words[0], "/stats", NULL);
		err = br_ctl_request(args, "GET", path, NULL, &stats);
	}
	if (!err) {
		br_ctl_path(path, sizeof(path), args->words[0], "/legs", NULL);
		err = br_ctl_list(args, path, "legs", &legs);
	}
	if (!err && args->json) {
		char *list = cJSON_PrintUnformatted(cJSON_GetObjectItem(legs.json, "legs"));

		printf("{\"room\":%s,\"stats\":%s,\"legs\":%s}\n", room.text, stats.text,
		       list ? list : "null");
		cJSON_free(list);
	} else if (!err) {
		br_room_print(room.json, stats.json, cJSON_GetObjectItem(legs.json, "legs"));
	}
	br_reply_free(&room);
	br_reply_free(&stats);
	br_reply_free(&legs);
	return err;
}

int br_ctl_create(const struct br_ctl_args *args)
{
	struct br_reply reply;
	char path[1024];
	int err;

	br_ctl_path(path, sizeof(path), args->words[0], "", NULL);
	err = br_ctl_request(args, "PUT", path, "{}", &reply);
	if (err)
		return err;
	if (args->json)
		puts(reply.text);
	else
		printf("room %s %s\n", br_member_text(reply.json, "name"),
		       reply.status == 201 ? "created" : "exists already");
	br_reply_free(&reply);
	return BR_CTL_OK;
}

int br_ctl_remove(const struct br_ctl_args *args)
{
	bool leg = args->word_count == 2;
	struct br_reply reply;
	char path[1024];
	int err;

	br_ctl_path(path, sizeof(path), args->words[0], leg ? "/legs/" : "",
		    leg ? args->words[1] : NULL);
	err = br_ctl_request(args, "DELETE", path, NULL, &reply);
	if (err)
		return err;
	if (!args->json && leg)
		printf("leg %s removed from room %s\n", args->words[1], args->words[0]);
	else if (!args->json)
		printf("room %s removed\n", args->words[0]);
	br_reply_free(&reply);
	return BR_CTL_OK;
}
