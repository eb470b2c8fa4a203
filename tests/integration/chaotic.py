"""The applications in the chaos test: what their runs are given, who answers them, and what must have come of it."""

import hashlib
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from llmflow.app import App
from llmflow.dev.demos import Demo
from llmflow.types.approvals import Decide
from workflows.claims.demo import demo as claims
from workflows.claims.schemas import Report as Settlement
from workflows.digest.demo import demo as digest
from workflows.digest.schemas import Report
from workflows.onboarding.demo import demo as onboarding
from workflows.onboarding.schemas import Journey
from workflows.review.demo import demo as review
from workflows.review.schemas import Reviewed
from workflows.support.demo import demo as support
from workflows.support.schemas import Solved
from workflows.travel.demo import demo as travel
from workflows.travel.schemas import Itinerary

IN_TIME = timedelta(minutes=5)
"""For whoever answers: no machine is so slow that it would be too late."""
AWAY = timedelta(seconds=15)
"""For those who do not, and for those who are asked after them."""

LETTERS = ("C-1001", "C-1005", "C-1007", "C-1012", "C-1026")
"""Claims: paid at once, broken, approved, one whose payment fails, and one that is rejected."""

AnyDemo = Demo[Any, Any]  # Any: inputs and results of every type


@dataclass(frozen=True)
class Given:
    """A run."""

    demo: AnyDemo
    input: Any  # Any: what its workflow takes
    answers: Sequence[Decide] = ()
    """Decisions by the name of their question."""


@dataclass(frozen=True)
class Subject:
    """An application."""

    app: App
    given: Callable[[int], Given]
    """A run by its number."""
    check: Callable[[Path, Sequence[Any]], None]  # Any: results of every type
    """All results, in the order of the numbers, against the files of those outside, in this folder."""

    @property
    def name(self) -> str:
        return self.app.name


def rows(home: Path, file: str, query: str) -> list[tuple[Any, ...]]:  # Any: what SQLite has
    with closing(sqlite3.connect(home / file)) as opened:
        return opened.execute(query).fetchall()


def numbers(home: Path, file: str, table: str, letter: str) -> list[str]:
    """The receipts of what happened under each key."""
    found = rows(home, file, f"SELECT key FROM {table}")
    return sorted(f"{letter}-{hashlib.sha256(key.encode()).hexdigest()[:8]}" for (key,) in found)


def ticket(number: int) -> Given:
    """A question, a refund that an agent decides, a refund that the lead decides."""
    if number % 3 == 0:
        return Given(support, support.input.model_copy(update={"text": "Can the delivery address be changed?"}))
    by = "sam" if number % 3 == 1 else "lena"
    within = IN_TIME if by == "sam" else AWAY
    yes = Decide(approval="refund", approved=True, by=by, form={"amount": 100, "reason": "broken"})
    return Given(support, support.input.model_copy(update={"answer_within": within}), [yes])


def check_tickets(home: Path, results: Sequence[Solved]) -> None:
    for number, solved in enumerate(results):
        if number % 3 == 0:
            assert solved.sources == ["delivery.md#1"]
        else:
            assert solved.refund
            assert (solved.refund.amount, solved.decided_by) == (100, ["sam" if number % 3 == 1 else "lena"])
    paid = sorted(solved.refund.number for solved in results if solved.refund)
    assert numbers(home, "support.db", "refunds", "R") == paid, "each refund was paid once, and no other"


def trip(number: int) -> Given:
    """All goes well; the car is sold out; the price is rejected."""
    destination = "Lisbon" if number % 3 == 1 else "Porto"
    trip = travel.input.model_copy(update={"traveller": f"traveller {number}", "destination": destination})
    return Given(travel, trip, [Decide(approval="price", approved=number % 3 != 2, by="ana")])


def check_trips(home: Path, results: Sequence[Itinerary]) -> None:
    stand = {"flight": "booked", "hotel": "booked", "car": "booked"}
    sold_out = {"flight": "cancelled", "hotel": "cancelled", "car": "never booked"}
    rejected = {"flight": "cancelled", "hotel": "cancelled"}
    found = rows(home, "travel.db", "SELECT traveller, kind, status FROM bookings")
    for number, itinerary in enumerate(results):
        mine = [(kind, status) for traveller, kind, status in found if traveller == itinerary.traveller]
        assert len(dict(mine)) == len(mine), "nothing was booked twice"
        assert dict(mine) == (stand, sold_out, rejected)[number % 3]
        assert bool(itinerary.failure) == (number % 3 > 0)
        assert (len(itinerary.bookings), len(itinerary.undone)) == ((3, 0) if number % 3 == 0 else (0, 2))


