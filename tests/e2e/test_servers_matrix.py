"""Server by server, event by event: each cell of the tables in the README, on the real programs.
One cell for each promise here; all of them in `make test-all`."""

import os

import pytest

import events
from boxes import WITHIN
from conftest import PEERS, ROOT
from servers import SLOW, site  # noqa: F401

# Each event once, over as many kinds of servers.
SHORT = {("uvicorn", "stop"), ("uvicorn", "reload"), ("hypercorn", "broken"),
         ("uvicorn-workers", "killed"), ("gunicorn", "stuck"), ("gunicorn", "usr2")}
CELLS = [pytest.param(name, event, marks=[] if (name, event) in SHORT else pytest.mark.matrix)
         for name in events.SEEN for event in events.EVENTS]


@pytest.mark.parametrize("name, event", CELLS)
def test_a_server_in_an_event_does_what_the_table_says(name, event, site):
    wanted = events.SEEN[name][list(events.EVENTS).index(event)]
    seen = events.EVENTS[event].play(site, name)
    assert seen == wanted or (wanted == events.CUT and seen == "all answered")


@pytest.mark.matrix
@pytest.mark.parametrize("name", events.NAMES)
@pytest.mark.parametrize("row", events.ROWS, ids=lambda row: row.look.__name__)
def test_the_same_event_under_each_init(row, name, site):
    if name in PEERS and not os.access(PEERS[name], os.X_OK):
        pytest.skip(f"{PEERS[name]} is not installed")
    wanted = row.seen[events.NAMES.index(name)]
    patience = events.SOON if wanted in ("stays", "hangs", "until KILL", "is ignored") else max(WITHIN, SLOW)
    assert row.look(events.Stand(site, name, patience)) == wanted


def test_the_tables_in_the_readme_are_these():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    if "<!-- servers:begin -->" not in text:
        pytest.skip("the README has no place for them")
    block = text.split("<!-- servers:begin -->")[1].split("<!-- servers:end -->")[0]
    assert block.strip() == events.table(), "run tests/e2e/tables.py"
