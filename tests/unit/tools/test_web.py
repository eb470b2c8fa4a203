"""Fetching pages: what comes back, and what each bad page ends in."""

import asyncio
import gzip
import tracemalloc
from datetime import timedelta

import pytest
from pydantic import JsonValue

from llmflow.errors import ConfigInvalid, ToolArgumentsInvalid, ToolRefused
from llmflow.tools import FetchedPage, fetch_page, fetch_url, run_tool

from .conftest import HERE, Site

SOON = timedelta(seconds=0.3)


async def fetch(url: str, max_bytes: int = 100_000, max_characters: int = 10_000) -> FetchedPage:
    return await fetch_page(url, allow_networks=[HERE], max_bytes=max_bytes, max_characters=max_characters)


async def test_html_comes_back_as_text(site: Site) -> None:
    url = site.page("/a", "<title>T</title><p>One<script>no()</script><p>two", "text/html; charset=utf-8")
    assert await fetch(url) == FetchedPage(url=url, status=200, media_type="text/html", title="T", text="One\n\ntwo")


@pytest.mark.parametrize("kind", ["application/json", "application/problem+json", "text/csv", "application/atom+xml"])
async def test_other_text_comes_back_as_it_is(site: Site, kind: str) -> None:
    page = await fetch(site.page("/a", '{"a": "<p>"}', kind))
    assert (page.text, page.title, page.media_type, page.truncated) == ('{"a": "<p>"}', None, kind, False)


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/plain; charset=iso-8859-1", "Käse".encode("latin-1")),
        ("text/html", '<meta charset="windows-1252">Käse'.encode("cp1252")),
        ("text/xml", '<?xml version="1.0" encoding="ISO-8859-1"?>Käse'.encode("latin-1")),
        ("text/plain", "\ufeffKäse".encode()),
        ("text/plain; charset=no-such-charset", "Käse".encode()),
        ("text/plain; charset=utf-7", "Käse".encode()),
        ("text/plain; charset=base64", "Käse".encode()),
    ],
)
async def test_the_charset_is_found(site: Site, kind: str, body: bytes) -> None:
    assert (await fetch(site.page("/a", body, kind))).text.endswith("Käse")


async def test_a_wrong_charset_harms_only_its_characters(site: Site) -> None:
    assert (await fetch(site.page("/a", "Käse".encode("latin-1")))).text == "K\ufffdse"


@pytest.mark.parametrize("kind", ["image/png", "application/pdf", "application/octet-stream", ""])
async def test_what_is_no_text_is_refused(site: Site, kind: str) -> None:
    with pytest.raises(ToolRefused, match="only text, HTML, JSON and XML") as caught:
        await fetch(site.page("/a", b"\x89PNG", kind))
    assert (kind or "no Content-Type") in str(caught.value)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 451])
async def test_4xx_is_final(site: Site, status: int) -> None:
    with pytest.raises(ToolRefused, match=f"answered {status}") as caught:
        await fetch(site.page("/a", status=status))
    assert caught.value.detail.status == status


@pytest.mark.parametrize("status", [408, 429, 500, 503])
async def test_what_may_pass_is_retried(site: Site, status: int) -> None:
    with pytest.raises(ConnectionError, match=f"answered {status}"):
        await fetch(site.page("/a", status=status))


async def test_a_page_that_is_too_large_is_cut(site: Site) -> None:
    page = await fetch(site.page("/a", "x" * 5000), max_bytes=1000)
    assert (len(page.text), page.truncated) == (1000, True)
    page = await fetch(site.page("/a", "x" * 1000), max_bytes=1000)
    assert (len(page.text), page.truncated) == (1000, False)
    page = await fetch(site.page("/a", "x" * 1001), max_characters=1000)
    assert (len(page.text), page.truncated) == (1000, True)


async def test_a_page_without_end_is_left(site: Site) -> None:
    url = site.page("/a", "x" * 2000)
    site.forever.add("/a")
    assert (await fetch(url)).truncated
    await site.hung_up.wait()


async def test_gzip_is_unpacked(site: Site) -> None:
    page = await fetch(site.page("/a", gzip.compress(b"packed"), content_encoding="gzip"))
    assert (page.text, page.truncated) == ("packed", False)


