"""The code that users copy passes pyright in strict mode: README, docs, and what `llmflow init` writes."""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from llmflow.dev.scaffold import scaffold

from .markdown import Page, pages
from .source import ROOT, holds

STRICT = {
    "typeCheckingMode": "strict",
    "pythonVersion": "3.11",
    # As in pyproject.toml: signatures of temporalio hold bare `Callable`.
    "reportUnknownMemberType": False,
}
TOP_LEVEL = ('"await" allowed only within async function', 'Use of "async" not allowed outside of async function')
"""Pyright's error for an `await` outside of functions, which pages may have: Python itself checks the others."""


def module_of(page: Page) -> str:
    """The blocks of a page that run, each on its own lines."""
    lines = [""] * page.text.count("\n")
    for block in page.blocks:
        if block.language == "python" and "fragment" not in block.options:
            code = block.code.splitlines()
            lines[block.line - 1 : block.line - 1 + len(code)] = code
    return "\n".join(lines) + "\n"


def untyped(pages: Iterable[Page], folder: Path) -> Iterator[str]:
    """Run pyright on the pages and all other Python in the folder."""
    written = {folder / f"{page.path.removesuffix('.md').replace('/', '_')}.py": page for page in pages}
    for file, page in written.items():
        file.write_text(module_of(page))
    (folder / "pyrightconfig.json").write_text(json.dumps({**STRICT, "extraPaths": [str(ROOT)]}))
    command = ["pyright", "--outputjson", "--pythonpath", sys.executable, "--project", str(folder)]
    done = subprocess.run([sys.executable, "-m", *command], capture_output=True, text=True)
    for one in json.loads(done.stdout)["generalDiagnostics"]:
        if not one["message"].startswith(TOP_LEVEL):
            file, line = Path(one["file"]), one["range"]["start"]["line"] + 1
            where = written[file].path if file in written else file.relative_to(folder)
            yield f"{where}:{line}: {one['message']} ({one.get('rule')})"


def test_what_users_copy_passes_strict_mode(tmp_path: Path) -> None:
    scaffold("mine", tmp_path)
    holds(untyped(pages(), tmp_path))


BAD = """
Some prose.

```python
from llmflow import flow

answer = await flow.complete("a/b")
```

```python fragment
this = nothing
```

```python
answer.output + 1
sum([], start=unknown)
```
"""


def test_rejects_what_is_not_typed(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "app.py").write_text("def run(name): ...\n")
    problems = untyped([Page("docs/bad.md", BAD)], tmp_path)
    found = {problem.partition(": ")[0] for problem in problems if "reportUnknown" not in problem}
    assert found == {"docs/bad.md:15", "docs/bad.md:16", "mine/app.py:1"}
