"""`docs/reference.md` is what the code says of each public name."""

from collections.abc import Iterator

import pytest

from .reference import reference
from .source import ROOT, Source, example, holds, sources
from .test_exports import PINNED

PAGE = ROOT / "docs" / "reference.md"

SOURCES = (
    example(
        '''
        """Greetings."""
        from llmflow.errors import LLMFlowError
        from llmflow.flow.hello import Greeting, greet
        __all__ = ["Greeting", "greet"]
        ''',
        "llmflow/flow/__init__.py",
    ),
    example(
        '''
        @dataclass(frozen=True)
        class Greeting(Wire, Generic[T]):
            """One greeting.

            More of it.
            """

            text: str
            """As it is said."""
            _who: str = ""

            @property
            def loud(self) -> str:
                """In capitals."""
                return self.text.upper()

        async def greet(name: str, /, *others: str, polite: bool = True) -> Greeting:
            """Greet somebody.

            Args:
                name: Who.
            """
        ''',
        "llmflow/flow/hello.py",
    ),
)
SHOWN = """
## llmflow.flow

Greetings.

### Greeting

```python fragment
@dataclass(frozen=True)
class Greeting(Generic[T]):
    # As it is said.
    text: str

    # In capitals.
    @property
    def loud(self) -> str: ...
```

One greeting.

### greet

```python fragment
async def greet(name: str, /, *others: str, polite: bool = True) -> Greeting: ...
```

Greet somebody.
"""


def outdated(page: str, now: str) -> Iterator[str]:
    """Lines of the page that the code does not say, and those that it says and the page lacks."""
    advice = "docs/reference.md is not what the code says: python -m tests.architecture.pin"
    before, after = page.splitlines(), now.splitlines()
    yield from (f"{advice}: - {line}" for line in before if line not in after)
    yield from (f"{advice}: + {line}" for line in after if line not in before)
    if page != now:
        yield advice


def test_the_reference_is_what_the_code_says() -> None:
    now = reference(PINNED.read_text().splitlines(), sources("llmflow"))
    holds(outdated(PAGE.read_text(), now))


def test_the_reference_has_the_name_its_signature_and_its_first_paragraph() -> None:
    assert reference(["llmflow.flow.Greeting", "llmflow.flow.greet"], SOURCES).endswith(SHOWN)


def test_rejects_a_page_that_is_not_what_the_code_says() -> None:
    assert list(outdated("a\nb\n", "a\nc\n"))
    assert list(outdated("a\nb\n", "b\na\n"))
    assert not list(outdated("a\nb\n", "a\nb\n"))


@pytest.mark.parametrize("files", [SOURCES[:1], SOURCES[1:]])
def test_rejects_a_name_that_nothing_defines(files: tuple[Source, ...]) -> None:
    with pytest.raises(LookupError):
        reference(["llmflow.flow.greet"], files)
