"""Each contract of `llmflow/types/contracts.py` is kept: by one activity with the same In and Out, or one query."""

import ast
from collections.abc import Callable, Iterable, Iterator
from types import ModuleType
from typing import Any, get_type_hints

from temporalio import activity

from llmflow.types import contracts
from llmflow.types.contracts import Activity, Query

from .source import Source, example, holds, load, sources

AnyFunction = Callable[..., Any]  # Any: activities of every signature
AnyActivity = Activity[Any, Any]  # Any: contracts of every signature


def activities_in(modules: Iterable[ModuleType]) -> Iterator[tuple[str, AnyFunction]]:
    """Name and function of what `@activity.defn` marked, at the top of a module or on a class it defines."""
    for module in modules:
        classes = [value for value in vars(module).values() if isinstance(value, type)]
        for holder in (module, *classes):
            for function in vars(holder).values():
                definition = getattr(function, "__temporal_activity_definition", None)
                if definition and definition.name and function.__module__ == module.__name__:
                    yield definition.name, function


def broken(promised: Iterable[AnyActivity], kept: Iterable[tuple[str, AnyFunction]]) -> Iterator[str]:
    found = list(kept)
    by_name = {contract.name: contract for contract in promised}
    for name, contract in by_name.items():
        count = sum(name == other for other, _ in found)
        if count != 1:
            yield f"`{name}` has {count} activities in llmflow/activities: a contract has exactly one ({contract})"
    for name, function in found:
        code = function.__code__
        where = f"{code.co_filename}:{code.co_firstlineno}: `{name}`"
        if name in by_name:
            yield from _mismatch(where, by_name[name], function)
        elif name.startswith("llmflow."):
            yield f"{where} has no contract: add one to llmflow/types/contracts.py and use its name"


def _mismatch(where: str, contract: AnyActivity, function: AnyFunction) -> Iterator[str]:
    hints = get_type_hints(function)
    output = hints.pop("return", None)
    if tuple(hints.values()) != (contract.input,):
        given = ", ".join(getattr(hint, "__name__", str(hint)) for hint in hints.values()) or "nothing"
        yield f"{where} takes {given}; its contract says {contract.input.__name__}"
    if output != contract.output:
        yield f"{where} returns {output}; its contract says {contract.output.__name__}"


def unanswered(queries: dict[str, str], files: Iterable[Source]) -> Iterator[str]:
    """Queries, by constant and name, for which there is not exactly one `set_query_handler(CONSTANT.name, ...)`."""
    calls = [node for source in files for node in ast.walk(source.tree) if isinstance(node, ast.Call)]
    answered = [ast.unparse(call.args[0]) for call in calls if ast.unparse(call.func).endswith("set_query_handler")]
    for constant, name in queries.items():
        count = answered.count(f"{constant}.name")
        if count != 1:
            yield f"`{name}` has {count} handlers in llmflow/flow: set_query_handler({constant}.name, ...) once"


def test_each_activity_contract_is_kept() -> None:
    promised: list[AnyActivity] = [value for value in vars(contracts).values() if isinstance(value, Activity)]
    holds(broken(promised, activities_in(map(load, sources("llmflow/activities")))))


def test_each_query_contract_is_answered() -> None:
    queries = {constant: value.name for constant, value in vars(contracts).items() if isinstance(value, Query)}
    holds(unanswered(queries, sources("llmflow/flow")))


class _Kept:
    @activity.defn(name="llmflow.double")
    async def double(self, number: int) -> float:
        return number * 2.0


DOUBLE = Activity("llmflow.double", int, float)


def _problems(*promised: AnyActivity, activities: int = 1) -> str:
    module = ModuleType(__name__)
    module.Kept = _Kept  # type: ignore[attr-defined]  # a made-up module
    return "\n".join(broken(promised, [*activities_in([module])] * activities))


def test_accepts_a_kept_contract() -> None:
    assert _problems(DOUBLE) == ""


def test_rejects_a_broken_contract() -> None:
    assert "has 0 activities" in _problems(DOUBLE, activities=0)
    assert "has 2 activities" in _problems(DOUBLE, activities=2)
    assert "has no contract" in _problems()
    assert "takes int" in _problems(Activity("llmflow.double", str, float))
    assert "returns <class 'float'>" in _problems(Activity("llmflow.double", int, str))


def test_rejects_an_unanswered_query() -> None:
    good = example("workflow.set_query_handler(USAGE.name, self.usage)")
    assert not list(unanswered({"USAGE": "llmflow.usage"}, [good]))
    assert list(unanswered({"USAGE": "llmflow.usage"}, []))
    assert list(unanswered({"USAGE": "llmflow.usage"}, [good, good]))
