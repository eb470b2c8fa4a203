"""The activity behind `flow.complete`: render, call, price."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from temporalio import activity

from llmflow.activities._heartbeat import heartbeats
from llmflow.errors import ModelNotFound, ToolNotFound
from llmflow.providers.base import Provider
from llmflow.providers.pricing import price
from llmflow.stores.prompts import Prompt, Prompts, render
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.contracts import COMPLETE
from llmflow.types.models import ModelRequest, OutputSchema
from llmflow.types.tools import AnyTool, ToolSpec

MARGIN = timedelta(seconds=5)
"""The provider's client gives up this much before the activity, so that no second attempt starts while the first is
still billed."""


class Completions:
    """Calls models. One object per worker; the providers keep their connections."""

    def __init__(self, prompts: Prompts, providers: Mapping[str, Provider], tools: Mapping[str, AnyTool]) -> None:
        self._prompts = prompts
        self._providers = providers
        self._tools = tools

    @activity.defn(name=COMPLETE.name)
    async def complete(self, request: CompletionRequest) -> CompletionResult:
        """Render the pinned prompt, call the model, freeze usage and cost.

        Raises:
            ProviderError: the vendor refused or failed; see `errors.py` for which may be retried.
            PromptError: the version is not served here, or the variables do not fit it.
            ToolNotFound: the request offers a tool that this worker does not serve.
        """
        prompt = self._prompts.get(request.prompt)
        model_request = ModelRequest(
            model=request.model.partition(":")[2],
            messages=(*render(prompt, request.variables), *request.messages),
            output=request.output or _schema_of(prompt),
            tools=tuple(self._spec(name) for name in dict.fromkeys((*prompt.tools, *request.tools))),
            options=request.options,
            timeout=_time_for_the_vendor(),
        )
        provider = self._provider(request.model)
        with heartbeats():
            response = await provider.complete(model_request)
        return CompletionResult(
            text=response.text,
            model=f"{request.model.partition(':')[0]}:{response.model}",
            usage=response.usage,
            cost=price(request.model, response, datetime.now(UTC)),
            finish_reason=response.finish_reason,
            tool_calls=response.tool_calls,
            response_id=response.response_id,
        )

    def _provider(self, model: str) -> Provider:
        name = model.partition(":")[0]
        if name not in self._providers:
            known = ", ".join(sorted(self._providers)) or "none"
            raise ModelNotFound(f"model {model!r}: this worker has no provider {name!r}; it has {known}")
        return self._providers[name]

    def _spec(self, name: str) -> ToolSpec:
        if name not in self._tools:
            known = ", ".join(sorted(self._tools)) or "none"
            raise ToolNotFound(f"tool {name!r} is not served here; this worker serves {known}: add it to the App")
        return self._tools[name].spec


def _schema_of(prompt: Prompt) -> OutputSchema | None:
    return OutputSchema(name="answer", json_schema=dict(prompt.output)) if prompt.output else None


def _time_for_the_vendor() -> float:
    limit = activity.info().start_to_close_timeout or timedelta(minutes=10)
    return max(limit - MARGIN, limit / 2).total_seconds()
