"""Secrets stay where they belong: passwords of URLs, keys, files of the store."""

import os
import stat
from pathlib import Path

import pytest
from sqlalchemy import text

from llmflow.errors import ConfigInvalid, StoreUnavailable
from llmflow.providers.dialects.secrets import scrub
from llmflow.providers.limits.counters import Counters
from llmflow.stores.database import Database
from llmflow.types.urls import masked, without_passwords

SECRET = "hunter2"
URLS = (
    "postgresql://ana:hunter2@host/db",
    "postgresql://ana:hunter2@host:5432/db?sslmode=require",
    "postgresql://ana:x@hunter2@host/db",
    "postgresql://ana:x/hunter2@host/db",
    "postgresql://ana:x?hunter2@host/db",
    "postgresql://ana:x#hunter2@host/db",
    "postgresql://ana:hunter2?x@host/db",
    "postgresql://:hunter2@host/db",
    "postgresql://host/db?password=hunter2",
    "postgresql://host/db?user=ana&password=hunter2&sslmode=require",
    "postgresql://host/db?sslpassword=hunter2",
    "postgresql://host/db?passfile=hunter2",
    "postgresql://host/db?options=-c%20x%3Dhunter2",
    "postgresql://ana:hunter2@/db?host=/var/run/postgresql",
    "postgresql+asyncpg://ana:hunter2@[::1]:5432/db",
    "redis://:hunter2@host:6379/0",
    "rediss://ana:hunter2@host:6379/0?ssl_cert_reqs=none",
    "redis://host:6379/0?password=hunter2",
    "http://ana:hunter2@proxy:3128",
    "https://vendor.example/v1?key=hunter2",
)


@pytest.mark.parametrize("url", URLS)
def test_a_url_is_shown_without_its_secrets(url: str) -> None:
    assert SECRET not in masked(url)
    assert "***" in masked(url)


@pytest.mark.parametrize("url", [one for one in URLS if "@" in one])
def test_a_text_is_shown_without_passwords(url: str) -> None:
    assert SECRET not in without_passwords(f"cannot connect to '{url}': refused")


@pytest.mark.parametrize(
    "url",
    ["postgresql://host/db", "redis://localhost:6379/0", "./llmflow.db", "postgresql://host:1/db?sslmode=require"],
)
def test_other_urls_stay(url: str) -> None:
    assert masked(url) == url


@pytest.mark.parametrize("url", [one for one in URLS if one.startswith("postgresql")])
async def test_no_error_of_the_store_has_its_password(url: str) -> None:
    said: list[str] = []
    try:
        database = Database(url.replace("host/", "127.0.0.1:1/"))
        said.append(database.name)
        async with database:
            pass
    except (ConfigInvalid, StoreUnavailable) as error:
        said.append(str(error))
    assert said
    assert not [one for one in said if SECRET in one]


REDIS = (
    "redis://ana:hunter2@host:port/0",
    "redis://ana:x@hunter2:99999/0",
    "redis://[::1/hunter2",
    "http://ana:hunter2@host",
    "hunter2",
    "",
    "redis://host:6379/0?max_connections=hunter2",
    "redis://host:6379/hunter2?db=x",
)


@pytest.mark.parametrize("url", REDIS)
def test_a_bad_redis_address_is_a_message(url: str) -> None:
    try:
        Counters(url or "redis://:x")
    except ConfigInvalid as error:
        assert f":{SECRET}" not in str(error)
        assert "Traceback" not in str(error)


@pytest.mark.parametrize("key", ["", "a", "e", "none", "test", "1234567"])
def test_a_short_key_does_not_mangle_messages(key: str) -> None:
    said = "there is none: test 1234567 and ask again later"
    assert scrub(said, (key,)) == said


def test_a_key_is_replaced() -> None:
    assert scrub("the key planted-0123 is wrong", ("planted-0123",)) == "the key [secret] is wrong"


@pytest.fixture
def open_umask() -> object:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("open_umask")
async def test_the_store_is_its_owners(tmp_path: Path) -> None:
    path = tmp_path / "new" / "llmflow.db"
    async with Database(str(path)) as database:
        await database.write(lambda connection: connection.execute(text("CREATE TABLE own (x)")))
        files = list(path.parent.iterdir())
        assert len(files) == 3, "the database, its log, and the log's index"
        assert {stat.S_IMODE(one.stat().st_mode) for one in files} == {0o600}


async def test_a_deleted_store_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "llmflow.db"
    async with Database(str(path)) as database:
        for one in tmp_path.iterdir():
            one.unlink()
        with pytest.raises(StoreUnavailable, match="No such file"):
            await database.write(lambda connection: connection.execute(text("CREATE TABLE own (x)")))
        assert not path.exists(), "an empty database in its place would hide the loss"


async def test_a_replaced_store_is_used(tmp_path: Path) -> None:
    path, backup = tmp_path / "llmflow.db", tmp_path / "backup.db"
    async with Database(str(backup)) as other:
        await other.write(lambda connection: connection.execute(text("CREATE TABLE restored (x)")))
    async with Database(str(path)) as database:
        for one in tmp_path.glob("llmflow.db*"):
            one.unlink()
        backup.rename(path)
        assert await database.read(lambda connection: connection.scalar(text("SELECT count(*) FROM restored"))) == 0
