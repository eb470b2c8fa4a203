"""Examples: the applications of `llmflow demo`, and the documents that they read."""

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any, cast

from llmflow.dev.demos import Demo
from llmflow.errors import InputInvalid, did_you_mean

AnyDemo = Demo[Any, Any]  # Any: demos of runs with inputs and results of every type

_PACKAGE = "workflows"
_IN_WHEEL = Path(__file__).parents[1] / "dev" / "examples"  # pyproject.toml puts them there
_IN_CLONE = Path(__file__).parents[2]


def examples_root() -> Path:
    """Return the folder of `workflows/` and `docs/`: in an installed wheel, or the clone of an editable install."""
    return _IN_WHEEL if _IN_WHEEL.is_dir() else _IN_CLONE


def use_examples() -> None:
    """Import `workflows` from the examples, whatever other package of that name can be imported."""
    if not any(isinstance(finder, _Examples) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Examples())


def offer_example(module: str) -> None:
    """Use the examples if the module is one of theirs, and nothing else has it: the user's own module takes precedence.

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


def demo_names() -> list[str]:
    """Return the names of examples with a demo, sorted."""
    return sorted(file.parent.name for file in (examples_root() / _PACKAGE).glob("*/demo.py"))


def example_demo(name: str | None) -> AnyDemo:
    """Return the demo of an example; without a name, the one that the examples show first.

    Raises:
        InputInvalid: no example has this name; lists those that exist.
    """
    if name is not None and name not in (known := demo_names()):
        raise InputInvalid(f"there is no example `{name}`{did_you_mean(name, known)}. There are: {', '.join(known)}")
    use_examples()
    return cast(AnyDemo, import_module(f"{_PACKAGE}.{f'{name}.' if name else ''}demo").demo)


class _Examples(MetaPathFinder):
    """Finds one package before every path is searched; also for imports of the workflow sandbox."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None, /
    ) -> ModuleSpec | None:
        if fullname != _PACKAGE:
            return None
        spec = ModuleSpec(fullname, None, is_package=True)
        spec.submodule_search_locations = [str(examples_root() / _PACKAGE)]
        return spec
