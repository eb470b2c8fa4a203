"""Temporal server that a command means: the one place of that rule."""

from dataclasses import dataclass

from llmflow.app import App
from llmflow.cli.apps import look_here
from llmflow.client import connect
from llmflow.client.connections import configured_address
from llmflow.config import Settings
from llmflow.dev import DevServer, standing_server
from llmflow.service.connections import Connection
from llmflow.telemetry.runtime import process_runtime

_DEFAULT = "localhost:7233"


@dataclass(frozen=True)
class Target:
    """A Temporal server."""

    address: str
    """host:port"""
    ui_url: str | None = None
    """Its Web UI, if known."""
    storage: str | None = None
    """URL of the external storage of its runs, if it is a dev server with one."""

    @classmethod
    async def choose(cls, given: str | None = None) -> "Target":
        """Return the first of these that exists.

        `--address`; Temporal's own environment or profile; the server that `llmflow dev` or `llmflow demo` runs for
        this folder; Temporal's usual port.
        """
        standing = await standing_server(Settings.load())
        address = given or configured_address() or (standing.address if standing else _DEFAULT)
        return cls.of(standing) if standing and standing.address == address else cls(address)

    @classmethod
    def of(cls, server: DevServer) -> "Target":
        """Return a server that runs on this machine."""
        return cls(server.address, server.ui_url, server.storage)


async def connected(app: App | None = None) -> Connection:
    """Connect to the server that this command line means.

    Raises:
        ServerUnavailable: no server answers there.
    """
    target = await Target.choose()
    settings = Settings.load()
    if settings.codec:
        look_here()
    storage = settings.storage or target.storage
    client = await connect(app, address=target.address, storage=storage, runtime=process_runtime())
    return Connection(client, target.ui_url)
