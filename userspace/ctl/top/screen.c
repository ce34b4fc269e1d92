// SPDX-License-Identifier: BSD-2-Clause
/*
 * The terminal, by ncurses: it knows terminals, decodes keys, sends only what has changed and
 * follows the size. Signals that end us are read from a descriptor, so that the terminal is
 * always given back in its former state.
 */
#include <errno.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "ctl/top/top.h"

/* ncurses waits so long for the rest of a key that begins with Escape. */
#define BR_SCREEN_ESCAPE_MS 50

struct br_screen {
	struct br_top *top;
	attr_t styles[BR_STYLES];
	bool ascii;
	int signals; /* descriptor */
	int signal;  /* that has come; 0: none */
};

static void screen_styles(struct br_screen *screen)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */
	bool colors = has_colors() && !(no_color && *no_color);

	screen->styles[BR_STYLE_DIM] = A_DIM;
	screen->styles[BR_STYLE_BOLD] = A_BOLD;
	screen->styles[BR_STYLE_HEAD] = A_UNDERLINE;
	screen->styles[BR_STYLE_SORTED] = A_UNDERLINE | A_BOLD;
	screen->styles[BR_STYLE_SELECTED] = A_REVERSE;
	screen->styles[BR_STYLE_WARN] = A_BOLD;
	screen->styles[BR_STYLE_BAD] = A_BOLD;
	if (!colors)
		return;
	start_color();
	use_default_colors();
	init_pair(1, COLOR_GREEN, -1);
	init_pair(2, COLOR_YELLOW, -1);
	init_pair(3, COLOR_RED, -1);
	screen->styles[BR_STYLE_GOOD] = COLOR_PAIR(1);
	screen->styles[BR_STYLE_WARN] = COLOR_PAIR(2) | A_BOLD;
	screen->styles[BR_STYLE_BAD] = COLOR_PAIR(3) | A_BOLD;
}

static void screen_show(struct br_screen *screen)
{
	struct br_canvas canvas;

	screen->top->height = LINES;
	if (br_canvas_new(&canvas, COLS, LINES, screen->ascii))
		return;
	br_top_draw(screen->top, &canvas);
	for (int y = 0; y < canvas.height; y++)
		for (int x = 0; x < canvas.width; x++) {
			const struct br_cell *cell = &canvas.cells[y * canvas.width + x];

			attrset((int)screen->styles[cell->style]);
			mvaddstr(y, x, cell->text);
		}
	br_canvas_free(&canvas);
	refresh();
}

static int screen_key(int key)
{
	switch (key) {
	case KEY_UP:
		return BR_KEY_UP;
	case KEY_DOWN:
		return BR_KEY_DOWN;
	case KEY_PPAGE:
		return BR_KEY_PAGE_UP;
	case KEY_NPAGE:
		return BR_KEY_PAGE_DOWN;
	case KEY_HOME:
		return BR_KEY_HOME;
	case KEY_END:
		return BR_KEY_END;
	case '\n':
	case '\r':
	case KEY_ENTER:
	case KEY_RIGHT:
		return BR_KEY_ENTER;
	case '\b':
	case 0x7f:
	case KEY_BACKSPACE:
	case KEY_LEFT:
		return BR_KEY_BACK;
	default:
		return key;
	}
}

static int64_t screen_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000ll + now.tv_nsec / 1000000;
}

/* All keys that have come; BR_TOP_ASK or BR_TOP_QUIT when one of them wants it. */
static enum br_top_next screen_keys(struct br_screen *screen)
{
	enum br_top_next next = BR_TOP_WAIT;
	int key;

	while ((key = getch()) != ERR && next != BR_TOP_QUIT) {
		enum br_top_next wants;

		if (key == KEY_RESIZE)
			continue;
		wants = br_top_press(screen->top, screen_key(key));
		if (wants != BR_TOP_WAIT)
			next = wants;
	}
	return next;
}

/* A room that has gone cannot be shown any more. */
static void screen_fetch(struct br_screen *screen)
{
	struct br_top *top = screen->top;

	if (br_top_fetch(top) != -2)
		return;
	br_top_go(top, BR_TOP_ROOMS);
	if (br_top_fetch(top) == 1)
		snprintf(top->error, sizeof(top->error), "room %s is gone", top->room);
}

/* Until a key, a signal or the next turn; the result as of screen_keys. */
static enum br_top_next screen_wait(struct br_screen *screen, int64_t until_ms)
{
	struct pollfd polls[2] = {{.fd = STDIN_FILENO, .events = POLLIN},
				  {.fd = screen->signals, .events = POLLIN}};
	int64_t left = until_ms - screen_now_ms();
	int ready = poll(polls, 2, left > 0 ? (int)left : 0);
	struct signalfd_siginfo info;

	if (ready > 0 && polls[1].revents &&
	    read(screen->signals, &info, sizeof(info)) == sizeof(info)) {
		screen->signal = (int)info.ssi_signo;
		return BR_TOP_QUIT;
	}
	/* the other end of the terminal is gone */
	if (ready > 0 && polls[0].revents & (POLLHUP | POLLERR | POLLNVAL))
		return BR_TOP_QUIT;
	/* also after SIGWINCH, which interrupts the poll and becomes a key */
	return screen_keys(screen);
}

static void screen_run(struct br_screen *screen)
{
	struct br_top *top = screen->top;
	int64_t due = screen_now_ms();

	for (;;) {
		enum br_top_next next;

		if (!top->paused && screen_now_ms() >= due) {
			due = screen_now_ms() + (int64_t)(top->interval_s * 1000);
			screen_fetch(screen);
		}
		screen_show(screen);
		next = screen_wait(screen, top->paused ? INT64_MAX : due);
		if (next == BR_TOP_QUIT)
			return;
		if (next == BR_TOP_ASK) {
			screen_fetch(screen);
			due = screen_now_ms() + (int64_t)(top->interval_s * 1000);
		}
	}
}

int br_top_screen(struct br_top *top, bool ascii)
{
	struct br_screen screen = {.top = top, .ascii = ascii};
	sigset_t ending, before;
	SCREEN *terminal;

	sigemptyset(&ending);
	sigaddset(&ending, SIGINT);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGHUP);
	sigaddset(&ending, SIGQUIT);
	set_escdelay(BR_SCREEN_ESCAPE_MS);
	terminal = newterm(NULL, stdout, stdin);
	if (!terminal)
		return -1;
	sigprocmask(SIG_BLOCK, &ending, &before);
	screen.signals = signalfd(-1, &ending, SFD_CLOEXEC | SFD_NONBLOCK);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, true);
	nodelay(stdscr, true);
	screen_styles(&screen);
	screen_run(&screen);
	endwin();
	delscreen(terminal);
	close(screen.signals);
	sigprocmask(SIG_SETMASK, &before, NULL);
	/* die of it, as whoever sent it expects */
	if (screen.signal && screen.signal != SIGINT) {
		signal(screen.signal, SIG_DFL);
		raise(screen.signal);
	}
	return screen.signal ? BR_CTL_FAILED : BR_CTL_OK;
}
