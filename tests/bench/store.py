"""Recovery and memory: figures of the decision table and of what is on disk, without any daemon."""

from figures import Figure, Section
from machine import MEMORY, folder, gateway_folder, measure

CLAIMS = 1000000
RECOVERY_S_MAX = 2
BYTES_MAX = 40


def recovery(bench):
    """How long all claims take to come back after a boot."""
    with gateway_folder() as root:
        found = measure(bench.program("bench_recovery"), root, CLAIMS, bench.rounds(5, 3))
    states = (
        ("snapshot", "a cdb snapshot"),
        ("journal", "journal segments"),
        ("both", "both, each claim twice"),
    )
    figures = [
        Figure(
            "recovery_%s" % state,
            "recovery from %s" % words,
            found[state + "_s"],
            "s",
            RECOVERY_S_MAX,
        )
        for state, words in states
    ]
    for state, words in states:
        times = found[state + "_cpu_s"]
        figures.append(Figure("recovery_%s_cpu" % state, words + ": processor time", times, "s"))
    for state, words in states:
        megabytes = [found[state + "_bytes"][0] / 1e6]
        figures.append(Figure("%s_mb" % state, words + ": on disk", megabytes, "MB", digits=1))
    text = (
        "Time of `open_table()` after a boot: no table in `/run`, {:,} claims on disk (routing "
        "keys of {:.1f} bytes, a message each), nothing of it in the page cache. Each claim was "
        "checked afterwards.".format(CLAIMS, found["key_bytes"][0] / CLAIMS)
    )
    return Section("recovery", "Recovery of a million claims", text, figures)


def memory(bench):
    """How much shared memory a live claim takes."""
    capacities = [CLAIMS, 10 * CLAIMS]
    with folder(MEMORY) as place:
        found = measure(bench.program("bench_memory"), place, *capacities)
    figures = [
        Figure(
            "bytes_per_claim_%d" % capacity,
            "all of the file by its claims, TABLE_CAPACITY={:,}".format(capacity),
            [size / capacity],
            "bytes",
            BYTES_MAX,
        )
        for capacity, size in zip(capacities, found["file_bytes"])
    ]
    text = (
        "The size of the table's file, all of it allocated, when it holds as many live claims as "
        "`TABLE_CAPACITY` says and takes no more."
    )
    return Section("memory", "Shared memory for a claim", text, figures)
