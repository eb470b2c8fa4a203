"""Plain and llmflow, each with a worker of its own, on one server and one model."""

import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from bench.plain.agent import PlainAgent
from bench.plain.workflow import PlainCall, PlainChain, PlainFan
from bench.processes import Process, python
from bench.schemas import MAIL, MAILS
from bench.with_llmflow.agent import Orders, OrdersHere
from bench.with_llmflow.app import app
from bench.with_llmflow.workflow import Call, Chain, Fan
from bench.worker import PLAIN_QUEUE
from llmflow import client as llmflow_client
from llmflow.client import Run

MODELS = """\
providers:
  openai: {{api: responses, base_url: "{url}"}}
models:
  smart: openai:gpt-5.4
"""

NO_SEARCH = {"LLMFLOW_SEARCH_ATTRIBUTES": '{"cost": null, "tags": null, "approval": null}'}
"""Plain code writes no search attributes either. Their cost is a figure of its own."""


@dataclass(frozen=True)
class Side:
    name: str
    worker: Process
    chain: Callable[[str], Awaitable[object]]
    """Start a run of the chain by its id, and wait for its end."""
    call: Callable[[str], Awaitable[object]]
    """Start a run with one call, likewise."""
    fan: Callable[[str], Awaitable[object]]
    """Start one run with a call for each of `MAILS`, in parallel."""
    agent: Callable[[str, int], Awaitable[object]]
    """Run an agent of so many turns."""
    agent_here: Callable[[str, int], Awaitable[object]]
    """Run one whose tool is local; plain code has no other."""
    history: Callable[[str], Awaitable[tuple[int, int]]]
    """Return events and bytes of a run, as the server counts them."""


@dataclass(frozen=True)
class Sides:
    plain: Side
    llmflow: Side
    client: llmflow_client.Client

    def in_turn(self, round: int) -> tuple[Side, Side]:
        """Return both sides, in turn the other one first: a machine that slows down then slows both."""
        return (self.plain, self.llmflow) if round % 2 == 0 else (self.llmflow, self.plain)


@asynccontextmanager
async def sides(server: str, delay: float, env: Mapping[str, str] = NO_SEARCH) -> AsyncGenerator[Sides]:
    """Open both sides, with a model that answers after `delay` seconds."""
    async with python("-m", "bench.model", "--delay", str(delay)) as model, sides_at(server, model.said, env) as both:
        yield both


@asynccontextmanager
async def sides_at(server: str, model: str, env: Mapping[str, str] = NO_SEARCH) -> AsyncGenerator[Sides]:
    """Open both sides, with the model at an address."""
    async with workers(server, model, env) as (plain, llmflow):
        temporal = await Client.connect(server, data_converter=pydantic_data_converter)
        yield Sides(_plain(temporal, plain), *await _llmflow(server, llmflow))


@asynccontextmanager
async def workers(
    server: str, model: str, env: Mapping[str, str] = NO_SEARCH
) -> AsyncGenerator[tuple[Process, Process]]:
    """A plain worker and one of llmflow, which poll; `env` belongs to the second one."""
    arguments = ("--server", server, "--model", model)
    with tempfile.TemporaryDirectory() as folder:
        models = Path(folder) / "models.yaml"
        models.write_text(MODELS.format(url=model))
        variables = {"LLMFLOW_MODELS": str(models), "LLMFLOW_HOME": folder, **env}
        async with (
            python("-m", "bench.worker", "plain", *arguments) as plain,
            python("-m", "bench.worker", "llmflow", *arguments, env=variables) as llmflow,
        ):
            yield plain, llmflow


def _plain(client: Client, worker: Process) -> Side:
    async def chain(id: str) -> object:
        return await client.execute_workflow(PlainChain.run, MAIL, id=id, task_queue=PLAIN_QUEUE)

    async def call(id: str) -> object:
        return await client.execute_workflow(PlainCall.run, MAIL, id=id, task_queue=PLAIN_QUEUE)

    async def fan(id: str) -> object:
        return await client.execute_workflow(PlainFan.run, MAILS, id=id, task_queue=PLAIN_QUEUE)

    async def agent(id: str, turns: int) -> object:
        return await client.execute_workflow(PlainAgent.run, turns, id=id, task_queue=PLAIN_QUEUE)

    return Side("plain", worker, chain, call, fan, agent, agent, lambda id: _history(client.get_workflow_handle(id)))


async def _llmflow(server: str, worker: Process) -> tuple[Side, llmflow_client.Client]:
    client = await llmflow_client.connect(app, address=server)

    async def chain(id: str) -> object:
        run: Run[object] = await client.start(Chain.run, MAIL, id=id)
        return await run.result()

    async def call(id: str) -> object:
        run: Run[object] = await client.start(Call.run, MAIL, id=id)
        return await run.result()

    async def fan(id: str) -> object:
        run: Run[object] = await client.start(Fan.run, MAILS, id=id)
        return await run.result()

    async def agent(id: str, turns: int) -> object:
        run: Run[object] = await client.start(Orders.run, turns, id=id)
        return await run.result()

    async def agent_here(id: str, turns: int) -> object:
        run: Run[object] = await client.start(OrdersHere.run, turns, id=id)
        return await run.result()

    return Side(
        "llmflow", worker, chain, call, fan, agent, agent_here, lambda id: _history(client.run(id).handle)
    ), client


async def _history(handle: WorkflowHandle[object, object]) -> tuple[int, int]:
    described = await handle.describe()
    return described.history_length, described.raw_info.history_size_bytes
