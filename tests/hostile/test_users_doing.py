"""No traceback for a user's doing: streams, folders, locales, arguments and files as they happen to be."""

import subprocess
import sys
from pathlib import Path

import pytest

from llmflow.cli.hints import hint
from llmflow.errors import LLMFlowError, Remedy
from llmflow.prompts.files import parse_prompt
from tests.helpers.command_line import environ

# -P: like an installed script, it does not import from the current folder.
LLMFLOW = f"{sys.executable} -P -c 'from llmflow.cli.script import main; main()'"
INTERRUPTED = (
    f"{sys.executable} -c 'import os, signal, threading; from llmflow.cli.script import main; "
    "threading.Timer({}, os.kill, (os.getpid(), signal.SIGINT)).start(); main()'"
)
IMPORTING = (
    f"{sys.executable} -c 'import os, signal, sys; "
    'kill = lambda name, *_: os.kill(os.getpid(), signal.SIGINT) if name == "{}" else None; '
    'sys.meta_path.insert(0, type("Kills", (), dict(find_spec=staticmethod(kill)))); '
    "from llmflow.cli.script import main; main()'"
)
"""Ctrl-C in the middle of the imports: at that of a module."""
PROMPTS = "prompts list --app workflows.research.app:app"
ROOT = Path(__file__).parents[2]

SHELL = (
    (f"{LLMFLOW} --version >&-", {0}, ""),
    (f"{LLMFLOW} {PROMPTS} >&-", {0}, ""),
    (f"{LLMFLOW} {PROMPTS} <&-", {0}, ""),
    (f"{LLMFLOW} {PROMPTS} 2>&-", {0}, ""),
    (f"{LLMFLOW} {PROMPTS} >&- 2>&- <&-", {0}, ""),
    (f"{LLMFLOW} {PROMPTS} > /dev/full", {1}, "No space left"),
    (f"{LLMFLOW} {PROMPTS} --json > /dev/full", {1}, "No space left"),
    (f"{LLMFLOW} --version > /dev/full", {1}, "No space left"),
    (f"{LLMFLOW} {PROMPTS} | head -c 1 | wc -c", {0}, ""),
    (f"LC_ALL=C PYTHONUTF8=0 PYTHONCOERCECLOCALE=0 {LLMFLOW} {PROMPTS}", {0}, ""),
    (f"PYTHONIOENCODING=ascii {LLMFLOW} {PROMPTS} --json | {sys.executable} -m json.tool", {0}, ""),
    (f"PYTHONIOENCODING=ascii {LLMFLOW} init 'm\u00e4rchen \u2603'", {0, 2}, ""),
    (f"{LLMFLOW} status $'\\xff'", {2}, "is not UTF-8"),
    (f"{LLMFLOW} start --id $'a\\xc3' --app workflows.research.app:app", {2}, "is not UTF-8"),
    (f"{LLMFLOW} approvals approve ok-1 $'\\xed\\xa0\\x80'", {2}, "is not UTF-8"),
    (f"mkdir gone; cd gone; rmdir ../gone; {LLMFLOW} {PROMPTS}", {2}, "current folder was deleted"),
    (f"mkdir gone; cd gone; rmdir ../gone; {LLMFLOW} list", {2}, "current folder was deleted"),
    (f"LLMFLOW_STORE=postgresql://ana:p@ss@host/db {LLMFLOW} cost", {5}, "%40"),
    (f"LLMFLOW_STORE=postgresql://host/db?ssl_mode=require {LLMFLOW} cost", {5}, "ssl_mode"),
    *((f"{IMPORTING.format(name)} {PROMPTS}", {130}, "") for name in ("typer", "temporalio", "llmflow.prompts.files")),
    *((f"{INTERRUPTED.format(seconds)} {PROMPTS}", {0, 1, 130}, "") for seconds in (0.01, 0.05, 0.1, 0.3)),
)
"""A line for the shell, how it may end, and a word of its stderr."""


@pytest.mark.parametrize("number", range(len(SHELL)))
def test_there_is_no_traceback(tmp_path: Path, number: int) -> None:
    line, codes, word = SHELL[number]
    done = subprocess.run(("bash", "-c", line), capture_output=True, cwd=tmp_path, env=environ(), check=False)
    assert b"Traceback" not in done.stderr + done.stdout, done.stderr.decode(errors="replace")
    assert done.returncode in codes, done.stderr.decode(errors="replace")
    assert word in done.stderr.decode(errors="replace")


MANY = 5_000
PROMPT_FILES = (
    "---\nmetadata: " + "[" * MANY + "]" * MANY + "\n---\nuser:\nhi",
    "---\nmetadata: " + "[" * MANY + "\n---\nuser:\nhi",
    "---\noutput: " + "{a: " * MANY + "1" + "}" * MANY + "\n---\nuser:\nhi",
    "---\n" + "- " * MANY + "\n---\nuser:\nhi",
    "user:\n{{ " + "[" * MANY + "]" * MANY + " }}",
    "user:\n{{ " + "(" * MANY + "1" + ")" * MANY + " }}",
    "user:\n{{ " + "not " * MANY + "x }}",
    "user:\n{{ x" + "|upper" * MANY + " }}",
    "user:\n" + "{% if x %}" * MANY + "{% endif %}" * MANY,
    "user:\n" + "{% for a in x %}" * MANY,
    "user:\n" + "{{ " * MANY,
    "---\nmodel: \x00\n---\nuser:\nhi",
    "---\nmodel: &a [*a]\n---\nuser:\nhi",
)
"""Prompt files with too many brackets."""


@pytest.mark.parametrize("number", range(len(PROMPT_FILES)))
def test_a_prompt_file_fails_with_a_place(number: int) -> None:
    try:
        parse_prompt(PROMPT_FILES[number], "app/p", "p.prompt").templates.render({"x": "x"})
    except LLMFlowError as error:
        assert "p.prompt:" in str(error)


@pytest.mark.parametrize("run", ["a b", "it's", "$(reboot)", "`reboot`", "a;reboot", "a\nreboot", "\x1b[2J", "--help"])
def test_a_command_in_an_error_is_quoted(run: str) -> None:
    shown = hint(Remedy(action="look_at_run", run=run)).split("`", 1)[1].rsplit("`", 1)[0]
    printed = subprocess.run(
        ("bash", "-c", f"llmflow() {{ printf '%s' \"$2\"; }}; {shown}"), capture_output=True, check=True
    )
    assert printed.stdout.decode() == run
