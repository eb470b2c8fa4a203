"""Which question a person means who writes a name on the command line, and which server the answer goes to."""

from datetime import UTC, datetime

import pytest
from temporalio.client import Client as Temporal

from llmflow.cli._target import Connection
from llmflow.cli.approvals._find import named, open_one
from llmflow.cli.approvals._shown import where
from llmflow.client import Client
from llmflow.errors import ApprovalNotFound, InputInvalid
from llmflow.types.approvals import ApprovalStatus, Question


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


@pytest.mark.parametrize(
    ("address", "namespace", "told"),
    [
        ("localhost:7233", "default", ()),
        ("127.0.0.1:7233", "shop", ("--namespace", "shop")),
        ("127.0.0.1:7234", "default", ("--address", "127.0.0.1:7234")),
        ("temporal:7233", "shop", ("--address", "temporal:7233", "--namespace", "shop")),
    ],
)
async def test_temporals_own_command_is_told_which_server_is_meant(
    address: str, namespace: str, told: tuple[str, ...]
) -> None:
    temporal = await Temporal.connect(address, namespace=namespace, lazy=True)
    assert where(Connection(Client(temporal), None)) == told
