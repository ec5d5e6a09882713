#!/usr/bin/env python3
"""Makes the tables in src/model/agent/data anew from the newest published lists.

    make agents        (or: python3 tools/agents.py)

Needs python3 with pip and PyYAML, npm, and cargo. What is downloaded goes into a temporary folder.
Afterwards run `cargo test --lib model::agent` and read the difference before it is committed.
"""

import ast
import json
import pathlib
import re
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from re import _constants as code, _parser as parser

import yaml

DATA = pathlib.Path(__file__).resolve().parent.parent / "src/model/agent/data"

# Kind of each tag of the crawler list. What is not named here crawls.
KINDS = {
    "social-preview": "preview",
    "monitoring": "monitor",
    "http-library": "library",
    "browser-automation": "library",
}

# Entries that are left out: they are people.
PEOPLE = {
    "MetaIAB Facebook",  # the browser within the Facebook app
    r"AP3A\.240617\.008",  # one build of Android
    r"Code\/1\.",  # the browser within an editor
    "Fluid",  # makes an app of a web page
}

# Patterns that people carry as well. The bots behind them say what they are in other words, too.
COMMON = {
    "Sogou",  # a browser and a keyboard
    "Butterfly",  # a phone
    "Sonic",  # a phone
    "speedy",  # the code name of a phone
}

# Patterns that say a bot only where an agent begins with them: elsewhere an app says that it is
# built with it.
FIRST_ONLY = {"okhttp"}

# Tags whose patterns no app or device is likely to carry in its name.
UNMISTAKABLE = {"monitoring", "ai-crawler", "http-library", "browser-automation"}

# What a bot calls itself. A pattern with such a word in it counts wherever it stands.
SPEAKING = re.compile(r"bot|crawl|spider|scan|preview|monitor|fetch|scrap|check|headless|google", re.I)

# Names of patterns that name an address or several spellings.
NAMES = {
    r"yandex\.com\/bots": "YandexBot",
    r"(sistrix|SISTRIX) [cC]rawler": "SISTRIX Crawler",
    r"Ahrefs(Bot|SiteAudit)": "AhrefsBot",
    r"filterdb\.iss\.net\/crawler": "oBot",
    r"collection@infegy\.com": "Infegy",
    r"web-archive-net\.com\.bot": "web-archive-net.com",
    r"https:\/\/developers\.cloudflare\.com\/security-center\/": "Cloudflare",
    r"AdsBot-Google([^-]|$)": "AdsBot-Google",
    r"(^| )sentry\/": "sentry",
    r"(^| )PTST\/": "WebPageTest",
    r"pinterest\.com\/bot": "Pinterestbot",
    r"BlogTraffic\/\d\.\d+ Feed-Fetcher": "BlogTraffic",
    r"Automaton|Newsify Feed Fetcher": "Newsify Feed Fetcher",
    r"Chirp|gotosocial": "GoToSocial",
    r"Netumo|netumo": "Netumo",
    r"ContextualBot[\s\S]*outcomes\.net": "ContextualBot",
    r"Current[\s\S]*RSS Reader": "Current RSS Reader",
    r"Spider[\s\S]*spider\.com": "Spider",
    r"sindresorhus\/got": "got",
    r"developers\.google\.com\/\+\/web\/snippet": "Google Snippet",
    r"loc\.gov\/programs\/web-archiving": "Library of Congress",
    r"Valve\/Steam": "Steam",
    r"ZoteroTranslationServer\/WMF": "ZoteroTranslationServer",
}

# The browsers that most people use, as uap-core calls them: all of their test cases are taken.
MAIN = re.compile(
    r"^(Chrome|Chrome Mobile|Chrome Mobile WebView|Chrome Mobile iOS|Safari|Mobile Safari"
    r"|Mobile Safari UI/WKWebView|Firefox|Firefox Mobile|Firefox iOS|Edge|Edge Mobile|IE|IE Mobile"
    r"|Opera|Opera Mini|Opera Mobile|Opera Touch|Samsung Internet|UC Browser|Yandex Browser|Vivaldi"
    r"|Brave|DuckDuckGo Mobile|Amazon Silk|MiuiBrowser|Facebook|Instagram|Pinterest|Snapchat"
    r"|LinkedIn|Twitter|TikTok|Line|WeChat|QQ Browser Mobile|Google|Whale|HuaweiBrowser|Android)$"
)


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def wheel(package, folder):
    """Downloads a package of Python; gives its archive and its version."""
    run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package)
    path = next(pathlib.Path(folder).glob(package.replace("-", "_") + "-*.whl"))
    return zipfile.ZipFile(path), path.name.split("-")[1]


