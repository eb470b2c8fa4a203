"""Versions of a prompt side by side."""

from datetime import timedelta
from decimal import Decimal

import pytest

from llmflow.errors import PromptNotFound
from llmflow.stores.database import Database
from llmflow.stores.ledger.rows import CANCELLED, LOST, REFUSED, REUSED, Call
from llmflow.stores.ledger.scores import new_score, put_score
from llmflow.stores.reports.comparison import compare
from llmflow.stores.reports.intervals import mean, share
from llmflow.types.origins import Origin
from llmflow.types.refs import PromptRef
from llmflow.types.reports import CallFilter, ComparedRow, Comparison
from tests.helpers.calls import NOON
from tests.helpers.ledger import call_of, keep

OLD, NEW = "aaaaaaaaaaaa", "bbbbbbbbbbbb"
LATER = NOON + timedelta(hours=1)


async def compared(database: Database, tenant: str | None = None) -> Comparison:
    return await compare(database, "hello/greet", CallFilter(tenant=tenant))


async def rows(database: Database) -> dict[str, ComparedRow]:
    return {row.key: row for row in (await compared(database)).rows}


async def score(database: Database, run: str, value: float, by: str = "ana") -> None:
    await put_score(database, new_score(run, "helpful", value, by, None))


async def test_runs_calls_and_cost(database: Database) -> None:
    await keep(
        database,
        call_of("a", usd="1"),
        call_of("a", "complete#2", usd="2"),
        call_of("b", usd="4", root="a"),
        call_of("c", usd="8", version=NEW, at=LATER),
        call_of("c", "complete#2", usd=None, version=NEW, at=LATER),
        call_of("d", usd="9", prompt=PromptRef(name="hello/other", version=OLD)),
    )
    found = await compared(database)
    assert [row.key for row in found.rows] == [NEW, OLD], "the latest used comes first"
    new, old = found.rows
    assert (old.runs, old.calls, old.usd, old.unpriced_calls, old.usd_per_run) == (1, 3, Decimal(7), 0, Decimal(7))
    assert (new.runs, new.calls, new.usd, new.unpriced_calls, new.usd_per_run) == (1, 2, Decimal(8), 1, None)


@pytest.mark.parametrize(
    ("milliseconds", "p50", "p95"),
    [([700], 0.7, 0.7), ([100, 200], 0.1, 0.2), (range(1, 101), 0.05, 0.095), ([5, 1, 9, 3, 7], 0.005, 0.009)],
)
async def test_latency_by_nearest_rank(database: Database, milliseconds: list[int], p50: float, p95: float) -> None:
    await keep(database, *(call_of(f"r{ms}", latency=ms / 1000) for ms in milliseconds), call_of("x", outcome=LOST))
    row = (await rows(database))[OLD]
    assert (row.latency_p50, row.latency_p95) == (p50, p95)


async def test_the_first_token_of_streamed_answers(database: Database) -> None:
    streamed = [call_of(f"r{ms}", latency=9, first_token=ms / 1000) for ms in (300, 100, 200, 900)]
    await keep(database, *streamed, call_of("whole", latency=9), call_of("other", latency=9, version=NEW))
    found = await rows(database)
    assert [found[key].first_token_p50 for key in (OLD, NEW)] == [0.2, None]


async def test_a_call_fails_with_its_last_attempt(database: Database) -> None:
    await keep(
        database,
        call_of("retried", outcome="RateLimited"),
        call_of("retried", attempt=2, outcome="ProviderUnavailable"),
        call_of("retried", attempt=3),
        call_of("failed", outcome="RateLimited"),
        call_of("failed", attempt=2, outcome="RateLimited"),
        call_of("refused", outcome=REFUSED),
        call_of("cut", outcome=CANCELLED),
        call_of("gone", outcome=LOST),
        call_of("held", outcome="LimitReached"),
        call_of("poor", outcome="BudgetExceeded"),
        call_of("well"),
    )
    row = (await rows(database))[OLD]
    assert row.failures == share(2, 4)
    assert row.calls == 3, "a refusal is paid, too"


async def test_reasks_are_a_share_of_first_answers(database: Database) -> None:
    again: list[Call] = [call_of("a", "complete#2", repair=1), call_of("a", "complete#3", repair=2)]
    await keep(database, *(call_of(run) for run in "abcd"), *again)
    assert (await rows(database))[OLD].reasks == share(1, 4)


async def test_nothing_but_failures_has_no_figures(database: Database) -> None:
    await keep(database, call_of("a", outcome="RateLimited"))
    row = (await rows(database))[OLD]
    assert (row.latency_p50, row.reasks, row.usd_per_run, row.scores) == (None, None, None, {})
    assert row.failures == share(1, 1)


