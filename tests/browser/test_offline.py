"""The real program with the network really cut: a namespace of its own, with nothing but the loopback."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from index import fetching, models

PARAGRAPHS = 5
"""Of the seed article, with what is asked."""
ROOT = Path(__file__).parent.parent.parent


@pytest.mark.timeout(900)
def test_the_chat_answers_with_the_network_cut(tmp_path: Path) -> None:
    for name in models.MODELS:
        fetching.fetch(name)
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "--net", "--map-root-user", "true"], check=False).returncode:
        pytest.skip("this system makes no network namespaces")
    article = (ROOT / "seeds" / "it-megavision-2024.txt").read_text("utf-8")
    seeds = tmp_path / "seeds"  # its beginning: the model reads all that it is given before it answers
    seeds.mkdir()
    (seeds / "it-megavision-2024.txt").write_text("\n\n".join(article.split("\n\n")[:PARAGRAPHS]), "utf-8")
    report = tmp_path / "report.json"
    command = [unshare, "--net", "--map-root-user", sys.executable, "-m", "tests.browser.offline"]
    run = subprocess.run(
        [*command, str(seeds), str(tmp_path), str(report)],
        cwd=ROOT,
        env={**os.environ, "MUREUM_MODELS": str(models.models_dir())},
        capture_output=True,
        text=True,
        check=False,
        timeout=850,
    )
    assert run.returncode == 0, run.stderr[-3000:]
    outcome = json.loads(report.read_text("utf-8"))
    assert outcome["attempts"] == []
    assert outcome["requests"] == []
    korean, english = outcome["turns"]
    assert korean["phase"] in ("answered", "quoted") and "백승욱" in korean["text"]
    assert english["phase"] in ("answered", "quoted", "not_found")
    for turn in outcome["turns"]:
        assert turn["highlighted"] in article
    assert korean["highlighted"]
