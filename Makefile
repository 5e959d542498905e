# The commands of this house; `make` alone lists them.
#   CORES=2 limits the cores, ARGS='...' is handed on to snakemake or pytest.
CORES ?= all
ENTER = PATH="$$PWD/.venv/bin:$$PATH"

.PHONY: help setup reproduce test lint audit plan torture fuzz smoke benchmark desk seeds quirks results published report snakemake-report bench remember archive clean

help: ## list these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: ## make .venv from requirements.lock; the others do it for you
	@sh scripts/setup.sh

reproduce: setup ## run the default study, up to results/report.html
	@$(ENTER) python scripts/unlock.py
	$(ENTER) snakemake --cores $(CORES) $(ARGS)

test: setup ## run every test
	$(ENTER) OMP_NUM_THREADS=1 pytest --numprocesses auto --dist loadfile $(ARGS)

torture: setup ## inject 230 faults and count what is lost; some 25 minutes
	$(ENTER) python -m tests.faults --markdown build/torture.md $(ARGS)

lint: setup ## check style, types, spelling and the workflow
	@$(ENTER) sh scripts/lint.sh

audit: setup ## compare the locked versions with known vulnerabilities; asks the network
	@$(ENTER) sh scripts/audit.sh $(ARGS)

plan: setup ## say what would run and about how long, and run nothing
	$(ENTER) snakemake --dry-run --quiet rules $(ARGS)
	@$(ENTER) sfigf plan --config config/default.yaml $(patsubst %,--config %,$(filter %.yaml,$(ARGS))) \
		--costs config/costs.csv --costs config/paper-costs.csv --cores $(CORES)

fuzz: setup ## give every reader of files thousands of damaged ones and count; ARGS='--inputs 300 --seed 1'
	$(ENTER) OMP_NUM_THREADS=1 python -m tests.hostile $(ARGS)

smoke: setup ## run a tiny study of every task in build/smoke, without network
	@$(ENTER) python scripts/unlock.py build/smoke
	$(ENTER) snakemake --cores $(CORES) --configfile config/smoke.yaml --directory build/smoke $(ARGS)

benchmark: setup ## run the field's own test sets in build/benchmark
	@$(ENTER) python scripts/unlock.py build/benchmark
	$(ENTER) snakemake --cores $(CORES) --configfile config/benchmark.yaml --directory build/benchmark $(ARGS)

desk: setup ## train and test larger networks in build/desk; some hours on two cores
	@$(ENTER) python scripts/unlock.py build/desk
	$(ENTER) snakemake --cores $(CORES) --configfile config/standard.yaml config/desk.yaml --directory build/desk $(ARGS)

seeds: setup ## train the desk study's pan-sharpening with three seeds in build/seeds; an hour on two cores
	@$(ENTER) python scripts/unlock.py build/seeds
	$(ENTER) snakemake --cores $(CORES) --configfile config/standard.yaml config/desk.yaml config/seeds.yaml \
		--directory build/seeds $(ARGS)

quirks: setup ## measure in build/quirks what the released code's mistakes change; half an hour on two cores
	@$(ENTER) python scripts/unlock.py build/quirks
	$(ENTER) snakemake --cores $(CORES) --configfile config/quirks.yaml --directory build/quirks $(ARGS)

results: setup ## write docs/results.md from the studies that have been run
	$(ENTER) python scripts/results_page.py

published: setup ## evaluate the published weights in build/desk; trains nothing
	@$(ENTER) python scripts/unlock.py build/desk
	$(ENTER) snakemake --cores $(CORES) --configfile config/standard.yaml config/desk.yaml --directory build/desk \
		--config weights=published $(ARGS)

report: setup ## write results/report.html again
	$(ENTER) snakemake --cores 1 --forcerun write_report $(ARGS)

snakemake-report: setup ## write Snakemake's own report of the run, results/provenance.html
	$(ENTER) snakemake --report results/provenance.html $(ARGS)

bench: setup ## measure speed and memory and write docs/performance.md; half an hour on an idle machine
	$(ENTER) python -m benchmarks --largest 4096 --record benchmarks/record.json $(ARGS)

remember: setup ## keep the last run: weights and results with DVC, README and costs with git
	$(ENTER) sh scripts/remember.sh

archive: setup ## pack code, settings and results into build/sfigf-study.tar.gz
	$(ENTER) sh scripts/archive.sh

clean: ## remove results and prepared data; keep .venv, downloads and the DVC store
	rm -rf results build .snakemake data/verified data/prepared data/rendered data/degraded
