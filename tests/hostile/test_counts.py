"""The counts of docs/security.md are those of the tables."""

from pathlib import Path

import pytest

from .test_decisions import EARLY, REFUSED
from .test_secrets import REDIS, URLS
from .test_templates import ATTACKS
from .test_text import EVERY
from .test_users_doing import PROMPT_FILES, SHELL
from .test_vendors import ABSURD, BODIES

PAGE = Path(__file__).parents[2] / "docs" / "security.md"


@pytest.mark.parametrize(
    ("row", "count"),
    [
        ("markup", len(EVERY)),
        ("decisions", len(REFUSED) + len(EARLY)),
        ("gzip bombs", len(BODIES)),
        ("absurd numbers", len(ABSURD)),
        ("templates", len(ATTACKS)),
        ("URLs", len(URLS)),
        ("bad Redis", len(REDIS)),
        ("streams", len(SHELL)),
        ("prompt files", len(PROMPT_FILES)),
    ],
)
def test_the_page_counts_what_is_tried(row: str, count: int) -> None:
    [line] = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith(f"| {row}")]
    assert line.split("|")[2].strip() == str(count)
