# weights: every learned method, in every variant, on every condition, from every seed.
#
# NEEDS  data/degraded/<task>/<condition>/{train,validation}.safetensors
# MAKES  results/weights/<run>.safetensors, results/training/<run>.jsonl
#
# With `weights: published` nothing is trained and the rule is not there: `dvc pull` brings the files, to
# published/<study>/ or, of a study that has no such folder, to results/.

if STUDY.weights == "trained":

    rule train_method:
        input:
            train="data/degraded/{task}/{condition}/train.safetensors",
            # The test part where a study asks for that quirk of the released code.
            validation=lambda w: f"data/degraded/{w.task}/{w.condition}/{part_checked(line_of(w).training)}.safetensors",
        output:
            weights=f"results/weights/{RUN}.safetensors",
            log=f"results/training/{RUN}.jsonl",
        log:
            f"results/logs/train_method/{RUN}.log",
        # The longest first, so that the cores finish together.
        priority: lambda w: 50 if w.method == "sfigf" else 40
        conda:
            "../../environment.yml"
        threads: 1
        resources:
            gpu=GPU_HERE,  # as many processes share each batch
        params:
            config=CONFIG,
            settings=lambda w: run_of(w).digest,
            code=training_code,
            checkpoints=checkpoints,
        shell:
            "sfigf train --config {params.config:q} --task {wildcards.task} --condition {wildcards.condition}"
            " --method {wildcards.method} --variant {wildcards.variant} --seed {wildcards.seed}"
            " --train {input.train:q} --validation {input.validation:q} --checkpoints {params.checkpoints:q}"
            " --log {output.log:q} --weights {output.weights:q} --threads {threads}"
            " --processes {resources.gpu} 2>&1 | tee {log:q}"
