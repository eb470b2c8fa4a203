"""Names that the ledger knows, and the messages about others."""

from datetime import timedelta

import pytest

from llmflow.errors import LLMFlowError, PromptNotFound, RunNotFound
from llmflow.stores.database import Database
from llmflow.stores.reports.known_names import check_known
from llmflow.types.reports import CallFilter
from tests.helpers.calls import NOON
from tests.helpers.ledger import call_of, keep

VERSION = "aaaaaaaaaaaa"


async def fill(database: Database) -> None:
    await keep(
        database,
        call_of("parent", tenant="acme", tags=("blue", "red")),
        call_of("child", root="root", at=NOON + timedelta(hours=1), answered="openai:gpt-5.4-2026"),
    )


@pytest.mark.parametrize(
    "known",
    [
        CallFilter(),
        CallFilter(run="parent", tenant="acme", workflow="Greeter", prompt="hello/greet", model="openai:gpt-5.4"),
        CallFilter(run="child", tag="red", prompt=f"hello/greet@{VERSION}", model="openai:gpt-5.4-2026"),
        CallFilter(run="root", since=NOON + timedelta(days=1)),
    ],
)
async def test_a_known_name_is_known_whatever_else_is_asked_for(database: Database, known: CallFilter) -> None:
    await fill(database)
    await check_known(database, known)


@pytest.mark.parametrize(
    ("filter", "error", "said"),
    [
        (CallFilter(run="parnt"), RunNotFound, "no call of run `parnt` (did you mean `parent`?). A run is in it from"),
        (CallFilter(run="chld"), RunNotFound, "did you mean `child`?"),
        (CallFilter(tenant="acne"), RunNotFound, "`acne` (did you mean `acme`?). It has calls of: acme"),
        (CallFilter(workflow="x"), RunNotFound, "no call of workflow `x`. It has calls of: Greeter"),
        (CallFilter(model="gpt-5.4"), RunNotFound, "(did you mean `openai:gpt-5.4`?)"),
        (CallFilter(tag="rde"), RunNotFound, "(did you mean `red`?)"),
        (
            CallFilter(prompt="hello/gret"),
            PromptNotFound,
            "(did you mean `hello/greet`?). It has calls of: hello/greet",
        ),
        (CallFilter(prompt="hello/greet@aaaa"), PromptNotFound, f"(did you mean `hello/greet@{VERSION}`?)"),
        (CallFilter(run="parent", tag="no"), RunNotFound, "no call of tag `no`"),
    ],
)
async def test_of_an_unknown_name_the_nearest_is_said(
    database: Database, filter: CallFilter, error: type[LLMFlowError], said: str
) -> None:
    await fill(database)
    with pytest.raises(error) as raised:
        await check_known(database, filter)
    assert said in str(raised.value)


async def test_of_many_names_the_latest_are_shown(database: Database) -> None:
    runs = (call_of(f"run-{n}", tenant=f"tenant-{n}", at=NOON + timedelta(hours=n)) for n in range(7))
    await keep(database, *runs)
    with pytest.raises(RunNotFound, match=r"calls of: tenant-6, tenant-5, tenant-4, tenant-3, tenant-2 and 2 more$"):
        await check_known(database, CallFilter(tenant="x"))


async def test_an_empty_ledger_knows_none(database: Database) -> None:
    with pytest.raises(RunNotFound, match=r"no call of tenant `acme`. It has no call of any tenant"):
        await check_known(database, CallFilter(tenant="acme"))
