# pyright: strict, reportUnnecessaryTypeIgnoreComment=true
"""Types that a type checker must infer of state machines, and errors that it must report.

This file is checked, not run. A line that must be an error carries `# pyright: ignore[rule]  # expected: why`; when
pyright stops complaining there, the then unnecessary comment is the error.
"""

from datetime import timedelta
from enum import Enum
from typing import Literal, assert_type

from pydantic import BaseModel

from llmflow.flow import machine
from llmflow.types.machines import MachineDescription


class State(Enum):
    WRITE = 1
    DONE = 2


class Draft(BaseModel):
    text: str = ""


class Review(machine.Machine[Draft]):
    start = State.WRITE
    ends = (State.DONE,)

    @machine.step(State.WRITE, timeout=timedelta(days=1), on_timeout=State.DONE, retries=1, max_visits=3)
    async def write(self, draft: Draft) -> Literal[State.DONE]:
        return State.DONE

    async def mistakes(self, draft: Draft) -> Literal[State.DONE]:
        return State.WRITE  # pyright: ignore[reportReturnType]  # expected: the annotation does not list it

    @machine.step("write")  # pyright: ignore[reportArgumentType]  # expected: no member of an enum
    async def named(self, draft: Draft) -> Literal[State.DONE]:
        return State.DONE

    @machine.step(State.WRITE)  # pyright: ignore[reportArgumentType, reportUntypedFunctionDecorator]  # expected: returns no state
    async def stateless(self, draft: Draft) -> str:
        return "done"

    @machine.step(State.WRITE)  # pyright: ignore[reportArgumentType, reportUntypedFunctionDecorator]  # expected: not async
    def blocking(self, draft: Draft) -> Literal[State.DONE]:
        return State.DONE


async def run() -> None:
    done = await Review().run(Draft())
    assert_type(done, machine.Finished[Draft])
    assert_type(done.state, Enum)
    assert_type(done.context.text, str)
    assert_type(Review.description, MachineDescription)
    assert_type(await Review().write(Draft()), Literal[State.DONE])
    await Review().run("draft")  # pyright: ignore[reportArgumentType]  # expected: no draft
