# SPDX-License-Identifier: BSD-2-Clause
#
# A thin front of meson and ninja.
#
#   make            build (in build/)
#   make demo       two unmodified programs talk over two weir stacks
#   make test       every test; the last line counts them
#   make check      the repository checks alone (layers, globals, headers, exports, format, ...)
#   make bench      weir beside the kernel (BUILD=build-release: as users get it), writes bench/results.json; LWIP_DIR=a source tree of lwIP 2.2: beside lwIP, too; ROWS="names": only these
#   make bench-instructions bench-record   instructions per operation against bench/instructions.json; takes new figures
#   make bench-plots   draws doc/bench.svg, doc/instructions.svg and doc/overload.svg of what is recorded
#   make study      all of: study-tcp (congestion controls), study-aqm (queueing disciplines at the bottleneck), study-livelock (interrupts under overload),
#                   study-media (hub, token, switch): tables, and curves in build/study-NAME.svg (STUDY=--json)
#   make study-tcp-kernel     Reno and CUBIC beside the host's own TCP, as root: twelve minutes
#   make release    the same, optimised as a whole and by a profile, in build-release/: 2 to 15 % faster, takes four times as long (gcc)
#   make release-test   packet scripts, and the tests of the API and of simulated networks, against that
#   make install    PREFIX=/usr/local, DESTDIR= as usual: of build-release/ if there is one, else of build/
#   make asan tsan clang      builds with sanitizers and with clang, and their tests
#   make corpus CORPUS=path   runs the public packet scripts, writes doc/conformance.md
#   make tcp-table writes doc/tcp.md: sections of RFCs, code, packet scripts
#   make programs  runs unmodified programs, as far as they are installed, writes doc/programs.md
#   make coverage  writes doc/coverage.md from doc/names.txt
#   make format     lets clang-format 14 rewrite the C files
#   make fuzz       the libFuzzer programs, in build-fuzz/tests/fuzz/
#   make deps       names or installs the packages that are needed
#   make clean
#
# Variables: BUILD=directory, CC=compiler (at the first configuration), MESON_ARGS=more options of meson setup, TESTS="names"

BUILD ?= build
MESON ?= meson
PREFIX ?= /usr/local
MESON_ARGS ?=
TESTS ?=
# Debian's clang-14 package, which `make deps` asks for, has no command called clang.
CLANG ?= $(shell command -v clang-14 || command -v clang || echo clang)
export MESON

WEIR = $(BUILD)/tools/weir/weir
SETUP = $(MESON) setup --werror --prefix=$(PREFIX) $(MESON_ARGS)

all: deps-build $(BUILD)/build.ninja
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@mkdir -p $(BUILD) 2>/dev/null && test -w $(BUILD) || { \
		echo "make: $(BUILD)/ cannot be written by you; name another directory: make BUILD=/tmp/weir-build" >&2; exit 1; }
	$(SETUP) $(BUILD)

# ---- packages

deps:
	@tools/deps build demo test dev
deps-build:
	@tools/deps build
deps-demo:
	@tools/deps build demo
deps-test:
	@tools/deps build test

# ---- using it

demo: deps-demo all
	@$(WEIR) lab run examples/two-hosts.yaml

# A build directory that was configured before the packages of the tests were there has no tests: look again, once.
test-config: deps-test
	@test -f $(BUILD)/.tests || { test ! -f $(BUILD)/build.ninja || $(SETUP) --reconfigure $(BUILD); }
	@mkdir -p $(BUILD) && touch $(BUILD)/.tests

test: deps-test test-config all
	@tools/run-tests $(BUILD) $(TESTS)

check: deps-test all
	@tools/run-tests $(BUILD) --suite checks

bench: deps-test all
	@test -z "$(LWIP_DIR)" || CC="$(CC)" bench/build-lwip $(if $(wildcard $(BUILD)/.trained),--train $(BUILD)/bench/bench) $(LWIP_DIR) $(BUILD)/lwip-side.so
	@$(BUILD)/bench/bench --json bench/results.json $(if $(LWIP_DIR),--lwip $(BUILD)/lwip-side.so) $(ROWS)
	@test -n "$(ROWS)" || bench/uplink-bench $(BUILD)/tools/weir/weir $(BUILD)/bench/uplink_load --json bench/results.json

# Instructions per operation: compared with what is recorded; make bench-record takes new figures.
bench-instructions: deps-test all
	@tools/run-tests $(BUILD) instructions
bench-record: deps-test all
	@bench/instructions --record $(BUILD)/bench/bench

# Pictures of the recorded figures, and of what happens under overload.
bench-plots: deps-build all
	@$(BUILD)/bench/plot-results bench/results.json bench/instructions.json doc
	@$(BUILD)/bench/study_livelock --svg doc/overload.svg >/dev/null

study-livelock study-media study-tcp: deps-build all
	@$(BUILD)/bench/$(subst -,_,$@) --svg $(BUILD)/$@.svg $(STUDY)

study-aqm: deps-build all
	@$(BUILD)/bench/study_tcp --aqm --svg $(BUILD)/$@.svg $(STUDY)

