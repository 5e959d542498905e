"""The list of methods: counts are those of the published networks, the page is written from the cards."""

import pytest

from sfigf.catalogue import Entry, catalogue
from sfigf.cli.people import methods
from sfigf.interface import UserError
from sfigf.registry import registered
from sfigf.tables.method_page import in_order, method_list, method_page


@pytest.fixture(scope="module")
def entries():
    # A test's own methods may be registered beside ours.
    ours = {name for name, cls in registered("method").items() if cls.__module__.startswith("sfigf.")}
    return [entry for entry in catalogue() if entry.name in ours]


def test_the_page_is_written_from_the_cards(root, entries):
    page = root / "docs" / "methods.md"
    assert page.read_text(encoding="utf-8") == method_page(entries), "run: sfigf methods --markdown docs/methods.md"


def test_every_method_is_listed_with_its_facts(entries):
    page, text = method_page(entries), method_list(entries)
    for entry in entries:
        assert f"`{entry.name}`" in page
        for fact in (entry.source, entry.proof):
            assert fact in page
            assert fact in text
    assert {(entry.name, entry.task) for entry in entries} == {
        (name, task)
        for name, cls in registered("method").items()
        for task in cls.tasks
        if cls.__module__.startswith("sfigf.")
    }


def test_parameters_are_the_published_ones(entries):
    counted = {(entry.name, entry.task): entry.parameters for entry in entries}
    assert counted["sfigf", "depth"] == 4_912_501
    assert counted["sfigf", "focus"] == 89_779
    assert counted["sid-unet", "raw"] == 7_760_748
    assert counted["ifcnn", "focus"] == 74_179
    assert counted["cu-net", "depth"] == 207_375
    assert counted["exp", "pan"] == 0


def test_multiply_adds_are_counted_or_the_reason_is_given(entries):
    by_name = {(entry.name, entry.task): entry for entry in entries}
    # Three layers of 3x3 at one size, by hand: (5 x 64 + 64 x 64 + 64 x 4) x 9 a pixel.
    assert by_name["dicnn", "pan"].multiply_adds == pytest.approx((5 * 64 + 64 * 64 + 64 * 4) * 9 * 1e6)
    for entry in entries:
        assert (entry.multiply_adds is None) == bool(entry.uncounted)
        assert entry.kind != "classical" or entry.uncounted == "no network"


def test_the_page_says_what_was_published_and_what_is_dead(entries):
    page = method_page(entries)
    section = page.partition('<a id="dctnet"></a>')[2].partition("###")[0]
    assert "`learning_rate: 0.001`" in section
    assert "`edge_weight.dilated`" in section
    assert "`use_guide: false`" in page.partition('<a id="sid-unet"></a>')[2].partition("###")[0]
    assert page.count('<a id="svlrm"></a>') == 1, "a method of several tasks is told once"


def test_what_cannot_be_counted_says_why():
    entry = Entry("own", "depth", "both", "me", "", "Mine.", {}, {}, 12, None, "it needs a file")
    assert "n/a (it needs a file)" in method_list([entry])
    assert "not stated" in method_page([entry])


def test_sfigf_stands_last_and_classical_ones_first(entries):
    depth = [entry.name for entry in in_order(entry for entry in entries if entry.task == "depth")]
    assert depth[0] == "bicubic"
    assert depth[-1] == "sfigf"


def test_the_command_lists_and_writes(capsys, tmp_path):
    methods(task="raw")
    assert "sid-unet" in capsys.readouterr().out
    methods(task="raw", markdown=tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text(encoding="utf-8").startswith("# Methods")
    with pytest.raises(UserError, match="did you mean 'depth'"):
        methods(task="dept")
