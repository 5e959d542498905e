"""The house holds: dependencies point one way, the front door opens quickly, files stay small."""

import ast
import subprocess
import sys

import pytest

# From the ground up. A module knows those on lower lines only, functions that import late included.
LAYERS = [
    {"interface"},
    {"files", "registry", "progress", "codedigest", "transfer", "regions", "small_files", "devices"}
    | {"environment", "mirrors", "determinism", "parallel"}
    | {"windows", "augment", "averaging", "stopping", "leash"},
    {"store", "sections", "images", "checkpoint", "weights", "published", "patches", "cards", "degrade", "nets"},
    {"protocols", "datasets", "fetch", "audit", "tasks", "render", "metrics", "methods", "encoding"}
    | {"training_settings", "released"},
    {"robustness"},
    {"config", "catalogue", "calibration", "collect", "inference", "losses", "schedules", "selection"}
    | {"degrading", "score", "export", "optimizers"},
    {"loading"},
    {"trainer"},
    {"plan", "train", "restoring", "own", "tables"},
    {"costs", "status", "training_code"},
    {"planning", "records", "timing", "figures", "readme", "publishing"},
    {"explain", "slices", "report"},
    {"cli"},
]
HEAVY = (
    "torch", "numba", "pandas", "scipy", "skimage", "matplotlib", "seaborn", "rasterio", "embreex", "h5py", "rawpy",
    "tifffile", "PIL",
)  # fmt: skip


def modules(root):
    return {path: ast.parse(path.read_text()) for path in sorted((root / "sfigf").rglob("*.py"))}


def part_of(path, root):
    """First name below the package: ``degrade`` for ``sfigf/degrade/raw.py``."""
    return path.relative_to(root / "sfigf").with_suffix("").parts[0]


def level(name):
    return next((i for i, layer in enumerate(LAYERS) if name in layer), None)


def imported(tree):
    """First names of our modules that a file imports, anywhere in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "sfigf":
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sfigf."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (alias.name.split(".")[1] for alias in node.names if alias.name.startswith("sfigf."))


def test_every_module_stands_on_one_line_of_the_table(root):
    parts = {part_of(path, root) for path in modules(root)} - {"__init__", "__main__"}
    assert parts == set().union(*LAYERS)
    assert sum(map(len, LAYERS)) == len(parts)


def test_dependencies_point_one_way(root):
    for path, tree in modules(root).items():
        own = part_of(path, root)
        for name in set(imported(tree)) - {own, "__version__"}:
            assert own == "__main__" or level(name) < level(own), f"{path} imports sfigf.{name}: arrows point down only"


def test_the_package_knows_neither_snakemake_nor_dvc(root):
    for path, tree in modules(root).items():
        for node in ast.walk(tree):
            names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            assert not any(name.split(".")[0] in ("snakemake", "dvc") for name in names), path


def test_files_and_functions_stay_small(root):
    for path, tree in modules(root).items():
        assert len(path.read_text().splitlines()) <= 300, path
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef):
                assert node.end_lineno - node.lineno < 60, f"{path}: {node.name}"


@pytest.mark.parametrize("statement", ["import sfigf.cli", "import sfigf.plan, sfigf.methods, sfigf.metrics"])
def test_the_front_door_loads_nothing_heavy(statement):
    code = f"{statement}\nimport sys; print(' '.join(m for m in {HEAVY} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
