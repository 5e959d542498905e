"""The released code's key names (Xinyil256/SFIGF@3600cd0) in our network's words."""

from __future__ import annotations

import contextlib
import itertools
import re

from sfigf.interface import UserError

# What no released forward reads; total_ops and total_params are left behind by an operation counter.
_DEAD = re.compile(r"guide\d\.conv_b\.|(.*\.)?total_(ops|params)$")
_DEAD_PAN = re.compile(r"sca\.")

# {} takes the level's number minus one; level 1 often has no number.
_STEM_AND_HEAD = {
    r"smfe\.init_rgb\.0": "fusion.stem.target",
    r"smfe\.init_mono\.0": "fusion.stem.guide",
    r"smfe\.init_rgb_mono\.0": "fusion.stem.joint",
    r"guide(\d)": "fusion.filters.{}",
    r"ca_out": "fusion.head.gate",
    r"out": "fusion.head.out",
}
_ONE_WAY = {
    r"smfe\.encoder\.naf_inp(\d?)": "fusion.encoder.coupled.{}.target",
    r"smfe\.encoder\.naf_guide(\d?)": "fusion.encoder.coupled.{}.guide",
    r"guide_a": "fusion.image_filter.a",
    r"guide_b": "fusion.image_filter.b",
}
_TWO_WAYS = {
    r"smfe\.encoder\.naf_inp": "fusion.coupled.target",
    r"smfe\.encoder\.naf_guide": "fusion.coupled.guide",
    r"guide_a(\d?)": "fusion.image_filters.{}.a",
    r"guide_b(\d?)": "fusion.image_filters.{}.b",
    r"guide_res(\d?)": "fusion.tails.{}",
}
_PYRAMID = {
    r"smfe\.encoder\.downsample_i(\d)": "fusion.encoder.down_target.{}",
    r"smfe\.encoder\.downsample_g(\d)": "fusion.encoder.down_guide.{}",
    r"smfe\.encoder\.downsample_ig(\d)": "fusion.encoder.down_joint.{}",
    r"sca(\d?)\.1": "fusion.decoder.gates.{}.mix",
} | {rf"upsample{k}": f"fusion.decoder.ups.{k - 2}" for k in range(2, 9)}
_MONO = {
    r"ca(\d?)": "fusion.decoder.gates.{}",
    r"guide_res": "fusion.tail",
    **{rf"smfe\.encoder\.igconv{k}": f"fusion.encoder.down_joint.{k - 2}" for k in range(2, 9)},
    **{rf"dbf\.DBF_conv{k}": f"debayer.down.{k - 1}" for k in range(1, 6)},
    **{rf"dbf\.DBF_conv{k}": f"debayer.merge.{k - 6}" for k in range(6, 10)},
    **{rf"dbf\.DBF_upv{k}": f"debayer.up.{k - 5}" for k in range(5, 9)},
    r"dbf\.DBF_out": "debayer.out.0",
}
_PARTS = {
    "depth": _STEM_AND_HEAD | _ONE_WAY | _PYRAMID,
    "pan": _STEM_AND_HEAD | _ONE_WAY,
    "focus": _STEM_AND_HEAD | _TWO_WAYS,
    "raw-red": _STEM_AND_HEAD | _ONE_WAY | _PYRAMID,
    "raw-mono": _STEM_AND_HEAD | _ONE_WAY | _PYRAMID | _MONO,
}

_GATE = {"conv_du": "channel", "conv_spa": "pixel"}
_DEBAYER = {"Conv1.0": "0", "Conv1": "0", "Conv2.0": "2", "Conv2": "2"}
_NAF = {
    "conv1": "expand",
    "conv2": "spread",
    "sca.1": "gate.mix",
    "conv3": "project",
    "conv4": "expand2",
    "conv5": "project2",
}
_FILTER = {
    "conv_a": "mix",
    "norm_inp": "norm_a",
    "norm_inp2": "norm_b",
    "norm1": "norm_c",
    "norm2": "norm_d",
    "attn_inp.qkv": "attend_self.query_key_value",
    "attn_inp.proj": "attend_self.project",
    "attn_inp.rpb": "attend_self.bias",
    "attn.q": "attend.mix.query",
    "attn.kv": "attend.mix.key_value",
    "attn.proj": "attend.mix.project",
    "attn.rpb": "attend.mix.bias",
    "mlp_inp.fc1": "mlp_a.0",
    "mlp_inp.fc2": "mlp_a.2",
    "mlp.fc1": "mlp_b.0",
    "mlp.fc2": "mlp_b.2",
}


def our_name(released: str, variant: str) -> str | None:
    """Translate a released key (without ``module.``) to ours; None if no forward reads it.

    Raises:
        UserError: If the variant has no such part.
    """
    if _DEAD.match(released) or (variant == "pan" and _DEAD_PAN.match(released)):
        return None
    for pattern, ours in _PARTS[variant].items():
        match = re.match(rf"{pattern}(?=\.)", released)
        if match:
            part = ours.format(*(int(level or 1) - 1 for level in match.groups()))
            return part + _inside(part, released[match.end() :])
    raise UserError(f"key '{released}' belongs to no part of the {variant} network")


def _inside(part: str, rest: str) -> str:
    """Translate the words behind a part's name; ``rest`` begins with a dot."""
    if "coupled" in part:
        rest = re.sub(r"^\.2\.", ".block.", re.sub(r"^\.0\.", ".mix.", rest))
    words = {"gate": _GATE, "filters": _FILTER, "coupled": _NAF, "debayer": _DEBAYER}
    table = next((table for word, table in words.items() if word in part), {})
    for theirs, ours in table.items():
        rest, found = re.subn(rf"\.{re.escape(theirs)}(?=\.|$)", f".{ours}", rest, count=1)
        if found:
            break
    return rest


def released_name(ours: str, variant: str) -> str:
    """Translate back; the tables are read the other way, and ``our_name`` is the proof. Ours if there is none."""
    tables = (_FILTER, _NAF, _GATE, _DEBAYER)
    words = [(key, word) for table in tables for key, word in reversed(table.items())]
    for pattern, part in reversed(_PARTS[variant].items()):
        found = re.match(re.escape(part).replace(r"\{\}", r"(\d+)") + r"(?=\.)", ours)
        if not found:
            continue
        rest = ours[found.end() :]
        if "coupled" in part:
            rest = re.sub(r"^\.block\.", ".2.", re.sub(r"^\.mix\.", ".0.", rest))
        insides = [rest.replace(f".{word}", f".{key}", 1) for key, word in words if f".{word}" in rest]
        digits = [str(int(level) + 1) for level in found.groups()]
        for digit, inside in itertools.product(["", *digits], [*insides, rest]):
            key = re.sub(r"\(\\d\??\)", digit, pattern).replace("\\", "") + inside
            with contextlib.suppress(UserError):
                if our_name(key, variant) == ours:
                    return key
    return ours
