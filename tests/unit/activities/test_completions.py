"""One attempt of a call: what it asks, what it records, and what an earlier attempt spares it."""

import asyncio
import dataclasses
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import select, text
from temporalio.testing import ActivityEnvironment

from llmflow.activities.completions import MARGIN, Completions, request_hash
from llmflow.activities.conversations.threads import Threads
from llmflow.activities.fleet import Fleet
from llmflow.activities.vendors import Vendors, VendorsByApp
from llmflow.errors import (
    AnswerUnreadable,
    ErrorDetail,
    LLMFlowError,
    ModelNotFound,
    RateLimited,
    StoreUnavailable,
    VariablesInvalid,
)
from llmflow.prompts.files import load_prompts
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.pricing.price_list import load_price_list
from llmflow.providers.pricing.prices import Prices
from llmflow.stores.budgets.reservations import Budgets
from llmflow.stores.database import Database
from llmflow.stores.ledger.calls import Calls
from llmflow.stores.ledger.outbox import Outbox
from llmflow.stores.ledger.rows import Call
from llmflow.stores.prompts.registry import Registry
from llmflow.stores.schema import calls as rows
from llmflow.types.budgets import Budget
from llmflow.types.completions import CompletionRequest, CompletionResult
from llmflow.types.models import Billed, ModelRequest, ModelResponse
from llmflow.types.origins import Origin
from llmflow.types.prompts import PromptSource
from llmflow.types.providers import DeltaSink
from llmflow.types.refs import PromptRef
from llmflow.types.usage import Usage
from tests.helpers.waiting import until

ANSWER = ModelResponse(text="good day", model="big-1", usage=Usage(input_tokens=10, output_tokens=5))


class Vendor:
    """Counts, and answers when it may."""

    def __init__(self) -> None:
        self.requests: list[ModelRequest] = []
        self.answer: ModelResponse | LLMFlowError = ANSWER
        self.asked = asyncio.Event()
        self.may = asyncio.Event()
        self.may.set()

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        self.requests.append(request)
        self.asked.set()
        await self.may.wait()
        if isinstance(self.answer, LLMFlowError):
            raise self.answer
        return self.answer

    async def close(self) -> None:
        """Nothing is open."""


async def nothing() -> None:
    """Do nothing meanwhile."""


