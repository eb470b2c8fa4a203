"""The environment's proxy: which one, and what it and others get to know. Against a real server in its place."""

from base64 import b64encode
from collections.abc import Callable

import pytest

from llmflow.errors import ConfigInvalid, LLMFlowError, ProviderUnavailable
from llmflow.providers.openai.proxies import Proxy, proxy_for
from llmflow.providers.openai.responses import ResponsesProvider
from llmflow.types.models import ModelResponse
from llmflow.types.providers import NoDeltas, ProviderSettings
from tests.helpers.model_server import ModelServer, Reply

from ..conftest import KEY, Ask

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
        ("socks5://ana:hunter2@proxy.corp:1080", "a proxy of `socks5` for vendor.test: only HTTP proxies are used"),
        ("ftp://ana:hunter2@proxy.corp", "a proxy of `ftp`"),
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
        (VENDOR, False),
    ],
)
def test_no_proxy_has_hosts_and_ports(environment: Environment, base_url: str, direct: bool) -> None:
    environment(ALL_PROXY="proxy.corp:3128", NO_PROXY="elsewhere.test, vendor.test:8000")
    assert (proxy_for(base_url).url is None) == direct


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
