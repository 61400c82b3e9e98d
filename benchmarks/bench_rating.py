"""Time a rerun of the rating screen: from the browser's message to the end of the script.

A raw websocket client stands for the browser, the server is a process of its own, as in a study.

    python benchmarks/bench_rating.py [--reruns 200] [--vignettes 30]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

SERVE = """
import sys
from app.server import serve
serve(sys.argv[1], port=0, ready=lambda port: print(port, flush=True))
"""


def main() -> None:
    """Set a study up, serve it, and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--reruns", type=int, default=200)
    parser.add_argument("--vignettes", type=int, default=30)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        url = str(Path(directory) / "study.db")
        token = _rater_token(url, Path(directory), n_vignettes=arguments.vignettes)
        server = subprocess.Popen(
            [sys.executable, "-c", SERVE, url], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        try:
            port = int(server.stdout.readline())
            times_ms = _time_reruns(port, token, arguments.reruns)
        finally:
            server.terminate()
            server.wait(timeout=20)
    _print(times_ms, arguments.vignettes)


def _rater_token(url: str, work: Path, *, n_vignettes: int) -> str:
    from study.store import create_store
    from tests.whole.studies import to_rating

    store = create_store(url)
    study = to_rating(store, work, n_vignettes=n_vignettes)
    store.close()
    return study.raters[0].session_token


def _time_reruns(port: int, token: str, reruns: int) -> list[float]:
    with connect(
        f"ws://127.0.0.1:{port}/_stcore/stream",
        subprotocols=["streamlit"],
        additional_headers={"cookie": f"safemed_session={token}"},
        max_size=None,
    ) as socket:
        for _ in range(20):
            _rerun(socket)
        return [_rerun(socket) for _ in range(reruns)]


def _rerun(socket: ClientConnection) -> float:
    message = BackMsg()
    message.rerun_script.query_string = ""
    began = time.perf_counter()
    socket.send(message.SerializeToString())
    while True:
        received = ForwardMsg()
        received.ParseFromString(socket.recv(timeout=20))
        if received.WhichOneof("type") == "script_finished":
            return 1000 * (time.perf_counter() - began)


def _print(times_ms: list[float], n_vignettes: int) -> None:
    cuts = statistics.quantiles(times_ms, n=100)
    print(
        f"rating screen, {n_vignettes} vignettes, {len(times_ms)} reruns, one session, "
        f"{os.cpu_count()} cores: p50 {cuts[49]:.1f} ms, p95 {cuts[94]:.1f} ms, "
        f"largest {max(times_ms):.1f} ms"
    )


if __name__ == "__main__":
    main()
