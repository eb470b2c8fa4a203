"""Many runs that wait for approvals: the inbox of all, and the time from a decision to its run."""

from statistics import median
from time import perf_counter
from uuid import uuid4

from bench.chain import at_once
from bench.figures import Figure, p95
from bench.schemas import MAIL
from bench.sides import sides
from bench.with_llmflow.alone import Ask
from llmflow.client import Client
from tests.helpers.waiting import until

WAITING = 500
LOOKS = 20


async def measure(server: str) -> list[Figure]:
    """Start `WAITING` runs at once; read the inbox `LOOKS` times, then decide each run, one by one."""
    async with sides(server, delay=0, env={}) as both:  # with search attributes, as in production
        client = both.client
        ids = [f"ask-{uuid4()}" for _ in range(WAITING)]
        await at_once(lambda id: client.start(Ask.run, MAIL, id=id), ids)
        await until(lambda: _all_wait(client), seconds=60)
        looks = [await _look(client) for _ in range(LOOKS)]
        answers = [await _answer(client, id) for id in ids]
    receipts, results = ([answer[which] for answer in answers] for which in (0, 1))
    name = f"{WAITING} runs wait"
    return [
        Figure(name=f"{name}: the inbox, p50", unit="ms", llmflow=median(looks), limit=300, limits="value"),
        Figure(name=f"{name}: the inbox, slowest of {LOOKS}", unit="ms", llmflow=max(looks)),
        Figure(name=f"{name}: answer to receipt, p95", unit="ms", llmflow=p95(receipts)),
        Figure(name=f"{name}: answer to result, p95", unit="ms", llmflow=p95(results), limit=100, limits="value"),
    ]


async def _all_wait(client: Client) -> bool:
    return len(await client.inbox(workflow="Ask")) == WAITING


async def _look(client: Client) -> float:
    begun = perf_counter()
    found = await client.inbox(workflow="Ask")
    took = (perf_counter() - begun) * 1000
    assert len(found) == WAITING
    return took


async def _answer(client: Client, id: str) -> tuple[float, float]:
    """Return milliseconds until the run has taken the decision, and until it has ended."""
    run = client.run(id)
    begun = perf_counter()
    await run.approve("send", by="ana")
    received = perf_counter()
    await run.result()
    return (received - begun) * 1000, (perf_counter() - begun) * 1000
