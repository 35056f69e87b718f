#!/usr/bin/env python3
"""Writes libs/lwm2m/src/model_table.inc from a checkout of the OMA LwM2M registry.

    tools/generate_models.py REGISTRY_DIRECTORY > libs/lwm2m/src/model_table.inc

Takes ids, names, types, operations, multiplicity, ranges and units, not the descriptions. Of each object the newest
version, of the core objects every version in version_history/. The registry is BSD-3-Clause; its notice goes into
the output.
"""
import pathlib
import re
import sys
import xml.etree.ElementTree as ElementTree

CORE_OBJECTS = set(range(0, 8)) | {21, 23, 24, 25, 26, 27}
TYPES = {
    "": "none", "Integer": "integer", "Unsigned Integer": "unsigned_integer", "Float": "floating",
    "Boolean": "boolean", "String": "string", "Opaque": "opaque", "Time": "time", "Objlnk": "object_link",
    "Corelnk": "core_link",
}
TYPE_NUMBERS = {name: number for number, name in enumerate(TYPES.values())}
READ, WRITE, EXECUTE, MULTIPLE, MANDATORY = 16, 32, 64, 128, 256
WIDTH = 118
NOTICE = """\
// Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
// following conditions are met:
//
// 1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following
//    disclaimer.
// 2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the
//    following disclaimer in the documentation and/or other materials provided with the distribution.
// 3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote
//    products derived from this software without specific prior written permission.
//
// THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
// INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
// DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
// SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
// SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
// WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE
// USE OF THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.
"""


def text_of(element, tag):
    """The text of a child on one line, empty when there is none."""
    return " ".join((element.findtext(tag) or "").split())


def read_resource(item):
    operations = text_of(item, "Operations")
    flags = TYPE_NUMBERS[TYPES[text_of(item, "Type")]]
    flags |= READ if "R" in operations else 0
    flags |= WRITE if "W" in operations else 0
    flags |= EXECUTE if "E" in operations else 0
    flags |= MULTIPLE if text_of(item, "MultipleInstances") == "Multiple" else 0
    flags |= MANDATORY if text_of(item, "Mandatory") == "Mandatory" else 0
    return (int(item.get("ID")), flags, text_of(item, "Name"), text_of(item, "RangeEnumeration"),
            text_of(item, "Units"))


def read_objects(path):
    """The objects of one file: {(id, major, minor): (flags, name, resources)}."""
    found = {}
    for element in ElementTree.parse(path).getroot().findall("Object"):
        if not text_of(element, "ObjectID"):
            continue  # a template
        major, minor = (text_of(element, "ObjectVersion") or "1.0").split(".")
        flags = MULTIPLE if text_of(element, "MultipleInstances") == "Multiple" else 0
        flags |= MANDATORY if text_of(element, "Mandatory") == "Mandatory" else 0
        resources = sorted(read_resource(item) for item in element.find("Resources").findall("Item"))
        found[int(text_of(element, "ObjectID")), int(major), int(minor)] = (flags, text_of(element, "Name"), resources)
    return found


def collect(directory):
    """All versions that go into the table, and the years of the copyright notices."""
    objects, years = {}, set()
    files = [*directory.glob("version_history/*.xml"), *directory.glob("*.xml")]
    for path in sorted(files, key=lambda file: (len(file.parts), file.name), reverse=True):
        objects.update(read_objects(path))
        years.update(re.findall(r"Copyright (\d{4})", path.read_text(encoding="utf-8", errors="replace")))
    newest = {}
    for key in sorted(objects):
        newest[key[0]] = key
    kept = {key: value for key, value in sorted(objects.items()) if key[0] in CORE_OBJECTS or newest[key[0]] == key}
    return kept, sorted(years)


class Pool:
    """Distinct texts, each closed by a zero byte; offset 0 is the empty text."""

    def __init__(self):
        self.offsets = {"": 0}
        self.size = 1

    def add(self, text):
        if text not in self.offsets:
            self.offsets[text] = self.size
            self.size += len(text.encode()) + 1
        return self.offsets[text]

    def write(self, name):
        """As an array of several short literals: a compiler need not take one of more than 65536 bytes."""
        print(f"constexpr char {name}[] =")
        for text in self.offsets:
            encoded = "".join(escape(byte) for byte in text.encode())
            print(f'    "{encoded}\\0"')
        print("    ;")


def escape(byte):
    if byte in b'"\\':
        return "\\" + chr(byte)
    return chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}"


def write_rows(rows):
    line = "   "
    for row in rows:
        text = " {" + ",".join(str(number) for number in row) + "},"
        if len(line) + len(text) > WIDTH:
            print(line)
            line = "   "
        line += text
    print(line)


def main():
    objects, years = collect(pathlib.Path(sys.argv[1]))
    names, details = Pool(), Pool()
    object_rows, resource_rows = [], []
    for (number, major, minor), (flags, name, resources) in objects.items():
        object_rows.append((number, major, minor, flags, names.add(name), len(resource_rows), len(resources)))
        resource_rows += [(identifier, item_flags, names.add(item), details.add(limits), details.add(units))
                          for identifier, item_flags, item, limits, units in resources]
    print("// Generated by tools/generate_models.py from the OMA LwM2M registry. Do not edit.\n//")
    print(f"// Copyright {years[0]}-{years[-1]} Open Mobile Alliance.\n//")
    print(NOTICE)
    print("// clang-format off")
    names.write("kNames")
    details.write("kDetails")
    print("// id, major, minor, flags, name, first resource, resources")
    print("constexpr ObjectRow kObjects[] = {")
    write_rows(object_rows)
    print("};\n// id, flags, name, range, units")
    print("constexpr ResourceRow kResources[] = {")
    write_rows(resource_rows)
    print("};\n// clang-format on")


if __name__ == "__main__":
    main()
