#!/usr/bin/env python3
"""Draws docs/growth.svg from the figures of `tests/bench/run.py --growth`.

    tests/bench/chart.py [build/bench/growth.json [docs/growth.svg]]

Needs matplotlib (tools/deps/bench-requirements.txt, which `make bench-growth` installs). The name of the output tells
its format: .svg or .png.
"""

import json
import pathlib
import statistics
import sys

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
BLUE, ORANGE, GREY = "#1f5fa8", "#c8561b", "#777777"


def size_text(size, _=None):
    return f"{size / 1e6:.0f}M" if size >= 1e6 else f"{size / 1e3:.0f}k" if size >= 1e3 else f"{size:.0f}"


def line(axes, sizes, values, text, color, style="-", marker="o"):
    axes.plot(sizes, values, style, marker=marker, color=color, markersize=5, linewidth=1.8, label=text)


def label_ends(figure, axes, sizes):
    """Writes each line's name behind its end, moved apart where the ends are close."""
    figure.canvas.draw()
    ends = sorted((axes.transData.transform((sizes[-1], line.get_ydata()[-1]))[1], line) for line in axes.get_lines())
    at = [y for y, _ in ends]
    gap = 15 * figure.dpi / 100
    for _ in range(100):  # pushes neighbours apart until they are
        for low in range(len(at) - 1):
            short = gap - (at[low + 1] - at[low])
            if short > 0:
                at[low] -= short / 2
                at[low + 1] += short / 2
    for y, (end, drawn) in zip(at, ends):
        axes.annotate(drawn.get_label(), (sizes[-1], drawn.get_ydata()[-1]), xytext=(8, (y - end) * 72 / figure.dpi),
                      textcoords="offset points", va="center", color=drawn.get_color(), fontsize=9)


def size_axis(axes, sizes, title, unit):
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(sizes))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(size_text))
    axes.set_xlim(sizes[0] * 0.8, sizes[-1] * 80)  # room for the labels
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

    line(axes, sizes, of("notifications", "all_echoes"), "notification, all services", ORANGE)
    line(axes, sizes, of("notifications", "ingress_echoes"), "notification, ingress", ORANGE, "--", "s")
    line(axes, sizes, of("updates", "all_echoes"), "Update, all services", BLUE)
    line(axes, sizes, of("updates", "ingress_echoes"), "Update, ingress", BLUE, "--", "s")
    line(axes, sizes, [1.0] * len(sizes), "raw UDP echo", GREY, ":", "")
    axes.set_ylim(bottom=0)
    echo = statistics.median(entry[kind]["echo"] for entry in entries for kind in ("updates", "notifications"))
    size_axis(axes, sizes, "CPU per message", f"raw UDP echoes of the same rounds ({echo:.1f} us each)")


def draw_memory(axes, entries, sizes):
    def of(*names):
        return [sum(entry["bytes_per_device"][name] for name in names) for entry in entries]

    line(axes, sizes, of("ingress-0", "registry-0", "observation-0"), "RAM of all services, observed", ORANGE)
    line(axes, sizes, of("ingress-0", "registry-0"), "RAM of ingress and registry", BLUE)
    line(axes, sizes, of("redis_observed"), "Redis, observed", ORANGE, "--", "s")
    line(axes, sizes, of("redis"), "Redis, registered", BLUE, "--", "s")
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(FixedLocator([100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000]))
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
    for axes in (left, right):
        label_ends(figure, axes, sizes)
    figure.savefig(target, metadata={"Date": None} if target.suffix == ".svg" else None, dpi=110)
    print(f"written: {target}")


if __name__ == "__main__":
    main()
