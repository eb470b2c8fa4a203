"""`llmflow demo NAME`: each application shows itself without a key, as one process each; at once, to be fast."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from llmflow.cli.examples import demo_names
from tests.helpers.command_line import Done, environ, finished
from tests.integration.chaotic import lay_out

OTHERS = [name for name in demo_names() if name != "research"]  # which test_cli_demo.py looks at
Demos = dict[str, Done]


@pytest.fixture(scope="module")
async def demos(temporal: str, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Demos]:
    """Output of each demo. `travel` prints for a pipe, the others JSON."""

    async def show(name: str, folder: Path) -> Done:
        words = () if name == "travel" else ("--json",)
        if name == "claims":  # forty letters would keep the others waiting
            lay_out(folder / "documents")
            words = (*words, "--documents", "documents/claims")
        return await finished("demo", name, *words, cwd=folder, env=environ(TEMPORAL_ADDRESS=temporal))

    folder = tmp_path_factory.mktemp("demos")
    for name in OTHERS:
        (folder / name).mkdir()
    done = await asyncio.gather(*(show(name, folder / name) for name in OTHERS))
    yield dict(zip(OTHERS, done, strict=True))


def outcome(demos: Demos, name: str) -> Any:  # Any: JSON
    """The document, after a look at what every demo has."""
    found = demos[name].json()
    assert found["id"].startswith(f"{name}-")
    assert found["usage"]["total"]["usd"] == "0"
    assert all(question["status"] != "open" for question in found["approvals"])
    assert "NO LANGUAGE MODEL" in demos[name].err
    assert "\x1b" not in demos[name].out + demos[name].err
    return found


def test_support_escalates_a_refund_to_the_lead(demos: Demos) -> None:
    found = outcome(demos, "support")
    assert found["result"]["refund"]["amount"] == 189
    [question] = found["approvals"]
    assert (question["level"], [vote["by"] for vote in question["votes"]]) == (1, ["lena"])
    said = demos["support"].err
    assert "refund waits for sam or kim, until" in said
    assert "refund is now also asked of sam or kim or lena" in said
    assert "lena approves refund: broken on arrival" in said
    assert "four seconds here, in earnest four hours" in said


def test_travel_says_what_was_undone(demos: Demos) -> None:
    done = demos["travel"]
    assert done.code == 0
    assert "**Nothing is booked: lisbon/car-1 is sold out.**" in done.out
    assert done.out.count("cancelled again") == 2
    assert "decided  price: approved, yes from ana" in done.out
    assert [line.split()[1:3] for line in done.err.splitlines() if "✓ undone" in line] == [
        *(["undone", f"book/book_{kind}"] for kind in ("flight", "hotel", "car"))
    ]


def test_digest_names_what_it_could_not_read(demos: Demos) -> None:
    found = outcome(demos, "digest")
    assert found["result"]["documents"] == 6
    [unread] = found["result"]["unread"]
    assert unread["path"] == "06-choir.md"
    sections = found["result"]["digest"]["sections"]
    assert {source for section in sections for source in section["sources"]} <= {
        *("01-budget.md", "02-first-day.md", "03-accessibility.md", "04-books.md", "05-volunteers.txt")
    }
    assert "carpenter" in str(sections)


def test_claims_are_paid_or_listed(demos: Demos) -> None:
    result = outcome(demos, "claims")["result"]
    assert result["letters"] == 5
    assert [(one["number"], one["status"], one["cents"], one["decided_by"]) for one in result["settled"]] == [
        ("C-1001", "paid", 7_700, "the limit"),
        ("C-1007", "paid", 120_000, "ida"),
        ("C-1026", "rejected", 0, "jon"),
    ]
    assert [one["path"] for one in result["unsettled"]] == ["C-1005.txt", "C-1012.txt"]


def test_patterns_answers_every_question_of_a_letter(demos: Demos) -> None:
    result = outcome(demos, "patterns")["result"]
    assert "9:00 on Saturdays and Sundays" in result["text"]
    assert (result["rounds"], result["colleague"]) == ([1, 1, 1], "")
    assert "✓ orchestrate" in demos["patterns"].err


@pytest.mark.parametrize("name", ["review", "onboarding"])
def test_the_others_are_decided_by_people_and_end_well(demos: Demos, name: str) -> None:
    found = outcome(demos, name)
    assert found["result"]
    assert {vote["by"] for question in found["approvals"] for vote in question["votes"]}
