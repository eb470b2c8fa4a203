"""The workflows by hand: prompts are f-strings, the activity gets the finished text."""

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RetryPolicy

with workflow.unsafe.imports_passed_through():
    from bench.plain.activities import OUTLINE_FORMAT, REPLY_FORMAT, ModelActivities, ModelAnswer, ModelCall
    from bench.schemas import Mail, Outline, Reply

MODEL = "gpt-5.4"

PLAN = """\
You prepare replies to customers of a maker of kitchen machines. Read the mail and say what the customer really wants,
which tone will be right for this person on this day, and what the reply has to say, point by point, in the order in
which a friendly engineer would say it. Never promise what the mail does not allow you to promise. The warranty covers
two years and every part that is not glass; parcels for repairs are paid by us. If something can be tried at home in
five minutes without tools, it comes first."""

DRAFT = """\
You write replies to customers of a maker of kitchen machines. Write one mail that makes every point you are given, in
that order, and no other. Short sentences, no headings, no lists, no exclamation marks. Use the words that the customer
used for the parts of the machine. Say who does what and by when. Begin with what matters most to this customer, and end
with the next step. Between 120 and 180 words. Write in the language of the customer's mail."""

POLISH = """\
You are the last reader before a mail goes to a customer. Mend grammar and rhythm, keep every fact, and take out what a
tired person would skip. The tone must be the one you are given. Give the mail a subject that says what it brings. Say
how confident you are that it solves the customer's problem, from 0 to 1, and whether a person of the workshop should
look at it before it is sent: always when money beyond the warranty is promised, when a date is named that the draft
only guesses, or when the customer sounds as if they are about to give up."""


async def ask(instructions: str, input: str, text_format: dict[str, Any] | None = None) -> str:
    call = ModelCall(model=MODEL, instructions=instructions, input=input, text_format=text_format)
    answer: ModelAnswer = await workflow.execute_activity_method(
        ModelActivities.call_model,
        call,
        start_to_close_timeout=timedelta(minutes=10),
        heartbeat_timeout=timedelta(seconds=10),
        retry_policy=RetryPolicy(maximum_attempts=4),
    )
    return answer.text


@workflow.defn
class PlainChain:
    @workflow.run
    async def run(self, mail: Mail) -> Reply:
        planned = await ask(PLAN, f"Product: {mail.product}\nSubject: {mail.subject}\n\n{mail.text}", OUTLINE_FORMAT)
        outline = Outline.model_validate_json(planned)
        points = "\n".join(f"- {point}" for point in outline.points)
        draft = await ask(DRAFT, f"The customer's mail:\n\n{mail.text}\n\nPoints:\n{points}")
        polished = await ask(POLISH, f"Tone: {outline.tone}\n\nDraft:\n\n{draft}", REPLY_FORMAT)
        return Reply.model_validate_json(polished)


async def plan(mail: Mail) -> Outline:
    planned = await ask(PLAN, f"Product: {mail.product}\nSubject: {mail.subject}\n\n{mail.text}", OUTLINE_FORMAT)
    return Outline.model_validate_json(planned)


@workflow.defn
class PlainCall:
    @workflow.run
    async def run(self, mail: Mail) -> Outline:
        return await plan(mail)


@workflow.defn
class PlainFan:
    @workflow.run
    async def run(self, mails: list[Mail]) -> list[Outline]:
        return list(await asyncio.gather(*(plan(mail) for mail in mails)))
