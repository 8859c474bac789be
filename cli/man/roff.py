"""The little of the language of manual pages that the pages here need."""
import email.utils
import pathlib
import re

CHANGES = pathlib.Path(__file__).resolve().parents[1] / "package.d" / "debian" / "changelog"


def release_date():
    """Of the newest release: a page is the same whenever it is made."""
    told = re.search(r"^ -- .*>  (.*)$", CHANGES.read_text(), re.M)[1]
    return email.utils.parsedate_to_datetime(told).strftime("%Y-%m-%d")


def page_text(lines):
    """The whole page. A paragraph begins by itself behind a heading."""
    return re.sub(r"^(\.S[HS] .*)\n\.PP$", r"\1", "\n".join(lines), flags=re.M) + "\n"


def escaped(text):
    """Text as it stands: nothing in it is a request or an escape, a hyphen can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.split("\n"))


def title(name, section):
    return f'.TH {escaped(name.upper())} {section} "{release_date()}" floe "Cluster node runtime"'


def sentence(text):
    """Begins large and ends with a full stop."""
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ":")) else ".")


def example(text):
    """Lines as they are typed or shown."""
    return [".PP", ".RS 4", ".nf", escaped(text), ".fi", ".RE"]
