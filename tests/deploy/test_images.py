"""The Dockerfiles, and what they copy."""

import re
from pathlib import Path

import pytest

from tests.deploy.files import DEPLOY, DOCKERFILES, ROOT, allowed, copied

WORKER = (DEPLOY / "Dockerfile").read_text()


def test_the_worker_image_copies_what_is_there_and_what_dockerignore_lets_through() -> None:
    let_through = allowed(ROOT / ".dockerignore")
    assert copied(WORKER)
    for source in copied(WORKER):
        assert (ROOT / source).exists(), source
        assert source in let_through, source
    assert sorted(set(copied(WORKER))) == sorted(let_through), ".dockerignore lets through what nobody copies"


def test_it_is_not_root() -> None:
    last = WORKER.rpartition("FROM ")[2]
    [user] = re.findall(r"^USER (\S+)", last, re.MULTILINE)
    assert user.partition(":")[0].isdigit(), "a number, so that Kubernetes can see that it is not root"
    assert user != "0"


def test_its_health_check_asks_the_port_that_the_worker_answers_at() -> None:
    [asked] = re.findall(r"urlopen\('http://127\.0\.0\.1:(\d+)/", WORKER)
    [answers] = re.findall(r"--health=0\.0\.0\.0:(\d+)", WORKER)
    [exposed] = re.findall(r"^EXPOSE (.+)$", WORKER, re.MULTILINE)
    assert asked == answers
    assert asked in exposed.split()


@pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_is_fetched_that_has_no_hash_or_version(dockerfile: Path) -> None:
    text = dockerfile.read_text()
    for line in re.findall(r"pip install .+", text):
        assert "--require-hashes" in line or "--no-deps --no-build-isolation" in line, line
    assert not re.search(r"\b(curl|wget|apt-get|apk|ADD) (-|http|install|add)", text)


def test_its_packages_are_those_of_the_project_and_have_hashes() -> None:
    lock = (DEPLOY / "requirements.txt").read_text()
    assert lock.count("==") > 30
    packages = re.findall(r"^([a-z0-9.-]+)(?:\[\w+\])?==(\S+)(?: ;[^\\]*)? \\\n    --hash=sha256:", lock, re.MULTILINE)
    assert len(packages) == len(re.findall(r"^[a-z0-9]", lock, re.MULTILINE)), "a package without a hash"
    everything = (ROOT / "requirements.txt").read_text()
    for name, version in packages:
        assert f"\n{name}=={version}" in f"\n{everything}", f"{name} {version} is not what the tests run with"
    assert not {"pytest", "pyright", "ruff"} & {name for name, _ in packages}
