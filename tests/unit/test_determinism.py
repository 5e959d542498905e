"""What `strict` sets, and what it says of an operation that it forbids."""

import os

import pytest
import torch

from sfigf.determinism import named, repeatable
from sfigf.interface import UserError


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    monkeypatch.setattr(os, "environ", dict(os.environ))
    backends = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [backends[0].benchmark, backends[0].allow_tf32, backends[1].allow_tf32]
    yield
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = True
    backends[0].benchmark, backends[0].allow_tf32, backends[1].allow_tf32 = before


def test_strict_forbids_and_otherwise_torch_warns():
    repeatable(strict=False)
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.benchmark = True
    repeatable(strict=True)
    assert torch.are_deterministic_algorithms_enabled()
    assert not torch.is_deterministic_algorithms_warn_only_enabled()
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32
    assert not torch.backends.cudnn.benchmark
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"


def test_a_forbidden_operation_is_named_in_one_line():
    repeatable(strict=True)
    said = r"^depth x8: `strict` forbids put_.*, which has no deterministic form"
    with pytest.raises(UserError, match=said) as told, named("depth x8"):
        torch.zeros(3).put_(torch.tensor([1, 1]), torch.ones(2), accumulate=False)
    assert "\n" not in str(told.value)
    with pytest.raises(RuntimeError, match="shapes"), named("depth x8"):
        torch.ones(2, 3) @ torch.ones(2, 3)


def test_the_switch_is_among_the_settings_that_decide_a_result(root, tmp_path):
    from sfigf.plan import runs
    from sfigf.planning import read_study

    (tmp_path / "strict.yaml").write_text("strict: true\n")
    loose, strict = (
        {run.path: run.digest for run in runs(read_study([root / "config/default.yaml", *more]))}
        for more in ([], [tmp_path / "strict.yaml"])
    )
    assert loose.keys() == strict.keys()
    learned = {run.path for run in runs(read_study([root / "config/default.yaml"])) if run.learned}
    assert {path for path in loose if loose[path] != strict[path]} == learned
