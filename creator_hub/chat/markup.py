"""From what people type to HTML that runs nothing.

Two walls: the Markdown parser accepts no HTML and links only to http, https, mailto; the sanitiser then keeps a short
list of tags whatever the parser did.
"""

from __future__ import annotations

import re
from collections.abc import Collection

import nh3
from linkify_it import LinkifyIt
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

_HANDLE = re.compile(r"@([a-z0-9][a-z0-9_-]{1,29})(?![a-z0-9_-])", re.ASCII | re.IGNORECASE)
_MARKDOWN = [
    "emphasis",
    "strikethrough",
    "backticks",
    "fence",
    "blockquote",
    "list",
    "link",
    "newline",
    "escape",
    "autolink",
    "linkify",
]
_TAGS = {"p", "br", "em", "strong", "s", "code", "pre", "blockquote", "ul", "ol", "li", "a", "span"}
_ATTRIBUTES = {"a": {"href"}}
_SCHEMES = {"http", "https", "mailto"}


def to_html(text: str, mentioned: Collection[str] = ()) -> str:
    """Render a message, with `@handle` marked for the handles given. The result is safe to place in a page as it is."""
    return nh3.clean(
        _parser.render(text, {"mentioned": frozenset(mentioned)}),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes={"span": {"mention"}},
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer nofollow ugc",
    ).strip()


def handles_in(text: str) -> frozenset[str]:
    """The handles that a text may mention, in lower case; words in code count too, and mark nothing."""
    return frozenset(match[1].lower() for match in _HANDLE.finditer(text))


def _mention(state: StateInline, silent: bool) -> bool:
    """An inline rule: `@handle` at the beginning of a word, of somebody who is mentioned."""
    match = _HANDLE.match(state.src, state.pos)
    if match is None or match.end() > state.posMax or match[1].lower() not in state.env["mentioned"]:
        return False
    if state.pos and (state.src[state.pos - 1].isalnum() or state.src[state.pos - 1] in "@/._-"):
        return False
    if not silent:
        state.push("mention", "", 0).content = match[0]
    state.pos = match.end()
    return True


def _render_mention(self: RendererHTML, tokens: list[Token], at: int, options: OptionsDict, env: EnvType) -> str:
    return f'<span class="mention">{tokens[at].content}</span>'


def _made() -> MarkdownIt:
    parser = MarkdownIt("zero", {"html": False, "linkify": True, "breaks": True}).enable(_MARKDOWN)
    # Bare addresses become links when they say http: "index.md" and "3.am" are words.
    links = LinkifyIt(options={"fuzzy_link": False, "fuzzy_email": False, "fuzzy_ip": False})
    for scheme in ("//", "ftp:"):
        links.add(scheme, None)
    parser.linkify = links
    parser.inline.ruler.before("link", "mention", _mention)
    parser.add_render_rule("mention", _render_mention)
    return parser


_parser = _made()
