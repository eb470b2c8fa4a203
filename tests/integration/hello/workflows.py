"""Small workflows, each for one behaviour."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import timedelta
from typing import Any, Optional

from temporalio import workflow
from temporalio.common import RetryPolicy

from llmflow import flow
from llmflow.errors import ProviderError
from llmflow.flow.completions.candidates import ask
from llmflow.flow.prompts import pin
from llmflow.flow.run import current
from llmflow.types.calls import AnyTool
from llmflow.types.completions import CompletionRequest
from tests.integration.hello import tools
from tests.integration.hello.schemas import Ask, Greeting, Load, Picky, Use

ONCE = flow.CallOptions(retry_policy=RetryPolicy(maximum_attempts=1))


@workflow.defn
class Typed:
    """A typed answer, inside a step."""

    @workflow.run
    async def run(self, name: str) -> Greeting:
        async with flow.step("greeting"):
            greeting = await flow.complete("hello/greet", {"name": name}, output=Greeting)
        return greeting.output


@workflow.defn
class Asked:
    """Everything that a completion says about itself, with the arguments of the test."""

    @workflow.run
    async def run(self, ask: Ask) -> dict[str, str]:
        call = flow.CallOptions(
            retry_policy=RetryPolicy(maximum_attempts=ask.attempts),
            start_to_close_timeout=timedelta(seconds=ask.seconds),
            heartbeat_timeout=timedelta(seconds=ask.heartbeat),
        )
        answer = await flow.complete(ask.prompt, ask.variables, model=ask.model, call=call, repairs=ask.repairs)
        return {"text": answer.output, "model": answer.model, "prompt": answer.prompt.name, "id": answer.call_id}


@workflow.defn
class Impatient:
    """Asks so many times again, where others ask for an hour and a half."""

    @workflow.run
    async def run(self, rounds: int) -> None:
        pinned = await pin("hello/greet", None)
        request = CompletionRequest(
            prompt=pinned.prompt,
            model=pinned.candidates[0].model,
            variables={"name": "ana"},
            origin=current().origin,
            source=pinned.source,
        )
        await ask(pinned.candidates, request, ONCE, rounds=rounds)


@workflow.defn
class Rounds:
    """A tool loop whose tool always gives the same result."""

    @workflow.run
    async def run(self, prompt: str) -> str:
        messages: list[flow.Message] = []
        while True:
            answer = await flow.complete(prompt, {"name": "ana"}, messages=messages)
            if not answer.tool_calls:
                return answer.output
            results = (flow.ToolResult(id=call.id, text="found") for call in answer.tool_calls)
            messages += [answer.message, flow.Message.user(*results)]


@workflow.defn
class Parallel:
    """Calls at once: they share one pin, and each step sees only its own branch."""

    @workflow.run
    async def run(self, names: list[str]) -> list[str]:
        async with flow.step("all", total=len(names)) as step:
            return list(await asyncio.gather(*(self.one(name, step) for name in names)))

    async def one(self, name: str, step: flow.Step) -> str:
        async with flow.step(name):
            answer = await flow.complete("hello/greet", {"name": name})
        step.advance()
        return answer.output


@workflow.defn
class Both:
    """Two prompts of one folder, and a model that neither of them names."""

    @workflow.run
    async def run(self) -> list[str]:
        greeting = await flow.complete("hello/greet", {"name": "ana"})
        goodbye = await flow.complete("hello/part", {"name": "ana"})
        other = await flow.complete("hello/part", {"name": "ana"}, model="openai:other")
        return [greeting.output, goodbye.output, other.output]


@workflow.defn
class Caught:
    """User code can catch our errors by their class, and go on."""

    @workflow.run
    async def run(self) -> str:
        try:
            await flow.complete("hello/greet", {"name": "ana"}, call=ONCE)
        except ProviderError as error:
            return f"{type(error).__name__}: {error.detail.status}"
        return "no error"


@workflow.defn
class Large:
    """Inputs that together are more than one message to the server may hold."""

    @workflow.run
    async def run(self, load: Load) -> int:
        names = ["x" * load.size] * load.count
        answers = await asyncio.gather(*(flow.complete("hello/greet", {"name": name}) for name in names))
        return len(answers)


@workflow.defn
class Rendered:
    """The text before the call, for those who want to see it."""

    @workflow.run
    async def run(self, name: str) -> list[str]:
        rendered = await flow.render("hello/homeless" if name == "nobody" else "hello/greet", {"name": name})
        return [message.text for message in rendered.messages]


@workflow.defn
class Tools:
    """Calls one tool of the tests, with arguments that a type checker would not always let through."""

    @workflow.run
    async def run(self, use: Use) -> Any:  # Any: what the tool returns
        tool: AnyTool = getattr(tools, use.tool)
        return await flow.call_tool(tool, **use.arguments)


@workflow.defn
class Odd:
    """Things that once got a run stuck, each by its name."""

    @workflow.run
    async def run(self, what: str) -> str:
        run: dict[str, Callable[[], Awaitable[object]]] = {
            "surrogate": lambda: flow.complete("hello/greet", {"name": "\ud83d"}),
            "unwritable": lambda: flow.call_tool(tools.refuse, reason=object()),  # type: ignore[arg-type]  that is it
            "message": lambda: flow.complete("hello/greet", {"name": "ana"}, messages=["hi"]),  # type: ignore[list-item]  that is it
            "validator": lambda: flow.complete("hello/greet", {"name": "ana"}, output=Picky, repairs=0),
            "null": lambda: flow.complete("hello/greet", {"name": "ana"}, output=Optional[int]),  # noqa: UP045  a class
            "tool": lambda: flow.call_tool(tools.missing_within),
            "own": lambda: flow.call_tool(tools.own_error),
            "waves": self.waves,
            "generator": self.generator,
        }
        found = await run[what]()
        return f"{type(found).__name__}: {found.output}" if isinstance(found, flow.Completion) else str(found)

    async def waves(self) -> str:
        """Three calls that fill a message, cancelled before it is sent; and a fourth."""
        name = "x" * 900_000
        calls = [asyncio.create_task(flow.complete("hello/greet", {"name": name})) for _ in range(4)]
        await flow.render("hello/greet", {"name": "ana"})
        for call in calls:
            call.cancel()
        return (await flow.complete("hello/greet", {"name": name})).output[:9]

    async def generator(self) -> str:
        """A step in an async generator that another task closes."""

        async def steps() -> AsyncGenerator[int]:
            async with flow.step("inside"):
                yield 1

        opened = steps()
        await anext(opened)
        await asyncio.create_task(opened.aclose())
        return "closed"


@workflow.defn
class Long:
    """Returns a long text of its own."""

    @workflow.run
    async def run(self, size: int) -> str:
        return "x" * size


@workflow.defn
class Pictures:
    """Parts that are no text, and tools that the model may ask for."""

    @workflow.run
    async def run(self, picture: bytes) -> str:
        image = flow.Message.user("Who is this?", flow.Image(data=picture))
        answer = await flow.complete("hello/greet", {"name": "ana"}, messages=[image])
        return answer.output


@workflow.defn
class Patient:
    """Waits for days, then asks."""

    @workflow.run
    async def run(self) -> str:
        async with flow.step("wait"):
            await workflow.sleep(timedelta(days=3))
        return (await flow.complete("hello/greet", {"name": "ana"})).output


@workflow.defn
class Family:
    """Asks, has a child that asks, and continues as new; the new run does the same and ends."""

    @workflow.run
    async def run(self, again: bool) -> str:
        answer = await flow.complete("hello/greet", {"name": "ana"})
        await workflow.execute_child_workflow(Typed.run, "bo", id=f"{workflow.info().run_id}-child")
        if again:
            workflow.continue_as_new(False)
        return answer.output


@workflow.defn
class Relay:
    """Asks, continues as new, and waits there until it is told to end."""

    def __init__(self) -> None:
        self.told = False

    @workflow.signal
    def end(self) -> None:
        self.told = True

    @workflow.run
    async def run(self, again: bool) -> str:
        if again:
            await flow.complete("hello/greet", {"name": "ana"})
            workflow.continue_as_new(False)
        async with flow.step("wait"):
            await workflow.wait_condition(lambda: self.told)
        return "done"


@workflow.defn
class Brood:
    """Children whose inputs together are more than one message to the server may hold."""

    @workflow.run
    async def run(self, load: Load) -> list[int]:
        text, id = "x" * load.size, workflow.info().run_id
        children = [workflow.execute_child_workflow(Count.run, text, id=f"{id}-{n}") for n in range(load.count)]
        return list(await asyncio.gather(*children))


@workflow.defn
class Count:
    """The length of its input."""

    @workflow.run
    async def run(self, text: str) -> int:
        return len(text)


@workflow.defn
class Steps:
    """Steps that nest, repeat, fail, and have bad names."""

    @workflow.run
    async def run(self, name: str) -> str:
        for _ in range(2):
            async with flow.step("twice"):
                pass
        try:
            async with flow.step("outer"), flow.step("inner"):
                raise ValueError("inside")
        except ValueError:
            pass
        async with flow.step(name):
            return "done"


@workflow.defn
class Heard:
    """Waits until it has heard so much."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    @workflow.signal
    def hear(self, said: str) -> None:
        self.heard.append(said)

    @workflow.run
    async def run(self, wanted: int) -> list[str]:
        await workflow.wait_condition(lambda: len(self.heard) >= wanted)
        return self.heard


@workflow.defn
class Sum:
    """Takes several arguments."""

    @workflow.run
    async def run(self, one: int, other: int) -> int:
        return one + other
