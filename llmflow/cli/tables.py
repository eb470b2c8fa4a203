"""Listings that fit the screen."""

from collections.abc import Iterator, Sequence

from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

from llmflow.types.texts import visible

Cell = str | Text

_READABLE = 16
"""Width to which a key may be folded, in columns."""
_APART = 2
_NOTHING = ("0", "-")
"""Figures that say nothing, if a column has no other."""


class Listing:
    """Rows of keys and figures.

    Keys are folded, but not below a readable width; figures are whole, and so is the first key up to half the screen,
    because people copy it. On a screen without room for that, the keys of a row stand on a line of their own, above its
    figures. Columns without content are left out.
    """

    def __init__(self, keys: Sequence[str], figures: Sequence[str] = ()) -> None:
        self._headings = (keys, figures)
        self._rows: list[tuple[tuple[list[Text], list[Text]], str]] = []

    def add(self, keys: Sequence[Cell], figures: Sequence[Cell] = (), style: str = "") -> None:
        """Add a row. Missing cells at its end are empty."""
        given = zip((keys, figures), self._headings, strict=True)
        cells_of_keys, cells_of_figures = (_cells(cells, len(headings)) for cells, headings in given)
        self._rows.append(((cells_of_keys, cells_of_figures), style))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Render keys beside figures if there is room, otherwise above them."""
        keys = {at: min(_READABLE if at else options.max_width // 2, width) for at, width in self._columns(0)}
        figures = dict(self._columns(1))
        widths = [*keys.values(), *figures.values()]
        if sum(widths) + _APART * (len(widths) - 1) <= options.max_width:
            yield self._beside(keys, figures)
        else:
            yield from self._above(keys, figures)

    def _columns(self, part: int) -> Iterator[tuple[int, int]]:
        """Return index and width of each column with content."""
        for at, heading in enumerate(self._headings[part]):
            cells = [cells[part][at] for cells, _ in self._rows]
            if any(cell.plain and (cell.plain not in _NOTHING or part == 0) for cell in cells):
                yield at, max(len(heading), *(line.cell_len for cell in cells for line in cell.split()))

    def _beside(self, keys: dict[int, int], figures: dict[int, int]) -> Table:
        table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, _APART, 0, 0))
        for at, width in keys.items():
            table.add_column(self._headings[0][at], overflow="fold", min_width=width)
        for at, width in figures.items():
            table.add_column(self._headings[1][at], justify="right", no_wrap=True, min_width=width)
        for (names, numbers), style in self._rows:
            table.add_row(*(names[at] for at in keys), *(numbers[at] for at in figures), style=style)
        return table

    def _above(self, keys: dict[int, int], figures: dict[int, int]) -> Iterator[Text]:
        headings = [_cells(of, len(of)) for of in self._headings]
        for names, numbers, style in (*[(*headings, "dim")], *((*cells, style) for cells, style in self._rows)):
            line = Text(" · ").join(names[at] for at in keys if names[at].plain)
            line.style = style
            yield line
            of_row = Text(style=style)
            for at, width in figures.items():
                of_row.append(" " * (width - numbers[at].cell_len + _APART)).append_text(numbers[at])
            if of_row.plain.strip():
                yield of_row


def _cells(given: Sequence[Cell], count: int) -> list[Text]:
    cells = [Text(visible(one)) if isinstance(one, str) else one for one in given]
    return [*cells, *(Text() for _ in range(count - len(cells)))]
