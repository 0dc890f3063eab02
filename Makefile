# SPDX-License-Identifier: GPL-2.0-only
# Everything runs in a virtual environment of its own.

# Workers that take from each other: each keeps to its own files, and what these share, while there are some.
PYTEST_ARGS ?= -n auto --dist worksteal
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
INPUTS := pyproject.toml setup.py build_ffi.py $(wildcard csrc/*/*.h csrc/*/*/*.h)

.PHONY: check test bench trust lint wheel clean
.DELETE_ON_ERROR:

check: $(VENV)/installed
	$(BIN)/pygfp check bundled

test: $(VENV)/installed-test
	$(BIN)/python -m pytest $(PYTEST_ARGS)

bench: $(VENV)/installed-test
	$(BIN)/python benchmarks/run.py
	$(BIN)/python benchmarks/api.py

trust: $(VENV)/installed-trust
	set -e; for program in $(sort $(wildcard trust/*.py)); do $(BIN)/python $$program; done

lint: $(VENV)/installed-lint
	$(BIN)/ruff check .
	$(BIN)/mypy pygfp examples $(wildcard trust/*.py)

wheel: $(VENV)/installed
	$(BIN)/pip wheel --quiet --no-deps --wheel-dir dist .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(VENV)/bin/python $(INPUTS)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable .
	touch $@

$(VENV)/installed-test: $(VENV)/bin/python $(INPUTS)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@ $(VENV)/installed

$(VENV)/installed-lint: $(VENV)/installed-test
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,lint]'
	touch $@

$(VENV)/installed-trust: $(VENV)/installed-test
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[test,trust]'
	touch $@

clean:
	rm -rf build dist *.egg-info $(VENV) pygfp/_abi.py pygfp/_bundled.*
