"""The letters desk: chain, route, parallel, orchestrate and evaluate, each inside another."""

from collections.abc import Sequence

from temporalio import workflow

from llmflow.errors import GuardRejected, VoteUndecided
from llmflow.flow.patterns import (
    Evaluated,
    Reject,
    chain,
    evaluate,
    gate,
    orchestrate,
    prompt_step,
    route,
    sections,
    vote,
)
from workflows.patterns.schemas import Answer, Kind, Letter, Plan, Reply, Request, Sorted, Subject, Verdict

GOOD_ENOUGH = 8
LATER = "Thank you for your letter. A colleague reads it and writes to you."

classify = prompt_step("patterns/classify", "letter", output=Kind)
subject = prompt_step("patterns/subject", "letter", output=Subject)
split = prompt_step("patterns/split", "letter", output=Plan)
answer = prompt_step("patterns/answer", output=Answer)
judge = prompt_step("patterns/judge", "request", "answer", output=Verdict)


@workflow.defn
class LettersDesk:
    """Answers every question of a letter; a colleague answers complaints, and what the models are unsure of."""

    @workflow.run
    async def run(self, letter: Letter) -> Reply:
        """Answer a letter."""
        research = orchestrate(plan, evaluate(answer, judge, until=GOOD_ENOUGH, max_rounds=2), compose)
        reply = chain(sort, route(kind_of, {"question": research, "complaint": leave, "other": leave}), gate(is_sure))
        try:
            return await reply(letter)
        except (GuardRejected, VoteUndecided) as error:
            return Reply(text=LATER, colleague=error.message)


async def sort(letter: Letter) -> Sorted:
    """Name the kind on which three ballots agree, and meanwhile the subject."""
    voted, named = await sections(vote(classify), subject)(letter)
    return Sorted(letter=letter, kind=voted.value, subject=named.subject)


async def kind_of(letter: Sorted) -> Kind:
    """Return the label of the route."""
    return letter.kind


async def leave(letter: Sorted) -> Reply:
    """Leave a letter to a colleague: a model would make a complaint worse."""
    return Reply(subject=letter.subject, text=LATER, colleague=f"kind of the letter: {letter.kind}")


async def plan(letter: Sorted) -> list[Request]:
    """List the questions of a letter."""
    planned = await split(letter.letter)
    return [Request(question=one, facts=letter.letter.facts) for one in planned.requests]


async def compose(letter: Sorted, answers: Sequence[Evaluated[Answer, Verdict]]) -> Reply:
    """Write the reply, in the order of the plan."""
    return Reply(
        subject=letter.subject,
        text="\n\n".join(one.value.text for one in answers),
        rounds=[one.rounds for one in answers],
        unsure=sum(not one.passed for one in answers),
    )


def is_sure(reply: Reply) -> Reject | None:
    """Check, as a gate, that the judge finds every answer good enough."""
    return Reject(f"{reply.unsure} of {len(reply.rounds)} answers are not good enough") if reply.unsure else None
