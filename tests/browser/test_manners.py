"""Mei shows a picture of her kitchen; Ana, on a phone, sees it, is loud, is muted, and reports Mei for it."""

from __future__ import annotations

import io
import re

from PIL import Image, ImageDraw
from playwright.sync_api import expect

from tests.browser.test_journey import Visit, say, sign_up, start_group, violations
from tests.support.hub import Web


def kitchen() -> bytes:
    picture = Image.new("RGB", (1600, 900), "#e9b872")
    draw = ImageDraw.Draw(picture)
    draw.ellipse((500, 150, 1100, 750), fill="#7a3b1d")
    draw.ellipse((620, 270, 980, 630), fill="#c8743b")
    out = io.BytesIO()
    picture.save(out, "JPEG")
    return out.getvalue()


def test_pictures_mutes_and_reports(webs: tuple[Web, Web], visit: Visit) -> None:
    first, second = webs
    mei = visit(first, reduced_motion="reduce").new_page()
    sign_up(mei, "Mei")
    mei.wait_for_url(re.compile(r"/$"))
    passcode = start_group(mei)
    ana = visit(second, reduced_motion="reduce", color_scheme="dark", viewport={"width": 360, "height": 740}).new_page()
    ana.goto(f"/join/{passcode}")
    ana.get_by_role("link", name="Sign up to join").click()
    sign_up(ana, "Ana", at=ana.url)
    ana.get_by_role("button", name="Join as Ana").click()
    ana.wait_for_url("**/g/mei")
    mei.goto("/g/mei")

    picture = {"name": "kitchen.jpg", "mimeType": "image/jpeg", "buffer": kitchen()}
    mei.locator("input[name=pictures]").set_input_files([picture, {**picture, "name": "again.jpg"}])
    expect(mei.locator("[data-pictures] img")).to_have_count(2)
    mei.get_by_role("button", name="Remove again.jpg").click()
    say(mei, "Fresh from the oven")
    seen = ana.get_by_role("img", name="Picture by Mei: kitchen.jpg")
    expect(seen).to_be_visible()
    expect(seen).to_have_js_property("naturalWidth", 640)
    expect(mei.locator("[data-pictures]")).to_be_hidden()
    assert ana.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert violations(ana) == []
    mei.locator("input[name=pictures]").set_input_files(
        {"name": "notes.jpg", "mimeType": "image/jpeg", "buffer": b"not a picture"}
    )
    expect(mei.get_by_text("notes.jpg: This is not a JPEG").first).to_be_visible()

    box = mei.get_by_role("textbox", name="Message")
    box.fill("")
    box.press_sequentially("look @an")
    expect(mei.get_by_role("option", name="Ana")).to_be_visible()
    assert violations(mei) == []
    box.press("Enter")
    expect(box).to_have_value("look @ana ")
    box.press("Enter")
    expect(ana.locator(".msg--named .mention")).to_have_text("@ana")
    say(ana, "WOW")
    mei.locator("[data-log] > *", has_text="WOW").locator(".msg__more").click(force=True)
    mei.get_by_role("menuitem", name="Mute in the group").click()
    mei.get_by_role("dialog").get_by_label("Reason").fill("please no shouting")
    assert violations(mei) == []
    mei.get_by_role("dialog").get_by_role("button", name="Mute", exact=True).click()
    expect(mei.get_by_role("dialog")).to_have_count(0)
    say(ana, "MORE")
    expect(ana.get_by_text("please no shouting").first).to_be_visible()
    mei.goto("/g/mei/settings")
    mei.get_by_role("button", name="Lift the mute of Ana").click()
    expect(mei.get_by_text("Nobody is muted")).to_be_visible()
    ana.get_by_role("button", name="Try again").click()
    expect(ana.locator("[data-log] .msg__text").last).to_have_text("MORE")

    ana.locator("[data-log] > *", has_text="Fresh from the oven").locator(".msg__more").click(force=True)
    ana.get_by_role("menuitem", name="Report").click()
    ana.get_by_role("dialog").get_by_label("What should they know?").fill("she muted me")
    assert violations(ana) == []
    ana.get_by_role("dialog").get_by_role("button", name="Report", exact=True).click()
    expect(ana.get_by_text("Thank you. The moderators will look at it.")).to_be_visible()
    mei.goto("/g/mei/reports")
    expect(mei.locator(".case__reported")).to_contain_text("Fresh from the oven")
    expect(mei.get_by_text("she muted me")).to_be_visible()
    assert violations(mei) == []
    mei.get_by_role("button", name="Leave it").click()
    mei.get_by_role("dialog").get_by_label("Reason").fill("just a cake")
    mei.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    expect(mei.get_by_text("Nothing waits for you")).to_be_visible()
