"""Sums of the ledger: exact, of the selected calls, each call in one count."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from llmflow.errors import BY_CODE
from llmflow.stores.database import Database
from llmflow.stores.ledger.rows import ANSWERED, CANCELLED, CHARGED, LOST, REFUSED, REUSED
from llmflow.stores.reports.costs import cost_report
from llmflow.stores.reports.daily_costs import daily_costs
from llmflow.types.base import changed
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptSource
from llmflow.types.refs import PromptRef
from llmflow.types.reports import CallFilter, CostReport, Dimension, Spent
from llmflow.types.usage import Cost, CostParts, Usage
from tests.helpers.calls import NOON
from tests.helpers.ledger import call_of, keep

EVERYTHING = CallFilter()
COUNTS = ("calls", "failed_calls", "lost_calls", "unasked_calls", "reused_calls", "charges")


def keys(report: CostReport, dimension: Dimension) -> dict[str | None, Decimal]:
    return {row.key[dimension]: row.usd for row in report.rows}


async def test_tokens_and_money_add_up(database: Database) -> None:
    await keep(database, call_of("a"), call_of("b", usd="0.02"))
    report = await cost_report(database, EVERYTHING, ["model"])
    [row] = report.rows
    assert row.usage == Usage(input_tokens=200, output_tokens=40, cache_read_tokens=80)
    assert (row.calls, row.usd, row.unpriced_calls, row.repriced_usd) == (2, Decimal("0.03"), 0, None)
    assert row.model_dump(exclude={"key"}) == report.total.model_dump()


async def test_money_is_exact_where_floats_are_not(database: Database) -> None:
    usd = ["0.1", "0.2", "0.000000000001", "12345.67"]
    await keep(database, *(call_of(f"run-{place}", usd=one) for place, one in enumerate(usd * 10)))
    groups: list[list[Dimension]] = [["run"], ["tag"], []]
    for by in groups:
        report = await cost_report(database, EVERYTHING, by)
        assert report.total.usd == Decimal("123459.70000000001")


@pytest.mark.parametrize(
    ("outcome", "count"),
    [
        (ANSWERED, "calls"),
        (REFUSED, "calls"),
        (LOST, "lost_calls"),
        (CANCELLED, "lost_calls"),
        (REUSED, "reused_calls"),
        (CHARGED, "charges"),
        ("AnswerLost", "lost_calls"),
        ("AnswerUnreadable", "lost_calls"),
        *((error.__name__, "unasked_calls") for error in BY_CODE.values() if error.refusal),
        ("BudgetExceeded", "unasked_calls"),
        ("ProviderUnavailable", "failed_calls"),
        ("VariablesInvalid", "failed_calls"),
    ],
)
async def test_each_attempt_is_in_one_count(database: Database, outcome: str, count: str) -> None:
    await keep(database, call_of("a", outcome=outcome))
    total = (await cost_report(database, EVERYTHING, ["model"])).total
    assert {name: getattr(total, name) for name in COUNTS} == {name: int(name == count) for name in COUNTS}


async def test_parts_of_costs_and_what_was_saved_add_up(database: Database) -> None:
    one = {"input_usd": "0.004", "output_usd": "0.005", "cache_saved_usd": "-0.0001", "tier_saved_usd": "0.01"}
    parts = CostParts.model_validate(one)
    await keep(
        database,
        call_of("a", parts=parts, tags=("x", "y")),
        call_of("b", parts=parts),
        call_of("c", usd="0.5"),  # a bill of the vendor
        call_of("d", outcome=REUSED, reused_usd=Decimal("0.25")),
    )
    groups: list[list[Dimension]] = [["model"], ["tag"], []]
    for by in groups:
        total = (await cost_report(database, EVERYTHING, by)).total
        assert {name: getattr(total, name) for name in one} == {name: 2 * Decimal(usd) for name, usd in one.items()}
        assert (total.calls, total.usd, total.undivided_usd) == (3, Decimal("0.52"), Decimal("0.5"))
        assert (total.reused_calls, total.reused_usd) == (1, Decimal("0.25"))
    by_error = await cost_report(database, EVERYTHING, ["error"])
    assert [row.key for row in by_error.rows] == [{"error": None}]


@pytest.mark.parametrize("by", [["model"], ["tag"], []])
async def test_an_unknown_price_is_counted_and_never_taken_for_free(database: Database, by: list[Dimension]) -> None:
    await keep(database, call_of("a", usd=None), call_of("b"), call_of("c", usd="0"))
    total = (await cost_report(database, EVERYTHING, by)).total
    assert (total.calls, total.usd, total.unpriced_calls) == (3, Decimal("0.01"), 1)


async def test_what_failed_has_no_price_to_be_unknown(database: Database) -> None:
    await keep(database, call_of("a", outcome="RateLimited"), call_of("b", outcome=LOST))
    assert (await cost_report(database, EVERYTHING, ["model"])).total.unpriced_calls == 0


async def test_rows_by_each_dimension(database: Database) -> None:
    origin = Origin(root="parent", user="ana", item="C-1042")
    child = call_of("child", usd="2", version="bbbbbbbbbbbb", answered="openai:gpt-5.4-2026-03-05", origin=origin)
    await keep(
        database,
        call_of("parent", usd="1", tenant="acme"),
        child.model_copy(update={"source": PromptSource(label="staging", arm="b")}),
        call_of("other", usd="4", at=NOON + timedelta(days=1), outcome="RateLimited"),
    )
    wanted: dict[Dimension, dict[str | None, int]] = {
        "run": {"parent": 3, "other": 0},
        "day": {"2026-07-01": 3, "2026-07-02": 0},
        "month": {"2026-07": 3},
        "tenant": {"acme": 1, None: 2},
        "workflow": {"Greeter": 3},
        "prompt": {"hello/greet@aaaaaaaaaaaa": 1, "hello/greet@bbbbbbbbbbbb": 2},
        "model": {"openai:gpt-5.4": 1, "openai:gpt-5.4-2026-03-05": 2},
        "tag": {None: 3},
        "error": {None: 3, "RateLimited": 0},
        "user": {"ana": 2, None: 1},
        "item": {"C-1042": 2, None: 1},
        "label": {"staging": 2, "production": 1},
        "arm": {None: 1, "b": 2},
    }
    assert wanted.keys() == {*get_args(Dimension)}
    for dimension, rows in wanted.items():
        assert keys(await cost_report(database, EVERYTHING, [dimension]), dimension) == rows


async def test_days_and_months_of_a_time_zone(database: Database) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    hours = ["2026-03-28T22:59", "2026-03-28T23:00", "2026-03-29T21:59", "2026-03-29T22:00", "2026-10-31T23:30"]
    moments = [datetime.fromisoformat(hour).replace(tzinfo=UTC) for hour in hours]
    await keep(database, *(call_of(hour, usd="1", at=at) for hour, at in zip(hours, moments, strict=True)))
    report = await cost_report(database, EVERYTHING, ["day"], berlin)
    assert (keys(report, "day"), report.zone) == (
        {"2026-11-01": 1, "2026-03-30": 1, "2026-03-29": 2, "2026-03-28": 1},
        "Europe/Berlin",
    )
    assert keys(await cost_report(database, EVERYTHING, ["month"], berlin), "month") == {"2026-11": 1, "2026-03": 4}
    assert keys(await cost_report(database, EVERYTHING, ["month"]), "month") == {"2026-10": 1, "2026-03": 4}
    nothing = CallFilter(since=date(2030, 1, 1))
    assert (await cost_report(database, nothing, ["day"], berlin)).rows == ()


async def test_there_is_no_ceiling(database: Database) -> None:
    most = Decimal("9000000.000000000001")
    await keep(database, *(call_of(f"run-{n}", usd=str(most)) for n in range(3)))
    assert (await cost_report(database, EVERYTHING, ["model"])).total.usd == 3 * most


async def test_what_is_lost_costs_a_range(database: Database) -> None:
    low, high = Decimal("0.01"), Decimal("0.3")
    lost = [call_of(f"run-{n}", outcome=LOST) for n in range(3)]
    await keep(
        database,
        changed(lost[0], low_usd=low, high_usd=high),
        changed(lost[1], low_usd=low, high_usd=None),
        lost[2],
        call_of("d"),
    )
    total = (await cost_report(database, EVERYTHING, ["model"])).total
    assert (total.lost_calls, total.lost_unknown_calls) == (3, 2)
    assert (total.lost_low_usd, total.lost_high_usd, total.usd) == (2 * low, high, Decimal("0.01"))


async def test_a_bill_of_a_failed_call_is_known(database: Database) -> None:
    bill = Decimal("0.25")
    kinds, cost = ("AnswerUnreadable", "RequestRejected"), Cost(usd=bill, source="vendor")
    await keep(database, *(call_of(kind, outcome=kind, cost=cost) for kind in kinds))
    total = (await cost_report(database, EVERYTHING, ["model"])).total
    assert (total.usd, total.lost_calls, total.lost_unknown_calls) == (2 * bill, 1, 0)
    assert [one.usd for one in await daily_costs(database, EVERYTHING)] == [2 * bill]


async def test_errors_are_those_of_attempts_without_an_answer_and_the_most_come_first(database: Database) -> None:
    outcomes = [ANSWERED, "RateLimited", "BudgetExceeded", LOST, "BudgetExceeded", REFUSED]
    await keep(database, *(call_of(f"run-{n}", outcome=outcome) for n, outcome in enumerate(outcomes)))
    report = await cost_report(database, EVERYTHING, ["error"])
    # An answer in which the model refuses is paid, and a report must find it.
    assert [row.key["error"] for row in report.rows] == [None, "refused", "BudgetExceeded", "RateLimited", "lost"]
    assert report.rows[2].unasked_calls == 2


async def test_rows_of_a_combination_come_newest_day_and_dearest_first(database: Database) -> None:
    later = NOON + timedelta(days=1)
    await keep(
        database,
        call_of("a", usd="9"),
        call_of("b", usd="1", tenant="x"),
        call_of("c", usd="1", at=later),
        call_of("d", usd="2", tenant="x", at=later),
    )
    report = await cost_report(database, EVERYTHING, ["tenant", "day", "tenant"])
    assert report.by == ("tenant", "day")
    assert [(*row.key.values(), row.usd) for row in report.rows] == [
        ("x", "2026-07-02", 2),
        (None, "2026-07-02", 1),
        (None, "2026-07-01", 9),
        ("x", "2026-07-01", 1),
    ]


async def test_a_call_counts_for_each_of_its_tags_and_once_in_the_total(database: Database) -> None:
    await keep(database, call_of("a", tags=("blue", "grün")), call_of("b", tags=("blue",)), call_of("c"))
    report = await cost_report(database, EVERYTHING, ["tag"])
    one = Decimal("0.01")
    assert keys(report, "tag") == {"blue": 2 * one, "grün": one, None: one}
    assert (report.total.calls, report.total.usd) == (3, 3 * one)


async def test_texts_that_postgresql_does_not_have_spoil_no_report(database: Database) -> None:
    await keep(database, call_of("a", tags=("bl\0ue",), tenant="ac\0me"), call_of("b", tags=("ha\ud800lf",)))
    report = await cost_report(database, EVERYTHING, ["tag", "tenant"])
    assert {(row.key["tag"], row.key["tenant"]) for row in report.rows} == {
        ("bl\ufffdue", "ac\ufffdme"),
        ("ha\ufffdlf", None),
    }


@pytest.mark.parametrize(
    ("filter", "runs"),
    [
        ({"since": date(2026, 7, 2)}, "bc"),
        ({"until": date(2026, 7, 2)}, "ab"),
        ({"since": date(2026, 7, 2), "until": date(2026, 7, 2)}, "b"),
        ({"since": NOON + timedelta(days=1)}, "bc"),
        ({"since": NOON + timedelta(seconds=1)}, "bc"),
        ({"until": NOON + timedelta(days=1)}, "a"),
        ({"since": NOON.astimezone(timezone(timedelta(hours=13))), "until": NOON + timedelta(seconds=1)}, "a"),
        ({"run": "b"}, "bc"),
        ({"run": "c"}, "c"),
        ({"tenant": "acme"}, "a"),
        ({"workflow": "Other"}, "b"),
        ({"prompt": "hello/greet"}, "ab"),
        ({"prompt": "hello/greet@bbbbbbbbbbbb"}, "b"),
        ({"model": "openai:gpt-5.4"}, "ac"),
        ({"model": "openai:gpt-5.4-2026-03-05"}, "c"),
        ({"tag": "blue"}, "ab"),
        ({"tag": "red", "tenant": "acme"}, ""),
        ({"tag": "blue", "tenant": "acme"}, "a"),
    ],
)
async def test_filters(database: Database, filter: dict[str, Any], runs: str) -> None:
    b = call_of("b", version="bbbbbbbbbbbb", at=NOON + timedelta(days=1), tags=("red", "blue"), answered="x:y")
    elsewhere = PromptRef(name="hello/greet-2", version="aaaaaaaaaaaa")
    await keep(
        database,
        call_of("a", tenant="acme", tags=("blue",)),
        b.model_copy(update={"id": b.id.model_copy(update={"workflow_type": "Other"}), "model_asked": "x:z"}),
        call_of("c", root="b", at=NOON + timedelta(days=2), prompt=elsewhere, answered="openai:gpt-5.4-2026-03-05"),
    )
    report = await cost_report(database, CallFilter(**filter), ["model", "prompt", "workflow"])
    assert report.total.calls == len(runs)


async def test_an_empty_ledger_has_no_rows(database: Database) -> None:
    for report in [
        await cost_report(database, EVERYTHING, ["model"]),
        await cost_report(database, EVERYTHING, ["tag"]),
    ]:
        assert (report.rows, report.total) == ((), Spent())
