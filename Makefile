# Thin: each target is one script or one CMake preset. `make` alone lists them.
.PHONY: help deps build demo stack test bench bench-growth kill-test soak tidy format fuzz
export CCACHE_SLOPPINESS := pch_defines,time_macros

help:
	@echo "make demo    install, build and run the whole platform with a simulated fleet (Ctrl-C ends it)"
	@echo "make test    install, build and run every test"
	@echo "make stack   the platform as separate processes with a real Kafka and Redis (Ctrl-C ends it)"
	@echo "make build   release binaries in build/release/bin"
	@echo "make bench   speed and memory beside a raw UDP echo, into build/bench/results.json"
	@echo "make kill-test  kills every part under the load of 10,000 devices, into build/kill/results.json"
	@echo "make bench-growth  cost at 1k to 1M devices, and the chart of it (docs/growth.svg)"
	@echo "make soak    half of the capacity for MINUTES=30 with a random kill each minute"
	@echo "make fuzz    a long fuzz run: FUZZ_SECONDS=600 for each decoder"
	@echo "make tidy    clang-tidy over the whole tree      make format   clang-format"
	@echo "make deps    only install what the rest needs"

deps:
	@tools/install-deps

build:
	@tools/install-deps --build-only
	@tools/build release programs

demo: build
	@build/release/bin/lanyard dev --fleet $${FLEET:-100} $${SECONDS_TO_RUN:+--seconds $$SECONDS_TO_RUN}

stack: deps
	@tools/build release programs
	@.tools/venv/bin/python tools/stack.py

test:
	@tools/run-tests

bench: deps
	@tools/build release programs bench
	@.tools/venv/bin/python tests/bench/run.py

kill-test: deps
	@tools/build release programs
	@.tools/venv/bin/python tests/kill/run.py $(KILL_ARGS)

bench-growth: deps
	@tools/build release programs bench
	@.tools/venv/bin/python tests/bench/run.py --growth
	@.tools/venv/bin/pip install -q -r tools/deps/bench-requirements.txt
	@.tools/venv/bin/python tests/bench/chart.py

soak: deps
	@tools/build release programs
	@.tools/venv/bin/python tests/kill/soak.py --minutes $${MINUTES:-30}

fuzz:
	@tools/install-deps --apt-only
	@tools/build fuzz
	@cd build/fuzz && LANYARD_FUZZ_SECONDS=$${FUZZ_SECONDS:-600} ctest -L fuzz -j2 --output-on-failure

tidy:
	@tools/tidy --all

format:
	@command -v clang-format-14 >/dev/null || tools/install-deps --apt-only
	@git ls-files '*.cpp' '*.hpp' | xargs clang-format-14 -i
