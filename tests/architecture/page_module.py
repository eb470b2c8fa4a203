"""A page of the docs as a module that Temporal's sandbox can import again for every run."""

import ast
import builtins
import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import CodeType, ModuleType


class PageModule(MetaPathFinder, Loader):
    """`here` runs the blocks as they stand. Who imports it again, as the sandbox does, gets what they define so far.

    That is what a reader's module has, where starting a server and runs stands in a function.
    """

    def __init__(self, name: str) -> None:
        self.here = ModuleType(name)
        self._name = name
        self._known = {"__name__", *dir(builtins)}
        self._definitions: list[CodeType] = []

    def __enter__(self) -> "PageModule":
        sys.modules[self._name] = self.here
        sys.meta_path.append(self)
        return self

    def __exit__(self, *error: object) -> None:
        sys.meta_path.remove(self)
        del sys.modules[self._name]

    def define(self, code: str, path: str) -> None:
        """Add what a block defines: its imports, classes and functions, and the values that are made of these."""
        kept = ast.Module([line for line in ast.parse(code).body if self._keeps(line)], [])
        self._definitions.append(compile(kept, path, "exec"))

    def _keeps(self, line: ast.stmt) -> bool:
        match line:
            case ast.Import() | ast.ImportFrom():
                self._known.update((one.asname or one.name).partition(".")[0] for one in line.names)
            case ast.ClassDef() | ast.FunctionDef() | ast.AsyncFunctionDef():
                self._known.add(line.name)
            case ast.Assign() | ast.AnnAssign():
                names = [node for node in ast.walk(line) if isinstance(node, ast.Name)]
                awaits = any(isinstance(node, ast.Await) for node in ast.walk(line))
                if awaits or any(isinstance(one.ctx, ast.Load) and one.id not in self._known for one in names):
                    return False
                self._known.update(one.id for one in names)
            case _:
                return False
        return True

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return spec_from_loader(fullname, self) if fullname == self._name else None

    def exec_module(self, module: ModuleType) -> None:
        for code in self._definitions:
            exec(code, vars(module))
