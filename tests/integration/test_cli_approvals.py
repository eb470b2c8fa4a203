"""`llmflow approvals`, on a real server with a real worker: what it prints, and what it does."""

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest

from tests.helpers.command_line import COMMAND, ROOT, Done, at_a_terminal, call, environ, working

APP = "tests.integration.desk:app"
FORM = '{"usd": "12.50", "reason": "late"}'

Call = Callable[..., Done]
Json = Any  # Any: JSON


@pytest.fixture(scope="module")
def served(temporal: str) -> Iterator[None]:
    with working(APP, TEMPORAL_ADDRESS=temporal):
        yield


@pytest.fixture
def llmflow(temporal: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Call:
    """A command line that means the server of the tests, here in this process."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("TEMPORAL_ADDRESS", temporal)
    monkeypatch.setenv("LLMFLOW_HOME", str(tmp_path))
    return lambda *arguments: call(capsys, *arguments)


def asking(llmflow: Call, workflow: str, given: str) -> str:
    """A run that asks somebody something."""
    id: str = llmflow("start", "--app", APP, workflow, "--input", given, "--json").json()["id"]
    eventually(lambda: llmflow("approvals", "show", id, "--json").json()["questions"])
    eventually(lambda: listed(llmflow, id))
    return id


def listed(llmflow: Call, id: str, *options: str) -> list[Json]:
    """Return the inbox items of one run; other tests have their own runs."""
    return [one for one in llmflow("approvals", "list", "--json", *options).json() if one["run"] == id]


def eventually(look: Callable[[], object]) -> None:
    end = monotonic() + 20
    while not look():
        assert monotonic() < end
        sleep(0.05)


@pytest.mark.usefixtures("served")
def test_the_life_of_a_question(llmflow: Call, temporal: str) -> None:
    id = asking(llmflow, "TwoOfThree", "3")
    assert listed(llmflow, id, "--approver", "ana", "--workflow", "TwoOfThree")
    assert not listed(llmflow, id, "--approver", "dan")
    everything = len(llmflow("approvals", "list", "--json").json())
    assert (
        f"without them there {'is' if everything == 1 else 'are'} {everything}"
        in llmflow("approvals", "list", "--approver", "nobody-of-them", "--workflow", "TwoOfThree").err
    )
    assert not listed(llmflow, id, "--workflow", "Publish")
    assert not listed(llmflow, id, "--older-than", "1h")
    row = next(line for line in llmflow("approvals", "list").out.splitlines() if line.startswith(id))
    assert row.split()[1:9] == ["refund", "Refund", "order", "4711?", "ana,", "bo,", "cy", "(0"]

    page = llmflow("approvals", "show", id).out
    for words in ("refund  open", "for ana or bo or cy, 0 of 2 approvals", '"order": 4711', "number, above 0, to 500"):
        assert words in page
    blank = '{"usd": "...", "reason": "..."}'
    assert f"llmflow approvals approve {id} 'refund#1' --by ana --form '{blank}'" in page
    update = next(line for line in page.splitlines() if "temporal workflow update execute" in line)
    assert f"execute --address {temporal} -w {id} --name llmflow.decide --input '" in update
    status = llmflow("status", id).out
    assert "? refund is asked of ana, bo, cy since" in status
    assert f"llmflow approvals show {id} refund" in status

    first = llmflow("approvals", "approve", id, "--by", "ana", "--form", FORM, "--comment", "fine", "--json").json()
    assert first == {"approval": "refund", "status": "open", "missing": 1, "sent": False}
    eventually(lambda: not listed(llmflow, id, "--approver", "ana"))
    second = llmflow("approvals", "approve", id, "refund", "--by", "bo", "--form", FORM)
    assert second.err == f"{id} refund: approved\n"
    assert llmflow("result", id).out == "12.50: True by ana, bo\n"
    page = llmflow("approvals", "show", id, "refund").out
    assert "refund  approved" in page
    assert "fine" in page
    assert "to answer" not in page


@pytest.mark.usefixtures("served")
def test_a_rejection_asks_again(llmflow: Call) -> None:
    id = asking(llmflow, "Publish", '"one"')
    rejected = llmflow("approvals", "reject", id, "--by", "bo", "--comment", "longer")
    assert rejected.err == f"{id} publish: rejected\n"
    eventually(lambda: len(llmflow("approvals", "show", id, "publish", "--json").json()["questions"]) == 2)
    assert llmflow("approvals", "approve", id, "--by", "bo").err == f"{id} publish#2: approved\n"
    assert llmflow("result", id).out == "one, but longer, says bo\n"
    late = llmflow("approvals", "approve", id)
    assert late.code == 4
    said = " ".join(late.err.split())
    assert re.search(
        r"has no open approval; it has asked publish \(rejected by bo at [-0-9]{10} [:0-9]{8} UTC\),", said
    )
    assert re.search(r"publish#2 \(approved by bo at [-0-9]{10} [:0-9]{8} UTC\)", said)


@pytest.mark.usefixtures("served")
def test_what_cannot_be_is_said(llmflow: Call) -> None:
    id = asking(llmflow, "TwoOfThree", "3")
    for arguments, code, says in (
        (("approve", "nobody"), 4, "there is no run 'nobody'"),
        (("show", id, "refnd"), 4, "did you mean `refund`"),
        (("approve", id, "refnd"), 4, "did you mean `refund`"),
        (
            ("approve", id, "--by", "ana"),
            2,
            """give --form '{"usd": "...", "reason": "..."}' with usd (number, above 0, to 500); reason (""",
        ),
        (("approve", id, "--by", "dan", "--form", FORM), 2, "ana, bo, cy may"),
        (("approve", id, "--by", "dan"), 2, "ana, bo, cy may"),
        (("approve", id, "--by", "ana", "--form", '{"usd": 501}'), 2, "less than or equal to 500"),
        (("approve", id, "--by", "ana", "--form", "{"), 2, "--form: EOF while parsing an object"),
        (("approve", id, "--by", "ana", "--form", "@none.json"), 2, "--form @none.json: No such file"),
        (("list", "--older-than", "soon"), 2, "no duration"),
        (("list", "--older-than", "365d"), 0, "no open approval fits these options; without them there "),
    ):
        done = llmflow("approvals", *arguments)
        assert done.code == code, done
        assert says in " ".join(done.err.split())
    both = llmflow("start", "--app", APP, "Both", "--input", '"x"', "--json").json()["id"]
    eventually(lambda: listed(llmflow, both))
    assert llmflow("approvals", "reject", both, "--by", "ana").err == f"{both} spend: rejected\n"


@pytest.mark.usefixtures("served")
def test_a_form_is_asked_in_the_terminal_until_it_fits(llmflow: Call, temporal: str) -> None:
    id = asking(llmflow, "TwoOfThree", "3")
    with at_a_terminal("approvals", "approve", id, "--by", "ana", temporal=temporal, columns=100) as (process, ours):
        told = ""
        for prompt, answer in (
            ("usd (number, above 0, to 500): ", "much"),
            ("expected number", "-4"),
            ("expected number, above 0, to 500", "12.50"),
            ("reason (damaged | late): ", "lost"),
            ("write one of damaged, late", "late"),
            ("note (string, optional): ", "-"),
            ("note: say why", ""),
            ("reason (damaged | late) [late]: ", ""),
            ("note (string, optional) [-]: ", "sorry"),
        ):
            while prompt not in told or not told.endswith(": "):
                told += os.read(ours, 4096).decode()
            told = ""
            os.write(ours, f"{answer}\n".encode())
        assert process.wait() == 0
    vote = llmflow("approvals", "show", id, "--json").json()["questions"][0]["votes"][0]
    assert vote["form"] == {"usd": "12.50", "reason": "late", "note": "sorry"}


@pytest.mark.usefixtures("served")
def test_whoever_may_not_decide_is_told_before_the_form(llmflow: Call, temporal: str) -> None:
    id = asking(llmflow, "TwoOfThree", "3")
    llmflow("approvals", "approve", id, "--by", "ana", "--form", FORM)
    for by, says in (
        ("dan", "but ana, bo, cy may: give one of them with --by"),
        ("Ana", "`Ana` has decided `refund` already"),
    ):
        with at_a_terminal("approvals", "approve", id, "--by", by, temporal=temporal, columns=200) as (process, ours):
            told = ""
            with suppress(OSError):  # the end of what a terminal shows, once its process is gone
                while part := os.read(ours, 4096):
                    told += part.decode()
            assert process.wait() == 2
        assert says in " ".join(told.split())
        assert "usd" not in told


@pytest.mark.usefixtures("served")
def test_a_pipe_gets_all_of_a_page_and_no_blanks(llmflow: Call, temporal: str) -> None:
    text = f"begin {'word ' * 60}end"
    id = asking(llmflow, "Publish", f'"{text}"')
    env = environ(TEMPORAL_ADDRESS=temporal, COLUMNS="80")
    page = subprocess.check_output([*COMMAND, "approvals", "show", id], cwd=ROOT, env=env, text=True)
    payload = page[page.index("payload") : page.index("to answer")]
    assert text in " ".join(payload.split())
    assert not [line for line in page.splitlines() if line.endswith(" ")]


@pytest.mark.usefixtures("served")
def test_before_its_delay_is_over_a_run_takes_no_answer(llmflow: Call) -> None:
    id = llmflow("start", "--app", APP, "Publish", "--input", '"one"', "--delay", "1h", "--json").json()["id"]
    for arguments in (("approve", id), ("approve", id, "publish"), ("reject", id, "publish"), ("show", id)):
        done = llmflow("approvals", *arguments)
        assert done.code == 3
        assert f"run '{id}' has not begun: its delay ends at " in done.err
        assert "waits for the run" not in done.err
    assert llmflow("status", id, "--json").json()["status"]["events"] == 1


def test_before_its_delay_is_over_no_worker_is_asked_for(llmflow: Call) -> None:
    id = llmflow("start", "--app", "tests.integration.lonely:app", "--delay", "1h", "--json").json()["id"]
    assert "has not begun: its delay ends at " in llmflow("approvals", "approve", id).err


def test_without_a_worker_an_answer_waits_for_the_run(llmflow: Call) -> None:
    id = llmflow("start", "--app", "tests.integration.lonely:app", "--json").json()["id"]
    unnamed = llmflow("approvals", "approve", id, "--by", "ana")
    assert unnamed.code == 3
    assert "name the question, and the decision waits for the run" in unnamed.err
    sent = llmflow("approvals", "approve", id, "publish", "--by", "ana")
    assert sent.err == f"{id} publish: sent; no worker answers now, so it is judged when the run continues\n"
    assert llmflow("approvals", "show", id).code == 3
