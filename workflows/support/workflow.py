"""Customer support: sort the ticket, and route it by its kind."""

from typing import TypeVar

from temporalio import workflow

from llmflow import flow
from llmflow.errors import ApprovalExpired, ToolRefused
from llmflow.flow import patterns
from workflows.support.schemas import Claim, RefundForm, Reply, ReplyForm, Solved, Ticket, Topic, Triage
from workflows.support.tools import find_order, pay_refund, search_handbook

F = TypeVar("F")

_LATER = "Thank you for your message. A colleague looks at it and writes to you."


@workflow.defn
class CustomerSupport:
    """Answers questions, pays money back, and lets people answer what only people should."""

    @workflow.run
    async def run(self, ticket: Ticket) -> Solved:
        """Answer a ticket. A model sorts it; people decide everything that costs money or hurts."""
        handlers = {"question": self.answer, "refund": self.refund, "complaint": self.hear}
        return await patterns.route(self.triage, handlers)(ticket)

    async def triage(self, ticket: Ticket) -> Topic:
        """Classify the ticket."""
        return (await flow.complete("support/triage", {"text": ticket.text}, output=Triage)).output.topic

    async def answer(self, ticket: Ticket) -> Solved:
        """Answer from the handbook; if it has no answer, ask a person."""
        found = await flow.call_tool(search_handbook, ticket.text)
        if not found.passages:
            return Solved(topic="question", reply=_LATER)
        asked = {"text": ticket.text, "passages": found.passages}
        reply = (await flow.complete("support/answer", asked, output=Reply)).output
        known = [passage.id for passage in found.passages]
        return Solved(topic="question", reply=reply.text, sources=[one for one in reply.sources if one in known])

    async def refund(self, ticket: Ticket) -> Solved:
        """Pay at once up to the limit; above it, an approver decides if, and how much."""
        claim = (await flow.complete("support/claim", {"text": ticket.text}, output=Claim)).output
        try:
            order = await flow.call_tool(find_order, claim.order)
        except ToolRefused as error:
            return Solved(topic="refund", reply=f"We cannot find your order: {error.message}. Please look again.")
        amount, decided_by = order.paid, list[str]()
        if order.paid > ticket.refund_limit:
            details = f"{ticket.customer} wants **{order.paid} €** back for {order.item} ({order.number})"
            decision = await self.ask(ticket, "refund", claim, RefundForm, f"{details}\n\n> {claim.reason}")
            if decision is None:
                return Solved(topic="refund", reply=_LATER)
            decided_by = [vote.by for vote in decision.votes]
            if decision.form is None:
                reply = f"We are sorry, we cannot pay back {order.item}. {decision.comment}".strip()
                return Solved(topic="refund", reply=reply, decided_by=decided_by)
            amount = min(decision.form.amount, order.paid)
        receipt = await flow.call_tool(pay_refund, order.number, amount)
        reply = f"We pay {amount} € back for {order.item}, within five working days. Receipt {receipt.number}."
        return Solved(topic="refund", reply=reply, refund=receipt, decided_by=decided_by)

    async def hear(self, ticket: Ticket) -> Solved:
        """Ask a person to answer; a model would only make it worse."""
        said = {"customer": ticket.customer, "text": ticket.text}
        decision = await self.ask(ticket, "reply", said, ReplyForm, f"{ticket.customer} is unhappy\n\n> {ticket.text}")
        if decision is None or decision.form is None:
            return Solved(topic="complaint", reply=_LATER)
        return Solved(topic="complaint", reply=decision.form.text, decided_by=[vote.by for vote in decision.votes])

    async def ask(
        self, ticket: Ticket, name: str, payload: object, form: type[F], details: str
    ) -> flow.Decision[F] | None:
        """Ask the agents, then their lead; return nothing if all miss the deadline."""
        try:
            return await flow.approval(
                name,
                payload,
                form=form,
                timeout=ticket.answer_within,
                on_timeout="escalate",
                approvers=ticket.agents,
                escalate=[ticket.lead],
                details=details,
            )
        except ApprovalExpired:
            return None
