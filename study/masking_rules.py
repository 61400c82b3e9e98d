"""What each masking rule looks for. A rule gives places and what shall stand there instead.

None may touch a clinical word: `tests/study/test_masking.py` masks every shipped vignette, key
point and drug fact and compares word by word. Where a pattern could meet a clinical sentence
(a reply that begins "Good morning dose", a line that begins "> 30 mL/min"), it is the narrower one.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Replacement = tuple[int, int, str]
"""Start and end in the text before the rule ran, and what stands there afterwards."""
Finder = Callable[[str], list[Replacement]]


def _by_pattern(*patterns: tuple[str, str], flags: int = 0) -> Finder:
    """A rule made of patterns; where two overlap, the one listed first stands."""
    compiled = [(re.compile(pattern, flags), new) for pattern, new in patterns]

    def find(text: str) -> list[Replacement]:
        found: list[Replacement] = []
        for pattern, new in compiled:
            for match in pattern.finditer(text):
                clash = any(s < match.end() and match.start() < e for s, e, _ in found)
                if not clash and match.group() != new and match.group():
                    found.append((*match.span(), match.expand(new)))
        return sorted(f for f in found if text[f[0] : f[1]] != f[2])

    return find


_NAME = r"(?-i:[A-Z][a-z]+(?: [A-Z][a-z'-]+)?)"
_NAME_LINE = r"(?-i:(?:Dr\.? )?[A-Z][a-z]+ [A-Z][a-z'-]+(?:, [A-Z][A-Za-z]+)?)"
_ADDRESSEE = (
    r"(?:all|there|everyone|everybody|team|colleagues?|doctor|nurse|pharmacist|sir or madam|sir"
    rf"|madam|(?:dr|prof|mr|mrs|ms)\.? {_NAME})"
)
_PRAISE = r"(?:great|good|excellent|interesting|important) (?:question|case)"
_ANSWER = r"(?:answer|response|reply|assessment|analysis|recommendations?|summary|plan|opinion)"
_DETERMINER = r"(?:my|the|an?|your) (?:brief |short |concise )?"
_OF_THE_CASE = r"(?: (?:for|to|of|on) (?:the|this|your) (?:case|question|patient|vignette))"
_REACH = r"(?:ask|reach out|contact me)"
_OFFER = rf"feel free to {_REACH}|do(?: not|n['\u2019]t) hesitate to {_REACH}"
_MORE = (
    r"(?:there is anything else|you (?:have|need|want|would like|'d like) "
    r"(?:any|more|further|additional|anything|me)\b)[^.!?\n]*"
)

_SALUTATION = _by_pattern(
    (rf"\A\s*dear\b(?: {_ADDRESSEE}| {_NAME}|[ \w]{{0,40}}(?=,))?\s*(?:[,.!:]|\n)\s*", ""),
    (
        r"\A\s*(?:hello|hi|hey|greetings|good (?:morning|afternoon|evening))"
        rf"(?:,? {_ADDRESSEE}|,? {_NAME}(?=\s*[,!\n]))?\s*(?:[,.!:]|\n|\Z)\s*",
        "",
    ),
    (rf"\A\s*(?:certainly|sure|of course|absolutely|{_PRAISE})\s*[!.]\s*", ""),
    (r"\A\s*(?:certainly|sure|of course|absolutely), (?=here(?:'s| is| are)\b)", ""),
    (r"\A\s*thank you for (?:the|your|this) (?:question|case|consult|referral)\s*[,.!]\s*", ""),
    (rf"\A\s*here(?:'s|\u2019s| is| are) {_DETERMINER}{_ANSWER}{_OF_THE_CASE}?\s*[:.]\s*", ""),
    (
        r"\s*\n\s*(kind|best|warm|many|yours)?\s*(regards|wishes|thanks|sincerely|faithfully)"
        rf"[,.!]?[ \t]*(\n[ \t]*{_NAME_LINE}[ \t]*)?\s*\Z",
        "",
    ),
    (r"\s*(?:i )?hope (?:this|that) helps(?: you)?[.!]?\s*\Z", ""),
    (rf"\s*(?:please )?(?:let me know|{_OFFER})(?: if {_MORE})?[.!]\s*\Z", ""),
    (r"\s*(?:thank you|thanks)(?: in advance| very much)?[.!]?\s*\Z", ""),
    flags=re.IGNORECASE,
)

_AI = (
    r"an? (?:ai|artificial intelligence|large language|language)(?: language)?"
    r"(?: model| assistant)?"
)
_JUNIOR = (
    r"an? (?:(?:junior |medical )?(?:resident|doctor)|intern|house officer|registrar"
    r"|pgy-?\d(?: resident)?)"
)

_SELF_IDENTIFICATION = _by_pattern(
    (rf"\bas {_AI}\b,?\s*", ""),
    # Only before "I": a patient can be a resident too, of a nursing home.
    (rf"\bas {_JUNIOR},?\s+(?=I\b)", ""),
    (rf"\bI(?: a|')m {_AI}\b", "[masked]"),
    (rf"\bI(?: a|')m {_JUNIOR}\b", "[masked]"),
    (
        r"\b(?:safemed(?:-r1)?|chatgpt|gpt-?\d\w*|qwen\d?|gemini|claude|deepseek(?:-r1)?|llama)\b",
        "[masked]",
    ),
    flags=re.IGNORECASE,
)

_TAGS = (
    "a|b|blockquote|code|div|em|font|h[1-6]|hr|i|mark|p|pre|s|small|span|strong|sub|sup|table|tbody"
    "|td|th|thead|u|ol|ul"
)

_LAYOUT = _by_pattern(
    (r"^[ \t]{0,3}#{1,6}[ \t]+", ""),
    (r"^[ \t]*```[^\n]*\n?", ""),
    (r"<br ?/?>|</(?:p|div|li|tr|h[1-6])>(?=[^\n])", "\n"),
    (r"<li>[ \t]*", "- "),
    (r"</(?:li|tr)>|<tr>", ""),
    (rf"</?(?:{_TAGS})(?: [^<>\n]*)?/?>", ""),
    (r"&nbsp;", " "),
    (r"&lt;", "<"),
    (r"&gt;", ">"),
    (r"&amp;", "&"),
    # A row of a table becomes a line; its cells stay in their order.
    (r"^[ \t]*\|?(?:[ \t]*:?-{3,}:?[ \t]*\|)+(?:[ \t]*:?-{3,}:?[ \t]*)?$\n?", ""),
    (r"^[ \t]*\|[ \t]*(?=\S[^\n]*\|[ \t]*$)", ""),
    (r"(?<=\S)[ \t]*\|[ \t]*$", ""),
    (r"(?<=\S)[ \t]+\|[ \t]+(?=\S)", "; "),
    (r"^[ \t]*(?:>[ \t]*)+$", ""),
    # A quotation; "> 30 mL/min" at the start of a line is none.
    (r"^[ \t]*(?:>[ \t]*)+(?=[A-Za-z\"*_-])", ""),
    (r"\[([^\]\n]+)\]\(https?://[^)\s]+\)", r"\1"),
    (r"(?<![*\w])\*{1,3}(?=\S)([^*\n]+?)(?<=\S)\*{1,3}(?![*\w])", r"\1"),
    (r"(?<![_\w])_{1,2}(?=\S)([^_\n]+?)(?<=\S)_{1,2}(?![_\w])", r"\1"),
    (r"`([^`\n]+)`", r"\1"),
    # A list marker is a layout; a number that starts a sentence ("5 mg") is not: it has no mark.
    (r"^[ \t]*(?:[-*+•‣◦]|\d{1,2}[.)])[ \t]+(?=\S)", "- "),
    (r"^[ \t]*([-*_=][ \t]*){3,}$\n?", ""),
    flags=re.MULTILINE,
)

_UNITS = (
    "mg|g|kg|microg|mcg|ug|ng|mL|ml|dL|L|mmol|micromol|mEq|units?|IU|mmHg|bpm|ms|kPa|cm|hours?|days?"
    "|weeks?|months?|years?|minutes?|min|h"
)

_TYPOGRAPHY = _by_pattern(
    ("\\A\\s+|\\s+\\Z", ""),
    ("\r\n?", "\n"),
    ("[\u2018\u2019\u201b]", "'"),
    ("[\u201c\u201d\u201e\u00ab\u00bb]", '"'),
    ("[\u2010\u2011\u2012\u2013\u2014\u2212]", "-"),
    ("\u2026", "..."),
    ("\u2265", ">="),
    ("\u2264", "<="),
    ("[\u2192\u21d2]", "->"),
    ("\u00d7", "x"),
    (r"(?<=\bm)(?:\u00b2|\^2)", "2"),
    ("\u2070", "^0"), ("\u00b9", "^1"), ("\u00b2", "^2"), ("\u00b3", "^3"), ("\u2076", "^6"),
    ("\u2079", "^9"), ("\u2082", "2"), ("\u2084", "4"), ("\u207a", "+"),
    ("[\u00b5\u03bc](?=g|mol|l|L|M)", "micro"),
    # One name for one unit, and a space before it.
    (rf"((?<![\w.,])\d[\d.,]*)(?=(?:{_UNITS})\b)", r"\1 "),
    (r"\bmcg\b|(?<=\d )ug\b", "microg"),
    (r"(?<=\d )ml\b|(?<=/)ml\b", "mL"),
    (r"(?<=/)dl\b", "dL"),
    ("[ \t\u00a0\u2007\u2009\u202f]+(?=\n|\\Z)", ""),
    ("(?<=\\S)(?:[\t\u00a0\u2007\u2009\u202f]|[ \t\u00a0\u2007\u2009\u202f]{2,})(?=\\S)", " "),
    ("\n{3,}", "\n\n"),
)  # fmt: skip

RULES: dict[str, Finder] = {
    "salutation": _SALUTATION,
    "self_identification": _SELF_IDENTIFICATION,
    "layout": _LAYOUT,
    "typography": _TYPOGRAPHY,
}
"""Every rule of the protocol, in the order in which they run."""
