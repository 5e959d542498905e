"""The benchmarks measure what they say, and the page says only what was measured. No times are held to anything."""

import dataclasses
import itertools
import json

import pytest
import torch

from benchmarks import __main__ as command
from benchmarks import attention, cuda, forms, gauge, network, scene, size, training
from benchmarks.alone import Form, side_by_side
from benchmarks.forms import BFLOAT16, OURS, PLAIN, PYTORCH, UNFOLD
from benchmarks.page import Record, opening, page
from benchmarks.section import Section
from benchmarks.sizes import LEAST, QUICK, WHOLE, Features
from benchmarks.targets import Target, targets
from benchmarks.unfold import unfold_attention
from sfigf.nets.attention.reference import gathered_attention
from sfigf.regions import Region

MB = 2**20


@pytest.fixture(autouse=True)
def _our_attention():
    yield
    forms.use(OURS)


@pytest.mark.parametrize(("height", "width", "kernel", "dilation"), [(21, 26, 7, 3), (5, 8, 5, 1), (9, 6, 3, 2)])
def test_the_unfold_form_is_equal(height, width, kernel, dilation):
    rng = torch.Generator().manual_seed(1)
    query, key, value = torch.randn(3, 2, 2, 3, height, width, generator=rng, dtype=torch.float64)
    bias = torch.randn(2, 2 * kernel - 1, 2 * kernel - 1, generator=rng, dtype=torch.float64)
    for table in (bias, None):
        exact = gathered_attention(query, key, value, table, kernel=kernel, dilation=dilation)
        plain = unfold_attention(query, key, value, table, kernel=kernel, dilation=dilation)
        torch.testing.assert_close(plain, exact, atol=1e-12, rtol=0)


def test_the_page_in_the_repository_is_the_one_of_its_record(root):
    assert page([Record.read(root / "benchmarks/record.json")]) == (root / "docs/performance.md").read_text()


@pytest.mark.parametrize("name", ["forward", "both"])
@pytest.mark.parametrize(("form", "error"), [(UNFOLD, 1e-5), (OURS, 1e-5), (OURS + BFLOAT16, 0.1)])
def test_every_form_of_the_attention_says_its_error(form, name, error):
    calls = attention.make(form, LEAST.attention, name)
    assert len(calls[name]()) == {"forward": 1, "both": 4}[name]
    assert 0 < calls["facts"]()["error"] < error


@pytest.mark.parametrize(("form", "error"), [(OURS, 1e-4), (OURS + BFLOAT16, 0.2)])
def test_the_network_says_its_error(form, error):
    calls = network.make(form, LEAST.network_px, "forward", LEAST.width)
    facts = calls["facts"]()
    assert calls["forward"]().shape == (1, 1, 32, 32)
    assert 0 < facts["rmse"] <= facts["largest"] < error


def test_the_plain_network_computes_its_attention_plainly():
    network.make(PLAIN, 32, "both", LEAST.width)["both"]()
    assert forms.attention(PLAIN) is gathered_attention
    from sfigf.nets.attention import module

    assert module.neighbourhood_attention is gathered_attention


def test_a_training_step_changes_weights(monkeypatch):
    built = []
    build = forms.network
    monkeypatch.setattr(forms, "network", lambda *args, **changes: built.append(build(*args, **changes)) or built[0])
    calls = training.make(OURS, 4, 2, 1, 32)
    before = [parameter.clone() for parameter in built[0].parameters()]
    calls["step"]()
    assert any(not torch.equal(old, new) for old, new in zip(before, built[0].parameters(), strict=True))


def test_a_scene_read_in_parts_is_the_whole_scene():
    target, guide = scene.whole(40)
    part = Region(7, 11, 30, 40)
    for image, cut in zip((target, guide), scene.read(part), strict=True):
        torch.testing.assert_close(cut, part.of(image), atol=0, rtol=0)
    assert target.min() >= 0
    assert guide.max() <= 1
    assert guide.std() > 0.1


