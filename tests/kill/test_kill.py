"""One kill of each part under a small load, and the proof that the comparer would have seen a loss in this very run.

    .tools/venv/bin/python -m pytest tests/kill/test_kill.py      about a minute
"""

import pathlib
import random
import shutil
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

import compare  # noqa: E402
import crash  # noqa: E402
import inject  # noqa: E402
from scenario import Context, table  # noqa: E402

SEED = 20_261
LOST = 20


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """(rows, directory) of one short run."""
    context = Context(tmp_path_factory.mktemp("kill"), SEED, devices=600, short=True)
    rows = crash.run(context)
    print(table(rows))
    yield rows, context.directory / "crash"
    shutil.rmtree(context.directory, ignore_errors=True)


def test_nothing_acknowledged_is_lost(run):
    rows, _ = run
    assert {row.id for row in rows} >= {f"crash.{v.partition('-')[0]}" for v in crash.VICTIMS}
    for row in rows:
        assert row.holds and row.lost == 0, row
        assert row.acknowledged == row.found > 0, row


@pytest.mark.parametrize("injection", inject.ALL, ids=lambda f: f.__name__)
def test_a_loss_put_into_these_files_is_found(run, tmp_path, injection):
    for file in run[1].glob("*.jsonl"):
        shutil.copy(file, tmp_path)
    kind, count = injection(tmp_path, random.Random(SEED), LOST)
    report = compare.compare_files(tmp_path)
    assert report.violations()[kind] == count == LOST
