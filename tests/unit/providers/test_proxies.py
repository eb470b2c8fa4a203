"""The environment's proxy: which one, and what it and others get to know. Against a real server in its place."""

import sys
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path

import pytest

from llmflow.errors import AnswerLost, ConfigInvalid, LLMFlowError, ProviderUnavailable
from llmflow.providers.litellm.provider import LitellmProvider
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.providers.proxies import Proxy, Socks, proxy_for
from llmflow.types.models import ModelResponse
from llmflow.types.providers import NoDeltas, ProviderSettings
from tests.helpers.certificates import authority
from tests.helpers.model_server import ModelServer, Reply
from tests.helpers.socks import SocksServer

from .conftest import KEY, Ask

VENDOR = "https://vendor.test/v1"
PASSWORD = "hunter2"
LOGIN = {"Proxy-Authorization": f"Basic {b64encode(b'ana:hunter2').decode()}"}

Environment = Callable[..., None]


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> Environment:
    """Set the proxy variables to these, and no others."""

    def change(**variables: str) -> None:
        for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
            monkeypatch.delenv(name, raising=False)
            monkeypatch.delenv(name.upper(), raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)

    change()
    return change


async def asked(ask: Ask, base_url: str, times: int = 1) -> list[ModelResponse]:
    provider = ResponsesProvider(ProviderSettings(name="local", base_url=base_url, key=KEY))
    try:
        return [await provider.complete(ask(), NoDeltas()) for _ in range(times)]
    finally:
        await provider.close()


@pytest.mark.parametrize(
    ("value", "url", "headers"),
    [
        ("http://proxy.corp:3128", "http://proxy.corp:3128", {}),
        ("proxy.corp:3128", "http://proxy.corp:3128", {}),
        ("HTTPS://proxy.corp", "https://proxy.corp", {}),
        ("[::1]:3128", "http://[::1]:3128", {}),
        ("http://ana:hunter2@proxy.corp:3128/", "http://proxy.corp:3128/", LOGIN),
        ("ana:hunter%32@proxy.corp:3128", "http://proxy.corp:3128", LOGIN),
        (
            "http://ana:hun/t@r2:?#@proxy.corp",
            "http://proxy.corp",
            {"Proxy-Authorization": f"Basic {b64encode(b'ana:hun/t@r2:?#').decode()}"},
        ),
    ],
)
def test_its_url_has_no_login(environment: Environment, value: str, url: str, headers: dict[str, str]) -> None:
    for name in ("HTTPS_PROXY", "all_proxy"):
        environment(**{name: value})
        proxy = proxy_for(VENDOR)
        assert proxy == Proxy(url, headers)
        assert not any(header in repr(proxy) for header in headers.values())


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("ftp://ana:hunter2@proxy.corp", "a proxy of `ftp` for vendor.test: only HTTP and SOCKS proxies are used"),
        ("socks5://ana:hunter2@:1080", "is not a URL"),
        ("http://ana:hunter2@:8080", "is not a URL"),
        ("http://ana:hunter2@proxy.corp:port", "is not a URL"),
        ("http://ana:hunter2", "is not a URL"),
        ("http://", "is not a URL"),
        ("http://ana:hunter2@[::1", "is not a URL"),
    ],
)
def test_one_that_cannot_be_used_is_refused_when_the_provider_is_made(
    environment: Environment, value: str, said: str
) -> None:
    environment(ALL_PROXY=value)
    with pytest.raises(ConfigInvalid, match=said) as caught:
        ResponsesProvider(ProviderSettings(name="local", base_url=VENDOR, key=KEY))
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("base_url", "direct"),
    [
        ("https://elsewhere.test/v1", True),
        ("https://api.elsewhere.test:99/v1", True),
        ("http://vendor.test:8000/v1", True),
        ("https://vendor.test:8001/v1", False),
        ("http://10.1.2.3:8000/v1", True),
        ("http://11.1.2.3:8000/v1", False),
        ("http://[fd00::7]:8000/v1", True),
        (VENDOR, False),
    ],
)
def test_no_proxy_has_hosts_and_ports(environment: Environment, base_url: str, direct: bool) -> None:
    environment(ALL_PROXY="proxy.corp:3128", NO_PROXY="elsewhere.test, vendor.test:8000, 10.0.0.0/8, fd00::/8, x/y")
    assert (proxy_for(base_url) == Proxy()) == direct


@pytest.mark.parametrize("login", ["", "ana:hunter2@"])
async def test_a_request_over_http_is_the_proxys(
    server: ModelServer, ask: Ask, environment: Environment, login: str
) -> None:
    environment(HTTP_PROXY=f"{login}127.0.0.1:{server.port}")
    await asked(ask, "http://vendor.test/v1", times=3)
    assert server.connections == 1
    for request in server.requests:
        assert request.headers["host"] == "vendor.test"
        assert request.headers.get("proxy-authorization") == (LOGIN["Proxy-Authorization"] if login else None)


