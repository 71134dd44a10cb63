# make run: install, then serve on port 8025 · make test: install, then check and test
NEW_ENOUGH := import ensurepip, sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3.11 python3 python3.13 python3.12 python3.14; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
# Bytecode is kept: the tests start hundreds of processes, and each would compile all modules anew.
export PYTHONDONTWRITEBYTECODE :=
# For the tests with clients in JavaScript, where there is npm.
JAVASCRIPT := mailgun.js@14.0.1 form-data@4.0.6 nodemailer@10.6.0 nodemailer-mailgun-transport@2.1.5

.PHONY: run test check format bench openapi

run: .venv/.installed
	$(BIN)/mailgun-emulator serve

test: check
	$(BIN)/pytest

check: .venv/.installed
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.installed
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

bench: .venv/.installed
	$(BIN)/python -m tests.benchmarks

# The document and the page of what is covered; the reference is at hand where ../shared is.
openapi: .venv/.installed
	$(BIN)/python -m mailgun_emulator.openapi openapi $(wildcard ../shared/spec/operations.tsv)

.venv/.installed: pyproject.toml .ci/constraints.txt Makefile
	$(if $(PYTHON),,$(error Python 3.11 or newer with its venv module is needed; name it with PYTHON=...))
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --constraint .ci/constraints.txt --editable '.[dev]'
	$(if $(shell command -v npm),npm install --silent --no-save --no-package-lock --no-audit --no-fund --prefix .venv $(JAVASCRIPT))
	@touch $@
