#!/usr/bin/env python3
"""Draws docs/growth.svg from the figures of `tests/bench/run.py --growth`.

    tests/bench/chart.py [build/bench/growth.json [docs/growth.svg]]

Needs matplotlib (tools/deps/bench-requirements.txt, which `make bench-growth` installs). The name of the output tells
its format: .svg or .png.
"""

import json
import pathlib
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLUE, ORANGE, GREY = "#1f5fa8", "#c8561b", "#777777"


def size_text(size, _=None):
    return f"{size / 1e6:.0f}M" if size >= 1e6 else f"{size / 1e3:.0f}k" if size >= 1e3 else f"{size:.0f}"


def label_last(axes, sizes, values, text, color):
    axes.annotate(text, (sizes[-1], values[-1]), xytext=(8, 0), textcoords="offset points", va="center", color=color,
                  fontsize=9)


def line(axes, sizes, values, text, color, style="-", marker="o"):
    axes.plot(sizes, values, style, marker=marker, color=color, markersize=5, linewidth=1.8)
    label_last(axes, sizes, values, text, color)


def size_axis(axes, sizes, title, unit):
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(size_text))
    axes.set_xlim(sizes[0] * 0.8, sizes[-1] * 30)  # room for the labels
    axes.set_xlabel("registered devices", loc="left")
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold")
    axes.set_ylabel(unit)
    axes.grid(axis="y", color="#dddddd", linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def draw_cpu(axes, entries, sizes):
    def of(kind, name):
        return [entry[kind][name] for entry in entries]

    line(axes, sizes, of("notifications", "all"), "notification,\nall processes", ORANGE)
    line(axes, sizes, of("notifications", "ingress-0"), "notification, ingress", ORANGE, "--", "s")
    line(axes, sizes, of("updates", "all"), "Update, all\n", BLUE)
    line(axes, sizes, of("updates", "ingress-0"), "\nUpdate, ingress", BLUE, "--", "s")
    line(axes, sizes, of("updates", "echo"), "\n\nraw UDP echo", GREY, ":", "")
    axes.set_ylim(bottom=0)
    size_axis(axes, sizes, "CPU per message", "microseconds")


def draw_memory(axes, entries, sizes):
    def of(*names):
        return [sum(entry["bytes_per_device"][name] for name in names) for entry in entries]

    line(axes, sizes, of("ingress-0", "registry-0", "observation-0"), "RAM of all services,\nobserved", ORANGE)
    line(axes, sizes, of("ingress-0", "registry-0"), "RAM of ingress\nand registry", BLUE)
    line(axes, sizes, of("redis_observed"), "Redis, observed", ORANGE, "--", "s")
    line(axes, sizes, of("redis"), "Redis, registered", BLUE, "--", "s")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator([100, 300, 1_000, 3_000, 10_000, 30_000, 100_000]))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    size_axis(axes, sizes, "Memory per device", "bytes (RSS and Redis, beyond the empty process)")


def main():
    source = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "bench" / "growth.json")
    target = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else ROOT / "docs" / "growth.svg")
    entries = json.loads(source.read_text())
    sizes = [entry["devices"] for entry in entries]
    plt.rcParams.update({"font.family": "DejaVu Sans", "font.size": 9, "svg.hashsalt": "growth"})
    figure, (left, right) = plt.subplots(1, 2, figsize=(11.5, 4.4), facecolor="white", constrained_layout=True)
    draw_cpu(left, entries, sizes)
    draw_memory(right, entries, sizes)
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None, dpi=110)
    print(f"written: {target}")


if __name__ == "__main__":
    main()
