"""Texts as strangers send them. Add a line, and every place that shows text is tested with it."""

MARKUP = (
    "delete [all] mails but [not] those of ana",
    "[/b]",
    "[bold red]approved[/]",
    "[link=https://evil.example]the receipt[/link]",
    "[@click=app.quit]quit[/]",
    ":warning: \\[x]",
)
"""Rich markup."""

ACTS = (
    "\x1b[2J\x1b[H",  # clears the screen
    "\x1b]0;title\x07",
    "\x1b]8;;https://evil.example\x1b\\click\x1b]8;;\x1b\\",
    "\x1b]52;c;cm0gLXJm\x07",  # writes the clipboard
    "\x9b31mred\x9b0m",  # C1
    "\x90payload\x9c",
    "paid\rfree",
    "a\x08b\x7f",
    "a\x00b",
    "pay \u202e001 DSU\u202c now",  # bidi: reads "pay USD 100 now"
    "\u2066\u2067isolated\u2069",
    "left\u200eright\u200f\u061c",
    "two\u2028lines\u2029here",
    "zero\u200bwidth\ufeff\u2060",
    "soft\xadhyphen",
    "tags \U000e0061\U000e0070\U000e0070",
    "lone \ud800 surrogate \udcff",
)
"""Characters that act on a terminal, change the order of reading, or hide."""

MARKDOWN = (
    "<textarea>",
    "<script>alert(1)</script>",
    "<!-- hidden -->",
    "<img src=x onerror=alert(1)>",
    "</code></pre><a href='https://evil.example'>approve</a>",
    "[approve here](https://evil.example)",
    "[approve here](javascript:alert(1))",
    "![pixel](https://evil.example/pixel.png)",
    "[a]: https://evil.example",
    "[a][b]",
    "<https://evil.example>",
    "https://evil.example/approve",
    "www.evil.example",
    "ana@evil.example",
    "mailto:ana@evil.example",
    "` unclosed https://evil.example",
    "``` https://evil.example",
    "costs $5$ and $$x$$",
    "&lt;b&gt; &#60;b&#62;",
    "\\[x](https://evil.example)",
    "\\<b>",
    "`code` <b>`bold`",
)
"""HTML, links, images and formulas of Markdown."""

EMPHASIS = ("**bold** _it_ ~~no~~ *x*", "# heading", "- item", "1. one", "> quote", "a | b", "snake_case_name", "+ x")
"""Markdown that is plain text where plain text is meant."""

HARMLESS = ("straße", "日本語", "👩\u200d💻", "\u0645\u06cc\u200c\u062e", "שלום", "a\tb", "first\nsecond")
"""Texts that stay as they are."""
