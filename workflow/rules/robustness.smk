# robustness: what each method loses on test images that are not what it was made for.
#
# NEEDS  data/degraded/<task>/<condition>/test.safetensors, weights of learned runs, the settings under `robustness`
# MAKES  results/robustness/<task>/<condition>.csv, results/tables/<task>-robustness.csv
#        results/figures/<task>-<condition>-robustness.png


# All runs of a condition in one process: starting one takes longer than a small method's curves.
rule test_robustness:
    input:
        samples="data/degraded/{task}/{condition}/test.safetensors",
        weights=lambda w: [weight_file(path) for path in shown(w, learned_only=True).values()],
    output:
        "results/robustness/{task}/{condition}.csv",
    log:
        "results/logs/test_robustness/{task}-{condition}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=lambda w: GPU_HERE if shown(w, learned_only=True) else 0,
    params:
        config=CONFIG,
        settings=robustness_digest,
        runs=lambda w: options("--run", map(run_option, shown(w).values())),
        code=robustness_code,
    shell:
        "sfigf robustness --config {params.config:q} --task {wildcards.task} --condition {wildcards.condition}"
        " --samples {input.samples:q} {params.runs:q} --output {output:q} --threads {threads} 2> {log:q}"


rule tabulate_robustness:
    input:
        lambda w: [f"results/robustness/{t}/{c}.csv" for t, c in perturbed() if t == w.task],
    output:
        report(
            "results/tables/{task}-robustness.csv",
            caption="../report/robustness-table.rst",
            category="Tables",
            subcategory="{task}",
            labels={"table": "robustness"},
        ),
    log:
        "results/logs/tabulate_robustness/{task}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        curves=lambda w, input: options("--curves", input),
        code=code_of("robustness:tabulate_robustness"),
    shell:
        "sfigf tabulate-robustness --task {wildcards.task} {params.curves:q} --csv {output:q} 2> {log:q}"


rule draw_robustness:
    input:
        "results/tables/{task}-robustness.csv",
    output:
        report(
            "results/figures/{task}-{condition}-robustness.png",
            caption="../report/robustness.rst",
            category="Robustness",
            subcategory="{task}",
            labels={"condition": "{condition}", "figure": "robustness"},
        ),
    log:
        "results/logs/draw_robustness/{task}-{condition}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=code_of("robustness:draw_robustness"),
    shell:
        "sfigf draw robustness --task {wildcards.task} --condition {wildcards.condition} --curves {input:q}"
        " --output {output:q} 2> {log:q}"
