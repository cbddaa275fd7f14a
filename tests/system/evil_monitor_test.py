#!/usr/bin/env python3
"""A supervisor survives a monitor that lies, shouts, stalls and dies.

evil_monitor_test.py --coffer FILE --monitor FILE --kernel FILE [--starts N]
Exit status 0 passed, 1 failed, 77 skipped: no usable /dev/kvm.

coffer finds its monitor beside its own executable: so a copy of it gets an evil one. Every run must
end within its time, with a status of the manual, without a word of a sanitizer, and leave no process.
"""
import argparse
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

from harness import usable_kvm

STATUSES = set(range(0, 64)) | {64, 66, 69, 70, 75, 77, 80, 124}
PATIENCE = 60  # seconds; a bound against hanging, not a measurement


def one(coffer, kernel, tmp):
    status = os.path.join(tmp, "status")
    p = subprocess.run([coffer, "run", "-k", kernel, "-m", "16M", "--timeout", "0.3", "--status-file", status,
                        "--console", "unix=" + os.path.join(tmp, "console"),
                        "--vsock", "cid=9,path=" + os.path.join(tmp, "vsock"), "--rng", "--on-reboot", "restart",
                        "--api", os.path.join(tmp, "api")],
                       stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE)
    err = p.stderr.decode(errors="replace")
    assert p.returncode in STATUSES, f"status {p.returncode}: {err[-2000:]}"
    ours = "\n".join(x for x in err.splitlines() if not x.startswith("coffer: monitor: "))
    assert "Sanitizer" not in ours and "runtime error" not in ours and "Assertion" not in ours, err[-4000:]
    assert not any(c < " " and c != "\n" for c in err), "control characters reach the terminal"
    assert len(err) < 200000, "too much is said"
    with open(status, encoding="utf-8") as f:
        assert json.load(f)["exit_status"] == p.returncode, "the status file"
    os.unlink(status)
    left = os.listdir(tmp)
    assert not left, f"left behind: {left}"
    return p.returncode


def main():
    a = argparse.ArgumentParser()
    a.add_argument("--coffer", required=True)
    a.add_argument("--monitor", required=True)
    a.add_argument("--kernel", required=True)
    a.add_argument("--starts", type=int, default=60)
    a = a.parse_args()
    if not usable_kvm():
        return 77
    seen = collections.Counter()
    with tempfile.TemporaryDirectory(prefix="coffer-evil-") as home, \
            tempfile.TemporaryDirectory(prefix="coffer-evil-") as tmp:
        coffer = os.path.join(home, "coffer")
        shutil.copy(a.coffer, coffer)
        shutil.copy(a.monitor, os.path.join(home, "coffer-monitor"))
        for n in range(a.starts):
            try:
                seen[one(coffer, a.kernel, tmp)] += 1
            except (AssertionError, subprocess.TimeoutExpired, OSError, ValueError) as x:
                print(f"FAILED at start {n}: {x}")
                return 1
    if len(seen) < 2:
        print(f"FAILED: it never did anything else: {dict(seen)}")
        return 1
    print(f"ok: {a.starts} starts, statuses {dict(seen)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
