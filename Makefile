# Everything a contributor runs. Plain `make` builds build/release/gdsd; `make help` lists the rest.
# Targets install what they need by themselves: scripts/setup.
#
#   make demo SEEDS=3 OUT=runs/demo    make golden GOLDEN=DIR    make -j1 test

SEEDS ?= 1
OUT ?= runs/demo
GOLDEN ?=
FUZZ_SECONDS ?= 60
CONFIGS ?= T S M D
DTYPES ?= bfloat16 float32
ROUNDS ?= 3
THREADS ?= $(shell nproc)

# Jobs of a build: those of `make -jN`, else one per core.
JOBS = $(or $(patsubst -j%,%,$(filter -j%,$(MAKEFLAGS))),$(shell nproc))
SOURCES = $(shell find $(wildcard gdsd cli tests bench) -name '*.h' -o -name '*.cpp' -o -name '*.cu' -o -name '*.cuh')

.DEFAULT_GOAL := build
.NOTPARALLEL:
.PHONY: help setup build base demo test golden asan fuzz debug tidy format format-check layers fields \
  paper-configs check profile bench kernel-bench cuda-build cuda-test cuda-bench clean distclean

help: ## list the targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/\1|\2/p' Makefile | \
	  while IFS='|' read -r name text; do printf '  %-13s %s\n' "$$name" "$$text"; done

setup: setup-build ## install what a build needs: Debian packages, libtorch in .venv

setup-%:
	@scripts/setup $*

build: setup build/release/build.ninja ## build build/release/gdsd
	cmake --build --preset release --parallel $(JOBS) --target gdsd

base: build ## train the base model of the demo; goes on where it stopped
	build/release/gdsd pretrain configs/sudoku_tiny_pretrain.yaml
	build/release/gdsd pretrain configs/sudoku_tiny_habit.yaml

demo: export SEEDS := $(SEEDS)
demo: export OUT := $(OUT)
demo: build ## the embedded experiment: GDSD against ESPO, on a page (SEEDS=1 OUT=runs/demo)
	@scripts/demo

test: setup-test build/release/build.ninja ## build everything and run the tests
	cmake --build --preset release --parallel $(JOBS)
	ctest --preset release

golden: export GDSD_GOLDEN = $(GOLDEN)
golden: setup build/release/build.ninja ## the golden tests on fixtures of your own (GOLDEN=DIR)
	@test -d "$$GDSD_GOLDEN" || \
	  { echo "golden: GOLDEN='$$GDSD_GOLDEN' is not a folder; give one: make golden GOLDEN=DIR"; exit 2; }
	cmake --build --preset release --parallel $(JOBS) --target golden_tests golden_rewards
	@build/release/tests/golden_tests --gtest_brief=1
	@build/release/tests/golden_rewards --gtest_brief=1

debug: setup build/debug/build.ninja ## build everything unoptimised in build/debug
	cmake --build --preset debug --parallel $(JOBS)

asan: setup-test build/asan/build.ninja ## run the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	cmake --build --preset asan --parallel $(JOBS)
	ctest --preset asan

fuzz: setup-fuzz build/fuzz/build.ninja ## feed every fuzzer of tests/fuzz with damaged input (FUZZ_SECONDS=60 each)
	cmake --build --preset fuzz --parallel $(JOBS)
	@FUZZ_SECONDS='$(FUZZ_SECONDS)' scripts/fuzz

tidy: setup-tidy build/tidy/build.ninja ## clang-tidy on every file (12 minutes on two cores)
	cmake --build --preset tidy --parallel $(JOBS) -- -k 0

paper-configs: ## fail if configs/paper and configs/eval are not as their script writes them
	@python3 scripts/paper_configs.py --check

profile: build ## where the time of a training step of the demo goes
	cmake --build --preset release --parallel $(JOBS) --target step_profile
	build/release/step_profile configs/sudoku_tiny.yaml

bench: export CONFIGS := $(CONFIGS)
bench: export DTYPES := $(DTYPES)
bench: export ROUNDS := $(ROUNDS)
bench: export THREADS := $(THREADS)
bench: ## speed and memory against PyTorch (CONFIGS="T S M G V D scaling" DTYPES ROUNDS THREADS OUT=FILE.json)
	@python3 scripts/bench.py --check
	@$(MAKE) --no-print-directory build setup-bench
	@.venv-bench/bin/python scripts/bench.py

kernel-bench: build ## every kernel for CPUs against libtorch's operations
	cmake --build --preset release --parallel $(JOBS) --target kernel_bench
	build/release/kernel_bench $(THREADS)

build/cuda/build.ninja:
	cmake -S tests/cuda -B build/cuda -G Ninja

cuda-build: build/cuda/build.ninja
	cmake --build build/cuda --parallel $(JOBS)

cuda-test: cuda-build ## the GPU's kernels against the same arithmetic on the host; needs CUDA, CMake, Ninja
	@build/cuda/cuda_tests

cuda-bench: cuda-build ## microseconds of the GPU's kernels at LLaDA-8B's shapes; needs no more
	@build/cuda/cuda_bench

check: format-check layers fields paper-configs ## format-check, layers, fields and paper-configs

format: setup-check ## format every C++ file
	@clang-format -i $(SOURCES)

format-check: setup-check ## fail if a C++ file is not formatted
	@clang-format --dry-run --Werror $(SOURCES)
	@echo "format ok"

layers: ## fail if a file includes what it must not, prints, or is too long
	@python3 scripts/check_layers.py

fields: ## fail if no code reads an option
	@python3 scripts/check_fields.py

clean: ## remove build/
	rm -rf build

distclean: clean ## remove build/, .venv and .venv-bench
	rm -rf .venv .venv-bench

build/%/build.ninja: CMakePresets.json
	cmake --preset $*
