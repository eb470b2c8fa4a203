"""Tool of the review."""

from llmflow.tools import idempotency_key, tool
from workflows.review.press import print_article
from workflows.review.schemas import Article, Publication


@tool(effect=True)
def publish(article: Article) -> Publication:
    """Publish an article."""
    return print_article(idempotency_key(), article)
