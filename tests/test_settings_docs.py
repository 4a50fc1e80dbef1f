"""docs/settings.md lists every variable that the product reads, and no other."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
READERS = [ROOT / "config" / "settings.py", ROOT / "config" / "policies.py", ROOT / "deploy" / "entrypoint.py"]
ROW = re.compile(r"^\| `([A-Z_]+)` \|([^|]+)\|(.+)\|$", re.MULTILINE)


def variables_read() -> set[str]:
    """Every name that is asked of ``env``: ``env.str("NAME", ...)`` and its like."""
    return {
        call.args[0].value
        for path in READERS
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    }


def variables_listed() -> list[str]:
    return [row[0] for row in ROW.findall((ROOT / "docs" / "settings.md").read_text())]


def test_every_variable_that_is_read_is_listed_once_and_no_other() -> None:
    read = variables_read()

    assert len(read) > 25
    assert sorted(variables_listed()) == sorted(read)


def test_every_variable_is_listed_with_a_default_and_a_meaning() -> None:
    for name, default, meaning in ROW.findall((ROOT / "docs" / "settings.md").read_text()):
        assert default.strip(), name
        assert len(meaning.strip()) > 20, name


def test_settings_read_the_environment_through_one_door() -> None:
    direct = re.compile(r"os\.(environ|getenv)|environ\.(get|Env)\b")

    assert not [path.name for path in READERS if direct.search(path.read_text())]
