"""Settings: every wrong key, name or value fails at once, in one line that names the nearest right one."""

import copy
import json

import pytest
import yaml

from sfigf.config import Study, kept, load_effective, load_settings, merged, read_yaml, write_effective
from sfigf.interface import UserError
from sfigf.plan import digest_of_data, digest_of_run, method_settings, runs
from sfigf.planning import read_study


@pytest.fixture
def mini(root):
    return read_yaml(root / "config/default.yaml")


def changed(settings, path, value):
    settings = copy.deepcopy(settings)
    *parents, last = path.split(".")
    at = settings
    for key in parents:
        at = at[key]
    at[last] = value
    return settings


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        ("seedz", [0], "unknown key 'seedz', did you mean 'seeds'"),
        ("tasks.depth.training.stepps", 5, "unknown key 'stepps', did you mean 'steps'"),
        ("tasks.depth.methods.sfigf.widht", 8, "unknown key 'widht', did you mean 'width'"),
        ("tasks.depth.methods.sfiggf", {}, "unknown method 'sfiggf', did you mean 'sfigf'"),
        ("tasks.depth.methods.fusionnet", {}, "is for pan, not depth"),
        ("tasks.depth.methods.sfigf.variants", ["fulll"], "'fulll' is not one of full, image-only, feature-only"),
        ("tasks.depth.metrics", ["rmsee"], "unknown metric 'rmsee', did you mean 'rmse'"),
        ("tasks.depth.conditions", ["x7"], "unknown condition 'x7'"),
        ("tasks.depth.test", ["motorcycl"], "unknown dataset 'motorcycl', did you mean 'motorcycle'"),
        ("tasks.dept", {}, "tasks"),
        ("tasks.depth.training.learning_rate", -1, "greater than 0, got -1"),
        ("tasks.depth.training.steps", "many", "steps"),
        ("weights", "guessed", "'trained' or 'published'"),
        ("tasks.depth.training.decay_at_steps", [5], "belong to `schedule: step`"),
        ("tasks.depth.training.quirks", {"colur": "released"}, "unknown key 'colur', did you mean 'colour'"),
        ("tasks.depth.training.quirks", {"shuffle": "released"}, "the released depth code does not have this quirk"),
        ("tasks.depth.training.loss", "raw-mono", "'raw-mono' is for raw, not depth"),
        ("tasks.depth.training.optimizer", "sdg", "'adam', 'adamw' or 'sgd', got 'sdg'"),
        ("tasks.depth.methods.djfr", {"preset": "publishd"}, "methods.djfr.preset: 'publishd' is not one of common"),
        ("tasks.depth.methods.djfr", {"presett": "common"}, "unknown key 'presett'"),
        ("tasks.focus.methods.sesf-fuse", {}, "sesf-fuse.training.loss: no gradient of"),
        ("tasks.depth.per_condition", {"x4": {"train_draws": 2}}, "per_condition: 'x4' is not run, did you mean 'x8'"),
        ("tasks.depth.per_condition", {"x8": {"trian": ["aloe"]}}, "unknown key 'trian', did you mean 'train'"),
        ("tasks.depth.per_condition", {"x8": {"training": {"stepps": 1}}}, "per_condition.x8.training: unknown key"),
        ("tasks.depth.per_condition", {"x8": {"metrics": ["psnrr"]}}, "per_condition.x8.metrics: unknown metric"),
        ("tasks.depth.soft_edges_px", [0.9, 0.3], "depth.soft_edges_px: [least, most], got [0.9, 0.3]"),
        ("tasks.depth.soft_edges_px", [0.3, 9], "soft_edges_px"),
        ("tasks.pan.soft_edges_px", [0.3, 0.9], "only depth has maps"),
        ("plugins", ["no/such/plugin.py"], "plug-in 'no/such/plugin.py'"),
        ("seeds", [], "at least 1"),
    ],
)
def test_wrong_settings_are_named(mini, path, value, says):
    with pytest.raises(UserError) as caught:
        load_settings(changed(mini, path, value))
    message = str(caught.value)
    assert says in message
    assert "\n" not in message


def test_every_key_of_the_default_study_is_written_out(mini):
    study = load_settings(mini)
    assert set(mini) == set(Study.model_fields)
    for task, settings in mini["tasks"].items():
        model = study.tasks[task]
        assert set(settings) == set(type(model).model_fields)
        assert set(settings["training"]) == set(type(model.training).model_fields)


def test_every_line_of_the_default_study_is_commented(root):
    text = (root / "config/default.yaml").read_text()
    first_task = text[: text.index("  pan:")]
    keys = [line for line in first_task.splitlines() if ":" in line and not line.strip().startswith("#")]
    assert sum("#" in line for line in keys) / len(keys) > 0.9


