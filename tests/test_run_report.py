"""A run of the tests that left something out is a failed run."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARING = ["--dist=loadfile", "--no-loadscope-reorder", "--max-worker-restart=0"]
SHARED = [*SHARING, *(f"--tx=popen//env:READINESS_TEST_DATABASE={database}" for database in ("sqlite", "postgresql"))]
IN_FOURS = [*SHARING, *(one.replace("popen", "2*popen") for one in SHARED if "popen" in one)]
ON_POSTGRESQL = "import os, pytest\non_postgresql = os.environ.get('READINESS_TEST_DATABASE') == 'postgresql'\n"
ONE_TEST = "def test_one(): pass\n"


def run(folder: Path, *options: str, ci: bool = True) -> tuple[int, str]:
    """Run the tests of a folder with the report of ours; return its exit status and the last lines."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "CI"))}
    environ |= {"PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CI": "true" if ci else ""}
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "xdist", "-p", "no:cacheprovider", "-p", "tests.run_report"),
            *("-p", "tests.sharing"),
            *options,
        ],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    return done.returncode, done.stdout


def test_a_run_on_both_says_how_many_ran_on_each_and_ends_with_the_summary(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(ONE_TEST)
    status, said = run(tmp_path, *SHARED)
    assert status == 0
    assert said.splitlines()[-3:-1] == ["1 tests on sqlite", "1 tests on postgresql"]
    assert "2 passed" in said.splitlines()[-1]


def test_two_processes_on_a_database_run_each_test_once_and_each_file_in_one(tmp_path: Path) -> None:
    note = "import os, pathlib\nfrom tests.servers.environment import CHOSEN_BY\n"
    write = "pathlib.Path(__file__).with_suffix(f'.{os.environ[CHOSEN_BY]}.{os.getpid()}').open('a').write('x')\n"
    for number in range(4):
        (tmp_path / f"test_{number}.py").write_text(f"{note}def test_one(): {write}\ndef test_two(): {write}")
    status, said = run(tmp_path, *IN_FOURS)
    assert status == 0
    assert said.splitlines()[-3:-1] == ["8 tests on sqlite", "8 tests on postgresql"]
    for database in ("sqlite", "postgresql"):
        ran = list(tmp_path.glob(f"test_*.{database}.*"))
        assert [path.read_text() for path in ran] == ["xx"] * 4
        assert len({path.suffix for path in ran}) == 2


def test_a_process_that_dies_beside_another_fails_the_run(tmp_path: Path) -> None:
    for number in range(6):
        (tmp_path / f"test_{number}.py").write_text(ONE_TEST)
    (tmp_path / "test_it.py").write_text(ON_POSTGRESQL + "def test_one():\n    if on_postgresql: os._exit(0)\n")
    assert run(tmp_path, *IN_FOURS, ci=False)[0] != 0


@pytest.mark.parametrize("options", [[], SHARED])
def test_a_skip_fails_ci_and_nobody_else(tmp_path: Path, options: list[str]) -> None:
    (tmp_path / "test_it.py").write_text(ONE_TEST + "import pytest\ndef test_two(): pytest.skip()\n")
    assert options or run(tmp_path, ci=False)[0] == 0
    status, said = run(tmp_path, *options)
    assert status == 1
    assert "CI runs every test, and " in said


def test_a_module_that_is_skipped_fails_ci(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(ONE_TEST)
    (tmp_path / "test_other.py").write_text("import pytest\npytest.importorskip('not_there')\n")
    assert run(tmp_path, *SHARED)[0] == 1


def test_an_expected_failure_fails_ci(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(ONE_TEST + "import pytest\ndef test_two(): pytest.xfail()\n")
    assert run(tmp_path)[0] == 1


def test_no_test_at_all_fails(tmp_path: Path) -> None:
    assert run(tmp_path, *SHARED)[0] != 0


def test_a_process_that_has_nothing_to_run_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(ON_POSTGRESQL + "if not on_postgresql:\n    def test_one(): pass\n")
    status, said = run(tmp_path, *SHARED, ci=False)
    assert status != 0
    assert "No test at all ran on postgresql." in said


def test_a_process_that_does_not_start_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text(ON_POSTGRESQL + "if on_postgresql: raise RuntimeError\n")
    (tmp_path / "test_it.py").write_text(ONE_TEST)
    assert run(tmp_path, *SHARED, ci=False)[0] != 0


def test_a_process_that_dies_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(ON_POSTGRESQL + "def test_one():\n    if on_postgresql: os._exit(0)\n")
    (tmp_path / "test_more.py").write_text(ONE_TEST)
    status, said = run(tmp_path, *SHARED, ci=False)
    assert status != 0
    assert "The processes on postgresql ended with " in said


def test_a_process_that_ends_early_and_well_fails_the_run(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        ON_POSTGRESQL + "def test_one(request):\n    if on_postgresql: request.session.shouldstop = 'early'\n"
    )
    (tmp_path / "test_more.py").write_text(ONE_TEST)
    assert run(tmp_path, *SHARED, ci=False)[0] != 0
