// SPDX-License-Identifier: BSD-2-Clause
/* doctor: what an earlier daemon left pinned, whether one is alive, and what to do about it. */
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "ctl/ctl.h"
#include "lib/version.h"
#include "plane/pins.h"

#define BR_DOCTOR_TEXT 512

enum br_doctor_verdict {
	BR_DOCTOR_NOTHING,    /* nothing is pinned */
	BR_DOCTOR_RUNNING,    /* a daemon is alive and all is well */
	BR_DOCTOR_DEGRADED,   /* alive, but something is missing */
	BR_DOCTOR_ORPHANED,   /* no daemon; this version can adopt it */
	BR_DOCTOR_FOREIGN,    /* another version's, or another network namespace's */
	BR_DOCTOR_INCOMPLETE, /* of a start that did not finish */
};

static const char *const br_doctor_names[] = {
	[BR_DOCTOR_NOTHING] = "nothing",   [BR_DOCTOR_RUNNING] = "running",
	[BR_DOCTOR_DEGRADED] = "degraded", [BR_DOCTOR_ORPHANED] = "orphaned",
	[BR_DOCTOR_FOREIGN] = "foreign",   [BR_DOCTOR_INCOMPLETE] = "incomplete",
};

/* First interface whose link is gone; NULL: none. */
static const struct br_pins_link *br_doctor_gone(const struct br_pins_report *report)
{
	for (size_t i = 0; i < report->interface_count; i++)
		if (!report->interfaces[i].ifindex)
			return &report->interfaces[i];
	return NULL;
}

static enum br_doctor_verdict br_doctor_judge(const struct br_pins_report *report)
{
	if (!report->settings_found && !report->maps && !report->links)
		return report->holder ? BR_DOCTOR_INCOMPLETE : BR_DOCTOR_NOTHING;
	if (!report->settings_found)
		return BR_DOCTOR_INCOMPLETE;
	if (!report->abi_agrees)
		return BR_DOCTOR_FOREIGN;
	if (report->holder)
		return br_doctor_gone(report) ? BR_DOCTOR_DEGRADED : BR_DOCTOR_RUNNING;
	return report->other_net ? BR_DOCTOR_FOREIGN : BR_DOCTOR_ORPHANED;
}

/* What to do; "" when nothing is. */
static void br_doctor_advise(const struct br_pins_report *report, enum br_doctor_verdict verdict,
			     char todo[static BR_DOCTOR_TEXT])
{
	const struct br_pins_link *gone = br_doctor_gone(report);

	todo[0] = '\0';
	switch (verdict) {
	case BR_DOCTOR_NOTHING:
	case BR_DOCTOR_RUNNING:
		break;
	case BR_DOCTOR_DEGRADED:
		snprintf(todo, BR_DOCTOR_TEXT,
			 "The interface %s is gone; the daemon attaches to it when it comes back.",
			 gone ? gone->name : "");
		break;
	case BR_DOCTOR_ORPHANED:
		snprintf(todo, BR_DOCTOR_TEXT,
			 "Its programs go on forwarding, but nobody can join or leave. Start "
			 "blindrelayd with the same configuration: it adopts the rooms without "
			 "losing a packet. Or throw them away: blindrelayd --reset.");
		break;
	case BR_DOCTOR_FOREIGN:
		if (report->abi_agrees)
			snprintf(todo, BR_DOCTOR_TEXT,
				 "It belongs to another network namespace. Run this command and "
				 "blindrelayd there, or give each relay a directory of its own.");
		else if (report->holder)
			snprintf(todo, BR_DOCTOR_TEXT,
				 "A blindrelayd of another version serves it. Use the blindrelay "
				 "command of that version, or stop it before you start this one.");
		else
			snprintf(todo, BR_DOCTOR_TEXT,
				 "This version cannot adopt it; its programs go on forwarding. "
				 "Start the version that wrote it and stop that cleanly, or throw "
				 "its rooms away: blindrelayd --reset.");
		break;
	case BR_DOCTOR_INCOMPLETE:
		snprintf(todo, BR_DOCTOR_TEXT, "%s",
			 report->holder ? "A blindrelayd is starting or stopping; look again."
					: "It is left of a start that did not finish. The next "
					  "start of blindrelayd removes it.");
		break;
	}
}

