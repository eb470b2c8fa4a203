"""README and docs do not lie: their commands exist, with these options, and their links lead somewhere."""

import re
from collections.abc import Collection, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
import typer
from typer.core import TyperGroup

from .markdown import Page, commands, pages
from .source import ROOT, holds


def targets(makefile: str) -> set[str]:
    return set(re.findall(r"^([a-z][\w-]*):(?!=)", makefile, re.MULTILINE))


@cache
def cli() -> typer.Typer:
    return import_module("llmflow.cli.main").app


def unknown_commands(page: Page, make: Collection[str], llmflow: typer.Typer) -> Iterator[str]:
    shell = (block for block in page.blocks if block.language in {"console", "bash", "sh", "shell"})
    for line, words in (command for block in shell for command in commands(block)):
        name, arguments = words[0].rpartition("/")[2], words[1:]
        if name == "make":
            goals = [word for word in arguments if not word.startswith("-") and "=" not in word]
            yield from (page.at(line, f"no `make {goal}` in the Makefile") for goal in goals if goal not in make)
        elif name == "llmflow":
            yield from (page.at(line, problem) for problem in unknown_words(llmflow, arguments))


def unknown_words(llmflow: typer.Typer, words: list[str]) -> Iterator[str]:
    """Sub-commands, options and arguments that the command line does not have. Their values are not judged."""
    command, said, value, given = typer.main.get_command(llmflow), "llmflow", False, 0
    for word in words:
        if value:
            value = False
        elif word.startswith("-") and word.strip("-"):
            option = word.partition("=")[0]
            params = {name: param for param in command.params for name in (*param.opts, *param.secondary_opts)}
            known = {"--help"} | {name for name in params if name.startswith("-")}
            if option not in known:
                yield f"`{said}` has no option {option}; it has {', '.join(sorted(known))}"
            # A group may have options, too, and the word after one is no command.
            value = "=" not in word and option in params and not getattr(params[option], "is_flag", False)
        elif isinstance(command, TyperGroup):
            if word not in command.commands:
                yield f"`{said}` has no command {word}; it has {', '.join(sorted(command.commands))}"
                return
            command, said = command.commands[word], f"{said} {word}"
        else:
            given += 1
    takes = sum(param.param_type_name == "argument" for param in command.params)
    if given > takes:
        yield f"`{said}` takes {takes} arguments, and is given {given}"


def dead_links(page: Page, root: Path) -> Iterator[str]:
    here = root / page.path
    for line, target in page.links():
        name, _, anchor = target.partition("#")
        if re.match(r"[a-z]+:", target):
            continue
        file = (here.parent / name) if name else here
        if file != here and not file.exists():
            yield page.at(line, f"links to `{target}`, which does not exist")
        elif anchor and file.suffix == ".md":
            there = page if file == here else Page(name, file.read_text("utf-8"))
            if anchor not in there.anchors():
                yield page.at(line, f"links to `{target}`, where no heading is called so")


def test_commands_exist() -> None:
    written = list(pages())
    make = targets((ROOT / "Makefile").read_text()) if written else set[str]()
    holds(problem for page in written for problem in unknown_commands(page, make, cli()))


def test_links_lead_somewhere() -> None:
    holds(problem for page in pages() for problem in dead_links(page, ROOT))


_app = typer.Typer()
_prompts = typer.Typer()
_app.add_typer(_prompts, name="prompts")


@_app.command("list")
def _list(*, json: bool = False, limit: int = 10) -> None: ...


@_prompts.command("show")
def _show(name: str) -> None: ...


def _problems(*lines: str, language: str = "console") -> list[str]:
    page = Page("README.md", f"```{language}\n" + "\n".join(lines) + "\n```\n")
    return list(unknown_commands(page, {"demo", "test"}, _app))


@pytest.mark.parametrize(
    "line",
    [
        "make demos",
        "cd x && make tests",
        "llmflow lst",
        "llmflow list --jsno",
        "A=1 .venv/bin/llmflow prompts shw x",
        "llmflow prompts show a b > c",
    ],
)
def test_rejects_an_unknown_command(line: str) -> None:
    assert len(_problems(f"$ {line}")) == 1
    assert len(_problems(line, language="bash")) == 1


def test_accepts_known_commands() -> None:
    assert not _problems(
        "$ make demo Q='what?'  # the demo", "make output", "$ llmflow list --limit 3 \\", "  --no-json"
    )
    assert not _problems("llmflow prompts show research/plan | head -3", language="bash")
    assert targets("demo: setup ## Run\n.PHONY: demo\nX := 1\ntest:\n\tpytest\n") == {"demo", "test"}


def test_rejects_a_dead_link(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("## One & two\n")
    good = "[a](a.md) [b](a.md#one--two) [c](#here) [d](https://x.y/z) `[e](none.md)`\n\n# Here\n"
    assert not list(dead_links(Page("README.md", good), tmp_path))
    for bad in ("[a](b.md)", "![a](b.png)", "[a](a.md#two)", "[c](#there)", "[x]: b.md"):
        assert list(dead_links(Page("README.md", bad), tmp_path))