def test_tiled_counts_every_pixel_once():
    built = forms.network(OURS, width=4)
    whole = network.forward(built, scene.whole(80)).double().sum()
    assert size.tiled(built, 80, 64) == pytest.approx(float(whole), rel=1e-3)


def make_waste(megabytes):
    return {"waste": lambda: torch.ones(megabytes * MB, dtype=torch.uint8), "facts": lambda: {"wanted": megabytes}}


def make_failure():
    raise OSError("no such thing\nand more")


def make_late_failure():
    return {"waste": make_failure}


def make_hidden_import():
    import numba

    return {"waste": numba.__name__}


def test_every_form_has_its_own_peak_and_failures_become_rows():
    wanted = {
        "small": Form(make_waste, (20,)),
        "large": Form(make_waste, (200,)),
        "unbuilt": Form(make_failure, ()),
        "late": Form(make_late_failure, ()),
        "hidden": Form(make_hidden_import, (), hidden=("numba",)),
    }
    rows = side_by_side(wanted, LEAST)
    for name, megabytes in (("small", 20), ("large", 200)):
        assert rows[name]["waste_peak"] == pytest.approx(megabytes * MB / 1e6, rel=0.2)
        assert rows[name]["waste"] > 0
    assert rows["small"]["wanted"] == 20
    assert rows["unbuilt"] == {"failed": "OSError: no such thing"}
    assert rows["late"] == {"waste_failed": "OSError: no such thing"}
    assert "ModuleNotFoundError" in rows["hidden"]["failed"]


def test_the_gauge_counts_seconds_per_call():
    counted = []
    assert gauge.seconds_of(lambda: counted.append(1), "cpu") < gauge.LEAST_SECONDS
    assert len(counted) == 101


def numbers():
    """Sections with numbers that are easy to follow."""
    speed = {
        PLAIN: {"forward": 2.0, "forward_peak": 500.0, "rmse": 1e-7, "largest": 1e-6},
        OURS: {"forward": 0.2, "forward_peak": 100.0, "rmse": 1e-7, "largest": 1e-6},
        PYTORCH: {"forward_failed": "RuntimeError: out | of reach"},
        OURS + BFLOAT16: {"forward": 0.1, "forward_peak": 60.0, "rmse": 3e-3, "largest": 1e-2},
    }
    grown = {
        "512 x 512": {"whole_kb_per_pixel": 1.2, "tiled_ms_per_mp": 900.0, "tiled_peak": 300.0},
        "1024 x 1024": {"whole_kb_per_pixel": 1.2, "tiled_ms_per_mp": 1000.0, "tiled_peak": 400.0},
        "4096 x 4096": {"tiled_ms_per_mp": 1200.0, "tiled_peak": 410.0},
    }
    return {
        "network-forward": Section(
            "Network", "Text.", speed, {"forward": "forward"}, network.FACTS, PLAIN, date="2026-01-02"
        ),
        "size": Section("Size", "Text.", grown, facts=size.FACTS, first="pixels", date="2026-01-01"),
    }


def test_targets_are_held_against_the_right_rows():
    found = {target.name: target for target in targets(numbers())}
    fast = found["network forward, float32, against the plain form"]
    assert (fast.reached, fast.verdict) == (10.0, "yes")
    assert found["network forward, bfloat16"].verdict == "yes, and the aim"
    assert found["network forward, PyTorch only"].verdict == "not measured"
    assert found["memory of 1024 x 1024 pixels, whole"].verdict == "yes, and the aim"
    assert found["tiled, time per pixel, 4096 x 4096 over 1024 x 1024"].reached == 1.2
    assert Target("slow", 1.3, 1.1, 1.4, most=True).verdict == "**no**"
    assert Target("no must", None, 5, 4.0).verdict == "not the aim"


