"""Completions in workflow code: one paid model call with a typed answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast, overload

from pydantic import JsonValue, ValidationError
from typing_extensions import TypeForm

from llmflow.errors import ConfigInvalid, ErrorDetail, InputInvalid, OutputInvalid, ProviderError
from llmflow.flow.arguments import a_tool, invalid
from llmflow.flow.completions.candidates import ask, branched, suited
from llmflow.flow.completions.output import Output, data_of, output_of
from llmflow.flow.conversations.conversation import Conversation, Says
from llmflow.flow.misfits import block
from llmflow.flow.prompts import Variables, as_json, pin
from llmflow.flow.run import current
from llmflow.types.base import changed
from llmflow.types.calls import AnyTool, CallOptions
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.conversations import Head, Said, Thread
from llmflow.types.messages import Message, ToolCall
from llmflow.types.models import Candidate, FinishReason, ModelOptions
from llmflow.types.problems import message_of, path_of, problems_of
from llmflow.types.prompts import Prompt
from llmflow.types.refs import PromptRef
from llmflow.types.tools import ToolSpec
from llmflow.types.usage import Cost, Usage

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Completion(Generic[T]):
    """One answer, with the usage and cost of all calls that it took."""

    text: str
    """The answer as the model wrote it; in a conversation, only the beginning of what it says beside tool calls."""
    tool_calls: tuple[ToolCall, ...]
    message: Message
    """The model's turn, for `messages=` of the next completion: text, tool calls, and what only the vendor reads."""
    finish_reason: FinishReason
    model: str
    """`provider:model` that answered."""
    prompt: PromptRef
    call_id: str
    """Activity id of the call that gave the answer: its address in history."""
    usage: Usage
    """Usage of all calls, re-asked ones included."""
    cost: Cost
    """Cost of all calls; `usd` is `None` if the price of one is unknown."""
    head: Head | None
    """End of the conversation after the answer; `None` without a conversation."""
    local: tuple[str, ...]
    """Tools that were offered first with this call, and that agents call as local activities."""
    _output: T | None
    """`None` if the model asked for tools instead."""

    @property
    def output(self) -> T:
        """The answer in the requested type.

        Raises:
            OutputInvalid: the model requested tools instead of answering: check `tool_calls` first.
        """
        if self.tool_calls:
            wanted = ", ".join(call.name for call in self.tool_calls)
            raise OutputInvalid(f"no answer yet, the model requests {wanted}: run `tool_calls` and complete again")
        return cast(T, self._output)


@overload
async def complete(
    prompt: str | Prompt,
    variables: Variables = None,
    *,
    model: str | None = None,
    messages: Sequence[Message] = (),
    conversation: Conversation | None = None,
    tools: Sequence[AnyTool] = (),
    options: ModelOptions | None = None,
    call: CallOptions | None = None,
    repairs: int = 1,
) -> Completion[str]: ...
@overload
async def complete(
    prompt: str | Prompt,
    variables: Variables = None,
    *,
    output: TypeForm[T],
    model: str | None = None,
    messages: Sequence[Message] = (),
    conversation: Conversation | None = None,
    tools: Sequence[AnyTool] = (),
    options: ModelOptions | None = None,
    call: CallOptions | None = None,
    repairs: int = 1,
) -> Completion[T]: ...
@overload
async def complete(
    prompt: str | Prompt,
    variables: Variables = None,
    *,
    schema: Mapping[str, JsonValue],
    model: str | None = None,
    messages: Sequence[Message] = (),
    conversation: Conversation | None = None,
    tools: Sequence[AnyTool] = (),
    options: ModelOptions | None = None,
    call: CallOptions | None = None,
    repairs: int = 1,
) -> Completion[JsonValue]: ...
async def complete(
    prompt: str | Prompt,
    variables: Variables = None,
    *,
    output: TypeForm[Any] | None = None,  # Any: the overloads above have the types
    schema: Mapping[str, JsonValue] | None = None,
    model: str | None = None,
    messages: Sequence[Message] = (),
    conversation: Conversation | None = None,
    tools: Sequence[AnyTool] = (),
    options: ModelOptions | None = None,
    call: CallOptions | None = None,
    repairs: int = 1,
) -> Completion[Any]:
    """Ask a model and return a typed answer.

    Args:
        prompt: Name of a prompt, such as `research/plan`, or a `flow.Prompt`. A run keeps the version it first used.
        variables: Values for the prompt; missing and unknown ones are refused before anything is paid.
        output: Type of the answer: a pydantic model, or any type that pydantic validates, such as `Plan | None`. Text
            by default; if the prompt has an `output:`, a text that fits it.
        schema: Instead of `output`, a JSON schema; the answer is JSON data that fits it.
        model: Alias of models.yaml or `provider:model`, instead of the prompt's own.
        messages: Messages after the rendered prompt: pictures, files, tool results.
        conversation: Conversation to continue, see `flow.conversation`: the model gets all that was said in it. Without
            variables, a call with the prompt, tools and output of the last one goes on with its variables, and the
            prompt is not said again.
        tools: Tools that the model may request; see `Completion.tool_calls`.
        options: Options that win over those of the prompt and of models.yaml.
        call: Timeouts, retry policy, task queue and priority of each call.
        repairs: Number of times that an answer that does not fit is re-asked with the error. Each is paid.

    Raises:
        InputInvalid: `output` has no JSON schema, `schema` is not one, or another argument is invalid.
        OutputInvalid: the last answer does not fit; `detail.answer` holds it.
        ProviderError: every candidate model failed, the last one with an error of this class.
        StoreUnavailable: the database was unavailable for an hour and a half.
        PromptError: the prompt or its variables are invalid.
        ConfigInvalid: neither the call nor the prompt names a model.
        PayloadTooLarge: the request exceeds Temporal's payload limit; nothing was sent.
    """
    for tool in tools:
        a_tool("tools", tool)
    offered = Offered(tuple(tool.name for tool in tools))
    return await completion(
        prompt,
        variables,
        output=_expected(output, schema),
        model=model,
        messages=messages,
        conversation=conversation,
        offered=offered,
        options=options,
        call=call,
        repairs=repairs,
    )


