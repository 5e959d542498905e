# paper: tables, figures and the report, all from scores; nothing in them is typed by hand.
#
# NEEDS  results/scores/<run>.csv, results/costs/<run>.json, restored images, training logs
# MAKES  results/tables/, results/figures/, results/metrics.json, results/report.html
rule tabulate_scores:
    input:
        scores=lambda w: paths_of(w.task, "results/scores/{}.csv"),
        costs=lambda w: paths_of(w.task, "results/costs/{}.json"),
        audit=rules.audit_split.output,
    output:
        csv=report(
            "results/tables/{task}.csv",
            caption="../report/scores.rst",
            category="Tables",
            subcategory="{task}",
            labels={"table": "every image"},
        ),
        summary=report(
            "results/tables/{task}-summary.csv",
            caption="../report/summary.rst",
            category="Tables",
            subcategory="{task}",
            labels={"table": "means and ranks"},
        ),
        cost=report(
            "results/tables/{task}-cost.csv",
            caption="../report/cost.rst",
            category="Tables",
            subcategory="{task}",
            labels={"table": "cost"},
        ),
        timing="results/tables/{task}-timing.csv",
        markdown="results/tables/{task}.md",
        latex="results/tables/{task}.tex",
    log:
        "results/logs/tabulate_scores/{task}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        config=CONFIG,
        settings=lambda w: digest(STUDY.tasks[w.task].model_dump()),
        scores=lambda w, input: options("--score", input.scores),
        costs=lambda w, input: options("--cost", input.costs),
        code=code_of("present:tabulate"),
    shell:
        "sfigf tabulate --config {params.config:q} --task {wildcards.task} {params.scores:q} {params.costs:q}"
        " --csv {output.csv:q} --summary {output.summary:q} --markdown {output.markdown:q} --latex {output.latex:q}"
        " --cost-table {output.cost:q} --timing-table {output.timing:q} 2> {log:q}"


rule summarise_study:
    input:
        summary=expand("results/tables/{task}-summary.csv", task=[*STUDY.tasks]),
        scores=expand("results/tables/{task}.csv", task=[*STUDY.tasks]),
    output:
        markdown="results/tables/summary.md",
        metrics="results/metrics.json",
    log:
        "results/logs/summarise_study.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        summary=lambda w, input: options("--summary", input.summary),
        scores=lambda w, input: options("--per-image", input.scores),
        code=code_of("present:summarise"),
    shell:
        "sfigf summarise {params.summary:q} {params.scores:q}"
        " --markdown {output.markdown:q} --metrics {output.metrics:q} 2> {log:q}"


rule write_report:
    input:
        tables=rules.summarise_study.output,
        audit=rules.audit_split.output,
    output:
        "results/report.html",
    log:
        "results/logs/write_report.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        config=CONFIG,
        snakefile=house("Snakefile"),
    shell:
        "snakemake --snakefile {params.snakefile:q} --configfile {params.config:q} --report {output:q}"
        " {input.tables:q} {input.audit:q} > {log:q} 2>&1"
