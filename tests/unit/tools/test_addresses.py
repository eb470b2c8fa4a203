"""Which addresses may be reached, whatever names and redirects say."""

import asyncio
import socket
from collections.abc import Callable
from ipaddress import ip_address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmflow.errors import ToolRefused
from llmflow.tools import fetch_page, fetch_url
from llmflow.tools.addresses import is_public

from .conftest import HERE, Site

Resolver = Callable[..., list[str]]


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Names lead where the test says, one answer after the other; the names that were asked for."""

    def answers(*addresses: list[str] | OSError) -> list[str]:
        left, asked = list(addresses), []

        def getaddrinfo(host: str, port: int, *_: object, **__: object) -> list[object]:
            asked.append(host)
            found = left.pop(0)
            if isinstance(found, OSError):
                raise found
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

        monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
        return asked

    return answers


@pytest.mark.parametrize("address", ["8.8.8.8", "172.32.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"])
def test_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.255.0.1", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.64.0.1", "100.100.100.200", "192.0.0.192", "192.88.99.1", "198.18.0.1", "203.0.113.1", "168.63.129.16"),
        *("224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
        *("fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1", "ff0e::1"),
        *("2001:db8::1", "2001::1", "2002:7f00:1::1", "3fff::1", "100::1", "5f00::1"),
    ],
)
def test_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0177.1", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0"]
)
async def test_this_machine_is_refused_under_every_name(site: Site, host: str) -> None:
    site.page("/a", "secret")
    with pytest.raises(ToolRefused, match="allow its network with `allow_networks`"):
        await fetch_url(site.url("/a", host))
    assert not site.requests


async def test_a_name_that_leads_inside_is_refused(resolve: Resolver) -> None:
    resolve(["10.1.2.3"])
    with pytest.raises(
        ToolRefused, match=r"`innocent\.example` is at 10\.1\.2\.3, which is not on the public internet"
    ):
        await fetch_url("https://innocent.example/")


async def test_a_redirect_to_a_name_that_leads_inside_is_refused(site: Site, resolve: Resolver) -> None:
    asked = resolve(["127.0.0.1"], ["169.254.169.254"])
    url = site.redirect("/a", "http://metadata.example/latest")
    with pytest.raises(ToolRefused, match=r"`metadata\.example` is at 169\.254\.169\.254"):
        await fetch_page(url, allow_networks=[HERE])
    assert asked == ["127.0.0.1", "metadata.example"]


async def test_the_address_that_was_checked_is_the_one_that_is_used(site: Site, resolve: Resolver) -> None:
    site.page("/a", "here")
    asked = resolve(["127.0.0.1"], ["10.0.0.1"])  # a second look would see the other answer
    page = await fetch_page(site.url("/a", "rebind.example"), allow_networks=[HERE])
    assert (page.text, asked) == ("here", ["rebind.example"])
    assert page.url == site.url("/a", "rebind.example")
    assert f"Host: rebind.example:{site.port}" in site.requests[0]


async def test_of_several_addresses_only_the_permitted_are_used(site: Site, resolve: Resolver) -> None:
    site.page("/a", "here")
    resolve(["10.0.0.1", "127.0.0.1"])
    assert (await fetch_page(site.url("/a", "both.example"), allow_networks=[HERE])).text == "here"


async def test_the_next_address_is_tried_when_one_does_not_answer(site: Site, resolve: Resolver) -> None:
    site.page("/a", "here")
    resolve(["::1", "127.0.0.1"])  # the site listens on the second only
    assert (await fetch_page(site.url("/a", "both.example"), allow_networks=[HERE, "::1"])).text == "here"


async def test_each_host_has_its_own_connection(site: Site, resolve: Resolver) -> None:
    resolve(["127.0.0.1"], ["127.0.0.1"])
    site.pages["/b"] = b"HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\n\r\nhere"
    to = site.url("/b", "b.example")
    site.pages["/a"] = f"HTTP/1.1 302 Found\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n".encode()
    assert (await fetch_page(site.url("/a", "a.example"), allow_networks=[HERE])).text == "here"
    assert [request.split("Host: ")[1].split(":")[0] for request in site.requests] == ["a.example", "b.example"]


async def test_tls_asks_for_the_name(resolve: Resolver) -> None:
    hello: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hello.set_result(await reader.read(4096))
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    resolve(["127.0.0.1"])
    async with server:
        with pytest.raises(ConnectionError):
            await fetch_page(f"https://rebind.example:{port}/", allow_networks=[HERE])
    assert b"rebind.example" in await hello


async def test_proxies_of_the_environment_are_not_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", site.url("", "127.0.0.1"))
    monkeypatch.setenv("ALL_PROXY", site.url("", "127.0.0.1"))
    with pytest.raises(ToolRefused):
        await fetch_url("http://10.0.0.1/")
    assert not site.requests


async def test_no_such_host_is_final(resolve: Resolver) -> None:
    resolve(socket.gaierror(socket.EAI_NONAME, "Name or service not known"))
    with pytest.raises(ToolRefused, match=r"no host `nowhere\.example`"):
        await fetch_url("http://nowhere.example/")


async def test_a_resolver_that_does_not_answer_is_retried(resolve: Resolver) -> None:
    resolve(socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"))
    with pytest.raises(ConnectionError, match="Temporary failure"):
        await fetch_url("http://somewhere.example/")


async def test_a_host_name_that_cannot_be_one_is_refused() -> None:
    with pytest.raises(ToolRefused, match="is not a host name"):
        await fetch_url(f"http://{'a' * 64}.example/")


@given(url=st.text() | st.from_regex(r"https?://.{0,40}"))
@settings(max_examples=100)
def test_every_text_is_an_address_or_refused(url: str, resolve: Resolver) -> None:
    resolve(["10.0.0.1"])
    with pytest.raises(ToolRefused):
        asyncio.run(fetch_url(url))
