"""Other programs are bounded in time, and gone when they are no longer wanted."""

import asyncio
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from llmflow.dev.process import run
from llmflow.errors import ServerUnavailable

MINUTE = timedelta(minutes=1)


class Witness:
    """A named pipe that a script keeps open, children included: its end says that none of them is left."""

    def __init__(self, pipe: Path) -> None:
        os.mkfifo(pipe)
        # It starts only after more output than pipes hold, so somebody is reading, and no longer just starting it.
        self.script = f'exec 9>"{pipe}"; head -c 1000000 /dev/zero; echo >&9; sleep 1000 & wait'
        self._read = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(self._read, True)
        self._keep_open = os.open(pipe, os.O_WRONLY)  # otherwise the pipe has ended before the script begins

    async def started(self) -> None:
        assert await asyncio.to_thread(os.read, self._read, 1) == b"\n"
        os.close(self._keep_open)

    def close(self) -> None:
        os.close(self._read)

    async def gone(self) -> bool:
        return await asyncio.to_thread(os.read, self._read, 1) == b""


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Witness]:
    witness = Witness(tmp_path / "pipe")
    yield witness
    witness.close()


async def test_the_output_of_both_streams_comes_back() -> None:
    assert await run(["sh", "-c", "echo out; echo err >&2"], timeout=MINUTE) == "out\nerr"


async def test_variables_come_on_top_of_our_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")

    assert await run(["sh", "-c", 'echo "$OURS $THEIRS"'], timeout=MINUTE, env={"THEIRS": "2"}) == "1 2"


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo first; echo 'the last line' >&2; exit 3", "`sh` failed with 3: the last line"),
        ("exit 4", "`sh` failed with 4: it printed nothing"),
    ],
)
async def test_the_reason_of_a_failure_is_its_last_line(script: str, reason: str) -> None:
    with pytest.raises(ServerUnavailable) as error:
        await run(["sh", "-c", script], timeout=MINUTE)

    assert error.value.message == reason


async def test_what_cannot_be_run_says_why(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no program")
    (tmp_path / "text").chmod(0o755)

    with pytest.raises(ServerUnavailable, match=r"missing` does not run: No such file"):
        await run([tmp_path / "missing"], timeout=MINUTE)
    with pytest.raises(ServerUnavailable, match=r"text` does not run: Exec format error"):
        await run([tmp_path / "text"], timeout=MINUTE)
    with pytest.raises(ServerUnavailable, match=r"does not run: Permission denied"):
        await run([tmp_path], timeout=MINUTE)


async def test_what_takes_too_long_is_killed_with_its_children(witness: Witness) -> None:
    with pytest.raises(ServerUnavailable, match="`sh` took longer than 1 s"):
        await run(["sh", "-c", witness.script], timeout=timedelta(seconds=1))

    await witness.started()
    assert await witness.gone()


async def test_a_cancelled_program_is_killed_with_its_children(witness: Witness) -> None:
    running = asyncio.create_task(run(["sh", "-c", witness.script], timeout=MINUTE))
    await witness.started()

    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running
    assert await witness.gone()
