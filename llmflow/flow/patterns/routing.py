"""Route: classify an input and pass it to the handler of its class."""

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
    """Make a step that classifies an input and runs the handler of its label.

    Args:
        classify: Returns the label: a member of an enum or of a `Literal`, such as from
            `flow.complete(..., output=Kind)`. If its return annotation lists the labels, `route` checks the handlers.
        handlers: Steps by label.
        default: Step for every other label.

    Raises:
        InputInvalid: a label has no handler, or a handler's label is not one of `classify`.
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
    """Return the labels in the return annotation; none if it lists none."""
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
            f"`{classify}` never returns {_listed(unknown)}{near}: it returns {_listed(labels)}",
            ErrorDetail(field="handlers"),
        )
    missing = [label for label in labels if label not in handled]
    if missing and not has_default:
        raise _unhandled(classify, missing, handled)


def _unhandled(classify: str, labels: list[object], handled: list[object]) -> InputInvalid:
    return InputInvalid(
        f"`{classify}` returns {_listed(labels)}, but `handlers` has {_listed(handled)}: add a handler or default=",
        ErrorDetail(field="handlers"),
    )


def _listed(labels: list[object]) -> str:
    return ", ".join(f"`{_said(label)}`" for label in labels) or "nothing"


def _said(label: object) -> str:
    return str(cast(object, label.value)) if isinstance(label, Enum) else str(label)
