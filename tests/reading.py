"""Read what a page says, at a field and all over."""

import re
from html import unescape
from typing import Any


def words(response: Any) -> str:
    """What a page says, without its markup."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", response.content.decode())))


def at_field(response: Any, field: str) -> str:
    """What is said at a field, under the id that the field names as its description; empty where nothing is."""
    html = response.content.decode()
    found = re.search(rf'<div class="error" id="{field}_error">(.*?)</div>', html, re.DOTALL)
    if found is None:
        return ""
    assert re.search(rf'aria-describedby="[^"]*\b{field}_error\b[^"]*"', html), "The field does not name its error."
    assert f'id="{field}"' in html or f'id="{field}_0"' in html
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", found[1]))).strip()


def value_of(response: Any, field: str) -> str:
    """What the field of this id holds."""
    html = response.content.decode()
    area = re.search(rf'<textarea [^>]*\bid="{field}"[^>]*>\s?(.*?)</textarea>', html, re.DOTALL)
    if area:
        return unescape(area[1]).strip()
    found = re.search(rf'<input [^>]*\bid="{field}"[^>]*>', html)
    held = re.search(r'value="([^"]*)"', found[0]) if found else None
    return unescape(held[1]) if held else ""
