"""Ranks the sentences of the input by relevance to the question, with BM25."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from llmflow.providers.offline.extraction.markdown import Sentence, plain, sentences
from llmflow.providers.offline.extraction.material import InputPassage, Material
from llmflow.providers.offline.extraction.words import overlap, stems, words

_WEAK = re.compile(
    # Points back, asks, sends the reader elsewhere, or is a list in disguise: seldom understood alone.
    r"^(?:it|its|this|that|these|those|they|their|he|she|but|and|also|hence|so|therefore|however|then|such|both|"
    r"otherwise|instead|here|there|else|again)\b|\bthere\.$|\?$|https?://|\s[@#]\w|(?:[;:][^;:]*){4}",
    re.I,
)
_SAME = 0.8  # overlap above which two sentences are duplicates
_NUMBERING = re.compile(r"^(?:[A-Z]?\d+(?:\.\d+)*[.):]?\s+)+")


@dataclass(frozen=True)
class RankedSentence:
    """A candidate sentence for the answer."""

    text: str
    raw: str
    ids: tuple[str, ...]
    """Ids of all passages that contain it."""
    heading: str
    """Its heading, else the title of its passage, else the name of its file."""
    stems: tuple[str, ...]
    order: int
    """Position in the input."""
    score: float = 0.0
    """Relevance to the question; 0 without a shared word."""


def rank(material: Material) -> tuple[RankedSentence, ...]:
    """Rank the sentences of the input, best first, without duplicates."""
    asked = set(stems(material.question))
    by_words: dict[tuple[str, ...], RankedSentence] = {}
    for passage in material.passages:
        for sentence in sentences(passage.text):
            new = _candidate(sentence, passage, len(by_words))
            old = by_words.setdefault(tuple(words(sentence.text)), new)
            by_words[tuple(words(sentence.text))] = replace(old, ids=tuple(dict.fromkeys((*old.ids, *new.ids))))
    found = list(by_words.values())
    if not asked:  # without a question, the best sentence shares the most words with the others
        counts = Counter(stem for candidate in found for stem in set(candidate.stems))
        asked = {stem for stem, count in counts.items() if count > 1}
    return tuple(sorted(_scored(found, asked), key=lambda candidate: (-candidate.score, candidate.order)))


def diverse(candidates: Sequence[RankedSentence], count: int) -> list[RankedSentence]:
    """Return the first `count` candidates that do not repeat each other."""
    chosen: list[RankedSentence] = []
    for candidate in candidates:
        if len(chosen) == count:
            break
        if all(overlap(candidate.stems, other.stems) < _SAME for other in chosen):
            chosen.append(candidate)
    return chosen


def coverage(question: str, candidates: Sequence[RankedSentence]) -> float:
    """Return the share of the question's keywords in the sentences, from 0 to 1; 1 if it has no keywords."""
    asked = set(stems(question))
    has = {stem for candidate in candidates for stem in candidate.stems}
    return len(asked & has) / len(asked) if asked else 1.0


def _candidate(sentence: Sentence, passage: InputPassage, order: int) -> RankedSentence:
    heading = _NUMBERING.sub("", sentence.heading) or plain(passage.title) or _name_of(passage.ids)
    return RankedSentence(sentence.text, sentence.raw, passage.ids, heading, tuple(stems(sentence.text)), order)


def _name_of(ids: Sequence[str]) -> str:
    """Make a heading of an id: `Failure semantics` of `docs/failure-semantics.md#3`."""
    if not ids:
        return ""
    name = re.sub(r"\.\w{1,5}$", "", ids[0].split("#")[0]).rsplit("/", 1)[-1]
    name = " ".join(re.split(r"[-_\s]+", name)).strip()
    return name.capitalize() if name.isupper() or name.islower() else name


def _scored(found: Sequence[RankedSentence], asked: set[str]) -> list[RankedSentence]:
    """Score by Okapi BM25 (k = 1.2, b = 0.75), adapted for readers."""
    count = len(found)
    having = Counter(stem for candidate in found for stem in set(candidate.stems))
    weight = {stem: math.log(1 + count / having[stem]) for stem in sorted(asked) if having[stem]}
    mean = sum(len(candidate.stems) for candidate in found) / count if count else 1.0
    scored: list[RankedSentence] = []
    for candidate in found:
        times = Counter(stem for stem in candidate.stems if stem in weight)
        # A sentence shorter than the mean gets no bonus: it is seldom understood alone.
        norm = 1.2 * (0.25 + 0.75 * max(len(candidate.stems) / (mean or 1.0), 1.0))
        score = sum(weight[stem] * times[stem] * 2.2 / (times[stem] + norm) for stem in times)
        if score:
            score += sum(weight.get(stem, 0.0) for stem in dict.fromkeys(stems(candidate.heading))) / 3
            score *= 0.4 + 0.6 * len(times) / len(asked)  # two words of the question beat one word twice
            score *= 0.5 if _WEAK.search(candidate.text) else 1.0
        scored.append(replace(candidate, score=round(score, 6)))
    return scored