def article(number: int) -> Given:
    """Sent back once, then published."""
    return Given(review, review.input, [one.decide for one in review.decisions])


def check_articles(home: Path, results: Sequence[Reviewed]) -> None:
    for reviewed in results:
        assert (sorted(reviewed.approved_by), reviewed.wishes) == (["ana", "cy"], ["What does a bed cost?"])
    published = sorted(reviewed.publication.number for reviewed in results)
    assert numbers(home, "review.db", "articles", "P") == published, "each article appeared once"


def lay_out(documents: Path) -> None:
    """Copy what the runs read into one folder, the only one that workers may read."""
    shutil.copytree(digest.input.documents, documents / "digest")
    (documents / "claims").mkdir(parents=True)
    for number in LETTERS:
        shutil.copy(Path(claims.input.documents) / f"{number}.txt", documents / "claims")


def folder(number: int) -> Given:
    """Six documents, one of them broken."""
    return Given(digest, digest.input.model_copy(update={"documents": "digest"}))


def check_digests(home: Path, results: Sequence[Report]) -> None:
    assert [one.path for one in results[0].unread] == ["06-choir.md"]
    assert results[0].digest
    assert all(report == results[0] for report in results), "the same folder, the same page"


def letters(number: int) -> Given:
    """The same five claims in each run."""
    yes = Decide(approval="payment C-1007", approved=True, by="ida", form={"cents": 90_000, "reason": "photos"})
    no = Decide(approval="payment C-1026", approved=False, by="jon")
    return Given(claims, claims.input.model_copy(update={"documents": "claims", "answer_within": IN_TIME}), [yes, no])


def check_letters(home: Path, results: Sequence[Settlement]) -> None:
    for report in results:
        assert [(one.number, one.cents) for one in report.settled] == [
            ("C-1001", 7_700),
            ("C-1007", 90_000),
            ("C-1026", 0),
        ]
        assert [one.path for one in report.unsettled] == ["C-1005.txt", "C-1012.txt"]
    paid = rows(home, "claims.db", "SELECT claim, cents FROM payments ORDER BY claim")
    assert paid == [("C-1001", 7_700), ("C-1007", 90_000)], "each approved claim was paid once, whatever asked for it"
    asked = Counter(rows(home, "claims.db", "SELECT claim, what FROM asked"))
    wanted = {("C-1001", "pay"), ("C-1007", "pay"), ("C-1012", "release"), ("C-1012", "correction")}
    assert {asked[one] for one in wanted} == {len(results)}, "no run has done it twice"
    assert not rows(home, "claims.db", "SELECT claim FROM reserves WHERE claim = 'C-1012'")


def hire(number: int) -> Given:
    """Somebody's manager is on holiday, and they lack a headset."""
    name = f"mia-{number}"
    answers = [answer.decide.model_copy(update={"by": name}) for answer in onboarding.decisions]
    by = {"equipment": "kai", "equipment#2": "ana"}
    answers = [one.model_copy(update={"by": by.get(one.approval, name)}) for one in answers]
    changes = {"name": name, "answer_within": AWAY, "check_after": timedelta(seconds=2)}
    return Given(onboarding, onboarding.input.model_copy(update=changes), answers)


def check_hires(home: Path, results: Sequence[Journey]) -> None:
    found = rows(home, "onboarding.db", "SELECT kind, what FROM effects")
    effects = Counter((kind, what.get("system"), who(what)) for kind, what in ((k, json.loads(w)) for k, w in found))
    for number, journey in enumerate(results):
        name = f"mia-{number}"
        assert (journey.ended, journey.refused) == ("done", [])
        assert [order.items for order in journey.orders] == [["a laptop", "two screens"], ["a headset"]]
        mine = {(kind, system): count for (kind, system, whose), count in effects.items() if whose == name}
        accounts = {("account", system): 1 for system in ("mail", "chat", "code")}
        assert mine == {**accounts, ("mail", None): 1, ("order", None): 2}


def who(what: dict[str, str]) -> str:
    return what.get("login") or what.get("name") or what["to"]


SUBJECTS = (
    Subject(support.app, ticket, check_tickets),
    Subject(travel.app, trip, check_trips),
    Subject(review.app, article, check_articles),
    Subject(digest.app, folder, check_digests),
    Subject(claims.app, letters, check_letters),
    Subject(onboarding.app, hire, check_hires),
)
