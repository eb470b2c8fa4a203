"""Texts of options: the value itself, the content of a file, or stdin."""

import sys
from pathlib import Path

from llmflow.errors import InputInvalid
from llmflow.service.inputs import Workflow


def read_input(given: str | None, workflow: Workflow) -> tuple[object, ...]:
    """Return the arguments of a start: none, or the one that `--input` gives as JSON, `@file` or `-`.

    Raises:
        InputInvalid: it cannot be read, or does not fit the workflow.
    """
    if given is not None:
        return (workflow.validate(read_text(given, "--input")),)
    if workflow.optional:
        return ()
    raise InputInvalid(
        f"{workflow.name} needs an input: --input JSON, --input @file.json, or --input - for stdin. {workflow.usage()}"
    )


def read_text(given: str, option: str) -> str:
    """Return the text of an option: its value, the content of `@file`, or stdin for `-`.

    Raises:
        InputInvalid: it cannot be read.
    """
    try:
        if given == "-":
            return sys.stdin.read()
        return Path(given[1:]).read_text("utf-8") if given.startswith("@") else given
    except OSError as error:
        raise InputInvalid(f"{option} {given}: {error.strerror}; a path begins at the current folder") from None
    except UnicodeDecodeError:
        raise InputInvalid(f"{option} {given}: this is not UTF-8 text; give JSON") from None
