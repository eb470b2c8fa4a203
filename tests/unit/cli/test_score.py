"""`llmflow score` without a Temporal server; the rest is in tests/integration."""

import asyncio
from pathlib import Path

import pytest

from llmflow.stores.database import Database
from tests.helpers.command_line import call
from tests.helpers.ledger import call_of, keep


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run"], "Missing argument 'NAME'"),
        (["run", "helpful"], "Missing argument 'VALUE'"),
        (["run", "helpful", "good"], "Invalid value for 'VALUE'"),
        (["run", "helpful", "inf"], "a score is a finite number"),
        (["run", " ", "1"], "a score needs a name"),
    ],
)
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    done = call(capsys, "score", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.replace("│", " ").split())


def test_a_server_is_asked_only_for_a_run_that_the_ledger_does_not_know(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    store = str(tmp_path / "ledger.db")
    monkeypatch.setenv("LLMFLOW_STORE", store)
    monkeypatch.setenv("TEMPORAL_ADDRESS", "127.0.0.1:1")

    async def fill() -> None:
        async with Database(store) as database:
            await keep(database, call_of("child", root="long-ago"))

    asyncio.run(fill())
    for run in ("long-ago", "child"):
        kept = call(capsys, "score", run, "helpful", "0.9", "--by", "ana", "--json").json()
        assert (kept["run"], kept["name"], kept["value"], kept["by"]) == ("long-ago", "helpful", 0.9, "ana")

    unknown = call(capsys, "score", "nobody", "helpful", "1")
    assert (unknown.code, unknown.out) == (3, "")
    assert "no Temporal server answers at 127.0.0.1:1" in unknown.err
