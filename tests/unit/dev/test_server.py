"""Which server a process gets; that a real one starts, stops and remembers is tests/integration/test_dev_server.py."""

import asyncio
import json
import socket
from dataclasses import asdict
from pathlib import Path

import pytest

from llmflow.config import Settings
from llmflow.dev import DevServer, dev_server
from llmflow.dev.server import standing_server
from llmflow.errors import ConfigInvalid, ServerUnavailable

from .machine import NEW_SERVER, Program

FAILING = f'case "$1" in --version) {NEW_SERVER};; *) echo "no space left on device" >&2; exit 1;; esac'


@pytest.mark.parametrize("memory", [False, True])
async def test_a_standing_server_is_used_and_nothing_is_started(
    memory: bool, settings: Settings, program: Program, said: list[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as standing:
        address = f"127.0.0.1:{standing.getsockname()[1]}"

        async with dev_server(
            settings.model_copy(update={"temporal_address": address}), said.append, memory=memory
        ) as server:
            assert server == DevServer(address=address, ui_url=None, pid=None)

    assert said == []


@pytest.mark.parametrize(("port", "usual"), [(7233, True), (17233, False), (42643, False)])
def test_others_find_a_server_at_the_usual_port(port: int, usual: bool) -> None:
    assert DevServer(address=f"127.0.0.1:{port}").has_usual_port is usual


async def test_a_standing_server_that_does_not_answer(settings: Settings, said: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        address = f"127.0.0.1:{closed.getsockname()[1]}"

    with pytest.raises(
        ServerUnavailable, match=f"nothing answers at TEMPORAL_ADDRESS={address}: start that server, or"
    ):
        async with dev_server(settings.model_copy(update={"temporal_address": address}), said.append):
            pass


async def test_what_a_killed_process_left_is_no_standing_server(settings: Settings) -> None:
    ended = await asyncio.create_subprocess_exec("true")
    await ended.wait()
    settings.home.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as foreign:
        left = DevServer(address=f"127.0.0.1:{foreign.getsockname()[1]}", pid=ended.pid)
        (settings.home / "server.json").write_text(json.dumps(asdict(left)))

        assert await standing_server(settings) is None


async def test_a_server_that_does_not_start_leaves_the_folder_free(
    settings: Settings, program: Program, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = program("temporal", FAILING).parent
    monkeypatch.setenv("PATH", f"{folder}:/bin:/usr/bin")

    for _ in range(2):  # the second attempt is not kept waiting by what the first left
        with pytest.raises(ServerUnavailable, match="the Temporal server did not start: no space left on device"):
            async with dev_server(settings, said.append):
                pass

    assert not (settings.home / "server.json").exists()


async def test_a_home_that_cannot_be_written_says_which_variable_names_another(
    settings: Settings, tmp_path: Path, program: Program, said: list[str]
) -> None:
    program("temporal", NEW_SERVER)
    (tmp_path / "file").touch()

    with pytest.raises(ConfigInvalid, match=r"file/home cannot be written \(Not a directory\): set LLMFLOW_HOME"):
        async with dev_server(settings.model_copy(update={"home": tmp_path / "file" / "home"}), said.append):
            pass