async def test_scores_count_once_for_each_run_and_for_each_version_that_it_used(database: Database) -> None:
    await keep(
        database,
        call_of("a"),
        call_of("a", "complete#2"),
        call_of("child", root="b"),
        call_of("both"),
        call_of("both", "complete#2", version=NEW),
    )
    await score(database, "a", 1.0, "ana")
    await score(database, "a", 0.0, "ben")
    await score(database, "b", 1.0)
    await score(database, "both", 0.6)
    await score(database, "elsewhere", 0.0)
    found = await rows(database)
    old, new = found[OLD].scores["helpful"], found[NEW].scores["helpful"]
    assert (old.n, old.value, old.low) == (3, pytest.approx(0.7), pytest.approx(mean([0.5, 0.6, 1.0]).low))
    assert (new.n, new.value) == (1, 0.6)


async def test_differences_are_shown_only_where_they_are(database: Database) -> None:
    for n in range(12):
        await keep(database, call_of(f"old-{n}"))
        await score(database, f"old-{n}", 0.5 + 0.01 * (n % 3))
    for n in range(8):
        await keep(database, call_of(f"new-{n}", version=NEW, at=LATER))
        await score(database, f"new-{n}", 0.9 + 0.01 * (n % 3))
    found = await compared(database)
    new, old = found.rows
    assert found.baseline == OLD, "which has more runs"
    assert new.scores["helpful"].verdict == "higher"
    assert new.failures and new.failures.verdict == "no difference shown yet"
    assert old.scores["helpful"].verdict is None


async def test_runs_and_their_forks_are_pairs(database: Database) -> None:
    """Runs that differ much, each a little better with the new version: only pairs show it."""
    for n in range(8):
        await keep(
            database,
            call_of(f"run-{n}"),
            call_of(f"fork-{n}", version=NEW, at=LATER, origin=Origin(fork_of=f"run-{n}")),
            call_of(f"fork-{n}", "complete#2", outcome=REUSED),
        )
        await score(database, f"run-{n}", n / 10)
        await score(database, f"fork-{n}", n / 10 + 0.05 + 0.001 * n)
    await keep(database, call_of("unscored"))
    new, old = (await compared(database)).rows
    helpful = new.scores["helpful"]
    assert (helpful.verdict, old.runs) == ("higher", 9)
    assert helpful.difference and helpful.difference.pairs == 8
    assert helpful.difference.value == pytest.approx(0.0535)
    await keep(database, *(call_of(f"more-{n}") for n in range(9)))
    await keep(database, *(call_of(f"other-{n}", version=NEW, at=LATER) for n in range(9)))
    for n in range(9):
        await score(database, f"other-{n}", n / 10)
    mixed = (await rows(database))[NEW].scores["helpful"]
    assert mixed.verdict == "no difference shown yet", "most are no pairs, so that all count as independent"


async def test_a_single_version_has_no_baseline(database: Database) -> None:
    await keep(database, call_of("a"))
    assert (await compared(database)).baseline is None


async def test_models_can_stand_side_by_side(database: Database) -> None:
    await keep(
        database,
        call_of("a", answered="openai:gpt-5.4-2026-03-05"),
        call_of("b", outcome="RateLimited"),
        call_of("c", model_asked="openai:gpt-5.5", at=LATER),
    )
    found = await compare(database, "hello/greet", CallFilter(), "model")
    assert [(row.key, row.failures) for row in found.rows][1] == ("openai:gpt-5.4", share(1, 2))
    assert found.rows[0].key == "openai:gpt-5.5"


async def test_cost_per_run_is_of_runs_that_it_answered(database: Database) -> None:
    broken = [call_of(f"broken-{n}", outcome="ProviderUnavailable") for n in range(9)]
    await keep(database, *broken, call_of("a", usd="2"), call_of("a", "complete#2", usd="1"), call_of("b", usd="1"))
    [row] = (await compare(database, "hello/greet", CallFilter(), "model")).rows
    assert (row.runs, row.usd_per_run) == (11, 2)


async def test_a_filter_without_calls_leaves_no_rows(database: Database) -> None:
    elsewhere = PromptRef(name="hello/other", version=OLD)
    await keep(database, call_of("a"), call_of("b", tenant="acme", prompt=elsewhere))
    assert (await compared(database, tenant="acme")).rows == ()


async def test_an_unknown_prompt_is_not_found(database: Database) -> None:
    await keep(database, call_of("a"))
    with pytest.raises(PromptNotFound, match=r"hello/gret.*did you mean `hello/greet`"):
        await compare(database, "hello/gret", CallFilter())
