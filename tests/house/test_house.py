#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""
Can the rules of house.py fail? Copies the tree, plants one violation per case and sees that its
rule finds it and did not before.
"""
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from house import MANUALS, RULES, House

ROOT = Path(__file__).resolve().parents[2]
STANDARD = "PROTOCOL.md"
LONG = "void f(void)\n{\n" + "    ;\n" * 70 + "}\n"
# rule, file, text behind its end (or, for a pair, what to replace by what), part of the complaint
PLANTS = [
    ("includes", "libq2p/base/base_buf.c", "#include <stdio.h>\n", "floor 0 includes <stdio.h>"),
    ("includes", "libq2p/base/base_buf.c", '#include "q2p_node.h"\n', "of floor 2"),
    ("includes", "libq2p/q2p/q2p_wire.c", "#include <q2p/node.h>\n", "floor 1 includes"),
    ("includes", "dissector/plant.c", "#include <q2p/node.h>\n", "the dissector includes"),
    ("includes", "simulator/world/plant.c", "#include <q2p/drive.h>\n", "the simulator includes"),
    ("calls", "libq2p/cli/plant.c", "int f(void) { return atoi(0); }\n", "calls atoi"),
    ("calls", "libq2p/q2p/q2p_wire.c", "void f(void) { malloc (1); }\n", "calls malloc"),
    ("sizes", "libq2p/base/base_buf.c", LONG, "f has 73 lines"),
    ("sizes", "simulator/world/plant.c", "\n" * 501, "501 lines"),
    ("sections", "libq2p/base/base_buf.c", f"/* {STANDARD} 6.19 */\n", "6.19"),
    ("sections", "libq2p/base/base_buf.c", f"/* {STANDARD} 6.1,\n * 3.99 */\n", "3.99"),
    ("vectors", "tests/vectors/wire.json", ('"event": "TEST"', '"event": "JOIN"'), "early TEST"),
    ("vectors", "tests/vectors/wire.json", ('"ERR_LIST"', '"OK"'), "no vector for ERR_LIST"),
    ("standard", "libq2p/PROTOCOL.md", ("| TEST | 9 ", "| TEST | 8 "), "differ about TEST"),
    ("numbers", "dissector/plant.c", "int f = 484;\n", "484 has a name"),
    ("pcaps", "pcaps/crafted/plant.pcap", "?\n", "is not in MANIFEST.yaml"),
    ("pcaps", "pcaps/MANIFEST.yaml", ("sha256: 8", "sha256: 9"), "has another hash"),
    ("pcaps", "pcaps/MANIFEST.yaml", ("pairs: 1 }", "pairs: 2 }"), "not those of truth.json"),
    ("scenarios", "simulator/scenarios/plant.yaml", "name: plant\n", "has no expect:"),
    ("tidy", "libq2p/base/base_buf.c", "/* blank */ \n", "blanks at the end"),
    ("tidy", "libq2p/cli/plant.c", "int f;\n", "has no SPDX line"),
    ("tidy", "notes.txt", "later\n", "does not belong at the top level"),
    ("tidy", "simulator/world/base_buf.c", "/* SPDX-License-Identifier: GPL-2.0-or-later */\n",
     "is there 2 times"),
    ("links", "README.md", ("pcaps/README.md", "pcaps/READYOU.md"), "no pcaps/READYOU.md"),
    ("links", "tests/README.md", "`unit/test_nothing.c`\n", "no unit/test_nothing.c"),
    ("words", "libq2p/include/q2p/node.h", ('"gone"', '"left"'), "left is not in"),
    ("words", "libq2p/include/q2p/node.h", ("q2p_on_name(", "q2p_on_plant("), "q2p_on_plant is"),
    ("fences", "tests/README.md", "\n```c\nint f(void { }\n```\n", "does not compile"),
]


def plant(root, name, text):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    before = path.read_text() if path.exists() else ""
    if isinstance(text, tuple):
        assert text[0] in before, text
        path.write_text(before.replace(*text))
    else:
        path.write_text(before + text)


def compile_object(text, path, *flags):
    path.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cc", "-x", "c", "-fPIC", *flags, "-o", str(path), "-"], input=text, text=True,
                   check=True)


class RulesCanFail(unittest.TestCase):
    def setUp(self):
        self.copy = tempfile.TemporaryDirectory()
        self.root = Path(self.copy.name)
        for path in House(ROOT).files():
            to = self.root / path.relative_to(ROOT)
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, to)

    def tearDown(self):
        self.copy.cleanup()

    def test_each_planted_violation_is_found(self):
        for rule, name, text, complaint in PLANTS:
            with self.subTest(rule=rule, name=name, complaint=complaint):
                path = self.root / name
                before = path.read_bytes() if path.exists() else None
                old = set(RULES[rule](House(self.root)))
                plant(self.root, name, text)
                new = set(RULES[rule](House(self.root))) - old
                self.assertIn(complaint, "\n".join(new))
                if before is None:
                    path.unlink()
                else:
                    path.write_bytes(before)

    def objects(self, wire):
        for floor in ("base", "core", "wire"):
            text = wire if floor == "wire" else f"int {floor}(void) {{ return 0; }}"
            path = self.root / f"build/libq2p/CMakeFiles/q2p_{floor}.dir/x.c.o"
            compile_object(text, path, "-c")
        return "\n".join(RULES["floors"](House(self.root, self.root / "build")))

    def test_objects_of_floor_1_ask_for_nothing(self):
        self.assertEqual(self.objects("int w(void) { return 1; }"), "")
        planted = self.objects("#include <stdlib.h>\n#include <time.h>\nstatic int g;\n"
                               "void *w(void) { g += (int)time(0); return malloc(g); }")
        self.assertIn("floor 1 asks for malloc", planted)
        self.assertIn("floor 1 asks for time", planted)
        self.assertIn("keeps a variable, g", planted)

    def test_missing_objects_are_noticed(self):
        self.assertIn("no objects of floors",
                      "\n".join(RULES["floors"](House(self.root, self.root / "nothing"))))

    def test_exports_are_what_is_declared(self):
        compile_object("int q2p_planted(void) { return 0; }", self.root / "build/libq2p/libq2p.so",
                       "-shared")
        found = "\n".join(RULES["exports"](House(self.root, self.root / "build")))
        self.assertIn("q2p_planted is exported and not declared", found)
        self.assertIn("q2p_wire_read is declared and not exported", found)

    def test_manual_and_help_are_held_together(self):
        for name in MANUALS:
            program = self.root / "build/bin" / name
            program.parent.mkdir(parents=True, exist_ok=True)
            program.write_text("#!/bin/sh\necho '  -x, --planted N   a plant'\n")
            program.chmod(0o755)
        found = "\n".join(RULES["manual"](House(self.root, self.root / "build")))
        for complaint in ("q2p recv: --planted is not in libq2p/man/q2p.1.scd",
                          "q2p recv: --count is not in --help", "q2p check: --json is not in --help",
                          "q2p-sim sweep: --swarm is not in --help",
                          "q2p-sim new: --planted is not in simulator/man/q2p-sim.1.scd"):
            self.assertIn(complaint, found)
        self.assertNotIn("ping: --rate", found)
        self.assertNotIn("decode: --strict", found)


if __name__ == "__main__":
    sys.exit(unittest.main())
