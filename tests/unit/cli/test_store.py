"""`llmflow store upgrade`: its output, and its exit code."""

from pathlib import Path

import pytest

from tests.helpers.command_line import call


def test_a_store_is_made_and_then_left_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "new" / "llmflow.db"
    monkeypatch.setenv("LLMFLOW_STORE", str(path))
    assert "has the current schema now" in call(capsys, "store", "upgrade").out
    assert "has the current schema already" in call(capsys, "store", "upgrade").out
    assert call(capsys, "store", "upgrade", "--json").json() == {"store": str(path), "changed": False}


@pytest.mark.parametrize(
    ("store", "code", "says"),
    [
        ("postgresql://ana:secret@127.0.0.1:1/llmflow", 3, "cannot be used"),
        ("mysql://ana:secret@127.0.0.1/llmflow", 5, "use postgresql://"),
        ("/dev/null/llmflow.db", 5, "set LLMFLOW_STORE"),
    ],
)
def test_what_cannot_be_upgraded(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, store: str, code: int, says: str
) -> None:
    monkeypatch.setenv("LLMFLOW_STORE", store)
    done = call(capsys, "store", "upgrade")
    assert (done.code, done.out) == (code, "")
    assert says in done.err
    assert "secret" not in done.err
