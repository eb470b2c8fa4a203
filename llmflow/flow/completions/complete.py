"""Completions in workflow code: one paid model call with a typed answer."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, cast

from pydantic import ValidationError
from temporalio.exceptions import ActivityError, TimeoutError, TimeoutType
from typing_extensions import TypeVar

from llmflow.errors import (
    ConfigInvalid,
    ContentRefused,
    ErrorDetail,
    InputInvalid,
    LLMFlowError,
    OutputInvalid,
    ProviderUnavailable,
)
from llmflow.flow.arguments import a_tool, invalid
from llmflow.flow.completions.output import Output, output_of
from llmflow.flow.execute import execute
from llmflow.flow.pauses import pause
from llmflow.flow.prompts import Variables, as_json, pin
from llmflow.flow.run import Pin, current
from llmflow.types.calls import CallOptions
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE
from llmflow.types.messages import Message, ToolCall
from llmflow.types.models import Candidate, FinishReason, ModelOptions
from llmflow.types.refs import PromptRef
from llmflow.types.sizes import estimated_tokens
from llmflow.types.tools import AnyTool
from llmflow.types.usage import Cost, Usage

T = TypeVar("T", default=str)

ROUNDS = 200
"""How often a call that llmflow itself refused is made again. The pauses double from 1 s to the longest, so that it
takes an hour and a half at least: longer than most vendors are down, and short of a history's end."""
LONGEST_PAUSE = 30.0
"""Seconds, where the refusal does not ask for more."""
CROWD = 20
"""Calls of one run that may wait together before each of them waits longer."""


@dataclass(frozen=True, kw_only=True)
class Completion(Generic[T]):
    """One answer, with what it took to get it."""

    value: T | None
    """The answer in the type that was asked for; `None` if the model asked for tools instead."""
    text: str
    """The answer as the model wrote it."""
    tool_calls: tuple[ToolCall, ...]
    finish_reason: FinishReason
    model: str
    """`provider:model` that answered."""
    prompt: PromptRef
    call_id: str
    """Activity id of the call that gave the answer: its address in history."""
    usage: Usage
    """Of every call it took, re-asked ones included."""
    cost: Cost
    """Of every call it took; `usd` is `None` if the price of one is not known."""

    @property
    def output(self) -> T:
        """The answer in the type that was asked for.

        Raises:
            OutputInvalid: there is none, because the model asked for tools: look at `tool_calls` first.
        """
        if self.tool_calls:
            wanted = ", ".join(call.name for call in self.tool_calls)
            raise OutputInvalid(f"no answer yet, the model asks for {wanted}: run `tool_calls` and complete again")
        return cast(T, self.value)


async def complete(
    prompt: str,
    variables: Variables = None,
    *,
    output: type[T] | None = None,
    model: str | None = None,
    messages: Sequence[Message] = (),
    tools: Sequence[AnyTool] = (),
    options: ModelOptions | None = None,
    call: CallOptions | None = None,
    repairs: int = 1,
) -> Completion[T]:
    """Ask a model, and get a typed answer.

    Args:
        prompt: Name of a prompt, such as `research/plan`. This run keeps the version that it first used.
        variables: Values for the prompt; missing and unknown ones are errors before anything is paid.
        output: Type of the answer: a pydantic model, or anything pydantic validates. Text if left out.
        model: Alias of models.yaml or `provider:model`, instead of the prompt's own.
        messages: Follow the rendered prompt: pictures, files, answers of tools.
        tools: The model may ask for these; see `Completion.tool_calls`.
        options: Win over those of the prompt and of models.yaml.
        call: Time limit and attempts of each call.
        repairs: How often an answer that does not fit is asked for again, with the error. Each is paid.

    Raises:
        InputInvalid: `output` has no JSON schema, or another argument does not fit; names it.
        OutputInvalid: the answer still does not fit; `detail.answer` keeps the last one.
        ProviderError: every candidate model failed; the class says how the last one did.
        StoreUnavailable: the database did not answer for an hour and a half.
        PromptError: the prompt or its variables are wrong.
        ConfigInvalid: neither the call nor the prompt names a model.
        PayloadTooLarge: the request does not fit Temporal; nothing was sent.
    """
    if repairs < 0:
        raise invalid("repairs", f"repairs={repairs}: give 0 or more")
    for tool in tools:
        a_tool("tools", tool)
    expected = output_of(cast(type[T], output or str))
    pinned = await pin(prompt, model)
    if not pinned.candidates:
        raise ConfigInvalid(
            f"prompt {prompt!r} names no model: write `model: smart` in its front matter, or pass model="
        )
    try:
        request = CompletionRequest(
            prompt=pinned.prompt,
            model=pinned.candidates[0].model,
            variables=as_json(variables),
            messages=tuple(messages),
            output=expected.schema,
            tools=tuple(tool.name for tool in tools),
            options=options or ModelOptions(),
            origin=current().origin,
            source=pinned.source,
        )
    except ValidationError as error:
        raise _misfit(error) from None
    return await _fitting(pinned, request, expected, call or CallOptions(), repairs)


def _misfit(error: ValidationError) -> InputInvalid:
    first = error.errors(include_url=False, include_context=False)[0]
    field = ".".join(str(part) for part in first["loc"])
    hint = '; give a list of messages, such as `[flow.Message.user("hi")]`' if first["loc"][0] == "messages" else ""
    return invalid(field, f"{field}={first['input']!r:.100}: {first['msg']}{hint}")


