"""Training steps: a batch of patches forward and backward, the gradient clipped, the optimiser's step."""

from __future__ import annotations

from typing import Any

from benchmarks import forms, scene
from benchmarks.alone import Calls, Form, side_by_side
from benchmarks.forms import BFLOAT16, OURS, PLAIN, PYTORCH
from benchmarks.section import Section
from benchmarks.sizes import Sizes

COMPARED = (PLAIN, PYTORCH, OURS)


def measure(sizes: Sizes) -> dict[str, Section]:
    """One section per network."""
    sections = {}
    for width, levels, batch in sizes.training:
        rows = {
            form: Form(
                make, (form, width, levels, batch, sizes.patch_px), forms.hidden(form), threads=sizes.training_threads
            )
            for form in COMPARED
        }
        sections[f"training-{width}"] = Section(
            title=f"Training, width {width}",
            text=f"Depth, {levels} levels, batches of {batch} patches of {sizes.patch_px} x {sizes.patch_px}, float32, "
            f"L1 loss, AdamW; CPU threads: {sizes.training_threads}.",
            rows=side_by_side(rows, sizes),
            measures={"step": "steps"},
            baseline=PLAIN,
            rate=True,
        )
    return sections


def make(
    form: str, width: int, levels: int, batch: int, side: int, device: str = "cpu", compiled: bool = False
) -> Calls:
    """Build the call ``step``; bfloat16 is by autocast, as the study trains on CUDA."""
    import torch

    from sfigf.config import Training
    from sfigf.losses import masked_loss
    from sfigf.optimizers import make_optimizer

    settings = Training(
        steps=1, batch_size=batch, patch_px=side, learning_rate=1e-4, weight_decay=1e-4, validate_every_steps=1
    )
    network: Any = forms.network(form.removesuffix(BFLOAT16), width=width, levels=levels).train().to(device)
    optimizer = make_optimizer(network, settings)
    run = torch.compile(network) if compiled else network
    target, guide = (image.expand(batch, -1, -1, -1).contiguous().to(device) for image in scene.whole(side))
    truth, valid = target + 0.1 * (guide[:, :1] - 0.5), torch.ones_like(target)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, torch.bfloat16, enabled=form.endswith(BFLOAT16)):
            restored = run(target, guide)
        masked_loss(restored.float(), truth, valid, settings.loss).backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_clip)
        optimizer.step()

    step()  # compiles what is to be compiled
    return {"step": step}