@dataclass(frozen=True)
class Offered:
    """Tools that a model may ask for."""

    names: tuple[str, ...] = ()
    """Those that the worker serves."""
    specs: tuple[ToolSpec, ...] = ()
    """Those that workflow code answers: handoffs, agents, renamed tools. Only conversations can have them."""


async def completion(
    prompt: str | Prompt,
    variables: Variables,
    *,
    output: Output[T],
    model: str | None,
    messages: Sequence[Message],
    conversation: Conversation | None,
    offered: Offered,
    options: ModelOptions | None,
    call: CallOptions | None,
    repairs: int,
    says: Says = "again",
    turns: int | None = None,
) -> Completion[T]:
    """Ask a model, see `complete`.

    In a conversation, `says` tells when the prompt is said, and `turns` limits what is sent of what was said before.

    Raises:
        ConfigInvalid: neither the call nor the prompt names a model.
        LLMFlowError: see `complete`.
    """
    if repairs < 0:
        raise invalid("repairs", f"repairs={repairs}: give 0 or more")
    pinned = await pin(prompt, model)
    if not pinned.candidates:
        raise ConfigInvalid(f"prompt {pinned.prompt.name!r} names no model: give it a `model`, or pass model=")
    try:
        request = CompletionRequest(
            prompt=pinned.prompt,
            model=pinned.candidates[0].model,
            variables=as_json(variables),
            messages=tuple(messages),
            output=output.schema,
            tools=offered.names,
            options=options or ModelOptions(),
            origin=current().origin_here,
            source=pinned.source,
        )
    except ValidationError as error:
        raise _misfit(error) from None
    call = call or CallOptions()
    if conversation is None:
        candidates = suited(pinned.candidates, request)
        return await _fitting(pinned.prompt, candidates, request, output, call, repairs)
    candidates = suited(pinned.candidates, request, said=conversation.tokens)
    says = "without variables" if variables is None else says
    async with conversation.continued(request, offered.specs, says, turns) as continued:
        answer = await _fitting(pinned.prompt, candidates, continued, output, call, repairs)
        conversation.moved(answer.head, answer.local, answer.usage.input_tokens + answer.usage.output_tokens)
    return answer


def _expected(output: TypeForm[Any] | None, schema: Mapping[str, JsonValue] | None) -> Output[Any]:  # Any: as above
    if schema is None:
        return output_of(str if output is None else output)
    if output is not None:
        raise invalid("schema", "output= and schema= both define the answer: give one of them")
    return data_of(schema)


