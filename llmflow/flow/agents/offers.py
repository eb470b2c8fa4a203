"""Offers: what an agent lets its model call, and the wrappers around tools."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Any

from pydantic import JsonValue

from llmflow.flow.arguments import a_tool, invalid
from llmflow.flow.tools import call_for_agent
from llmflow.types.calls import AnyTool
from llmflow.types.conversations import KeptResult
from llmflow.types.tools import ToolSpec

Arguments = Mapping[str, JsonValue]
"""Arguments of a call by name, as the model wrote them."""
When = Callable[[Arguments], bool | str]
"""Decides if a call needs approval. A text is the reason, for the people who are asked."""


@dataclass(frozen=True, kw_only=True)
class Consent:
    """Approval that an offer asks for before a call."""

    when: When | None = None
    """`None`: before every call."""
    approvers: tuple[str, ...] | None = None
    timeout: timedelta | None = None

    def reason(self, arguments: Arguments) -> str | None:
        """Return why a call needs approval, maybe an empty text; `None` if it needs none."""
        try:
            found = True if self.when is None else self.when(arguments)
        except Exception as error:  # of any class, from the user's code: a model may leave out what it looks at
            return f"the condition cannot be checked: {type(error).__name__}: {error}"
        if isinstance(found, str):
            return found or None
        return "" if found else None


@dataclass(frozen=True, kw_only=True)
class Offer:
    """One tool as an agent offers it to its model: `flow.agents` makes and wraps them, for `Agent(tools=...)`."""

    spec: ToolSpec
    call: Callable[[dict[str, JsonValue], bool], Awaitable[KeptResult]] = field(repr=False)
    """Makes the call, as a local activity if the second argument is true; its errors go to the model."""
    check: Callable[[Arguments], dict[str, JsonValue]] = field(default=dict, repr=False)
    """Validates the arguments, before people are asked about them; its errors go to the model."""
    is_served: bool = False
    """True if the worker serves a tool of that name, so that requests need its name alone."""
    consent: Consent | None = None
    limit: int | None = None
    """Calls in one run of the agent."""

    @property
    def name(self) -> str:
        """Name that the model sees."""
        return self.spec.name


AnyOffer = Offer | AnyTool
"""A tool, or an offer that was made of one."""


def offered(tool: AnyOffer) -> Offer:
    """Return the offer of a tool.

    Raises:
        InputInvalid: it is no tool.
    """
    if isinstance(tool, Offer):
        return tool
    a_tool("tools", tool)
    consent = Consent() if tool.approval else None
    return Offer(
        spec=tool.spec, call=partial(call_for_agent, tool), check=tool.checked, is_served=True, consent=consent
    )


def renamed(tool: AnyOffer, name: str, *, description: str | None = None) -> Offer:
    """Offer a tool under another name, and with another description if one is given."""
    offer = offered(tool)
    changes: dict[str, Any] = {"name": name, "description": description or offer.spec.description}  # Any: texts
    spec = ToolSpec.model_validate({**dict(offer.spec), **changes})
    return replace(offer, spec=spec, is_served=offer.is_served and spec == offer.spec)


def prefixed(tools: Sequence[AnyOffer], prefix: str) -> list[Offer]:
    """Offer tools under names with a prefix, so that those of two sources do not collide: `crm_search`."""
    return [renamed(tool, f"{prefix}{offered(tool).name}") for tool in tools]


def only(tools: Sequence[AnyOffer], names: Sequence[str]) -> list[Offer]:
    """Offer some of the tools of a source, by name.

    Raises:
        InputInvalid: the source has no tool of one of the names.
    """
    known = {offer.name: offer for offer in map(offered, tools)}
    if unknown := [name for name in names if name not in known]:
        raise invalid("names", f"there is no tool {unknown[0]!r}; there are {', '.join(known) or 'none'}")
    return [known[name] for name in names]


def limited(tool: AnyOffer, calls: int) -> Offer:
    """Offer a tool for a number of calls in one run of the agent; further ones are refused.

    Raises:
        InputInvalid: `calls` is less than 1.
    """
    if calls < 1:
        raise invalid("calls", f"calls={calls}: give 1 or more")
    return replace(offered(tool), limit=calls)


def approved(
    tool: AnyOffer,
    when: When | None = None,
    *,
    approvers: Sequence[str] | None = None,
    timeout: timedelta | None = None,
) -> Offer:
    """Offer a tool whose calls people approve first. The question has the tool's name, arguments and the reason.

    An approver may approve all further calls of the tool in the run: with the form `{"again": true}`. What is rejected
    goes to the model as the call's result.

    Args:
        tool: The tool.
        when: Function of the arguments that says if a call needs approval; a text is the reason that people see. By
            default, every call needs it. It is workflow code, so it has to be deterministic.
        approvers: See `flow.approval`.
        timeout: Time until the call is refused because nobody decided. No limit by default.
    """
    people = None if approvers is None else tuple(approvers)
    return replace(offered(tool), consent=Consent(when=when, approvers=people, timeout=timeout))
