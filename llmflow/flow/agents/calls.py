"""AgentCalls that a model asks for: made, refused or failed, each ends with a text for the model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, JsonValue
from temporalio.exceptions import ActivityError, ChildWorkflowError, is_cancelled_exception

from llmflow.errors import AgentError, OutputInvalid, ToolError, ToolRefused
from llmflow.flow.agents.offers import Offer
from llmflow.flow.approvals.approval import approval, rejection
from llmflow.flow.branches.branches import together
from llmflow.flow.conversations.conversation import Conversation
from llmflow.flow.failures import described
from llmflow.flow.run import current
from llmflow.types.conversations import Answered, KeptResult
from llmflow.types.messages import ToolCall

GOES_TO_THE_MODEL = (ToolError, AgentError, OutputInvalid, ActivityError, ChildWorkflowError)
"""Errors of a call that the model may mend: by other arguments, another tool, or an answer without it."""
MOST_ERROR = 1000
"""Characters of an error that the model gets."""


class Again(BaseModel):
    """Approve this call, or all further ones."""

    model_config = ConfigDict(extra="forbid")

    again: bool = Field(default=False, description="approve all further calls of this tool by the agent in this run")


@dataclass(frozen=True)
class Result:
    """A text for the model, in answer to its call."""

    answered: Answered
    is_error: bool = False


class AgentCalls:
    """Calls of one agent, from its start to its answer."""

    def __init__(self, agent: str, talk: Conversation, offers: Mapping[str, Offer]) -> None:
        """Begin to count."""
        self._agent = agent
        self._talk = talk
        self._offers = offers
        self._made: dict[str, int] = {}

    async def results(self, calls: Sequence[ToolCall], said: str) -> Sequence[Result]:
        """Make the calls of a turn in parallel, and return what the model gets for each.

        Args:
            calls: The calls.
            said: Text of the model beside them, which people read who are asked.
        """
        results: dict[int, Result] = {}

        async def make(number: int, call: ToolCall) -> None:
            results[number] = await self._result(call, said)

        await together([make(number, call) for number, call in enumerate(calls)])
        return [results[number] for number in range(len(calls))]

    async def _result(self, call: ToolCall, said: str) -> Result:
        try:
            kept = await self._made_call(call, said)
        except GOES_TO_THE_MODEL as error:
            if is_cancelled_exception(error):
                raise
            return failed(call, described(error)[:MOST_ERROR])
        if kept.content:
            return Result(Answered(id=call.id, content=kept.content, size=kept.size))
        return Result(Answered(id=call.id, text=kept.text))

    async def _made_call(self, call: ToolCall, said: str) -> KeptResult:
        offer = self._offers.get(call.name)
        if offer is None:
            raise ToolRefused(f"there is no tool {call.name!r}; there are {', '.join(self._offers) or 'none'}")
        arguments = call.values()
        self._made[offer.name] = made = self._made.get(offer.name, 0) + 1
        if offer.limit is not None and made > offer.limit:
            raise ToolRefused(f"{offer.name} was called {offer.limit} times already, which is its limit here")
        await self._ask_people(offer, arguments, said)
        return await offer.call(arguments, offer.name in self._talk.local)

    async def _ask_people(self, offer: Offer, arguments: dict[str, JsonValue], said: str) -> None:
        consent, run = offer.consent, current()
        if consent is None:
            return
        asked = ":".join((self._agent, offer.name, *(consent.approvers or ())))
        if run.conversations.is_allowed(asked):
            return
        if (reason := consent.reason(offer.check(arguments))) is None:
            return
        quoted = said and "The model says:\n\n" + "\n".join(f"> {line}" for line in said.splitlines())
        decision = await approval(
            offer.name,
            arguments,
            form=Again,
            approvers=consent.approvers,
            timeout=consent.timeout,
            on_timeout="reject" if consent.timeout else "raise",
            details="\n\n".join(filter(None, (f"{self._agent} asks to call {offer.name}", reason, quoted))),
        )
        if not decision.approved:
            raise ToolRefused(rejection(decision))
        if decision.form and decision.form.again:
            run.conversations.allow(asked)


def failed(call: ToolCall, error: str) -> Result:
    """Return the result of a call that failed."""
    return Result(Answered(id=call.id, text=f"Error: {error}"), is_error=True)
