"""The App's constants in workflow code."""

from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import TypeVar, cast, get_type_hints

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_json
from typing_extensions import TypeForm

from llmflow.errors import ConfigInvalid, did_you_mean
from llmflow.flow.execute import execute_local
from llmflow.flow.run import current
from llmflow.types.constants import ConstantsRequest, PinnedConstants
from llmflow.types.contracts import CONFIG
from llmflow.types.problems import described

C = TypeVar("C")


async def config(type: TypeForm[C]) -> C:
    """Return the `config` of the run's App: `limits = await flow.config(Limits)`.

    A run pins it at its first use, for itself, for the runs that continue it, and for its children of the same App. A
    deploy with other constants changes new runs alone.

    Args:
        type: Type of the constants: a pydantic model, a dataclass, `dict[str, int]`; or a TypedDict of some of them.

    Raises:
        ConfigInvalid: the run's workflow is in no App of this worker.
        ValueError: the constants do not fit the type, or have a key that it has not. As every bug, it blocks the run
            until a fixed worker is deployed.
    """
    run = current()
    if run.app is None:
        raise ConfigInvalid(
            f"workflow {run.workflow_type!r} is in no App, so it has no config: add it to App(workflows=[...])"
        )
    if (pinned := run.constants.find(run.app)) is None:
        async with run.constants.resolving:
            if (pinned := run.constants.find(run.app)) is None:
                request = ConstantsRequest(app=run.app, fork=run.forks.fork)
                pinned = run.constants.keep(await execute_local(CONFIG, request))
    return _checked(pinned, type)


def _checked(pinned: PinnedConstants, type: TypeForm[C]) -> C:
    try:
        read = TypeAdapter[C](type).validate_json(to_json(pinned.values))
    except ValidationError as error:
        raise ValueError(f"config of App {pinned.app!r} does not fit {error.title}: {described(error)}") from None
    if strange := list(_strange(type, pinned.values)):
        raise ValueError(f"config of App {pinned.app!r} does not fit {getattr(type, '__name__', type)}: {strange[0]}")
    return read


def _strange(type: object, given: object, within: str = "") -> Iterator[str]:
    """Describe keys that a type does not have. Most models ignore them, so a misspelt constant would have its default.

    Not by `extra="forbid"`, which would also refuse the computed fields of the App's own model.
    """
    known = _fields(type)
    if known is None or not isinstance(given, dict):
        return
    for key, value in cast("dict[str, object]", given).items():
        if key in known:
            yield from _strange(known[key], value, f"{within}{key}.")
        else:
            yield f"{within}{key} is unknown{did_you_mean(key, known)}"


def _fields(kind: object) -> Mapping[str, object] | None:
    """Return the types of all keys that a model or dataclass reads; `None` for types whose values may have others."""
    if isinstance(kind, type) and is_dataclass(kind):
        return get_type_hints(kind)
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)) or kind.model_config.get("extra") == "allow":
        return None
    fields: dict[str, object] = {**dict.fromkeys(kind.model_computed_fields)}
    for name, field in kind.model_fields.items():
        if not isinstance(field.validation_alias, str | None):
            return None
        fields |= {key: field.annotation for key in (name, field.alias, field.validation_alias) if key}
    return fields
