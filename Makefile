# blindrelay: build, test, demonstrate. `make help` lists what it does.
.DEFAULT_GOAL := build
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

V ?= 0
ifeq ($(V),0)
Q := @
say = @printf '  %-8s %s\n' $(1) $(2)
endif

B ?= build
PREFIX ?= /usr/local
DESTDIR ?=
CC := gcc
CLANG ?= clang
BPFTOOL ?= $(firstword $(wildcard /usr/sbin/bpftool) bpftool)
PKGS := libbpf libelf zlib libmnl libcjson libuv libwebsockets libsrtp2 libcurl libcrypto
PKG_CFLAGS = $(shell pkg-config --cflags $(PKGS) 2>/dev/null)

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
CFLAGS ?= -O2 -g
ALL_CFLAGS = -std=gnu11 $(WARN) -D_GNU_SOURCE -Iinclude -Iuserspace -Iuserspace/daemon -I$(B) \
	$(PKG_CFLAGS) $(CFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
ALL_LDFLAGS = $(LDFLAGS) $(if $(SANITIZE),-fsanitize=$(SANITIZE))
BPF_CFLAGS := -O2 -g -target bpf -mcpu=v3 -Wall -Wextra -Werror -Iinclude -idirafter /usr/include/$(shell uname -m)-linux-gnu

BPF_SRC := $(wildcard bpf/*.bpf.c)
SKELS := $(BPF_SRC:bpf/%.bpf.c=$(B)/%.skel.h)
LIB_SRC := $(wildcard userspace/lib/*.c)
DAEMON_MAIN := userspace/daemon/main.c
DAEMON_SRC := $(filter-out $(DAEMON_MAIN),$(wildcard userspace/daemon/*.c userspace/daemon/*/*.c))
CTL_SRC := $(wildcard userspace/ctl/*.c userspace/ctl/*/*.c)
LAB_SRC := $(wildcard userspace/lab/*.c)
BENCH_SRC := $(wildcard userspace/lab/bench/*.c)
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))
LIBBR := $(B)/libbr.a
LIBD := $(B)/libblindrelayd.a

DAEMON_LIBS = -lbpf -lelf -lz -lmnl -lcjson -lwebsockets -luv -lcrypto
CTL_LIBS = -lcurl -lcjson -lbpf -lelf -lz -lmnl -lncursesw -ltinfo
LAB_LIBS = -lsrtp2 -lcjson -lpcap -lm

PROGRAMS := $(B)/blindrelayd $(B)/blindrelay $(B)/blindrelay-lab

.PHONY: build
build: $(PROGRAMS) ## Build the daemon, the command and the lab tool

$(B)/blindrelayd: $(call obj,$(DAEMON_MAIN)) $(LIBD) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(DAEMON_LIBS)

$(B)/blindrelay: $(call obj,$(CTL_SRC)) $(LIBD) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(CTL_LIBS)

$(B)/blindrelay-lab: $(call obj,$(LAB_SRC)) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(LAB_LIBS)

BENCH_LIBS = $(DAEMON_LIBS) -lcurl -lm
$(B)/blindrelay-bench: $(call obj,$(BENCH_SRC) userspace/ctl/client.c) $(LIBD) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(BENCH_LIBS)

$(LIBBR): $(call obj,$(LIB_SRC))
$(LIBD): $(call obj,$(DAEMON_SRC))
$(LIBBR) $(LIBD):
	$(call say,AR,$@)
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/obj/%.o: %.c | $(SKELS)
	$(call say,CC,$<)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# .incbin is no dependency that -MMD sees
$(B)/obj/userspace/daemon/control/openapi.o: userspace/daemon/control/openapi.json

$(B)/%.bpf.o: bpf/%.bpf.c
	$(call say,BPF,$<)
	$(Q)mkdir -p $(@D) && $(CLANG) $(BPF_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/%.skel.h: $(B)/%.bpf.o
	$(call say,SKEL,$@)
	$(Q)$(BPFTOOL) gen skeleton $< name $(subst .,_,$*)_bpf > $@

# Unit tests: tests/unit/test_NAME.c, linked with the daemon's objects and the libraries.
UNIT_SRC := $(wildcard tests/unit/test_*.c)
UNIT := $(UNIT_SRC:tests/unit/%.c=$(B)/tests/unit/%)
$(B)/tests/unit/%: $(B)/obj/tests/unit/%.o $(LIBD) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(DAEMON_LIBS) -lsrtp2 -lpcap -lm

# Tests of rooms run on a plane without a kernel: test_room*.c, linked with the fake.
$(B)/tests/unit/test_room_memory: override LDFLAGS += -Wl,--wrap=calloc,--wrap=reallocarray
ROOM_OBJ := $(call obj,tests/unit/fake_plane.c $(wildcard userspace/daemon/room/*.c))
$(B)/tests/unit/test_room_sampler: $(call obj,$(addprefix userspace/daemon/,control/sampler.c control/rates.c plane/reasons.c))
$(B)/tests/unit/test_room%: $(B)/obj/tests/unit/test_room%.o $(ROOM_OBJ) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka

# The slow path between fakes of the plane and the port, which the test brings along.
$(B)/tests/unit/test_slow: $(call obj,tests/unit/test_slow.c userspace/daemon/media/slow.c userspace/daemon/media/slow_capture.c) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka

# Tests of the command's check: with its objects and the plane.
CTL_OBJ := $(call obj,$(filter-out userspace/ctl/main.c,$(CTL_SRC)))
$(B)/tests/unit/test_check%: $(B)/obj/tests/unit/test_check%.o $(CTL_OBJ) $(LIBD) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(CTL_LIBS)

# Tests of top: the same.
$(B)/tests/unit/test_top%: $(B)/obj/tests/unit/test_top%.o $(CTL_OBJ) $(LIBD) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka -lutil $(CTL_LIBS)

LAB_OBJ := $(call obj,$(filter-out userspace/lab/main.c,$(LAB_SRC)))
$(B)/tests/unit/test_lab_%: $(B)/obj/tests/unit/test_lab_%.o $(LAB_OBJ) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(LAB_LIBS)

BENCH_OBJ := $(call obj,$(filter-out userspace/lab/bench/main.c,$(BENCH_SRC)) userspace/ctl/client.c)
$(B)/tests/unit/test_bench_%: $(B)/obj/tests/unit/test_bench_%.o $(BENCH_OBJ) $(LIBD) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(BENCH_LIBS)

-include $(shell find $(B) -name '*.d' 2>/dev/null)

# BPF tests: tests/bpf/test_NAME.c run the programs with BPF_PROG_TEST_RUN; they need root.
BPFTEST_SRC := $(wildcard tests/bpf/test_*.c)
BPFTEST_HELP := $(filter-out $(BPFTEST_SRC),$(wildcard tests/bpf/*.c))
BPFTEST := $(BPFTEST_SRC:tests/bpf/%.c=$(B)/tests/bpf/%)
$(B)/tests/bpf/%: $(B)/obj/tests/bpf/%.o $(call obj,$(BPFTEST_HELP)) $(LIBD) $(LIBBR)
	$(call say,LINK,$@)
	$(Q)mkdir -p $(@D) && $(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka $(DAEMON_LIBS)

.PHONY: verifier-baseline
verifier-baseline: $(B)/tests/bpf/test_verifier ## Record how many instructions the verifier processes now (root)
	$(Q)BR_VERIFIER_UPDATE=1 $< && cat tests/bpf/verifier.baseline

.PHONY: test-programs help deps demo run test soak bench check-format asan tidy install clean
.SECONDARY:
test-programs: $(UNIT) $(BPFTEST) $(B)/blindrelay-bench

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' $(MAKEFILE_LIST) | sort | expand -t 15

deps: ## Install missing Debian packages (build and run)
	@scripts/install-deps.sh

demo: ## Show a picture and a tone at many receivers, about a minute (root)
	@scripts/install-deps.sh demo
	@$(MAKE) -s --no-print-directory build
	@scripts/demo.sh

run: ## Run the relay on this machine with the sample configuration (root)
	@scripts/install-deps.sh
	@$(MAKE) -s --no-print-directory build
	@scripts/run.sh

test: ## Run every test; the last line counts them (root)
	@scripts/install-deps.sh test
	@scripts/test.sh

soak: ## Everything at once for SOAK=10 minutes: churn, floods, kills, link-downs (root)
	@scripts/install-deps.sh test
	@$(MAKE) -s --no-print-directory build
	@scripts/soak.sh $(SOAK)

bench: ## Measure the packet path: table, build/bench/latest.json; BENCH=quick takes a minute (root)
	@scripts/install-deps.sh
	@$(MAKE) -s --no-print-directory build $(B)/blindrelay-bench
	@mkdir -p build/bench
	@$(B)/blindrelay-bench $(if $(filter quick,$(BENCH)),--quick) --json build/bench/latest.json --plots build/bench

asan: ## Run the unit tests under the address and undefined-behaviour sanitizers
	@scripts/test.sh asan

C_FILES = $(shell find bpf include userspace tests -name '*.[ch]' 2>/dev/null)
check-format: ## Check the layout of the C files and the shell scripts
	$(Q)clang-format --dry-run -Werror $(C_FILES)
	$(Q)shellcheck -x -S warning $(wildcard scripts/*.sh scripts/*/*.sh tests/*/*.sh tests/vm/guest/init tests/vm/guest/relay.sh .ci/run)

TIDY_FILES = $(LIB_SRC) $(DAEMON_SRC) $(DAEMON_MAIN) $(CTL_SRC) $(LAB_SRC) $(BENCH_SRC)
tidy: $(SKELS) ## Let clang-tidy read the programs; generated headers are not ours to judge
	$(Q)clang-tidy --quiet $(TIDY_FILES) -- $(patsubst -I$(B),-isystem$(B),$(filter-out -Werror,$(ALL_CFLAGS)))

install: build ## Install to $(DESTDIR)$(PREFIX)
	$(Q)install -D -m 755 -t $(DESTDIR)$(PREFIX)/sbin $(B)/blindrelayd
	$(Q)install -D -m 755 -t $(DESTDIR)$(PREFIX)/bin $(B)/blindrelay $(B)/blindrelay-lab
	$(Q)install -D -m 644 -t $(DESTDIR)$(PREFIX)/share/doc/blindrelay scripts/blindrelayd.sample.json

clean: ## Remove everything that was built
	$(Q)rm -rf build