class Watched(Calls):
    """Lets something happen before the store is checked, and before a call is recorded."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        super().__init__(database, outbox)
        self.before_check: Callable[[], Awaitable[None]] = nothing
        self.before_record: Callable[[], Awaitable[None]] = nothing

    async def check(self) -> None:
        await self.before_check()
        await super().check()

    async def record(self, call: Call) -> None:
        await self.before_record()
        await super().record(call)


class Bench:
    """The activity on a store of its own."""

    def __init__(self, database: Database, folder: Path) -> None:
        self.database = database
        self.vendor = Vendor()
        (folder / "greet.prompt").write_text("---\nmodel: test:big\n---\nuser:\nGreet {{ name }}.\n")
        self.prompts = load_prompts(folder, "hello")
        self.outbox = Outbox(folder / "outbox")
        self.calls = Watched(database, self.outbox)
        registry = Registry(database, self.prompts)
        (folder / "prices.yaml").write_text("test:*: {input: 0, output: 100}\n")
        prices, models = Prices(load_price_list(folder / "prices.yaml")), ModelCatalogue.only("test")
        vendors = Vendors(models=models, providers={"test": self.vendor}, prices=prices)
        self.activity = Completions(
            registry,
            VendorsByApp({"hello": vendors}),
            {},
            self.calls,
            Budgets(database),
            Threads(database, registry),
            Fleet(),
        )
        self.request = CompletionRequest(
            prompt=self.prompts.get("hello/greet").ref, model="test:big", variables={"name": "ana"}
        )

    async def attempt(
        self,
        number: int,
        within: timedelta = timedelta(minutes=1),
        address: tuple[str, str] | None = None,
        **changes: object,
    ) -> CompletionResult:
        """Make an attempt; `address` has the run id and the activity id."""
        environment = ActivityEnvironment()
        info = dataclasses.replace(environment.info, attempt=number, start_to_close_timeout=within)
        if address:
            info = dataclasses.replace(info, workflow_run_id=address[0], activity_id=address[1])
        environment.info = info
        return await environment.run(self.activity.complete, self.request.model_copy(update=changes))

    async def outcomes(self) -> list[str]:
        query = select(rows.c.outcome).order_by(rows.c.activity_id, rows.c.attempt)
        return [*await self.database.read(lambda connection: connection.scalars(query).all())]

    async def rename(self, before: str, after: str) -> None:
        """Without its table of calls, the store cannot be used."""
        statement = text(f"ALTER TABLE {before} RENAME TO {after}")
        await self.database.write(lambda connection: connection.execute(statement))


@pytest.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    async with Database(str(tmp_path / "llmflow.db")) as database:
        yield Bench(database, tmp_path)


async def test_an_answer_is_recorded(bench: Bench) -> None:
    result = await bench.attempt(1, origin=Origin(tenant="acme"))
    assert (result.text, result.model) == ("good day", "test:big-1")
    assert await bench.outcomes() == ["answered"]
    [asked] = bench.vendor.requests
    assert asked.tenant == "acme"


async def test_what_was_paid_is_not_paid_again(bench: Bench) -> None:
    first = await bench.attempt(1)
    assert await bench.attempt(2) == first
    assert len(bench.vendor.requests) == 1
    assert await bench.outcomes() == ["answered", "reused"]


async def test_an_attempt_that_left_nothing_was_lost(bench: Bench) -> None:
    await bench.attempt(3)
    assert await bench.outcomes() == ["lost", "lost", "answered"]


async def test_a_failure_has_a_row_and_is_asked_again(bench: Bench) -> None:
    bench.vendor.answer = RateLimited("slow down")
    with pytest.raises(RateLimited):
        await bench.attempt(1)
    bench.vendor.answer = ANSWER
    await bench.attempt(2)
    assert await bench.outcomes() == ["RateLimited", "answered"]


@pytest.mark.parametrize(("reported", "usd", "source"), [(None, "0.0005", "prices.yaml"), ("0.7", "0.7", "vendor")])
async def test_the_bill_of_a_failure_is_in_its_row(bench: Bench, reported: str | None, usd: str, source: str) -> None:
    billed = Billed(
        model="big-1",
        usage=Usage(input_tokens=10, output_tokens=5, web_searches=0),
        reported_usd=Decimal(reported) if reported else None,
        base_url="https://me:key@vendor.test/v1",
    )
    detail = ErrorDetail(billed=billed.model_dump(mode="json", exclude_defaults=True))
    bench.vendor.answer = AnswerUnreadable("odd", detail)
    with pytest.raises(AnswerUnreadable):
        await bench.attempt(1)
    found = await bench.database.read(lambda connection: connection.execute(select(rows)).one())
    assert (found.outcome, found.input_tokens, found.output_tokens) == ("AnswerUnreadable", 10, 5)
    assert (found.usd, found.low_usd, found.high_usd) == (Decimal(usd), None, None)
    assert found.price_source.startswith(source)
    assert "key" not in found.base_url


async def test_a_refusal_of_the_model_is_paid_once(bench: Bench) -> None:
    bench.vendor.answer = ANSWER.model_copy(update={"finish_reason": "refused"})
    first = await bench.attempt(1)
    assert await bench.attempt(2) == first
    assert await bench.outcomes() == ["refused", "reused"]


async def test_a_mistake_has_a_row(bench: Bench) -> None:
    with pytest.raises(VariablesInvalid):
        await bench.attempt(1, variables={})
    assert await bench.outcomes() == ["VariablesInvalid"]


async def test_a_provider_that_this_worker_lacks_is_for_another_worker_and_leaves_no_row(bench: Bench) -> None:
    with pytest.raises(ModelNotFound, match="this worker has no provider 'nobody'") as refused:
        await bench.attempt(1, model="nobody:big")
    assert refused.value.detail.elsewhere
    assert not refused.value.may_pass
    assert await bench.outcomes() == []


async def test_without_a_store_no_model_is_asked(bench: Bench) -> None:
    async def away() -> None:
        raise StoreUnavailable("away")

    bench.database.check = away  # what it does with real databases is in test_store_away.py
    with pytest.raises(StoreUnavailable):
        await bench.attempt(1)
    assert bench.vendor.requests == []
    assert await bench.outcomes() == []
    del bench.database.check
    await bench.attempt(2)
    assert await bench.outcomes() == ["StoreUnavailable", "answered"]


async def test_a_store_that_goes_away_meanwhile_costs_no_answer(bench: Bench) -> None:
    bench.vendor.may.clear()
    call = asyncio.create_task(bench.attempt(1))
    await bench.vendor.asked.wait()
    await bench.rename("calls", "gone")
    bench.vendor.may.set()
    assert (await call).text == "good day"
    await bench.rename("gone", "calls")
    assert await bench.outcomes() == []
    assert (await bench.attempt(2)).text == "good day"  # its worker died before Temporal had it
    assert len(bench.vendor.requests) == 1
    assert await bench.outcomes() == ["answered", "reused"]


async def test_an_answer_that_the_store_does_not_take_still_arrives(bench: Bench) -> None:
    bench.vendor.answer = ANSWER.model_copy(update={"usage": Usage(input_tokens=10**30)})
    assert (await bench.attempt(1)).usage.input_tokens == 10**30
    assert [path.suffix for path in bench.outbox.folder.iterdir()] == [".refused"]


async def test_a_cancelled_call_has_a_row(bench: Bench) -> None:
    bench.vendor.may.clear()
    call = asyncio.create_task(bench.attempt(1))
    await bench.vendor.asked.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    assert await bench.outcomes() == ["cancelled"]


async def test_who_is_cancelled_after_the_answer_has_paid_for_it(bench: Bench) -> None:
    calls: list[asyncio.Task[CompletionResult]] = []

    async def cancelled_meanwhile() -> None:
        calls[0].cancel()

    bench.calls.before_record = cancelled_meanwhile
    calls.append(asyncio.create_task(bench.attempt(1)))
    with pytest.raises(asyncio.CancelledError):
        await calls[0]
    assert await until(bench.outcomes) == ["answered"]  # written by the batch, although its caller is gone


async def test_the_time_that_the_store_took_is_not_the_vendors(bench: Bench) -> None:
    bench.calls.before_check = lambda: asyncio.sleep(0.2)
    await bench.attempt(1)
    [asked] = bench.vendor.requests
    assert asked.timeout <= 60 - MARGIN.total_seconds() - 0.2


async def test_a_store_that_took_the_vendors_time_is_asked_again(bench: Bench) -> None:
    bench.calls.before_check = lambda: asyncio.sleep(0.5)
    with pytest.raises(StoreUnavailable, match=r"only -\d+\.\d s of 0\.5 s are left for the model"):
        await bench.attempt(1, within=timedelta(seconds=1))  # half of it is for the vendor
    assert bench.vendor.requests == []
    bench.calls.before_check = nothing
    await bench.attempt(2)
    assert await bench.outcomes() == ["StoreUnavailable", "answered"]


async def test_an_attempt_that_nobody_ended_is_lost_until_it_answers(bench: Bench) -> None:
    budget = Budget(usd=Decimal("0.50"), id="a-run")
    bench.vendor.may.clear()
    call = asyncio.create_task(bench.attempt(1, origin=Origin(budget=budget)))
    await bench.vendor.asked.wait()
    await bench.calls.sweep(datetime.now(UTC) + timedelta(minutes=1))
    assert await bench.outcomes() == [], "it may still run"

    await bench.calls.sweep(datetime.now(UTC) + timedelta(minutes=3))
    assert await bench.outcomes() == ["lost"]
    assert await Budgets(bench.database).spent(budget) == Decimal("0.4096")  # 4,096 tokens of an answer

    bench.vendor.may.set()
    result = await call
    assert await bench.outcomes() == ["answered"]
    assert await Budgets(bench.database).spent(budget) == result.cost.usd == Decimal("0.0005")


REQUEST = CompletionRequest(
    prompt=PromptRef(name="hello/greet", version="0123456789ab"),
    model="test:big",
    variables={"name": "ana", "tags": ["b", "a"], "more": {"z": 1, "y": None}},
)


@pytest.mark.parametrize(
    ("change", "same"),
    [
        ({"origin": Origin(root="r", tenant="acme", user="ana", tags=("a",))}, True),
        ({"source": PromptSource(label="production", arm="b")}, True),
        ({"variables": {"name": "bo"}}, False),
        ({"model": "test:small"}, False),
        ({"prompt": PromptRef(name="hello/greet", version="ba9876543210")}, False),
        ({"repair": 1}, False),
        ({"tools": ("search",)}, False),
    ],
)
def test_the_hash_names_what_is_asked_and_not_who_asks(change: dict[str, object], same: bool) -> None:
    assert (request_hash(REQUEST) == request_hash(REQUEST.model_copy(update=change))) is same


def test_the_hash_is_the_same_in_every_process() -> None:
    script = (
        "import sys; from llmflow.activities.completions import request_hash; "
        "from llmflow.types.completions import CompletionRequest; "
        "print(request_hash(CompletionRequest.model_validate_json(sys.argv[1])))"
    )

    def hashed(seed: str) -> str:
        command = [sys.executable, "-c", script, REQUEST.model_dump_json()]
        environment = {"PYTHONHASHSEED": seed, "PYTHONPATH": ":".join(sys.path)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout.strip()

    assert {hashed("1"), hashed("2")} == {request_hash(REQUEST)}
