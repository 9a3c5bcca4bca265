# make demo   set up, curate a small web into token shards, show what came out
# make train-demo             the same, then train a small model on it, measure it, let it write (10 minutes)
# make test   set up, lint, types, import contract, unit and end-to-end tests (what CI runs)
# make compiled   the extraction in machine code, where there is a C compiler: faster, the same texts
# make docs   docs/settings.md from the code and, after make demo, the figures of the README
# make wheel  the wheel and the source archive, and the demo run from the wheel alone on each Python there is
#             (20 minutes for three of them on two busy cores; not in make test)
# make chaos | clean-root | fuzz | fuzz-records | bench   slow suites, by hand
# make flink-up | flink-down    a local Flink cluster of two slots, for `winnow run --runner FlinkRunner` (docs/flink.md)

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3)
VENV   := .venv
BIN    := $(VENV)/bin
PIP    := $(BIN)/python -m pip --disable-pip-version-check install --quiet --constraint constraints.txt
DEMO   := demo
SECONDS := 900
RECORDS := 10000000
# A file of tests stays in one process: its fixtures are made once.
PYTEST := $(BIN)/python -m pytest -q -n auto --maxprocesses=4 --dist loadfile

.PHONY: demo train-demo test lint types imports compiled unit e2e chaos clean-root fuzz fuzz-records bench docs wheel format flink-up flink-down clean

$(VENV)/.core: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(PIP) --editable '.[compiled]'
	@touch $@

$(VENV)/.dev: $(VENV)/.core
	$(PIP) --editable '.[dev]'
	@touch $@

$(VENV)/.train: $(VENV)/.core
	$(PIP) --editable '.[train]'
	@touch $@

demo: compiled
	@rm -rf $(DEMO)
	$(BIN)/winnow demo-web --output $(DEMO)/web
	$(BIN)/winnow train-classifier --input $(DEMO)/web/quality_labels.jsonl --output $(DEMO)/quality.bin --pin $(DEMO)/quality.yaml --set epoch=25 --set lr=0.5 --set dim=32
	$(BIN)/winnow run --input $(DEMO)/web/crawl --output $(DEMO)/run --config $(DEMO)/web/demo.yaml --config $(DEMO)/quality.yaml
	$(BIN)/winnow show $(DEMO)/run --random 2 --chars 300
	$(BIN)/winnow show $(DEMO)/run --reason near_copy --limit 1 --chars 200
	$(BIN)/winnow show $(DEMO)/run --token 0:0:100 --chars 200

# The demo's web once more, each text once and in fewer, shorter tokens, so that a small model learns from it. Another
# model learns to look back, and ends only when it finds nine needles of ten.
train-demo: $(VENV)/.train demo
	$(BIN)/winnow run --input $(DEMO)/web/crawl --output $(DEMO)/run --config $(DEMO)/web/demo.yaml --config $(DEMO)/quality.yaml --set tokenizer.vocab_size=1024 --set mix.max_epochs=1.0
	@rm -rf $(DEMO)/model $(DEMO)/recall
	$(BIN)/winnow-train plan cpu --data $(DEMO)/run --gpus 1 --peak-tflops 0.1 --mfu 0.3
	$(BIN)/winnow-train run cpu --data $(DEMO)/run --output $(DEMO)/model
	$(BIN)/winnow-train status $(DEMO)/model
	$(BIN)/winnow-train eval $(DEMO)/model --length 128
	$(BIN)/winnow-train sample $(DEMO)/model --prompt 'The ' --prompt 'Die ' --count 2
	$(BIN)/winnow-train run recall --data $(DEMO)/run --output $(DEMO)/recall
	@echo "loss and learning rate are drawn in $(DEMO)/model/curves.png"

test: lint types imports compiled unit e2e

# An option: without a compiler this says so, and the extraction runs from source.
compiled: $(VENV)/.core
	@$(BIN)/python -m deploy.compiled || true

lint: $(VENV)/.dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/.dev
	$(BIN)/mypy

imports: $(VENV)/.dev
	$(BIN)/lint-imports

unit: $(VENV)/.dev
	$(PYTEST) --durations=10 tests --ignore=tests/e2e --ignore=tests/chaos --ignore=tests/fuzz --ignore=tests/wheel/test_demo_from_wheel.py
	WINNOW_COMPILED=0 $(PYTEST) tests/transforms/extraction

e2e: $(VENV)/.dev
	$(PYTEST) --durations=10 tests/e2e

chaos: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/chaos --ignore=tests/chaos/test_clean_root.py

clean-root: $(VENV)/.dev
	$(BIN)/python -m pytest -q tests/chaos/test_clean_root.py

fuzz: $(VENV)/.dev
	$(PIP) atheris
	for part in bytes page whole parts; do WINNOW_COMPILED=0 $(BIN)/python -m tests.fuzz.fuzz_extract $$part -max_total_time=$(SECONDS) -rss_limit_mb=12000 || exit 1; done
	for part in archives http jsonl parquet lists addresses dates tokenizers; do $(BIN)/python -m tests.fuzz.fuzz_readers $$part -max_total_time=$(SECONDS) -rss_limit_mb=12000 || exit 1; done

fuzz-records: $(VENV)/.dev
	$(BIN)/python -m tests.fuzz.records --records $(RECORDS)

bench: $(VENV)/.dev compiled
	$(BIN)/python -m benchmarks.runs.steps
	$(BIN)/python -m benchmarks.runs.memory
	$(BIN)/python -m benchmarks.runs.workers
	$(BIN)/python -m benchmarks.runs.datatrove_fineweb
	$(BIN)/python -m benchmarks.texts.corpus
	$(BIN)/python -m benchmarks.runs.runners
	$(BIN)/python -m benchmarks.texts.extraction
	$(BIN)/python -m benchmarks.texts.math_code
	$(BIN)/python -m benchmarks.models.training
	$(BIN)/python -m benchmarks.models.curated_against_raw demo

docs: $(VENV)/.dev
	$(BIN)/python docs/generate.py $(if $(wildcard $(DEMO)/run/shards/manifest.json),--demo $(DEMO)/run)

# The wheel is made of the source archive alone, as an index would.
wheel: $(VENV)/.dev
	@rm -rf build dist
	$(BIN)/python -c "from setuptools import build_meta; build_meta.build_sdist('dist')"
	$(BIN)/python -m pip --disable-pip-version-check wheel --quiet --no-deps --wheel-dir dist dist/*.tar.gz
	$(BIN)/python -m pytest -q --durations=5 tests/wheel

format: $(VENV)/.dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

flink-up: $(VENV)/.core
	$(BIN)/python -m deploy.flink up $(FLINK)

flink-down: $(VENV)/.core
	$(BIN)/python -m deploy.flink down

clean:
	rm -rf $(VENV) $(DEMO) build dist *.egg-info transforms/extraction/_compiled
