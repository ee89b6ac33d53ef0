from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Lane(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LANE_UNSPECIFIED: _ClassVar[Lane]
    LANE_EVENTS: _ClassVar[Lane]
    LANE_READINGS: _ClassVar[Lane]
    LANE_SUMMARIES: _ClassVar[Lane]

class Verdict(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERDICT_UNSPECIFIED: _ClassVar[Verdict]
    VERDICT_NORMAL: _ClassVar[Verdict]
    VERDICT_ACK_WAS_LOST: _ClassVar[Verdict]
    VERDICT_CITY_RESTORED: _ClassVar[Verdict]
    VERDICT_CARD_RESTORED: _ClassVar[Verdict]
    VERDICT_FORK: _ClassVar[Verdict]
    VERDICT_REVOKED: _ClassVar[Verdict]
LANE_UNSPECIFIED: Lane
LANE_EVENTS: Lane
LANE_READINGS: Lane
LANE_SUMMARIES: Lane
VERDICT_UNSPECIFIED: Verdict
VERDICT_NORMAL: Verdict
VERDICT_ACK_WAS_LOST: Verdict
VERDICT_CITY_RESTORED: Verdict
VERDICT_CARD_RESTORED: Verdict
VERDICT_FORK: Verdict
VERDICT_REVOKED: Verdict

class Segment(_message.Message):
    __slots__ = ("epoch", "lane", "first_seq", "count", "boot", "schema", "previous", "columns")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    BOOT_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_FIELD_NUMBER: _ClassVar[int]
    COLUMNS_FIELD_NUMBER: _ClassVar[int]
    epoch: bytes
    lane: Lane
    first_seq: int
    count: int
    boot: bytes
    schema: bytes
    previous: bytes
    columns: bytes
    def __init__(self, epoch: _Optional[bytes] = ..., lane: _Optional[_Union[Lane, str]] = ..., first_seq: _Optional[int] = ..., count: _Optional[int] = ..., boot: _Optional[bytes] = ..., schema: _Optional[bytes] = ..., previous: _Optional[bytes] = ..., columns: _Optional[bytes] = ...) -> None: ...

class Columns(_message.Message):
    __slots__ = ("stream", "count", "times_of", "start_ms", "beat_ms", "off_beat_ms", "values_from_base", "value", "odd_step", "odd_quality", "displaced")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    TIMES_OF_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    BEAT_MS_FIELD_NUMBER: _ClassVar[int]
    OFF_BEAT_MS_FIELD_NUMBER: _ClassVar[int]
    VALUES_FROM_BASE_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    ODD_STEP_FIELD_NUMBER: _ClassVar[int]
    ODD_QUALITY_FIELD_NUMBER: _ClassVar[int]
    DISPLACED_FIELD_NUMBER: _ClassVar[int]
    stream: _containers.RepeatedScalarFieldContainer[int]
    count: _containers.RepeatedScalarFieldContainer[int]
    times_of: _containers.RepeatedScalarFieldContainer[int]
    start_ms: _containers.RepeatedScalarFieldContainer[int]
    beat_ms: _containers.RepeatedScalarFieldContainer[int]
    off_beat_ms: _containers.RepeatedScalarFieldContainer[int]
    values_from_base: _containers.RepeatedScalarFieldContainer[int]
    value: _containers.RepeatedScalarFieldContainer[int]
    odd_step: _containers.RepeatedScalarFieldContainer[int]
    odd_quality: _containers.RepeatedScalarFieldContainer[int]
    displaced: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, stream: _Optional[_Iterable[int]] = ..., count: _Optional[_Iterable[int]] = ..., times_of: _Optional[_Iterable[int]] = ..., start_ms: _Optional[_Iterable[int]] = ..., beat_ms: _Optional[_Iterable[int]] = ..., off_beat_ms: _Optional[_Iterable[int]] = ..., values_from_base: _Optional[_Iterable[int]] = ..., value: _Optional[_Iterable[int]] = ..., odd_step: _Optional[_Iterable[int]] = ..., odd_quality: _Optional[_Iterable[int]] = ..., displaced: _Optional[_Iterable[int]] = ...) -> None: ...

class EventColumns(_message.Message):
    __slots__ = ("at_ms", "kind", "body")
    AT_MS_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    at_ms: _containers.RepeatedScalarFieldContainer[int]
    kind: _containers.RepeatedScalarFieldContainer[str]
    body: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, at_ms: _Optional[_Iterable[int]] = ..., kind: _Optional[_Iterable[str]] = ..., body: _Optional[_Iterable[str]] = ...) -> None: ...

