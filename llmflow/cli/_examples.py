"""The examples: the applications of `llmflow demo`, and the documents that they read."""

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

_PACKAGE = "workflows"
_IN_WHEEL = Path(__file__).parents[1] / "dev" / "examples"  # pyproject.toml puts them there
_IN_CLONE = Path(__file__).parents[2]


def examples_root() -> Path:
    """Folder of `workflows/` and `docs/`: a part of an installed wheel, or the clone of an editable install."""
    return _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_CLONE


def use_examples() -> None:
    """Import `workflows` from the examples, whatever other package of that name is in reach."""
    if not any(isinstance(finder, _Examples) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Examples())


def offer_example(module: str) -> None:
    """Use the examples if the module is one of theirs, and nothing else has it: a module of the user's own wins.

    Args:
        module: Its dotted name, such as `workflows.research.app`.
    """
    top = module.partition(".")[0]
    if top != _PACKAGE or not (examples_root() / f"{module.replace('.', '/')}.py").is_file():
        return
    try:
        found = find_spec(module)
    except ModuleNotFoundError:
        found = None  # the user's own `workflows` has no such package in it
    if found is None:
        for name in [name for name in sys.modules if f"{name}.".startswith(f"{top}.")]:
            del sys.modules[name]
        use_examples()


class _Examples(MetaPathFinder):
    """Finds one package, before every path is asked; also for the imports of the workflow sandbox."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if fullname != _PACKAGE:
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(examples_root() / _PACKAGE)]
        return spec
