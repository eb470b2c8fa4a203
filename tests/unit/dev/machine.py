"""Shell scripts that stand in for the programs of other machines: an old Go, a broken CLI, a build of 0 s."""

from collections.abc import Callable
from pathlib import Path

Program = Callable[..., Path]
"""`program(name, body)` puts a script on PATH, `program(name, body, folder)` into a folder."""

NEW_SERVER = 'echo "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)"'


def go(version: str, install: str) -> str:
    """The body of a `go` of some version that does `install` when it is to build."""
    return f'case "$1" in env) echo {version};; install) {install};; esac'


def built(body: str = NEW_SERVER) -> str:
    """What a `go` does that builds a `temporal`: shell builtins only, because PATH is empty."""
    return f"printf '%s\\n' '#!/bin/sh' '{body}' > \"$GOBIN/temporal\" && /bin/chmod +x \"$GOBIN/temporal\""
