# `make run` and `make test` need Python 3.11 to 3.13 with its venv module (or uv), and nothing else that is installed.
# docs/testing.md says what the tests set up by themselves.

PORT ?= 8000
DEMO ?= 1
PYTHON ?= $(shell scripts/find-python)
VENV := .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

LOCK := --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: run test soak bench check lock clean
.DEFAULT_GOAL := run

## run: the product with its demo on http://127.0.0.1:PORT; DEMO=0 without the demo, READINESS_DATA=folder for its data
run: $(VENV)/.ready-to-run
	@exec $(BIN)/python manage.py up --port $(PORT) $(if $(filter 0 no false,$(DEMO)),,--demo)

## test: every test, on SQLite and on PostgreSQL, in one run; ARGS="-k word" is handed to pytest
test: $(VENV)/.ready-to-test
	@scripts/find-chromium
	@PYTHONDONTWRITEBYTECODE= $(BIN)/pytest --dist=loadfile --no-loadscope-reorder --max-worker-restart=0 --tb=native \
		--tx '2*popen//env:READINESS_TEST_DATABASE=sqlite' --tx '2*popen//env:READINESS_TEST_DATABASE=postgresql' $(ARGS)

## soak: a million random histories, and fifty people with a thousand ticks each; hours. HISTORIES=n and TICKS=n for less
HISTORIES ?= 1000000
TICKS ?= 1000
soak: $(VENV)/.ready-to-test
	set -e; for database in sqlite postgresql; do \
		READINESS_TEST_DATABASE=$$database SOAK_HISTORIES=$(HISTORIES) \
		SOAK_STORED_HISTORIES=$$(($(HISTORIES) / 1000 + 1)) $(BIN)/pytest -n auto --timeout=0 \
		tests/test_random_histories.py tests/test_told_through_actions.py; done
	READINESS_TEST_DATABASE=postgresql SOAK_TICKS=$(TICKS) $(BIN)/pytest --timeout=0 tests/test_many_clients.py

## bench: the pages at the size of a large company, on PostgreSQL; about twenty minutes. ARGS="--services 50" for less
bench: $(VENV)/.ready-to-test
	@$(BIN)/python -m benchmarks.at_size $(ARGS)

## check: what CI looks at before it tests
check: $(VENV)/.ready-to-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-logo
	$(BIN)/mypy .
	$(BIN)/djlint --quiet --lint templates
	$(BIN)/python scripts/check_locks.py
	$(BIN)/python manage.py makemigrations --check --dry-run
	$(if $(wildcard docker-compose.yml),$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml)
	$(if $(wildcard Dockerfile),$(BIN)/hadolint Dockerfile)

## lock: compile the lock files anew from pyproject.toml, with uv; without the header, which would name its options
lock:
	uv pip compile -q pyproject.toml $(LOCK) -o requirements.lock
	uv pip compile -q pyproject.toml --group dev -c requirements.lock $(LOCK) -o requirements-dev.lock

## clean: remove what make made; the data of `make run` stays
clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis test-results
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# One environment for both: the development lock holds the same versions of everything that the product needs.
$(VENV)/.ready-to-run: requirements.lock
	@scripts/install "$(PYTHON)" "$(UV)" $(VENV) requirements.lock
	@touch $@

$(VENV)/.ready-to-test: requirements-dev.lock requirements.lock
	@scripts/install "$(PYTHON)" "$(UV)" $(VENV) requirements-dev.lock
	@touch $@ $(VENV)/.ready-to-run
