"""The console script. Ctrl-C ends it without a traceback also while it imports, which takes a third of a second."""

import os
import signal
import threading
from collections.abc import Generator
from contextlib import contextmanager
from types import FrameType
from typing import NoReturn

_INTERRUPTED = 130
"""Exit code, as in `llmflow.cli.exit`, which imports too much for here."""


@contextmanager
def quiet_imports() -> Generator[None]:
    """End the process at Ctrl-C, because an import that is interrupted anywhere prints a traceback."""
    if threading.current_thread() is not threading.main_thread():  # which alone handles signals
        yield
        return
    before = signal.signal(signal.SIGINT, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _end(_signal: int, _frame: FrameType | None) -> None:
    os._exit(_INTERRUPTED)


def main() -> NoReturn:
    """Run the command line."""
    with quiet_imports():
        from llmflow.cli.main import main as command_line  # here, so that Ctrl-C is quiet from the start
    command_line()
