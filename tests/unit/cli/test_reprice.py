"""`llmflow cost reprice`: its price list, and its report of unknown prices."""

import asyncio
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from llmflow.stores.database import Database
from tests.helpers.command_line import Done, call
from tests.helpers.ledger import call_of, keep

Call = Callable[..., Done]
MODEL = "local:gpt-5.4"  # of a provider that no public list has
APP = """\
from pathlib import Path

from llmflow.app import App

app = App(name="mine", workflows=[], prices=Path(__file__).with_name("prices.yaml"))
"""


async def fill(path: Path) -> None:
    async with Database(str(path)) as database:
        await keep(
            database,
            call_of("a", usd="0.1", model_asked=MODEL, answered=MODEL),
            call_of("b", usd=None, model_asked=MODEL, answered=MODEL),
            call_of("c", usd="0.3", model_asked="local:old", answered="local:old"),
        )


@pytest.fixture
def llmflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """A command line with a ledger, and a prices.yaml by which each call of one model costs a dollar."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    monkeypatch.setenv("LLMFLOW_STORE", "ledger.db")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.delenv("LLMFLOW_PRICES", raising=False)
    (tmp_path / "prices.yaml").write_text(f"{MODEL}: {{input: 10000, output: 0}}\n")
    asyncio.run(fill(tmp_path / "ledger.db"))
    return lambda *arguments: call(capsys, *arguments)


def rows(done: Done) -> list[list[str]]:
    assert done.code == 0, done.err
    return [line.split() for line in done.out.splitlines()[1:]]


def repriced(llmflow: Call, run: str) -> str | None:
    return llmflow("cost", "--run", run, "--json").json()["total"]["repriced_usd"]


def test_it_shows_the_difference_and_writes_it_beside(llmflow: Call) -> None:
    dry = llmflow("cost", "reprice", "--prices", "prices.yaml", "--run", "a", "--dry-run")
    assert rows(dry) == [[MODEL, "1", "$0.10", "$1.00", "+$0.90"]]
    assert "nothing was written" in dry.err
    assert repriced(llmflow, "a") is None

    assert llmflow("cost", "reprice", "--prices", "prices.yaml", "--json").json()["written"] is True
    total = llmflow("cost", "--since", "2026-01-01", "--json").json()["total"]
    assert (total["usd"], Decimal(total["repriced_usd"])) == ("0.4", Decimal("2.3"))
    assert llmflow("cost", "--run", "a").out.splitlines()[1].split()[-1] == "$1.00"


def test_what_nobody_knows_is_unknown_and_makes_no_difference(llmflow: Call) -> None:
    some = llmflow("cost", "reprice", "--prices", "prices.yaml")
    assert rows(some) == [
        ["local:old", "1", "$0.30", "0", "unknown", "1", "-"],
        [MODEL, "2", "$0.10", "1", "$2.00", "0", "+$0.90"],
    ]
    assert "1 call of unknown price today: not in the difference" in some.err

    nothing = llmflow("cost", "reprice")
    assert rows(nothing)[1] == [MODEL, "2", "$0.10", "1", "unknown", "2"]
    assert Decimal(repriced(llmflow, "a") or 0) == 1, "what the prices.yaml knew stays"


def test_prices_are_those_of_the_app_or_of_the_environment(
    llmflow: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = f"mine_{tmp_path.name}"  # a module is imported once in a process
    (tmp_path / f"{module}.py").write_text(APP)
    by_app = llmflow("cost", "reprice", "--dry-run", "--app", f"{module}:app", "--run", "a")
    assert rows(by_app) == [[MODEL, "1", "$0.10", "$1.00", "+$0.90"]]

    (tmp_path / "dearer.yaml").write_text(f"{MODEL}: {{input: 20000, output: 0}}\n")
    monkeypatch.setenv("LLMFLOW_PRICES", "dearer.yaml")
    dearer = llmflow("cost", "reprice", "--dry-run", "--app", f"{module}:app", "--run", "a")
    assert rows(dearer)[0][3] == "$2.00", "as a worker of the App would take them"
    given = llmflow("cost", "reprice", "--dry-run", "--prices", "prices.yaml", "--run", "a")
    assert rows(given)[0][3] == "$1.00"