class Schema(_message.Message):
    __slots__ = ("stream",)
    STREAM_FIELD_NUMBER: _ClassVar[int]
    stream: _containers.RepeatedCompositeFieldContainer[Stream]
    def __init__(self, stream: _Optional[_Iterable[_Union[Stream, _Mapping]]] = ...) -> None: ...

class Stream(_message.Message):
    __slots__ = ("sensor", "quantity", "unit", "decimals", "simulated")
    SENSOR_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    DECIMALS_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    sensor: str
    quantity: str
    unit: str
    decimals: int
    simulated: bool
    def __init__(self, sensor: _Optional[str] = ..., quantity: _Optional[str] = ..., unit: _Optional[str] = ..., decimals: _Optional[int] = ..., simulated: _Optional[bool] = ...) -> None: ...

class Anchor(_message.Message):
    __slots__ = ("boot", "boottime_ms", "utc_ms", "error_ms", "source")
    BOOT_FIELD_NUMBER: _ClassVar[int]
    BOOTTIME_MS_FIELD_NUMBER: _ClassVar[int]
    UTC_MS_FIELD_NUMBER: _ClassVar[int]
    ERROR_MS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    boot: bytes
    boottime_ms: int
    utc_ms: int
    error_ms: int
    source: str
    def __init__(self, boot: _Optional[bytes] = ..., boottime_ms: _Optional[int] = ..., utc_ms: _Optional[int] = ..., error_ms: _Optional[int] = ..., source: _Optional[str] = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("first", "last")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    first: int
    last: int
    def __init__(self, first: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class Lost(_message.Message):
    __slots__ = ("epoch", "lane", "range", "reason")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LANE_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    epoch: bytes
    lane: Lane
    range: Range
    reason: str
    def __init__(self, epoch: _Optional[bytes] = ..., lane: _Optional[_Union[Lane, str]] = ..., range: _Optional[_Union[Range, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class HelloRequest(_message.Message):
    __slots__ = ("kiosk", "software", "boot", "lanes", "anchors", "name", "schemas", "boottime_ms")
    KIOSK_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    BOOT_FIELD_NUMBER: _ClassVar[int]
    LANES_FIELD_NUMBER: _ClassVar[int]
    ANCHORS_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCHEMAS_FIELD_NUMBER: _ClassVar[int]
    BOOTTIME_MS_FIELD_NUMBER: _ClassVar[int]
    kiosk: str
    software: str
    boot: bytes
    lanes: _containers.RepeatedCompositeFieldContainer[LaneAtKiosk]
    anchors: _containers.RepeatedCompositeFieldContainer[Anchor]
    name: str
    schemas: _containers.RepeatedScalarFieldContainer[bytes]
    boottime_ms: int
    def __init__(self, kiosk: _Optional[str] = ..., software: _Optional[str] = ..., boot: _Optional[bytes] = ..., lanes: _Optional[_Iterable[_Union[LaneAtKiosk, _Mapping]]] = ..., anchors: _Optional[_Iterable[_Union[Anchor, _Mapping]]] = ..., name: _Optional[str] = ..., schemas: _Optional[_Iterable[bytes]] = ..., boottime_ms: _Optional[int] = ...) -> None: ...

class LaneAtKiosk(_message.Message):
    __slots__ = ("lane", "epoch", "next", "got", "safe", "chain")
    LANE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    NEXT_FIELD_NUMBER: _ClassVar[int]
    GOT_FIELD_NUMBER: _ClassVar[int]
    SAFE_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    lane: Lane
    epoch: bytes
    next: int
    got: int
    safe: int
    chain: bytes
    def __init__(self, lane: _Optional[_Union[Lane, str]] = ..., epoch: _Optional[bytes] = ..., next: _Optional[int] = ..., got: _Optional[int] = ..., safe: _Optional[int] = ..., chain: _Optional[bytes] = ...) -> None: ...

class HelloReply(_message.Message):
    __slots__ = ("lanes", "utc_ms", "limits", "wanted_settings", "wanted_content", "schemas_wanted")
    LANES_FIELD_NUMBER: _ClassVar[int]
    UTC_MS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    WANTED_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    WANTED_CONTENT_FIELD_NUMBER: _ClassVar[int]
    SCHEMAS_WANTED_FIELD_NUMBER: _ClassVar[int]
    lanes: _containers.RepeatedCompositeFieldContainer[LaneAtCity]
    utc_ms: int
    limits: Limits
    wanted_settings: bytes
    wanted_content: Content
    schemas_wanted: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, lanes: _Optional[_Iterable[_Union[LaneAtCity, _Mapping]]] = ..., utc_ms: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., wanted_settings: _Optional[bytes] = ..., wanted_content: _Optional[_Union[Content, _Mapping]] = ..., schemas_wanted: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Content(_message.Message):
    __slots__ = ("sha256", "length")
    SHA256_FIELD_NUMBER: _ClassVar[int]
    LENGTH_FIELD_NUMBER: _ClassVar[int]
    sha256: bytes
    length: int
    def __init__(self, sha256: _Optional[bytes] = ..., length: _Optional[int] = ...) -> None: ...

class LaneAtCity(_message.Message):
    __slots__ = ("lane", "epoch", "got", "safe", "chain", "verdict", "lost")
    LANE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    GOT_FIELD_NUMBER: _ClassVar[int]
    SAFE_FIELD_NUMBER: _ClassVar[int]
    CHAIN_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    lane: Lane
    epoch: bytes
    got: _containers.RepeatedCompositeFieldContainer[Range]
    safe: int
    chain: _containers.RepeatedScalarFieldContainer[bytes]
    verdict: Verdict
    lost: _containers.RepeatedCompositeFieldContainer[Range]
    def __init__(self, lane: _Optional[_Union[Lane, str]] = ..., epoch: _Optional[bytes] = ..., got: _Optional[_Iterable[_Union[Range, _Mapping]]] = ..., safe: _Optional[int] = ..., chain: _Optional[_Iterable[bytes]] = ..., verdict: _Optional[_Union[Verdict, str]] = ..., lost: _Optional[_Iterable[_Union[Range, _Mapping]]] = ...) -> None: ...

class ChainReply(_message.Message):
    __slots__ = ("first", "last", "sha256", "body")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    first: _containers.RepeatedScalarFieldContainer[int]
    last: _containers.RepeatedScalarFieldContainer[int]
    sha256: _containers.RepeatedScalarFieldContainer[bytes]
    body: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, first: _Optional[_Iterable[int]] = ..., last: _Optional[_Iterable[int]] = ..., sha256: _Optional[_Iterable[bytes]] = ..., body: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("body_bytes_max", "segments_max")
    BODY_BYTES_MAX_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_MAX_FIELD_NUMBER: _ClassVar[int]
    body_bytes_max: int
    segments_max: int
    def __init__(self, body_bytes_max: _Optional[int] = ..., segments_max: _Optional[int] = ...) -> None: ...

class Upload(_message.Message):
    __slots__ = ("kiosk", "segments", "anchors", "lost")
    KIOSK_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    ANCHORS_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    kiosk: str
    segments: _containers.RepeatedScalarFieldContainer[bytes]
    anchors: _containers.RepeatedCompositeFieldContainer[Anchor]
    lost: _containers.RepeatedCompositeFieldContainer[Lost]
    def __init__(self, kiosk: _Optional[str] = ..., segments: _Optional[_Iterable[bytes]] = ..., anchors: _Optional[_Iterable[_Union[Anchor, _Mapping]]] = ..., lost: _Optional[_Iterable[_Union[Lost, _Mapping]]] = ...) -> None: ...

class UploadReply(_message.Message):
    __slots__ = ("lanes", "quarantined", "utc_ms", "retry_after_s", "wanted_content")
    LANES_FIELD_NUMBER: _ClassVar[int]
    QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    UTC_MS_FIELD_NUMBER: _ClassVar[int]
    RETRY_AFTER_S_FIELD_NUMBER: _ClassVar[int]
    WANTED_CONTENT_FIELD_NUMBER: _ClassVar[int]
    lanes: _containers.RepeatedCompositeFieldContainer[LaneAtCity]
    quarantined: _containers.RepeatedCompositeFieldContainer[Quarantined]
    utc_ms: int
    retry_after_s: int
    wanted_content: Content
    def __init__(self, lanes: _Optional[_Iterable[_Union[LaneAtCity, _Mapping]]] = ..., quarantined: _Optional[_Iterable[_Union[Quarantined, _Mapping]]] = ..., utc_ms: _Optional[int] = ..., retry_after_s: _Optional[int] = ..., wanted_content: _Optional[_Union[Content, _Mapping]] = ...) -> None: ...

class Quarantined(_message.Message):
    __slots__ = ("lane", "epoch", "range", "reason")
    LANE_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    lane: Lane
    epoch: bytes
    range: Range
    reason: str
    def __init__(self, lane: _Optional[_Union[Lane, str]] = ..., epoch: _Optional[bytes] = ..., range: _Optional[_Union[Range, _Mapping]] = ..., reason: _Optional[str] = ...) -> None: ...

class TimeReply(_message.Message):
    __slots__ = ("utc_ms", "nonce")
    UTC_MS_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    utc_ms: int
    nonce: str
    def __init__(self, utc_ms: _Optional[int] = ..., nonce: _Optional[str] = ...) -> None: ...

class EnrolRequest(_message.Message):
    __slots__ = ("token", "public_key", "kiosk", "software", "hardware")
    class HardwareEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    KIOSK_FIELD_NUMBER: _ClassVar[int]
    SOFTWARE_FIELD_NUMBER: _ClassVar[int]
    HARDWARE_FIELD_NUMBER: _ClassVar[int]
    token: bytes
    public_key: bytes
    kiosk: str
    software: str
    hardware: _containers.ScalarMap[str, str]
    def __init__(self, token: _Optional[bytes] = ..., public_key: _Optional[bytes] = ..., kiosk: _Optional[str] = ..., software: _Optional[str] = ..., hardware: _Optional[_Mapping[str, str]] = ...) -> None: ...

class EnrolReply(_message.Message):
    __slots__ = ("device", "kiosk", "site", "city_keys", "limits", "letter_key")
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    KIOSK_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    CITY_KEYS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    LETTER_KEY_FIELD_NUMBER: _ClassVar[int]
    device: str
    kiosk: str
    site: str
    city_keys: _containers.RepeatedScalarFieldContainer[bytes]
    limits: Limits
    letter_key: bytes
    def __init__(self, device: _Optional[str] = ..., kiosk: _Optional[str] = ..., site: _Optional[str] = ..., city_keys: _Optional[_Iterable[bytes]] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., letter_key: _Optional[bytes] = ...) -> None: ...

class RotateRequest(_message.Message):
    __slots__ = ("public_key", "proof")
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    public_key: bytes
    proof: bytes
    def __init__(self, public_key: _Optional[bytes] = ..., proof: _Optional[bytes] = ...) -> None: ...

class RotateReply(_message.Message):
    __slots__ = ("device",)
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    device: str
    def __init__(self, device: _Optional[str] = ...) -> None: ...
