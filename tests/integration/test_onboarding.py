"""Onboarding: weeks that pass in no time, with answers, without answers, and with some."""

import json
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from llmflow.client import Run
from llmflow.testing import Environment, ScriptedProvider, activities_of, assert_replays, environment
from llmflow.types.contracts import DECIDE
from workflows.onboarding.app import app
from workflows.onboarding.demo import show
from workflows.onboarding.office import effect
from workflows.onboarding.schemas import Hire, Journey, Letter
from workflows.onboarding.workflow import Onboard

HIRE = Hire(name="mia", role="developer", text="Sam meets you at nine.")
LETTER = Letter(lines=["Sam meets you at nine."])
ACCOUNTS = [f"accounts/create_account#{number}" for number in (1, 2, 3)]

Effects = Callable[[], list[tuple[str, Any]]]  # Any: JSON


@pytest.fixture(autouse=True)
def effects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Effects:
    """Events in the office: kind and subject, in order."""
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))

    def read() -> list[tuple[str, Any]]:  # Any: as above
        with closing(sqlite3.connect(tmp_path / "onboarding.db")) as file:
            return [(kind, json.loads(what)) for kind, what in file.execute("SELECT kind, what FROM effects")]

    return read


@pytest.fixture
async def env(temporal: str) -> AsyncIterator[Environment]:
    async with environment(app, ScriptedProvider(lambda _: LETTER), address=temporal) as env:
        yield env


async def onboarded(env: Environment, answers: Sequence[Mapping[str, object]], hire: Hire = HIRE) -> Run[Journey]:
    """A run that has been given these answers: at once, so that they come before its questions, or just after.

    All the time that it may take has passed for it.
    """
    run = await env.client.start(Onboard.run, hire, id=env.id())
    for answer in answers:
        await run.handle.signal(DECIDE.name, {"approved": True, **answer})
    await env.skip(run, timedelta(days=100))
    return run


async def way(run: Run[Journey]) -> list[str]:
    return [one.target for one in (await run.progress()).transitions]


async def test_from_the_offer_to_the_end_of_the_first_week(env: Environment, effects: Effects) -> None:
    run = await onboarded(
        env,
        [
            {"approval": "offer", "by": "mia", "form": {"needs": ["a laptop"]}},
            {"approval": "equipment", "by": "ana"},
            {"approval": "first-week", "by": "mia", "form": {"missing": ["a headset"]}},
            {"approval": "equipment#2", "by": "ana", "approved": False},
            {"approval": "first-week#2", "by": "mia", "form": {"missing": []}},
        ],
    )

    journey = await run.result()
    assert (journey.ended, journey.letter, journey.refused) == ("done", LETTER, ["a headset"])
    assert [account.login for account in journey.accounts] == ["mia"] * 3
    assert [order.items for order in journey.orders] == [["a laptop"]]
    assert await way(run) == [
        *("invited", "accounts", "equipment", "welcome", "first week", "check"),
        *("equipment", "check", "done"),
    ]
    assert await activities_of(run) == [
        "invited/reach#1",
        *ACCOUNTS,
        "equipment/order_equipment#1",
        "welcome/complete#1",
        "first week/send_mail#1",
    ]
    assert [kind for kind, _ in effects()] == ["account", "account", "account", "order", "mail"]
    assert effects()[-1][1] == {"to": "mia", "subject": "Welcome, mia", "text": "Sam meets you at nine."}
    await assert_replays(run, app)

    shown = show(journey)
    assert "# mia has begun as developer" in shown
    assert "- not ordered: a headset" in shown


async def test_an_offer_that_nobody_answers_is_sent_twice_more(env: Environment, effects: Effects) -> None:
    run = await onboarded(env, [])

    journey = await run.result()
    assert (journey.ended, journey.reminders) == ("lapsed", 2)
    assert await way(run) == ["invited", "reminded", "invited", "reminded", "invited", "reminded", "lapsed"]
    assert await activities_of(run) == ["invited/reach#1", "reminded/send_mail#1", "reminded#2/send_mail#1"]
    asked = [(one.name, one.status) for one in (await run.approvals()).questions]
    assert asked == [("offer", "withdrawn"), ("offer#2", "withdrawn"), ("offer#3", "withdrawn")]
    assert Counter(kind for kind, _ in effects()) == {"mail": 2}
    assert "The offer was sent 3 times" in show(journey)
    await assert_replays(run, app)


async def test_an_offer_may_be_declined(env: Environment) -> None:
    run = await onboarded(env, [{"approval": "offer", "by": "mia", "approved": False}])

    assert (await run.result()).ended == "lapsed"
    assert await way(run) == ["invited", "lapsed"]
    assert await activities_of(run) == ["invited/reach#1"]


async def test_silence_orders_nothing_and_ends_well(env: Environment, effects: Effects) -> None:
    run = await onboarded(env, [{"approval": "offer", "by": "mia", "form": {"needs": ["a laptop"]}}])

    journey = await run.result()
    assert (journey.ended, journey.orders, journey.refused) == ("done", [], ["a laptop"])
    questions = {one.name: one for one in (await run.approvals()).questions}
    assert (questions["equipment"].level, questions["equipment"].approvers) == (1, ("ana", "kai"))
    assert questions["equipment"].status == "expired"
    assert Counter(kind for kind, _ in effects()) == {"account": 3, "mail": 1}
    last = (await run.progress()).transitions[-1]
    assert (last.source, last.target) == ("check", "done")
    await assert_replays(run, app)


async def test_what_is_missing_is_not_asked_for_ever(env: Environment) -> None:
    wishes = {"by": "mia", "form": {"missing": ["a pony"]}}
    rounds = ["", "#2", "#3"]
    run = await onboarded(
        env,
        [
            {"approval": "offer", "by": "mia", "form": {"needs": ["a laptop"]}},
            *({"approval": f"equipment{one}", "by": "ana"} for one in rounds),
            *({"approval": f"first-week{one}", **wishes} for one in rounds),
        ],
    )

    journey = await run.result()
    assert (journey.ended, journey.checks) == ("done", 3)
    assert [order.items for order in journey.orders] == [["a laptop"], ["a pony"], ["a pony"]]


def test_an_effect_happens_once_for_a_key(effects: Effects) -> None:
    assert effect("a", "mail", to="mia") == effect("a", "mail", to="mia") != effect("b", "mail", to="mia")
    assert effects() == [("mail", {"to": "mia"})] * 2
