"""Prompts in workflow code: pinning and rendering."""

from collections.abc import Mapping
from typing import cast

from pydantic import BaseModel, JsonValue
from pydantic_core import to_jsonable_python

from llmflow.errors import ConfigInvalid, ErrorDetail, PromptInvalid, VariablesInvalid
from llmflow.flow.execute import execute, execute_local
from llmflow.flow.run import Pin, current
from llmflow.types.base import unwritable
from llmflow.types.calls import CallOptions
from llmflow.types.contracts import RENDER, RESOLVE
from llmflow.types.prompts import Prompt, RenderedPrompt, RenderRequest, ResolveRequest

Variables = BaseModel | Mapping[str, object] | None
"""Values for a prompt: a mapping, or the fields of a model. Pydantic must be able to write them as JSON."""


async def render(
    prompt: str | Prompt, variables: Variables = None, *, call: CallOptions | None = None
) -> RenderedPrompt:
    """Render the pinned version of a prompt with `variables`.

    `flow.complete` renders in its own activity; call this only for code that needs the text.

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
    """Return the version and the models of `prompt` in this run: resolved once, then fixed for the life of the run.

    Raises:
        PromptNotFound: the worker serves no prompt of that name.
        PromptInvalid: the inline prompt does not parse, a file has its name, or it begins with no App's name.
        InputInvalid: this run has another inline prompt of that name.
        ModelNotFound: models.yaml has no such alias or provider.
        ConfigInvalid: the worker's llmflow is older than this one.
    """
    run, name = current(), prompt if isinstance(prompt, str) else prompt.name
    item = run.origin_here.item
    inline = None if isinstance(prompt, str) else run.pins.inline(prompt)
    if (known := run.pins.find(name, model, item)) is None:
        async with run.pins.resolving:
            if (known := run.pins.find(name, model, item)) is None:
                # By the alias that this run has pinned: the prompt may name another one by now.
                request = ResolveRequest(
                    prompt=name,
                    model=run.pins.alias(name, model, item),
                    origin=run.origin,
                    fork=run.forks.fork,
                    inline=inline,
                )
                found = await execute_local(RESOLVE, request)
                run.visibility.know(found.attributes)
                run.pins.keep(name, found)
                known = run.pins.find(name, model, item)
    if known is None:
        raise ConfigInvalid(
            f"the worker did not resolve prompt {name!r}: upgrade its llmflow, which may be older than this one"
        )
    if inline and not known.inline:
        raise PromptInvalid(f"prompt `{name}` is inline in the code and also a file: rename one of them")
    return known


def as_json(variables: Variables) -> dict[str, JsonValue]:
    """Convert variables to a JSON object.

    Raises:
        VariablesInvalid: they are not an object, or contain a value that JSON cannot hold.
    """
    try:
        plain = to_jsonable_python({} if variables is None else variables)
    except ValueError as error:
        raise VariablesInvalid(f"variables cannot be written as JSON: {unwritable(error)}") from None
    if not isinstance(plain, dict):
        given = type(variables).__name__
        raise VariablesInvalid(f"variables must be a pydantic model or a mapping, not {given}", ErrorDetail(field=""))
    return cast(dict[str, JsonValue], plain)
