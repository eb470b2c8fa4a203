"""Candidates: the models for one completion, tried in order until one answers."""

import json
from collections.abc import Sequence
from functools import partial

from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, TimeoutError, TimeoutType

from llmflow.errors import AnswerLost, ContentRefused, ErrorDetail, LLMFlowError, ProviderUnavailable
from llmflow.flow.completions.funding import funded
from llmflow.flow.execute import ATTEMPT, ATTEMPTS, execute
from llmflow.flow.pauses import pause_after
from llmflow.flow.run import current
from llmflow.types.base import changed
from llmflow.types.calls import CallOptions
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE
from llmflow.types.lengths import length_of
from llmflow.types.models import Candidate
from llmflow.types.sizes import estimated_tokens

ROUNDS = 200
"""Retries of a call that llmflow itself held back. The pauses double from 1 s to `LONGEST_PAUSE`, an hour and a half in
all: longer than most vendor outages, and within the limit of a history."""
LONGEST_PAUSE = 30.0
"""Seconds, unless the error asks for more."""
WAITS = 3
"""Long waits that vendors ask for, of one call."""
HURRIED_ATTEMPTS = 2
"""Attempts of a candidate while another one is left."""


async def ask(
    candidates: Sequence[Candidate], request: CompletionRequest, call: CallOptions, *, rounds: int = ROUNDS
) -> tuple[Candidate, str, CompletionResult]:
    """Ask the candidates in order; return the first that answers, the id of the call, and the answer.

    Each is an activity, so history shows which was paid. While another candidate is left, each has two attempts. A call
    that llmflow itself held back never reached the model: it is retried after a pause, together with candidates that
    only asked to slow down, up to `rounds` times; so is, up to `WAITS` times, one whose vendor asks for a long wait.
    Candidates that may have been paid, or refused for good, are not retried.
    """
    waited = 0
    while True:
        failures: list[tuple[Candidate, LLMFlowError]] = []
        for candidate in candidates:
            try:
                options = call if candidate is candidates[-1] else _hurried(call)
                return await funded(partial(_call, candidate, request, options))
            except LLMFlowError as error:
                goes_on = error.fallback or error.detail.cheaper
                if not (goes_on or error.refusal):
                    raise
                failures.append((candidate, error))
                request = branched(request)
                if not goes_on:  # the next candidate would be refused as well
                    break
        later = [error for _, error in failures if error.refusal or _asks_to_wait(error)]
        if not later or waited >= (rounds if any(error.refusal for error in later) else WAITS):
            raise failures[-1][1]
        await _pause(waited, later)
        gone = [candidate for candidate, error in failures if not _passes(error)]
        candidates = [candidate for candidate in candidates if candidate not in gone]
        waited += 1


def branched(request: CompletionRequest) -> CompletionRequest:
    """Return the request for another call: in a conversation, the one before it may still write its turn."""
    return changed(request, thread=changed(request.thread, branches=True)) if request.thread else request


def _hurried(call: CallOptions) -> CallOptions:
    """Return the options of a call for which another candidate is left."""
    return call if call.retry_policy else changed(call, retry_policy=RetryPolicy(maximum_attempts=HURRIED_ATTEMPTS))


def _asks_to_wait(error: LLMFlowError) -> bool:
    """Return True for a vendor that asks for a wait longer than its provider's limit, so that it was not retried."""
    return error.retryable and error.detail.retry is False and error.detail.retry_after is not None


def _passes(error: LLMFlowError) -> bool:
    """Return True if a retry may succeed and the call surely cost nothing: a vendor may bill a call that timed out."""
    may_be_billed = isinstance(error, AnswerLost) or error.detail.status is None
    return error.refusal or _asks_to_wait(error) or (error.retryable and not may_be_billed)


async def _pause(waited: int, refusals: Sequence[LLMFlowError]) -> None:
    """Wait until the first candidate may be retried; longer each time."""
    soonest = min(error.detail.retry_after or 0.0 for error in refusals)
    await pause_after(refusals[-1], max(soonest, min(2.0**waited, LONGEST_PAUSE)))


def suited(candidates: Sequence[Candidate], request: CompletionRequest, *, said: int = 0) -> Sequence[Candidate]:
    """Return the candidates for an input of this size; if none fits, the one for the largest input.

    Args:
        candidates: The candidates.
        request: The request.
        said: Tokens of the conversation before it.
    """
    if all(candidate.up_to is None for candidate in candidates):
        return candidates
    size = said + estimated_tokens(request.messages, json.dumps(request.variables, ensure_ascii=False))
    suited = [one for one in candidates if one.up_to is None or one.up_to >= size]
    return suited or [max(candidates, key=lambda one: one.up_to or 0)]


async def _call(
    candidate: Candidate, request: CompletionRequest, call: CallOptions
) -> tuple[Candidate, str, CompletionResult]:
    options = request.options.over(candidate.options)
    asked = changed(request, model=candidate.model, options=options)
    summary = f"{asked.prompt.name} → {asked.model}"
    try:
        call_id, answer = await execute(
            COMPLETE,
            asked,
            verb="complete",
            options=call,
            summary=summary,
            arrived=lambda answer: current().totals.spent(asked.prompt, answer),  # a refusal is paid as well
        )
    except ActivityError as error:
        if isinstance(error.cause, TimeoutError):
            raise ProviderUnavailable(f"{asked.model} gave no answer: {_timeout(error.cause, call)}") from error
        raise
    if answer.finish_reason == "refused":
        raise ContentRefused(f"{answer.model} refuses to answer: {answer.text}", ErrorDetail(model=answer.model))
    return candidate, call_id, answer


def _timeout(timeout: TimeoutError, call: CallOptions) -> str:
    attempts = call.retry_policy.maximum_attempts if call.retry_policy else ATTEMPTS
    if timeout.type is TimeoutType.HEARTBEAT:
        return f"its worker died, {attempts} times"
    if timeout.type is TimeoutType.SCHEDULE_TO_CLOSE and call.schedule_to_close_timeout:
        return f"{length_of(call.schedule_to_close_timeout)} for all attempts were not enough"
    return f"{attempts} attempts of {length_of(call.start_to_close_timeout or ATTEMPT)} were not enough"
