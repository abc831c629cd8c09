"""Imports go one way (ui → rag → index), heavy libraries stay in their file, and no import loads them all."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("index", "rag", "ui")
"""From the bottom up: a package imports from itself and from those before it."""

HOMES = {
    "faiss": {"index/vectors.py"},
    "fastapi": {"ui/chat.py"},
    "gradio": {"ui/chat.py"},
    "huggingface_hub": {"index/hub.py"},
    "kiwipiepy": {"index/tokens.py"},
    "openai": {"rag/openai_server.py"},
    "pymilvus": {"index/milvus.py"},
    "sentence_transformers": {"index/encoder.py"},
    "sentencex": {"index/sentences.py"},
    "torch": {"index/encoder.py", "rag/cross_encoder.py", "rag/transformers_model.py"},
    "transformers": {"index/encoder.py", "rag/cross_encoder.py", "rag/transformers_model.py"},
    "xllamacpp": {"rag/llamacpp.py"},
}
"""The files that a library may be imported in."""

FORBIDDEN_MODULES = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
FORBIDDEN_CALLS = {"eval", "exec", "__import__"}
FORBIDDEN_OPTIONS = {"allow_pickle", "shell", "trust_remote_code"}

FILES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]


def imported(path: Path) -> Iterator[str]:
    """The full names of what a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_there_is_something_to_check() -> None:
    assert len(FILES) > 20


@pytest.mark.parametrize("name", NAMES)
def test_imports_go_one_way(name: str) -> None:
    above = PACKAGES[PACKAGES.index(name.split("/")[0]) + 1 :]
    wrong = [module for module in imported(ROOT / name) if module.split(".")[0] in above]
    assert not wrong


@pytest.mark.parametrize("name", NAMES)
def test_a_heavy_library_is_imported_in_its_own_file_alone(name: str) -> None:
    tops = {module.split(".")[0] for module in imported(ROOT / name)}
    assert not {library for library in tops & HOMES.keys() if name not in HOMES[library]}


@pytest.mark.parametrize("library", HOMES)
def test_a_heavy_library_is_imported_where_it_is_said_to_be(library: str) -> None:
    for name in HOMES[library]:
        assert library in {module.split(".")[0] for module in imported(ROOT / name)}


@pytest.mark.parametrize("name", NAMES)
def test_nothing_runs_code_from_data(name: str) -> None:
    assert not {module.split(".")[0] for module in imported(ROOT / name)} & FORBIDDEN_MODULES
    for node in ast.walk(ast.parse((ROOT / name).read_text("utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name):
            assert node.func.id not in FORBIDDEN_CALLS, f"{name}:{node.lineno}"
        elif isinstance(node.func, ast.Attribute):
            owner = node.func.value
            assert not (isinstance(owner, ast.Name) and owner.id == "os" and node.func.attr in ("system", "popen"))
        for keyword in node.keywords:
            allowed = isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            assert not (allowed and keyword.arg in FORBIDDEN_OPTIONS), f"{name}:{node.lineno}"


def loaded_by(*modules: str) -> set[str]:
    """The top-level modules that a fresh Python has loaded after importing these."""
    lines = [f"import {module}" for module in modules]
    program = "\n".join(["import sys", *lines, "print(' '.join({name.split('.')[0] for name in sys.modules}))"])
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not done.stderr
    return set(done.stdout.split())


def test_the_command_is_there_without_any_library() -> None:
    assert not loaded_by("ui.command") & {*HOMES, "numpy", "sqlite3", "uvicorn"}


def test_importing_loads_no_model_library() -> None:
    """All but the page itself, which is Gradio."""
    modules = [name.removesuffix(".py").replace("/", ".") for name in NAMES]
    wanted = [module.removesuffix(".__init__") for module in modules if module != "ui.chat"]
    slow = {"gradio", "huggingface_hub", "openai", "sentence_transformers", "torch", "transformers", "xllamacpp"}
    assert not loaded_by(*wanted) & slow
