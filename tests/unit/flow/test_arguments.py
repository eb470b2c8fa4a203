"""Arguments that no verb can use: refused at once, with what to give."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.errors import InputInvalid, VariablesInvalid
from llmflow.flow.approvals.answers import form_of
from llmflow.flow.approvals.approval import payload_of as written
from llmflow.flow.branches.batches import as_json
from llmflow.flow.completions.output import output_of
from llmflow.flow.prompts import as_json as variables_of
from llmflow.tools import tool
from llmflow.types.calls import CallArguments

DAY = timedelta(days=1)


async def notify(trip: str) -> str:
    return trip


@tool
async def book(trip: str) -> str:
    """Book."""
    return trip


APPROVALS: dict[str, tuple[dict[str, Any], str]] = {  # Any: what no type checker would allow
    "timeout": ({"timeout": 2}, "timeout=2: give a timedelta, such as `timedelta(minutes=5)`, or leave it out"),
    "remind_every": ({"remind_every": 0.5}, "remind_every=0.5: give a timedelta"),
    "on_timeout": ({"timeout": DAY, "on_timeout": "rejct"}, "on_timeout='rejct': give `raise`, `reject` or `escalate`"),
    "approvers": ({"approvers": []}, "approvers is empty: name the people who may decide, or leave it out for anyone"),
    "nobody of many": ({"approvers": ["ana", 3]}, "one is empty or not a text"),
    "quorum": ({"approvers": ["ana"], "quorum": 2}, "quorum=2: give 1 or more, and at most 1"),
    "level": (
        {"approvers": ["ana"], "timeout": DAY, "on_timeout": "escalate", "escalate": [[]]},
        "`approvers` and `escalate` are names, but one is empty",
    ),
    "levels": ({"approvers": ["ana"], "timeout": DAY, "on_timeout": "escalate", "escalate": []}, "belong together"),
    "form": (
        {"form": {"usd": float}},
        "form={'usd': <class 'float'>} is no type: give a pydantic model or a dataclass",
    ),
}


@pytest.mark.parametrize("name", APPROVALS)
async def test_a_question_that_cannot_be_asked(name: str) -> None:
    options, says = APPROVALS[name]
    with pytest.raises(InputInvalid) as refused:
        await flow.approval("publish", **options)
    assert says in refused.value.message


async def test_what_needs_no_undo_is_no_part_of_a_saga() -> None:
    without: Any = None  # the mistake
    with pytest.raises(
        InputInvalid, match=r"undo=None: call an action that needs no compensation .* `await flow\.call_tool\("
    ):
        await flow.Saga().do(notify, "a trip", undo=without)


async def test_an_action_that_was_called_instead_of_given() -> None:
    called: Any = notify("a trip")  # the mistake
    with pytest.raises(InputInvalid, match=r"coroutine.* cannot be called: give the tool or the function itself"):
        await flow.Saga().do(called, undo=notify)
    called.close()


@pytest.mark.parametrize(
    "call",
    [
        lambda: flow.call_tool(notify, "a trip"),  # type: ignore[arg-type]  that is it
        lambda: flow.complete("a/b", tools=[book, notify]),  # type: ignore[list-item]  as above
    ],
)
async def test_what_is_no_tool(call: Callable[[], Awaitable[object]]) -> None:
    with pytest.raises(InputInvalid, match="`notify` is no tool: give the function itself, with `@tool` above it"):
        await call()


def test_fields_in_a_mapping_are_no_type() -> None:
    fields: Any = {"type": "int"}  # which pydantic takes for a type of its own
    for make, name in ((form_of, "form"), (output_of, "output")):
        with pytest.raises(InputInvalid, match=f"{name}=.* is no type: give a pydantic model") as refused:
            make(fields)
        assert refused.value.detail.field == name


@pytest.mark.parametrize(("write", "error"), [(as_json, InputInvalid), (variables_of, VariablesInvalid)])
def test_a_forgotten_await_is_named(write: Callable[[Any], object], error: type[Exception]) -> None:
    forgotten = notify("a trip")
    with pytest.raises(error, match=r"it contains a coroutine: is an `await` missing\?"):
        write({"answers": [forgotten]})
    forgotten.close()


def test_a_forgotten_await_in_what_people_are_asked() -> None:
    forgotten = notify("a trip")
    with pytest.raises(InputInvalid, match=r"it contains a coroutine: is an `await` missing\?"):
        written(forgotten)
    forgotten.close()


@pytest.mark.parametrize(
    ("timeout", "says"),
    [
        (60, "_timeout=60: give a timedelta"),
        (0 * DAY, "_timeout=0:00:00: give a time above 0"),
    ],
)
def test_a_call_has_a_length_of_time(timeout: Any, says: str) -> None:  # Any: the mistake
    with pytest.raises(InputInvalid, match=says) as refused:
        flow.CallOptions(start_to_close_timeout=timeout)
    assert refused.value.detail.field == "start_to_close_timeout"


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (RetryPolicy(maximum_attempts=-1), "maximum_attempts=-1: give 1 or more, or 0 for no limit"),
        (RetryPolicy(backoff_coefficient=0.5), "backoff_coefficient=0.5: give 1 or more"),
        (RetryPolicy(initial_interval=-DAY), "initial_interval=-1 day, 0:00:00: give a time above 0"),
        (RetryPolicy(maximum_interval=DAY / 1e6), "maximum_interval=0:00:00.086400: give no less than"),
    ],
)
def test_a_retry_policy_that_temporal_refuses(policy: RetryPolicy, says: str) -> None:
    with pytest.raises(InputInvalid, match=f"retry_policy: {says}") as refused:
        flow.CallOptions(retry_policy=policy)
    assert refused.value.detail.field == "retry_policy"


def test_call_arguments_are_the_fields_of_call_options() -> None:
    assert list(CallArguments.__annotations__) == list(flow.CallOptions.model_fields)


def test_options_are_completed_by_defaults() -> None:
    defaults = flow.CallOptions(start_to_close_timeout=DAY, task_queue="cpu")
    chosen = flow.CallOptions(task_queue="gpu").over(defaults)
    assert chosen == flow.CallOptions(start_to_close_timeout=DAY, task_queue="gpu")


def test_a_call_that_is_written_as_json_is_read() -> None:
    options = flow.CallOptions(
        start_to_close_timeout=3 * DAY, retry_policy=RetryPolicy(maximum_attempts=2), task_queue="gpu"
    )
    assert flow.CallOptions.model_validate_json(options.model_dump_json()) == options
    with pytest.raises(ValidationError, match="should be a valid timedelta"):
        TypeAdapter(flow.CallOptions).validate_python({"heartbeat_timeout": "soon"})
