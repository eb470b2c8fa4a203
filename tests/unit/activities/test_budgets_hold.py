"""No budget is passed, however a vendor bills within its price list and the limits of the request.

The vendor of these tests keeps its own books, and bills each request as much as it may: a token for each byte of its
input, in the dearest kind and tier, and all of its output. What it bills for an answer that never arrives, it does not
say.
"""

import asyncio
import dataclasses
import random
import unicodedata
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType

import pytest
from pydantic import JsonValue
from temporalio.testing import ActivityEnvironment

from llmflow.activities.completions import Completions
from llmflow.activities.conversations.threads import Threads
from llmflow.activities.fleet import Fleet
from llmflow.activities.vendors import Vendors, VendorsByApp
from llmflow.errors import AnswerLost, BudgetExceeded, BudgetReserved, RateLimited
from llmflow.prompts.files import load_prompts
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.pricing.price_list import load_price_list
from llmflow.providers.pricing.prices import Prices
from llmflow.stores.budgets.reservations import Budgets
from llmflow.stores.database import Database
from llmflow.stores.ledger.calls import Calls
from llmflow.stores.ledger.outbox import Outbox
from llmflow.stores.prompts.registry import Registry
from llmflow.types.budgets import Budget
from llmflow.types.completions import CompletionRequest
from llmflow.types.messages import Image, Message, Text
from llmflow.types.models import ModelOptions, ModelRequest, ModelResponse
from llmflow.types.origins import Origin
from llmflow.types.providers import DeltaSink
from llmflow.types.usage import Usage

PRICES = """
v:m:
  {input: 2.5, cached: 0.25, cache_write: 3.125, output: 15, reasoning: 18, tiers: {
    flex: {input: 1.25, cached: 0.125, cache_write: 1.5625, output: 7.5, reasoning: 9},
    priority: {input: 5, cached: 0.5, cache_write: 6.25, output: 30, reasoning: 36}}}
"""
TIERS = MappingProxyType({"flex": ("flex", "default"), "default": ("default",), "priority": ("priority", "default")})
FACTORS = MappingProxyType({"flex": Decimal("0.5"), "default": Decimal(1), "priority": Decimal(2)})
ATTEMPTS = 4
LATER = timedelta(days=1)
TEXTS = ("tea and toast ", "\N{CJK UNIFIED IDEOGRAPH-8336}", "\N{TEACUP WITHOUT HANDLE}", "\ufdfa", "\x01", "{}\n")


class Killed(Exception):
    """The worker of the attempt died: it records nothing."""


class Vendor:
    """Bills as much as it may, and answers as `behave` says."""

    def __init__(self, chance: random.Random, behave: Callable[[random.Random], BaseException | None]) -> None:
        self.chance, self.behave = chance, behave
        self.bills: defaultdict[str | None, Decimal] = defaultdict(Decimal)
        self.asked = 0

    async def complete(self, request: ModelRequest, sink: DeltaSink) -> ModelResponse:
        self.asked += 1
        await asyncio.sleep(0)
        extra = request.options.extra or {}
        asked = str(extra.get("service_tier") or request.options.service_tier or "auto")
        tier = self.chance.choice(TIERS.get(asked, ("default", "priority")))
        usage, usd = self._most(request)
        usd *= FACTORS[tier]
        ending = self.behave(self.chance)
        if not isinstance(ending, RateLimited):  # which is free
            self.bills[request.tenant] += usd
        if ending:
            raise ending
        return ModelResponse(text="ok", model="m", usage=usage, service_tier=tier)

    async def close(self) -> None:
        """Nothing is open."""

    def _most(self, request: ModelRequest) -> tuple[Usage, Decimal]:
        extra = request.options.extra or {}
        parts = [part for message in request.messages for part in message.parts]
        texts = [part.text for part in parts if isinstance(part, Text)]
        pictures = sum(isinstance(part, Image) for part in parts)
        input = sum(max(len(t.encode()), len(unicodedata.normalize("NFKC", t).encode())) for t in texts)
        input += 900 + 16_384 * pictures
        limit = extra.get("max_tokens") or request.options.max_output_tokens or 10**7
        output = int(str(limit)) * int(str(extra.get("n", 1)))
        written, reasoned = self.chance.choice((0, input)), self.chance.choice((0, output))
        usd = (input - written) * Decimal("2.5") + written * Decimal("3.125") + (output - reasoned) * 15 + reasoned * 18
        usage = Usage(input_tokens=input, cache_write_tokens=written, output_tokens=output, reasoning_tokens=reasoned)
        return usage, usd.scaleb(-6)


