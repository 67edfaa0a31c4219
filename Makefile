# A thin front: each target checks the packages it needs and calls a CMake preset. `make help` lists
# them. To work on the code use the presets themselves: `cmake --workflow --preset check`.
.DEFAULT_GOAL := help
.PHONY: help build demo test bench bench-wan conformance model check asan tsan tidy fuzz format format-check clean

FUZZ_SECONDS ?= 60
# A folder of public packetdrill scripts, for `make conformance`; they are not part of this repository.
PUBLIC_SCRIPTS ?= ../shared/pkt
release := build/release

help:
	@echo 'make demo          install what is missing, build, and run `estab demo`'
	@echo 'make test          the same set-up and build, then every test'
	@echo 'make build         $(release)/bin/estab and $(release)/lib/libestab-*.{a,so}'
	@echo 'make bench         the benchmarks, every script of bench/ in order'
	@echo 'make bench-wan     estab and the kernel as senders over the same bad paths (root; about an hour)'
	@echo 'make conformance   every packetdrill script, ours and $(PUBLIC_SCRIPTS); writes docs/conformance.md'
	@echo 'make model         every interleaving of two stacks: 182,707,607 states; 4 minutes of two cores, 6.2 GB'
	@echo 'make check         the developer'"'"'s loop: debug build and the tests that are not long'
	@echo 'make asan          the tests under address and undefined-behaviour sanitizers'
	@echo 'make tsan          the tests labelled threads under the thread sanitizer'
	@echo 'make tidy          clang-tidy over src/ and examples/'
	@echo 'make fuzz          every fuzz target for FUZZ_SECONDS ($(FUZZ_SECONDS)) each'
	@echo 'make format        clang-format over everything; format-check only looks'
	@echo 'make clean         remove build/'

# The program alone needs no test packages, so a first configuration leaves the tests out; a build
# tree that has them keeps them.
build:
	@scripts/install_packages.sh build
	@test -f $(release)/build.ninja || cmake --preset release -D ESTAB_BUILD_TESTS=OFF -D ESTAB_BUILD_BENCH=OFF
	@cmake --build --preset release --target product

demo:
	@scripts/install_packages.sh demo
	@$(MAKE) --no-print-directory build
	@$(release)/bin/estab demo

test:
	@scripts/install_packages.sh test
	cmake --preset release
	cmake --build --preset release
	ctest --preset release

bench:
	@scripts/install_packages.sh bench
	cmake --preset release
	cmake --build --preset release
	scripts/run_benchmarks.sh $(release)

bench-wan:
	@scripts/install_packages.sh bench
	@$(MAKE) --no-print-directory build
	bench/wan.py
	bench/share.py

conformance:
	@$(MAKE) --no-print-directory build
	scripts/conformance.py $(release)/bin/estab $(PUBLIC_SCRIPTS)

model:
	@scripts/install_packages.sh test
	cmake --preset release
	cmake --build --preset release --target estab_model
	$(release)/bin/estab_model --jobs 2

check:
	@scripts/install_packages.sh test check
	cmake --workflow --preset check

asan tsan:
	@scripts/install_packages.sh test
	cmake --workflow --preset $@

tidy:
	@scripts/install_packages.sh check
	cmake --preset tidy
	scripts/tidy.sh build/tidy

fuzz:
	@scripts/install_packages.sh check
	cmake --workflow --preset fuzz
	scripts/run_fuzzers.sh build/fuzz $(FUZZ_SECONDS)

format:
	@scripts/install_packages.sh check
	scripts/format.sh

format-check:
	@scripts/install_packages.sh check
	scripts/format.sh --check

clean:
	rm -rf build
