# make run: everything from a fresh clone to the open page.  make test: everything to the whole suite.
# On Linux without an NVIDIA GPU, spare yourself gigabytes of CUDA:
#   make run TORCH_INDEX=https://download.pytorch.org/whl/cpu
PYTHON ?= python3
TORCH_INDEX ?=
LONG ?=
QA ?=
ARGS ?=
VENV := .venv
PY := $(VENV)/bin/python

.PHONY: run test check faults audit bench clean

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

# make faults: every fault as often as docs/reliability.md says, and a table of figures.
# make faults LONG=1: for a night, with two minutes of atheris a loader.
faults: $(VENV)/test.stamp
	@$(PY) -m rag models pull >/dev/null
	FAULTS=1 LONG=$(LONG) $(PY) -m pytest tests/faults tests/ingest/test_fetcher.py tests/ui/test_canary.py \
		tests/rag/test_injection.py tests/rag/test_llm_faults.py tests/rag/test_backup.py tests/rag/test_whole_file.py

# make audit: the exact versions against the vulnerability services of PyPI and OSV; needs a network that reaches them.
audit: $(VENV)/test.stamp
	$(PY) -m pip install --quiet --disable-pip-version-check pip-audit==2.10.1
	$(PY) -m pip_audit --requirement requirements.txt --requirement requirements-ocr.txt --no-deps --disable-pip

# make bench QA="FOLDER …" ARGS="--json FILE": beside its peers, which have an environment of their own, so that none of
# them enters the app's. A FOLDER holds corpus.jsonl and qa.jsonl; docs/benchmarks.md tells of both.
bench: $(VENV)-bench/bench.stamp
	@test -n "$(QA)" || { echo 'Name question sets: make bench QA="FOLDER …", each with corpus.jsonl and qa.jsonl.'; exit 2; }
	@$(VENV)-bench/bin/python -m rag models pull >/dev/null
	$(VENV)-bench/bin/python -m bench.peers $(QA) $(ARGS)

$(VENV)-bench/bench.stamp: requirements.txt bench/requirements.txt
	@$(PYTHON) -m venv $(VENV)-bench
	$(if $(TORCH_INDEX),$(VENV)-bench/bin/pip install --quiet --index-url $(TORCH_INDEX) torch==2.13.0)
	$(VENV)-bench/bin/pip install --quiet -r requirements.txt -r bench/requirements.txt
	@touch $@

$(VENV)/app.stamp: requirements.txt requirements-ocr.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.11"; exit 1; }
	@$(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	$(if $(TORCH_INDEX),$(PY) -m pip install --quiet --disable-pip-version-check --index-url $(TORCH_INDEX) torch==2.13.0)
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt -r requirements-ocr.txt
	@touch $@

$(VENV)/test.stamp: $(VENV)/app.stamp requirements-dev.txt
	$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