class House:
    """Runs' calls on one store, whose vendor keeps its own books."""

    def __init__(self, database: Database, folder: Path, vendor: Vendor) -> None:
        self.database, self.vendor = database, vendor
        (folder / "say.prompt").write_text("---\nmodel: v:m\n---\nuser:\n{{ text }}\n")
        (folder / "prices.yaml").write_text(PRICES)
        prompts = load_prompts(folder, "hold")
        self.prompt = prompts.get("hold/say").ref
        self.calls = Calls(database, Outbox(folder / "outbox"))
        vendors = Vendors(
            models=ModelCatalogue.only("v"),
            providers={"v": vendor},
            prices=Prices(load_price_list(folder / "prices.yaml")),
        )
        self.budgets = Budgets(database)
        by_app = VendorsByApp({"hold": vendors})
        registry = Registry(database, prompts)
        threads = Threads(database, registry)
        self.activity = Completions(registry, by_app, {}, self.calls, self.budgets, threads, Fleet())

    async def call(self, budget: Budget, name: str, text: str, options: ModelOptions, *pictures: Image) -> None:
        """Make a call with all its attempts, as Temporal would."""
        request = CompletionRequest(
            prompt=self.prompt,
            model="v:m",
            variables={"text": text},
            messages=(Message.user(*pictures),) if pictures else (),
            options=options,
            origin=Origin(root=budget.id, tenant=budget.id, budget=budget),
        )
        failures = attempt = 0
        while failures < ATTEMPTS:
            attempt += 1
            environment = ActivityEnvironment()
            environment.info = dataclasses.replace(
                environment.info,
                activity_id=name,
                attempt=attempt,
                workflow_id=budget.id,
                workflow_run_id=budget.id,
                start_to_close_timeout=timedelta(minutes=1),
            )
            try:
                await environment.run(self.activity.complete, request)
            except BudgetReserved:
                await asyncio.sleep(0.001)
            except (AnswerLost, RateLimited, Killed, asyncio.CancelledError):
                failures += 1
            except BudgetExceeded:
                return
            else:
                return

    async def settled(self, budget: Budget) -> Decimal:
        """Return what the budget has spent, once attempts of killed workers are closed."""
        await self.calls.sweep(datetime.now(UTC) + LATER)
        return await self.budgets.spent(budget)


def lost(chance: random.Random) -> BaseException | None:
    return AnswerLost("the stream broke")


def cancelled(chance: random.Random) -> BaseException | None:
    return asyncio.CancelledError()


def good(chance: random.Random) -> BaseException | None:
    return None


def any_of_them(chance: random.Random) -> BaseException | None:
    return chance.choice((None, None, AnswerLost("no whole answer"), RateLimited("slow down"), Killed()))


WAYS: dict[str, tuple[Callable[[random.Random], BaseException | None], ModelOptions, int]] = {
    "long answers": (good, ModelOptions(), 0),
    "tiers": (good, ModelOptions(service_tier="auto", max_output_tokens=500), 0),
    "cache writes": (good, ModelOptions(max_output_tokens=1), 0),
    "images": (good, ModelOptions(max_output_tokens=1), 1),
    "timeouts and broken streams": (lost, ModelOptions(max_output_tokens=500), 0),
    "cancelled": (cancelled, ModelOptions(max_output_tokens=500), 0),
    "several answers": (good, ModelOptions(extra={"n": 4, "max_tokens": 300, "service_tier": "flex"}), 0),
    "hosted tools": (good, ModelOptions(extra={"tools": [{"type": "web_search"}]}), 0),
}


