"""Pictures of pages: taken, kept, and told apart by what an eye would notice, not by how glyphs are drawn."""

import io
from pathlib import Path

from PIL import Image, ImageChops, ImageFilter
from playwright.sync_api import Page

FOLDER = Path(__file__).parent / "looks"
TAKEN = Path(__file__).parent.parent / "test-results" / "looks"
SCALE = 2
"""A kept picture has half the width and half the height of the page."""

NOTICED = 40
"""From this difference of a blurred pixel on, of 255, an eye notices it: edges of glyphs stay below."""

SHARE = 0.004
"""So much of a page may differ: fonts for code are the machine's own."""

TALLER = 12
"""A page may be so many pixels taller or shorter than its kept picture, for the same reason."""


def path(name: str, width: int) -> Path:
    """Return where the picture of a page is kept."""
    return FOLDER / f"{name.replace(', ', '-').replace(' ', '-')}-{width}.webp"


def take(page: Page) -> Image.Image:
    """Return a picture of a whole page, still, with one font for everything."""
    page.add_style_tag(content=":root { --mono: var(--sans, Inter) !important }")
    page.evaluate("document.fonts.ready")
    shot = page.screenshot(full_page=True, animations="disabled", caret="hide", timeout=60_000)
    picture = Image.open(io.BytesIO(shot)).convert("RGB")
    return picture.resize((picture.width // SCALE, picture.height // SCALE), Image.Resampling.BOX)


def keep(taken: Image.Image, kept: Path) -> None:
    """Keep a picture where it differs from the one that is kept."""
    if difference(taken, kept):
        kept.parent.mkdir(exist_ok=True)
        taken.save(kept, "WEBP", quality=40, method=6)


def difference(taken: Image.Image, kept: Path) -> str:
    """Return in words how a picture differs from the kept one, empty where nobody would notice; put it aside then."""
    said = _difference(taken, kept)
    if said:
        TAKEN.mkdir(parents=True, exist_ok=True)
        taken.save(TAKEN / kept.name, "WEBP", quality=80)
    return said


def _difference(taken: Image.Image, kept: Path) -> str:
    if not kept.exists():
        return "no picture is kept; look at it, and keep it with LOOKS=keep"
    known = Image.open(kept).convert("RGB")
    if taken.width != known.width or abs(taken.height - known.height) > TALLER / SCALE:
        return f"it is {taken.size} and was {known.size}, at 1:{SCALE}"
    box = (0, 0, known.width, min(taken.height, known.height))
    soft = [one.crop(box).filter(ImageFilter.GaussianBlur(2)) for one in (taken, known)]
    changed = ImageChops.difference(*soft).convert("L").point(lambda level: 255 if level >= NOTICED else 0)
    count = changed.histogram()[255]
    if count <= SHARE * box[2] * box[3]:
        return ""
    return f"{count * 100 / (box[2] * box[3]):.1f} % of it looks other, within {changed.getbbox()} at 1:{SCALE}"
