"""`llmflow cost` over a large ledger: the whole command, as a person waits for it, and its parts."""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

from sqlalchemy import insert

from bench.figures import Figure
from bench.processes import started
from llmflow.stores.database import Database
from llmflow.stores.reports.costs import cost_report
from llmflow.stores.schema import calls
from llmflow.types.reports import CallFilter

CALLS = 100_000
BATCH = 2_000
ROUNDS = 9
COMMAND = "from llmflow.cli.script import main; main()"
IMPORTS = "import llmflow.cli.main, llmflow.cli.commands.cost"
DAYS = CallFilter(since=(datetime.now(UTC) - timedelta(days=29)).date())


async def measure() -> list[Figure]:
    """Write an SQLite ledger of `CALLS` calls in the last 30 days, five a run, of three prompts and two models."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "llmflow.db")
        async with Database(str(path)) as database:
            for start in range(0, CALLS, BATCH):
                rows = list(_rows(start))
                await database.write(lambda connection, rows=rows: connection.execute(insert(calls), rows))
            query = await _median(lambda: cost_report(database, DAYS, ["model"]))
        command = await _median(lambda: _ended("-c", COMMAND, "cost", "--json", store=path))
        imports = await _median(lambda: _ended("-c", IMPORTS, store=path))
    name = f"llmflow cost, {CALLS:,} calls"
    return [
        Figure(name=name, unit="s", llmflow=command, limit=1.0, limits="value"),
        Figure(name="of it the start of Python and imports", unit="s", llmflow=imports),
        Figure(name="of it the query", unit="s", llmflow=query),
    ]


async def _median(work: Callable[[], Awaitable[object]]) -> float:
    """Return seconds; the first time, which compiles, does not count."""
    took: list[float] = []
    for number in range(ROUNDS + 1):
        begun = perf_counter()
        await work()
        if number:
            took.append(perf_counter() - begun)
    return median(took)


async def _ended(*arguments: str, store: Path) -> None:
    code = await (await started(*arguments, env={"LLMFLOW_STORE": str(store)})).wait()
    assert code == 0, arguments


def _rows(start: int) -> Iterator[dict[str, Any]]:  # Any: what the columns take
    now = datetime.now(UTC)
    for number in range(start, start + BATCH):
        at = now - timedelta(days=29) * (number / CALLS)
        failed = number % 29 == 0
        model = "openai:gpt-5.4" if number % 2 else "openai:gpt-5.4-mini"
        yield {
            "run_id": f"0199aa00-0000-7000-8000-{number // 5:012d}",
            "activity_id": f"write[{number % 5}]/complete#1",
            "attempt": 1,
            "workflow_id": f"research-{number // 5}",
            "root_id": f"research-{number // 5}",
            "workflow_type": "ResearchAssistant",
            "request_hash": f"{number:064x}",
            "outcome": "ProviderUnavailable" if failed else "answered",
            "prompt": ("research/plan", "research/write", "research/check")[number % 3],
            "version": "0123456789ab",
            "model_asked": model,
            "model": None if failed else f"{model}-2026-03-05",
            "response_id": None if failed else f"resp_{number:048x}",
            "base_url": "https://api.openai.com/v1",
            "repair": 0,
            "at": at,
            "day": at.date(),
            "latency_ms": None if failed else 900 + number % 800,
            "input_tokens": 0 if failed else 1200 + number % 9,
            "output_tokens": 0 if failed else 300,
            "cache_read_tokens": 0 if failed else 100,
            "cache_write_tokens": 0,
            "reasoning_tokens": 0 if failed else 50,
            "input_audio_tokens": 0,
            "output_audio_tokens": 0,
            "usd": None if failed else Decimal("0.0012345"),
            "price_source": None if failed else "genai-prices 0.2.3",
            "tenant": f"tenant-{number % 20}",
            "tags": ["nightly", "blue"],
        }
