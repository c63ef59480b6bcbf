"""Each cell of the table in the README, shown on the real programs."""

import os
import pathlib

import pytest

import peers
from boxes import WITHIN
from conftest import PEERS, ROOT


@pytest.mark.parametrize("name", peers.NAMES)
@pytest.mark.parametrize("row", peers.ROWS, ids=lambda row: row.look.__name__)
def test_the_table_of_peers_is_true(row, name, run_box, helper, request):
    program = request.getfixturevalue("freshinit") if name == "freshinit" else PEERS[name]
    if not os.access(program, os.X_OK):
        pytest.skip(f"{program} is not installed")

    def start(*command, init_options=(), **options):
        own = ["--no-stages", *init_options, "--"] if name == "freshinit" else ["--"]
        return run_box(program, *own, *command, **options)

    seen = row.seen[peers.NAMES.index(name)]
    patience = peers.SOON if seen in ("no", "hangs") or seen in peers.RACES else WITHIN
    found = row.look(peers.Stand(start, helper, name, patience))
    assert found == seen or found in peers.RACES.get(seen, ())


def test_the_table_in_the_readme_is_this_one():
    readme = pathlib.Path(ROOT / "README.md")
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    if "<!-- peers:begin -->" not in text:
        pytest.skip("the README has no place for it")
    block = text.split("<!-- peers:begin -->")[1].split("<!-- peers:end -->")[0]
    assert block.strip() == peers.table(), "run tests/e2e/tables.py"