static void br_doctor_row(const char *label, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void br_doctor_row(const char *label, const char *format, ...)
{
	va_list args;

	printf("%-11s ", label);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* An index of another network namespace says nothing here. */
static bool br_doctor_renamed(const struct br_pins_report *report, const struct br_pins_link *link)
{
	char name[IF_NAMESIZE];

	return link->ifindex && !report->other_net &&
	       (!if_indextoname(link->ifindex, name) || strcmp(name, link->name) != 0);
}

static void br_doctor_print_settings(const struct br_pins_report *report)
{
	const struct br_settings *settings = &report->settings;
	time_t since = (time_t)(settings->since_ms / 1000);
	char text[32] = "";
	struct tm when;

	if (!report->abi_agrees) {
		br_doctor_row("written by", "ABI version %u (this command: %u)",
			      settings->abi_version, BR_ABI_VERSION);
		return;
	}
	if (gmtime_r(&since, &when))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &when);
	br_doctor_row("written by", "blindrelayd %s, ABI version %u (this command: %s, %u)",
		      settings->version, settings->abi_version, BR_VERSION, BR_ABI_VERSION);
	br_doctor_row("since", "%s", text);
	br_doctor_row("media", "port %u, XDP %s", settings->media_port,
		      br_xdp_mode_name(br_pins_mode(settings)));
	for (size_t i = 0; i < report->interface_count; i++) {
		const struct br_pins_link *link = &report->interfaces[i];

		br_doctor_row(i ? "" : "interfaces", "%s: %s%s", link->name,
			      link->ifindex ? "attached" : "gone",
			      br_doctor_renamed(report, link) ? ", has another name now" : "");
	}
	br_doctor_row("in use", "%u room%s, %u of %u legs", report->rooms,
		      report->rooms == 1 ? "" : "s", report->legs, settings->max_legs);
}

static void br_doctor_print(const char *path, const struct br_pins_report *report, const char *todo)
{
	br_doctor_row("state", "%s%s", path,
		      !report->exists  ? " (does not exist)"
		      : !report->bpffs ? " (no bpffs)"
				       : "");
	if (report->holder)
		br_doctor_row("daemon", "alive, pid %d", (int)report->holder);
	else
		br_doctor_row("daemon", "none");
	br_doctor_row("pinned", "%zu maps, %zu links", report->maps, report->links);
	if (report->settings_found)
		br_doctor_print_settings(report);
	if (*todo)
		br_doctor_row("to do", "%s", todo);
	else
		br_doctor_row("to do", "nothing");
}

static int br_doctor_print_json(const char *path, const struct br_pins_report *report,
				enum br_doctor_verdict verdict, const char *todo)
{
	const struct br_settings *settings = &report->settings;
	cJSON *root = cJSON_CreateObject(), *list, *entry;
	char *text;

	cJSON_AddStringToObject(root, "state", path);
	cJSON_AddStringToObject(root, "verdict", br_doctor_names[verdict]);
	cJSON_AddNumberToObject(root, "daemon_pid", report->holder);
	cJSON_AddNumberToObject(root, "maps", (double)report->maps);
	cJSON_AddNumberToObject(root, "links", (double)report->links);
	if (report->settings_found)
		cJSON_AddNumberToObject(root, "abi_version", settings->abi_version);
	if (report->abi_agrees) {
		cJSON_AddStringToObject(root, "version", settings->version);
		cJSON_AddNumberToObject(root, "media_port", settings->media_port);
		cJSON_AddStringToObject(root, "xdp_mode", br_xdp_mode_name(br_pins_mode(settings)));
		cJSON_AddNumberToObject(root, "rooms", report->rooms);
		cJSON_AddNumberToObject(root, "legs", report->legs);
		cJSON_AddNumberToObject(root, "max_legs", settings->max_legs);
		list = cJSON_AddArrayToObject(root, "interfaces");
		for (size_t i = 0; i < report->interface_count; i++) {
			entry = cJSON_CreateObject();
			cJSON_AddStringToObject(entry, "name", report->interfaces[i].name);
			cJSON_AddNumberToObject(entry, "ifindex", report->interfaces[i].ifindex);
			cJSON_AddItemToArray(list, entry);
		}
	}
	cJSON_AddStringToObject(root, "to_do", todo);
	text = cJSON_Print(root);
	cJSON_Delete(root);
	if (!text) {
		fprintf(stderr, "blindrelay doctor: out of memory\n");
		return BR_CTL_FAILED;
	}
	puts(text);
	cJSON_free(text);
	return BR_CTL_OK;
}

int br_ctl_doctor(const struct br_ctl_args *args)
{
	const char *path = args->state ? args->state : BR_CTL_DEFAULT_STATE;
	enum br_doctor_verdict verdict;
	struct br_pins_report report;
	struct br_error error = {0};
	char todo[BR_DOCTOR_TEXT];

	if (br_pins_examine(path, &report, &error)) {
		fprintf(stderr, "blindrelay doctor: %s: %s\n", error.field, error.detail);
		return BR_CTL_FAILED;
	}
	verdict = br_doctor_judge(&report);
	br_doctor_advise(&report, verdict, todo);
	if (args->json) {
		if (br_doctor_print_json(path, &report, verdict, todo))
			return BR_CTL_FAILED;
	} else {
		br_doctor_print(path, &report, todo);
	}
	return *todo ? BR_CTL_FAILED : BR_CTL_OK;
}
