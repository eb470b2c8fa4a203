"""Warnings are errors, here and in Temporal's two about unfinished handlers."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from .source import ROOT


def is_strict(config: dict[str, Any]) -> bool:  # Any: TOML
    filters = config["tool"]["pytest"]["ini_options"].get("filterwarnings", [])
    return filters[:1] == ["error"]


def test_the_configuration_begins_with_error() -> None:
    assert is_strict(tomllib.loads((ROOT / "pyproject.toml").read_text()))


def test_rejects_a_lax_configuration() -> None:
    lax = '[tool.pytest.ini_options]\nfilterwarnings = ["default", "error"]'
    assert not is_strict(tomllib.loads(lax))


def test_a_warning_fails_a_test(tmp_path: Path) -> None:
    file = tmp_path / "test_one.py"
    file.write_text("import warnings\ndef test_warns(): warnings.warn('old')\ndef test_is_quiet(): pass\n")
    options = ["-c", str(ROOT / "pyproject.toml"), "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(file)], capture_output=True, text=True, cwd=tmp_path
    )
    assert "1 failed, 1 passed" in done.stdout, done.stdout + done.stderr
    assert "UserWarning: old" in done.stdout
