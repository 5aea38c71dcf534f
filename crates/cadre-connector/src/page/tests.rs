//! Each scheme against answers, as tables.

use serde_json::{Value, json};

use super::*;

/// Reads a section as it stands in a manifest.
fn paging(yaml: &str) -> Paging {
    let text = format!(
        "tool: t\nlabel: T\ncategories: [HRIS]\nbase_url: https://a.example\nauth: {{type: none}}\n\
         streams: {{s: {{request: {{path: '/s?p=\\($page.number)'}}, paging: {yaml}}}}}"
    );
    crate::manifest::tests_only_tree(&text)
        .streams
        .into_iter()
        .next()
        .and_then(|(_, stream)| stream.paging)
        .expect("paging")
}

fn next(
    paging: &Paging,
    position: &Position,
    records: u64,
    body: &Value,
    headers: &Value,
) -> Result<Option<Position>, Stuck> {
    let url = Url::parse("https://a.example/v1/s?page=1").expect("url");
    paging.next(position, &Answer { body, headers, records, url: &url, vars: &Vars::new() })
}

#[test]
fn none_ends() {
    let none = paging("{type: none}");
    assert_eq!(next(&none, &none.start(), 500, &json!([]), &json!({})), Ok(None));
}

#[test]
fn next_links_stay_on_the_host() {
    let links = paging("{type: link_header}");
    let urls = paging("{type: next_url, url: .next}");
    let cases: &[(&str, Result<&str, &str>)] = &[
        ("https://a.example/v1/s?page=2", Ok("https://a.example/v1/s?page=2")),
        ("/v1/s?page=2", Ok("https://a.example/v1/s?page=2")),
        ("?page=2", Ok("https://a.example/v1/s?page=2")),
        ("http://a.example/v1/s?page=2", Ok("https://a.example/v1/s?page=2")),
        ("https://b.example/v1/s?page=2", Err("another host")),
        ("https://a.example:8443/v1/s?page=2", Err("another port")),
        ("https://a.example/v1/s?page=1", Err("its own")),
        ("file:///etc/passwd", Err("another host")),
        ("http://[", Err("cannot be read")),
    ];
    for (named, expected) in cases {
        let header = json!({"link": format!("<{named}>; rel=\"next\"")});
        let by_header = next(&links, &links.start(), 1, &json!([]), &header);
        let by_body = next(&urls, &urls.start(), 1, &json!({"next": named}), &json!({}));
        assert_eq!(by_header, by_body, "{named}");
        match (by_body, expected) {
            (Ok(Some(position)), Ok(url)) => assert_eq!(position.url.as_deref(), Some(*url)),
            (Err(Stuck(why)), Err(part)) if why.contains(part) || part == &"its own" => {}
            (other, _) => panic!("{named}: {other:?}"),
        }
    }
    for end in [json!(null), json!(""), json!(false)] {
        assert_eq!(next(&urls, &urls.start(), 1, &json!({"next": end}), &json!({})), Ok(None));
    }
    assert!(next(&urls, &urls.start(), 1, &json!({"next": 7}), &json!({})).is_err());
    assert_eq!(next(&links, &links.start(), 1, &json!([]), &json!({})), Ok(None));
}

#[test]
fn cursors_go_on_until_there_is_none() {
    let cursor = paging("{type: cursor, next: .meta.next, param: after}");
    for end in [
        json!({}),
        json!({"meta": {"next": null}}),
        json!({"meta": {"next": ""}}),
        json!({"meta": {"next": false}}),
    ] {
        assert_eq!(next(&cursor, &cursor.start(), 1, &end, &json!({})), Ok(None));
    }
    let second = next(&cursor, &cursor.start(), 1, &json!({"meta": {"next": 17}}), &json!({}))
        .expect("next")
        .expect("more");
    assert_eq!((second.before, second.cursor.clone()), (1, Some(json!(17))));
    let mut query = vec![("fields".to_owned(), "all".to_owned())];
    cursor.place(&second, &mut query);
    assert_eq!(
        query,
        [("fields".to_owned(), "all".to_owned()), ("after".to_owned(), "17".to_owned())]
    );
    assert!(next(&cursor, &second, 1, &json!({"meta": {"next": 17}}), &json!({})).is_err());
    let alone = paging("{type: cursor, next: .next, param: after, alone: true}");
    alone.place(&second, &mut query);
    assert_eq!(query, [("after".to_owned(), "17".to_owned())]);
}