def rows(*columns):
    """A line of a table. The tables have no quoting, and need none."""
    assert not any("\t" in column or "\n" in column for column in columns), columns
    return "\t".join(columns).rstrip("\t") + "\n"


def write(name, lines):
    path = DATA / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(lines), encoding="utf-8")
    print(f"{name}: {len(lines)} lines, {path.stat().st_size} bytes")


def weight(texts):
    """How much a set of texts tells: the length of the shortest; fewer of one length tell more."""
    return (min(map(len, texts), default=0), -len(texts))


def required(sequence):
    """Texts of which every match of a parsed regex holds at least one; none if that is not known."""
    found, run = [set()], ""
    for kind, argument in sequence:
        if kind is code.LITERAL:
            run += chr(argument)
            continue
        found, run = [*found, {run}], ""
        if kind is code.SUBPATTERN:
            found.append(required(argument[3]))
        elif kind is code.BRANCH:
            branches = [required(branch) for branch in argument[1]]
            found.append(set().union(*branches) if all(branches) else set())
        elif kind in (code.MAX_REPEAT, code.MIN_REPEAT) and argument[0] > 0:
            found.append(required(argument[2]))
    return max([*found, {run}], key=weight)


def texts_of(pattern):
    """The texts by which the search for a regex begins."""
    parsed = parser.parse(pattern)
    assert not parsed.state.flags & re.IGNORECASE, pattern
    texts = required(parsed)
    return sorted(texts) if weight(texts)[0] > 1 else []


def widen(pattern):
    """`.{0,200}` guards other engines against long searches; here it would only cost memory."""
    return re.sub(r"\{([01]),\d{3,}\}", lambda m: "*" if m[1] == "0" else "+", pattern)


def uap_tables(archive):
    """uap-core's rules: a regex, and the name if that is not the first group."""
    module = ast.parse(archive.read("ua_parser_builtins/regexes.py"))
    tables = {"USER_AGENT_PARSERS": "browsers.tsv", "OS_PARSERS": "platforms.tsv"}
    for statement in module.body:
        name = isinstance(statement, ast.Assign) and tables.get(statement.targets[0].id)
        if name:
            calls = [[ast.literal_eval(x) for x in call.args] for call in statement.value.elts]
            write(name, [rows(widen(c[0]), (c + [None])[1] or "") for c in calls])


def literal(pattern):
    """The text that a pattern stands for, if it is no more than a text."""
    if re.search(r"\\[a-zA-Z]", pattern):
        return None
    if re.search(r"[\^$|?*+()\[\]{}.]", re.sub(r"\\.", "", pattern)):
        return None
    return re.sub(r"\\(.)", r"\1", pattern)


def name_of(pattern):
    """What a bot is called: its pattern without the marks of a regex, up to a version or address."""
    if pattern in NAMES:
        return NAMES[pattern]
    name = re.sub(r"\[(.)(.)\]", lambda m: max(m.groups(), key=str.isupper), pattern)
    name = re.sub(r"\\(.)", r"\1", name).strip("^$ ")
    name = name.removeprefix("https://").split("/")[0].split(" (")[0].strip(" ;:,()!-")
    assert re.fullmatch(r"[\w .,:!'@-]+", name), (pattern, name)
    return name