async def test_a_gzip_bomb_does_not_go_off(site: Site) -> None:
    url = site.page("/a", gzip.compress(bytes(100_000_000)), content_encoding="gzip")
    tracemalloc.start()
    try:
        page = await fetch(url)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert page.truncated
    assert peak < 10_000_000


async def test_what_is_packed_wrongly_is_refused(site: Site) -> None:
    with pytest.raises(ToolRefused, match="claims to be gzip"):
        await fetch(site.page("/a", "not gzip", content_encoding="gzip"))
    with pytest.raises(ToolRefused, match="`br`"):
        await fetch(site.page("/a", "?", content_encoding="br"))


async def test_a_slow_page_is_given_up(site: Site) -> None:
    url = site.page("/a", "begins")
    site.stalled.add("/a")
    with pytest.raises(TimeoutError, match=r"/a did not answer within 0\.3 s"):
        await fetch_page(url, allow_networks=[HERE], timeout=SOON)
    await site.hung_up.wait()


async def test_a_cancelled_call_closes_its_connection(site: Site) -> None:
    url = site.page("/a", "begins")
    site.stalled.add("/a")
    call = asyncio.create_task(fetch(url))
    while not site.requests:
        await asyncio.sleep(0.01)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await site.hung_up.wait()


async def test_a_broken_connection_is_retried(site: Site) -> None:
    with pytest.raises(ConnectionError, match="could not be read"):
        await fetch(site.page("/a", "short", content_length="100"))


async def test_nobody_there_is_retried(site: Site, unused_tcp_port: int) -> None:
    with pytest.raises(ConnectionError, match="could not be read"):
        await fetch(f"http://127.0.0.1:{unused_tcp_port}/")


async def test_redirects_are_followed(site: Site) -> None:
    site.page("/c", "here")
    site.redirect("/b", "/c", status=308)
    page = await fetch(site.redirect("/a", site.url("/b")))
    assert (page.text, page.url) == ("here", site.url("/c"))


async def test_redirects_without_end_are_refused(site: Site) -> None:
    with pytest.raises(ToolRefused, match="redirected more than 5 times"):
        await fetch(site.redirect("/a", "/a"))
    assert len(site.requests) == 6


async def test_the_body_of_a_redirect_is_not_read(site: Site) -> None:
    site.page("/b", "here")
    url = site.redirect("/a", "/b")
    site.forever.add("/a")
    assert (await fetch(url)).text == "here"
    await site.hung_up.wait()


@pytest.mark.parametrize(
    "to", ["file:///etc/passwd", "ftp://127.0.0.1/", "http://user:pw@127.0.0.1/", "http://127.0.0.2/"]
)
async def test_redirects_are_checked(site: Site, to: str) -> None:
    with pytest.raises(ToolRefused):
        await fetch(site.redirect("/a", to))
    assert len(site.requests) == 1


@pytest.mark.parametrize(
    "url", ["", "example.com", "/etc/passwd", "file:///etc/passwd", "http://", "http://a:b:c/", "x" * 70_000]
)
async def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ToolRefused, match="is not an address") as caught:
        await fetch(url)
    assert caught.value.detail.field == "url"
    assert len(str(caught.value)) < 500


async def test_passwords_are_refused_and_not_repeated() -> None:
    with pytest.raises(ToolRefused, match="user name or password") as caught:
        await fetch("http://ana:secret@example.com/")
    assert "secret" not in str(caught.value)


async def test_a_network_must_be_one() -> None:
    with pytest.raises(ConfigInvalid, match=r"10\.0\.0\.1/8 has host bits set"):
        await fetch_page("http://example.com", allow_networks=["10.0.0.1/8"])


async def test_the_tool_checks_its_arguments() -> None:
    wrong: list[dict[str, JsonValue]] = [{}, {"url": 3}, {"url": "http://example.com", "allow_networks": ["0.0.0.0/0"]}]
    for arguments in wrong:
        with pytest.raises(ToolArgumentsInvalid):
            await run_tool(fetch_url, arguments)
