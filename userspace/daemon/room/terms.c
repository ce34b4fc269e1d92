/* SPDX-License-Identifier: BSD-2-Clause */
/* What may change while a leg lives: its rates, its feedback, its end. And the end itself. */
#include <time.h>

#include "lib/log.h"
#include "room/persist.h"
#include "room/state.h"

#define SECOND_NS 1000000000ULL

void br_terms_note_end(struct br_rooms *rooms, uint64_t expires_ns)
{
	if (expires_ns && (!rooms->first_end_ns || expires_ns < rooms->first_end_ns))
		rooms->first_end_ns = expires_ns;
}

struct br_leg_terms br_rooms_default_terms(const struct br_rooms *rooms)
{
	return rooms->options.terms;
}

int br_room_leg_set_terms(struct br_rooms *rooms, struct br_room_leg *leg,
			  const struct br_leg_terms *terms, struct br_error *error)
{
	struct br_leg_terms old = leg->spec.terms;
	int err = br_room_validate_terms(terms, error);

	if (err)
		return err;
	leg->spec.terms = *terms;
	/* the record first: should we end in between, the next daemon does the rest */
	err = br_persist_leg_again(rooms, leg, error);
	if (err) {
		leg->spec.terms = old;
		return err;
	}
	br_plane_leg_set_terms(rooms->plane, leg->slot, terms);
	br_terms_note_end(rooms, terms->expires_ns);
	return 0;
}

/* Remove what has been expired long enough; finds the end that comes first on the way. */
static void end_legs(struct br_rooms *rooms, struct br_room *room, uint64_t now_ns)
{
	uint64_t grace_ns = rooms->options.expired_grace_s * SECOND_NS;
	struct br_room_leg *leg = room->first_leg, *next;

	for (; leg; leg = next) {
		uint64_t end_ns = leg->spec.terms.expires_ns;

		next = leg->next;
		if (!end_ns || now_ns < end_ns + grace_ns) {
			br_terms_note_end(rooms, end_ns);
			continue;
		}
		br_log_info("room %s: leg %s has expired and is removed", room->name,
			    leg->spec.name);
		br_room_leg_remove(rooms, room, leg);
	}
}

void br_terms_tick(struct br_rooms *rooms)
{
	uint64_t now_ns;

	if (!rooms->first_end_ns)
		return;
	now_ns = br_now_monotonic_ns();
	if (now_ns < rooms->first_end_ns + rooms->options.expired_grace_s * SECOND_NS)
		return;
	rooms->first_end_ns = 0;
	for (struct br_room *room = rooms->first; room; room = room->next)
		end_legs(rooms, room, now_ns);
}

uint64_t br_now_monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}
