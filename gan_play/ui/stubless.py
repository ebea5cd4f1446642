"""Gradio without its stubs: half of the time that `import gradio` takes goes into files that only editors read.

At every start Gradio reads the source of each of its 80 components, renders a type stub from a template, and compares
it with the file beside it. Nothing that runs looks at them. So its module that writes them is handed out with that
function doing nothing; all else of Gradio is as it is installed.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Sequence
from types import ModuleType

WRITES_STUBS = "gradio.component_meta"


class Stubless(importlib.abc.MetaPathFinder):
    """Finds the one module, and takes its writing away once it has run; what lacks the function stays as it is."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if name != WRITES_STUBS:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            run = spec.loader.exec_module

            def run_and_take_away(module: ModuleType) -> None:
                run(module)
                if hasattr(module, "create_or_modify_pyi"):
                    module.create_or_modify_pyi = lambda *_: None

            spec.loader.exec_module = run_and_take_away
        return spec


def install() -> None:
    """From now on `import gradio` writes no stubs; without effect where it has been imported already."""
    if not any(isinstance(finder, Stubless) for finder in sys.meta_path):
        sys.meta_path.insert(0, Stubless())
