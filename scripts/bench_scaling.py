"""`CONFIGS=scaling` of scripts/bench.py: how our program's time grows with its work, on config S.

One size at a time: threads, batch (B, 2 B, 4 B) and layers (n, 2 n). Time a token is to be flat in
the batch and to double with the layers, less what embedding and head take.
"""

import statistics

PHASES = {"rollout": "rollout", "score": "old", "train": "train"}


def runs(threads):
    """What is compared with what: (name, expected ratio of seconds a token, case, base)."""
    out = []
    for n in sorted({1, threads}):
        out += [(f"batch × {k}, threads {n}", "1", (n, k, 1), (n, 1, 1)) for k in (2, 4)]
        out.append((f"layers × 2, threads {n}", "2", (n, 1, 2), (n, 1, 1)))
    if threads > 1:
        out.append((f"threads 1 → {threads}", f"1/{threads}", (threads, 1, 1), (1, 1, 1)))
    return out


def measure(make_pair, dtype, rounds, threads):
    """→ {phase: {comparison: {tokens_per_s, base_tokens_per_s, ratio of seconds a token}}}.
    make_pair(threads, batch factor, layer factor) gives a Pair."""
    compare = runs(threads)
    cases = {case for _, _, *both in compare for case in both}
    seen = {case: [] for case in cases}
    for _ in range(rounds):
        for case in sorted(cases):
            figures = make_pair(*case).program(dtype, list(PHASES.values()))[0]["phases"]
            seen[case].append({name: figures[phase]["tokens_per_s"]
                               for name, phase in PHASES.items()})
    out = {}
    for phase in PHASES:
        speed = {case: statistics.median(one[phase] for one in seen[case]) for case in cases}
        out[phase] = {name: {"tokens_per_s": speed[case], "base_tokens_per_s": speed[base],
                             "ratio": speed[base] / speed[case], "expected": expected}
                      for name, expected, case, base in compare}
    return out


def print_table(dtype, figures):
    print(f"\nscaling of S, {dtype}: seconds a token against the smaller work's, or one thread's\n")
    print(f"{'':24} {'phase':8} {'tokens/s':>10} {'before':>10} {'ratio':>6} {'ideal':>6}")
    for phase, rows in figures.items():
        for name, f in rows.items():
            print(f"{name:24} {phase:8} {f['tokens_per_s']:10.0f} {f['base_tokens_per_s']:10.0f}"
                  f" {f['ratio']:6.2f} {f['expected']:>6}", flush=True)
