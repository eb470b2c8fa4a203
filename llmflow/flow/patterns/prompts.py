"""A prompt as a step, in place of a two-line function around `flow.complete`."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any, Generic, TypeVar, cast, overload

from pydantic import BaseModel
from typing_extensions import TypeForm

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.flow.completions.complete import complete
from llmflow.flow.prompts import Variables
from llmflow.types.messages import Message
from llmflow.types.prompts import Prompt

Out = TypeVar("Out")

INPUT = "input"
"""Variable for a value without fields, if no name was given."""


class PromptStep(Generic[Out]):
    """A step that completes a prompt and can be re-asked. `prompt_step` makes one."""

    def __init__(
        self, prompt: str | Prompt, variables: Sequence[str], output: TypeForm[Out], model: str | None
    ) -> None:
        self._prompt, self._variables, self._output, self._model = prompt, variables, output, model
        name = prompt if isinstance(prompt, str) else prompt.name
        self.__name__ = name.rpartition("/")[2]  # as a step of the run
        self.__signature__ = inspect.Signature(return_annotation=output)  # `route` reads its labels from it

    async def __call__(self, *values: object, messages: Sequence[Message] = ()) -> Out:
        """Run the step.

        Raises:
            InputInvalid: the number of values is not that of the variables.
        """
        variables = self._filled(values)
        answer = await complete(self._prompt, variables, output=self._output, model=self._model, messages=messages)
        return answer.output

    def _filled(self, values: Sequence[object]) -> Variables:
        if not self._variables and len(values) == 1:
            value = values[0]
            has_fields = isinstance(value, BaseModel | Mapping)
            return cast(Variables, value) if has_fields else {INPUT: value}
        if len(values) != len(self._variables):
            named = ", ".join(f"`{name}`" for name in self._variables) or "one value"
            raise InputInvalid(
                f"step `{self.__name__}` takes {named}, and was given {len(values)}: name a variable for each value, as"
                ' in prompt_step("desk/judge", "topic", "text")',
                ErrorDetail(field="variables"),
            )
        return dict(zip(self._variables, values, strict=True))


@overload
def prompt_step(prompt: str | Prompt, *variables: str, model: str | None = None) -> PromptStep[str]: ...
@overload
def prompt_step(
    prompt: str | Prompt, *variables: str, output: TypeForm[Out], model: str | None = None
) -> PromptStep[Out]: ...
def prompt_step(
    prompt: str | Prompt,
    *variables: str,
    output: TypeForm[Any] = str,  # Any: the overloads above have the types
    model: str | None = None,
) -> PromptStep[Any]:
    """Make a step for patterns from a prompt.

    Args:
        prompt: Name of a prompt, or a `flow.Prompt`. The step's name is the last part of the prompt's.
        variables: A variable for each value that the step takes: `prompt_step("desk/judge", "topic", "text")`. Without
            names, the step takes one value, whose fields are the variables, or which is the variable `input`.
        output: Type of the answer, as in `flow.complete`.
        model: Alias of models.yaml or `provider:model`, instead of the prompt's own.
    """
    return PromptStep(prompt, variables, output, model)
