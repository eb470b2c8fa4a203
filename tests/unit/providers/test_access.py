"""Ways to vendors from real sites: headers, parameters, keys that expire, certificates, silence."""

import asyncio
import gc
import json
import socket
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from pathlib import Path
from time import time

import pytest

from llmflow.errors import AuthenticationFailed, ProviderError, ProviderUnavailable
from llmflow.providers.connect import connect_providers, missing_keys
from llmflow.providers.keys import CommandKey
from llmflow.providers.models.access import Access
from llmflow.providers.models.catalogue import ModelCatalogue
from llmflow.providers.models.entries import ProviderEntry
from llmflow.types.models import Candidate, ModelResponse
from llmflow.types.providers import NoDeltas, Provider
from tests.helpers.certificates import authority
from tests.helpers.model_server import SILENCE, ModelServer, Reply

from .conftest import Ask

APIS = ("responses", "chat", "litellm")
SECRET = "planted-0123456789"

Made = Callable[..., Provider]

apis = pytest.mark.parametrize("api", APIS)


def made(server: ModelServer, api: str, environ: Mapping[str, str] | None = None, **access: object) -> Provider:
    base_url = str(access.pop("base_url", server.url))
    entry = ProviderEntry(api=api, base_url=base_url, access=Access(**access))  # pyright: ignore[reportArgumentType]  any field
    models = ModelCatalogue(providers={"site": entry}, aliases={"a": (Candidate(model="site:m"),)})
    assert bool(missing_keys(models, environ or {})) is (environ is None and bool({"headers", "query"} & access.keys()))
    return connect_providers(models, environ or {})["site"]


async def asked(provider: Provider, ask: Ask, times: int = 1) -> list[ModelResponse]:
    try:
        return [await provider.complete(ask(timeout=20), NoDeltas()) for _ in range(times)]
    finally:
        await provider.close()


@apis
async def test_headers_of_a_site(server: ModelServer, ask: Ask, api: str) -> None:
    environ = {"TEAM": f" {SECRET}\n"}
    await asked(made(server, api, environ, headers={"X-Team": "TEAM"}), ask)
    assert server.requests[0].headers["x-team"] == SECRET

    server.script(Reply.error(400, message=f"team {SECRET} may not"))
    with pytest.raises(ProviderError, match=r"team \[secret\] may not") as caught:
        await asked(made(server, api, environ, headers={"X-Team": "TEAM"}), ask)
    assert SECRET not in repr(caught.value)

    with pytest.raises(AuthenticationFailed, match="the environment variable TEAM holds no key or value"):
        await asked(made(server, api, headers={"X-Team": "TEAM"}), ask)


@pytest.mark.parametrize("api", ["responses", "chat"])
async def test_parameters_of_the_url(server: ModelServer, ask: Ask, api: str) -> None:
    environ = {"VERSION": "2026-01-01 preview", "AZURE": SECRET}
    provider = made(server, api, environ, query={"api-version": "VERSION"}, headers={"api-key": "AZURE"})
    server.script(Reply(status=301, headers={"location": "http://elsewhere.test/?v=2026-01-01%20preview"}))
    with pytest.raises(ProviderError) as caught:
        await provider.complete(ask(), NoDeltas())
    await asked(provider, ask)
    [_, request] = server.requests
    assert request.path.endswith("?api-version=2026-01-01+preview")
    assert (request.headers["api-key"], request.headers.get("authorization")) == (SECRET, None)
    assert "elsewhere.test" in str(caught.value)
    assert "preview" not in str(caught.value)


async def test_the_name_of_the_limit(server: ModelServer, ask: Ask) -> None:
    provider = made(server, "chat", limit_field="max_completion_tokens")
    await provider.complete(ask(max_output_tokens=9), NoDeltas())
    await provider.close()
    assert {name for name in server.requests[0].json if "tokens" in name} == {"max_completion_tokens"}


def keys_of(server: ModelServer) -> list[str]:
    return [request.headers["authorization"].removeprefix("Bearer ") for request in server.requests]


@apis
async def test_a_key_in_a_file_is_always_the_newest(server: ModelServer, ask: Ask, tmp_path: Path, api: str) -> None:
    (file := tmp_path / "token").write_text("one-0123456789\n")
    provider = made(server, api, key_file=str(file))
    await provider.complete(ask(), NoDeltas())
    file.write_text("two-0123456789\n")
    await provider.complete(ask(), NoDeltas())
    assert keys_of(server) == ["one-0123456789", "two-0123456789"]

    server.script(Reply.error(401, message="two-0123456789 has ended"))
    with pytest.raises(AuthenticationFailed, match=r"\[secret\] has ended"):
        await provider.complete(ask(), NoDeltas())
    assert server.count == 3, "there is no other key, so it is not asked again"

    file.unlink()
    with pytest.raises(AuthenticationFailed, match="cannot be read: No such file") as caught:
        await asked(provider, ask)
    assert caught.value.may_pass, "the file may be there in a moment"


