"""Prompts: inputs and outputs of resolving and rendering, and pins."""

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
from llmflow.types.rollouts import Rollout

__all__ = ["RenderedPrompt"]


@dataclass(frozen=True)
class Prompt:
    """A prompt defined inline in workflow code instead of in a file.

    `flow.Prompt("support/greet", user="Greet {{ name }}.", model="fast")`
    """

    name: str
    """Name as a file's: `support/greet` in the App `support`, which it must begin with. No file may have the same."""
    _: KW_ONLY
    user: str
    """Template of the user message."""
    system: str = ""
    """Template of the system message; empty for none."""
    model: str | None = None
    """Alias of models.yaml or `provider:model`."""

    def __post_init__(self) -> None:
        for field in ("name", "user"):
            if not str(getattr(self, field)).strip():
                raise InputInvalid(f"flow.Prompt: `{field}` is empty", ErrorDetail(field=field))
        if not is_prompt_name(self.name):
            raise InputInvalid(
                f"flow.Prompt({self.name!r}): a name has only letters, digits, `_`, `-`, `.` and `/`",
                ErrorDetail(field="name"),
            )


class PromptSource(CompactWire):
    """Label and rollout arm that selected a version; both `None` for the version in the worker's files."""

    label: str | None = None
    """The label that pointed to the version."""
    arm: str | None = None
    """The rollout arm that the run was assigned, such as `b`."""


class ResolveRequest(CompactWire):
    """Input of resolving: a run asks once per folder which prompt versions and models it uses."""

    prompt: str
    model: str | None = None
    """An alias of models.yaml or `provider:model`; `None` for the prompt's own."""
    origin: Origin = Origin()
    """Origin of the run: a rollout assigns its arm by it."""
    fork: Fork | None = None
    """Fork of the run: it keeps the original run's versions, except those that the fork replaces."""
    inline: Prompt | None = None
    """The prompt itself, if it is inline in workflow code."""


class PinnedVersion(CompactWire):
    """A prompt's version, with its model and options."""

    version: str
    model: str | None = None
    options: ModelOptions = ModelOptions()
    source: PromptSource = PromptSource()


class PinnedByItem(CompactWire):
    """A rollout that deals versions to the items of fan-outs, fixed for a run."""

    rollout: Rollout
    versions: dict[str, PinnedVersion]
    """Versions by arm."""


class PinnedPrompt(PinnedVersion):
    """A prompt's version, model and options, fixed for a run."""

    inline: bool = False
    """True for a `flow.Prompt`."""
    by_item: PinnedByItem | None = None
    """Versions of items with a label; all other calls have the one above."""

    def of(self, item: str | None) -> PinnedVersion:
        """Return the version for the calls of an item, by its label; `None`: for other calls."""
        if item is None or self.by_item is None:
            return self
        return self.by_item.versions[self.by_item.rollout.arm_of(item).arm]

    @property
    def models(self) -> tuple[str, ...]:
        """Models of all versions that the run may use."""
        versions = (self, *(self.by_item.versions.values() if self.by_item else ()))
        return tuple(dict.fromkeys(one.model for one in versions if one.model))


class Pins(CompactWire):
    """Output of resolving, fixed for the run.

    It has all prompts of the folder: a run asks once instead of once a prompt, and never mixes versions that were
    rolled out at different times.
    """

    prompts: dict[str, PinnedPrompt]
    """Pinned prompts by name."""
    models: dict[str, tuple[Candidate, ...]]
    """Candidates, in the order in which they are tried, by the alias that prompts and request name."""
    attributes: SearchAttributes = SearchAttributes()
    """Search attributes that the run upserts; it keeps those of its first resolving."""


class RenderRequest(CompactWire):
    """A pinned prompt and the values of its variables."""

    prompt: PromptRef
    variables: dict[str, JsonValue] = {}
    """A value for each variable of the prompt, by name."""


class RenderedPrompt(CompactWire):
    """A rendered prompt: the messages for the model."""

    prompt: PromptRef
    messages: tuple[Message, ...]
