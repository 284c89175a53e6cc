# Every target sets up what it needs in .venv, once. Only Python 3.11 or newer must be there.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
SHELL := /bin/sh

BIN := .venv/bin
PROJECTS := pyproject.toml sdk/pyproject.toml
# The locks hold everything, setuptools too: an install fetches nothing outside them.
PIP = PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore $(BIN)/python -m pip install -q
LOCK = uv pip compile pyproject.toml --universal --generate-hashes --no-annotate --no-header \
	--no-emit-package meshline --quiet

.PHONY: help install demo up test test-all packages test-systems check bench bench-cli bench-drift bench-order bench-fair bench-backtest bench-rollback bench-rollout bench-desk bench-tabs bench-sdk trace chaos chaos-producers fuzz fuzz-api governance vendor-check pictures docs fmt lock clean

help: ## Show this.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' Makefile

install: .venv/.runtime ## Install into .venv, and start nothing.
	@echo "meshline is in .venv/bin"

demo: .venv/.runtime ## Play the story of a renamed form field, count, show it. Again: ARGS=--desk
	@$(BIN)/meshline demo $(ARGS)

up: .venv/.runtime ## Run everything on this machine until Ctrl-C, and print the addresses.
	@$(BIN)/meshline up --example $(ARGS)

# Most tests wait for processes of their own, and those of test-all longest: more at a time than there
# are cores take less.
JOBS ?= 3

# Tests start hundreds of processes, which take a sixth less if they keep what they compile.
PYTEST = TMPDIR=$$(.ci/roomy) PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(JOBS) --dist worksteal

test: .venv/.dev ## Run the tests that need Python alone. Some of them: make test ARGS="-k replay"
	@$(PYTEST) -m bare $(ARGS)

test-all: JOBS = 4
test-all: packages .venv/.dev ## Run every test, and say what cannot run here. Without the above: ARGS="-m 'not bare'"
	@$(PYTEST) $(ARGS)

# What the tests use from Debian. Where it cannot be installed, they say what they leave out.
packages: ## Install what make test-all uses from Debian, as far as that can be done here.
	@[ -e /usr/lib/rabbitmq/bin/rabbitmq-server ] || .ci/packages rabbitmq-server
	@command -v chromium >/dev/null || .ci/packages chromium
	@command -v curl >/dev/null || .ci/packages curl
	@[ -e /usr/sbin/mariadbd ] || .ci/packages mariadb-server
	@command -v faketime >/dev/null || .ci/packages faketime

test-systems: .venv/.dev ## Prove the connectors against real systems, installed from PyPI and Debian.
	@$(BIN)/python -m pytest tests/systems $(ARGS)

check: .venv/.dev ## Lint, format, types, floor plan, prose.
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python -m tools.prose

bench: .venv/.dev ## Measure beside plain Celery and DBOS, in turn; the rows go to bench.json.
	@$(BIN)/python -m benchmarks $(ARGS)

bench-cli: .venv/.dev ## Measure what a listing costs beside `import sqlalchemy`. ARGS="--rounds 30"
	@$(BIN)/python -m benchmarks.cli $(ARGS)

bench-drift: .venv/.dev ## Count how often the drift diagnosis is right. ARGS="--cases 400 --seed 2"
	@$(BIN)/python -m benchmarks.drift $(ARGS)

bench-order: .venv/.dev ## Measure what an ordering key costs. ARGS="--rounds 3 --events 2000"
	@$(BIN)/python -m benchmarks.ordering $(ARGS)

bench-rollback: .venv/.dev ## Take a bad version back with 10,000 events on their way. ARGS="--database sqlite"
	@$(BIN)/python -m benchmarks.rollback $(ARGS)

bench-fair: .venv/.dev ## Count the groups that one client waits beside a flood. ARGS="--events 5000"
	@$(BIN)/python -m benchmarks.fair $(ARGS)

bench-backtest: .venv/.dev ## Measure how fast past events are decided again. ARGS="--events 20000"
	@$(BIN)/python -m benchmarks.backtest $(ARGS)

bench-rollout: .venv/.dev ## Measure what a shadow costs a drain. ARGS="--rounds 5 --events 12000"
	@$(BIN)/python -m benchmarks.rollout $(ARGS)

bench-desk: .venv/.dev ## Time the quarantine's commands beside 100,000 events. ARGS="--database sqlite"
	@$(BIN)/python -m benchmarks.desk $(ARGS)

bench-tabs: .venv/.dev ## Time every page of the desk beside its bare queries. ARGS="--events 20000"
	@$(BIN)/python -m benchmarks.tabs $(ARGS)

