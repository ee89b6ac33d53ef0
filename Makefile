# Angsila kiosk: the commands of every day. `make help` lists them.

PYTHON ?= python3
KIOSK_PORT ?= 8080
CITY_PORT ?= 8090
STATE ?= state
SEEDS ?= 40
FROM ?= 0
HOURS ?= 24

.PHONY: help setup run kiosk city test bench powercut powercut-liar vm sim sim-mutants soak-ble kiosk-soak bench-kiosk pack shots lint browser clean

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## /make \1\t/p' Makefile | expand -t 20

setup: .venv/.made ## make .venv with everything in it (nothing to do when it is fresh)

# The stamp is the last thing written, so a setup that was broken off starts again.
.venv/.made: pyproject.toml .ci/setup
	@.ci/setup python "$(PYTHON)"

run: setup ## a demo kiosk and a city on this machine, until Ctrl-C
	@exec .venv/bin/angsila demo \
	    --kiosk-port "$(KIOSK_PORT)" --city-port "$(CITY_PORT)" --state "$(STATE)"

kiosk: setup ## the demo's kiosk alone
	@exec .venv/bin/angsila run --config config/demo.toml \
	    --state "$(STATE)/kiosk" --port "$(KIOSK_PORT)" --city "http://127.0.0.1:$(CITY_PORT)"

city: setup ## the demo's city alone
	@exec .venv/bin/angsila city --state "$(STATE)/city" --port "$(CITY_PORT)" --database ""

test: setup browser ## every test; pytest's closing line is the last one
	@exec .venv/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

bench: setup ## measure; prints a table and writes build/bench.json
	@.ci/setup peer || echo "The peer cannot be installed: measuring without it."
	@exec .venv/bin/python tests/bench/run.py

powercut: setup ## cut the power of a kiosk N=50 times and look what is lost (SEED=, SYNCHRONOUS=)
	@exec .venv/bin/python tests/powercut/run.py

powercut-liar: setup ## the same with a card that says yes and now and then writes nothing
	@exec .venv/bin/python tests/powercut/run.py liar

vm: setup ## drivers on a real kernel's I²C and Bluetooth, in QEMU (SILENCE_S=, FAULT=)
	@exec .venv/bin/python -m tests.vm.run

sim: setup ## let kiosks and a city live through SEEDS=40 universes of faults, from FROM=0
	@exec .venv/bin/python -m tests.sim.run --seeds "$(SEEDS)" --from "$(FROM)" $(if $(ONLY),--only "$(ONLY)")

sim-mutants: setup ## plant faults in the product; the simulator has to find each
	@exec .venv/bin/python -m tests.sim.mutants

soak-ble: setup browser ## let 5,000 strangers an hour walk by a kiosk's Bluetooth, HOURS=24 hours
	@exec .venv/bin/python -m tests.soak_ble "$(HOURS)"

pack: setup browser ## check the shipped workbook, draw its screens and build the pack in kiosk_ui/pack
	@exec .venv/bin/angsila pack build kiosk_ui/workbook kiosk_ui/pack --folder

kiosk-soak: setup browser ## people, kills, new content and a monkey on the screen for HOURS=8 (or MINUTES=)
	@HOURS="$(if $(filter file,$(origin HOURS)),8,$(HOURS))" exec .venv/bin/python -m tests.soak_kiosk
	@KIOSK_FULL=1 exec .venv/bin/python -m pytest -q tests/kiosk_ui/test_fit.py tests/kiosk_ui/test_axe.py

bench-kiosk: setup browser ## measure the screen beside simpler pages; writes build/bench-kiosk.json (PARTS="taps map")
	@exec .venv/bin/python -m tests.bench_kiosk.run $(PARTS)

shots: setup browser ## a picture of every screen in build/shots/ (SHOTS="--panel 800x480 --screen home")
	@exec .venv/bin/python tests/shots.py $(SHOTS)

lint: setup ## format, lint and types, without changing a file
	@.venv/bin/ruff format --check --quiet .
	@.venv/bin/ruff check --quiet .
	@.venv/bin/mypy

# Debian's own Chromium and systemd-analyze: only the tests and the pictures need them.
browser:
	@.ci/setup browser

clean: ## remove what was built and cached; keeps .venv and the state folder
	@rm -rf build dist .mypy_cache .ruff_cache .pytest_cache
	@find drivers sync kiosk_ui edge tests -name __pycache__ -type d -prune -exec rm -rf {} +
