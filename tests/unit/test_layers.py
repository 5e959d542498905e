"""The house holds: dependencies point one way, the front door opens quickly, files stay small."""

import ast
import subprocess
import sys

import pytest

LAYERS = [
    {"interface"},
    {"files", "registry"},
    {"store", "tasks"},
    {"config"},
    {"plan", "codedigest"},
    {"degrade", "metrics", "nets", "tiles", "images"},
    {"datasets", "methods", "render", "cards", "fetch"},
    {"progress", "checkpoint", "weights", "patches", "degrading", "audit", "inference"},
    {"train", "restoring", "own", "score", "released"},
    {"tables", "figures"},
    {"cli"},
]
HEAVY = ("torch", "numba", "pandas", "scipy", "skimage", "matplotlib", "seaborn", "rasterio", "trimesh", "embreex")


def modules(root):
    return {path: ast.parse(path.read_text()) for path in sorted((root / "sfigf").rglob("*.py"))}


def level(name):
    return next((i for i, layer in enumerate(LAYERS) if name in layer), None)


def imported_at_import_time(tree):
    """Our modules imported at module level (lazy imports inside functions may point anywhere below the top)."""
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("sfigf."):
            yield node.module.split(".")[1]


def test_dependencies_point_one_way(root):
    for path, tree in modules(root).items():
        parts = path.relative_to(root / "sfigf").with_suffix("").parts
        if parts[0] in ("__init__", "__main__"):
            continue
        own = level(parts[0])
        assert own is not None, f"{path}: say in this test which layer '{parts[0]}' belongs to"
        for name in imported_at_import_time(tree):
            assert name == parts[0] or level(name) <= own, f"{path} imports sfigf.{name}: arrows point down only"


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
