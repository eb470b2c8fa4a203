"""`llmflow dev`: server, worker and Web UI; other commands find the server by the folder, and runs outlive it."""

import signal
from pathlib import Path

import httpx
import pytest

from llmflow.dev.server import PORT
from tests.helpers.command_line import Done, environ, finished, started
from tests.helpers.ports import taken

APP = "tests.integration.errands:app"


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

        ended = await dev.done(signal.SIGTERM)
        assert (ended.code, ended.out) == (0, "")
        assert "finishing the running calls" in ended.err

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
