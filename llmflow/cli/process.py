"""Process of one command: its exit code by its error, and its end."""

import errno
import io
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from typing import NoReturn, cast

import typer
from rich.text import Text

from llmflow.cli.exit import Exit, exit_code
from llmflow.cli.hints import said
from llmflow.cli.output import err
from llmflow.errors import InputInvalid, LLMFlowError
from llmflow.telemetry.flush import flush_traces
from llmflow.types.texts import command_line

_STDERR = 2
_UNWRITABLE = frozenset({errno.ENOSPC, errno.EBADF, errno.EIO, errno.EDQUOT})
"""Errors of a stream that takes nothing more."""


def prepare_streams() -> None:
    """Make standard streams that take every text: closed ones lead nowhere, and a locale may lack characters."""
    while (free := os.open(os.devnull, os.O_RDWR)) <= _STDERR:  # else a database may get the number of a closed stream
        pass
    os.close(free)
    sys.stdin = sys.stdin or _nowhere("r")
    sys.stdout = sys.stdout or _nowhere("w")
    sys.stderr = sys.stderr or _nowhere("w")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _nowhere(mode: str) -> io.TextIOWrapper:
    return cast(io.TextIOWrapper, os.fdopen(os.open(os.devnull, os.O_RDWR), mode))


def run_command(command: typer.Typer, arguments: Sequence[str]) -> int:
    """Run one command line, and return its exit code."""
    try:
        _check(arguments)
        command(arguments, prog_name="llmflow")
    except SystemExit as end:
        return int(end.code or 0)
    except LLMFlowError as error:
        return _failed(said(error), exit_code(error))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except OSError as error:
        if error.errno not in _UNWRITABLE:
            raise
        return _failed(f"the output cannot be written: {error.strerror}", Exit.FAILED)
    return Exit.DONE


def _check(arguments: Sequence[str]) -> None:
    """Refuse what no command can work with.

    Raises:
        InputInvalid: an argument is not text, or there is no current folder.
    """
    for one in arguments:
        if one != one.encode(errors="replace").decode():
            raise InputInvalid(f"{command_line(one)} is not UTF-8 text")
    try:
        os.getcwd()
    except FileNotFoundError:
        raise InputInvalid("the current folder was deleted: change to another one") from None


def _failed(message: str, code: Exit) -> Exit:
    with suppress(OSError):
        err.print(Text.assemble(("error: ", "bold red"), message), soft_wrap=not err.is_terminal)
    return code


def end(code: int) -> NoReturn:
    """End this process."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
        flush_traces()
    except BrokenPipeError:  # `llmflow list | head` has read enough
        pass
    except OSError as error:
        code = _failed(f"the output cannot be written: {error.strerror}", Exit.FAILED)
    except KeyboardInterrupt:
        code = Exit.INTERRUPTED
    # Not sys.exit: after success, threads of the Temporal SDK that still wait for the server may abort the interpreter
    # while it ends ("PyGILState_Release", exit code 134, one run of seven).
    os._exit(code)