@pytest.mark.parametrize("way", WAYS)
async def test_24_calls_at_once_stay_inside(tmp_path: Path, way: str) -> None:
    behave, options, pictures = WAYS[way]
    async with Database(str(tmp_path / "llmflow.db")) as database:
        house = House(database, tmp_path, Vendor(random.Random(way), behave))
        budget = Budget(usd="0.25", id=way)
        shown = [Image(url="https://pictures.test/tea.png")] * pictures
        text = "\N{TEACUP WITHOUT HANDLE}" * 500
        await asyncio.gather(*(house.call(budget, f"c#{at}", text, options, *shown) for at in range(24)))
        assert house.vendor.bills[way] <= await house.settled(budget) <= budget.usd
        assert (house.vendor.asked > 0) is (way != "hosted tools")
        if way != "hosted tools":
            assert house.vendor.bills[way] > budget.usd / 4, "the bound would be too far above what can be billed"


async def test_no_tree_passes_its_budget(tmp_path: Path) -> None:
    """200 trees of up to 6 calls: branches at once and one after the other, of any size, with every ending."""
    chance = random.Random(13)
    async with Database(str(tmp_path / "llmflow.db")) as database:
        house = House(database, tmp_path, Vendor(chance, any_of_them))

        async def tree(number: int) -> None:
            budget = Budget(usd=chance.choice(("0.02", "0.1", "0.25", "1")), id=f"tree-{number}")
            for level in range(chance.randint(1, 2)):
                names = [f"{level}.{branch}#1" for branch in range(chance.randint(1, 3))]
                await asyncio.gather(*(house.call(budget, name, *_asked(chance)) for name in names))
            billed, spent = house.vendor.bills[budget.id], await house.settled(budget)
            assert billed <= spent <= budget.usd, number

        for first in range(0, 200, 20):
            await asyncio.gather(*(tree(number) for number in range(first, first + 20)))
        assert house.vendor.asked > 200
        assert sum(house.vendor.bills.values()) > 5


def _asked(chance: random.Random) -> tuple[str, ModelOptions]:
    extra: dict[str, JsonValue] = {}
    if chance.random() < 0.2:
        extra["n"] = chance.randint(1, 4)
    if chance.random() < 0.2:
        extra["max_tokens"] = chance.randint(1, 3000)
    if chance.random() < 0.3:
        extra["service_tier"] = chance.choice(("flex", "priority", "auto", "default"))
    limit = chance.choice((None, 1, 200, 2000))
    return chance.choice(TEXTS) * chance.randint(1, 1500), ModelOptions(max_output_tokens=limit, extra=extra or None)


async def test_a_bill_beyond_the_limits_is_recorded_whole_and_closes_the_budget(tmp_path: Path) -> None:
    async with Database(str(tmp_path / "llmflow.db")) as database:
        vendor = Vendor(random.Random(1), good)
        house, budget = House(database, tmp_path, vendor), Budget(usd="0.25", id="b")
        options = ModelOptions(max_output_tokens=100)

        async def greedy(request: ModelRequest, sink: DeltaSink) -> ModelResponse:
            usage = Usage(input_tokens=10, output_tokens=1000)  # it ignores the limit
            return ModelResponse(text="ok", model="m", usage=usage, service_tier="default")

        vendor.complete, honest = greedy, vendor.complete
        await house.call(budget, "c#1", "hi", options)
        assert await house.settled(budget) == Decimal("0.015025")
        vendor.complete = honest
        await house.call(budget, "c#2", "hi", options)
        assert vendor.asked == 0
