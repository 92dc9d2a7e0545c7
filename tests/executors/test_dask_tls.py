"""Claims about a Dask cluster that is set up as the page of threats shows: who has no certificate gets no answer."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[2] / "docs" / "threat-model.md"
PARTIES = ("scheduler", "worker", "client")
ASK = "from purigeom.executors import Dask; from tests.executors.chores import Chore, work; "


@pytest.fixture
def settings(tmp_path):
    """Certify three parties beside the page's own settings; return an environment that has them."""
    if not shutil.which("openssl"):
        pytest.skip("openssl is not installed")
    _openssl(tmp_path, "req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca-key.pem -out ca.pem")
    for party in PARTIES:
        _openssl(tmp_path, f"req -newkey rsa:2048 -nodes -subj /CN={party} -keyout {party}-key.pem -out {party}.csr")
        _openssl(tmp_path, f"x509 -req -in {party}.csr -CA ca.pem -CAkey ca-key.pem -days 2 -out {party}.pem")
    shown = re.search(r"```yaml\n(.*?)```", PAGE.read_text(), re.DOTALL)
    (tmp_path / "distributed.yaml").write_text(shown[1])
    return {**os.environ, "DASK_CONFIG": str(tmp_path), "PYTHONPATH": str(PAGE.parents[1])}


@pytest.fixture
def address(settings, tmp_path):
    """Start a scheduler with one worker; return its address."""
    begun = [_begun("scheduler", "--host 127.0.0.1 --port 0 --scheduler-file here.json", settings, tmp_path)]
    until = time.monotonic() + 60
    while not (tmp_path / "here.json").exists():
        assert time.monotonic() < until, "the scheduler never began"
        time.sleep(0.02)
    found = json.loads((tmp_path / "here.json").read_text())["address"]
    begun.append(_begun("worker", f"{found} --no-nanny --nthreads 1", settings, tmp_path))
    yield found
    for process in begun:
        process.kill()
        process.wait()


def test_the_settings_of_the_page_let_in_who_has_a_certificate_and_nobody_else(settings, address, tmp_path):
    assert address.startswith("tls://")
    known = _asked(address, settings, tmp_path)
    assert known.stdout.split() == ["7"], known.stderr
    strangers = {
        **settings,
        "DASK_CONFIG": str(tmp_path / "nothing"),
        "DASK_DISTRIBUTED__COMM__TIMEOUTS__CONNECT": "3s",
    }
    for scheme, why in {"tls": "needs certificates", "tcp": "No Dask scheduler answers"}.items():
        refused = _asked(address.replace("tls", scheme), strangers, tmp_path)
        assert why in refused.stderr
        assert not refused.stdout


def _openssl(folder: Path, words: str) -> None:
    subprocess.run(["openssl", *words.split()], cwd=folder, check=True, capture_output=True)


def _begun(party: str, words: str, settings: dict[str, str], folder: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", f"distributed.cli.dask_{party}", "--no-dashboard", *words.split()]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=folder, env=settings, **quiet)


def _asked(address: str, settings: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Ask for one answer from a process of its own, whose settings are read when it starts."""
    program = f"{ASK}print(*Dask({address!r})(work, [Chore(7)]))"
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, timeout=90, check=False)
