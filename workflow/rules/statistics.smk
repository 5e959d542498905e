# statistics: methods compared image by image, and the tasks in words computed from that.
#
# NEEDS  results/tables/<task>.csv, results/tables/<task>-summary.csv
# MAKES  results/tables/<task>-statistics.csv and .tex, results/tables/<task>-words.json
rule compare_methods:
    input:
        scores="results/tables/{task}.csv",
        summary="results/tables/{task}-summary.csv",
    output:
        csv="results/tables/{task}-statistics.csv",
        words="results/tables/{task}-words.json",
        latex="results/tables/{task}-statistics.tex",
    log:
        "results/logs/compare_methods/{task}.log",
    conda:
        "../../environment.yml"
    threads: 1
    params:
        code=code_of("statistics:compare"),
    shell:
        "sfigf compare --task {wildcards.task} --score {input.scores:q} --summary {input.summary:q}"
        " --csv {output.csv:q} --words {output.words:q} --latex {output.latex:q} 2> {log:q}"
