"""The tables of kiosks, lanes and segments: the truth of the archive, and what follows from it."""

from __future__ import annotations

from typing import NamedTuple

from sync.city.rows import Rows
from sync.orm import (
    AutoField,
    BigAutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    Database,
    ForeignKeyField,
    IntegerField,
    Model,
    TextField,
)


class NewSegment(NamedTuple):
    """A segment that is not written yet."""

    lane: int
    first_seq: int
    entries: int
    sha256: bytes
    received_ms: int
    body: bytes


class Latest(NamedTuple):
    """The newest entry of one stream, as it is kept."""

    kiosk: str
    stream: str
    lane: int
    seq: int
    boot: str
    at_ms: int
    value: str  # JSON number or null: what the kiosk measured, to the digit.
    unit: str
    quality: str
    simulated: bool
    received_ms: int


class Tables:
    """The tables of one archive, bound to its connection."""

    def __init__(self, database: Database) -> None:
        class Kiosk(Model):
            id = TextField(primary_key=True)
            name = TextField()
            software = TextField()
            first_seen_ms = BigIntegerField()
            last_seen_ms = BigIntegerField()

        class LaneRow(Model):
            id = AutoField()
            kiosk = _owner(Kiosk, "kiosk")
            lane = IntegerField()
            epoch = TextField()  # 32 hex digits.
            got = TextField(default="[]")  # JSON list of [first, last].
            lost = TextField(default="[]")
            reasons = TextField(default="{}")  # JSON: "first-last" → why it is lost.
            alert = TextField(default="")  # The last verdict that needs a person.
            last_seen_ms = BigIntegerField(null=True)

            class Meta:
                table_name = "lane"
                indexes = ((("kiosk", "lane", "epoch"), True),)

        class SegmentRow(Model):
            id = BigAutoField()
            lane = _owner(LaneRow, "lane")
            first_seq = BigIntegerField()
            entries = IntegerField()
            sha256 = BlobField()
            received_ms = BigIntegerField()
            body = BlobField()

            class Meta:
                table_name = "segment"
                indexes = ((("lane", "first_seq"), True),)

        class Quarantine(Model):
            id = BigAutoField()
            lane = ForeignKeyField(LaneRow, column_name="lane", object_id_name="lane_id")
            first_seq = BigIntegerField()
            entries = IntegerField()
            sha256 = BlobField()
            received_ms = BigIntegerField()
            reason = TextField()
            body = BlobField()

        class SchemaRow(Model):
            kiosk = _owner(Kiosk, "kiosk")
            prefix = BlobField()
            body = BlobField()

            class Meta:
                table_name = "schema"
                primary_key = CompositeKey("kiosk", "prefix")

        class LatestRow(Model):
            kiosk = _owner(Kiosk, "kiosk")
            stream = TextField()
            lane = IntegerField()
            seq = BigIntegerField()
            boot = TextField()
            at_ms = BigIntegerField()
            value = TextField()
            unit = TextField()
            quality = TextField()
            simulated = BooleanField()
            received_ms = BigIntegerField()

            class Meta:
                table_name = "latest"
                primary_key = CompositeKey("kiosk", "stream")

        self.kiosk = Kiosk
        self.lane = LaneRow
        self.segment = SegmentRow
        self.quarantine = Quarantine
        self.schema = SchemaRow
        self.latest = LatestRow
        database.bind(self.all(), bind_refs=False, bind_backrefs=False)
        self.segment_rows = Rows(database, SegmentRow, NewSegment._fields)
        self.latest_rows = Rows(database, LatestRow, Latest._fields, key=("kiosk", "stream"))

    def all(self) -> list[type[Model]]:
        """Every table, those that others refer to first."""
        return [
            self.kiosk,
            self.lane,
            self.segment,
            self.quarantine,
            self.schema,
            self.latest,
        ]


def _owner(table: type[Model], name: str) -> ForeignKeyField:
    """Whose row it is. A longer index begins with it, so it needs none of its own."""
    return ForeignKeyField(table, column_name=name, object_id_name=f"{name}_id", index=False)
