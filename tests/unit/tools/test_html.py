"""HTML reduced to text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmflow.tools.html import readable

PAGE = """<!DOCTYPE html><html><head><title> Cats &amp;
 dogs</title><script>if (a<b) "</div>"</script><style>p {}</style></head>
<body><nav>Home <a href="/">x</a></nav><h1>Big <em>cats</em></h1>
<p title="a > b">Some   <b>bold</b>
text&nbsp;here, 1 < 2.<br>Next<ul><li>one</li><li>two</ul>
<table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table>
<pre>
def f():
    return 1
</pre><svg><title>no</title><text>no</text></svg><svg/>After<!-- a > comment -->wards</body></html>
"""

TEXT = """# Big cats

Some bold text here, 1 < 2.
Next

- one
- two

 | a | b
 | 1 | 2

def f():
    return 1

Afterwards"""


def test_a_page() -> None:
    assert readable(PAGE) == (TEXT, "Cats & dogs")


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("", ""),
        ("no markup", "no markup"),
        ("a < b", "a < b"),
        ("<p>open <b>never closed", "open never closed"),
        ("seen <a href='never closed", "seen"),
        ("seen <!-- never closed", "seen"),
        ("seen <script>never closed", "seen"),
        ("<a b=\"'>'\">x</a>", "x"),
        ('<a b="x"">y</a>', "y"),
        ("<P>upper</P><SCRIPT>no</SCRIPT>", "upper"),
        ("a<![CDATA[x]]>b", "ab"),
        ("<![<", ""),
        ("&lt;b&gt; &#65; &#x41; &nosuch;", "<b> A A &nosuch;"),
        (f"&#{'9' * 5000};", f"&#{'9' * 5000};"),
    ],
)
def test_odd_markup(markup: str, text: str) -> None:
    assert readable(markup).text == text


@pytest.mark.parametrize(
    "unit",
    ["<!--", "<a ", "<", "<![", '<a "', "<a b='", "<a =\" ='", "<script>", "<nav>", "&#", " \t", "<pre> ", "</", "="],
)
def test_hostile_markup_takes_linear_time(unit: str) -> None:
    readable(unit * (1_000_000 // len(unit)))  # hours if it were quadratic: the test's time limit would end it


@given(st.text() | st.text("<>/!-\"'= ab&#;\n"))
def test_every_text_is_read(markup: str) -> None:
    assert "\n\n\n" not in readable(markup).text


@given(st.lists(st.text("abc ", min_size=1).map(str.strip).filter(bool), min_size=1))
def test_no_word_is_lost(paragraphs: list[str]) -> None:
    markup = "".join(f"<p>{paragraph}</p>" for paragraph in paragraphs)
    assert readable(markup).text.split() == " ".join(paragraphs).split()
