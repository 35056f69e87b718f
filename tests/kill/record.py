#!/usr/bin/env python3
"""Writes down every record of some Kafka topics, as a process of its own that knows nothing of the platform.

    tests/kill/record.py --bootstrap HOST:PORT --directory DIR [--fields NAME,...] TOPIC ...

One file DIR/<topic>.jsonl for each topic, one line a record: {"p":partition,"o":offset,"at":arrival, ms,"v":value}.
With --fields only these of each value, for long runs.
From the beginning of each topic, without a consumer group. Prints {"<topic>": records so far, ...} every second.
The line "finish" on stdin: reads up to what each topic holds at that moment, prints the counts once more and ends.
"""

import argparse
import json
import pathlib
import select
import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaException, TopicPartition

FINISH_SECONDS = 120
QUERY_SECONDS = 10


class Recorder:
    def __init__(self, bootstrap, directory, topics, fields=()):
        self.bootstrap = bootstrap
        self.fields = frozenset(fields)
        self.consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "recorder", "enable.auto.commit": False,
                                  "auto.offset.reset": "earliest", "reconnect.backoff.max.ms": 1000,
                                  "queued.max.messages.kbytes": 16384})
        self.partitions = self._partitions(topics)
        self.consumer.assign([TopicPartition(t, p, OFFSET_BEGINNING) for t, p in self.partitions])
        self.next = dict.fromkeys(self.partitions, 0)
        self.counts = dict.fromkeys(topics, 0)
        self.files = {topic: open(pathlib.Path(directory, f"{topic}.jsonl"), "wb") for topic in topics}

    def _partitions(self, topics):
        known = self.consumer.list_topics(timeout=QUERY_SECONDS).topics
        missing = [t for t in topics if t not in known or known[t].error]
        if missing:
            raise RuntimeError(f"no such topics: {missing}")
        return [(topic, partition) for topic in topics for partition in known[topic].partitions]

    def poll(self):
        """Takes what is there, waits at most a little."""
        messages = self.consumer.consume(5000, 0.1)
        at = int(time.time() * 1000)
        for message in messages:
            if message.error():
                continue  # the broker is gone: the library goes on trying
            place = (message.topic(), message.partition())
            if message.offset() < self.next[place]:
                continue
            self.next[place] = message.offset() + 1
            self.counts[message.topic()] += 1
            value = self.reduced(message.value()) if message.value() else b"null"
            head = f'{{"p":{place[1]},"o":{message.offset()},"at":{at},"v":'
            self.files[message.topic()].write(head.encode() + value + b"}\n")

    def reduced(self, value):
        if not self.fields:
            return value
        return json.dumps({k: v for k, v in json.loads(value).items() if k in self.fields},
                          separators=(",", ":")).encode()

    def ends(self):
        """Where each partition ends now; asks until the broker answers.

        By a client of its own: behind a fetch that waits for records each question would take half a second.
        """
        client = Consumer({"bootstrap.servers": self.bootstrap, "group.id": "recorder"})
        until = time.monotonic() + FINISH_SECONDS
        try:
            while True:
                try:
                    return {place: client.get_watermark_offsets(TopicPartition(*place), QUERY_SECONDS)[1]
                            for place in self.partitions}
                except KafkaException:
                    if time.monotonic() > until:
                        raise
        finally:
            client.close()

    def behind(self, ends):
        # A compacted or aborted record leaves a hole at the end: the position is what counts then.
        positions = {(p.topic, p.partition): p.offset for p in
                     self.consumer.position([TopicPartition(*place) for place in self.partitions])}
        return [place for place, end in ends.items() if max(self.next[place], positions[place]) < end]

    def report(self):
        print(json.dumps(self.counts), flush=True)

    def close(self):
        for file in self.files.values():
            file.close()
        self.consumer.close()


def told_to_finish():
    return bool(select.select([sys.stdin], [], [], 0)[0]) and sys.stdin.readline().strip() in ("finish", "")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--directory", required=True)
    parser.add_argument("--fields", default="")
    parser.add_argument("topics", nargs="+")
    options = parser.parse_args()
    recorder = Recorder(options.bootstrap, options.directory, options.topics, filter(None, options.fields.split(",")))
    reported = 0.0
    while not told_to_finish():
        recorder.poll()
        if time.monotonic() - reported >= 1:
            reported = time.monotonic()
            recorder.report()
    ends = recorder.ends()
    until = time.monotonic() + FINISH_SECONDS
    while recorder.behind(ends):
        recorder.poll()
        if time.monotonic() > until:
            print(f"not read to the end: {recorder.behind(ends)}", file=sys.stderr)
            return 1
    recorder.report()
    recorder.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
