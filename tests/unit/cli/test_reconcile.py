"""`llmflow cost reconcile`: the difference on the screen, as JSON, and as an exit code."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from llmflow.cli.exit import Exit
from llmflow.stores.database import Database
from tests.helpers.command_line import Done, call
from tests.helpers.ledger import call_of, keep

Call = Callable[..., Done]
REPORT = """\
usage_date_utc,model_version,usage_input_tokens_no_cache,usage_input_tokens_cache_read,usage_output_tokens
2026-07-01,claude-haiku-4-5-20251001,60,40,1220
2026-07-01,claude-opus-5,7000,0,9
"""


async def fill(path: Path) -> None:
    async with Database(str(path)) as database:
        await keep(
            database,
            call_of("a", answered="anthropic:claude-haiku-4-5"),
            call_of("b", answered="anthropic:claude-sonnet-5", usd=None),
        )


@pytest.fixture
def llmflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    monkeypatch.setenv("LLMFLOW_STORE", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("COLUMNS", "120")
    asyncio.run(fill(tmp_path / "ledger.db"))
    (tmp_path / "usage.csv").write_text(REPORT)
    return lambda *arguments: call(capsys, "cost", "reconcile", *arguments)


def test_the_screen_has_what_differs(llmflow: Call, tmp_path: Path) -> None:
    done = llmflow(str(tmp_path / "usage.csv"))
    assert done.code == Exit.FAILED
    heading, *rows = [" ".join(line.split()) for line in done.out.splitlines()]
    assert heading == "day model figure vendor ledger difference"
    assert rows == [
        "2026-07-01 claude-haiku-4-5 output tokens 1,220 20 +1,200",
        "2026-07-01 claude-opus-5 input tokens 7,000 - -",
        "2026-07-01 claude-opus-5 output tokens 9 - -",
        "2026-07-01 claude-sonnet-5 input tokens - 100 -",
        "2026-07-01 claude-sonnet-5 cached - 40 -",
        "2026-07-01 claude-sonnet-5 output tokens - 20 -",
    ]
    assert "0 of 3 days of models agree within 1.00%" in done.err
    assert "1 only the vendor has" in done.err
    assert "1 only the ledger has" in done.err


def test_it_ends_with_0_if_all_agree(llmflow: Call, tmp_path: Path) -> None:
    agreeing = REPORT.replace("1220", "20").replace("claude-opus-5,7000,0,9", "claude-sonnet-5,60,40,20")
    (tmp_path / "usage.csv").write_text(agreeing)
    found = llmflow(str(tmp_path / "usage.csv"), "--tolerance", "0", "--json").json()
    assert [row["verdict"] for row in found["rows"]] == ["agrees", "agrees"]
    assert found["rows"][1]["unpriced_calls"] == 1
    done = llmflow(str(tmp_path / "usage.csv"))
    assert (done.code, done.out) == (0, "")
    assert "2 of 2 days of models agree" in done.err


def test_a_file_that_is_no_report(llmflow: Call, tmp_path: Path) -> None:
    (tmp_path / "usage.csv").write_bytes(b"\xff\xfe\x00")
    assert llmflow(str(tmp_path / "usage.csv")).code == Exit.USAGE
    (tmp_path / "usage.csv").write_text("a,b\n1,2\n")
    done = llmflow(str(tmp_path / "usage.csv"))
    assert (done.code, "usage or the costs of OpenAI and Anthropic" in done.err) == (Exit.USAGE, True)
