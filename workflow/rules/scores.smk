# scores: restore the test images with every run, and score what came back.
#
# NEEDS  data/degraded/<task>/<condition>/test.safetensors, weights of learned runs: results/weights/ or published/<study>/
# MAKES  results/restored/<run>.safetensors, results/costs/<run>.json, results/scores/<run>.csv
#        results/audit/self-test.json: proof that bicubic comes out as the protocols say


rule restore_images:
    input:
        samples="data/degraded/{task}/{condition}/test.safetensors",
        weights=weights,
    output:
        restored=f"results/restored/{RUN}.safetensors",
        cost=f"results/costs/{RUN}.json",
    log:
        f"results/logs/restore_images/{RUN}.log",
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        gpu=lambda w: GPU_HERE if run_of(w).learned else 0,
    params:
        config=CONFIG,
        settings=lambda w: run_of(w).digest,
        weights=lambda w, input: ["--weights", *input.weights] if input.weights else [],
        code=lambda w: code_of("learn:restore_set", method_of(w)),
    shell:
        "sfigf restore-set --config {params.config:q} --task {wildcards.task} --condition {wildcards.condition}"
        " --method {wildcards.method} --variant {wildcards.variant} --seed {wildcards.seed}"
        " --samples {input.samples:q} {params.weights:q} --output {output.restored:q} --cost {output.cost:q}"
        " --threads {threads} 2> {log:q}"


rule score_run:
    input:
        samples="data/degraded/{task}/{condition}/test.safetensors",
        restored=f"results/restored/{RUN}.safetensors",
    output:
        f"results/scores/{RUN}.csv",
    log:
        f"results/logs/score_run/{RUN}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        config=CONFIG,
        metrics=lambda w: metric_names(w.task, w.condition),
        code=lambda w: code_of("learn:score", *metrics_of(w)),
    shell:
        "sfigf score --config {params.config:q} --task {wildcards.task} --condition {wildcards.condition}"
        " --method {wildcards.method} --variant {wildcards.variant} --seed {wildcards.seed}"
        " --samples {input.samples:q} --restored {input.restored:q} --output {output:q} 2> {log:q}"


rule test_protocols:
    input:
        scores=[f"results/scores/{path}.csv" for path in SELF_TESTED],
    output:
        "results/audit/self-test.json",
    log:
        "results/logs/test_protocols.log",
    priority: 95
    conda:
        "../../environment.yml"
    threads: 1
    params:
        config=CONFIG,
        protocols=PROTOCOLS,
        scores=lambda w, input: options("--score", input.scores),
        code=code_of("protocol:self_test"),
    shell:
        "sfigf self-test --config {params.config:q} {params.scores:q} --output {output:q} 2> {log:q}"
