"""The house keeps its shape: imports run one way, each danger has one owner, the README tells the truth."""

import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gan_play import cli

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "gan_play").rglob("*.py")) + [ROOT / "app.py"]

FLOORS = [
    {"files", "refusals", "limits", "steps"},
    {"models", "pictures"},
    {"trainers", "measure"},
    {"runs"},
    {"latent"},
    {"translate"},
    {"share"},
    {"ui", "cli"},
    {"app", "__main__"},
]
"""The rooms of the house from the ground up: a room uses only what lies below it, and itself."""

OWNERS = {
    "PIL": {"gan_play/pictures/images.py"},
    "zipfile": {"gan_play/pictures/intake.py"},
    "safetensors": {"gan_play/runs/checkpoints.py"},
    "subprocess": {"gan_play/runs/worker.py", "gan_play/pictures/intake.py"},
    "multiprocessing": {"gan_play/ui/forecast.py", "gan_play/ui/child.py"},
    "os.replace": {"gan_play/files.py"},
    "os.rename": {"gan_play/files.py"},
    "os.fsync": {"gan_play/files.py"},
    "gradio": "gan_play/ui/",
    # Of two known files, whose SHA-256 is checked first.
    "torch.load": {"gan_play/measure/features.py"},
}
FORBIDDEN = {
    "pickle",
    "cPickle",
    "dill",
    "shelve",
    "marshal",
    "os.system",
    "os.popen",
    "eval",
    "exec",
}

PACKAGES = {"PIL": "pillow", "efficientnet_lite_pytorch": "efficientnet_lite_pytorch"}
"""Where the name that is imported isn't the name that is installed."""


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module that is imported, by its full name; for `from a import b` both `a` and `a.b`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def uses(tree: ast.AST) -> set[str]:
    """Imported packages and modules, and what is called or read as `name` or `module.name`."""
    found = set()
    for name in imports(tree):
        found |= {name, name.split(".")[0]}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            found.add(f"{node.value.id}.{node.attr}")
        elif isinstance(node, ast.Call):
            if isinstance(node.func, ast.Name):
                found.add(node.func.id)
            for keyword in node.keywords:
                true = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
                if keyword.arg in ("shell", "allow_pickle") and true:
                    found.add(f"{keyword.arg}=True")
    return found


def owns(path: str, owner: str | set[str]) -> bool:
    return path.startswith(owner) if isinstance(owner, str) else path in owner


def dangers(source: str, path: str) -> list[str]:
    """What a file does that only another file may do, or none."""
    used = uses(ast.parse(source))
    found = [name for name, owner in OWNERS.items() if name in used and not owns(path, owner)]
    return found + sorted(used & (FORBIDDEN | {"shell=True", "allow_pickle=True"}))


def room(name: str) -> str | None:
    """The room of a module's full name: `gan_play.runs.store` is in `runs`."""
    parts = name.split(".")
    return parts[1] if parts[0] == "gan_play" and len(parts) > 1 else None


def climbs(source: str, path: str) -> list[str]:
    """What a file imports that lies above it or beside it."""
    floor = {name: number for number, names in enumerate(FLOORS) for name in names}
    here = "app" if path == "app.py" else Path(path).parts[1].removesuffix(".py")
    if here == "__init__":
        return sorted(imports(ast.parse(source)))
    found = []
    for name in imports(ast.parse(source)):
        there = room(name)
        if there in floor and there != here:
            allowed = floor[there] < floor[here] and here != "models"
            ground = floor[here] == floor[there] == 0  # files uses refusals, limits
            if not (allowed or ground):
                found.append(name)
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_file_uses_only_what_lies_below_it_and_what_it_owns(path: Path) -> None:
    source, name = path.read_text("utf-8"), path.relative_to(ROOT).as_posix()
    assert climbs(source, name) == []
    assert dangers(source, name) == []
    assert ast.get_docstring(ast.parse(source)), f"{name} doesn't say its one job"