study: study-tcp study-aqm study-livelock study-media

study-tcp-kernel: deps-build all
	@$(BUILD)/bench/study_tcp --kernel --svg $(BUILD)/$@.svg $(STUDY)

# What users get: the program is built so that it counts, is trained, and is built again by what was counted (doc/performance.md, "Builds").
RELEASE = $(BUILD)-release
RELEASE_TRAINING = bench/bench bench/study_tcp tools/weir/weir

release: deps-build
	@rm -f $(RELEASE)/.trained
	@test -f $(RELEASE)/build.ninja || $(MESON) setup --prefix=$(PREFIX) $(MESON_ARGS) $(RELEASE)
	@$(MESON) configure $(RELEASE) -Dtests=disabled -Dwhole_library=true -Db_pgo=generate
	@ninja -C $(RELEASE) $(RELEASE_TRAINING)
	@bench/train $(RELEASE)
	@$(MESON) configure $(RELEASE) -Db_pgo=use
	@ninja -C $(RELEASE)
	@touch $(RELEASE)/.trained

RELEASE_TESTS_SIM = early_demux floods tcp_accecn tcp_life tcp_matrix tcp_open tcp_paths tcp_prediction tcp_urg
RELEASE_TESTS_API = bypass cpus device inet6 instances listen_any stream_calls udp udp_offload

release-test: deps-test
	@test -f $(RELEASE)/.trained || { echo "make release comes first" >&2; exit 1; }
	@$(MESON) configure $(RELEASE) -Dtests=enabled
	@ninja -C $(RELEASE) tools/weir/weir $(patsubst %,tests/sim/%_test,$(RELEASE_TESTS_SIM)) $(patsubst %,tests/api/%_test,$(RELEASE_TESTS_API))
	@tools/run-tests $(RELEASE) --suite packet
	@tools/run-tests $(RELEASE) $(addprefix sim-,$(subst _,-,$(RELEASE_TESTS_SIM))) $(RELEASE_TESTS_API)

install: $(if $(wildcard $(RELEASE)/.trained),,all)
	@b=$(if $(wildcard $(RELEASE)/.trained),$(RELEASE),$(BUILD)); $(MESON) configure $$b -Dprefix=$(abspath $(PREFIX)) && ninja -C $$b && \
		$(MESON) install -C $$b --no-rebuild

# ---- other builds: each has its own directory

SAN_OPTIONS = ASAN_OPTIONS=abort_on_error=1:detect_stack_use_after_return=1 \
	UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1

asan: deps-test
	@test -f $(BUILD)-asan/build.ninja || $(SETUP) $(BUILD)-asan --buildtype=debug -Doptimization=1 \
		-Db_sanitize=address,undefined -Db_lundef=false
	@ninja -C $(BUILD)-asan
	@$(SAN_OPTIONS) tools/run-tests $(BUILD)-asan --timeout-multiplier 4 $(foreach s,unit fuzz system sim packet,--suite $(s))

# gcc 12's thread sanitizer cannot live with the address randomisation of new kernels: switch it off where that is allowed.
tsan: deps-test
	@test -f $(BUILD)-tsan/build.ninja || $(SETUP) $(BUILD)-tsan --buildtype=debug -Doptimization=1 \
		-Db_sanitize=thread -Db_lundef=false
	@ninja -C $(BUILD)-tsan
	@$(SAN_OPTIONS) $$(setarch -R true 2>/dev/null && echo setarch -R) \
		tools/run-tests $(BUILD)-tsan --timeout-multiplier 6 $(foreach s,unit system sim,--suite $(s))

clang: deps-test
	@test -f $(BUILD)-clang/build.ninja || CC=$(CLANG) $(SETUP) $(BUILD)-clang
	@ninja -C $(BUILD)-clang
	@tools/run-tests $(BUILD)-clang --suite unit --suite fuzz

fuzz:
	@test -f $(BUILD)-fuzz/build.ninja || CC=$(CLANG) $(SETUP) $(BUILD)-fuzz -Dfuzz=true -Db_lundef=false
	@ninja -C $(BUILD)-fuzz

# ---- housekeeping

corpus: all
	@test -n "$(CORPUS)" || { echo "make corpus CORPUS=a checkout of packetdrill's repository" >&2; exit 1; }
	@tools/drill/conformance $(WEIR) $(CORPUS) doc/conformance.md

tcp-table:
	@tools/checks/tcp-table . --write

programs: all
	@tests/programs/run-programs $(WEIR) --write doc/programs.md

coverage:
	@tools/names/gen-names . --coverage doc/coverage.md

format:
	@tools/checks/check-format . --fix

clean:
	rm -rf $(BUILD) $(RELEASE) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-clang $(BUILD)-fuzz

.PHONY: all deps deps-build deps-demo deps-test demo test test-config check bench bench-instructions bench-record bench-plots study-livelock study-media study-tcp study-aqm study study-tcp-kernel release release-test install asan tsan clang fuzz corpus tcp-table programs coverage format clean