def counting(tmp_path: Path, then: str = "") -> tuple[str, ...]:
    """Return a command that prints another key each time."""
    script = f'echo x >> "{tmp_path}/runs"; echo "key-0123456789-$(wc -l < "{tmp_path}/runs" | tr -d " ")"; {then}'
    return "sh", "-c", script


@apis
async def test_a_refused_key_is_renewed_by_its_command(server: ModelServer, ask: Ask, tmp_path: Path, api: str) -> None:
    provider = made(server, api, key_command=counting(tmp_path))
    await asyncio.gather(*(provider.complete(ask(), NoDeltas()) for _ in range(3)))
    assert set(keys_of(server)) == {"key-0123456789-1"}, "parallel calls share one run"

    server.script(Reply.error(401, message="key-0123456789-1 has ended"))
    assert [answer.text for answer in await asked(provider, ask)] == ["ok"]
    assert keys_of(server)[3:] == ["key-0123456789-1", "key-0123456789-2"]

    server.script(Reply.error(401), Reply.error(401))
    with pytest.raises(AuthenticationFailed):
        await asked(provider, ask)
    assert server.count == 7, "once more, and no oftener"


@pytest.mark.parametrize(("lives", "runs"), [(3600, 1), (30, 2)])
async def test_a_key_that_says_its_end_is_renewed_before(tmp_path: Path, lives: int, runs: int) -> None:
    claims = urlsafe_b64encode(json.dumps({"exp": time() + lives}).encode()).decode().rstrip("=")
    command = ("sh", "-c", f'echo x >> "{tmp_path}/runs"; echo e30.{claims}.c2ln')
    source = CommandKey("site", command)
    assert await source.get() == await source.get() == f"e30.{claims}.c2ln"
    assert (tmp_path / "runs").read_text() == "x\n" * runs


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("no-such-command", SECRET), "`key_command` no-such-command cannot be run: No such file or directory"),
        (("sh", "-c", "echo log in first >&2; exit 3"), "`key_command` sh ended with 3: log in first"),
        (("sh", "-c", "echo two words"), "`key_command` sh did not print a key, and nothing else"),
        (("true",), "`key_command` true did not print a key"),
    ],
)
async def test_a_command_without_a_key(server: ModelServer, ask: Ask, command: tuple[str, ...], said: str) -> None:
    with pytest.raises(AuthenticationFailed, match=said) as caught:
        await asked(made(server, "chat", key_command=command), ask)
    assert caught.value.may_pass
    assert SECRET not in str(caught.value)
    assert server.count == 0


@apis
async def test_a_ca_of_the_site(ask: Ask, tmp_path: Path, api: str) -> None:
    ca, tls = authority(tmp_path)
    async with ModelServer(tls=tls) as server:
        url = server.url.replace("http:", "https:")
        for access, environ in ({"ca_file": str(ca)}, {}), ({}, {"REQUESTS_CA_BUNDLE": str(ca)}):
            [answer] = await asked(made(server, api, environ, base_url=url, **access), ask)
            assert answer.text == "ok"
        with pytest.raises(ProviderUnavailable, match=r"(?i)certificate|ClientConnectorCertificateError|connect"):
            await asked(made(server, api, base_url=url), ask)
        assert server.count == 2


@apis
async def test_certificates_that_are_none_are_a_failure_of_the_call(
    server: ModelServer, ask: Ask, tmp_path: Path, api: str
) -> None:
    (file := tmp_path / "ca.pem").write_text("none")
    for path, said in ((file, "NO_CERTIFICATE_OR_CRL_FOUND"), (tmp_path / "gone.pem", "No such file or directory")):
        provider = made(server, api, ca_file=str(path))
        with pytest.raises(
            ProviderUnavailable, match=f"was not asked, because no connection can be made.*{path.name}.*{said}"
        ) as caught:
            await asked(provider, ask)
        assert not caught.value.may_pass
    assert server.count == 0


@apis
async def test_a_silent_connection_is_kept_alive(server: ModelServer, ask: Ask, api: str) -> None:
    provider = made(server, api)
    server.script(SILENCE)
    call = asyncio.create_task(provider.complete(ask(), NoDeltas()))
    await server.arrived(1)
    ours = [one for one in gc.get_objects() if issubclass(type(one), socket.socket) and _leads_to(one, server.port)]
    assert ours
    assert all(one.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) for one in ours)
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    await provider.close()


def _leads_to(one: socket.socket, port: int) -> bool:
    try:
        return one.fileno() >= 0 and one.getpeername()[1] == port
    except (OSError, IndexError):
        return False
