// SPDX-License-Identifier: BSD-2-Clause
#include "ctl/check/check.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/check/link.h"
#include "ctl/check/machine.h"
#include "ctl/check/self_test.h"
#include "lib/text.h"

/* The relay's own pair for large rooms (plane/loop.c) is no interface for media. */
#define BR_LOOP_PREFIX "br-loop-"
#define BR_BACK_PREFIX "br-back-"

struct br_links {
	struct br_check_link *links;
	size_t count;
};

static int br_links_add(struct br_links *links, const struct br_check_link *link)
{
	struct br_check_link *more =
		reallocarray(links->links, links->count + 1, sizeof(*links->links));

	if (!more)
		return -ENOMEM;
	more[links->count++] = *link;
	links->links = more;
	return 0;
}

static int br_check_unknown(const char *name)
{
	struct if_nameindex *all = if_nameindex();
	const char *names[64], *nearest = NULL;
	size_t count = 0;

	for (const struct if_nameindex *i = all; i && i->if_index && count < 64; i++)
		names[count++] = i->if_name;
	if (count)
		nearest = br_text_nearest(name, names, count);
	fprintf(stderr, "blindrelay check: --interface: there is no interface \"%s\"", name);
	if (nearest)
		fprintf(stderr, "; did you mean \"%s\"?\n", nearest);
	else
		fprintf(stderr, "; `ip link` lists them\n");
	if_freenameindex(all);
	return BR_CTL_USAGE;
}

static int br_check_failed(const char *name, int rc)
{
	fprintf(stderr, "blindrelay check: cannot look at interface \"%s\": %s\n", name,
		strerror(-rc));
	return BR_CTL_FAILED;
}

static int br_links_named(const struct br_ctl_args *args, struct br_links *links)
{
	struct br_check_link link;

	for (size_t i = 0; i < args->interface_count; i++) {
		const char *name = args->interfaces[i];
		unsigned int index = if_nametoindex(name);
		int rc;

		for (size_t j = 0; j < i; j++)
			if (!strcmp(name, args->interfaces[j])) {
				fprintf(stderr,
					"blindrelay check: --interface: \"%s\" is named twice\n",
					name);
				return BR_CTL_USAGE;
			}
		rc = index ? br_check_link_read(index, &link) : -ENODEV;
		if (rc == -ENODEV)
			return br_check_unknown(name);
		if (!rc)
			rc = br_links_add(links, &link);
		if (rc)
			return br_check_failed(name, rc);
	}
	return BR_CTL_OK;
}

static int br_links_all(struct br_links *links)
{
	struct if_nameindex *all = if_nameindex();
	struct br_check_link link;
	int rc = all ? 0 : -errno;

	for (const struct if_nameindex *i = all; i && i->if_index && !rc; i++) {
		if (!strncmp(i->if_name, BR_LOOP_PREFIX, strlen(BR_LOOP_PREFIX)) ||
		    !strncmp(i->if_name, BR_BACK_PREFIX, strlen(BR_BACK_PREFIX)))
			continue;
		rc = br_check_link_read(i->if_index, &link);
		if (rc == -ENODEV)
			rc = 0; /* gone since it was listed */
		else if (!rc && br_check_link_candidate(&link))
			rc = br_links_add(links, &link);
		if (rc)
			br_check_failed(i->if_name, rc);
	}
	if_freenameindex(all);
	return rc ? BR_CTL_FAILED : BR_CTL_OK;
}

/* Returns whether generic mode would be used on any of them. */
static bool br_check_links(const struct br_ctl_args *args, const struct br_links *links,
			   struct br_check_report *report)
{
	bool generic = false;
	char why[BR_CHECK_TEXT];
	struct br_check_line *line;

	for (size_t i = 0; i < links->count; i++) {
		br_check_link_judge(&links->links[i], report);
		generic |= br_check_link_mode(&links->links[i], why) == BR_CHECK_MODE_GENERIC;
	}
	if (!links->count) {
		line = br_check_add(report, "interfaces", "interfaces", BR_CHECK_WARN,
				    "none that could carry media is up");
		br_check_todo(line,
			      "ip link set dev NAME up; --interface lo looks at the loopback");
	}
	/* the operator names those that the relay shall have; all there are it will rarely get */
	if (args->interface_count)
		br_check_links_judge(links->links, links->count, report);
	return generic;
}

static void br_check_self_test(uint64_t capabilities, bool generic, struct br_check_report *report)
{
	struct br_self_test_result results[BR_SELF_TEST_MODES];
	char missing[BR_CHECK_TEXT];

	if (!br_check_missing(capabilities, true, missing)) {
		br_self_test_judge(NULL, missing, generic, report);
		return;
	}
	fflush(stdout); /* the child must not print it again */
	br_self_test_run(results);
	br_self_test_judge(results, missing, generic, report);
}

int br_ctl_check(const struct br_ctl_args *args)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	struct br_check_report report = {0};
	struct br_check_machine machine;
	struct br_links links = {0};
	bool generic;
	int rc;

	rc = args->interface_count ? br_links_named(args, &links) : br_links_all(&links);
	if (rc)
		goto out;
	br_check_machine_read(&machine);
	br_check_machine_judge(&machine, &report);
	generic = br_check_links(args, &links, &report);
	br_check_self_test(machine.capabilities, generic, &report);
	rc = br_check_worst(&report) == BR_CHECK_FAIL ? BR_CTL_FAILED : BR_CTL_OK;
	if (!args->json) {
		br_check_print(&report, stdout, colour);
	} else if (br_check_print_json(&report, stdout)) {
		fprintf(stderr, "blindrelay check: out of memory\n");
		rc = BR_CTL_FAILED;
	}
out:
	br_check_free(&report);
	free(links.links);
	return rc;
}
