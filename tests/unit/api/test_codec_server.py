"""The codec server as the Web UI calls it, and as our own clients do."""

import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import uvicorn
from temporalio.api.common.v1 import Payload
from temporalio.converter import DataConverter

from llmflow.api.codec_server import MAX_BODY, codec_app
from llmflow.client import connect
from llmflow.client.connections import configured_converter
from llmflow.config import Settings
from llmflow.converter.remote_codec import RemoteCodec
from llmflow.errors import ConfigInvalid
from tests.helpers.ciphers import codec

UI = "http://localhost:8233"
CONVERTER = DataConverter(payload_codec=codec())


def _sent(*payloads: Payload) -> dict[str, object]:
    """Payloads as the protocol writes them."""
    return {
        "payloads": [
            {
                "metadata": {name: base64.b64encode(value).decode() for name, value in one.metadata.items()},
                "data": base64.b64encode(one.data).decode(),
            }
            for one in payloads
        ]
    }


@pytest.fixture
async def ui() -> AsyncIterator[httpx.AsyncClient]:
    app = codec_app(CONVERTER, hosts=["localhost"], origins=[UI])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost") as client:
        yield client


@pytest.mark.parametrize("path", ["/decode", "/default/decode"])
async def test_the_web_ui_reads_a_value(ui: httpx.AsyncClient, path: str) -> None:
    sealed = await CONVERTER.encode(["tuna", {"usd": 1}])
    answer = await ui.post(path, json=_sent(*sealed), headers={"origin": UI, "x-namespace": "default"})
    assert answer.headers["access-control-allow-origin"] == UI
    plain = answer.json()["payloads"]
    assert [json.loads(base64.b64decode(one["data"])) for one in plain] == ["tuna", {"usd": 1}]
    assert {base64.b64decode(one["metadata"]["encoding"]) for one in plain} == {b"json/plain"}


async def test_a_foreign_page_gets_nothing(ui: httpx.AsyncClient) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,x-namespace"}
    assert (await ui.options("/decode", headers={"origin": UI, **asked})).status_code == 200
    assert (await ui.options("/decode", headers={"origin": "http://evil.example", **asked})).status_code == 400
    answer = await ui.post("/decode", json=_sent(), headers={"origin": "http://evil.example"})
    assert "access-control-allow-origin" not in answer.headers
    # A name of the page's own that resolves to this machine: the browser would take it for the page's own server.
    assert (await ui.post("/decode", json=_sent(), headers={"host": "evil.example"})).status_code == 400


async def test_what_cannot_be_decoded(ui: httpx.AsyncClient) -> None:
    bad = Payload(metadata={"encoding": b"binary/encrypted", "key": b"1999"}, data=b"x" * 30)
    answer = await ui.post("/decode", json=_sent(bad))
    assert (answer.status_code, answer.text) == (400, "KeyError: '1999'")
    assert (await ui.post("/decode", content=b"\xff")).status_code == 400
    assert (await ui.post("/decode", content=b" " * (MAX_BODY + 1))).status_code == 413
    assert (await ui.post("/encode", json=_sent())).status_code == 404, "unless told"


@asynccontextmanager
async def _serving() -> AsyncGenerator[str]:
    app = codec_app(CONVERTER, hosts=["127.0.0.1"], origins=[], encodes=True)
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", 0, log_level="warning", lifespan="off"))
    server.config.load()
    server.lifespan = server.config.lifespan_class(server.config)
    await server.startup()
    port: int = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await server.shutdown()


async def test_a_client_uses_a_codec_server(temporal: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    async with _serving() as url:
        monkeypatch.setenv("TEMPORAL_CODEC_ENDPOINT", url + "/{namespace}")
        monkeypatch.setenv("TEMPORAL_CODEC_AUTH", "Bearer 1")
        monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
        client = await connect(address=temporal, namespace="default")
        converter = client.temporal.data_converter
        [sealed] = await converter.encode(["tuna"])
        assert sealed.metadata["encoding"] == b"binary/encrypted"
        assert await converter.decode([sealed]) == ["tuna"]
        assert await CONVERTER.decode([sealed]) == ["tuna"]

        foreign = Payload(metadata={"encoding": b"binary/encrypted", "key": b"1999"}, data=b"x" * 30)
        with pytest.raises(RuntimeError, match=r"the codec server at 127.0.0.1 does not decode: HTTP 400 KeyError"):
            await converter.decode([foreign])

        monkeypatch.setenv("LLMFLOW_CODEC", "tests.helpers.ciphers:codec")
        client = await connect(address=temporal, namespace="default")
        assert not isinstance(client.temporal.data_converter.payload_codec, RemoteCodec), "our own variable goes first"
    with pytest.raises(RuntimeError, match=r"the codec server at 127.0.0.1 does not encode: "):
        await converter.encode(["tuna"])


def test_a_server_without_a_codec_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigInvalid, match="no codec: set LLMFLOW_CODEC"):
        configured_converter(Settings(home=tmp_path))
