"""The little Markdown that our tables' pages use, as HTML: paragraphs, lists, tables, bold, underlined, code."""

from __future__ import annotations

import re
from collections.abc import Iterable

from markupsafe import Markup, escape

_TEXT_MARKS = (
    (re.compile(r"\*\*(.+?)\*\*"), r"<strong>\1</strong>"),
    (re.compile(r"`(.+?)`"), r"<code>\1</code>"),
    (re.compile(r"&lt;u&gt;(.+?)&lt;/u&gt;"), r"<u>\1</u>"),
)


def inline(text: str) -> Markup:
    """One line of text, its marks turned into tags; everything else is escaped."""
    html = str(escape(text))
    for pattern, tag in _TEXT_MARKS:
        html = pattern.sub(tag, html)
    return Markup(html)


def blocks(text: str) -> Markup:
    """Paragraphs, bullet lists of two levels, and tables; headings are left out, for the page has its own."""
    parts = [block for block in re.split(r"\n\s*\n", text.strip()) if block and not block.startswith("#")]
    return Markup("\n").join(_block(block.splitlines()) for block in parts)


def rows_of(lines: Iterable[str]) -> list[list[str]]:
    """Cells of a Markdown table, the rule below its head left out."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    return [row for row in rows if not all(re.fullmatch(r":?-+:?", cell) for cell in row)]


def _block(lines: list[str]) -> Markup:
    if lines[0].startswith("|"):
        return _facts(rows_of(lines))
    if lines[0].lstrip().startswith("- "):
        return _list(lines)
    return Markup("<p>{}</p>").format(inline(" ".join(lines)))


def _facts(rows: list[list[str]]) -> Markup:
    """A table of two columns, a name and what is said of it, as on the card of a protocol."""
    head, *others = rows
    items = [Markup("<tr><th scope='row'>{}</th><td>{}</td></tr>").format(*map(inline, row[:2])) for row in others]
    caption = Markup(": ").join(map(inline, head))
    return Markup("<table class='facts'><caption>{}</caption><tbody>{}</tbody></table>").format(
        caption, Markup("").join(items)
    )


def _list(lines: list[str]) -> Markup:
    """Deeper lines are a list within the item above them."""
    items: list[tuple[str, list[str]]] = []
    for line in lines:
        text = line.strip().removeprefix("- ")
        if line.startswith(" ") and items:
            items[-1][1].append(text)
        else:
            items.append((text, []))
    return _items(Markup("{}{}").format(inline(text), _inner(below)) for text, below in items)


def _inner(texts: list[str]) -> Markup:
    return _items(map(inline, texts)) if texts else Markup("")


def _items(contents: Iterable[Markup]) -> Markup:
    return Markup("<ul>{}</ul>").format(Markup("").join(Markup("<li>{}</li>").format(each) for each in contents))
