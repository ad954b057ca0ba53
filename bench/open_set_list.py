#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Writes a list for `sightline identify`: python3 open_set_list.py LFW_FOLDER… > list.tsv

LFW_FOLDER has a folder for each person, as Labeled Faces in the Wild has. The 40 persons with the most pictures are
enrolled with their first three each, by name of the file; the next ones, in turns, are 120 probes of known persons;
of the persons after these one picture each makes 120 strangers. The same folders give the same list.
"""

import pathlib
import sys

PERSONS, ENROLLED, PROBES, STRANGERS = 40, 3, 120, 120


def pictures_of(folders):
    """The pictures of each person, those with the most first."""
    persons = {}
    for folder in folders:
        for person in sorted(folder.iterdir()):
            if person.is_dir():
                persons.setdefault(person.name, []).extend(sorted(p for p in person.iterdir() if p.suffix == ".jpg"))
    unique = {name: list({p.name: p for p in reversed(files)}.values()) for name, files in persons.items()}
    return sorted(((name, sorted(files, key=lambda p: p.name)) for name, files in unique.items()),
                  key=lambda person: (-len(person[1]), person[0]))


def main():
    folders = [pathlib.Path(folder).resolve() for folder in sys.argv[1:]]
    if not folders:
        sys.exit(__doc__)
    persons = pictures_of(folders)
    known, others = persons[:PERSONS], persons[PERSONS:]
    rows = [(p, name, "enrol") for name, files in known for p in files[:ENROLLED]]
    rest = [(name, files[ENROLLED:]) for name, files in known]
    turns = [(files[i], name, "probe") for i in range(max(len(f) for _, f in rest)) for name, files in rest if i < len(files)]
    rows += turns[:PROBES]
    strangers = [(files[0], name, "probe") for name, files in others][:STRANGERS]
    if len(known) < PERSONS or len(turns) < PROBES or len(strangers) < STRANGERS:
        sys.exit(f"open_set_list.py: {len(known)} persons, {len(turns)} probes of them and {len(strangers)} strangers; "
                 f"{PERSONS}, {PROBES} and {STRANGERS} are needed.")
    print("file\tidentity\trole")
    for path, name, role in rows + strangers:
        print(f"{path}\t{name}\t{role}")


if __name__ == "__main__":
    main()
