"""Question that a person means by a name, and the people who may decide it."""

from datetime import UTC, datetime

import pytest

from llmflow.errors import ApprovalNotFound, DecisionRefused, InputInvalid
from llmflow.service.approvals import check_voter, named, open_one
from llmflow.types.approvals import ApprovalStatus, Question, Vote


def question(name: str, status: ApprovalStatus = "open") -> Question:
    return Question(name=name, status=status, asked_at=datetime(2026, 11, 21, tzinfo=UTC))


ASKED = [question("text", "rejected"), question("text#2"), question("text#3"), question("pay")]


@pytest.mark.parametrize(("name", "found"), [("pay", "pay"), ("pay#1", "pay"), ("text#2", "text#2")])
def test_one_is_meant(name: str, found: str) -> None:
    assert open_one("r", ASKED, name).name == found


@pytest.mark.parametrize(("name", "says"), [(None, "text#2, text#3, pay#1"), ("text", "text#2, text#3")])
def test_where_several_are_open_nobody_guesses(name: str | None, says: str) -> None:
    with pytest.raises(InputInvalid, match=f"asks several things, name one of them: {says}$"):
        open_one("r", ASKED, name)


def test_a_name_means_all_its_rounds_and_one_with_a_number_that_round() -> None:
    assert [one.name for one in named("r", ASKED, "text")] == ["text", "text#2", "text#3"]
    assert [one.name for one in named("r", ASKED, "text#1")] == ["text"]
    with pytest.raises(ApprovalNotFound, match=r"text \(rejected\)"):
        open_one("r", ASKED, "text#1")
    with pytest.raises(ApprovalNotFound, match=r"did you mean `text`"):
        named("r", ASKED, "txt")


def test_who_may_not_decide() -> None:
    voted = Vote(approved=True, by="ana", at=datetime(2026, 11, 21, tzinfo=UTC))
    asked = question("pay").model_copy(update={"approvers": ("ana", "bo"), "votes": (voted,)})
    check_voter(asked, "Bo")
    with pytest.raises(DecisionRefused, match=r"did you mean `ana`\?\), but ana, bo may$"):
        check_voter(asked, "anna")
    with pytest.raises(DecisionRefused, match="`ana` has decided `pay` already"):
        check_voter(asked, "ana")
