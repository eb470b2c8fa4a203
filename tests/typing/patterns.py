# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Types that a type checker must infer of patterns, and errors that it must report. Checked, not run: see `flow.py`."""

from collections.abc import Sequence
from enum import Enum
from typing import Literal, assert_type

from pydantic import BaseModel

from llmflow import flow
from llmflow.flow.patterns import (
    Evaluated,
    Flow,
    ModelStep,
    Reask,
    Reject,
    Repair,
    Step,
    Voted,
    chain,
    evaluate,
    gate,
    guarded,
    orchestrate,
    route,
    sections,
    vote,
)
from llmflow.tools import tool


class Kind(Enum):
    REFUND = "refund"
    OTHER = "other"


class Verdict(BaseModel):
    score: int
    feedback: str
    hurts: bool


class Ticket(BaseModel):
    text: str
    answer: str = ""


class Desk:
    """Methods are steps."""

    async def classify(self, text: str) -> Kind:
        return (await flow.complete("desk/classify", {"text": text}, output=Kind)).output

    async def refund(self, text: str) -> int: ...
    async def answer(self, text: str) -> int: ...
    async def outline(self, topic: str) -> list[str]: ...
    async def write(self, parts: list[str]) -> Ticket: ...
    async def draft(self, topic: str, *, messages: Sequence[flow.Message] = ()) -> Ticket: ...
    async def judge(self, topic: str, ticket: Ticket) -> Verdict: ...
    async def triage(self, ticket: Ticket) -> Ticket: ...
    async def combine(self, topic: str, results: Sequence[Ticket]) -> int: ...
    async def work(self, part: str) -> Ticket: ...
    async def chat(self, messages: Sequence[flow.Message]) -> str: ...


async def language(text: str) -> Literal["de", "en"]: ...


@tool
async def count(text: str) -> int:
    """Count."""
    return len(text)


def short(text: str) -> Reject | None: ...
async def polite(ticket: Ticket) -> Repair[Ticket] | Reask | None: ...


async def results(desk: Desk) -> None:
    assert_type(await chain(desk.outline, desk.write)("x"), Ticket)
    assert_type(await chain(gate(short), desk.outline, desk.write)("x"), Ticket)
    assert_type(
        await chain(desk.triage, desk.triage, desk.triage, desk.triage, desk.triage, desk.triage)(Ticket(text="x")),
        Ticket,
    )
    assert_type(await chain(count)("x"), int)
    assert_type(await route(desk.classify, {Kind.REFUND: desk.refund, Kind.OTHER: desk.answer})("x"), int)
    assert_type(await route(language, {"de": desk.refund}, default=desk.answer)("x"), int)
    assert_type(await route(desk.classify, {Kind.REFUND: desk.refund, Kind.OTHER: desk.work})("x"), int | Ticket)
    assert_type(await sections(desk.outline, desk.classify, count)("x"), tuple[list[str], Kind, int])
    assert_type(await vote(desk.classify)("x"), Voted[Kind])
    assert_type(await orchestrate(desk.outline, desk.work, desk.combine)("x"), int)
    improve = evaluate(desk.draft, desk.judge, until=lambda verdict: not verdict.hurts)
    assert_type(await improve("x", messages=[flow.Message.user("shorter")]), Evaluated[Ticket, Verdict])
    assert_type(
        await Flow[Ticket](desk.triage, desk.triage, stop=lambda ticket: bool(ticket.answer))(Ticket(text="x")), Ticket
    )
    assert_type(guarded(desk.draft, before=[short], after=[polite]), ModelStep[str, Ticket])
    assert_type(guarded(desk.outline, before=[short]), Step[str, list[str]])
    assert_type(guarded(desk.chat, after=[short]), Step[Sequence[flow.Message], str])
    assert_type(guarded(count, before=[short]), Step[str, int])


async def nested(desk: Desk) -> None:
    """Patterns in patterns."""
    write = evaluate(guarded(desk.draft, after=[polite]), desk.judge, until=8)
    assert_type(await chain(gate(short), write)("x"), Evaluated[Ticket, Verdict])
    handlers = {Kind.REFUND: chain(desk.outline, desk.write), Kind.OTHER: desk.draft}
    assert_type(await vote(route(desk.classify, handlers))("x"), Voted[Ticket])


async def mistakes(desk: Desk) -> None:
    chain(desk.outline, desk.refund)  # pyright: ignore[reportArgumentType, reportCallIssue]  # expected: a list is no text
    route(desk.classify, {"refund": desk.refund})  # pyright: ignore[reportArgumentType]  # expected: a label of the enum
    evaluate(desk.outline, desk.judge, until=8)  # pyright: ignore[reportArgumentType]  # expected: takes no messages
    guarded(desk.outline, before=[polite])  # pyright: ignore[reportArgumentType, reportCallIssue]  # expected: an input
    Flow[Ticket](desk.outline)  # pyright: ignore[reportArgumentType]  # expected: another state
    await chain(count)(3)  # pyright: ignore[reportArgumentType]  # expected: not text
