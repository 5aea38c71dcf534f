//! The native plan and jaq give the same answers: generated expressions on generated inputs.

use cadre_jq::{Expr, Vars};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const KEYS: [&str; 5] = ["a", "b", "key", "value", "k"];

fn scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-3_i64..4).prop_map(Value::from),
        prop::sample::select(vec![
            json!(0.5),
            json!(-2.5),
            json!(1e300),
            json!(1.0),
            json!(-0.0),
            json!(3.7),
            json!(1e16),
            json!(i64::MAX),
            json!(i64::MIN + 1),
            json!(u64::MAX),
            json!(9007199254740993_i64),
        ]),
        prop::sample::select(vec![
            json!(""),
            json!("a"),
            json!("ab"),
            json!("a,b,,c"),
            json!("12"),
            json!("-1.50"),
            json!("3.25"),
            json!("1e3"),
            json!("007"),
            json!(" 7 "),
            json!("äÖ ß"),
            json!("x\u{7f}\n\"\\"),
            json!("true"),
            json!("key"),
            json!("1 2"),
            json!("NaN"),
            json!("/a b?c=d&e"),
        ]),
    ]
}

fn value() -> impl Strategy<Value = Value> {
    scalar().prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            prop::collection::vec((prop::sample::select(KEYS.to_vec()), inner), 0..4).prop_map(
                |entries| {
                    let entries = entries.into_iter().map(|(key, value)| (key.to_owned(), value));
                    Value::Object(entries.collect::<Map<_, _>>())
                }
            ),
        ]
    })
}

fn leaf() -> impl Strategy<Value = String> {
    let fixed = [
        ".",
        ".a",
        ".b",
        ".a.b",
        ".a?",
        ".[]",
        ".[]?",
        ".a[]?",
        ".[0]",
        ".[-1]",
        ".[1:]",
        ".[:-1]?",
        ".[0:2]",
        ".[\"a\"]",
        ".a[0]?",
        ".[$lookup.at]?",
        "$settings",
        "$settings.name",
        "$now",
        "null",
        "true",
        "false",
        "0",
        "1",
        "-1",
        "2.5",
        "1.50",
        "1e3",
        "100000000000000000000",
        "\"\"",
        "\"a\"",
        "\"key\"",
        "\",\"",
        "[]",
        "{}",
        "empty",
        "not",
        "length",
        "tostring",
        "tonumber",
        "tojson",
        "type",
        "keys",
        "keys_unsorted",
        "add",
        "any",
        "all",
        "first",
        "last",
        "ascii_downcase",
        "ascii_upcase",
        "trim",
        "ltrim",
        "rtrim",
        "to_entries",
        "from_entries",
        "values",
        "nulls",
        "strings",
        "numbers",
        "booleans",
        "arrays",
        "objects",
        "scalars",
        "iterables",
        "floor",
        "ceil",
        "round",
        "error",
        "@text",
        "@json",
        "@uri",
        "isstring",
        "isnumber",
        "-.",
        "$x",
        "reverse",
        "sort",
        ".[0.5]?",
        "(-0.0)",
        "-1.0",
    ];
    prop::sample::select(fixed.to_vec()).prop_map(str::to_owned)
}

