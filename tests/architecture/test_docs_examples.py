"""README and docs do not lie: the files, prompts, models and tests that they show or name are real."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from llmflow import errors
from llmflow.dev.scaffold import scaffold
from llmflow.errors import LLMFlowError, ProviderError
from llmflow.prompts.files import parse_prompt
from llmflow.providers.models.catalogue import load_model_catalogue
from llmflow.testing import ScriptedProvider

from .markdown import Page, pages
from .source import ROOT, holds

OWN_PROVIDER = re.compile(r'providers=\{"(\w+)"')
NAMED_TEST = re.compile(r"\[(test_\w+)\]\(([^)#]+)\)")
ERROR_ROW = re.compile(r"^\| `(\w+)` \|.*\| (yes|no) \| (yes|no) \|$", re.MULTILINE)


def other_files(page: Page, files: Mapping[str, str]) -> Iterator[str]:
    """A block whose first line names a file, as in "```yaml mine/models.yaml", shows that file of a new project."""
    for block in page.blocks:
        for path in (option for option in block.options if "." in option):
            if path not in files:
                yield page.at(block.line, f"`llmflow init` writes no {path}; it writes {', '.join(sorted(files))}")
            elif files[path].strip() != block.code.strip():
                yield page.at(block.line, f"{path} has another content in what `llmflow init` writes: copy it here")


def bad_files(page: Page, folder: Path) -> Iterator[str]:
    """Prompts that do not parse, and models.yaml that do not load with the providers that the page gives an App."""
    own = {name: lambda _: ScriptedProvider([]) for name in OWN_PROVIDER.findall(page.text)}
    for block in page.blocks:
        try:
            if block.language == "prompt":
                parse_prompt(block.code, "docs/example", "example.prompt")
            elif block.language == "yaml" and "\nmodels:" in block.code:
                (folder / "models.yaml").write_text(block.code)
                load_model_catalogue(folder / "models.yaml", own)
        except LLMFlowError as error:
            yield page.at(block.line, error.message)


def missing_tests(page: Page, root: Path) -> Iterator[str]:
    for line, text in enumerate(page.text.splitlines(), 1):
        for name, path in NAMED_TEST.findall(text):
            file = (root / page.path).parent / path
            if not file.exists() or not re.search(rf"def {name}\b", file.read_text("utf-8")):
                yield page.at(line, f"there is no {name} in {path}")


def wrong_errors(page: Page) -> Iterator[str]:
    """Rows `| error | cause | retried | next candidate |` that its class contradicts; and classes without a row."""
    rows = ERROR_ROW.findall(page.text)
    for name, *said in rows:
        kind = getattr(errors, name)
        if said != ["yes" if value else "no" for value in (kind.retryable, kind.fallback)]:
            yield page.at(1, f"{name}: retryable={kind.retryable}, fallback={kind.fallback}, and not {said}")
    missing = {kind.__name__ for kind in ProviderError.__subclasses__()} - {name for name, *_ in rows}
    yield from (page.at(1, f"{name} has no row") for name in sorted(missing) if rows)


def test_shown_files_are_those_of_a_new_project(tmp_path: Path) -> None:
    scaffold("mine", tmp_path)
    project = tmp_path / "mine"
    files = {path.relative_to(project).as_posix(): path.read_text() for path in project.rglob("*") if path.is_file()}
    holds(problem for page in pages() for problem in other_files(page, files))


def test_prompts_and_models_load(tmp_path: Path) -> None:
    holds(problem for page in pages() for problem in bad_files(page, tmp_path))


def test_named_tests_exist() -> None:
    holds(problem for page in pages() for problem in missing_tests(page, ROOT))


def test_errors_are_as_their_classes_say() -> None:
    holds(problem for page in pages() for problem in wrong_errors(page))


def page(text: str) -> Page:
    return Page("docs/example.md", text)


def test_rejects_another_file() -> None:
    block = page("```yaml mine/models.yaml\na: 1\n```\n")
    assert list(other_files(block, {}))
    assert list(other_files(block, {"mine/models.yaml": "a: 2\n"}))
    assert not list(other_files(block, {"mine/models.yaml": "a: 1\n"}))


@pytest.mark.parametrize("block", ["prompt\nuser:\n{{ }}", "yaml\nproviders: {}\nmodels:\n  smart: nobody"])
def test_rejects_a_bad_prompt_and_bad_models(block: str, tmp_path: Path) -> None:
    assert list(bad_files(page(f"```{block}\n```\n"), tmp_path))


def test_accepts_models_of_an_own_provider(tmp_path: Path) -> None:
    models = "```yaml\nproviders: {mine: {}}\nmodels: {smart: 'mine:a'}\n```\n"
    assert list(bad_files(page(models), tmp_path))
    assert not list(bad_files(page(f'`providers={{"mine": Mine}}`\n\n{models}'), tmp_path))


def test_rejects_a_test_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "test_a.py").write_text("async def test_one(): ...\n")
    assert not list(missing_tests(page("[test_one](test_a.py)"), tmp_path))
    assert list(missing_tests(page("[test_on](test_a.py)"), tmp_path))
    assert list(missing_tests(page("[test_one](test_b.py)"), tmp_path))


def test_rejects_a_wrong_row() -> None:
    problems = list(wrong_errors(page("| `RateLimited` | 429 | no | yes |\n")))
    assert any("RateLimited: retryable=True" in problem for problem in problems)
    assert any("ModelNotFound has no row" in problem for problem in problems)