def signs_of(entry):
    """A pattern of the crawler list as lines: kind, name, where it counts, text, regex if it is one.

    It counts `*` anywhere, `^` at the beginning, or `~` where the regex says.
    """
    pattern, seen, tag = entry["pattern"], entry.get("instances", []), entry["tags"][0]
    bot = (KINDS.get(tag, "crawler"), name_of(pattern))
    text = literal(pattern.removeprefix("^"))
    if text is None:
        texts = texts_of(pattern)
        assert texts, pattern
        return [(*bot, "~", text, pattern) for text in texts]
    # A word that says nothing, and was only ever seen first, counts at the beginning only.
    mute = tag not in UNMISTAKABLE and not SPEAKING.search(pattern)
    known_first = bool(seen) and all(agent.startswith(text) for agent in seen)
    first = pattern.startswith("^") or pattern in FIRST_ONLY or (known_first and mute)
    return [(*bot, "^" if first else "*", text)]


def crawler_tables(archive):
    """The crawler list, and the agents it gives as instances."""
    listed = json.loads(archive.read("crawleruseragents/crawler-user-agents.json"))
    entries = [entry for entry in listed if entry["pattern"] not in PEOPLE]
    telling = [entry for entry in entries if entry["pattern"] not in COMMON]
    signs = [sign for entry in telling for sign in signs_of(entry)]
    write("crawlers.tsv", [rows(*sign) for sign in signs])
    seen = [(signs_of(e)[0][0], agent) for e in entries for agent in e.get("instances", [])]
    write("tests/crawlers.tsv", [rows(kind, " ".join(agent.split())) for kind, agent in seen])


def uap_tests(folder):
    """A sample of uap-core's own test cases, which the crate ua-parser brings along."""
    run("cargo", "init", "-q", "--name", "cases", "--vcs", "none", cwd=folder)
    run("cargo", "add", "-q", "ua-parser", cwd=folder)
    packages = json.loads(run("cargo", "metadata", "--format-version", "1", cwd=folder))["packages"]
    crate = next(package for package in packages if package["name"] == "ua-parser")
    root = pathlib.Path(crate["manifest_path"]).parent / "uap-core"
    for source, name, every in [("ua", "browsers", 4), ("os", "platforms", 2)]:
        cases = yaml.safe_load((root / f"tests/test_{source}.yaml").read_text("utf-8"))["test_cases"]
        pairs = [(c["user_agent_string"].strip(), c["family"]) for c in cases]
        chosen = [p for n, p in enumerate(pairs) if n % every == 0 or MAIN.match(p[1])]
        write(f"tests/{name}.tsv", [rows(*pair) for pair in dict.fromkeys(chosen)])
    (DATA / "LICENSE-uap-core").write_bytes((root / "LICENSE").read_bytes())
    return crate["version"]


def people(folder):
    """Agents of people, with the device they used, as seen in the traffic of web sites."""
    packed = run("npm", "pack", "-s", "user-agents", cwd=folder).strip()
    with tarfile.open(pathlib.Path(folder) / packed) as archive:
        seen = json.load(archive.extractfile("package/dist/user-agents.json"))
        license = archive.extractfile("package/LICENSE").read()
    (DATA / "tests/LICENSE-user-agents").write_bytes(license)
    devices = {"mobile": "phone", "tablet": "tablet", "desktop": "desktop"}
    pairs = sorted({(one["userAgent"], devices[one["deviceCategory"]]) for one in seen})
    chosen = [p for n, p in enumerate(pairs) if n % 2 == 0 or p[1] == "tablet"]
    write("tests/people.tsv", [rows(*pair) for pair in chosen])
    return packed.removesuffix(".tgz").removeprefix("user-agents-")


def main():
    with tempfile.TemporaryDirectory() as folder:
        builtins, uap = wheel("ua-parser-builtins", folder)
        uap_tables(builtins)
        crawlers, listed = wheel("crawler-user-agents", folder)
        crawler_tables(crawlers)
        licence = next(n for n in crawlers.namelist() if n.endswith("licenses/LICENSE"))
        (DATA / "LICENSE-crawler-user-agents").write_bytes(crawlers.read(licence))
        revision = builtins.read("REVISION").decode().strip()
        versions = [
            rows("ua-parser-builtins", uap, f"uap-core {revision}"),
            rows("crawler-user-agents", listed),
            rows("ua-parser, for its test cases", uap_tests(folder)),
            rows("user-agents, for test cases", people(folder)),
        ]
    write("VERSIONS", versions)


if __name__ == "__main__":
    main()
