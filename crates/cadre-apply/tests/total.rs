//! Whatever bytes a page has, reading it ends, soon and without a panic.

#![allow(clippy::expect_used)]

use std::time::{Duration, Instant};

use cadre_apply::{Form, Page, Shows, outcome};
use proptest::prelude::*;
use url::Url;

fn read(bytes: &[u8]) {
    let url = Url::parse("https://x.example/job").expect("an address");
    let page = Page::read(&url, None, bytes);
    let shows = page.shows();
    let _ = page.job();
    let form = match shows {
        Shows::Form(form, sheet) => {
            let _ = (form.blocks(), form.check(&[]), sheet.submission(&form, &[]));
            form
        }
        _ => Form::default(),
    };
    let _ = outcome(&page, bytes, 200, &form);
}

/// Pieces of pages: what a parser trips over is made of them sooner than of any letters.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<form method=post action=/apply>",
        "</form>",
        "<input name=a>",
        "<input type=file name=cv>",
        "<input type=radio name=r value=1>",
        "<input type=checkbox name='c[]'>",
        "<label>",
        "</label>",
        "<label for=x>E-mail *",
        "<input id=x type=email name=e>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<select name=s>",
        "<option value=''>",
        "<option>Yes",
        "</select>",
        "<textarea name=t>",
        "</textarea>",
        "<fieldset>",
        "<legend>Shift",
        "</fieldset>",
        "<dl><dt>",
        "<dd>",
        "<template shadowrootmode=open>",
        "</template>",
        "<script type='application/ld+json'>{\"@type\":\"JobPosting\"",
        "}</script>",
        "<!--",
        "-->",
        "<svg>",
        "</svg>",
        "<p>",
        "<b><i>",
        "</b>",
        "&amp;",
        "&#x110000;",
        "<![CDATA[",
        "\u{0}",
        "é",
        "*",
        "(",
        "(required)",
        "<div itemscope itemtype=JobPosting>",
        "<span itemprop=title>",
        "<button>Apply",
        "<base href=//>",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn any_bytes_are_read(bytes in prop::collection::vec(any::<u8>(), 0..4096)) {
        read(&bytes);
    }

    #[test]
    fn any_pieces_of_pages_are_read(page in pieces()) {
        read(page.as_bytes());
    }
}

#[test]
fn pages_that_are_made_to_take_long_do_not() {
    let form = |inside: String| {
        format!("<form method=post action=/apply>{inside}<input type=file name=cv></form>")
    };
    for (what, page) in [
        ("deep", "<div>".repeat(200_000)),
        ("deep form", form("<div><input name=a>".repeat(3_000))),
        (
            "many controls",
            form((0..20_000).map(|at| format!("<p>Text {at} <input name=a{at}>")).collect()),
        ),
        ("one name", form("<label><input type=radio name=a value=1>x</label>".repeat(20_000))),
        ("options", form(format!("<select name=s>{}</select>", "<option>a".repeat(100_000)))),
        (
            "attributes",
            format!("<form {}>", (0..60_000).map(|at| format!("a{at} ")).collect::<String>()),
        ),
        ("tables", "<table><tr><td>".repeat(30_000)),
        ("words", "bewerbung ".repeat(300_000)),
        ("brackets", "<".repeat(1_000_000)),
        ("forms", "<form method=post><input name=email type=email></form>".repeat(10_000)),
    ] {
        let begun = Instant::now();
        read(page.as_bytes());
        // A debug build on a busy machine: what is meant is that no page takes minutes.
        assert!(begun.elapsed() < Duration::from_secs(60), "{what}: {:?}", begun.elapsed());
    }
}
