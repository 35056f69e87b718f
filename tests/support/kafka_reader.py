"""Reads topics as an independent consumer does: confluent-kafka, from the beginning, no group state."""

import json
import time
import uuid

from confluent_kafka import OFFSET_BEGINNING, Consumer, TopicPartition


class Topic:
    """All records of one topic, read on demand."""

    def __init__(self, bootstrap, topic):
        self.topic = topic
        self.records = []
        self._consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"test-{uuid.uuid4()}",
                                   "auto.offset.reset": "earliest", "enable.auto.commit": False,
                                   "topic.metadata.refresh.interval.ms": 500})
        self._consumer.assign([TopicPartition(topic, p, OFFSET_BEGINNING) for p in self._partitions()])

    def _partitions(self, seconds=30):
        """Not by subscription: a group whose broker is killed while it forms waits for its own ghost afterwards."""
        until = time.monotonic() + seconds
        while True:
            found = self._consumer.list_topics(self.topic, timeout=seconds).topics[self.topic]
            if found.error is None and found.partitions:
                return list(found.partitions)
            if time.monotonic() > until:
                raise AssertionError(f"{self.topic}: no such topic after {seconds} s")
            time.sleep(0.2)

    def poll(self, seconds=0.2):
        """Takes what is there; gives only the new records."""
        new = []
        for message in self._consumer.consume(10000, seconds):
            if message.error():
                continue
            new.append(message)
        self.records += new
        return new

    def values(self):
        return [json.loads(m.value()) for m in self.records if m.value() is not None]

    def wait(self, wanted, what, seconds=30):
        """Polls until a record's value satisfies `wanted` and gives that value."""
        seen = 0
        until = time.monotonic() + seconds
        while True:
            for value in self.values()[seen:]:
                if wanted(value):
                    return value
            seen = len(self.values())
            if time.monotonic() > until:
                last = f"last of {seen}: {self.values()[-3:]}"
                raise AssertionError(f"{self.topic}: not within {seconds} s: {what}; {last}")
            self.poll()

    def close(self):
        self._consumer.close()
