"""Text of strangers is text: in terminals, in logs, in JSON there, on the Web UI's page, in commands to copy."""

import html as entities
import io
import json
import logging
import re
import subprocess
import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from markdown_it import MarkdownIt
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from llmflow.cli.commands.approvals.list import inbox_table
from llmflow.cli.commands.runs import run_table
from llmflow.cli.output import SafeConsole
from llmflow.cli.questions import besides, question_page
from llmflow.cli.run_page import page
from llmflow.errors import RateLimited
from llmflow.service.runs import Report
from llmflow.telemetry.logs import OneLineForOurErrors
from llmflow.types.approvals import ApprovalReport, Decide, Question, Refusal, Vote, Waiting
from llmflow.types.base import changed
from llmflow.types.runs import InboxItem, PendingCall, RunPage, RunStatus
from llmflow.types.steps import Compensation, StepRecord
from llmflow.types.texts import code, command_line, harmless, markdown, one_line, visible, visible_json

from .texts import ACTS, EMPHASIS, HARMLESS, MARKDOWN, MARKUP

EVERY = (*MARKUP, *ACTS, *MARKDOWN, *EMPHASIS, *HARMLESS)
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
SHELL = subprocess.run(("bash", "-c", "exit"), check=False).returncode == 0


def acts(character: str) -> bool:
    """Tell by Unicode's own categories, and not by our table."""
    if character in "\n\t\u200c\u200d":
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp")


def terminal(shown: RenderableType, width: int = 500) -> str:
    """Show it on a terminal of ours without colours: no escape code is our own."""
    text = io.StringIO()
    SafeConsole(file=text, width=width).print(shown, crop=False)
    return text.getvalue()


def question(text: str) -> Question:
    return Question(
        name=text,
        payload={"mail": text, text: 1},
        details=text,
        form={"properties": {text: {"type": "string", "description": text, "default": text}}},
        approvers=(text,),
        quorum=2,
        asked_at=NOW,
        deadline=NOW + timedelta(days=3),
        votes=(Vote(approved=True, by=text, comment=text, form={text: text}, at=NOW),),
    )


def screens(text: str) -> list[RenderableType]:
    """All screens that show what somebody else has named or sent."""
    waiting = Waiting(name=text, asked_at=NOW, approvers=(text,), title=text)
    status = RunStatus(
        id=text,
        run_id="r",
        workflow=text,
        state="running",
        task_queue=text,
        started_at=NOW,
        events=3,
        tags=(text,),
        tenant=text,
        user=text,
        approvals=(waiting,),
        pending=(PendingCall(type=text, id=text, attempt=2, last_failure=text),),
        stuck=text,
    )
    step = StepRecord(path=text.replace("/", ""), status="failed", started_at=NOW, ended_at=NOW, error=text)
    compensation = Compensation(key=text, path=text, name=text, status="failed", error=text)
    report = Report(status=status, failure=text, steps=(step,), usage=None, missing=text, url=text)
    refused = ApprovalReport(
        early=(Decide(approval="x", approved=True, by=text.encode(errors="replace").decode()),),
        refused=(Refusal(reason=text, at=NOW, sent=text),),
    )
    return [
        text,
        Text(text, "bold"),
        question_page(text, question(text), ()),
        question_page(text, changed(question(text), payload=text), ()),
        Group(*besides(refused)),
        page(changed(report, compensations=(compensation,))),
        inbox_table([InboxItem(run=text, run_id="r", workflow=text, waiting=waiting)]),
        run_table(RunPage(runs=(status,), cursor=None)),
    ]


@pytest.mark.parametrize("text", EVERY)
def test_nothing_acts_on_a_terminal(text: str) -> None:
    for screen in screens(text):
        assert not [f"U+{ord(one):04X}" for one in terminal(screen) if acts(one)]


