"""Where the programs of a build are in the outer machine."""
from pathlib import Path

PROGRAMS = ("coffer", "coffer-monitor", "coffer-owner", "coffer-sim")
RELEASE = "nested/release"
LYING = "nested/lying"


def place(build: Path, to: str) -> tuple[dict[str, Path], dict[str, Path]]:
    """
    Programs and other files of the directory @build, by their path under @to.
    coffer finds its monitor and firmware beside itself, there as here.
    """
    programs = {f"{to}/{name}": build / name for name in PROGRAMS}
    # Of its tests: a host that lies to stage0; filters that lack an entry.
    for p in ("tests/system/stage0_host", "vmm/monitor/seccomp_gen"):
        if (build / p).exists():
            programs[f"{to}/{Path(p).name}"] = build / p
    stage0 = build / "firmware/stage0.bin"
    return programs, {f"{to}/firmware/stage0.bin": stage0} if stage0.exists() else {}


def attack(build: Path, table: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """A coffer that finds beside itself a monitor which turns on its host."""
    monitor = build / "tests/attack/coffer-monitor"
    if not monitor.exists():
        return {}, {}
    return ({"nested/attack/coffer": build / "coffer",
             "nested/attack/coffer-monitor": monitor},
            {"nested/attack/table.md": table})


def lying(build: Path) -> tuple[dict[str, Path], dict[str, Path]]:
    """A coffer whose monitor adds a table of its own to the guest's ACPI tables."""
    monitor = build / "tests/attack/lying_acpi/coffer-monitor"
    if not monitor.exists():
        return {}, {}
    programs, files = place(build, LYING)
    return programs | {f"{LYING}/coffer-monitor": monitor}, files