/// Expressions of the subset, now and then with something outside of it.
fn expression() -> impl Strategy<Value = String> {
    leaf().prop_recursive(4, 24, 4, |inner| {
        let one = || inner.clone();
        let operators = vec![
            "|", ",", "//", "==", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "and", "or",
        ];
        let unary = vec![
            "select", "map", "first", "last", "has", "contains", "inside", "in", "startswith", "endswith",
            "ltrimstr", "rtrimstr", "split", "join", "any", "all", "add", "with_entries", "error",
        ];
        prop_oneof![
            8 => (one(), prop::sample::select(operators), one())
                .prop_map(|(left, op, right)| format!("({left}) {op} ({right})")),
            4 => (prop::sample::select(unary), one()).prop_map(|(name, arg)| format!("{name}({arg})")),
            2 => (one(), one()).prop_map(|(left, right)| format!("{left} | {right}")),
            1 => (one(), one(), one()).prop_map(|(a, b, c)| format!("if {a} then {b} else {c} end")),
            1 => (one(), one()).prop_map(|(a, b)| format!("if {a} then {b} end")),
            1 => one().prop_map(|inner| format!("[{inner}]")),
            1 => (one(), one()).prop_map(|(a, b)| format!("{{a: ({a}), b: ({b})}}")),
            1 => (one(), one()).prop_map(|(a, b)| format!("{{({a}): ({b}), key}}")),
            1 => (one(), one()).prop_map(|(a, b)| format!("\"x\\({a})-\\({b})\"")),
            1 => one().prop_map(|a| format!("@uri \"/p/\\({a})\"")),
            1 => one().prop_map(|a| format!("@json \"\\({a}) \\({a})\"")),
            1 => (one(), one()).prop_map(|(a, b)| format!("({a}) as $x | {b}")),
            1 => (one(), one(), one())
                .prop_map(|(a, b, c)| format!("reduce ({a}) as $x ({b}; {c})")),
            1 => one().prop_map(|a| format!("({a})?")),
            1 => one().prop_map(|a| format!("(-({a}))")),
            1 => (one(), one()).prop_map(|(a, b)| format!("({a})[{b}]?")),
            1 => (one(), one()).prop_map(|(a, b)| format!("({a})[{b}]")),
            1 => (one(), one()).prop_map(|(a, b)| format!(".[({a}):({b})]")),
            1 => (one(), one()).prop_map(|(a, b)| format!("any({a}; {b})")),
            1 => (one(), one()).prop_map(|(a, b)| format!("all({a}; {b})")),
        ]
    })
}

fn outcome(result: Result<Vec<Value>, cadre_jq::EvalError>) -> String {
    match result {
        Ok(outputs) => Value::Array(outputs).to_string(),
        Err(_) => "error".to_owned(),
    }
}

fn same(source: &str, input: &Value) -> Result<(), TestCaseError> {
    let settings = json!({"name": "n", "list": [1, 2]});
    let lookup = json!({"at": 0});
    let vars = Vars::new().with("$settings", &settings).with("$lookup", &lookup);
    let expr =
        Expr::compile(source).map_err(|error| TestCaseError::fail(format!("{source}: {error}")))?;
    let native = expr.all(input, &vars);
    let native = native.map(|all| all.into_iter().map(|value| value.into_owned()).collect());
    let jaq = expr.all_in_jaq(input, &vars);
    let first = expr.first(input, &vars).map(|first| first.map(|value| value.to_string()));
    if let (Ok(first), Ok(all)) = (first, &jaq) {
        prop_assert_eq!(first, all.first().map(Value::to_string));
    }
    prop_assert_eq!(outcome(native), outcome(jaq), "{} on {}", source, input);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn plan_and_jaq_agree(source in expression(), input in value()) {
        // Bound once around, so that `$x` is known everywhere.
        same(&format!("1 as $x | {source}"), &input)?;
    }
}

#[test]
fn the_subset_is_native() {
    for source in [
        ".a.b",
        ".a[0].b?",
        "[.a, .b]",
        "{a: .x}",
        "\"team:\\(.id)\"",
        ".a // .b // \"x\"",
        "if .a == \"x\" then 1 elif .b then 2 else empty end",
        "[.items[] | select(.type == \"work\") | .value] | first",
        "$lookup.departments[.id | tostring].name",
        ".name | split(\" \") | .[0]",
        ".a | tonumber / 100",
        "[.phones[]? | {type: .kind, phone_number: .number}]",
        ".x as $id | $lookup.a[$id]",
        "map(select(. != null)) | join(\", \")",
        ".custom | to_entries | map(select(.value != \"\")) | from_entries",
        "any(.roles[]; . == \"admin\")",
        ".date[0:10]",
        "$status == 404 and (.error | startswith(\"x\"))",
        "reduce .[] as $x (0; . + $x)",
    ] {
        assert!(Expr::compile(source).expect(source).is_native(), "{source}");
    }
}
