"""`llmflow dev`: server, worker and Web UI; other commands find the server by the folder, and runs outlive it.

What an edit does is in test_cli_reload.py.
"""

import asyncio
import json
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from llmflow.dev.server import PORT, UI_PORT
from tests.helpers.command_line import Done, environ, finished, started
from tests.helpers.ports import taken

APP = "tests.integration.errands:app"


async def gone(address: str) -> None:
    """Wait until nothing listens there any more."""
    host, port = address.split(":")
    while True:
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return
        writer.close()
        await asyncio.sleep(0.05)  # another process ends: there is no event to wait for


@pytest.mark.timeout(180)  # two servers, and six processes of Python on what may be one core
async def test_a_project_of_ones_own(tmp_path: Path) -> None:
    env = environ(LLMFLOW_MODELS="offline")

    async def llmflow(*arguments: str) -> Done:
        return await finished(*arguments, cwd=tmp_path, env=env)

    async with started("dev", "--app", APP, cwd=tmp_path, env=env) as dev:
        await dev.says("Ctrl-C stops it")
        assert "NO LANGUAGE MODEL" in dev.err
        assert f"llmflow start Break --app {APP} --input JSON" in dev.err

        begun = (await llmflow("start", "--app", APP, "Greet", "--input", '{"who": "ana"}', "--wait", "--json")).json()
        assert begun["url"].split("/namespaces/")[0] in dev.err, "the Web UI that it named"
        async with httpx.AsyncClient() as browser:
            assert (await browser.get(begun["url"])).status_code == 200

        large = "word " * 40_000
        (tmp_path / "large.json").write_text(json.dumps(large))
        echoed = await llmflow("start", "--app", APP, "Say", "--input", "@large.json", "--wait", "--json")
        assert echoed.json()["result"] == large
        assert len(list((tmp_path / ".llmflow" / "storage").glob("v1/default/*/*"))) == 1, "stored by default, once"

        ended = await dev.done(signal.SIGTERM)
        assert (ended.code, ended.out) == (0, "")
        assert "finishing the in-flight calls" in ended.err

        async with httpx.AsyncClient() as browser:
            with pytest.raises(httpx.ConnectError):  # the server is gone
                await browser.get(begun["url"])

    with taken(PORT):
        async with started("dev", "--app", APP, "--json", cwd=tmp_path, env=env) as again:
            await again.says("Ctrl-C stops it")
            status = (await llmflow("status", begun["id"], "--json")).json()
            assert status["status"]["state"] == "completed"
            assert status["usage"]["total"]["calls"] == 1
            served = (await again.done(signal.SIGTERM)).json()
            assert served["app"] == "errands"
            assert served["address"] in again.err
            assert served["ui_url"] in again.err
            told = f"export TEMPORAL_ADDRESS={served['address']}\n"
            assert told in again.err, "other programs would look at the usual port"


@pytest.fixture
def other_ports() -> Iterator[None]:
    """Tests that run at once would all begin at Temporal's usual ports."""
    with taken(PORT), taken(UI_PORT):
        yield


@pytest.mark.usefixtures("other_ports")
async def test_without_a_worker(tmp_path: Path) -> None:
    env = environ(LLMFLOW_APP="nowhere.app:app")  # which nobody loads
    async with started("dev", "--no-worker", "--json", cwd=tmp_path, env=env) as dev:
        await dev.says("`llmflow worker` adds a worker; Ctrl-C stops them")
        assert (await finished("list", cwd=tmp_path, env=env)).code == 0
        worker = await finished("worker", cwd=tmp_path, env=env)
        assert "there is no module 'nowhere' here" in worker.err
        done = await dev.done(signal.SIGINT)
    said = done.json()
    assert set(said) == {"address", "ui_url"}
    assert f"Temporal server at {said['address']}, Web UI at {said['ui_url']}" in done.err
    assert "in-flight calls" not in done.err
    await gone(said["address"])


@pytest.mark.usefixtures("other_ports")
@pytest.mark.parametrize("options", [("--no-worker",), ("--app", APP)])
async def test_nothing_outlives_it(tmp_path: Path, options: tuple[str, ...]) -> None:
    async with started("dev", *options, cwd=tmp_path, env=environ(LLMFLOW_MODELS="offline")) as dev:
        await dev.says("Ctrl-C stops")
        server = json.loads((tmp_path / ".llmflow" / "server.json").read_text())
        # A worker has the same stderr, so this is its end, too.
        assert (await dev.done(signal.SIGKILL)).code == -signal.SIGKILL
    await gone(server["address"])
