"""`llmflow cost`, `llmflow cost reprice`, `llmflow prompts compare`: out of a ledger, without a server."""

import asyncio
import csv
import io
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from llmflow.stores.database import Database
from llmflow.stores.ledger.rows import LOST
from llmflow.stores.ledger.scores import new_score, put_score
from tests.helpers.command_line import Done, call
from tests.helpers.ledger import call_of, keep

Call = Callable[..., Done]
OLD, NEW = "aaaaaaaaaaaa", "bbbbbbbbbbbb"


async def fill(path: Path, at: datetime) -> None:
    async with Database(str(path)) as database:
        await keep(
            database,
            call_of("a", usd="0.1", at=at, tags=("blue", "red"), tenant="acme"),
            call_of("b", usd="0.0000001", at=at, tags=("blue",), version=NEW),
            call_of("c", usd=None, at=at, answered="openai:new"),
            call_of("d", outcome="RateLimited", at=at),
            call_of("e", outcome=LOST, at=at),
            call_of("f", usd="20", at=at - timedelta(days=9)),
            call_of("g", usd="300", at=at - timedelta(days=59)),
        )
        for run, value in {"a": 0.5, "f": 0.7, "b": 1.0}.items():
            await put_score(database, new_score(run, "helpful", value, "ana", None))


@pytest.fixture
def yesterday() -> datetime:
    """Time of the last calls. The days of a test begin and end a day or more before or after a call."""
    return datetime.now(UTC) - timedelta(days=1)


@pytest.fixture
def llmflow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], yesterday: datetime
) -> Call:
    """A command line with a ledger of its own."""
    monkeypatch.setenv("LLMFLOW_STORE", str(tmp_path / "ledger.db"))
    monkeypatch.setenv("COLUMNS", "120")
    asyncio.run(fill(tmp_path / "ledger.db", yesterday))
    return lambda *arguments: call(capsys, *arguments)


def lines(done: Done) -> list[list[str]]:
    assert done.code == 0, done.err
    return [line.split() for line in done.out.splitlines() if line.strip()]


def test_by_default_it_shows_thirty_days_by_model(
    llmflow: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("LLMFLOW_STORE", "ledger.db")
    done = llmflow("cost")
    heading, *rows = lines(done)
    assert heading == ["model", "calls", "tokens", "in", "cached", "out", "cost", "unpriced", "failed", "lost"]
    assert rows == [
        ["openai:gpt-5.4", "3", "300", "120", "60", "$20.10", "0", "1", "1"],
        ["openai:new", "1", "100", "40", "20", "unknown", "1", "0", "0"],
        ["total", "4", "400", "160", "80", "$20.10", "1", "1", "1"],
    ]
    assert re.search(r"since \d{4}-\d\d-\d\d, UTC", done.err)
    assert str(tmp_path / "ledger.db") in "".join(done.err.split("\n")), "wherever one looks from"
    assert "1 call of unknown price: not in the cost" in done.err
    assert "1 call cut or lost: the vendor may bill them, too" in done.err


@pytest.mark.parametrize(
    ("options", "usd"),
    [
        (["--since", "7d"], "0.1000001"),
        (["--since", "90d"], "320.1000001"),
        (["--until", "30d"], "300"),
        (["--since", "20d", "--until", "7d"], "20"),
        (["--since", "48h"], "0.1000001"),
        (["--until", "48h", "--since", "30d"], "20"),
        (["--since", "today"], "0"),
        (["--run", "g"], "300"),
        (["--tenant", "acme"], "0.1"),
        (["--tag", "blue"], "0.1000001"),
        (["--prompt", f"hello/greet@{NEW}"], "0.0000001"),
        (["--model", "openai:new"], "0"),
        (["--workflow", "Greeter", "--tenant", "acme", "--model", "openai:new"], "0"),
    ],
)
def test_options_choose_calls(llmflow: Call, options: list[str], usd: str) -> None:
    assert llmflow("cost", "--json", *options).json()["total"]["usd"] == usd


def test_days_choose_calls(llmflow: Call, yesterday: datetime) -> None:
    day = str((yesterday - timedelta(days=9)).date())
    assert llmflow("cost", "--json", "--since", day, "--until", day).json()["total"]["usd"] == "20"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--run", "aa"], "no call of run `aa` (did you mean `a`?)"),
        (["--workflow", "Gret", "--json"], "no call of workflow `Gret` (did you mean `Greeter`?)"),
        (["--tag", "bleu", "--csv"], "no call of tag `bleu` (did you mean `blue`?). It has calls of: "),
        (["reprice", "--tenant", "amce"], "no call of tenant `amce` (did you mean `acme`?). It has calls of: acme"),
        (["--prompt", "hello/gret", "--since", "48h"], "no call of prompt `hello/gret` (did you mean `hello/greet`?)"),
    ],
)
def test_a_name_that_the_ledger_does_not_know_is_an_error(llmflow: Call, options: list[str], said: str) -> None:
    done = llmflow("cost", *options)
    assert (done.code, done.out) == (4, "")
    assert said in done.err


def test_a_run_may_have_no_call_yet(llmflow: Call) -> None:
    assert "from its first model call on: `llmflow status new` asks Temporal" in llmflow("cost", "--run", "new").err


def test_json_has_rows_and_total(llmflow: Call, yesterday: datetime) -> None:
    day = str(yesterday.date())
    report = llmflow("cost", "--json", "--by", "prompt,day", "--since", day).json()
    assert (report["by"], report["filter"]["since"]) == (["prompt", "day"], day)
    assert [(row["key"], row["usd"]) for row in report["rows"]] == [
        ({"prompt": f"hello/greet@{OLD}", "day": day}, "0.1"),
        ({"prompt": f"hello/greet@{NEW}", "day": day}, "0.0000001"),
    ]
    assert report["total"]["usage"]["input_tokens"] == 300


