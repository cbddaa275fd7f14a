"""The list of cases: scripts in cases/, and what their comments ask for.

    # limit: SECONDS        time limit of a run, 120 when not given
    # each: NAME [ARG...]   one case FILE.NAME with these arguments, for every
                            such line; without one, the case FILE
    # release: [NAME...]    all, or these, are run with a coffer without sanitizers
                            if there is one: for what is about volume, or about
                            what a release alone has
    # needs: qemu           Debian's QEMU in the outer machine, to compare with
    # needs: ovmf           Debian's UEFI firmware
"""
import fnmatch
import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).resolve().parent / "cases"


@dataclass
class Case:
    name: str
    args: list[str]
    limit: int
    script: Path
    needs: list[str]
    build: str  # "tested" or "release"


def _parse(path: Path) -> list[Case]:
    head = re.match(r"(#.*\n)*", path.read_text()).group(0)
    limit = re.search(r"^# limit: (\d+)$", head, re.M)
    seconds = int(limit.group(1)) if limit else 120
    each = [line.split() for line in re.findall(r"^# each: (.+)$", head, re.M)]
    needs = " ".join(re.findall(r"^# needs: (.+)$", head, re.M)).split()
    release = re.search(r"^# release:(.*)$", head, re.M)
    named = release.group(1).split() if release else []

    def build(name: str | None) -> str:
        return "release" if release and (not named or name in named) else "tested"

    if not each:
        return [Case(path.stem, [], seconds, path, needs, build(None))]
    return [Case(f"{path.stem}.{e[0]}", e[1:], seconds, path, needs, build(e[0]))
            for e in each]


def load(patterns: list[str] | None = None) -> list[Case]:
    """
    All cases, or those a pattern matches; each pattern must match one. A
    pattern with a slash is the path of a script that is not among the cases.
    """
    found = [c for p in sorted(CASES.glob("*.sh")) for c in _parse(p)]
    if not patterns:
        return found
    chosen = []
    for pattern in patterns:
        if "/" in pattern:
            chosen += _parse(Path(pattern))
            continue
        matched = [c for c in found if fnmatch.fnmatch(c.name, pattern)
                   or c.name.split(".")[0] == pattern]
        if not matched:
            raise KeyError(pattern)
        chosen += [c for c in matched if c not in chosen]
    return chosen
