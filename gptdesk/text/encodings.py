"""Finds out how a text file is encoded; the choice is reversible or the file is refused.

Order: a byte order mark; UTF-8, which hardly ever fits by chance; then the old encodings of
Windows, China, Japan and Korea by how much the result looks like text (charset-normalizer).
"""

from __future__ import annotations

import codecs
import re

from gptdesk.errors import DocumentError

_MARKS = (  # UTF-32's little-endian mark begins with UTF-16's, so it comes first
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BOMS = {encoding: mark for mark, encoding in _MARKS}
_LEGACY = [
    "gb18030", "cp1252", "big5", "cp932", "euc_kr", "cp1250", "cp1251", "cp1253", "koi8_r",
    "cp1254", "cp1255", "cp1256", "euc_jp",
]  # fmt: skip
_SAMPLE = 200_000
_MAX_CHAOS = 0.2
_MOSTLY = 4  # whole characters for each broken one; in old encodings it is the other way round
_CONTROLS = re.compile(r"[\x01-\x06\x0e-\x1a\x1c-\x1f\x7f]")
_MAX_CONTROLS = 0.01
_CJK = re.compile("[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")


def decode(data: bytes, name: str) -> tuple[str, str, bool]:
    """Return the text of a file, its encoding, and whether it starts with a byte order mark.

    Args:
        data: the whole file.
        name: what to call it in an error.

    Raises:
        DocumentError: it is binary, or in no encoding that can be recognised.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _checked(_strict(data[len(mark) :], encoding, name), name), encoding, True
    if b"\0" in data:
        raise _binary(name)
    try:
        return _checked(data.decode("utf-8"), name), "utf-8", False
    except UnicodeDecodeError as error:
        _refuse_damaged_utf8(data, name, error)
        encoding = _legacy(data, name)
        return _checked(data.decode(encoding), name), encoding, False


def encode_with(text: str, encoding: str, *, bom: bool) -> bytes:
    """Return the bytes of `text`.

    Raises:
        UnicodeEncodeError: the encoding lacks one of its characters.
    """
    return (_BOMS.get(encoding, b"") if bom else b"") + text.encode(encoding)


def _strict(data: bytes, encoding: str, name: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise DocumentError(
            f"{name} claims to be {encoding} text and is not.",
            "The file may be damaged; open a copy of it from a backup.",
            str(error),
        ) from error


def _checked(text: str, name: str) -> str:
    if "\0" in text or len(_CONTROLS.findall(text)) > _MAX_CONTROLS * len(text):
        raise _binary(name)
    return text


def _binary(name: str) -> DocumentError:
    return DocumentError(
        f"{name} is a binary file, not text.",
        "Choose a text file; save word processor files as plain text first.",
    )


def _refuse_damaged_utf8(data: bytes, name: str, error: UnicodeDecodeError) -> None:
    """Raise if all but a few characters are UTF-8: any other reading would be gibberish."""
    text = data.decode("utf-8", "replace")
    broken = text.count("\ufffd")
    whole = sum(char > "\x7f" for char in text) - broken
    if whole > _MOSTLY * broken:
        raise DocumentError(
            f"{name} is UTF-8 text with damaged characters, the first at byte {error.start}.",
            "Open a copy of it from a backup, or repair it in another editor.",
            str(error),
        ) from error


def _legacy(data: bytes, name: str) -> str:
    """Name the old encoding that turns `data` into the likeliest text, and back into the same."""
    fitting = [encoding for encoding in _LEGACY if _reversible(data, encoding)]
    if "gb18030" in fitting and _mostly_cjk(data):
        return "gb18030"
    best = _likeliest(data[:_SAMPLE], fitting)
    if best is None:
        raise DocumentError(
            f"The encoding of {name} cannot be recognised.",
            "Convert the file to UTF-8, for example with iconv or another editor.",
        )
    return best


def _reversible(data: bytes, encoding: str) -> bool:
    try:
        return data.decode(encoding).encode(encoding) == data
    except UnicodeError:
        return False


def _mostly_cjk(data: bytes) -> bool:
    """Tell whether what is not ASCII reads as common Chinese characters and punctuation."""
    text = data[:_SAMPLE].decode("gb18030", errors="ignore")
    foreign = [char for char in text if char > "\x7f"]
    # GB2312 holds the common characters; by chance, bytes of another encoding land elsewhere.
    common = sum(bool(_CJK.match(char)) and _in_gb2312(char) for char in foreign)
    return len(foreign) >= 2 and common >= 0.9 * len(foreign)


def _in_gb2312(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _likeliest(sample: bytes, fitting: list[str]) -> str | None:
    if not fitting:
        return None
    from charset_normalizer import from_bytes  # only a file in an old encoding pays for it

    best = from_bytes(sample, cp_isolation=fitting, threshold=_MAX_CHAOS).best()
    if best is None:
        return None
    # Several may read it alike (cp1250 and cp1252 share most letters): the commoner one comes first.
    text = str(best)
    return next((known for known in fitting if sample.decode(known, "replace") == text), None)
