"""Imports point down the layers, without cycles, and each heavy library stays where it belongs."""

from __future__ import annotations

from collections import defaultdict

from tests.quality.sources import Import, is_inside, package_imports, sources

# From the window down. A module may import its own layer and the ones below it.
LAYERS: tuple[tuple[str, ...], ...] = (
    ("gptdesk.__main__", "gptdesk.cli.main"),  # the entry points choose between window and command
    ("gptdesk.ui",),
    ("gptdesk.cli",),
    ("gptdesk.evaluation",),
    ("gptdesk.api",),
    ("gptdesk.jobs",),
    ("gptdesk.session",),
    ("gptdesk.tasks",),
    ("gptdesk.generation",),
    ("gptdesk.engines",),
    ("gptdesk.export", "gptdesk.training"),
    ("gptdesk.checkpoints",),
    ("gptdesk.model",),
    ("gptdesk.text",),
    (
        "gptdesk.settings",
        "gptdesk.paths",
        "gptdesk.logs",
        "gptdesk.atomic",
        "gptdesk.cancel",
        "gptdesk.errors",
        "gptdesk.inert_pickle",
    ),
)

# Plain data that every layer may emit, whatever its place; it imports nothing of gptdesk itself.
PLAIN_DATA = ("gptdesk.generation.events",)

# Who may import a library, at the top of a file or inside a function.
ALLOWED: dict[str, tuple[str, ...]] = {
    "PySide6": ("gptdesk.ui",),
    "shiboken6": ("gptdesk.ui",),
    "torch": (
        "gptdesk.model",
        "gptdesk.checkpoints",
        "gptdesk.engines.torch_engine",
        "gptdesk.export",
        "gptdesk.training",
    ),
    "onnxruntime": ("gptdesk.engines.onnx_engine", "gptdesk.export"),
    "onnx": ("gptdesk.export",),
    "jinja2": ("gptdesk.text",),
    "transformers": (),
    "psutil": (),
}

# The part of gptdesk/model that says what a model is, which every layer may read without torch.
TORCH_FREE = ("gptdesk.model.config",)


def test_every_module_has_a_layer() -> None:
    homeless = [source.module for source in sources("gptdesk") if _layer(source.module) is None]
    assert homeless == ["gptdesk"], "only the package itself, which is lazy, stands outside"


def test_imports_point_down() -> None:
    breaches = [
        f"{_where(found)} imports {found.target}, a layer above it"
        for found in package_imports()
        if found.importer != "gptdesk" and _points_up(found)
    ]
    assert not breaches, "\n".join(breaches)


def test_plain_data_imports_nothing_of_the_package() -> None:
    breaches = [
        _where(found)
        for found in package_imports()
        if found.importer in PLAIN_DATA and is_inside(found.target, ("gptdesk",))
    ]
    assert not breaches, "\n".join(breaches)


def test_no_module_imports_the_lazy_package_for_its_public_names() -> None:
    """`from gptdesk import load` inside the package would hide an upward import; `__version__` is fine."""
    breaches = [
        _where(found)
        for found in package_imports()
        if found.target == "gptdesk"
        and not is_inside(found.importer, ("gptdesk.cli", "gptdesk.ui"))
    ]
    assert not breaches, "\n".join(breaches)


def test_there_are_no_cycles() -> None:
    edges: dict[str, set[str]] = defaultdict(set)
    for found in package_imports():
        if not found.for_types_only and found.target not in ("gptdesk", found.importer):
            edges[found.importer].add(found.target)
    edges.pop("gptdesk", None)
    assert _find_cycle(edges) == []


def test_heavy_libraries_stay_in_their_place() -> None:
    breaches = [
        f"{_where(found)} imports {found.target}"
        for found in package_imports()
        if not found.for_types_only and not _may_import(found.importer, found.target)
    ]
    assert not breaches, "\n".join(breaches)


def test_the_description_of_a_model_needs_no_torch() -> None:
    breaches = [
        _where(found)
        for found in package_imports()
        if is_inside(found.importer, TORCH_FREE) and is_inside(found.target, ("torch",))
    ]
    assert not breaches, "\n".join(breaches)


def _layer(module: str) -> int | None:
    ranks = [rank for rank, names in enumerate(LAYERS) if is_inside(module, names)]
    return ranks[0] if ranks else None


def _points_up(found: Import) -> bool:
    if found.target in PLAIN_DATA:
        return False
    importer, target = _layer(found.importer), _layer(found.target)
    return importer is not None and target is not None and target < importer


def _may_import(importer: str, target: str) -> bool:
    library = target.partition(".")[0]
    return library not in ALLOWED or is_inside(importer, ALLOWED[library])


def _where(found: Import) -> str:
    return f"{found.importer}:{found.line}"


def _find_cycle(edges: dict[str, set[str]]) -> list[str]:
    """Return the modules of one import cycle in order, or [] (depth-first, grey nodes on the path)."""
    finished: set[str] = set()
    path: list[str] = []

    def visit(module: str) -> list[str]:
        if module in path:
            return [*path[path.index(module) :], module]
        if module in finished:
            return []
        path.append(module)
        for target in sorted(edges.get(module, ())):
            if cycle := visit(target):
                return cycle
        finished.add(path.pop())
        return []

    for module in sorted(edges):
        if cycle := visit(module):
            return cycle
    return []
