"""Places in code, out of the stack trace of a failure."""

import re
from pathlib import Path

_FRAME = re.compile(r'File "(?P<file>[^"\n]+)", line (?P<line>[0-9]+), in (?P<function>\S+)')
_LIBRARY = re.compile(r"[/\\](site-packages|dist-packages|lib[/\\]python3\.[0-9]+)[/\\]|^<", re.IGNORECASE)
_OURS = str(Path(__file__).parent.parent)


def users_place(stack_trace: str) -> str | None:
    """Return the last frame in the user's code, such as `/srv/claims.py:9 in run`; `None` without one.

    The trace may be from another machine, so installed packages are told by their folder.
    """
    frames = [one for one in _FRAME.finditer(stack_trace) if not _is_foreign(one["file"])]
    return f"{frames[-1]['file']}:{frames[-1]['line']} in {frames[-1]['function']}" if frames else None


def _is_foreign(file: str) -> bool:
    return bool(_LIBRARY.search(file)) or Path(file).is_relative_to(_OURS)
