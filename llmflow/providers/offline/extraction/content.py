"""Content for answers: sentences, ids, queries and headings of the input, best first."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import JsonValue

from llmflow.providers.offline.extraction.kinds import Kind
from llmflow.providers.offline.extraction.material import Material
from llmflow.providers.offline.extraction.ranking import RankedSentence, coverage, diverse, rank
from llmflow.providers.offline.extraction.words import keywords, phrases, shortened, stem, words

NOTHING = "The input says nothing about this."
"""Text for a question to which no sentence of the input is relevant."""
_PROSE = 3  # sentences of a text
_SECTIONS = 4
_ITEMS = 5
_POINTS = 3
_KEYWORDS = 8
_QUERIES = 3
_TITLE = 120  # characters
_CLOSE = 0.35  # share of the best score below which sentences are left out
_RELEVANT = 1 / 3  # share of the question's keywords
_ANSWERED = 2 / 3
_NUMBER = re.compile(r"(?<![\w.,-])-?\d+(?:\.\d+)?(?![\w,]*\w)")


@dataclass(frozen=True)
class Focus:
    """Sentences for one part of the answer."""

    candidates: tuple[RankedSentence, ...]
    """Candidates, best first."""
    heading: str = ""
    sentences: int = _PROSE
    """Number of sentences of a text."""

    def best(self, count: int) -> list[RankedSentence]:
        """Return the best relevant candidates that do not repeat each other."""
        enough = max((candidate.score for candidate in self.candidates), default=0.0) * _CLOSE
        return diverse([candidate for candidate in self.candidates if candidate.score > enough], count)


class RankedMaterial:
    """The material of one request, ranked."""

    def __init__(self, material: Material) -> None:
        self.material = material
        self.all = Focus(rank(material))
        self.title = _as_title(material)
        self.ids = tuple(dict.fromkeys(name for passage in material.passages for name in passage.ids))

    def prose(self, focus: Focus) -> list[str]:
        """Return the sentences of a text: the best first, the others in the order of the input."""
        best = focus.best(focus.sentences)
        if not best:
            return [NOTHING] if self.material.question else [one.text for one in focus.candidates[: focus.sentences]]
        rest = sorted(best[1:], key=lambda candidate: candidate.order)
        return [candidate.text for candidate in (*best[:1], *rest)]

    def strings(self, kind: Kind, focus: Focus) -> list[str]:
        """Return the items for a list of a kind, best first; empty if the input has none."""
        match kind:
            case "id":
                # Only of the sentences that a text beside it contains, so that the citations match.
                found = [name for candidate in focus.best(focus.sentences) for name in candidate.ids]
            case "query":
                found = _queries(self.material.question)
            case "keyword":
                found = keywords(self.material.question or self.material.text)[:_KEYWORDS]
            case "topic":
                found = [", ".join(_main(phrases(self.material.question), 2))]
            case "title" | "heading":
                found = [focus.heading or self.title]
            case "quote":
                found = [candidate.raw for candidate in focus.best(_POINTS)]
            case "gap":
                found = self._gaps()
            case "question":
                found = [self.material.question]
            case _:
                found = [candidate.text for candidate in focus.best(_POINTS)]
        return [value for value in dict.fromkeys(found) if value]

    def parts(self, focus: Focus, *, by_heading: bool) -> list[Focus]:
        """Return a focus for each item of a list: one sentence, or all sentences under one heading."""
        if not by_heading:
            return [Focus((candidate,), candidate.heading) for candidate in focus.best(_ITEMS)]
        groups: dict[str, list[RankedSentence]] = {}
        for candidate in focus.best(_SECTIONS * _PROSE):
            groups.setdefault(candidate.heading, []).append(candidate)
        return [Focus(tuple(group[:_PROSE]), heading) for heading, group in list(groups.items())[:_SECTIONS]]

    def coverage(self, focus: Focus) -> float:
        """Return the share of the question that the sentences cover, from 0 to 1."""
        return coverage(self.material.question, focus.candidates)

    def is_relevant(self, focus: Focus) -> bool:
        """Return True if the sentences cover enough of the question."""
        return bool(focus.candidates) and self.coverage(focus) >= _RELEVANT

    def mentioned(self, values: Sequence[JsonValue], focus: Focus) -> list[JsonValue]:
        """Return the values that the input mentions, most frequent first."""
        text = f" {' '.join(words(self.material.question))} {' '.join(_texts(focus) or words(self.material.text))} "
        counts = [text.count(f" {' '.join(words(str(value)))} ") for value in values]
        order = sorted(range(len(values)), key=lambda index: (-counts[index], index))
        return [values[index] for index in order if counts[index]]

    def numbers(self, focus: Focus) -> list[float]:
        """Return the numbers in the best sentences, without repetition."""
        found = (number for candidate in focus.best(_PROSE) for number in _NUMBER.findall(candidate.text))
        return list(dict.fromkeys(float(number) for number in found))[:_ITEMS]

    def _gaps(self) -> list[str]:
        """Report keywords of the question that no sentence has, unless the question is mostly covered."""
        if self.coverage(self.all) > _ANSWERED:
            return []
        said = {known for candidate in self.all.candidates for known in candidate.stems}
        missing = [word for word in keywords(self.material.question) if stem(word.casefold()) not in said]
        return [f"Nothing was found about `{word}`." for word in missing]


def _texts(focus: Focus) -> list[str]:
    return [word for candidate in focus.candidates for word in words(candidate.text)]


def _queries(question: str) -> list[str]:
    """Make queries: one of all keywords, then one per phrase, to search each part of the question on its own."""
    every = keywords(question)
    runs = [half for run in phrases(question) for half in _halves(run.split())]
    singles = " ".join(run for run in runs if " " not in run)
    parts = _main([*(run for run in runs if " " in run), singles], _QUERIES - 1)
    found = [query for query in dict.fromkeys([" ".join(every), *parts]) if query]
    return found if len(found) > 1 else list(dict.fromkeys([*found, *every]))[:_QUERIES]


def _halves(run: Sequence[str]) -> list[str]:
    middle = len(run) // 2 if len(run) > 3 else 0
    return [" ".join(half) for half in (run[:middle], run[middle:]) if half]


def _main(texts: Sequence[str], count: int) -> list[str]:
    """Return the `count` texts with the most words, in their original order."""
    longest = sorted(range(len(texts)), key=lambda index: (-len(texts[index].split()), index))[:count]
    return [texts[index] for index in sorted(longest)]


def _as_title(material: Material) -> str:
    headings = (passage.title for passage in material.passages if passage.title)
    title = shortened(" ".join(material.question.split()), _TITLE) or next(headings, "")
    return title[:1].upper() + title[1:]
