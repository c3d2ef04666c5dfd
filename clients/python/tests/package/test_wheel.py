"""What is installed: the wheel has the package, its types, and nothing else; and pip installs the folder in an empty environment."""

import json
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

from support.tasks import task_named

PACKAGE = Path(__file__).parents[2]


def test_a_wheel_has_the_package_and_works_alone(url: str, tmp_path: Path) -> None:
    build = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(PACKAGE),
    ]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    names = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    source = PACKAGE / "src"
    files = {str(file.relative_to(source)) for file in source.rglob("*") if file.suffix in (".py", ".typed")}
    assert names == files
    assert "epochcast/py.typed" in names

    venv.create(tmp_path / "empty", with_pip=True)
    python = tmp_path / "empty/bin/python"
    install = [str(python), "-m", "pip", "install", "--disable-pip-version-check", "--quiet", str(PACKAGE)]
    subprocess.run(install, check=True)
    listed = subprocess.run(
        [str(python), "-m", "pip", "list", "--format", "json"], check=True, capture_output=True, text=True
    )
    installed = {package["name"] for package in json.loads(listed.stdout)}
    assert "epochcast" in installed and installed <= {"epochcast", "pip", "setuptools"}
    code = f"import epochcast\nwith epochcast.start('installed', url={url!r}) as run: run.log({{'loss': 1}})"
    subprocess.run([str(python), "-I", "-c", code], check=True)
    assert task_named(url, "installed")
