"""The field's sets in miniature, and the cards of a copied house cut down to them."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import yaml

from sfigf.cards import load_card
from sfigf.registry import lookup
from tests.miniature import lu, lytro, mcr, mffw, nyuv2, pancollection, real_mff, rgbdd, sid

WRITERS: dict[str, Any] = {
    "lu": functools.partial(lu.write, count=5),  # six would be held against the numbers of the real six
    "lytro": lytro.write,
    "mcr-disjoint": mcr.write,
    "mffw": mffw.write,
    "nyuv2": nyuv2.write,
    "real-mff": real_mff.write,
    "rgbdd": rgbdd.write,
    "sid": sid.write,
    "wv3": pancollection.write,
}
MOST = 3


def furnish(house: Path, own: Path) -> None:
    """Write every miniature below ``own`` and cut the cards of ``house`` down to what is there.

    What a card knows of the real files goes (numbers, digests, sizes of pictures); its layout, keys, names and parts
    stay. Of each part the first ``MOST`` scenes that exist are kept.
    """
    cards = house / "config" / "datasets"
    for name, write in WRITERS.items():
        write(own / load_card(cards / f"{name}.yaml").get.folder)
    for path in cards.glob("*.yaml"):
        card = yaml.safe_load(path.read_text(encoding="utf-8"))
        if "get" in card and (own / card["get"]["folder"]).is_dir():
            _cut(path, card, own / card["get"]["folder"])


def _cut(path: Path, card: dict[str, Any], folder: Path) -> None:
    card.pop("expect", None)
    card["get"].pop("address", None)
    for member in card["members"].values():
        member.pop("sha256", None)
        if "pattern" in member:
            member["count"] = len(list((folder / member["path"]).glob(member["pattern"])))
    if "parts" in card:
        files = {role: folder / member["path"] for role, member in card["members"].items()}
        there = {scene.name for scene in lookup("dataset", card["name"])().read(files)}
        for split in card["parts"].values():
            names = [line.partition("#")[0].strip() for line in (path.parent / split).read_text().splitlines()]
            kept = [name for name in names if name in there][:MOST]
            (path.parent / split).write_text("\n".join(kept) + "\n", encoding="utf-8")
    path.write_text(yaml.safe_dump(card, allow_unicode=True), encoding="utf-8")
