"""Words: keywords, stems and overlap."""

import re
from collections.abc import Iterable

_WORD = re.compile(r"[^\W_]+(?:[-_][^\W_]+|'(?!s\b)[^\W_]+)*")  # `run's` is `run`
_COMMON_WORDS = """
a about above after again against ago all almost already also although always am among an and another any are as at
be because become been before being below between both but by can cannot compare could describe did discuss do does
doing don't done down during each either else enough even ever every explain few find first for from further get
gets give given gives go goes got had happen happened happens has have having he her here hers him his how however i
if in instead into is it its itself just keep keeps kind know last least less let like list look made mainly make
makes many may me mean means might more most much must my need needs neither never no nor not nothing now of off
often on once one only onto or other our out over own part please possible put question quite rather really same say
says see several shall she should show since so some somehow something still such summarise summarize take taken
takes tell than that the their them then there these they thing things this those though through thus to together
too toward try two under until unto up upon us use used user uses using very want was way ways we well were what
whatever when whenever where whereas whether which while who whole whom whose why will with within without work
works would yes yet you your
"""
_COMMON = frozenset(_COMMON_WORDS.split())
_SUFFIXES = ("ations", "ation", "ments", "ment", "ings", "ing", "ies", "ed", "es", "s")


def words(text: str) -> list[str]:
    """Return all words in lower case."""
    return [match.group().casefold() for match in _WORD.finditer(text)]


def stem(word: str) -> str:
    """Remove a word's ending, so that `retries` matches `retry` and `cancelled` matches `cancel`."""
    for suffix in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            word = word.removesuffix(suffix)
            break
    if len(word) > 3 and (word[-1] in "eiy" or word[-1] == word[-2]):
        return word[:-1]
    return word


def stems(text: str) -> list[str]:
    """Return the stems of the keywords, in order, with repetitions."""
    return [stem(word) for word in words(text) if is_telling(word)]


def is_telling(word: str) -> bool:
    """Return True for a word that carries meaning."""
    return word not in _COMMON and (len(word) > 1 or not word.isascii())


def keywords(text: str) -> list[str]:
    """Return the keywords as written, without repetitions."""
    found: dict[str, str] = {}
    for match in _WORD.finditer(text):
        word = match.group()
        if is_telling(word.casefold()):
            found.setdefault(stem(word.casefold()), word)
    return list(found.values())


def phrases(text: str) -> list[str]:
    """Return runs of keywords: `paid call` and `safe` of `how is a paid call kept safe?`."""
    runs: list[list[str]] = [[]]
    end = 0
    for match in _WORD.finditer(text):
        if not is_telling(match.group().casefold()) or text[end : match.start()].strip():
            runs.append([])
        if is_telling(match.group().casefold()):
            runs[-1].append(match.group())
        end = match.end()
    return list(dict.fromkeys(" ".join(run) for run in runs if run))


def overlap(first: Iterable[str], second: Iterable[str]) -> float:
    """Return the share of the smaller set of stems that is also in the other, from 0 to 1; low for fewer than five."""
    one, other = set(first), set(second)
    return len(one & other) / max(min(len(one), len(other)), 5)


def shortened(text: str, limit: int) -> str:
    """Shorten a text to `limit` characters, after a whole word if possible."""
    if len(text) <= limit:
        return text
    if limit < 8:
        return text[:limit]
    return text[: limit - 1].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"
