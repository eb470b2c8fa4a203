"""Machines that cannot run fail when their class is defined, with every name that is wrong."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from enum import Enum, IntEnum, StrEnum, auto
from typing import Any, Literal

import pytest
from pydantic import BaseModel

from llmflow.errors import MachineInvalid
from llmflow.flow import machine
from llmflow.flow.run.machines import TRANSITIONS, MachineRecord
from llmflow.types.carried import Carried
from llmflow.types.machines import Machines, Position, Transition, ways
from llmflow.types.steps import StepReport

HOUR = timedelta(hours=1)


class State(StrEnum):
    WRITE = auto()
    CHECK = auto()
    DONE = auto()


class Other(Enum):
    CHEKC = 1


class Draft(BaseModel):
    text: str = ""


class Base(machine.Machine[Draft]):
    """Whole: the tests change one thing of it."""

    start = State.WRITE
    ends = (State.DONE,)

    @machine.step(State.WRITE)
    async def write(self, draft: Draft) -> Literal[State.CHECK]:
        return State.CHECK

    @machine.step(State.CHECK, timeout=3 * HOUR, on_timeout=State.DONE)
    async def check(self, draft: Draft) -> Literal[State.WRITE, State.DONE]:
        return State.DONE


def handler(state: Enum, hint: object, **options: Any) -> Callable[..., Any]:  # Any: what no type checker would allow
    async def method(self: object, draft: Draft) -> Enum:
        raise NotImplementedError

    method.__annotations__["return"] = hint
    return machine.step(state, **options)(method)


def taker(state: Enum, kind: object, hint: object = Literal[State.DONE]) -> Callable[..., Any]:  # Any: as above
    async def method(self: object, draft: Draft, value: object) -> Enum:
        raise NotImplementedError

    method.__annotations__.update({"return": hint, "value": kind})
    return machine.step(state)(method)


def kept(record: MachineRecord) -> tuple[Transition, ...]:
    return StepReport.model_validate(record.report()).transitions


def plain(self: object, draft: Draft) -> Literal[State.DONE]:
    return State.DONE


CHECKED = "`check` must say which states may follow: `-> Literal[State.A, State.B]`; it says"
INVALID: dict[str, tuple[dict[str, Any], str]] = {
    "no start": ({"start": None}, "it has no `start`: write `start = State.FIRST`"),
    "no ends": ({"ends": ()}, "it has no `ends`: write `ends = (State.DONE,)`"),
    "an end of another enum": ({"ends": (State.DONE, Other.CHEKC)}, "`ends` has Other.CHEKC, which is not in State"),
    "an end that is no state": ({"ends": ("done",)}, "`ends` has 'done', which is not in State"),
    "begins at its end": ({"start": State.DONE}, "`start` is also an end, State.DONE"),
    "an end with a handler": (
        {"ends": (State.DONE, State.CHECK)},
        "`check` handles State.CHECK, which is an end: let it return None, `-> None`",
    ),
    "a value that no state passes": (
        {"check": taker(State.CHECK, Draft)},
        "`check` takes a value, but `write` passes none to it",
    ),
    "a value at the start": (
        {"write": taker(State.WRITE, Draft, Literal[State.CHECK])},
        "`write` takes a value, but the machine starts there: give it a default",
    ),
    "a value that nobody takes": (
        {"write": handler(State.WRITE, tuple[Literal[State.CHECK], Draft])},
        "`write` passes a value to `check`, which takes none",
    ),
    "a value of another type": (
        {"write": handler(State.WRITE, tuple[Literal[State.CHECK], int]), "check": taker(State.CHECK, Draft)},
        f"`write` passes a int to `check`, which takes a {__name__}.Draft",
    ),
    "a value for an end without a method": (
        {"check": handler(State.CHECK, tuple[Literal[State.DONE], Draft] | Literal[State.WRITE])},
        "`check` passes a value to State.DONE, which has no method",
    ),
    "a value that a timeout cannot pass": (
        {
            "check": handler(State.CHECK, tuple[Literal[State.DONE], Draft], timeout=HOUR, on_timeout=State.DONE),
            "done": taker(State.DONE, Draft, None),
        },
        "`done` takes a value, but on_timeout of `check` passes none",
    ),
    "two handlers": (
        {"again": handler(State.CHECK, Literal[State.DONE])},
        "`check` and `again` both handle State.CHECK",
    ),
    "no handler": ({"check": None}, "nothing handles State.CHECK: write a method under @machine.step(State.CHECK)"),
    "a strange state": (
        {"other": handler(Other.CHEKC, Literal[State.DONE])},
        "`other` handles Other.CHEKC, which is not in State",
    ),
    "a strange target": (
        {"check": handler(State.CHECK, Literal[State.DONE, Other.CHEKC])},
        "`check` leads to Other.CHEKC, which is not in State (did you mean `CHECK`?)",
    ),
    "a strange target in time": (
        {"check": handler(State.CHECK, Literal[State.DONE], timeout=HOUR, on_timeout=Other.CHEKC)},
        "`check` leads to Other.CHEKC, which is not in State",
    ),
    "an unreachable state": (
        {"write": handler(State.WRITE, Literal[State.DONE])},
        "no path leads from State.WRITE to State.CHECK",
    ),
    "no way out": (
        {"check": handler(State.CHECK, Literal[State.WRITE])},
        "no path leads from State.WRITE to State.DONE; no path leads from State.WRITE, State.CHECK to an end",
    ),
    "a text for a state": ({"check": handler(State.CHECK, Literal["done"])}, f"{CHECKED} Literal['done']"),
    "a whole enum": ({"check": handler(State.CHECK, State)}, f"{CHECKED} {__name__}.State"),
    "no annotation": ({"check": handler(State.CHECK, None)}, CHECKED),
    "a missing name": (
        {"check": handler(State.CHECK, "Literal[Missing.DONE]")},
        "`check`: name 'Missing' is not defined",
    ),
    "a misspelt state": ({"check": handler(State.CHECK, "Literal[State.DOEN]")}, "DOEN"),
    "a method of the machine's own": (
        {"check": None, "run": handler(State.CHECK, Literal[State.DONE])},
        "`run` is the machine's own method: give yours another name",
    ),
    "not async": ({"check": machine.step(State.CHECK)(plain)}, "`check` must be `async def`"),  # type: ignore[type-var]  that is it
    "negative retries": (
        {"check": handler(State.CHECK, Literal[State.DONE], retries=-1)},
        "`check` needs retries >= 0 and max_visits >= 1: -1, 100",
    ),
    "no visits": ({"check": handler(State.CHECK, Literal[State.DONE], max_visits=0)}, "max_visits >= 1: 0, 0"),
    "no time": (
        {"check": handler(State.CHECK, Literal[State.DONE], timeout=0 * HOUR)},
        "`check` has timeout=0:00:00: give a",
    ),
    "a number for a time": (
        {"check": handler(State.CHECK, Literal[State.DONE], timeout=3)},
        "`check` has timeout=3: give a timedelta",
    ),
    "a text in time": (
        {"check": handler(State.CHECK, Literal[State.DONE], timeout=HOUR, on_timeout="done")},
        "`check` leads to 'done', which is not in State",
    ),
    "no timeout": (
        {"check": handler(State.CHECK, Literal[State.DONE], on_timeout=State.DONE)},
        "`check` has on_timeout=State.DONE and no timeout",
    ),
}


@pytest.mark.parametrize("name", INVALID)
def test_a_machine_that_cannot_run_is_no_class(name: str) -> None:
    changes, says = INVALID[name]
    with pytest.raises(MachineInvalid) as invalid:
        type("Broken", (Base,), changes)
    assert invalid.value.message.startswith("machine Broken: ")
    assert says in invalid.value.message


def test_all_that_is_wrong_is_said_at_once() -> None:
    strange = handler(Other.CHEKC, Literal[State.DONE])
    again = handler(State.WRITE, Literal[State.CHECK], retries=-1)
    with pytest.raises(MachineInvalid, match=r"both handle State.WRITE; .*handles Other.CHEKC.*; .*retries >= 0"):
        type("Broken", (Base,), {"again": again, "strange": strange})


@pytest.mark.parametrize("name", ["", "a/b", "a#2", "a\nb"])
def test_a_state_has_a_name_that_a_step_can_have(name: str) -> None:
    named = Enum("Named", {"ONE": name, "END": "end"})
    one, end = named
    with pytest.raises(MachineInvalid, match=r"Named.ONE is called .*: steps have non-empty names"):
        type("Broken", (machine.Machine,), {"start": one, "ends": (end,), "one": handler(one, Literal[end])})  # type: ignore[valid-type]  of no type


def test_two_states_of_one_name_are_refused() -> None:
    named = Enum("Named", {"ONE": "END", "END": 2})
    one, end = named
    with pytest.raises(MachineInvalid, match=r"Named\.ONE and Named\.END are both called 'END'"):
        type("Broken", (machine.Machine,), {"start": one, "ends": (end,), "one": handler(one, Literal[end])})  # type: ignore[valid-type]  as above


def test_a_machine_says_how_it_looks() -> None:
    assert Base.description.model_dump(mode="json", exclude_defaults=True) == {
        "name": "Base",
        "start": "write",
        "ends": ["done"],
        "states": [
            {"name": "write", "targets": ["check"], "max_visits": 100},
            {"name": "check", "targets": ["write", "done"], "timeout": "PT3H", "on_timeout": "done", "max_visits": 100},
        ],
    }


def test_a_subclass_may_replace_a_method() -> None:
    class Short(Base):
        @machine.step(State.CHECK)
        async def check(self, draft: Draft) -> Literal[State.DONE]:
            return State.DONE

    assert [state.targets for state in Short.description.states] == [("check",), ("done",)]
    assert [state.targets for state in Base.description.states] == [("check",), ("write", "done")]


class Number(IntEnum):
    NONE = 0
    ONE = 1
    END = 2


def test_states_may_be_numbers() -> None:
    class Counting(machine.Machine[Draft]):
        start = Number.ONE
        ends = (Number.END,)
        one = handler(Number.ONE, Literal[Number.END], timeout=HOUR, on_timeout=Number.NONE)
        none = handler(Number.NONE, Literal[Number.END])

    states = {state.name: (state.targets, state.on_timeout) for state in Counting.description.states}
    assert states == {"ONE": (("END",), "NONE"), "NONE": (("END",), None)}


def test_the_last_transitions_are_kept_and_all_are_counted() -> None:
    record = MachineRecord()
    for number in range(TRANSITIONS + 50):
        record.move("A", str(number - 1), str(number), datetime(2026, 1, 1, tzinfo=UTC))

    transitions = kept(record)
    assert (len(transitions), record.report()["moves"]) == (TRANSITIONS, TRANSITIONS + 50)
    assert transitions[0].target == "50"
    after = MachineRecord()
    after.restore(Carried.model_validate(record.for_next()))
    assert after.report() == record.report()


def test_where_each_machine_stands_is_kept() -> None:
    record = MachineRecord()
    record.move("quiet", None, "waits", datetime(2026, 1, 1, tzinfo=UTC))
    for number in range(TRANSITIONS + 50):
        record.move("busy", str(number - 1), str(number), datetime(2026, 1, 1, tzinfo=UTC))

    assert len(kept(record)) == TRANSITIONS
    assert ways(kept(record))[0] == "quiet: waits"
    assert kept(record)[1].target == "51"
    for number in range(TRANSITIONS):
        record.move(f"one of many {number}", None, "begins", datetime(2026, 1, 1, tzinfo=UTC))
    assert len(kept(record)) == TRANSITIONS


def test_a_machine_that_begins_in_the_place_of_another_one_is_told() -> None:
    record = MachineRecord()
    record.restore(Carried(machines=Machines(positions={"Old": Position(state="write", context={})})))
    assert record.instead_of("New") == "it starts where Old should resume in state 'write'"
    assert record.instead_of("Old") is None
    assert record.restored("Old") == Position(state="write", context={})
    assert record.instead_of("New") is None


def test_where_machines_stand_fits_a_line() -> None:
    def moves(name: str, *states: str) -> list[Transition]:
        return [Transition(machine=name, target=state, at=datetime(2026, 1, 1, tzinfo=UTC)) for state in states]

    assert ways([]) == ()
    assert ways([*moves("A", "one", "two"), *moves("B", "x"), *moves("A", "three", "four")]) == (
        "A: … → two → three → four",
        "B: x",
    )