@pytest.mark.parametrize(
    ("source", "path", "found"),
    [
        ("import pickle", "gan_play/runs/store.py", ["pickle"]),
        ("import torch\ntorch.load('x')", "gan_play/runs/checkpoints.py", ["torch.load"]),
        ("from PIL import Image", "gan_play/ui/page.py", ["PIL"]),
        ("import gradio as gr", "gan_play/cli.py", ["gradio"]),
        ("import os\nos.replace('a', 'b')", "gan_play/runs/store.py", ["os.replace"]),
        ("run('ls', shell=True)", "gan_play/runs/store.py", ["shell=True"]),
        ("numpy.load('x', allow_pickle=True)", "gan_play/pictures/datasets.py", ["allow_pickle=True"]),
        ("eval('1')", "gan_play/cli.py", ["eval"]),
        ("from subprocess import run", "gan_play/ui/server.py", ["subprocess"]),
        ("generator.eval()", "gan_play/latent/sample.py", []),
        ("import zipfile", "gan_play/pictures/intake.py", []),
    ],
)
def test_the_eye_for_dangers_sees_them(source: str, path: str, found: list[str]) -> None:
    assert dangers(source, path) == found


@pytest.mark.parametrize(
    ("source", "path", "found"),
    [
        ("from gan_play.ui import page", "gan_play/runs/store.py", ["gan_play.ui", "gan_play.ui.page"]),
        ("from gan_play.runs import store", "gan_play/latent/sample.py", []),
        ("from gan_play import cli", "gan_play/ui/page.py", ["gan_play.cli"]),
        ("from gan_play.files import sha256", "gan_play/models/layers.py", 2 * ["gan_play.files"]),
        ("import gan_play.refusals", "gan_play/files.py", []),
        ("import gan_play.files", "gan_play/__init__.py", ["gan_play.files"]),
    ],
)
def test_the_eye_for_climbing_sees_it(source: str, path: str, found: list[str]) -> None:
    assert [name.removesuffix(".sha256") for name in climbs(source, path)] == found


# Requirements


def pinned() -> dict[str, str]:
    """Requirement name -> version for this Python; every line pins exactly."""
    versions = {}
    for line in (ROOT / "requirements.txt").read_text("utf-8").splitlines():
        requirement, _, condition = line.split("#")[0].partition(";")
        if requirement.strip():
            name, version = requirement.strip().split("==")
            old = "<" in condition
            if not condition or old == (sys.version_info < (3, 11)):
                versions[name] = version
    return versions


def test_every_package_that_is_imported_is_pinned() -> None:
    ours = {"gan_play"}
    imported = {
        name.split(".")[0] for path in SOURCES for name in imports(ast.parse(path.read_text("utf-8")))
    }
    foreign = {PACKAGES.get(name, name) for name in imported - set(sys.stdlib_module_names) - ours}
    comes_with_gradio = {"fastapi", "starlette", "uvicorn"}
    assert foreign - comes_with_gradio <= set(pinned())


def test_the_space_runs_the_gradio_that_is_pinned() -> None:
    assert front_matter()["sdk_version"] == pinned()["gradio"]


# README


def readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def front_matter() -> dict[str, str]:
    lines = readme().split("---\n")[1].splitlines()
    return {key: value.strip(' "') for key, _, value in (line.partition(":") for line in lines)}


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table under a heading, without its head."""
    text = readme().split(f"## {heading}\n", 1)[1]
    lines = re.search(r"(?:^\|.*\n)+", text, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]


def test_the_readme_makes_a_working_space() -> None:
    matter = front_matter()
    assert matter["sdk"] == "gradio"
    assert (ROOT / matter["app_file"]).is_file()
    assert len(matter["short_description"]) <= 60  # Hugging Face refuses a longer one


def test_the_readme_names_every_verb_of_the_command_line() -> None:
    verbs = [re.match(r"`(\w+)", row[0])[1] for row in rows("Command line")]
    assert verbs == list(cli.verbs())


def test_the_readme_has_the_table_of_recipes() -> None:
    from gan_play.trainers.recipes import RECIPES

    told = [[row[0].strip("`"), row[1]] for row in rows("Recipes")]
    assert told == [[recipe.name, recipe.sentence] for recipe in RECIPES.values()]


def test_every_file_that_the_readme_links_to_is_there() -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)]+)\)", readme())
    assert targets, "the README shows a picture"
    assert [target for target in targets if not (ROOT / target).exists()] == []
