# common: the settings, checked once, and the names, choices and digests that the other rule files share.
#
# NEEDS  the merged Snakemake config, config/carriers.yaml, config/datasets/<dataset>.yaml, published/
# MAKES  results/config.yaml: the settings in force, written when a run starts
import functools
import json
import platform
import shutil
import sys

from sfigf import leash
from sfigf.cards import load_card, load_carriers, origin_of
from sfigf.config import kept, load_settings, read_strict_yaml, write_effective
from sfigf.files import sha256_of
from sfigf.interface import UserError
from sfigf.plan import digest, digest_of_data, method_settings, runs
from sfigf.published import audited_sets, held
from sfigf.registry import lookup
from sfigf.selection import part_checked
from sfigf.small_files import one_line
from sfigf.tables.protocol_page import caption
from sfigf.tasks import TASKS
from sfigf.training_code import checkpoint_name, code_of
from sfigf.training_code import training_code as code_of_training

# Jobs look after the run that is named here, and end when it is gone.
os.environ[leash.VARIABLE] = leash.this_run()

CONFIG = "results/config.yaml"
RUN = "{task}/{condition}/{method}/{variant}/seed{seed}"
RENDERED = "rendered"
# A GPU takes one training at a time; on a machine without one, trainings run side by side.
GPU_HERE = int(shutil.which("nvidia-smi") is not None or (sys.platform, platform.machine()) == ("darwin", "arm64"))


def house(path):
    """A file of the repository, as seen from the folder the workflow runs in."""
    return os.path.normpath(os.path.join(HOUSE, path))


def card(dataset):
    """File of a data set's card."""
    return house(f"config/datasets/{dataset}.yaml")


def selected(task, condition, part):
    """Names of the data sets of one part of a task: ``photos`` for ``photos:train``."""
    return sorted({selection.partition(":")[0] for selection in getattr(STUDY.part(task, condition), part)})


try:
    # Snakemake has read them, and takes the last of two equal keys in silence.
    for path in workflow.overwrite_configfiles:
        read_strict_yaml(path)
    config = kept(config)
    STUDY = load_settings(config)
    RUNS = {run.path: run for run in runs(STUDY)}
    # A run of each method: what its seeds and variants have in common is asked of it.
    LINES = {(run.task, run.condition, run.method): run for run in RUNS.values()}
    SELF_TESTED = {path: run.task for path, run in RUNS.items() if run.method == "bicubic"}
    PROTOCOLS = sorted({name for _, _, part in STUDY.parts() for name in part.protocols})
    # With `weights: published` a study takes what lies below published/, by its name, where that is there.
    SHELF = house(f"published/{STUDY.study}")
    TAKEN = STUDY.weights == "published" and os.path.isdir(SHELF)
    # The audit came with the weights: what they were trained on need not be made again, unless it is tested on others.
    CLEARED = TAKEN and all(
        audited_sets(f"{SHELF}/splits.json", task) >= {*selected(task, condition, "test")}
        for task, condition, _ in STUDY.parts()
    )
    PARTS = ("test",) if CLEARED else ("train", "validation", "test")
    DEGRADED = [(*case[:2], part) for case in STUDY.parts() for part in PARTS]
    DATASETS = sorted({dataset for case in DEGRADED for dataset in selected(*case)})
    TEXTURES = [STUDY.rendering.textures] if STUDY.rendering.textures and RENDERED in DATASETS else []
    CARRIERS = load_carriers(house("config/carriers.yaml"))
    CARDS = {dataset: load_card(card(dataset)) for dataset in {*DATASETS, *TEXTURES}}
except UserError as error:
    sys.exit(f"sfigf: {one_line(str(error))}")


wildcard_constraints:
    task="|".join(STUDY.tasks),
    dataset="[a-z0-9-]+",
    condition="[a-z0-9-]+",
    method="[a-z0-9-]+",
    variant="[a-z0-9-]+",
    part="train|validation|test",
    seed=r"\d+",
    shard=r"\d+",


def options(name, files):
    """``--name FILE`` for each file."""
    return [word for file in files for word in (name, file)]


def archive(wildcards):
    """What a data set is read from: a person's own copy, a fetched file, a folder of ours, or an installed package."""
    carrier = origin_of(CARDS[wildcards.dataset], CARRIERS)
    if carrier is None:
        return {"archive": f"data/collected/{wildcards.dataset}.json"}
    places = {"index": f"data/fetched/{carrier.file}", "vendored": ancient(house(carrier.folder))}
    return {"archive": places[carrier.kind]} if carrier.kind in places else {}


def archive_option(wildcards, input):
    """The --archive option where there is an archive."""
    return ["--archive", input.archive] if "archive" in input.keys() else []


def carrier_named(wildcards):
    """Name of the carrier that a fetched file is."""
    return next(name for name, carrier in CARRIERS.items() if carrier.file == wildcards.file)


def card_digest(wildcards):
    """Digest of what a card and its carrier say about the data; wording left out. It stands for the files' bytes."""
    card = CARDS[wildcards.dataset]
    carrier = origin_of(card, CARRIERS)
    facts = carrier.model_dump(include={"project", "version", "sha256"}) if carrier else {}
    said = card.model_dump(include={"members", "crops", "meta", "licence", "parts", "expect", "leak"})
    return digest(facts | said)


def reader_of(wildcards):
    """Class that reads a data set."""
    return lookup("dataset", wildcards.dataset)


def prepared(*datasets):
    """Files of prepared sets."""
    return [f"data/prepared/{dataset}.safetensors" for dataset in datasets]


def scenes_of(part):
    """How many scenes are rendered for a part."""
    return getattr(STUDY.rendering, f"{part}_scenes")


