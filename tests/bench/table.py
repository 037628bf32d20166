"""Medians and quartiles, and the table that is committed."""

import datetime
import statistics

import machine
import measure

# What the project holds itself to: scenario, what, at most, compared with.
BOUNDS = [
    ("h1", "cpu", 1.0, ("nginx", "haproxy")),
    ("h1", "cpu", 0.5, ("envoy",)),
    ("h2", "cpu", 1.5, ("haproxy",)),
    ("h2", "cpu", 0.5, ("envoy",)),
    ("idle", "KiB per connection", 8, ()),
    ("h1", "MiB RSS", 20, ()),
]


def quartiles(values):
    if len(values) < 2:
        return (values[0],) * 3
    return tuple(statistics.quantiles(values, n=4, method="inclusive"))


def _figure(values, digits):
    values = [v for v in values if v is not None]
    if not values:
        return ""
    low, middle, high = (f"{v:,.{digits}f}" for v in quartiles(values))
    return f"{middle} ({low} - {high})" if len(values) > 1 else middle


def _median(values, digits, scale=1):
    values = [v for v in values if v is not None]
    return f"{statistics.median(values) / scale:,.{digits}f}" if values else ""


def ratios(rounds, peer, what):
    """meshctl's figure over the peer's, of the rounds that have both."""
    pairs = ((r.get("meshctl"), r.get(peer)) for r in rounds)
    return [getattr(a, what) / getattr(b, what) for a, b in pairs if a and b and getattr(b, what)]


def scenario_lines(scenario, rounds, names):
    """The Markdown of one scenario; `rounds` are maps from a proxy's name to its Figures."""
    key, head = ("idle_kib", "KiB per connection") if scenario.idle else ("cpu_us", "CPU us/request")
    lines = [
        f"### {scenario.name}: {scenario.title}",
        "",
        f"| | {head} | meshctl / it | requests/s | p50 ms | p99 ms | RSS MiB | core used |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in names:
        figures = [r[name] for r in rounds if name in r]
        if not figures:
            lines.append(f"| {name} | not measured | | | | | | |")
            continue
        column = {what: [getattr(f, what) for f in figures] for what in measure.FIELDS}
        ratio = "" if name == "meshctl" else _figure(ratios(rounds, name, key), 2)
        lines.append(
            f"| {name} | {_figure(column[key], 2)} | {ratio} | {_median(column['rate'], 0)} "
            f"| {_median(column['p50_us'], 2, 1_000)} | {_median(column['p99_us'], 2, 1_000)} "
            f"| {_median(column['rss_mib'], 1)} | {_median(column['busy'], 2)} |"
        )
    if visited := _visited(rounds):
        lines += ["", f"Nodes of the route table that meshctl visits per lookup, counted: {visited:.2f}."]
    return [*lines, ""]


def _visited(rounds):
    counted = [r["meshctl"].visited for r in rounds if "meshctl" in r and r["meshctl"].visited]
    return statistics.median(counted) if counted else None


def bound_lines(results, edit):
    lines = ["| bound | at most | measured | |", "|---|---|---|---|"]
    for name, what, at_most, against in BOUNDS:
        rounds = results.get(name)
        values, label = _bounded(rounds or [], what, against)
        if values:
            lines.append(_verdict(f"{name}: {label}", at_most, statistics.median(values)))
    visited = {name: _visited(rounds) for name, rounds in results.items()}
    visited = [nodes for nodes in visited.values() if nodes]
    if len(visited) > 1:
        lines.append(_verdict("nodes visited per lookup, with the most routes over with the fewest", 1.2,
                              visited[-1] / visited[0]))
    if edit:
        parts, documents, took = edit
        lines.append(_verdict(f"parts lowered by one edit among 10,000 routes ({documents} documents parsed, "
                              f"live after {took:.0f} ms)", 9, parts))
    return [*lines, ""]


def _bounded(rounds, what, against):
    if what != "cpu":
        key = "idle_kib" if what.startswith("KiB") else "rss_mib"
        return [getattr(r["meshctl"], key) for r in rounds if "meshctl" in r], what
    measured = {p: [r[p].cpu_us for r in rounds if p in r] for p in against}
    measured = {p: statistics.median(v) for p, v in measured.items() if v}
    if not measured:
        return [], what
    better = min(measured, key=measured.get)
    label = f"CPU per request over {better}'s" + (", the better one" if len(against) > 1 else "")
    return ratios(rounds, better, "cpu_us"), label


def _verdict(label, at_most, value):
    kept = "held" if value <= at_most else f"missed by {(value / at_most - 1) * 100:.0f} %"
    return f"| {label} | {at_most:g} | {value:.2f} | {kept} |"


def page(results, all_scenarios, names, versions, rounds, seconds, edit, failures):
    today = datetime.date.today().isoformat()
    named = ", ".join(f"{name} {versions[name]}" for name in names)
    lines = [
        f"# meshctl beside its peers, {today}",
        "",
        f"{named}. {rounds} rounds in random order, {seconds} s each.",
        "",
        *(f"- {fact}" for fact in machine.facts()),
        "",
        "One worker on a core of its own; load generator and backend on the other. Answers of 128 bytes, keep-alive",
        "on both sides, no access log, metrics on, and the same header work for all: X-Forwarded-For, -Proto, -Host",
        "and -Port, Via both ways, a new X-Request-Id. A figure is the median of the rounds, with its quartiles in",
        "brackets; a ratio is the median of the ratios of each round. CPU is user and system time of the proxy's",
        "processes, memory their resident pages. Where `core used` stands below 0.9, load and backend set the rate,",
        "and requests/s, p50 and p99 say little about the proxy.",
        "",
    ]
    for scenario in all_scenarios:
        if scenario.name in results:
            lines += scenario_lines(scenario, results[scenario.name], names)
    lines += ["### Bounds", "", *bound_lines(results, edit)]
    if failures:
        lines += ["### Failed", "", *(f"- {failure}" for failure in failures), ""]
    return "\n".join(lines)
