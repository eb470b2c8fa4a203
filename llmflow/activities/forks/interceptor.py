"""Interceptor for activities of forked runs: it reuses recorded results instead of running the activity."""

import inspect
import json
from collections.abc import Callable, Sequence
from typing import Any, cast, get_type_hints

from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.activities.forks.histories import Histories, Source
from llmflow.activities.heartbeat import heartbeats
from llmflow.history.recorded import RecordedCall
from llmflow.types.base import changed
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE, FORK
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptSource


class ForkInterceptor(Interceptor):
    """Reuses results. It is the outermost interceptor, so that reused results leave no trace, metric or record."""

    def __init__(self, histories: Histories) -> None:
        self._histories = histories

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Taking(next, self._histories)


class _Taking(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, histories: Histories) -> None:
        super().__init__(next)
        self._histories = histories

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        """See base class.

        Raises:
            RunNotFound: the history of the original run was deleted. Nothing is paid silently.
            ServerUnavailable: the history cannot be read now.
        """
        if fork := FORK.read(input.headers, activity.payload_converter()):
            with heartbeats():  # a long history takes some seconds
                for source in await self._histories.sources(fork):
                    if (taken := await _taken(source, input)) is not None:
                        return taken
        return await super().execute_activity(input)


async def _taken(source: Source, input: ExecuteActivityInput) -> object:
    """Return the recorded result of the activity with the same input; `None` if there is none."""
    info = activity.info()
    call = source.call(info.activity_id, info.activity_type)
    if call is None or call.result is None or not await _same(source, call, input):
        return None
    if info.activity_type == COMPLETE.name:
        [answer] = await source.read(call, call.result, [CompletionResult])
        return changed(answer, taken=True)
    results = await source.read(call, call.result, [RawValue] * len(call.result))
    return results[0] if results else RawValue(*activity.payload_converter().to_payloads([None]))


async def _same(source: Source, call: RecordedCall, input: ExecuteActivityInput) -> bool:
    """Return True if the input equals the recorded one, both decoded by this worker's code."""
    asked: Sequence[Any] = input.args
    if len(asked) == 1 and isinstance(asked[0], list):
        several = cast(list[object], asked[0])
        if any(isinstance(one, RawValue) for one in several):
            asked = several  # a dynamic activity gets all arguments as one list
    try:
        before = await source.read(call, call.input, _types(input.fn, len(call.input)))
    except (TypeError, ValueError):
        return False  # the recorded input no longer fits this worker's types
    return _compared(before) == _compared(asked)


def _types(function: Callable[..., Any], count: int) -> list[Any] | None:  # Any: the types of the user's parameters
    """Return the parameter types by Temporal's rule: only if all are annotated and the number of values matches."""
    hints = get_type_hints(function if inspect.isroutine(function) else type(function).__call__)
    found = [hints.get(name) for name in inspect.signature(function).parameters]
    return None if None in found or len(found) != count else found


def _compared(values: Sequence[Any]) -> list[object]:  # Any: arguments of the user's types
    return [_content(one) for one in activity.payload_converter().to_payloads([_asked(value) for value in values])]


def _asked(value: object) -> object:
    """Remove the origin of a request."""
    if isinstance(value, CompletionRequest):
        return changed(value, origin=Origin(), source=PromptSource())
    return value


def _content(payload: Payload) -> object:
    encoding = payload.metadata["encoding"]
    return json.loads(payload.data) if encoding.startswith(b"json/") else (encoding, payload.data)
