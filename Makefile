# Two commands matter: `make demo` and `make test`. Both set up .venv first, and both are safe to repeat.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed
SHARED ?= ../shared/data
CIFAR_CLASSIFIER ?= $(firstword $(wildcard $(SHARED)/weights/cifar10_resnet56.safetensors) cifar10)
KERNEL := {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}

.PHONY: demo test lint types floors tests test-slow benchmark figures cifar zoo notebooks clean
.DEFAULT_GOAL := demo

demo: $(STAMP)
	$(BIN)/purigeom demo

test: lint types floors tests

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(STAMP)
	$(BIN)/mypy

floors: $(STAMP)
	$(BIN)/lint-imports

tests: $(STAMP)
	$(BIN)/pytest -n 2

# More kills and more fuzzing than a check before every commit can wait for
test-slow: $(STAMP)
	$(BIN)/pytest -n 2 -m slow

figures: $(STAMP)
	$(BIN)/python -m analyses.paper data_cache/paper
	$(BIN)/python -m figures.all data_cache/paper data_cache/figures
	$(BIN)/python -m figures.tables data_cache/paper data_cache/figures/tables

# CIFAR-10 at the size of two cores: images and a classifier from SHARED where it is there, else downloaded and our own
# Large tensors come and go: glibc, where it is the C library, keeps their pages instead of asking the kernel anew.
cifar: export MALLOC_MMAP_THRESHOLD_ = 4294967296
cifar: export MALLOC_TRIM_THRESHOLD_ = 17179869184
cifar: export MALLOC_TOP_PAD_ = 268435456
cifar: export GLIBC_TUNABLES = glibc.malloc.hugetlb=1
cifar: $(STAMP)
	PURIGEOM_DATA=$${PURIGEOM_DATA:-$(wildcard $(SHARED))} $(BIN)/python -m analyses.cifar data_cache/cifar10 $(CIFAR_CLASSIFIER)
	$(BIN)/python -m figures.all data_cache/cifar10 data_cache/figures/cifar10
	$(BIN)/python -m figures.tables data_cache/cifar10 data_cache/figures/cifar10/tables

# Every purifier on digits, attacked with and without looking, and what was foretold of it: about an hour of two cores
zoo: $(STAMP)
	$(BIN)/python -m analyses.zoo data_cache/zoo
	$(BIN)/python -m figures.zoo data_cache/zoo data_cache/figures/zoo
	$(BIN)/python -m figures.figure_zoo data_cache/zoo data_cache/figures/figure_zoo

notebooks: $(STAMP)
	mkdir -p data_cache/notebooks
	for tutorial in docs/tutorials/*.py; do \
		$(BIN)/jupytext --quiet --to notebook --update-metadata '$(KERNEL)' \
			--output data_cache/notebooks/$$(basename $$tutorial .py).ipynb $$tutorial || exit 1; \
	done

benchmark: $(STAMP)
	$(BIN)/python -m benchmarks.straight_way
	$(BIN)/python -m benchmarks.geometry
	$(BIN)/python -m benchmarks.attacks
	$(BIN)/python -m benchmarks.prediction
	$(BIN)/python -m benchmarks.cifar
	$(BIN)/python -m benchmarks.zoo
	$(BIN)/python -m benchmarks.scale

$(STAMP): pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $(STAMP)

clean:
	rm -rf .venv data_cache/demo
