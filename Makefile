# The commands of this house. `make` alone lists them.
# CORES=2 limits the cores; ARGS='...' is handed on to snakemake or pytest.
CORES ?= all
ENTER = PATH="$(CURDIR)/.venv/bin:$$PATH"

.PHONY: help setup reproduce test lint plan smoke report remember archive clean

help: ## list these commands
	@sed -n 's/^\([a-z]*\):[^#]*## /\1	/p' Makefile | awk -F '\t' '{ printf "  make %-10s %s\n", $$1, $$2 }'

setup: ## make .venv from requirements.lock (the others do it for you)
	@sh scripts/setup.sh

reproduce: setup ## run the default study, up to results/report.html
	$(ENTER) sh scripts/snakemake.sh --cores $(CORES) $(ARGS)

test: setup ## run every test
	$(ENTER) pytest $(ARGS)

lint: setup ## check style, types and spelling
	$(ENTER) sh scripts/lint.sh

plan: setup ## say what would run and about how long, and run nothing
	$(ENTER) snakemake --dry-run --quiet rules $(ARGS)

smoke: setup ## run a tiny study of every task in build/smoke, without network
	$(ENTER) snakemake --cores $(CORES) --configfile config/smoke.yaml --directory build/smoke $(ARGS)

report: setup ## write results/report.html again from what stands
	$(ENTER) snakemake --report results/report.html $(ARGS)

remember: setup ## keep weights and results of the last run with DVC
	$(ENTER) sh scripts/remember.sh

archive: setup ## pack results and code into build/sfigf-results.tar.gz
	$(ENTER) sh scripts/archive.sh

clean: ## remove results and prepared data; keep downloads, .venv and the DVC store
	rm -rf results build .snakemake data/verified data/prepared data/rendered data/degraded
