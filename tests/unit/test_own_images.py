"""Images of people's own: restored in their own units, or refused in one line."""

import numpy as np
import pytest

from sfigf.interface import UserError
from sfigf.own import restore
from tests.unit.tiny_training import job, run


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    return run(tmp_path_factory.mktemp("w"), job(), "w")


def test_depth_comes_back_in_the_units_it_came_in(weights):
    rng = np.random.default_rng(0)
    coarse = (1000 + 500 * rng.random((1, 8, 10))).astype(np.uint16)
    guide = rng.integers(0, 255, (3, 32, 40)).astype(np.uint8)
    restored = restore("depth", coarse, guide, weights, device="cpu")
    assert restored.shape == (1, 32, 40)
    again = restore("depth", coarse.astype(np.float32) * 2, guide, weights, device="cpu")
    assert np.allclose(again, 2 * restored, rtol=1e-4)


@pytest.mark.parametrize(
    ("target", "guide", "says"),
    [
        (np.zeros((1, 8, 10)), np.zeros((3, 33, 40)), "40x33 px and the target 10x8 px"),
        (np.full((1, 8, 8), np.nan), np.zeros((3, 32, 32)), "64 values of the target are NaN"),
        (np.zeros((2, 8, 8)), np.zeros((3, 32, 32)), "one band, this has 2"),
        (np.zeros((1, 8, 8)), np.full((3, 32, 32), np.inf), "guide are NaN or infinite"),
    ],
)
def test_what_cannot_be_restored_is_named(weights, target, guide, says):
    with pytest.raises(UserError, match=says):
        restore("depth", target.astype(np.float32), guide.astype(np.float32), weights, device="cpu")
