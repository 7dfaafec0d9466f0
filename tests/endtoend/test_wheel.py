"""
What users install is what stands in the tree, and it works.
"""

import json
import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
FOLDERS: Final = ("domain", "ports", "adapters", "entrypoints")

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(400)]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    Build the wheel from the tree.
    """
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", str(folder), str(ROOT)],
        check=True,
        capture_output=True,
        timeout=200,
    )
    (built,) = folder.glob("*.whl")
    return built


def test_wheel_has_every_module(wheel: Path) -> None:
    """
    The wheel's modules and marker are the tree's, no more and no less.
    """
    tree = {
        f"outdial/{path.relative_to(ROOT)}"
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    top = {"outdial/__init__.py", "outdial/version.py", "outdial/py.typed"}

    packed = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("outdial/")}

    assert tree | top == packed


def test_demo_runs_from_the_wheel(wheel: Path, tmp_path: Path) -> None:
    """
    In a fresh environment that holds the wheel alone, `outdial demo --once` completes a call.
    """
    environment = tmp_path / "environment"
    venv.create(environment, with_pip=True)
    subprocess.run(
        [environment / "bin" / "python", "-m", "pip", "install", "--quiet", str(wheel)],
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