/// A section, what a vendor answers in turn (records, body), and which offsets or numbers are asked for.
type Case = (&'static str, Vec<(u64, Value)>, Vec<u64>);

/// The offsets, or numbers, that are asked for when a vendor answers `pages` of records in turn.
fn walk(paging: &Paging, pages: &[(u64, Value)]) -> Vec<u64> {
    let mut position = paging.start();
    let mut asked = Vec::new();
    for (records, body) in pages {
        asked.push(position.number.unwrap_or(position.offset));
        match next(paging, &position, *records, body, &json!({})).expect("goes on") {
            Some(following) => position = following,
            None => return asked,
        }
    }
    panic!("would go on after {asked:?}");
}

#[test]
fn offsets_end_where_they_must() {
    let none = json!({});
    let cases: Vec<Case> = vec![
        (
            "{type: offset, param: o, size: 10}",
            vec![(10, none.clone()), (3, none.clone())],
            vec![0, 10],
        ),
        (
            "{type: offset, param: o, size: 10}",
            vec![(10, none.clone()), (0, none.clone())],
            vec![0, 10],
        ),
        (
            "{type: offset, param: o, size: 10, total: .t}",
            vec![(10, json!({"t": 25})), (10, json!({"t": "25"})), (5, json!({"t": 25.0}))],
            vec![0, 10, 20],
        ),
        ("{type: offset, param: o, size: 10, total: .t}", vec![(0, json!({"t": 0}))], vec![0]),
        // The total is said once; a page in the middle is empty.
        (
            "{type: offset, param: o, size: 10, total: .t}",
            vec![(10, json!({"t": 25})), (0, none.clone()), (5, none.clone())],
            vec![0, 10, 20],
        ),
        // The vendor hands out at most 4 though 10 were asked for.
        (
            "{type: offset, param: o, size: 10, total: .t}",
            vec![(4, json!({"t": 9})), (4, json!({"t": 9})), (1, json!({"t": 9}))],
            vec![0, 4, 8],
        ),
        (
            "{type: offset, param: o, size: 10, more: .m}",
            vec![(4, json!({"m": true})), (10, json!({"m": true})), (10, json!({"m": false}))],
            vec![0, 4, 14],
        ),
    ];
    for (yaml, pages, expected) in cases {
        assert_eq!(walk(&paging(yaml), &pages), expected, "{yaml} {pages:?}");
    }
    let total = paging("{type: offset, param: o, size: 10, total: .t}");
    assert!(next(&total, &total.start(), 10, &json!({}), &json!({})).is_err());
    assert!(next(&total, &total.start(), 10, &json!({"t": "many"}), &json!({})).is_err());
    assert!(next(&total, &total.start(), 10, &json!({"t": -1}), &json!({})).is_err());
}

#[test]
fn page_numbers_end_where_they_must() {
    let none = json!({});
    let cases: Vec<Case> = vec![
        (
            "{type: page_number, param: p, size: 10}",
            vec![(10, none.clone()), (3, none.clone())],
            vec![1, 2],
        ),
        (
            "{type: page_number, param: p, size: 10, start: 0}",
            vec![(10, none.clone()), (3, none.clone())],
            vec![0, 1],
        ),
        (
            "{type: page_number, param: p, size: 10, total: .t}",
            vec![(10, json!({"t": 20})), (10, json!({"t": 20}))],
            vec![1, 2],
        ),
        (
            "{type: page_number, param: p, size: 10, pages: .n}",
            vec![(10, json!({"n": 3})), (10, json!({"n": 3})), (1, json!({"n": 3}))],
            vec![1, 2, 3],
        ),
        // The vendor hands out at most 4 though 10 were asked for.
        (
            "{type: page_number, param: p, size: 10, total: .t}",
            vec![(4, json!({"t": 9})), (4, json!({"t": 9})), (1, json!({"t": 9}))],
            vec![1, 2, 3],
        ),
        (
            "{type: page_number, param: p, size: 10, more: .m}",
            vec![(10, json!({"m": true})), (0, json!({"m": true})), (10, json!({"m": false}))],
            vec![1, 2, 3],
        ),
        ("{type: page_number, param: p, size: 10, pages: .n}", vec![(0, json!({"n": 0}))], vec![1]),
    ];
    for (yaml, pages, expected) in cases {
        assert_eq!(walk(&paging(yaml), &pages), expected, "{yaml} {pages:?}");
    }
}

#[test]
fn pages_are_known_ahead_within_the_total_only() {
    let offset = paging("{type: offset, param: o, size: 10, total: .t}");
    assert_eq!(offset.ahead(&offset.start()), None);
    let second = next(&offset, &offset.start(), 10, &json!({"t": 25}), &json!({}))
        .expect("next")
        .expect("more");
    let third = offset.ahead(&second).expect("third");
    assert_eq!((third.offset, third.before), (20, 2));
    assert_eq!(offset.ahead(&third), None);
}

#[test]
fn too_many_pages_are_an_error() {
    let few = paging("{type: offset, param: o, size: 1, max_pages: 2}");
    let second = next(&few, &few.start(), 1, &json!({}), &json!({})).expect("next").expect("more");
    let stuck = next(&few, &second, 1, &json!({}), &json!({})).expect_err("too many");
    assert_eq!(stuck.0, "more than 2 pages");
}
