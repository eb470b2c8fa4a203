"""A machine as a diagram."""

from datetime import timedelta

from llmflow.service.graphs import mermaid
from llmflow.types.machines import MachineDescription, StateDescription


def state(name: str, *targets: str, timeout: timedelta | None = None) -> StateDescription:
    after = targets[-1] if timeout else None
    return StateDescription(name=name, targets=targets, timeout=timeout, on_timeout=after, max_visits=9)


def test_it_is_drawn() -> None:
    states = state("write", "check"), state("check", "write", "done", timeout=timedelta(hours=3))
    assert mermaid(MachineDescription(name="Base", start="write", ends=("done",), states=states)).splitlines() == [
        "---",
        "title: Base",
        "---",
        "stateDiagram-v2",
        "    [*] --> write",
        "    write --> check",
        "    check --> write",
        "    check --> done",
        "    check --> done: after 3 h",
        "    done --> [*]",
    ]


def test_names_that_mean_something_to_mermaid_are_escaped() -> None:
    long, quoted = timedelta(days=1, minutes=90, seconds=2.5), 'on "hold"; [*] --> x'
    states = state("s2", quoted), state(quoted, "End", timeout=long)
    drawn = mermaid(MachineDescription(name="Escaped", start="s2", ends=("End",), states=states))
    assert drawn.splitlines()[4:] == [
        '    state "s2" as s1',
        '    state "on #34;hold#34;#59; #91;#42;#93; --#62; x" as s2',
        '    state "End" as s3',
        "    [*] --> s1",
        "    s1 --> s2",
        "    s2 --> s3",
        "    s2 --> s3: after 1 d 1 h 30 min 2.5 s",
        "    s3 --> [*]",
    ]
