"""`llmflow codec-server`, as a process of its own."""

import signal
from pathlib import Path

import httpx

from tests.helpers.command_line import ROOT, environ, finished, started
from tests.helpers.ports import closed_port


async def test_it_serves_on_loopback_until_it_is_stopped(tmp_path: Path) -> None:
    with closed_port() as port:
        address = f"127.0.0.1:{port}"
    env = environ(LLMFLOW_CODEC="tests.helpers.ciphers:codec", LLMFLOW_HOME=str(tmp_path))
    arguments = ("codec-server", "--listen", address, "--ui-origin", "http://ui:1")
    async with started(*arguments, cwd=ROOT, env=env) as server, httpx.AsyncClient() as browser:
        await server.says(f"codec server at http://{address} for http://ui:1; Ctrl-C stops it")
        answer = await browser.post(
            f"http://{address}/decode", json={"payloads": []}, headers={"origin": "http://ui:1"}
        )
        assert (answer.status_code, answer.json()) == (200, {})
        assert answer.headers["access-control-allow-origin"] == "http://ui:1"

        second = await finished(*arguments, cwd=ROOT, env=env)
        assert (second.code, second.err) == (5, f"error: {address}: Address already in use; choose another address\n")
        assert (await server.done(signal.SIGINT)).code == 130
