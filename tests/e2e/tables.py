#!/usr/bin/python3
"""Writes the tables of peers and of servers into the README, each between its two marks."""

import pathlib

import events
import peers


def main():
    readme = pathlib.Path(__file__).resolve().parents[2] / "README.md"
    text = readme.read_text(encoding="utf-8")
    for name, table in (("peers", peers.table()), ("servers", events.table())):
        begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
        if begin not in text or end not in text:
            print(f"{readme.name} has no {begin} and {end}")
            continue
        head, rest = text.split(begin, 1)
        text = f"{head}{begin}\n{table}\n{end}{rest.split(end, 1)[1]}"
    readme.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