@pytest.mark.parametrize("text", (*MARKUP, *MARKDOWN, *EMPHASIS))
def test_the_approver_sees_the_exact_text(text: str) -> None:
    shown = terminal(question_page("run", Question(name="send", payload=text, asked_at=NOW), ()))
    assert f"  {text}" in shown
    table = Table("what")
    table.add_row(text)
    assert text in terminal(table)


@pytest.mark.parametrize("text", MARKUP)
def test_the_approver_sees_details_exactly(text: str) -> None:
    shown = terminal(question_page("run", Question(name="send", details=text, asked_at=NOW), ()))
    assert text.replace("\\[", "[") in shown.replace("\\[", "[")


@pytest.mark.parametrize("text", ACTS)
def test_what_acts_is_seen(text: str) -> None:
    shown = visible(text)
    assert len(shown) == len(text)
    assert sum(one in "�␡" or "␀" <= one <= "␟" for one in shown) == sum(map(acts, text))


@pytest.mark.parametrize("text", HARMLESS)
def test_texts_of_all_languages_stay(text: str) -> None:
    assert visible(text) == text


@pytest.mark.parametrize("text", EVERY)
def test_json_on_a_terminal_has_the_exact_values(text: str) -> None:
    document = visible_json(json.dumps({text: text}, ensure_ascii=False))
    assert not any(map(acts, document))
    assert json.loads(document) == {text: text}


@pytest.mark.parametrize("text", EVERY)
def test_a_line_of_a_log_is_one_line(text: str, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("hostile.activity")
    logger.filters = [OneLineForOurErrors()]
    try:
        raise RateLimited(text)
    except RateLimited:
        logger.warning("Completing activity as failed", exc_info=True)
    line = caplog.handler.format(caplog.records[-1])
    assert one_line(text) in line
    assert not any(acts(one) or one in "\n\t" for one in line)


def html(text: str) -> str:
    """Render as GitHub and the Web UI do: with raw HTML and links of bare addresses."""
    return MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(text)


@pytest.mark.parametrize("text", (*EVERY, "".join(MARKDOWN), "\n".join(MARKDOWN), " ".join(MARKDOWN)))
def test_markdown_of_strangers_has_no_html_links_images_formulas(text: str) -> None:
    for shown in (markdown(text), harmless(text), f"x {code(text)} y"):
        rendered = html(shown)
        assert "<a" not in rendered
        assert "<img" not in rendered
        assert "<textarea" not in rendered
        assert "<script" not in rendered
        assert "<!--" not in rendered
        outside = [part.partition("</code>")[2] for part in f"</code>{rendered}".split("<code>")]
        assert not [part for part in outside if "://" in part or "@" in part or "www." in part], rendered
        assert "$" not in re.sub(r"(`+).+?(?<!`)\1(?!`)", "", shown)


@pytest.mark.parametrize("text", (*MARKUP, *MARKDOWN, *EMPHASIS))
def test_plain_text_in_markdown_is_shown_exactly(text: str) -> None:
    rendered = html(f"- {markdown(text)}")
    assert " ".join(entities.unescape(re.sub("<[^>]+>", "", rendered)).split()) == " ".join(text.split())


@pytest.mark.skipif(not SHELL, reason="no bash")
@pytest.mark.parametrize("text", [one for one in EVERY if "\0" not in one and "\ud800" not in one])
def test_a_command_to_copy_has_the_exact_words(text: str) -> None:
    command = command_line("printf", "%s", text)
    assert not any(acts(one) or one in "\n\t" for one in command)
    done = subprocess.run(("bash", "-c", command), capture_output=True, check=True)
    assert done.stdout.decode() == text


LONG = {
    "letters": "x" * 1_000_000,
    "backslashes": "\\" * 1_000_000,
    "backticks": "`" * 100_000,
    "words": "a " * 300_000,
    "brackets": "[" * 300_000,
}


@pytest.mark.parametrize("text", LONG.values(), ids=LONG)
def test_long_text_takes_time_by_its_length_alone(text: str) -> None:
    for make in (harmless, markdown):  # the square of these lengths would take minutes, and stop the test
        assert make(text)
