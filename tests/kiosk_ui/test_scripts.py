import pytest
from playwright.sync_api import Browser

from kiosk_ui.assets import Assets
from kiosk_ui.scripts import join

GOOD = {
    "here": "let n = 1;\nexport const seen = [];\nexport function go(to) {\n  n = to; // On.\n}\n"
    "export const at = () => n;\n",
    "say": 'import { at as where } from "./here.js";\n'
    "export async function say(one) {\n  return `${one}  is /* at */ ${where()}`;\n}\n",
    "kiosk": "// Start.\n"
    'import { at, go, seen } from "./here.js";\nimport { say } from "./say.js";\n'
    'import "./late.js";\ngo(7);\nseen.push(await say("it"), /[/"`]  x/.source, at());\n',
    "late": 'import { seen } from "./here.js";\nconst at = "late";\nseen.push(at);\n',
}


def read(changed: dict[str, str], name: str) -> str:
    """A source of these modules."""
    return {**GOOD, **changed}[name]


def test_joined_modules_do_what_they_did_apart(browser: Browser) -> None:
    """Each once, in order, with a scope of its own, and their texts keep every space."""
    script = join("kiosk", lambda name: read({}, name))
    page = browser.new_page()
    address = "https://kiosk.example/"
    page.route(f"{address}*", lambda route: route.fulfill(body="<p>", content_type="text/html"))
    page.route(
        f"{address}one.js",
        lambda route: route.fulfill(body=script, content_type="text/javascript"),
    )
    page.goto(address)
    seen = page.evaluate("async () => (await import('/one.js')).here.seen")
    page.context.close()

    assert seen == ["late", "it  is /* at */ 7", '[/"`]  x', 7]
    assert "Start" not in script


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("say", 'import * as all from "./here.js";\n', "import"),
        ("say", 'import fs from "fs";\n', "import"),
        ("say", "export default 1;\n", "export"),
        ("say", "export let n = 1;\n", "export"),
        ("say", "const a = `x ${b ? `y  y` : 1}`;\n", "`"),
        ("here", 'import { say } from "./say.js";\n', "imports itself"),
    ],
)
def test_what_cannot_be_joined_is_named(name: str, text: str, word: str) -> None:
    """Never a script that does something else than its modules."""
    with pytest.raises(ValueError, match=f"^{name}.js.*{word}"):
        join("kiosk", lambda wanted: read({name: text}, wanted))


def test_the_kiosk_has_one_script() -> None:
    """One file is fetched, and no module a second time on its own."""
    assets = Assets()
    body = assets.served[assets.url("kiosk.js")].body
    assert [url for url in assets.served if url.endswith(".js")] == [assets.url("kiosk.js")]
    assert body.count(b"export{") == 1