async def _fitting(
    pinned: Pin, request: CompletionRequest, expected: Output[T], call: CallOptions, repairs: int
) -> Completion[T]:
    """Ask until an answer fits."""
    answers: list[CompletionResult] = []
    while True:
        call_id, answer = await _ask(pinned, request, call)
        answers.append(answer)
        try:
            value = _read(expected, answer)
        except OutputInvalid as error:
            if len(answers) > repairs or answer.finish_reason == "length":
                raise
            request = _again(request, answer, error)
            continue
        return _completion(pinned.prompt, call_id, answers, value)


async def _ask(pinned: Pin, request: CompletionRequest, call: CallOptions) -> tuple[str, CompletionResult]:
    """The first answer of the candidates, in their order. Each is an activity, so history shows which one was paid.

    Where llmflow itself refused one, nothing was asked of it: it is asked again later, and so are those that only
    asked to slow down. Whoever was paid, or said no for good, is not.
    """
    candidates = _suited(pinned.candidates, request)
    waited = 0
    while True:
        failures: list[tuple[Candidate, LLMFlowError]] = []
        for candidate in candidates:
            try:
                return await _call(candidate, request, call)
            except LLMFlowError as error:
                if not (error.fallback or error.refusal):
                    raise
                failures.append((candidate, error))
                if not error.fallback:  # the next candidate would be refused as well
                    break
        refusals = [error for _, error in failures if error.refusal]
        if not refusals or waited == ROUNDS:
            raise failures[-1][1]
        await _pause(waited, refusals)
        gone = [candidate for candidate, error in failures if not _passes(error)]
        candidates = [candidate for candidate in candidates if candidate not in gone]
        waited += 1


def _passes(error: LLMFlowError) -> bool:
    """Whether the same call may succeed later, and was surely not paid: a vendor may bill what timed out."""
    return error.refusal or (error.retryable and error.detail.status is not None)


async def _pause(waited: int, refusals: Sequence[LLMFlowError]) -> None:
    """Until the first of them may be asked again; a little longer each time.

    Where many calls of a run wait, each waits longer: a round of a thousand of them is five thousand events.
    """
    run, last = current(), refusals[-1]
    soonest = min(error.detail.retry_after or 0.0 for error in refusals)
    seconds = max(soonest, min(2.0**waited, LONGEST_PAUSE)) * max(1.0, run.waits.count() / CROWD)
    kind = type(last).__name__
    await pause(seconds, reason=f"{kind}: {last.message}", summary=f"{kind}: asks again in {seconds:.0f} s")


def _suited(candidates: Sequence[Candidate], request: CompletionRequest) -> Sequence[Candidate]:
    """Those that are meant for an input of this size; the one for the largest if none is."""
    if all(candidate.up_to is None for candidate in candidates):
        return candidates
    size = estimated_tokens(request.messages, json.dumps(request.variables, ensure_ascii=False))
    suited = [one for one in candidates if one.up_to is None or one.up_to >= size]
    return suited or [max(candidates, key=lambda one: one.up_to or 0)]


async def _call(candidate: Candidate, request: CompletionRequest, call: CallOptions) -> tuple[str, CompletionResult]:
    options = request.options.over(candidate.options)
    asked = request.model_copy(update={"model": candidate.model, "options": options})
    summary = f"{asked.prompt.name} → {asked.model}"
    try:
        call_id, answer = await execute(
            COMPLETE,
            asked,
            verb="complete",
            options=call,
            summary=summary,
            arrived=lambda answer: current().totals.spent(asked.prompt, answer),  # a refusal is paid, too
        )
    except ActivityError as error:
        if isinstance(error.cause, TimeoutError):
            raise ProviderUnavailable(f"{asked.model} gave no answer: {_timeout(error.cause, call)}") from error
        raise
    if answer.finish_reason == "refused":
        raise ContentRefused(f"{answer.model} refuses to answer: {answer.text}", ErrorDetail(model=answer.model))
    return call_id, answer


def _timeout(timeout: TimeoutError, call: CallOptions) -> str:
    if timeout.type is TimeoutType.HEARTBEAT:
        return f"its worker died, {call.attempts} times"
    return f"{call.attempts} attempts of {call.timeout.total_seconds():.0f} s were not enough"


def _read(expected: Output[T], answer: CompletionResult) -> T | None:
    cut_off = answer.finish_reason == "length"
    if cut_off and (answer.tool_calls or expected.schema is None):
        raise _cut_off(answer)
    if answer.tool_calls:
        return None
    try:
        return expected.read(answer.text)
    except OutputInvalid:
        if cut_off:
            raise _cut_off(answer) from None
        raise


def _cut_off(answer: CompletionResult) -> OutputInvalid:
    tokens = answer.usage.output_tokens
    return OutputInvalid(
        f"the answer was cut off after {tokens} tokens: raise `max_output_tokens`, or ask for less",
        ErrorDetail(answer=answer.text),
    )


def _again(request: CompletionRequest, answer: CompletionResult, error: OutputInvalid) -> CompletionRequest:
    repair = Message.user(f"{error.message}\nAnswer again in full, so that it fits the schema.")
    said = (Message.assistant(answer.text),) if answer.text else ()  # vendors refuse a message without text
    messages = (*request.messages, *said, repair)
    return request.model_copy(update={"messages": messages, "repair": request.repair + 1})


def _completion(prompt: PromptRef, call_id: str, answers: Sequence[CompletionResult], value: T | None) -> Completion[T]:
    last = answers[-1]
    cost = last.cost
    for earlier in answers[:-1]:
        cost = cost.plus(earlier.cost)
    return Completion(
        value=value,
        text=last.text,
        tool_calls=last.tool_calls,
        finish_reason=last.finish_reason,
        model=last.model,
        prompt=prompt,
        call_id=call_id,
        usage=sum((answer.usage for answer in answers), Usage()),
        cost=cost,
    )
