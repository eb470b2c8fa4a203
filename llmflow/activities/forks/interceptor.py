"""Interceptor for activities of forked runs: it reuses recorded results instead of running the activity."""

import inspect
import json
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast, get_type_hints

from temporalio import activity
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from llmflow.activities.forks.effects import final, shown, stop, stopped
from llmflow.activities.forks.histories import Histories, Source
from llmflow.activities.heartbeat import heartbeats
from llmflow.history.recorded import RecordedCall, is_compensation
from llmflow.types.base import changed
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE, EFFECT, FORK, RECALL, STANDS
from llmflow.types.forks import Fork
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptSource

Reused = Callable[[CompletionRequest, CompletionResult], Awaitable[None]]


class ForkInterceptor(Interceptor):
    """Reuses results. It is the outermost interceptor, so that reused results leave no trace or metric.

    Args:
        histories: Histories of original runs.
        reused: Records that an answer was reused.
    """

    def __init__(self, histories: Histories, reused: Reused) -> None:
        self._histories = histories
        self._reused = reused

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        """See base class."""
        return _Taking(next, self._histories, self._reused)


class _Taking(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, histories: Histories, reused: Reused) -> None:
        super().__init__(next)
        self._histories = histories
        self._reused = reused

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # Any: the activity's own result
        """See base class.

        Raises:
            RunNotFound: the history of the original run was deleted. Nothing is paid silently.
            ServerUnavailable: the history cannot be read now.
            ForkStopped: the call is an effect without a recorded result, or where the fork is to stop.
        """
        if fork := FORK.read(input.headers, activity.payload_converter()):
            with heartbeats():  # a long history takes some seconds
                if fork.stops(activity.info().activity_id):
                    raise await stop(self._histories.client, fork, stopped(activity.info().activity_id))
                if EFFECT.name in input.headers:
                    taken = await self._effect(fork, input)
                else:
                    taken = await self._before(fork, input)
            if taken is not None:
                if isinstance(taken, CompletionResult):
                    await self._reused(cast(CompletionRequest, input.args[0]), taken)
                return taken
        return await super().execute_activity(input)

    async def _before(self, fork: Fork, input: ExecuteActivityInput) -> object:
        """Return the result recorded before the step; `None` if there is none."""
        for source in await self._histories.sources(fork):
            if (taken := await _taken(source, input)) is not None:
                return taken
        return None

    async def _effect(self, fork: Fork, input: ExecuteActivityInput) -> object:
        """Return the recorded result of an effect, or raise its recorded error; `None` if it is to be called.

        Raises:
            ForkStopped: there is none. The fork is stopped, unless it would undo what it has not done.
        """
        info, why = activity.info(), "the earlier run did not call it"
        compensates = is_compensation(info.activity_id)
        if fork.repeat_effects and (compensates or fork.restarts(info.activity_id)):
            return None
        async for source, keeps in self._histories.lineage(fork):
            call = source.run.effect(info.activity_id, info.activity_type)
            if call and (call.result is not None or not keeps):
                if not (why := await _why_not(fork, source, call, input)):
                    return await _outcome(source, call)
                break
        if fork.repeat_effects:
            return None
        before = stopped(info.activity_id, info.activity_type, shown(input.args), why)
        raise before.error() if compensates else await stop(self._histories.client, fork, before)


async def _why_not(fork: Fork, source: Source, call: RecordedCall, input: ExecuteActivityInput) -> str:
    """Return the reason why the recorded outcome of an effect cannot be taken; empty if it can."""
    id = activity.info().activity_id
    if not await _same(source, call, input):
        return f"the earlier run called it otherwise: {call.type}({shown(await source.read(call, call.input, None))})"
    if call.result is not None:
        return "the earlier run has undone it" if fork.repeat_effects and source.run.is_undone(id) else ""
    if call.failure is None:
        return "the earlier run does not know how that call ended"
    if fork.repeat_effects or fork.restarts(id):
        return f"that call failed in the earlier run: {await source.failure(call.failure)}"
    return ""


async def _outcome(source: Source, call: RecordedCall) -> object:
    """Return the recorded result of an effect, or raise its recorded error."""
    if call.failure is not None:
        raise final(await source.failure(call.failure))
    return await _result(source, call)


async def _taken(source: Source, input: ExecuteActivityInput) -> object:
    """Return the recorded result of the activity with the same input; `None` if there is none."""
    info = activity.info()
    if info.activity_type in (RECALL.name, STANDS.name):  # they read the history themselves
        return None
    call = source.call(info.activity_id, info.activity_type)
    if call is None or call.result is None or not await _same(source, call, input):
        return None
    if info.activity_type == COMPLETE.name:
        [answer] = await source.read(call, call.result, [CompletionResult])
        return changed(answer, taken=True)
    return await _result(source, call)


async def _result(source: Source, call: RecordedCall) -> object:
    payloads = call.result or ()
    results = await source.read(call, payloads, [RawValue] * len(payloads))
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
