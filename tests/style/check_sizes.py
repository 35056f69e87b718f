#!/usr/bin/env python3
"""Refuses files over 500 lines (tests 900) and lines over 120 columns. Usage: check_sizes.py SOURCE_ROOT"""
import pathlib
import subprocess
import sys

LIMIT, TEST_LIMIT, COLUMNS = 500, 900, 120
SUFFIXES = (".cpp", ".hpp", ".py", ".java", ".sh")


def main() -> int:
    root = pathlib.Path(sys.argv[1])
    tracked = subprocess.run(["git", "ls-files"], cwd=root, capture_output=True, text=True, check=True).stdout
    bad = []
    for name in tracked.splitlines():
        path = pathlib.Path(name)
        if path.suffix not in SUFFIXES or "generated" in path.name:
            continue
        lines = (root / path).read_text(encoding="utf-8").splitlines()
        limit = TEST_LIMIT if "tests" in path.parts else LIMIT
        if len(lines) > limit:
            bad.append(f"{name}: {len(lines)} lines, at most {limit}")
        bad += [f"{name}:{n}: {len(line)} columns, at most {COLUMNS}"
                for n, line in enumerate(lines, 1) if len(line) > COLUMNS]
    print("\n".join(bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
