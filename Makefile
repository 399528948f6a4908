# The front desk. Every target says what it does, makes sure that what it needs is installed
# (tools/setup.sh), and can be repeated. The work itself is done by the CMake presets.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help demo build lean test golden bench lint install clean

help:  ## show this list
	@echo "Saccade: vision transformers in native C++20"
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' Makefile | column -t -s '|'

demo:  ## build what needs no libtorch, classify real photographs with the bundled plan
	@tools/demo.sh

build:  ## everything, optimised: build/release/bin/saccade and saccade-torch
	@tools/build.sh release

lean:  ## the part without libtorch: build/lean/bin/saccade
	@tools/build.sh lean

test:  ## build everything and run every test
	@tools/test.sh

golden:  ## check every golden case below a folder: make golden GOLDEN=DIR
	@[ -n "$(GOLDEN)" ] || { echo "usage: make golden GOLDEN=DIR" >&2; exit 2; }
	@tools/build.sh release saccade-golden
	@build/release/bin/saccade-golden "$(GOLDEN)"

bench:  ## build and run the benchmarks of bench/
	@tools/bench.sh

lint:  ## list checks, clang-format, clang-tidy on the files that differ from BASE (default: main)
	@tools/lint.sh

install:  ## build, then install below PREFIX (default: ./install); PRESET=lean: without libtorch
	@tools/build.sh $(or $(PRESET),release) installed
	@cmake --install build/$(or $(PRESET),release) --strip \
	  --prefix "$(or $(PREFIX),$(CURDIR)/install)"

clean:  ## remove build/ (the environment in .venv/ stays)
	rm -rf build
