"""Press that publishes articles: a file in place of an external site."""

import hashlib
import sqlite3
from contextlib import closing

from llmflow.config import Settings
from workflows.review.schemas import Article, Publication

_TABLE = "CREATE TABLE IF NOT EXISTS articles (key TEXT PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL)"


def print_article(key: str, article: Article) -> Publication:
    """Publish once per key: a repeated key is the same publication."""
    path = Settings.load().home / "review.db"
    path.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(path, timeout=30)) as file, file:
        file.execute(_TABLE)
        file.execute("INSERT INTO articles VALUES (?, ?, ?) ON CONFLICT DO NOTHING", (key, article.title, article.text))
        [title] = file.execute("SELECT title FROM articles WHERE key = ?", (key,)).fetchone()
    return Publication(number=f"P-{hashlib.sha256(key.encode()).hexdigest()[:8]}", title=title)
