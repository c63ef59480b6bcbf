#!/usr/bin/python3
"""Writes the tables of servers into the README, between its two marks."""

import pathlib
import sys

import events

BEGIN, END = "<!-- servers:begin -->", "<!-- servers:end -->"


def main():
    readme = pathlib.Path(__file__).resolve().parents[2] / "README.md"
    text = readme.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        sys.exit(f"{readme.name} has no {BEGIN} and {END}")
    head, rest = text.split(BEGIN, 1)
    tail = rest.split(END, 1)[1]
    readme.write_text(f"{head}{BEGIN}\n{events.table()}\n{END}{tail}", encoding="utf-8")


if __name__ == "__main__":
    main()
