// SPDX-License-Identifier: BSD-2-Clause
/* stats. */
#include <stdio.h>

#include "ctl/ctl.h"

static const char *br_stats_link(const cJSON *interface)
{
	if (!cJSON_IsTrue(cJSON_GetObjectItem(interface, "up")))
		return "down";
	return cJSON_IsFalse(cJSON_GetObjectItem(interface, "transmits"))
		       ? "up, loses what XDP sends"
		       : "up";
}

static void br_stats_interfaces(const cJSON *stats)
{
	const cJSON *interface;
	struct br_table table;

	br_table_begin(&table, "INTERFACE|XDP|LINK");
	cJSON_ArrayForEach (interface, cJSON_GetObjectItem(stats, "interfaces"))
		br_table_row(&table, (const char *[]){br_member_text(interface, "name"),
						      br_member_text(interface, "mode"),
						      br_stats_link(interface)});
	br_table_end(&table);
}

static void br_stats_tables(const cJSON *stats)
{
	const cJSON *entry;
	struct br_table table;

	br_table_begin(&table, "TABLE|>USED|>CAPACITY|>FULL");
	cJSON_ArrayForEach (entry, cJSON_GetObjectItem(stats, "tables")) {
		double used = br_member_number(entry, "used");
		double capacity = br_member_number(entry, "capacity");
		char a[BR_UNIT_TEXT], b[BR_UNIT_TEXT], percent[BR_UNIT_TEXT];

		snprintf(percent, sizeof(percent), "%.1f %%", capacity ? 100 * used / capacity : 0);
		br_table_row(&table, (const char *[]){entry->string, br_unit_count(used, a),
						      br_unit_count(capacity, b), percent});
	}
	br_table_end(&table);
}

static void br_stats_reasons(const cJSON *reasons)
{
	const cJSON *reason;
	struct br_table table;
	int silent = 0;

	br_table_begin(&table, "VERDICT|REASON|>PACKETS|>BYTES|MEANING");
	cJSON_ArrayForEach (reason, reasons) {
		double packets = br_member_number(reason, "packets");
		char a[BR_UNIT_TEXT], b[BR_UNIT_TEXT];

		if (packets == 0) {
			silent++;
			continue;
		}
		br_unit_count(packets, a);
		br_unit_bytes(br_member_number(reason, "bytes"), b);
		br_table_row(&table, (const char *[]){br_member_text(reason, "verdict"),
						      br_member_text(reason, "reason"), a, b,
						      br_member_text(reason, "meaning")});
	}
	br_table_end(&table);
	printf("(%d more reasons never occurred)\n", silent);
}

/* Only where there is something to tell. */
static void br_stats_slow(const cJSON *slow)
{
	double tapped = br_member_number(cJSON_GetObjectItem(slow, "tap"), "packets");
	const cJSON *reason;
	double read = 0;

	cJSON_ArrayForEach (reason, cJSON_GetObjectItem(slow, "reasons"))
		read += br_member_number(reason, "packets");
	if (tapped + read == 0)
		return;
	printf("\nSlow path: by the daemon itself; %.0f packets came over the tap, %.0f were lost "
	       "there\n",
	       tapped, br_member_number(slow, "tap_lost"));
	br_stats_reasons(cJSON_GetObjectItem(slow, "reasons"));
}

int br_ctl_stats(const struct br_ctl_args *args)
{
	struct br_reply reply;
	char age[BR_UNIT_TEXT], rooms[BR_UNIT_TEXT];
	int err = br_ctl_request(args, "GET", "/v1/stats", NULL, &reply);

	if (err)
		return err;
	if (args->json) {
		puts(reply.text);
		br_reply_free(&reply);
		return BR_CTL_OK;
	}
	printf("blindrelayd %s, up %s, media port %.0f, %s room%s",
	       br_member_text(reply.json, "version"),
	       br_unit_age(br_member_text(reply.json, "started"), age),
	       br_member_number(reply.json, "media_port"),
	       br_unit_count(br_member_number(reply.json, "rooms"), rooms),
	       br_member_number(reply.json, "rooms") == 1 ? "" : "s");
	if (br_member_number(reply.json, "captures") > 0)
		printf(", %.0f being captured", br_member_number(reply.json, "captures"));
	puts("\n");
	br_stats_interfaces(reply.json);
	puts("");
	br_stats_tables(reply.json);
	puts("");
	br_stats_reasons(cJSON_GetObjectItem(reply.json, "reasons"));
	br_stats_slow(cJSON_GetObjectItem(reply.json, "slow_path"));
	br_reply_free(&reply);
	return BR_CTL_OK;
}
