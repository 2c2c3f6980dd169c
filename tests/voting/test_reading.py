"""A story as a book, as a tree, as a file to take along; and the desk at which it is written."""

from __future__ import annotations

import io
import uuid
import zipfile
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from creator_hub.voting import reading
from creator_hub.voting.books import Book, Chapter, epub, markdown
from creator_hub.voting.chain_models import Episode
from tests.voting.conftest import Room
from tests.voting.test_chains import an_episode, begin, open_round, propose, step
from tests.voting.test_pages import read

XHTML = {"h": "http://www.w3.org/1999/xhtml"}


def a_book(*chapters: Chapter, premise: str = "A light goes out.") -> Book:
    at = datetime(2026, 11, 25, tzinfo=UTC)
    return Book(str(uuid.UUID(int=7)), "The lighthouse", "Mei", premise, "Share alike.", chapters, at)


def test_the_book_opens_where_one_stopped(room: Room) -> None:
    chain = begin(room)
    for title in ("The storm", "The calm"):
        an_episode(room, chain, title, f"Not {title}")
    path = f"/chains/{chain['id']}/read"
    page = read(room.bo, path)
    assert page.index("A light goes out.") < page.index("The storm</h2>") < page.index("The calm</h2>")
    assert "Not The storm" not in page
    assert "Go on where you stopped" not in page
    calm = room.bo.get(f"/chains/{chain['id']}/canon").json["episodes"][1]["id"]
    for _ in range(2):
        assert room.bo.put(f"/chains/{chain['id']}/bookmark", {"episode_id": calm}).status_code == 204
    assert f'href="#episode-{calm}"' in read(room.bo, path)
    assert "Go on where you stopped" not in read(room.ana, path)
    nowhere = room.bo.put(f"/chains/{chain['id']}/bookmark", {"episode_id": str(uuid.uuid4())})
    assert nowhere.status_code == 404


def test_the_tree_shows_every_branch_and_each_episode_has_its_page(room: Room) -> None:
    chain = begin(room)
    an_episode(room, chain, "The storm", "The <calm>")
    page = read(room.bo, f"/chains/{chain['id']}/tree")
    assert "tree__node--canon" in page
    assert "The &lt;calm&gt;" in page
    other = next(each for each in room.bo.get(f"/chains/{chain['id']}").json["episodes"] if each["state"] != "canon")
    assert "The &lt;calm&gt;" in read(room.bo, f"/episodes/{other['id']}")
    assert "Let a round grow from here" in read(room.mei, f"/episodes/{other['id']}")
    grown = open_round(room, chain, parent_episode_id=other["id"])
    propose(room.chen, grown, "After the calm")
    assert "After the calm" in read(room.bo, f"/episodes/{other['id']}")
    assert room.bo.page(f"/episodes/{uuid.uuid4()}").status_code == 404


def test_the_desk_shows_what_came_before_and_closes_with_the_round(room: Room) -> None:
    chain = begin(room)
    an_episode(room, chain, "The storm")
    found = open_round(room, chain)
    path = f"/rounds/{found['id']}/write"
    page = read(room.bo, path)
    assert page.index("The storm") < page.index("Your episode")
    assert "data-countdown" in page
    propose(room.bo, found, "Mine")
    assert "You proposed “Mine”." in read(room.bo, path)
    step(room, found)
    assert "The time for writing is over." in read(room.chen, path)


def episodes(parents: list[int | None]) -> list[Episode]:
    """A tree from each episode's parent by number, parents before children."""
    made: list[Episode] = []
    for n, parent in enumerate(parents):
        above = made[parent] if parent is not None else None
        made.append(
            Episode(id=uuid.UUID(int=n), parent_id=above.id if above else None, depth=above.depth + 1 if above else 1)
        )
    return sorted(made, key=lambda each: (each.depth, each.id))


@given(st.data())
def test_no_two_episodes_share_a_place_and_a_line_never_runs_back(data: st.DataObject) -> None:
    parents: list[int | None] = [None]
    for n in range(1, data.draw(st.integers(1, 30))):
        parents.append(data.draw(st.one_of(st.none(), st.integers(0, n - 1))))
    placed = reading.laid_out(episodes(parents))
    assert len(placed) == len(parents) == len({(node.column, node.row) for node in placed})
    at = {node.id: node for node in placed}
    for node in placed:
        if node.parent_id is not None:
            assert at[node.parent_id].column == node.column - 1
            assert at[node.parent_id].row <= node.row


def test_a_story_of_a_thousand_episodes_in_a_row_is_laid_out(room: Room) -> None:
    placed = reading.laid_out(episodes([None, *range(999)]))
    assert {node.row for node in placed} == {0}


TEXTS = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)


@given(TEXTS, TEXTS, TEXTS)
def test_whatever_is_written_the_book_is_well_formed(title: str, author: str, body: str) -> None:
    book = a_book(Chapter(title, author, body), premise=body)
    made = epub(book)
    assert made == epub(book)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        for name in archive.namelist():
            if name.endswith((".xhtml", ".opf", ".xml")):
                ElementTree.fromstring(archive.read(name))  # noqa: S314 - our own
    assert markdown(book).startswith("# The lighthouse")


def test_the_epub_is_built_as_readers_expect_it(room: Room) -> None:
    chain = begin(room)
    an_episode(room, chain, "Storm & sea")
    answer = room.bo.get(f"/chains/{chain['id']}/canon.epub")
    assert answer.content_type == "application/epub+zip"
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, archive.read(first)) == (
            "mimetype",
            zipfile.ZIP_STORED,
            b"application/epub+zip",
        )
        package: Any = ElementTree.fromstring(archive.read("book/package.opf"))  # noqa: S314
        opf = {"o": "http://www.idpf.org/2007/opf", "dc": "http://purl.org/dc/elements/1.1/"}
        hrefs = {item.get("id"): item.get("href") for item in package.findall(".//o:item", opf)}
        spine = [hrefs[item.get("idref")] for item in package.findall(".//o:itemref", opf)]
        assert spine == ["title.xhtml", "nav.xhtml", "chapter-1.xhtml", "credits.xhtml"]
        assert all(f"book/{href}" in archive.namelist() for href in hrefs.values())
        assert [each.text for each in package.findall(".//dc:creator", opf)] == ["Ana"]
        chapter: Any = ElementTree.fromstring(archive.read("book/chapter-1.xhtml"))  # noqa: S314
        assert chapter.find(".//h:h2", XHTML).text == "1. Storm & sea"


def test_the_markdown_carries_credits_and_starts_no_formatting(room: Room) -> None:
    chain = begin(room)
    an_episode(room, chain, "*Storm* [x](y)")
    text = room.bo.get(f"/chains/{chain['id']}/canon.md").get_data(as_text=True)
    assert "## 1. \\*Storm\\* \\[x\\](y)" in text
    assert "## Credits\n\n- Ana: 1" in text
