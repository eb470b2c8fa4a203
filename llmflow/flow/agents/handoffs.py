"""Handoffs: the tool by which an agent hands over, and what the other agent begins with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import BaseModel, JsonValue, TypeAdapter, ValidationError
from pydantic_core import to_json, to_jsonable_python

from llmflow.errors import ToolArgumentsInvalid
from llmflow.flow.agents.agent import Handoff
from llmflow.flow.agents.calls import Result, failed
from llmflow.flow.conversations.conversation import Conversation
from llmflow.flow.prompts import Variables
from llmflow.types.conversations import Answered
from llmflow.types.messages import Message, ToolCall
from llmflow.types.problems import described
from llmflow.types.tools import ToolSpec


class HandoffReason(BaseModel):
    """Words of a model with a handoff, unless the handoff has a type of its own."""

    reason: str


@dataclass(frozen=True)
class HandedOver:
    """A handoff that an agent has made."""

    handoff: Handoff
    data: Mapping[str, JsonValue]

    @property
    def variables(self) -> Variables:
        """Variables of the other agent's prompt."""
        make = self.handoff.variables
        return cast(Variables, make(self.data)) if make else {}

    @property
    def messages(self) -> Sequence[Message]:
        """Message to the other agent, if it does not read what was said."""
        return (Message.user(to_json(self.data).decode()),) if self.handoff.keeps == "none" else ()

    def begin(self, conversation: Conversation) -> int | None:
        """Leave out what the other agent does not read; return the number of turns that it does, `None` for all."""
        if self.handoff.keeps == "none":
            conversation.forget()
        return self.handoff.keeps if isinstance(self.handoff.keeps, int) else None


def transfer(handoff: Handoff) -> ToolSpec:
    """Return the tool that hands over."""
    what = f": {handoff.agent.description}" if handoff.agent.description else ""
    return ToolSpec(
        name=handoff.name,
        description=f"Hand the conversation over to {handoff.agent.name}{what}. Call no other tool with it.",
        json_schema=cast(dict[str, JsonValue], _data(handoff).json_schema()),
    )


def handed_over(
    calls: Sequence[ToolCall], handoffs: Mapping[str, Handoff]
) -> tuple[Sequence[Result], HandedOver | None]:
    """Hand over by the first call that does; all other calls of the turn are not made, and their results say so."""
    first = next(call for call in calls if call.name in handoffs)
    handoff = handoffs[first.name]
    try:
        data = to_jsonable_python(_data(handoff).validate_json(to_json(first.values())))
    except (ToolArgumentsInvalid, ValidationError) as error:
        problem = error.message if isinstance(error, ToolArgumentsInvalid) else described(error)
        return [
            failed(call, problem if call is first else f"not called, as {first.name} failed") for call in calls
        ], None
    done = f"handed over to {handoff.agent.name}"
    results = [
        Result(Answered(id=call.id, text=done)) if call is first else failed(call, f"not called: {done}")
        for call in calls
    ]
    return results, HandedOver(handoff, cast(dict[str, JsonValue], data))


def _data(handoff: Handoff) -> TypeAdapter[Any]:  # Any: the type that the user gives
    return TypeAdapter(handoff.data or HandoffReason)