bench-sdk: .venv/.dev ## Measure what `import meshline` costs beside `import requests`. ARGS="--rounds 30"
	@$(BIN)/python -m benchmarks.sdk $(ARGS)

trace: .venv/.dev ## Follow one event: the files entered, the moves between them. ARGS="--list dispatch"
	@$(BIN)/python -m benchmarks.trips $(ARGS)

EVENTS ?= 2000
FAULTS ?= 30
SEED ?= 1
PAIR ?= postgres

chaos: .venv/.dev ## Break everything and count what arrives. EVENTS=20000 FAULTS=100 SEED=7 SEEDS=20 PAIR=sqlite
	@$(BIN)/python -m tests.faults --events $(EVENTS) --faults $(FAULTS) --seed $(SEED) \
	  --pair $(PAIR) $(if $(SEEDS),--seeds $(SEEDS)) $(ARGS)

chaos-producers: N = 5000
chaos-producers: .venv/.dev ## Kill producers, cut the door, fill the disk, count. N=100000 KILLS=100 SEED=7 PLANT=lost
	@$(BIN)/python -m tests.sdk.chaos --events $(N) --kills $(or $(KILLS),20) --seed $(SEED) \
	  --plant "$(PLANT)" $(ARGS)

N ?= 20000

fuzz: .venv/.dev ## Send what strangers may send, and count what goes wrong. N=1000000 SEED=7 PLANT=traceback
	@PLANT="$(PLANT)" $(BIN)/python -m tests.fuzz --inputs $(N) --seed $(SEED) $(ARGS)

EXAMPLES ?= 200

fuzz-api: .venv/.dev ## Hold the door's answers against /openapi.json. EXAMPLES=2000 SEED=7
	@$(BIN)/python -m tests.api.document --examples $(EXAMPLES) --seed $(SEED) $(ARGS)

governance: N = 2000
governance: .venv/.dev ## Let people, crashes and time do what they like to changes. N=100000 SEED=7 PLANT=base
	@PLANT="$(PLANT)" $(BIN)/python -m tests.store.changes.governance --interleavings $(N) \
	  --seed $(SEED) $(ARGS)

vendor-check: .venv/.dev ## Hold the shipped definitions against vendors' documents. DIR=/path ARGS="--only jira"
	@$(BIN)/python -m tools.vendor_check $(if $(DIR),"$(DIR)") $(ARGS)

pictures: .venv/.dev ## Take the pictures of the desk that the README shows. Needs Chromium.
	@$(BIN)/python -m tools.pictures

docs: .venv/.dev ## Write the generated pages in docs/ anew.
	@$(BIN)/python -m tools.docs

fmt: .venv/.dev ## Format the code and mend what ruff can mend.
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format --quiet .

lock: ## Pin the requirements anew, with hashes. Needs uv. To newer ones: make lock ARGS=--upgrade
	@command -v uv >/dev/null || { echo "make lock needs uv on the PATH" >&2; exit 1; }
	$(LOCK) --extra embedded --extra oidc --extra build --output-file requirements.lock $(ARGS)
	$(LOCK) --all-extras --constraints requirements.lock --output-file requirements-dev.lock $(ARGS)

clean: ## Remove .venv and every cache. The data in .meshline stays.
	rm -rf .venv .venv-systems .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	rm -rf build dist *.egg-info sdk/build sdk/*.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.runtime: requirements.lock $(PROJECTS) | $(BIN)/python
	@echo "Installing into .venv; this happens once, and may take a minute."
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e sdk -e .
	@touch $@

.venv/.dev: requirements-dev.lock $(PROJECTS) | $(BIN)/python
	@echo "Installing into .venv, the tests' tools too; this happens once, and may take a minute."
	@$(PIP) --require-hashes -r requirements-dev.lock
	@$(PIP) --no-deps --no-build-isolation -e sdk -e .
	@touch .venv/.runtime $@

# The first Python that is new enough and can make a venv. Debian ships it without that part.
$(BIN)/python:
	@for python in $(PYTHON) python3.13 python3.12 python3.11 python3 python; do \
	  $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	  found=$$python; \
	  $$python -c 'import ensurepip, venv' >/dev/null 2>&1 || continue; \
	  exec $$python -m venv --clear .venv; \
	done; \
	if [ -n "$$found" ]; then \
	  echo "$$found has no ensurepip, which makes .venv: install python3-venv (Debian, Ubuntu)" >&2; \
	else \
	  echo "Python 3.11 or newer is needed: install it, or say make PYTHON=/path/to/python3" >&2; \
	fi; exit 1