def test_a_condition_may_have_data_training_and_methods_of_its_own(mini):
    own = {
        "train": ["photos:test"],
        "metrics": ["ssim"],
        "protocols": [],
        "training": {"steps": 9},
        "methods": {"sid-unet": {"width": 4}},
    }
    study = load_settings(changed(mini, "tasks.raw.per_condition", {"red-oracle": own}))
    part, other = study.part("raw", "red-oracle"), study.part("raw", "mono")
    assert (part.train, part.metrics, list(part.methods)) == (["photos:test"], ["ssim"], ["sid-unet"])
    assert (part.test, part.training.batch_size) == (other.test, other.training.batch_size)
    assert (part.training.steps, other.training.steps) == (9, 500)
    assert other == study.tasks["raw"]
    assert {run.method for run in runs(study) if run.condition == "red-oracle"} == {"sid-unet"}
    assert method_settings(study, "raw", "sid-unet", "red-oracle").training.steps == 9
    digests = [digest_of_data(study, "raw", "train", condition) for condition in ("mono", "red-oracle")]
    assert digests[0] == digest_of_data(load_settings(mini), "raw", "train") != digests[1]
    with pytest.raises(UserError, match="has no raw None; it has mono, red-oracle"):
        method_settings(study, "raw", "sid-unet")
    with pytest.raises(UserError, match="no method 'svlrm' for raw"):
        method_settings(study, "raw", "svlrm", "red-oracle")


def test_textures_of_no_data_set_are_refused(mini):
    with pytest.raises(UserError, match="unknown dataset 'fotos', did you mean 'photos'"):
        load_settings(changed(mini, "rendering.textures", "fotos"))
    assert load_settings(changed(mini, "rendering.textures", None)).rendering.textures is None


def test_all_shipped_studies_load(root, mini):
    beneath = {"desk.yaml": ["standard.yaml"], "seeds.yaml": ["standard.yaml", "desk.yaml"]}
    for path in sorted((root / "config").glob("*.yaml")):
        if path.name in ("carriers.yaml",):
            continue
        settings = mini
        for name in beneath.get(path.name, []):
            settings = merged(settings, read_yaml(root / "config" / name))
        assert runs(load_settings(kept(merged(settings, read_yaml(path))), path.name)), path


def test_the_desk_study_is_the_standard_one_but_for_sizes(root, mini):
    standard = merged(mini, read_yaml(root / "config/standard.yaml"))
    desk = load_settings(kept(merged(standard, read_yaml(root / "config/desk.yaml"))))
    for task, condition, part in load_settings(kept(standard)).parts():
        same = ("train", "validation", "test", "metrics", "protocols", "crop_px", "train_draws", "soft_edges_px")
        ours = desk.part(task, condition)
        assert [getattr(ours, name) for name in same] == [getattr(part, name) for name in same]
        assert ours.training.steps < part.training.steps
        assert ours.training.augmentation == part.training.augmentation
        assert set(ours.methods) <= set(part.methods)


def test_the_seeds_are_of_the_desk_study(root):
    """Every run of seed 0 is one of desk's, and learns the same from the same."""
    layers = [root / "config" / f"{name}.yaml" for name in ("default", "standard", "desk", "seeds")]
    seeds, desk = read_study(layers), read_study(layers[:-1])
    assert {run.seed for run in runs(seeds) if run.learned} == {0, 1, 2}
    first = {run for run in runs(seeds) if run.seed == 0}
    assert first <= set(runs(desk))
    for run in first:
        trained, same = (
            digest_of_run(study.part(run.task, run.condition), line, run.variant, run.seed)
            for study in (seeds, desk)
            for line in [method_settings(study, run.task, run.method, run.condition)]
        )
        assert trained == same
        data, same = (digest_of_data(study, run.task, "train", run.condition) for study in (seeds, desk))
        assert data == same


def test_effective_settings_round_trip(mini, tmp_path):
    write_effective(json.dumps(mini), tmp_path / "c.yaml")
    assert runs(load_effective(tmp_path / "c.yaml")) == runs(load_settings(mini))


def test_yaml_bombs_and_broken_yaml_are_refused(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("a: &a [1, 2]\nb: *a\n")
    with pytest.raises(UserError, match="aliases"):
        read_yaml(path)
    path.write_text("a: [1, 2\n")
    with pytest.raises(UserError, match="cannot be read as YAML"):
        read_yaml(path)
    path.write_text("!!python/object/apply:os.system ['true']")
    with pytest.raises(UserError):
        read_yaml(path)


def test_a_run_digest_follows_what_changes_the_result_and_nothing_else(mini):
    def digests(settings):
        return {run.path: run.digest for run in runs(load_settings(settings))}

    before = digests(mini)
    assert digests(changed(mini, "show", {"colour": "blue"})) == before
    assert digests(changed(mini, "title", "another")) == before
    after = digests(changed(mini, "tasks.depth.training.steps", 5))
    moved = {path for path in before if before[path] != after[path]}
    assert moved == {path for path in before if path.startswith("depth/") and "/bicubic/" not in path} - {
        path for path in before if "/guided-filter/" in path
    }


def test_methods_without_weights_run_once_whatever_the_seeds(mini):
    found = runs(load_settings(changed(mini, "seeds", [0, 1, 2])))
    assert sum(run.method == "bicubic" for run in found) == 1
    assert sum(run.method == "djfr" for run in found) == 3


def test_default_yaml_has_no_duplicate_keys(root):
    class Strict(yaml.SafeLoader):
        pass

    def mapping(loader, node):
        keys = [loader.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), keys
        return {k: loader.construct_object(v, deep=True) for k, (_, v) in zip(keys, node.value, strict=True)}

    Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, mapping)
    assert yaml.load((root / "config/default.yaml").read_text(), Strict)["study"] == "mini"
