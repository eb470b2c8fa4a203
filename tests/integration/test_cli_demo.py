"""`llmflow demo`, as a process: what a person has right after cloning. Two start a server of their own, as it does."""

import asyncio
import json
import os
import pty
import signal
from pathlib import Path

import pytest

from tests.helpers.command_line import COMMAND, ROOT, environ, finished, started
from tests.helpers.model_server import ModelServer, Reply

KEY = "sk-planted-0af3c51be2"
QUESTION = "How hot should the water for green tea be?"
GUIDE = """# Tea

## Green tea

The water for green tea should be 75 degrees hot. Boiling water makes green tea bitter.

## Black tea

Black tea wants boiling water.
"""
ASKED = ("demo", "--question", QUESTION, "--documents", "../guide")


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder to run in, with nothing in it; the documents lie outside."""
    (tmp_path / "guide").mkdir()
    (tmp_path / "guide" / "tea.md").write_text(GUIDE)
    (tmp_path / "here").mkdir()
    return tmp_path / "here"


async def test_answers_from_any_folder_without_a_key(here: Path) -> None:
    done = await finished(*ASKED, "--json", cwd=here, env=environ())
    outcome = done.json()

    assert "75 degrees" in json.dumps(outcome["result"]["report"])
    assert {source["path"] for source in outcome["result"]["sources"]} == {"tea.md"}
    assert outcome["usage"]["total"]["usd"] == "0"
    assert list(outcome["usage"]["by_model"]) == ["offline:extractive"]
    assert "/namespaces/default/workflows/" in outcome["url"]
    assert outcome["url"].endswith(f"/{outcome['run_id']}/history")
    assert "NO LANGUAGE MODEL" in done.err
    assert "set OPENAI_API_KEY" in done.err
    for step in ("parse", "retrieve", "summarise", "reason", "write", "store"):
        assert f"✓ {step}" in done.err


async def test_what_goes_to_a_pipe_is_the_report(here: Path, temporal: str) -> None:
    done = await finished(*ASKED, cwd=here, env=environ(TEMPORAL_ADDRESS=temporal))

    assert done.code == 0
    (stored,) = (here / ".llmflow" / "files").iterdir()
    assert done.out.startswith(f"\n{stored.read_text()}"), "Markdown, as it was stored"
    assert f"# {QUESTION}\n" in done.out
    assert "(tea.md:" in done.out
    assert "offline:extractive" in done.out
    assert "research/write@" in done.out
    assert " out · $0" in done.out
    assert "\x1b" not in done.out + done.err, "no colours where there is no terminal"
    for after in (
        "demo claims|digest|onboarding|patterns|review|support|travel",
        "llmflow init mine",
        f"{ROOT}/docs/getting-started.md",
    ):
        assert after in done.err.partition("\nNext\n")[2]


async def test_a_question_that_nothing_fits(here: Path, temporal: str) -> None:
    env = environ(TEMPORAL_ADDRESS=temporal)
    done = await finished(
        "demo", "research", "--question", "zzyzx qwrtp?", "--documents", "../guide", cwd=here, env=env
    )
    assert done.code == 0
    assert "No passage of these documents fits the question." in done.out


async def test_a_question_that_is_too_short(here: Path) -> None:
    done = await finished("demo", "--question", "?", "--documents", "../guide", cwd=here, env=environ())
    assert (done.code, done.out) == (2, "")
    assert "text: String should have at least 3 characters" in done.err
    assert list(here.iterdir()) == [], "no server was started for it"


async def test_with_a_key_a_model_is_asked(here: Path, temporal: str) -> None:
    """This vendor refuses, and that is what the person reads; the key is read by nobody."""
    async with ModelServer(Reply.error(401, message="no such key")) as vendor:
        env = environ(TEMPORAL_ADDRESS=temporal, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=vendor.url)
        done = await finished(*ASKED, cwd=here, env=env)

    assert vendor.requests
    assert (done.code, done.out) == (1, "")
    assert "✗ parse" in done.err
    assert "AuthenticationFailed" in done.err.splitlines()[-1]
    assert "NO LANGUAGE MODEL" not in done.err
    assert KEY not in done.err


async def test_ctrl_c_stops_after_the_running_calls_and_twice_at_once(here: Path, temporal: str) -> None:
    async with ModelServer(Reply.text("{}", delay=3)) as vendor:
        env = environ(TEMPORAL_ADDRESS=temporal, OPENAI_API_KEY=KEY, OPENAI_BASE_URL=vendor.url)
        async with started(*ASKED, cwd=here, env=env) as patient, asyncio.timeout(40):
            await vendor.arrived(1)
            patient.interrupt()
            done = await patient.done()
        assert done.code == 130
        assert "stopping after the in-flight calls" in done.err
        guide = here.parent / "guide"
        assert (
            f"the run is kept, and continues with `LLMFLOW_DOCUMENTS={guide} llmflow dev --app workflows." in done.err
        )

        vendor.script(Reply.text("{}", delay=60))
        async with started(*ASKED, cwd=here, env=env) as hasty, asyncio.timeout(40):
            await vendor.arrived(2)
            hasty.interrupt()
            await hasty.says("stopping after the in-flight calls")
            assert (await hasty.done(signal.SIGINT)).code == -signal.SIGINT


async def test_on_a_terminal_it_stays_up_until_ctrl_c(here: Path) -> None:
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *COMMAND, *ASKED, cwd=here, env=environ(TERM="xterm"), stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    loop, screen = asyncio.get_running_loop(), ""
    async with asyncio.timeout(40):
        while "Ctrl-C ends it" not in screen:
            screen += (await loop.run_in_executor(None, os.read, ours, 4096)).decode(errors="replace")
        assert process.returncode is None
        process.send_signal(signal.SIGINT)
        assert await process.wait() == 0
    os.close(ours)
    assert "\x1b[" in screen, "colours, and the steps as they happen"
    assert "75 degrees" in screen
    assert "http://localhost:" in screen
    assert "llmflow init mine" in screen.partition("Next")[2]
