"""A full-text index of one folder: a SQLite file that is refreshed before each search.

Several processes may share an index: a refresh is one transaction, and a process that waited for it finds nothing left
to do. The index is a cache: deleting the file only costs the time to rebuild it.
"""

import os
import re
import sqlite3
import stat
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple, Self

from llmflow.errors import ConfigInvalid, ErrorDetail, ToolRefused
from llmflow.tools.html import readable
from llmflow.tools.passages import first_heading, split

MAX_FILE_BYTES = 5_000_000
MAX_WORDS = 60
"""Upper limit of words in a query."""
HTML = frozenset({".html", ".htm"})
SUFFIXES = frozenset({".md", ".markdown", ".rst", ".txt"}) | HTML

_VERSION = 2
"""Version in the file's name; increment it after a change to splitting or storing."""
_MAX_FILES = 20_000
_LOCK_SECONDS = 60
_FILES = """
    CREATE TABLE files (path TEXT PRIMARY KEY, state TEXT, problem TEXT, first INTEGER, passages INTEGER) WITHOUT ROWID
"""
_PASSAGES = """
    CREATE VIRTUAL TABLE passages USING fts5(
        title, heading, text, path UNINDEXED, ordinal UNINDEXED, line UNINDEXED, tokenize = 'porter unicode61'
    )
"""
_SEARCH = """
    SELECT path, ordinal, line, title, heading, text, -bm25(passages, 2.0, 2.0, 1.0) AS score
    FROM passages WHERE passages MATCH ? ORDER BY score DESC, path, ordinal LIMIT ?
"""
_STOP_WORDS = frozenset(
    re.findall(
        r"\w+",
        """
        a about after all also am an and any are as at be been but by can could did do does doing each for from get had
        has have having he her his how i if in into is it its just let like many me more most much my no not of off on
        one only or other our out over own please same she should so some such tell than that the their them then there
        these they this those through to too under until up us very was we were what when where which while who whom why
        will with would you your
        """,
    )
)


class Hit(NamedTuple):
    """A found passage."""

    path: str
    ordinal: int
    line: int
    title: str
    heading: str
    text: str
    score: float


class Skipped(NamedTuple):
    """A file that was not searched."""

    path: str
    problem: str


class Index:
    """The open index of one folder: `with Index.opened(folder, store) as index`."""

    def __init__(self, folder: Path, db: sqlite3.Connection) -> None:
        self._folder = folder
        self._db = db

    @classmethod
    @contextmanager
    def opened(cls, folder: Path, store: Path) -> Generator[Self]:
        """Open and refresh the index of `folder` (resolved), a file in the folder `store`.

        Raises:
            ToolRefused: the folder has too many files.
            ConfigInvalid: the index is damaged, or this Python's SQLite has no FTS5.
            sqlite3.OperationalError: another process did not finish its refresh in time, or the disk is full.
        """
        store.mkdir(parents=True, exist_ok=True)
        file = store / f"{sha256(f'{_VERSION}:{folder}'.encode(errors='surrogateescape')).hexdigest()[:16]}.sqlite3"
        try:
            with closing(sqlite3.connect(file, timeout=_LOCK_SECONDS, isolation_level=None)) as db:
                index = cls(folder, db)
                index._refresh()
                yield index
        except sqlite3.OperationalError as error:
            if "no such module" in str(error):
                raise ConfigInvalid("this Python's SQLite has no FTS5; use a Python built with it") from None
            raise
        except sqlite3.DatabaseError as error:
            raise ConfigInvalid(
                f"the index {file} is damaged ({error}); delete it, and the next search rebuilds it"
            ) from None

    def search(self, query: str, limit: int) -> list[Hit]:
        """Return the passages that match the query best by BM25, best first."""
        return [Hit(*row) for row in self._db.execute(_SEARCH, (_any_of(words(query)), limit))]

    def searched_files(self) -> int:
        """Count the searched files."""
        return self._db.execute("SELECT count(*) FROM files WHERE problem IS NULL").fetchone()[0]

    def skipped_files(self) -> list[Skipped]:
        """Return the skipped files with the reason."""
        rows = self._db.execute("SELECT path, problem FROM files WHERE problem IS NOT NULL ORDER BY path")
        return [Skipped(*row) for row in rows]

    def _refresh(self) -> None:
        if self._exists() and not _differing(self._stored(), scan(self._folder)):
            return
        with self._db:
            self._db.execute("BEGIN IMMEDIATE")  # exclusive; checks again, because another process may have refreshed
            if not self._exists():
                self._db.execute(_FILES)
                self._db.execute(_PASSAGES)
            found = scan(self._folder)
            for path in _differing(self._stored(), found):
                self._forget(path)
                if path in found:
                    self._add(path, found[path])

    def _exists(self) -> bool:
        return self._db.execute("SELECT 1 FROM sqlite_master WHERE name = 'files'").fetchone() is not None

    def _stored(self) -> dict[str, str]:
        return dict(self._db.execute("SELECT path, state FROM files"))

    def _forget(self, path: str) -> None:
        row = self._db.execute("DELETE FROM files WHERE path = ? RETURNING first, passages", (path,)).fetchone()
        if row:
            first, passages = row
            self._db.execute("DELETE FROM passages WHERE rowid >= ? AND rowid < ?", (first, first + passages))

    def _add(self, path: str, state: str) -> None:
        try:
            title, text = _read(self._folder / path)
        except _Unreadable as error:
            self._db.execute("INSERT INTO files VALUES (?, ?, ?, 0, 0)", (path, state, str(error)))
            return
        first = self._db.execute("SELECT coalesce(max(rowid), 0) + 1 FROM passages").fetchone()[0]
        passages = split(text)
        self._db.executemany(
            "INSERT INTO passages (rowid, title, heading, text, path, ordinal, line) VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                (first + number, title, passage.heading, passage.text, path, passage.ordinal, passage.line)
                for number, passage in enumerate(passages)
            ),
        )
        self._db.execute("INSERT INTO files VALUES (?, ?, NULL, ?, ?)", (path, state, first, len(passages)))