def _misfit(error: ValidationError) -> InputInvalid:
    first = problems_of(error)[0]
    field = path_of(first)
    hint = '; give a list of messages, such as `[flow.Message.user("hi")]`' if first["loc"][0] == "messages" else ""
    return invalid(field, f"{field}={first['input']!r:.100}: {message_of(first)}{hint}")


async def _fitting(
    prompt: PromptRef,
    suitable: Sequence[Candidate],
    request: CompletionRequest,
    expected: Output[T],
    call: CallOptions,
    repairs: int,
) -> Completion[T]:
    """Re-ask until an answer fits; after `repairs` times, ask the next candidate."""
    answers: list[CompletionResult] = []
    candidates, asked, repaired = suitable, request, 0
    misfit: OutputInvalid | None = None
    while True:
        try:
            candidate, call_id, answer = await ask(candidates, asked, call)
        except ProviderError as error:
            if misfit:
                raise misfit from error  # it has an answer, and was paid
            raise
        answers.append(answer)
        try:
            value = _read(expected, answer)
        except OutputInvalid as error:
            if _is_answer(answer) and expected.has_changed(answer):
                await block(call_id, error.message.replace(":\n- ", ": ").replace("\n- ", "; "))
            misfit = error
        else:
            return _completion(prompt, call_id, answers, value)
        others = [one for one in candidates if one is not candidate]
        if answer.finish_reason == "length":  # it would be cut off again
            raise misfit
        if repaired == repairs:
            candidates, asked, repaired = others, branched(request), 0
        else:  # the one that answered is asked again first
            candidates, asked, repaired = [candidate, *others], _again(asked, answer, misfit), repaired + 1
        if not candidates:
            raise misfit
        asked = changed(asked, repair=len(answers))


def _is_answer(answer: CompletionResult) -> bool:
    """Return False for an answer that says nothing, or that ended for a reason that ends none."""
    return answer.finish_reason != "unknown" and bool(answer.text.strip() or answer.tool_calls)


def _read(expected: Output[T], answer: CompletionResult) -> T | None:
    cut_off = answer.finish_reason == "length"
    if not (cut_off or answer.fits or _is_answer(answer)):
        raise _no_answer(answer)
    is_prose = expected.schema is None and answer.misfit is None
    if cut_off and (answer.tool_calls or is_prose):
        raise _cut_off(answer)
    if answer.tool_calls:
        return None
    try:
        if answer.misfit:
            raise OutputInvalid(answer.misfit, ErrorDetail(answer=answer.text))
        return expected.read(answer.text)
    except OutputInvalid:
        if cut_off:
            raise _cut_off(answer) from None
        raise


def _no_answer(answer: CompletionResult) -> OutputInvalid:
    how = f"ended with `{answer.ending}`" if answer.finish_reason == "unknown" else "is empty"
    return OutputInvalid(f"the answer of {answer.model} {how}", ErrorDetail(answer=answer.text, model=answer.model))


def _cut_off(answer: CompletionResult) -> OutputInvalid:
    tokens = answer.usage.output_tokens
    return OutputInvalid(
        f"the answer was cut off after {tokens} tokens: raise `max_output_tokens`, or ask for less",
        ErrorDetail(answer=answer.text),
    )


def _again(request: CompletionRequest, answer: CompletionResult, error: OutputInvalid) -> CompletionRequest:
    """Return the request with the answer and its error; the same request if there was no answer to repair."""
    if not _is_answer(answer):
        return branched(request)
    repair = Message.user(f"{error.message}\nAnswer again in full, so that it fits the schema.")
    if request.thread:
        thread = Thread(head=answer.head, entries=(Said(message=repair),), name=request.thread.name)
        return changed(request, thread=thread)
    return changed(request, messages=(*request.messages, answer.message, repair))


def _completion(prompt: PromptRef, call_id: str, answers: Sequence[CompletionResult], value: T | None) -> Completion[T]:
    last = answers[-1]
    cost = last.cost
    for earlier in answers[:-1]:
        cost = cost.plus(earlier.cost)
    return Completion(
        _output=value,
        text=last.text,
        tool_calls=last.tool_calls,
        message=last.message,
        finish_reason=last.finish_reason,
        model=last.model,
        prompt=prompt,
        call_id=call_id,
        usage=sum((answer.usage for answer in answers), Usage()),
        cost=cost,
        head=last.head,
        local=tuple(name for answer in answers for name in answer.local),
    )
