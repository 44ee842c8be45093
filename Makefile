# Everything a fresh machine needs is Python 3.11+ and make:
#
#   make run                        the window
#   make run ARGS="summarize a.txt" the command line
#   make test                       the tests               make test ARGS="tests/model -x"
#   make check                      what a change must pass besides the tests
#
# The first run makes .venv and fills it with the versions of constraints.txt; later runs start at once.

PYTHON ?= python3
ARGS ?=

ifeq ($(OS),Windows_NT)
BIN := .venv/Scripts
else
BIN := .venv/bin
endif

.DEFAULT_GOAL := help
.PHONY: help run test check lint format bench soak clean

help:
	@sed -n '/^#/!q; s/^# \{0,1\}//p' Makefile

.venv/.python:
	$(PYTHON) -c "import sys; sys.exit(0 if sys.version_info >= (3, 11) else 'gptdesk needs Python 3.11 or newer; name one with PYTHON=')"
	$(PYTHON) -m venv .venv
	touch $@

# torch==2.13.0 in the constraints also accepts a build labelled 2.13.0+cpu and prefers it, where an index offers one.
.venv/.app: .venv/.python pyproject.toml constraints.txt
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[train]"
	touch $@

.venv/.dev: .venv/.app
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

run: .venv/.app
	$(BIN)/gptdesk $(ARGS)

test: .venv/.dev
	$(BIN)/python -m pytest $(ARGS)

lint: .venv/.dev
	$(BIN)/python -m ruff format --check .
	$(BIN)/python -m ruff check .
	$(BIN)/python -m mypy

format: .venv/.dev
	$(BIN)/python -m ruff format .
	$(BIN)/python -m ruff check --fix .

check: lint
	$(BIN)/python .ci/check_wheel.py

bench: .venv/.app
	$(BIN)/gptdesk bench $(ARGS)

soak: .venv/.dev
	$(BIN)/python -m pytest -m soak -s -o faulthandler_timeout=0 $(ARGS)

clean:
	rm -rf .venv .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
