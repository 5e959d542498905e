"""What was to be reached, from the project's brief, and what was: one row per target."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from benchmarks.cuda import COMPILED, EAGER
from benchmarks.forms import BFLOAT16, OURS, PLAIN, PYTORCH
from benchmarks.section import Section, markdown

Sections = Mapping[str, Section]


class Target(NamedTuple):
    """A number to reach.

    Attributes:
        name: Of what.
        must: At least, or at most; None where only an aim was set.
        aim: What would be better.
        reached: None where it was not measured.
        unit: Behind each number; ``%`` turns shares into percent.
        most: Whether smaller is better.
    """

    name: str
    must: float | None
    aim: float
    reached: float | None
    unit: str = "x"
    most: bool = False

    def met(self, bound: float | None) -> bool:
        """Whether a bound was kept."""
        if self.reached is None or bound is None:
            return self.reached is not None
        return self.reached <= bound if self.most else self.reached >= bound

    @property
    def verdict(self) -> str:
        """In a word or two."""
        if self.reached is None:
            return "not measured"
        if self.met(self.aim):
            return "yes, and the aim"
        return "not the aim" if self.must is None else "yes" if self.met(self.must) else "**no**"

    def shown(self, value: float | None, sign: str = "") -> str:
        """A number with its unit."""
        if value is None:
            return ""
        return f"{sign}{value * 100:.3g} %" if self.unit == "%" else f"{sign}{value:.3g}{self.unit}"


def table(targets: list[Target]) -> str:
    """All targets in Markdown."""
    heads = ["", "must", "aim", "reached", "met"]
    return markdown(heads, [_line(target) for target in targets])


def _line(target: Target) -> list[str]:
    sign = "≤ " if target.most else ""
    bounds = [target.shown(bound, sign) for bound in (target.must, target.aim)]
    return [target.name, *bounds, target.shown(target.reached), target.verdict]


def targets(sections: Sections) -> list[Target]:
    """Every target that this machine can be held to."""
    return [*_speed(sections), *_backward(sections), *_size(sections), *_cuda(sections)]


def _speed(sections: Sections) -> Iterator[Target]:
    if "network-forward" in sections:
        forward = sections["network-forward"]
        yield Target("network forward, float32, against the plain form", 5, 14, forward.times(OURS, "forward"))
        yield Target("network forward, bfloat16", 8, 20, forward.times(OURS + BFLOAT16, "forward"))
        yield Target("network forward, PyTorch only", 3, 4, forward.times(PYTORCH, "forward"))


def _backward(sections: Sections) -> Iterator[Target]:
    for name, section in sections.items():
        if name.startswith("network-both-"):
            side = name.rpartition("-")[2]
            where = f"network forward and backward, {side} x {side}"
            yield Target(f"{where}, against the plain form", 3, 6, section.times(OURS, "both"))
            yield Target(f"{where}: times less memory", None, 5, section.ratio(PLAIN, OURS, "both_peak"))


def _size(sections: Sections) -> Iterator[Target]:
    if "size" not in sections:
        return
    section = sections["size"]
    whole, tiled = (sides(section, key) for key in ("whole_kb_per_pixel", "tiled_ms_per_mp"))
    if whole:
        last = section.rows[whole[-1]]["whole_kb_per_pixel"]
        yield Target(f"memory of {whole[-1]} pixels, whole", 3.5, 1.5, last, " kB per pixel", True)
    if len(whole) > 1:
        growth = section.ratio(whole[-1], whole[-2], "whole_kb_per_pixel")
        yield Target(f"the same per pixel, {whole[-1]} over {whole[-2]}: linear", 1.1, 1.1, growth, most=True)
    base = base_of(tiled)
    if base:
        growth = section.ratio(tiled[-1], base, "tiled_ms_per_mp")
        yield Target(f"tiled, time per pixel, {tiled[-1]} over {base}", 1.3, 1.1, growth, most=True)
        growth = section.ratio(tiled[-1], base, "tiled_peak")
        yield Target(f"tiled, memory, {tiled[-1]} over {base}: set by the tile", 1.3, 1.1, growth, most=True)


def sides(section: Section, key: str) -> list[str]:
    """The sizes for which there is such a number."""
    return [side for side, row in section.rows.items() if key in row]


def base_of(tiled: list[str]) -> str | None:
    """The size that larger ones are compared with: 1024 where larger ones are there."""
    wanted = "1024 x 1024"
    if len(tiled) < 2:
        return None
    return wanted if wanted in tiled[:-1] else tiled[-2]


def _cuda(sections: Sections) -> Iterator[Target]:
    if "cuda-attention-forward" in sections:
        rows = sections["cuda-attention-forward"].rows
        for dtype, label in (("", "float32"), (BFLOAT16, "bfloat16")):
            share = rows.get(OURS + dtype, {}).get("share")
            yield Target(f"CUDA: attention alone, {label}, share of the bandwidth", 0.3, 0.6, share, "%")
    if "cuda-training" in sections:
        training = sections["cuda-training"]
        found = [training.times(form, "step") for form in ("bfloat16", "bfloat16" + COMPILED)]
        best = max((times for times in found if times is not None), default=None)
        yield Target(f"CUDA: training step, bfloat16 against {EAGER} eager", 2, 4, best)
