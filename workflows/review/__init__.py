"""The review: an article is written from notes, judged and improved, and published when two people agree."""
