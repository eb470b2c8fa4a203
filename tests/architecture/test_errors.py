"""The error tree at the top of `errors.py` is the one below it, and all errors of ours are in it."""

import re
from collections.abc import Iterable, Iterator, Mapping

from llmflow import errors
from llmflow.errors import BY_CODE, LLMFlowError

from .names import aliases, full_name
from .source import Source, example, holds, sources

BRANCH = re.compile(r"^    (?P<indent>[ │├└─]*)(?P<name>[A-Z]\w+)( {2,}\S|$)", re.MULTILINE)
DEPTH = len("├── ")


def drawn(text: str) -> dict[str, str]:
    """Class -> parent, as the picture has it. The root has the parent ""."""
    tree: dict[str, str] = {}
    above: list[str] = []
    for branch in BRANCH.finditer(text):
        above = above[: len(branch["indent"]) // DEPTH]
        tree[branch["name"]] = above[-1] if above else ""
        above.append(branch["name"])
    return tree


def actual(root: type, parent: str = "") -> dict[str, str]:
    """Class -> parent, as the code has it; subclasses made elsewhere (by users, by tests) are not ours."""
    tree = {root.__name__: parent}
    for child in root.__subclasses__():
        if child.__module__ == root.__module__:
            tree |= actual(child, root.__name__)
    return tree


def misdrawn(picture: Mapping[str, str], tree: Mapping[str, str]) -> Iterator[str]:
    for name in picture.keys() | tree.keys():
        if name not in picture:
            yield f"llmflow/errors.py: `{name}` is missing in the drawn tree: draw it under {tree[name]}"
        elif name not in tree:
            yield f"llmflow/errors.py: `{name}` is drawn, but there is no such class"
        elif picture[name] != tree[name]:
            yield f"llmflow/errors.py: `{name}` is drawn under {picture[name]}, and a subclass of {tree[name]}"


def strangers(source: Source) -> Iterator[str]:
    """Public exceptions that stand outside the tree."""
    known = aliases(source)
    for cls in source.classes if source.path != "llmflow/errors.py" else ():
        bases = {full_name(base, known) for base in cls.bases}
        if not cls.name.startswith("_") and any(
            re.search(r"(Error|Exception)$|llmflow\.errors\.", base) for base in bases
        ):
            yield source.at(
                cls, f"`{cls.name}` is an error outside llmflow/errors.py: add it to the tree, or make it private"
            )


def codes(classes: Iterable[type[LLMFlowError]], by_code: Mapping[str, type]) -> Iterator[str]:
    for cls in classes:
        if by_code.get(cls.code()) is not cls:
            yield f"llmflow/errors.py: BY_CODE[{cls.code()!r}] is not `{cls.__name__}`: codes are unique and all listed"


def test_the_picture_is_the_tree() -> None:
    holds(misdrawn(drawn(errors.__doc__ or ""), actual(LLMFlowError)))


def test_each_error_is_found_by_its_code() -> None:
    classes = [getattr(errors, name) for name in actual(LLMFlowError)]
    holds(codes(classes, BY_CODE))
    assert len(BY_CODE) == len(classes)


def test_all_errors_are_in_the_tree() -> None:
    holds(problem for source in sources("llmflow") for problem in strangers(source))


PICTURE = """
    Root
    ├── First        what it means
    │   └── Child    text with Words
    └── Last
"""


def test_rejects_another_picture() -> None:
    tree = {"Root": "", "First": "Root", "Child": "First", "Last": "Root"}
    assert not list(misdrawn(drawn(PICTURE), tree))
    assert list(misdrawn(drawn(PICTURE), {**tree, "Child": "Last"}))
    assert list(misdrawn(drawn(PICTURE), {**tree, "New": "Root"}))
    assert list(misdrawn(drawn(PICTURE.replace("Last", "Lost")), tree))


def test_rejects_a_shared_or_missing_code() -> None:
    assert list(codes([errors.RateLimited], {}))
    assert list(codes([errors.RateLimited], {"llmflow.RateLimited": errors.ToolError}))


def test_rejects_a_stranger() -> None:
    assert list(strangers(example("class Odd(ValueError): ...")))
    assert list(strangers(example("from llmflow.errors import ToolError\nclass Odd(ToolError): ...")))
    assert not list(strangers(example("class _Odd(ValueError): ...\nclass ErrorDetail(BaseModel): ...")))
