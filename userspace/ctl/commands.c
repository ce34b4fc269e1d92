// SPDX-License-Identifier: BSD-2-Clause
/* The subcommands: what each takes and what people are told about it. */
#include "ctl/ctl.h"

#define BR_FLAGS_TERMS                                                                             \
	(BR_FLAG_BIT(BR_FLAG_PACKETS) | BR_FLAG_BIT(BR_FLAG_RATE) |                                \
	 BR_FLAG_BIT(BR_FLAG_FEEDBACK) | BR_FLAG_BIT(BR_FLAG_EXPIRES))

const struct br_ctl_command br_ctl_commands[] = {
	{
		.name = "rooms",
		.usage = "",
		.summary = "List the rooms",
		.help = "example:\n"
			"  names only, for a script:\n"
			"    blindrelay rooms --json | jq -r '.rooms[].name'\n",
		.run = br_ctl_rooms,
	},
	{
		.name = "room",
		.usage = "ROOM",
		.summary = "Show a room, its legs and what it carries",
		.help = "example:\n"
			"    blindrelay room standup\n",
		.words_min = 1,
		.words_max = 1,
		.run = br_ctl_room,
	},
	{
		.name = "legs",
		.usage = "[ROOM]",
		.summary = "List the legs of a room, or of all rooms",
		.help = "A leg is one UDP address that sends or receives. States: ready (copies "
			"go\n"
			"out), resolving (its neighbour has not answered yet), unreachable (no "
			"route\n"
			"over a media interface), expired (see `blindrelay change`). LIMIT is what "
			"it\n"
			"may send per second.\n\n"
			"examples:\n"
			"    blindrelay legs\n"
			"    blindrelay legs standup\n",
		.words_max = 1,
		.run = br_ctl_legs,
	},
	{
		.name = "streams",
		.usage = "ROOM",
		.summary = "List the streams (SSRCs) sent in a room",
		.help = "example:\n"
			"    blindrelay streams standup\n",
		.words_min = 1,
		.words_max = 1,
		.run = br_ctl_streams,
	},
	{
		.name = "stats",
		.usage = "",
		.summary = "Show interfaces, tables and what became of packets",
		.help = "Reasons that never occurred are left out; --json shows all of them.\n\n"
			"example:\n"
			"    blindrelay stats\n",
		.run = br_ctl_stats,
	},
	{
		.name = "top",
		.usage = "",
		.summary = "Watch rates: the relay, drops, busiest rooms and legs",
		.help = "On a terminal a screen that keys lead through; ? lists them. Otherwise, "
			"and\n"
			"with --once, --count or --json, one plain table (or line of JSON) per "
			"interval:\n"
			"a line that begins with #, then always the same columns. NO_COLOR is "
			"honoured.\n\n"
			"examples:\n"
			"    blindrelay top\n"
			"    blindrelay top --room standup --sort drops\n"
			"  copies per second, once a minute, for a file:\n"
			"    blindrelay top --interval 60 --limit 0 | awk '$1 == \"relay\" { print "
			"$5 }'\n"
			"  the busiest room:\n"
			"    blindrelay top --once --json | jq -r '.rooms[0].name'\n",
		.flags = BR_FLAG_BIT(BR_FLAG_INTERVAL) | BR_FLAG_BIT(BR_FLAG_ONCE) |
			 BR_FLAG_BIT(BR_FLAG_TIMES) | BR_FLAG_BIT(BR_FLAG_SORT) |
			 BR_FLAG_BIT(BR_FLAG_ROOM) | BR_FLAG_BIT(BR_FLAG_MATCH) |
			 BR_FLAG_BIT(BR_FLAG_LIMIT) | BR_FLAG_BIT(BR_FLAG_ASCII),
		.run = br_ctl_top,
	},
	{
		.name = "create",
		.usage = "ROOM",
		.summary = "Create a room; nothing happens when it exists",
		.help = "Names have 1 to 64 characters of A-Z a-z 0-9 _ . -\n\n"
			"example:\n"
			"    blindrelay create standup\n",
		.words_min = 1,
		.words_max = 1,
		.run = br_ctl_create,
	},
	{
		.name = "add",
		.usage = "ROOM NAME --address A --port P --role R",
		.summary = "Add a leg with a fixed address to a room",
		.help = "The address must be inside a network of the daemon's rooms.static_allow.\n"
			"Without --ssrc the daemon learns what a publisher sends; without "
			"--receive\n"
			"a subscriber gets every stream of the room but its own.\n\n"
			"examples:\n"
			"  a camera that sends one known stream:\n"
			"    blindrelay add standup camera --address 192.0.2.7 --port 5004 \\\n"
			"      --role publisher --ssrc 0x1a2b3c4d\n"
			"  a recorder that receives everything:\n"
			"    blindrelay add standup recorder --address 2001:db8::9 --port 6000 \\\n"
			"      --role subscriber\n"
			"  somebody who talks and listens, to two streams:\n"
			"    blindrelay add standup alice --address 192.0.2.20 --port 7000 \\\n"
			"      --role both --receive 0x11 --receive 0x12\n"
			"  a guest who may send 4 Mbit/s, for an hour:\n"
			"    blindrelay add standup guest --address 192.0.2.30 --port 7000 \\\n"
			"      --role both --rate 4M --expires 3600\n"
			"  a receiver in VLAN 5 inside of service VLAN 100:\n"
			"    blindrelay add standup wall --address 192.0.2.40 --port 7000 \\\n"
			"      --role subscriber --next-hop "
			"eth0,02:00:00:00:00:28,vlan=100,vlan=5\n",
		.flags = BR_FLAG_BIT(BR_FLAG_ADDRESS) | BR_FLAG_BIT(BR_FLAG_PORT) |
			 BR_FLAG_BIT(BR_FLAG_ROLE) | BR_FLAG_BIT(BR_FLAG_SSRC) |
			 BR_FLAG_BIT(BR_FLAG_RECEIVE) | BR_FLAG_BIT(BR_FLAG_NEXT_HOP) |
			 BR_FLAGS_TERMS,
		.required = BR_FLAG_BIT(BR_FLAG_ADDRESS) | BR_FLAG_BIT(BR_FLAG_PORT) |
			    BR_FLAG_BIT(BR_FLAG_ROLE),
		.words_min = 2,
		.words_max = 2,
		.run = br_ctl_add,
	},
	{
		.name = "change",
		.usage = "ROOM NAME",
		.summary = "Change what a leg may send, or when it expires",
		.help = "What no flag names stays as it is; the leg's packets go on. A leg that "
			"has\n"
			"expired can be renewed until the daemon removes it.\n\n"
			"examples:\n"
			"    blindrelay change standup camera --expires 30\n"
			"    blindrelay change standup camera --rate 2500k --packets 0\n",
		.flags = BR_FLAGS_TERMS,
		.words_min = 2,
		.words_max = 2,
		.run = br_ctl_change,
	},
	{
		.name = "remove",
		.usage = "ROOM [NAME]",
		.summary = "Remove a leg, or a room with all of its legs",
		.help = "examples:\n"
			"    blindrelay remove standup camera\n"
			"    blindrelay remove standup\n",
		.words_min = 1,
		.words_max = 2,
		.run = br_ctl_remove,
	},
	{
		.name = "health",
		.usage = "",
		.summary = "Say whether the daemon answers and media can flow",
		.help = "Exit status 0 when it can. With --wait, waits up to so many seconds for\n"
			"that, also for a daemon that is still starting.\n\n"
			"example:\n"
			"    blindrelay health --wait 10 && blindrelay create standup\n",
		.flags = BR_FLAG_BIT(BR_FLAG_WAIT),
		.run = br_ctl_health,
	},
	{
		.name = "capture",
		.usage = "--room ROOM",
		.summary = "Write a room's sealed packets, in and out, as pcapng",
		.help = "Packets are taken in the kernel, as they come in and as they go out; "
			"nothing\n"
			"leaves the fast path. Each leg is an interface of the file. What was "
			"dropped\n"
			"carries the reason as a comment (in Wireshark: frame.comment). Contents "
			"stay\n"
			"sealed, but who talks to whom, when and how much is all there: treat the "
			"file\n"
			"as confidential. A new file is readable by its owner only. A reader that "
			"is too\n"
			"slow loses packets and is told how many. Ctrl-C ends with a complete "
			"file.\n\n"
			"examples:\n"
			"  ten seconds of a room:\n"
			"    blindrelay capture --room standup -o standup.pcapng --duration 10\n"
			"  what does wall get, and what not?\n"
			"    blindrelay capture --room standup --leg wall | tshark -r - -Y "
			"frame.comment\n",
		.flags = BR_FLAG_BIT(BR_FLAG_ROOM) | BR_FLAG_BIT(BR_FLAG_LEG) |
			 BR_FLAG_BIT(BR_FLAG_OUTPUT) | BR_FLAG_BIT(BR_FLAG_FORCE) |
			 BR_FLAG_BIT(BR_FLAG_TIMES) | BR_FLAG_BIT(BR_FLAG_DURATION) |
			 BR_FLAG_BIT(BR_FLAG_SNAPLEN),
		.required = BR_FLAG_BIT(BR_FLAG_ROOM),
		.run = br_ctl_capture,
	},
	{
		.name = "check",
		.usage = "",
		.summary = "Say whether this machine can relay, and over which interfaces",
		.help = "Needs no daemon. Looks at the kernel, at the interfaces that could carry "
			"media\n"
			"(or those named), and lets the relay's programs copy packets between "
			"veth\n"
			"devices of a private network namespace. Every line that is not OK says "
			"what to\n"
			"do. Run it as root; without, it says what it cannot see or test.\n"
			"Exit status 0 when nothing is FAIL, 1 otherwise.\n\n"
			"examples:\n"
			"    blindrelay check\n"
			"    blindrelay check --interface eth0 --interface eth1\n"
			"    blindrelay check --json | jq '.checks[] | select(.status != "
			"\"ok\")'\n",
		.flags = BR_FLAG_BIT(BR_FLAG_INTERFACE),
		.run = br_ctl_check,
	},
	{
		.name = "doctor",
		.usage = "",
		.summary = "Show what a daemon left pinned, and what to do about it",
		.help = "A blindrelayd that ends unexpectedly leaves its programs, tables and "
			"rooms "
			"in\n"
			"state.path, where they go on forwarding until the next start adopts "
			"them.\n"
			"This looks at them without a daemon; run it as root, in the relay's "
			"network\n"
			"namespace. Exit status 0 when nothing is to be done, 1 otherwise.\n\n"
			"examples:\n"
			"    sudo blindrelay doctor\n"
			"    sudo blindrelay doctor --state /sys/fs/bpf/relay --json | jq "
			".verdict\n",
		.flags = BR_FLAG_BIT(BR_FLAG_STATE),
		.run = br_ctl_doctor,
	},
	{0},
};
