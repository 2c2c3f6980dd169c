"""From what people type to HTML that runs nothing.

Two walls: the Markdown parser accepts no HTML and links only to http, https, mailto; the sanitiser then keeps a short
list of tags whatever the parser did.
"""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt

_parser = MarkdownIt("zero", {"html": False, "linkify": False, "breaks": True}).enable(
    ["emphasis", "strikethrough", "backticks", "fence", "blockquote", "list", "link", "newline", "escape", "autolink"]
)
_TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a"}
_ATTRIBUTES = {"a": {"href"}}
_SCHEMES = {"http", "https", "mailto"}


def to_html(text: str) -> str:
    """Render a message. The result is safe to place in a page as it is."""
    return nh3.clean(
        _parser.render(text),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow ugc",
    ).strip()
