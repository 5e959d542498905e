# paper: tables, figures and the report, all from scores; nothing in them is typed by hand.
#
# NEEDS  results/scores/<run>.csv, results/costs/<run>.json, restored images, training logs, config/published.csv
# MAKES  results/tables/, results/figures/, results/metrics.json, results/report.html
LOOK = ("page.html.jinja", "macros.html.jinja", "style.css", "page.js")


rule tabulate_scores:
    input:
        scores=lambda w: paths_of(w.task, "results/scores/{}.csv"),
        costs=lambda w: paths_of(w.task, "results/costs/{}.json"),
        audit=rules.audit_split.output,
        protocols=lambda w: rules.test_protocols.output if w.task in SELF_TESTED.values() else [],
        published=ancient(house("config/published.csv")),
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
        protocols=lambda w: caption(n for t, _, part in STUDY.parts() if t == w.task for n in part.protocols),
        published_digest=sha256_of(house("config/published.csv")),
        scores=lambda w, input: options("--score", input.scores),
        costs=lambda w, input: options("--cost", input.costs),
        code=code_of("present:tabulate"),
    shell:
        "sfigf tabulate --config {params.config:q} --task {wildcards.task} {params.scores:q} {params.costs:q}"
        " --csv {output.csv:q} --summary {output.summary:q} --markdown {output.markdown:q} --latex {output.latex:q}"
        " --cost-table {output.cost:q} --timing-table {output.timing:q} --published {input.published:q} 2> {log:q}"


rule summarise_study:
    input:
        summary=expand("results/tables/{task}-summary.csv", task=[*STUDY.tasks]),
        scores=expand("results/tables/{task}.csv", task=[*STUDY.tasks]),
        published=ancient(house("config/published.csv")),
    output:
        markdown="results/tables/summary.md",
        metrics="results/metrics.json",
    log:
        "results/logs/summarise_study.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        config=CONFIG,
        protocols=PROTOCOLS,
        published_digest=sha256_of(house("config/published.csv")),
        summary=lambda w, input: options("--summary", input.summary),
        scores=lambda w, input: options("--per-image", input.scores),
        code=code_of("present:summarise"),
    shell:
        "sfigf summarise {params.summary:q} {params.scores:q} --config {params.config:q}"
        " --published {input.published:q} --markdown {output.markdown:q} --metrics {output.metrics:q} 2> {log:q}"


rule draw_comparison:
    input:
        samples="data/degraded/{task}/{condition}/test.safetensors",
        restored=lambda w: [f"results/restored/{path}.safetensors" for path in shown(w).values()],
        scores=lambda w: [f"results/scores/{path}.csv" for path in shown(w).values()],
    output:
        report(
            "results/figures/{task}-{condition}-{kind}.jpg",
            caption="../report/comparison.rst",
            category="Pictures",
            subcategory="{task}",
            labels={"condition": "{condition}", "figure": "{kind}"},
        ),
    log:
        "results/logs/draw_comparison/{task}-{condition}-{kind}.log",
    wildcard_constraints:
        kind="comparison|zoom",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        settings=digest(STUDY.show),
        restored=lambda w, input: options("--restored", named(w, input.restored)),
        scores=lambda w, input: options("--score", input.scores),
        code=lambda w: code_of(f"present:draw_{w.kind}"),
    shell:
        "sfigf draw {wildcards.kind} --task {wildcards.task} --condition {wildcards.condition}"
        " --samples {input.samples:q} {params.restored:q} {params.scores:q} --output {output:q} 2> {log:q}"


rule draw_training:
    input:
        lambda w: [*map(training_log, shown(w, learned_only=True).values())],
    output:
        report(
            "results/figures/{task}-{condition}-training.png",
            caption="../report/training.rst",
            category="Training",
            subcategory="{task}",
            labels={"condition": "{condition}", "figure": "training curves"},
        ),
    log:
        "results/logs/draw_training/{task}-{condition}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        title=lambda w: f"{TASKS[w.task].title}, {w.condition}",
        logs=lambda w, input: options("--log", named(w, input, learned_only=True)),
        code=code_of("present:draw_training"),
    shell:
        "sfigf draw training --title {params.title:q} {params.logs:q} --output {output:q} 2> {log:q}"


rule draw_quality:
    input:
        summary="results/tables/{task}-summary.csv",
        cost="results/tables/{task}-cost.csv",
        timing="results/tables/{task}-timing.csv",
    output:
        report(
            "results/figures/{task}-quality.png",
            caption="../report/quality.rst",
            category="Quality and cost",
            subcategory="{task}",
            labels={"figure": "quality against cost"},
        ),
    log:
        "results/logs/draw_quality/{task}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=code_of("present:draw_quality"),
    shell:
        "sfigf draw quality --summary {input.summary:q} --cost {input.cost:q} --timing {input.timing:q}"
        " --output {output:q} 2> {log:q}"


rule draw_scenes:
    input:
        prepared(RENDERED),
    output:
        report(
            "results/figures/rendered-contact-sheet.jpg",
            caption="../report/scenes.rst",
            category="Data",
            labels={"figure": "rendered scenes"},
        ),
    log:
        "results/logs/draw_scenes.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=code_of("render:sheet"),
    shell:
        "sfigf sheet --scenes {input:q} --output {output:q} 2> {log:q}"


# Pictures on the page are those of the first seed.
rule write_report:
    input:
        tables=rules.summarise_study.output,
        statistics=expand("results/tables/{task}-{kind}", task=[*STUDY.tasks], kind=["statistics.csv", "words.json"]),
        robustness=[f"results/tables/{task}-robustness.csv" for task in dict.fromkeys(task for task, _ in perturbed())],
        audit=rules.audit_split.output,
        figures=figures(),
        samples=[f"data/degraded/{task}/{condition}/test.safetensors" for task, condition, _ in STUDY.parts()],
        restored=[
            f"results/restored/{path}.safetensors" for path, run in RUNS.items() if run.seed in (STUDY.seeds[0], 0)
        ],
        costs=[f"results/costs/{path}.json" for path in RUNS],
        weights=lambda w: [weight_file(path) for path, run in RUNS.items() if run.learned],
        published=ancient(house("config/published.csv")),
    output:
        "results/report.html",
    log:
        "results/logs/write_report.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        house=HOUSE,
        taken=["--weights", SHELF, "--logs", SHELF] if TAKEN else [],
        published_digest=sha256_of(house("config/published.csv")),
        look=[sha256_of(house(f"sfigf/report/{name}")) for name in LOOK],
        code=code_of("report:report"),
    shell:
        # The commit is told, and is no reason to write the page again.
        "sfigf report --results results --samples data/degraded {params.taken:q} --published {input.published:q}"
        ' --commit "$(git -C {params.house:q} describe --always --dirty 2> /dev/null)"'
        " --output {output:q} 2> {log:q}"
