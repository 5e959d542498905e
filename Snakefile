# The study, from the package index to the report: `snakemake --cores all`.
#
# data -> weights -> scores -> paper. Each rule file opens with what it NEEDS and what it MAKES; each rule is one
# `sfigf` command. Values live in config/, file names here and in workflow/rules/, how many at a time in profiles/.
import os
import signal
import sys
import threading

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


onstart:
    # Not a rule: a changed setting would hide, behind a changed file, the jobs that it does not concern.
    write_effective(json.dumps(config), CONFIG)
    # Snakemake's own handler waits for a lock that the thread it interrupts may hold, and then waits for ever (9.27.1,
    # JobScheduler.exit_gracefully while it chooses jobs). In a thread of its own it waits until the lock is free.
    ended_by = signal.getsignal(signal.SIGTERM)
    if callable(ended_by) and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, lambda *what: threading.Thread(target=ended_by, args=what).start())


rule all:
    default_target: True
    input:
        rules.write_report.output,


# In a fresh clone with pulled results: brings the data back, the same bytes, so that a change redoes its part alone.
rule data:
    input:
        rules.audit_split.output,
        [f"data/degraded/{task}/{condition}/{part}.safetensors" for task, condition, part in DEGRADED],
