"""
What users install and packagers unpack is what stands in the tree, and it works.
"""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import zipfile
from pathlib import Path
from typing import Final

import attrs
import pytest

from tests.endtoend.service import unmeasured

ROOT: Final = Path(__file__).parents[2]
FOLDERS: Final = ("domain", "ports", "adapters", "entrypoints")
FAST_TESTS: Final = ("tests/unit", "tests/architecture", "tests/documentation/test_tables.py")
LEFT_BY_WORK: Final = (
    ".git",
    ".venv",
    "build",
    "dist",
    "*.egg-info",
    "__pycache__",
    ".*_cache",
    ".hypothesis",
    "*.db*",
)

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(400)]


@attrs.frozen
class Built:
    """
    What is published: the source distribution, unpacked, and the wheel that was built from it.
    """

    source: Path
    wheel: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """
    Build from a clean copy of the tree: what an earlier build left beside it must not get in.
    """
    folder = tmp_path_factory.mktemp("built")
    copy = folder / "copy"
    shutil.copytree(ROOT, copy, symlinks=True, ignore=shutil.ignore_patterns(*LEFT_BY_WORK))
    subprocess.run(
        [sys.executable, "-m", "build", "--outdir", str(folder), str(copy)],
        check=True,
        capture_output=True,
        timeout=300,
    )
    (wheel,) = folder.glob("*.whl")
    (archive,) = folder.glob("*.tar.gz")
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return Built(source=folder / archive.name.removesuffix(".tar.gz"), wheel=wheel)


def files_of(folder: Path) -> set[str]:
    """
    Return the paths of a folder's files, from the folder on, without what running them leaves there.
    """
    return {
        f"{folder.name}/{path.relative_to(folder)}"
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_wheel_has_every_module(built: Built) -> None:
    """
    The wheel's modules and marker are the tree's, no more and no less.
    """
    tree = {f"outdial/{name}" for folder in FOLDERS for name in files_of(ROOT / folder)}
    top = {"outdial/__init__.py", "outdial/version.py", "outdial/py.typed"}

    packed = {name for name in zipfile.ZipFile(built.wheel).namelist() if name.startswith("outdial/")}

    assert tree | top == packed


def test_source_distribution_has_what_packagers_need(built: Built) -> None:
    """
    Beside the modules: all tests and documents, and the files that say how to build, what changed and what is allowed.
    """
    needed = {"CHANGELOG.md", "LICENSE", "Makefile", "README.md", "pyproject.toml"}
    needed |= files_of(ROOT / "docs") | files_of(ROOT / "tests")
    needed |= {f"outdial/{name}" for folder in FOLDERS for name in files_of(ROOT / folder)}

    assert set() == {name for name in needed if not (built.source / name).is_file()}
    assert [] == [path for path in built.source.rglob("*") if path.suffix in {".pyc", ".db"}]


def test_tests_of_the_source_distribution_pass(built: Built) -> None:
    """
    A packager can run them there; here those that are fast stand for all.
    """
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *FAST_TESTS],
        cwd=built.source,
        env=unmeasured({"PYTHONPATH": str(built.source), "PYTHONDONTWRITEBYTECODE": "1"}),
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert 0 == ran.returncode, ran.stdout


def test_demo_runs_from_the_wheel(built: Built, tmp_path: Path) -> None:
    """
    In a fresh environment that holds the wheel alone, `outdial demo --once` completes a call.
    """
    environment = tmp_path / "environment"
    venv.create(environment)
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", environment / "bin" / "python", "install", "--quiet", built.wheel],
        check=True,
        capture_output=True,
        timeout=200,
    )
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("OUTDIAL_", "PYTHON"))}

    ran = subprocess.run(
        [environment / "bin" / "outdial", "demo", "--once", "--json"],
        cwd=tmp_path,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ran.returncode == 0, ran.stderr
    assert "completed" == json.loads(ran.stdout)["call"]["status"]
