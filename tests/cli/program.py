"""What the tests of the command line share: the program, called in a folder of the test class."""

import shutil
import subprocess
import unittest


class ProgramTest(unittest.TestCase):
    """A subclass sets `root`, a folder of its own, in setUpClass; `program` is set by its file."""

    program = ""

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.root)

    @classmethod
    def gdsd(cls, *arguments, **options):
        return subprocess.run([cls.program, *arguments], capture_output=True, text=True,
                              **{"cwd": cls.root, "timeout": 120, **options})

    @classmethod
    def gdsd_ok(cls, *arguments, **options):
        done = cls.gdsd(*arguments, **options)
        assert done.returncode == 0, f"{arguments}: {done.returncode}\n{done.stderr}"
        return done
