"""Tables over several data sets: two units have no common mean, protocols and published numbers stand beside ours."""

import json

import pytest

from sfigf.cli.present import summarise, tabulate
from sfigf.interface import UserError
from sfigf.tables.protocol import protocol_line
from sfigf.tables.scores import COLUMNS
from sfigf.tables.summary import main_tables
from tests.unit.test_tables import CONFIG, RUNS, pooled, run_tabulate, study, summary_of, write_study

__all__ = ["study"]


def two_units(folder):
    """The same study, with ``motorcycle`` counted in centimetres and both tested under the protocol of DCTNet."""
    scores, costs, config = write_study(folder)
    for path in scores:
        text = path.read_text().replace("cones", "lu")
        lines = [line.replace(",px,", ",cm,") if "motorcycle" in line else line for line in text.splitlines()]
        path.write_text("\n".join(lines) + "\n")
    config.write_text(CONFIG.replace("metrics:", "protocols: [dctnet, jiif], metrics:"))
    return scores, costs, config


def test_data_sets_of_two_units_have_no_common_mean(tmp_path):
    study = two_units(tmp_path)
    summary = summary_of(study)
    assert pooled(summary, "rmse").empty
    assert len(pooled(summary, "psnr")) == len(RUNS)
    assert {len(table) for table in main_tables(summary)} == {len(RUNS)}
    assert [table["dataset"].iloc[0] for table in main_tables(summary)] == ["lu", "motorcycle"]
    tables = run_tabulate(tmp_path / "tables", *study)
    page = tables["markdown"].read_text()
    assert "RMSE: no mean over all images, because the data sets count in different units (cm, px)." in page
    assert "### RMSE [px] ↓ on each image, Lu" in page
    assert "### RMSE [cm] ↓ on each image, Motorcycle" in page
    assert "### PSNR [dB] ↑ on each image\n" in page
    assert r"RMSE [cm] $\downarrow$" in tables["latex"].read_text()


def test_the_summary_speaks_of_each_data_set_where_there_is_no_common_mean(tmp_path):
    tables = run_tabulate(tmp_path / "tables", *two_units(tmp_path))
    page, metrics = tmp_path / "summary.md", tmp_path / "metrics.json"
    summarise(summary=[tables["summary"]], per_image=[tables["csv"]], markdown=page, metrics=metrics)
    text = page.read_text()
    assert "## Guided depth super-resolution, ×8, Lu" in text
    assert "## Guided depth super-resolution, ×8, Motorcycle" in text
    assert "SFIGF: RMSE 2.400 cm in the mean over 1 image (lower is better), place 2 of 7 methods." in text
    assert "| ×8, Motorcycle | RMSE [cm] ↓ | 1 | 3.000 (Guided filter) |" in text
    nested = json.loads(metrics.read_text())["depth"]["x8"]["sfigf"]
    assert nested == {"psnr": 38.2, "rmse-lu": 1.2, "rmse-motorcycle": 2.4}


def test_a_protocol_card_stands_by_the_tables(tmp_path):
    study = two_units(tmp_path)
    page = run_tabulate(tmp_path / "tables", *study)["markdown"].read_text()
    assert "| Protocol `dctnet` |" in page
    assert "| Protocol `jiif` |" in page
    assert page.index("| Protocol `dctnet` |") < page.index("on each image")


def test_published_numbers_stand_beside_ours(tmp_path, root):
    scores, costs, config = two_units(tmp_path)
    outputs = {name: tmp_path / name for name in ("csv", "summary", "markdown", "cost_table", "timing_table")}
    published = root / "config" / "published.csv"
    for path in scores:
        path.write_text(path.read_text().replace(",px,", ",8-bit disparity,"))
    tabulate(task="depth", score=scores, cost=costs, config=config, published=published, **outputs)
    page = outputs["markdown"].read_text()
    assert "| Lu | ×8 | RMSE [8-bit disparity] | Bicubic | 4.541 | 2.000 | -2.541 | 1.200 | -3.341 |" in page
    text = tmp_path / "summary.md"
    files = {"summary": [outputs["summary"]], "per_image": [outputs["csv"]], "metrics": tmp_path / "metrics.json"}
    summarise(**files, markdown=text, config=config, published=published)
    assert "Published numbers: 2 of 52 for these tasks share protocol" in text.read_text()
    with pytest.raises(UserError, match="--published needs --config"):
        summarise(**files, markdown=text, published=published)


def test_what_a_condition_changes_stands_on_its_page(study, tmp_path):
    scores, costs, config = study
    changes = "per_condition: {x8: {train: [sculpture], training: {steps: 9}, protocols: [dctnet]}}, training:"
    config.write_text(CONFIG.replace("training:", changes).replace("{steps: 700}", "{steps: 700, batch_size: 3}"))
    page = run_tabulate(tmp_path / "tables", scores, costs, config)["markdown"].read_text()
    assert "trained on sculpture; tested on motorcycle, cones; every learned method: 9 steps, batch 3; seed 0." in page
    assert "| Protocol `dctnet` |" in page


def many_images(folder, number):
    """Several images of one data set for two methods."""
    scores, costs, config = write_study(folder)
    chosen = [pair for pair in zip(scores, costs, strict=True) if pair[0].stem in ("bicubic-full-0", "sfigf-full-0")]
    for path, _ in chosen:
        method = path.stem.removesuffix("-full-0")
        line = f"depth,x8,middlebury-30,picture-{{}},{method},full,0,{{}},{{}},8-bit disparity,False"
        lines = [line.format(i, metric, 1 + i) for i in range(number) for metric in ("rmse", "mae")]
        path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
    return *([pair[i] for pair in chosen] for i in (0, 1)), config


def test_many_images_stand_in_rows_and_too_many_not_at_all(tmp_path):
    page = run_tabulate(tmp_path / "some", *many_images(tmp_path, 30))["markdown"].read_text()
    assert "| Image | Bicubic | SFIGF |" in page
    assert "| picture-7 | **8.000** | **8.000** |" in page
    assert "MAE on each image: in the table of every score." in page
    assert "### Means on" not in page
    page = run_tabulate(tmp_path / "all", *many_images(tmp_path, 449))["markdown"].read_text()
    assert "449 images: too many for a page" in page
    assert "picture-7" not in page


@pytest.mark.parametrize(
    ("task", "training", "words"),
    [
        ("depth", {}, "weights chosen on nyuv2:validation"),
        ("depth", {"quirks": {"selection": "released"}}, "weights CHOSEN ON THE TEST IMAGES of nyuv2:test"),
        ("focus", {"quirks": "released"}, "weights CHOSEN ON THE TEST IMAGES of nyuv2:test"),
        ("pan", {"quirks": "released"}, "weights chosen on nyuv2:validation"),
        ("raw", {"selection": "none"}, "weights of the last step, chosen on nothing"),
    ],
)
def test_the_page_says_what_weights_were_chosen_on(task, training, words):
    settings = {"validation": ["nyuv2:validation"], "test": ["nyuv2:test", "lu"], "training": training}
    assert words in protocol_line(settings, task, "x4")
