"""Approvers of a demo: they are asked what its run asks, and decide as its script says."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.text import Text

from llmflow.cli.output import err, plural, when
from llmflow.dev.demos import ScriptedDecision
from llmflow.errors import LLMFlowError, NoWorker
from llmflow.service.runs import AnyRun
from llmflow.types.approvals import Question


class People:
    """Send each decision once, when its question is open and its time has come, and print what the approvers see."""

    def __init__(self, run: AnyRun, decisions: Sequence[ScriptedDecision]) -> None:
        self._run = run
        self._decisions = list(decisions)
        self._told: set[tuple[str, int, str]] = set()

    async def decide(self) -> tuple[Question, ...]:
        """Read the questions once, print them, and send decisions that are due. Return all questions so far."""
        try:
            questions = (await self._run.approvals()).questions
        except NoWorker:  # it has not begun, or its worker is busy: the next read shows them
            return ()
        for question in questions:
            self._tell(question)
            for one in self._due(question):
                await self._say(one)
        return questions

    def _due(self, question: Question) -> Iterator[ScriptedDecision]:
        if question.status == "open":
            for one in list(self._decisions):
                if one.decide.approval == question.name and datetime.now(UTC) >= question.asked_at + one.after:
                    self._decisions.remove(one)
                    yield one

    async def _say(self, one: ScriptedDecision) -> None:
        decide = one.decide
        said = Text.assemble((f"  {decide.by} ", "bold"), "approves" if decide.approved else "rejects")
        said.append(f" {decide.approval}")
        if decide.comment:
            said.append(f": {decide.comment}", "italic")
        try:
            receipt = await self._run.decide(**dict(decide))
        except LLMFlowError as error:
            said.append(f" (refused: {error.message})", "yellow")
        else:
            if receipt.missing:
                said.append(f" ({receipt.missing} more {plural(receipt.missing, 'yes')} needed)", "dim")
        err.print(said, soft_wrap=True)

    def _tell(self, question: Question) -> None:
        """Print a line when a question is asked, escalated, or ended without a decision."""
        now = (question.name, question.level, question.status)
        if now in self._told:
            return
        self._told.add(now)
        if question.status == "open":
            err.print(_asked(question), soft_wrap=True)
        elif question.status in ("expired", "withdrawn"):
            err.print(Text(f"  {question.name}: {question.status}", "yellow"), soft_wrap=True)


def _asked(question: Question) -> Text:
    who = " or ".join(question.approvers) or "anybody"
    needs = f"{question.quorum} of {', '.join(question.approvers)}" if question.quorum > 1 else who
    until = f", until {when(question.deadline)}" if question.deadline else ""
    verb = "is now also asked of" if question.level else "waits for"
    return Text.assemble(("  ? ", "cyan"), (question.name, "bold"), f" {verb} {needs}{until}")
