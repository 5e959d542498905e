"""Planning a study does the expensive work once for each distinct thing, and not for each job."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.workflow.house import House

pytestmark = pytest.mark.slow
COUNTED = {
    "sfigf.codedigest": ["code_digest"],
    "sfigf.config": ["method_of", "load_settings"],
    "sfigf.cards": ["load_card"],
    "sfigf.files": ["sha256_of"],
    "sfigf.small_files": ["read_yaml"],
}
COUNTING = """
import atexit, collections, importlib, json, os
CALLS = collections.Counter()
def counted(name, function):
    def call(*words, **options):
        CALLS[name] += 1
        return function(*words, **options)
    return call
if os.environ.get("COUNT_INTO"):
    for name, functions in json.loads(os.environ["COUNTED"]).items():
        module = importlib.import_module(name)
        for function in functions:
            setattr(module, function, counted(function, getattr(module, function)))
    atexit.register(lambda: open(os.environ["COUNT_INTO"], "w").write(json.dumps(CALLS)))
"""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house whose Python counts calls of ours."""
    house = House.build(tmp_path_factory.mktemp("planning") / "house")
    (house.folder / "sitecustomize.py").write_text(COUNTING)
    return house


def calls(house: House, seeds: int) -> tuple[int, dict[str, int]]:
    """Jobs of a study of so many seeds, and how often the expensive functions were called to plan it."""
    book = house.folder / "calls.json"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COUNT_INTO", str(book))
        patch.setenv("COUNTED", json.dumps(COUNTED))
        settings = json.dumps([*range(seeds)])
        jobs = house.planned("--cores", "1", "--configfile", "config/smoke.yaml", "--config", f"seeds={settings}")
    return sum(jobs.values()), _read(book)


def _read(book: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(book.read_text())
    return found


def test_more_jobs_of_the_same_kind_cost_no_more_digests(house: House) -> None:
    (few_jobs, few), (many_jobs, many) = calls(house, 1), calls(house, 12)
    assert many_jobs > 2 * few_jobs
    assert few.keys() == {name for names in COUNTED.values() for name in names}
    assert many == few