def test_csv_has_a_row_for_each_and_exact_money(llmflow: Call) -> None:
    done = llmflow("cost", "--csv", "--by", "tag,tenant", "--since", "7d")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [(row["tag"], row["tenant"], row["calls"], row["usd"]) for row in rows] == [
        ("blue", "acme", "1", "0.1"),
        ("red", "acme", "1", "0.1"),
        ("blue", "", "1", "0.0000001"),
        ("", "", "1", "0"),
    ]
    assert rows[-1]["unpriced_calls"] == "1"


def test_csv_has_no_formula_of_a_stranger(tmp_path: Path, llmflow: Call, yesterday: datetime) -> None:
    async def keep_some() -> None:
        async with Database(str(tmp_path / "ledger.db")) as database:
            formulas = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "acme")
            await keep(database, *(call_of(f"f{n}", tenant=text, at=yesterday) for n, text in enumerate(formulas)))

    asyncio.run(keep_some())
    rows = csv.DictReader(io.StringIO(llmflow("cost", "--csv", "--by", "tenant").out))
    assert {row["tenant"] for row in rows} == {"", "acme", "'=1+1", "'+1", "'-1", "'@SUM(A1)", "'\t=1"}


def test_months_and_days_are_those_of_a_zone(llmflow: Call, yesterday: datetime) -> None:
    day = yesterday.astimezone(ZoneInfo("Pacific/Kiritimati"))
    options = ("--zone", "Pacific/Kiritimati", "--since", str(day.date()))
    report = llmflow("cost", "--json", "--by", "month,day", *options).json()
    assert (report["zone"], report["rows"][0]["key"]) == (
        "Pacific/Kiritimati",
        {"month": f"{day:%Y-%m}", "day": str(day.date())},
    )
    assert f"since {day:%Y-%m-%d} 00:00, Pacific/Kiritimati" in llmflow("cost", *options).err


def test_an_export_has_what_is_known_and_tells_the_rest(llmflow: Call) -> None:
    done = llmflow("cost", "export", "--focus")
    rows = list(csv.DictReader(io.StringIO(done.out)))
    assert [row["BilledCost"] for row in rows] == ["20", "0.0000001", "0.1"]
    assert "3 rows, $20.10" in done.err
    assert "1 of unknown price are not in it; 1 cut or lost are not in it" in done.err
    assert llmflow("cost", "export").code == 2
    empty = llmflow("cost", "export", "--focus", "--until", "2020-01-01")
    assert (empty.code, empty.out, "0 rows" in empty.err) == (0, "", True)


def test_rows_of_several_tags_are_explained(llmflow: Call) -> None:
    done = llmflow("cost", "--by", "tag")
    assert lines(done)[-1][:2] == ["total", "4"]
    assert "a call is in the row of each of its tags, and once in the total" in done.err


def test_which_calls_failed_and_why(llmflow: Call) -> None:
    done = llmflow("cost", "--by", "error,user", "--since", "48h")
    heading, *rows = lines(done)
    assert heading[:2] == ["error", "user"]
    assert [row[0] for row in rows] == ["-", "RateLimited", "lost", "total"]
    assert heading[-2:] == ["failed", "lost"]
    assert rows[1][-2:] == ["1", "0"]
    assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d, UTC", done.err)


def test_an_empty_ledger_says_so(llmflow: Call) -> None:
    done = llmflow("cost", "--until", "2020-01-01")
    assert (done.code, done.out) == (0, "")
    assert "no calls · until 2020-01-01, UTC" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["cost", "--by", "modl"], "'modl' is none (did you mean `model`?)"),
        (["cost", "--since", "yesterday"], "is not a time"),
        (["cost", "--since", "9999999999999d"], "is not a time"),
        (["cost", "--until", "9999999999999h"], "is not a time"),
        (["cost", "--json", "--csv"], "both cannot be on stdout"),
        (["cost", "--since", "7d", "reprice"], "write the options after `reprice`"),
        (["cost", "reprice", "--prices", "nowhere.yaml"], "does not exist"),
    ],
)
def test_wrong_usage(llmflow: Call, arguments: list[str], said: str) -> None:
    done = llmflow(*arguments)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.replace("│", " ").split())


def test_compare_stands_versions_side_by_side(llmflow: Call) -> None:
    done = llmflow("prompts", "compare", "hello/greet")
    rows = {line.split("  ")[0]: line for line in done.out.splitlines()}
    assert f"{OLD} *" in done.out.splitlines()[0]
    assert NEW in done.out.splitlines()[0]
    assert "20.0 % (3.6 to 62.4)" in rows["failures"]
    assert "1 (0.207 to 1), 1 run" in rows["helpful"]
    assert "0.6 (-0.671 to 1.87), 2 runs" in rows["helpful"]
    assert f"{NEW}: no difference shown yet" in done.err


def test_compare_as_json(llmflow: Call) -> None:
    found = llmflow("prompts", "compare", "hello/greet", "--by", "model", "--json").json()
    assert (found["prompt"], found["by"], len(found["rows"])) == ("hello/greet", "model", 1)


def test_compare_of_an_unknown_prompt(llmflow: Call) -> None:
    done = llmflow("prompts", "compare", "hello/gret")
    assert done.code == 4
    assert "did you mean `hello/greet`?" in done.err
