"""Pictures of two depths for the multi-focus miniatures: the left half near, the right half far."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

SIZE = (160, 128)  # width, height


def sharp_picture(seed: int, size: tuple[int, int] = SIZE) -> Image.Image:
    """Coloured blocks and fine grain; another seed, another picture."""
    rng = np.random.default_rng(seed)
    blocks = rng.integers(30, 200, (size[1] // 16 + 1, size[0] // 16 + 1, 3)).repeat(16, 0).repeat(16, 1)
    grain = rng.integers(0, 56, (size[1], size[0], 3))
    return Image.fromarray((blocks[: size[1], : size[0]] + grain).astype(np.uint8))


def blurred(picture: Image.Image, half: str) -> Image.Image:
    """The picture with its ``left`` or ``right`` half out of focus."""
    width, height = picture.size
    box = (0, 0, width // 2, height) if half == "left" else (width // 2, 0, width, height)
    out = picture.copy()
    out.paste(picture.filter(ImageFilter.GaussianBlur(2.5)).crop(box), box)
    return out


def save_pair(first: Path, second: Path, sharp: Path | None = None, seed: int = 0, mode: str = "RGB") -> None:
    """Write the picture sharp on the left, the one sharp on the right, and the one sharp all over."""
    picture = sharp_picture(seed).convert(mode)
    pictures = {first: blurred(picture, "right"), second: blurred(picture, "left")}
    for path, content in (pictures | ({sharp: picture} if sharp else {})).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        content.save(path, quality=95) if path.suffix == ".jpg" else content.save(path)
