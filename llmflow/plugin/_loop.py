"""What Temporal's event loop has not, said in words."""

import asyncio
from typing import Any, NoReturn

MISSING = (
    "run_in_executor",
    "getaddrinfo",
    "create_connection",
    "create_server",
    "create_unix_connection",
    "subprocess_exec",
    "subprocess_shell",
)
"""What `asyncio.to_thread`, `open_connection`, `create_subprocess_exec` and their like call."""


def explain_what_is_missing() -> None:
    """Let the loop of this workflow say why: asyncio raises an error without a word.

    It stays a bug, which leaves the run open until the code is repaired; an error of ours would end the run.
    """
    loop: Any = asyncio.get_running_loop()  # Any: methods are replaced
    for name in MISSING:
        setattr(loop, name, _refuse)


def _refuse(*_: object, **__: object) -> NoReturn:
    raise RuntimeError(
        "workflow code cannot start threads, connections or processes: put the work into a tool (`@tool`, also on a"
        " function that is not async), and call that by `await flow.call_tool(...)`"
    )
