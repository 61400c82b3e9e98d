from __future__ import annotations

import json
from pathlib import Path

from app.decisions import decision_table


def test_counts_become_percentages_with_wilson_intervals(tmp_path: Path) -> None:
    counts = {"undecided": 1, "commonest": 6}
    written = {
        "rows": "held_out.jsonl",
        "decisions": [
            {"kind": "renal", "reference": False, "n": 10, "right": 8, **counts},
            {"kind": "qt", "reference": False, "n": 10, "right": 5, **counts},
            {"kind": "renal", "reference": True, "n": 10, "right": 10, **counts},
        ],
    }
    path = tmp_path / "held_out.json"
    path.write_text(json.dumps(written))
    table = decision_table([path])
    # Wilson: 8 of 10 is 49 to 94 %, 13 of 20 is 43 to 82 %.
    assert "| kidney function | 10 | 80% | 49% to 94% | 1 | 60% |" in table
    assert "| all | 20 | 65% | 43% to 82% | 2 | 60% |" in table
    assert table.index("the fact not in the prompt") < table.index("the fact quoted")