def words(query: str) -> list[str]:
    """Return the words of a query without stop words and repetitions; all its words if nothing else is left."""
    found = list(dict.fromkeys(re.findall(r"\w+", query.lower())))
    return ([word for word in found if word not in _STOP_WORDS] or found)[:MAX_WORDS]


def _any_of(sought: list[str]) -> str:
    """Make an FTS5 expression. Quotes prevent syntax in words; words contain no quotes."""
    return " OR ".join(f'"{word}"' for word in sought)


def _differing(stored: dict[str, str], found: dict[str, str]) -> list[str]:
    return sorted(path for path in stored.keys() | found.keys() if stored.get(path) != found.get(path))


def scan(folder: Path, *, most: int = _MAX_FILES) -> dict[str, str]:
    """Return the files of the folder, dotfiles excluded, each with a fingerprint that changes with the file.

    Raises:
        ToolRefused: there are more files than `most`.
    """
    found: dict[str, str] = {}
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            if name.startswith("."):
                continue
            path = Path(parent, name)
            with suppress(FileNotFoundError):  # deleted since it was listed
                status = path.lstat()
                state = f"{status.st_mode}-{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"
                shown = os.fsencode(path.relative_to(folder)).decode(
                    errors="backslashreplace"
                )  # names may be any bytes
                found[shown] = state
        if len(found) > most:
            raise ToolRefused(f"{folder} has more than {most} files; give a subfolder", ErrorDetail(field="folder"))
    return found


class _Unreadable(Exception):
    """Reason why a file is skipped."""


def _read(file: Path) -> tuple[str, str]:
    """Read title and text of a document."""
    suffix = file.suffix.lower()
    try:
        status = file.lstat()
        if not stat.S_ISREG(status.st_mode):
            raise _Unreadable("a link or a device, which is not followed")
        if suffix not in SUFFIXES:
            raise _Unreadable(f"not one of {', '.join(sorted(SUFFIXES))}")
        if status.st_size > MAX_FILE_BYTES:
            raise _Unreadable(f"{status.st_size} bytes, more than {MAX_FILE_BYTES}")
        text = file.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError:
        raise _Unreadable("not UTF-8") from None
    except OSError as error:
        raise _Unreadable(f"cannot be read: {error.strerror}") from None
    title = None
    if suffix in HTML:
        text, title = readable(text)
    return title or first_heading(text) or file.stem, text
