"""The little of the language of manual pages that the pages here need."""


def escaped(text):
    """Text as it stands: nothing in it is a request or an escape, a hyphen can be copied."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line.startswith((".", "'")) else line for line in text.split("\n"))


def title(name, section):
    return f'.TH {escaped(name.upper())} {section} "" floe "Cluster node runtime"'


def sentence(text):
    """Begins large and ends with a full stop."""
    text = text.strip()
    return text if not text else text[0].upper() + text[1:] + ("" if text.endswith((".", "!", "?", ":")) else ".")


def example(text):
    """Lines as they are typed or shown."""
    return [".PP", ".RS 4", ".nf", escaped(text), ".fi", ".RE"]
