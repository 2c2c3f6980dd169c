"""Runs alone in a process of its own: reads an image on stdin, writes it re-encoded with a thumbnail to stdout.

What people upload is hostile until proven otherwise. This process has five seconds of CPU, a ceiling on memory and
imports nothing but the decoder; a bomb ends it and nobody else. Re-encoding drops metadata (places, cameras) and
whatever was appended to the picture.

Output: one line of JSON `{kind, width, height, full, thumbnail}` (the last two in bytes), then the two images.
Exit status 2 with a sentence on stderr: the picture is refused.
"""

from __future__ import annotations

import io
import json
import resource
import sys

from PIL import Image, ImageOps, ImageSequence

CPU_S = 5
MEMORY = 512 * 1024 * 1024  # address space; resident stays far below
LONGEST_EDGE = 4096
THUMBNAIL_EDGE = 640
MOST_PIXELS = 24_000_000
MOST_FRAMES = 120
KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}


class Refused(Exception):
    """Not a picture that can be taken; the message tells the person why."""


def main() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    Image.MAX_IMAGE_PIXELS = None  # our own limit comes before anything is decoded
    try:
        kind, size, full, thumbnail = prepare(sys.stdin.buffer.read())
    except Refused as refusal:
        sys.stderr.write(str(refusal))
        sys.exit(2)
    except MemoryError:
        sys.stderr.write("The picture needs too much memory.")
        sys.exit(2)
    header = {"kind": kind, "width": size[0], "height": size[1], "full": len(full), "thumbnail": len(thumbnail)}
    sys.stdout.buffer.write(json.dumps(header).encode() + b"\n" + full + thumbnail)


def prepare(data: bytes) -> tuple[str, tuple[int, int], bytes, bytes]:
    """(content type, (width, height), the clean picture, its thumbnail as WebP)."""
    try:
        picture = Image.open(io.BytesIO(data), formats=tuple(KINDS))
        if picture.format == "JPEG":
            # A large photo is decoded at a fraction of its size, so that its pixels never lie in memory.
            picture.draft("RGB", (LONGEST_EDGE, LONGEST_EDGE))
        if picture.width * picture.height > MOST_PIXELS:
            raise Refused("The picture has too many pixels.")
        form = picture.format or ""
        if getattr(picture, "is_animated", False):
            return _animated(picture, form)
        return _still(picture, form)
    except (OSError, SyntaxError, ValueError, EOFError, ZeroDivisionError, KeyError, TypeError, IndexError) as error:
        raise Refused("This is not a JPEG, PNG, WebP or GIF picture that can be read.") from error


def _still(picture: Image.Image, form: str) -> tuple[str, tuple[int, int], bytes, bytes]:
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((LONGEST_EDGE, LONGEST_EDGE))
    clean = upright.convert("RGB" if form == "JPEG" else "RGBA")
    return KINDS[form], clean.size, _encoded(clean, form), _thumbnail(clean)


def _animated(picture: Image.Image, form: str) -> tuple[str, tuple[int, int], bytes, bytes]:
    frames = getattr(picture, "n_frames", 1)
    if frames > MOST_FRAMES or frames * picture.width * picture.height > 2 * MOST_PIXELS:
        raise Refused("The animation is too long or too large.")
    stills, pauses = [], []
    for frame in ImageSequence.Iterator(picture):
        stills.append(frame.convert("RGBA"))
        pauses.append(int(frame.info.get("duration", 100)) or 100)
    out = io.BytesIO()
    stills[0].save(out, form, save_all=True, append_images=stills[1:], duration=pauses, loop=0)
    return KINDS[form], stills[0].size, out.getvalue(), _thumbnail(stills[0])


def _thumbnail(picture: Image.Image) -> bytes:
    small = picture.copy()
    small.thumbnail((THUMBNAIL_EDGE, THUMBNAIL_EDGE))
    return _encoded(small, "WEBP")


def _encoded(picture: Image.Image, form: str) -> bytes:
    """Saved anew: no EXIF, no comment, no colour profile, nothing after the end."""
    bare = Image.new(picture.mode, picture.size)
    bare.paste(picture)
    out = io.BytesIO()
    bare.save(out, form, **({"quality": 88} if form in ("JPEG", "WEBP") else {}))
    return out.getvalue()


if __name__ == "__main__":
    main()
