"""What every test of a benchmark asks of its line."""

import json


def here(function, *arguments):
    """Call a function in this process instead of a fresh one."""
    return function(*arguments)


def check_line(printed, name):
    """Check that one valid line about the named figure was printed."""
    (line,) = printed.splitlines()
    found = json.loads(line)
    assert list(found) == ["figure", "value", "goal", "holds", "how"]
    assert found["figure"] == name
    assert found["value"] >= 0
    assert (found["goal"] is None) == (found["holds"] is None)
    assert found["how"]
