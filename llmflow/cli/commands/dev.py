"""`llmflow dev`: server, Web UI and a worker that restarts after each edit."""

import os
from importlib.util import find_spec
from typing import Annotated

import typer

from llmflow.cli.apps import require
from llmflow.cli.bridge import run
from llmflow.cli.exit import Exit
from llmflow.cli.options import AppPath, AsJson, Log, LogLevel
from llmflow.cli.output import print_json, say
from llmflow.config import Settings
from llmflow.dev import DevServer, dev_server
from llmflow.dev.reload import Stop, serve, stopped_by_signals

_WORKER = "llmflow.cli.dev_worker:command"


def dev(
    *,
    app: AppPath = None,
    no_worker: Annotated[bool, typer.Option("--no-worker", help="Only the server and its Web UI")] = False,
    log_level: Log = LogLevel.WARNING,
    json: AsJson = False,
) -> None:
    """Run a Temporal server, its Web UI and a worker.

    They stay up until Ctrl-C. The worker restarts when the App's code, prompts, models.yaml or prices.yaml change. Runs
    are kept in .llmflow/, and continue when it is started again. With --json, it prints what it serves once it is
    ready.

    Example: llmflow dev --app mine.app:app
    """
    path = None if no_worker else require(app)
    settings = Settings.load()

    async def serving() -> int:
        async with dev_server(settings, say, storage=_storage(settings)) as server:
            if server.storage:
                os.environ["LLMFLOW_STORAGE"] = server.storage  # for the worker
            with stopped_by_signals(say if path else lambda _: None) as stop:
                if path is None:
                    await _only_server(server, stop, as_json=json)
                    return Exit.DONE
                code = await serve(_worker(path, server, log_level, as_json=json), stop, say)
                return Exit.INTERRUPTED if stop.at_once.is_set() or code < 0 else code

    if code := run(serving()):
        raise typer.Exit(code)


def _storage(settings: Settings) -> str | None:
    """Return the storage of large values: that of the settings, or a folder if the extra for it is installed."""
    usual = str((settings.home / "storage").absolute()) if find_spec("obstore") else None
    return settings.storage or usual


def _worker(app: str, server: DevServer, log_level: LogLevel, *, as_json: bool) -> list[str]:
    options = ["--app", app, "--address", server.address, "--log-level", log_level]
    options += ["--ui-url", server.ui_url] if server.ui_url else []
    return ["-m", _WORKER.partition(":")[0], *options, *(["--json"] if as_json else [])]


async def _only_server(server: DevServer, stop: Stop, *, as_json: bool) -> None:
    say("\nserver and Web UI only: `llmflow worker` adds a worker; Ctrl-C stops them")
    if as_json:
        print_json({"address": server.address, "ui_url": server.ui_url})
    await stop.asked.wait()
