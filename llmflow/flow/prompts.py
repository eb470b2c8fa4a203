"""Prompts in workflow code: pinning, and the rendered text for those who want to see it."""

from collections.abc import Mapping
from datetime import timedelta
from typing import cast

from pydantic import BaseModel, JsonValue
from pydantic_core import to_jsonable_python
from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow.errors import ConfigInvalid, ErrorDetail, PromptInvalid, VariablesInvalid
from llmflow.flow.execute import ends_if_cancelled, execute, typed_errors
from llmflow.flow.run import Pin, current
from llmflow.types.base import unwritable
from llmflow.types.calls import CallOptions
from llmflow.types.contracts import RENDER, RESOLVE
from llmflow.types.prompts import Pins, Prompt, RenderedPrompt, RenderRequest, ResolveRequest

Variables = BaseModel | Mapping[str, object] | None
"""Values for a prompt: a model's fields or a mapping, of anything that pydantic can write as JSON."""


async def render(
    prompt: str | Prompt, variables: Variables = None, *, call: CallOptions | None = None
) -> RenderedPrompt:
    """The messages that the pinned version of a prompt makes of `variables`.

    `flow.complete` renders by itself, inside its one activity; this is for code that needs the text.

    Raises:
        PromptNotFound: no prompt has that name.
        VariablesInvalid: variables are missing or unknown.
    """
    pinned = await pin(prompt, None)
    request = RenderRequest(prompt=pinned.prompt, variables=as_json(variables))
    _, rendered = await execute(
        RENDER, request, verb="render", options=call or CallOptions(), summary=pinned.prompt.name
    )
    return rendered


async def pin(prompt: str | Prompt, model: str | None) -> Pin:
    """The version and the models that this run uses for `prompt`: resolved once, then the same to its end.

    Raises:
        PromptNotFound: the worker serves no prompt of that name.
        PromptInvalid: the prompt in code does not parse, or a file has its name.
        InputInvalid: this run has another prompt of that name in code.
        ModelNotFound: models.yaml has no such alias or provider.
        ConfigInvalid: the worker's llmflow is older than this one.
    """
    run, name = current(), prompt if isinstance(prompt, str) else prompt.name
    inline = None if isinstance(prompt, str) else run.pins.inline(prompt)
    if (known := run.pins.find(name, model)) is None:
        async with run.pins.resolving:
            if (known := run.pins.find(name, model)) is None:
                # By the alias that this run has: the prompt's own may be another one by now.
                request = ResolveRequest(
                    prompt=name,
                    model=run.pins.alias(name, model),
                    origin=run.origin,
                    fork=run.forks.fork,
                    inline=inline,
                )
                found = await _resolve(request)
                run.visibility.know(found.attributes)
                run.pins.keep(name, found)
                known = run.pins.find(name, model)
    if known is None:
        raise ConfigInvalid(f"the worker did not say what prompt {name!r} is: is its llmflow older than this one?")
    if inline and not known.inline:
        raise PromptInvalid(f"prompt `{name}` is in the code, and a file has the same name: rename one of them")
    return known


async def _resolve(request: ResolveRequest) -> Pins:
    with typed_errors(), ends_if_cancelled():
        return await workflow.execute_local_activity(
            RESOLVE.name,
            request,
            result_type=RESOLVE.output,
            start_to_close_timeout=timedelta(seconds=10),
            # The store may be away: wait for it as long as a completion does, an hour and a half.
            retry_policy=RetryPolicy(maximum_interval=timedelta(seconds=30), maximum_attempts=200),
            local_retry_threshold=timedelta(seconds=5),  # longer pauses are timers, which hold up no worker
        )


def as_json(variables: Variables) -> dict[str, JsonValue]:
    """Variables as the JSON object that crosses the wire.

    Raises:
        VariablesInvalid: they are not an object, or hold something that JSON cannot.
    """
    try:
        plain = to_jsonable_python({} if variables is None else variables)
    except ValueError as error:
        raise VariablesInvalid(f"variables cannot be written as JSON: {unwritable(error)}") from None
    if not isinstance(plain, dict):
        given = type(variables).__name__
        raise VariablesInvalid(f"variables must be a pydantic model or a mapping, not {given}", ErrorDetail(field=""))
    return cast(dict[str, JsonValue], plain)