@pytest.mark.parametrize("login", ["", "ana:hunter2@"])
async def test_a_proxy_on_the_way_gets_its_login_and_no_key(
    server: ModelServer, ask: Ask, environment: Environment, login: str
) -> None:
    environment(HTTPS_PROXY=f"http://{login}127.0.0.1:{server.port}")
    server.script(Reply(status=407))
    with pytest.raises(ProviderUnavailable, match="ClientHttpProxyError: 407 Scripted") as caught:
        await asked(ask, VENDOR)
    [request] = server.requests
    assert request.method == "CONNECT"
    assert request.headers.get("proxy-authorization") == (LOGIN["Proxy-Authorization"] if login else None)
    assert KEY not in str(request)
    assert PASSWORD not in str(caught.value)
    assert "127.0.0.1" not in str(caught.value)


async def test_a_vendor_without_a_proxy_gets_no_login(server: ModelServer, ask: Ask, environment: Environment) -> None:
    environment(HTTP_PROXY="http://ana:hunter2@127.0.0.1:9", NO_PROXY=f"127.0.0.1:{server.port}")
    await asked(ask, server.url)
    assert "proxy-authorization" not in server.requests[0].headers


async def test_a_url_that_is_none_is_not_quoted(ask: Ask, environment: Environment) -> None:
    with pytest.raises(LLMFlowError, match="InvalidUrlClientError") as caught:
        await asked(ask, f"http://:{PASSWORD}@/v1")
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "socks"),
    [
        ("socks5://proxy.corp", Socks(version="SOCKS5", host="proxy.corp")),
        ("socks5h://[::1]:1081", Socks(version="SOCKS5", host="::1", port=1081)),
        ("socks4a://proxy.corp", Socks(version="SOCKS4", host="proxy.corp")),
        (
            "socks5://ana:hunter%32@proxy.corp:9",
            Socks(version="SOCKS5", host="proxy.corp", port=9, user="ana", password=PASSWORD),
        ),
    ],
)
def test_a_socks_proxy(environment: Environment, value: str, socks: Socks) -> None:
    environment(ALL_PROXY=value)
    proxy = proxy_for(VENDOR)
    assert proxy == Proxy(socks=socks)
    assert PASSWORD not in repr(proxy)


async def test_a_request_goes_through_a_socks_proxy(ask: Ask, environment: Environment, tmp_path: Path) -> None:
    """Also to an https vendor, whose name the proxy finds."""
    ca, tls = authority(tmp_path)
    async with ModelServer(tls=tls) as vendor, SocksServer("ana", PASSWORD) as socks:
        url = f"https://vendor.test:{vendor.port}/v1"
        settings = ProviderSettings(name="local", base_url=url, key=KEY, ca_file=str(ca))
        environment(ALL_PROXY=f"socks5://ana:{PASSWORD}@127.0.0.1:{socks.port}")
        provider = ResponsesProvider(settings)
        assert [(await provider.complete(ask(), NoDeltas())).text for _ in range(2)] == ["ok", "ok"]
        await provider.close()
        assert (socks.asked, vendor.connections) == (["vendor.test"], 1)

        environment(ALL_PROXY=f"socks5://ana:wrong-{PASSWORD}@127.0.0.1:{socks.port}")
        refused = ResponsesProvider(settings)
        with pytest.raises(ProviderUnavailable, match="ProxyError") as caught:
            await refused.complete(ask(), NoDeltas())
        await refused.close()
        assert not isinstance(caught.value, AnswerLost), "nothing was sent"
        assert PASSWORD not in str(caught.value)


async def test_no_socks_proxy_there(ask: Ask, environment: Environment) -> None:
    environment(ALL_PROXY="socks5://127.0.0.1:9")
    with pytest.raises(ProviderUnavailable, match="ProxyConnectionError") as caught:
        await asked(ask, VENDOR)
    assert not isinstance(caught.value, AnswerLost)


def test_socks_needs_its_extra(environment: Environment, monkeypatch: pytest.MonkeyPatch) -> None:
    environment(ALL_PROXY="socks5://127.0.0.1:9")
    monkeypatch.setitem(sys.modules, "aiohttp_socks", None)  # as the import system marks what is not there
    with pytest.raises(ConfigInvalid, match=r"needs an extra: pip install 'llmflow\[socks\]'"):
        proxy_for(VENDOR)


def test_litellm_has_no_socks(environment: Environment) -> None:
    environment(ALL_PROXY="socks5://127.0.0.1:9", NO_PROXY="direct.test")
    with pytest.raises(ConfigInvalid, match="which only uses HTTP proxies"):
        LitellmProvider(ProviderSettings(name="claude"))
    LitellmProvider(ProviderSettings(name="claude", base_url="https://direct.test"))
