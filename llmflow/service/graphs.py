"""State machines of an App, and their diagrams."""

import re
import sys
from collections.abc import Iterator

from llmflow.app import App
from llmflow.errors import InputInvalid, did_you_mean
from llmflow.types.lengths import length_of
from llmflow.types.machines import MachineDescription

_PLAIN = re.compile(r"(?!s\d+$)[A-Za-z_][A-Za-z0-9_]*")
"""Names that Mermaid takes as they are; `s1`, `s2`, ... replace the others."""
_RESERVED = re.compile(
    "accDescr|accTitle|as|class|classDef|click|default|direction|end|hide|href|note|root_end|root_start|scale|state"
    "|stateDiagram|style",
    re.IGNORECASE,
)
"""Reserved words of Mermaid, in any case, which cannot name a state."""


def machines_of(app: App) -> tuple[MachineDescription, ...]:
    """Return machines in the order in which the modules have them."""
    held = [value for workflow in app.workflows for value in vars(sys.modules[workflow.__module__]).values()]
    descriptions = [getattr(value, "description", None) for value in held if isinstance(value, type)]
    return tuple(dict.fromkeys(one for one in descriptions if isinstance(one, MachineDescription)))


def find_machines(app: App, name: str | None) -> tuple[MachineDescription, ...]:
    """Return the machine of a name, or all of an App's.

    Raises:
        InputInvalid: the App has none, or none of that name; names those that it has.
    """
    known = machines_of(app)
    if not known:
        raise InputInvalid(f"App {app.name!r} has no state machine: the modules of its workflows define or import none")
    names = [one.name for one in known]
    if name is not None and name not in names:
        raise InputInvalid(
            f"App {app.name!r} has no machine `{name}`{did_you_mean(name, names)}. It has: {', '.join(names)}"
        )
    return tuple(one for one in known if name in (None, one.name))


def mermaid(machine: MachineDescription) -> str:
    """Draw a machine as a Mermaid diagram, which Markdown shows between ` ```mermaid ` and ` ``` `."""
    head = ["---", f"title: {machine.name}", "---", "stateDiagram-v2"]
    return "\n".join([*head, *(f"    {line}" for line in _lines(machine))])


def _lines(machine: MachineDescription) -> Iterator[str]:
    names = (*(state.name for state in machine.states), *machine.ends)
    drawn = {name: _drawn(name, number) for number, name in enumerate(names, start=1)}
    yield from (f'state "{_escaped(name)}" as {here}' for name, here in drawn.items() if name != here)
    yield f"[*] --> {drawn[machine.start]}"
    for state in machine.states:
        yield from (f"{drawn[state.name]} --> {drawn[target]}" for target in state.targets)
        if state.timeout and state.on_timeout:
            yield f"{drawn[state.name]} --> {drawn[state.on_timeout]}: after {length_of(state.timeout)}"
    yield from (f"{drawn[end]} --> [*]" for end in machine.ends)


def _drawn(name: str, number: int) -> str:
    return name if _PLAIN.fullmatch(name) and not _RESERVED.fullmatch(name) else f"s{number}"


def _escaped(name: str) -> str:
    """Escape a name as in HTML, with `#` for `&`."""
    return "".join(char if char.isalnum() or char in " _-.,()/" else f"#{ord(char)};" for char in name)