def shards_of(part):
    """In how many jobs the scenes of a part are rendered."""
    return min(STUDY.rendering.shards, scenes_of(part))


def degradation_of(wildcards):
    """Class of the forward model of a condition."""
    return type(TASKS[wildcards.task].conditions[wildcards.condition]())


def run_of(wildcards):
    """The run that the wildcards name; a path that the study does not have is refused."""
    path = RUN.format(**wildcards)
    if path not in RUNS:
        raise UserError(f"study '{STUDY.study}' has no run {path}; its runs are in its settings, under tasks")
    return RUNS[path]


def method_of(wildcards):
    """Class of the method that a run uses."""
    return type(line_of(wildcards).method)


def line_of(wildcards):
    """The settings of the method that a run uses."""
    return line_named(wildcards.task, wildcards.condition, wildcards.method)


# Asked for by each of a run's jobs, from every seed: validated once.
@functools.cache
def line_named(task, condition, method):
    """The settings of one method under one condition."""
    return method_settings(STUDY, task, method, condition)


def metrics_of(wildcards):
    """Classes of the metrics of a task, the main one first."""
    return [lookup("metric", name) for name in metric_names(wildcards.task, wildcards.condition)]


@functools.cache
def metric_names(task, condition):
    """Names of the metrics of a task under a condition, the main one first."""
    return STUDY.part(task, condition).metrics


def training_code(wildcards):
    """Digest of the code of one training: the loop, the method's own network, the metric that selects."""
    run = run_of(wildcards)
    return training_code_of(run.task, run.condition, run.method)


@functools.cache
def training_code_of(task, condition, method):
    """The same, whatever the variant and the seed."""
    return code_of_training(STUDY, LINES[task, condition, method])


def checkpoints(wildcards):
    """Folder of one training's checkpoints; other settings or other code begin in another one."""
    return f"results/checkpoints/{checkpoint_name(run_of(wildcards), training_code(wildcards))}"


def weights(wildcards):
    """The weight file of a learned run; nothing for a classical one."""
    run = run_of(wildcards)
    return [weight_file(run.path)] if run.learned else []


@functools.cache
def weight_file(path):
    """Where the weights of a run lie; published ones are there, and the bytes that were published."""
    if TAKEN:
        return str(held(os.path.dirname(SHELF), f"{STUDY.study}/{path}.safetensors"))
    file = f"results/weights/{path}.safetensors"
    if STUDY.weights == "published" and not os.path.exists(file):
        raise UserError(
            f"neither {file} nor published/{STUDY.study} is here: `dvc pull` in the repository brings what was published;"
            " without weights=published the study is trained"
        )
    return file


def training_log(path):
    """Where the training log of a run lies."""
    return f"{SHELF}/{path}.jsonl" if TAKEN else f"results/training/{path}.jsonl"


def paths_of(task, template):
    """One file for each run of a task, in the order of the settings."""
    return [template.format(path) for path, run in RUNS.items() if run.task == task]


def shown(wildcards, learned_only=False):
    """Path of each run that figures show, by ``method/variant``: those of the first seed, in the order of the settings."""
    wanted = [run for run in RUNS.values() if (run.task, run.condition) == (wildcards.task, wildcards.condition)]
    wanted = [run for run in wanted if run.learned or not learned_only]
    return {f"{run.method}/{run.variant}": run.path for run in wanted if run.seed in (STUDY.seeds[0], 0)}


def named(wildcards, files, learned_only=False):
    """``method/variant=FILE`` for the files of the runs that figures show."""
    return [f"{name}={file}" for name, file in zip(shown(wildcards, learned_only), files, strict=True)]


def perturbed():
    """Task and condition of every set of robustness curves."""
    return [(task, condition) for task, condition, _ in STUDY.parts() if STUDY.robustness and STUDY.robustness.of(task)]


def run_option(path):
    """``METHOD/VARIANT/seedN``, and ``=WEIGHTS`` after it where a run is learned."""
    name = path.split("/", 2)[2]
    return f"{name}={weight_file(path)}" if RUNS[path].learned else name


def robustness_digest(wildcards):
    """Digest of the settings that change the robustness curves of a condition."""
    chosen = STUDY.robustness.model_dump() | {"perturbations": STUDY.robustness.of(wildcards.task)}
    metrics = STUDY.part(wildcards.task, wildcards.condition).metrics[:2]
    digests = {path: RUNS[path].digest for path in shown(wildcards).values()}
    return digest(chosen | {"metrics": metrics, "runs": digests})


def robustness_code(wildcards):
    """Digest of the code of the robustness curves of a condition: perturbations, forward model, methods, metrics."""
    task, condition = wildcards.task, wildcards.condition
    labels = dict.fromkeys(RUNS[path].method for path in shown(wildcards).values())
    methods = dict.fromkeys(type(method_settings(STUDY, task, label, condition).method) for label in labels)
    return code_of("robustness:robustness", degradation_of(wildcards), *methods, *metrics_of(wildcards)[:2])


def figures():
    """Every figure of the study."""
    conditions = [(task, condition) for task, study in STUDY.tasks.items() for condition in study.conditions]
    learned = {(run.task, run.condition) for run in RUNS.values() if run.learned}
    pictures = [(*pair, kind) for pair in conditions for kind in ("comparison", "zoom")]
    pictures += [(RENDERED, "contact-sheet")] if RENDERED in DATASETS else []
    kinds = [(*pair, "training") for pair in conditions if pair in learned]
    kinds += [(task, "quality") for task in STUDY.tasks]
    kinds += [(*pair, "robustness") for pair in perturbed()]
    names = ["-".join(kind) + ".jpg" for kind in pictures] + ["-".join(kind) + ".png" for kind in kinds]
    return [f"results/figures/{name}" for name in names]
