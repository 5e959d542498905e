# The study, from the package index to the report: `snakemake --cores all`.
#
# data -> weights -> scores -> paper. Each rule file opens with what it NEEDS and what it MAKES; each rule is one
# `sfigf` command. Values live in config/, file names here and in workflow/rules/, how many at a time in profiles/.
import os
import sys

from snakemake.utils import min_version

min_version("9.0")

HOUSE = os.path.relpath(workflow.basedir)
if {"{", "}"} & {*os.path.abspath(HOUSE)}:
    sys.exit(
        f"sfigf: {os.path.abspath(HOUSE)!r}: Snakemake takes a brace in a path for a wildcard; move the repository"
    )


configfile: os.path.join(HOUSE, "config/default.yaml")


report: "workflow/report/study.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/weights.smk"
include: "workflow/rules/scores.smk"
include: "workflow/rules/statistics.smk"
include: "workflow/rules/robustness.smk"
include: "workflow/rules/paper.smk"


for extra in STUDY.rules:

    include: os.path.abspath(extra)


# Never handed to a cluster: what needs the network, and what takes a second to read some tables.
localrules:
    all,
    data,
    fetch_carrier,
    collect_dataset,
    test_protocols,
    summarise_study,
    tabulate_robustness,


# Not a rule: a changed setting would hide, behind a changed file, the jobs that it does not concern.
onstart:
    write_effective(json.dumps(config), CONFIG)


rule all:
    default_target: True
    input:
        rules.write_report.output,


# In a fresh clone with pulled results: brings the data back, the same bytes, so that a change redoes its part alone.
rule data:
    input:
        rules.audit_split.output,
        [f"data/degraded/{task}/{condition}/{part}.safetensors" for task, condition, part in DEGRADED],
