# The two commands of a fresh machine are `make run` and `make test`; the others are their parts.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
PY := .venv/bin/python
PIP := .venv/bin/pip install --quiet --quiet --disable-pip-version-check --no-deps --require-hashes
ASSETS := $(shell find creator_hub/web/assets -type f 2>/dev/null)

.PHONY: help setup run stop test lint bench faults screenshots migrate lock browser

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1 \t\2/' | expand -t 18

setup: .venv/.runtime creator_hub/web/static/manifest.json ## install what the hub needs and build the pages, start nothing

run: setup ## start everything on this machine; Ctrl-C stops it
	@exec $(PY) -m creator_hub.run

stop: ## end what `make run` started, also after its launcher was killed
	@$(PY) -m creator_hub.run stop

test: setup .venv/.dev browser ## run all tests, in parallel
	@node --test tests/js/*.test.mjs
	@.venv/bin/pytest -n auto -q

lint: .venv/.dev ## style, types, floors
	@.venv/bin/ruff check .
	@.venv/bin/ruff format --check .
	@.venv/bin/mypy
	@.venv/bin/lint-imports

bench: setup .venv/.dev ## measure the sockets beside Node's and a bare send() loop, and the whole way of a message
	@ulimit -n $$(ulimit -Hn) && $(PY) -m benchmarks $(if $(SHORT),--short)

faults: setup .venv/.dev ## the long forms: every cell of the access matrix, a hundred kills, 100,000 operations on the ledger
	@HUB_EVERY_CELL=1 .venv/bin/pytest tests/access/test_matrix.py -q -n auto -p no:cacheprovider
	@HUB_RACE_ROUNDS=1000 .venv/bin/pytest tests/voting/test_races.py -q -p no:cacheprovider -o timeout=3000
	@HUB_STORM_FANS=40 .venv/bin/pytest tests/money/test_event_storm.py -q -p no:cacheprovider
	@HUB_LEDGER_OPERATIONS=100000 .venv/bin/pytest tests/money/test_ledger_lives.py -q -p no:cacheprovider
	@HUB_FAULT_ROUNDS=100 .venv/bin/pytest tests/live/test_faults.py -q -s -p no:cacheprovider -o timeout=3000

screenshots: .venv/.dev browser ## take the README's pictures from a running `make run`
	@$(PY) docs/screenshots.py

migrate: setup ## bring DATABASE_URL to the newest revision
	@$(PY) -c 'import os; from creator_hub.core import migrate; migrate.upgrade(os.environ["DATABASE_URL"])'

# A file that names what was installed: nothing is asked of pip or npm again until the lock changes.
.venv/.runtime: requirements.txt
	@echo "  Python packages …"
	@[ -x $(PY) ] || $(PYTHON) -m venv .venv
	@$(PIP) -r requirements.txt
	@touch $@

.venv/.dev: .venv/.runtime requirements-dev.txt
	@echo "  test packages …"
	@$(PIP) -r requirements-dev.txt
	@touch $@

node_modules/.installed: package-lock.json
	@echo "  page packages …"
	@npm ci --silent --no-audit --no-fund
	@touch $@

creator_hub/web/static/manifest.json: node_modules/.installed $(ASSETS)
	@echo "  pages …"
	@npm run --silent build
	@touch $@

# The browser tests need a Chromium; Debian's comes with apt. Nothing is downloaded by the test tools themselves.
browser:
	@command -v chromium >/dev/null || { echo "  Chromium …"; \
	  apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

lock: .venv/.dev ## pin requirements*.in by hash into requirements*.txt
	@for name in requirements requirements-dev; do \
	  .venv/bin/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-annotate --no-header --universal \
	    --python-version 3.11 $$name.in -o $$name.txt; done
