"""The arithmetic of docs/scaling.md: from the unit costs of `make bench` to a cluster for 100 million devices."""

DEVICES = 100_000_000
NOTIFY_EVERY_S = 900
UPDATE_EVERY_S = 3600
DEVICES_PER_INGRESS = 1_000_000  # what one process has been shown to hold
BUSY = 0.5  # the share of a core that may be used when nothing is wrong
STORM_S = 3600  # all devices register again within
REPLICAS = 3  # of each Kafka record
RETENTION_DAYS = 3
REDIS_NODE_GB = 16
REDIS_HEADROOM = 2  # for rewriting the append-only file and for failover
GB = 1e9


def lines(rows, growth, table, number):
    """Markdown lines. `growth` is the largest size of growth.json: a device's memory is what is left of it there."""
    rows = {**rows, "growth": growth}
    notifications, updates = DEVICES / NOTIFY_EVERY_S, DEVICES / UPDATE_EVERY_S
    body = [["notifications", f"{DEVICES:,} / {NOTIFY_EVERY_S} s", f"{number(notifications)}/s"],
            ["Updates", f"{DEVICES:,} / {UPDATE_EVERY_S} s", f"{number(updates)}/s"]]
    for reckon in (ingress, observation, redis, kafka, network, storm):
        try:
            body += reckon(rows, notifications, updates, number)
        except KeyError as missing:
            body.append([reckon.__name__, f"row {missing} is missing", ""])
    return table(["what", "arithmetic", "result"], body)


def of_growth(rows, name):
    return rows["growth"]["bytes_per_device"][name]


def growth_name(rows):
    return f"growth at {rows['growth']['devices']:,} devices"


def ingress(rows, notifications, updates, number):
    notify_us = rows["notify_plain_ingress"]["value"]
    update_us = rows["update_plain_100k"]["cpu_us"]
    cores = (notifications * notify_us + updates * update_us) / 1e6
    pods = DEVICES / DEVICES_PER_INGRESS
    each = of_growth(rows, "ingress-0") + of_growth(rows, "registry-0")
    return [["ingress, CPU", f"{number(notifications)}/s x {number(notify_us)} us (notify_plain_ingress) + "
                             f"{number(updates)}/s x {number(update_us)} us (update_plain_100k)",
             f"{number(cores)} cores busy, {number(cores / BUSY)} at {BUSY:.0%} load"],
            ["ingress, pods", f"{DEVICES:,} / {DEVICES_PER_INGRESS:,} devices each (shown, see performance.md)",
             f"{number(pods)} pods, {number(cores / BUSY / pods * 1000)} millicores each"],
            ["ingress and registry, RAM", f"{DEVICES:,} x {number(each)} B ({growth_name(rows)})",
             f"{number(DEVICES * each / GB)} GB, {number(DEVICES_PER_INGRESS * each / 1e6)} MB in a pod"]]


def observation(rows, notifications, updates, number):
    del updates
    us = rows["notify_plain_telemetry_all"]["value"] - rows["notify_plain_ingress"]["value"]
    each = of_growth(rows, "observation-0")
    cores = notifications * us / 1e6
    return [["observation, CPU", f"{number(notifications)}/s x {number(us)} us (notify_plain_telemetry_all less "
                                 "notify_plain_ingress)",
             f"{number(cores)} cores busy, {number(cores / BUSY)} at {BUSY:.0%} load"],
            ["observation, RAM", f"{DEVICES:,} x {number(each)} B ({growth_name(rows)}) and its buffers",
             f"{number(DEVICES * each / GB)} GB"]]


def redis(rows, notifications, updates, number):
    del notifications
    registered = rows["bytes_per_device_redis"]["value"]
    observed = rows["bytes_per_device_redis_valued"]["value"]
    total = DEVICES * observed / GB
    commands = updates * rows["redis_commands_per_update"]["value"]
    return [["Redis, memory", f"{DEVICES:,} x {number(observed)} B (bytes_per_device_redis_valued; "
                              f"{number(registered)} B of it registrations, bytes_per_device_redis)",
             f"{number(total)} GB"],
            ["Redis, nodes", f"{number(total)} GB x {REDIS_HEADROOM} (rewrite of the append-only file) / "
                             f"{REDIS_NODE_GB} GB, and as many replicas",
             f"{number(total * REDIS_HEADROOM / REDIS_NODE_GB)} primaries"],
            ["Redis, commands of steady Updates", f"{number(updates)}/s x "
             f"{number(rows['redis_commands_per_update']['value'])} (redis_commands_per_update)",
             f"{number(commands)}/s in all"]]


def kafka(rows, notifications, updates, number):
    del updates
    uplink, telemetry = rows["kafka_bytes_uplink"]["value"], rows["kafka_bytes_telemetry"]["value"]
    written = notifications * (uplink + telemetry)
    kept = written * REPLICAS * RETENTION_DAYS * 86_400 / 1e12
    paced = rows["notify_ack_p99_20k"]
    partitions = notifications * BUSY ** -1 / (paced["per_second"] / 12)
    return [["Kafka, written by producers", f"{number(notifications)}/s x ({number(uplink)} B uplink + "
             f"{number(telemetry)} B telemetry) (kafka_bytes_uplink, kafka_bytes_telemetry)",
             f"{number(written / 1e6)} MB/s"],
            ["Kafka, disk", f"{number(written / 1e6)} MB/s x {REPLICAS} replicas x {RETENTION_DAYS} days",
             f"{number(kept)} TB"],
            ["Kafka, partitions of uplink and of telemetry",
             f"{number(notifications)}/s / {BUSY:.0%} / ({number(paced['per_second'])}/s on 12 partitions of one "
             "broker on two shared cores, notify_ack_p99_20k)",
             f"{number(partitions)} at most"]]


def network(rows, notifications, updates, number):
    notify, update = rows["wire_bytes_notification"]["value"], rows["wire_bytes_update"]["value"]
    devices = (notifications * notify + updates * update) * 8 / 1e6
    produced = notifications * (rows["kafka_bytes_uplink"]["value"] + rows["kafka_bytes_telemetry"]["value"])
    inside = produced * (1 + REPLICAS) * 8 / 1e6
    return [["network, devices", f"{number(notifications)}/s x {number(notify)} B + {number(updates)}/s x "
             f"{number(update)} B, both ways with IP and UDP (wire_bytes_notification, wire_bytes_update)",
             f"{number(devices)} Mbit/s"],
            ["network, Kafka", f"what producers write x (1 + {REPLICAS - 1} copies + 1 consumer)",
             f"{number(inside)} Mbit/s"]]


def storm(rows, notifications, updates, number):
    del notifications, updates
    rate = rows["register_redis_all"]["value"]
    wanted = DEVICES / STORM_S
    return [["all register again", f"{DEVICES:,} / {STORM_S} s = {number(wanted)}/s; {number(rate)}/s on two cores "
             "with Redis, Kafka and the loader on them (register_redis_all)",
             f"{number(2 * wanted / rate)} cores of ingress, registry and Redis"]]
