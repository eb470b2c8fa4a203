"""`llmflow codec-server`: decodes payloads for Temporal's Web UI."""

from typing import Annotated

import typer

from llmflow.api.codec_server import codec_app
from llmflow.api.serving import serve
from llmflow.cli.apps import look_here
from llmflow.cli.bridge import run
from llmflow.cli.output import say
from llmflow.client.connections import configured_converter
from llmflow.config import Settings
from llmflow.dev import standing_server
from llmflow.telemetry.health import split_address

_LOCAL = ("localhost", "127.0.0.1", "::1")


def codec_server(
    *,
    listen: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Address; another than a local one is open to everyone there")
    ] = "127.0.0.1:8081",
    ui_origin: Annotated[
        list[str] | None,
        typer.Option(metavar="URL", help="A Web UI that may call it; may be repeated [default: the local one]"),
    ] = None,
    host: Annotated[
        list[str] | None, typer.Option(help="A further name under which it is called, behind a proxy")
    ] = None,
    encode: Annotated[
        bool, typer.Option("--encode", help="Encode, too: inputs that people type into the Web UI")
    ] = False,
) -> None:
    """Decode payloads for Temporal's Web UI, by the codec of LLMFLOW_CODEC and the storage of LLMFLOW_STORAGE.

    Enter its address in the Web UI, below the glasses of the navigation, or give it to `temporal --codec-endpoint`. Who
    can call it can read every payload: it checks no user.

    Example: llmflow codec-server --ui-origin http://localhost:8233
    """
    address = split_address(listen)
    settings = Settings.load()
    if settings.codec:
        look_here()
    converter = configured_converter(settings)

    async def serving() -> None:
        origins = ui_origin or await _local_origins()
        app = codec_app(
            converter, hosts=[*_LOCAL, address[0].strip("[]"), *(host or ())], origins=origins, encodes=encode
        )
        await serve(
            app, *address, lambda: say(f"codec server at http://{listen} for {', '.join(origins)}; Ctrl-C stops it")
        )

    run(serving())


async def _local_origins() -> list[str]:
    standing = await standing_server(Settings.load())
    known = standing.ui_url if standing and standing.ui_url else "http://localhost:8233"
    return [known, known.replace("//localhost:", "//127.0.0.1:")]
