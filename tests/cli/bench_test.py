"""`gdsd bench`: a small run of every phase, and what can be wrong.

usage: bench_test.py GDSD CHECKPOINTS [unittest's arguments]      CHECKPOINTS: tests/golden/models
"""

import json
import pathlib
import struct
import sys
import tempfile
import unittest

from program import ProgramTest

CHECKPOINTS = None
SMALL = ["batch=3", "prompt=5", "repeat=2", "sampler.gen_length=8", "sampler.block_length=4",
         "sampler.steps=4", "compute.threads=1"]


def read_safetensors(path):
    """{name: (type, shape, bytes)} of a file."""
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + size])
    return {name: (t["dtype"], t["shape"], data[8 + size :][slice(*t["data_offsets"])])
            for name, t in header.items() if name != "__metadata__"}


class BenchTest(ProgramTest):
    @classmethod
    def setUpClass(cls):
        cls.root = pathlib.Path(tempfile.mkdtemp(prefix="gdsd_bench_"))
        cls.model = f"model={CHECKPOINTS / 'llada_tiny' / 'checkpoint'}"

    def refused(self, *arguments):
        done = self.gdsd("bench", *arguments)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        return done.stderr

    def test_every_phase_is_timed(self):
        done = self.gdsd_ok("bench", self.model, *SMALL, "inner=2", "json=all.json")
        rows = [line.split()[0] for line in done.stdout.splitlines()[3:]]
        self.assertEqual(rows, ["phase", "rollout", "old", "ref", "train"])
        figures = json.loads((self.root / "all.json").read_text())
        self.assertEqual(list(figures["phases"]), ["rollout", "old", "ref", "train"])
        for phase, f in figures["phases"].items():
            self.assertEqual(f["calls"], 2 if phase == "rollout" else 4)
            self.assertLessEqual(0, f["min_s"])
            self.assertLessEqual(f["min_s"], f["median_s"])
            self.assertLessEqual(f["median_s"], f["max_s"])
            for key in ("forwards_per_s", "tokens_per_s", "peak_mib", "peak_percent"):
                self.assertGreater(f[key], 0, f"{phase} {key}")
        self.assertEqual(figures["settings"]["batch"], "3")
        self.assertGreater(figures["gemm_gflop_per_s"], 0)

    def test_masks_and_ids_of_a_file_are_taken(self):
        self.gdsd_ok("bench", self.model, *SMALL, "inner=2", "views=2", "dump=one.safetensors")
        # Other random numbers, but the same ids and masks: the same scores.
        self.gdsd_ok("bench", self.model, *SMALL, "inner=2", "views=2", "seed=7", "phases=old,ref",
                     "masks=one.safetensors", "dump=two.safetensors")
        one, two = (read_safetensors(self.root / f"{name}.safetensors") for name in ("one", "two"))
        self.assertEqual(set(one), {"prompt", "ids", "masks", "old", "ref", "loss"})
        self.assertEqual(one["masks"][:2], ("BOOL", [2, 6, 8]))
        self.assertEqual(one["ids"][:2], ("I64", [3, 13]))
        self.assertEqual(one["ref"][:2], ("F32", [2, 3, 2]))
        self.assertEqual(one["loss"][:2], ("F32", [2]))
        for name in ("ids", "masks", "ref"):
            self.assertEqual(one[name], two[name], name)
        self.assertEqual(two["loss"][2], bytes(8))

    def test_all_weights_and_random_models(self):
        self.gdsd_ok("bench", self.model, *SMALL, "lora.rank=0")
        done = self.gdsd_ok("bench", "shape=T", *SMALL, "phases=old")
        self.assertIn("LLaDA, 4 layers, width 128", done.stdout)

    def test_what_is_wrong_is_said_in_a_line(self):
        for arguments, *parts in (
            (["phases=rollout,learn"], "phases: got 'learn'", "rollout,old,ref,train"),
            (["shape=X"], "shape", "T | S | M"),
            (["batch=0"], "batch: got 0"),
            (["views=0"], "views: got 0"),
            (["threads=1"], "threads: unknown option"),
            (["model=nowhere"], "nowhere/config.json: no such file"),
            (["masks=nowhere"], "nowhere"),
            (["sampler.block_length=3"], "3 does not divide gen_length 8"),
            ([self.model, "prompt=100000"], "positions"),
            (["a.yaml", "b.yaml"], "two config files"),
            (["lora.targets=x"], "targets: got 'x'"),
        ):
            said = self.refused(*SMALL, *arguments)
            for part in parts:
                self.assertIn(part, said)
            self.assertEqual(said.count("\n"), 1, said)

    def test_masks_of_another_shape_are_refused(self):
        self.gdsd_ok("bench", self.model, *SMALL, "phases=old", "dump=few.safetensors")
        self.assertIn("masks] has shape",
                      self.refused(self.model, *SMALL, "views=2", "masks=few.safetensors"))
        self.assertIn("is there already", self.refused(self.model, *SMALL, "dump=few.safetensors"))

    def test_files_that_cannot_be_are_refused_before_anything_is_computed(self):
        for name in ("json", "dump"):
            said = self.refused(self.model, *SMALL, f"{name}=nowhere/file")
            self.assertIn(f"{name}: got 'nowhere/file', but there is no folder nowhere", said)
        self.assertIn("json: got '.', which is no regular file", self.refused(self.model, *SMALL, "json=."))
        self.assertIn("which is dump's file too", self.refused(self.model, *SMALL, "json=x", "dump=x"))
        self.assertIn("masks: 'nowhere': no such file", self.refused(self.model, *SMALL, "masks=nowhere"))


if __name__ == "__main__":
    ProgramTest.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    CHECKPOINTS = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
