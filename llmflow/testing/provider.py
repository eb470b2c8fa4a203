"""A model that answers from a script. It is the only fake, and the wheel has it."""

from collections.abc import Callable, Iterator, Sequence

from pydantic import BaseModel

from llmflow.errors import LLMFlowError, RequestRejected
from llmflow.types.models import ModelRequest, ModelResponse
from llmflow.types.providers import DeltaSink
from llmflow.types.usage import Usage

ScriptedAnswer = str | BaseModel | ModelResponse | LLMFlowError
"""Text, an object that is sent as JSON, a whole response with usage and tool calls, or an error to raise."""


class ScriptedProvider:
    """Answers in the order of a script, or by a function of the request where calls run in parallel.

    ```python
    ScriptedProvider([Plan(queries=["sagas"]), RateLimited("slow down"), Report(...)])
    ScriptedProvider(lambda request: Summary(relevant="saga" in request.messages[-1].text, points=["..."]))
    ```
    """

    def __init__(self, script: Sequence[ScriptedAnswer] | Callable[[ModelRequest], ScriptedAnswer]) -> None:
        self.requests: list[ModelRequest] = []
        """Every request so far, as a vendor would get it."""
        self._function = script if callable(script) else None
        self._answers: Iterator[ScriptedAnswer] = iter(()) if callable(script) else iter(script)

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        """Return the next answer.

        Raises:
            LLMFlowError: the script says so.
            RequestRejected: the script has no more answers.
        """
        self.requests.append(request)
        answer = self._function(request) if self._function else next(self._answers, None)
        match answer:
            case None:
                raise RequestRejected(f"the script has no answer left for call {len(self.requests)}: add one")
            case LLMFlowError():
                raise answer
            case ModelResponse():
                return answer
            case BaseModel():
                return _response(answer.model_dump_json())
            case str():
                return _response(answer)

    async def close(self) -> None:
        """Close nothing, because nothing is open."""


def _response(text: str) -> ModelResponse:
    return ModelResponse(text=text, model="script", usage=Usage(input_tokens=10, output_tokens=5))
