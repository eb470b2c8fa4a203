"""Values that workflows and activities take and return, each with the type in the signature."""

import collections
import datetime as dt
import enum
import typing
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, NamedTuple, NewType, Optional, TypeVar, Union

import pydantic
import typing_extensions
from annotated_types import Gt

T = TypeVar("T")
UserId = NewType("UserId", str)
Count = NewType("Count", int)


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    LOW = 1


class Kind(enum.StrEnum):
    BIG = "big"


class Flags(enum.IntFlag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: int = 0


class Movie(typing.TypedDict):
    title: str
    year: int


class Partial(typing.TypedDict, total=False):
    title: str


class Ours(typing_extensions.TypedDict):
    title: str


@dataclass
class Item:
    name: str
    price: float = 0.0
    tags: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    id: uuid.UUID
    items: tuple[Item, ...]
    at: dt.datetime
    note: str | None = None


@dataclass
class Image:
    png: bytes


@dataclass
class Aliased:
    x: str = field(default="", metadata={"alias": "X"})


@dataclass
class Described:
    x: int = field(default=0, metadata={"gt": 5, "description": "of a form", "default": 7})


@dataclass
class Counted:
    x: int
    doubled: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.doubled = 2 * self.x


@dataclass
class Restored:
    x: int
    seen: int = field(init=False, default=0)


@dataclass
class Child(Aliased):
    z: ClassVar[int] = 1
    more: dict[int, str] = field(default_factory=dict[int, str])


@dataclass
class Tree:
    name: str
    below: list["Tree"] = field(default_factory=list["Tree"])


@dataclass
class Mixed:
    price: Decimal
    png: bytes
    wait: dt.timedelta = dt.timedelta(0)


@dataclass
class Box(Generic[T]):
    value: T


@dataclass
class Holder:
    movie: Movie
    level: Level = Level.LOW
    kind: Kind = Kind.BIG
    ids: set[int] = field(default_factory=set[int])
    raw: Any = None


class Model(pydantic.BaseModel):
    name: str
    price: Decimal = Decimal(0)


class Named(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(populate_by_name=True)
    risk: float = pydantic.Field(default=0.0, alias="Risk")


class Names(pydantic.RootModel[list[str]]):
    pass


@pydantic.dataclasses.dataclass
class Strict:
    wait: dt.timedelta


@dataclass
class WithModel:
    model: Model
    png: bytes = b""


def restored(x: int, seen: int) -> Restored:
    value = Restored(x)
    value.seen = seen
    return value


MOMENT = dt.datetime(2026, 3, 4, 5, 6, 7, 890000, dt.UTC)
ID = uuid.UUID(int=7)
ITEM = Item("tea", 1.5, ["hot"])
Hint = Any  # Any: a type, or what stands for one in a signature
Row = tuple[Hint, object]
ANY_LIST: Hint = list
ANY_DICT: Hint = dict

BOTH: Sequence[Row] = [
    (None, None),
    (type(None), None),
    *((bool, one) for one in (True, False)),
    *((int, one) for one in (0, -1, 2**31, 2**53 + 1, 2**64, -(10**30))),
    *((float, one) for one in (0.0, -1.5, 1e300, 1e-300, float("inf"), float("-inf"), 3)),
    *((str, one) for one in ("", "a", "ä€😀", "\x00", "\u2028", "\ud800", 'a"b\\c\n', "x" * 1000)),
    *((bytes, one) for one in (b"", b"abc", b"\x89PNG\xff")),
    (bytearray, bytearray(b"abc")),
    (Any, {"a": [1, None, "x", 1.5, True]}),
    (None, {"a": [1, {"b": None}]}),
    (ANY_LIST, [1, "a"]),
    (list[int], [1, 2]),
    (list[str], list[str]()),
    (list[Any], [1, "a", None]),
    (list[list[int]], [[1], []]),
    (list[bytes], [b"abc", b"\xff"]),
    (list[float], [1.5, 2]),
    (tuple[int, str], (1, "a")),
    (tuple[int, ...], (1, 2, 3)),
    (set[int], {1, 2}),
    (frozenset[str], frozenset({"a"})),
    (Sequence[int], [1, 2]),
    (collections.deque[int], collections.deque([1, 2])),
    (ANY_DICT, {"a": 1}),
    (dict[str, int], {"a": 1}),
    (dict[str, Any], {"z": 1, "a": [None]}),
    (dict[str, bytes], {"a": b"\xff"}),
    (dict[int, str], {1: "a"}),
    (dict[float, int], {1.5: 1}),
    (dict[bool, int], {True: 1}),
    (dict[Level, int], {Level.LOW: 1}),
    (dict[Kind, int], {Kind.BIG: 1}),
    (dict[str, list[dict[str, int]]], {"a": [{"b": 1}]}),
    (Mapping[str, int], {"a": 1}),
    (collections.OrderedDict[str, int], collections.OrderedDict[str, int](a=1)),
    (collections.Counter[str], collections.Counter[str]("aab")),
    (collections.defaultdict[str, int], collections.defaultdict[str, int](int, a=1)),
    *((int | None, one) for one in (1, None)),
    (Optional[str], "a"),  # noqa: UP045 - the other spelling
    (Union[int, str], "a"),  # noqa: UP007 - the other spelling
    *((int | str, one) for one in (1, "1")),
    *((Literal["a", 1, True], one) for one in ("a", 1)),
    (typing_extensions.Literal["a"], "a"),
    (UserId, "u-1"),
    (Count, 3),
    (dt.datetime, MOMENT),
    (dt.datetime, dt.datetime(2026, 3, 4)),  # noqa: DTZ001 - without a zone
    (dt.datetime, dt.datetime(2026, 3, 4, tzinfo=dt.timezone(dt.timedelta(hours=5, minutes=30)))),
    (list[dt.datetime], [MOMENT]),
    (uuid.UUID, ID),
    (list[uuid.UUID], [ID]),
    (Level, Level.LOW),
    (Kind, Kind.BIG),
    (Flags, Flags.READ),
    (Movie, {"title": "Ran", "year": 1985}),
    (list[Movie], [{"title": "Ran", "year": 1985}]),
    (dict[str, Movie], {"a": {"title": "Ran", "year": 1985}}),
    (Movie | None, {"title": "Ran", "year": 1985}),
    (Partial, Partial()),
    (Partial, {"title": "Ran"}),
    (Ours, {"title": "Ran"}),
    (Item, ITEM),
    (Item | None, None),
    (list[Item], [ITEM, Item("x")]),
    (dict[str, Item], {"a": ITEM}),
    (tuple[Item, int], (ITEM, 1)),
    (Order, Order(id=ID, items=(ITEM,), at=MOMENT)),
    (Order, Order(id=ID, items=(), at=MOMENT, note="n")),
    *((Image, Image(one)) for one in (b"", b"abc", b"\x89PNG\xff")),
    (list[Image], [Image(b"abc")]),
    (Image | None, Image(b"abc")),
    (Aliased, Aliased("v")),
    (list[Aliased], [Aliased("v")]),
    (dict[str, Aliased], {"a": Aliased("v")}),
    (Aliased | None, Aliased("v")),
    (Described, Described(1)),
    (Counted, Counted(2)),
    (Restored, restored(1, 7)),
    (Child, Child("v", {1: "a"})),
    (Tree, Tree("a", [Tree("b", [Tree("c")])])),
    (Holder, Holder({"title": "Ran", "year": 1985}, ids={1}, raw={"a": 1})),
]
"""Values that plain Temporal also takes: a plain worker reads what we write, and the reverse."""

OURS: Sequence[Row] = [
    (Decimal, Decimal("1.10")),
    (list[Decimal], [Decimal("0.1")]),
    (dict[str, Decimal], {"a": Decimal("0.1")}),
    (dt.date, dt.date(2026, 3, 4)),
    (dt.time, dt.time(5, 6)),
    (dt.timedelta, dt.timedelta(seconds=90)),
    (dict[dt.date, int], {dt.date(2026, 3, 4): 1}),
    (dict[uuid.UUID, int], {ID: 1}),
    (Color, Color.RED),
    (list[Color], [Color.RED]),
    (Fraction, Fraction(1, 3)),
    (IPv4Address, IPv4Address("10.0.0.1")),
    (Path, Path("/a/b")),
    (Point, Point(1, 2)),
    (list[Point], [Point(1)]),
    (Mixed, Mixed(Decimal("1.1"), b"\x89PNG\xff", dt.timedelta(seconds=1))),
    (Model, Model(name="a", price=Decimal("1.10"))),
    (list[Model], [Model(name="a")]),
    (dict[str, Model], {"a": Model(name="a")}),
    (Model | None, Model(name="a")),
    (object, "text"),
    (Box[int], Box(1)),
    (Box, Box("a")),
    (Model | Item, ITEM),
    (Named, Named(Risk=0.97)),
    (list[Named], [Named(Risk=0.97)]),
    (Names, Names(["a"])),
    (Strict, Strict(dt.timedelta(seconds=3))),
    (WithModel, WithModel(Model(name="a"), b"\xff")),
    (typing.Annotated[int, Gt(0)], 1),
    (pydantic.HttpUrl, pydantic.HttpUrl("https://example.org/")),
]
"""Values that plain Temporal cannot write or read."""
