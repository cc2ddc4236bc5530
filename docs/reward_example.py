#!/usr/bin/env python3
"""A reward of one's own: 1 if the completion ends in the answer, less a little for its length.

gdsd writes one attempt a line and waits for one answer a line; print() must flush. Whatever is
written to standard error is shown only if this program dies.
"""

import json
import sys

for line in sys.stdin:
    attempt = json.loads(line)  # id, prompt, problem, answer, completion, source, record
    if not attempt["answer"]:
        score = None  # does not apply, which is not the same as 0
    else:
        right = attempt["completion"].rstrip().endswith(attempt["answer"])
        score = (1.0 if right else 0.0) - 0.001 * len(attempt["completion"])
    print(json.dumps({"id": attempt["id"], "score": score}), flush=True)
