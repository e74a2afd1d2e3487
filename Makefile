# make run: everything from a fresh clone to the open page.  make test: everything to the whole suite.
# On Linux without an NVIDIA GPU, spare yourself gigabytes of CUDA:
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
PYTHON ?= python3
TORCH_INDEX ?=
FOLDER ?= data/docs
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: run test check faults bench clean

run: $(VENV)/app.stamp
	@$(PY) -m rag models pull >/dev/null
	@$(PY) -m ingest data/docs
	@$(PY) -m rag serve

test: $(VENV)/test.stamp
	@$(PY) -m rag models pull >/dev/null
	$(PY) -m pytest

check: $(VENV)/test.stamp
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy

faults: $(VENV)/test.stamp
	$(PY) -m pytest tests/faults -v -s

# Peers have an environment of their own, so that none of them enters the app's.
bench: $(VENV)-bench/bench.stamp
	$(VENV)-bench/bin/python -m bench.throughput $(FOLDER)

$(VENV)-bench/bench.stamp: requirements.txt bench/requirements.txt
	@$(PYTHON) -m venv $(VENV)-bench
	$(if $(TORCH_INDEX),$(VENV)-bench/bin/pip install --quiet --index-url $(TORCH_INDEX) torch==2.13.0)
	$(VENV)-bench/bin/pip install --quiet -r requirements.txt -r bench/requirements.txt
	@touch $@

$(VENV)/app.stamp: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(if $(TORCH_INDEX),$(PY) -m pip install --quiet --disable-pip-version-check --index-url $(TORCH_INDEX) torch==2.13.0)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/app.stamp requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
