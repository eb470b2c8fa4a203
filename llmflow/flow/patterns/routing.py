"""Route: say what kind of input it is, and hand it to who handles that kind."""

import inspect
from collections.abc import Callable, Mapping
from enum import Enum
from typing import Literal, TypeVar, cast, get_args, get_origin

from llmflow.errors import ErrorDetail, InputInvalid, did_you_mean
from llmflow.flow.functions import name_of
from llmflow.flow.patterns.steps import In, Out, Step, take

Label = TypeVar("Label")


def route(
    classify: Step[In, Label], handlers: Mapping[Label, Step[In, Out]], *, default: Step[In, Out] | None = None
) -> Step[In, Out]:
    """Classify an input, and take the step that handles its class.

    Args:
        classify: Says the label: a member of an enum, or one of a `Literal`, such as `flow.complete(..., output=Kind)`
            gives it. If its return annotation names the labels, the handlers are checked against them at once.
        handlers: By label.
        default: Handles every other label.

    Raises:
        InputInvalid: a label has no handler, or a handler has a label that `classify` never says.
    """
    _check(name_of(classify), _labels(classify), list(handlers), default is not None)

    async def route(value: In) -> Out:
        label = await take(classify, value)
        handler = handlers.get(label, default)
        if handler is None:
            raise _unhandled(name_of(classify), [label], list(handlers))
        return await take(handler, value)

    return route


def _labels(classify: Callable[..., object]) -> list[object]:
    """What it may say, as far as its annotation tells."""
    try:
        said: object = inspect.signature(classify, eval_str=True).return_annotation
    except (NameError, AttributeError, TypeError):  # written for the type checker only
        return []
    if isinstance(said, type) and issubclass(said, Enum):
        return list(said)
    return list(get_args(said)) if get_origin(said) is Literal else []


def _check(classify: str, labels: list[object], handled: list[object], has_default: bool) -> None:
    unknown = [label for label in handled if label not in labels]
    if labels and unknown:
        near = did_you_mean(_said(unknown[0]), map(_said, labels))
        raise InputInvalid(
            f"`{classify}` never says {_listed(unknown)}{near}: it says {_listed(labels)}",
            ErrorDetail(field="handlers"),
        )
    missing = [label for label in labels if label not in handled]
    if missing and not has_default:
        raise _unhandled(classify, missing, handled)


def _unhandled(classify: str, labels: list[object], handled: list[object]) -> InputInvalid:
    return InputInvalid(
        f"`{classify}` says {_listed(labels)}, and `handlers` has {_listed(handled)}: add it there, or pass default=",
        ErrorDetail(field="handlers"),
    )


def _listed(labels: list[object]) -> str:
    return ", ".join(f"`{_said(label)}`" for label in labels) or "nothing"


def _said(label: object) -> str:
    return str(cast(object, label.value)) if isinstance(label, Enum) else str(label)
