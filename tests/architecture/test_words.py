"""Prose uses Temporal's terms, and a docstring begins with a verb or a noun."""

import ast
import re
from collections.abc import Iterator

import pytest

from .markdown import pages
from .source import Source, example, holds, sources

ROOMS = ("llmflow", "workflows", "workers", "bench", "tests")

TERMS = {
    r"(go|goes|going|went) on as (a )?new": "continue as new",
    r"(hand|hands|handed|handing) on": "carry over, pass, inject",
    r"(leave|leaves|leaving|left) (the worker's |its worker's )?memory": "evicted from the sticky cache",
    r"(stand|stands|standing|stood) still": "blocked, a workflow task that fails; of a clock: pauses",
    r"nobody (waits|waited) for": "orphaned, cancelled",
    r"behind (its|their|our|your) back": "orphaned, not awaited",
    r"under way": "in-flight",
    r"(get|gets|got) stuck": "blocked",
    r"(begin|begins|began|beginning) again": "continue as new",
    r"what somebody says": "decision, vote",
    r"whoever works": "worker, poller",
    r"however often (it|they) (come|comes)": "idempotent",
    r"any news is better": "upsert",
    r"how long people have": "deadline",
    r"(has|have|had) not any more": "no longer has",
    r"run before (it )?has left": "carried over, restored",
}
"""Paraphrase -> the term of Temporal or of ours; single words are left to review."""

_GAP = r"\s+(?:#\s*)?"
_PARAPHRASES = {re.compile(rf"\b({words.replace(' ', _GAP)})\b", re.IGNORECASE): term for words, term in TERMS.items()}
_INVERTED = re.compile(r"(What|Whether|Of|Who|Whose|Where|How)\b")


def paraphrased(path: str, text: str) -> Iterator[str]:
    """Find words for which there is a term, also across lines."""
    for pattern, term in _PARAPHRASES.items():
        for found in pattern.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            yield f"{path}:{line}: `{' '.join(found[0].split())}`: write {term}"


def inverted(source: Source) -> Iterator[str]:
    """Find docstrings, also those below a field, that begin with a question word or with `Of`."""
    for node in source.nodes(ast.Expr):
        value = node.value if isinstance(node, ast.Expr) else None
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            found = _INVERTED.match(value.value.lstrip())
            if found:
                yield source.at(node, f"begins with `{found[0]}`: begin with a verb (`Return ...`) or a noun")


def test_prose_has_temporals_terms() -> None:
    texts = [one for one in sources(*ROOMS) if not one.path.endswith("test_words.py")]  # which has examples of them
    holds(problem for source in texts for problem in paraphrased(source.path, source.text))
    holds(problem for page in pages() for problem in paraphrased(page.path, page.text))


def test_docstrings_begin_with_a_verb_or_a_noun() -> None:
    holds(problem for source in sources(*ROOMS) for problem in inverted(source))


@pytest.mark.parametrize(
    "text",
    [
        "It goes on as a new one.",
        "# What it hands\n# on to its children.",
        "A run that leaves the worker's memory.",
        "It stands\n    still until then.",
        "Calls that nobody waits for any more.",
        "Nothing happens behind its back.",
        "Under way",
        "A run that got stuck",
        "The run begins again.",
        "It is what somebody says.",
        "However often it comes",
        "A name that the App has not any more",
    ],
)
def test_rejects_a_paraphrase(text: str) -> None:
    assert len(list(paraphrased("docs/example.md", f"\n{text}\n"))) == 1


def test_accepts_terms_and_innocent_words() -> None:
    text = "It continues as new, is evicted; hands-on; at hand; goes on as before; a clock pauses; still standing."
    assert not list(paraphrased("docs/example.md", text))


@pytest.mark.parametrize("word", ["What", "Whether", "Of", "Who", "Whose", "Where", "How"])
def test_rejects_an_inverted_docstring(word: str) -> None:
    assert list(inverted(example(f'"""{word} it is."""')))
    assert list(inverted(example(f'def f():\n    """{word} it is."""')))
    assert list(inverted(example(f'class A:\n    x: int\n    """\n    {word} it is."""')))


def test_accepts_verbs_nouns_and_other_strings() -> None:
    good = '"""Offers of a vendor."""\nx = "What is it?"\ndef f():\n    """Return what it is."""\n    return "How?"'
    assert not list(inverted(example(good)))
