"""README and docs do not lie: their Python runs, their YAML and JSON parse.

Blocks of one page run in order and share their names, where a `reader` stands; a block marked `python fragment` is
compiled only.
"""

import ast
import inspect
import json
import traceback
from collections.abc import Iterator
from io import StringIO
from types import CodeType

import pytest
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from tests.helpers.tracing import program_provider

from .markdown import Block, Page, pages
from .page_module import PageModule
from .source import holds


def parse(page: Page, block: Block) -> Iterator[str]:
    """Return the problem that the block's own language finds."""
    try:
        if block.language == "python":
            _compile(page, block)
        elif block.language in {"yaml", "yml"}:
            list(YAML(typ="safe").load_all(StringIO(block.code)))
        elif block.language == "json":
            json.loads(block.code)
    except (SyntaxError, ValueError, YAMLError) as error:
        yield page.at(block.line, f"this {block.language} does not parse: {' '.join(str(error).split())}")


async def run(page: Page) -> list[str]:
    """Run the Python blocks in order, in a module that other code can import, and return what they raise."""
    name = "docs_" + page.path.removesuffix(".md").replace("/", "_").replace("-", "_").lower()
    runnable = [block for block in page.blocks if block.language == "python" and "fragment" not in block.options]
    with PageModule(name) as module:
        return [problem for block in runnable for problem in await _run(page, block, module)]


async def _run(page: Page, block: Block, module: PageModule) -> list[str]:
    try:
        code = _compile(page, block)
        module.define(_padded(block), page.path)
        waiting = eval(code, vars(module.here))
        if inspect.isawaitable(waiting):
            await waiting
    except Exception as error:  # whatever an example may raise is what the reader would see
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == page.path]
        return [page.at((lines or [None])[-1] or block.line, f"raises {type(error).__name__}: {error}")]
    return []


def _compile(page: Page, block: Block) -> CodeType:
    """With `await` at the top."""
    return compile(_padded(block), page.path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)


def _padded(block: Block) -> str:
    """With the lines of the page, so that tracebacks point into it."""
    return "\n" * (block.line - 1) + block.code


def test_blocks_parse() -> None:
    holds(problem for page in pages() for block in page.blocks for problem in parse(page, block))


@pytest.mark.usefixtures("reader")
@pytest.mark.parametrize("page", list(pages()), ids=lambda page: page.path)
async def test_python_runs(page: Page) -> None:
    with program_provider(None):  # a page may set one
        holds(await run(page))


def page(*blocks: str) -> Page:
    return Page("docs/example.md", "# Example\n\n" + "\n".join(f"```{block}\n```\n" for block in blocks))


@pytest.mark.parametrize(
    "block", ["python\ndef f(:", "python fragment\nx ==== 1", "yaml\na: [1", "json\n{a: 1}", "python\nx = '"]
)
def test_rejects_what_does_not_parse(block: str) -> None:
    assert [problem for one in page(block).blocks for problem in parse(page(block), one)]


def test_accepts_what_parses() -> None:
    good = page("python\nx = await f()", "yaml\na: 1\n---\nb: 2", 'json\n{"a": 1}', "text\n{[")
    assert not [problem for block in good.blocks for problem in parse(good, block)]


async def test_rejects_python_that_fails() -> None:
    bad = page("python\nx = 1", "python\n\nassert x == 2")
    assert await run(bad) == ["docs/example.md:9: raises AssertionError: "]


async def test_accepts_python_that_runs() -> None:
    good = page("python\nimport asyncio\nx = 1", "python fragment\nassert x == 2", "python\nawait asyncio.sleep(x - 1)")
    assert not await run(good)


CHANCE = """python
import random
from temporalio import workflow
from llmflow.app import App
from llmflow.testing import ScriptedProvider, environment, server

@workflow.defn
class Dice:
    @workflow.run
    async def run(self) -> float:
        return random.random()

app = App(name="dice", workflows=[Dice])
async with server() as address, environment(app, ScriptedProvider([]), address=address) as env:
    run = await env.client.start(Dice.run, id=env.id())
    await run.result()"""


@pytest.mark.usefixtures("reader")
async def test_rejects_a_workflow_that_asks_for_chance() -> None:
    [problem] = await run(page(CHANCE))
    assert "Cannot access random.random" in problem


@pytest.mark.usefixtures("reader")
async def test_accepts_a_workflow_with_what_other_blocks_define() -> None:
    later = CHANCE.replace("random.random()", "SIDES / 2").replace(
        "await run.result()", "assert await run.result() == 3"
    )
    assert not await run(
        page("python\nimport asyncio\nSIDES = 6\nslept = await asyncio.sleep(0, 1)\nassert slept", later)
    )
