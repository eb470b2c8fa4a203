"""One worker as a process of its own: `python -m bench.worker plain|llmflow --server HOST:PORT --model URL`.

It prints a line when it polls.
"""

import argparse
import asyncio

AT_ONCE = 100
"""Concurrent activities; everything else is Temporal's default on both sides, or set by llmflow's plugin."""
PLAIN_QUEUE = "bench-plain"


def ready(_: object = None) -> None:
    print("polling", flush=True)


async def plain(server: str, model: str) -> None:
    # Imported here, so that neither worker pays for imports that only the other needs.
    from openai import AsyncOpenAI
    from temporalio.client import Client
    from temporalio.contrib.pydantic import pydantic_data_converter
    from temporalio.worker import Worker

    from bench.plain.activities import ModelActivities
    from bench.plain.agent import PlainAgent
    from bench.plain.agent_activities import AgentActivities, look_up
    from bench.plain.workflow import PlainCall, PlainChain, PlainFan

    client = await Client.connect(server, data_converter=pydantic_data_converter)
    openai = AsyncOpenAI(base_url=model, api_key="none", max_retries=0)
    calls = ModelActivities(openai).call_model, AgentActivities(openai).take_turn
    worker = Worker(
        client,
        task_queue=PLAIN_QUEUE,
        workflows=[PlainAgent, PlainCall, PlainChain, PlainFan],
        activities=[*calls, look_up],
        max_concurrent_activities=AT_ONCE,
    )
    async with worker:
        ready()
        await asyncio.Event().wait()


async def llmflow(server: str, model: str) -> None:
    from bench.with_llmflow.app import app
    from llmflow import worker

    await worker.run(app, address=server, max_concurrent_activities=AT_ONCE, ready=ready)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("side", choices=("plain", "llmflow"))
    parser.add_argument("--server", required=True)
    parser.add_argument("--model", required=True)
    options = parser.parse_args()
    asyncio.run((plain if options.side == "plain" else llmflow)(options.server, options.model))
