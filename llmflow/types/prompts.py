"""Prompts: what a run asks of them, and pins."""

from dataclasses import KW_ONLY, dataclass

from pydantic import JsonValue

from llmflow.errors import ErrorDetail, InputInvalid
from llmflow.types.attributes import SearchAttributes
from llmflow.types.base import CompactWire
from llmflow.types.forks import Fork
from llmflow.types.messages import Message
from llmflow.types.models import Candidate, ModelOptions
from llmflow.types.origins import Origin
from llmflow.types.refs import PromptRef, is_prompt_name

__all__ = ["RenderedPrompt"]


@dataclass(frozen=True)
class Prompt:
    """A prompt in a line of workflow code, as a file would have it.

    `flow.Prompt("support/greet", user="Greet {{ name }}.", model="fast")`
    """

    name: str
    """As a file's: `support/greet` in the App `support`. No file may have it."""
    _: KW_ONLY
    user: str
    """Template of the user's message."""
    system: str = ""
    """Template of the system's message, if there is one."""
    model: str | None = None
    """Alias of models.yaml or `provider:model`."""

    def __post_init__(self) -> None:
        for field in ("name", "user"):
            if not str(getattr(self, field)).strip():
                raise InputInvalid(f"flow.Prompt: `{field}` is empty", ErrorDetail(field=field))
        if not is_prompt_name(self.name):
            raise InputInvalid(
                f"flow.Prompt({self.name!r}): a name has letters, digits, `_`, `-`, `.` and `/`",
                ErrorDetail(field="name"),
            )


class PromptSource(CompactWire):
    """How a run came to a version: both `None` where it is simply the one in the worker's files."""

    label: str | None = None
    """The label that pointed to it."""
    arm: str | None = None
    """The arm of a rollout that the run was given, such as `b`."""


class ResolveRequest(CompactWire):
    """Asked once per folder of prompts: which versions, and which models, does this run use?"""

    prompt: str
    model: str | None = None
    """An alias of models.yaml or `provider:model`; `None` for the prompt's own."""
    origin: Origin = Origin()
    """Of the run: a rollout decides by it."""
    fork: Fork | None = None
    """Of a forked run: whose versions it keeps, and which are other ones."""
    inline: Prompt | None = None
    """The prompt itself, where workflow code has it and no file."""


class PinnedPrompt(CompactWire):
    """What a run keeps of a prompt."""

    version: str
    model: str | None = None
    options: ModelOptions = ModelOptions()
    source: PromptSource = PromptSource()
    inline: bool = False
    """It is a `flow.Prompt`."""


class Pins(CompactWire):
    """The answer, kept for the run.

    It has all prompts of the folder: a run then never mixes what was rolled out at different times, and asks once
    where it would ask for each.
    """

    prompts: dict[str, PinnedPrompt]
    """By the prompt's name."""
    models: dict[str, tuple[Candidate, ...]]
    """By the alias that the prompts and the request name: candidates in the order in which they are tried."""
    attributes: SearchAttributes = SearchAttributes()
    """The search attributes that this run writes: those of the first answer that it gets."""


class RenderRequest(CompactWire):
    """A pinned prompt and the values of its variables."""

    prompt: PromptRef
    variables: dict[str, JsonValue] = {}
    """A value for each variable of the prompt, by name."""


class RenderedPrompt(CompactWire):
    """A prompt as the model would get it."""

    prompt: PromptRef
    messages: tuple[Message, ...]
