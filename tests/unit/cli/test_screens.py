"""Screens at two widths, whole. `python -m tests.helpers.screens` writes them anew; look at them then."""

import pytest

from tests.helpers.screens import FOLDER, NAMES, WIDTHS, screen


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", NAMES)
def test_a_screen_is_as_it_was_looked_at(name: str, width: int) -> None:
    assert screen(name, width) == (FOLDER / f"{name}-{width}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", NAMES)
def test_lines_fit_the_screen_but_links(name: str) -> None:
    for width in WIDTHS:
        assert [line for line in screen(name, width).splitlines() if len(line) > width and "http" not in line] == []
