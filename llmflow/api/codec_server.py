"""Codec server: decodes payloads for Temporal's Web UI and for `temporal --codec-endpoint`."""

from collections.abc import Callable, Coroutine, Sequence
from typing import TYPE_CHECKING, Any

from google.protobuf.json_format import MessageToJson, Parse, ParseError
from temporalio.api.common.v1 import Payload, Payloads
from temporalio.common import RawValue
from temporalio.converter import DataConverter

from llmflow.api.extra import needs_extra

if TYPE_CHECKING:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import Response

MAX_BODY = 64 * 1024 * 1024
"""Bytes of a request: a page of a history, which Temporal limits to 4 MB, in JSON, with room for large values."""
_JSON = "application/json"

Coder = Callable[[Payload], Coroutine[Any, Any, Payload]]  # Any: what a coroutine yields to the loop


def codec_app(
    converter: DataConverter, *, hosts: Sequence[str], origins: Sequence[str], encodes: bool = False
) -> "Starlette":
    """Make an ASGI application with `POST /decode` and, if `encodes`, `POST /encode`; also below `/<namespace>`.

    A payload that is a reference to external storage is decoded to the stored value.

    Args:
        converter: Converter with the codec and the storage.
        hosts: Host names under which it is called. Others are refused, so that a foreign page cannot reach it by a name
            of its own that resolves to this machine.
        origins: Origins of Web UIs whose pages may call it, such as `http://localhost:8233`.
        encodes: Encode, too, for inputs that people type into the Web UI.

    Raises:
        ConfigInvalid: the extra `api` is not installed.
    """
    try:
        from starlette.applications import Starlette
        from starlette.middleware import Middleware
        from starlette.middleware.cors import CORSMiddleware
        from starlette.middleware.trustedhost import TrustedHostMiddleware
        from starlette.routing import Route
    except ImportError:
        raise needs_extra() from None

    async def decoded(payload: Payload) -> Payload:
        [value] = await converter.decode([payload], [RawValue])
        return value.payload

    async def encoded(payload: Payload) -> Payload:
        [made] = await converter.encode([RawValue(payload)])
        return made

    served = {"decode": decoded, **({"encode": encoded} if encodes else {})}
    return Starlette(
        routes=[
            Route(f"{namespace}/{name}", _endpoint(coder), methods=["POST"])
            for name, coder in served.items()
            for namespace in ("", "/{namespace}")
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=list(hosts), www_redirect=False),
            Middleware(
                CORSMiddleware,
                allow_origins=list(origins),
                allow_methods=["POST"],
                allow_headers=["*"],
                allow_credentials=True,
            ),
        ],
    )


def _endpoint(coder: Coder) -> "Callable[[Request], Coroutine[Any, Any, Response]]":  # Any: as above
    from starlette.responses import PlainTextResponse, Response

    async def answer(request: "Request") -> Response:
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > MAX_BODY:
                return PlainTextResponse(f"at most {MAX_BODY:,} bytes", 413)
        try:
            given = Parse(bytes(body), Payloads()).payloads
        except (ParseError, UnicodeDecodeError) as error:
            return PlainTextResponse(f"no payloads: {error}", 400)
        try:
            coded = Payloads(payloads=[await coder(one) for one in given])
        except Exception as error:  # of any class, from the user's codec
            return PlainTextResponse(f"{type(error).__name__}: {error}", 400)
        return Response(MessageToJson(coded, indent=None), media_type=_JSON)

    return answer