def test_the_page_is_made_of_the_record_alone(tmp_path):
    record = Record({"processor": "A processor", "CUDA device": "none"}, numbers())
    record.write(tmp_path / "made" / "record.json")
    text = page([record])
    assert page([Record.read(tmp_path / "made" / "record.json")]) == text
    assert "**10 times** as fast as its plain form and needs 20 % of its memory" in text
    assert "| ours | 200 | 10 | 100 | 1.0e-07 | 1.0e-06 |" in text
    assert "RuntimeError: out \\| of reach" in text
    assert "2026-01-01 to 2026-01-02" in text
    assert "No CUDA device on this machine" in text
    table = [line.replace("\\|", "") for line in text.splitlines() if line.startswith("|")]
    for head, line in itertools.pairwise(table):
        if set(line) <= set("| -"):
            assert head.count("|") == line.count("|")


@pytest.mark.parametrize("switches", [(False, False), (True, False), (False, True), (True, True)])
def test_the_switches_of_cuda_change_nothing_but_the_rounding(switches):
    calls = cuda.make_network(OURS, 32, LEAST.width, False, *switches, device="cpu")
    assert 0 < calls["facts"]()["largest"] < (0.2 if switches[1] else 1e-4)
    assert calls["forward"]().shape == (1, 1, 32, 32)


def test_the_share_of_the_bandwidth_counts_every_feature_once():
    rows = {OURS: {"forward": 2.0}, OURS + BFLOAT16: {"forward": 2.0}, cuda.COPY: {"forward": 1.0}}
    cuda.add_shares(rows, Features(1, 2, 4, 2**13, 2**13))  # 2^31 bytes of query in float32
    assert rows[cuda.COPY]["gb_per_second"] == pytest.approx(2 * cuda.COPY_BYTES / 1e9)
    assert rows[OURS]["share"] == pytest.approx(2 * rows[OURS + BFLOAT16]["share"])
    assert rows[OURS]["share"] == pytest.approx(4 * 2**31 / 2 / (2 * cuda.COPY_BYTES))


def test_an_empty_run_says_nothing_it_does_not_know():
    assert list(opening([Record({}, {})])) == []
    assert targets({}) == []


def test_the_command_draws_from_records(tmp_path):
    Record({"processor": "A", "CUDA device": "none"}, numbers()).write(tmp_path / "a.json")
    command.main(["--only", "none", "--earlier", str(tmp_path / "a.json"), "--output", str(tmp_path / "page.md")])
    assert (tmp_path / "page.md").read_text().startswith("# Performance\n\nOn a CPU our depth network")
    with pytest.raises(SystemExit, match="--only speed: there is attention"):
        command.main(["--only", "speed"])


def test_the_command_measures_and_keeps_what_it_did_not_measure(tmp_path, monkeypatch):
    def measured(sizes):
        return {"size": Section("Size", f"up to {max(sizes.tiled_px)}", {})}

    monkeypatch.setitem(command.GROUPS, "size", measured)
    monkeypatch.setattr(command.machine, "describe", lambda: {"processor": "A", "CUDA device": "none"})
    Record({"processor": "A", "CUDA device": "none"}, numbers()).write(tmp_path / "a.json")
    options = ["--only", "size", "--largest", "2048", "--record", str(tmp_path / "a.json")]
    command.main([*options, "--output", str(tmp_path / "page.md")])
    kept = json.loads((tmp_path / "a.json").read_text())
    assert list(kept["sections"]) == ["network-forward", "size"]
    assert kept["sections"]["size"]["text"] == "up to 2048"
    assert kept["sections"]["size"]["command"].startswith("python -m benchmarks --only size --largest 2048")
    assert "up to 2048" in (tmp_path / "page.md").read_text()


def test_sizes_are_cut_and_everything_tiled_has_more_than_one_tile():
    assert WHOLE.up_to(1024).tiled_px[-1] == 1024
    assert dataclasses.replace(Features(1, 2, 3, 4, 5), width=4) == Features(1, 2, 3, 4, 5).square(4)
    for sizes in (WHOLE, QUICK, LEAST):
        assert max(sizes.tiled_px) > sizes.tile


def test_the_machine_is_described_without_its_name():
    import platform

    facts = command.machine.describe()
    assert facts["torch"] == torch.__version__
    assert platform.node() not in " ".join(facts.values()).split()
